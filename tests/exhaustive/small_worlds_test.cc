// Every nest within the bounds of every family, under every convention: model and oracle agree on
// every number.
#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/reference/compare.h"
#include "tests/reference/families.h"

namespace loopscape::reference {
namespace {

struct Report {
  std::mutex mutex;
  std::vector<Tally> by_family;
  std::vector<std::string> failures;  // the first few, whole
};

constexpr std::size_t kFailuresShown = 5;

void note_failure(Report& report, const Family& family, const Setting& setting,
                  const Mapping& mapping, const std::vector<std::string>& lines) {
  const std::lock_guard lock(report.mutex);
  if (report.failures.size() >= kFailuresShown) return;
  std::string text = family.name + "\n" + describe(setting, mapping);
  for (const std::string& line : lines) text += "  " + line + "\n";
  report.failures.push_back(text);
}

void run_family(const Family& family, const Conventions& conventions, std::size_t number,
                Report& report) {
  Setting setting = family.setting;
  setting.conventions = conventions;
  Comparator comparator(setting);
  for_every_nest(setting, family.bounds, [&](const Mapping& mapping) {
    const std::vector<std::string> lines = comparator.compare(mapping);
    if (!lines.empty()) note_failure(report, family, setting, mapping, lines);
  });
  const std::lock_guard lock(report.mutex);
  report.by_family[number] += comparator.tally();
}

Tally run_all(int size, const std::vector<Conventions>& conventions) {
  const std::vector<Family> families = small_families(size);
  Report report;
  report.by_family.resize(families.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t job = next++; job < families.size() * conventions.size(); job = next++) {
      const std::size_t f = job / conventions.size();
      run_family(families[f], conventions[job % conventions.size()], f, report);
    }
  };
  std::thread other(work);
  work();
  other.join();
  Tally all;
  for (std::size_t f = 0; f < families.size(); ++f) {
    std::cout << families[f].name << ": " << to_string(report.by_family[f]) << "\n";
    all += report.by_family[f];
  }
  std::cout << "all: " << to_string(all) << std::endl;
  for (const std::string& failure : report.failures) UNSCOPED_INFO(failure);
  CHECK(report.failures.empty());
  CHECK(all.mismatches == 0);
  return all;
}

}  // namespace

TEST_CASE("small worlds: the model counts what the simulator counts") {
  CHECK(run_all(1, all_conventions()).comparisons >= 500'000);
}

TEST_CASE("small worlds, larger, under all 32 conventions", "[.long]") {
  CHECK(run_all(2, every_convention()).comparisons >= 10'000'000);
}

}  // namespace loopscape::reference
