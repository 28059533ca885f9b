#include "tests/validation/report.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#define CATCH_CONFIG_EXTERNAL_INTERFACES  // listeners
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace loopscape::validation {
namespace {

using Json = nlohmann::json;

struct Recorded {
  std::map<std::string, Json> rows_by_suite;
  std::map<std::string, std::string> figures;
  std::size_t compared = 0;  // in the test case that runs
  std::size_t failed = 0;
};

Recorded& recorded() {
  static Recorded all;
  return all;
}

// Counts a test case's comparisons; writes what was recorded when all have passed.
struct Recorder : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    TestEventListenerBase::testCaseStarting(info);
    recorded().compared = recorded().failed = 0;
  }

  bool assertionEnded(const Catch::AssertionStats& stats) override {
    ++recorded().compared;
    recorded().failed += !stats.assertionResult.isOk();
    return true;
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    TestEventListenerBase::testRunEnded(stats);
    const char* folder = std::getenv("LOOPSCAPE_VALIDATION_ROWS");
    if (folder == nullptr || stats.totals.assertions.failed > 0) return;
    std::filesystem::create_directories(folder);
    for (const auto& [suite, rows] : recorded().rows_by_suite) {
      std::ofstream(std::string(folder) + "/" + suite + ".json") << rows.dump(1) << '\n';
    }
    for (const auto& [name, svg] : recorded().figures) {
      std::ofstream(std::string(folder) + "/" + name + ".svg") << svg;
    }
  }
};
CATCH_REGISTER_LISTENER(Recorder)

std::string with_commas(std::string digits) {
  for (std::size_t i = digits.size(); i > 3 + (digits[0] == '-'); i -= 3) {
    digits.insert(i - 3, ",");
  }
  return digits;
}

// Whole numbers in full; others to `digits` significant digits.
std::string shown(double value, int digits) {
  char text[64];
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    std::snprintf(text, sizeof text, "%.0f", value);
    return with_commas(text);
  }
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string percent(double ratio, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, 100 * ratio);
  return text;
}

void record(const std::string& suite, Json row) {
  recorded().rows_by_suite[suite].push_back(std::move(row));
}

}  // namespace

void Report::row(const ValueRow& row) const {
  INFO(suite_ << ": " << row.check << ": published " << row.published << ", ours " << row.ours);
  const double residual = row.published == 0 ? row.ours : row.ours / row.published - 1;
  const bool within = std::abs(residual) <= row.tolerance;
  if (row.pinned) {
    CHECK_FALSE(within);  // met now: drop the pin
    CHECK_FALSE(row.reason.empty());
    CHECK(std::abs(row.ours - *row.pinned) <= 1e-6 * std::abs(*row.pinned));
  } else {
    CHECK(within);
  }
  const std::string difference =
      row.published == 0 ? shown(row.ours, row.digits) : percent(residual, "%+.2f %%");
  record(suite_, {{"check", row.check},
                  {"published", shown(row.published, 6)},
                  {"ours", shown(row.ours, row.digits)},
                  {"residual", residual == 0 ? "0" : difference},
                  {"tolerance", row.tolerance == 0 ? "0" : percent(row.tolerance, "%.3g %%")},
                  {"source", row.source},
                  {"reason", row.reason},
                  {"pass", within}});
}

void Report::range(const RangeRow& row) const {
  INFO(suite_ << ": " << row.check << ": published " << row.low << " to " << row.high << ", ours "
              << row.ours);
  CHECK(row.low <= row.ours);
  CHECK(row.ours <= row.high);
  record(suite_, {{"check", row.check},
                  {"published", shown(row.low, 10) + " to " + shown(row.high, 10)},
                  {"ours", shown(row.ours, row.digits)},
                  {"residual", "0"},
                  {"tolerance", "the range"},
                  {"source", row.source},
                  {"reason", row.reason},
                  {"pass", true}});
}

void Report::table(const TableRow& row) const {
  INFO(suite_ << ": " << row.check);
  const std::size_t compared = recorded().compared;
  CHECK(compared > 0);
  CHECK(recorded().failed == 0);
  record(suite_, {{"check", row.check},
                  {"published", row.published},
                  {"ours", row.ours},
                  {"residual", "none in " + with_commas(std::to_string(compared)) + " checks"},
                  {"tolerance", row.tolerance},
                  {"source", row.source},
                  {"reason", row.reason},
                  {"pass", recorded().failed == 0}});
}

void Report::figure(const std::string& name, const std::string& svg) const {
  CHECK(recorded().figures.emplace(name, svg).second);
  record(suite_, {{"figure", name}});
}

}  // namespace loopscape::validation
