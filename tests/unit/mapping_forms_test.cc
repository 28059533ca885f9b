// The two written forms of a mapping: round trips, and mistakes with the sentences they earn.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/mapping_world.h"
#include "tests/unit/schema_check.h"

namespace loopscape {
namespace {

Mapping random_mapping(std::mt19937& random) {
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  Mapping mapping;
  for (std::size_t n = 1 + below(kMaxMappingNodes); n-- > 0;) {
    const auto dim = static_cast<DimId>(below(4));
    const std::uint32_t bound = below(8) == 0 ? 4294967295u : 1 + below(9);
    MappingNode node = MappingNode::loop(dim, bound);
    if (below(3) == 0) {
      node = MappingNode::store(static_cast<MemoryId>(below(5)),
                                static_cast<TensorMask>(1 + below(7)));
    } else if (below(3) == 0) {
      node = MappingNode::spatial(dim, bound, static_cast<AxisId>(below(2)));
    }
    REQUIRE(mapping.push_back(node));
  }
  return mapping;
}

TEST_CASE("random mappings survive both written forms") {
  const Problem problem = small_problem();
  const Arch arch = small_arch();
  const SchemaCheck schema(mapping_schema());
  std::mt19937 random(20261120);
  for (int i = 0; i < 2000; ++i) {
    const Mapping mapping = random_mapping(random);
    const std::string text = mapping_to_text(mapping, problem, arch);
    const Result<Mapping> from_text = parse_mapping_text(text, problem, arch);
    REQUIRE(from_text.ok());
    CHECK(*from_text == mapping);
    const std::string json = mapping_to_json(mapping, problem, arch);
    const Result<Mapping> from_json = parse_mapping(json, problem, arch);
    REQUIRE(from_json.ok());
    CHECK(*from_json == mapping);
    if (i % 20 == 0) CHECK(schema.accepts(json));
  }
}

TEST_CASE("the text form reads as it is written") {
  const Problem problem = small_problem();
  const Arch arch = small_arch();
  const Result<Mapping> mapping = parse_mapping_text(kSmallMapping, problem, arch);
  REQUIRE(mapping.ok());
  CHECK(mapping_to_text(*mapping, problem, arch) == kSmallMapping);
  const Result<Mapping> loose = parse_mapping_text(
      "# a comment\r\n\r\nDRAM : O   I W # all\n\n  for k in 2\n  parallel r in 3 on y", problem,
      arch);
  REQUIRE(loose.ok());
  CHECK(mapping_to_text(*loose, problem, arch) ==
        "DRAM: I W O\nfor k in 2\n  parallel r in 3 on PEs.y\n");
}

TEST_CASE("mistakes in the text form are placed and explained") {
  const std::string forms =
      "a line is 'MEMORY: TENSOR ...', 'for DIM in BOUND' or 'parallel DIM in BOUND on AXIS'";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1: the nest is empty: " + forms},
      {"  \n# nothing", "line 1: the nest is empty: " + forms},
      {"DRAM: I W O\nBufer: I", "line 2: no memory is called 'Bufer' (did you mean 'Buffer'?)"},
      {"DRAM: I V", "line 1: no tensor is called 'V'; known here: O, I, W"},
      {"DRAM: I, W, O", "line 1: tensors are separated by spaces, not commas"},
      {"DRAM: I I", "line 1: tensor I is named twice"},
      {"DRAM:", "line 1: name at least one tensor after DRAM:"},
      {"DRAM I", "line 1: a colon is missing after memory DRAM"},
      {"loop k in 4", "line 1: this is not a line of a nest: " + forms},
      {"for k = 4", "line 1: a loop is written 'for DIM in BOUND', for example 'for k in 4'"},
      {"for K in 4", "line 1: no dimension is called 'K' (did you mean 'k'?)"},
      {"for k in 0", "line 1: a bound is a whole number from 1 to 4294967295, not '0'"},
      {"for k in -1", "line 1: a bound is a whole number from 1 to 4294967295, not '-1'"},
      {"for k in 4294967296",
       "line 1: a bound is a whole number from 1 to 4294967295, not '4294967296'"},
      {"for k in 2x", "line 1: a bound is a whole number from 1 to 4294967295, not '2x'"},
      {"parallel k in 4 on",
       "line 1: a spatial loop is written 'parallel DIM in BOUND on AXIS', for example 'parallel "
       "k in 4 on PEs.x'"},
      {"parallel k in 4 on PE.x", "line 1: no axis is called 'PE.x' (did you mean 'PEs.x'?)"},
      {"for k in 2\n  for c in 6\nfor p in 7",
       "line 3: this line stands further left than line 2, but a nest has one branch only: each "
       "line belongs inside the one before"},
      {"for k in 2\n\tfor c in 6", "line 2: indent with spaces, not tabs"},
      {std::string("for \0 in 2", 10),
       "line 1: no dimension is called '?'; known here: k, c, p, r"},
  };
  for (const auto& [text, sentence] : cases) {
    INFO(text);
    const Result<Mapping> mapping = parse_mapping_text(text, small_problem(), small_arch());
    REQUIRE_FALSE(mapping.ok());
    CHECK(mapping.status().code() == StatusCode::kInvalidInput);
    CHECK(mapping.status().to_string() == sentence);
  }
}

TEST_CASE("mistakes in the JSON form are placed and explained") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "expected an object, found a list"},
      {"{}", "the key 'nest' is missing (Stores and loops, outermost first.)"},
      {R"({"nests": []})", "/nests: unknown key 'nests' (did you mean 'nest'?)"},
      {R"({"nest": {}})", "/nest: expected a list of nodes, found an object"},
      {R"({"nest": []})", "/nest: the nest is empty; it begins with the outermost stores"},
      {R"({"nest": [3]})", "/nest/0: expected a node, found a number"},
      {R"({"nest": [{"fro": "k", "bound": 4}]})",
       "/nest/0: a node has one of the keys 'store', 'for' and 'spatial' (did you mean 'for' for "
       "'fro'?)"},
      {R"({"nest": [{"for": "k", "bond": 4}]})",
       "/nest/0/bond: unknown key 'bond' (did you mean 'bound'?)"},
      {R"({"nest": [{"for": "x", "bound": 4}]})",
       "/nest/0/for: no dimension is called 'x'; known here: k, c, p, r"},
      {R"({"nest": [{"store": "DRAM", "tensors": ["I", "V"]}]})",
       "/nest/0/tensors/1: no tensor is called 'V'; known here: O, I, W"},
      {R"({"nest": [{"store": "DRAM", "tensors": []}]})",
       "/nest/0/tensors: name at least one tensor"},
      {R"({"nest": [{"store": "dram", "tensors": ["I"]}]})",
       "/nest/0/store: no memory is called 'dram' (did you mean 'DRAM'?)"},
      {R"({"nest": [{"spatial": "k", "bound": 2, "axis": "z"}]})",
       "/nest/0/axis: no axis is called 'z'; known here: PEs.x, PEs.y"},
  };
  for (const auto& [text, sentence] : cases) {
    INFO(text);
    const Result<Mapping> mapping = parse_mapping(text, small_problem(), small_arch());
    REQUIRE_FALSE(mapping.ok());
    CHECK(mapping.status().code() == StatusCode::kInvalidInput);
    CHECK(mapping.status().to_string() == sentence);
  }
}

TEST_CASE("bounds in JSON are whole numbers from 1 to 2^32 - 1") {
  for (const char* bound : {"0", "-1", "4294967296", "1e99", "2.5", "\"2\"", "null", "[]"}) {
    const std::string text = std::string(R"({"nest": [{"for": "k", "bound": )") + bound + "}]}";
    const Result<Mapping> mapping = parse_mapping(text, small_problem(), small_arch());
    INFO(text);
    REQUIRE_FALSE(mapping.ok());
    CHECK(mapping.status().place() == "/nest/0/bound");
  }
}

TEST_CASE("the schema of mappings refuses what the reader refuses") {
  const SchemaCheck schema(mapping_schema());
  CHECK(schema.accepts(R"({"nest": [{"store": "DRAM", "tensors": "I"}], "version": 1})"));
  for (const char* json : {
           R"([])",
           R"({})",
           R"({"nest": []})",
           R"({"nest": [3]})",
           R"({"nest": [{"for": "k"}]})",
           R"({"nest": [{"for": "k", "bound": 0}]})",
           R"({"nest": [{"for": "k", "bound": 2.5}]})",
           R"({"nest": [{"for": "k", "bound": 2, "axis": "x"}]})",
           R"({"nest": [{"for": "k", "spatial": "k", "bound": 2, "axis": "x"}]})",
           R"({"nest": [{"spatial": "k", "bound": 2}]})",
           R"({"nest": [{"store": "DRAM", "tensors": [1]}]})",
           R"({"nest": [{"store": "DRAM", "tensors": ["I"]}], "version": 2})",
       }) {
    INFO(json);
    CHECK_FALSE(schema.accepts(json));
    CHECK_FALSE(parse_mapping(json, small_problem(), small_arch()).ok());
  }
}

TEST_CASE("a nest longer than a Mapping is refused in both forms") {
  std::string text, json = R"({"nest": [)";
  for (std::size_t n = 0; n <= kMaxMappingNodes; ++n) {
    text += "for k in 1\n";
    json += std::string(n ? "," : "") + R"({"for": "k", "bound": 1})";
  }
  const std::string sentence =
      "a nest has at most 96 nodes; merge neighbouring loops over the same dimension";
  CHECK(parse_mapping_text(text, small_problem(), small_arch()).status().to_string() ==
        "line 97: " + sentence);
  CHECK(parse_mapping(json + "]}", small_problem(), small_arch()).status().to_string() ==
        "/nest: " + sentence);
}

TEST_CASE("a mapping of another problem names what is missing") {
  Problem other = small_problem();
  other.dims[3].name = "s";
  other.tensors[2].name = "Weights";
  const Result<Mapping> mapping = parse_mapping_text(kSmallMapping, other, small_arch());
  CHECK(mapping.status().to_string() ==
        "line 1: no tensor is called 'W'; known here: O, I, Weights");
}

}  // namespace
}  // namespace loopscape
