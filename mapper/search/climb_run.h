// The states of a climb and the climb itself. For climb*.cc only.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/container/deque.hpp>
#include <boost/container/small_vector.hpp>

#include "mapper/search/climb.h"

namespace loopscape {

inline bool has(DimMask mask, std::size_t dim) { return (mask >> dim & 1u) != 0; }
inline bool has_slot(SlotMask mask, std::size_t slot) { return (mask >> slot & 1u) != 0; }

inline constexpr int kNoDim = -1;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A boundary from its child outwards.
struct Open {
  enum class Phase : std::uint8_t { kRun, kMarch, kClosed } phase = Phase::kRun;
  std::uint8_t tensor = 0, boundary = 0;
  std::int8_t marching = kNoDim, ended_by = kNoDim;
  bool to_compute = false;
  std::array<std::uint32_t, kMaxDims> tile{};
  std::uint8_t first = 0, end = 0;   // its loops in State::loops; `end` once closed
  double demand = 0, copies_pj = 0;  // once closed: words that cross, and further copies, at least
  double fold_cycles = 0;            // once its run has ended; paid when it closes
  double tile_cycles = 0;            // of its store's tile, and paid with that
};

inline constexpr std::uint8_t kStored = 0;
// Where the run of a tensor ended whose stay in a systolic array matters (counting.md A9).
struct RunEnd {
  std::uint8_t fanout, tensor;
  std::uint8_t at;  // of compute's word: how many loops there were, with the one that ended it
  std::array<std::uint32_t, kMaxDims> tile;
};

// Few states need more than these hold without a heap.
template <class T, std::size_t n>
using Few = boost::container::small_vector<T, n>;

// Over a boundary that is paid: the words, and which share of them each instance moves.
struct Moved {
  // Under previous_tile the loops further out decide what is still there: no two are alike.
  static constexpr std::uint32_t kUntold = UINT32_MAX;
  BoundaryWords words;
  std::uint32_t share = 0;  // see share_of()
};

struct Climb::State {
  Tile tile{};                    // may exceed the extent where the edge cuts
  Few<MappingNode, 24> loops;     // innermost first
  Few<std::uint8_t, 24> slot_of;  // of each loop
  Few<Open, 6> open;
  Terms paid;
  // What links of each of the kin cost beyond that, and the least of it.
  Few<double, 8> more_pj;
  double least_more_pj = 0;
  Few<Moved, 12> moved;               // over paid boundaries, where sums do not tell all
  Few<std::int64_t, 4> used_bits;     // per memory with several stores still to come or passed
  Few<std::int64_t, 2> factor;        // per factor rule: product so far
  Few<std::uint8_t, 2> place;         // per order rule: place reached
  Few<std::uint8_t, 2> has_relevant;  // per stationary rule
  SlotMask looped = 0;                // slots with a loop
  Few<std::uint32_t, 4> at_lanes;     // ragged: tiles just below spatial loops
  Few<std::uint8_t, 4> lanes_at;      // and where those loops are in `loops`
  Few<RunEnd, 3> run_ends;            // of watched runs
  TensorMask compute_runs = 0;        // tensors whose run of compute's word is watched and goes on
  bool priced = true;                 // false: a boundary that the model does not count lies behind
  double steps = 0;                   // of compute, at least; set when the state is kept
  double value = 0;                   // of the objective, at least; likewise
  bool gone = false;                  // on already: what came of it is known
};

// One climb: states of one position after another, innermost first.
class Climb::Run {
 public:
  Run(Climb& climb, Incumbents& incumbents, Scratch& scratch, ClimbWork& work,
      const SearchLimits& limits)
      : climb_(climb),
        problem_(climb.space_.problem()),
        dims_(problem_.dims.size()),
        perfect_(climb.space_.options().factors == Factors::kPerfect),
        incumbents_(incumbents),
        scratch_(scratch),
        work_(work),
        limits_(limits) {
    set_lanes();
  }
  End run(std::size_t beam, bool strict);

 private:
  // ---- start and finish ----
  static constexpr std::size_t kMostWaiting = 20'000;  // some 40 MB
  static constexpr std::size_t kMostFirst = 512;       // before all of a step's states go on
  // States before a step, and those that have gone on but others are still compared with.
  struct Waiting {
    using States = boost::container::deque<
        State, void, boost::container::deque_options<boost::container::block_size<16>>::type>;
    std::size_t step = 0;
    States states;
    std::unordered_map<std::string, std::vector<State*>> by_key;
    std::vector<State*> in_order();
    void clear() {
      states.clear();
      by_key.clear();
    }
  };
  void set_lanes();
  State first_state();
  void dive(std::size_t most);
  void climb_on(std::size_t waiting);
  void follow(State&& state, std::size_t waiting);
  void finish(Waiting& complete);
  void offer(const State& state);
  void offer_with(const State& state, const SpatialLoops& spatial);
  Mapping mapping_of(const State& state, const SpatialLoops& spatial) const;
  bool interrupted();
  // Between units of work, where there may be thousands of millions of bounds.
  bool told_to_stop();

  // ---- bounds ----
  // Where the outlook, which sees all levels ahead together, is asked for a state.
  struct Place {
    std::size_t level = 0;
    unsigned open = 0;
    bool begun = false;
  };
  // What is known of all states that are alike but for their tile along one dimension.
  struct Prospect {
    struct Seen {  // in one of the views
      double paid;
      Outlook::Ahead ahead;
    };
    std::size_t dim = 0;
    Few<Seen, 1 + kMostBlends> views;
    std::size_t place = 0;         // in the lattice, but for that dimension
    std::int64_t lanes = 1;        // over it, up to the next level
    double steps = 1;              // of compute, but along it, at least
    Few<std::uint32_t, 4> below;   // its tiles below lanes
    double busy = 0, exposed = 0;  // cycles, at least
  };
  // `passed`: taken to have passed the steps before this one.
  Prospect prospect_of(const State& state, std::size_t passed, std::size_t dim) const;
  Prospect prospect_of(const State& state, std::size_t dim) const {
    return prospect_of(state, ahead_of_stores(), dim);
  }
  Place place_of(const State& state, std::size_t passed) const;
  double seen_as_paid(const State& state, const Place& place, const View& view) const;
  // Of compute, at least.
  double steps_of(const State& state, const Prospect& prospect) const;
  std::size_t place_in(const Prospect& prospect, const Tile& tile) const;
  // What the outlook tells alone, which is quick; and lines of the other views.
  CostBound quick_bound(const Prospect& prospect, std::size_t place, double steps) const;
  void add_lines(const Prospect& prospect, std::size_t place, double steps, CostBound& bound) const;
  // What each boundary costs by itself, and not less than this energy.
  void add_floors(const State& state, double steps, double energy, CostBound& bound);
  // Steps before this one have been passed.
  std::size_t ahead_of_stores() const;
  bool useful(const State& state) { return useful(state, prospect_of(state, 0)); }
  bool useful(const State& state, const Prospect& prospect);
  // As far as the outlook tells, if the slot ends here.
  bool useful_beyond(const State& state);
  // With a beam, only what is among its best so far is of use.
  void narrow_beam();

  // ---- steps ----
  // Through a slot and everything up to the next one: only there it shows whether a tile was of
  // use.
  void advance(State&& state, std::size_t end);
  // Through stores and lanes.
  void pass_on(State&& state, std::size_t first, std::size_t end);
  void stand_before(std::size_t step);
  void stand_after(std::size_t step);
  bool pass_store(State& state, const Step& step);
  static std::int64_t usable(const Memory& memory);
  std::int64_t bits_of(std::size_t t) const;
  bool stores_later(std::uint8_t memory) const;
  std::array<std::uint32_t, kMaxDims> clipped(
      const std::array<std::uint32_t, kMaxDims>& tile) const;
  std::int64_t extent(std::size_t d) const { return extents_[d]; }
  // With the lanes up to a step further out, clipped.
  Tile carried(const Tile& tile, std::size_t ahead) const;
  void put_tiles_below_lanes(const State& state, std::size_t d, Few<std::uint32_t, 4>& below) const;
  // For a loop over d with this bound, just outside all others; nor for any with a larger one?
  enum class Room : std::uint8_t { kThere, kNot, kNoMore };
  Room room_for(const State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot) const;
  struct RoomAlong {
    std::int64_t there, none;  // for these bounds
  };
  Room room_for(const State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot,
                RoomAlong& known) const;
  // Puts it there. False: a rule forbids it.
  bool stack(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot);
  // Of its outermost loop, which is temporal.
  bool set_bound(State& state, const State& before, std::uint32_t bound) const;
  void end_run(State& state, Open& open, const Tile& tile) const;
  void end_compute_runs(State& state, std::size_t d, const Tile& tile) const;
  // For the spatial loops over d that come further out.
  bool leaves_room(std::size_t d, std::int64_t tile) const;
  bool leaves_factors(const State& state, std::size_t d, std::int64_t tile,
                      std::uint8_t slot) const;
  // Tiles only grow: what stores further out cannot hold now they never will.
  bool fits_ahead(const Tile& reached) const;
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
  void grow_along(std::size_t dim, const State& state, std::uint8_t slot, DimMask used);
  // Could the loop over `a`, already there, just as well stand outside one over `b`?
  bool commute(const State& state, std::uint8_t slot, std::size_t a, std::size_t b) const;
  // Until `visit` returns false.
  template <class Visit>
  void bounds(std::size_t d, std::uint32_t tile, bool outermost, const Visit& visit) const {
    const std::int64_t rest = ceil_div(extent(d), tile);
    if (outermost) {
      visit(static_cast<std::uint32_t>(rest));
      return;
    }
    if (perfect_) {
      for (const std::uint32_t bound : climb_.divisors_[d]) {
        if (bound > 1 && extent(d) / tile % bound == 0 && !visit(bound)) return;
      }
      return;
    }
    const bool by_count = climb_.rules_.equal_counts && climb_.counts_tell_[d];
    for (std::int64_t bound = 2; bound <= rest;) {
      if (!visit(static_cast<std::uint32_t>(bound))) return;
      // Of bounds that leave equally many iterations outside, the smallest holds the least.
      const std::int64_t outside = ceil_div(rest, bound);
      bound = by_count ? (outside == 1 ? rest + 1 : ceil_div(rest, outside - 1)) : bound + 1;
    }
  }
  bool is_last_slot(std::uint8_t slot) const { return slot == 0; }
  bool covers(const State& state) const;
  // With the slots and lanes outside this one.
  bool may_cover(const State& state) const;
  bool splits(std::uint8_t fanout, std::size_t d) const;

  // ---- paying ----
  // Steps still ahead that lie below the parent and have lanes.
  bool lanes_ahead(const Open& open) const;
  // Then it does not matter what grows between the end of the run and lanes further out.
  bool is_plain(const Open& open) const;
  // True if something was.
  bool pay_ready(State& state);
  void pay(State& state, const Open& open);
  static void add_more(const KinFlow& flow, State& state);
  void add_lanes_ahead(const Open& open, BoundaryLoops& boundary);
  // What tells, with the tiles below all lanes, which share of the words each instance moves, as a
  // number: where it is equal, words of all instances are as their sums.
  std::uint32_t share_of(const BoundaryLoops& boundary, const BoundaryFlow& flow,
                         const KinFlow* of_kin);
  void put_told_loops(const BoundaryLoops& boundary, DimMask told);
  void put_share(std::size_t value) {
    const auto number = static_cast<std::uint32_t>(value);
    share_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  // Does the slot lie inside the boundary's parent?
  bool inside(const Open& open, std::uint8_t slot) const;
  // At the end of a step: pays what can be paid; at the top everything.
  bool settle(State& state);

  // ---- keeping ----
  // Everything that the future of a state depends on.
  std::string key_of(const State& state) const;
  // Does the tile below these lanes still matter? Not once every boundary across them is paid and
  // no lanes over their dimension come further out: then it only tells the steps of compute.
  bool matters(const State& state, std::size_t lanes) const;
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
      put(open.tile[static_cast<std::uint8_t>(open.marching)]);
      return;
    }
    const bool complex = climb_.counter_.complex(open.tensor) != 0;
    if (!climb_.forwards_[open.tensor] && !(complex && spans_lanes(state, open))) {
      if (complex) put_march(state, open, put);
      put_repeats(state, open, put);
      return;
    }
    // What waits for lanes may depend on each of its loops.
    for (std::size_t d = 0; d < dims_; ++d) put(open.tile[d]);
    for (std::size_t l = open.first; l < state.loops.size(); ++l) put(state.loops[l]);
    put(open.end);
  }
  // The child's tile and how far the march has come; whatever else is relevant only repeats.
  template <class Put>
  void put_march(const State& state, const Open& open, const Put& put) const {
    const DimMask relevant = climb_.counter_.relevant(open.tensor);
    for (std::size_t d = 0; d < dims_; ++d) {
      if (has(relevant, d)) put(open.tile[d]);
    }
    std::int64_t marched = 1;
    for (std::size_t l = open.first; l < open.end; ++l) {
      if (state.loops[l].id == static_cast<std::uint8_t>(open.marching))
        marched *= state.loops[l].bound;
    }
    put(marched);
  }
  bool spans_lanes(const State& state, const Open& open) const {
    for (std::size_t l = open.first; l < state.loops.size(); ++l) {
      if (state.loops[l].kind == LoopKind::kSpatial) return true;
    }
    return false;
  }
  // How often the ended run repeats: where every index is a word, nothing else matters.
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
      put(climb_.outermost_lanes_[d] == 1 ? ceil_div(extent(d), reach[d]) : reach[d]);
    }
  }
  // No instance moves more words, nor more often, in `a`.
  bool moves_no_more(const State& a, const State& b) const;
  bool no_worse(const State& a, const State& b) const;
  void keep(State&& state);
  Climb& climb_;
  const Problem& problem_;
  std::size_t dims_;
  bool perfect_;
  Incumbents& incumbents_;
  Scratch& scratch_;
  std::array<std::int64_t, kMaxDims> extents_{};
  // [step][step further out]: lanes between them.
  std::vector<std::vector<std::array<std::int64_t, kMaxDims>>> lanes_to_;
  Few<std::uint8_t, kMaxDims> dims_with_lanes_;
  double steps_without_lanes_ = 1;  // along other dimensions
  ClimbWork& work_;
  const SearchLimits& limits_;
  std::uint32_t bounds_tried_ = 0;
  std::size_t end_ = 0;               // of advance()
  std::size_t step_ = 0, ahead_ = 0;  // the lanes of steps from `ahead_` on are not in the tile yet
  Future sum_;                        // of bound()
  std::size_t beam_ = SIZE_MAX;
  bool strict_ = false, compares_words_ = false;
  double value_ = 0;            // of the state that useful() saw last
  std::vector<double> widest_;  // a heap of the beam's values
  std::vector<OpenRun> runs_;
  std::vector<MappingNode> path_;  // of pay()
  bool started_ = false, stopped_ = false, narrowed_ = false, untold_ = false;
  std::vector<Waiting> waiting_;  // in the order of their steps; at last complete ones
  Waiting* next_ = nullptr;       // one of them: where those come that follow() moves
  std::unordered_map<std::string, std::uint32_t> shares_;
  std::uint32_t last_share_ = 0;
  std::string share_;  // of share_of()
};

}  // namespace loopscape
