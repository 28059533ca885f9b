// Any bytes as a table file. What is accepted stands beside the library's tables and prices a
// component of each of its classes.

#include <cmath>

#include "model/energy/estimate.h"
#include "tests/fuzz/fuzz.h"

namespace loopscape::fuzz {
namespace {

constexpr std::size_t kMostTables = 20;  // of one input: time goes into reading them

// The library's tables, and after them those of one input.
TableSet& set() {
  static TableSet* const all = [] {
    const Result<EnergyTables> built_in = EnergyTables::built_in();
    require(built_in.ok(), "the library's tables are refused", built_in.status().to_string());
    return new TableSet(built_in->set());
  }();
  return *all;
}

EstimateRequest request_for(const EnergyTable& table, bool extrapolate) {
  EstimateRequest request;
  request.component = table.classes[0];
  if (!table.types.empty()) request.type = table.types[0];
  request.technology_nm = 28;
  request.voltage = 0.9;
  request.extrapolate = extrapolate;
  request.numbers = {{"size_bits", 65536}, {"width_bits", 64}, {"operand_bits", 16}, {"banks", 4},
                     {"ports", 1},         {"clock_ns", 2},    {"length_mm", 1}};
  request.asked = {"banks"};
  return request;
}

void require_price(const Result<Estimate>& answer) {
  if (!answer.ok()) return require_sentence(answer.status());
  const auto is_price = [](double value) { return std::isfinite(value) && value >= 0; };
  for (const auto& [action, pj] : answer->actions) {
    require(is_price(pj), "an energy is no price", action);
  }
  require(is_price(answer->leakage_mw.value_or(0)), "the leakage is no power");
  require(is_price(answer->area_um2.value_or(0)), "the area is none");
  require(is_price(answer->cycle_ns.value_or(0)), "the cycle is no time");
}

}  // namespace
}  // namespace loopscape::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loopscape;
  const Result<TableFile> file = parse_table_file("input", fuzz::as_text(data, size));
  if (!file.ok()) {
    fuzz::require_sentence(file.status());
    return 0;
  }
  TableSet& set = fuzz::set();
  const std::size_t own = set.tables.size();
  const TechnologyScaling rules = set.scaling;
  if (file->scaling) set.scaling = *file->scaling;
  set.tables.insert(set.tables.end(), file->tables.begin(), file->tables.end());
  for (std::size_t i = own; i < set.tables.size() && i < own + fuzz::kMostTables; ++i) {
    for (const bool extrapolate : {false, true}) {
      const EstimateRequest request = fuzz::request_for(set.tables[i], extrapolate);
      fuzz::require_price(estimate(set, request));
      fuzz::require_price(estimate_from(set, set.tables[i], request));
    }
  }
  set.tables.resize(own);
  set.scaling = rules;
  return 0;
}
