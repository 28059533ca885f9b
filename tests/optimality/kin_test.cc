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
    for (const SpatialLoops& one : kin_of(placement, loops, SIZE_MAX)) all.push_back(listed(one));
  };
  std::uint64_t looks = 0;
  every.run(space, placement, looks);
  std::sort(all.begin(), all.end());
  return all;
}

// How many they are; of each, as many kin come as are asked for, or none.
std::size_t firsts_of(const Mapspace& space, const Placement& placement) {
  std::size_t count = 0;
  ForSpatialChoices firsts;
  firsts.first_kin = true;
  firsts.keep = [](const LanesSoFar&) { return true; };
  firsts.take = [&](const SpatialLoops& loops) {
    ++count;
    const std::size_t kin = kin_of(placement, loops, SIZE_MAX).size();
    CHECK(kin_of(placement, loops, kin).size() == kin);
    if (kin > 1) CHECK(kin_of(placement, loops, kin - 1).empty());
  };
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

}  // namespace loopscape
