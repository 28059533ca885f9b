// A small network is mapped on machines of arch_specs/, proved. What else holds of every machine is
// in tests/validation/arch_specs_test.cc.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "mapper/network/network.h"

using namespace loopscape;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Arch arch_of(const std::filesystem::path& path) {
  const Result<Arch> arch = parse_arch(text_of(path));
  INFO(path << ": " << arch.status().to_string());
  REQUIRE(arch.ok());
  return *arch;
}

}  // namespace

TEST_CASE("a small network is mapped on the machines, proved", "[network]") {
  const Result<LayerNetwork> network = parse_network(R"({"layers": [
      {"op": "conv2d", "name": "conv", "k": 16, "c": 8, "h": 10, "w": 10, "r": 3, "s": 3,
       "padding": 1},
      {"op": "depthwise", "name": "depthwise", "g": 8, "h": 8, "w": 8, "r": 3, "s": 3,
       "padding": 1},
      {"op": "gemm", "name": "gemm", "m": 16, "n": 24, "k": 32},
      {"op": "fc", "name": "fc", "k": 10, "c": 64}]})");
  REQUIRE(network.status().to_string() == "");
  NetworkRequest request;
  request.space.factors = Factors::kPerfect;
  request.goal.objective = Objective::kEnergy;
  const std::vector<Conventions> conventions(network->layers.size());
  for (const char* name : {"eyeriss_like", "simba_like", "tpu_like", "nvdla_like"}) {
    const Arch arch = arch_of(LOOPSCAPE_SOURCE_DIR "/arch_specs/" + std::string(name) + ".json");
    INFO(name);
    const Result<ActionCosts> costs = costs_in_spec(arch);
    REQUIRE(costs.ok());
    const Result<NetworkResult> found = map_network(*network, arch, *costs, conventions, request);
    REQUIRE(found.status().to_string() == "");
    CHECK(found->proved);
    REQUIRE(found->best);
    CHECK(found->lower_bound > 0);
  }
}
