// The dataflow study of ISCA 2016: six machines of equal storage area, AlexNet in batches of 16.
// eyeriss_isca16.json holds the reference and the optimal mappings; the long test finds them anew.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "mapper/search/search.h"
#include "model/energy/energy.h"
#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("eyeriss_isca16");
constexpr const char* kPaper = "ISCA'16";
constexpr const char* kProgram = "the authors' cost program";
const std::vector<std::string> kFlows = {"rs", "ws", "osa", "osb", "osc", "nlr"};
const std::vector<std::string> kConv = {"conv1", "conv2", "conv3", "conv4", "conv5"};
const std::vector<std::string> kFc = {"fc6", "fc7", "fc8"};

const Json& study() {
  static const Json json = load("tests/validation/eyeriss_isca16.json");
  return json;
}

// The machine as it is set up for a layer.
Json machine(const std::string& flow, const Json& layer) {
  Json spec = load("arch_specs/eyeriss_isca16_" + flow + ".json");
  if (spec["variables"].contains("rows")) spec["variables"]["rows"] = layer["problem"]["r"];
  return spec;
}

Arch read(const Json& spec) {
  const Result<Arch> arch = parse_arch(spec.dump());
  REQUIRE(arch.status().to_string() == "");
  return *arch;
}

struct Levels {
  double alu = 0, rf = 0, array = 0, buffer = 0, dram = 0, operations = 0;
  double all() const { return alu + rf + array + buffer + dram; }
  double per_operation() const { return all() / operations; }
};

Levels levels_of(const std::string& flow, const std::string& name, const Json& nest) {
  const Json& layer = study()["layers"][name];
  const Json spec = machine(flow, layer);
  const Conventions conventions = *read(spec).conventions;
  CHECK_FALSE(conventions.drain_reads);
  const Priced priced = price(layer["problem"], spec, {{"nest", nest}}, conventions);
  const auto copies = layer["copies"].get<double>();
  Levels sum;
  sum.operations = copies * static_cast<double>(priced.cost.operations);
  sum.alu = copies * priced.cost.compute.energy_pj;
  sum.array = -sum.alu + copies * priced.cost.energy_pj;
  for (const Memory& memory : priced.arch.memories) {
    const double energy = copies * priced.memory(memory.name).energy_pj;
    sum.array -= energy;
    (memory.name == "DRAM" ? sum.dram : memory.name == "Buffer" ? sum.buffer : sum.rf) += energy;
  }
  return sum;
}

Levels levels_of(const std::string& flow, const std::string& name) {
  return levels_of(flow, name, study()["flows"][flow]["nests"][name]);
}

Levels levels_of(const std::string& flow, const std::vector<std::string>& layers) {
  Levels sum;
  for (const std::string& layer : layers) {
    const Levels one = levels_of(flow, layer);
    sum.alu += one.alu, sum.rf += one.rf, sum.array += one.array;
    sum.buffer += one.buffer, sum.dram += one.dram, sum.operations += one.operations;
  }
  return sum;
}

// The reference's energy per operation over layers.
double reference(const std::string& flow, const std::vector<std::string>& layers) {
  double energy = 0, operations = 0;
  for (const std::string& layer : layers) {
    const Levels one = levels_of("rs", layer);
    energy += one.operations * study()["flows"][flow]["reference"][layer].get<double>();
    operations += one.operations;
  }
  return energy / operations;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

Bars bars_of(const std::string& title, const std::vector<std::string>& layers) {
  Bars figure{title,
              "energy per operation (MAC = 1)",
              {"ALU", "register files", "array", "buffer", "DRAM"},
              {}};
  for (const std::string& flow : kFlows) {
    const Levels sum = levels_of(flow, layers);
    Bar bar{upper(flow), {}, reference(flow, layers)};
    for (const double part : {sum.alu, sum.rf, sum.array, sum.buffer, sum.dram}) {
      bar.parts.push_back(part / sum.operations);
    }
    figure.bars.push_back(bar);
  }
  return figure;
}

void report_ratios(const std::string& what, const std::vector<std::string>& layers) {
  const double base = levels_of("rs", layers).per_operation();
  for (const std::string& flow : kFlows) {
    const double ours = levels_of(flow, layers).per_operation();
    kReport.row({upper(flow) + ", " + what + ": energy per operation", reference(flow, layers),
                 ours, 0.03, kProgram});
    if (flow == "rs") continue;
    kReport.row({upper(flow) + ", " + what + ": ratio to RS",
                 reference(flow, layers) / reference("rs", layers), ours / base, 0.03, kProgram});
  }
}

SearchResult searched(const std::string& search, const Json& spec, const Json& layer,
                      double most_energy = 1e300) {
  const Arch arch = read(spec);
  const Problem problem = unwrap(parse_problem(layer.dump()), "problem");
  const Mapspace space = unwrap(Mapspace::create(problem, arch, {}), "mapspace");
  const Evaluator evaluator = unwrap(
      Evaluator::create(problem, arch, *arch.conventions, *costs_in_spec(arch)), "evaluator");
  Goal goal;
  goal.objective = Objective::kEnergy;
  if (most_energy < 1e300) goal.max_energy_pj = most_energy;
  if (search == "exhaustive") return unwrap(search_exhaustive(space, evaluator, goal), "search");
  return search_optimal(space, evaluator, goal);
}

// Searches for the optimum of each layer that `list` names: exhaustively, by `optimal`, or by
// `optimal` with the known one as a bound.
// Returns what it has proved, in words.
std::string prove(const char* list) {
  std::size_t all = 0;
  std::string words;
  for (const std::string& flow : kFlows) {
    words += (words.empty() ? "" : "; ") + upper(flow) + ":";
    for (const auto& [name, search] : study()["flows"][flow][list].items()) {
      INFO(flow << " " << name);
      const Json& layer = study()["layers"][name];
      const auto known = study()["flows"][flow]["energy_pj"][name].get<double>();
      const SearchResult found = searched(search, machine(flow, layer), layer["problem"],
                                          search == "bounded" ? known * (1 + 1e-9) : 1e300);
      REQUIRE(found.best);
      CHECK(found.certificate.proved);
      CHECK(same_energy(found.best->energy_pj, known));
      words += " " + name;
      ++all;
    }
  }
  return std::to_string(all) + " of 48: " + words;
}

}  // namespace

TEST_CASE("isca16: what the elements' registers leave of the area is the buffer's") {
  double least = 1e30, most = 0, least_storage = 1e30, most_storage = 0;
  for (const std::string& flow : kFlows) {
    const Json spec = load("arch_specs/eyeriss_isca16_" + flow + ".json");
    const Arch arch = read(spec);
    const auto bytes =
        static_cast<double>(*arch.memories[index(*arch.find_memory("Buffer"))].size_bits) / 8;
    kReport.row({upper(flow) + ": buffer, bytes",
                 study()["flows"][flow]["buffer_bytes"].get<double>(),
                 bytes,
                 1e-4,
                 kProgram,
                 "",
                 {},
                 6});
    least = std::min(least, bytes);
    most = std::max(most, bytes);
    const double registers = 256 * spec["variables"].value("rf_bytes", 0.0);
    least_storage = std::min(least_storage, bytes + registers);
    most_storage = std::max(most_storage, bytes + registers);
  }
  kReport.row({"Largest buffer against the smallest", 2.6, most / least, 0.02, kPaper});
  kReport.row({"Largest storage, registers and buffer, less the smallest: kB", 80,
               (most_storage - least_storage) / 1e3, 0.06, kPaper, "published as \"up to 80 kB\""});
}

// 64 images' rows of sums alone are more than the buffer holds: the missing bar of the paper.
TEST_CASE("isca16: weight stationary has no mapping of 64 images of conv1") {
  Json layer = study()["layers"]["conv1"];
  layer["problem"]["n"] = 64;
  const SearchResult found = searched("exhaustive", machine("ws", layer), layer["problem"]);
  kReport.row({"WS, conv1, 64 images: mappings that fit", 0, found.best ? 1.0 : 0.0, 0, kPaper,
               "64 x 55 x 55 sums in a buffer of 171,146 words"});
}

TEST_CASE("isca16: energies of the optima, and their ratios to row stationary") {
  report_ratios("CONV", kConv);
  report_ratios("FC", kFc);
  kReport.figure("eyeriss_isca16_conv",
                 to_svg(bars_of("AlexNet CONV, batch 16, 256 elements", kConv)));
  kReport.figure("eyeriss_isca16_fc", to_svg(bars_of("AlexNet FC, batch 16, 256 elements", kFc)));
}

TEST_CASE("isca16: row stationary takes 1.4 to 2.5 times less energy in CONV, 1.3 in FC") {
  const auto ratio = [](const std::string& flow, const std::vector<std::string>& layers) {
    return levels_of(flow, layers).per_operation() / levels_of("rs", layers).per_operation();
  };
  double least = 1e30, most = 0, least_fc = 1e30;
  for (const std::string& flow : kFlows) {
    if (flow == "rs") continue;
    least = std::min(least, ratio(flow, kConv));
    most = std::max(most, ratio(flow, kConv));
    least_fc = std::min(least_fc, ratio(flow, kFc));
  }
  kReport.range({"CONV: least ratio to RS", 1.35, 1.45, least, "ISCA'16: 1.4x, to its digit"});
  kReport.range({"CONV: greatest ratio to RS", 2.35, 2.55, most,
                 "ISCA'16: 2.5x over batches of 1, 16 and 64; the program gives 2.42 for 16"});
  kReport.range({"FC: least ratio to RS", 1.3, 3.8, least_fc, "ISCA'16: at least 1.3x"});
}

// Figure 10, row stationary by layer and level, in 1e9.
TEST_CASE("isca16: where row stationary spends its energy, layer by layer") {
  for (const auto& [name, row] : study()["figure10"].items()) {
    const Levels ours = levels_of("rs", name);
    const char* levels[] = {"RF", "DRAM"};
    const double values[] = {ours.rf * 1e-9, ours.dram * 1e-9};
    for (std::size_t i = 0; i < 2; ++i) {
      ValueRow line{"RS, " + name + ": " + levels[i] + ", 1e9", row[levels[i]].get<double>(),
                    values[i], 0.1, "ISCA'16, figure 10"};
      const std::string pin = std::string("pinned_") + levels[i];
      if (row.contains(pin)) {
        line.pinned = row[pin].get<double>();
        line.reason = row["reason"];
      }
      kReport.row(line);
    }
  }
}

// Optima that the program's parameters do not hold: there they are others, of these energies.
TEST_CASE("isca16: row stationary under mappings of the program's parameters") {
  for (const auto& [name, nest] : study()["flows"]["rs"]["program_nests"].items()) {
    kReport.row({"RS, " + name + ": energy per operation of the program's own kind of mapping",
                 study()["flows"]["rs"]["reference"][name].get<double>(),
                 levels_of("rs", name, nest).per_operation(), 0.03, kProgram});
  }
}

// The rule of the program that no block of an output-stationary machine keeps what it shares with
// the block before: the least energy without it.
TEST_CASE("isca16: an output-stationary machine whose blocks keep what they share") {
  double energy = 0, operations = 0;
  for (const std::string& name : kConv) {
    const Json& layer = study()["layers"][name];
    Json spec = machine("osc", layer);
    for (Json& constraint : spec["constraints"]) {
      if (constraint["node"] == "DRAM") constraint.erase("factors");
    }
    const Found best = *searched("exhaustive", spec, layer["problem"]).best;
    const auto copies = layer["copies"].get<double>();
    energy += copies * best.energy_pj;
    operations += levels_of("osc", name).operations;
  }
  kReport.row(
      {"OSC, CONV, if blocks kept what they share: energy per operation", reference("osc", kConv),
       energy / operations, 0.03, kProgram,
       "the rule is the program's: neighbouring windows overlap, and a buffer could keep that",
       9.0195974176});
}

TEST_CASE("isca16: the mapper proves optima of the study") {
  const std::string again = prove("proved");
  kReport.table({"optima that every run proves", "the least energy", again, "0",
                 "the mapper's certificates"});
}

// Minutes each.
TEST_CASE("isca16: the mapper proves further optima of the study", "[.long]") {
  prove("proved_long");
}

TEST_CASE("isca16: every optimum of the study is proved in every run or by the long test") {
  std::string later;
  int laters = 0;
  for (const std::string& flow : kFlows) {
    const Json& its = study()["flows"][flow];
    for (const auto& [name, energy] : its["energy_pj"].items()) {
      INFO(flow << " " << name);
      CHECK(its["proved"].contains(name) != its["proved_long"].contains(name));
      if (its["proved"].contains(name)) continue;
      later += " " + upper(flow) + " " + name + ",";
      ++laters;
    }
  }
  later.back() = '.';
  kReport.table({"optima that the long test proves", "the least energy",
                 std::to_string(laters) + " of 48:" + later, "0", "the mapper's certificates"});
}

}  // namespace loopscape::validation
