#include "interface/cli/energy_report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "interface/cli/numbers.h"

namespace loopscape::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string dumped(const OrderedJson& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string flags(const Provenance& from) {
  std::string out;
  const auto add = [&](bool is, const char* word) {
    if (is) out += (out.empty() ? "" : ", ") + std::string(word);
  };
  add(from.interpolated, "interpolated");
  add(from.scaled, "scaled");
  add(from.extrapolated, "EXTRAPOLATED");
  return out;
}

// Sources are told once each and cited by their number.
class Sources {
 public:
  std::string cite(const Provenance& from) {
    const std::string text = in_words(from);
    const auto known = std::find(texts_.begin(), texts_.end(), text);
    const auto at = static_cast<std::size_t>(known - texts_.begin());
    if (known == texts_.end()) texts_.push_back(text);
    return "[" + std::to_string(at + 1) + "]";
  }
  std::string text() const {
    std::string out;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      out += "  [" + std::to_string(i + 1) + "] " + texts_[i] + "\n";
    }
    return out;
  }

 private:
  static std::string in_words(const Provenance& from) {
    std::string out = printable(from.table, 60);
    if (from.node_nm) out += (out.empty() ? "at " : " at ") + number_text(*from.node_nm) + " nm";
    if (!out.empty()) out += ": ";
    out += printable(from.source, 600);
    if (!from.method.empty()) out += "; " + printable(from.method, 600);
    for (const std::string& part : from.parts) out += "\n      " + printable(part, 100);
    return out;
  }

  std::vector<std::string> texts_;
};

void add_numbers(const ComponentPrices& its, Sources& sources, TextTable& rows) {
  for (const PricedNumber& action : its.actions) {
    const double bits = static_cast<double>(its.bits);
    rows.row({action.name, plain(action.value) + " pJ",
              its.bits > 0 ? plain(action.value / bits) : "", flags(action.from),
              sources.cite(action.from)});
  }
  for (const PricedNumber& number : its.properties) {
    const bool area = number.name == "area_um2", leakage = number.name == "leakage_mw";
    rows.row({area      ? "area"
              : leakage ? "leakage"
                        : "shortest cycle",
              plain(number.value) + (area      ? " um2"
                                     : leakage ? " mW"
                                               : " ns"),
              "", flags(number.from), sources.cite(number.from)});
  }
}

std::string table_of(const std::vector<ComponentPrices>& prices, Sources& sources) {
  TextTable rows({"", "", "pJ/bit", "", "source"});
  for (const ComponentPrices& its : prices) {
    rows.group({printable(its.node, 40) + (its.instances > 1 ? " x" + grouped(its.instances) : ""),
                printable(its.component, 30),
                its.bits > 0 ? std::to_string(its.bits) + " bits" : "", "", ""});
    add_numbers(its, sources, rows);
  }
  return rows.text();
}

// The total of a property over all instances; what no source states is not in it.
double total(const ResolvedCosts& resolved, const char* name) {
  double sum = 0;
  for (const ComponentPrices& its : resolved.prices) {
    for (const PricedNumber& number : its.properties) {
      if (number.name == name) sum += number.value * static_cast<double>(its.instances);
    }
  }
  return sum;
}

// Memories and compute that have no such property: nobody states it. Networks never have one.
std::vector<std::string> without(const ResolvedCosts& resolved, const char* name) {
  std::vector<std::string> out;
  for (const ComponentPrices& its : resolved.prices) {
    const auto is = [&](const PricedNumber& number) { return number.name == name; };
    const bool network =
        std::any_of(its.actions.begin(), its.actions.end(),
                    [](const PricedNumber& number) { return number.name == "bit_hop"; });
    if (network || std::any_of(its.properties.begin(), its.properties.end(), is)) continue;
    out.push_back(its.node);
  }
  return out;
}

// Components whose shortest cycle is longer than the clock's.
std::vector<std::string> too_slow(const ResolvedCosts& resolved) {
  std::vector<std::string> out;
  for (const ComponentPrices& its : resolved.prices) {
    for (const PricedNumber& number : its.properties) {
      const bool slow = number.name == "cycle_ns" && resolved.arch.clock_mhz &&
                        number.value > 1000 / *resolved.arch.clock_mhz;
      if (slow) out.push_back(its.node);
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + printable(text, 200);
  return out;
}

// What a reader of the totals should know.
std::string notes_text(const ResolvedCosts& resolved) {
  std::string out;
  const auto add = [&](const char* what, const std::vector<std::string>& nodes) {
    if (!nodes.empty()) out += std::string("  ") + what + joined(nodes) + "\n";
  };
  add("no area is stated of      ", without(resolved, "area_um2"));
  add("no leakage is stated of   ", without(resolved, "leakage_mw"));
  add("slower than the clock     ", too_slow(resolved));
  add("prices that nobody took   ", resolved.unused);
  return out;
}

// Names that appear in YAML come from an architecture: letters, digits, '_' and '-', and spaces.
std::string yaml_name(const ComponentPrices& its) {
  std::string name = "system." + its.node;
  std::replace(name.begin(), name.end(), ' ', '_');
  if (its.instances > 1) name += "[0.." + std::to_string(its.instances - 1) + "]";
  return "'" + name + "'";
}

double leak_per_cycle(const ResolvedCosts& resolved, const ComponentPrices& its) {
  for (const PricedNumber& number : its.properties) {
    if (number.name == "leakage_mw" && resolved.arch.clock_mhz) {
      return number.value * 1000 / *resolved.arch.clock_mhz;
    }
  }
  return 0;
}

}  // namespace

std::string sources_text(const std::vector<ComponentPrices>& prices, const Style& style) {
  Sources sources;
  const std::string table = table_of(prices, sources);
  return style.heading("Prices") + "  (of one action, of one instance)\n" + table +
         style.heading("Sources") + "\n" + sources.text();
}

std::string prices_text(const ResolvedCosts& resolved, const Style& style) {
  const Arch& arch = resolved.arch;
  std::string where;
  const auto add = [&](const std::optional<double>& value, const char* unit) {
    if (value) where += (where.empty() ? "" : ", ") + number_text(*value) + unit;
  };
  add(arch.technology_nm, " nm");
  add(arch.voltage, " V");
  add(arch.clock_mhz, " MHz");
  return safe_name(arch.name, "architecture") + (where.empty() ? "" : "  (" + where + ")") +
         "\n\n" + sources_text(resolved.prices, style) + "\n" + "  area of all instances     " +
         plain(total(resolved, "area_um2") / 1e6) + " mm2\n  leakage of all instances  " +
         plain(total(resolved, "leakage_mw")) + " mW\n  tables                    " +
         resolved.tables + "\n" + notes_text(resolved);
}

std::string prices_document(const ResolvedCosts& resolved) {
  OrderedJson json;
  json["arch"] = resolved.arch.name;
  if (resolved.arch.technology_nm) json["technology_nm"] = *resolved.arch.technology_nm;
  if (resolved.arch.voltage) json["voltage"] = *resolved.arch.voltage;
  if (resolved.arch.clock_mhz) json["clock_mhz"] = *resolved.arch.clock_mhz;
  json["tables"] = resolved.tables;
  json["area_um2"] = total(resolved, "area_um2");
  json["leakage_mw"] = total(resolved, "leakage_mw");
  const auto note = [&](const char* key, const std::vector<std::string>& nodes) {
    if (!nodes.empty()) json[key] = nodes;
  };
  note("without_area", without(resolved, "area_um2"));
  note("without_leakage", without(resolved, "leakage_mw"));
  note("slower_than_clock", too_slow(resolved));
  note("unused", resolved.unused);
  json["components"] = OrderedJson::parse(prices_to_json(resolved.prices), nullptr, false);
  return dumped(json);
}

std::string prices_ert_art(const ResolvedCosts& resolved) {
  std::string ert = "ERT:\n  version: '0.4'\n  tables:\n",
              art = "ART:\n  version: '0.4'\n  tables:\n";
  for (const ComponentPrices& its : resolved.prices) {
    ert += "  - name: " + yaml_name(its) + "\n    actions:\n";
    const auto add = [&](const std::string& name, double pj) {
      ert +=
          "    - name: " + name + "\n      arguments: {}\n      energy: " + number_text(pj) + "\n";
    };
    for (const PricedNumber& action : its.actions) add(action.name, action.value);
    add("leak", leak_per_cycle(resolved, its));
    for (const PricedNumber& number : its.properties) {
      if (number.name != "area_um2") continue;
      art += "  - name: " + yaml_name(its) + "\n    area: " + number_text(number.value) + "\n";
    }
  }
  return ert + art;
}

std::string accuracy_text(const EnergyTables& tables, const Style& style) {
  TextTable rows({"", "points", "at the edge", "median", "95 %", "worst"});
  std::string last;
  for (const LeaveOneOut& its : leave_one_out(tables)) {
    if (its.points == 0) continue;
    if (its.table != last) rows.group({its.table, "", "", "", "", ""});
    last = its.table;
    rows.row({its.column, std::to_string(its.points), std::to_string(its.at_the_edge),
              percent(its.median, 1), percent(its.p95, 1), percent(its.most, 1)});
  }
  TextTable figures({"", "published", "estimated", "error", "accepted"});
  std::string check;
  for (const Residual& its : residuals(tables)) {
    if (its.check != check) figures.group({its.check, "", "", "", ""});
    check = its.check;
    const bool known = its.failure.empty();
    figures.row({its.place + " " + its.number, plain(its.published),
                 known ? plain(its.estimated) : its.failure, known ? percent(its.error(), 1) : "",
                 its.accepted() ? "yes" : "NO"});
  }
  return style.heading("Leave one out") +
         "  (every point of a table predicted from the others; at its edge nothing encloses it)\n" +
         rows.text() + "\n" + style.heading("Published figures") + "\n" + figures.text();
}

std::string accuracy_document(const EnergyTables& tables) {
  OrderedJson json;
  json["leave_one_out"] = OrderedJson::array();
  for (const LeaveOneOut& its : leave_one_out(tables)) {
    json["leave_one_out"].push_back({{"table", its.table},
                                     {"column", its.column},
                                     {"points", its.points},
                                     {"at_the_edge", its.at_the_edge},
                                     {"median", its.median},
                                     {"p95", its.p95},
                                     {"most", its.most}});
  }
  json["published"] = OrderedJson::array();
  for (const Residual& its : residuals(tables)) {
    OrderedJson figure = {{"check", its.check},         {"source", its.source},
                          {"place", its.place},         {"number", its.number},
                          {"published", its.published}, {"within", its.within},
                          {"accepted", its.accepted()}};
    if (its.failure.empty()) {
      figure["estimated"] = its.estimated;
      figure["error"] = its.error();
    } else {
      figure["failure"] = its.failure;
    }
    json["published"].push_back(std::move(figure));
  }
  return dumped(json);
}

}  // namespace loopscape::cli
