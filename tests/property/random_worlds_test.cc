// Larger worlds at random, each compared whole. A failure prints its seed and the smallest world
// near it that fails as well. LOOPSCAPE_SEED=<n> starts elsewhere, LOOPSCAPE_WORLDS=<n> makes more.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/reference/compare.h"
#include "tests/reference/random_settings.h"
#include "tests/reference/seeds.h"
#include "tests/reference/shrink.h"

namespace loopscape::reference {
namespace {

std::vector<std::string> compare_once(const Failure& world, Tally* tally) {
  Comparator comparator(world.setting);
  std::vector<std::string> lines = comparator.compare(world.mapping);
  if (tally != nullptr) *tally += comparator.tally();
  return lines;
}

Failure world_of(std::uint64_t seed) {
  Random random(seed);
  Setting setting = random_setting(random);
  Mapping mapping = random_nest(setting, random);
  return {std::move(setting), mapping};
}

std::string tell(std::uint64_t seed, const Failure& world) {
  const Failure least =
      shrink(world, [](const Failure& f) { return !compare_once(f, nullptr).empty(); });
  std::string text = "LOOPSCAPE_SEED=" + std::to_string(seed) + " LOOPSCAPE_WORLDS=1 fails; the " +
                     "smallest world near it that does:\n" + describe(least.setting, least.mapping);
  for (const std::string& line : compare_once(least, nullptr)) text += "  " + line + "\n";
  return text;
}

void compare_worlds(std::uint64_t worlds) {
  const Seeds seeds = asked_seeds(worlds);
  std::atomic<std::uint64_t> next = seeds.first;
  std::mutex mutex;
  Tally all;
  std::vector<std::string> failures;
  const auto work = [&] {
    Tally tally;
    for (std::uint64_t seed = next++; seed < seeds.first + seeds.count; seed = next++) {
      const Failure world = world_of(seed);
      if (compare_once(world, &tally).empty()) continue;
      const std::lock_guard lock(mutex);
      if (failures.size() < seeds.shown) failures.push_back(tell(seed, world));
    }
    const std::lock_guard lock(mutex);
    all += tally;
  };
  std::thread other(work);
  work();
  other.join();
  std::cout << "seeds from " << seeds.first << ": " << to_string(all) << std::endl;
  for (const std::string& failure : failures) UNSCOPED_INFO(failure);
  CHECK(failures.empty());
}

}  // namespace

TEST_CASE("random worlds: the model counts what the simulator counts") { compare_worlds(20'000); }

TEST_CASE("random worlds, many", "[.long]") { compare_worlds(1'000'000); }

}  // namespace loopscape::reference
