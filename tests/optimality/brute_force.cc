#include "tests/optimality/brute_force.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace loopscape {
namespace {

struct Store {
  std::uint8_t memory;
  TensorMask tensors;
};

// A position at which loops may stand: between two stores, above, on an axis of, or below a
// fan-out.
struct Position {
  int axis = -1;           // temporal
  int below_fanout = -1;   // temporal, with a fan-out between it and the store above
  std::size_t stores = 0;  // how many stores lie above
};

class Enumerator {
 public:
  Enumerator(const Problem& problem, const Arch& arch, const MapspaceOptions& options,
             std::size_t most)
      : problem_(problem), arch_(arch), options_(options), most_(most) {
    for (const Tensor& tensor : problem.tensors) sliding_ |= tensor.sliding;
    without_capacity_ = arch;
    for (Constraint& constraint : without_capacity_.constraints) {
      if (arch.find_memory(constraint.node)) constraint.min_utilization.reset();
    }
  }

  std::optional<std::vector<Mapping>> run() {
    choose_stores(0, {});
    if (too_many_) return std::nullopt;
    std::vector<Mapping> mappings;
    for (const auto& [key, mapping] : found_) mappings.push_back(mapping);
    return mappings;
  }

 private:
  TensorMask named(const std::vector<std::string>& names) const {
    TensorMask tensors = 0;
    for (const std::string& name : names) tensors |= problem_.tensors_called(name);
    return tensors;
  }

  // ---- stores ----

  void choose_stores(std::size_t m, std::vector<TensorMask> stored) {
    if (too_many_) return;
    if (m == arch_.memories.size()) return order_stores(stored);
    const auto all = static_cast<TensorMask>((1u << problem_.tensors.size()) - 1);
    stored.push_back(0);
    for (unsigned some = 0; some <= all; ++some) {
      stored.back() = static_cast<TensorMask>(some);
      const TensorMask keep = m == 0 ? all : named(arch_.memories[m].keep);
      const TensorMask bypass = m == 0 ? TensorMask{0} : named(arch_.memories[m].bypass);
      if ((keep & ~some) == 0 && (bypass & some) == 0) choose_stores(m + 1, stored);
    }
  }

  // Fan-outs above a memory.
  int region_of(std::size_t memory) const {
    int fanouts = 0;
    for (const ArchNode& node : arch_.nodes) {
      if (node.kind == NodeKind::kFanout) ++fanouts;
      if (node.kind == NodeKind::kMemory && node.id == memory) break;
    }
    return fanouts;
  }

  void order_stores(const std::vector<TensorMask>& stored) {
    std::vector<Store> stores;
    for (std::size_t m = 0; m < stored.size(); ++m) {
      // Nothing is outside the outermost memory: what it stores, it stores whole.
      const bool together = options_.stores == Stores::kEven || m == 0;
      if (together && stored[m] != 0) {
        stores.push_back({static_cast<std::uint8_t>(m), stored[m]});
      }
      for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
        if (!together && (stored[m] >> t & 1u) != 0) {
          stores.push_back({static_cast<std::uint8_t>(m), static_cast<TensorMask>(1u << t)});
        }
      }
    }
    if (options_.stores == Stores::kEven) return place_loops(stores);
    std::vector<std::size_t> order(stores.size());
    std::iota(order.begin(), order.end(), 0);
    do {  // all orders that keep to the fan-outs
      std::vector<Store> arranged;
      bool legal = true;
      for (const std::size_t i : order) {
        legal = legal && (arranged.empty() ||
                          region_of(arranged.back().memory) <= region_of(stores[i].memory));
        arranged.push_back(stores[i]);
      }
      if (legal) place_loops(arranged);
    } while (!too_many_ && std::next_permutation(order.begin(), order.end()));
  }

  // ---- bounds ----

  void place_loops(const std::vector<Store>& stores) {
    stores_ = stores;
    positions_.clear();
    for (std::size_t s = 0; s < stores.size(); ++s) {
      Position temporal;
      temporal.stores = s + 1;
      positions_.push_back(temporal);
      const int here = region_of(stores[s].memory);
      const int next = s + 1 < stores.size() ? region_of(stores[s + 1].memory)
                                             : static_cast<int>(arch_.fanouts.size());
      for (int f = here; f < next; ++f) {
        const auto fanout = static_cast<FanoutId>(f);
        for (std::size_t a = 0; a < arch_.fanouts[index(fanout)].axes.size(); ++a) {
          Position axis;
          axis.axis = static_cast<int>(index(arch_.first_axis(fanout)) + a);
          axis.stores = s + 1;
          positions_.push_back(axis);
        }
        Position below;
        below.below_fanout = f;
        below.stores = s + 1;
        if (s + 1 < stores.size()) positions_.push_back(below);
      }
    }
    bounds_.assign(positions_.size(), std::vector<std::uint32_t>(problem_.dims.size(), 1));
    choose_bounds(0, positions_.size(), 1);
  }

  void choose_bounds(std::size_t d, std::size_t p, std::int64_t product) {
    if (too_many_) return;
    if (d == problem_.dims.size()) return choose_orders();
    const std::int64_t extent = problem_.dims[d].extent;
    if (product >= extent || p == 0) {  // no loop further out
      const bool covered =
          options_.factors == Factors::kPerfect ? product == extent : product >= extent;
      if (covered) choose_bounds(d + 1, positions_.size(), 1);
      return;
    }
    choose_bounds(d, p - 1, product);
    for (std::int64_t bound = 2; product * (bound - 1) < extent; ++bound) {
      // Too large for all but the outermost loop, where it must just cover.
      const bool outermost = product * bound >= extent;
      if (!allowed(positions_[p - 1], d, bound)) continue;
      bounds_[p - 1][d] = static_cast<std::uint32_t>(bound);
      if (!outermost || options_.factors == Factors::kRagged || product * bound == extent) {
        choose_bounds(d, p - 1, product * bound);
      }
      bounds_[p - 1][d] = 1;
    }
  }

  bool allowed(const Position& position, std::size_t d, std::int64_t bound) const {
    if (position.axis >= 0) {
      std::int64_t lanes = bound;
      const auto p = static_cast<std::size_t>(&position - positions_.data());
      for (std::size_t e = 0; e < d; ++e) lanes *= bounds_[p][e];
      return lanes <= arch_.axis(static_cast<AxisId>(position.axis)).size;
    }
    return position.below_fanout < 0 || (sliding_ >> d & 1u) != 0;
  }

  // Children of one fan-out march over what it splits; any other loop there belongs above it.
  bool marches(std::size_t p, std::size_t d) const {
    for (std::size_t q = 0; q < positions_.size(); ++q) {
      if (positions_[q].axis < 0 || bounds_[q][d] == 1) continue;
      const FanoutId fanout = arch_.fanout_of(static_cast<AxisId>(positions_[q].axis));
      if (static_cast<int>(index(fanout)) == positions_[p].below_fanout) return true;
    }
    return false;
  }

  // ---- orders of loops ----

  void choose_orders() {
    std::vector<std::vector<std::size_t>> loops(positions_.size());
    for (std::size_t p = 0; p < positions_.size(); ++p) {
      for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
        if (bounds_[p][d] == 1) continue;
        if (positions_[p].below_fanout >= 0 && !marches(p, d)) return;
        loops[p].push_back(d);
      }
    }
    permute(loops, 0);
  }

  void permute(std::vector<std::vector<std::size_t>>& loops, std::size_t p) {
    if (too_many_) return;
    if (p == positions_.size()) return finish(loops);
    std::sort(loops[p].begin(), loops[p].end());
    do {
      permute(loops, p + 1);
    } while (std::next_permutation(loops[p].begin(), loops[p].end()));
  }

  static bool cells_differ(const Fanout& fanout) {
    for (const Network& network : fanout.networks) {
      switch (network.network_class) {
        case NetworkClass::kMesh:
        case NetworkClass::kTree:
        case NetworkClass::kSystolic:
          return true;
        default:
          if (!network.forward.empty()) return true;
      }
    }
    return false;
  }

  // Neighbouring stores of one memory are one, and those in a row stand as in the architecture.
  Mapping build(const std::vector<std::vector<std::size_t>>& loops, bool sort_axes) const {
    Mapping mapping;
    std::map<std::uint8_t, TensorMask> row;
    const auto close_row = [&] {
      for (const auto& [memory, tensors] : row) {
        mapping.push_back(MappingNode::store(static_cast<MemoryId>(memory), tensors));
      }
      row.clear();
    };
    std::size_t stores = 0;
    for (std::size_t p = 0; p < positions_.size(); ++p) {
      for (; stores < positions_[p].stores; ++stores) {
        row[stores_[stores].memory] |= stores_[stores].tensors;
      }
      if (loops[p].empty()) continue;
      close_row();
      const int axis = positions_[p].axis;
      std::vector<std::size_t> order = loops[p];
      if (sort_axes && axis >= 0 &&
          !cells_differ(arch_.fanouts[index(arch_.fanout_of(static_cast<AxisId>(axis)))])) {
        std::sort(order.begin(), order.end());
      }
      for (const std::size_t d : order) {
        const auto dim = static_cast<DimId>(d);
        mapping.push_back(
            axis < 0 ? MappingNode::loop(dim, bounds_[p][d])
                     : MappingNode::spatial(dim, bounds_[p][d], static_cast<AxisId>(axis)));
      }
    }
    close_row();
    return mapping;
  }

  void finish(const std::vector<std::vector<std::size_t>>& loops) {
    const Mapping mapping = build(loops, false);
    if (!validate_mapping(mapping, problem_, arch_).ok()) return;
    if (!constraint_violations(mapping, problem_, without_capacity_).empty()) return;
    // Orders come in ascending order, so the first of its kind stays.
    found_.emplace(key_of(build(loops, true)), mapping);
    too_many_ = found_.size() > most_ || ++seen_ > 20 * most_;
  }

  const Problem& problem_;
  const Arch& arch_;
  Arch without_capacity_;
  MapspaceOptions options_;
  std::size_t most_, seen_ = 0;
  bool too_many_ = false;
  DimMask sliding_ = 0;
  std::vector<Store> stores_;
  std::vector<Position> positions_;                 // outermost first
  std::vector<std::vector<std::uint32_t>> bounds_;  // by position, by dimension
  std::map<std::string, Mapping> found_;
};

}  // namespace

std::optional<std::vector<Mapping>> brute_force(const Problem& problem, const Arch& arch,
                                                const MapspaceOptions& options, std::size_t most) {
  return Enumerator(problem, arch, options, most).run();
}

std::string key_of(const Mapping& mapping) {
  std::string key;
  for (const MappingNode& node : mapping) {
    for (const unsigned value : {static_cast<unsigned>(node.kind), unsigned{node.id},
                                 unsigned{node.axis}, unsigned{node.tensors}, node.bound}) {
      key += std::to_string(value) + ' ';
    }
    key += '/';
  }
  return key;
}

}  // namespace loopscape
