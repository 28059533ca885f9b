// One placement with its spatial loops fixed, climbed from one operation to the whole problem
// (optimal_search.md). A state is a tile shape, the boundaries that are still open, and what rules
// remember; of two states with the same future the cheaper one is kept. For this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mapper/mapspace/mapspace.h"
#include "mapper/search/incumbent.h"
#include "model/bounds/bounds.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

// The loops on every axis slot of a placement, outermost first; other slots are empty.
using SpatialLoops = std::vector<std::vector<Point::Loop>>;

// Every choice of spatial loops that leaves a mapping, in the documented order: by compute steps
// that they allow at best, fewest first, then as generated (outer slots first, smaller bounds
// first).
std::vector<SpatialLoops> spatial_choices(const Mapspace& space, const Placement& placement);

struct ClimbWork {
  std::uint64_t states = 0, bounded = 0, dominated = 0, work = 0, unpriced = 0;
};

class Climb {
 public:
  Climb(const Mapspace& space, const Evaluator& evaluator, BoundaryCounter& counter,
        std::uint32_t placement, const SpatialLoops& spatial, const PruningRules& rules);

  // A bound for every mapping with these spatial loops.
  double least_energy() const { return least_energy_; }
  double least_cycles() const { return least_cycles_; }

  // Offers every mapping that may belong to the answer. False: interrupted, nothing is proved.
  bool run(Incumbents& incumbents, Scratch& scratch, ClimbWork& work,
           const SearchLimits& limits) const;

 private:
  struct State;
  class Run;
  struct Step {
    enum class Kind : std::uint8_t { kSlot, kAxis, kStore } kind;
    std::uint8_t slot = 0, memory = 0;
    TensorMask tensors = 0;
  };

  double cycles_of(const std::vector<double>& busy, double exposed) const;
  void add_leakage(double cycles, double& energy) const;

  const Mapspace& space_;
  const Evaluator& evaluator_;
  BoundaryCounter& counter_;
  std::uint32_t placement_number_;
  const Placement& placement_;
  const SpatialLoops& spatial_;
  PruningRules rules_;
  Skeleton skeleton_;
  BoundaryPrices prices_;
  std::vector<Step> steps_;  // innermost first
  // [tensor][boundary]: the least it costs.
  std::vector<std::vector<Terms>> least_;
  double steps_least_ = 1;  // of compute
  double least_energy_ = 0, least_cycles_ = 0;
};

}  // namespace loopscape
