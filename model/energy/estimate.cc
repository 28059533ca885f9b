#include "model/energy/estimate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/base/expression.h"

namespace loopscape {
namespace {

constexpr int kMostDepth = 8;           // components inside components
constexpr int kMostComponents = 10000;  // that one answer is built from

// Where an estimate stands among the components that it is for.
struct Nesting {
  int depth = 0;
  int* components = nullptr;  // estimated so far
};

Result<Estimate> estimate_at(const TableSet& set, const EstimateRequest& request, Nesting nesting);

Status refuse(std::string why) { return {StatusCode::kUnsupported, std::move(why)}; }

// One table and one request; what is found out on the way.
class TableReader {
 public:
  TableReader(const TableSet& set, const EnergyTable& table, const EstimateRequest& request,
              Nesting nesting)
      : set_(set), table_(table), request_(request), nesting_(nesting), variables_(table.let) {}

  Result<Estimate> run() {
    out_.accuracy = table_.accuracy;
    out_.from.table = table_.name;
    out_.from.source = table_.source;
    out_.from.method = table_.method;
    for (const auto& step :
         {&TableReader::read_attributes, &TableReader::find_node, &TableReader::read_grid,
          &TableReader::build_parts, &TableReader::find_numbers, &TableReader::scale,
          &TableReader::check_finite}) {
      if (Status status = (this->*step)(); !status.ok()) return status;
    }
    return std::move(out_);
  }

 private:
  // The defect of a table, at its key.
  Status at_fault(Status status, const std::string& key) const {
    return Status(StatusCode::kInvalidInput, status.message())
        .at("table " + table_.name + ", " + key)
        .in(table_.file);
  }

  Status number(const std::string& text, const std::string& key, double& out) {
    Result<double> value = variables_.evaluate(text);
    if (!value.ok()) {
      for (const std::string& name : unstated_) {
        if (text.find(name) == std::string::npos) continue;
        return refuse(key + " needs " + name + ", which the source of that part does not state");
      }
      return at_fault(value.status(), key);
    }
    out = *value;
    return {};
  }

  Status read_attributes() {
    // A port to read and one to write are two.
    const auto stated = [&](const char* name) { return request_.asked.count(name) != 0; };
    const bool two_ports = stated("read_ports") && stated("write_ports");
    for (const std::string& name : request_.asked) {
      const auto known = std::find_if(table_.attributes.begin(), table_.attributes.end(),
                                      [&](const TableAttribute& a) { return a.name == name; });
      if (known != table_.attributes.end()) continue;
      // One bank or port is what every component has.
      const bool of_two = two_ports && (name == "read_ports" || name == "write_ports");
      const bool neutral = name == "banks" || (name.find("ports") != std::string::npos && !of_two);
      if (neutral && request_.numbers.at(name) == 1) continue;
      return refuse("no source says what '" + name +
                    "' = " + number_text(request_.numbers.at(name)) +
                    (of_two ? " beside the other port changes" : " changes"));
    }
    if (request_.technology_nm) variables_.set("technology_nm", *request_.technology_nm);
    for (const TableAttribute& attribute : table_.attributes) {
      double value = 0;
      if (Status s = attribute_value(attribute, value); !s.ok()) return s;
      variables_.set(attribute.name, value);
    }
    return {};
  }

  Status attribute_value(const TableAttribute& attribute, double& value) {
    const auto given = request_.numbers.find(attribute.name);
    if (given != request_.numbers.end()) {
      value = given->second;
    } else if (attribute.otherwise.empty()) {
      return refuse("'" + attribute.name + "' is not given");
    } else if (Status s = number(attribute.otherwise, attribute.name, value); !s.ok()) {
      return s;
    }
    const bool low = attribute.least && value < *attribute.least;
    const bool high = attribute.most && value > *attribute.most;
    if (!low && !high) return {};
    if (request_.extrapolate) {
      out_.from.extrapolated = true;
      return {};
    }
    std::string range = attribute.least ? number_text(*attribute.least) : "any";
    if (attribute.most) range += " to " + number_text(*attribute.most);
    return refuse(attribute.name + " " + number_text(value) + " is outside the table, " + range +
                  (attribute.most ? "" : " or more") +
                  " (nearest: " + number_text(low ? *attribute.least : *attribute.most) + ")");
  }

  bool has_node_axis() const { return !table_.axes.empty() && table_.axes[0] == "technology_nm"; }

  // The node that the table's numbers are taken at.
  Status find_node() {
    const bool needed = has_node_axis() || table_.scaling != ScalingRule::kNone;
    if (needed && !request_.technology_nm) return refuse("'technology_nm' is not given");
    node_ = table_.technology_nm;
    if (has_node_axis()) {
      node_ = *request_.technology_nm;
      const auto [least, most] = table_.grid.range(0);
      if (table_.scaling != ScalingRule::kNone) node_ = std::clamp(*node_, least, most);
    }
    out_.from.node_nm = node_;
    // Expressions see the supply in force: the one stated, or the node's nominal one.
    if (request_.technology_nm) {
      variables_.set("voltage", request_.voltage.value_or(
                                    nominal_voltage(set_.scaling, *request_.technology_nm)));
    }
    return {};
  }

  Status read_grid() {
    if (table_.grid.empty()) return {};
    std::vector<double> place;
    for (const std::string& axis : table_.axes) {
      double value = 0;
      if (axis == "technology_nm") {
        value = *node_;
      } else if (Status s = number(axis, "axes", value); !s.ok()) {
        return s;
      }
      place.push_back(value);
    }
    Result<Grid::Answer> answer = table_.grid.at(place, request_.extrapolate);
    if (!answer.ok()) return answer.status();
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      variables_.set(table_.columns[c], answer->columns[c]);
    }
    out_.from.interpolated |= answer->interpolated;
    out_.from.extrapolated |= answer->extrapolated;
    return {};
  }

  Status build_parts() {
    for (const TablePart& part : table_.parts) {
      EstimateRequest wanted;
      wanted.component = part.component;
      wanted.type = part.type;
      wanted.technology_nm = request_.technology_nm;
      wanted.voltage = request_.voltage;
      wanted.extrapolate = request_.extrapolate;
      const std::string key = "part " + part.name;
      for (const auto& [name, text] : part.attributes) {
        if (Status s = number(text, key, wanted.numbers[name]); !s.ok()) return s;
        wanted.asked.insert(name);
      }
      double count = 0;
      if (Status s = number(part.count, key, count); !s.ok()) return s;
      if (count < 0) return at_fault(refuse("a count of less than 0"), key);
      Result<Estimate> its = estimate_at(set_, wanted, {nesting_.depth + 1, nesting_.components});
      if (!its.ok()) {
        return Status(its.status().code(), key + ": " + its.status().message())
            .at(its.status().place())
            .in(its.status().file());
      }
      add_part(part.name, *its, count);
    }
    if (!node_ && !table_.parts.empty() && one_node_) out_.from.node_nm = parts_node_;
    return {};
  }

  void add_part(const std::string& name, const Estimate& its, double count) {
    for (const auto& [action, pj] : its.actions) variables_.set(name + "_" + action, pj);
    const auto add = [&](const char* what, const std::optional<double>& value, auto combine,
                         std::optional<double>& all, bool& known) {
      if (!value) {
        known = false;
        unstated_.push_back(name + what);
        return;
      }
      variables_.set(name + what, *value);
      if (count > 0) all = combine(all.value_or(0));
    };
    add(
        "_leakage_mw", its.leakage_mw, [&](double sum) { return sum + count * *its.leakage_mw; },
        parts_leakage_mw_, leakage_known_);
    add(
        "_area_um2", its.area_um2, [&](double sum) { return sum + count * *its.area_um2; },
        parts_area_um2_, area_known_);
    add(
        "_cycle_ns", its.cycle_ns, [&](double most) { return std::max(most, *its.cycle_ns); },
        parts_cycle_ns_, cycle_known_);
    out_.from.interpolated |= its.from.interpolated;
    out_.from.scaled |= its.from.scaled;
    out_.from.extrapolated |= its.from.extrapolated;
    add_origin(name, its.from);
    add_source(its.from.source);
  }

  // Each part with its table and node, and the parts of parts below it; the node of all if it is
  // one.
  void add_origin(const std::string& name, const Provenance& from) {
    std::string text = name + ": " + from.table;
    if (from.node_nm) text += " at " + number_text(*from.node_nm) + " nm";
    if (from.interpolated && from.parts.empty()) text += ", interpolated";
    if (from.scaled && from.parts.empty()) text += ", scaled";
    out_.from.parts.push_back(text);
    for (const std::string& inner : from.parts) out_.from.parts.push_back(name + "." + inner);
    one_node_ = one_node_ && from.node_nm && (!parts_node_ || *parts_node_ == *from.node_nm);
    parts_node_ = from.node_nm;
  }

  // A composition of compositions is one.
  void add_source(std::string_view source) {
    constexpr std::string_view kComposed = "Composition; ";
    if (source.substr(0, kComposed.size()) == kComposed) source.remove_prefix(kComposed.size());
    if (out_.from.source.find(source) == std::string::npos) {
      out_.from.source += "; " + std::string(source);
    }
  }

  Status find_numbers() {
    for (const auto& [action, text] : table_.actions) {
      if (Status s = number(text, "action " + action, out_.actions[action]); !s.ok()) return s;
      if (out_.actions[action] >= 0) continue;
      return at_fault(refuse("a negative energy"), "action " + action);
    }
    const auto find = [&](const std::string& text, const char* key,
                          const std::optional<double>& parts, bool known,
                          std::optional<double>& out) {
      if (text.empty()) {
        if (known) out = parts;
        return Status();
      }
      double value = 0;
      Status status = number(text, key, value);
      if (status.code() == StatusCode::kUnsupported) return Status();  // a part does not state it
      if (status.ok() && value < 0) return at_fault(refuse("less than 0"), key);
      if (status.ok()) out = value;
      return status;
    };
    Status status =
        find(table_.leakage_mw, "leakage_mw", parts_leakage_mw_, leakage_known_, out_.leakage_mw);
    if (!status.ok()) return status;
    status = find(table_.area_um2, "area_um2", parts_area_um2_, area_known_, out_.area_um2);
    if (!status.ok()) return status;
    return find(table_.cycle_ns, "cycle_ns", parts_cycle_ns_, cycle_known_, out_.cycle_ns);
  }

  // From the table's node and supply to those asked for.
  Status scale() {
    if (table_.scaling == ScalingRule::kNone) return {};
    const double to_nm = *request_.technology_nm;
    const bool extrapolate = request_.extrapolate;
    Result<ScaleFactors> by = scale_node(set_.scaling, table_.scaling, *node_, to_nm, extrapolate);
    if (!by.ok()) return by.status();
    double voltage_factor = 1;
    if (request_.voltage) {
      double supply = nominal_voltage(set_.scaling, to_nm);
      if (*node_ == to_nm && !table_.voltage.empty()) {
        if (Status s = number(table_.voltage, "voltage", supply); !s.ok()) return s;
      }
      Result<ScaleFactors> factor =
          scale_voltage(set_.scaling, to_nm, supply, *request_.voltage, extrapolate);
      if (!factor.ok()) return factor.status();
      voltage_factor = factor->energy;
      out_.from.extrapolated |= factor->extrapolated;
    }
    for (auto& action : out_.actions) action.second *= by->energy * voltage_factor;
    if (out_.leakage_mw) *out_.leakage_mw *= by->leakage * voltage_factor;
    if (out_.area_um2) *out_.area_um2 *= by->area;
    if (out_.cycle_ns) *out_.cycle_ns *= by->cycle;
    out_.from.scaled |= *node_ != to_nm || voltage_factor != 1;
    out_.from.extrapolated |= by->extrapolated;
    return {};
  }

  // Sums and factors of finite numbers may not be.
  Status check_finite() {
    const auto check = [&](const std::string& key, double value) {
      return std::isfinite(value) ? Status() : at_fault(refuse("the number is too large"), key);
    };
    for (const auto& [action, pj] : out_.actions) {
      if (Status s = check("action " + action, pj); !s.ok()) return s;
    }
    for (const auto& [key, value] : {std::pair("leakage_mw", out_.leakage_mw),
                                     {"area_um2", out_.area_um2},
                                     {"cycle_ns", out_.cycle_ns}}) {
      if (Status s = check(key, value.value_or(0)); !s.ok()) return s;
    }
    return {};
  }

  const TableSet& set_;
  const EnergyTable& table_;
  const EstimateRequest& request_;
  Nesting nesting_;
  Variables variables_;
  std::optional<double> node_, parts_node_;
  bool one_node_ = true;  // all parts stand at parts_node_
  std::optional<double> parts_leakage_mw_, parts_area_um2_, parts_cycle_ns_;
  bool leakage_known_ = true, area_known_ = true, cycle_known_ = true;
  std::vector<std::string> unstated_;  // numbers that parts do not have
  Estimate out_;
};

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Why no table is even asked.
Status unknown_component(const TableSet& set, const EstimateRequest& request) {
  std::vector<std::string> classes, types;
  bool known = false;
  for (const EnergyTable& table : set.tables) {
    for (const std::string& name : table.classes) {
      if (!has(classes, name)) classes.push_back(name);
    }
    if (!has(table.classes, request.component)) continue;
    known = true;
    for (const std::string& type : table.types) {
      if (!has(types, type)) types.push_back(type);
    }
  }
  std::sort(classes.begin(), classes.end());
  if (!known) {
    return refuse("no table has the class " + in_quotes(request.component) +
                  suggestion(request.component, classes));
  }
  if (request.type.empty()) return refuse("'type' is not given; there are " + listed(types));
  return refuse("no table has the type " + in_quotes(request.type) + " of class " +
                in_quotes(request.component) +
                (types.empty() ? "; leave 'type' out" : suggestion(request.type, types)));
}

std::vector<const EnergyTable*> candidates(const TableSet& set, const EstimateRequest& request) {
  std::vector<const EnergyTable*> out;
  for (const EnergyTable& table : set.tables) {
    const bool type_fits =
        request.type.empty() ? table.types.empty() : has(table.types, request.type);
    if (type_fits && has(table.classes, request.component)) out.push_back(&table);
  }
  std::stable_sort(out.begin(), out.end(), [](const EnergyTable* a, const EnergyTable* b) {
    return a->accuracy > b->accuracy;
  });
  return out;
}

Status conflict(const std::string& component, const std::string& one, const std::string& two,
                double accuracy) {
  return Status(StatusCode::kInvalidInput, one + " and " + two + " both have the class " +
                                               in_quotes(component) + " with accuracy " +
                                               number_text(accuracy) +
                                               "; state which is better by another 'accuracy'");
}

// The best answer of the tables; absent with `why` set: none has it.
Result<std::optional<Estimate>> ask_tables(const TableSet& set, const EstimateRequest& request,
                                           Nesting nesting, Status& why) {
  std::optional<Estimate> best;
  for (const EnergyTable* table : candidates(set, request)) {
    if (best && table->accuracy < best->accuracy) break;
    Result<Estimate> answer = TableReader(set, *table, request, nesting).run();
    if (!answer.ok()) {
      if (answer.status().code() != StatusCode::kUnsupported) return answer.status();
      if (why.ok()) why = answer.status();
      continue;
    }
    if (best) {
      return conflict(request.component, "the tables " + best->from.table, table->name,
                      table->accuracy);
    }
    best = *std::move(answer);
  }
  return best;
}

Result<std::optional<Estimate>> ask_external(const TableSet& set, const EstimateRequest& request) {
  if (!set.external) return std::optional<Estimate>();
  Result<std::string> answer = set.external(external_request(request));
  if (!answer.ok()) return answer.status();
  return parse_external_answer(*answer);
}

Result<Estimate> estimate_at(const TableSet& set, const EstimateRequest& request, Nesting nesting) {
  if (nesting.depth > kMostDepth) {
    return Status(StatusCode::kInvalidInput, "components are built from each other more than " +
                                                 std::to_string(kMostDepth) + " deep");
  }
  if (++*nesting.components > kMostComponents) {
    return Status(StatusCode::kInvalidInput, "a component is built from more than " +
                                                 std::to_string(kMostComponents) + " others");
  }
  Result<std::optional<Estimate>> outside = ask_external(set, request);
  if (!outside.ok()) return outside.status();
  const std::vector<const EnergyTable*> asked = candidates(set, request);
  if (*outside && (asked.empty() || (*outside)->accuracy > asked[0]->accuracy)) return **outside;
  Status why;
  EstimateRequest within = request;
  within.extrapolate = false;
  Result<std::optional<Estimate>> found = ask_tables(set, within, nesting, why);
  if (!found.ok()) return found.status();
  if (!*found && request.extrapolate) {
    found = ask_tables(set, request, nesting, why);
    if (!found.ok()) return found.status();
  }
  if (*found && *outside && (*found)->accuracy == (*outside)->accuracy) {
    return conflict(request.component, "the table " + (*found)->from.table,
                    "the external estimator", (*found)->accuracy);
  }
  if (*outside && (!*found || (*outside)->accuracy > (*found)->accuracy)) return **outside;
  if (*found) return **found;
  return why.ok() ? unknown_component(set, request) : why;
}

}  // namespace

Result<Estimate> estimate(const TableSet& set, const EstimateRequest& request) {
  int components = 0;
  return estimate_at(set, request, {0, &components});
}

Result<Estimate> estimate_from(const TableSet& set, const EnergyTable& table,
                               const EstimateRequest& request) {
  int components = 0;
  return TableReader(set, table, request, {0, &components}).run();
}

}  // namespace loopscape
