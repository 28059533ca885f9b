// Agreement with Timeloop, by its own counts on 77 cases (tests/validation/README.md says where
// the numbers come from). Counts are compared exactly, energies to 1e-9, nothing else is allowed.

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("timeloop");
constexpr const char* kSource = "Timeloop's own output, `timeloop_parity.json`";

Conventions timeloop_with(const std::string& reuse) {
  Conventions conventions = Conventions::timeloop();
  conventions.reuse =
      reuse == "march" ? Conventions::Reuse::kMarch : Conventions::Reuse::kPreviousTile;
  return conventions;
}

Priced price_case(const Json& one, const std::string& reuse) {
  return price(one.at("problem"), one.at("arch"), one.at("mapping"), timeloop_with(reuse));
}

void check_tensors(const Priced& priced, const std::string& memory, const Json& expected) {
  for (const Tensor& tensor : priced.problem.tensors) {
    INFO("tensor " << tensor.name);
    const TensorAtMemory& ours = priced.at(memory, tensor.name);
    CHECK(ours.stored == expected.contains(tensor.name));
    if (!expected.contains(tensor.name)) continue;
    const Json& theirs = expected.at(tensor.name);
    CHECK(ours.tile_words == theirs.at("tile_words").get<std::int64_t>());
    CHECK(ours.words.reads == theirs.at("reads").get<std::int64_t>());
    CHECK(ours.words.fills == theirs.at("fills").get<std::int64_t>());
    CHECK(ours.words.updates == theirs.at("updates").get<std::int64_t>());
  }
}

void check_case(const Priced& priced, const Json& expected) {
  CHECK(priced.cost.operations == expected.at("operations").get<std::int64_t>());
  CHECK(priced.cost.cycles == expected.at("cycles").get<std::int64_t>());
  CHECK(same_energy(priced.cost.energy_pj, expected.at("energy_pj").get<double>()));
  CHECK(expected.at("memories").size() == priced.arch.memories.size());
  for (const auto& [memory, theirs] : expected.at("memories").items()) {
    INFO("memory " << memory);
    CHECK(same_energy(priced.memory(memory).energy_pj, theirs.at("energy_pj").get<double>()));
    check_tensors(priced, memory, theirs.at("tensors"));
  }
}

Json named(const Json& cases, const std::string& id) {
  for (const Json& one : cases)
    if (one.at("id") == id) return one;
  FAIL("no case " << id);
  return {};
}

}  // namespace

TEST_CASE("timeloop: every count of 75 cases under the rules that reproduce them") {
  int cases = 0, runs = 0;
  for (const Json& one : load("tests/validation/timeloop_parity.json")) {
    INFO(one.at("id").get<std::string>());
    cases += !one.at("reuse").empty();
    for (const Json& reuse : one.at("reuse")) {
      INFO("reuse " << reuse.get<std::string>());
      check_case(price_case(one, reuse.get<std::string>()), one.at("expected"));
      ++runs;
    }
  }
  CHECK(cases == 75);
  CHECK(runs == 146);  // 71 cases under both rules, 4 under march only
  kReport.table({"operations, cycles, tiles, reads, fills, updates, energy by memory and in total",
                 "75 cases", "146 runs under preset `timeloop` with `march` or `previous_tile`",
                 "0; energies 1e-9", kSource});
}

TEST_CASE("timeloop: fills under previous_tile in all 77 cases") {
  int compared = 0;
  for (const Json& one : load("tests/validation/timeloop_parity.json")) {
    INFO(one.at("id").get<std::string>());
    const Priced priced = price_case(one, "previous_tile");
    for (const auto& [memory, tensors] : one.at("previous_tile_fills").items()) {
      for (const auto& [tensor, fills] : tensors.items()) {
        INFO(memory << " " << tensor);
        CHECK(priced.at(memory, tensor).words.fills == fills.get<std::int64_t>());
        ++compared;
      }
    }
  }
  CHECK(compared == 184);
  kReport.table({"fills under `previous_tile`", "77 cases, 184 numbers", "the same numbers", "0",
                 "extents of the sets themselves, `timeloop_parity.json`"});
}

// The simulator that the model is measured by, itself measured by another tool.
TEST_CASE("timeloop: the nest simulator gives the same counts in 32 small cases") {
  int cases = 0;
  for (const Json& one : load("tests/validation/timeloop_parity.json")) {
    if (one.at("reuse").empty() || one.at("expected").at("operations") > 20000) continue;
    INFO(one.at("id").get<std::string>());
    ++cases;
    for (const Json& reuse : one.at("reuse")) {
      INFO("reuse " << reuse.get<std::string>());
      check_case(simulated(price_case(one, reuse.get<std::string>())), one.at("expected"));
    }
  }
  CHECK(cases == 32);
  kReport.table({"the same from the nest simulator of `tests/reference`", "32 small cases",
                 "the same counts, walked step by step", "0; energies 1e-9", kSource});
}

// The two cases that no rule reproduces. The tool runs a loop's first two iterations and multiplies
// the second one's delta by what is left; the tile it then remembers is the second iteration's, not
// the last one's. Where an outer loop turns, its next delta is taken against that stale tile. That
// matters only when the stale tile happens to overlap the tile after the turn, as in these two.

// Inputs[r+p], one word per tile, loops r 3 (outer), p 12, k 4 (inner; a run).
//   A march over p brings 12 words; at a turn of r the tile jumps from index r+11 back to r+1: not
//   held. Ours, under either rule: 3 * 12 = 36.
//   The tool remembers index r+1, that of iteration p = 1, and the turn lands on r+1: "held". It
//   counts 12 + 2 * 11 = 34. A word that left ten steps earlier is not in a one-word buffer.
TEST_CASE("timeloop: toy1x1__c_1d__n2 differs, by a stale tile at turns of r") {
  const Json one = named(load("tests/validation/timeloop_parity.json"), "toy1x1__c_1d__n2");
  REQUIRE(one.at("reuse").empty());
  Json ours = one.at("expected");
  for (const char* memory : {"DRAM", "L2"}) {
    Json& inputs = ours["memories"][memory]["tensors"]["Inputs"];
    CHECK(inputs["reads"] == 12 + 2 * 11);
    inputs["reads"] = 3 * 12;
  }
  for (const char* memory : {"L2", "L1"})
    ours["memories"][memory]["tensors"]["Inputs"]["fills"] = 36;
  // Two words more out of DRAM (200 pJ each) and into L1 (1 pJ each). L2 holds four words to an
  // access: ceil(34 / 4) = ceil(36 / 4), nothing changes there.
  ours["memories"]["DRAM"]["energy_pj"] = 83600.0 + 2 * 200;
  ours["memories"]["L1"]["energy_pj"] = 802.0 + 2 * 1;
  ours["energy_pj"] = 88932.0 + 2 * 200 + 2 * 1;
  const Priced march = price_case(one, "march");
  check_case(march, ours);
  check_case(price_case(one, "previous_tile"), ours);
  const auto words = static_cast<double>(march.at("L2", "Inputs").words.fills);
  kReport.row({"`toy1x1__c_1d__n2`: words of Inputs into L2", 34, words, 0, kSource,
               "a stale tile at turns of r, see below", 36});
}

// Inputs[c, r+p, s+q], tile 64 x 2 x 7 = 896 words, a row of it 448; outside it, from the
// outermost: s 3, q 2, c 4, p 7 (step 2), r 3 (step 1), k 16 (a run).
//   march: one march over r is 896 + 2 * 448 = 1792, and everything outside repeats:
//     7 * 4 * 2 * 3 * 1792 = 301056.
//   previous_tile: r = 2 of p holds rows {2p+2, 2p+3}, which is r = 0 of p + 1, so a turn of p is
//     free and brings r's 2 * 448 = 896: (1792 + 6 * 896) * 24 = 172032 (a turn of c, q or s shares
//     nothing).
//   The tool remembers r = 1, rows {2p+1, 2p+2}, and so charges one row at each turn of p:
//     (1792 + 6 * (448 + 896)) * 24 = 236544.
TEST_CASE("timeloop: nvdla64x16__resnet_3x3_14__n1 differs, by a stale tile at turns of p") {
  const Json one =
      named(load("tests/validation/timeloop_parity.json"), "nvdla64x16__resnet_3x3_14__n1");
  REQUIRE(one.at("reuse").empty());
  const Json& theirs = one.at("expected");
  CHECK(theirs["memories"]["CBUF"]["tensors"]["Inputs"]["fills"] == (1792 + 6 * (448 + 896)) * 24);

  const auto check_ours = [&](const std::string& reuse, std::int64_t words) {
    Json ours = theirs;
    Json& memories = ours["memories"];
    memories["DRAM"]["tensors"]["Inputs"]["reads"] = words;
    memories["CBUF"]["tensors"]["Inputs"]["fills"] = words;
    // Eight words to a DRAM access of 512 pJ, 64 to a buffer access of 310 pJ; all divide evenly.
    const double dram = static_cast<double>(words - 236544) / 8 * 512;
    const double buffer = static_cast<double>(words - 236544) / 64 * 310;
    memories["DRAM"]["energy_pj"] = memories["DRAM"]["energy_pj"].get<double>() + dram;
    memories["CBUF"]["energy_pj"] = memories["CBUF"]["energy_pj"].get<double>() + buffer;
    ours["energy_pj"] = ours["energy_pj"].get<double>() + dram + buffer;
    // DRAM reads are the bottleneck: 16 words in a cycle.
    ours["cycles"] = (8257536 + words + 1756160) / 16;
    const Priced priced = price_case(one, reuse);
    check_case(priced, ours);
    kReport.row({"`nvdla64x16__resnet_3x3_14__n1`: words of Inputs into CBUF, `" + reuse + "`",
                 236544, static_cast<double>(priced.at("CBUF", "Inputs").words.fills), 0, kSource,
                 "a stale tile at turns of p, see below", static_cast<double>(words)});
  };
  check_ours("march", 301056);
  check_ours("previous_tile", 172032);
}

// Half of a double-buffered memory is usable: two words leave room for the one a case keeps.
TEST_CASE("timeloop: the double-buffered weight registers fit") {
  int cases = 0;
  for (const Json& one : load("tests/validation/timeloop_parity.json")) {
    if (one.at("arch").at("name") != "tpu256") continue;
    INFO(one.at("id").get<std::string>());
    const Priced priced = price_case(one, "march");
    const Memory& registers = priced.arch.memories.at(index(*priced.arch.find_memory("WeightReg")));
    REQUIRE(registers.buffering == Buffering::kDouble);
    REQUIRE(registers.size_bits == 16u);
    CHECK(priced.memory("WeightReg").occupied_bits == 8);
    ++cases;
  }
  CHECK(cases == 3);
}

}  // namespace loopscape::validation
