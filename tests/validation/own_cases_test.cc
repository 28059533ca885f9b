// Cases of our own for rules that no published case tells apart. Every number is derived by hand in
// the comment above it, from counting.md section A; nothing here was copied from a run.
//
// Most are convolutions in one dimension, O[k,p] += I[p+r] * W[k,r], at outermost memory M and
// buffers B below a fan-out F (and G).

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("own_cases");

// After the last comparison of a case.
void by_hand(const std::string& what) {
  kReport.table({what, "by hand", "the same", "0", "`model/counting/counting.md` A"});
}

using Row = std::vector<std::int64_t>;

// tile, reads, fills, updates, drains
Row counts(const Priced& priced, const std::string& memory, const std::string& tensor) {
  const TensorAtMemory& at = priced.at(memory, tensor);
  return {at.tile_words, at.words.reads, at.words.fills, at.words.updates, at.words.drains};
}

// in, delivered (down), collected, out (up)
Row passing(const Priced& priced, const std::string& fanout, const std::string& tensor) {
  const TensorAtNetwork& at = priced.through(fanout, tensor);
  return {at.words_in, at.words_delivered, at.words_collected, at.words_out};
}

Json network(const Json& multicast, const Json& reduce) {
  return {{"class", "multicast_bus"}, {"multicast", multicast}, {"reduce", reduce}};
}
const Json kSharing = network({"input", "weight"}, {"output"});
const Json kAlone = network(Json::array(), Json::array());

Json fanout(const std::string& name, int size, const Json& net) {
  return {{"fanout", name}, {"axes", {{"x", size}}}, {"network", net}};
}
Json memory(const std::string& name) { return {{"memory", name}, {"class", "sram"}}; }

Json machine(const std::vector<Json>& nodes) {
  Json arch = {{"name", "small"}, {"word_bits", 16}, {"nodes", nodes}};
  arch["nodes"].push_back({{"compute", "MAC"}, {"class", "int_mac"}});
  return with_unit_energies(arch);
}
Json below_one_fanout(int size, const Json& net) {
  return machine({memory("M"), fanout("F", size, net), memory("B")});
}

Json conv(int k, int p, int r) {
  return {{"einsum", "O[k,p] += I[p+r] * W[k,r]"},
          {"dims", {{"k", k}, {"p", p}, {"r", r}}},
          {"tensors", {{"W", {{"role", "weight"}}}, {"I", {{"role", "input"}}}}}};
}
Json gemm(int m, int n, int k) {
  return {{"einsum", "O[m,n] += A[m,k] * B[k,n]"},
          {"dims", {{"m", m}, {"n", n}, {"k", k}}},
          {"tensors", {{"B", {{"role", "weight"}}}, {"A", {{"role", "input"}}}}}};
}

// Priced in closed form and walked by the nest simulator; both give the same words everywhere.
Priced price_nest(const Json& problem, const Json& arch, const std::string& nest,
                  const Conventions& conventions = Conventions::physical()) {
  Priced priced = price_text(problem, arch, nest, conventions);
  const Priced walked = simulated(priced);
  CHECK(walked.cost.cycles == priced.cost.cycles);
  for (const Tensor& tensor : priced.problem.tensors) {
    for (const Memory& at : priced.arch.memories) {
      INFO(tensor.name << " at " << at.name);
      CHECK(counts(walked, at.name, tensor.name) == counts(priced, at.name, tensor.name));
    }
    for (const Fanout& at : priced.arch.fanouts) {
      INFO(tensor.name << " through " << at.name);
      CHECK(passing(walked, at.name, tensor.name) == passing(priced, at.name, tensor.name));
    }
  }
  return priced;
}

Conventions with(Conventions::Reuse reuse) {
  Conventions conventions;
  conventions.reuse = reuse;
  return conventions;
}
Conventions with(Conventions::Sharing sharing) {
  Conventions conventions;
  conventions.sharing = sharing;
  return conventions;
}
Conventions with(Conventions::Refill refill) {
  Conventions conventions;
  conventions.refill = refill;
  return conventions;
}

}  // namespace

// ---- a march over a dimension that a fan-out splits --------------------------------------------

// k 3, p 4, r 3. I below F: 3 words. From B outwards: the lanes of p (met before the march began),
// p marches, k repeats. A child takes 3 words, then the 2 of a step by 2: 5, for each k: 15.
// M sees {0,1,2} u {1,2,3} = 4 words, then {3,4} u {4,5} = 3: 7, for each k: 21.
// W: 3 words for each k, kept over p: 9 from M, to both children 18.
// O: one word for each k and p, all first visits: 12.
// B: 36 operations read I and W and update O, which is read but for the first time: 36 - 12.
TEST_CASE("own: a march whose lanes lie inside it goes on") {
  const char* nest = R"(
M: I W O
for k in 3
  for p in 2
    parallel p in 2 on F.x
      B: I W O
      for r in 3
)";
  const Json arch = below_one_fanout(2, kSharing);
  const Priced priced = price_nest(conv(3, 4, 3), arch, nest);
  CHECK(counts(priced, "M", "I") == Row{6, 21, 0, 0, 0});
  CHECK(counts(priced, "B", "I") == Row{3, 36, 30, 0, 0});
  CHECK(counts(priced, "M", "W") == Row{9, 9, 0, 0, 0});
  CHECK(counts(priced, "B", "W") == Row{3, 36, 18, 0, 0});
  CHECK(counts(priced, "M", "O") == Row{12, 0, 0, 12, 0});
  CHECK(counts(priced, "B", "O") == Row{1, 24, 0, 36, 12});
  CHECK(passing(priced, "F", "I") == Row{21, 30, 0, 0});
  CHECK(passing(priced, "F", "O") == Row{0, 0, 12, 12});
  CHECK(priced.cost.cycles == 3 * 2 * 3);

  // The children never need the same set, so sharing whole deltas shares nothing of I; W is one
  // set.
  const Priced whole =
      price_nest(conv(3, 4, 3), arch, nest, with(Conventions::Sharing::kEqualDelta));
  CHECK(counts(whole, "M", "I") == Row{6, 30, 0, 0, 0});
  CHECK(counts(whole, "M", "W") == Row{9, 9, 0, 0, 0});
  by_hand("a march whose lanes lie inside it goes on");
}

// p 8 = 2 (step 4) x 2 lanes (step 2) x 2 (step 1), r 5. The inner p marches: 5 + 1 words; the
// lanes over p end it; the outer p repeats: 12 a child. M, for each outer p: {0..4} u {2..6} = 7,
// then {5} u {7} = 2: 9, twice. previous_tile: at the outer step child 0 goes from {1..5} to
// {4..8}: 3 new words instead of 5, so 5 + 1 + 3 + 1 = 10; M there sees {6,7,8} u {8,9,10} = 5: 7 +
// 2 + 5 + 2 = 16.
TEST_CASE("own: lanes over the marching dimension outside a march end it") {
  const char* nest = R"(
M: I W O
for p in 2
  parallel p in 2 on F.x
    for p in 2
      B: I W O
      for r in 5
)";
  const Json arch = below_one_fanout(2, kSharing);
  const Priced march = price_nest(conv(1, 8, 5), arch, nest);
  CHECK(counts(march, "M", "I") == Row{12, 18, 0, 0, 0});
  CHECK(counts(march, "B", "I") == Row{5, 40, 24, 0, 0});
  const Priced ideal =
      price_nest(conv(1, 8, 5), arch, nest, with(Conventions::Reuse::kPreviousTile));
  CHECK(counts(ideal, "M", "I") == Row{12, 16, 0, 0, 0});
  CHECK(counts(ideal, "B", "I") == Row{5, 40, 20, 0, 0});
  by_hand("lanes over the marching dimension outside a march end it");
}

// The same with lanes over k: they are passed over. p 4 = 2 (step 2) x 2 (step 1), r 3: 3 words and
// one more at each of three steps: 6 a child, the same 6 for both.
TEST_CASE("own: lanes over another dimension do not end a march") {
  const Priced priced = price_nest(conv(2, 4, 3), below_one_fanout(2, kSharing), R"(
M: I W O
for p in 2
  parallel k in 2 on F.x
    for p in 2
      B: I W O
      for r in 3
)");
  CHECK(counts(priced, "M", "I") == Row{6, 6, 0, 0, 0});
  CHECK(counts(priced, "B", "I") == Row{3, 24, 12, 0, 0});
  CHECK(counts(priced, "B", "W") == Row{3, 24, 6, 0, 0});
  by_hand("lanes over another dimension do not end a march");
}

// ---- multicast resolved over two consecutive fan-outs ------------------------------------------

// c 2, p 4 = 2 lanes of F (step 2) x 2 lanes of G (step 1), r 3; I[c,p+r] has 3 words a child:
// {0,1,2} {1,2,3} | {2,3,4} {3,4,5}, for each c. fills: 2 * 4 * 3 = 24 for I and for W.
//   G and F share: {0..3} and {2..5}, then {0..5}: 2 * 6. W: 2 * 3.
//   G alone: 2 * (4 + 4). W: 2 * (3 + 3).
//   F alone: G asks for 0 1 1 2 2 3 and 2 3 3 4 4 5; each word as often as the child that wants it
//     most: 0 1 1 2 2 3 3 4 4 5: 2 * 10. W: every word twice from both: 2 * 6.
//   neither: 24 and 24.
// Whole deltas only: no two children need the same of I; W: 2 * 3.
TEST_CASE("own: multicast over two consecutive fan-outs resolves from the inside out") {
  const Json problem = {{"einsum", "O[p] += I[c,p+r] * W[c,r]"},
                        {"dims", {{"c", 2}, {"p", 4}, {"r", 3}}},
                        {"tensors", {{"W", {{"role", "weight"}}}}}};
  const char* nest = R"(
M: I W O
for c in 2
  parallel p in 2 on F.x
    parallel p in 2 on G.x
      B: I W O
      for r in 3
)";
  const auto run = [&](const Json& f, const Json& g, const Conventions& conventions) {
    const Json arch = machine({memory("M"), fanout("F", 2, f), fanout("G", 2, g), memory("B")});
    const Priced priced = price_nest(problem, arch, nest, conventions);
    CHECK(counts(priced, "B", "I") == Row{3, 24, 24, 0, 0});
    CHECK(counts(priced, "B", "W") == Row{3, 24, 24, 0, 0});
    // O stays over c: four words, each visits once.
    CHECK(counts(priced, "M", "O") == Row{4, 0, 0, 4, 0});
    CHECK(counts(priced, "B", "O") == Row{1, 20, 0, 24, 4});
    return Row{priced.at("M", "I").words.reads, priced.through("F", "I").words_delivered,
               priced.at("M", "W").words.reads};
  };
  const Conventions any;
  CHECK(run(kSharing, kSharing, any) == Row{12, 16, 6});
  CHECK(run(kAlone, kSharing, any) == Row{16, 16, 12});
  CHECK(run(kSharing, kAlone, any) == Row{20, 24, 12});
  CHECK(run(kAlone, kAlone, any) == Row{24, 24, 24});
  CHECK(run(kSharing, kSharing, with(Conventions::Sharing::kEqualDelta)) == Row{24, 24, 6});
  by_hand("multicast over two consecutive fan-outs resolves from the inside out");
}

// Anti-diagonals: p 4 = 2 (step 2) x 2 lanes of F, r 2 on G. At a step the lanes (p, r) need
// I[p+r]: F0: 0 1, F1: 1 2. G never shares; F shares word 1: 3 words a step, 2 steps: 6 of the 8
// delivered. W[r] stays over p: one word a lane, 4 fills; G's lanes differ, F's two children are
// equal: 2. O[p]: G adds its two lanes: 8 arrivals, 4 updates. If G does not, M takes 8 and must
// read 4 back.
TEST_CASE("own: a window spread over two fan-outs shares its anti-diagonals") {
  const char* nest = R"(
M: I W O
for p in 2
  parallel p in 2 on F.x
    parallel r in 2 on G.x
      B: I W O
)";
  const auto run = [&](const Json& f, const Json& g, const Conventions& conventions) {
    const Json arch = machine({memory("M"), fanout("F", 2, f), fanout("G", 2, g), memory("B")});
    return price_nest(conv(1, 4, 2), arch, nest, conventions);
  };
  const Priced both = run(kSharing, kSharing, {});
  CHECK(counts(both, "M", "I") == Row{5, 6, 0, 0, 0});
  CHECK(counts(both, "B", "I") == Row{1, 8, 8, 0, 0});
  CHECK(counts(both, "M", "W") == Row{2, 2, 0, 0, 0});
  CHECK(counts(both, "B", "W") == Row{1, 8, 4, 0, 0});
  CHECK(counts(both, "M", "O") == Row{4, 0, 0, 4, 0});
  CHECK(counts(both, "B", "O") == Row{1, 0, 0, 8, 8});
  CHECK(both.through("G", "O").reductions == 4);
  CHECK(both.through("F", "O").reductions == 0);

  const Priced inner_alone = run(kSharing, kAlone, {});
  CHECK(counts(inner_alone, "M", "I") == Row{5, 6, 0, 0, 0});
  CHECK(counts(inner_alone, "M", "O") == Row{4, 4, 0, 8, 0});

  const Priced outer_alone = run(kAlone, kSharing, {});
  CHECK(counts(outer_alone, "M", "I") == Row{5, 8, 0, 0, 0});
  CHECK(counts(outer_alone, "M", "W") == Row{2, 4, 0, 0, 0});
  CHECK(counts(outer_alone, "M", "O") == Row{4, 0, 0, 4, 0});

  // F0 and F1 need different pairs.
  const Priced whole = run(kSharing, kSharing, with(Conventions::Sharing::kEqualDelta));
  CHECK(counts(whole, "M", "I") == Row{5, 8, 0, 0, 0});
  CHECK(counts(whole, "M", "W") == Row{2, 2, 0, 0, 0});
  by_hand("a window spread over two fan-outs shares its anti-diagonals");
}

// ---- temporal loops between a fan-out and a store ----------------------------------------------

// p 6 = 2 lanes (step 3) x 3 (step 1), r 3. A child: 3 + 1 + 1 words. M: {0,1,2} u {3,4,5}, then
// {3} u {6}, then {4} u {7}: 10, nothing shared though child 1 once held what child 0 now needs.
// The loop outside the lanes instead: steps of 2. A child: 3 + 2 + 2. M: {0..3}, then {3,4} u
// {4,5}, then {5,6} u {6,7}: 4 + 3 + 3.
TEST_CASE("own: a temporal loop between a fan-out and a store moves the children apart") {
  const Json arch = below_one_fanout(2, kSharing);
  const Priced between = price_nest(conv(1, 6, 3), arch, R"(
M: I W O
parallel p in 2 on F.x
  for p in 3
    B: I W O
    for r in 3
)");
  CHECK(counts(between, "M", "I") == Row{8, 10, 0, 0, 0});
  CHECK(counts(between, "B", "I") == Row{3, 18, 10, 0, 0});
  CHECK(counts(between, "M", "W") == Row{3, 3, 0, 0, 0});
  CHECK(counts(between, "B", "W") == Row{3, 18, 6, 0, 0});
  CHECK(counts(between, "M", "O") == Row{6, 0, 0, 6, 0});

  const Priced outside = price_nest(conv(1, 6, 3), arch, R"(
M: I W O
for p in 3
  parallel p in 2 on F.x
    B: I W O
    for r in 3
)");
  CHECK(counts(outside, "M", "I") == Row{8, 10, 0, 0, 0});
  CHECK(counts(outside, "B", "I") == Row{3, 18, 14, 0, 0});
  by_hand("a temporal loop between a fan-out and a store moves the children apart");
}

// p 4 = 2 lanes (step 2) x 2 (step 1), k 2 between them, r 3. I: the march brings 3 + 1, k repeats
// it: 8 a child; M: {0..4} then {3} u {5}: 7, twice. W: 3 words for each k, kept over p.
TEST_CASE("own: a loop between a fan-out and a march repeats the march") {
  const Priced priced = price_nest(conv(2, 4, 3), below_one_fanout(2, kSharing), R"(
M: I W O
parallel p in 2 on F.x
  for k in 2
    for p in 2
      B: I W O
      for r in 3
)");
  CHECK(counts(priced, "M", "I") == Row{6, 14, 0, 0, 0});
  CHECK(counts(priced, "B", "I") == Row{3, 24, 16, 0, 0});
  CHECK(counts(priced, "M", "W") == Row{6, 6, 0, 0, 0});
  CHECK(counts(priced, "B", "W") == Row{3, 24, 12, 0, 0});
  CHECK(counts(priced, "M", "O") == Row{8, 0, 0, 8, 0});
  by_hand("a loop between a fan-out and a march repeats the march");
}

// ---- networks without multicast or reduction ---------------------------------------------------

// m 2, n 2, k 4 = 2 (outermost) x 2 lanes. O[m,n]: 2 words a child and visit, n and k change it: 8
// a child, 16 arrivals in groups of two lanes: 8 group visits. M holds 4 words, each starts once.
//   reducing: 8 updates; 4 of the 8 visits resume: M reads 4 and one child of each group takes
//   them.
//     B: 16 - 4 = 12 residences from zero; 16 operations update, 16 - 12 read.
//   refill of every child: 8 words arrive; 16 - 8 start from zero; 8 operations read.
//   not reducing: 16 updates, 16 - 4 reads, of which 4 resume and 8 merge the second lane's
//   results.
TEST_CASE("own: reductions in the network, in the parent, and refills") {
  const char* nest = R"(
M: A B O
for k in 2
  for n in 2
    parallel k in 2 on F.x
      B: A B O
      for m in 2
)";
  const Priced reducing = price_nest(gemm(2, 2, 4), below_one_fanout(2, kSharing), nest);
  CHECK(counts(reducing, "M", "O") == Row{4, 4, 0, 8, 0});
  CHECK(counts(reducing, "B", "O") == Row{2, 4, 4, 16, 16});
  CHECK(passing(reducing, "F", "O") == Row{4, 4, 16, 8});
  CHECK(reducing.through("F", "O").reductions == 8);
  // A[m,k] stays over n: 2 words, for both k: 4 a lane. B[k,n]: one word, for each k and n.
  CHECK(counts(reducing, "M", "A") == Row{8, 8, 0, 0, 0});
  CHECK(counts(reducing, "B", "A") == Row{2, 16, 8, 0, 0});
  CHECK(counts(reducing, "B", "B") == Row{1, 16, 8, 0, 0});

  const Priced every = price_nest(gemm(2, 2, 4), below_one_fanout(2, kSharing), nest,
                                  with(Conventions::Refill::kEveryChild));
  CHECK(counts(every, "M", "O") == Row{4, 4, 0, 8, 0});
  CHECK(counts(every, "B", "O") == Row{2, 8, 8, 16, 16});

  const Priced alone = price_nest(gemm(2, 2, 4), below_one_fanout(2, kAlone), nest);
  CHECK(counts(alone, "M", "O") == Row{4, 12, 0, 16, 0});
  CHECK(counts(alone, "B", "O") == Row{2, 4, 4, 16, 16});
  CHECK(alone.through("F", "O").reductions == 0);
  by_hand("reductions in the network, in the parent, and refills");
}

// Lanes straight under M for A and O, B's weights in registers. m 4 = 2 x 2, n 2 on F, k 4 = 2 x 2
// on G: 32 operations in 8 steps.
//   A[m,k]: 2 words a step when F multicasts them over n: 16, else one an operation.
//   O[m,n]: G adds two: 16 updates, 16 - 8 reads; else 32 and 24.
//   B[k,n]: a word a lane, stays over m, changes with k: 8.
TEST_CASE("own: lanes straight under a memory share by their networks") {
  const char* nest = R"(
M: A B O
for k in 2
  for m in 2
    parallel n in 2 on F.x
      parallel k in 2 on G.x
        B: B
        for m in 2
)";
  const auto run = [&](const Json& f, const Json& g) {
    const Json arch = machine({memory("M"), fanout("F", 2, f), fanout("G", 2, g), memory("B")});
    const Priced priced = price_nest(gemm(4, 2, 4), arch, nest);
    CHECK(counts(priced, "M", "B") == Row{8, 8, 0, 0, 0});
    CHECK(counts(priced, "B", "B") == Row{1, 32, 8, 0, 0});
    return Row{priced.at("M", "A").words.reads, priced.at("M", "O").words.updates,
               priced.at("M", "O").words.reads};
  };
  CHECK(run(kSharing, kSharing) == Row{16, 16, 8});
  CHECK(run(network({"A"}, Json::array()), kAlone) == Row{16, 32, 24});
  CHECK(run(kAlone, network(Json::array(), {"O"})) == Row{32, 16, 8});
  CHECK(run(kAlone, kAlone) == Row{32, 32, 24});
  by_hand("lanes straight under a memory share by their networks");
}

// Neighbour links: r marches over three lanes of p. r = 0: words 0 1 2 from M. r = 1: lanes need
// 1 2 3; lanes 1 and 2 held 1 and 2, M sends 3. r = 2: M sends 4. 5 read, 4 forwarded, 9 delivered.
TEST_CASE("own: neighbours forward what they held a step before") {
  Json net = kSharing;
  net["forward"] = {"input"};
  const Priced priced = price_nest(conv(1, 3, 3), machine({memory("M"), fanout("F", 3, net)}), R"(
M: I W O
parallel p in 3 on F.x
  for r in 3
)");
  CHECK(counts(priced, "M", "I") == Row{5, 5, 0, 0, 0});
  CHECK(priced.through("F", "I").forwarded == 4);
  CHECK(priced.through("F", "I").words_delivered == 9);
  by_hand("neighbours forward what they held a step before");
}

// ---- uneven and ragged nests -------------------------------------------------------------------

// m 7 in tiles of 3 lanes (3, 3, 1), n 3 in tiles of 2 (2, 1), k 4. S keeps A above the n loop and
// B below it.
//   A at S: 3 x 4 words, for each m tile: (3 + 3 + 1) * 4 = 28. 84 operations read it; lanes
//   differ. B at S: 4 x 2 words, for each n tile and each m tile: 3 * (2 + 1) * 4 = 36. The lanes
//   of m share a
//     word: 3 * 3 * 4 = 36 reads.
//   O at L: 3 x 2 words, stays over k: 21 in all. 84 operations, 84 - 21 reads.
//   steps: 3 m tiles, n at 0, 1, 2, k 4.
TEST_CASE("own: an uneven, ragged nest") {
  const auto arch_with = [](int words) {
    Json s = memory("S");
    s["words"] = words;
    return machine({memory("M"), s, memory("L"), fanout("F", 3, kSharing)});
  };
  const char* nest = R"(
M: A B O
for m in 3
  S: A
  for n in 2
    S: B
    for k in 4
      L: O
      parallel m in 3 on F.x
        for n in 2
)";
  const Priced priced = price_nest(gemm(7, 3, 4), arch_with(12 + 8), nest);
  CHECK(counts(priced, "M", "A") == Row{28, 28, 0, 0, 0});
  CHECK(counts(priced, "S", "A") == Row{12, 84, 28, 0, 0});
  CHECK(counts(priced, "M", "B") == Row{12, 36, 0, 0, 0});
  CHECK(counts(priced, "S", "B") == Row{8, 36, 36, 0, 0});
  CHECK(counts(priced, "M", "O") == Row{21, 0, 0, 21, 0});
  CHECK(counts(priced, "L", "O") == Row{6, 63, 0, 84, 21});
  CHECK(priced.cost.cycles == 3 * 3 * 4);
  CHECK(priced.memory("S").occupied_bits == (12 + 8) * 16);
  // Both tiles must fit at once.
  CHECK_THROWS_WITH(price_nest(gemm(7, 3, 4), arch_with(12 + 7), nest), Catch::Contains("S"));
  by_hand("an uneven, ragged nest");
}

// p 7 on 3 lanes: the third round has one lane busy. r 5. Lane 0: {0..4}, then {3..7} less that:
// 5 6 7, then {6..10}: 8 9 10. Lane 1: 5 + 3, lane 2: 5 + 3. fills 11 + 8 + 8 = 27.
// M: {0..6}, then {5,6,7} u {6,7,8} u {7,8,9}, then {8,9,10}: 7 + 5 + 3.
TEST_CASE("own: a ragged march over lanes") {
  const Priced priced = price_nest(conv(1, 7, 5), below_one_fanout(3, kSharing), R"(
M: I W O
for p in 3
  parallel p in 3 on F.x
    B: I W O
    for r in 5
)");
  CHECK(counts(priced, "M", "I") == Row{11, 15, 0, 0, 0});
  CHECK(counts(priced, "B", "I") == Row{5, 35, 27, 0, 0});
  CHECK(counts(priced, "M", "W") == Row{5, 5, 0, 0, 0});
  CHECK(counts(priced, "B", "W") == Row{5, 35, 15, 0, 0});
  CHECK(counts(priced, "B", "O") == Row{1, 28, 0, 35, 7});
  CHECK(priced.cost.cycles == 3 * 5);
  by_hand("a ragged march over lanes");
}

// p 7 in tiles of 2, the last of 1: {0..3}, then 4 5, then 6 7, then the tile {6,7,8} brings 8.
TEST_CASE("own: a ragged tile at the end of a march") {
  const Priced priced = price_nest(conv(1, 7, 3), machine({memory("M"), memory("B")}), R"(
M: I W O
for p in 4
  B: I W O
  for p in 2
    for r in 3
)");
  CHECK(counts(priced, "M", "I") == Row{9, 9, 0, 0, 0});
  CHECK(counts(priced, "B", "I") == Row{4, 21, 9, 0, 0});
  CHECK(counts(priced, "B", "O") == Row{2, 14, 0, 21, 7});
  CHECK(priced.cost.cycles == 7 * 3);
  by_hand("a ragged tile at the end of a march");
}

// ---- fractional bandwidths ---------------------------------------------------------------------

// m 4, n 2, k 6 = 2 x 3 lanes; 16 steps. Words of 16 bits:
//   M reads A 3 * 4 * 2 * 2 = 48 and B 3 * 2 * 2 = 12, no partial sums (O stays over k): 960 bits;
//   M is written 8 words of O: 128 bits; both ways 1088, which is also what F carries.
//   B, each of three: reads A 16, B 16, O 16 - 8 and drains 8: 48 words, 768 bits; fills A 16 and
//   B 4, updates 16: 36 words, 576 bits.
TEST_CASE("own: fractional bandwidths round up once, at the end") {
  const auto cycles = [](int node, const char* key, double bits, const Conventions& conventions) {
    Json arch = below_one_fanout(3, kSharing);
    Json& where = arch["nodes"][static_cast<std::size_t>(node)];
    (node == 1 ? where["network"] : where)[key] = bits;
    return price_nest(gemm(4, 2, 6), arch, R"(
M: A B O
for n in 2
  for k in 2
    parallel k in 3 on F.x
      B: A B O
      for m in 4
)",
                      conventions)
        .cost.cycles;
  };
  const Conventions physical;
  CHECK(cycles(0, "read_bits", 1000, physical) == 16);
  CHECK(cycles(0, "read_bits", 19.2, physical) == 50);       // 50 exactly
  CHECK(cycles(0, "read_bits", 19.3, physical) == 50);       // 49.74
  CHECK(cycles(0, "read_bits", 19.1, physical) == 51);       // 50.26
  CHECK(cycles(0, "write_bits", 2.5, physical) == 52);       // 51.2
  CHECK(cycles(0, "bandwidth_bits", 20.5, physical) == 54);  // 53.07
  CHECK(cycles(1, "bandwidth_bits", 6.4, physical) == 170);  // 170 exactly
  CHECK(cycles(2, "read_bits", 12.5, physical) == 62);       // 61.44
  CHECK(cycles(2, "write_bits", 9.6, physical) == 60);       // 60 exactly
  CHECK(cycles(2, "bandwidth_bits", 21.5, physical) == 63);  // 62.51
  CHECK(cycles(3, "interval_cycles", 1.3, physical) == 21);  // 20.8
  Conventions free_drains;
  free_drains.drain_reads = false;
  CHECK(cycles(2, "read_bits", 12.5, free_drains) == 52);  // 640 / 12.5 = 51.2
  by_hand("fractional bandwidths round up once, at the end");
}

}  // namespace loopscape::validation
