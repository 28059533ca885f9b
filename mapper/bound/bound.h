// Movement bounds: how few words must cross into a memory that holds at most so many bits.
//
//   Result<MovementBounds> all = movement_bounds(problem, arch, conventions, Factors::kPerfect);
//   for (const MovementBound& bound : all->bounds) ... bound.steps ...
//
// The claim. Take a memory M other than the outermost, and a set of tensors that it may keep. Of
// all even mappings of the problem in which M keeps exactly these tensors, no matter what else they
// cost, none that occupies less than the capacity of the next step moves fewer words between M and
// the parents of these tensors than a step says; and the step's own mapping occupies that capacity
// and moves that many. Further:
//   * words are counted at the parents, over all their instances: what they read for M (inputs, and
//     partial sums that come back) and what they update from it. A multicast word counts once;
//   * capacity is that of one instance of M: the bits of its tiles, all tensors together;
//   * no other capacity matters, nor do constraints on loops and utilization: the bound is one of
//     the machine's structure, whatever the dataflow and the sizes around M. The memories, what
//     they must and may not keep, the fan-outs, their sizes and the dimensions of their axes do;
//   * tensors that pass M by are no matter of M's: each set of tensors has its own bounds;
//   * mappings that the model does not count (counting.md B9) are passed over.
//
// Why it is exact. What crosses follows from the tile T at M, from the spatial loops between M and
// the parents, and from the temporal loops outside M until the runs and marches of all these
// tensors have ended (optimal_search.md, "Cost closes locally"); model/bounds counts that. What
// lies inside M is free, since any tile can be made by loops directly inside it. So all T, all
// splits and all beginnings of a nest are looked at, less what cannot be better:
//   * dimensions that no kept tensor has stay inside M whole: that costs no capacity and no words;
//   * dimensions that all kept tensors have, each index another word, stay outside: a larger tile
//     costs capacity and saves no words;
//   * a temporal loop takes all that is left of its dimension, unless lanes further out split it:
//     a longer run or march never moves more;
//   * loops outside the outermost parent say nothing new: the same run or march can stand inside.
//     Only lanes there over the dimensions of a strided sliding rank do, as a march steps over
//     them;
//   * ragged: of tiles with equally many iterations outside, the smallest, where no lanes may split
//     the dimension and every rank with it has coefficients 1 and all its words move.
// Not told, with a sentence instead: an output whose parent lies below a fan-out that may split
// one of its reductions. How many partial sums come back depends on loops outside the parent then.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "mapper/mapspace/mapspace.h"

namespace loopscape {

struct BoundStep {
  std::int64_t capacity_bits = 0, words = 0;
  Mapping mapping;
};

struct MovementBound {
  std::uint8_t memory = 0;
  TensorMask tensors = 0;        // that it keeps
  std::vector<BoundStep> steps;  // more capacity, fewer words
  bool complete = true;          // false: a limit struck; the steps are mappings, but no bounds
  std::string untold;            // why there are no steps
};

struct MovementBounds {
  std::string space;                  // in words
  std::vector<MovementBound> bounds;  // by memory, outermost first; by tensors, most first
  std::uint64_t work = 0;             // boundaries counted
};

struct BoundLimits {
  std::uint64_t max_work = 20'000'000;
  const std::atomic<bool>* stop = nullptr;
};

// `reuse: previous_tile` is refused: what crosses does not close there.
Result<MovementBounds> movement_bounds(const Problem& problem, const Arch& arch,
                                       const Conventions& conventions, Factors factors,
                                       const BoundLimits& limits = {});

// The architecture that the claim is about: without capacities and constraints on loops.
Arch without_limits(const Arch& arch);

}  // namespace loopscape
