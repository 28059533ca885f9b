// Legality: every rule of model.md section 3 broken once, and the sentence that says so.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/mapping_world.h"

namespace loopscape {
namespace {

std::string verdict(const std::string& text, const Problem& problem, const Arch& arch) {
  const Result<Mapping> mapping = parse_mapping_text(text, problem, arch);
  if (!mapping.ok()) return "unreadable: " + mapping.status().to_string();
  const Status status = validate_mapping(*mapping, problem, arch);
  if (status.ok()) return "legal";
  CHECK(status.code() == StatusCode::kIllegalMapping);
  return status.to_string();
}
std::string verdict(const std::string& text) {
  return verdict(text, small_problem(), small_arch());
}

// kSmallMapping with its line `number` (from 1) replaced; "" takes it away.
std::string with_line(std::size_t number, const std::string& line) {
  std::string text;
  std::string rest = kSmallMapping;
  for (std::size_t n = 1; !rest.empty(); ++n) {
    const std::size_t end = rest.find('\n') + 1;
    // Without indentation, so that any line may follow any other.
    std::string kept = rest.substr(0, end);
    kept.erase(0, kept.find_first_not_of(' '));
    text += n == number ? line + "\n" : kept;
    rest.erase(0, end);
  }
  return text;
}

TEST_CASE("a legal mapping is legal") {
  CHECK(verdict(kSmallMapping) == "legal");
  CHECK(verdict(with_line(99, "")) == "legal");
}

TEST_CASE("each broken rule is named") {
  struct Case {
    std::size_t line;
    const char* instead;
    const char* verdict;
  };
  const std::vector<Case> cases = {
      {1, "DRAM: I W",
       "/nest/4: node 4 (Buffer: O) stores O before DRAM does, the outermost memory, where every "
       "tensor starts"},
      {1, "",
       "/nest/1: node 1 (Buffer: I) stores I before DRAM does, the outermost memory, where every "
       "tensor starts"},
      {3, "", "I must be stored at Buffer, which keeps it; the nest has no such store"},
      {10, "", "W must be stored at WeightSpad, which keeps it; the nest has no such store"},
      {5, "Buffer: O W", "/nest/4: node 4 (Buffer: W O) stores W, which must bypass Buffer"},
      {5, "Buffer: I O",
       "/nest/4: node 4 (Buffer: I O) stores I at Buffer a second time; a memory stores a tensor "
       "at most once"},
      {5, "DRAM: O",
       "/nest/4: node 4 (DRAM: O) stores O at DRAM a second time; a memory stores a tensor at "
       "most once"},
      {10, "Buffer: O\nWeightSpad: W",
       "/nest/9: node 9 (Buffer: O) stores O at Buffer a second time; a memory stores a tensor at "
       "most once"},
      {4, "PsumSpad: O\nfor p in 3",
       "/nest/5: node 5 (Buffer: O) must come before node 3 (PsumSpad: O): in the architecture "
       "Buffer is above PsumSpad"},
      {4, "InputSpad: I\nfor p in 3",
       "/nest/5: node 5 (Buffer: O) must come before node 3 (InputSpad: I): in the architecture "
       "Buffer is above InputSpad"},
      {4, "parallel r in 3 on y\nfor p in 3",
       "/nest/5: node 5 (Buffer: O) must come before node 3 (parallel r in 3 on PEs.y): Buffer is "
       "above fan-out PEs"},
      {12, "parallel p in 3 on x",
       "/nest/11: node 11 (parallel p in 3 on PEs.x) does not fit axis PEs.x: its bounds multiply "
       "to 6, its size is 4"},
      {12, "parallel p in 2 on x\nfor p in 2",
       "/nest/11: node 11 (parallel p in 2 on PEs.x) must come before node 8 (InputSpad: I): "
       "InputSpad lies below fan-out PEs"},
      {7, "parallel k in 4294967295 on x",
       "/nest/6: node 6 (parallel k in 4294967295 on PEs.x) does not fit axis PEs.x: its bounds "
       "multiply to 4294967295, its size is 4"},
      {7, "parallel c in 2 on x",
       "/nest/6: node 6 (parallel c in 2 on PEs.x) is over a dimension that axis PEs.x does not "
       "take; it takes p, k"},
      {6, "for c in 5", "the bounds over c multiply to 5, which does not cover its extent 6"},
      {6, "", "the bounds over c multiply to 1, which does not cover its extent 6"},
      {6, "for c in 7",
       "/nest/5: node 5 (for c in 7) has iterations with nothing to do: each covers 1 of c, whose "
       "extent is 6; bound 6 is enough"},
      {4, "for p in 4",
       "/nest/3: node 3 (for p in 4) has iterations with nothing to do: each covers 3 of p, whose "
       "extent is 7; bound 3 is enough"},
      // An outermost loop of bound 1 does not hide the empty iterations inside it.
      {4, "for p in 1\nfor p in 4",
       "/nest/4: node 4 (for p in 4) has iterations with nothing to do: each covers 3 of p, whose "
       "extent is 7; bound 3 is enough"},
      {4, "for p in 2\nfor p in 4294967295",
       "/nest/3: node 3 (for p in 2) has iterations with nothing to do: each covers 12884901885 "
       "of p, whose extent is 7; bound 1 is enough"},
      {2, "for k in 2\nfor k in 4294967295\nfor k in 4294967295",
       "/nest/2: node 2 (for k in 4294967295) has iterations with nothing to do: each covers "
       "8589934590 of k, whose extent is 4; bound 1 is enough"},
  };
  for (const Case& c : cases) {
    INFO("line " << c.line << " instead: " << c.instead);
    CHECK(verdict(with_line(c.line, c.instead)) == c.verdict);
  }
}

TEST_CASE("memories between the same fan-outs swap only if they share no tensor") {
  std::string swapped = with_line(9, "PsumSpad: O\nInputSpad: I");
  swapped.erase(swapped.rfind("PsumSpad: O\n"), 12);
  CHECK(verdict(swapped) == "legal");
  Arch arch = small_arch();
  arch.memories[4].keep = {};
  arch.memories[2].bypass = {};
  const std::string text =
      "DRAM: I W O\nBuffer: I\nfor p in 7\nfor k in 4\nfor c in 6\nparallel r in 3 on y\n"
      "PsumSpad: I\nInputSpad: I\nWeightSpad: W\n";
  CHECK(verdict(text, small_problem(), arch) ==
        "/nest/7: node 7 (InputSpad: I) must come before node 6 (PsumSpad: I): in the "
        "architecture InputSpad is above PsumSpad and both store I");
}

TEST_CASE("axes take dimensions by canonical name too") {
  Problem problem = small_problem();
  problem.dims[0].name = "m";
  problem.dim_roles = {{"m", "k"}};
  std::string text = kSmallMapping;
  for (std::size_t at; (at = text.find(" k ")) != std::string::npos;) text.replace(at, 3, " m ");
  CHECK(verdict(text, problem, small_arch()) == "legal");
  problem.dim_roles = {{"m", "n"}};
  CHECK(verdict(text, problem, small_arch()) ==
        "/nest/6: node 6 (parallel m in 2 on PEs.x) is over a dimension that axis PEs.x does not "
        "take; it takes p, k");
}

TEST_CASE("temporal loops may stand between a fan-out and its store, in any spatial order") {
  const char* const text =
      "DRAM: I W O\nBuffer: I O\nfor p in 7\nparallel r in 3 on y\nparallel k in 4 on x\n"
      "for c in 2\nInputSpad: I\nfor c in 3\nWeightSpad: W\nPsumSpad: O\n";
  CHECK(verdict(text) == "legal");
}

TEST_CASE("hand-made nodes with wild ids are refused, not read") {
  const Problem problem = small_problem();
  const Arch arch = small_arch();
  const std::vector<std::pair<MappingNode, const char*>> cases = {
      {MappingNode::store(MemoryId{9}, 1),
       "/nest/1: node 1 (memory#9: O) stores at a memory that the architecture does not have"},
      {MappingNode::store(MemoryId{1}, 0x81),
       "/nest/1: node 1 (Buffer: tensor#7 O) stores a tensor that the problem does not have"},
      {MappingNode::store(MemoryId{1}, 0), "/nest/1: node 1 (Buffer: ) stores no tensor"},
      {MappingNode::loop(DimId{40}, 2),
       "/nest/1: node 1 (for dimension#40 in 2) loops over a dimension that the problem does not "
       "have"},
      {MappingNode::loop(DimId{0}, 0), "/nest/1: node 1 (for k in 0) has bound 0; the least is 1"},
      {MappingNode::spatial(DimId{0}, 2, AxisId{7}),
       "/nest/1: node 1 (parallel k in 2 on axis#7) is on an axis that the architecture does not "
       "have"},
  };
  for (const auto& [node, sentence] : cases) {
    Mapping mapping;
    CHECK(mapping.push_back(MappingNode::store(MemoryId{0}, 7)));
    CHECK(mapping.push_back(node));
    CHECK(validate_mapping(mapping, problem, arch).to_string() == sentence);
    CHECK_FALSE(mapping_to_text(mapping, problem, arch).empty());
    CHECK_FALSE(mapping_to_json(mapping, problem, arch).empty());
  }
}

std::vector<std::string> violations(const Constraint& constraint) {
  Arch arch = small_arch();
  arch.constraints = {constraint};
  const Problem problem = small_problem();
  const Result<Mapping> mapping = parse_mapping_text(kSmallMapping, problem, arch);
  REQUIRE(mapping.ok());
  return constraint_violations(*mapping, problem, arch);
}
Constraint on(const char* node) {
  Constraint constraint;
  constraint.node = node;
  return constraint;
}

TEST_CASE("constraints that hold say nothing") {
  using Kind = FactorConstraint::Kind;
  Constraint pes = on("PEs");
  pes.factors = {{"k", Kind::kExactly, 2}, {"r", Kind::kAll, 1}, {"c", Kind::kAtMost, 1}};
  pes.order = {"r", "k"};
  pes.dims = {"r", "k"};
  pes.min_utilization = 0.5;
  Constraint buffer = on("Buffer");
  buffer.keep = {"input"};
  buffer.bypass = {"weight"};
  buffer.order = {"c"};
  buffer.dims = {"p", "c"};
  buffer.factors = {{"p", Kind::kAtLeast, 3}, {"c", Kind::kAll, 1}};
  Constraint spad = on("InputSpad");  // stores in a row share the loops below them
  spad.factors = {{"p", Kind::kExactly, 3}};
  spad.stationary = "weight";
  for (const Constraint& c : {pes, buffer, spad}) CHECK(violations(c).empty());
}

TEST_CASE("dataflow presets are checked as what they stand for") {
  using Sentences = std::vector<std::string>;
  Constraint c = on("PEs");
  c.dataflow = "OS";
  CHECK(violations(c).empty());
  c.dataflow = "WS";  // at a fan-out: the loops at the memory above
  CHECK(violations(c) ==
        Sentences{"the constraint on PEs (dataflow WS) wants W stationary; the mapping has the "
                  "loop over c, which changes it, inside that over p, which does not"});
  c.dataflow = "OSC";
  CHECK(violations(c) ==
        Sentences{"the constraint on PEs (dataflow OSC) allows loops only over n k; the mapping "
                  "has 'parallel r in 3 on PEs.y' there"});
  c.node.clear();  // the largest fan-out, which is the same
  CHECK(violations(c).size() == 1);
}

TEST_CASE("constraints that do not hold are named") {
  using Kind = FactorConstraint::Kind;
  const auto check = [](const Constraint& constraint, const std::string& sentence) {
    CHECK(violations(constraint) ==
          std::vector<std::string>{"the constraint on " + constraint.node + " " + sentence});
  };
  Constraint c = on("PEs");
  c.factors = {{"k", Kind::kAll, 1}};
  check(c, "wants all 4 of k there; the mapping has 2");
  c.factors = {{"c", Kind::kAtLeast, 2}};
  check(c, "wants at least 2 of c there; the mapping has 1");
  c = on("PEs");
  c.min_utilization = 0.75;
  check(c, "wants at least 75 % of its lanes in use; the mapping uses 6 of 12 (50 %)");
  c.node = "MAC";
  check(c, "wants at least 75 % of its lanes in use; the mapping uses 6 of 12 (50 %)");
  c = on("PEs");
  c.order = {"k"};
  check(c,
        "wants the loops 'k' innermost, in this order from the inside out; the mapping has r "
        "inside k");
  c = on("Buffer");
  c.dims = {"p"};
  check(c, "allows loops only over p; the mapping has 'for c in 6' there");
  c = on("Buffer");
  c.keep = {"W"};
  check(c, "wants W stored there; the mapping does not");
  c = on("Buffer");
  c.bypass = {"output"};
  check(c, "wants O to bypass it; the mapping stores it");
  c = on("Buffer");
  c.stationary = "weight";
  check(c,
        "wants W stationary; the mapping has the loop over c, which changes it, inside that "
        "over p, which does not");
  c = on("Nowhere");
  check(c, "names a node that the architecture does not have");
}

}  // namespace
}  // namespace loopscape
