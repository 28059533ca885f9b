#include "tests/reference/network.h"

#include <algorithm>
#include <map>

namespace loopscape::reference {
namespace {

// Number of the node that remains of an instance when only the loops in `kept` count.
std::size_t node_number(const Nest& nest, const std::vector<std::size_t>& lanes,
                        const std::vector<std::int64_t>& indices,
                        const std::vector<std::size_t>& kept) {
  std::int64_t number = 0;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (std::find(kept.begin(), kept.end(), lanes[i]) == kept.end()) continue;
    number = number * nest.loops[lanes[i]].bound + indices[i];
  }
  return static_cast<std::size_t>(number);
}

std::size_t node_count(const Nest& nest, const std::vector<std::size_t>& lanes) {
  std::size_t count = 1;
  for (const std::size_t i : lanes) count *= static_cast<std::size_t>(nest.loops[i].bound);
  return count;
}

}  // namespace

std::int64_t size_of(const Demand& demand) {
  std::int64_t size = 0;
  for (const auto& [word, copies] : demand) size += copies;
  return size;
}

Demand demand_of(const Words& words) {
  Demand demand;
  demand.reserve(words.size());
  for (const Word word : words) demand.emplace_back(word, 1);
  return demand;
}

Demand combine(const std::vector<const Demand*>& children, Sharing sharing) {
  std::vector<const Demand*> taken;
  for (const Demand* child : children) {
    const bool known = std::any_of(taken.begin(), taken.end(),
                                   [&](const Demand* other) { return *other == *child; });
    if (sharing != Sharing::kEqualDelta || !known) taken.push_back(child);
  }
  if (taken.size() == 1) return *taken.front();
  Demand all;
  for (const Demand* child : taken) all.insert(all.end(), child->begin(), child->end());
  std::sort(all.begin(), all.end());
  Demand combined;
  for (const auto& [word, copies] : all) {
    if (combined.empty() || combined.back().first != word) {
      combined.emplace_back(word, copies);
    } else if (sharing == Sharing::kAnyWord) {
      combined.back().second = std::max(combined.back().second, copies);
    } else {
      combined.back().second += copies;
    }
  }
  return combined;
}

std::vector<Pass> passes_between(const Nest& nest, const Place& parent, const Place& child) {
  std::map<std::size_t, std::size_t> fanouts;  // place in the architecture -> fan-out
  for (std::size_t i = parent.lanes.size(); i < child.lanes.size(); ++i) {
    const std::size_t f = nest.loops[child.lanes[i]].fanout;
    fanouts[order_of(*nest.arch, NodeKind::kFanout, f)] = f;
  }
  std::vector<Pass> passes;
  std::vector<std::size_t> lanes = child.lanes;
  for (auto it = fanouts.rbegin(); it != fanouts.rend(); ++it) {
    std::vector<std::size_t> kept = lanes;
    std::erase_if(kept, [&](std::size_t i) { return nest.loops[i].fanout == it->second; });
    Pass pass;
    pass.fanout = it->second;
    pass.uppers = node_count(nest, kept);
    for (std::size_t n = 0; n < node_count(nest, lanes); ++n) {
      pass.upper_of.push_back(node_number(nest, lanes, lane_indices(nest, lanes, n), kept));
    }
    passes.push_back(pass);
    lanes = kept;
  }
  return passes;
}

}  // namespace loopscape::reference
