// AlexNet's accesses to DRAM, from the worst machine to the best: arch_specs/no_buffer.json and
// arch_specs/unlimited_buffer.json, mapped by the mapper.

#include <cstdint>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "mapper/network/network.h"
#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("alexnet_dram");
constexpr const char* kSource = "Chen, CS217 2018; Khan, UVA 2019";

struct Accesses {
  double operations = 0, weights = 0, all = 0;
};

// Of the network with the least energy, which is the one with the least traffic.
Accesses least_accesses(const std::string& arch_file) {
  const Result<LayerNetwork> network = parse_network(load("problems/networks/alexnet.json").dump());
  REQUIRE(network.status().to_string() == "");
  const Result<Arch> arch = parse_arch(load(arch_file).dump());
  REQUIRE(arch.status().to_string() == "");
  const ActionCosts costs = *costs_in_spec(*arch);
  NetworkRequest request;
  request.goal.objective = Objective::kEnergy;
  const Result<NetworkResult> found = map_network(
      *network, *arch, costs, std::vector<Conventions>(network->layers.size()), request);
  REQUIRE(found.status().to_string() == "");
  REQUIRE(found->best);
  CHECK(found->proved);
  Accesses sum;
  sum.operations = static_cast<double>(network->operations());
  for (const LayerAnswer& layer : found->layers) {
    const Problem& problem = network->layers[layer.equal.layers.front()];
    const Result<Evaluator> evaluator = Evaluator::create(problem, *arch, {}, costs);
    REQUIRE(evaluator.ok());
    const Result<Breakdown> cost = evaluator->explain(layer.found.best->mapping);
    REQUIRE(cost.ok());
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      const Traffic& words = cost->memories[0].tensors[t].words;
      const auto moved = static_cast<double>((words.reads + words.updates)) *
                         static_cast<double>(layer.equal.count);
      sum.all += moved;
      if (problem.tensors[t].role == Role::kWeight) sum.weights += moved;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("alexnet: DRAM accesses without a buffer and with an unlimited one") {
  const Accesses worst = least_accesses("arch_specs/no_buffer.json");
  const Accesses best = least_accesses("arch_specs/unlimited_buffer.json");
  kReport.row({"Operations, M", 724, worst.operations / 1e6, 0.001, kSource});
  kReport.row({"Without a buffer: DRAM accesses, M", 2896, worst.all / 1e6, 0.001, kSource,
               "four for each operation (three reads, a write), but for a result's first sum, "
               "which is not read"});
  CHECK(worst.all == 4 * worst.operations - 659'272);  // words of all results
  kReport.row({"Unlimited buffer: DRAM accesses, M", 61, best.all / 1e6, 0.03, kSource,
               "every weight, input (with its padding) and result of a layer once; the published "
               "number is near the weights alone"});
  kReport.row({"Unlimited buffer: of these, weights, M", 61, best.weights / 1e6, 0.001, kSource});
  CHECK(best.weights == 60'954'656);
}

// Of the convolutions for four images, two bytes a word: what the chip's 15.4 MB stand against.
TEST_CASE("alexnet: traffic of four images' convolutions without reuse") {
  const Json network = load("problems/networks/alexnet.json");
  const Arch arch = unwrap(parse_arch(load("arch_specs/no_buffer.json").dump()), "architecture");
  double operations = 0, reads = 0, results = 0;
  for (Json layer : network.at("layers")) {
    if (layer.at("op") != "conv2d") continue;
    layer.erase("name");
    const double count = layer.value("count", 1);
    layer.erase("count");
    layer["n"] = 4;
    const Problem problem = unwrap(parse_problem(layer.dump()), "problem");
    const Mapspace space = unwrap(Mapspace::create(problem, arch, {}), "mapspace");
    const Evaluator evaluator = unwrap(
        Evaluator::create(problem, arch, Conventions::physical(), *costs_in_spec(arch)), "costs");
    Goal goal;
    goal.objective = Objective::kEnergy;
    const SearchResult found = search_optimal(space, evaluator, goal);
    REQUIRE(found.certificate.proved);
    const Breakdown cost = unwrap(evaluator.explain(found.best->mapping), "evaluation");
    operations += count * static_cast<double>(cost.operations);
    for (const TensorAtMemory& tensor : cost.memories[0].tensors) {
      reads += count * static_cast<double>(tensor.words.reads);
      results += count * static_cast<double>(tensor.words.updates);
    }
  }
  kReport.row({"Four images, convolutions, without a buffer: words in, GB", 16, 2e-9 * reads, 0.02,
               "Chen, CS217 2018", "but for a result's first sum, which is not read"});
  kReport.row({"Four images, convolutions, without a buffer: sums out, GB", 5.4, 2e-9 * results,
               0.02, "Chen, CS217 2018"});
  CHECK(results == operations);
}

}  // namespace loopscape::validation
