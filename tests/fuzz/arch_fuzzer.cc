// Any bytes as an architecture. What is accepted and priced meets a small problem, with all loops
// at the outermost memory.

#include "tests/fuzz/fuzz.h"

namespace loopscape::fuzz {
namespace {

void price(const Arch& arch) {
  const Problem& problem = small_problem();
  const Result<ActionCosts> costs = costs_in_spec(arch);
  if (!costs.ok()) return require_sentence(costs.status());
  const Conventions conventions = arch.conventions.value_or(Conventions::physical());
  const Result<Evaluator> evaluator = Evaluator::create(problem, arch, conventions, *costs);
  if (!evaluator.ok()) return require_sentence(evaluator.status());
  Mapping mapping;
  mapping.push_back(MappingNode::store(MemoryId{0}, TensorMask{7}));
  for (std::size_t i = 0; i < problem.dims.size(); ++i) {
    mapping.push_back(MappingNode::loop(static_cast<DimId>(i),
                                        static_cast<std::uint32_t>(problem.dims[i].extent)));
  }
  require_agreement(*evaluator, mapping);
}

}  // namespace
}  // namespace loopscape::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const Result<Arch> arch = parse_arch(fuzz::as_text(data, size));
  if (!arch.ok()) {
    fuzz::require_sentence(arch.status());
    return 0;
  }
  const std::string written = arch_to_json(*arch);
  const Result<Arch> again = parse_arch(written);
  fuzz::require(again.ok(), "a written architecture is refused", again.status().to_string());
  fuzz::require(arch_to_json(*again) == written, "an architecture does not round-trip", written);
  fuzz::price(*arch);
  return 0;
}
