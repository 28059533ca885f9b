// Choices of spatial loops that differ in the order of loops alone (mapper/search/kin.h): the first
// of each kin and its other orders are all choices that there are, each once, and the answer is the
// same whether they are climbed together or one by one. LOOPSCAPE_SEED and LOOPSCAPE_WORLDS as in
// optimal_test.cc.
#include "mapper/search/kin.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/optimality/optimal_worlds.h"
#include "tests/reference/seeds.h"

namespace loopscape {
namespace {

using Orders = std::vector<std::vector<std::vector<std::uint32_t>>>;

std::vector<std::vector<std::uint32_t>> listed(const SpatialLoops& loops) {
  std::vector<std::vector<std::uint32_t>> slots;
  for (const auto& slot : loops) {
    auto& list = slots.emplace_back();
    for (const Point::Loop& loop : slot) list.insert(list.end(), {loop.dim, loop.bound});
  }
  return slots;
}

Orders choices_of(const Mapspace& space, const Placement& placement, bool by_kin) {
  Orders all;
  ForSpatialChoices every;
  every.first_kin = by_kin;
  every.keep = [](const LanesSoFar&) { return true; };
  every.take = [&](const SpatialLoops& loops) {
    if (!by_kin) return all.push_back(listed(loops));
    for (const SpatialLoops& one : kin_of(placement, loops)) all.push_back(listed(one));
  };
  std::uint64_t looks = 0;
  every.run(space, placement, looks);
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t firsts_of(const Mapspace& space, const Placement& placement) {
  std::size_t count = 0;
  ForSpatialChoices firsts;
  firsts.first_kin = true;
  firsts.keep = [](const LanesSoFar&) { return true; };
  firsts.take = [&](const SpatialLoops&) { ++count; };
  std::uint64_t looks = 0;
  firsts.run(space, placement, looks);
  return count;
}

// Too large to price every mapping, with lanes enough for several loops on an axis.
class Larger {
 public:
  explicit Larger(std::uint64_t seed) : random_(seed) {}

  // What is wrong.
  std::string check() {
    const Problem problem = *parse_problem(
        R"({"einsum": "O[k,p] += I[c,p+r] * W[k,c,r]", "dims": {"k": )" + any(4, 16) +
        R"(, "c": )" + any(4, 12) + R"(, "p": )" + any(4, 12) + R"(, "r": )" + any(1, 3) + "}}");
    const Arch arch = *parse_arch(arch_text());
    const bool previous = number(0, 3) == 0;
    Conventions conventions = Conventions::physical();
    if (previous) conventions.reuse = Conventions::Reuse::kPreviousTile;
    const Evaluator model = *Evaluator::create(problem, arch, conventions, *costs_in_spec(arch));
    const Factors factors = number(0, 1) == 0 || previous ? Factors::kPerfect : Factors::kRagged;
    const Mapspace space = *Mapspace::create(problem, arch, {factors, Stores::kEven});
    Goal goal;
    goal.objective = number(0, 1) == 0 ? Objective::kEnergy : Objective::kEdp;
    goal.front = number(0, 3) == 0;
    PruningRules together, apart;
    together.few_tilings = apart.few_tilings = number(0, 1) == 0 ? 0 : 10'000;
    apart.kin = false;
    const SearchResult found = search_optimal(space, model, goal, {}, together);
    const SearchResult again = search_optimal(space, model, goal, {}, apart);
    differ_ += found.certificate.states != again.certificate.states;
    if (!found.certificate.proved || !again.certificate.proved) return "not proved";
    if (!found.best != !again.best) return "one finds nothing";
    if (!found.best) return "";
    if (!near(found.best->energy_pj, again.best->energy_pj) ||
        found.best->cycles != again.best->cycles) {
      return "together " + shown(*found.best) + ", apart " + shown(*again.best);
    }
    if (found.front.size() != again.front.size()) return "the fronts differ";
    for (std::size_t i = 0; i < found.front.size(); ++i) {
      const Found &a = found.front[i], &b = again.front[i];
      if (!near(a.energy_pj, b.energy_pj) || a.cycles != b.cycles) {
        return "on the front: together " + shown(a) + ", apart " + shown(b);
      }
    }
    return "";
  }
  // Did it matter?
  bool differ() const { return differ_; }

 private:
  static bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * a; }
  static std::string shown(const Found& found) {
    return std::to_string(found.energy_pj) + " pJ, " + std::to_string(found.cycles) + " cycles";
  }
  int number(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  std::string any(int least, int most) { return std::to_string(number(least, most)); }
  std::string arch_text() {
    const auto network = [&] {
      constexpr std::array kClasses{"mesh", "multicast_bus", "systolic"};
      const auto which = static_cast<std::size_t>(number(0, 2));
      return std::string(R"({"class": ")") + kClasses[which] + "\"";
    };
    return R"({"word_bits": 1, "nodes": [
      {"memory": "DRAM", "bandwidth_bits": )" +
           any(2, 40) +
           R"(, "energy_pj": {"read": 60, "write": 60}},
      {"memory": "Buffer", "words": )" +
           any(60, 300) +
           R"(, "keep": ["input", "output"], "bypass": ["weight"],
       "width_bits": )" +
           any(1, 3) + R"(, "energy_pj": {"read": 6, "write": 6}},
      {"fanout": "F", "axes": {"x": )" +
           any(4, 8) + R"(, "y": )" + any(4, 8) + R"(}, "network": [)" + network() +
           R"(, "tensors": ["input", "weight"], "multicast": ["input", "weight"],
         "energy_pj_per_bit_hop": )" +
           any(1, 6) + "},\n" + network() +
           R"(, "tensors": ["output"], "reduce": ["output"], "energy_pj_per_bit_hop": )" +
           any(1, 6) + R"(}]},
      {"memory": "Spad", "words": )" +
           any(8, 30) + R"(, "energy_pj": {"read": 1, "write": 1}},
      {"compute": "MAC", "energy_pj": {"compute": 1}}]})";
  }

  std::mt19937_64 random_;
  bool differ_ = false;
};

void check_larger(std::uint64_t usual) {
  const reference::Seeds seeds = reference::asked_seeds(usual);
  std::uint64_t differing = 0;
  int failures = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    Larger larger(seed);
    const std::string wrong = larger.check();
    differing += larger.differ();
    if (wrong.empty()) continue;
    std::cout << "LOOPSCAPE_SEED=" << seed << " LOOPSCAPE_WORLDS=1: " << wrong << std::endl;
    ++failures;
    if (seeds.stops) break;
  }
  CHECK(failures == 0);
  if (seeds.count >= usual) CHECK(differing > seeds.count / 4);
}

}  // namespace

TEST_CASE("kin: climbed together or one by one, the answer is the same") { check_larger(30); }

TEST_CASE("kin: climbed together or one by one, in many worlds", "[.long]") { check_larger(2'000); }

TEST_CASE("kin: the first of each and its other orders are all choices") {
  const reference::Seeds seeds = reference::asked_seeds(300);
  std::uint64_t with_kin = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    const auto sized = sized_quest(seed, {}, 1'500);
    if (!sized) continue;
    const World& world = sized->quest.world;
    const Mapspace space =
        *Mapspace::create(world.setting.problem, world.setting.arch, world.options);
    INFO("seed " << seed);
    for (const Placement& placement : space.placements()) {
      const Orders all = choices_of(space, placement, false);
      CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
      CHECK(choices_of(space, placement, true) == all);
      with_kin += all.size() - firsts_of(space, placement);
    }
  }
  if (seeds.count >= 300) CHECK(with_kin > 100);
}

TEST_CASE("kin: no more than can be climbed together") {
  const Problem problem = *parse_problem(
      R"({"einsum": "O[a,b,c,d,e] += I[a,b,c,d,e]",
          "dims": {"a": 4, "b": 4, "c": 4, "d": 4, "e": 4}})");
  const Arch arch = *parse_arch(R"({"nodes": [
    {"memory": "Outer", "energy_pj": {"read": 1, "write": 1}},
    {"fanout": "F", "axes": {"x": 32, "y": 32}, "network": {"class": "mesh"}},
    {"memory": "Inner", "energy_pj": {"read": 1, "write": 1}},
    {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
  const Mapspace space = *Mapspace::create(problem, arch, {Factors::kPerfect, Stores::kEven});
  const Placement& placement = space.placements().front();
  std::size_t most = 0, all = 0;
  ForSpatialChoices firsts;
  firsts.first_kin = true;
  firsts.keep = [](const LanesSoFar&) { return true; };
  firsts.take = [&](const SpatialLoops& loops) {
    const std::size_t kin = kin_of(placement, loops).size();
    most = std::max(most, kin);
    all += kin;
  };
  std::uint64_t looks = 0;
  firsts.run(space, placement, looks);
  CHECK(most > 24);
  CHECK(most <= kMostKin);
  std::size_t one_by_one = 0;
  ForSpatialChoices every;
  every.keep = [](const LanesSoFar&) { return true; };
  every.take = [&](const SpatialLoops&) { ++one_by_one; };
  every.run(space, placement, looks);
  CHECK(all == one_by_one);
}

}  // namespace loopscape
