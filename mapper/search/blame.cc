// Why nothing fits: the same question again with fewer restrictions, to find_fit(), or where costs
// are bounded, to a search for any mapping. Fewer never leave fewer mappings, so
// a set that leaves none holds a smallest such set, found by halving what is asked (Junker's
// QuickXplain), and what one change mends is a member of every such set.
#include <algorithm>
#include <cmath>
#include <utility>

#include "mapper/search/incumbent.h"

namespace loopscape {
namespace {

using Kind = Restriction::Kind;
using Numbers = std::vector<std::size_t>;  // of restrictions

std::vector<Restriction> restrictions_of(const Arch& arch, const Goal& goal) {
  std::vector<Restriction> all;
  const auto add = [&](Kind kind, std::size_t index, std::size_t parts) {
    for (std::size_t part = 0; part < parts; ++part) all.push_back({kind, index, part});
  };
  for (std::size_t m = 0; m < arch.memories.size(); ++m) {
    add(Kind::kCapacity, m, arch.memories[m].size_bits ? 1 : 0);
    if (m == 0) continue;  // it stores everything anyway
    add(Kind::kKeep, m, arch.memories[m].keep.size());
    add(Kind::kBypass, m, arch.memories[m].bypass.size());
  }
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    for (std::size_t a = 0; a < arch.fanouts[f].axes.size(); ++a) {
      if (!arch.fanouts[f].axes[a].dims.empty()) all.push_back({Kind::kAxisDims, f, a});
    }
  }
  for (std::size_t c = 0; c < arch.constraints.size(); ++c) {
    const Constraint& its = arch.constraints[c];
    add(Kind::kFactor, c, its.factors.size());
    add(Kind::kOrder, c, its.order.empty() ? 0 : 1);
    add(Kind::kDims, c, its.dims.empty() ? 0 : 1);
    add(Kind::kConstraintKeep, c, its.keep.size());
    add(Kind::kConstraintBypass, c, its.bypass.size());
    add(Kind::kUtilization, c, its.min_utilization ? 1 : 0);
    add(Kind::kStationary, c, its.stationary.empty() ? 0 : 1);
    add(Kind::kDataflow, c, its.dataflow.empty() ? 0 : 1);
  }
  add(Kind::kMaxCycles, 0, goal.max_cycles ? 1 : 0);
  add(Kind::kMaxEnergy, 0, goal.max_energy_pj ? 1 : 0);
  return all;
}

// What is asked in a trial: some restrictions, each by so many steps less than it says, or the
// goal's bounds by these numbers.
struct Ask {
  std::vector<char> holds;
  std::vector<std::int64_t> slack;
  std::vector<std::int64_t> exactly;  // instead: another number of a factor; or 0
  std::optional<double> max_cycles, max_energy_pj;
};

// An architecture and a goal that ask no more than that.
class Asker {
 public:
  Asker(const Mapspace& space, const std::vector<Restriction>& all)
      : problem_(space.problem()), arch_(space.arch()), all_(all) {}

  Goal goal(const Ask& ask) const {
    Goal goal;
    goal.objective = Objective::kEnergy;
    for (std::size_t r = 0; r < all_.size(); ++r) {
      if (ask.holds[r] == 0) continue;
      if (all_[r].kind == Kind::kMaxCycles) goal.max_cycles = ask.max_cycles;
      if (all_[r].kind == Kind::kMaxEnergy) goal.max_energy_pj = ask.max_energy_pj;
    }
    return goal;
  }

  Arch arch(const Ask& ask) const {
    Arch arch = arch_;
    // From the last part to the first, so that numbers of parts stay what they are.
    for (std::size_t r = all_.size(); r-- > 0;) {
      if (ask.holds[r] == 0) {
        take_away(all_[r], arch);
      } else if (ask.exactly[r] > 0) {
        arch.constraints[all_[r].index].factors[all_[r].part].value = ask.exactly[r];
      } else if (ask.slack[r] > 0) {
        loosen(all_[r], ask.slack[r], arch);
      }
    }
    std::erase_if(arch.constraints, [](const Constraint& its) {
      Constraint nothing;
      nothing.node = its.node;
      return its == nothing;
    });
    return arch;
  }

  // Steps by which it can be loosened before it asks nothing; 0: there are no steps.
  std::int64_t steps(const Restriction& its) const {
    switch (its.kind) {
      case Kind::kFactor: {
        const FactorConstraint& factor = arch_.constraints[its.index].factors[its.part];
        const std::int64_t most = 2 * largest_extent(factor.dim);  // no product reaches it
        const std::int64_t up = std::max<std::int64_t>(0, most - factor.value);
        const std::int64_t down = factor.value - 1;
        switch (factor.kind) {
          case FactorConstraint::Kind::kExactly:
            return std::max(up, down);
          case FactorConstraint::Kind::kAtMost:
            return up;
          case FactorConstraint::Kind::kAtLeast:
            return down;
          case FactorConstraint::Kind::kAll:
            return one_dim(factor.dim) ? largest_extent(factor.dim) - 1 : 0;
        }
        return 0;
      }
      case Kind::kUtilization:
        return units_asked(its);
      default:
        return 0;
    }
  }

  // What it says, loosened.
  double value(const Restriction& its, std::int64_t slack) const {
    if (its.kind == Kind::kUtilization) {
      return static_cast<double>(units_asked(its) - slack) / units(its);
    }
    if (its.kind == Kind::kCapacity) {
      return static_cast<double>(bits(arch_.memories[its.index], slack));
    }
    const FactorConstraint& factor = arch_.constraints[its.index].factors[its.part];
    if (factor.kind == FactorConstraint::Kind::kAll) {
      return static_cast<double>(largest_extent(factor.dim) - slack);
    }
    const bool up = factor.kind == FactorConstraint::Kind::kAtMost;
    return static_cast<double>(up ? factor.value + slack : factor.value - slack);
  }

 private:
  static std::uint64_t bits(const Memory& memory, std::int64_t slack) {
    const std::uint64_t usable = usable_bits(memory) + static_cast<std::uint64_t>(slack);
    return memory.buffering == Buffering::kDouble ? 2 * usable : usable;
  }

  bool one_dim(const std::string& name) const {
    return __builtin_popcount(problem_.dims_called(name)) == 1;
  }
  std::int64_t largest_extent(const std::string& name) const {
    std::int64_t largest = 1;
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if ((problem_.dims_called(name) >> d & 1u) != 0) {
        largest = std::max<std::int64_t>(largest, problem_.dims[d].extent);
      }
    }
    return largest;
  }

  // Lanes, or bits of a memory.
  double units(const Restriction& its) const {
    const std::string& node = arch_.constraints[its.index].node;
    if (const auto fanout = arch_.find_fanout(node)) {
      return static_cast<double>(arch_.fanouts[loopscape::index(*fanout)].children());
    }
    if (const auto memory = arch_.find_memory(node)) {
      return static_cast<double>(usable_bits(arch_.memories[loopscape::index(*memory)]));
    }
    double lanes = 1;
    for (const Fanout& fanout : arch_.fanouts) lanes *= static_cast<double>(fanout.children());
    return lanes;
  }
  std::int64_t units_asked(const Restriction& its) const {
    return static_cast<std::int64_t>(
        std::ceil(*arch_.constraints[its.index].min_utilization * units(its)));
  }

  void take_away(const Restriction& its, Arch& arch) const {
    const auto erase = [&](auto& names) {
      names.erase(names.begin() + static_cast<std::ptrdiff_t>(its.part));
    };
    switch (its.kind) {
      case Kind::kCapacity:
        return arch.memories[its.index].size_bits.reset();
      case Kind::kKeep:
        return erase(arch.memories[its.index].keep);
      case Kind::kBypass:
        return erase(arch.memories[its.index].bypass);
      case Kind::kAxisDims:
        return arch.fanouts[its.index].axes[its.part].dims.clear();
      case Kind::kFactor:
        return erase(arch.constraints[its.index].factors);
      case Kind::kOrder:
        return arch.constraints[its.index].order.clear();
      case Kind::kDims:
        return arch.constraints[its.index].dims.clear();
      case Kind::kConstraintKeep:
        return erase(arch.constraints[its.index].keep);
      case Kind::kConstraintBypass:
        return erase(arch.constraints[its.index].bypass);
      case Kind::kUtilization:
        return arch.constraints[its.index].min_utilization.reset();
      case Kind::kStationary:
        return arch.constraints[its.index].stationary.clear();
      case Kind::kDataflow:
        return arch.constraints[its.index].dataflow.clear();
      case Kind::kMaxCycles:
      case Kind::kMaxEnergy:
        return;
    }
  }

  void loosen(const Restriction& its, std::int64_t slack, Arch& arch) const {
    if (its.kind == Kind::kCapacity) {
      arch.memories[its.index].size_bits = bits(arch_.memories[its.index], slack);
    } else if (its.kind == Kind::kUtilization) {
      arch.constraints[its.index].min_utilization = value(its, slack);
    } else {
      auto& factors = arch.constraints[its.index].factors;
      loosen(factors, its.part, slack);
    }
  }

  void loosen(std::vector<FactorConstraint>& factors, std::size_t part, std::int64_t slack) const {
    using Asked = FactorConstraint::Kind;
    FactorConstraint& factor = factors[part];
    if (factor.kind == Asked::kAll)
      factor = {factor.dim, Asked::kAtLeast, largest_extent(factor.dim)};
    const std::int64_t most = std::min<std::int64_t>(factor.value + slack, kMaxExtent);
    const std::int64_t least = std::max<std::int64_t>(1, factor.value - slack);
    if (factor.kind == Asked::kExactly) {
      factors.insert(factors.begin() + static_cast<std::ptrdiff_t>(part) + 1,
                     {factor.dim, Asked::kAtMost, most});
      factors[part].kind = Asked::kAtLeast;
      factors[part].value = least;
    } else {
      factor.value = factor.kind == Asked::kAtMost ? most : least;
    }
  }

  const Problem& problem_;
  const Arch& arch_;
  const std::vector<Restriction>& all_;
};

class Blamer {
 public:
  // Some tenths of a second; seconds for all trials that seek the reason, as many for those that
  // seek what would do, and for what a bound on the costs must be.
  static constexpr std::uint64_t kTrialWork = 40'000, kAllWork = 10 * kTrialWork;

  Blamer(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
         const SearchLimits& limits)
      : space_(space),
        evaluator_(evaluator),
        goal_(goal),
        limits_(limits),
        all_(restrictions_of(space.arch(), goal)),
        asker_(space, all_) {}

  Blame run() {
    Numbers every;
    for (std::size_t r = 0; r < all_.size(); ++r) every.push_back(r);
    const Numbers conflict = conflict_in(asking({}), true, every);
    blame_.irreducible = blame_.complete;
    for (const std::size_t r : conflict) blame_.conflict.push_back(all_[r]);
    searched_ = 0;
    for (const std::size_t r : conflict) {
      Ask ask = asking(every);
      ask.holds[r] = 0;
      if (const auto found = possible(ask)) blame_.reliefs.push_back(nearest(ask, r, *found));
    }
    if (blame_.reliefs.empty() && !conflict.empty()) change_several(conflict);
    return std::move(blame_);
  }

 private:
  Ask asking(const Numbers& restrictions) const {
    Ask ask{std::vector<char>(all_.size()), std::vector<std::int64_t>(all_.size()),
            std::vector<std::int64_t>(all_.size()), goal_.max_cycles, goal_.max_energy_pj};
    for (const std::size_t r : restrictions) ask.holds[r] = 1;
    return ask;
  }

  std::uint64_t work_left() const { return limits_.max_work - std::min(limits_.max_work, work_); }

  struct Trial {
    std::optional<Found> found;
    bool settled = true;  // what was found is the best, or there is nothing
  };

  // A mapping that keeps to what is asked; with an objective, the best for it.
  Trial attempt(const Ask& ask, std::optional<Objective> objective = std::nullopt) {
    Trial trial{std::nullopt, false};
    if (limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed)) return trial;
    const Arch arch = asker_.arch(ask);
    const Result<Evaluator> evaluator =
        Evaluator::create(space_.problem(), arch, evaluator_.conventions(), evaluator_.costs());
    if (!evaluator.ok()) return trial;
    Goal goal = asker_.goal(ask);
    if (!objective && !goal.max_cycles && !goal.max_energy_pj) {
      if (any_that_fits(arch, *evaluator, trial)) return trial;
    }
    if (!objective && !Incumbents(goal).useful(least_of_any(space_.problem(), arch, *evaluator))) {
      trial.settled = true;
      return trial;
    }
    const Result<Mapspace> space = Mapspace::create(space_.problem(), arch, space_.options());
    if (!space.ok()) return trial;
    goal.objective = objective.value_or(goal.max_cycles ? Objective::kDelay : Objective::kEnergy);
    SearchLimits limits = limits_;
    const std::uint64_t left = kAllWork - std::min(kAllWork, searched_);
    limits.max_work = std::min(objective ? kAllWork : std::min(kTrialWork, left), work_left());
    limits.first = !objective;
    SearchResult result = search_optimal(*space, *evaluator, goal, limits);
    work_ += result.certificate.work;
    if (!objective) searched_ += result.certificate.work;
    trial.found = result.best;
    trial.settled = result.certificate.proved;
    if (objective && trial.found) {  // ties need not be settled
      const double cycles = static_cast<double>(trial.found->cycles);
      trial.settled =
          trial.settled || result.certificate.lower_bound >=
                               objective_value(*objective, trial.found->energy_pj, cycles);
    }
    return trial;
  }

  // False: that does not settle it. What fits may still have no price.
  bool any_that_fits(const Arch& arch, const Evaluator& evaluator, Trial& trial) {
    FitLimits limits;
    limits.most_steps = std::min(limits.most_steps, work_left());
    limits.stop = limits_.stop;
    const Result<Fit> fit =
        find_fit(space_.problem(), arch, space_.options(), evaluator.conventions(), limits);
    if (!fit.ok()) return false;
    work_ += fit->steps;
    if (!fit->settled) return false;
    trial.settled = true;
    if (!fit->mapping) return true;
    const Cost cost = evaluator.evaluate(*fit->mapping, *evaluator.make_scratch());
    trial.settled = cost.ok();
    if (cost.ok()) trial.found = {*fit->mapping, cost.energy_pj, cost.cycles};
    return trial.settled;
  }

  std::optional<Found> possible(const Ask& ask) {
    Trial trial = attempt(ask);
    blame_.complete = blame_.complete && (trial.settled || trial.found);
    return trial.found;
  }
  bool impossible(const Ask& ask) {
    const Trial trial = attempt(ask);
    blame_.complete = blame_.complete && (trial.settled || trial.found);
    return !trial.found && trial.settled;
  }

  // The fewest of `some` that leave nothing together with `given`; all of them do. `grown`: what is
  // given has become more since that was last asked of it alone.
  Numbers conflict_in(const Ask& given, bool grown, const Numbers& some) {
    if (grown && impossible(given)) return {};
    if (some.size() <= 1) return some;
    const auto half = some.begin() + static_cast<std::ptrdiff_t>(some.size() / 2);
    const Numbers first(some.begin(), half), second(half, some.end());
    Numbers needed = conflict_in(with(given, first), true, second);
    Numbers also = conflict_in(with(given, needed), !needed.empty(), first);
    also.insert(also.end(), needed.begin(), needed.end());
    return also;
  }
  static Ask with(Ask ask, const Numbers& more) {
    for (const std::size_t r : more) ask.holds[r] = 1;
    return ask;
  }

  // ---- what would do ----

  // `ask` leaves `found`, and nothing if r held as well: how far must r be loosened? It holds so
  // loosened from then on.
  Relief nearest(Ask& ask, std::size_t r, const Found& found) {
    const Restriction& its = all_[r];
    if (its.kind == Kind::kMaxCycles || its.kind == Kind::kMaxEnergy) {
      return nearest_bound(ask, r, found);
    }
    Relief relief{its, std::nullopt, true, found.mapping};
    const bool capacity = its.kind == Kind::kCapacity;
    std::int64_t most = capacity ? missing(its, found.mapping) : asker_.steps(its);
    if (most <= 0) return relief;
    ask.holds[r] = 1;
    for (std::int64_t too_few = 0; most - too_few > 1;) {
      const std::int64_t middle = too_few + (most - too_few) / 2;
      ask.slack[r] = middle;
      const Trial trial = attempt(ask);
      if (trial.found) {
        relief.mapping = trial.found->mapping;
        most = capacity ? std::min(middle, missing(its, relief.mapping)) : middle;
      } else {
        too_few = middle;
        relief.exact = relief.exact && trial.settled;
      }
    }
    ask.slack[r] = most;
    relief.nearest = asker_.value(its, most);
    if (is_exactly(its)) {
      choose_side(its, most, relief);
      ask.exactly[r] = static_cast<std::int64_t>(*relief.nearest);
    }
    if (capacity && must_be_filled(its.index)) relief.exact = false;
    return relief;
  }

  Relief nearest_bound(Ask& ask, std::size_t r, const Found& found) {
    const bool cycles = all_[r].kind == Kind::kMaxCycles;
    const Trial least = attempt(ask, cycles ? Objective::kDelay : Objective::kEnergy);
    const Found& best = least.found ? *least.found : found;
    const double value = cycles ? static_cast<double>(best.cycles) : best.energy_pj;
    ask.holds[r] = 1;
    (cycles ? ask.max_cycles : ask.max_energy_pj) = value;
    return {all_[r], value, least.settled, best.mapping};
  }

  bool is_exactly(const Restriction& its) const {
    return its.kind == Kind::kFactor &&
           space_.arch().constraints[its.index].factors[its.part].kind ==
               FactorConstraint::Kind::kExactly;
  }

  // Either neighbour of "exactly" may be the one that does.
  void choose_side(const Restriction& its, std::int64_t slack, Relief& relief) const {
    Arch arch = space_.arch();
    Constraint above;
    above.node = arch.constraints[its.index].node;
    above.factors = {arch.constraints[its.index].factors[its.part]};
    above.factors.front().value += slack;
    arch.constraints = {above};
    if (constraint_violations(relief.mapping, space_.problem(), arch).empty()) {
      relief.nearest = static_cast<double>(above.factors.front().value);
    }
  }

  // Does a constraint ask for some of the memory? Then more room may take mappings away.
  bool must_be_filled(std::size_t m) const {
    const Arch& arch = space_.arch();
    return std::any_of(arch.constraints.begin(), arch.constraints.end(), [&](const Constraint& c) {
      return c.min_utilization && c.node == arch.memories[m].name;
    });
  }

  // Bits that the mapping occupies beyond those there are.
  std::int64_t missing(const Restriction& its, const Mapping& mapping) const {
    Arch roomy = space_.arch();
    for (Memory& memory : roomy.memories) memory.size_bits.reset();
    const Result<Evaluator> evaluator =
        Evaluator::create(space_.problem(), roomy, evaluator_.conventions(), evaluator_.costs());
    if (!evaluator.ok()) return 0;
    const Result<Breakdown> breakdown = evaluator->explain(mapping);
    if (!breakdown.ok()) return 0;
    return breakdown->memories[its.index].occupied_bits -
           static_cast<std::int64_t>(usable_bits(space_.arch().memories[its.index]));
  }

  bool has_steps(std::size_t r) const {
    const Kind kind = all_[r].kind;
    return kind == Kind::kCapacity || kind == Kind::kMaxCycles || kind == Kind::kMaxEnergy ||
           asker_.steps(all_[r]) > 0;
  }

  // Where no one change is enough: keep to as much as possible, rather to what can only be taken
  // away than to what can be loosened, and loosen the rest one by one.
  void change_several(const Numbers& conflict) {
    const auto loose =
        std::find_if(conflict.begin(), conflict.end(), [&](std::size_t r) { return has_steps(r); });
    const std::size_t one = loose != conflict.end() ? *loose : conflict.back();
    Ask ask = asking(conflict);
    ask.holds[one] = 0;
    Numbers changed = {one}, others;
    for (std::size_t r = 0; r < all_.size(); ++r) {
      if (std::find(conflict.begin(), conflict.end(), r) == conflict.end()) others.push_back(r);
    }
    std::stable_partition(others.begin(), others.end(),
                          [&](std::size_t r) { return !has_steps(r); });
    hold(others, ask, changed);
    std::sort(changed.begin(), changed.end());
    for (const std::size_t r : changed) {
      if (const auto found = possible(ask)) blame_.together.push_back(nearest(ask, r, *found));
    }
  }

  // Adds to what is asked as many of these as leave a mapping.
  void hold(const Numbers& some, Ask& ask, Numbers& changed) {
    if (some.empty()) return;
    const Ask more = with(ask, some);
    if (possible(more)) {
      ask = more;
    } else if (some.size() == 1) {
      changed.push_back(some.front());
    } else {
      const auto half = some.begin() + static_cast<std::ptrdiff_t>(some.size() / 2);
      hold({some.begin(), half}, ask, changed);
      hold({half, some.end()}, ask, changed);
    }
  }

  const Mapspace& space_;
  const Evaluator& evaluator_;
  Goal goal_;
  SearchLimits limits_;
  std::vector<Restriction> all_;
  Asker asker_;
  std::uint64_t work_ = 0, searched_ = 0;
  Blame blame_;
};

}  // namespace

Blame find_blame(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                 const SearchLimits& limits) {
  return Blamer(space, evaluator, goal, limits).run();
}

}  // namespace loopscape
