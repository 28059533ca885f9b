// The machines of arch_specs/: each can be read, says where its numbers come from, has a price for
// everything, has the published number of multiply-accumulators and the published storage, and a
// small layer is mapped on it. What is published stands in arch_specs.json, with its source.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "mapper/search/search.h"
#include "model/energy/energy.h"
#include "tests/validation/report.h"

using namespace loopscape;

namespace {

using Json = nlohmann::json;

const validation::Report kReport("machines");
const std::filesystem::path kSpecs = LOOPSCAPE_SOURCE_DIR "/arch_specs";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

const Json& published() {
  static const Json json =
      Json::parse(text_of(LOOPSCAPE_SOURCE_DIR "/tests/validation/arch_specs.json"));
  return json;
}

std::vector<std::string> specs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kSpecs)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Arch arch_of(const std::string& name, const std::map<std::string, double>& variables = {}) {
  const Result<Arch> arch = parse_arch(text_of(kSpecs / (name + ".json")), variables);
  INFO(name << ": " << arch.status().to_string());
  REQUIRE(arch.ok());
  return *arch;
}

ResolvedCosts costs_of(const Arch& arch) {
  static const Result<EnergyTables> tables = EnergyTables::built_in();
  REQUIRE(tables.ok());
  Result<ResolvedCosts> costs = resolve_costs(arch, *tables);
  INFO(arch.name << ": " << costs.status().to_string());
  REQUIRE(costs.ok());
  return std::move(*costs);
}

// Of a node: the children of all fan-outs above it.
std::int64_t instances_at(const Arch& arch, NodeKind kind, std::size_t id) {
  std::int64_t instances = 1;
  for (const ArchNode& node : arch.nodes) {
    if (node.kind == kind && node.id == id) break;
    if (node.kind == NodeKind::kFanout) instances *= arch.fanouts[node.id].children();
  }
  return instances;
}

// The kinds of layer that machines take; what is published names another than the convolution.
const std::map<std::string, std::string>& small_layers() {
  static const std::map<std::string, std::string> layers = {
      {"conv", R"({"op": "conv2d", "name": "conv", "k": 8, "c": 4, "h": 6, "w": 6,
                   "r": 3, "s": 3, "padding": 1})"},
      {"batch", R"({"op": "conv2d", "name": "batch", "n": 2, "k": 8, "c": 4, "h": 6, "w": 6,
                    "r": 3, "s": 3, "padding": 1})"},
      {"fc", R"({"op": "fc", "name": "fc", "n": 2, "k": 64, "c": 96})"}};
  return layers;
}

void check_mapping(const Arch& arch, const std::string& layer) {
  const Result<Problem> problem = parse_problem(small_layers().at(layer));
  REQUIRE(problem.ok());
  const ResolvedCosts costs = costs_of(arch);
  const auto evaluator = Evaluator::create(*problem, costs.arch, Conventions{}, costs.costs);
  INFO(evaluator.status().to_string());
  REQUIRE(evaluator.ok());
  MapspaceOptions options;
  options.factors = Factors::kPerfect;
  const auto space = Mapspace::create(*problem, costs.arch, options);
  INFO(space.status().to_string());
  REQUIRE(space.ok());
  SearchLimits limits;
  limits.max_work = 50'000;
  const SearchResult result = search_optimal(*space, *evaluator, Goal{}, limits);
  REQUIRE(result.best);
  const auto scratch = evaluator->make_scratch();
  const Cost cost = evaluator->evaluate(result.best->mapping, *scratch);
  REQUIRE(cost.ok());
  CHECK(cost.energy_pj == result.best->energy_pj);
  CHECK(cost.energy_pj > 0);
  CHECK(cost.cycles > 0);
}

}  // namespace

TEST_CASE("every machine says where its numbers come from and has a price for everything") {
  REQUIRE(specs().size() >= 5);
  for (const std::string& name : specs()) {
    INFO(name);
    const Arch arch = arch_of(name);
    CHECK(arch.name == name);
    CHECK(arch.comment.size() >= 40);
    CHECK(published()["machines"].contains(name));
    const bool stated = arch.comment.find("extrapolate") != std::string::npos;
    for (const ComponentPrices& component : costs_of(arch).prices) {
      for (const PricedNumber& number : component.actions) {
        INFO(component.node << " " << number.name);
        CHECK((stated || !number.from.extrapolated));
      }
    }
  }
}

TEST_CASE("machines have the published multiply-accumulators and storage") {
  for (const auto& [key, entry] : published()["machines"].items()) {
    INFO(key);
    CHECK_FALSE(entry["source"].get<std::string>().empty());
    const Arch arch = arch_of(entry.value("spec", key),
                              entry.value("variables", std::map<std::string, double>{}));
    const auto lanes = static_cast<double>(instances_at(arch, NodeKind::kCompute, 0));
    CHECK(lanes / arch.compute.interval_cycles == entry["macs_per_cycle"].get<double>());
    if (entry.contains("clock_mhz")) CHECK(arch.clock_mhz == entry["clock_mhz"].get<double>());
    for (const auto& [memory, bytes] : entry["bytes"].items()) {
      INFO(memory);
      const std::optional<MemoryId> id = arch.find_memory(memory);
      REQUIRE(id);
      const Memory& found = arch.memories[index(*id)];
      REQUIRE(found.size_bits);
      const std::int64_t instances = instances_at(arch, NodeKind::kMemory, index(*id));
      CHECK(static_cast<std::int64_t>(*found.size_bits) * instances ==
            8 * bytes.get<std::int64_t>());
    }
    const Json rates = entry.value("gb_per_s", Json::object());
    for (const auto& [memory, gb_per_s] : rates.items()) {
      INFO(memory);
      const std::optional<MemoryId> id = arch.find_memory(memory);
      REQUIRE(id);
      const Memory& found = arch.memories[index(*id)];
      const double bits = found.bandwidth_bits.value_or(found.read_bits.value_or(0));
      CHECK(bits * *arch.clock_mhz / 8e3 == Approx(gb_per_s.get<double>()));
    }
  }
  kReport.table(
      {"multiply-accumulates a cycle, clock, bytes and bandwidth of memories as published",
       std::to_string(published()["machines"].size()) + " machines and settings", "the same", "0",
       "the papers, `arch_specs.json`"});
}

TEST_CASE("peaks of machines are as published") {
  for (const auto& [key, entry] : published()["machines"].items()) {
    if (!entry.contains("peak_gops")) continue;
    const double macs = entry["macs_per_cycle"].get<double>();
    kReport.row({"`" + key + "`: peak GOPS", entry["peak_gops"].get<double>(),
                 2e-3 * macs * entry["clock_mhz"].get<double>(), entry.value("within", 0.005),
                 entry["source"].get<std::string>(), entry.value("reason", "")});
  }
}

TEST_CASE("a small layer is mapped on every machine") {
  for (const std::string& name : specs()) {
    INFO(name);
    const Json entry = published()["machines"].value(name, Json::object());
    check_mapping(arch_of(name), entry.value("layer", "conv"));
  }
}
