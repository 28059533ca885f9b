#include "interface/cli/map_report.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "interface/cli/numbers.h"
#include "interface/cli/text_report.h"

namespace loopscape::cli {
namespace {

struct ObjectiveWords {
  std::string name, unit;
};

ObjectiveWords words_of(const std::string& objective) {
  if (objective == "energy") return {"energy", "pJ"};
  if (objective == "delay") return {"delay", "cycles"};
  if (objective == "ed2p") return {"ED2P", "pJ x cycles^2"};
  return {"EDP", "pJ x cycles"};
}

double value_of(const StoredResult& result) {
  const Objective objective = objective_called(result.options.objective).value_or(Objective::kEdp);
  return objective_value(objective, result.breakdown.energy_pj,
                         static_cast<double>(result.breakdown.cycles));
}

std::string verdict(const StoredResult& result) {
  const StoredCertificate& certificate = *result.certificate;
  const ObjectiveWords words = words_of(result.options.objective);
  const StoredOptions& asked = result.options;
  const std::string among = asked.max_cycles || asked.max_energy_pj ? " within the bounds" : "";
  if (certificate.proved) {
    const std::string counted = certificate.unpriced != 0 ? " that the model counts" : "";
    return "Proved: no mapping of the space" + counted + among + " has a lower " + words.name;
  }
  if (certificate.gap) {
    return "Not proved: the search was stopped; this is the best so far, at most " +
           percent(*certificate.gap, 1) + " above the best" + among;
  }
  if (asked.search == "random") return "Not proved: the best of a sample";
  if (asked.search == "local") return "Not proved: no neighbour of this mapping is better";
  return "Not proved: the search was stopped; this is the best so far";
}

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string aligned(const Rows& rows) {
  std::size_t widest = 0;
  for (const auto& row : rows) widest = std::max(widest, row.first.size());
  std::string text;
  for (const auto& [name, value] : rows) {
    text += "  " + name + std::string(widest + 2 - name.size(), ' ') + value + "\n";
  }
  return text;
}

std::string left_out(const StoredCertificate& certificate) {
  std::string text;
  for (const auto& [rule, number] : certificate.pruned) {
    if (number == 0) continue;
    text += (text.empty() ? "" : ", ") + grouped(number) + (rule == "illegal" ? " " : " by ") +
            safe(rule);
  }
  return text;
}

std::string certificate_part(const StoredResult& result, const Style& style) {
  const StoredCertificate& certificate = *result.certificate;
  const ObjectiveWords words = words_of(result.options.objective);
  std::string name = words.name;
  if (name == "energy") name = "Energy";
  if (name == "delay") name = "Delay";
  Rows rows = {{name, plain(value_of(result)) + " " + words.unit}};
  std::string bound = "none is known";
  if (certificate.gap) {
    bound =
        plain(certificate.lower_bound) + " " + words.unit + ", gap " + percent(*certificate.gap, 1);
  }
  rows.push_back({"Lower bound", bound});
  rows.push_back({"Space", safe(certificate.space) + ": " +
                               (certificate.mapspace.empty()
                                    ? "more mappings than could be counted"
                                    : counted_digits(certificate.mapspace, "mapping")) +
                               " before capacity"});
  const bool states = result.options.search == "optimal";
  rows.push_back({"Looked at", counted(certificate.states, states ? "state" : "mapping")});
  if (const std::string text = left_out(certificate); !text.empty()) {
    rows.push_back({"Left out", text});
  }
  if (certificate.unpriced != 0) {
    rows.push_back(
        {"Unpriced",
         grouped(certificate.unpriced) +
             " mappings that the model does not count, or not in 63 bits, were left out"});
  }
  rows.push_back(
      {"Work", counted(certificate.work, "unit") + ", " + duration(certificate.seconds)});
  return style.heading("Certificate") + "\n  " + verdict(result) + "\n" + aligned(rows);
}

std::string statistics_part(const StoredResult& result, const Style& style) {
  const StoredStatistics& all = *result.statistics;
  const ObjectiveWords words = words_of(result.options.objective);
  TextTable table({"least", "5 %", "25 %", "median", "75 %", "95 %", "most"});
  table.group({plain(all.least), plain(all.p05), plain(all.p25), plain(all.median), plain(all.p75),
               plain(all.p95), plain(all.most)});
  std::string text = style.heading("Sample") + "  (" + words.name + " in " + words.unit +
                     " of legal mappings)\n  " + grouped(all.legal) + " of " +
                     grouped(all.samples) + " mappings are legal (" + percent(all.legal_share, 1) +
                     ")";
  if (all.least > 0) text += "; the worst costs " + plain(all.most / all.least) + " x the best";
  return text + "\n" + table.text();
}

std::string front_part(const StoredResult& result, const Style& style) {
  TextTable table({"", "energy", "cycles", "pJ x cycles"});
  for (std::size_t i = 0; i < result.front.size(); ++i) {
    const StoredMapping& point = result.front[i];
    const bool best = point.mapping == result.mapping;
    table.group({std::to_string(i + 1) + (best ? " (above)" : ""), energy(point.energy_pj),
                 grouped(point.cycles),
                 plain(point.energy_pj * static_cast<double>(point.cycles))});
  }
  return style.heading("Front") +
         (result.certificate->proved ? "  (no mapping has less of both)\n"
                                     : "  (of what was found; not proved)\n") +
         table.text();
}

}  // namespace

std::string map_report(const StoredResult& result, const Style& style) {
  std::string text = text_report(result, style);
  if (!result.front.empty()) text += "\n" + front_part(result, style);
  if (result.statistics) text += "\n" + statistics_part(result, style);
  return text + "\n" + certificate_part(result, style);
}

}  // namespace loopscape::cli
