#include "mapper/search/climb.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <limits>
#include <utility>

#include <boost/container/static_vector.hpp>

#include "mapper/search/climb_run.h"
#include "model/base/cycles.h"
#include "model/counting/counting.h"

namespace loopscape {

Skeleton skeleton_of(const Mapspace& space, const Placement& placement,
                     const SpatialLoops& spatial) {
  Skeleton skeleton;
  skeleton.ragged = space.options().factors == Factors::kRagged;
  for (const PlacementStep& step : placement.steps) {
    if (step.kind == PlacementStep::Kind::kStore) {
      for (std::size_t t = 0; t < kMaxTensors; ++t) {
        if ((step.tensors >> t & 1u) != 0) skeleton.chain[t].push_back(step.memory);
      }
      continue;
    }
    for (const Point::Loop& loop : spatial[step.slot]) {
      skeleton.spatial.push_back(
          MappingNode::spatial(static_cast<DimId>(loop.dim), loop.bound,
                               static_cast<AxisId>(placement.slots[step.slot].axis)));
    }
  }
  return skeleton;
}

namespace {

std::vector<std::uint32_t> divisors_of(std::int64_t number) {  // in ascending order
  std::vector<std::uint32_t> small, large;
  for (std::int64_t d = 1; d * d <= number; ++d) {
    if (number % d != 0) continue;
    small.push_back(static_cast<std::uint32_t>(d));
    if (d * d != number) large.push_back(static_cast<std::uint32_t>(number / d));
  }
  small.insert(small.end(), large.rbegin(), large.rend());
  return small;
}

}  // namespace

Climb::Climb(const Mapspace& space, const Evaluator& evaluator, ClimbTools& tools,
             std::uint32_t placement, const SpatialLoops& spatial, const PruningRules& rules,
             std::span<const SpatialLoops> kin, double most_cycles)
    : space_(space),
      evaluator_(evaluator),
      counter_(tools.counter),
      lattices_(tools.lattices),
      placement_number_(placement),
      placement_(space.placements()[placement]),
      spatial_(spatial),
      kin_(kin),
      rules_(rules),
      skeleton_(skeleton_of(space, placement_, spatial)),
      prices_(evaluator, counter_, skeleton_),
      most_steps_(most_cycles / space.arch().compute.interval_cycles) {
  if (!kin_.empty()) {
    kin_flows_.emplace(counter_, prices_, placement_, kin_);
    for (const SpatialLoops& other : kin_.subspan(1)) {
      kin_prices_.emplace_back(evaluator, counter_, skeleton_of(space, placement_, other));
    }
  }
  for (std::size_t i = placement_.steps.size(); i-- > 0;) {
    const PlacementStep& step = placement_.steps[i];
    if (step.kind == PlacementStep::Kind::kStore) {
      steps_.push_back({Step::Kind::kStore, 0, step.memory, step.tensors});
    } else {
      const bool axis = placement_.slots[step.slot].kind == Slot::Kind::kAxis;
      steps_.push_back({axis ? Step::Kind::kAxis : Step::Kind::kSlot, step.slot, 0, 0});
    }
  }
  operations_ = space.problem().operations();
  // What kin cost at least is a sum over boundaries, whatever the model counts beyond it.
  dominates_ = rules.dominance && (prices_.tells_all() || !kin_.empty());
  gates_leak_ = prices_.leakage_pj_per_cycle_least() != prices_.leakage_pj_per_cycle_most();
  const auto& dims = space.problem().dims;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (!skeleton_.ragged) divisors_[d] = divisors_of(dims[d].extent);
    all_dims_ = static_cast<DimMask>(all_dims_ | (1u << d));
  }
  for (std::size_t d = 0; d < dims.size(); ++d) {
    std::vector<std::int64_t> lanes;
    for (std::size_t i = skeleton_.spatial.size(); i-- > 0;) {
      if (skeleton_.spatial[i].id == d) lanes.push_back(skeleton_.spatial[i].bound);
    }
    steps_along_.emplace_back(dims[d].extent, std::move(lanes), !skeleton_.ragged);
    steps_least_ *= static_cast<double>(steps_along_.back().least());
  }
  for (std::size_t t = 0; t < space.problem().tensors.size(); ++t) {
    for (const std::uint8_t memory : skeleton_.chain[t]) {
      store_step_[t].push_back(step_of_store(t, memory));
    }
  }
  grown_ahead_.resize(steps_.size());
  DimMask grown = 0;
  for (std::size_t i = steps_.size(); i-- > 0;) {
    grown_ahead_[i] = grown;
    if (steps_[i].kind == Step::Kind::kSlot) {
      grown = static_cast<DimMask>(grown | placement_.slots[steps_[i].slot].dims);
    }
  }
  sized_ahead_.resize(steps_.size());
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (std::size_t ahead = s + 1; ahead < steps_.size(); ++ahead) {
      const Step& step = steps_[ahead];
      const bool store = step.kind == Step::Kind::kStore;
      if (store && space.arch().memories[step.memory].size_bits) sized_ahead_[s].push_back(ahead);
    }
  }
  set_watches();
  set_counts_tell();
  set_lanes_ahead();
  set_mean_lanes(tools.mean_lanes);
  set_floors();
  set_shares();
  for (std::size_t t = 0; t < floor_.size(); ++t) compute_words_.push_back(words_of_compute(t));
  find_levels();
  set_future();
}

double Climb::tilings() const {
  double all = 1;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    std::int64_t slots = 0;
    for (const Slot& slot : placement_.slots) {
      slots += slot.kind != Slot::Kind::kAxis && has(slot.dims, d);
    }
    std::int64_t lanes = 1;
    for (const MappingNode& loop : skeleton_.spatial) lanes *= loop.id == d ? loop.bound : 1;
    const std::int64_t left = ceil_div(space_.problem().dims[d].extent, lanes);
    // Tiles that leave different numbers of them, or divisors.
    const double sizes = skeleton_.ragged ? 2 * std::sqrt(static_cast<double>(left))
                                          : static_cast<double>(divisors_of(left).size());
    for (std::int64_t s = 1; s < slots; ++s) {
      all *= (sizes + static_cast<double>(s) - 1) / static_cast<double>(s);
    }
  }
  return all;
}

void ClimbWork::add(const ClimbWork& other) {
  states += other.states;
  bounded += other.bounded;
  dominated += other.dominated;
  work += other.work;
  unpriced += other.unpriced;
}

// Does only the number of its tiles matter, of what a dimension's loops are? Not where a rule
// names it, where padding is cut off, where a memory must be filled, or with lanes over it: fewer
// of them may have something to do in the last tile. Windows without holes add up to a sum over
// tiles that only depends on how many there are, and ceil(N / (T b)) = ceil(ceil(N / T) / b), so
// all that comes further out is equal as well.
void Climb::set_counts_tell() {
  DimMask told = skeleton_.ragged && placement_.filled.empty() ? all_dims_ : DimMask{0};
  for (const MappingNode& loop : skeleton_.spatial) {
    told = static_cast<DimMask>(told & ~(1u << loop.id));
  }
  for (std::size_t t = 0; t < space_.problem().tensors.size(); ++t) {
    const bool march = evaluator_.conventions().reuse == Conventions::Reuse::kMarch;
    const DimMask gapless = march ? counter_.gapless(t) : DimMask{0};
    told = static_cast<DimMask>(told & ~(counter_.complex(t) & ~gapless));
  }
  for (const FactorRule& rule : placement_.factors) {
    told = static_cast<DimMask>(told & ~(1u << rule.dim));
  }
  for (std::size_t d = 0; d < kMaxDims; ++d) counts_tell_[d] = has(told, d);
}

// Lanes over irrelevant dimensions that lie further out than a step and below the parent.
void Climb::set_lanes_ahead() {
  lanes_left_.resize(steps_.size());
  outermost_lanes_.fill(1);
  std::array<std::int64_t, kMaxDims> left;
  left.fill(1);
  for (std::size_t s = steps_.size(); s-- > 0;) {
    lanes_left_[s] = left;
    if (steps_[s].kind != Step::Kind::kAxis) continue;
    for (const Point::Loop& loop : spatial_[steps_[s].slot]) {
      if (left[loop.dim] == 1) outermost_lanes_[loop.dim] = loop.bound;
      left[loop.dim] *= loop.bound;
    }
  }
  std::size_t boundaries = 0;
  for (std::size_t t = 0; t < space_.problem().tensors.size(); ++t) {
    first_ahead_[t] = boundaries;
    boundaries += skeleton_.chain[t].size();
  }
  first_ahead_.back() = boundaries;
  std::array<std::int64_t, kMaxDims> none;
  none.fill(1);
  lanes_ahead_.resize(steps_.size() * boundaries, none);
  for (std::size_t t = 0; t < space_.problem().tensors.size(); ++t) {
    for (std::size_t k = 1; k <= skeleton_.chain[t].size(); ++k) {
      std::array<std::int64_t, kMaxDims> lanes = none;
      for (std::size_t s = store_step_[t][k - 1]; s-- > 0;) {
        if (steps_[s].kind == Step::Kind::kAxis) {
          for (const Point::Loop& loop : spatial_[steps_[s].slot]) lanes[loop.dim] *= loop.bound;
        }
        lanes_ahead_[s * boundaries + first_ahead_[t] + k - 1] = lanes;
      }
    }
  }
}

std::size_t Climb::step_of_store(std::size_t tensor, std::uint8_t memory) const {
  std::size_t s = 0;
  while (steps_[s].kind != Step::Kind::kStore || steps_[s].memory != memory ||
         (steps_[s].tensors >> tensor & 1u) == 0) {
    ++s;
  }
  return s;
}

void Climb::Future::add(const Future& other) {
  energy += other.energy;
  exposed += other.exposed;
  for (std::size_t i = 0; i < busy.size(); ++i) busy[i] += other.busy[i];
}

void Climb::Future::lower(const Future& other) {
  energy = std::min(energy, other.energy);
  exposed = std::min(exposed, other.exposed);
  for (std::size_t i = 0; i < busy.size(); ++i) busy[i] = std::min(busy[i], other.busy[i]);
}

// Words that cross a boundary if its run ends at this tile: every word once for every iteration
// outside over a dimension that is irrelevant to it. Lanes of steps from `step` on, below the
// parent, may share them; a march and shared halos only spare words that come again.
double Climb::words_now(std::size_t t, std::size_t k, const Tile& tile, std::size_t step) const {
  if (k == skeleton_.chain[t].size()) return compute_words_[t];
  auto words = static_cast<double>(counter_.all_words(t));
  if (reuses_more_[t]) return words;
  const auto irrelevant = static_cast<DimMask>(all_dims_ & ~counter_.relevant(t));
  const auto& lanes = lanes_ahead(step, t, k);
  for (unsigned rest = irrelevant; rest != 0; rest &= rest - 1) {
    const auto d = static_cast<std::size_t>(__builtin_ctz(rest));
    const std::int64_t tiles = ceil_div(space_.problem().dims[d].extent, tile[d]);
    words *= static_cast<double>(ceil_div(tiles, lanes[d]));
  }
  return words;
}

// The next loop, over whatever dimension, ends the run of every tensor that it is relevant to; the
// others may go on. Componentwise least over the dimensions that can still grow (`can_grow` is the
// tile, or a smaller one that stands for it).
void Climb::add_open(std::span<const OpenRun> runs, const Tile& tile, const Tile& can_grow,
                     std::size_t step, Future& sum) const {
  constexpr std::size_t kMostRuns = kMaxTensors * kMaxMemories;
  using Runs = std::bitset<kMostRuns>;
  boost::container::static_vector<Runs, kMaxDims> ways;  // which ones go on
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    if (can_grow[d] >= space_.problem().dims[d].extent) continue;
    Runs going_on;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      going_on[i] = runs[i].may_go_on && !has(counter_.relevant(runs[i].tensor), d);
    }
    if (std::find(ways.begin(), ways.end(), going_on) == ways.end()) ways.push_back(going_on);
  }
  if (ways.empty()) ways.emplace_back();
  std::array<double, kMostRuns> now;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    now[i] = words_now(runs[i].tensor, runs[i].boundary, tile, step);
  }
  const auto add_runs = [&](const Runs& going_on, Future& to) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto once = static_cast<double>(counter_.all_words(runs[i].tensor));
      add_least(floor_[runs[i].tensor][runs[i].boundary], going_on[i] ? once : now[i], to);
    }
  };
  Future least = sum;
  add_runs(ways.front(), least);
  for (std::size_t w = 1; w < ways.size(); ++w) {
    Future one = sum;
    add_runs(ways[w], one);
    least.lower(one);
  }
  sum = least;
}

bool Climb::fits(const Step& store, const Tile& tile) const {
  const Memory& memory = space_.arch().memories[store.memory];
  if (!memory.size_bits) return true;
  const std::uint64_t usable =
      memory.buffering == Buffering::kDouble ? *memory.size_bits / 2 : *memory.size_bits;
  std::uint64_t bits = 0;
  for (unsigned rest = store.tensors; rest != 0; rest &= rest - 1) {
    const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
    const Tensor& tensor = space_.problem().tensors[t];
    bits +=
        static_cast<std::uint64_t>(counter_.tile_words(t, tile)) * bits_of(tensor, space_.arch());
  }
  return bits <= usable;
}

void Climb::find_levels() {
  TensorMask seen = 0;
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    if (step.kind == Step::Kind::kAxis) seen = 0xff;  // the next store begins a level
    if (step.kind != Step::Kind::kStore || step.memory == 0) continue;
    if (levels_.empty() || (seen & step.tensors) != 0) {
      levels_.push_back({s, s, {}, {}, {}, {}});
      seen = 0;
    }
    seen = static_cast<TensorMask>(seen | step.tensors);
    Level& level = levels_.back();
    level.last = s;
    for (unsigned rest = step.tensors; rest != 0; rest &= rest - 1) {
      const auto t = static_cast<std::uint8_t>(__builtin_ctz(rest));
      const auto& chain = skeleton_.chain[t];
      const auto k = static_cast<std::uint8_t>(std::find(chain.begin(), chain.end(), step.memory) -
                                               chain.begin());
      level.runs.push_back({t, k, true});
      level.run_step.push_back(s);
    }
  }
  for (std::size_t l = 1; l < levels_.size(); ++l) {
    const auto pass = [&](const std::vector<OpenRun>& runs) {
      for (const OpenRun& run : runs) {
        const bool ends =
            std::any_of(levels_[l].runs.begin(), levels_[l].runs.end(),
                        [&](const OpenRun& opening) { return opening.tensor == run.tensor; });
        if (!ends) levels_[l].passing.push_back(run);
      }
    };
    pass(levels_[l - 1].runs);
    pass(levels_[l - 1].passing);
  }
  for (Level& level : levels_) level.least = least_of_level(level);
}

// Instances move equally many words where nothing is cut; clipped windows are.
void Climb::set_shares() {
  instances_differ_ =
      skeleton_.ragged || evaluator_.conventions().reuse != Conventions::Reuse::kMarch;
  first_boundary_.push_back(0);
  for (std::size_t t = 0; t < space_.problem().tensors.size(); ++t) {
    instances_differ_ = instances_differ_ || counter_.clipped(t);
    first_boundary_.push_back(first_boundary_.back() + skeleton_.chain[t].size());
    const DimMask relevant = counter_.relevant(t);
    for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
      if (!has(relevant, d)) group_[t][d] = static_cast<DimMask>(1u << d);
      if (has(counter_.complex(t), d)) group_[t][d] = counter_.complex(t);
    }
    for (const BoundaryCounter::Pair& pair : counter_.pairs(t)) {
      group_[t][pair.a] = group_[t][pair.b] = static_cast<DimMask>(1u << pair.a | 1u << pair.b);
    }
    if (forwards_[t]) group_[t].fill(all_dims_);
  }
  compares_words_ = dominates_ && (instances_differ_ || prices_.rounding_pj() > 0);
}

// Per systolic fan-out the tensors that may be stationary in it, by their first store below; if
// none has one, all of them by what compute holds.
void Climb::set_watches() {
  const Arch& arch = space_.arch();
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    const auto& networks = arch.fanouts[f].networks;
    if (std::none_of(networks.begin(), networks.end(), [](const Network& network) {
          return network.network_class == NetworkClass::kSystolic;
        })) {
      continue;
    }
    std::vector<Watch> stored, all;
    for (std::size_t t = 0; t < space_.problem().tensors.size(); ++t) {
      const auto& chain = skeleton_.chain[t];
      std::size_t k = 0;
      while (k < chain.size() && !lies_below(chain[k], f)) ++k;
      const Watch watch{static_cast<std::uint8_t>(f), static_cast<std::uint8_t>(t),
                        static_cast<std::uint8_t>(k), 0};
      all.push_back(watch);
      if (k < chain.size()) stored.push_back(watch);
    }
    if (stored.size() == 1) {
      const Evaluator::Fold fold = evaluator_.fold(f, stored.front().tensor);
      stored.front().fold_cycles = fold.skew_cycles + fold.preload_cycles;
    }
    const auto& watched = stored.empty() ? all : stored;
    watches_.insert(watches_.end(), watched.begin(), watched.end());
  }
}

// Exposed when a store's tile is first filled or last drained.
double Climb::tile_cycles(std::size_t t, std::size_t k, std::int64_t words) const {
  if (k == skeleton_.chain[t].size()) return 0;  // compute keeps nothing
  Terms terms;
  prices_.price_tile(t, k, words, terms);
  return terms.exposed;
}

double Climb::fold_cycles(std::size_t tensor, std::size_t boundary) const {
  double cycles = 0;
  for (const Watch& watch : watches_) {
    if (watch.tensor == tensor && watch.boundary == boundary) cycles += watch.fold_cycles;
  }
  return cycles;
}

double Climb::residences(const Tile& tile, std::size_t step) const {
  double residences = 1;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    const std::int64_t tiles = ceil_div(space_.problem().dims[d].extent, tile[d]);
    residences *= static_cast<double>(ceil_div(tiles, lanes_left_[step][d]));
  }
  return residences;
}

bool Climb::lies_below(std::uint8_t memory, std::size_t fanout) const {
  bool below = false;
  for (const ArchNode& node : space_.arch().nodes) {
    if (node.kind == NodeKind::kFanout && node.id == fanout) below = true;
    if (node.kind == NodeKind::kMemory && node.id == memory) return below;
  }
  return below;
}

std::size_t Climb::next_level_step(std::size_t level) const {
  return level + 1 < levels_.size() ? levels_[level + 1].first : steps_.size() - 1;
}

std::size_t Climb::next_slot(std::size_t step) const {
  while (++step < steps_.size() && steps_[step].kind != Step::Kind::kSlot) {
  }
  return step;
}

// Over every tile that the level's last store can hold.
Climb::Future Climb::least_of_level(const Level& level) const {
  const auto& dims = space_.problem().dims;
  const auto& sizes = lattices_.few_sizes();
  Future least;
  least.busy = PerResource(prices_.resources().size());
  const Future nothing = least;
  Tile smallest, largest;
  smallest.fill(1);
  largest.fill(1);
  bool any = false;
  const Step& store = steps_[level.last];
  const auto visit = [&](const auto& self, std::size_t d) -> void {
    if ((d == 0 || smallest[d - 1] > 1) && !fits(store, smallest)) return;
    if (d == dims.size()) {
      Future one = nothing;
      add_open(level.runs, largest, smallest, level.last, one);
      if (!any) least = one;
      least.lower(one);
      any = true;
      return;
    }
    for (const OutlookLattice::Bin& size : sizes[d]) {
      smallest[d] = size.smallest;
      largest[d] = size.largest;
      self(self, d + 1);
    }
    smallest[d] = largest[d] = 1;
  };
  visit(visit, 0);
  if (!any) least.energy = std::numeric_limits<double>::infinity();  // nothing fits
  return least;
}

// The least that boundaries cost which a climb at step s has not opened yet.
void Climb::set_future() {
  Future sum;
  sum.busy = PerResource(prices_.resources().size());
  future_.resize(steps_.size());
  std::size_t level = levels_.size();
  Future level_and_on = sum;  // of whole levels further out
  for (std::size_t s = steps_.size(); s-- > 0;) {
    future_[s] = sum;
    if (steps_[s].kind != Step::Kind::kStore || steps_[s].memory == 0) continue;
    if (level == levels_.size() || s < levels_[level].first) --level;
    for (const OpenRun& run : levels_[level].runs) {
      if ((steps_[s].tensors >> run.tensor & 1u) == 0) continue;
      add_least(floor_[run.tensor][run.boundary],
                static_cast<double>(counter_.all_words(run.tensor)), sum);
    }
    if (s != levels_[level].first) continue;
    level_and_on.add(levels_[level].least);
    sum = level_and_on;
  }
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    Tile one;
    one.fill(1);
    add_least(floor_[t].back(), words_now(t, floor_[t].size() - 1, one, 0), sum);
  }
  const Terms& fixed = prices_.fixed();
  for (std::size_t i = 0; i < sum.busy.size(); ++i) sum.busy[i] += fixed.busy[i];
  least_.cycles = cycles_of(sum.busy, sum.exposed + fixed.exposed, steps_least_);
  least_.energy_pj = sum.energy + fixed.energy;
  add_leakage(least_.cycles, least_.energy_pj);
}

double Climb::cycles_of(const PerResource& busy, double exposed, double steps) const {
  return whole_cycles(std::max(steps * space_.arch().compute.interval_cycles, most_busy(busy))) +
         exposed_cycles(exposed);
}

// Sums may have been rounded up.
double Climb::most_busy(const PerResource& busy) {
  double most = 0;
  for (std::size_t i = 0; i < busy.size(); ++i) most = std::max(most, busy[i] * (1 - 1e-12));
  return most;
}

double Climb::exposed_cycles(double exposed) {
  return whole_cycles(std::max(0.0, exposed * (1 - 1e-12)));
}

void Climb::add_leakage(double cycles, double& energy) const {
  energy += prices_.leakage_pj_per_cycle_least() * cycles;
}

Climb::End Climb::run(Incumbents& incumbents, Scratch& scratch, ClimbWork& work,
                      const SearchLimits& limits, std::size_t beam, bool strict) {
  return Run(*this, incumbents, scratch, work, limits).run(beam, strict);
}

}  // namespace loopscape
