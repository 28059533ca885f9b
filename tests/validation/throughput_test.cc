// Throughput of inference chips: NVDLA's table of configurations, Simba's package, DianNao.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/machines.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("throughput");
const char* const kNvdla = "nvdla.org, primer, table of performance";

// Words that the additions of ResNet-50's blocks read and write; problems/ leaves them out. Each
// block adds two tensors as large as its last convolution's output.
double words_added() {
  double words = 0;
  const Json network = load("problems/networks/resnet50.json");
  for (const Json& layer : network.at("layers")) {
    const std::string name = layer.at("name");
    if (name.size() < 2 || name.substr(name.size() - 2) != "_c") continue;
    words +=
        3 * layer.at("k").get<double>() * layer.at("h").get<double>() * layer.at("w").get<double>();
  }
  return words;
}

struct Configuration {
  int macs, atomic_c, atomic_k, cbuf_kib, banks;
  double dram_gb_per_s, fps, ours;
};

// Cycles of one image's convolutions and its fully connected layer.
double cycles_of_network(const Machine& machine, const Json& layers) {
  double cycles = 0;
  for (const Json& layer : layers) {
    const Priced priced = fastest(machine, layer.at("layer"));
    cycles += layer.at("count").get<double>() * static_cast<double>(priced.cost.cycles);
  }
  return cycles;
}

// One of DianNao's layers in the order of its published loop nests: outputs of 16 neurons are
// finished one position after the other, so that synapses come from DRAM for each position.
struct DianNaoLayer {
  const char* name;
  int k, c, rows, columns, kernel;
};

Json problem_of(const DianNaoLayer& layer) {
  return {{"op", "conv2d"},  {"name", layer.name}, {"k", layer.k},      {"c", layer.c},
          {"p", layer.rows}, {"q", layer.columns}, {"r", layer.kernel}, {"s", layer.kernel}};
}

std::string loop(const char* dim, int bound) {
  return bound == 1 ? "" : std::string("for ") + dim + " in " + std::to_string(bound) + "\n";
}

std::string published_nest(const DianNaoLayer& layer) {
  const int neurons = std::min(layer.k, 16), synapses = std::min(layer.c, 16);
  return "DRAM: I W O\n" + loop("k", (layer.k + 15) / 16) + loop("p", layer.rows) +
         loop("q", layer.columns) + "NBout: O\n" + loop("r", layer.kernel) +
         loop("s", layer.kernel) + loop("c", (layer.c + 15) / 16) + "NBin: I\nSB: W\n" +
         "parallel k in " + std::to_string(neurons) + " on Neurons.n\nSum: O\n" + "parallel c in " +
         std::to_string(synapses) + " on Synapses.s\n";
}

}  // namespace

TEST_CASE("throughput: ResNet-50 on NVDLA's published configurations") {
  const Json layers = distinct_layers("resnet50");
  const std::vector<Configuration> all = {
      {2048, 64, 32, 512, 16, 20, 269, 0},         {1024, 32, 32, 256, 16, 15, 153, 180.529920307},
      {512, 32, 16, 256, 16, 10, 93, 0},           {256, 32, 8, 256, 16, 5, 46, 0},
      {128, 16, 8, 256, 16, 2, 20, 23.3960487817}, {64, 8, 8, 128, 32, 1, 7.3, 11.7393676313},
      {32, 8, 4, 128, 32, 0.5, 3.6, 5.86968381563}};
  Bars figure{
      "NVDLA: ResNet-50, INT8, images a second", "images / s (logarithm to base 10)", {}, {}};
  for (const Configuration& its : all) {
    const Machine nvdla = machine("nvdla_large", {{"atomic_c", its.atomic_c},
                                                  {"atomic_k", its.atomic_k},
                                                  {"cbuf_kib", its.cbuf_kib},
                                                  {"banks", its.banks},
                                                  {"dram_gb_per_s", its.dram_gb_per_s}});
    CHECK(nvdla.lanes() == its.macs);
    const double convolutions = cycles_of_network(nvdla, layers);
    const double additions = words_added() / its.dram_gb_per_s;
    const double fps = 1e9 / (convolutions + additions);
    const std::string name =
        "NVDLA, " + std::to_string(its.macs) + " multipliers: ResNet-50 images/s";
    kReport.row({name, its.fps, fps, 0.15, kNvdla,
                 "every transfer is hidden and DRAM gives its nominal rate; the published model's "
                 "efficiencies are not stated",
                 its.ours > 0 ? std::optional<double>(its.ours) : std::nullopt});
    kReport.range({name + ", convolutions alone, of the published", 1, 2.1,
                   1e9 / convolutions / its.fps, kNvdla, "a bound: not below the published rate"});
    figure.bars.push_back({std::to_string(its.macs), {fps}, its.fps});
  }
  kReport.figure("nvdla_resnet50", to_svg(figure));
}

TEST_CASE("throughput: NVDLA's channels and kernels round up") {
  const Machine large =
      machine("nvdla_large", {{"atomic_c", 16}, {"atomic_k", 64}, {"dram_gb_per_s", 1000}});
  const Json few = {{"op", "conv2d"}, {"k", 16}, {"c", 8}, {"p", 56},
                    {"q", 56},        {"r", 1},  {"s", 1}};
  kReport.row({"NVDLA: utilization of 16 x 64 by 8 channels and 16 kernels", 0.125,
               fastest(large, few).cost.utilization, 0.001, "nvdla.org, hardware manual"});
  const Json first = distinct_layers("resnet50").at(0).at("layer");
  kReport.range({"NVDLA: utilization by three channels in image input mode, about a half", 0.4, 0.6,
                 fastest(machine("nvdla_large"), first).cost.utilization,
                 "nvdla.org, hardware manual"});
}

TEST_CASE("throughput: Simba's peaks") {
  const char* const source = "Venkatesan et al., Hot Chips 2019; Shao et al., MICRO 2019";
  kReport.row({"Simba, a chiplet at 1.958 GHz: peak, TOPS", 4.01,
               machine("simba_chiplet", {{"clock_mhz", 1958}}).peak_tops(), 0.002, source});
  kReport.row({"Simba, the package at 1.733 GHz: peak, TOPS", 127.8,
               machine("simba_package", {{"clock_mhz", 1733}}).peak_tops(), 0.002, source});
}

TEST_CASE("throughput: ResNet-50 on Simba's package") {
  const Machine simba = machine("simba_package");
  double cycles = 0, operations = 0;
  for (const Json& layer : distinct_layers("resnet50")) {
    const Priced priced = fastest(simba, layer.at("layer"), Factors::kPerfect);
    const double count = layer.at("count").get<double>();
    cycles += count * static_cast<double>(priced.cost.cycles);
    operations += count * static_cast<double>(priced.cost.operations);
  }
  kReport.row({"Simba, ResNet-50, one image: ms", 0.5, cycles / simba.clock_ghz() / 1e6, 0.2,
               "Shao et al., MICRO 2019"});
  kReport.range({"Simba, ResNet-50: utilization, a class of its own among accelerators", 0.08, 0.2,
                 operations / cycles / simba.lanes(),
                 "12 % and 16 % from 1988 and 2615 images/s of the papers"});
}

TEST_CASE("throughput: DianNao") {
  const Machine diannao = machine("diannao");
  // 256 products and 240 sums of 16 a cycle; the sum with the cycle before's is not counted.
  const double gops = 496 * diannao.clock_ghz();
  kReport.row({"DianNao: peak, GOPS", 452, gops, 0.1, "Chen et al., ASPLOS 2014",
               "256 products and 240 sums at 0.98 GHz are 486; what 452 leaves out is not said"});
  const std::vector<DianNaoLayer> layers = {{"CLASS1", 20, 960, 1, 1, 1},
                                            {"CONV1", 48, 32, 367, 492, 9},
                                            {"CONV3", 200, 108, 29, 29, 4},
                                            {"CLASS3", 100, 200, 1, 1, 1},
                                            {"CONV4", 512, 16, 26, 26, 7}};
  for (const DianNaoLayer& layer : layers) {
    INFO(layer.name);
    const Priced priced = price_on(diannao, problem_of(layer), published_nest(layer));
    const double share = priced.memory("DRAM").energy_pj / priced.cost.energy_pj;
    kReport.range({std::string("DianNao, ") + layer.name + ": DRAM's share of energy", 0.5, 1,
                   share, "Chen et al., ASPLOS 2014: \"most of the energy\""});
    // Neurons and synapses round up, or DRAM is what limits.
    const double rounds = std::ceil(layer.k / 16.0) * std::ceil(layer.c / 16.0) * layer.rows *
                          layer.columns * layer.kernel * layer.kernel;
    const Priced best = fastest(diannao, problem_of(layer));
    double words = 0;
    for (const Tensor& tensor : best.problem.tensors) {
      const Traffic& at = best.at("DRAM", tensor.name).words;
      words += static_cast<double>(tensor.is_output ? at.updates : at.reads);
    }
    CHECK(words >= static_cast<double>(layer.k) * layer.c * layer.kernel * layer.kernel);
    const double at_least = std::max(rounds, words * 16 / (250 * 8 / 0.98));
    kReport.row({std::string("DianNao, ") + layer.name + ": cycles of the fastest mapping",
                 at_least, static_cast<double>(best.cost.cycles), 0.05, "rounds of 16 x 16; DRAM",
                 "first fill and last drain of double buffers"});
    CHECK(priced.cost.cycles >= best.cost.cycles);
  }
}

}  // namespace loopscape::validation
