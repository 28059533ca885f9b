// MAGNet's four dataflows: which takes the least energy in a block of ResNet-50.
#include <string>

#include <catch2/catch.hpp>

#include "tests/validation/machines.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("magnet");
const char* const kSource = "Venkatesan, ISSCC tutorial 2021: OS-LWS takes the least";

// Of the second block of ResNet-50's third stage, in pJ an operation; every mapping proved.
double energy_of(const std::string& dataflow) {
  const Machine magnet = machine("magnet_" + dataflow);
  double energy = 0, operations = 0;
  const Json network = load("problems/networks/resnet50.json");
  for (const Json& layer : network.at("layers")) {
    if (layer.at("name").get<std::string>().find("conv3_2_") != 0) continue;
    Json problem = layer;
    problem.erase("name");
    problem.erase("count");
    const Priced priced = cheapest(magnet, problem, Factors::kPerfect);
    energy += priced.cost.energy_pj;
    operations += static_cast<double>(priced.cost.operations);
  }
  return energy / operations;
}

}  // namespace

TEST_CASE("magnet: energy of the dataflows") {
  const double best = energy_of("os_lws");
  kReport.range({"OS-LWS against WS: energy", 0, 1, best / energy_of("ws"), kSource});
  kReport.range({"OS-LWS against OS: energy", 0, 1, best / energy_of("os"), kSource});
  kReport.range({"OS-LWS against WS-LOS: energy", 0, 1, best / energy_of("ws_los"), kSource,
                 "as good as equal: how much the latches hold is not published"});
}

}  // namespace loopscape::validation
