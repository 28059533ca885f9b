// Any bytes as a problem. What is accepted is priced with all its loops at the outermost memory.

#include "tests/fuzz/fuzz.h"

namespace loopscape::fuzz {
namespace {

constexpr std::string_view kOneMemory = R"({"nodes": [
  {"memory": "DRAM", "bandwidth_bits": 64, "energy_pj": {"read": 2, "write": 3, "update": 4}},
  {"compute": "MAC", "energy_pj": {"compute": 1}}]})";

void price(const Problem& problem) {
  static const Result<Arch> arch = parse_arch(kOneMemory);
  require(arch.ok(), "a built-in world is refused", arch.status().to_string());
  const Conventions conventions = problem.conventions.value_or(Conventions::physical());
  const Result<Evaluator> evaluator =
      Evaluator::create(problem, *arch, conventions, *costs_in_spec(*arch));
  if (!evaluator.ok()) return require_sentence(evaluator.status());
  Mapping mapping;
  mapping.push_back(
      MappingNode::store(MemoryId{0}, static_cast<TensorMask>((1u << problem.tensors.size()) - 1)));
  for (std::size_t i = 0; i < problem.dims.size(); ++i) {
    if (problem.dims[i].extent == 1) continue;
    mapping.push_back(MappingNode::loop(static_cast<DimId>(i),
                                        static_cast<std::uint32_t>(problem.dims[i].extent)));
  }
  require_agreement(*evaluator, mapping);
}

}  // namespace
}  // namespace loopscape::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const Result<Problem> problem = parse_problem(fuzz::as_text(data, size));
  if (!problem.ok()) {
    fuzz::require_sentence(problem.status());
    return 0;
  }
  const std::string written = problem_to_json(*problem);
  const Result<Problem> again = parse_problem(written);
  fuzz::require(again.ok(), "a written problem is refused", again.status().to_string());
  fuzz::require(problem_to_json(*again) == written, "a problem does not round-trip", written);
  fuzz::price(*problem);
  return 0;
}
