// Does the optimal search find, and prove, what pricing every mapping finds? Are there as many
// mappings as are counted?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/optimality/optimal_worlds.h"

namespace loopscape {

struct Checks {
  bool rules = false;        // every pruning rule off as well
  bool limits = false;       // stopped early as well
  bool rounds = false;       // few choices of lanes at once as well
  bool independent = false;  // list the mapspace by brute_force() as well
};

struct SearchTally {
  std::uint64_t searches = 0, without_best = 0, stopped = 0, stopped_open = 0;
  std::uint64_t states = 0, bounded = 0, dominated = 0;
  std::uint64_t counted = 0, counted_fewer = 0;  // worlds; where not every mapping fits
  std::uint64_t at_prices = 0;                   // worlds searched for prices of a cycle
  double seconds = 0;
  double bound_share = 0;  // sum of lower bound / optimum over `stopped` with a positive bound
};

// What is wrong, a line each; empty when all is well.
std::vector<std::string> check_quest(const Quest& quest, const Listing& listing,
                                     const Checks& checks, SearchTally& tally);

}  // namespace loopscape
