// A small network is mapped on machines of arch_specs/, proved. What else holds of every machine is
// in tests/validation/arch_specs_test.cc.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "mapper/network/network.h"
#include "model/energy/energy.h"

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

ActionCosts costs_of(const Arch& arch) {
  static const Result<EnergyTables> tables = EnergyTables::built_in();
  REQUIRE(tables.ok());
  const Result<ResolvedCosts> resolved = resolve_costs(arch, *tables);
  INFO(arch.name << ": " << resolved.status().to_string());
  REQUIRE(resolved.ok());
  return resolved->costs;
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

// nvdla_small adds up in 34 bits and hands on 8, and says so; a problem that says so is the same.
TEST_CASE("widths by role are those of tensors that state none", "[network]") {
  const Arch own = arch_of(LOOPSCAPE_SOURCE_DIR "/arch_specs/nvdla_small.json");
  Arch plain = own;
  plain.role_bits = {};
  const auto cost = [&](const Arch& arch, const std::string& tensors) {
    const Result<Problem> conv = parse_problem(
        R"({"op": "conv2d", "k": 16, "c": 8, "p": 8, "q": 8, "r": 3, "s": 3)" + tensors + "}");
    REQUIRE(conv.status().to_string() == "");
    const Result<Mapping> mapping = parse_mapping_text(
        "DRAM: I W O\nCBUF: I W\nfor k in 2\nfor p in 4\nparallel k in 8 on Kernels.k\nCACC: O\n"
        "for r in 3\nfor s in 3\nparallel c in 8 on Channels.c\nWeights: W\nfor p in 2\nfor q in "
        "8\n",
        *conv, arch);
    REQUIRE(mapping.status().to_string() == "");
    const Result<Evaluator> evaluator = Evaluator::create(*conv, arch, {}, costs_of(own));
    REQUIRE(evaluator.ok());
    const Result<Breakdown> breakdown = evaluator->explain(*mapping);
    REQUIRE(breakdown.status().to_string() == "");
    return *breakdown;
  };
  const std::string stated = R"(, "tensors": {"O": {"bits": 34, "final_bits": 8}})";
  const Breakdown by_role = cost(own, ""), by_problem = cost(plain, stated);
  CHECK(by_role.energy_pj == by_problem.energy_pj);
  CHECK(by_role.cycles == by_problem.cycles);
  CHECK(by_role.memories[2].occupied_bits == 16 * 34);
  CHECK(cost(own, stated).energy_pj == by_role.energy_pj);
  // A problem that states bits means them for the last visit as well.
  const Breakdown wide = cost(own, R"(, "tensors": {"O": {"bits": 16}})");
  CHECK(wide.memories[2].occupied_bits == 16 * 16);
  CHECK(wide.memories[0].tensors[0].accesses.updates >
        by_role.memories[0].tensors[0].accesses.updates);
  CHECK(cost(plain, "").memories[2].occupied_bits == 16 * 8);
}
