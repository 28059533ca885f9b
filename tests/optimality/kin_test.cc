// Choices of spatial loops that differ in the order of loops alone (mapper/search/kin.h): the first
// of each kin and its other orders are all choices that there are, each once. LOOPSCAPE_SEED and
// LOOPSCAPE_WORLDS as in optimal_test.cc.
#include "mapper/search/kin.h"

#include <algorithm>
#include <cstdint>
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

}  // namespace

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
