#include "mapper/search/folds.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "model/counting/counting.h"

namespace loopscape {
namespace {

// Stores of a placement inside a fan-out, outermost first.
std::vector<PlacementStep> stores_below(const Placement& placement, std::size_t fanout) {
  std::vector<PlacementStep> stores;
  bool below = false;
  for (const PlacementStep& step : placement.steps) {
    if (step.kind == PlacementStep::Kind::kStore) {
      if (below) stores.push_back(step);
      continue;
    }
    const Slot& slot = placement.slots[step.slot];
    below |= slot.kind == Slot::Kind::kAxis && slot.fanout == fanout;
  }
  return stores;
}

}  // namespace

LeastFolds::LeastFolds(const Mapspace& space, const Evaluator& evaluator,
                       const Placement& placement) {
  const Problem& problem = space.problem();
  const Arch& arch = space.arch();
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    const std::vector<PlacementStep> stores = stores_below(placement, f);
    unsigned tensors = 0;
    for (const PlacementStep& store : stores) tensors |= store.tensors;
    if (std::popcount(tensors) != 1) continue;  // the one that stays longest folds least
    const auto t = static_cast<std::size_t>(std::countr_zero(tensors));
    const Evaluator::Fold fold = evaluator.fold(f, t);
    Stationary its{fold.skew_cycles + fold.preload_cycles, {}, INT64_MAX};
    const Tensor& tensor = problem.tensors[t];
    const bool slides = std::any_of(tensor.ranks.begin(), tensor.ranks.end(),
                                    [](const Rank& rank) { return rank.terms.size() != 1; });
    if (its.cycles == 0 || slides) continue;
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      const bool relevant =
          std::any_of(tensor.ranks.begin(), tensor.ranks.end(),
                      [&](const Rank& rank) { return index(rank.terms.front().dim) == d; });
      if (relevant) its.extents.emplace_back(d, problem.dims[d].extent);
    }
    // A tile with few words of a tensor that has a dimension twice may be large.
    if (its.extents.size() != tensor.ranks.size()) continue;
    const Memory& memory = arch.memories[stores.front().memory];
    if (memory.size_bits) {
      const std::uint64_t bits = bits_of(tensor, arch);
      its.most_words =
          static_cast<std::int64_t>(std::min<std::uint64_t>(*memory.size_bits / bits, INT64_MAX));
    }
    stationary_.push_back(std::move(its));
  }
}

double LeastFolds::cycles(std::span<const std::int64_t> lanes) const {
  double cycles = 0;
  for (const Stationary& its : stationary_) {
    double tiles = 1, whole = 1;
    for (const auto& [d, extent] : its.extents) {
      whole *= static_cast<double>(extent) / static_cast<double>(lanes[d]);
      tiles *= std::ceil(static_cast<double>(extent) / static_cast<double>(lanes[d]));
    }
    const double residences =
        its.most_words == 1 ? tiles : whole / static_cast<double>(its.most_words);
    cycles += its.cycles * std::max(1.0, std::ceil(residences * (1 - 1e-12)));
  }
  return cycles;
}

}  // namespace loopscape
