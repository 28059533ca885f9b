// Any bytes as a mapping's JSON, on every small machine.

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const Problem& problem = fuzz::small_problem();
  const Result<Mapping> mapping =
      parse_mapping(fuzz::as_text(data, size), problem, fuzz::small_arch());
  if (!mapping.ok()) {
    fuzz::require_sentence(mapping.status());
    return 0;
  }
  const std::string written = mapping_to_json(*mapping, problem, fuzz::small_arch());
  const Result<Mapping> again = parse_mapping(written, problem, fuzz::small_arch());
  fuzz::require(again.ok(), "a written mapping is refused", again.status().to_string());
  fuzz::require(*again == *mapping, "a mapping does not round-trip", written);
  for (const Evaluator& evaluator : fuzz::small_evaluators()) {
    fuzz::require_agreement(evaluator, *mapping);
  }
  return 0;
}
