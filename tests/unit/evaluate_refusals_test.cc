// What evaluation refuses, and that it says why; and that a scratch may serve several models.
#include <string>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"

namespace loopscape {
namespace {

constexpr const char* kGemm = R"({"einsum": "O[m,n] += I[m,k] * W[k,n]",
                                  "dims": {"m": 8, "n": 8, "k": 8}})";
constexpr const char* kTransposed = R"({"einsum": "O[p+r] += I[p] * W[r]",
                                        "dims": {"p": 8, "r": 3}})";

std::string machine(const std::string& network, const std::string& pad = "") {
  return R"({"word_bits": 16, "nodes": [
    {"memory": "DRAM", "energy_pj": {"read": 200, "write": 200}},
    {"fanout": "PEs", "axes": {"x": 4, "y": 4}, "network": )" +
         network + R"(},
    {"memory": "Pad", "energy_pj": {"read": 1, "write": 1})" +
         pad + R"(},
    {"compute": "MAC", "energy_pj": {"compute": 1}}]})";
}

constexpr const char* kBus =
    R"({"class": "multicast_bus", "multicast": ["input", "weight"], "reduce": ["output"]})";

Result<Evaluator> evaluator(const char* problem_text, const std::string& arch_text,
                            const Conventions& conventions = Conventions::physical()) {
  const Result<Problem> problem = parse_problem(problem_text);
  REQUIRE(problem.ok());
  const Result<Arch> arch = parse_arch(arch_text);
  INFO(arch.status().to_string());
  REQUIRE(arch.ok());
  const Result<ActionCosts> costs = costs_in_spec(*arch);
  REQUIRE(costs.ok());
  return Evaluator::create(*problem, *arch, conventions, *costs);
}

Mapping mapping(const Evaluator& model, const char* nest) {
  const Result<Mapping> parsed = parse_mapping_text(nest, model.problem(), model.arch());
  INFO(parsed.status().to_string());
  REQUIRE(parsed.ok());
  return *parsed;
}

void expect_error(const Result<Evaluator>& made, const std::string& fragment) {
  REQUIRE_FALSE(made.ok());
  CHECK(made.status().code() == StatusCode::kInvalidInput);
  CHECK(made.status().message().find(fragment) != std::string::npos);
}

}  // namespace

TEST_CASE("a tensor in two networks, by role and by name, is an error") {
  const std::string networks = R"([{"class": "bus", "tensors": ["weight"]},
                                   {"class": "bus", "tensors": ["W"]}, {"class": "bus"}])";
  expect_error(evaluator(kGemm, machine(networks)), "two networks of PEs carry tensor W");
}

TEST_CASE("a tensor that must be kept and bypassed, by role and by name, is an error") {
  const std::string pad = R"(, "keep": ["weight"], "bypass": ["W"])";
  expect_error(evaluator(kGemm, machine(kBus, pad)), "memory Pad must keep and must bypass");
}

TEST_CASE("an output whose sliding dimension a fan-out splits: totals, but no instances") {
  const char* nest =
      "DRAM: I W O\nparallel p in 4 on PEs.x\n  Pad: O\n  for p in 2\n    for r in 3";
  const Result<Evaluator> totals = evaluator(kTransposed, machine(kBus));
  REQUIRE(totals.ok());
  CHECK(totals->explain(mapping(*totals, nest)).ok());
  const Result<Evaluator> timed =
      evaluator(kTransposed, machine(kBus, R"(, "bandwidth_bits": 16)"));
  REQUIRE(timed.ok());
  const Result<Breakdown> refused = timed->explain(mapping(*timed, nest));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == StatusCode::kUnsupported);
  CHECK(refused.status().message().find("splits a sliding dimension of the output") !=
        std::string::npos);
}

TEST_CASE("a sliding rank too large to sum safely is refused when the model is made") {
  const char* huge = R"({"einsum": "O[p] += I[p+r] * W[r]",
                         "dims": {"p": 4294967295, "r": 2147483647}})";
  const Result<Evaluator> made = evaluator(huge, machine(kBus));
  REQUIRE_FALSE(made.ok());
  CHECK(made.status().code() == StatusCode::kUnsupported);
  CHECK(made.status().message().find("2^58") != std::string::npos);
}

TEST_CASE("a capacity exceeded says where and by how much") {
  const Result<Evaluator> small = evaluator(kGemm, machine(kBus, R"(, "words": 10)"));
  REQUIRE(small.ok());
  const Status status = small->check(
      mapping(*small, "DRAM: I W O\nPad: W\nfor m in 8\n  for n in 8\n    for k in 8"));
  CHECK(status.code() == StatusCode::kIllegalMapping);
  CHECK(status.message().find("Pad need 1024 bits") != std::string::npos);
  CHECK(status.message().find("smaller by 864 bits") != std::string::npos);
}

TEST_CASE("one scratch serves different models one after the other") {
  const char* nest =
      "DRAM: I W O\nfor r in 3\n  parallel p in 4 on PEs.x\n    Pad: I\n    for p in 2";
  const char* conv = R"({"einsum": "O[p] += I[p+r] * W[r]", "dims": {"p": 8, "r": 3}})";
  const char* strided = R"({"einsum": "O[p] += I[2*p+r] * W[r]", "dims": {"p": 8, "r": 3}})";
  const Result<Evaluator> one = evaluator(conv, machine(kBus));
  const Result<Evaluator> other = evaluator(strided, machine(kBus));
  REQUIRE(one.ok());
  REQUIRE(other.ok());
  const Mapping same = mapping(*one, nest);
  const ScratchPtr shared = one->make_scratch();
  const ScratchPtr own = other->make_scratch();
  CHECK(one->evaluate(same, *shared).ok());
  const double fresh = other->evaluate(same, *own).energy_pj;
  CHECK(other->evaluate(same, *shared).energy_pj == fresh);
  CHECK(one->evaluate(same, *shared).energy_pj != fresh);
}

}  // namespace loopscape
