// Whole chips: what the tables say of published accelerators.
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "model/energy/energy.h"
#include "tests/validation/harness.h"
#include "tests/validation/report.h"

using namespace loopscape;
using namespace loopscape::validation;

namespace {

const Report kReport("energy");

ResolvedCosts priced(const Json& spec) {
  const Result<Arch> arch = parse_arch(spec.dump());
  REQUIRE(arch.status().to_string() == "");
  const Result<EnergyTables> tables = EnergyTables::built_in();
  REQUIRE(tables.status().to_string() == "");
  Result<ResolvedCosts> resolved = resolve_costs(*arch, *tables);
  INFO(spec.dump());
  REQUIRE(resolved.status().to_string() == "");
  for (const ComponentPrices& its : resolved->prices) {
    for (const PricedNumber& number : its.actions) {
      INFO(its.node << " " << number.name);
      CHECK_FALSE(number.from.extrapolated);
      CHECK_FALSE(number.from.source.empty());
    }
  }
  return *resolved;
}

double area_mm2(const ResolvedCosts& resolved) {
  double sum = 0;
  for (const ComponentPrices& its : resolved.prices) {
    for (const PricedNumber& number : its.properties) {
      if (number.name == "area_um2") sum += number.value * static_cast<double>(its.instances);
    }
  }
  return sum / 1e6;
}

}  // namespace

// Energies of the chip's levels relative to its MAC: published 1, 1, 6, 200 for register, MAC,
// buffer and DRAM. The tables' MAC is Horowitz's, a half of Eyeriss's 2 pJ.
TEST_CASE("the levels of Eyeriss stand in the published order") {
  const Json spec = load("tests/validation/energy_archs.json").at("eyeriss_v1");
  const ResolvedCosts chip = priced(spec);
  const double mac = chip.costs.compute.operation_pj;
  const auto per_word = [&](std::size_t m, double words) {
    return chip.costs.memories[m].read_pj / words / mac;
  };
  const double dram = per_word(0, 1), buffer = per_word(1, 4), spad = per_word(3, 1);
  CAPTURE(mac, dram, buffer, spad);
  CHECK((dram > 100 && dram < 400));
  CHECK((buffer > 3 && buffer < 12));
  CHECK((spad > 0.3 && spad < 2));
  CHECK(per_word(2, 1) < spad);
  const std::string source = "JSSC'17: 1, 1, 6, 200 for register, MAC, buffer, DRAM";
  kReport.range({"Eyeriss: DRAM, a word, relative to a MAC", 100, 400, dram, source});
  kReport.range({"Eyeriss: global buffer, a word, relative to a MAC", 3, 12, buffer, source,
                 "the tables' MAC is Horowitz's, a half of the chip's 2 pJ"});
  kReport.range({"Eyeriss: filter scratchpad, a word, relative to a MAC", 0.3, 2, spad, source});
}

// The published areas hold all of the core: also the engines for activation and pooling, registers
// and control, which are no part of the spec. What the spec holds is 15 % to 30 % of them.
TEST_CASE("NVDLA's areas are met within a band") {
  const Json table = load("tests/validation/energy_archs.json").at("nvdla");
  for (const Json& row : table.at("published")) {
    for (const double nm : {28.0, 16.0}) {
      Json spec = table.at("arch");
      spec["technology_nm"] = nm;
      for (const char* key : {"macs", "banks", "width_bits"}) spec["variables"][key] = row.at(key);
      spec["variables"]["cbuf_kib"] = row.at("cbuf_kib");
      const double published = row.at(nm == 28 ? "area28_mm2" : "area16_mm2").get<double>();
      const double share = area_mm2(priced(spec)) / published;
      CAPTURE(row.dump(), nm, share);
      CHECK(share > 0.15);
      CHECK(share < 0.3);
      kReport.range({"NVDLA, " + row.at("macs").dump() + " MACs, " + row.at("cbuf_kib").dump() +
                         " KiB, " + (nm == 28 ? "28" : "16") + " nm: area mm2",
                     0.15 * published, 0.3 * published, share * published,
                     "nvdla.org, `energy_archs.json`",
                     "published: all of the core; the spec holds buffers and MACs"});
    }
  }
}

TEST_CASE("every architecture of the collection has a price without extrapolation") {
  const Json all = load("tests/validation/energy_archs.json").at("collection");
  CHECK(all.size() >= 18);
  for (const auto& [name, spec] : all.items()) {
    INFO(name);
    priced(spec);
  }
  kReport.table({"every component of a collection of architectures has a price, none extrapolated",
                 "18 architectures and more", "priced", "0", "`energy_archs.json`"});
}
