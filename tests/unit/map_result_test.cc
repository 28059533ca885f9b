// A search's part of a result file.
#include <string>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"
#include "tests/unit/schema_check.h"

namespace loopscape {
namespace {

StoredResult searched() {
  const Result<Arch> arch = parse_arch(R"({"nodes": [
      {"memory": "DRAM", "energy_pj": {"read": 2, "write": 2, "update": 2}},
      {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
  REQUIRE(arch.ok());
  const Result<Problem> problem =
      parse_problem(R"({"einsum": "O[m] += I[m,k] * W[k]", "dims": {"m": 2, "k": 3}})");
  REQUIRE(problem.ok());
  const Result<Mapping> mapping =
      parse_mapping_text("DRAM: I W O\nfor m in 2\n  for k in 3\n", *problem, *arch);
  REQUIRE(mapping.ok());
  const Result<Evaluator> evaluator = Evaluator::create(*problem, *arch, {}, *costs_in_spec(*arch));
  REQUIRE(evaluator.ok());
  StoredResult result = make_result(*evaluator, *mapping, *evaluator->explain(*mapping));
  result.options = {"edp", "random", "perfect", true, true, 1e6, 12.5,
                    2.5,   40,       1000,      7,    500,  {},  1.5};
  result.certificate = {true,
                        0.1 + 0.2,
                        0.25,
                        {{0, 3.5}, {1.25, 4.5}},
                        17,
                        "123456789012345678901",
                        "canonical",
                        12,
                        {{"bound", 3}, {"dominance", 0}},
                        99,
                        1,
                        0.125,
                        ""};
  result.statistics = {500, 100, 0.2, 1, 2, 3, 4, 5, 6, 7};
  result.front = {{10.5, 20, *mapping}, {11.25, 10, *mapping}};
  result.fingerprint = fingerprint_of(result);
  return result;
}

TEST_CASE("a search's result reads back as it was written") {
  const StoredResult result = searched();
  const std::string json = result_to_json(result);
  CHECK(SchemaCheck(result_schema()).accepts(json));
  const Result<StoredResult> back = parse_result(json);
  INFO(back.status().to_string());
  REQUIRE(back.ok());
  CHECK(result_to_json(*back) == json);
  CHECK(fingerprint_of(*back) == result.fingerprint);
  CHECK(back->options.search == "random");
  CHECK(back->options.uneven);
  CHECK(back->options.max_energy_pj == 12.5);
  CHECK(back->options.samples == 500);
  CHECK_FALSE(back->options.starts);
  REQUIRE(back->certificate);
  CHECK(back->certificate->lower_bound == 0.1 + 0.2);
  CHECK(back->certificate->mapspace == "123456789012345678901");
  REQUIRE(back->certificate->least_costs.size() == 2);
  CHECK(back->certificate->least_costs[1].pj_per_cycle == 1.25);
  CHECK(back->certificate->least_cycles == 17);
  CHECK(back->options.most_pj_per_cycle == 40);
  CHECK(back->certificate->pruned == result.certificate->pruned);
  REQUIRE(back->statistics);
  CHECK(back->statistics->median == 4);
  REQUIRE(back->front.size() == 2);
  CHECK(back->front[1].cycles == 10);
  CHECK(back->front[1].mapping == result.mapping);
}

TEST_CASE("a gap that nothing bounds is left out") {
  StoredResult result = searched();
  result.certificate->gap.reset();
  const std::string json = result_to_json(result);
  CHECK(json.find("\"gap\"") == std::string::npos);
  CHECK(SchemaCheck(result_schema()).accepts(json));
  const Result<StoredResult> back = parse_result(json);
  REQUIRE(back.ok());
  CHECK_FALSE(back->certificate->gap);
}

TEST_CASE("the fingerprint tells what was searched for") {
  StoredResult result = searched();
  const std::string before = result.fingerprint;
  result.certificate->seconds = 9;
  CHECK(fingerprint_of(result) == before);
  result.options.objective = "delay";
  CHECK(fingerprint_of(result) != before);
}

TEST_CASE("what is wrong in a search's part is placed") {
  struct Case {
    const char* from;
    const char* to;
    const char* place;
  };
  for (const Case& c : std::vector<Case>{
           {"\"proved\": true", "\"proved\": 1", "/certificate/proved"},
           {"{\"bound\": 3, ", "{\"bound\": -3, ", "/certificate/pruned/bound"},
           {"\"lower_bound\"", "\"lower\"", "/certificate/lower"},
           {"\"objective\": \"edp\"", "\"objective\": \"edpp\"", "/inputs/options/objective"},
           {"\"median\": 4", "\"median\": \"4\"", "/statistics/median"},
           {"\"cycles\": 20,", "\"cycles\": -20,", "/front/0/cycles"}}) {
    INFO(c.from);
    std::string json = result_to_json(searched());
    const std::size_t at = json.find(c.from);
    REQUIRE(at != std::string::npos);
    json.replace(at, std::string(c.from).size(), c.to);
    const Result<StoredResult> back = parse_result(json);
    REQUIRE_FALSE(back.ok());
    CHECK(back.status().place() == c.place);
  }
}

}  // namespace
}  // namespace loopscape
