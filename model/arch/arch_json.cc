// The JSON form of an architecture, and make_arch(), which goes through the same tables.
#include <set>
#include <utility>

#include "model/arch/arch_tables.h"
#include "model/base/expression.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::kPositive;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

// --- variables -------------------------------------------------------------------------------

// A number's text is canonical, so that it is written back as the same number.
Status read_variables(const Json& json, const Reader& reader, Arch& out) {
  if (!json.is_object()) {
    return reader.error(std::string("expected an object, found ") + fields::kind_name(json));
  }
  if (json.size() > kMaxVariables) {
    return reader.error("more than " + std::to_string(kMaxVariables) + " variables");
  }
  for (auto it = json.begin(); it != json.end(); ++it) {
    const Reader place = reader.at(it.key());
    if (!is_identifier(it.key()) || is_function_name(it.key())) {
      return place.error(in_quotes(it.key()) +
                         " is no name for a variable (a letter or "
                         "underscore, then letters, digits or underscores; no function's name)");
    }
    std::string& text = out.variables[it.key()];
    if (it->is_number()) {
      double value = 0;
      Status s = fields::read_number(*it, place, {-1e300, 1e300}, 1, value);
      if (!s.ok()) return s;
      text = number_text(value);
    } else if (Status s = fields::read_text(*it, place, text); !s.ok()) {
      return s;
    }
  }
  return {};
}

OrderedJson write_variables(const Arch& arch) {
  OrderedJson json;
  for (const auto& [name, text] : arch.variables) {
    const OrderedJson number = OrderedJson::parse(text, nullptr, false);
    const bool same = number.is_number() && number_text(number.get<double>()) == text;
    json[name] = same ? number : OrderedJson(text);
  }
  return json;
}

// Every variable has a value, used or not.
Status check_variables(const Arch& arch, Variables& variables) {
  for (const auto& variable : arch.variables) {
    const Result<double> value = variables.value(variable.first);
    if (!value.ok()) return value.status().at("/variables/" + variable.first);
  }
  return {};
}

// --- nodes -----------------------------------------------------------------------------------

Status read_node(const Json& json, const Reader& reader, Arch& out) {
  const char* const kinds[] = {"memory", "fanout", "compute"};
  const char* found = nullptr;
  for (const char* kind : kinds) {
    if (!json.is_object() || !json.contains(kind)) continue;
    if (found) {
      return reader.error(std::string("a node is one thing: both '") + found + "' and '" + kind +
                          "' are given");
    }
    found = kind;
  }
  if (!found) {
    return reader.error(
        "a node is {\"memory\": NAME, ...}, {\"fanout\": NAME, ...} or {\"compute\": NAME, ...}");
  }
  if (found == kinds[0]) {
    if (out.memories.size() == kMaxMemories) {
      return reader.error("more than " + std::to_string(kMaxMemories) + " memories");
    }
    out.nodes.push_back({NodeKind::kMemory, static_cast<std::uint8_t>(out.memories.size())});
    return memory_table().read(json, reader, out.memories.emplace_back());
  }
  if (found == kinds[1]) {
    if (out.fanouts.size() == kMaxFanouts) {
      return reader.error("more than " + std::to_string(kMaxFanouts) + " fan-outs");
    }
    out.nodes.push_back({NodeKind::kFanout, static_cast<std::uint8_t>(out.fanouts.size())});
    return fanout_table().read(json, reader, out.fanouts.emplace_back());
  }
  for (const ArchNode& node : out.nodes) {
    if (node.kind == NodeKind::kCompute) return reader.error("there is one compute node, not two");
  }
  out.nodes.push_back({NodeKind::kCompute, 0});
  return compute_table().read(json, reader, out.compute);
}

Status read_nodes(const Json& json, const Reader& reader, Arch& out) {
  if (!json.is_array()) {
    return reader.error(std::string("expected a list of nodes, found ") + fields::kind_name(json));
  }
  Reader inner = reader;
  inner.word_bits = out.word_bits;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (Status s = read_node(json[i], inner.at(i), out); !s.ok()) return s;
  }
  return {};
}

OrderedJson write_nodes(const Arch& arch) {
  OrderedJson json = OrderedJson::array();
  for (const ArchNode& node : arch.nodes) {
    switch (node.kind) {
      case NodeKind::kMemory:
        json.push_back(memory_table().write(arch.memories[node.id]));
        break;
      case NodeKind::kFanout:
        json.push_back(fanout_table().write(arch.fanouts[node.id]));
        break;
      case NodeKind::kCompute:
        json.push_back(compute_table().write(arch.compute));
        break;
    }
  }
  return json;
}

OrderedJson nodes_schema() {
  OrderedJson node = OrderedJson::object();
  node["anyOf"] = OrderedJson::array(
      {memory_table().schema(), fanout_table().schema(), compute_table().schema()});
  OrderedJson schema = fields::list_schema(std::move(node));
  schema["minItems"] = 2;
  return schema;
}

OrderedJson variables_schema() {
  OrderedJson schema = fields::type_schema("object");
  schema["additionalProperties"]["type"] = {"number", "string"};
  return schema;
}

const Table<RoleBits>& role_bits_table() {
  static const Table<RoleBits> table =
      Table<RoleBits>(true)
          .integer("weight", &RoleBits::weight, {1, 65536}, "Weights; default: word_bits.")
          .integer("input", &RoleBits::input, {1, 65536}, "Inputs; default: word_bits.")
          .integer("output", &RoleBits::output, {1, 65536}, "Partial sums; default: word_bits.")
          .integer("final", &RoleBits::final, {1, 65536},
                   "A result's last visit; default: as 'output'.");
  return table;
}

const Table<Arch>& arch_table() {
  static const Table<Arch> table =
      Table<Arch>(true)
          .document()
          .text("name", &Arch::name, "What reports call it.")
          .text("comment", &Arch::comment, "Where the numbers come from.")
          .custom("variables", variables_schema(), read_variables, write_variables,
                  "Names for numbers, which expressions (and sweeps) use.")
          .number("technology_nm", &Arch::technology_nm, kPositive, "Process node.")
          .number("voltage", &Arch::voltage, kPositive, "Supply, in volts.")
          .number({{"clock_mhz"}, {"clock_ghz", 1, 1e3}}, &Arch::clock_mhz, kPositive, "Clock.")
          .integer("word_bits", &Arch::word_bits, {1, 65536}, "Width of a word.")
          .object("role_bits", &Arch::role_bits, role_bits_table(),
                  "Widths of tensors whose problem states none, by their role.")
          .custom("nodes", fields::Schema(nodes_schema), read_nodes,
                  write_nodes,  // after word_bits: "words"
                  "Memories, fan-outs and the compute node, outermost first.")
          .required()
          .list("constraints", &Arch::constraints, constraint_table(),
                "What mappings must respect; a constraint only removes mappings.")
          .object("conventions", &Arch::conventions, fields::conventions_table(),
                  "Counting conventions.");
  return table;
}

// --- reading and making ----------------------------------------------------------------------

Status override_variables(const std::map<std::string, double>& overrides, Json& json) {
  const Reader reader{"/variables"};
  for (const auto& [name, value] : overrides) {
    std::vector<std::string> names;
    const auto variables = json.find("variables");
    if (variables != json.end() && variables->is_object()) {
      for (auto it = variables->begin(); it != variables->end(); ++it) names.push_back(it.key());
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return reader.error("no variable " + in_quotes(name) + " to override" +
                          suggestion(name, names));
    }
    json["variables"][name] = value;
  }
  return {};
}

Result<Arch> from_json(const Json& json) {
  Arch first;  // variables alone: everything else may be an expression over them
  if (json.is_object() && json.contains("variables")) {
    Status s = read_variables(json["variables"], Reader{"/variables"}, first);
    if (!s.ok()) return s;
  }
  Variables variables(first.variables);
  if (Status s = check_variables(first, variables); !s.ok()) return s;
  const Reader::Evaluate evaluate = [&](std::string_view text) { return variables.evaluate(text); };
  Reader root;
  root.evaluate = &evaluate;
  Arch arch;
  if (Status s = arch_table().read(json, root, arch); !s.ok()) return s;
  if (Status s = check_nodes(arch); !s.ok()) return s;
  if (Status s = check_constraints(arch); !s.ok()) return s;
  return arch;
}

// What would be lost or would be out of bounds if the draft were written.
Status check_structure(const Arch& draft) {
  const auto fail = [](std::string place, std::string message) {
    return Status(StatusCode::kInvalidInput, std::move(message)).at(std::move(place));
  };
  std::size_t memories = 0, fanouts = 0;
  for (const ArchNode& node : draft.nodes) {
    const bool memory = node.kind == NodeKind::kMemory, fanout = node.kind == NodeKind::kFanout;
    if (memory && node.id != memories++) return fail("/nodes", "memories are numbered in order");
    if (fanout && node.id != fanouts++) return fail("/nodes", "fan-outs are numbered in order");
  }
  if (memories != draft.memories.size() || fanouts != draft.fanouts.size()) {
    return fail("/nodes", "every memory and fan-out is one of the nodes");
  }
  for (const Fanout& fanout : draft.fanouts) {
    std::set<std::string> names;
    for (const Axis& axis : fanout.axes) {
      if (!names.insert(axis.name).second) return fail("/nodes", "two axes have one name");
    }
  }
  for (const Constraint& constraint : draft.constraints) {
    std::set<std::string> names;
    for (const FactorConstraint& factor : constraint.factors) {
      if (!names.insert(factor.dim).second) return fail("/constraints", "two factors of one name");
    }
  }
  return {};
}

template <class T>
Status check_attributes(const T& component) {
  std::set<std::string> written;
  const OrderedJson json = [&] {
    if constexpr (std::is_same_v<T, Memory>)
      return memory_table().write(component);
    else
      return compute_table().write(component);
  }();
  for (const auto& attribute : component.attributes) {
    if (json.contains(attribute.first)) continue;
    if (json.contains("attributes") && json["attributes"].contains(attribute.first)) continue;
    return Status(StatusCode::kInvalidInput, "unknown attribute " + in_quotes(attribute.first) +
                                                 " of " + in_quotes(component.name))
        .at("/nodes");
  }
  return {};
}

}  // namespace

Result<Arch> make_arch(const Arch& draft) {
  if (Status s = check_structure(draft); !s.ok()) return s;
  for (const Memory& memory : draft.memories) {
    if (Status s = check_attributes(memory); !s.ok()) return s;
  }
  if (Status s = check_attributes(draft.compute); !s.ok()) return s;
  return from_json(Json(arch_table().write(draft)));
}

Result<Arch> parse_arch(std::string_view text) { return parse_arch(text, {}); }

Result<Arch> parse_arch(std::string_view text, const std::map<std::string, double>& overrides) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return s;
  if (!json.is_object()) {
    return Reader().error(std::string("expected an object, found ") + fields::kind_name(json));
  }
  const std::string kind = fields::file_kind(json);
  if (!kind.empty() && kind != "an architecture") {
    return Reader().error("this is " + kind + "; an architecture is expected here");
  }
  if (Status s = override_variables(overrides, json); !s.ok()) return s;
  return from_json(json);
}

std::string arch_to_json(const Arch& arch) { return fields::to_text(arch_table().write(arch)); }

std::string arch_schema() {
  OrderedJson schema = OrderedJson::object();
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "Loopscape architecture, version 1";
  const OrderedJson fields_schema = arch_table().schema();
  for (auto it = fields_schema.begin(); it != fields_schema.end(); ++it) schema[it.key()] = *it;
  return fields::to_text(schema);
}

}  // namespace loopscape
