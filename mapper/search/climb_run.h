// The states of a climb and the climb itself. For climb*.cc only.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "mapper/search/climb.h"

namespace loopscape {

inline bool has(DimMask mask, std::size_t dim) { return (mask >> dim & 1u) != 0; }
inline bool has_slot(SlotMask mask, std::size_t slot) { return (mask >> slot & 1u) != 0; }

inline constexpr int kNone = -1;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

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
  bool run(std::size_t beam);

 private:
  // ---- start and finish ----
  State first_state();
  bool finish(std::vector<State>& states);
  void offer(const State& state);
  // The most promising ones.
  void narrow(std::vector<State>& states, std::size_t beam);
  Mapping mapping_of(const State& state) const;
  bool interrupted();

  // ---- bounds ----
  void bound(const State& state, double& energy, double& cycles);
  // The energy by the outlook, which sees all levels ahead together.
  double outlook(const State& state) const;
  // Steps before this one have been passed.
  std::size_t ahead_of_stores() const;
  bool useful(const State& state);

  // ---- steps ----
  void advance(State& state);
  bool pass_store(State& state, const Step& step);
  static std::int64_t usable(const Memory& memory);
  std::int64_t bits_of(std::size_t t) const;
  bool stores_later(std::uint8_t memory) const;
  std::array<std::uint32_t, kMaxDims> clipped(
      const std::array<std::uint32_t, kMaxDims>& tile) const;
  std::int64_t extent(std::size_t d) const { return problem_.dims[d].extent; }
  // A loop over d with this bound, just outside all others. False: no mapping has it there.
  bool stack(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot);
  void end_run(State& state, const Open& open, const Tile& tile) const;
  void end_compute_runs(State& state, std::size_t d, const Tile& tile) const;
  // For the spatial loops over d that come further out.
  bool leaves_room(std::size_t d, std::int64_t tile) const;
  // Tiles only grow: what stores further out cannot hold now they never will.
  bool fits_ahead(const State& state) const;
  // What a loop does to a boundary (counting.md A4).
  void meet(Open& open, std::size_t d, bool spatial, std::uint8_t loops) const;
  // The rules that concern a slot, as far as they can tell.
  bool obeys(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot) const;
  // Rules whose outermost slot lies behind; what they remembered is forgotten.
  bool leave(State& state, std::uint8_t slot) const;
  bool pass_axis(State& state, std::uint8_t slot);
  // Every way to fill a temporal slot: loops one by one from the inside out. Neighbours that no
  // open boundary and no rule tells apart stand in the order of their dimensions.
  void grow(const State& state, std::uint8_t slot, DimMask used, int last, bool last_paid);
  // Could the loop over `a`, already there, just as well stand outside one over `b`?
  bool commute(const State& state, std::uint8_t slot, std::size_t a, std::size_t b) const;
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
  bool covers(const State& state) const;
  bool splits(std::uint8_t fanout, std::size_t d) const;

  // ---- paying ----
  // Steps still ahead that lie below the parent and have lanes.
  bool lanes_ahead(const Open& open) const;
  // Where every index is a word and nothing is ragged, it does not matter what grows between the
  // end of the run and lanes further out.
  bool is_plain(const Open& open) const;
  // True if something was.
  bool pay_ready(State& state);
  void pay(State& state, const Open& open);
  void add_lanes_ahead(const Open& open, BoundaryLoops& boundary);
  // Does the slot lie inside the boundary's parent?
  bool inside(const Open& open, std::uint8_t slot) const;
  // At the end of a step: pays what can be paid; at the top everything.
  bool settle(State& state);

  // ---- keeping ----
  // Everything that the future of a state depends on.
  std::string key_of(const State& state) const;
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
  static bool no_worse(const State& a, const State& b, double rounding_pj);
  void keep(State&& state);
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

}  // namespace loopscape
