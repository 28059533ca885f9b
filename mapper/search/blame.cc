// Why nothing fits: the search again with one thing taken away at a time.
#include <algorithm>
#include <utility>

#include "mapper/search/search.h"

namespace loopscape {
namespace {

class Blamer {
 public:
  Blamer(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
         const SearchLimits& limits)
      : space_(space), evaluator_(evaluator), goal_(goal), limits_(limits) {}

  Blame run() {
    if (goal_.max_cycles || goal_.max_energy_pj) {
      bounds();
      if (!blame_.reliefs.empty()) return std::move(blame_);
    }
    const bool bounded = goal_.max_cycles || goal_.max_energy_pj;
    goal_ = {Objective::kEnergy, {}, {}, false};
    if (bounded && trial(arch())) {
      blame_.without_bounds = true;
      return std::move(blame_);
    }
    for (std::size_t m = 0; m < arch().memories.size(); ++m) memory(m);
    for (std::size_t c = 0; c < arch().constraints.size(); ++c) constraint(c);
    if (blame_.reliefs.empty()) all_of_a_kind();
    return std::move(blame_);
  }

 private:
  const Arch& arch() const { return space_.arch(); }

  struct Trial {
    std::optional<Found> found;
    bool settled = true;  // nothing was found because there is nothing
  };

  Trial attempt(const Arch& changed) const {
    Trial trial;
    const Result<Mapspace> space = Mapspace::create(space_.problem(), changed, space_.options());
    const Result<Evaluator> evaluator =
        Evaluator::create(space_.problem(), changed, evaluator_.conventions(), evaluator_.costs());
    if (!space.ok() || !evaluator.ok()) return trial;
    SearchResult result = search_optimal(*space, *evaluator, goal_, limits_);
    trial.found = std::move(result.best);
    trial.settled = trial.found || result.certificate.proved;
    return trial;
  }

  std::optional<Found> trial(const Arch& changed) {
    Trial trial = attempt(changed);
    blame_.complete = blame_.complete && trial.settled;
    return std::move(trial.found);
  }

  bool relieves(Relief::Kind kind, std::size_t index, const Arch& changed) {
    const std::optional<Found> found = trial(changed);
    if (found) blame_.reliefs.push_back({kind, index, std::nullopt, true, found->mapping});
    return found.has_value();
  }

  // The least of one bounded quantity that the bound on the other leaves.
  void bounds() {
    for (const bool cycles : {true, false}) {
      Goal goal{cycles ? Objective::kDelay : Objective::kEnergy, goal_.max_cycles,
                goal_.max_energy_pj, false};
      std::optional<double>& bound = cycles ? goal.max_cycles : goal.max_energy_pj;
      if (!bound) continue;
      bound.reset();
      const SearchResult result = search_optimal(space_, evaluator_, goal, limits_);
      blame_.complete = blame_.complete && result.certificate.proved;
      if (!result.best) continue;
      blame_.reliefs.push_back(
          {cycles ? Relief::Kind::kMaxCycles : Relief::Kind::kMaxEnergy, 0,
           cycles ? static_cast<double>(result.best->cycles) : result.best->energy_pj,
           result.certificate.proved, result.best->mapping});
    }
  }

  void memory(std::size_t m) {
    const Memory& memory = arch().memories[m];
    Arch changed = arch();
    if (memory.size_bits) {
      changed.memories[m].size_bits.reset();
      if (relieves(Relief::Kind::kCapacity, m, changed)) shrink(m, blame_.reliefs.back());
    }
    if (m > 0 && !memory.keep.empty()) {
      changed = arch();
      changed.memories[m].keep.clear();
      relieves(Relief::Kind::kKeep, m, changed);
    }
    if (!memory.bypass.empty()) {
      changed = arch();
      changed.memories[m].bypass.clear();
      relieves(Relief::Kind::kBypass, m, changed);
    }
  }

  // The least capacity that leaves a mapping, by bisection: more room never takes one away, unless
  // "utilization" asks for some of it.
  void shrink(std::size_t m, Relief& relief) {
    const bool is_double = arch().memories[m].buffering == Buffering::kDouble;
    const auto of_usable = [&](std::uint64_t bits) { return is_double ? 2 * bits : bits; };
    std::uint64_t too_few = usable_bits(arch().memories[m]);
    std::uint64_t enough = occupied(m, relief.mapping);
    if (enough <= too_few) return;
    while (enough - too_few > 1) {
      const std::uint64_t middle = too_few + (enough - too_few) / 2;
      Arch changed = arch();
      changed.memories[m].size_bits = of_usable(middle);
      const Trial trial = attempt(changed);
      if (trial.found) {
        relief.mapping = trial.found->mapping;
        enough = std::min(middle, occupied(m, relief.mapping));
      } else {
        too_few = middle;
        relief.exact = relief.exact && trial.settled;
      }
    }
    relief.nearest = static_cast<double>(of_usable(enough));
  }

  std::uint64_t occupied(std::size_t m, const Mapping& mapping) const {
    Arch roomy = arch();
    for (Memory& memory : roomy.memories) memory.size_bits.reset();
    const Result<Evaluator> evaluator =
        Evaluator::create(space_.problem(), roomy, evaluator_.conventions(), evaluator_.costs());
    if (!evaluator.ok()) return 0;
    const Result<Breakdown> breakdown = evaluator->explain(mapping);
    return breakdown.ok() ? static_cast<std::uint64_t>(breakdown->memories[m].occupied_bits) : 0;
  }

  void constraint(std::size_t c) {
    Arch changed = arch();
    changed.constraints.erase(changed.constraints.begin() + static_cast<std::ptrdiff_t>(c));
    relieves(Relief::Kind::kConstraint, c, changed);
  }

  void all_of_a_kind() {
    Arch roomy = arch(), free = arch();
    for (Memory& memory : roomy.memories) memory.size_bits.reset();
    for (Memory& memory : free.memories) {
      memory.keep.clear();
      memory.bypass.clear();
    }
    free.constraints.clear();
    blame_.without_capacities = trial(roomy).has_value();
    blame_.without_constraints = trial(free).has_value();
  }

  const Mapspace& space_;
  const Evaluator& evaluator_;
  Goal goal_;
  SearchLimits limits_;
  Blame blame_;
};

}  // namespace

Blame find_blame(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                 const SearchLimits& limits) {
  return Blamer(space, evaluator, goal, limits).run();
}

}  // namespace loopscape
