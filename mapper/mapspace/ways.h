// What one dimension can do in one placement, as far as anything asks that must fit.
//
// Whether a mapping fits follows from the tiles in memories of limited size, what is left of the
// axes, how many lanes are in use where that is asked for, and where loops stand whose order is.
// A way that is at least as good in all of these leaves the other dimensions at least as much, so
// only the best ways are kept: mostly one or two of the millions of chains.
// For this folder only.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "mapper/mapspace/chains.h"
#include "mapper/mapspace/mapspace.h"

namespace loopscape {

// A tile of one tensor whose size matters.
struct FitEntry {
  std::size_t step;  // into Placement::steps
  std::uint8_t memory, tensor;
  bool exact;  // its memory must be filled as well: less is not better
};

// What is asked of a placement.
struct FitQuestion {
  const Problem* problem;
  const Placement* placement;
  std::vector<FitEntry> entries;
  std::vector<std::size_t> axes;  // slots
  SlotMask ordered = 0;           // slots that rules of order speak of

  bool relevant(std::size_t entry, std::size_t dim) const {
    return (problem->tensors[entries[entry].tensor].relevant >> dim & 1u) != 0;
  }
  std::uint32_t axis_size(std::size_t axis) const { return placement->slots[axes[axis]].size; }
  bool asks_lanes(std::size_t slot) const;
};

struct Way {
  std::vector<std::uint32_t> tile;   // by entry; 1 where the dimension is irrelevant
  std::vector<std::uint32_t> bound;  // by axis; 1: no loop
  SlotMask slots = 0;
  std::vector<ChainLoop> chain;  // from the inside out
};

// Lanes that count for rule `rule`, of these bounds or products of bounds by axis.
std::uint64_t lanes_of(const FitQuestion& question, std::size_t rule,
                       const std::vector<std::uint32_t>& bound);

// Ends what takes too long.
class FitBudget {
 public:
  FitBudget(std::uint64_t most, const std::atomic<bool>* stop) : most_(most), stop_(stop) {}
  // False: used up.
  bool spend(std::uint64_t steps = 1);
  std::uint64_t spent() const { return spent_; }

 private:
  std::uint64_t most_, spent_ = 0, looked_ = 0;
  const std::atomic<bool>* stop_;
  bool stopped_ = false;
};

// The best ways of a dimension of extent > 1, none of them as good as another; if the budget is
// used up, some.
std::vector<Way> best_ways(const FitQuestion& question, std::size_t dim, Tuples& tuples,
                           FitBudget& budget);

}  // namespace loopscape
