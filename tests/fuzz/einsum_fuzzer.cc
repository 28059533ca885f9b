// Any bytes as the text of an einsum, every letter of it a dimension of extent 1 to 7.

#include <map>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const std::string_view text = fuzz::as_text(data, size);
  std::map<std::string, std::int64_t> extents;
  for (char c = 'a'; c <= 'z'; ++c) {
    if (text.find(c) != std::string_view::npos) extents[std::string(1, c)] = 1 + (c - 'a') % 7;
  }
  const Result<Problem> problem = parse_einsum(text, extents);
  if (!problem.ok()) {
    fuzz::require_sentence(problem.status());
    return 0;
  }
  const std::string written = problem->einsum();
  const Result<Problem> again = parse_einsum(written, extents);
  fuzz::require(again.ok(), "a written einsum is refused", again.status().to_string());
  fuzz::require(again->einsum() == written, "an einsum does not round-trip", written);
  const Result<Problem> as_json = parse_problem(problem_to_json(*problem));
  fuzz::require(as_json.ok(), "an einsum's problem is refused", as_json.status().to_string());
  fuzz::require(as_json->einsum() == written, "an einsum changes on its way through JSON", written);
  return 0;
}
