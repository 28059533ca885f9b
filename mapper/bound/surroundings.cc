#include <algorithm>
#include <iterator>

#include "mapper/bound/sweep.h"

namespace loopscape {

std::int64_t Staircase::words_at(std::int64_t bits) const {
  const auto above = steps_.upper_bound(bits);
  return above == steps_.begin() ? INT64_MAX : std::prev(above)->second.words;
}

void Staircase::add(std::int64_t bits, std::int64_t words, Point point) {
  if (words >= words_at(bits)) return;
  auto at = steps_.lower_bound(bits);
  while (at != steps_.end() && at->second.words >= words) at = steps_.erase(at);
  steps_.emplace(bits, Step{words, std::move(point)});
}

namespace {

DimMask strided_dims(const Problem& problem, TensorMask tensors) {
  DimMask dims = 0;
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    if ((tensors >> t & 1u) == 0) continue;
    for (const Rank& rank : problem.tensors[t].ranks) {
      const bool strides = std::any_of(rank.terms.begin(), rank.terms.end(),
                                       [](const Term& term) { return term.coefficient != 1; });
      if (rank.terms.size() == 1 || !strides) continue;
      for (const Term& term : rank.terms) dims = static_cast<DimMask>(dims | bit(term.dim));
    }
  }
  return dims;
}

}  // namespace

Surroundings surroundings_of(const Mapspace& space, std::uint32_t placement, std::size_t step) {
  using Item = Surroundings::Item;
  const Placement& its = space.placements()[placement];
  Surroundings around;
  around.placement = placement;
  around.memory = its.steps[step].memory;
  around.tensors = its.steps[step].tensors;
  around.slot_inside = its.steps[step + 1].slot;  // every store has a slot for temporal loops
  TensorMask orphans = around.tensors;
  around.strided = strided_dims(space.problem(), around.tensors);
  for (std::size_t s = step; s-- > 0 && (orphans != 0 || around.strided != 0);) {
    const PlacementStep& outer = its.steps[s];
    if (outer.kind == PlacementStep::Kind::kStore) {
      const auto children = static_cast<TensorMask>(outer.tensors & orphans);
      orphans = static_cast<TensorMask>(orphans & ~outer.tensors);
      around.items.push_back({Item::Kind::kStore, outer.memory, 0, children, {}});
      if (children != 0) around.inside = around.items.size();
      continue;
    }
    const Slot& slot = its.slots[outer.slot];
    if (slot.kind == Slot::Kind::kTemporal) {
      around.items.push_back({Item::Kind::kTemporal, outer.slot, 0, 0, {}});
    } else if (slot.kind == Slot::Kind::kUnderFanout) {
      around.items.push_back({Item::Kind::kUnder, outer.slot, slot.fanout, 0, {}});
    } else {
      if (around.items.empty() || around.items.back().kind != Item::Kind::kFanout ||
          around.items.back().fanout != slot.fanout) {
        around.items.push_back({Item::Kind::kFanout, 0, slot.fanout, 0, {}});
      }
      std::vector<std::uint8_t>& axes = around.items.back().axes;
      axes.insert(axes.begin(), outer.slot);
    }
  }
  return around;
}

std::string Surroundings::text() const {
  std::string text = std::to_string(memory) + " " + std::to_string(tensors);
  for (const Item& item : items) {
    text += " " + std::to_string(static_cast<int>(item.kind)) + "," +
            std::to_string(item.kind == Item::Kind::kStore ? item.id : 0) + "," +
            std::to_string(item.fanout) + "," + std::to_string(item.tensors);
  }
  return text;
}

}  // namespace loopscape
