// Does anything fit? Held against every mapping of small worlds, of which more and more is asked.
// LOOPSCAPE_SEED and LOOPSCAPE_WORLDS as in optimal_test.cc.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/optimality/optimal_worlds.h"
#include "tests/reference/seeds.h"

namespace loopscape {
namespace {

using reference::chance;
using reference::draw;

// Asks one thing more.
void tighten(reference::Random& random, World& world) {
  Arch& arch = world.setting.arch;
  const Problem& problem = world.setting.problem;
  const auto among = [&](std::size_t count) {
    return static_cast<std::size_t>(draw(random, 0, static_cast<std::int64_t>(count) - 1));
  };
  using Asked = FactorConstraint::Kind;
  static constexpr std::array<Asked, 4> kAsked = {Asked::kExactly, Asked::kAtMost, Asked::kAtLeast,
                                                  Asked::kAll};
  static constexpr std::array<const char*, 3> kRoles = {"weight", "input", "output"};
  const bool at_fanout = !arch.fanouts.empty() && chance(random, 40);
  const std::size_t m = among(arch.memories.size());
  Constraint constraint;
  constraint.node =
      at_fanout ? arch.fanouts[among(arch.fanouts.size())].name : arch.memories[m].name;
  switch (among(7)) {
    case 0:
      arch.memories[m].size_bits = static_cast<std::uint64_t>(draw(random, 8, 100));
      return;
    case 1:
      constraint.order = some_dims(random, problem, 60);
      break;
    case 2:
      constraint.dims = some_dims(random, problem, 50);
      break;
    case 3:
      constraint.stationary = kRoles[among(3)];
      break;
    case 4:
      if (!at_fanout && !arch.memories[m].size_bits) return;  // a share of nothing
      constraint.min_utilization = 0.125 * static_cast<double>(draw(random, 1, 8));
      break;
    case 5:
      if (at_fanout || m == 0) return;
      (chance(random, 80) ? constraint.keep : constraint.bypass) =
          some_tensors(random, problem, 30);
      break;
    default:
      constraint.factors = {
          {problem.dims[among(problem.dims.size())].name, kAsked[among(4)], draw(random, 1, 6)}};
      break;
  }
  if (!(constraint == Constraint{constraint.node, {}, {}, {}, {}, {}, {}, {}, {}})) {
    arch.constraints.push_back(constraint);
  }
}

struct Tally {
  int worlds = 0, nothing = 0, uneven_nothing = 0;
};

// What is wrong, or nothing.
std::string check(const World& world, Tally& tally) {
  const auto listing = price_all(world, 20'000);
  if (!listing) return "";
  const reference::Setting& setting = world.setting;
  const auto fit = find_fit(setting.problem, setting.arch, world.options, setting.conventions);
  if (!fit.ok()) return "refused: " + fit.status().message();
  // What the model does not count, it may refuse before it looks at capacities.
  if (listing->priced.empty() && listing->refused > 0) return "";
  const bool wanted = !listing->priced.empty();
  ++tally.worlds;
  tally.nothing += !wanted;
  tally.uneven_nothing += !wanted && world.options.stores == Stores::kUneven;
  if (!fit->settled) return "was cut short without a limit";
  if (fit->mapping.has_value() != wanted) {
    return wanted ? "a mapping is not found" : "finds what does not fit";
  }
  if (!wanted) return "";
  const auto space = Mapspace::create(setting.problem, setting.arch, world.options);
  const auto point = space->point_of(*fit->mapping);
  if (!point.ok()) {
    return "what it finds is not of the space: " + point.status().message() + "\n" +
           mapping_to_text(*fit->mapping, setting.problem, setting.arch);
  }
  const auto evaluator =
      Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs);
  const Cost cost = evaluator->evaluate(*fit->mapping, *evaluator->make_scratch());
  return cost.status == StatusCode::kIllegalMapping ? "what it finds is illegal" : "";
}

void check_fits(std::uint64_t worlds) {
  const reference::Seeds seeds = reference::asked_seeds(worlds);
  Tally tally;
  int failures = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    reference::Random random(seed);
    World world = random_world(random);
    for (Constraint& constraint : world.setting.arch.constraints) {  // a share of nothing
      const auto memory = world.setting.arch.find_memory(constraint.node);
      if (memory && !world.setting.arch.memories[index(*memory)].size_bits) {
        constraint.min_utilization.reset();
      }
    }
    for (int more = 0; more < 5; ++more) {
      const std::string wrong = check(world, tally);
      if (!wrong.empty() && failures++ < 3) {
        std::cout << "LOOPSCAPE_SEED=" << seed << " LOOPSCAPE_WORLDS=1: " << wrong << "\n"
                  << describe(world) << std::endl;
      }
      if (!wrong.empty()) break;
      tighten(random, world);
    }
  }
  std::printf("%d worlds; nothing fits in %d, %d of them uneven\n", tally.worlds, tally.nothing,
              tally.uneven_nothing);
  std::fflush(stdout);
  CHECK(failures == 0);
  if (seeds.count < worlds) return;
  CHECK(tally.worlds > static_cast<int>(worlds));
  CHECK(tally.nothing > static_cast<int>(worlds / 10));
  CHECK(tally.uneven_nothing > static_cast<int>(worlds / 50));
}

// Stores that a memory may have or not decide whose the loops below a fan-out are (mapping.h), and
// with them what rules about a memory's loops ask for.
World with_rule(const char* nodes, int extent, const std::string& rule) {
  Result<Problem> problem =
      parse_problem(R"({"einsum": "O[p,k] += I[p+r] * W[k,r]", "dims": {"p": )" +
                    std::to_string(extent) + R"(, "k": 2, "r": 1}})");
  REQUIRE(problem.ok());
  Result<Arch> arch = parse_arch(R"({"word_bits": 1, "nodes": [)" + std::string(nodes) +
                                 R"({"compute": "MAC"}], "constraints": [)" + rule + "]}");
  INFO(arch.status().to_string());
  REQUIRE(arch.ok());
  World world;
  world.setting.problem = *std::move(problem);
  world.setting.arch = *std::move(arch);
  world.setting.conventions = Conventions::physical();
  world.options = {Factors::kRagged, Stores::kEven};
  return world;
}

}  // namespace

TEST_CASE("fit: rules about loops that stand below a fan-out") {
  static constexpr std::array<const char*, 4> kNodes = {
      R"({"memory": "DRAM"}, {"fanout": "A", "axes": {"x": 4}}, {"memory": "S", "words": 9},)",
      R"({"memory": "DRAM"}, {"memory": "B", "words": 9}, {"fanout": "A", "axes": {"x": 3}},
         {"memory": "S", "keep": ["W"]},)",
      R"({"memory": "DRAM"}, {"memory": "B", "words": 9}, {"fanout": "A", "axes": {"x": 3}},)",
      R"({"memory": "DRAM"}, {"fanout": "A", "axes": {"x": 2}}, {"fanout": "C", "axes": {"z": 2}},
         {"memory": "S", "words": 9},)"};
  Tally tally;
  for (const char* nodes : kNodes) {
    for (int extent = 2; extent <= 7; ++extent) {
      for (const char* kind : {"", "<=", ">="}) {
        for (int value = 1; value <= 7; ++value) {
          const std::string rule = R"({"node": "DRAM", "factors": {"p": ")" + std::string(kind) +
                                   std::to_string(value) + R"("}})";
          const World world = with_rule(nodes, extent, rule);
          CAPTURE(nodes, extent, rule);
          CHECK(check(world, tally) == "");
        }
      }
    }
  }
  CHECK(tally.worlds == 4 * 6 * 3 * 7);
  CHECK(tally.nothing > 50);
  CHECK(tally.nothing < 250);
}

TEST_CASE("fit: something is found if, and only if, a mapping is within what is asked") {
  check_fits(300);
}

TEST_CASE("fit: in many worlds", "[.long]") { check_fits(20'000); }

}  // namespace loopscape
