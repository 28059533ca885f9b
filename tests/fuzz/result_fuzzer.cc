// Any bytes as a stored result. What is accepted is priced again, as `loopscape verify` does.

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const Result<StoredResult> result = parse_result(fuzz::as_text(data, size));
  if (!result.ok()) {
    fuzz::require_sentence(result.status());
    return 0;
  }
  const std::string written = result_to_json(*result);
  const Result<StoredResult> again = parse_result(written);
  fuzz::require(again.ok(), "a written result is refused", again.status().to_string());
  fuzz::require(result_to_json(*again) == written, "a result does not round-trip", written);
  fuzz::require(fingerprint_of(*again) == fingerprint_of(*result), "a fingerprint changes",
                written);
  const Result<ActionCosts> costs = costs_in_spec(result->arch);
  if (!costs.ok()) {
    fuzz::require_sentence(costs.status());
    return 0;
  }
  const Result<Evaluator> evaluator =
      Evaluator::create(result->problem, result->arch, result->conventions, *costs);
  if (!evaluator.ok()) {
    fuzz::require_sentence(evaluator.status());
    return 0;
  }
  fuzz::require_agreement(*evaluator, result->mapping);
  return 0;
}
