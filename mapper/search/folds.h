// Cycles that the residences of a systolic fan-out's stationary tensor expose at least
// (counting.md A9), told from the lanes alone. For this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "mapper/mapspace/mapspace.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

class LeastFolds {
 public:
  LeastFolds(const Mapspace& space, const Evaluator& evaluator, const Placement& placement);

  // `lanes`: of every dimension, in all.
  double cycles(std::span<const std::int64_t> lanes) const;

 private:
  // One fan-out below which a single tensor is stored.
  struct Stationary {
    double cycles = 0;                                          // of each residence
    std::vector<std::pair<std::size_t, std::int64_t>> extents;  // of its dimensions
    std::int64_t most_words = 1;                                // of a tile
  };
  std::vector<Stationary> stationary_;
};

}  // namespace loopscape
