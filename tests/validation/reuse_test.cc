// What the lectures teach with pictures: reuse of each datum, who shares what over which lanes,
// what multicast saves, and how much a tiling matters.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "mapper/search/search.h"
#include "tests/validation/machines.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("reuse");
const char* const kS2 = "Venkatesan, ISSCC tutorial 2021";
const char* const kMulticast = "multicast";
const char* const kUnicast = "unicast";

// A buffer without limit over `lanes` lanes that share whatever several of them need.
Machine lanes_over_buffer(int lanes) {
  return machine_of({{"word_bits", 8},
                     {"nodes",
                      {{{"memory", "DRAM"}, {"energy_pj", {{"read", 200}, {"write", 200}}}},
                       {{"memory", "Buffer"}, {"energy_pj", {{"read", 6}, {"write", 6}}}},
                       {{"fanout", "Lanes"},
                        {"axes", {{"x", lanes}}},
                        {"network",
                         {{"class", "multicast_bus"},
                          {"multicast", {"input", "weight"}},
                          {"reduce", {"output"}}}}},
                       {{"memory", "Register"}, {"energy_pj", {{"read", 1}, {"write", 1}}}},
                       {{"compute", "MAC"}, {"energy_pj", {{"compute", 1}}}}}}});
}

// Children that each word reaches, or comes from.
double shared_by(const TensorAtNetwork& at, bool output) {
  return output ? static_cast<double>(at.words_collected) / static_cast<double>(at.words_out)
                : static_cast<double>(at.words_delivered) / static_cast<double>(at.words_in);
}

std::string hand(double shared, double lanes) {
  return shared == 1 ? kUnicast : shared == lanes ? kMulticast : "part";
}

}  // namespace

TEST_CASE("reuse: multiply-accumulates for each datum") {
  // N = 2 images, M = 64 filters, C = 32 channels of 3 x 3, E x F = 28 x 28 outputs.
  const Json conv = {{"op", "conv2d"}, {"n", 2},  {"k", 64}, {"c", 32},
                     {"p", 28},        {"q", 28}, {"r", 3},  {"s", 3}};
  const Priced priced =
      price_on(lanes_over_buffer(1), conv,
               "DRAM: I W O\nBuffer: I W O\nfor n in 2\nfor k in 64\nfor c in 32\n"
               "for p in 28\nfor q in 28\nfor r in 3\nfor s in 3\n");
  const double operations = static_cast<double>(priced.cost.operations);
  const auto per_word = [&](const char* tensor, std::int64_t words) {
    INFO(tensor);
    return operations / static_cast<double>(words);
  };
  kReport.row(
      {"weight: E F N", 28 * 28 * 2, per_word("W", priced.at("DRAM", "W").words.reads), 0, kS2});
  kReport.row(
      {"output: R S C", 3 * 3 * 32, per_word("O", priced.at("DRAM", "O").words.updates), 0, kS2});
  kReport.row({"input: R S M, but for the halo", 3 * 3 * 64,
               per_word("I", priced.at("DRAM", "I").words.reads), 0.14, kS2,
               "inputs at the edge are used less often: 28 x 28 outputs need 30 x 30 inputs"});
}

// Lanes over one dimension: tensors with the dimension differ from lane to lane, the others are
// shared by all lanes; an output without it is summed over them.
TEST_CASE("reuse: truth table of communication patterns") {
  const Json conv = {{"op", "conv2d"}, {"n", 8}, {"k", 8}, {"c", 8},
                     {"p", 8},         {"q", 8}, {"r", 1}, {"s", 1}};
  struct Pattern {
    const char* dim;
    const char *weight, *input, *output;  // output: multicast upwards is a reduction
  };
  const std::vector<Pattern> table = {{"k", kUnicast, kMulticast, kUnicast},
                                      {"c", kUnicast, kUnicast, kMulticast},
                                      {"p", kMulticast, kUnicast, kUnicast},
                                      {"q", kMulticast, kUnicast, kUnicast},
                                      {"n", kMulticast, kUnicast, kUnicast}};
  const Machine eight = lanes_over_buffer(8);
  for (const Pattern& pattern : table) {
    INFO("lanes over " << pattern.dim);
    std::string nest = "DRAM: I W O\nBuffer: I W O\n";
    for (const char* dim : {"n", "k", "c", "p", "q"}) {
      if (std::string(dim) != pattern.dim) nest += std::string("for ") + dim + " in 8\n";
    }
    nest += std::string("parallel ") + pattern.dim + " in 8 on Lanes.x\nRegister: I W O\n";
    const Priced priced = price_on(eight, conv, nest);
    CHECK(hand(shared_by(priced.through("Lanes", "W"), false), 8) == pattern.weight);
    CHECK(hand(shared_by(priced.through("Lanes", "I"), false), 8) == pattern.input);
    CHECK(hand(shared_by(priced.through("Lanes", "O"), true), 8) == pattern.output);
  }
  // Lanes over positions of a 3 x 3 filter share halos: each of 8 lanes needs 3 of 10 columns.
  const Json halo = {{"op", "conv2d"}, {"k", 1}, {"c", 1}, {"p", 1}, {"q", 8}, {"r", 3}, {"s", 3}};
  const Priced priced = price_on(eight, halo,
                                 "DRAM: I W O\nBuffer: I W O\nparallel q in 8 on Lanes.x\n"
                                 "Register: I W O\nfor r in 3\nfor s in 3\n");
  CHECK(shared_by(priced.through("Lanes", "I"), false) == 8 * 3 / 10.0);
  CHECK(hand(shared_by(priced.through("Lanes", "W"), false), 8) == kMulticast);
  kReport.table({"lanes over K, C, P, Q, N: unicast, multicast or reduction of each tensor; a halo",
                 "the truth table", "words that enter and leave a network", "0", kS2});
}

TEST_CASE("reuse: multicast against broadcast") {
  // AlexNet's convolution 3 by rows on 12 x 14 elements: 13 rows of outputs, 3 rows of the filter,
  // 4 filters at a time.
  const Json conv3 = {{"op", "conv2d"}, {"n", 4}, {"k", 384}, {"c", 256},    {"h", 13},
                      {"w", 13},        {"r", 3}, {"s", 3},   {"padding", 1}};
  const char* const nest =
      "DRAM: I W O\nfor k in 6\nfor n in 4\nfor c in 64\nGlobalBuffer: I O\n"
      "parallel p in 13 on PEs.x\nparallel k in 4 on PEs.y\nparallel r in 3 on PEs.y\n"
      "WeightSpad: W\nfor q in 13\nInputSpad: I\nPsumSpad: O\nfor k in 16\nfor c in 4\nfor s in "
      "3\n";
  Json spec = load("arch_specs/eyeriss_like.json");
  const Priced multicast = price_on(machine_of(spec), conv3, nest);
  for (Json& node : spec.at("nodes")) {
    if (node.contains("fanout")) node["network"][0]["class"] = "bus";
  }
  const Priced broadcast = price_on(machine_of(spec), conv3, nest);
  const auto pj = [](const Priced& priced, const char* tensor) {
    return priced.through("PEs", tensor).energy_pj;
  };
  const char* const source = "Chen et al., JSSC 2017: over 80 %";
  kReport.range({"Eyeriss, filters: energy of delivery that multicast saves, against broadcast",
                 0.8, 1, 1 - pj(multicast, "W") / pj(broadcast, "W"), source});
  kReport.row(
      {"Eyeriss, filters and inputs: the same", 0.8,
       1 - (pj(multicast, "I") + pj(multicast, "W")) / (pj(broadcast, "I") + pj(broadcast, "W")),
       0.1, source,
       "four filters by three rows at a time take an input to every row of the array, so that "
       "the bus of rows saves nothing on inputs; which layers the figure is of is not said",
       0.6252006421});
}

TEST_CASE("reuse: legal tilings of one layer differ more than tenfold") {
  const Machine chip = machine("simba_chiplet");
  const Result<Problem> problem =
      parse_problem(load("problems/layers/resnet50_conv2_3x3.json").dump());
  REQUIRE(problem.ok());
  const Result<Evaluator> evaluator =
      Evaluator::create(*problem, chip.arch, Conventions::physical(), chip.costs);
  REQUIRE(evaluator.ok());
  MapspaceOptions options;
  options.factors = Factors::kPerfect;
  const Result<Mapspace> space = Mapspace::create(*problem, chip.arch, options);
  REQUIRE(space.ok());
  for (const Objective objective : {Objective::kEnergy, Objective::kDelay}) {
    Goal goal;
    goal.objective = objective;
    const Result<SearchResult> found =
        search_random(*space, *evaluator, goal, {.samples = 500, .seed = 1});
    REQUIRE(found.status().to_string() == "");
    REQUIRE(found->statistics);
    const Statistics& its = *found->statistics;
    CHECK(its.legal >= 100);
    kReport.range({"ResNet-50's 3 x 3 of stage 2 on Simba's chiplet: " + objective_name(objective) +
                       ", worst over best of 500 random tilings",
                   10, 1e6, its.most / its.least, kS2});
  }
}

}  // namespace loopscape::validation
