#include "mapper/search/choices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "mapper/search/climb.h"
#include "model/base/cycles.h"
#include "model/counting/counting.h"

namespace loopscape {
namespace {

// A memory that stores nothing is not filled.
bool can_be_filled(const Placement& placement) {
  const auto stores = [&](std::uint8_t memory) {
    return std::any_of(placement.steps.begin(), placement.steps.end(),
                       [&](const PlacementStep& step) {
                         return step.kind == PlacementStep::Kind::kStore && step.memory == memory;
                       });
  };
  return std::all_of(placement.filled.begin(), placement.filled.end(), [&](const FilledRule& rule) {
    return rule.share <= 0 || stores(rule.memory);
  });
}

// Bounds of a slot's loops by dimension, then the loops' order: as they are generated.
int compare(const std::vector<Point::Loop>& a, const std::vector<Point::Loop>& b) {
  const auto bound = [](const std::vector<Point::Loop>& loops, std::size_t d) {
    const auto at = std::find_if(loops.begin(), loops.end(),
                                 [&](const Point::Loop& loop) { return loop.dim == d; });
    return at == loops.end() ? 1u : at->bound;
  };
  for (std::size_t d = 0; d < kMaxDims; ++d) {
    if (bound(a, d) != bound(b, d)) return bound(a, d) < bound(b, d) ? -1 : 1;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].dim != b[i].dim) return a[i].dim < b[i].dim ? -1 : 1;
  }
  return 0;
}

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr std::size_t kManyLooks = 3;  // for each choice that there is room for
constexpr double kFurther = 2;         // than the least value that did not come yet

}  // namespace

LeastOfLanes::LeastOfLanes(const Mapspace& space, const Evaluator& evaluator,
                           const BoundaryCounter& counter, const Placement& placement)
    : operations_(static_cast<double>(space.problem().operations())),
      interval_cycles_(space.arch().compute.interval_cycles),
      folds_(space, evaluator, placement) {
  for (const Dim& dim : space.problem().dims) extents_.push_back(static_cast<double>(dim.extent));
  const Skeleton skeleton = skeleton_of(space, placement, SpatialLoops(placement.slots.size()));
  const BoundaryPrices prices(evaluator, counter, skeleton);
  const Terms once = prices.words_once();
  energy_pj_ = once.energy + operations_ * evaluator.costs().compute.operation_pj;
  leakage_pj_per_cycle_ = prices.leakage_pj_per_cycle_least();
  for (std::size_t i = 0; i < once.busy.size(); ++i) {
    busy_ = std::max(busy_, once.busy[i] * (1 - 1e-12));
  }
  for (std::size_t t = 0; t < space.problem().tensors.size(); ++t) {
    if (counter.clipped(t) || has_neighbour_links(space, t)) continue;
    Asked asked;
    asked.access_pj = prices.access_pj(t, skeleton.chain[t].size());
    asked.words = skeleton.chain[t].size() == 1 ? static_cast<double>(counter.all_words(t)) : 0;
    asked.free = static_cast<DimMask>(~counter.relevant(t));
    for (const Rank& rank : space.problem().tensors[t].ranks) {
      if (rank.terms.size() < 2) continue;
      asked.sliding.push_back(0);
      for (const Term& term : rank.terms) {
        asked.sliding.back() = static_cast<DimMask>(asked.sliding.back() | 1u << index(term.dim));
      }
    }
    set_inside(placement, t, asked);
    if (asked.access_pj > 0) asked_.push_back(std::move(asked));
  }
}

void LeastOfLanes::set_inside(const Placement& placement, std::size_t tensor, Asked& asked) {
  for (const PlacementStep& step : placement.steps) {
    if (step.kind != PlacementStep::Kind::kStore) {
      asked.inside |= SlotMask{1} << step.slot;
    } else if ((step.tensors >> tensor & 1u) != 0) {
      asked.inside = 0;
    }
  }
  asked.more.assign(placement.slots.size() + 1, 1);
  for (std::size_t s = placement.slots.size(); s-- > 0;) {
    const Slot& slot = placement.slots[s];
    const bool shares = slot.kind == Slot::Kind::kAxis && (asked.inside >> s & 1u) != 0;
    asked.more[s] = asked.more[s + 1] * (shares ? slot.size : 1);
  }
}

double LeastOfLanes::steps(std::span<const std::int64_t> lanes) const {
  double steps = 1;
  for (std::size_t d = 0; d < extents_.size(); ++d) {
    steps *= lanes[d] == 1 ? extents_[d] : std::ceil(extents_[d] / static_cast<double>(lanes[d]));
  }
  return steps;
}

// Lanes that one access can serve, at most.
double LeastOfLanes::served(const Asked& asked, const LanesSoFar& so_far) const {
  double served = asked.more[so_far.next_slot];
  if (asked.inside == 0) return served;
  std::array<double, kMaxDims> lanes;
  if (!asked.sliding.empty()) lanes.fill(1);
  for (std::size_t s = 0; s < so_far.next_slot; ++s) {
    if ((asked.inside >> s & 1u) == 0) continue;
    for (const Point::Loop& loop : so_far.loops[s]) {
      if ((asked.free >> loop.dim & 1u) != 0) served *= loop.bound;
      if (!asked.sliding.empty()) lanes[loop.dim] *= loop.bound;
    }
  }
  for (const DimMask rank : asked.sliding) {
    double all = 1, longest = 1;
    for (std::size_t d = 0; d < extents_.size(); ++d) {
      if ((rank >> d & 1u) == 0) continue;
      all *= lanes[d];
      longest = std::max(longest, lanes[d]);
    }
    served *= all / longest;
  }
  return served;
}

CostBound LeastOfLanes::of(const LanesSoFar& so_far) const {
  CostBound least;
  least.energy_pj = energy_pj_;
  for (const Asked& asked : asked_) {
    const double words = operations_ / served(asked, so_far) * (1 - 1e-12);
    least.energy_pj += asked.access_pj * std::max(0.0, words - asked.words);
  }
  const double at_least = std::max(1.0, std::ceil(steps(so_far.lanes) / so_far.more * (1 - 1e-12)));
  least.cycles = whole_cycles(std::max(busy_, at_least * interval_cycles_));
  if (so_far.more == 1) least.cycles += whole_cycles(folds_.cycles(so_far.lanes));
  least.energy_pj += leakage_pj_per_cycle_ * least.cycles;
  return least;
}

Choices::Choices(const Mapspace& space, const Evaluator& evaluator, const BoundaryCounter& counter,
                 const Incumbents& incumbents, bool bounds, std::size_t most,
                 const std::atomic<bool>* stop)
    : space_(space),
      counter_(counter),
      bounds_(bounds),
      most_(std::max<std::size_t>(1, most)),
      stop_(stop),
      least_left_out_(incumbents.goal().prices) {
  const std::vector<std::int64_t> no_lanes(space.problem().dims.size(), 1);
  double most_lanes = 1;
  for (const Fanout& fanout : space.arch().fanouts) {
    most_lanes *= static_cast<double>(fanout.children());
  }
  for (std::uint32_t p = 0; p < space.placements().size(); ++p) {
    const Placement& placement = space.placements()[p];
    if (!can_be_filled(placement)) continue;
    Of its{p, {space, evaluator, counter, placement}, stores_of(space, placement)};
    const SpatialLoops no_loops(placement.slots.size());
    if (!fit(its, no_loops)) continue;
    beyond_ =
        std::min(beyond_, incumbents.value(its.least.of({no_lanes, no_loops, 0, most_lanes})));
    of_.push_back(std::move(its));
  }
}

std::vector<Choices::Store> Choices::stores_of(const Mapspace& space, const Placement& placement) {
  std::vector<Store> stores;
  for (const PlacementStep& step : placement.steps) {
    if (step.kind != PlacementStep::Kind::kStore) {
      for (Store& store : stores) store.inside |= SlotMask{1} << step.slot;
    } else if (space.arch().memories[step.memory].size_bits) {
      stores.push_back({step.memory, step.tensors, 0});
    }
  }
  return stores;
}

bool Choices::fit(const Of& its, const SpatialLoops& spatial) const {
  const Problem& problem = space_.problem();
  return std::all_of(its.stores.begin(), its.stores.end(), [&](const Store& store) {
    std::array<std::uint32_t, kMaxDims> tile;
    tile.fill(1);
    for (std::size_t s = 0; s < spatial.size(); ++s) {
      if ((store.inside >> s & 1u) == 0) continue;
      for (const Point::Loop& loop : spatial[s]) tile[loop.dim] *= loop.bound;
    }
    std::uint64_t bits = 0;
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((store.tensors >> t & 1u) == 0) continue;
      bits += static_cast<std::uint64_t>(counter_.tile_words(t, tile)) *
              bits_of(problem.tensors[t], space_.arch());
    }
    return bits <= usable_bits(space_.arch().memories[store.memory]);
  });
}

std::vector<std::int64_t> Choices::lanes_of(const SpatialLoops& spatial) const {
  std::vector<std::int64_t> lanes(space_.problem().dims.size(), 1);
  for (const auto& slot : spatial) {
    for (const Point::Loop& loop : slot) lanes[loop.dim] *= loop.bound;
  }
  return lanes;
}

bool Choices::before(const Listed& a, const Listed& b) const {
  if (a.value != b.value) return a.value < b.value;
  if (a.placement != b.placement) return a.placement < b.placement;
  if (a.steps != b.steps) return a.steps < b.steps;
  for (std::size_t s = 0; s < a.spatial.size(); ++s) {
    if (const int order = compare(a.spatial[s], b.spatial[s]); order != 0) return order < 0;
  }
  return false;
}

void Choices::keep_first() {
  if (listed_.size() <= most_) return;
  const auto is_before = [&](const Listed& a, const Listed& b) { return before(a, b); };
  std::nth_element(listed_.begin(), listed_.begin() + static_cast<std::ptrdiff_t>(most_) - 1,
                   listed_.end(), is_before);
  listed_.resize(most_);
  cutoff_ = least_cut_ = listed_.back().value;
}

// Those that come after the last one and do not cost more than the cutoff: the first of them.
ForSpatialChoices::End Choices::list(const Incumbents& incumbents, double cutoff,
                                     std::uint64_t most_looks) {
  using End = ForSpatialChoices::End;
  listed_.clear();
  cutoff_ = cutoff;
  least_cut_ = kInfinite;
  for (const Of& its : of_) {
    double value = 0;
    ForSpatialChoices asked;
    asked.stop = stop_;
    asked.most_looks = most_looks;
    asked.first_kin = true;
    asked.keep = [&](const LanesSoFar& so_far) {
      const CostBound least = its.least.of(so_far);
      value = incumbents.value(least);
      if (bounds_ && !incumbents.useful(least)) {
        ++left_out_;
        least_left_out_.take(least);
        return false;
      }
      if (value <= cutoff_) return true;
      least_cut_ = std::min(least_cut_, value);
      return false;
    };
    asked.take = [&](const SpatialLoops& spatial) {
      if (!fit(its, spatial)) return;
      Listed one{value, its.least.steps(lanes_of(spatial)), its.placement, spatial};
      if (last_ && !before(*last_, one)) return;
      listed_.push_back(std::move(one));
      if (listed_.size() > most_ + most_ / 4) keep_first();
    };
    const std::uint64_t before_it = looks_;
    const End end = asked.run(space_, space_.placements()[its.placement], looks_);
    if (end != End::kAll) return end;
    most_looks -= looks_ - before_it;
  }
  keep_first();
  return End::kAll;
}

std::vector<Choice> Choices::next(const Incumbents& incumbents, std::uint64_t most_looks) {
  using End = ForSpatialChoices::End;
  const std::uint64_t until = looks_ + std::min(most_looks, UINT64_MAX - looks_);
  for (double cutoff = many_ ? beyond_ * kFurther : kInfinite;;) {
    const std::uint64_t room = until - std::min(until, looks_);
    // What the first of these does not list, the second has as much room for.
    const End end = list(incumbents, cutoff,
                         many_ ? room : std::min<std::uint64_t>(room / 2, kManyLooks * most_));
    const bool too_many = end == End::kTooMany && !many_;
    if (end == End::kAll) beyond_ = least_cut_;
    if (end == End::kStopped) return {};
    if (end == End::kTooMany && !too_many) break;
    if (end == End::kAll && (!listed_.empty() || all())) break;
    many_ = true;
    cutoff = beyond_ * kFurther;
  }
  return hand_out(incumbents);
}

std::vector<Choice> Choices::hand_out(const Incumbents& incumbents) {
  std::sort(listed_.begin(), listed_.end(),
            [&](const Listed& a, const Listed& b) { return before(a, b); });
  std::vector<Choice> choices;
  choices.reserve(listed_.size());
  if (!listed_.empty()) last_ = listed_.back();
  for (Listed& listed : listed_) {
    const auto its = std::find_if(of_.begin(), of_.end(),
                                  [&](const Of& one) { return one.placement == listed.placement; });
    const CostBound least =
        its->least.of({lanes_of(listed.spatial), listed.spatial, listed.spatial.size()});
    choices.push_back(
        {listed.placement, std::move(listed.spatial), least, incumbents.value(least)});
  }
  listed_ = {};
  return choices;
}

}  // namespace loopscape
