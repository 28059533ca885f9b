// Searches over a mapspace.
//
//   SearchResult found = search_optimal(space, evaluator, {.objective = Objective::kEdp});
//   if (found.best) use(found.best->mapping, found.certificate);
//
// optimal     proves: nothing in the space is better than what it returns, unless a limit struck,
//             and then how far at most
// exhaustive  prices every mapping of the space in the order of its number; proves the same, if no
//             limit strikes; no bound on the gap before its end
// random      draws mappings, each equally likely, and tells how the objective is spread; proves
//             nothing
// local       climbs from random mappings to ones that no neighbour betters; proves nothing
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

// Of a cycle, in pJ. What costs least at some price is a corner of the front's lower hull.
struct PriceRange {
  double least = 0, most = 0;
};
// What every mapping costs at least, with its cycles at a price.
struct LeastCost {
  double pj_per_cycle = 0, pj = 0;
};

// What is looked for. Ties in the objective are broken by energy (for the energy objective: by
// cycles), then by the order of the search: placements, spatial loops, then tiles from the inside.
struct Goal {
  Objective objective = Objective::kEdp;
  std::optional<double> max_cycles, max_energy_pj;
  bool front = false;  // the whole (energy, cycles) front; `objective` then only picks `best`
  // Of `optimal`, for EDP and ED2P without bounds or front: the best, and for each price in this
  // range a mapping with the least energy + price x cycles (to 1e-12); `front` is made of these.
  std::optional<PriceRange> prices;
};

struct Found {
  Mapping mapping;
  double energy_pj = 0;
  std::int64_t cycles = 0;
};

// How far a search has come.
struct SearchProgress {
  std::optional<Found> best;
  double lower_bound = 0;    // of the objective
  std::uint64_t open = 0;    // choices of spatial loops still to look at
  std::uint64_t states = 0;  // solved
};

struct SearchLimits {
  // Work units, the same on every machine: of `optimal` some 10 us each, of other searches a
  // mapping priced.
  std::uint64_t max_work = UINT64_MAX;
  int threads = 1;                                      // of `optimal`; 0: as many as there are
  std::function<void(const SearchProgress&)> progress;  // of `optimal`; from time to time
  const std::atomic<bool>* stop = nullptr;
  bool first = false;  // of `optimal`: any answer will do
  // Of spatial loops, that `optimal` holds in memory at once: some 100 MB.
  std::size_t most_choices = 400'000;
};

struct Certificate {
  bool proved = false;
  double lower_bound = 0;  // of the objective; equal to the best when proved
  double gap = 0;          // best / lower bound - 1
  // If the goal has prices: below the range, from 0 on; and the fewest cycles.
  std::vector<LeastCost> least_costs;
  double least_cycles = 0;
  std::string space;  // in words
  std::uint64_t states = 0;
  // By rule. "spatial bound" counts choices of lanes, or many that go on from the same lanes, each
  // time that they are passed over.
  std::map<std::string, std::uint64_t> pruned;
  std::uint64_t work = 0;
  std::uint64_t unpriced = 0;  // mappings met that the model does not count (counting.md B9)
  double seconds = 0;
};

// Of the objective over the legal mappings among the samples. A quantile q is the least value that
// at least the share q of them does not exceed.
struct Statistics {
  std::uint64_t samples = 0, legal = 0;  // legal: fits, and the model counts it
  double least = 0, p05 = 0, p25 = 0, median = 0, p75 = 0, p95 = 0, most = 0;
};

struct SearchResult {
  std::optional<Found> best;
  std::vector<Found> front;  // by increasing energy
  Certificate certificate;
  std::optional<Statistics> statistics;  // of a random search
  bool limited = false;                  // random, local: a limit struck before its end
};

// Rules that may be switched off, for tests: the answer does not change.
struct PruningRules {
  bool bound = true;         // drop what cannot beat the best known
  bool dominance = true;     // drop what another state with the same future does not cost less than
  bool equal_counts = true;  // of tiles with equally many iterations outside, only the smallest
  bool kin = true;           // orders of the lanes on an axis are climbed together
  // Lanes that leave about so many tilings are climbed without looking at what is ahead, which
  // takes longer than to climb them.
  double few_tilings = 10'000;
  // Where many more ragged tiles can be told apart, what is ahead is first glanced at with so few.
  std::size_t coarse_tiles = 100;
  // So many states of each step go on first, to find good mappings early; then ever more.
  std::size_t first_states = 16;
};

SearchResult search_optimal(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                            const SearchLimits& limits = {}, const PruningRules& rules = {});

// Does the mapping occupy as much of its memories as "utilization" asks for? The one constraint
// that a point of the space may break, as it may break a capacity.
bool fills_enough(const Mapspace& space, const Point& point, const Breakdown& breakdown);

// Of equal results these give the one met first.

// An error: the tables that list the space would be too large.
Result<SearchResult> search_exhaustive(const Mapspace& space, const Evaluator& evaluator,
                                       const Goal& goal, const SearchLimits& limits = {});

struct RandomOptions {
  std::uint64_t samples = 10000, seed = 1;
};
// An error: the space is too large to be numbered.
Result<SearchResult> search_random(const Mapspace& space, const Evaluator& evaluator,
                                   const Goal& goal, const RandomOptions& options = {},
                                   const SearchLimits& limits = {});

// Starts are drawn like random's, up to `tries` times each until one is legal. A neighbour gives
// one dimension another bound in one slot and makes up for it in another slot, or swaps two
// neighbouring loops; the first better one is taken. The placement of stores stays the start's.
struct LocalOptions {
  std::uint64_t starts = 20, tries = 1000, seed = 1;
};
Result<SearchResult> search_local(const Mapspace& space, const Evaluator& evaluator,
                                  const Goal& goal, const LocalOptions& options = {},
                                  const SearchLimits& limits = {});

// ---- Why nothing fits ----

// One thing that is asked of a mapping: a capacity, one name or number of a constraint, a bound.
struct Restriction {
  enum class Kind : std::uint8_t {
    kCapacity,  // of memory `index`
    kKeep,      // name number `part` that memory `index` keeps, or lets bypass
    kBypass,
    kAxisDims,  // of axis number `part` of fan-out `index`
    kFactor,    // number `part` of constraint `index`, as all the following
    kOrder,
    kDims,
    kConstraintKeep,  // name number `part`
    kConstraintBypass,
    kUtilization,
    kStationary,
    kDataflow,
    kMaxCycles,  // of the goal
    kMaxEnergy
  } kind;
  std::size_t index = 0, part = 0;
  friend bool operator==(const Restriction&, const Restriction&) = default;
};
// A restriction taken away, or the nearest to it that would do.
struct Relief {
  Restriction restriction;
  // Capacity: bits, at least; factor: its number; utilization: its share; bounds: their number.
  std::optional<double> nearest;
  bool exact = true;  // nothing nearer would do; false: the search for it was cut short
  Mapping mapping;    // one that would then be left
};
struct Blame {
  // No mapping keeps to all of these, and without any one of them there is one that keeps to the
  // others. Empty: no mapping is left even without all restrictions.
  std::vector<Restriction> conflict;
  bool irreducible = true;  // false: a trial was cut short, and some of them may not be needed
  // Changes each of which leaves a mapping that keeps to everything else: all there are, of members
  // of the conflict (of others none does).
  std::vector<Relief> reliefs;
  // If there is none: changes that together do, none of which can be left out. A mapping with all
  // of them is the last one's.
  std::vector<Relief> together;
  bool complete = true;  // false: some trial was cut short and may have found more
};
// To be asked about a space that search_optimal() proved to have no answer. `limits` hold for all
// trials together; none takes more than 400,000 work units of a search, and most of them 40,000.
Blame find_blame(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                 const SearchLimits& limits);

}  // namespace loopscape
