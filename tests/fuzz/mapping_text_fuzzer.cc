// Any bytes as a mapping's text form; what is accepted must survive both forms.

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const Problem& problem = fuzz::small_problem();
  const Arch& arch = fuzz::small_arch();
  const Result<Mapping> mapping = parse_mapping_text(fuzz::as_text(data, size), problem, arch);
  if (!mapping.ok()) {
    fuzz::require_sentence(mapping.status());
    return 0;
  }
  const std::string written = mapping_to_text(*mapping, problem, arch);
  const Result<Mapping> again = parse_mapping_text(written, problem, arch);
  fuzz::require(again.ok(), "a written nest is refused", again.status().to_string());
  fuzz::require(*again == *mapping, "a nest does not round-trip", written);
  const Result<Mapping> as_json =
      parse_mapping(mapping_to_json(*mapping, problem, arch), problem, arch);
  fuzz::require(as_json.ok() && *as_json == *mapping, "a nest changes on its way through JSON",
                written);
  for (const Evaluator& evaluator : fuzz::small_evaluators()) {
    fuzz::require_agreement(evaluator, *mapping);
  }
  return 0;
}
