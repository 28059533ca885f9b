// Field table and checks of mapping constraints.
#include <algorithm>
#include <utility>

#include "model/arch/arch_tables.h"

namespace loopscape {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

namespace {

using Kind = FactorConstraint::Kind;

// 4, "4", "<=8", ">=2", "all"; the number may be an expression.
Status read_factor(const Json& json, const Reader& reader, FactorConstraint& out) {
  constexpr fields::IntegerRange kFactor{1, kMaxExtent};
  Json number = json;
  if (json.is_string()) {
    std::string text = json.get<std::string>();
    if (text == "all") {
      out.kind = Kind::kAll;
      return {};
    }
    const std::string start = text.substr(0, 2);
    if (start == "<=" || start == ">=") {
      out.kind = start == "<=" ? Kind::kAtMost : Kind::kAtLeast;
      text = text.substr(2);
    }
    if (text.find_first_of("<>=") != std::string::npos) {
      return reader.error(
          "expected a factor: 4, \"<=8\", \">=2\", \"all\" or an expression; found " +
          in_quotes(json.get_ref<const std::string&>()));
    }
    number = text;
  }
  return fields::read_integer(number, reader, kFactor, 1, out.value);
}

Status read_factors(const Json& json, const Reader& reader, Constraint& out) {
  if (!json.is_object()) {
    return reader.error(std::string("expected an object, found ") + fields::kind_name(json));
  }
  for (auto it = json.begin(); it != json.end(); ++it) {
    FactorConstraint factor;
    factor.dim = it.key();
    if (!is_identifier(factor.dim)) {
      return reader.at(it.key()).error(in_quotes(factor.dim) + " is no name of a dimension");
    }
    if (Status s = read_factor(*it, reader.at(it.key()), factor); !s.ok()) return s;
    out.factors.push_back(std::move(factor));
  }
  return {};
}

OrderedJson write_factors(const Constraint& constraint) {
  OrderedJson json;
  for (const FactorConstraint& factor : constraint.factors) {
    const std::string value = std::to_string(factor.value);
    OrderedJson& out = json[factor.dim];
    switch (factor.kind) {
      case Kind::kExactly:
        out = factor.value;
        break;
      case Kind::kAtMost:
        out = "<=" + value;
        break;
      case Kind::kAtLeast:
        out = ">=" + value;
        break;
      case Kind::kAll:
        out = "all";
        break;
    }
  }
  return json;
}

OrderedJson factors_schema() {
  OrderedJson schema = fields::type_schema("object");
  schema["additionalProperties"] = fields::integer_schema({1, kMaxExtent}, true);
  return schema;
}

// "s c k" or ["s", "c", "k"].
Status read_order(const Json& json, const Reader& reader, Constraint& out) {
  if (!json.is_string()) return read_identifiers(json, reader, out.order);
  Json words = Json::array();
  std::string word;
  for (const char c : json.get<std::string>() + " ") {
    if (c != ' ' && c != ',') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  return read_identifiers(words, reader, out.order);
}

// 0.5 or ">=0.5".
Status read_utilization(const Json& json, const Reader& reader, Constraint& out) {
  Json number = json;
  if (json.is_string()) {
    std::string text = json.get<std::string>();
    if (text.rfind(">=", 0) == 0) text = text.substr(2);
    number = text;
  }
  double value = 0;
  Status s = fields::read_number(number, reader, {0, 1, true}, 1, value);
  if (s.ok()) out.min_utilization = value;
  return s;
}

OrderedJson write_utilization(const Constraint& constraint) {
  if (!constraint.min_utilization) return {};
  return OrderedJson(">=" + number_text(*constraint.min_utilization));
}

Table<Constraint>& add_names(Table<Constraint>& table, const char* key,
                             std::vector<std::string> Constraint::*member, const char* text) {
  return table.custom(
      key, fields::names_schema(),
      [member](const Json& json, const Reader& reader, Constraint& out) {
        return read_identifiers(json, reader, out.*member);
      },
      [member](const Constraint& c) {
        return (c.*member).empty() ? OrderedJson() : OrderedJson(c.*member);
      },
      text);
}

Table<Constraint>& add_word(Table<Constraint>& table, const char* key,
                            std::string Constraint::*member, const std::vector<std::string>& words,
                            const char* text) {
  return table.custom(
      key, fields::enum_schema(OrderedJson(words)),
      [member, words](const Json& json, const Reader& reader, Constraint& out) {
        std::size_t which = 0;
        Status s = fields::read_choice(json, reader, words, which);
        if (s.ok()) out.*member = words[which];
        return s;
      },
      [member](const Constraint& c) {
        return (c.*member).empty() ? OrderedJson() : OrderedJson(c.*member);
      },
      text);
}

// --- checks ----------------------------------------------------------------------------------

Status check_stores(const Arch& arch, const Constraint& constraint, const Reader& reader) {
  if (constraint.keep.empty() && constraint.bypass.empty()) return {};
  const std::optional<MemoryId> id = arch.find_memory(constraint.node);
  const char* key = constraint.keep.empty() ? "bypass" : "keep";
  if (!id) return reader.at(key).error("only a memory keeps or bypasses tensors");
  const Memory& memory = arch.memories[index(*id)];
  if (index(*id) == 0 && !constraint.bypass.empty()) {
    return reader.at("bypass").error("the outermost memory keeps every tensor");
  }
  const std::vector<std::string>* const pairs[][2] = {{&constraint.keep, &constraint.bypass},
                                                      {&constraint.keep, &memory.bypass},
                                                      {&constraint.bypass, &memory.keep}};
  for (const auto& pair : pairs) {
    const std::string both = common_name(*pair[0], *pair[1]);
    if (both.empty()) continue;
    return reader.at(key).error(in_quotes(both) + " would have to be kept and bypassed at " +
                                in_quotes(memory.name));
  }
  return {};
}

Status check_constraint(const Arch& arch, const Constraint& constraint, const Reader& reader) {
  if (constraint.node.empty()) {
    if (!constraint.dataflow.empty()) return {};
    return reader.error(
        "the key 'node' is missing: name the memory or fan-out that is constrained");
  }
  std::vector<std::string> names;
  for (const Memory& memory : arch.memories) names.push_back(memory.name);
  for (const Fanout& fanout : arch.fanouts) names.push_back(fanout.name);
  if (std::find(names.begin(), names.end(), constraint.node) == names.end()) {
    if (constraint.node == arch.compute.name) {
      return reader.at("node").error(
          "nothing can be constrained at the compute node; name the "
          "memory or fan-out above it");
    }
    return reader.at("node").error("unknown node " + in_quotes(constraint.node) +
                                   suggestion(constraint.node, names));
  }
  Constraint empty;
  empty.node = constraint.node;
  if (constraint == empty) return reader.error("this constrains nothing: add factors, order, ...");
  if (constraint.min_utilization && !arch.find_fanout(constraint.node)) {
    return reader.at("utilization").error("only a fan-out has a utilization to constrain");
  }
  return check_stores(arch, constraint, reader);
}

}  // namespace

const Table<Constraint>& constraint_table() {
  static const Table<Constraint> table = [] {
    Table<Constraint> t(true);
    t.text("node", &Constraint::node, "The memory or fan-out that is constrained.");
    t.custom("factors", factors_schema(), read_factors, write_factors,
             "Per dimension, the product of its bounds here: 4, \"<=8\", \">=2\" or \"all\".");
    OrderedJson order = fields::names_schema();
    t.custom(
        "order", std::move(order), read_order,
        [](const Constraint& c) { return c.order.empty() ? OrderedJson() : OrderedJson(c.order); },
        "Innermost first: \"s c k\" or a list.");
    add_names(t, "dims", &Constraint::dims, "Only these dimensions may have loops here.");
    add_names(t, "keep", &Constraint::keep, "Roles or tensors that must be stored here.");
    add_names(t, "bypass", &Constraint::bypass, "Roles or tensors that must not be stored here.");
    t.custom("utilization", fields::number_schema({0, 1, true}, true), read_utilization,
             write_utilization, "Least share of the lanes in use: 0.5 or \">=0.5\".");
    add_word(t, "stationary", &Constraint::stationary, {"weight", "input", "output"},
             "The role whose tile stays longest.");
    add_word(t, "dataflow", &Constraint::dataflow, dataflow_names(), "A preset of constraints.");
    return t;
  }();
  return table;
}

Status check_constraints(const Arch& arch) {
  const Reader reader{"/constraints"};
  for (std::size_t i = 0; i < arch.constraints.size(); ++i) {
    Status s = check_constraint(arch, arch.constraints[i], reader.at(i));
    if (!s.ok()) return s;
  }
  return {};
}

}  // namespace loopscape
