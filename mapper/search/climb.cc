#include "mapper/search/climb.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "mapper/search/climb_run.h"

namespace loopscape {

namespace {

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

}  // namespace

Climb::Climb(const Mapspace& space, const Evaluator& evaluator, BoundaryCounter& counter,
             OutlookLattice& lattice, std::uint32_t placement, const SpatialLoops& spatial,
             const PruningRules& rules)
    : space_(space),
      evaluator_(evaluator),
      counter_(counter),
      lattice_(lattice),
      placement_number_(placement),
      placement_(space.placements()[placement]),
      spatial_(spatial),
      rules_(rules),
      skeleton_(skeleton_of(space, placement_, spatial)),
      prices_(evaluator, counter, skeleton_) {
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
  dominates_ = rules.dominance && prices_.tells_all();
  gates_leak_ = prices_.leakage_pj_per_cycle_least() != prices_.leakage_pj_per_cycle_most();
  const auto& dims = space.problem().dims;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    all_dims_ = static_cast<DimMask>(all_dims_ | (1u << d));
    for (std::size_t e = 0; e < d; ++e) {
      bool alike = true;
      for (std::size_t t = 0; t < space.problem().tensors.size(); ++t) {
        alike = alike && has(counter.relevant(t), d) == has(counter.relevant(t), e);
      }
      if (alike) alike_[d] = static_cast<DimMask>(alike_[d] | (1u << e));
    }
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
  set_floors();
  set_lanes_ahead();
  for (std::size_t t = 0; t < floor_.size(); ++t) compute_words_.push_back(words_of_compute(t));
  find_levels();
  set_future();
}

void ClimbWork::add(const ClimbWork& other) {
  states += other.states;
  bounded += other.bounded;
  dominated += other.dominated;
  work += other.work;
  unpriced += other.unpriced;
}

bool Climb::has_neighbour_links(std::size_t t) const {
  if (space_.problem().tensors[t].is_output) return false;
  for (const Fanout& fanout : space_.arch().fanouts) {
    for (const Network& network : fanout.networks) {
      for (const std::string& name : network.forward) {
        if ((space_.problem().tensors_called(name) >> t & 1u) != 0) return true;
      }
    }
  }
  return false;
}

// Does only the number of its tiles matter, of what a dimension's loops are? Not where a rule
// names it, where padding is cut off, where accesses are rounded, or where a memory must be filled.
// Windows without holes add up to a sum over tiles that only depends on how many there are, and
// ceil(N / (T b)) = ceil(ceil(N / T) / b), so all that comes further out is equal as well.
void Climb::set_counts_tell() {
  DimMask told = skeleton_.ragged && prices_.rounding_pj() == 0 && placement_.filled.empty()
                     ? all_dims_
                     : DimMask{0};
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

// Every index a word, nothing ragged: all sendings are alike.
bool Climb::is_plain(std::size_t t) const {
  return !skeleton_.ragged && counter_.complex(t) == 0 && !forwards_[t] && !reuses_more_[t];
}

// What a plain boundary costs is linear in the words asked for: the line through what it costs if
// nothing irrelevant grows in its run, and if everything does.
void Climb::set_line(std::size_t t, std::size_t k) {
  std::vector<MappingNode> loops = lanes_between(t, k);
  if (loops.empty()) return;
  BoundaryLoops boundary;
  boundary.tensor = static_cast<std::uint8_t>(t);
  boundary.to_compute = k == skeleton_.chain[t].size();
  if (!boundary.to_compute) boundary.child = skeleton_.chain[t][k];
  boundary.tile.fill(1);
  std::array<std::int64_t, kMaxDims> lanes;
  lanes.fill(1);
  for (const MappingNode& loop : loops) lanes[loop.id] *= loop.bound;
  Terms seldom, often;
  for (Terms* terms : {&seldom, &often}) {
    terms->busy = terms->busy_most = PerResource(prices_.resources().size());
  }
  const auto price = [&](Terms& terms) {
    boundary.loops = loops;
    boundary.parent_at = loops.size();
    const BoundaryFlow& flow = counter_.flow(boundary);
    if (flow.known) prices_.price(t, k, flow, terms);
    return flow.known;
  };
  if (!price(often)) return;
  const auto once = static_cast<double>(counter_.all_words(t));
  double most = once;
  if (boundary.to_compute) {
    seldom = often;
  } else {
    for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
      const std::int64_t rest = space_.problem().dims[d].extent / lanes[d];
      if (has(counter_.relevant(t), d) || rest == 1) continue;
      most *= static_cast<double>(rest);
      loops.push_back(MappingNode::loop(static_cast<DimId>(d), static_cast<std::uint32_t>(rest)));
    }
    if (!price(seldom)) return;
  }
  const double span = most - once;
  const auto line = [&](double at_once, double at_most, double& base, double& slope) {
    slope = span > 0 ? (at_most - at_once) / span : 0;
    base = at_once - slope * once;
  };
  BoundaryPrices::Floor& floor = floor_[t][k];
  line(seldom.energy, often.energy, floor.base_energy, floor.slope_energy);
  line(seldom.exposed, often.exposed, floor.base_exposed, floor.slope_exposed);
  for (std::size_t i = 0; i < seldom.busy.size(); ++i) {
    line(seldom.busy[i], often.busy[i], floor.base_busy[i], floor.slope_busy[i]);
  }
}

// Where boundaries are not plain: linear in the words asked for and in the copies that children
// have of them beyond those. Copies of outputs are partial results; a group of them is one visit
// where all networks reduce.
void Climb::set_copies(std::size_t t, std::size_t k) {
  BoundaryPrices::Floor& floor = floor_[t][k];
  const bool output = space_.problem().tensors[t].is_output;
  if (forwards_[t] || counter_.clipped(t) || k == skeleton_.chain[t].size() ||
      (output && (counter_.complex(t) != 0 || !prices_.reduces(t, k)))) {
    floor.slope_energy += prices_.least_links_pj(t, k);
    return;
  }
  const auto price = [&](double arrivals) {
    BoundaryFlow flow;
    flow.least = flow.most = {1, arrivals, 1};
    Terms terms;
    terms.busy = terms.busy_most = PerResource(prices_.resources().size());
    prices_.price(t, k, flow, terms);
    return terms.energy;
  };
  const BoundaryPrices::Links links = prices_.least_links(t, k, [&](std::size_t d, double bound) {
    return least_mean_lane(d, static_cast<std::int64_t>(bound));
  });
  floor.base_energy = links.base_pj;
  floor.slope_energy = price(1) + links.demand_pj + links.arrival_pj;
  per_arrival_[t][k] = price(2) - price(1) + links.arrival_pj;
  if (per_arrival_[t][k] >= 0) return;
  // Then the most copies cost the least.
  double most = 1;
  for (const MappingNode& loop : lanes_between(t, k)) most *= loop.bound;
  floor.slope_energy += (most - 1) * per_arrival_[t][k];
  per_arrival_[t][k] = 0;
}

// Over a dimension's indices, at least, the mean number of the lane that has them; of a dimension
// with other lanes as well, nothing is said.
double Climb::least_mean_lane(std::size_t d, std::int64_t bound) const {
  const std::int64_t extent = space_.problem().dims[d].extent;
  std::int64_t all = 1;
  for (const MappingNode& loop : skeleton_.spatial) {
    if (loop.id == d) all *= loop.bound;
  }
  if (all != bound) return 0;
  if (!skeleton_.ragged) return static_cast<double>(bound - 1) / 2;
  double least = static_cast<double>(bound);
  for (std::int64_t tile = 1; tile * (bound - 1) < extent; ++tile) {
    const std::int64_t rounds = (extent - 1) / (tile * bound);
    const std::int64_t rest = extent - rounds * tile * bound, full = rest / tile;
    const std::int64_t sum = rounds * tile * (bound * (bound - 1) / 2) +
                             tile * (full * (full - 1) / 2) + full * (rest - full * tile);
    least = std::min(least, static_cast<double>(sum) / static_cast<double>(extent));
  }
  return least;
}

// Innermost first.
std::vector<MappingNode> Climb::lanes_between(std::size_t t, std::size_t k) const {
  const std::size_t parent = step_of_store(t, skeleton_.chain[t][k - 1]);
  const bool to_compute = k == skeleton_.chain[t].size();
  std::vector<MappingNode> lanes;
  for (std::size_t s = to_compute ? 0 : step_of_store(t, skeleton_.chain[t][k]); s < parent; ++s) {
    if (steps_[s].kind != Step::Kind::kAxis) continue;
    const auto& loops = spatial_[steps_[s].slot];
    const auto axis = static_cast<AxisId>(placement_.slots[steps_[s].slot].axis);
    for (std::size_t i = loops.size(); i-- > 0;) {
      lanes.push_back(MappingNode::spatial(static_cast<DimId>(loops[i].dim), loops[i].bound, axis));
    }
  }
  return lanes;
}

void Climb::set_floors() {
  floor_.resize(space_.problem().tensors.size());
  reuses_more_.resize(floor_.size());
  const bool previous = evaluator_.conventions().reuse == Conventions::Reuse::kPreviousTile;
  const bool ragged = space_.options().factors == Factors::kRagged;
  per_arrival_.resize(floor_.size());
  only_energy_ = prices_.resources().empty();
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    forwards_.push_back(has_neighbour_links(t));
    reuses_more_[t] = previous && (ragged || counter_.complex(t) != 0);
    floor_[t].resize(skeleton_.chain[t].size() + 1);
    per_arrival_[t].resize(floor_[t].size());
    for (std::size_t k = 1; k < floor_[t].size(); ++k) {
      BoundaryPrices::Floor& floor = floor_[t][k];
      floor = prices_.floor(t, k);
      if (is_plain(t)) {
        set_line(t, k);
      } else if (!reuses_more_[t]) {
        set_copies(t, k);
      }
      only_energy_ = only_energy_ && floor.base_exposed == 0 && floor.slope_exposed == 0;
    }
  }
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
  lanes_ahead_.resize(steps_.size());
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    lanes_ahead_[s].resize(floor_.size());
    for (std::size_t t = 0; t < floor_.size(); ++t) {
      lanes_ahead_[s][t].resize(floor_[t].size());
      for (std::size_t k = 1; k < floor_[t].size(); ++k) {
        auto& lanes = lanes_ahead_[s][t][k];
        lanes.fill(1);
        const std::size_t parent = step_of_store(t, skeleton_.chain[t][k - 1]);
        for (std::size_t ahead = s; ahead < parent; ++ahead) {
          if (steps_[ahead].kind != Step::Kind::kAxis) continue;
          for (const Point::Loop& loop : spatial_[steps_[ahead].slot]) {
            lanes[loop.dim] *= loop.bound;
          }
        }
      }
    }
  }
}

// Every operation takes a word, and one word taken from the parent serves at most the lanes that
// use it at one step: those of irrelevant dimensions, and of a rank all but its longest row.
double Climb::words_of_compute(std::size_t t) const {
  const auto words = static_cast<double>(counter_.all_words(t));
  if (forwards_[t]) return words;
  const std::size_t parent = step_of_store(t, skeleton_.chain[t].back());
  std::array<double, kMaxDims> lanes;
  lanes.fill(1);
  double served = 1;
  for (std::size_t s = 0; s < parent; ++s) {
    if (steps_[s].kind != Step::Kind::kAxis) continue;
    for (const Point::Loop& loop : spatial_[steps_[s].slot]) {
      lanes[loop.dim] *= loop.bound;
      served *= loop.bound;
    }
  }
  for (const Rank& rank : space_.problem().tensors[t].ranks) {
    double longest = 1;
    for (const Term& term : rank.terms) longest = std::max(longest, lanes[index(term.dim)]);
    served /= longest;
  }
  if (counter_.clipped(t)) return words;
  return std::max(words, static_cast<double>(operations_) / served);
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
  const auto& lanes = lanes_ahead_[step][t][k];
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
  std::array<double, kMaxTensors * kMaxMemories> now;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    now[i] = words_now(runs[i].tensor, runs[i].boundary, tile, step);
  }
  Future least;
  bool grown = false;
  const auto try_next = [&](DimMask next) {
    Future one = sum;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const bool goes_on =
          runs[i].may_go_on && next != 0 && (counter_.relevant(runs[i].tensor) & next) == 0;
      add_least(floor_[runs[i].tensor][runs[i].boundary],
                goes_on ? static_cast<double>(counter_.all_words(runs[i].tensor)) : now[i], one);
    }
    if (!grown) least = one;
    least.lower(one);
    grown = true;
  };
  DimMask tried = 0;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    const auto mask = static_cast<DimMask>(1u << d);
    if (can_grow[d] >= space_.problem().dims[d].extent || (alike_[d] & tried) != 0) continue;
    tried = static_cast<DimMask>(tried | mask);
    try_next(mask);
  }
  if (!grown) try_next(0);
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
    bits += static_cast<std::uint64_t>(counter_.tile_words(t, tile)) *
            (tensor.bits != 0 ? tensor.bits : space_.arch().word_bits);
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
      levels_.push_back({s, s, {}, {}, {}});
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
  for (Level& level : levels_) level.least = least_of_level(level);
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
                        static_cast<std::uint8_t>(k)};
      all.push_back(watch);
      if (k < chain.size()) stored.push_back(watch);
    }
    const auto& watched = stored.empty() ? all : stored;
    watches_.insert(watches_.end(), watched.begin(), watched.end());
  }
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

double Climb::energy_of(const BoundaryPrices::Floor& floor, double words) const {
  const double slope = floor.slope_energy;
  return floor.base_energy +
         slope * (slope < 0 ? std::max(static_cast<double>(operations_), words) : words);
}

std::uint8_t Climb::chain_memory(const OpenRun& run) const {
  return skeleton_.chain[run.tensor][run.boundary];
}

// Copies of a word by irrelevant lanes `within` a tile (those `beyond` come further out), for this
// many tiles: full ones reach every lane; of the edge, one is certain; a tile that is all there is
// reaches all lanes of one loop, and of several more than half.
std::int64_t Climb::copies(std::size_t d, std::int64_t tiles, std::int64_t within,
                           std::int64_t beyond) const {
  if (!skeleton_.ragged) return tiles * within;
  if (within == 1) return tiles;
  if (tiles > 1 || beyond > 1) return (tiles - 1) * within + 1;
  return within == outermost_lanes_[d] ? within : within / 2 + 1;
}

double Climb::words_but_pairs(std::size_t t) const {
  auto words = static_cast<double>(counter_.all_words(t));
  for (const BoundaryCounter::Pair& pair : counter_.pairs(t)) {
    words /= static_cast<double>(pair.words);
  }
  return words;
}

Outlook::Pair Climb::pair_of(std::size_t t, const BoundaryCounter::Pair& pair,
                             const Outlook::Level& level, const Outlook::Run& run) const {
  const auto side = [&](std::size_t d) {
    struct Side {
      std::int64_t extent, within, beyond, room, step;
    };
    const std::int64_t within = level.lanes[d], beyond = run.lanes_beyond[d];
    // Full lanes of a clipped tile, at least: all but the last of the outermost loop.
    const std::int64_t room = within == outermost_lanes_[d] ? within - 1 : (within + 1) / 2;
    return Side{lattice_.extent(d), within, beyond, std::max<std::int64_t>(1, room),
                d == pair.a ? pair.step_a : pair.step_b};
  };
  const auto a = side(pair.a), b = side(pair.b);
  const auto all = [this, t, pair](std::int64_t size_a, std::int64_t size_b) {
    return static_cast<double>(counter_.pair_words_of_all(t, pair, size_a, size_b));
  };
  const bool ragged = skeleton_.ragged;
  // Of a child: the largest tile that lanes take to one of this bin.
  const auto child = [ragged](const auto& its, const Outlook::Bin& bin) {
    const bool clips = ragged && bin.largest == its.extent && its.within > 1;
    const std::int64_t most = clips ? (its.extent - 1) / its.room : bin.largest / its.within;
    return std::clamp<std::int64_t>(most, 1, its.extent);
  };
  const auto words = [=](const Outlook::Bin& of_a, const Outlook::Bin& of_b) {
    const auto whole = static_cast<double>(pair.words);
    Outlook::PairWords sums{{whole, whole, whole}, {whole, whole, whole}};
    const bool joined = of_a.smallest != of_a.largest || of_b.smallest != of_b.largest;
    if (joined && !pair.gapless) return sums;  // not falling in the sizes
    const std::int64_t tile_a = std::min(a.extent, of_a.largest * a.beyond);
    const std::int64_t tile_b = std::min(b.extent, of_b.largest * b.beyond);
    sums.demand = {all(tile_a, tile_b), all(a.extent, tile_b), all(tile_a, b.extent)};
    const std::int64_t child_a = child(a, of_a), child_b = child(b, of_b);
    const double apart = all(child_a, child_b);
    // Does a child's next tile of the march overlap the last one?
    const auto overlaps = [&](const auto& its, std::int64_t size, const auto& other,
                              std::int64_t other_size) {
      const std::int64_t moves = its.step * size * its.within * its.beyond;
      return moves < its.step * (size - 1) + other.step * (other_size - 1) + 1;
    };
    const std::int64_t least_a = std::max<std::int64_t>(1, of_a.smallest / a.within);
    const std::int64_t least_b = std::max<std::int64_t>(1, of_b.smallest / b.within);
    sums.arrivals = {apart, overlaps(a, least_a, b, child_b) ? all(a.extent, child_b) : apart,
                     overlaps(b, least_b, a, child_a) ? all(child_a, b.extent) : apart};
    return sums;
  };
  return {pair.a, pair.b, words};
}

Outlook::Run Climb::run_of(const OpenRun& open, const Outlook::Level& level,
                           std::size_t next) const {
  const std::size_t t = open.tensor;
  const BoundaryPrices::Floor& floor = floor_[t][open.boundary];
  Outlook::Run run;
  run.words = static_cast<double>(counter_.all_words(t));
  run.single_words = run.words;
  run.slope = std::max(0.0, floor.slope_energy);
  run.base = energy_of(floor, run.words) - run.slope * run.words;
  run.per_arrival = per_arrival_[t][open.boundary];
  run.relevant = counter_.relevant(t);
  run.repeats = !reuses_more_[t];
  run.lanes_beyond = lanes_ahead_[next][t][open.boundary];
  run.copies = [this, lanes = level.lanes, beyond = run.lanes_beyond](std::size_t d,
                                                                      std::int64_t tiles) {
    return copies(d, tiles, lanes[d], beyond[d]);
  };
  if (!forwards_[t] && !space_.problem().tensors[t].is_output) {
    run.single_words = words_but_pairs(t);
    for (const BoundaryCounter::Pair& pair : counter_.pairs(t)) {
      run.pairs.push_back(pair_of(t, pair, level, run));
    }
  }
  const Step own{Step::Kind::kStore, 0, chain_memory(open), static_cast<TensorMask>(1u << t)};
  const bool slides = counter_.sliding(t) != 0;
  run.store = name_of(own);
  if (slides) run.store = ~run.store;
  run.fits = [this, own, slides](const Tile& tile) { return slides || fits(own, tile); };
  return run;
}

std::uint64_t Climb::name_of(const Step& store) {
  return std::uint64_t{store.memory} << 32 | store.tensors;
}

void Climb::fill_outlook() {
  const std::size_t dims = space_.problem().dims.size();
  std::vector<Outlook::Level> levels;
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Outlook::Level level;
    const std::size_t next = next_level_step(l);
    level.lanes.fill(1);
    for (std::size_t d = 0; d < dims; ++d) {
      level.lanes[d] = lanes_left_[levels_[l].last][d] / lanes_left_[next][d];
    }
    for (const OpenRun& open : levels_[l].runs) level.runs.push_back(run_of(open, level, next));
    for (std::size_t s = levels_[l].last; s < next; ++s) {
      if (steps_[s].kind != Step::Kind::kSlot) continue;
      const Slot& slot = placement_.slots[steps_[s].slot];
      if (slot.kind == Slot::Kind::kUnderFanout) {
        level.loose = static_cast<DimMask>(level.loose | slot.dims);
      }
    }
    const Step& store = steps_[levels_[l].last];
    level.store = name_of(store);
    level.fits = [this, &store](const Tile& tile) { return fits(store, tile); };
    levels.push_back(std::move(level));
  }
  looks_out_ = !levels.empty() && outlook_.fill(lattice_, std::move(levels));
}

// An input's copies beyond one for each word that is asked for, at least, if its run (and march)
// from the child's tile ended at this one, before the lanes of steps from `step` on.
double Climb::copies_pj(std::size_t t, std::size_t k, const Tile& child, const Tile& tile,
                        std::size_t step, double demand) const {
  if (per_arrival_[t][k] == 0) return 0;
  double arrivals = words_but_pairs(t);
  const auto& beyond = lanes_ahead_[step][t][k];
  const auto& left = lanes_left_[step - 1];
  const auto& since = lanes_left_[store_step_[t][k]];
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    if (has(counter_.relevant(t), d)) continue;
    const std::int64_t tiles = ceil_div(space_.problem().dims[d].extent, tile[d]);
    const std::int64_t within = since[d] / left[d];
    arrivals *= static_cast<double>(copies(d, tiles, within, beyond[d]));
  }
  for (const BoundaryCounter::Pair& pair : counter_.pairs(t)) {
    const auto size = [&](std::size_t d) {
      // A marching dimension has grown; others only by lanes.
      const std::int64_t within = since[d] / left[d];
      const std::int64_t grown = tile[d] == child[d] * within ? child[d] : tile[d];
      return std::min<std::int64_t>(grown, space_.problem().dims[d].extent);
    };
    arrivals *=
        static_cast<double>(counter_.pair_words_of_all(t, pair, size(pair.a), size(pair.b)));
  }
  return per_arrival_[t][k] * std::max(0.0, arrivals - demand);
}

// Sizes of a dimension's tiles, from the smallest to the largest that is as good as equal: equal
// numbers of tiles say nothing new, and `join` such numbers are taken together.
std::vector<Climb::Sizes> Climb::sizes_of(std::size_t d, std::size_t join) const {
  const std::int64_t extent = space_.problem().dims[d].extent;
  std::vector<Sizes> sizes;
  std::size_t joined = join;
  for (std::int64_t size = 1; size <= extent;) {
    const std::int64_t count = ceil_div(extent, size);
    const std::int64_t next = count == 1 ? extent + 1 : ceil_div(extent, count - 1);
    const auto smallest = static_cast<std::uint32_t>(size);
    const auto largest = static_cast<std::uint32_t>(skeleton_.ragged ? next - 1 : size);
    size = next;
    if (!skeleton_.ragged && extent % smallest != 0) continue;
    if (joined == join) {
      sizes.push_back({smallest, largest});
      joined = 0;
    }
    sizes.back().largest = largest;
    ++joined;
  }
  return sizes;
}

// Over every tile that the level's last store can hold.
Climb::Future Climb::least_of_level(const Level& level) const {
  constexpr double kMostTiles = 1 << 11;
  const auto& dims = space_.problem().dims;
  std::vector<std::vector<Sizes>> sizes(dims.size());
  for (std::size_t join = 1;; join *= 2) {
    double tiles = 1;
    for (std::size_t d = 0; d < dims.size(); ++d) {
      sizes[d] = sizes_of(d, join);
      tiles *= static_cast<double>(sizes[d].size());
    }
    if (tiles <= kMostTiles) break;
  }
  Future least;
  least.busy = PerResource(prices_.resources().size());
  const Future nothing = least;
  Tile smallest, largest;
  smallest.fill(1);
  largest.fill(1);
  bool any = false;
  const Step& store = steps_[level.last];
  const auto visit = [&](const auto& self, std::size_t d) -> void {
    if (!fits(store, smallest)) return;
    if (d == dims.size()) {
      Future one = nothing;
      add_open(level.runs, largest, smallest, level.last, one);
      if (!any) least = one;
      least.lower(one);
      any = true;
      return;
    }
    for (const Sizes& size : sizes[d]) {
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
  least_cycles_ = cycles_of(sum.busy, sum.exposed + fixed.exposed, steps_least_);
  least_energy_ = sum.energy + fixed.energy;
  add_leakage(least_cycles_, least_energy_);
}

void Climb::add_least(const BoundaryPrices::Floor& floor, double demand, Future& sum) const {
  const auto most = static_cast<double>(operations_);
  const auto value = [&](double base, double slope) {
    return base + slope * (slope < 0 ? std::max(most, demand) : demand);
  };
  sum.energy += value(floor.base_energy, floor.slope_energy);
  sum.exposed += value(floor.base_exposed, floor.slope_exposed);
  for (std::size_t i = 0; i < sum.busy.size(); ++i) {
    sum.busy[i] += value(floor.base_busy[i], floor.slope_busy[i]);
  }
}

double Climb::cycles_of(const PerResource& busy, double exposed, double steps) const {
  double most = steps * space_.arch().compute.interval_cycles;
  for (std::size_t i = 0; i < busy.size(); ++i) most = std::max(most, busy[i] * (1 - 1e-12));
  return std::ceil(most) + std::ceil(std::max(0.0, exposed * (1 - 1e-12)));
}

void Climb::add_leakage(double cycles, double& energy) const {
  energy += prices_.leakage_pj_per_cycle_least() * cycles;
}

void Climb::look_out() {
  fill_outlook();
  if (!looks_out_) return;
  double energy = prices_.fixed().energy;
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    energy += energy_of(floor_[t].back(), compute_words_[t]);
  }
  Tile lanes;
  lanes.fill(1);
  for (const MappingNode& loop : skeleton_.spatial) lanes[loop.id] *= loop.bound;
  for (std::size_t d = 0; d < lattice_.dims(); ++d) {
    const auto beyond = static_cast<std::uint32_t>(lanes_left_[next_level_step(0)][d]);
    lanes[d] =
        static_cast<std::uint32_t>(std::min<std::int64_t>(lanes[d] / beyond, lattice_.extent(d)));
  }
  energy += outlook_.least(0, (1u << levels_[0].runs.size()) - 1, false, lanes);
  add_leakage(least_cycles_, energy);
  least_energy_ = std::max(least_energy_, energy);
}

bool Climb::run(Incumbents& incumbents, Scratch& scratch, ClimbWork& work,
                const SearchLimits& limits, std::size_t beam) const {
  return Run(*this, incumbents, scratch, work, limits).run(beam);
}

}  // namespace loopscape
