// What must hold between the optima of two worlds: more of a resource, or more freedom, never
// hurts; names and orders do not matter. LOOPSCAPE_SEED and LOOPSCAPE_WORLDS as in optimal_test.cc.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
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

// Changes a world; false: the law says nothing about this one.
struct Law {
  const char* name;
  bool equal;            // or: never worse
  bool without_leakage;  // more instances would leak more
  std::function<bool(World&)> change;
};

bool constrained(const Arch& arch, const std::string& node) {
  return std::any_of(arch.constraints.begin(), arch.constraints.end(),
                     [&](const Constraint& c) { return c.node == node && c.min_utilization; });
}
bool has_dataflow(const Arch& arch) {
  return std::any_of(arch.constraints.begin(), arch.constraints.end(),
                     [](const Constraint& c) { return !c.dataflow.empty(); });
}

bool more_capacity(World& world) {
  bool changed = false;
  Arch& arch = world.setting.arch;
  for (Memory& memory : arch.memories) {
    if (!memory.size_bits || constrained(arch, memory.name)) continue;
    *memory.size_bits *= 3;
    changed = true;
  }
  return changed;
}

bool more_bandwidth(World& world) {
  bool changed = false;
  const auto widen = [&](std::optional<double>& rate) {
    if (!rate) return;
    *rate *= 1.75;
    changed = true;
  };
  for (Memory& memory : world.setting.arch.memories) {
    widen(memory.read_bits);
    widen(memory.write_bits);
    widen(memory.bandwidth_bits);
  }
  for (Fanout& fanout : world.setting.arch.fanouts) {
    for (Network& network : fanout.networks) widen(network.bandwidth_bits);
  }
  return changed;
}

// In other networks more lanes stand further away. Presets look for the largest fan-out.
bool more_lanes(World& world) {
  Arch& arch = world.setting.arch;
  if (has_dataflow(arch) || constrained(arch, arch.compute.name)) return false;
  bool changed = false;
  for (Fanout& fanout : arch.fanouts) {
    const bool free =
        std::all_of(fanout.networks.begin(), fanout.networks.end(), [](const Network& n) {
          return n.network_class == NetworkClass::kFree && n.forward.empty();
        });
    if (!free || constrained(arch, fanout.name)) continue;
    for (Axis& axis : fanout.axes) ++axis.size;
    changed = true;
  }
  return changed;
}

bool fewer_constraints(World& world) {
  if (world.setting.arch.constraints.empty()) return false;
  world.setting.arch.constraints.pop_back();
  return true;
}

bool any_factors(World& world) {
  if (world.options.factors == Factors::kRagged) return false;
  world.options.factors = Factors::kRagged;
  return true;
}

bool any_place(World& world) {
  if (world.options.stores == Stores::kUneven || world.setting.arch.memories.size() < 2) {
    return false;
  }
  world.options.stores = Stores::kUneven;
  return true;
}

// The outermost memory stores everything anyway.
bool any_storage(World& world) {
  for (std::size_t m = world.setting.arch.memories.size(); m-- > 1;) {
    Memory& memory = world.setting.arch.memories[m];
    if (memory.keep.empty() && memory.bypass.empty()) continue;
    memory.keep.clear();
    memory.bypass.clear();
    return true;
  }
  return false;
}

// Presets name canonical dimensions.
bool other_names(World& world) {
  if (has_dataflow(world.setting.arch)) return false;
  Problem& problem = world.setting.problem;
  std::map<std::string, std::string> names;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    const std::string other = "z" + std::to_string(problem.dims.size() - d);
    names[problem.dims[d].name] = other;
    problem.dims[d].name = other;
  }
  const auto rename = [&](std::vector<std::string>& dims) {
    for (std::string& dim : dims) dim = names.at(dim);
  };
  for (Fanout& fanout : world.setting.arch.fanouts) {
    for (Axis& axis : fanout.axes) rename(axis.dims);
  }
  for (Constraint& constraint : world.setting.arch.constraints) {
    rename(constraint.dims);
    rename(constraint.order);
    for (FactorConstraint& factor : constraint.factors) factor.dim = names.at(factor.dim);
  }
  return true;
}

// Ranks, their terms and the inputs backwards: dimensions are numbered as they first appear.
bool other_order(World& world) {
  Problem draft = world.setting.problem;
  for (Tensor& tensor : draft.tensors) {
    std::reverse(tensor.ranks.begin(), tensor.ranks.end());
    for (Rank& rank : tensor.ranks) std::reverse(rank.terms.begin(), rank.terms.end());
  }
  std::reverse(draft.tensors.begin() + 1, draft.tensors.end());
  Result<Problem> problem = make_problem(std::move(draft));
  REQUIRE(problem.ok());
  world.setting.problem = *std::move(problem);
  return true;
}

const std::array<Law, 9> kLaws = {{{"more capacity", false, false, more_capacity},
                                   {"more bandwidth", false, false, more_bandwidth},
                                   {"more lanes", false, true, more_lanes},
                                   {"a constraint less", false, false, fewer_constraints},
                                   {"ragged factors", false, false, any_factors},
                                   {"uneven stores", false, false, any_place},
                                   {"free to store or bypass", false, false, any_storage},
                                   {"other names", true, false, other_names},
                                   {"another order", true, false, other_order}}};

// Nothing: no mapping, or the world is refused.
std::optional<double> optimum(const World& world, Objective objective) {
  const reference::Setting& setting = world.setting;
  const Result<Evaluator> evaluator =
      Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs);
  const Result<Mapspace> space = Mapspace::create(setting.problem, setting.arch, world.options);
  REQUIRE(evaluator.ok());
  REQUIRE(space.ok());
  Goal goal;
  goal.objective = objective;
  PruningRules looks;
  looks.few_tilings = 0;  // as in spaces larger than these
  const SearchResult result = search_optimal(*space, *evaluator, goal, {}, looks);
  REQUIRE(result.certificate.proved);
  if (!result.best) return std::nullopt;
  return objective_value(objective, result.best->energy_pj,
                         static_cast<double>(result.best->cycles));
}

void stop_leakage(ActionCosts& costs) {
  for (MemoryCosts& memory : costs.memories) memory.leakage_mw = 0;
  costs.compute.leakage_mw = 0;
}

struct Seen {
  int applied = 0, better = 0;
};

// A sentence if the law is broken.
std::string check_law(const Law& law, World world, Objective objective, Seen& seen) {
  if (law.without_leakage) stop_leakage(world.setting.costs);
  World other = world;
  if (!law.change(other)) return "";
  const auto before = optimum(world, objective), after = optimum(other, objective);
  if (!before) return "";
  ++seen.applied;
  const bool not_worse = after && *after <= *before * (1 + 1e-12);
  const bool not_better = after && *before <= *after * (1 + 1e-12);
  seen.better += !not_better;
  if (not_worse && (!law.equal || not_better)) return "";
  return std::string(law.name) + " changes " + std::to_string(*before) + " to " +
         (after ? std::to_string(*after) : "nothing") + "\n" + describe(other);
}

// Capacity and uneven stores would seldom matter otherwise.
FeatureSet wanted_for(std::uint64_t seed) {
  FeatureSet wanted;
  if (seed % 3 == 0) wanted.set(static_cast<std::size_t>(Feature::kCapacity));
  if (seed % 3 == 1) wanted.set(static_cast<std::size_t>(Feature::kEven));
  if (seed % 3 != 2) wanted.set(static_cast<std::size_t>(Feature::kMemories3));
  return wanted;
}

void check_laws(std::uint64_t worlds) {
  const reference::Seeds seeds = reference::asked_seeds(worlds);
  std::array<Seen, kLaws.size()> seen;
  int failures = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    const auto sized = sized_quest(seed, wanted_for(seed), 1500);
    if (!sized) continue;
    for (std::size_t l = 0; l < kLaws.size(); ++l) {
      const std::string broken =
          check_law(kLaws[l], sized->quest.world, sized->quest.objective, seen[l]);
      if (broken.empty()) continue;
      std::cout << "LOOPSCAPE_SEED=" << seed << " LOOPSCAPE_WORLDS=1: "
                << (failures < 3 ? broken : broken.substr(0, broken.find('\n'))) << std::endl;
      ++failures;
    }
  }
  for (std::size_t l = 0; l < kLaws.size(); ++l) {
    std::printf("%s: %d worlds, better in %d\n", kLaws[l].name, seen[l].applied, seen[l].better);
  }
  std::fflush(stdout);
  CHECK(failures == 0);
  if (seeds.count < worlds) return;
  for (std::size_t l = 0; l < kLaws.size(); ++l) {
    INFO(kLaws[l].name);
    CHECK(seen[l].applied * 40 >= static_cast<int>(worlds));
    // A law that never shows could not fail either.
    if (!kLaws[l].equal) CHECK(seen[l].better > 0);
  }
}

}  // namespace

TEST_CASE("optimal: more never hurts and names do not matter") { check_laws(120); }

TEST_CASE("optimal: more never hurts in many worlds", "[.long]") { check_laws(5'000); }

}  // namespace loopscape
