// The oracle itself, on worlds small enough to count by hand. The numbers in the comments are the
// whole derivation.
#include "tests/reference/simulator.h"

#include <catch2/catch.hpp>

#include "tests/reference/setting.h"

namespace loopscape::reference {
namespace {

using ExtentMap = std::map<std::string, std::int64_t>;

Setting world(const std::string& einsum, const ExtentMap& extents, const ArchBuilder& arch,
              Conventions conventions = {}) {
  Result<Problem> problem = parse_einsum(einsum, extents);
  REQUIRE(problem.ok());
  return make_setting(*problem, arch.done(), conventions);
}

Simulation run(const Setting& setting, const std::string& nest) {
  const Result<Mapping> mapping = parse_mapping_text(nest, setting.problem, setting.arch);
  INFO(mapping.status().to_string());
  REQUIRE(mapping.ok());
  const Result<Simulation> result = simulate_in_detail(
      setting.problem, setting.arch, setting.conventions, setting.costs, *mapping);
  INFO(result.status().to_string());
  REQUIRE(result.ok());
  CHECK(result->reads_are_visits_less_zeros);
  return *result;
}

const TensorAtMemory& at(const Setting& setting, const Simulation& result,
                         const std::string& memory, const std::string& tensor) {
  const MemoryId m = *setting.arch.find_memory(memory);
  const TensorId t = *setting.problem.find_tensor(tensor);
  return result.breakdown.memories[index(m)].tensors[index(t)];
}

const TensorAtNetwork& over(const Setting& setting, const Simulation& result,
                            const std::string& fanout, const std::string& tensor) {
  const FanoutId f = *setting.arch.find_fanout(fanout);
  const TensorId t = *setting.problem.find_tensor(tensor);
  return result.breakdown.fanouts[index(f)].tensors[index(t)];
}

ArchBuilder two_memories() {
  ArchBuilder arch;
  arch.memory("DRAM");
  arch.memory("Buf");
  return arch;
}

ArchBuilder lanes(std::vector<std::uint32_t> sizes) {
  ArchBuilder arch;
  arch.memory("DRAM");
  arch.fanout("PEs", std::move(sizes));
  arch.memory("Spad");
  return arch;
}

const char* const kGemm = "O[m,n] += A[m,k] * B[k,n]";
const char* const kConv = "O[p] += I[p+r] * W[r]";

}  // namespace

TEST_CASE("simulator: one memory serves every operation") {
  ArchBuilder arch;
  arch.memory("DRAM");
  const Setting s = world(kGemm, {{"m", 2}, {"n", 2}, {"k", 2}}, arch);
  const Simulation r = run(s, "DRAM: A B O\nfor m in 2\nfor n in 2\nfor k in 2");
  CHECK(at(s, r, "DRAM", "A").words == Traffic{8, 0, 0, 0});
  CHECK(at(s, r, "DRAM", "B").words == Traffic{8, 0, 0, 0});
  CHECK(at(s, r, "DRAM", "O").words == Traffic{4, 0, 8, 0});  // 4 of 8 visits are first ones
  CHECK(r.breakdown.compute.steps == 8);
  CHECK(r.breakdown.cycles == 8);
  CHECK(r.breakdown.utilization == 1.0);
}

TEST_CASE("simulator: loops irrelevant to a tile keep it") {
  const Setting s = world(kGemm, {{"m", 2}, {"n", 2}, {"k", 2}}, two_memories());
  const Simulation r = run(s, "DRAM: A B O\nfor k in 2\nBuf: A B O\nfor m in 2\nfor n in 2");
  CHECK(at(s, r, "DRAM", "A").words == Traffic{4, 0, 0, 0});
  CHECK(at(s, r, "Buf", "A").words == Traffic{8, 4, 0, 0});
  CHECK(at(s, r, "DRAM", "O").words == Traffic{0, 0, 4, 0});
  CHECK(at(s, r, "Buf", "O").words == Traffic{4, 0, 8, 4});
  CHECK(at(s, r, "Buf", "A").tile_words == 2);
  CHECK(r.breakdown.memories[1].occupied_bits == (2 + 2 + 4) * 16);
}

TEST_CASE("simulator: partial sums that leave come back") {
  const Setting s = world(kGemm, {{"m", 2}, {"n", 2}, {"k", 2}}, two_memories());
  const Simulation r = run(s, "DRAM: A B O\nfor k in 2\nfor m in 2\nBuf: A B O\nfor n in 2");
  // Tiles of 2 words arrive 4 times; the second round of k resumes 4 words.
  CHECK(at(s, r, "DRAM", "O").words == Traffic{4, 0, 8, 0});
  CHECK(at(s, r, "Buf", "O").words == Traffic{4, 4, 8, 8});
}

TEST_CASE("simulator: a march moves what is new") {
  const Setting s = world(kConv, {{"p", 4}, {"r", 3}}, two_memories());
  const char* const marching = "DRAM: I W O\nfor p in 4\nBuf: I\nfor r in 3";
  CHECK(at(s, run(s, marching), "Buf", "I").words.fills == 3 + 1 + 1 + 1);
  // Split over two loops it is the same march; a turn of r fetches all of it again.
  const char* const split = "DRAM: I W O\nfor p in 2\nfor p in 2\nBuf: I\nfor r in 3";
  CHECK(at(s, run(s, split), "Buf", "I").words.fills == 6);
  const char* const turns = "DRAM: I W O\nfor r in 3\nfor p in 2\nBuf: I\nfor p in 2";
  CHECK(at(s, run(s, turns), "Buf", "I").words.fills == 3 * 4);
  Setting ideal = s;
  ideal.conventions.reuse = Conventions::Reuse::kPreviousTile;
  // r = 0: {0,1} {2,3}; r = 1: {1,2} after {2,3} brings 1, {3,4}; r = 2: {2,3}: 2, {4,5}.
  CHECK(at(ideal, run(ideal, turns), "Buf", "I").words.fills == 4 + 3 + 3);
}

TEST_CASE("simulator: a spatial loop over the marching dimension ends the march") {
  const Setting s = world(kConv, {{"p", 8}, {"r", 3}}, lanes({2}));
  const char* const nest =
      "DRAM: I W O\nfor p in 2\nparallel p in 2 on PEs\nfor p in 2\nSpad: I\nfor r in 3";
  // Each of 2 lanes: {o, o+1, o+2} then one new word, twice; turns fetch whole tiles.
  CHECK(at(s, run(s, nest), "Spad", "I").words.fills == 2 * 2 * (3 + 1));
}

TEST_CASE("simulator: a network reads a word once that several children need") {
  Setting s = world(kConv, {{"p", 4}, {"r", 3}}, lanes({2}));
  const char* const nest = "DRAM: I W O\nfor p in 2\nparallel p in 2 on PEs\nSpad: I\nfor r in 3";
  // Lanes hold {0,1,2} and {1,2,3}, then {2,3,4} and {3,4,5}: new are {3,4} and {4,5}.
  Simulation r = run(s, nest);
  CHECK(at(s, r, "Spad", "I").words.fills == 3 + 3 + 2 + 2);
  CHECK(at(s, r, "DRAM", "I").words.reads == 4 + 3);
  CHECK(over(s, r, "PEs", "I").words_in == 7);
  CHECK(over(s, r, "PEs", "I").words_delivered == 10);
  // W is in no scratchpad: one word a step for both lanes.
  CHECK(at(s, r, "DRAM", "W").words.reads == 6);

  s.conventions.sharing = Conventions::Sharing::kEqualDelta;
  r = run(s, nest);
  CHECK(at(s, r, "DRAM", "I").words.reads == 10);
  CHECK(at(s, r, "DRAM", "W").words.reads == 6);

  s.conventions = {};
  s.arch.fanouts[0].networks[0].multicast = {};
  r = run(s, nest);
  CHECK(at(s, r, "DRAM", "I").words.reads == 10);
  CHECK(at(s, r, "DRAM", "W").words.reads == 12);
}

TEST_CASE("simulator: two fan-outs resolve from the inside out") {
  ArchBuilder arch;
  arch.memory("DRAM");
  arch.fanout("Rows", {2});
  arch.fanout("Cols", {2});
  arch.memory("Spad");
  Setting s = world("O[a,b] += I[a+b] * W[a,b]", {{"a", 2}, {"b", 2}}, arch);
  const char* const nest =
      "DRAM: I W O\nparallel a in 2 on Rows\nparallel b in 2 on Cols\nSpad: I W O";
  Simulation r = run(s, nest);  // words 0 1 | 1 2
  CHECK(at(s, r, "DRAM", "I").words.reads == 3);
  CHECK(over(s, r, "Cols", "I").words_in == 4);
  s.arch.fanouts[0].networks[0].multicast = {};  // Rows
  CHECK(at(s, run(s, nest), "DRAM", "I").words.reads == 4);
  // Unshared columns hand up one copy each; rows share what both ask for, once: 0, 1, 1?, 2.
  s.arch.fanouts[0].networks[0].multicast = {"input"};
  s.arch.fanouts[1].networks[0].multicast = {};
  CHECK(at(s, run(s, nest), "DRAM", "I").words.reads == 3);
}

TEST_CASE("simulator: neighbours forward what they held") {
  Setting s = world(kConv, {{"p", 4}, {"r", 3}}, lanes({2}));
  s.arch.fanouts[0].networks[0].forward = {"I"};
  const char* const nest = "DRAM: I W O\nfor p in 2\nparallel p in 2 on PEs\nSpad: I\nfor r in 3";
  Simulation r = run(s, nest);  // word 3 moves from the second lane to the first
  CHECK(over(s, r, "PEs", "I").forwarded == 1);
  CHECK(over(s, r, "PEs", "I").words_delivered == 10);
  CHECK(at(s, r, "Spad", "I").words.fills == 10);
  CHECK(at(s, r, "DRAM", "I").words.reads == 4 + 2);
  // Directly above compute: each step of r takes the upper neighbour's last word.
  const char* const bare = "DRAM: I W O\nfor p in 2\nparallel p in 2 on PEs\nfor r in 3";
  r = run(s, bare);
  CHECK(over(s, r, "PEs", "I").forwarded == 2 * 2);
  CHECK(at(s, r, "DRAM", "I").words.reads == 2 * (2 + 1 + 1));
}

TEST_CASE("simulator: ragged nests are cut where the problem ends") {
  const Setting s = world("O[p] += I[p] * W[p]", {{"p", 5}}, lanes({2}));
  const Simulation r =
      run(s, "DRAM: I W O\nfor p in 2\nparallel p in 2 on PEs\nSpad: I\nfor p in 2");
  CHECK(r.breakdown.compute.steps == 3);  // 4 | 1
  CHECK(at(s, r, "Spad", "I").words == Traffic{5, 5, 0, 0});
  CHECK(at(s, r, "Spad", "I").tile_words == 2);
  const std::vector<InstanceCounts>& each = r.counts[1][1];
  REQUIRE(each.size() == 2);
  CHECK(each[0].words.fills == 3);
  CHECK(each[1].words.fills == 2);
}

TEST_CASE("simulator: refills enter one child of a group or every one") {
  Setting s = world("O[m] += A[m,k] * B[k]", {{"m", 2}, {"k", 4}}, lanes({2}));
  const char* const nest = "DRAM: A B O\nfor k in 2\nfor m in 2\nparallel k in 2 on PEs\nSpad: O";
  Simulation r = run(s, nest);
  CHECK(at(s, r, "DRAM", "O").words == Traffic{2, 0, 4, 0});
  CHECK(at(s, r, "Spad", "O").words == Traffic{2, 2, 8, 8});
  CHECK(over(s, r, "PEs", "O").words_collected == 8);
  CHECK(over(s, r, "PEs", "O").words_out == 4);
  CHECK(over(s, r, "PEs", "O").reductions == 4);
  CHECK(over(s, r, "PEs", "O").words_in == 2);
  CHECK(r.counts[1][0][0].words.fills == 2);

  s.conventions.refill = Conventions::Refill::kEveryChild;
  r = run(s, nest);
  CHECK(at(s, r, "Spad", "O").words == Traffic{4, 4, 8, 8});
  CHECK(over(s, r, "PEs", "O").words_delivered == 4);

  s.conventions = {};
  s.arch.fanouts[0].networks[0].reduce = {};
  r = run(s, nest);  // every partial sum updates; only the very first of a word reads nothing
  CHECK(at(s, r, "DRAM", "O").words == Traffic{6, 0, 8, 0});
}

TEST_CASE("simulator: accesses are rounded for each instance") {
  Setting s = world("O[p] += I[p] * W[p]", {{"p", 6}}, lanes({2}));
  s.arch.memories[1].width_bits = 64;  // 4 words
  const Simulation r = run(s, "DRAM: I W O\nparallel p in 2 on PEs\nSpad: I O\nfor p in 3");
  CHECK(at(s, r, "Spad", "I").words.reads == 6);
  CHECK(at(s, r, "Spad", "I").accesses == Traffic{2, 2, 0, 0});
  CHECK(at(s, r, "Spad", "O").accesses == Traffic{0, 0, 2, 2});
  CHECK(at(s, r, "Spad", "I").energy_pj == 2 * 200.25 / 2 + 2 * 150.5 / 2);
}

TEST_CASE("simulator: complete results move at final_bits") {
  Setting s = world(kGemm, {{"m", 2}, {"n", 2}, {"k", 2}}, two_memories());
  s.problem.tensors[0].bits = 24;
  s.problem.tensors[0].final_bits = 8;
  s.arch.memories[0].width_bits = s.arch.memories[1].width_bits = 8;
  const Simulation r = run(s, "DRAM: A B O\nfor k in 2\nfor m in 2\nBuf: A B O\nfor n in 2");
  CHECK(at(s, r, "DRAM", "O").accesses == Traffic{12, 0, 4 * 3 + 4, 0});
  CHECK(at(s, r, "Buf", "O").accesses == Traffic{12, 12, 24, 4 * 3 + 4});
}

TEST_CASE("simulator: padding is generated, not moved") {
  Setting s = world(kConv, {{"p", 4}, {"r", 3}}, two_memories());
  s.problem.tensors[1].ranks[0].valid_begin = 1;
  s.problem.tensors[1].ranks[0].valid_end = 5;
  const Simulation r = run(s, "DRAM: I W O\nfor p in 4\nBuf: I\nfor r in 3");
  CHECK(at(s, r, "Buf", "I").words == Traffic{10, 4, 0, 0});  // 12 operand reads, 2 of padding
  CHECK(at(s, r, "Buf", "I").tile_words == 3);
}

TEST_CASE("simulator: what buffering exposes") {
  Setting s = world(kGemm, {{"m", 2}, {"n", 2}, {"k", 2}}, two_memories());
  const char* const nest = "DRAM: A B O\nfor k in 2\nBuf: A B O\nfor m in 2\nfor n in 2";
  s.arch.memories[0].bandwidth_bits = 4;
  // DRAM: reads 8, updates 4 words: 12 * 16 / 4 = 48 cycles.
  CHECK(run(s, nest).breakdown.cycles == 48);
  s.arch.memories[1].buffering = Buffering::kDouble;  // 4 words in, 4 out
  CHECK(run(s, nest).breakdown.cycles == 48 + 16 + 16);
  s.arch.memories[1].buffering = Buffering::kBuffet;  // one word of A, of B and of O
  CHECK(run(s, nest).breakdown.cycles == 48 + 4 + 4 + 4);
  s.arch.memories[1].buffering = Buffering::kSingle;
  CHECK(run(s, nest).breakdown.cycles == 8 + 48);
  s.arch.memories[1].buffering = Buffering::kDouble;
  s.arch.memories[1].size_bits = 8 * 16;
  const Result<Mapping> mapping = parse_mapping_text(nest, s.problem, s.arch);
  REQUIRE(mapping.ok());
  const Result<Breakdown> refused = simulate(s.problem, s.arch, s.conventions, s.costs, *mapping);
  CHECK(refused.status().code() == StatusCode::kIllegalMapping);
}

TEST_CASE("simulator: a systolic array pays skew and preload for each fold") {
  ArchBuilder arch = lanes({3, 4});
  arch.arch.fanouts[0].networks[0].network_class = NetworkClass::kSystolic;
  const Setting s = world(kGemm, {{"m", 5}, {"n", 4}, {"k", 6}}, arch);
  const Simulation r = run(s,
                           "DRAM: A B O\nfor n in 2\nfor k in 2\nparallel k in 3 on PEs.x\n"
                           "parallel n in 2 on PEs.y\nSpad: B\nfor m in 5");
  // B arrives at each of the 2 x 2 outer steps: 4 folds of 3 + 4 - 2, and 4 (y) to preload.
  CHECK(r.breakdown.compute.steps == 20);
  CHECK(r.breakdown.cycles == 20 + 4 * 5 + 4 * 4);
}

}  // namespace loopscape::reference
