// The comparison of the model with the oracle, field by field.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/evaluate/evaluate.h"
#include "tests/reference/refusals.h"
#include "tests/reference/setting.h"
#include "tests/reference/simulator.h"

namespace loopscape::reference {

// What the two do not agree on, a line each; empty when they are equal. Counts and cycles must be
// equal; energies and fractions of cycles to 1e-12 (they are sums in another order).
std::vector<std::string> differences(const Setting& setting, const Simulation& oracle,
                                     const Breakdown& model);

struct Tally {
  std::int64_t mappings = 0;     // compared
  std::int64_t comparisons = 0;  // (mapping, memory, tensor) with a store, all counts of it
  std::int64_t illegal = 0;      // refused by both (capacity)
  // Refused by the model alone, as beyond what it counts, by reason.
  std::array<std::int64_t, kRefusals.size()> refused{};
  std::int64_t mismatches = 0;
  std::int64_t stale = 0;  // worlds in which reads are not visits - Z (README.md)
  Tally& operator+=(const Tally& other);
};
std::string to_string(const Tally& tally);

// What is wrong with a refusal for this reason (kNone: with none): counting.md B9 must state the
// reason, and the mapping must be such. Mappings that B9 does not speak of are counted.
std::vector<std::string> misjudged(Refusal reason, const Setting& setting, const Mapping& mapping);

// Compares one mapping under one evaluator; a line per difference.
class Comparator {
 public:
  // The setting must outlive the comparator. Fails when the model refuses the setting.
  explicit Comparator(const Setting& setting, Defect defect = Defect::kNone);

  bool accepted() const { return evaluator_.ok(); }
  std::string refusal() const { return evaluator_.status().to_string(); }
  std::vector<std::string> compare(const Mapping& mapping);
  const Tally& tally() const { return tally_; }

 private:
  std::vector<std::string> judge(const Mapping& mapping);

  const Setting& setting_;
  Defect defect_;
  Result<Evaluator> evaluator_;
  ScratchPtr scratch_;
  Tally tally_;
};

}  // namespace loopscape::reference
