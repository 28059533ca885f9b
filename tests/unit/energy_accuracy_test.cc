// How good the tables that come with the library are, and which laws they keep.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "model/energy/estimate.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;

namespace {

const EnergyTables& built_in() {
  static const EnergyTables tables = [] {
    Result<EnergyTables> all = EnergyTables::built_in();
    if (!all.ok()) FAIL(all.status().to_string());
    return *all;
  }();
  return tables;
}

// A memory at a node, its costs; nothing if the tables do not have it.
std::optional<MemoryCosts> memory(const std::string& keys, double nm) {
  const Result<Arch> arch = parse_arch("{\"technology_nm\": " + number_text(nm) +
                                       R"(, "clock_mhz": 100, "nodes": [{"memory": "M", )" + keys +
                                       R"(}, {"compute": "C", "energy_pj": {"compute": 1}}]})");
  REQUIRE(arch.status().to_string() == "");
  const Result<ResolvedCosts> resolved = resolve_costs(*arch, built_in());
  if (!resolved.ok()) return std::nullopt;
  return resolved->costs.memories[0];
}

std::optional<ComputeCosts> compute(const std::string& keys, double nm) {
  const Result<Arch> arch =
      parse_arch("{\"technology_nm\": " + number_text(nm) + R"(, "clock_mhz": 100, "nodes": [
      {"memory": "M", "energy_pj": {"read": 1, "write": 1}}, {"compute": "C", )" +
                 keys + "}]}");
  REQUIRE(arch.status().to_string() == "");
  const Result<ResolvedCosts> resolved = resolve_costs(*arch, built_in());
  if (!resolved.ok()) return std::nullopt;
  return resolved->costs.compute;
}

std::string sram(double words, int width) {
  return R"("class": "sram", "size_bits": )" + number_text(words * width) + R"(, "width_bits": )" +
         std::to_string(width);
}

const std::vector<double> kNodes = {130, 110, 90, 65, 55, 45, 40, 32, 28,
                                    22,  16,  14, 12, 10, 7,  5,  3};

}  // namespace

TEST_CASE("CACTI's points are predicted from each other", "[energy]") {
  std::map<std::string, LeaveOneOut> found;
  for (const LeaveOneOut& its : leave_one_out(built_in())) {
    if (its.table == "cacti7_sram") found[its.column] = its;
  }
  for (const char* column : {"read_pj", "write_pj"}) {
    INFO(column);
    REQUIRE(found[column].points > 300);
    CHECK(found[column].median < 0.10);
    CHECK(found[column].p95 < 0.35);
  }
  CHECK(found["area"].median < 0.15);
}

TEST_CASE("published figures are met within their stated bands", "[energy]") {
  const std::vector<Residual> all = residuals(built_in());
  CHECK(all.size() > 150);
  for (const Residual& its : all) {
    INFO(its.check << ", " << its.place << ", " << its.number << ": published " << its.published
                   << ", estimated " << its.estimated << " " << its.failure);
    CHECK(its.accepted());
  }
}

TEST_CASE("a check can fail", "[energy]") {
  UserTables more;
  more.tables = {{"c.json", R"({"checks": [
      {"name": "far", "source": "nobody", "class": "int_adder", "within": 0.5,
       "columns": ["technology_nm", "operand_bits", "=compute"], "rows": [[45, 8, 0.06]]},
      {"name": "absent", "source": "nobody", "class": "no_such", "within": 0.5,
       "columns": ["=compute"], "rows": [[1]]}]})"}};
  const Result<EnergyTables> tables = EnergyTables::create(more);
  REQUIRE(tables.status().to_string() == "");
  std::size_t refused = 0;
  for (const Residual& its : residuals(*tables)) refused += its.accepted() ? 0 : 1;
  CHECK(refused == 2);
}

TEST_CASE("an SRAM grows with its size and shrinks with the node", "[energy]") {
  std::size_t compared = 0;
  for (const int width : {32, 64, 96, 128, 256, 512}) {
    for (const double nm : kNodes) {
      std::optional<MemoryCosts> last;
      for (double words = 128; words <= 65536; words = std::floor(words * 1.7)) {
        const std::optional<MemoryCosts> now = memory(sram(words, width), nm);
        INFO(width << " bits, " << words << " words, " << nm << " nm");
        REQUIRE(now);
        if (last) {
          ++compared;
          CHECK(now->read_pj >= last->read_pj);
          CHECK(now->write_pj >= last->write_pj);
          CHECK(now->leakage_mw >= last->leakage_mw);
          CHECK(now->area_um2 >= last->area_um2);
        }
        last = now;
      }
    }
  }
  CHECK(compared > 1000);
}

// The exceptions of the sources: registers are flip-flops, the arrays that follow them are smaller
// and leak less (energy_tables/README.md). Energy falls nowhere, and nothing falls elsewhere.
TEST_CASE("where area and leakage fall when a memory grows is known", "[energy]") {
  const std::vector<double> words = {1,   2,   5,   12,  24,  48,  63,  64,   65,   100,
                                     127, 128, 129, 200, 500, 512, 513, 1000, 5000, 65536};
  std::set<std::string> falls;
  for (const char* name : {"sram", "scratchpad", "fifo", "smart_buffer", "regfile", "edram"}) {
    for (const int width : {8, 16, 64, 100, 1024}) {
      for (const double nm : {45.0, 16.0}) {
        std::optional<MemoryCosts> last;
        double before = 0;
        for (const double now : words) {
          const std::string keys = R"("class": ")" + std::string(name) + R"(", "size_bits": )" +
                                   number_text(now * width) + R"(, "width_bits": )" +
                                   std::to_string(width);
          const std::optional<MemoryCosts> costs = memory(keys, nm);
          INFO(name << " of " << now << " words of " << width << " bits, " << nm << " nm");
          REQUIRE(costs);
          if (last) {
            CHECK(costs->read_pj >= last->read_pj);
            CHECK(costs->write_pj >= last->write_pj);
            const bool area = costs->area_um2 < last->area_um2;
            CHECK(area == (costs->leakage_mw < last->leakage_mw));
            if (area) {
              falls.insert(std::string(name) + (width <= 32 ? " narrow " : " wide ") +
                           number_text(before) + " to " + number_text(now));
            }
          }
          last = costs;
          before = now;
        }
      }
    }
  }
  std::set<std::string> known = {"regfile narrow 512 to 513", "regfile wide 512 to 513"};
  for (const char* name : {"sram", "scratchpad", "fifo", "smart_buffer"}) {
    known.insert(std::string(name) + " narrow 127 to 128");
    known.insert(std::string(name) + " wide 63 to 64");
  }
  CHECK(falls == known);
}

// A word of more than 512 bits lies in several arrays, each of them narrower than one of 512.
TEST_CASE("where energy falls when a word grows is known", "[energy]") {
  const std::vector<double> widths = {1,   4,   8,   16,  24,  31,  32,  33,  64,   96,   128, 129,
                                      200, 256, 300, 400, 511, 512, 513, 768, 1024, 1025, 1500};
  std::set<std::string> falls;
  for (const double words : {128.0, 1024.0, 65536.0}) {
    for (const double nm : {65.0, 45.0, 28.0, 16.0}) {
      std::optional<MemoryCosts> last;
      double before = 0;
      for (const double width : widths) {
        const std::optional<MemoryCosts> now = memory(sram(words, static_cast<int>(width)), nm);
        INFO(words << " words of " << width << " bits, " << nm << " nm");
        REQUIRE(now);
        if (last) {
          CHECK(now->leakage_mw >= last->leakage_mw);
          if (now->read_pj < last->read_pj || now->write_pj < last->write_pj ||
              now->area_um2 < last->area_um2) {
            falls.insert(number_text(before) + " to " + number_text(width));
          }
        }
        last = now;
        before = width;
      }
    }
  }
  CHECK(falls == std::set<std::string>{"512 to 513", "1024 to 1025"});
}

TEST_CASE("energy and area do not grow when the node shrinks", "[energy]") {
  const std::vector<std::string> memories = {
      sram(1024, 64),
      sram(200, 16),
      sram(12, 16),
      R"("class": "regfile", "words": 24)",
      R"("class": "edram", "size_kib": 64, "width_bits": 256)",
      R"("class": "fifo", "words": 16)",
      R"("class": "latch_file", "words": 16)"};
  for (const std::string& keys : memories) {
    std::optional<MemoryCosts> last;
    for (const double nm : kNodes) {
      const std::optional<MemoryCosts> now = memory(keys, nm);
      INFO(keys << ", " << nm << " nm");
      REQUIRE(now);
      if (last) {
        CHECK(now->read_pj <= last->read_pj);
        CHECK(now->write_pj <= last->write_pj);
        CHECK(now->area_um2 <= last->area_um2);
      }
      last = now;
    }
  }
  for (const char* keys : {R"("class": "int_mac", "bits": 8)", R"("class": "fp16_mac")",
                           R"("class": "systolic_cell", "bits": 8)"}) {
    std::optional<ComputeCosts> last;
    for (const double nm : kNodes) {
      const std::optional<ComputeCosts> now = compute(keys, nm);
      INFO(keys << ", " << nm << " nm");
      REQUIRE(now);
      if (last) {
        CHECK(now->operation_pj <= last->operation_pj);
        CHECK(now->area_um2 <= last->area_um2);
      }
      last = now;
    }
  }
}

// The exceptions of the source: the LSTP cells of CACTI leak more at smaller nodes.
TEST_CASE("where leakage grows when the node shrinks is known", "[energy]") {
  std::set<double> grows;
  const std::vector<double> nodes = {90, 65, 45, 32, 22};
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const double before = memory(sram(4096, 64), nodes[i - 1])->leakage_mw;
    if (memory(sram(4096, 64), nodes[i])->leakage_mw > before) grows.insert(nodes[i]);
  }
  CHECK(grows == std::set<double>{22, 32, 65});
}

TEST_CASE("wider operands cost more", "[energy]") {
  for (const char* name : {"int_mac", "int_adder", "int_multiplier"}) {
    double last = 0;
    for (int bits = 1; bits <= 32; ++bits) {
      const auto now = compute(
          R"("class": ")" + std::string(name) + R"(", "bits": )" + std::to_string(bits), 28);
      INFO(name << " of " << bits << " bits");
      REQUIRE(now);
      CHECK(now->operation_pj > last);
      last = now->operation_pj;
    }
  }
  double last = 0;
  for (const char* name : {"fp8_mac", "bf16_mac", "fp16_mac", "fp32_mac", "fp64_mac"}) {
    const auto now = compute(R"("class": ")" + std::string(name) + "\"", 28);
    REQUIRE(now);
    CHECK(now->operation_pj > last);
    last = now->operation_pj;
  }
}

TEST_CASE("a lower supply costs less", "[energy]") {
  const auto at = [](double voltage) {
    const Result<Arch> arch = parse_arch(R"({"technology_nm": 45, "clock_mhz": 100, "voltage": )" +
                                         number_text(voltage) + R"(, "nodes": [
        {"memory": "M", "class": "sram", "size_kib": 8, "width_bits": 64},
        {"compute": "C", "class": "int_mac", "bits": 8}]})");
    REQUIRE(arch.ok());
    const Result<ResolvedCosts> resolved = resolve_costs(*arch, built_in());
    REQUIRE(resolved.status().to_string() == "");
    return resolved->costs;
  };
  // Each table's own supply changes nothing: 1.1 V of the SRAM, 0.9 V of the adder.
  CHECK(at(1.1).memories[0].read_pj == Approx(memory(sram(1024, 64), 45)->read_pj));
  CHECK(at(0.9).compute.operation_pj ==
        Approx(compute(R"("class": "int_mac", "bits": 8)", 45)->operation_pj));
  CHECK(at(0.7).memories[0].read_pj < at(0.9).memories[0].read_pj);
  CHECK(at(0.7).compute.operation_pj < at(0.8).compute.operation_pj);
}

TEST_CASE("every DRAM type has a price", "[energy]") {
  for (const char* type : {"lpddr3", "lpddr4", "lpddr5", "ddr3", "ddr4", "gddr5", "gddr6", "hbm2",
                           "hbm2e", "hbm3", "hmc"}) {
    INFO(type);
    const auto costs =
        memory(R"("class": "dram", "width_bits": 64, "type": ")" + std::string(type) + "\"", 28);
    REQUIRE(costs);
    CHECK(costs->read_pj / 64 > 2);
    CHECK(costs->read_pj / 64 < 80);
  }
}

// Each by itself, whether or not another table would be asked first.
TEST_CASE("every table answers a component in its range", "[energy]") {
  const TableSet& set = built_in().set();
  CHECK(set.tables.size() > 80);
  for (const EnergyTable& table : set.tables) {
    EstimateRequest request;
    request.component = table.classes[0];
    if (!table.types.empty()) request.type = table.types[0];
    request.technology_nm = table.technology_nm.value_or(32);
    for (const TableAttribute& attribute : table.attributes) {
      if (!attribute.otherwise.empty()) continue;
      double value = attribute.name == "size_bits" ? 65536 : 32;
      if (attribute.name == "depth") value = 1024;
      if (attribute.name == "clock_ns") value = 1;
      if (attribute.least) value = std::max(value, *attribute.least);
      if (attribute.most) value = std::min(value, *attribute.most);
      request.numbers[attribute.name] = value;
      request.asked.insert(attribute.name);
    }
    static const std::set<std::string> kSmall = {"sram_small", "latch_file", "register_file",
                                                 "register_memory", "regfile"};
    if (kSmall.contains(table.name)) request.numbers["size_bits"] = 1024;
    const Result<Estimate> answer = estimate_from(set, table, request);
    INFO(table.name << ": " << answer.status().to_string());
    REQUIRE(answer.ok());
    CHECK_FALSE(answer->actions.empty());
    CHECK_FALSE(answer->from.source.empty());
    CHECK_FALSE(answer->from.method.empty());
    CHECK_FALSE(answer->from.extrapolated);
  }
}

TEST_CASE("the examples of the README work", "[energy]") {
  std::ifstream file(LOOPSCAPE_SOURCE_DIR "/energy_tables/README.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string readme = text.str();
  UserTables more;
  for (std::size_t at = 0; (at = readme.find("```json\n", at)) != std::string::npos;) {
    at += 8;
    std::string example = readme.substr(at, readme.find("```", at) - at);
    if (example.find("\"tables\"") == std::string::npos &&
        example.find("\"checks\"") == std::string::npos) {
      example = "{\"tables\": [" + example + "]}";
    }
    more.tables.push_back({"README example", example});
  }
  REQUIRE(more.tables.size() == 3);
  const Result<EnergyTables> tables = EnergyTables::create(more);
  REQUIRE(tables.status().to_string() == "");
  const Result<Arch> arch = parse_arch(R"({"technology_nm": 28, "clock_mhz": 500, "nodes": [
      {"memory": "M", "class": "sram", "size_kib": 16, "width_bits": 48},
      {"compute": "T", "class": "filter_tap", "attributes": {"taps": 9}}]})");
  REQUIRE(arch.status().to_string() == "");
  const Result<ResolvedCosts> resolved = resolve_costs(*arch, *tables);
  REQUIRE(resolved.status().to_string() == "");
  CHECK(resolved->prices[0].actions[0].from.table == "foundry_sram");
  CHECK(resolved->costs.compute.operation_pj > 0);
  for (const Residual& its : residuals(*tables)) CHECK(its.accepted());
}

TEST_CASE("the tables' files are what their schema says", "[energy]") {
  const SchemaCheck schema(tables_schema());
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(LOOPSCAPE_SOURCE_DIR "/energy_tables")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    INFO(entry.path().string());
    CHECK(schema.accepts(text.str()));
    ++files;
  }
  CHECK(files >= 10);
  CHECK_FALSE(schema.accepts(R"({"tables": [{"name": "t"}]})"));
}
