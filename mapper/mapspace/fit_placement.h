// Does anything fit in one placement? For this folder only.
#pragma once

#include <optional>

#include "mapper/mapspace/ways.h"
#include "model/counting/counting.h"

namespace loopscape {

// What is asked of the model, the same for all placements.
struct Footprints {
  CountingContext counting;
  WorkspacePtr workspace;

  std::uint64_t words(std::size_t tensor, const std::array<std::int64_t, kMaxDims>& tile) {
    return static_cast<std::uint64_t>(
        tile_footprint(counting, static_cast<int>(tensor), tile, *workspace));
  }
  std::uint64_t bits(std::size_t tensor) const { return counting.tensor[tensor].bits; }
};

// A point (of placement number 0) within every capacity of the architecture and every rule of the
// placement. Nothing: there is none, or the budget is used up.
std::optional<Point> fit_in(const Placement& placement, const Problem& problem, const Arch& arch,
                            Footprints& footprints, Tuples& tuples, FitBudget& budget);

}  // namespace loopscape
