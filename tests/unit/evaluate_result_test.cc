// Results as files: what is written reads back, and what is wrong is named with its place.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"
#include "tests/unit/schema_check.h"

namespace loopscape {
namespace {

std::string example(const char* name) {
  std::ifstream file(std::string(LOOPSCAPE_SOURCE_DIR "/examples/01_one_layer/") + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

StoredResult example_result(const Conventions& conventions) {
  const Result<Arch> arch = parse_arch(example("arch.json"));
  REQUIRE(arch.ok());
  const Result<Problem> problem = parse_problem(example("problem.json"));
  REQUIRE(problem.ok());
  const Result<Mapping> mapping = parse_mapping(example("mapping.json"), *problem, *arch);
  REQUIRE(mapping.ok());
  const Result<ActionCosts> costs = costs_in_spec(*arch);
  REQUIRE(costs.ok());
  const Result<Evaluator> evaluator = Evaluator::create(*problem, *arch, conventions, *costs);
  REQUIRE(evaluator.ok());
  Result<Breakdown> breakdown = evaluator->explain(*mapping);
  REQUIRE(breakdown.ok());
  return make_result(*evaluator, *mapping, std::move(breakdown).value());
}

TEST_CASE("a result reads back as it was written") {
  for (const Conventions& conventions : {Conventions::physical(), Conventions::timeloop()}) {
    const StoredResult result = example_result(conventions);
    const std::string json = result_to_json(result);
    const Result<StoredResult> back = parse_result(json);
    INFO(back.status().to_string());
    REQUIRE(back.ok());
    CHECK(result_to_json(*back) == json);
    CHECK(back->problem == result.problem);
    CHECK(back->arch == result.arch);
    CHECK(back->mapping == result.mapping);
    CHECK(back->conventions == conventions);
    CHECK(back->breakdown.energy_pj == result.breakdown.energy_pj);
    CHECK(back->breakdown.bottleneck == result.breakdown.bottleneck);
    CHECK(fingerprint_of(*back) == result.fingerprint);
  }
}

TEST_CASE("numbers of every size survive") {
  StoredResult result = example_result({});
  result.breakdown.energy_pj = 0.1 + 0.2;
  result.breakdown.utilization = 1.0 / 3;
  result.breakdown.area_um2 = 1.7976931348623157e308;
  result.breakdown.memories[0].energy_pj = 4.9406564584124654e-324;
  result.breakdown.memories[0].tensors[0].words.reads = 9223372036854775807;
  const Result<StoredResult> back = parse_result(result_to_json(result));
  INFO(back.status().to_string());
  REQUIRE(back.ok());
  CHECK(back->breakdown.energy_pj == result.breakdown.energy_pj);
  CHECK(back->breakdown.utilization == result.breakdown.utilization);
  CHECK(back->breakdown.area_um2 == result.breakdown.area_um2);
  CHECK(back->breakdown.memories[0].energy_pj == result.breakdown.memories[0].energy_pj);
  CHECK(back->breakdown.memories[0].tensors[0].words.reads == 9223372036854775807);
}

TEST_CASE("the fingerprint follows from the inputs") {
  StoredResult result = example_result({});
  const std::string before = fingerprint_of(result);
  CHECK(before.size() == 32);
  result.breakdown.energy_pj += 1;
  CHECK(fingerprint_of(result) == before);
  result.conventions = Conventions::timeloop();
  CHECK(fingerprint_of(result) != before);
}

TEST_CASE("what is wrong in a result is placed") {
  struct Case {
    const char* from;
    const char* to;
    const char* place;
  };
  const std::vector<Case> cases = {
      {"\"operations\"", "\"operation\"", "/operation"},
      {"\"name\": \"GlobalBuffer\"", "\"name\": \"Buffer\"", "/memories/1/name"},
      {"\"bottleneck\": \"MAC compute\"", "\"bottleneck\": \"MAC\"", "/bottleneck"},
      {"\"part\": \"compute\"", "\"part\": \"computing\"", "/time/0"},
      {"\"tile_words\": ", "\"tile_words\": -", "/memories/0/tensors/O/tile_words"},
      {"\"store\": \"PsumSpad\"", "\"store\": \"Psums\"", "/mapping/nest/12/store"},
      {"\"options\": {}", "\"options\": {\"fast\": true}", "/inputs/options/fast"},
  };
  const std::string json = result_to_json(example_result({}));
  const SchemaCheck schema(result_schema());
  CHECK(schema.accepts(json));
  CHECK_FALSE(schema.accepts("{}"));
  for (const Case& c : cases) {
    INFO(c.from);
    std::string changed = json;
    const std::size_t at = changed.find(c.from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, std::string(c.from).size(), c.to);
    const Result<StoredResult> back = parse_result(changed);
    REQUIRE_FALSE(back.ok());
    CHECK(back.status().place() == c.place);
  }
}

}  // namespace
}  // namespace loopscape
