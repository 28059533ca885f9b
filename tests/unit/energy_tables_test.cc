// Component tables: their format, interpolation, choice among them, what users add.
#include <cmath>
#include <string>

#include <catch2/catch.hpp>

#include "model/energy/energy.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;

namespace {

// An architecture with one buffer; `more` are keys of the buffer.
Result<Arch> arch_with(const std::string& more, const std::string& top = "\"technology_nm\": 45") {
  return parse_arch("{" + top + R"(, "clock_mhz": 500, "nodes": [
      {"memory": "DRAM", "energy_pj": {"read": 1, "write": 1}}, {"memory": "B", )" +
                    more + R"(}, {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
}

EnergyTables tables(const std::string& table = "") {
  UserTables more;
  if (!table.empty()) more.tables.push_back({"mine.json", table});
  Result<EnergyTables> all = EnergyTables::create(more);
  REQUIRE(all.status().to_string() == "");
  return *all;
}

Result<ResolvedCosts> resolve(const std::string& more, const std::string& top,
                              const EnergyTables& all) {
  const Result<Arch> arch = arch_with(more, top);
  REQUIRE(arch.status().to_string() == "");
  return resolve_costs(*arch, all);
}

ResolvedCosts priced(const std::string& more, const std::string& top = "\"technology_nm\": 45",
                     const EnergyTables& all = tables()) {
  Result<ResolvedCosts> resolved = resolve(more, top, all);
  REQUIRE(resolved.status().to_string() == "");
  return *resolved;
}

std::string refused(const std::string& more, const std::string& top = "\"technology_nm\": 45",
                    const EnergyTables& all = tables()) {
  return resolve(more, top, all).status().to_string();
}

const Provenance& origin(const ResolvedCosts& resolved) {
  return resolved.prices[1].actions[0].from;
}

// A table of a class of its own, with one action by depth and width.
std::string own_table(const std::string& name, double accuracy, const std::string& more = "") {
  return R"({"version": 1, "tables": [{"name": ")" + name + R"(", "class": "mine", "source": "me",
      "accuracy": )" +
         std::to_string(accuracy) + more + R"(,
      "attributes": [{"name": "size_bits"}, {"name": "width_bits"}],
      "axes": ["width_bits", "size_bits"], "columns": ["pj"],
      "rows": [[8, 100, 1], [8, 10000, 100], [32, 100, 4], [32, 1000, 40]],
      "actions": {"read": "pj", "write": "2*pj"}, "area_um2": 5}]})";
}

}  // namespace

TEST_CASE("a point of the CACTI grid is given as it stands", "[energy]") {
  const ResolvedCosts resolved = priced(R"("class": "sram", "size_bytes": 8192, "width_bits": 64)");
  CHECK(resolved.costs.memories[1].read_pj == Approx(6.137));
  CHECK(resolved.costs.memories[1].write_pj == Approx(7.8781));
  CHECK(resolved.costs.memories[1].update_pj == resolved.costs.memories[1].write_pj);
  CHECK(resolved.costs.memories[1].area_um2 == Approx(26267));
  CHECK(resolved.costs.memories[1].leakage_mw == Approx(0.00025679).epsilon(1e-3));
  CHECK(resolved.tables.rfind("built-in ", 0) == 0);
  CHECK_FALSE(origin(resolved).interpolated);
  CHECK_FALSE(origin(resolved).scaled);
  CHECK_THAT(origin(resolved).source, Catch::Contains("CACTI 7"));
}

TEST_CASE("between points numbers are interpolated in log space", "[energy]") {
  const EnergyTables mine = tables(own_table("own", 0.5));
  const auto read = [&](int size, int width) {
    return priced(R"("class": "mine", "size_bits": )" + std::to_string(size) +
                      R"(, "width_bits": )" + std::to_string(width),
                  "\"word_bits\": 16", mine)
        .costs.memories[1]
        .read_pj;
  };
  CHECK(read(100, 8) == 1);
  CHECK(read(1000, 8) == Approx(10));
  CHECK(read(1000, 16) == Approx(20));
  CHECK(read(500, 32) == Approx(20));
}

TEST_CASE("outside the hull is an error that names the nearest legal value", "[energy]") {
  const EnergyTables mine = tables(own_table("own", 0.5));
  const std::string place = R"("class": "mine", "width_bits": 32, "size_bits": 2000)";
  CHECK_THAT(refused(place, "\"word_bits\": 16", mine),
             Catch::Contains("size_bits 2000 is outside the table, 100 to 1000 at width_bits 32 "
                             "(nearest: 1000)") &&
                 Catch::StartsWith("/nodes/1/energy_pj: 'B' has no energy for 'read'"));
  const ResolvedCosts beyond =
      priced(place + R"(, "extrapolate": true)", "\"word_bits\": 16", mine);
  CHECK(beyond.costs.memories[1].read_pj == Approx(80));
  CHECK(origin(beyond).extrapolated);
  CHECK_THAT(
      refused(R"("class": "mine", "width_bits": 64, "size_bits": 200)", "\"word_bits\": 16", mine),
      Catch::Contains("width_bits 64 is outside the table, 8 to 32 (nearest: 32)"));
}

TEST_CASE("a component without data is an error with a reason", "[energy]") {
  const std::string memory = R"(, "size_kib": 8, "width_bits": 64)";
  CHECK_THAT(refused(R"("class": "sramm")" + memory), Catch::Contains("no table has the class "
                                                                      "'sramm' (did you mean "
                                                                      "'sram'?)"));
  CHECK_THAT(refused(R"("size_kib": 8)"), Catch::Contains("no \"class\" says what it is"));
  CHECK_THAT(refused(R"("class": "sram")" + memory, "\"word_bits\": 16"),
             Catch::Contains("'technology_nm' is not given"));
  CHECK_THAT(refused(R"("class": "sram")"), Catch::Contains("'size_bits' is not given"));
  CHECK_THAT(refused(R"("class": "sram", "ports": 2)" + memory),
             Catch::Contains("no source says what 'ports' = 2 changes"));
  CHECK_THAT(refused(R"("class": "dram")"),
             Catch::Contains("'type' is not given; there are") && Catch::Contains("lpddr4"));
  CHECK_THAT(refused(R"("class": "dram", "type": "lpddr9")"),
             Catch::Contains("no table has the type 'lpddr9'"));
  CHECK_THAT(refused(R"("class": "sram")" + memory, "\"technology_nm\": 2"),
             Catch::Contains("2 nm is outside the published scaling range, 3 to 130 nm"));
  CHECK_THAT(refused(R"("class": "sram")" + memory, "\"technology_nm\": 45, \"voltage\": 2"),
             Catch::Contains("the supply 2 V is outside"));
}

TEST_CASE("what is stated in place wins, number by number", "[energy]") {
  const std::string sram = R"("class": "sram", "size_kib": 8, "width_bits": 64)";
  const ResolvedCosts one = priced(sram + R"(, "energy_pj": {"read": 3}, "area_um2": 7)");
  CHECK(one.costs.memories[1].read_pj == 3);
  CHECK(one.costs.memories[1].write_pj == Approx(7.8781));
  CHECK(one.costs.memories[1].area_um2 == 7);
  CHECK(one.prices[1].actions[0].from.source == kTablesInSpec);
  CHECK(one.prices[1].actions[1].from.table == "sram_banked");
  // All energies in place may be in any unit: the tables' leakage would not go with them.
  const ResolvedCosts all = priced(sram + R"(, "energy_pj": {"read": 3, "write": 4})");
  CHECK(all.costs.memories[1].update_pj == 4);
  CHECK(all.costs.memories[1].leakage_mw == 0);
  CHECK(all.costs.memories[1].area_um2 == Approx(26267));
}

TEST_CASE("leakage by the tables needs a clock", "[energy]") {
  const Result<Arch> arch = parse_arch(R"({"technology_nm": 45, "nodes": [
      {"memory": "M", "class": "sram", "size_kib": 8, "width_bits": 64},
      {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
  REQUIRE(arch.ok());
  CHECK_THAT(resolve_costs(*arch, tables()).status().to_string(),
             Catch::Contains("give the architecture's 'clock_mhz'"));
}

TEST_CASE("the most accurate table answers, equals are a conflict", "[energy]") {
  const std::string place = R"("class": "mine", "width_bits": 8, "size_bits": 100)";
  const auto both = [&](double other) {
    UserTables more;
    more.tables = {{"a.json", own_table("a", 0.5)}, {"b.json", own_table("b", other)}};
    Result<EnergyTables> all = EnergyTables::create(more);
    REQUIRE(all.ok());
    return *all;
  };
  CHECK(origin(priced(place, "\"word_bits\": 16", both(0.6))).table == "b");
  CHECK(origin(priced(place, "\"word_bits\": 16", both(0.4))).table == "a");
  CHECK_THAT(refused(place, "\"word_bits\": 16", both(0.5)),
             Catch::Contains("the tables a and b both have the class 'mine' with accuracy 0.5"));
  UserTables twice;
  twice.tables = {{"a.json", own_table("a", 0.5)}, {"b.json", own_table("a", 0.6)}};
  CHECK_THAT(EnergyTables::create(twice).status().to_string(),
             Catch::Contains("b.json: the table 'a' stands in a.json already"));
}

TEST_CASE("a table of one's own overrides what comes with the program", "[energy]") {
  const EnergyTables mine = tables(R"({"tables": [{"name": "foundry", "class": "sram",
      "source": "foundry", "accuracy": 0.95, "attributes": [{"name": "size_bits"},
      {"name": "width_bits", "min": 64, "max": 64}], "actions": {"read": "size_bits/1000",
      "write": 2}}]})");
  const std::string sram = R"("class": "sram", "size_bytes": 8192, "width_bits": )";
  const ResolvedCosts hit = priced(sram + "64", "\"technology_nm\": 45", mine);
  CHECK(hit.costs.memories[1].read_pj == Approx(65.536));
  CHECK(hit.prices[1].properties.empty());  // it states no area
  CHECK(hit.tables != priced(sram + "64").tables);
  CHECK(origin(priced(sram + "32", "\"technology_nm\": 45", mine)).table == "sram_banked");
}

TEST_CASE("defects of a table are told at their place", "[energy]") {
  const auto error =
      [](const std::string& table) {
        UserTables more;
        more.tables = {{"t.json", R"({"tables": [{"name": "t", "class": "mine", "source": "me",
        "accuracy": 0.5, )" + table + "}]}"}};
        return EnergyTables::create(more).status().to_string();
      };
  const std::string kA = R"("attributes": [{"name": "a"}], )";
  CHECK(error(R"("actions": {"read": 1, "write": 1})") == "");
  CHECK_THAT(error(R"("actoins": {"read": 1})"),
             Catch::Contains("did you mean 'actions'?") && Catch::Contains("/tables/0/actoins"));
  CHECK_THAT(error(R"("comment": "")"), Catch::Contains("unknown key 'comment'"));
  CHECK_THAT(error(kA + R"("axes": ["a"], "columns": ["c"], "rows": [[1, 2], [1, 3]],
      "actions": {"read": "c"})"),
             Catch::Contains("two rows have one place: a 1"));
  CHECK_THAT(error(kA + R"("axes": ["a"], "columns": ["c"], "rows": [[0, 2]],
      "actions": {"read": "c"})"),
             Catch::Contains("places on the axis a are positive"));
  CHECK_THAT(
      error(kA + R"("axes": ["a"], "columns": ["c"], "rows": [[1]], "actions": {"read": "c"})"),
      Catch::Contains("/tables/0/rows/0"));
  CHECK_THAT(error(R"("scaling": "logic", "actions": {"read": 1})"),
             Catch::Contains("scaling starts at a node"));
  const auto besides = [&](const std::string& more) {
    return error(R"("actions": {"read": 1}, )" + more);
  };
  CHECK_THAT(error(R"("actions": {"read": "wdith_bits"}, "attributes": [{"name": "width_bits"}])"),
             Catch::StartsWith("t.json: /tables/0/actions/read") &&
                 Catch::Contains("(did you mean 'width_bits'?)"));
  CHECK_THAT(error(R"("actions": {"read": "2*"})"), Catch::Contains("found the end"));
  CHECK_THAT(besides(R"("scaling": "logic", "technology_nm": 45, "voltage": "volts")"),
             Catch::Contains("/tables/0/voltage") && Catch::Contains("unknown name 'volts'"));
  CHECK_THAT(besides(R"("attributes": [{"name": "a", "min": 5, "max": 1}])"),
             Catch::Contains("'min' 5 is above 'max' 1"));
  CHECK_THAT(besides(R"("attributes": [{"name": "a"}], "let": {"a": 1})"),
             Catch::Contains("the name 'a' is given twice"));
  CHECK_THAT(besides(R"("attributes": [{"name": "voltage"}])"),
             Catch::Contains("is known without being stated"));
  CHECK_THAT(besides(R"("let": {"technology_nm": 3})"),
             Catch::Contains("is known without being stated"));
  CHECK_THAT(besides(R"("attributes": [{"name": "a"}], "axes": ["a", "technology_nm"],
      "columns": ["c"], "rows": [[1, 1, 1]])"),
             Catch::Contains("'technology_nm' is the first axis"));
  CHECK_THAT(besides(R"("parts": [{"part": "p", "class": "register"}], "area_um2": "q_area_um2")"),
             Catch::Contains("unknown name 'q_area_um2'"));
  // What only a component shows.
  const EnergyTables less = tables(R"({"tables": [{"name": "t", "class": "mine", "source": "me",
      "accuracy": 0.5, "actions": {"read": 1, "write": 1}, "parts": [{"part": "p",
      "class": "register", "attributes": {"operand_bits": 8}, "count": -1}]}]})");
  CHECK_THAT(refused(R"("class": "mine")", "\"technology_nm\": 45", less),
             Catch::Contains("a count of less than 0"));
}

TEST_CASE("rules for scaling are replaced once, and hold water", "[energy]") {
  const auto rules = [](const std::string& nodes, const std::string& range = "3") {
    return R"({"scaling": {"source": "me", "nodes": )" + nodes + R"(,
      "supplies": [{"nm": 45, "voltage": 1}], "min_nm": )" +
           range + R"(, "max_nm": 130,
      "min_voltage": 0.6, "max_voltage": 1.3, "reference_voltage": 0.8,
      "energy_exponent_below": 0.5, "area_exponent_below": 1, "memory_floor_nm": 22,
      "memory_energy_exponent": 0.5, "memory_area_exponent": 1, "memory_leakage_step": 1}})";
  };
  const auto error = [](const std::vector<std::string>& files) {
    UserTables more;
    for (const std::string& text : files) {
      more.tables.push_back({std::string(1, static_cast<char>('a' + more.tables.size())), text});
    }
    return EnergyTables::create(more).status().to_string();
  };
  const std::string good = rules(R"([{"nm": 45, "area": 1, "a": 1, "b": 0, "c": 0}])");
  CHECK(error({good}) == "");
  CHECK_THAT(error({good, good}), Catch::Contains("rules for scaling stand in a already"));
  CHECK_THAT(error({rules(R"([{"nm": 45, "area": 1, "a": 1, "b": 0, "c": 0},
                              {"nm": 45, "area": 1, "a": 1, "b": 0, "c": 0}])")}),
             Catch::Contains("nodes stand by decreasing 'nm'"));
  CHECK_THAT(error({rules(R"([{"nm": 45, "area": 1, "a": 1, "b": -2, "c": 0.9}])")}),
             Catch::Contains("the energy is not positive at every supply"));
  CHECK_THAT(error({rules(R"([{"nm": 45, "area": 1, "a": 1, "b": 0, "c": 0}])", "200")}),
             Catch::Contains("'min_nm' is positive and not above 'max_nm'"));
}

TEST_CASE("a component of too many parts is refused in time", "[energy]") {
  std::string text = R"({"tables": [)";
  for (int depth = 0; depth < 7; ++depth) {
    const std::string next = "c" + std::to_string(depth + 1);
    std::string parts;
    for (int i = 0; i < 30; ++i) {
      parts += (i == 0 ? "" : ", ") + (R"({"part": "p)" + std::to_string(i)) + R"(", "class": ")" +
               next + "\"}";
    }
    text += R"({"name": "t)" + std::to_string(depth) + R"(", "class": "c)" + std::to_string(depth) +
            R"(", "source": "me", "accuracy": 0.5, "parts": [)" + parts +
            R"(], "actions": {"read": 1, "write": 1}}, )";
  }
  text += R"({"name": "end", "class": "c7", "source": "me", "accuracy": 0.5,
      "actions": {"read": 1}}]})";
  CHECK_THAT(refused(R"("class": "c0")", "\"word_bits\": 16", tables(text)),
             Catch::Contains("more than 10000 others"));
}

TEST_CASE("compounds are built from parts, with a recipe per action", "[energy]") {
  const EnergyTables mine = tables(R"({"tables": [{"name": "pair", "class": "pair",
      "source": "me", "accuracy": 0.5, "attributes": [{"name": "width_bits"}],
      "parts": [{"part": "add", "class": "int_adder", "attributes": {"operand_bits": "width_bits"},
                 "count": 2}],
      "actions": {"read": "add_compute", "write": "3*add_compute"}}]})");
  const ResolvedCosts pair =
      priced(R"("class": "pair", "width_bits": 32)", "\"technology_nm\": 45", mine);
  CHECK(pair.costs.memories[1].read_pj == Approx(0.1));
  CHECK(pair.costs.memories[1].write_pj == Approx(0.3));
  CHECK(pair.costs.memories[1].area_um2 == Approx(2 * 137));
  CHECK(origin(pair).parts == std::vector<std::string>{"add: horowitz_int_adder at 45 nm"});
  CHECK_THAT(origin(pair).source, Catch::StartsWith("me; Horowitz"));
  const EnergyTables loop = tables(R"({"tables": [{"name": "l", "class": "l", "source": "me",
      "accuracy": 0.5, "parts": [{"part": "p", "class": "l"}], "actions": {"read": 1}}]})");
  CHECK_THAT(refused(R"("class": "l")", "\"word_bits\": 16", loop),
             Catch::Contains("built from each other more than 8 deep"));
}

TEST_CASE("an external estimator is one more table", "[energy]") {
  std::string asked, answer;
  UserTables more;
  more.external_name = "test";
  more.external = [&](const std::string& request) -> Result<std::string> {
    if (asked.empty()) asked = request;
    if (answer.empty()) return Status(StatusCode::kInvalidInput, "the estimator failed");
    return answer;
  };
  const Result<EnergyTables> all = EnergyTables::create(more);
  REQUIRE(all.ok());
  const std::string sram = R"("class": "sram", "size_bytes": 8192, "width_bits": 64)";
  answer = R"({"supported": false})";
  CHECK(origin(priced(sram, "\"technology_nm\": 45", *all)).table == "sram_banked");
  CHECK_THAT(asked, Catch::Contains("\"class\": \"sram\"") &&
                        Catch::Contains("\"technology_nm\": 45") &&
                        Catch::Contains("\"size_bits\": 65536"));
  answer = R"({"supported": true, "accuracy": 0.99, "source": "lab", "actions": {"read": 2,
      "write": 3}})";
  CHECK(priced(sram, "\"technology_nm\": 45", *all).costs.memories[1].read_pj == 2);
  answer = R"({"supported": true, "accuracy": 0.9, "source": "lab", "actions": {"read": 2}})";
  CHECK_THAT(refused(sram, "\"technology_nm\": 45", *all),
             Catch::Contains("and the external estimator both have the class"));
  answer = R"({"supported": true, "accuracy": 2})";
  CHECK_THAT(refused(sram, "\"technology_nm\": 45", *all),
             Catch::StartsWith("the external estimator's answer: /accuracy"));
  // A compound whose part does not state an area has none either.
  answer = R"({"supported": true, "accuracy": 0.85, "source": "lab", "actions": {"transfer": 1}})";
  CHECK(priced(sram, "\"technology_nm\": 45", *all).costs.memories[1].area_um2 > 0);
  answer = "";
  CHECK_THAT(refused(sram, "\"technology_nm\": 45", *all), Catch::Contains("the estimator failed"));
}

TEST_CASE("prices by name win over tables", "[energy]") {
  UserTables more;
  NamedPrices named;
  named.node = "B";
  named.source = "ert.yaml";
  named.actions = {{"read", 5}, {"write", 6}, {"leak", 0.5}};
  named.area_um2 = 11;
  more.named = {named};
  const Result<EnergyTables> all = EnergyTables::create(more);
  REQUIRE(all.ok());
  const ResolvedCosts resolved = priced(R"("size_kib": 8)", "\"word_bits\": 16", *all);
  CHECK(resolved.costs.memories[1].read_pj == 5);
  CHECK(resolved.costs.memories[1].update_pj == 6);
  CHECK(resolved.costs.memories[1].leakage_mw == Approx(0.25));  // 0.5 pJ in 2 ns
  CHECK(resolved.costs.memories[1].area_um2 == 11);
  CHECK(origin(resolved).source == "ert.yaml");
}

TEST_CASE("wires price the hops of networks that state a length", "[energy]") {
  const Result<Arch> arch = parse_arch(R"({"technology_nm": 45, "clock_mhz": 100, "nodes": [
      {"memory": "M", "energy_pj": {"read": 1, "write": 1}},
      {"fanout": "F", "axes": {"x": 4}, "network": {"class": "bus", "hop_mm": 2}},
      {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
  REQUIRE(arch.ok());
  const Result<ResolvedCosts> resolved = resolve_costs(*arch, tables());
  REQUIRE(resolved.status().to_string() == "");
  const Network& network = resolved->arch.fanouts[0].networks[0];
  // C V^2, one in four bits, repeaters: 0.338 pF/mm at 45 nm, 0.9 V.
  CHECK(network.energy_pj_per_bit_hop == Approx(2 * 0.25 * 0.81 * 2.07 * 0.3357).epsilon(0.01));
  CHECK(network.energy_from_tables);
  CHECK(arch_to_json(resolved->arch) == arch_to_json(*arch));
}

TEST_CASE("stored prices give the same costs again", "[energy]") {
  const ResolvedCosts resolved = priced(R"("class": "sram", "size_kib": 8, "width_bits": 64)");
  const Result<std::vector<ComponentPrices>> read = parse_prices(prices_to_json(resolved.prices));
  REQUIRE(read.status().to_string() == "");
  CHECK(*read == resolved.prices);
  const Result<ResolvedCosts> again = costs_of_prices(resolved.arch, *read, resolved.tables);
  REQUIRE(again.status().to_string() == "");
  CHECK(again->costs.memories[1].read_pj == resolved.costs.memories[1].read_pj);
  CHECK(again->costs.memories[1].leakage_mw == resolved.costs.memories[1].leakage_mw);
  CHECK(again->costs.compute.operation_pj == 1);
  std::vector<ComponentPrices> fewer = *read;
  fewer.pop_back();
  CHECK_FALSE(costs_of_prices(resolved.arch, fewer, "").ok());
}
