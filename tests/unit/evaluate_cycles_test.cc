// Whole cycles do not depend on the order in which times are summed.
#include <cmath>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "model/base/cycles.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {
namespace {

std::int64_t cycles_of(const std::string& einsum, const std::string& nest) {
  const Result<Problem> problem =
      parse_problem(R"({"einsum": ")" + einsum + R"(", "dims": {"m": 7, "n": 4, "k": 1}})");
  REQUIRE(problem.ok());
  const Result<Arch> arch = parse_arch(R"({"word_bits": 1, "nodes": [
    {"memory": "DRAM", "read_bits": 0.3, "energy_pj": {"read": 1, "write": 1}},
    {"memory": "Pad", "buffering": "single", "energy_pj": {"read": 1, "write": 1}},
    {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
  INFO(arch.status().to_string());
  REQUIRE(arch.ok());
  const Result<ActionCosts> costs = costs_in_spec(*arch);
  REQUIRE(costs.ok());
  const Result<Evaluator> model =
      Evaluator::create(*problem, *arch, Conventions::physical(), *costs);
  REQUIRE(model.ok());
  const Result<Mapping> mapping = parse_mapping_text(nest, model->problem(), model->arch());
  INFO(mapping.status().to_string());
  REQUIRE(mapping.ok());
  const Cost cost = model->evaluate(*mapping, *model->make_scratch());
  REQUIRE(cost.ok());
  return cost.cycles;
}

}  // namespace

TEST_CASE("cycles are rounded up, but not what only the sum's last bits add") {
  CHECK(whole_cycles(0) == 0);
  CHECK(whole_cycles(1e-300) == 1);
  CHECK(whole_cycles(1e-6) == 1);
  CHECK(whole_cycles(240) == 240);
  CHECK(whole_cycles(std::nextafter(240.0, 241.0)) == 240);
  CHECK(whole_cycles(std::nextafter(240.0, 239.0)) == 240);
  CHECK(whole_cycles(240 + 1e-9) == 241);
  for (const double large : {1e12 + 1, 1e13 + 1, 1e15 + 1, 9007199254740991.0}) {
    CHECK(whole_cycles(large) == large);
  }
  double former = 0;
  for (double cycles = 0; cycles < 3; cycles += 1.0 / 4096) {
    CHECK(whole_cycles(cycles) >= former);
    former = whole_cycles(cycles);
  }
}

TEST_CASE("the order of the tensors does not change the cycles") {
  // 1, 4 and 7 words at 0.3 bits per cycle, all exposed; sums of doubles come to 40 or a bit more.
  const std::string nest = "DRAM: I W V O\nPad: I W V O\nfor m in 7\n  for n in 4";
  for (const char* inputs : {"I[m] * W[n] * V[k]", "I[m] * V[k] * W[n]", "W[n] * I[m] * V[k]",
                             "W[n] * V[k] * I[m]", "V[k] * I[m] * W[n]", "V[k] * W[n] * I[m]"}) {
    CAPTURE(inputs);
    CHECK(cycles_of("O[m,n] += " + std::string(inputs), nest) == 28 + 40);
  }
}

}  // namespace loopscape
