// A comparison that cannot fail proves nothing: each planted defect must be noticed, and noticed
// by worlds in which the sound simulator agrees with the model.
#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/reference/compare.h"
#include "tests/reference/defects.h"
#include "tests/reference/families.h"
#include "tests/reference/random_settings.h"

namespace loopscape::reference {
namespace {

constexpr std::uint64_t kSeed = 20;
constexpr int kRandomWorlds = 3000;
constexpr std::int64_t kStride = 5;  // every so many nests of a family are tried

struct Caught {};

// The model must differ from the defect where it does not differ from the sound simulator.
bool notices(Comparator& planted, Comparator& sound, const Mapping& mapping) {
  return !planted.compare(mapping).empty() && sound.compare(mapping).empty();
}

// How many mappings it took to notice; 0: it was not.
std::int64_t mappings_until_noticed(Defect defect) {
  std::int64_t tried = 0;
  for (const Family& family : small_families(0)) {
    for (const Conventions& conventions : all_conventions()) {
      Setting setting = family.setting;
      setting.conventions = conventions;
      Comparator planted(setting, defect), sound(setting);
      std::int64_t number = 0;
      try {
        for_every_nest(setting, family.bounds, [&](const Mapping& mapping) {
          if (number++ % kStride != 0) return;
          ++tried;
          if (notices(planted, sound, mapping)) throw Caught();
        });
      } catch (const Caught&) {
        return tried;
      }
    }
  }
  Random random(kSeed);
  for (int i = 0; i < kRandomWorlds; ++i) {
    const Setting setting = random_setting(random);
    Comparator planted(setting, defect), sound(setting);
    ++tried;
    if (notices(planted, sound, random_nest(setting, random))) return tried;
  }
  return 0;
}

}  // namespace

TEST_CASE("planted defects: every one is noticed") {
  constexpr auto kCount = static_cast<std::size_t>(Defect::kCount);
  std::vector<std::int64_t> noticed(kCount);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t d = next++; d < kCount; d = next++) {
      noticed[d] = mappings_until_noticed(static_cast<Defect>(d));
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(noticed[static_cast<std::size_t>(Defect::kNone)] == 0);  // nothing to notice
  for (std::size_t d = 1; d < kCount; ++d) {
    const auto defect = static_cast<Defect>(d);
    std::cout << name_of(defect) << " (" << rule_of(defect) << "): noticed after " << noticed[d]
              << " mappings\n";
    INFO(name_of(defect));
    CHECK(noticed[d] > 0);
  }
}

}  // namespace loopscape::reference
