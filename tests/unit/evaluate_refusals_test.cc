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

TEST_CASE("distinct indices of three dimensions: in closed form, marked, or refused") {
  // Words of the tile below the first loop; -1: refused.
  const auto tile_words = [](const char* problem, const char* nest) -> std::int64_t {
    const Result<Evaluator> made = evaluator(problem, machine(kBus));
    REQUIRE(made.ok());
    const Result<Breakdown> told = made->explain(mapping(*made, nest));
    if (told.ok()) return told->memories[1].tensors[1].tile_words;
    CHECK(told.status().code() == StatusCode::kUnsupported);
    CHECK(told.status().message().find("too large and irregular") != std::string::npos);
    return -1;
  };
  // The whole rank is one stretch of 10^8 indices, its tiles are 100 * 500 stretches of 500.
  const char* sparse = R"({"einsum": "O[a,b,c] += I[1000000*a+1000*b+c] * W[a]",
                           "dims": {"a": 100, "b": 1000, "c": 1000}})";
  CHECK(tile_words(sparse,
                   "DRAM: I W O\nfor b in 2\n  for c in 2\n    Pad: I\n    for a in 100\n"
                   "      for b in 500\n        for c in 500") == 25'000'000);
  // Sums of 6, 10 and 15: all but 15 at either end (1 to 5, 7 to 9, 11, 13, 14, 17, 19, 23, 29).
  const char* coins = R"({"einsum": "O[a,b,c] += I[6*a+10*b+15*c] * W[a]",
                          "dims": {"a": 100000, "b": 100000, "c": 100000}})";
  CHECK(tile_words(coins,
                   "DRAM: I W O\nPad: I\nfor a in 100000\n  for b in 100000\n"
                   "    for c in 100000") == 31 * 99'999 + 1 - 2 * 15);
  // One stretch again, but neither this tile's sums nor a part of them are one.
  const char* tangled = R"({"einsum": "O[a,b,c] += I[1000000*a+1001*b+c] * W[a]",
                            "dims": {"a": 100, "b": 1000, "c": 1001}})";
  CHECK(tile_words(tangled,
                   "DRAM: I W O\nfor c in 501\n  Pad: I\n  for a in 100\n    for b in 1000\n"
                   "      for c in 2") == -1);
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
