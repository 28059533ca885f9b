// The mapspace: every canonical mapping of a problem on an architecture.
//
//   Result<Mapspace> space = Mapspace::create(problem, arch, {});
//   for (const Placement& placement : space->placements()) ...
//
// A placement says which memory stores which tensors and in which order; between its stores it has
// slots, in which loops may stand. A mapping of the space is a placement, for every dimension a
// bound in every slot (1: no loop), and for every slot whose order matters an order of its loops.
// So a slot holds at most one loop per dimension. What is left out says nothing new:
//   * loops outside the outermost store, and loops of bound 1; the outermost memory stores all
//     tensors at one position, even in uneven mappings;
//   * temporal loops between a fan-out and the first store below it, except over sliding dimensions
//     that this fan-out splits (they let the children march);
//   * other orders of the spatial loops on one axis, unless its network tells cells apart (mesh,
//     tree, systolic, neighbour links); axes stand in alphabetical order;
//   * other orders of stores with no loop between them.
// The search knows nothing of legality but what stands here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "mapper/mapspace/big_count.h"
#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"

namespace loopscape {

enum class Factors : std::uint8_t { kRagged, kPerfect };
// Even: a memory stores all its tensors at one position, memories follow the architecture's order.
// Uneven: every store of one tensor has its own position, in every order that model.md section 3
// allows.
enum class Stores : std::uint8_t { kEven, kUneven };

struct MapspaceOptions {
  Factors factors = Factors::kRagged;
  Stores stores = Stores::kEven;
};

struct Slot {
  enum class Kind : std::uint8_t { kTemporal, kUnderFanout, kAxis } kind = Kind::kTemporal;
  std::uint8_t fanout = 0;  // kUnderFanout, kAxis
  std::uint8_t axis = 0;    // kAxis: AxisId
  std::uint32_t size = 0;   // kAxis: what the bounds may multiply to
  // Dimensions that may have a loop here; under a fan-out only if that fan-out splits them.
  DimMask dims = 0;
  bool ordered = true;  // the order of its loops distinguishes mappings
};

// A store, or a slot, from the outside in.
struct PlacementStep {
  enum class Kind : std::uint8_t { kStore, kSlot } kind;
  std::uint8_t memory = 0;
  TensorMask tensors = 0;
  std::uint8_t slot = 0;
};

using SlotMask = std::uint64_t;
inline constexpr std::size_t kMaxSlots = 64;

// Constraints, resolved for one placement. "The loops" of a rule are those in its slots, outermost
// first.
struct FactorRule {  // the bounds over `dim` multiply to at least `least` and at most `most`
  SlotMask slots = 0;
  std::uint8_t dim = 0;
  std::int64_t least = 1, most = INT64_MAX;
};
struct OrderRule {  // going inwards, place[dim] never grows
  SlotMask slots = 0;
  std::array<std::uint8_t, kMaxDims> place{};
};
struct StationaryRule {  // no loop over a relevant dimension directly inside one that is not
  SlotMask slots = 0;
  DimMask relevant = 0;
};
struct LanesRule {  // the bounds multiply to at least `share` of `lanes`
  SlotMask slots = 0;
  double share = 0, lanes = 1;
};
struct FilledRule {  // at least `share` of the usable bits of `memory` are occupied
  std::uint8_t memory = 0;
  double share = 0;
};

struct Placement {
  std::vector<Slot> slots;           // outermost first
  std::vector<PlacementStep> steps;  // outermost first
  // Each of these sets of slots has a loop: an empty one would repeat another placement's mapping.
  std::vector<SlotMask> must_loop;
  std::vector<FactorRule> factors;
  std::vector<OrderRule> orders;
  std::vector<StationaryRule> stationary;
  std::vector<LanesRule> lanes;
  std::vector<FilledRule> filled;
};

// These dimensions in the first order, outermost first, that the rules of a slot allow: the one
// that the space has where the order of a slot's loops distinguishes nothing.
std::vector<DimMask> first_order(const Placement& placement, std::size_t slot, DimMask dims);

// One mapping of the space, in the space's own terms.
struct Point {
  std::uint32_t placement = 0;
  // Per slot its loops, outermost first: dimension and bound.
  struct Loop {
    std::uint8_t dim;
    std::uint32_t bound;
    friend bool operator==(const Loop&, const Loop&) = default;
  };
  std::vector<std::vector<Loop>> slots;
  friend bool operator==(const Point&, const Point&) = default;
};

class Mapspace {
 public:
  // An error: a constraint names what does not exist, or constraints contradict each other so that
  // no placement is left.
  static Result<Mapspace> create(const Problem& problem, const Arch& arch,
                                 const MapspaceOptions& options);

  const Problem& problem() const { return problem_; }
  const Arch& arch() const { return arch_; }
  const MapspaceOptions& options() const { return options_; }
  const std::vector<Placement>& placements() const { return placements_; }

  Mapping mapping(const Point& point) const;
  // The inverse: what point has this mapping? An error says why none has.
  Result<Point> point_of(const Mapping& mapping) const;
  // "canonical, even, ragged": what the space holds, for certificates.
  std::string words() const;

 private:
  Problem problem_;
  Arch arch_;
  MapspaceOptions options_;
  std::vector<Placement> placements_;
};

// ---- Numbers of mappings ----
//
// Every mapping of the space has a number below its size, capacities not looked at. The order:
//   1. by placement;
//   2. by where the loops of each dimension of extent > 1 stand, the problem's first dimension
//      first: what is left of each axis, outermost axis first (no loop first), then the set of its
//      slots as a number (outermost slot: lowest bit);
//   3. by the bounds, the first dimension first: on the axes, outermost first, then in the slots
//      that factor rules limit, then in the others, each from the inside out, small ones first;
//   4. by the orders of loops, the outermost slot first: dimensions in the problem's order where
//      constraints leave them a choice.

struct CountLimits {
  std::uint64_t most_entries = 1 << 23;         // ways to place the loops of one dimension
  std::uint64_t most_work = 4'000'000'000;      // multiplications per placement
  std::uint64_t most_numbered_nodes = 1 << 20;  // see grid.h
  std::uint64_t most_dead_ends = 100'000'000;   // that a walk tries from one mapping to the next
  const std::atomic<bool>* stop = nullptr;      // ends a count
};

// One for each thread: it remembers what it has computed.
class Numbering {
 public:
  static Result<Numbering> create(const Mapspace& space, const CountLimits& limits = {});
  Numbering(Numbering&&) noexcept;
  Numbering& operator=(Numbering&&) noexcept;
  ~Numbering();

  const BigCount& size() const;
  const std::vector<BigCount>& sizes() const;  // by placement

  Result<Point> unrank(const BigCount& number);  // below size()
  Result<BigCount> rank(const Point& point);     // of the space
  // Uniform. Takes words of 64 bits from the generator, the least significant of the number first,
  // until the number they make, cut to the bits of size() - 1, is below size(). Size > 0.
  Result<Point> sample(std::mt19937_64& random);

 private:
  struct State;
  explicit Numbering(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Visits every mapping in the order of its number until the visitor returns false. An error: a
// limit is reached.
Status for_each_point(const Mapspace& space, const std::function<bool(const Point&)>& visit,
                      const CountLimits& limits = {});

// Mappings by the number of their loops (with bound > 1).
struct Census {
  BigCount all, legal;  // before capacity; within every capacity and `filled` rule
  std::vector<BigCount> all_by_depth, legal_by_depth;
};
struct CensusLimits {
  std::uint64_t most_entries = 1 << 23;
  std::uint64_t most_steps = 30'000'000;  // partial mappings and chains looked at
  const std::atomic<bool>* stop = nullptr;
};
// An error: a limit is reached, or it was stopped. Capacities are the model's: full tiles, usable
// bits.
Result<Census> take_census(const Mapspace& space, const Conventions& conventions,
                           const CensusLimits& limits = {});

// ---- Does anything fit? ----

struct FitLimits {
  std::uint64_t most_steps = 50'000'000;  // some seconds
  const std::atomic<bool>* stop = nullptr;
};
struct Fit {
  std::optional<Mapping> mapping;  // within every capacity and rule, if there is one
  bool settled = true;             // false: none was found before a limit struck
  std::uint64_t steps = 0;
};
// In the space of these. Capacities are the model's, as in a census; prices, and whether there are
// any, are not looked at. An error: as of a Mapspace.
Result<Fit> find_fit(const Problem& problem, const Arch& arch, const MapspaceOptions& options,
                     const Conventions& conventions, const FitLimits& limits = {});

}  // namespace loopscape
