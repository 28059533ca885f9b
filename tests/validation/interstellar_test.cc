// Agreement with Interstellar and dMazeRunner on ResNet's conv5_2 (4 images, 512 x 512 channels,
// 7 x 7 outputs, 3 x 3): DRAM / scratchpad (SPM) / up to 256 PEs with register files (RF).
// v and u are the kernel's rows and columns.

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("interstellar");

constexpr std::int64_t kMacs = 462422016;
constexpr std::int64_t kInput = 4 * 512 * 9 * 9, kWeights = 512 * 512 * 9,
                       kOutput = 4 * 512 * 7 * 7;

Json conv(const std::vector<int>& extents) {
  const std::vector<const char*> names = {"n", "m", "c", "y", "x", "v", "u"};
  Json dims = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) dims[names[i]] = extents.at(i);
  return {{"einsum", "O[n,m,y,x] += I[n,c,y+v,x+u] * W[m,c,v,u]"},
          {"dims", dims},
          {"tensors", {{"W", {{"role", "weight"}}}, {"I", {{"role", "input"}}}}}};
}
const std::vector<int> kConv5 = {4, 512, 512, 7, 7, 3, 3};

Json machine() {
  Json net = {{"class", "free"}, {"multicast", {"input", "weight"}}, {"reduce", {"output"}}};
  Json nodes = Json::array();
  nodes.push_back({{"memory", "DRAM"},
                   {"class", "dram"},
                   {"energy_pj", {{"read", 200}, {"write", 200}, {"update", 200}}}});
  nodes.push_back({{"memory", "SPM"}, {"class", "sram"}, {"size_kib", 128}});
  nodes.push_back({{"fanout", "PEs"}, {"axes", {{"x", 256}}}, {"network", net}});
  nodes.push_back({{"memory", "RF"}, {"class", "regfile"}, {"words", 256}});
  nodes.push_back({{"compute", "MAC"}, {"class", "int_mac"}, {"energy_pj", {{"compute", 0.075}}}});
  return with_unit_energies({{"name", "dmaze"}, {"word_bits", 16}, {"nodes", nodes}});
}

void store(Json& nest, const char* memory) {
  nest.push_back({{"store", memory}, {"tensors", {"I", "W", "O"}}});
}
void loops(Json& nest, const Json& names, const Json& bounds, const std::vector<std::size_t>& order,
           bool spatial = false) {
  for (const std::size_t i : order) {
    if (bounds.at(i) == 1) continue;
    Json node = {{spatial ? "spatial" : "for", names.at(i)}, {"bound", bounds.at(i)}};
    if (spatial) node["axis"] = "PEs.x";
    nest.push_back(node);
  }
}

// DRAM loops as the table's file lists them (c innermost). The file does not order SPM loops; those
// over the output's dimensions are put outside, so that partial sums stay in the RF.
Json mapping_of(const Json& names, const Json& row) {
  const std::vector<std::size_t> outputs_first = {0, 1, 3, 4, 2, 5, 6};
  Json nest = Json::array();
  store(nest, "DRAM");
  loops(nest, names, row.at("dram"), {0, 4, 3, 6, 5, 1, 2});
  store(nest, "SPM");
  loops(nest, names, row.at("spm"), outputs_first);
  loops(nest, names, row.at("spatial"), outputs_first, true);
  store(nest, "RF");
  loops(nest, names, row.at("rf"), outputs_first);
  return {{"nest", nest}};
}

std::int64_t product(const Json& bounds, const std::vector<std::size_t>& which) {
  std::int64_t result = 1;
  for (const std::size_t i : which) result *= bounds.at(i).get<std::int64_t>();
  return result;
}

std::int64_t all_accesses(const Priced& priced, const char* memory) {
  std::int64_t sum = 0;
  for (const char* tensor : {"I", "W", "O"}) {
    const Traffic& words = priced.at(memory, tensor).words;
    sum += words.reads + words.updates;
  }
  return sum;
}

// Where the tool's conventions differ from ours:
//   RF    inputs count as often as their size with halo times the loops that do not address them,
//         512 * 9; first visits of an output count once for a word, not for each residence.
//   SPM   fills and drains are not counted; inputs are read once in each DRAM iteration, as if
//   halos
//         were never fetched twice in whatever order the loops are. Ours march along one loop.
//   NoC   an input word crosses as often as PEs differ in m, v or u; halos between PEs that differ
//         in y or x are not counted.
//   Outputs leave the RF in every DRAM iteration. Ours stay when every loop between, the DRAM's c
//   loop included, leaves the tile what it is ("carried").
void check_row(const Priced& priced, const Json& row) {
  const std::int64_t iterations = product(row.at("dram"), {0, 1, 2, 3, 4, 5, 6});
  const std::int64_t input_once = product(row.at("dram"), {1}) * kInput;
  REQUIRE(iterations == 8 * 32);
  const bool carried = product(row.at("spm"), {0, 1, 3, 4}) == 1;
  const std::int64_t returns = carried ? product(row.at("dram"), {2}) : 1;

  const TensorAtMemory& w = priced.at("SPM", "W");
  const std::int64_t visits = priced.at("SPM", "O").words.updates * returns;
  if (carried) CHECK(priced.at("SPM", "O").words.reads == 0);
  if (!carried) CHECK(priced.at("SPM", "O").words.reads == visits - kOutput);
  const TensorAtMemory& rf_w = priced.at("RF", "W");
  const TensorAtMemory& rf_o = priced.at("RF", "O");

  CHECK(row.at("dram_pj") == priced.memory("DRAM").energy_pj);
  CHECK(same_energy(row.at("spm_pj"),
                    13.5 * static_cast<double>(input_once + w.words.reads + 2 * visits - kOutput)));
  const std::int64_t inputs_cross = input_once * product(row.at("spatial"), {1, 5, 6});
  CHECK(same_energy(row.at("noc_pj"), 2.0 * static_cast<double>(inputs_cross + rf_w.words.fills +
                                                                rf_o.words.drains * returns)));
  CHECK(
      same_energy(row.at("rf_pj"), 0.96 * static_cast<double>(kInput * 512 * 9 + rf_w.words.reads +
                                                              2 * rf_o.words.updates - kOutput)));
  const double total = row.at("rf_pj").get<double>() + row.at("noc_pj").get<double>() +
                       row.at("spm_pj").get<double>() + row.at("dram_pj").get<double>();
  CHECK(same_energy(row.at("total_pj"), total));
}

}  // namespace

TEST_CASE("interstellar: energies of 21 dataflows of conv5_2") {
  const Json table = load("tests/validation/interstellar_table.json");
  CHECK(table.at("rows").size() == 21);
  int same_spm = 0;
  for (const Json& row : table.at("rows")) {
    const std::string name = row.at("dataflow");
    INFO(name);
    const Priced priced = price(conv(kConv5), machine(), mapping_of(table.at("dims"), row));
    check_row(priced, row);
    // Where the halo lies inside one march or within the tile, ours is theirs with no difference.
    const std::int64_t input_once = 8 * kInput;
    if (name == "FY_FX" || name == "OC_ON") {
      CHECK(row.at("spm_pj") == 13.5 * static_cast<double>(all_accesses(priced, "SPM")));
      ++same_spm;
    } else {
      CHECK(priced.at("SPM", "I").words.reads >= input_once);
    }
  }
  CHECK(same_spm == 2);
  kReport.table(
      {"conv5_2: energies of DRAM, SPM, NoC, RF and in total", "21 dataflows",
       "DRAM of all and SPM of two (FY_FX, OC_ON) with no difference; the others after its "
       "four stated conventions",
       "DRAM 0; 1e-9", "CNN-blocking through dMazeRunner, `interstellar_table.json`"});
}

// dMazeRunner's own unit test of the same layer. Tiling: DRAM m 4, c 32; SPM m 32, u 3; spatial n
// 2, m 4, y 7, v 3; RF n 2, c 16, x 7.
TEST_CASE("dmazerunner: conv5_2, output- and row-split") {
  const Json names = load("tests/validation/interstellar_table.json").at("dims");
  const Json spatial = {2, 4, 1, 7, 1, 3, 1}, rf = {2, 1, 16, 1, 7, 1, 1};
  const auto run = [&](const std::vector<std::size_t>& dram_order) {
    Json nest = Json::array();
    store(nest, "DRAM");
    loops(nest, names, {1, 4, 32, 1, 1, 1, 1}, dram_order);
    store(nest, "SPM");
    loops(nest, names, {1, 32, 1, 1, 1, 1, 3}, {1, 6});
    loops(nest, names, spatial, {0, 1, 3, 5}, true);
    store(nest, "RF");
    loops(nest, names, rf, {0, 2, 4});
    return price(conv(kConv5), machine(), {{"nest", nest}});
  };

  const Priced outputs_stay = run({1, 2});  // c inside m
  CHECK(outputs_stay.cost.operations == kMacs);
  CHECK(outputs_stay.at("RF", "I").tile_words == 224);
  CHECK(outputs_stay.at("RF", "W").tile_words == 16);
  CHECK(outputs_stay.at("RF", "O").tile_words == 14);
  CHECK(outputs_stay.at("SPM", "I").tile_words == 5184);
  CHECK(outputs_stay.at("SPM", "W").tile_words == 18432);
  CHECK(outputs_stay.at("SPM", "O").tile_words == 25088);
  // 128 SPM passes of 96 RF passes of 224 steps.
  CHECK(outputs_stay.cost.compute.steps == 128 * 96 * 224);
  CHECK(outputs_stay.cost.compute.instances_used == 168);
  CHECK(outputs_stay.memory("DRAM").energy_pj == 624640000);
  CHECK(run({2, 1}).memory("DRAM").energy_pj == 1769472000);
  CHECK(same_energy(outputs_stay.cost.compute.energy_pj, 34681651.2));

  // RF energy: four accesses a MAC; ours read no partial sum on a first visit.
  const TensorAtMemory& o = outputs_stay.at("RF", "O");
  const std::int64_t first_visits = o.words.updates - o.words.reads;
  CHECK(same_energy(0.96 * static_cast<double>(all_accesses(outputs_stay, "RF") + first_visits),
                    1775700541.44));
  kReport.table({"dMazeRunner, conv5_2: tiles, passes, MAC, DRAM and RF energy",
                 "1 mapping, 2 DRAM orders", "the same after one stated convention (RF)", "0; 1e-9",
                 "its unit tests"});
}

// One pass of the array alone: what enters it, what leaves it, and what neighbours add up.
TEST_CASE("dmazerunner: words in the array in one RF pass") {
  const Json names = load("tests/validation/interstellar_table.json").at("dims");
  Json nest = Json::array();
  store(nest, "DRAM");
  store(nest, "SPM");
  loops(nest, names, {2, 4, 1, 7, 1, 3, 1}, {0, 1, 3, 5}, true);
  store(nest, "RF");
  loops(nest, names, {2, 1, 16, 1, 7, 1, 1}, {0, 2, 4});
  const Priced priced = price(conv({4, 4, 16, 7, 7, 3, 1}), machine(), {{"nest", nest}});
  CHECK(priced.cost.cycles == 224);
  CHECK(priced.through("PEs", "I").words_in == 4032);
  CHECK(priced.through("PEs", "W").words_in == 192);
  CHECK(priced.through("PEs", "O").words_out == 784);
  CHECK(priced.through("PEs", "O").reductions == 1568);
  kReport.table({"dMazeRunner, conv5_2: words in the array in an RF pass", "4,032 in, 784 out, ...",
                 "the same", "0", "its unit tests"});
}

// Interstellar's hand-derived tests (64 channels in, 32 out, 8 x 8 outputs, 3 x 3) write an
// output's accesses as 2 * visits - 1 a word: the first partial sum is not read. 9 * 64 visits by
// the multiplier: 2048 * 1151; 8 visits of the buffer to memory: 2048 * 15.
TEST_CASE("interstellar: the first partial sum is not read") {
  const std::vector<int> layer = {1, 32, 64, 8, 8, 3, 3};
  const Priced straight = price_text(conv(layer), machine(), R"(
DRAM: I W O
for c in 64
  for v in 3
    for u in 3
      for m in 32
        for y in 8
          for x in 8
)");
  const Traffic& all = straight.at("DRAM", "O").words;
  CHECK(all.reads + all.updates == 2048 * 1151);

  const Priced buffered = price_text(conv(layer), machine(), R"(
DRAM: I W O
for c in 8
  for m in 32
    for y in 8
      for x in 8
        RF: O
        for c in 8
          for v in 3
            for u in 3
)");
  const Traffic& visits = buffered.at("DRAM", "O").words;
  CHECK(visits.reads + visits.updates == 2048 * 15);
  kReport.table({"\"the first partial sum is not read\"", "2048 * 1151, 2048 * 15", "the same", "0",
                 "Interstellar's hand-derived tests"});
}

}  // namespace loopscape::validation
