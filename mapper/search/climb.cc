#include "mapper/search/climb.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include <boost/container/small_vector.hpp>

namespace loopscape {
namespace {

bool has(DimMask mask, std::size_t dim) { return (mask >> dim & 1u) != 0; }
bool has_slot(SlotMask mask, std::size_t slot) { return (mask >> slot & 1u) != 0; }

constexpr int kNone = -1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A boundary from its child outwards.
struct Open {
  enum class Phase : std::uint8_t { kRun, kMarch, kClosed } phase = Phase::kRun;
  std::uint8_t tensor = 0, boundary = 0;
  std::int8_t marching = kNone, ended_by = kNone;
  bool to_compute = false;
  std::array<std::uint32_t, kMaxDims> tile{};
  std::uint8_t first = 0, end = 0;  // its loops in State::loops; `end` once closed
  double demand = 0;                // once closed: words that cross at least
};

}  // namespace

// Where the run of a tensor ended whose stay in a systolic array matters (counting.md A9).
struct RunEnd {
  std::uint8_t fanout, tensor;
  std::array<std::uint32_t, kMaxDims> tile;
};

// Few states need more than these hold without a heap.
template <class T, std::size_t n>
using Few = boost::container::small_vector<T, n>;

struct Climb::State {
  Tile tile{};                    // may exceed the extent where the edge cuts
  Few<MappingNode, 24> loops;     // innermost first
  Few<std::uint8_t, 24> slot_of;  // of each loop
  Few<Open, 6> open;
  Terms paid;
  Few<std::int64_t, 4> used_bits;     // per memory with several stores still to come or passed
  Few<std::int64_t, 2> factor;        // per factor rule: product so far
  Few<std::uint8_t, 2> place;         // per order rule: place reached
  Few<std::uint8_t, 2> has_relevant;  // per stationary rule
  SlotMask looped = 0;                // slots with a loop
  Few<std::uint32_t, 4> at_lanes;     // ragged: tiles just below spatial loops
  Few<RunEnd, 3> run_ends;            // of watched runs
  TensorMask compute_runs = 0;        // tensors whose run of compute's word is watched and goes on
  bool priced = true;                 // false: a boundary that the model does not count lies behind
};

// One climb: states of one position after another, innermost first.
class Climb::Run {
 public:
  Run(const Climb& climb, Incumbents& incumbents, Scratch& scratch, ClimbWork& work,
      const SearchLimits& limits)
      : climb_(climb),
        problem_(climb.space_.problem()),
        dims_(problem_.dims.size()),
        perfect_(climb.space_.options().factors == Factors::kPerfect),
        incumbents_(incumbents),
        scratch_(scratch),
        work_(work),
        limits_(limits) {}

  bool run(std::size_t beam) {
    std::vector<State> here;
    State start = first_state();
    if (settle(start)) here.push_back(std::move(start));
    for (std::size_t s = 0; s < climb_.steps_.size() && !here.empty(); ++s) {
      step_ = ahead_ = s;
      next_.clear();
      index_.clear();
      for (State& state : here) {
        if (interrupted()) return false;
        ++work_.states;
        advance(state);
      }
      here = std::move(next_);
      if (here.size() > beam) narrow(here, beam);
    }
    return finish(here);
  }

 private:
  // ---- start and finish ----

  State first_state() {
    State state;
    state.tile.fill(1);
    state.paid = climb_.prices_.fixed();
    state.used_bits.resize(climb_.space_.arch().memories.size(), 0);
    state.factor.assign(climb_.placement_.factors.size(), 1);
    for (const Watch& watch : climb_.watches_) {
      if (watch.boundary != climb_.skeleton_.chain[watch.tensor].size()) continue;
      state.compute_runs = static_cast<TensorMask>(state.compute_runs | 1u << watch.tensor);
    }
    state.place.assign(climb_.placement_.orders.size(), 0);
    state.has_relevant.assign(climb_.placement_.stationary.size(), 0);
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      Open open;
      open.tensor = static_cast<std::uint8_t>(t);
      open.boundary = static_cast<std::uint8_t>(climb_.skeleton_.chain[t].size());
      open.to_compute = true;
      open.tile.fill(1);
      // Compute keeps nothing; only what neighbours forward forms a march.
      if (!climb_.forwards_[t]) open.phase = Open::Phase::kClosed;
      open.demand = climb_.words_now(t, open.boundary, state.tile, 0);
      state.open.push_back(open);
    }
    return state;
  }

  bool finish(std::vector<State>& states) {
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < states.size(); ++i) {
      double energy = 0, cycles = 0;
      bound(states[i], energy, cycles);
      order.emplace_back(incumbents_.value(energy, cycles), i);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [value, i] : order) {
      if (interrupted()) return false;
      if (climb_.rules_.bound && !useful(states[i])) {
        ++work_.bounded;
        continue;
      }
      offer(states[i]);
    }
    return true;
  }

  void offer(const State& state) {
    Found found;
    found.mapping = mapping_of(state);
    ++work_.work;
    const Cost cost = climb_.evaluator_.evaluate(found.mapping, scratch_);
    if (!cost.ok()) {
      ++work_.unpriced;
      return;
    }
    found.energy_pj = cost.energy_pj;
    found.cycles = cost.cycles;
    incumbents_.offer(found);
  }

  // The most promising ones.
  void narrow(std::vector<State>& states, std::size_t beam) {
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < states.size(); ++i) {
      double energy = 0, cycles = 0;
      bound(states[i], energy, cycles);
      order.emplace_back(incumbents_.value(energy, cycles), i);
    }
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(beam),
                      order.end());
    std::vector<State> kept;
    for (std::size_t i = 0; i < beam; ++i) kept.push_back(std::move(states[order[i].second]));
    states = std::move(kept);
  }

  Mapping mapping_of(const State& state) const {
    Point point;
    point.placement = climb_.placement_number_;
    point.slots.resize(climb_.placement_.slots.size());
    for (std::size_t i = state.loops.size(); i-- > 0;) {
      point.slots[state.slot_of[i]].push_back({state.loops[i].id, state.loops[i].bound});
    }
    return climb_.space_.mapping(point);
  }

  bool interrupted() {
    if (stopped_) return true;
    stopped_ = work_.work >= limits_.max_work ||
               (limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed));
    return stopped_;
  }

  // ---- bounds ----

  void bound(const State& state, double& energy, double& cycles) {
    sum_ = climb_.future_[step_];
    sum_.energy += state.paid.energy;
    sum_.exposed += state.paid.exposed;
    for (std::size_t i = 0; i < sum_.busy.size(); ++i) sum_.busy[i] += state.paid.busy[i];
    runs_.clear();
    for (const Open& open : state.open) {
      if (open.phase == Open::Phase::kClosed) {
        climb_.add_least(climb_.floor_[open.tensor][open.boundary], open.demand, sum_);
      } else {
        runs_.push_back(
            {open.tensor, open.boundary, open.phase == Open::Phase::kRun && !open.to_compute});
      }
    }
    if (!runs_.empty()) climb_.add_open(runs_, state.tile, ahead_, sum_);
    if (climb_.looks_out_) sum_.energy = std::max(sum_.energy, outlook(state));
    cycles = climb_.cycles_of(sum_.busy, sum_.exposed);
    energy = sum_.energy;
    climb_.add_leakage(cycles, energy);
  }

  // The energy by the outlook, which sees all levels ahead together.
  double outlook(const State& state) const {
    const auto& levels = climb_.levels_;
    std::size_t l = 0;
    while (l + 1 < levels.size() && levels[l + 1].first < ahead_of_stores()) ++l;
    const bool begun = levels[l].last < ahead_of_stores();
    unsigned open_runs = 0;
    for (std::size_t r = 0; r < levels[l].runs.size(); ++r) {
      if (levels[l].run_step[r] >= ahead_of_stores()) open_runs |= 1u << r;
    }
    double energy = state.paid.energy;
    for (const Open& open : state.open) {
      const BoundaryPrices::Floor& floor = climb_.floor_[open.tensor][open.boundary];
      if (open.phase == Open::Phase::kClosed || open.to_compute) {
        energy += climb_.energy_of(floor, open.phase == Open::Phase::kClosed
                                              ? open.demand
                                              : climb_.compute_words_[open.tensor]);
        continue;
      }
      bool here = false;
      for (std::size_t r = 0; r < levels[l].runs.size(); ++r) {
        const OpenRun& run = levels[l].runs[r];
        if (run.tensor != open.tensor || run.boundary != open.boundary) continue;
        open_runs |= 1u << r;
        here = true;
      }
      if (!here) {
        energy +=
            climb_.energy_of(floor, static_cast<double>(climb_.counter_.all_words(open.tensor)));
      }
    }
    const std::size_t next = climb_.next_level_step(l);
    Tile tile{};
    for (std::size_t d = 0; d < dims_; ++d) {
      const std::int64_t lanes = climb_.lanes_left_[step_][d] / climb_.lanes_left_[next][d];
      tile[d] =
          static_cast<std::uint32_t>(std::min<std::int64_t>(state.tile[d] * lanes, extent(d)));
    }
    return energy + climb_.outlook_.least(l, open_runs, begun, tile);
  }
  // Steps before this one have been passed.
  std::size_t ahead_of_stores() const {
    return climb_.steps_[step_].kind == Step::Kind::kStore ? step_ + 1 : step_;
  }

  bool useful(const State& state) {
    double energy = 0, cycles = 0;
    bound(state, energy, cycles);
    return incumbents_.useful(energy, cycles);
  }

  // ---- steps ----

  void advance(State& state) {
    const Step& step = climb_.steps_[step_];
    switch (step.kind) {
      case Step::Kind::kStore:
        if (pass_store(state, step)) keep(std::move(state));
        return;
      case Step::Kind::kAxis:
        if (pass_axis(state, step.slot)) keep(std::move(state));
        return;
      case Step::Kind::kSlot:
        grow(state, step.slot, 0, kNone, false);
        return;
    }
  }

  bool pass_store(State& state, const Step& step) {
    const Memory& memory = climb_.space_.arch().memories[step.memory];
    std::array<std::uint32_t, kMaxDims> tile = clipped(state.tile);
    std::int64_t bits = 0;
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      if ((step.tensors >> t & 1u) == 0) continue;
      const auto& chain = climb_.skeleton_.chain[t];
      const auto k = static_cast<std::size_t>(std::find(chain.begin(), chain.end(), step.memory) -
                                              chain.begin());
      const std::int64_t words = climb_.counter_.tile_words(t, tile);
      bits += words * bits_of(t);
      if (k == 0) continue;
      climb_.prices_.price_tile(t, k, words, state.paid);
      Open open;
      open.tensor = static_cast<std::uint8_t>(t);
      open.boundary = static_cast<std::uint8_t>(k);
      open.tile = tile;
      open.first = static_cast<std::uint8_t>(state.loops.size());
      state.open.push_back(open);
    }
    std::int64_t& used = state.used_bits[step.memory];
    used += bits;
    if (memory.size_bits && used > usable(memory)) return false;
    const bool last = !stores_later(step.memory);
    if (last) {
      for (const FilledRule& rule : climb_.placement_.filled) {
        if (rule.memory == step.memory && memory.size_bits &&
            static_cast<double>(used) < rule.share * static_cast<double>(usable(memory))) {
          return false;
        }
      }
      used = 0;
    }
    return settle(state);
  }

  static std::int64_t usable(const Memory& memory) {
    const std::uint64_t bits =
        memory.buffering == Buffering::kDouble ? *memory.size_bits / 2 : *memory.size_bits;
    return static_cast<std::int64_t>(std::min<std::uint64_t>(bits, INT64_MAX));
  }
  std::int64_t bits_of(std::size_t t) const {
    return problem_.tensors[t].bits != 0 ? problem_.tensors[t].bits
                                         : climb_.space_.arch().word_bits;
  }
  bool stores_later(std::uint8_t memory) const {
    for (std::size_t s = step_ + 1; s < climb_.steps_.size(); ++s) {
      if (climb_.steps_[s].kind == Step::Kind::kStore && climb_.steps_[s].memory == memory) {
        return true;
      }
    }
    return false;
  }

  std::array<std::uint32_t, kMaxDims> clipped(
      const std::array<std::uint32_t, kMaxDims>& tile) const {
    std::array<std::uint32_t, kMaxDims> sizes{};
    for (std::size_t d = 0; d < dims_; ++d) {
      sizes[d] = static_cast<std::uint32_t>(std::min<std::int64_t>(tile[d], extent(d)));
    }
    return sizes;
  }
  std::int64_t extent(std::size_t d) const { return problem_.dims[d].extent; }

  // A loop over d with this bound, just outside all others. False: no mapping has it there.
  bool stack(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot) {
    const std::int64_t tile = state.tile[d];
    if (tile >= extent(d)) return false;
    if (perfect_) {
      if (extent(d) / tile % bound != 0) return false;
    } else if (tile * (bound - 1) >= extent(d)) {
      return false;  // the outermost loop has no empty iteration
    }
    if (tile * bound > UINT32_MAX) return false;
    const Slot& its = climb_.placement_.slots[slot];
    const bool spatial = its.kind == Slot::Kind::kAxis;
    const auto dim = static_cast<DimId>(d);
    if (spatial && !perfect_) {
      state.at_lanes.push_back(state.tile[d]);
    }
    const std::array<std::uint32_t, kMaxDims> before = state.tile;
    state.tile[d] = static_cast<std::uint32_t>(tile * bound);
    if (!spatial && !(leaves_room(d, tile * bound) && fits_ahead(state))) return false;
    state.loops.push_back(spatial ? MappingNode::spatial(dim, bound, static_cast<AxisId>(its.axis))
                                  : MappingNode::loop(dim, bound));
    state.slot_of.push_back(slot);
    state.looped |= SlotMask{1} << slot;
    if (!spatial) end_compute_runs(state, d, before);
    for (Open& open : state.open) {
      if (open.phase == Open::Phase::kClosed) continue;
      const bool ran = open.phase == Open::Phase::kRun;
      meet(open, d, spatial, static_cast<std::uint8_t>(state.loops.size()));
      if (ran && open.phase != Open::Phase::kRun) end_run(state, open, before);
      if (open.phase == Open::Phase::kClosed)
        open.demand = climb_.words_now(open.tensor, open.boundary, before, ahead_);
    }
    return obeys(state, d, bound, slot);
  }

  void end_run(State& state, const Open& open, const Tile& tile) const {
    for (const Watch& watch : climb_.watches_) {
      if (watch.tensor == open.tensor && watch.boundary == open.boundary && !open.to_compute) {
        state.run_ends.push_back({watch.fanout, watch.tensor, clipped(tile)});
      }
    }
  }
  void end_compute_runs(State& state, std::size_t d, const Tile& tile) const {
    for (unsigned rest = state.compute_runs; rest != 0; rest &= rest - 1) {
      const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
      if (!has(climb_.counter_.relevant(t), d)) continue;
      state.compute_runs = static_cast<TensorMask>(state.compute_runs & ~(1u << t));
      for (const Watch& watch : climb_.watches_) {
        if (watch.tensor != t || watch.boundary != climb_.skeleton_.chain[t].size()) continue;
        state.run_ends.push_back({watch.fanout, watch.tensor, clipped(tile)});
      }
    }
  }

  // For the spatial loops over d that come further out.
  bool leaves_room(std::size_t d, std::int64_t tile) const {
    const std::int64_t lanes = climb_.lanes_left_[step_][d];
    if (lanes == 1) return true;
    if (perfect_) return extent(d) % (tile * lanes) == 0;
    const std::int64_t outer = climb_.outermost_lanes_[d];
    return tile * (lanes / outer) * (outer - 1) < extent(d);
  }

  // Tiles only grow: what stores further out cannot hold now they never will.
  bool fits_ahead(const State& state) const {
    for (std::size_t s = step_ + 1; s < climb_.steps_.size(); ++s) {
      if (climb_.steps_[s].kind != Step::Kind::kStore) continue;
      Tile tile = state.tile;
      for (std::size_t d = 0; d < dims_; ++d) {
        const std::int64_t lanes = climb_.lanes_left_[step_][d] / climb_.lanes_left_[s][d];
        tile[d] = static_cast<std::uint32_t>(std::min<std::int64_t>(tile[d] * lanes, extent(d)));
      }
      if (!climb_.fits(climb_.steps_[s], tile)) return false;
    }
    return true;
  }

  // What a loop does to a boundary (counting.md A4).
  void meet(Open& open, std::size_t d, bool spatial, std::uint8_t loops) const {
    using Phase = Open::Phase;
    if (open.phase == Phase::kClosed) return;
    if (spatial) {
      if (open.phase == Phase::kMarch && open.marching == static_cast<int>(d)) {
        open.phase = Phase::kClosed;
        open.end = loops;  // the lanes themselves end it
      }
      return;
    }
    const bool irrelevant = !has(climb_.counter_.relevant(open.tensor), d);
    if (open.phase == Phase::kRun && irrelevant && !open.to_compute) return;
    if (open.phase == Phase::kRun && !irrelevant && has(climb_.counter_.sliding(open.tensor), d)) {
      open.phase = Phase::kMarch;
      open.marching = static_cast<std::int8_t>(d);
      return;
    }
    if (open.phase == Phase::kMarch && open.marching == static_cast<int>(d)) return;
    open.phase = Phase::kClosed;
    open.ended_by = static_cast<std::int8_t>(d);
    open.end = static_cast<std::uint8_t>(loops - 1);
  }

  // The rules that concern a slot, as far as they can tell.
  bool obeys(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot) const {
    const Placement& placement = climb_.placement_;
    for (std::size_t r = 0; r < placement.factors.size(); ++r) {
      const FactorRule& rule = placement.factors[r];
      if (!has_slot(rule.slots, slot) || rule.dim != d) continue;
      state.factor[r] *= bound;
      if (state.factor[r] > rule.most) return false;
    }
    for (std::size_t r = 0; r < placement.orders.size(); ++r) {
      const OrderRule& rule = placement.orders[r];
      if (!has_slot(rule.slots, slot)) continue;
      if (rule.place[d] < state.place[r]) return false;
      state.place[r] = rule.place[d];
    }
    for (std::size_t r = 0; r < placement.stationary.size(); ++r) {
      const StationaryRule& rule = placement.stationary[r];
      if (!has_slot(rule.slots, slot)) continue;
      if (has(rule.relevant, d))
        state.has_relevant[r] = 1;
      else if (state.has_relevant[r] != 0)
        return false;
    }
    return true;
  }

  // Rules whose outermost slot lies behind; what they remembered is forgotten.
  bool leave(State& state, std::uint8_t slot) const {
    const Placement& placement = climb_.placement_;
    const SlotMask outside = (SlotMask{1} << slot) - 1;
    for (const SlotMask must : placement.must_loop) {
      if (has_slot(must, slot) && (must & outside) == 0 && (must & state.looped) == 0) return false;
    }
    for (std::size_t r = 0; r < placement.factors.size(); ++r) {
      const FactorRule& rule = placement.factors[r];
      if (!has_slot(rule.slots, slot) || (rule.slots & outside) != 0) continue;
      if (state.factor[r] < rule.least) return false;
      state.factor[r] = 1;
    }
    for (std::size_t r = 0; r < placement.orders.size(); ++r) {
      if (has_slot(placement.orders[r].slots, slot) && (placement.orders[r].slots & outside) == 0) {
        state.place[r] = 0;
      }
    }
    for (std::size_t r = 0; r < placement.stationary.size(); ++r) {
      const SlotMask slots = placement.stationary[r].slots;
      if (has_slot(slots, slot) && (slots & outside) == 0) state.has_relevant[r] = 0;
    }
    return true;
  }

  bool pass_axis(State& state, std::uint8_t slot) {
    ahead_ = step_;
    const auto& loops = climb_.spatial_[slot];
    for (std::size_t i = loops.size(); i-- > 0;) {
      if (!stack(state, loops[i].dim, loops[i].bound, slot)) return false;
    }
    ahead_ = step_ + 1;
    return leave(state, slot) && settle(state);
  }

  // Every way to fill a temporal slot: loops one by one from the inside out. Neighbours that no
  // open boundary and no rule tells apart stand in the order of their dimensions.
  void grow(const State& state, std::uint8_t slot, DimMask used, int last, bool last_paid) {
    if (stopped_ || (++work_.work % 1024 == 0 && interrupted())) return;
    const bool is_outermost = is_last_slot(slot);
    {
      State done = state;
      if ((!is_outermost || covers(done)) && leave(done, slot) && settle(done))
        keep(std::move(done));
    }
    const Slot& its = climb_.placement_.slots[slot];
    for (std::size_t d = 0; d < dims_; ++d) {
      if (!has(its.dims, d) || has(used, d) || state.tile[d] >= extent(d)) continue;
      if (its.kind == Slot::Kind::kUnderFanout && !splits(its.fanout, d)) continue;
      if (static_cast<int>(d) < last && !last_paid &&
          commute(state, slot, static_cast<std::size_t>(last), d)) {
        continue;
      }
      bounds(d, state.tile[d], is_outermost, [&](std::uint32_t bound) {
        State next = state;
        if (!stack(next, d, bound, slot)) return;
        const bool paid = pay_ready(next);
        if (climb_.rules_.bound && !useful(next)) {
          ++work_.bounded;
          return;
        }
        grow(next, slot, static_cast<DimMask>(used | (1u << d)), static_cast<int>(d), paid);
      });
    }
  }

  // Could the loop over `a`, already there, just as well stand outside one over `b`?
  bool commute(const State& state, std::uint8_t slot, std::size_t a, std::size_t b) const {
    const Placement& placement = climb_.placement_;
    for (const OrderRule& rule : placement.orders) {
      if (has_slot(rule.slots, slot) && rule.place[a] != rule.place[b]) return false;
    }
    for (const StationaryRule& rule : placement.stationary) {
      if (has_slot(rule.slots, slot) && has(rule.relevant, a) != has(rule.relevant, b))
        return false;
    }
    for (unsigned rest = state.compute_runs; rest != 0; rest &= rest - 1) {
      const DimMask relevant =
          climb_.counter_.relevant(static_cast<std::size_t>(__builtin_ctz(rest)));
      if (has(relevant, a) || has(relevant, b)) return false;
    }
    for (const Open& open : state.open) {
      if (open.phase == Open::Phase::kClosed) {
        if (open.end + 1u < state.loops.size()) continue;
        if (open.ended_by != static_cast<int>(a)) continue;
        return false;  // it ended this boundary, and another loop might not
      }
      if (open.phase == Open::Phase::kMarch) return false;
      const DimMask relevant = climb_.counter_.relevant(open.tensor);
      if (has(relevant, a) || has(relevant, b)) return false;
    }
    return true;
  }

  template <class Visit>
  void bounds(std::size_t d, std::uint32_t tile, bool outermost, const Visit& visit) const {
    const std::int64_t rest = ceil_div(extent(d), tile);
    if (outermost) return visit(static_cast<std::uint32_t>(rest));
    const bool by_count =
        climb_.rules_.equal_counts && climb_.counts_tell_[d] && climb_.lanes_left_[step_][d] == 1;
    for (std::int64_t bound = 2; bound <= rest;) {
      if (!perfect_ || extent(d) / tile % bound == 0) visit(static_cast<std::uint32_t>(bound));
      // Of bounds that leave equally many iterations outside, the smallest holds the least.
      const std::int64_t outside = ceil_div(rest, bound);
      bound = by_count ? (outside == 1 ? rest + 1 : ceil_div(rest, outside - 1)) : bound + 1;
    }
  }

  bool is_last_slot(std::uint8_t slot) const { return slot == 0; }
  bool covers(const State& state) const {
    for (std::size_t d = 0; d < dims_; ++d) {
      if (state.tile[d] < extent(d)) return false;
    }
    return true;
  }
  bool splits(std::uint8_t fanout, std::size_t d) const {
    for (std::size_t s = 0; s < climb_.placement_.slots.size(); ++s) {
      if (climb_.placement_.slots[s].kind != Slot::Kind::kAxis ||
          climb_.placement_.slots[s].fanout != fanout) {
        continue;
      }
      for (const Point::Loop& loop : climb_.spatial_[s]) {
        if (loop.dim == d) return true;
      }
    }
    return false;
  }

  // ---- paying ----

  // Steps still ahead that lie below the parent and have lanes.
  bool lanes_ahead(const Open& open) const {
    const std::uint8_t parent = climb_.skeleton_.chain[open.tensor][open.boundary - 1u];
    for (std::size_t s = step_ + (started_ ? 1 : 0); s < climb_.steps_.size(); ++s) {
      const Step& step = climb_.steps_[s];
      if (step.kind == Step::Kind::kAxis && !climb_.spatial_[step.slot].empty()) return true;
      if (step.kind == Step::Kind::kStore && step.memory == parent &&
          (step.tensors >> open.tensor & 1u) != 0) {
        return false;
      }
    }
    return false;
  }
  // Where every index is a word and nothing is ragged, it does not matter what grows between the
  // end of the run and lanes further out.
  bool is_plain(const Open& open) const {
    return perfect_ && climb_.counter_.complex(open.tensor) == 0 && !climb_.forwards_[open.tensor];
  }

  // True if something was.
  bool pay_ready(State& state) {
    bool paid = false;
    for (std::size_t i = 0; i < state.open.size();) {
      if (state.open[i].phase == Open::Phase::kClosed &&
          (is_plain(state.open[i]) || !lanes_ahead(state.open[i]))) {
        pay(state, state.open[i]);
        state.open.erase(state.open.begin() + static_cast<std::ptrdiff_t>(i));
        paid = true;
      } else {
        ++i;
      }
    }
    return paid;
  }

  void pay(State& state, const Open& open) {
    BoundaryLoops boundary;
    boundary.tensor = open.tensor;
    boundary.to_compute = open.to_compute;
    const auto& chain = climb_.skeleton_.chain[open.tensor];
    if (!open.to_compute) boundary.child = chain[open.boundary];
    boundary.tile = open.tile;
    // Up to the last lanes, and at least up to the end of the march.
    std::size_t end = open.phase == Open::Phase::kClosed ? open.end : state.loops.size();
    boundary.ended_by = open.ended_by;
    for (std::size_t i = end; i < state.loops.size(); ++i) {
      if (state.loops[i].kind == LoopKind::kSpatial && inside(open, state.slot_of[i])) {
        end = i + 1;
        boundary.ended_by = kNone;
      }
    }
    boundary.parent = chain[open.boundary - 1u];
    boundary.parent_at = end - open.first;
    for (std::size_t i = open.first; i < end; ++i) {
      if (!inside(open, state.slot_of[i])) {
        boundary.parent_at = i - open.first;
        break;
      }
    }
    path_.assign(state.loops.begin() + open.first,
                 state.loops.begin() + static_cast<std::ptrdiff_t>(end));
    if (is_plain(open)) add_lanes_ahead(open, boundary);
    boundary.loops = path_;
    const BoundaryFlow& flow = climb_.counter_.flow(boundary);
    if (flow.known) {
      climb_.prices_.price(open.tensor, open.boundary, flow, state.paid);
    } else {
      state.priced = false;  // its cost is left out, which is a bound too
    }
  }

  void add_lanes_ahead(const Open& open, BoundaryLoops& boundary) {
    const std::size_t parent =
        climb_.step_of_store(open.tensor, climb_.skeleton_.chain[open.tensor][open.boundary - 1u]);
    const bool inside_parent = boundary.parent_at == path_.size();
    for (std::size_t s = ahead_; s < parent; ++s) {
      const Step& step = climb_.steps_[s];
      if (step.kind != Step::Kind::kAxis) continue;
      const auto& loops = climb_.spatial_[step.slot];
      const auto axis = static_cast<AxisId>(climb_.placement_.slots[step.slot].axis);
      for (std::size_t i = loops.size(); i-- > 0;) {
        path_.push_back(
            MappingNode::spatial(static_cast<DimId>(loops[i].dim), loops[i].bound, axis));
      }
    }
    if (inside_parent) boundary.parent_at = path_.size();
  }

  // Does the slot lie inside the boundary's parent?
  bool inside(const Open& open, std::uint8_t slot) const {
    const std::uint8_t parent = climb_.skeleton_.chain[open.tensor][open.boundary - 1u];
    for (const Step& step : climb_.steps_) {
      if (step.kind == Step::Kind::kStore) {
        if (step.memory == parent && (step.tensors >> open.tensor & 1u) != 0) return false;
      } else if (step.slot == slot) {
        return true;
      }
    }
    return false;
  }

  // At the end of a step: pays what can be paid; at the top everything.
  bool settle(State& state) {
    pay_ready(state);
    started_ = true;
    if (climb_.steps_.empty() || step_ + 1 < climb_.steps_.size()) return true;
    for (const Open& open : state.open) pay(state, open);
    state.open.clear();
    return true;
  }

  // ---- keeping ----

  // Everything that the future of a state depends on.
  std::string key_of(const State& state) const {
    std::string key;
    const auto put = [&](const auto& value) {
      key.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    for (std::size_t d = 0; d < dims_; ++d) put(clipped(state.tile)[d]);
    for (const std::uint32_t tile : state.at_lanes) put(tile);
    for (const std::int64_t factor : state.factor) put(factor);
    for (const std::uint8_t place : state.place) put(place);
    for (const std::uint8_t relevant : state.has_relevant) put(relevant);
    for (const SlotMask must : climb_.placement_.must_loop) put((must & state.looped) != 0);
    for (const Open& open : state.open) put_open(state, open, put);
    for (const RunEnd& end : state.run_ends) {
      put(end.fanout);
      put(end.tensor);
      for (std::size_t d = 0; d < dims_; ++d) put(end.tile[d]);
    }
    put(state.compute_runs);
    for (const FilledRule& rule : climb_.placement_.filled) put(state.used_bits[rule.memory]);
    put(state.priced);
    return key;
  }

  template <class Put>
  void put_open(const State& state, const Open& open, const Put& put) const {
    put(open.tensor);
    put(open.boundary);
    put(open.phase);
    put(open.marching);
    put(open.ended_by);
    // In a run the child's tile follows from the state's: only irrelevant dimensions have grown,
    // and lanes. A march has also grown its own dimension.
    if (open.phase == Open::Phase::kRun) return;
    if (open.phase == Open::Phase::kMarch) {
      put(open.tile[static_cast<std::size_t>(open.marching)]);
      return;
    }
    if (climb_.counter_.complex(open.tensor) == 0 && !climb_.forwards_[open.tensor]) {
      put_repeats(state, open, put);
      return;
    }
    // What waits for lanes may depend on each of its loops.
    for (std::size_t d = 0; d < dims_; ++d) put(open.tile[d]);
    for (std::size_t l = open.first; l < state.loops.size(); ++l) put(state.loops[l]);
    put(open.end);
  }

  // Where every index is a word, only how often the ended run repeats still matters.
  template <class Put>
  void put_repeats(const State& state, const Open& open, const Put& put) const {
    std::array<std::int64_t, kMaxDims> reach{};
    for (std::size_t d = 0; d < dims_; ++d) reach[d] = open.tile[d];
    for (std::size_t l = open.first; l < open.end; ++l) {
      reach[state.loops[l].id] *= state.loops[l].bound;
    }
    const DimMask relevant = climb_.counter_.relevant(open.tensor);
    for (std::size_t d = 0; d < dims_; ++d) {
      if (has(relevant, d)) continue;
      put(climb_.lanes_left_[step_][d] == 1 ? ceil_div(extent(d), reach[d]) : reach[d]);
    }
  }

  static bool no_worse(const State& a, const State& b, double rounding_pj) {
    if (a.paid.energy_most + rounding_pj > b.paid.energy) return false;
    if (a.paid.exposed_most > b.paid.exposed) return false;
    for (std::size_t i = 0; i < a.paid.busy.size(); ++i) {
      if (a.paid.busy_most[i] > b.paid.busy[i]) return false;
    }
    for (std::size_t m = 0; m < a.used_bits.size(); ++m) {
      if (a.used_bits[m] > b.used_bits[m]) return false;
    }
    return true;
  }

  void keep(State&& state) {
    if (climb_.rules_.bound && !useful(state)) {
      ++work_.bounded;
      return;
    }
    if (!climb_.dominates_) {
      next_.push_back(std::move(state));
      return;
    }
    std::vector<std::size_t>& same = index_[key_of(state)];
    const double rounding = climb_.prices_.rounding_pj();
    for (const std::size_t i : same) {
      if (next_[i].priced && no_worse(next_[i], state, rounding)) {
        ++work_.dominated;
        return;
      }
    }
    for (const std::size_t i : same) {
      if (state.priced && no_worse(state, next_[i], rounding)) {
        ++work_.dominated;
        next_[i] = std::move(state);
        return;
      }
    }
    same.push_back(next_.size());
    next_.push_back(std::move(state));
  }

  const Climb& climb_;
  const Problem& problem_;
  std::size_t dims_;
  bool perfect_;
  Incumbents& incumbents_;
  Scratch& scratch_;
  ClimbWork& work_;
  const SearchLimits& limits_;
  std::size_t step_ = 0, ahead_ = 0;  // the lanes of steps from `ahead_` on are not in the tile yet
  Future sum_;                        // of bound()
  std::vector<OpenRun> runs_;
  std::vector<MappingNode> path_;  // of pay()
  bool started_ = false, stopped_ = false;
  std::vector<State> next_;
  std::unordered_map<std::string, std::vector<std::size_t>> index_;
};

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
             std::uint32_t placement, const SpatialLoops& spatial, const PruningRules& rules)
    : space_(space),
      evaluator_(evaluator),
      counter_(counter),
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
  std::array<double, kMaxDims> lanes;
  lanes.fill(1);
  for (const MappingNode& loop : skeleton_.spatial) lanes[loop.id] *= loop.bound;
  for (std::size_t d = 0; d < space.problem().dims.size(); ++d) {
    steps_least_ *= std::ceil(static_cast<double>(space.problem().dims[d].extent) / lanes[d]);
  }
  set_watches();
  set_counts_tell();
  set_floors();
  set_lanes_ahead();
  for (std::size_t t = 0; t < floor_.size(); ++t) compute_words_.push_back(words_of_compute(t));
  find_levels();
  set_future();
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
// names it, where windows slide or padding is cut off, where accesses are rounded, or where a
// memory must be filled.
void Climb::set_counts_tell() {
  DimMask told = skeleton_.ragged && prices_.rounding_pj() == 0 && placement_.filled.empty()
                     ? all_dims_
                     : DimMask{0};
  for (std::size_t t = 0; t < space_.problem().tensors.size(); ++t) {
    told = static_cast<DimMask>(told & ~counter_.complex(t));
  }
  for (const FactorRule& rule : placement_.factors) {
    told = static_cast<DimMask>(told & ~(1u << rule.dim));
  }
  for (std::size_t d = 0; d < kMaxDims; ++d) counts_tell_[d] = has(told, d);
}

// Links that words cross between child and parent. Where every index is a word and nothing is
// ragged all sendings are alike, so the energy is linear in the words; elsewhere every word crosses
// at least what its network's class always takes.
void Climb::add_links(std::size_t t, std::size_t k) {
  BoundaryPrices::Floor& floor = floor_[t][k];
  if (reuses_more_[t]) return;
  BoundaryLoops boundary;
  boundary.tensor = static_cast<std::uint8_t>(t);
  boundary.to_compute = k == skeleton_.chain[t].size();
  if (!boundary.to_compute) boundary.child = skeleton_.chain[t][k];
  boundary.tile.fill(1);
  std::vector<MappingNode> loops = lanes_between(t, k);
  if (loops.empty()) return;
  boundary.parent_at = loops.size();
  boundary.loops = loops;
  const bool plain = !skeleton_.ragged && counter_.complex(t) == 0 && !forwards_[t];
  if (!plain) {
    floor.slope_energy += prices_.least_links_pj(t, k);
    return;
  }
  const BoundaryFlow often = counter_.flow(boundary);
  if (!often.known) return;
  const double often_pj = prices_.links_pj(t, k, often);
  BoundaryFlow seldom = often;
  if (!boundary.to_compute) {  // one run through everything that is irrelevant
    std::array<std::int64_t, kMaxDims> lanes;
    lanes.fill(1);
    for (const MappingNode& loop : loops) lanes[loop.id] *= loop.bound;
    for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
      const std::int64_t rest = space_.problem().dims[d].extent / lanes[d];
      if (has(counter_.relevant(t), d) || rest == 1) continue;
      loops.push_back(MappingNode::loop(static_cast<DimId>(d), static_cast<std::uint32_t>(rest)));
    }
    boundary.loops = loops;
    boundary.parent_at = loops.size();
    seldom = counter_.flow(boundary);
    if (!seldom.known) return;
  }
  const double span = often.most.demand - seldom.most.demand;
  const double seldom_pj = prices_.links_pj(t, k, seldom);
  const double slope = span > 0 ? (often_pj - seldom_pj) / span : 0;
  floor.slope_energy += slope;
  floor.base_energy += seldom_pj - slope * seldom.most.demand;
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
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    forwards_.push_back(has_neighbour_links(t));
    reuses_more_[t] = previous && (ragged || counter_.complex(t) != 0);
    floor_[t].resize(skeleton_.chain[t].size() + 1);
    for (std::size_t k = 1; k < floor_[t].size(); ++k) {
      floor_[t][k] = prices_.floor(t, k);
      add_links(t, k);
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
// others may go on. Componentwise least over the dimensions that can still grow.
void Climb::add_open(std::span<const OpenRun> runs, const Tile& tile, std::size_t step,
                     Future& sum) const {
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
    if (tile[d] >= space_.problem().dims[d].extent || (alike_[d] & tried) != 0) continue;
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

double Climb::energy_of(const BoundaryPrices::Floor& floor, double words) const {
  const double slope = floor.slope_energy;
  return floor.base_energy +
         slope * (slope < 0 ? std::max(static_cast<double>(operations_), words) : words);
}

std::uint8_t Climb::chain_memory(const OpenRun& run) const {
  return skeleton_.chain[run.tensor][run.boundary];
}

void Climb::fill_outlook() const {
  std::vector<std::int64_t> extents;
  for (const Dim& dim : space_.problem().dims) extents.push_back(dim.extent);
  std::vector<Outlook::Level> levels;
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Outlook::Level level;
    const std::size_t next = next_level_step(l);
    level.lanes.fill(1);
    for (std::size_t d = 0; d < extents.size(); ++d) {
      level.lanes[d] = lanes_left_[levels_[l].last][d] / lanes_left_[next][d];
    }
    for (const OpenRun& open : levels_[l].runs) {
      const BoundaryPrices::Floor& floor = floor_[open.tensor][open.boundary];
      Outlook::Run run;
      run.words = static_cast<double>(counter_.all_words(open.tensor));
      run.slope = std::max(0.0, floor.slope_energy);
      run.base = energy_of(floor, run.words) - run.slope * run.words;
      run.relevant = counter_.relevant(open.tensor);
      run.repeats = !reuses_more_[open.tensor];
      run.lanes_beyond = lanes_ahead_[next][open.tensor][open.boundary];
      const Step own{Step::Kind::kStore, 0, chain_memory(open),
                     static_cast<TensorMask>(1u << open.tensor)};
      const bool slides = counter_.sliding(open.tensor) != 0;
      run.fits = [this, own, slides](const Tile& tile) { return slides || fits(own, tile); };
      level.runs.push_back(std::move(run));
    }
    for (std::size_t s = levels_[l].last; s < next; ++s) {
      if (steps_[s].kind != Step::Kind::kSlot) continue;
      const Slot& slot = placement_.slots[steps_[s].slot];
      if (slot.kind == Slot::Kind::kUnderFanout) {
        level.loose = static_cast<DimMask>(level.loose | slot.dims);
      }
    }
    const Step& store = steps_[levels_[l].last];
    level.fits = [this, &store](const Tile& tile) { return fits(store, tile); };
    levels.push_back(std::move(level));
  }
  looks_out_ = !levels.empty() && outlook_.fill(extents, !skeleton_.ragged, std::move(levels));
}

// Over every tile that its last store can hold. Sizes between two with equal numbers of tiles say
// nothing new: the smaller one holds less and repeats as often.
Climb::Future Climb::least_of_level(const Level& level) const {
  constexpr double kMostTiles = 1 << 20;
  const auto& dims = space_.problem().dims;
  std::vector<std::vector<std::uint32_t>> sizes(dims.size());
  double tiles = 1;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    for (std::int64_t size = 1; size <= dims[d].extent;) {
      const std::int64_t count = ceil_div(dims[d].extent, size);
      if (skeleton_.ragged || dims[d].extent % size == 0) {
        sizes[d].push_back(static_cast<std::uint32_t>(size));
      }
      size = count == 1 ? dims[d].extent + 1 : ceil_div(dims[d].extent, count - 1);
    }
    tiles *= static_cast<double>(sizes[d].size());
  }
  Future least;
  least.busy = PerResource(prices_.resources().size());
  Tile tile;
  tile.fill(1);
  if (tiles > kMostTiles) {  // too many to look at: as if everything went on
    for (const OpenRun& run : level.runs) {
      add_least(floor_[run.tensor][run.boundary],
                static_cast<double>(counter_.all_words(run.tensor)), least);
    }
    return least;
  }
  const Future nothing = least;
  bool any = false;
  const Step& store = steps_[level.last];
  const auto visit = [&](const auto& self, std::size_t d) -> void {
    if (!fits(store, tile)) return;
    if (d == dims.size()) {
      Future one = nothing;
      add_open(level.runs, tile, level.last, one);
      if (!any) least = one;
      least.lower(one);
      any = true;
      return;
    }
    for (const std::uint32_t size : sizes[d]) {
      tile[d] = size;
      self(self, d + 1);
    }
    tile[d] = 1;
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
  least_cycles_ = cycles_of(sum.busy, sum.exposed + fixed.exposed);
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

double Climb::cycles_of(const PerResource& busy, double exposed) const {
  double most = steps_least_ * space_.arch().compute.interval_cycles;
  for (std::size_t i = 0; i < busy.size(); ++i) most = std::max(most, busy[i] * (1 - 1e-12));
  return std::ceil(most) + std::ceil(std::max(0.0, exposed * (1 - 1e-12)));
}

void Climb::add_leakage(double cycles, double& energy) const {
  energy += prices_.leakage_pj_per_cycle_least() * cycles;
}

bool Climb::run(Incumbents& incumbents, Scratch& scratch, ClimbWork& work,
                const SearchLimits& limits, std::size_t beam) const {
  fill_outlook();
  return Run(*this, incumbents, scratch, work, limits).run(beam);
}

}  // namespace loopscape
