// Why nothing fits, held against every mapping of small worlds: what is blamed leaves nothing, any
// of it less leaves something, and what is said to be enough is, and nothing nearer.
// LOOPSCAPE_SEED and LOOPSCAPE_WORLDS as in optimal_test.cc.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/optimality/optimal_worlds.h"
#include "tests/reference/seeds.h"

namespace loopscape {
namespace {

using Kind = Restriction::Kind;
using Restrictions = std::vector<Restriction>;
using reference::chance;
using reference::draw;

struct Case {
  World world;
  Goal goal;
};

// Everything that is asked.
Restrictions all_of(const Case& its) {
  Restrictions all;
  const Arch& arch = its.world.setting.arch;
  const auto add = [&](Kind kind, std::size_t index, std::size_t parts) {
    for (std::size_t part = 0; part < parts; ++part) all.push_back({kind, index, part});
  };
  for (std::size_t m = 0; m < arch.memories.size(); ++m) {
    add(Kind::kCapacity, m, arch.memories[m].size_bits.has_value());
    if (m > 0) add(Kind::kKeep, m, arch.memories[m].keep.size());
    if (m > 0) add(Kind::kBypass, m, arch.memories[m].bypass.size());
  }
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    const auto& axes = arch.fanouts[f].axes;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      if (!axes[a].dims.empty()) all.push_back({Kind::kAxisDims, f, a});
    }
  }
  for (std::size_t c = 0; c < arch.constraints.size(); ++c) {
    const Constraint& constraint = arch.constraints[c];
    add(Kind::kFactor, c, constraint.factors.size());
    add(Kind::kOrder, c, !constraint.order.empty());
    add(Kind::kDims, c, !constraint.dims.empty());
    add(Kind::kConstraintKeep, c, constraint.keep.size());
    add(Kind::kConstraintBypass, c, constraint.bypass.size());
    add(Kind::kUtilization, c, constraint.min_utilization.has_value());
    add(Kind::kStationary, c, !constraint.stationary.empty());
    add(Kind::kDataflow, c, !constraint.dataflow.empty());
  }
  add(Kind::kMaxCycles, 0, its.goal.max_cycles.has_value());
  add(Kind::kMaxEnergy, 0, its.goal.max_energy_pj.has_value());
  return all;
}

void drop(const Restriction& one, Case& its) {
  Arch& arch = its.world.setting.arch;
  const auto erase = [&](std::vector<std::string>& names) {
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(one.part));
  };
  if (one.kind == Kind::kMaxCycles) return its.goal.max_cycles.reset();
  if (one.kind == Kind::kMaxEnergy) return its.goal.max_energy_pj.reset();
  if (one.kind == Kind::kCapacity) return arch.memories[one.index].size_bits.reset();
  if (one.kind == Kind::kKeep) return erase(arch.memories[one.index].keep);
  if (one.kind == Kind::kBypass) return erase(arch.memories[one.index].bypass);
  if (one.kind == Kind::kAxisDims) return arch.fanouts[one.index].axes[one.part].dims.clear();
  Constraint& constraint = arch.constraints[one.index];
  if (one.kind == Kind::kOrder) constraint.order.clear();
  if (one.kind == Kind::kDims) constraint.dims.clear();
  if (one.kind == Kind::kConstraintKeep) erase(constraint.keep);
  if (one.kind == Kind::kConstraintBypass) erase(constraint.bypass);
  if (one.kind == Kind::kUtilization) constraint.min_utilization.reset();
  if (one.kind == Kind::kStationary) constraint.stationary.clear();
  if (one.kind == Kind::kDataflow) constraint.dataflow.clear();
  if (one.kind == Kind::kFactor) {
    constraint.factors.erase(constraint.factors.begin() + static_cast<std::ptrdiff_t>(one.part));
  }
}

// Nothing else is asked.
Case only(Case its, const Restrictions& some) {
  const Restrictions all = all_of(its);
  for (std::size_t r = all.size(); r-- > 0;) {
    if (std::find(some.begin(), some.end(), all[r]) == some.end()) drop(all[r], its);
  }
  return its;
}

Restrictions without(Restrictions all, const Restriction& one) {
  std::erase(all, one);
  return all;
}

// The restriction says this instead.
void set(const Restriction& one, double value, Case& its) {
  Arch& arch = its.world.setting.arch;
  const auto whole = static_cast<std::int64_t>(value);
  if (one.kind == Kind::kMaxCycles) its.goal.max_cycles = value;
  if (one.kind == Kind::kMaxEnergy) its.goal.max_energy_pj = value;
  if (one.kind == Kind::kUtilization) arch.constraints[one.index].min_utilization = value;
  if (one.kind == Kind::kCapacity) {
    arch.memories[one.index].size_bits = static_cast<std::uint64_t>(whole);
  }
  if (one.kind != Kind::kFactor) return;
  FactorConstraint& factor = arch.constraints[one.index].factors[one.part];
  factor.value = whole;
  if (factor.kind == FactorConstraint::Kind::kAll) factor.kind = FactorConstraint::Kind::kAtLeast;
}

constexpr std::size_t kMostListed = 60'000;

// Is there a mapping? Nothing: more mappings than are looked at.
std::optional<bool> possible(const Case& its, Mapping* example = nullptr) {
  const reference::Setting& setting = its.world.setting;
  const auto space = Mapspace::create(setting.problem, setting.arch, its.world.options);
  if (!space.ok()) return false;
  const Result<Evaluator> evaluator =
      Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs);
  REQUIRE(evaluator.ok());
  const ScratchPtr scratch = evaluator->make_scratch();
  std::size_t seen = 0;
  bool found = false;
  CountLimits limits;
  limits.most_dead_ends = 1'000'000;
  const auto visit = [&](const Point& point) {
    const Mapping mapping = space->mapping(point);
    const Cost cost = evaluator->evaluate(mapping, *scratch);
    found = cost.ok() &&
            (!its.goal.max_cycles || static_cast<double>(cost.cycles) <= *its.goal.max_cycles) &&
            (!its.goal.max_energy_pj || cost.energy_pj <= *its.goal.max_energy_pj);
    found = found && (space->placements()[point.placement].filled.empty() ||
                      fills_enough(*space, point, *evaluator->explain(mapping)));
    if (found && example != nullptr) *example = mapping;
    return !found && ++seen < kMostListed;
  };
  const Status status = for_each_point(*space, visit, limits);
  if (found) return true;
  if (!status.ok() || seen >= kMostListed) return std::nullopt;
  return false;
}

// Asks more and more of a world until nothing is left, and then, at times, more still.
class Tightener {
 public:
  Tightener(reference::Random& random, Case& its) : random_(random), its_(its) {}

  bool run() {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const std::optional<bool> left = possible(its_);
      if (!left) return false;
      if (!*left) break;
      tighten();
    }
    if (possible(its_).value_or(true)) return false;
    for (std::int64_t more = draw(random_, 0, 3); more > 0; --more) tighten();
    return true;
  }

 private:
  std::size_t among(std::size_t count) {
    return static_cast<std::size_t>(draw(random_, 0, static_cast<std::int64_t>(count) - 1));
  }

  void lower(std::optional<double>& bound, std::int64_t most) {
    bound = std::min(bound.value_or(INFINITY), static_cast<double>(draw(random_, 1, most)));
  }

  void tighten() {
    Arch& arch = its_.world.setting.arch;
    const auto& problem = its_.world.setting.problem;
    using Asked = FactorConstraint::Kind;
    static constexpr std::array<Asked, 4> kAsked = {Asked::kExactly, Asked::kAtMost,
                                                    Asked::kAtLeast, Asked::kAll};
    const std::size_t m = among(arch.memories.size());
    Constraint constraint;
    constraint.node = arch.memories[m].name;
    switch (among(6)) {
      case 0:
        if (m == 0) return;
        arch.memories[m].size_bits = std::min(arch.memories[m].size_bits.value_or(UINT64_MAX),
                                              static_cast<std::uint64_t>(draw(random_, 1, 40)));
        constraint.keep = {problem.tensors[among(problem.tensors.size())].name};
        break;
      case 1:
        if (!arch.fanouts.empty() && chance(random_, 60)) {
          constraint.node = arch.fanouts[among(arch.fanouts.size())].name;
        }
        constraint.factors = {
            {problem.dims[among(problem.dims.size())].name, kAsked[among(4)], draw(random_, 1, 6)}};
        break;
      case 2:
        if (arch.fanouts.empty()) return;
        constraint.node = arch.fanouts[among(arch.fanouts.size())].name;
        constraint.min_utilization = 0.125 * static_cast<double>(draw(random_, 4, 8));
        break;
      case 3:
        lower(its_.goal.max_cycles, 30);
        return;
      case 4:
        lower(its_.goal.max_energy_pj, 3000);
        return;
      default:
        constraint.dims = {problem.dims[among(problem.dims.size())].name};
        break;
    }
    arch.constraints.push_back(constraint);
  }

  reference::Random& random_;
  Case& its_;
};

struct Tally {
  int worlds = 0, several = 0, alone = 0, together = 0, undecided = 0;
  std::map<Kind, int> blamed, loosened;
};

// Holds the words of find_blame() against every mapping.
class Judge {
 public:
  Judge(Case its, Tally& tally) : case_(std::move(its)), all_(all_of(case_)), tally_(tally) {}

  std::vector<std::string> run() {
    const reference::Setting& setting = case_.world.setting;
    const auto space = Mapspace::create(setting.problem, setting.arch, case_.world.options);
    if (!space.ok()) return {};  // contradictions of "keep" and "bypass" are told before
    const auto evaluator =
        Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs);
    const Blame blame = find_blame(*space, *evaluator, case_.goal, {});
    ++tally_.worlds;
    if (!blame.complete || !blame.irreducible) say("was cut short without a limit");
    check_conflict(blame.conflict);
    if (!wrong_.empty()) {
      wrong_.push_back("the conflict:");
      for (const Restriction& one : blame.conflict) wrong_.push_back("  " + name(one));
    }
    check_reliefs(blame);
    if (blame.reliefs.empty() && !blame.conflict.empty()) check_together(blame.together);
    return wrong_;
  }

 private:
  void say(const std::string& what) { wrong_.push_back(what); }
  void expect(const Case& its, bool wanted, const std::string& what) {
    Mapping example;
    const std::optional<bool> seen = possible(its, &example);
    tally_.undecided += !seen;
    if (!seen || *seen == wanted) return;
    const reference::Setting& setting = its.world.setting;
    say(what + (wanted ? " leaves nothing"
                       : " leaves\n" + mapping_to_text(example, setting.problem, setting.arch)));
  }
  static std::string name(const Restriction& one) {
    return "kind " + std::to_string(static_cast<int>(one.kind)) + " of " +
           std::to_string(one.index) + " part " + std::to_string(one.part);
  }

  void check_conflict(const Restrictions& conflict) {
    tally_.several += conflict.size() > 1;
    for (const Restriction& one : conflict) {
      ++tally_.blamed[one.kind];
      expect(only(case_, without(conflict, one)), true, "the conflict without " + name(one));
    }
    expect(only(case_, conflict), false, "the conflict alone");
  }

  void check_reliefs(const Blame& blame) {
    tally_.alone += !blame.reliefs.empty();
    for (const Restriction& one : all_) {
      const auto relief = std::find_if(blame.reliefs.begin(), blame.reliefs.end(),
                                       [&](const Relief& its) { return its.restriction == one; });
      const bool told = relief != blame.reliefs.end();
      expect(only(case_, without(all_, one)), told, "all but " + name(one));
      if (told) check_nearest(*relief, case_);
    }
  }

  // `its` with the relief's number, and with any nearer one.
  void check_nearest(const Relief& relief, Case its) {
    const Restriction& one = relief.restriction;
    if (!relief.nearest) return;
    ++tally_.loosened[one.kind];
    set(one, *relief.nearest, its);
    expect(its, true, name(one) + " set to " + std::to_string(*relief.nearest));
    if (!relief.exact) return;
    for (const double nearer : nearer_than(one, *relief.nearest)) {
      Case other = case_;
      other = its;
      set(one, nearer, other);
      expect(other, false, name(one) + " set to " + std::to_string(nearer));
    }
  }

  std::vector<double> nearer_than(const Restriction& one, double nearest) const {
    const Arch& arch = case_.world.setting.arch;
    if (one.kind == Kind::kMaxCycles) return {nearest - 1};
    if (one.kind == Kind::kMaxEnergy) return {nearest * (1 - 1e-9)};
    if (one.kind == Kind::kCapacity) return {nearest - 1};
    std::vector<double> values;
    if (one.kind == Kind::kUtilization) {
      const auto fanout = arch.find_fanout(arch.constraints[one.index].node);
      double lanes = 1;
      for (const Fanout& each : arch.fanouts) lanes *= static_cast<double>(each.children());
      if (fanout) lanes = static_cast<double>(arch.fanouts[index(*fanout)].children());
      if (arch.find_memory(arch.constraints[one.index].node)) return {};
      for (double used = 1; used <= lanes; ++used) {
        if (used / lanes > nearest && used / lanes < *arch.constraints[one.index].min_utilization) {
          values.push_back(used / lanes);
        }
      }
      return values;
    }
    const FactorConstraint& factor = arch.constraints[one.index].factors[one.part];
    const auto asked = static_cast<double>(factor.value);
    const double distance = std::abs(nearest - asked);
    if (factor.kind == FactorConstraint::Kind::kAll) return {nearest + 1};
    for (double step = 1; step < distance; ++step) {
      if (asked > step) values.push_back(asked - step);
      values.push_back(asked + step);
    }
    return values;
  }

  void check_together(const std::vector<Relief>& together) {
    ++tally_.together;
    if (together.size() < 2) return say("nothing is enough together");
    // With all changes; and with all but one.
    for (std::size_t left_out = 0; left_out <= together.size(); ++left_out) {
      Restrictions held = all_;
      Case its = case_;
      for (std::size_t i = 0; i < together.size(); ++i) {
        if (i == left_out) continue;
        if (together[i].nearest) {
          set(together[i].restriction, *together[i].nearest, its);
        } else {
          std::erase(held, together[i].restriction);
        }
      }
      expect(only(its, held), left_out == together.size(), "changes together but one");
    }
  }

  Case case_;
  Restrictions all_;
  Tally& tally_;
  std::vector<std::string> wrong_;
};

// Worlds small enough that even with nothing asked their mappings can be listed.
FeatureSet wanted_for(std::uint64_t seed) {
  FeatureSet wanted;
  const auto want = [&](Feature feature) { wanted.set(static_cast<std::size_t>(feature)); };
  want(seed % 3 == 0 ? Feature::kMemories1 : Feature::kMemories2);
  if (seed % 2 == 0) want(Feature::kPerfect);
  if (seed % 3 == 0 || seed % 5 == 0) want(Feature::kFanouts1);
  return wanted;
}

void check_blame(std::uint64_t worlds) {
  const reference::Seeds seeds = reference::asked_seeds(worlds);
  Tally tally;
  int failures = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    const auto sized = sized_quest(seed, wanted_for(seed), 300);
    if (!sized) continue;
    Case its{sized->quest.world, {}};
    reference::Random random(seed);
    if (!Tightener(random, its).run()) continue;
    const std::vector<std::string> wrong = Judge(its, tally).run();
    if (wrong.empty()) continue;
    std::cout << "LOOPSCAPE_SEED=" << seed << " LOOPSCAPE_WORLDS=1: " << wrong.front() << std::endl;
    if (failures++ < 2) {
      for (const std::string& line : wrong) std::cout << "  " << line << "\n";
      std::cout << describe(its.world) << "\nat most " << its.goal.max_cycles.value_or(INFINITY)
                << " cycles, " << its.goal.max_energy_pj.value_or(INFINITY) << " pJ" << std::endl;
    }
  }
  std::printf(
      "%d worlds without a mapping: several restrictions to blame in %d, one change enough in %d, "
      "only several in %d; %d questions too large to answer by listing\nblamed:",
      tally.worlds, tally.several, tally.alone, tally.together, tally.undecided);
  for (const auto& [kind, times] : tally.blamed)
    std::printf(" %d: %d", static_cast<int>(kind), times);
  std::printf("\nloosened:");
  for (const auto& [kind, times] : tally.loosened) {
    std::printf(" %d: %d", static_cast<int>(kind), times);
  }
  std::printf("\n");
  std::fflush(stdout);
  CHECK(failures == 0);
  if (seeds.count < worlds) return;
  const auto part = static_cast<int>(worlds / 20);
  CHECK(tally.worlds > 8 * part);
  CHECK(tally.several > part);
  CHECK(tally.alone > part);
  CHECK(tally.together > part);
  CHECK(tally.undecided < tally.worlds);
  for (const Kind kind :
       {Kind::kCapacity, Kind::kFactor, Kind::kUtilization, Kind::kMaxCycles, Kind::kMaxEnergy}) {
    CHECK(tally.loosened[kind] > 0);
  }
}

}  // namespace

TEST_CASE("blame: what leaves no mapping is a smallest such set, and remedies are nearest") {
  check_blame(100);
}

TEST_CASE("blame: in many worlds", "[.long]") { check_blame(2'000); }

}  // namespace loopscape
