// The machines of arch_specs/: each can be read, says where its numbers come from, has prices, and
// a small network is mapped on it, proved.
#include <algorithm>
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

std::vector<std::filesystem::path> specs() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(LOOPSCAPE_SOURCE_DIR "/arch_specs")) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Arch arch_of(const std::filesystem::path& path) {
  const Result<Arch> arch = parse_arch(text_of(path));
  INFO(path << ": " << arch.status().to_string());
  REQUIRE(arch.ok());
  return *arch;
}

}  // namespace

TEST_CASE("every machine can be read, has prices and says where they come from", "[network]") {
  const std::vector<std::filesystem::path> paths = specs();
  REQUIRE(paths.size() >= 5);
  for (const std::filesystem::path& path : paths) {
    const Arch arch = arch_of(path);
    INFO(path);
    CHECK(arch.name == path.stem().string());
    CHECK_FALSE(arch.comment.empty());
    CHECK(costs_in_spec(arch).status().to_string() == "");
  }
}

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

TEST_CASE("machines have the published sizes", "[network]") {
  const std::string folder = LOOPSCAPE_SOURCE_DIR "/arch_specs/";
  const auto lanes = [](const Arch& arch) {
    std::int64_t all = 1;
    for (const Fanout& fanout : arch.fanouts) all *= fanout.children();
    return all;
  };
  const auto bytes = [](const Arch& arch, const char* memory) {
    return *arch.memories[index(*arch.find_memory(memory))].size_bits / 8;
  };
  const Arch eyeriss = arch_of(folder + "eyeriss_like.json");
  CHECK(lanes(eyeriss) == 168);
  CHECK(bytes(eyeriss, "GlobalBuffer") == 25 * 512 * 8);  // banks of 512 words of 64 bits
  CHECK(168 * (bytes(eyeriss, "InputSpad") + bytes(eyeriss, "WeightSpad") +
               bytes(eyeriss, "PsumSpad")) ==
        168 * 520);
  const Arch simba = arch_of(folder + "simba_like.json");
  CHECK(lanes(simba) == 1024);
  CHECK(bytes(simba, "GlobalBuffer") == 64 << 10);
  CHECK(8 * bytes(simba, "WeightBuffer") == 32 << 10);
  const Arch tpu = arch_of(folder + "tpu_like.json");
  CHECK(lanes(tpu) == 65536);
  CHECK(bytes(tpu, "UnifiedBuffer") == 24 << 20);
  CHECK(bytes(tpu, "WeightFifo") == 4 * 65536);
  CHECK(bytes(tpu, "Accumulators") == 4096 * 256);  // one byte stands for an accumulator
  const Arch nvdla = arch_of(folder + "nvdla_like.json");
  CHECK(lanes(nvdla) == 2048);
  CHECK(bytes(nvdla, "ConvBuffer") == 512 << 10);
}
