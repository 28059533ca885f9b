// Other prices for counts that are there already: what evaluating anew would say, bit for bit.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"

namespace loopscape {
namespace {

const char* const kProblem = R"({
  "einsum": "O[n,k,p,q] += I[n,c,p+r,q+s] * W[k,c,r,s]",
  "dims": {"n": 1, "k": 10, "c": 6, "p": 9, "q": 8, "r": 3, "s": 3},
  "tensors": {"W": {"bits": 8}, "O": {"bits": 24, "final_bits": 8}}})";

const char* const kMapping = R"({"nest": [
  {"store": "DRAM", "tensors": ["I", "W", "O"]}, {"for": "k", "bound": 3},
  {"store": "Buffer", "tensors": ["I", "O"]}, {"for": "c", "bound": 2}, {"for": "p", "bound": 3},
  {"spatial": "k", "bound": 4, "axis": "PEs.x"}, {"spatial": "r", "bound": 3, "axis": "PEs.y"},
  {"store": "Spad", "tensors": ["W"]}, {"for": "p", "bound": 3}, {"for": "q", "bound": 8},
  {"for": "c", "bound": 3}, {"for": "s", "bound": 3}]})";

// A machine of 5 x 3 lanes with everything that has a price; `buffer` are keys of its buffer.
std::string machine(const std::string& top, const std::string& buffer = "\"size_kib\": 8") {
  return "{" + top + R"(, "word_bits": 16, "nodes": [
    {"memory": "DRAM", "class": "dram", "type": "lpddr4", "width_bits": 64, "bandwidth_bits": 32},
    {"memory": "Buffer", "class": "sram", "width_bits": 64, "banks": 2, "buffering": "double", )" +
         buffer + R"(},
    {"fanout": "PEs", "axes": {"x": 5, "y": 3}, "network": [
      {"class": "mesh", "tensors": ["input"], "multicast": ["input"], "hop_mm": 0.2},
      {"class": "multicast_bus", "multicast": ["weight"], "reduce": ["output"], "hop_mm": 0.1}]},
    {"memory": "Spad", "class": "regfile", "words": 64, "keep": ["weight"], "power_gated": true},
    {"compute": "MAC", "class": "int_mac", "bits": 8, "accumulator_bits": 24}]})";
}

struct Priced {
  Evaluator evaluator;
  Mapping mapping;
  StoredResult result(Breakdown breakdown) const {
    return make_result(evaluator, mapping, std::move(breakdown));
  }
};

Priced priced(const std::string& text, const Conventions& conventions = {}) {
  static const EnergyTables tables = *EnergyTables::built_in();
  const Result<Arch> arch = parse_arch(text);
  REQUIRE(arch.status().to_string() == "");
  const Result<ResolvedCosts> resolved = resolve_costs(*arch, tables);
  REQUIRE(resolved.status().to_string() == "");
  const Result<Problem> problem = parse_problem(kProblem);
  REQUIRE(problem.status().to_string() == "");
  const Result<Evaluator> evaluator =
      Evaluator::create(*problem, resolved->arch, conventions, resolved->costs);
  REQUIRE(evaluator.status().to_string() == "");
  const Result<Mapping> mapping = parse_mapping(kMapping, *problem, *arch);
  REQUIRE(mapping.status().to_string() == "");
  return {*evaluator, *mapping};
}

Breakdown explained(const Priced& its) {
  Result<Breakdown> breakdown = its.evaluator.explain(its.mapping);
  REQUIRE(breakdown.status().to_string() == "");
  return *std::move(breakdown);
}

const char* const kFirst = R"("technology_nm": 65, "clock_mhz": 200)";

TEST_CASE("a sweep over technology, supply and clock reuses counts", "[energy]") {
  for (const Conventions& conventions : {Conventions::physical(), Conventions::timeloop()}) {
    const Priced first = priced(machine(kFirst), conventions);
    const Breakdown counted = explained(first);
    for (const char* top :
         {R"("technology_nm": 45, "clock_mhz": 200)", R"("technology_nm": 7, "clock_mhz": 1000)",
          R"("technology_nm": 28, "voltage": 0.7, "clock_mhz": 333)",
          R"("technology_nm": 65, "voltage": 1.1, "clock_mhz": 200)", kFirst}) {
      INFO(top);
      const Priced other = priced(machine(top), conventions);
      const Result<Breakdown> again = other.evaluator.reprice(counted, first.evaluator);
      REQUIRE(again.status().to_string() == "");
      CHECK(result_to_json(other.result(*again)) == result_to_json(other.result(explained(other))));
    }
  }
}

// Counts that are not true show that nothing is counted again.
TEST_CASE("repricing takes counts as they stand", "[energy]") {
  const Priced first = priced(machine(kFirst));
  const Priced other = priced(machine(R"("technology_nm": 45, "clock_mhz": 200)"));
  Breakdown counted = explained(first);
  const Result<Breakdown> before = other.evaluator.reprice(counted, first.evaluator);
  REQUIRE(before.ok());
  for (TensorAtMemory& tensor : counted.memories[1].tensors) {
    tensor.accesses = {};
  }
  counted.memories[1].tensors[0].stored = true;
  counted.memories[1].tensors[0].accesses.reads = 1000;
  counted.cycles *= 2;
  const Result<Breakdown> after = other.evaluator.reprice(counted, first.evaluator);
  REQUIRE(after.ok());
  CHECK(after->memories[1].energy_pj == 1000 * other.evaluator.costs().memories[1].read_pj);
  CHECK(after->memories[1].leakage_pj == Approx(2 * before->memories[1].leakage_pj));
  CHECK(after->memories[0].energy_pj == before->memories[0].energy_pj);
}

TEST_CASE("counts of another machine are refused", "[energy]") {
  const Priced first = priced(machine(kFirst));
  Breakdown counted = explained(first);
  const auto refused = [&](const Priced& other) {
    return other.evaluator.reprice(counted, first.evaluator).status().to_string();
  };
  CHECK(refused(first).empty());
  CHECK_THAT(refused(priced(machine(kFirst, "\"size_kib\": 16"))),
             Catch::Contains("differ in more than prices"));
  CHECK_THAT(refused(priced(machine(kFirst), Conventions::timeloop())),
             Catch::Contains("other conventions"));
  counted.fanouts[0].tensors[0].hops = kUncountedHops;
  CHECK_THAT(refused(first), Catch::Contains("are not counted"));
  counted.memories.pop_back();
  CHECK_THAT(refused(first), Catch::Contains("not those of this evaluator"));
}

}  // namespace
}  // namespace loopscape
