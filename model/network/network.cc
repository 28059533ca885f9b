#include "model/network/network.h"

#include <map>
#include <set>

namespace loopscape {
namespace {

Status invalid(std::string place, std::string message) {
  return Status(StatusCode::kInvalidInput, std::move(message)).at(std::move(place));
}

std::string layer_place(std::size_t layer) { return "/layers/" + std::to_string(layer); }

Status check_layers(LayerNetwork& network) {
  if (network.layers.empty()) return invalid("/layers", "a network has at least one layer");
  if (network.layers.size() > kMaxLayers) {
    return invalid("/layers", "more than " + std::to_string(kMaxLayers) +
                                  " layers; say how often equal ones occur with \"count\"");
  }
  std::map<std::string, std::size_t> seen;
  OverflowFlag overflow;
  std::int64_t operations = 0, occurrences = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    Problem& layer = network.layers[i];
    if (layer.name.empty()) layer.name = "layer" + std::to_string(i + 1);
    const auto [other, is_new] = seen.emplace(layer.name, i);
    if (!is_new) {
      return invalid(layer_place(i), "two layers are called " + in_quotes(layer.name) +
                                         " (the other is layer " +
                                         std::to_string(other->second + 1) +
                                         "); give one of them another \"name\"");
    }
    Result<Problem> made = make_problem(layer);
    if (!made.ok()) {
      return invalid(layer_place(i) + made.status().place(), made.status().message());
    }
    layer = std::move(made).value();
    const auto count = static_cast<std::int64_t>(layer.count);
    occurrences = overflow.add(occurrences, count);
    operations = overflow.add(operations, overflow.mul(layer.operations(), count));
  }
  if (!overflow.raised()) return {};
  return invalid("/layers", "the operations of all layers together do not fit 63 bits");
}

Status check_no_cycle(const LayerNetwork& network) {
  const std::size_t size = network.layers.size();
  std::vector<std::size_t> waits_for(size, 0);
  std::vector<std::vector<std::size_t>> readers(size);
  for (const auto& [from, to] : network.edges) {
    ++waits_for[to];
    readers[from].push_back(to);
  }
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < size; ++i) {
    if (waits_for[i] == 0) ready.push_back(i);
  }
  for (std::size_t done = 0; done < ready.size(); ++done) {
    for (const std::size_t to : readers[ready[done]]) {
      if (--waits_for[to] == 0) ready.push_back(to);
    }
  }
  if (ready.size() == size) return {};
  for (std::size_t e = 0; e < network.edges.size(); ++e) {
    const auto& [from, to] = network.edges[e];
    if (waits_for[from] == 0 || waits_for[to] == 0) continue;
    return invalid("/edges/" + std::to_string(e),
                   "this edge is part of a cycle: " + in_quotes(network.layers[to].name) +
                       " would need its own result");
  }
  return {};
}

Status check_edges(const LayerNetwork& network) {
  std::set<LayerNetwork::Edge> seen;
  for (std::size_t e = 0; e < network.edges.size(); ++e) {
    const auto& [from, to] = network.edges[e];
    const std::string place = "/edges/" + std::to_string(e);
    if (from >= network.layers.size() || to >= network.layers.size()) {
      return invalid(place, "an edge of a layer that does not exist");
    }
    if (!seen.insert(network.edges[e]).second) return invalid(place, "this edge is there twice");
  }
  return check_no_cycle(network);
}

}  // namespace

Result<LayerNetwork> make_network(LayerNetwork draft) {
  if (!is_utf8(draft.name)) return invalid("/name", "the name is not valid UTF-8");
  if (!is_utf8(draft.comment)) return invalid("/comment", "the comment is not valid UTF-8");
  if (Status s = check_layers(draft); !s.ok()) return s;
  if (Status s = check_edges(draft); !s.ok()) return s;
  return draft;
}

std::int64_t LayerNetwork::operations() const {
  std::int64_t sum = 0;
  for (const Problem& layer : layers) {
    sum += layer.operations() * static_cast<std::int64_t>(layer.count);
  }
  return sum;
}

std::int64_t LayerNetwork::occurrences() const {
  std::int64_t sum = 0;
  for (const Problem& layer : layers) sum += static_cast<std::int64_t>(layer.count);
  return sum;
}

}  // namespace loopscape
