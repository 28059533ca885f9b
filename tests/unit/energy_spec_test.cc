// Costs that a spec states in place.
#include <string>

#include <catch2/catch.hpp>

#include "model/energy/energy.h"

using namespace loopscape;

namespace {

Arch arch(const std::string& buffer, const std::string& compute) {
  const Result<Arch> result = parse_arch(
      R"({"clock_mhz": 100, "nodes": [
          {"memory": "DRAM", "energy_pj": {"read": 200, "write": 100, "update": 150}},
          {"fanout": "PEs", "axes": {"x": 4}},
          {"memory": "Buffer")" +
      buffer + R"(}, {"compute": "MAC")" + compute + "}]}");
  REQUIRE(result.status().to_string() == "");
  return *result;
}

}  // namespace

TEST_CASE("costs in the spec are taken as they stand", "[energy]") {
  const Result<ActionCosts> costs = costs_in_spec(
      arch(R"(, "energy_pj": {"read": 6, "write": 7}, "leakage_mw": 0.5, "area_um2": 90)",
           R"(, "energy_pj": {"compute": 1.5}, "leakage_mw": 0.25, "area_um2": 10)"));
  REQUIRE(costs.ok());
  CHECK(costs->memories[0].read_pj == 200);
  CHECK(costs->memories[0].write_pj == 100);
  CHECK(costs->memories[0].update_pj == 150);
  CHECK(costs->memories[0].leakage_mw == 0);
  CHECK(costs->memories[0].area_um2 == 0);
  CHECK(costs->memories[1].read_pj == 6);
  CHECK(costs->memories[1].update_pj == 7);  // not stated: as a write
  CHECK(costs->memories[1].leakage_mw == 0.5);
  CHECK(costs->memories[1].area_um2 == 90);
  CHECK(costs->compute.operation_pj == 1.5);
  CHECK(costs->compute.leakage_mw == 0.25);
  CHECK(costs->compute.area_um2 == 10);
}

TEST_CASE("an action that nobody prices is named with its key", "[energy]") {
  const std::string priced = R"(, "energy_pj": {"compute": 1})";
  const std::string buffer = R"(, "energy_pj": {"read": 1, "write": 1})";
  const auto message = [](const Arch& a) { return costs_in_spec(a).status().to_string(); };
  CHECK(message(arch(buffer, priced)).empty());
  CHECK(message(arch("", priced)) ==
        "/nodes/2/energy_pj: 'Buffer' has no energy for 'read' (reads and drains); write "
        "\"energy_pj\": {\"read\": ...}");
  CHECK_THAT(message(arch(R"(, "energy_pj": {"read": 1, "update": 1})", priced)),
             Catch::StartsWith("/nodes/2/energy_pj: 'Buffer' has no energy for 'write'"));
  CHECK_THAT(message(arch(R"(, "energy_pj": {"write": 1})", priced)),
             Catch::Contains("no energy for 'read'"));
  CHECK_THAT(message(arch(buffer, "")),
             Catch::StartsWith("/nodes/3/energy_pj: 'MAC' has no energy for 'compute'"));
  CHECK(costs_in_spec(arch("", priced)).status().code() == StatusCode::kInvalidInput);
}
