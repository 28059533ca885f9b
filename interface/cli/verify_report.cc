#include "interface/cli/verify_report.h"

#include <nlohmann/json.hpp>

#include "interface/cli/numbers.h"
#include "interface/cli/text_table.h"

namespace loopscape::cli {
namespace {

std::string fault_text(const Fault& fault, const StoredResult& claims) {
  std::string text = "  " + fault.pointer + ": " + fault.reason + "\n";
  if (!fault.better) return text;
  text += "    " + energy(fault.better->energy_pj) + ", " + grouped(fault.better->cycles) +
          " cycles:\n";
  return text + indented(mapping_to_text(fault.better->mapping, claims.problem, claims.arch), 6);
}

std::string full_in_words(const FullCheck& check, const StoredResult& claims) {
  if (!check.limit.empty()) return "  NOT solved again: " + check.limit + "\n";
  std::string text =
      "  solved again: " + counted_digits(std::to_string(check.mappings), "mapping") +
      " priced one by one, " + grouped_digits(std::to_string(check.legal)) + " legal; ";
  if (!check.faults.empty()) return text + "it is not as stated\n";
  const Objective objective = objective_called(claims.options.objective).value_or(Objective::kEdp);
  const double own = objective_value(objective, claims.breakdown.energy_pj,
                                     static_cast<double>(claims.breakdown.cycles));
  if (own == check.best) {
    text += "none is better";
  } else {
    text += "the best is " + plain(check.best) + ", this one, which claims no more, is " +
            percent(own / check.best - 1, 1) + " above";
  }
  if (prices_of(claims.options)) {
    text += ", nor costs less at a price of a cycle from " +
            number_text(*claims.options.least_pj_per_cycle) + " to " +
            number_text(*claims.options.most_pj_per_cycle) +
            " pJ; the rest of its front was not asked for and is not checked";
  }
  if (claims.options.pareto && claims.certificate->proved) text += ", the front is whole";
  return text + "\n";
}

}  // namespace

std::string full_text(const FullCheck& check, const StoredResult& claims) {
  std::string text = full_in_words(check, claims);
  for (const Fault& fault : check.faults) text += fault_text(fault, claims);
  return text;
}

std::string full_json(const FullCheck& full, const StoredResult& claims) {
  nlohmann::ordered_json json = {{"complete", full.limit.empty()}};
  if (!full.limit.empty()) json["limit"] = full.limit;
  json["mappings"] = full.mappings;
  json["legal"] = full.legal;
  json["faults"] = nlohmann::ordered_json::array();
  for (const Fault& fault : full.faults) {
    nlohmann::ordered_json one = {{"pointer", fault.pointer}, {"reason", fault.reason}};
    if (fault.better) {
      one["energy_pj"] = fault.better->energy_pj;
      one["cycles"] = fault.better->cycles;
      one["mapping"] = nlohmann::ordered_json::parse(
          mapping_to_json(fault.better->mapping, claims.problem, claims.arch));
    }
    json["faults"].push_back(one);
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace loopscape::cli
