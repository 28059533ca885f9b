// Hops of nests small enough to count by hand.

#include <string>

#include <catch2/catch.hpp>

#include "model/counting/counting.h"
#include "model/interconnect/interconnect.h"

namespace loopscape {
namespace {

//   O[k,p] += I[c,p+r] * W[k,c,r] on DRAM / PEs(x, y) / Spad / MAC
class Array {
 public:
  Array(std::uint32_t x, std::uint32_t y, std::int64_t k, std::int64_t c, std::int64_t p,
        std::int64_t r) {
    problem_.dims = {{"k", k}, {"c", c}, {"p", p}, {"r", r}};
    const DimId dk{0}, dc{1}, dp{2}, dr{3};
    Tensor output, input, weight;
    output.name = "O", input.name = "I", weight.name = "W";
    output.is_output = true;
    output.role = Role::kOutput;
    output.ranks = {{{{dk}}, {}, {}}, {{{dp}}, {}, {}}};
    output.relevant = bit(dk) | bit(dp);
    input.ranks = {{{{dc}}, {}, {}}, {{{dp}, {dr}}, {}, {}}};
    input.relevant = bit(dc) | bit(dp) | bit(dr);
    input.sliding = bit(dp) | bit(dr);
    weight.ranks = {{{{dk}}, {}, {}}, {{{dc}}, {}, {}}, {{{dr}}, {}, {}}};
    weight.relevant = bit(dk) | bit(dc) | bit(dr);
    problem_.tensors = {output, input, weight};
    arch_.nodes = {{NodeKind::kMemory, 0},
                   {NodeKind::kFanout, 0},
                   {NodeKind::kMemory, 1},
                   {NodeKind::kCompute, 0}};
    arch_.memories.resize(2);
    arch_.memories[0].name = "DRAM";
    arch_.memories[1].name = "Spad";
    Fanout fanout;
    fanout.name = "PEs";
    fanout.axes = {{"x", x, {}}, {"y", y, {}}};
    fanout.networks.resize(1);
    arch_.fanouts = {fanout};
    arch_.compute.name = "MAC";
  }

  Network& network() { return arch_.fanouts[0].networks[0]; }

  std::int64_t hops(const char* nest, char tensor, NetworkClass network_class,
                    Conventions::Refill refill = Conventions::Refill::kOneChild) const {
    const auto mapping = parse_mapping_text(nest, problem_, arch_);
    INFO(nest);
    REQUIRE(mapping.ok());
    Conventions conventions;
    conventions.refill = refill;
    const auto context = make_counting_context(problem_, arch_, conventions);
    REQUIRE(context.ok());
    Nest loops;
    REQUIRE(build_nest(*context, *mapping, loops) == Legality::kLegal);
    const WorkspacePtr workspace = make_workspace();
    Tally tally;
    count(*context, loops, *workspace, tally);
    REQUIRE(tally.status == StatusCode::kOk);
    const int t = tensor == 'O' ? 0 : tensor == 'I' ? 1 : 2;
    OverflowFlag flag;
    std::int64_t hops = -1;
    REQUIRE(count_hops(*context, loops, 0, t, network_class,
                       tally.network[0][static_cast<std::size_t>(t)], *workspace, flag, hops));
    REQUIRE_FALSE(flag.raised());
    return hops;
  }

 private:
  Problem problem_;
  Arch arch_;
};

using enum NetworkClass;

}  // namespace

// One weight for 4 x 3 cells of a 5 x 6 array.
TEST_CASE("a broadcast crosses what reaches every lane in use", "[interconnect]") {
  Array array(5, 6, 1, 1, 12, 1);
  array.network().multicast = {"W"};
  const char* nest =
      "DRAM: I W O\n"
      "parallel p in 3 on PEs.y\n"
      "  parallel p in 4 on PEs.x\n"
      "    Spad: I W O\n";
  CHECK(array.hops(nest, 'W', kFree) == 0);
  CHECK(array.hops(nest, 'W', kBus) == 30);
  CHECK(array.hops(nest, 'W', kCrossbar) == 12);
  CHECK(array.hops(nest, 'W', kChain) == 11);                // from each of the twelve to the next
  CHECK(array.hops(nest, 'W', kMulticastBus) == 6 + 3 * 5);  // trunk, three rows
  CHECK(array.hops(nest, 'W', kMesh) == 1 + 2 + 3 * 3);      // in, down, along three rows
  CHECK(array.hops(nest, 'W', kSystolic) == 3 * 4);  // streams along x: four cells in three lines
  // Cells 0-3, 5-8, 10-13 of 30 in 32 leaves: 12 leaf edges; pairs 01 23 45 67 89 ab cd: 7;
  // fours 0-3 4-7 8-11 12-15: 4; eights: 2; one half: 1.
  CHECK(array.hops(nest, 'W', kTree) == 12 + 7 + 4 + 2 + 1);
}

TEST_CASE("without multicast every lane gets a copy of its own", "[interconnect]") {
  const Array array(5, 6, 1, 1, 12, 1);
  const char* nest =
      "DRAM: I W O\n"
      "parallel p in 3 on PEs.y\n"
      "  parallel p in 4 on PEs.x\n"
      "    Spad: I W O\n";
  CHECK(array.hops(nest, 'W', kBus) == 12 * 30);
  CHECK(array.hops(nest, 'W', kCrossbar) == 12);
  CHECK(array.hops(nest, 'W', kChain) == 0);
  CHECK(array.hops(nest, 'W', kMulticastBus) == 12 * (6 + 5));
  CHECK(array.hops(nest, 'W', kMesh) == 12 + 4 * (0 + 1 + 2) + 3 * (0 + 1 + 2 + 3));
  CHECK(array.hops(nest, 'W', kTree) == 12 * 5);
  CHECK(array.hops(nest, 'W', kSystolic) == 3 * (1 + 2 + 3 + 4));
}

// The weights of four k down a column of a 3 x 4 mesh, no word for two lanes.
TEST_CASE("a unicast goes as far as its lane", "[interconnect]") {
  Array array(3, 4, 4, 1, 1, 1);
  array.network().multicast = {"W"};
  const char* nest =
      "DRAM: I W O\n"
      "parallel k in 4 on PEs.y\n"
      "  Spad: I W O\n";
  CHECK(array.hops(nest, 'W', kMesh) == 4 + (0 + 1 + 2 + 3));
  CHECK(array.hops(nest, 'W', kMulticastBus) == 4 * (4 + 3));
  CHECK(array.hops(nest, 'W', kSystolic) == 1 + 2 + 3 + 4);  // no reuse: along the last axis
  CHECK(array.hops(nest, 'O', kMesh) == 4 + (0 + 1 + 2 + 3));
}

// p on x, r on y: input p + r goes to a diagonal.
TEST_CASE("diagonals share a word", "[interconnect]") {
  Array array(4, 3, 1, 1, 4, 3);
  array.network().multicast = {"I"};
  const char* nest =
      "DRAM: I W O\n"
      "parallel p in 4 on PEs.x\n"
      "  parallel r in 3 on PEs.y\n"
      "    Spad: I W O\n";
  CHECK(array.hops(nest, 'I', kCrossbar) == 12);
  CHECK(array.hops(nest, 'I', kBus) == 6 * 12);
  // Words 0 to 5 reach rows 0; 0-1; 0-2; 0-2; 1-2; 2. Each row at its own column.
  const int down = 0 + 1 + 2 + 2 + 2 + 2;
  const int along = 0 + (1 + 0) + (2 + 1 + 0) + (3 + 2 + 1) + (3 + 2) + 3;
  CHECK(array.hops(nest, 'I', kMesh) == 6 + down + along);
  CHECK(array.hops(nest, 'I', kMulticastBus) == 6 * 3 + 12 * 4);
}

// Lane l of a line holds the inputs 3l to 3l + 3, then 3l + 1 to 3l + 4, then 3l + 2 to 3l + 5.
TEST_CASE("in a march only new words move, one link from a neighbour", "[interconnect]") {
  Array array(3, 1, 1, 1, 9, 4);
  const char* nest =
      "DRAM: I W O\n"
      "parallel p in 3 on PEs.x\n"
      "  for p in 3\n"
      "    Spad: I W O\n"
      "    for r in 4\n";
  const int first = 4 * (1 + 2 + 3);
  CHECK(array.hops(nest, 'I', kMesh) == first + 2 * (1 + 2 + 3));
  array.network().forward = {"I"};  // lanes 0 and 1 find theirs with the next lane
  CHECK(array.hops(nest, 'I', kMesh) == first + 2 * (1 + 1 + 3));
  CHECK(array.hops(nest, 'I', kBus) == (12 + 2) * 3 + 2 * 2);
  CHECK(array.hops(nest, 'I', kCrossbar) == 12 + 2 * 3);
  CHECK(array.hops(nest, 'I', kChain) == 0 + 2 * 2);  // every word to one lane; four handed on
}

// c on y is summed: 3 partial sums of each of 2 words, merged or not.
TEST_CASE("partial sums come up, and go down to one lane or to all", "[interconnect]") {
  Array array(2, 3, 2, 6, 1, 1);
  const char* nest =
      "DRAM: I W O\n"
      "for c in 2\n"
      "  parallel k in 2 on PEs.x\n"
      "    parallel c in 3 on PEs.y\n"
      "      Spad: I W O\n";
  // O stays in the lanes while c goes on: one visit of each word, none comes back.
  CHECK(array.hops(nest, 'O', kCrossbar) == 6);
  array.network().reduce = {"O"};
  const int merged_up = 2 + 2 * 2 + 0 + 3 * 1;  // in, two rows down, three rows along for k = 1
  CHECK(array.hops(nest, 'O', kMesh) == merged_up);
  CHECK(array.hops(nest, 'O', kChain) == 2 * 2);  // two additions for each of two words

  Array twice(2, 3, 4, 6, 1, 1);
  twice.network().reduce = {"O"};
  const char* back =
      "DRAM: I W O\n"
      "for c in 2\n"
      "  for k in 2\n"
      "    parallel k in 2 on PEs.x\n"
      "      parallel c in 3 on PEs.y\n"
      "        Spad: I W O\n";
  // Four words visit twice; their second visit brings the sum back to the lane in row 0 ...
  CHECK(twice.hops(back, 'O', kMesh) == 4 * merged_up + 2 * (1 + 2));
  // ... or to the whole group.
  CHECK(twice.hops(back, 'O', kMesh, Conventions::Refill::kEveryChild) ==
        4 * merged_up + 2 * merged_up);
  CHECK(twice.hops(back, 'O', kChain) == 8 * 2);  // the sum comes back to one lane: no link
  CHECK(twice.hops(back, 'O', kChain, Conventions::Refill::kEveryChild) == 8 * 2 + 4 * 2);
  CHECK(twice.hops(back, 'O', kBus) == (8 + 4) * 6);
}

// Weight stationary: 3 rows of c, 2 columns of k. Weights enter from the edge of y and pass down.
TEST_CASE("a systolic array loads weights cell by cell", "[interconnect]") {
  Array array(2, 3, 2, 3, 5, 1);
  array.network().multicast = {"I"};
  array.network().reduce = {"O"};
  const char* nest =
      "DRAM: I W O\n"
      "parallel c in 3 on PEs.y\n"
      "  parallel k in 2 on PEs.x\n"
      "    Spad: W\n"
      "    for p in 5\n";
  CHECK(array.hops(nest, 'W', kSystolic) == 2 * (1 + 2 + 3));
  CHECK(array.hops(nest, 'I', kSystolic) == 5 * 3 * 2);  // each passes both columns of its row
  CHECK(array.hops(nest, 'O', kSystolic) == 5 * 2 * 3);  // each collects three rows of its column
}

TEST_CASE("destinations of a word share the edges of a tree", "[interconnect]") {
  Array array(4, 4, 1, 1, 16, 1);
  array.network().multicast = {"W"};
  const char* whole =
      "DRAM: I W O\n"
      "parallel p in 4 on PEs.y\n"
      "  parallel p in 4 on PEs.x\n"
      "    Spad: I W O\n";
  CHECK(array.hops(whole, 'W', kTree) == 16 + 8 + 4 + 2);
  CHECK(array.hops(whole, 'I', kTree) == 16 * 4);
}

}  // namespace loopscape
