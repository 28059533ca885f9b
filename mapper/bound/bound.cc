#include "mapper/bound/bound.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "mapper/bound/sweep.h"

namespace loopscape {
namespace {

constexpr std::int64_t kLargestExtent = 1 << 30;
constexpr std::int64_t kMostOperations = std::int64_t{1} << 52;  // exact as a double

Status supported(const Problem& problem, const Conventions& conventions) {
  if (conventions.reuse == Conventions::Reuse::kPreviousTile) {
    return {StatusCode::kUnsupported,
            "movement bounds are told under \"reuse\": \"march\" only; with previous_tile what "
            "crosses depends on every loop outside"};
  }
  for (const Dim& dim : problem.dims) {
    if (dim.extent > kLargestExtent) {
      return {StatusCode::kUnsupported,
              "movement bounds are told for extents up to 2^30; " + dim.name + " is larger"};
    }
  }
  if (problem.operations() <= kMostOperations) return {};
  return {StatusCode::kUnsupported, "movement bounds are told up to 2^52 operations"};
}

// Why the bounds of this store are not told; empty: they are.
std::string untold(const Mapspace& space, const Surroundings& around, const Crossings& crossings) {
  const std::size_t t = index(space.problem().output());
  if ((around.tensors >> t & 1u) == 0) return "";
  const auto parts = static_cast<DimMask>(~crossings.relevant(t) | crossings.sliding(t));
  const Placement& placement = space.placements()[around.placement];
  bool above = true;
  std::uint8_t parent = 0;
  for (const Surroundings::Item& item : around.items) {
    if ((item.tensors >> t & 1u) != 0) parent = item.id;
  }
  for (const PlacementStep& step : placement.steps) {
    if (step.kind == PlacementStep::Kind::kStore) {
      above = above && step.memory != parent;
      continue;
    }
    const Slot& slot = placement.slots[step.slot];
    if (!above || slot.kind != Slot::Kind::kAxis || (slot.dims & parts) == 0) continue;
    return "how many partial sums come back from " + space.arch().memories[parent].name +
           " depends on loops outside it, since " + space.arch().fanouts[slot.fanout].name +
           " above it may split a reduction";
  }
  return "";
}

class Bounds {
 public:
  Bounds(const Mapspace& space, const Evaluator& evaluator, const BoundLimits& limits)
      : space_(space), limits_(limits), crossings_(evaluator, space.options().factors) {}

  MovementBounds run() {
    for (std::uint32_t p = 0; p < space_.placements().size(); ++p) {
      const std::vector<PlacementStep>& steps = space_.placements()[p].steps;
      for (std::size_t s = 1; s < steps.size(); ++s) {
        if (steps[s].kind == PlacementStep::Kind::kStore) look_at(surroundings_of(space_, p, s));
      }
    }
    MovementBounds all;
    all.space = space_.words();
    for (auto& [key, its] : known_) {
      MovementBound& bound = its.bound;
      for (const auto& [bits, step] : its.staircase.steps()) {
        if (bound.untold.empty()) {
          bound.steps.push_back({bits, step.words, space_.mapping(step.point)});
        }
      }
      all.bounds.push_back(std::move(bound));
    }
    all.work = crossings_.work();
    return all;
  }

 private:
  struct Known {
    MovementBound bound;
    Staircase staircase;
    std::set<std::string> seen;
  };
  using Key = std::tuple<std::uint8_t, int, TensorMask>;

  void look_at(const Surroundings& around) {
    Known& its = known_[{around.memory, -std::popcount(around.tensors), around.tensors}];
    its.bound.memory = around.memory;
    its.bound.tensors = around.tensors;
    if (!its.seen.insert(around.text()).second) return;
    if (its.bound.untold.empty()) its.bound.untold = untold(space_, around, crossings_);
    if (!its.bound.untold.empty() || !its.bound.complete) return;
    its.bound.complete = sweep(space_, around, limits_, crossings_, its.staircase);
  }

  const Mapspace& space_;
  const BoundLimits& limits_;
  Crossings crossings_;
  std::map<Key, Known> known_;
};

}  // namespace

Arch without_limits(const Arch& arch) {
  Arch bare = arch;
  for (Memory& memory : bare.memories) memory.size_bits.reset();
  bare.constraints.clear();
  for (const Constraint& constraint : arch.constraints) {
    if (constraint.keep.empty() && constraint.bypass.empty()) continue;
    Constraint kept;
    kept.node = constraint.node;
    kept.keep = constraint.keep;
    kept.bypass = constraint.bypass;
    bare.constraints.push_back(std::move(kept));
  }
  return bare;
}

Result<MovementBounds> movement_bounds(const Problem& problem, const Arch& arch,
                                       const Conventions& conventions, Factors factors,
                                       const BoundLimits& limits) {
  if (Status status = supported(problem, conventions); !status.ok()) return status;
  const Arch bare = without_limits(arch);
  const Result<Mapspace> space = Mapspace::create(problem, bare, {factors, Stores::kEven});
  if (!space.ok()) return space.status();
  // Prices do not matter here.
  const Result<Evaluator> evaluator = Evaluator::create(problem, bare, conventions, ActionCosts());
  if (!evaluator.ok()) return evaluator.status();
  return Bounds(*space, *evaluator, limits).run();
}

}  // namespace loopscape
