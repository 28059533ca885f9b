// What a validation test says of its checks: a row for each, and figures. The rows of all suites
// and the prose in sections/ make README.md (run.sh --update writes it).
//
// A row outside its tolerance fails, unless it names a reason and pins our number: then it reads
// "differs", and fails once our number changes or comes to lie within the tolerance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/validation/figure.h"

namespace loopscape::validation {

struct ValueRow {
  std::string check;
  double published = 0;
  double ours = 0;
  double tolerance = 0;  // of |ours / published - 1|; where 0 is published, of |ours|
  std::string source;
  std::string reason{};            // why it differs, or differs at all within its tolerance
  std::optional<double> pinned{};  // our number where it is known to lie outside, to 1e-6
  int digits = 4;                  // significant digits of `ours` that are shown
};

// Published as a range.
struct RangeRow {
  std::string check;
  double low = 0, high = 0;
  double ours = 0;
  std::string source;
  std::string reason{};
  int digits = 4;
};

// A whole table whose entries the test case has compared one by one.
struct TableRow {
  std::string check;
  std::string published;  // what the table holds
  std::string ours;       // what was made of it
  std::string tolerance;
  std::string source;
  std::string reason{};
};

// The rows of one suite. Its prose is sections/<NN>_<name>.md.
class Report {
 public:
  explicit Report(std::string suite) : suite_(std::move(suite)) {}

  void row(const ValueRow& row) const;
  void range(const RangeRow& row) const;
  // Last in a test case: fails if nothing has been compared there, or something differed.
  void table(const TableRow& row) const;
  // figures/<name>.svg
  void figure(const std::string& name, const std::string& svg) const;

 private:
  std::string suite_;
};

}  // namespace loopscape::validation
