// Actions besides those that are charged, ports, power gating, prices by name, and where the parts
// of a component come from.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"

using namespace loopscape;

namespace {

EnergyTables with(const UserTables& more) {
  Result<EnergyTables> all = EnergyTables::create(more);
  REQUIRE(all.status().to_string() == "");
  return *all;
}

Result<ResolvedCosts> resolve(const std::string& buffer, const std::string& compute,
                              const EnergyTables& tables = with({}),
                              const std::string& top = R"("technology_nm": 45)",
                              const std::string& network = R"("class": "bus", "hop_mm": 1)") {
  const Result<Arch> arch = parse_arch("{" + top + R"(, "clock_mhz": 500, "nodes": [
      {"memory": "DRAM", "energy_pj": {"read": 1, "write": 1}},
      {"fanout": "PEs", "axes": {"x": 4}, "network": {)" +
                                       network + R"(}},
      {"memory": "B", )" + buffer + R"(}, {"compute": "MAC", )" +
                                       compute + "}]}");
  REQUIRE(arch.status().to_string() == "");
  REQUIRE(arch_to_json(*parse_arch(arch_to_json(*arch))) == arch_to_json(*arch));
  return resolve_costs(*arch, tables);
}

const PricedNumber* action(const ComponentPrices& its, const std::string& name) {
  for (const PricedNumber& number : its.actions) {
    if (number.name == name) return &number;
  }
  return nullptr;
}

constexpr const char* kSram = R"("class": "sram", "size_kib": 8, "width_bits": 64)";
constexpr const char* kMac = R"("class": "int_mac", "bits": 8)";

}  // namespace

TEST_CASE("data-dependent actions are told apart", "[energy]") {
  const Result<ResolvedCosts> resolved = resolve(kSram, kMac);
  REQUIRE(resolved.ok());
  const ComponentPrices &memory = resolved->prices[2], &mac = resolved->prices[3];
  for (const char* access : {"read", "write"}) {
    const double random = action(memory, access)->value;
    const auto share = [&](const char* what) {
      return action(memory, access + std::string(what))->value / random;
    };
    CHECK(share("_same_address") == Approx(0.7));
    CHECK(share("_same_data") == Approx(0.3));
    CHECK(share("_same_address_data") == 0);
  }
  CHECK(action(memory, "gated")->value == 0);
  CHECK(action(memory, "skipped")->value == 0);
  CHECK(action(mac, "compute_reused")->value < action(mac, "compute")->value);
  CHECK(action(mac, "compute_reused")->value > 0.8 * action(mac, "compute")->value);
  CHECK(action(mac, "idle")->value == 0);
}

TEST_CASE("any action may be stated in place", "[energy]") {
  const Result<ResolvedCosts> resolved =
      resolve(kSram + std::string(R"(, "energy_pj": {"gated": 0.25, "read_same_data": 1.5})"),
              R"("energy_pj": {"compute": 2, "gated": 0.1, "skipped": 0.01, "idle": 0.5})");
  REQUIRE(resolved.status().to_string() == "");
  const ComponentPrices &memory = resolved->prices[2], &mac = resolved->prices[3];
  CHECK(action(memory, "gated")->value == 0.25);
  CHECK(action(memory, "gated")->from.source == kTablesInSpec);
  CHECK(action(memory, "read_same_data")->value == 1.5);
  CHECK(action(memory, "read")->from.table == "sram_banked");
  CHECK(action(mac, "gated")->value == 0.1);
  CHECK(action(mac, "skipped")->value == 0.01);
  CHECK(action(mac, "idle")->value == 0.5);
  const auto misspelt = parse_arch(R"({"nodes": [{"memory": "M", "energy_pj": {"read": 1,
      "write": 1, "gatd": 0}}, {"compute": "C", "energy_pj": {"compute": 1}}]})");
  CHECK_THAT(misspelt.status().to_string(), Catch::Contains("did you mean 'gated'?"));
}

TEST_CASE("unused instances leak unless they are power-gated", "[energy]") {
  const auto leakage = [](const char* gated) {
    const Result<ResolvedCosts> resolved =
        resolve(kSram + std::string(R"(, "power_gated": )") + gated,
                kMac + std::string(R"(, "power_gated": )") + gated);
    REQUIRE(resolved.ok());
    const Result<Problem> problem = parse_problem(R"({"op": "gemm", "m": 4, "n": 3, "k": 8})");
    const Result<Evaluator> evaluator =
        Evaluator::create(*problem, resolved->arch, Conventions::physical(), resolved->costs);
    REQUIRE(evaluator.status().to_string() == "");
    const Result<Mapping> mapping = parse_mapping(R"({"nest": [
        {"store": "DRAM", "tensors": ["I", "W", "O"]}, {"spatial": "n", "bound": 3, "axis": "x"},
        {"store": "B", "tensors": ["I", "W", "O"]}, {"for": "m", "bound": 4},
        {"for": "k", "bound": 8}]})",
                                                  *problem, resolved->arch);
    REQUIRE(mapping.status().to_string() == "");
    const Result<Breakdown> breakdown = evaluator->explain(*mapping);
    REQUIRE(breakdown.status().to_string() == "");
    return std::pair(breakdown->memories[1].leakage_pj, breakdown->compute.leakage_pj);
  };
  const auto all = leakage("false"), used = leakage("true");
  CHECK(used.first == Approx(0.75 * all.first));
  CHECK(used.second == Approx(0.75 * all.second));
  CHECK(used.first > 0);
}

TEST_CASE("ports that no source prices are an error", "[energy]") {
  const auto refused = [](const std::string& more) {
    return resolve(kSram + (", " + more), kMac).status().to_string();
  };
  for (const char* more : {R"("ports": 2)", R"("read_ports": 2)", R"("write_ports": 2)"}) {
    CHECK_THAT(refused(more), Catch::Contains("no source says what") &&
                                  Catch::Contains("= 2 changes") &&
                                  Catch::Contains("or write \"energy_pj\""));
  }
  CHECK_THAT(refused(R"("read_ports": 1, "write_ports": 1)"),
             Catch::Contains("'read_ports' = 1 beside the other port"));
  CHECK(refused(R"("ports": 1)") == "");
  // A file of registers is read and written at once.
  const std::string registers = R"("class": "regfile", "words": 16, "width_bits": 16, )";
  CHECK(resolve(registers + R"("read_ports": 1, "write_ports": 1)", kMac).ok());
  CHECK_FALSE(resolve(registers + R"("read_ports": 2, "write_ports": 1)", kMac).ok());
}

// CACTI's banks are single-bank arrays and wires between them (checks.json holds them to CACTI).
TEST_CASE("banks are arrays plus wires", "[energy]") {
  const auto price = [](const std::string& keys) {
    const Result<ResolvedCosts> resolved = resolve(R"("class": "scratchpad", )" + keys, kMac);
    REQUIRE(resolved.status().to_string() == "");
    return resolved->costs.memories[1];
  };
  const MemoryCosts one = price(R"("size_kib": 8, "width_bits": 64)");
  const MemoryCosts four = price(R"("size_kib": 32, "width_bits": 64, "banks": 4)");
  CHECK(four.area_um2 == Approx(4 * one.area_um2));
  CHECK(four.leakage_mw == Approx(4 * one.leakage_mw));
  const double wires = four.read_pj - one.read_pj;
  CHECK(wires > 0);
  CHECK(four.write_pj - one.write_pj == Approx(wires));
  // 0.663 pJ per bit and mm at 45 nm, over the side that three more arrays add.
  CHECK(wires == Approx(64 * 0.663 * std::sqrt(one.area_um2) / 1000));
}

// Registers and latches price compute by the width of what they hold, memories by their size.
TEST_CASE("a memory may be registers or latches", "[energy]") {
  const auto price = [](const std::string& keys) {
    const Result<ResolvedCosts> resolved = resolve(keys, kMac);
    REQUIRE(resolved.status().to_string() == "");
    return resolved->costs.memories[1];
  };
  const MemoryCosts one = price(R"("class": "register", "words": 1, "width_bits": 16)");
  CHECK(one.read_pj == 0);  // nothing is selected
  CHECK(one.write_pj > 0);
  const MemoryCosts four = price(R"("class": "register", "words": 4, "width_bits": 16)");
  CHECK(four.read_pj > 0);
  CHECK(four.write_pj == Approx(one.write_pj + four.read_pj));
  CHECK(four.leakage_mw == Approx(4 * one.leakage_mw));
  const MemoryCosts latches = price(R"("class": "latch", "words": 4, "width_bits": 16)");
  CHECK(latches.write_pj > 0);
  CHECK(latches.write_pj < four.write_pj);
}

TEST_CASE("every part of a component tells its table and node", "[energy]") {
  const Result<ResolvedCosts> resolved =
      resolve(R"("class": "regfile", "words": 16, "width_bits": 16)", kMac);
  REQUIRE(resolved.ok());
  const Provenance& file = resolved->prices[2].actions[0].from;
  CHECK(file.parts == std::vector<std::string>{
                          "file: register_file", "file.flop: aladdin_register at 40 nm, scaled",
                          "file.select: register_select at 65 nm, scaled",
                          "file.compare: aladdin_comparator at 40 nm, scaled"});
  CHECK_FALSE(file.node_nm);  // there are two
  const Provenance& mac = resolved->prices[3].actions[0].from;
  CHECK(mac.node_nm == 45);
  CHECK(mac.parts[0] == "product: horowitz_int_multiplier at 45 nm");
  for (const ComponentPrices& its : resolved->prices) {
    for (const auto* numbers : {&its.actions, &its.properties}) {
      for (const PricedNumber& number : *numbers) {
        INFO(its.node << " " << number.name);
        CHECK_FALSE(number.from.source.empty());
        CHECK_FALSE(number.from.method.empty());
        CHECK((number.from.source == kTablesInSpec || number.from.node_nm ||
               number.from.parts.size() > 1));
      }
    }
  }
}

TEST_CASE("nodes and supplies outside the range are extrapolated on request alone", "[energy]") {
  const auto price = [](const std::string& top, bool extrapolate) {
    const std::string more = std::string(R"(, "extrapolate": )") + (extrapolate ? "true" : "false");
    return resolve(kSram + more, R"("energy_pj": {"compute": 1})", with({}), top,
                   R"("class": "free")");
  };
  CHECK_THAT(price(R"("technology_nm": 2)", false).status().to_string(),
             Catch::Contains("(nearest: 3 nm)"));
  CHECK_THAT(price(R"("technology_nm": 180)", false).status().to_string(),
             Catch::Contains("(nearest: 130 nm)"));
  CHECK_THAT(price(R"("technology_nm": 45, "voltage": 0.5)", false).status().to_string(),
             Catch::Contains("(nearest: 0.6 V)"));
  const auto read = [&](const std::string& top, bool extrapolate) {
    const Result<ResolvedCosts> resolved = price(top, extrapolate);
    REQUIRE(resolved.status().to_string() == "");
    for (const PricedNumber& number : resolved->prices[1].properties) {
      CHECK(number.from.extrapolated == extrapolate);
    }
    CHECK(resolved->prices[1].actions[0].from.extrapolated == extrapolate);
    return resolved->costs.memories[1].read_pj;
  };
  const std::string low = R"("technology_nm": 45, "voltage": )";
  CHECK(read(R"("technology_nm": 2)", true) ==
        Approx(read(R"("technology_nm": 3)", false) * std::sqrt(2.0 / 3)));
  CHECK(read(R"("technology_nm": 180)", true) ==
        Approx(read(R"("technology_nm": 130)", false) * std::sqrt(180.0 / 130)));
  CHECK(read(low + "0.3", true) == Approx(read(low + "0.6", false) / 4));
}

TEST_CASE("prices by name reach networks, and those that nobody takes are told", "[energy]") {
  NamedPrices network, memory, nobody;
  network.node = "PEs";
  network.actions = {{"bit_hop", 0.75}};
  memory.node = "B";
  memory.actions = {{"read", 5}, {"write", 6}, {"gated", 0.5}};
  nobody.node = "Bufer";
  nobody.actions = {{"read", 1}};
  for (NamedPrices* named : {&network, &memory, &nobody}) named->source = "ert.yaml";
  const auto priced = [](const std::vector<NamedPrices>& named) {
    UserTables more;
    more.named = named;
    return resolve(kSram, kMac, with(more));
  };
  const Result<ResolvedCosts> all = priced({network, memory, nobody});
  REQUIRE(all.status().to_string() == "");
  CHECK(all->arch.fanouts[0].networks[0].energy_pj_per_bit_hop == 0.75);
  CHECK(all->prices[1].actions[0].from.source == "ert.yaml");
  CHECK(all->costs.memories[1].read_pj == 5);
  CHECK(action(all->prices[2], "gated")->value == 0.5);
  CHECK(all->unused == std::vector<std::string>{"Bufer of ert.yaml"});
  CHECK(priced({memory})->unused.empty());
  CHECK_THAT(priced({nobody}).status().to_string(),
             Catch::StartsWith("ert.yaml") && Catch::Contains("no node of the architecture"));
  network.actions = {{"transfer", 1}};
  CHECK_THAT(priced({network}).status().to_string(), Catch::Contains("has no action 'bit_hop'"));
}

TEST_CASE("a failing estimator is told even where only an area is wanted", "[energy]") {
  UserTables more;
  more.external_name = "test";
  more.external = [](const std::string&) -> Result<std::string> {
    return Status(StatusCode::kInvalidInput, "the estimator failed");
  };
  const Result<ResolvedCosts> resolved =
      resolve(R"("class": "mine", "energy_pj": {"read": 1, "write": 1})",
              R"("energy_pj": {"compute": 1})", with(more));
  CHECK_THAT(resolved.status().to_string(), Catch::Contains("the estimator failed"));
}
