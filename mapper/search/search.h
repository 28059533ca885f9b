// Searches over a mapspace.
//
//   SearchResult found = search_optimal(space, evaluator, {.objective = Objective::kEdp});
//   if (found.best) use(found.best->mapping, found.certificate);
//
// optimal     proves: nothing in the space is better than what it returns, unless a limit struck,
//             and then how far at most
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mapper/mapspace/mapspace.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

enum class Objective : std::uint8_t { kEnergy, kDelay, kEdp, kEd2p };

double objective_value(Objective objective, double energy_pj, double cycles);
std::string objective_name(Objective objective);
std::optional<Objective> objective_called(const std::string& name);

// What is looked for. Ties in the objective are broken by energy (for the energy objective: by
// cycles), then by the order of the search: placements, spatial loops, then tiles from the inside.
struct Goal {
  Objective objective = Objective::kEdp;
  std::optional<double> max_cycles, max_energy_pj;
  bool front = false;  // the whole (energy, cycles) front; `objective` then only picks `best`
};

struct SearchLimits {
  std::uint64_t max_work = UINT64_MAX;  // work units: the same on every machine
  double seconds = 0;                   // 0: none
  const std::atomic<bool>* stop = nullptr;
};

struct Found {
  Mapping mapping;
  double energy_pj = 0;
  std::int64_t cycles = 0;
};

struct Certificate {
  bool proved = false;
  double lower_bound = 0;  // of the objective; equal to the best when proved
  double gap = 0;          // best / lower bound - 1
  std::string space;       // in words
  std::uint64_t states = 0;
  std::map<std::string, std::uint64_t> pruned;  // by rule
  std::uint64_t work = 0;
  std::uint64_t unpriced = 0;  // mappings met that the model does not count (counting.md B9)
  double seconds = 0;
};

struct SearchResult {
  std::optional<Found> best;
  std::vector<Found> front;  // by increasing energy
  Certificate certificate;
};

// Rules that may be switched off, for tests: the answer does not change.
struct PruningRules {
  bool bound = true;      // drop what cannot beat the best known
  bool dominance = true;  // drop what another state with the same future does not cost less than
};

SearchResult search_optimal(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                            const SearchLimits& limits = {}, const PruningRules& rules = {});

}  // namespace loopscape
