// The mapspace: every canonical mapping of a problem on an architecture.
//
//   Result<Mapspace> space = Mapspace::create(problem, arch, {});
//   for (const Placement& placement : space->placements()) ...
//
// A placement says which memory stores which tensors and in which order; between its stores it has
// slots, in which loops may stand. A mapping of the space is a placement, for every dimension a
// bound in every slot (1: no loop), and for every slot whose order matters an order of its loops.
// So a slot holds at most one loop per dimension. What is left out says nothing new:
//   * loops outside the outermost store, and loops of bound 1;
//   * temporal loops between a fan-out and the first store below it, except over sliding dimensions
//     that this fan-out splits (they let the children march);
//   * other orders of the spatial loops on one axis, unless its network tells cells apart (mesh,
//     tree, systolic, neighbour links); axes stand in alphabetical order;
//   * other orders of stores with no loop between them.
// The search knows nothing of legality but what stands here.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

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
  // "canonical, even, ragged": what the space holds, for certificates.
  std::string words() const;

 private:
  Problem problem_;
  Arch arch_;
  MapspaceOptions options_;
  std::vector<Placement> placements_;
};

}  // namespace loopscape
