// The JSON form of component tables.
#include "model/base/expression.h"
#include "model/base/json_fields.h"
#include "model/energy/table.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

constexpr fields::NumberRange kAny{-1e300, 1e300};
constexpr std::size_t kMostRows = 20000;

// --- expressions -----------------------------------------------------------------------------

OrderedJson expression_schema() {
  OrderedJson schema = OrderedJson::object();
  schema["type"] = OrderedJson::array({"number", "string"});
  return schema;
}

Status read_expression(const Json& json, const Reader& reader, std::string& out) {
  if (json.is_string()) return fields::read_text(json, reader, out);
  double value = 0;
  Status status = fields::read_number(json, reader, kAny, 1, value);
  if (status.ok()) out = number_text(value);
  return status;
}

OrderedJson expression_json(const std::string& text) {
  const OrderedJson number = OrderedJson::parse(text, nullptr, false);
  return number.is_number() ? number : OrderedJson(text);
}

template <class T>
void expression(Table<T>& table, const char* key, std::string T::*member, const char* description) {
  table.custom(
      key, expression_schema(),
      [member](const Json& json, const Reader& reader, T& out) {
        return read_expression(json, reader, out.*member);
      },
      [member](const T& object) {
        return (object.*member).empty() ? OrderedJson() : expression_json(object.*member);
      },
      description);
}

Status expect(const Json& json, const Reader& reader, bool right, const char* what) {
  if (right) return {};
  return reader.error(std::string("expected ") + what + ", found " + fields::kind_name(json));
}

template <class T>
void expressions(Table<T>& table, const char* key, Expressions T::*member,
                 const char* description) {
  OrderedJson schema = fields::type_schema("object");
  schema["additionalProperties"] = expression_schema();
  table.custom(
      key, schema,
      [member](const Json& json, const Reader& reader, T& out) {
        if (Status s = expect(json, reader, json.is_object(), "an object"); !s.ok()) return s;
        for (auto it = json.begin(); it != json.end(); ++it) {
          const Reader place = reader.at(it.key());
          if (!is_identifier(it.key()) || is_function_name(it.key())) {
            return place.error(in_quotes(it.key()) + " is no name for a number");
          }
          Status status = read_expression(*it, place, (out.*member)[it.key()]);
          if (!status.ok()) return status;
        }
        return Status();
      },
      [member](const T& object) {
        OrderedJson json;
        for (const auto& [name, text] : object.*member) json[name] = expression_json(text);
        return json;
      },
      description);
}

// --- rows ------------------------------------------------------------------------------------

Status read_rows(const Json& json, const Reader& reader, std::vector<std::vector<double>>& out) {
  if (Status s = expect(json, reader, json.is_array(), "a list of rows"); !s.ok()) return s;
  if (json.size() > kMostRows) {
    return reader.error("more than " + std::to_string(kMostRows) + " rows");
  }
  for (std::size_t i = 0; i < json.size(); ++i) {
    Status s = fields::read_numbers(json[i], reader.at(i), kAny, out.emplace_back());
    if (!s.ok()) return s;
  }
  return {};
}

template <class T>
void rows(Table<T>& table, std::vector<std::vector<double>> T::*member, const char* description) {
  OrderedJson schema = fields::list_schema(fields::list_schema(fields::type_schema("number")));
  schema["maxItems"] = kMostRows;
  table.custom(
      "rows", schema,
      [member](const Json& json, const Reader& reader, T& out) {
        return read_rows(json, reader, out.*member);
      },
      [member](const T& object) {
        OrderedJson json;
        for (const std::vector<double>& values : object.*member) json.push_back(values);
        return json;
      },
      description);
}

// --- tables ----------------------------------------------------------------------------------

const Table<TableAttribute>& attribute_table() {
  static const Table<TableAttribute> table = [] {
    using Doc = TableAttribute;
    Table<Doc> t;
    t.text("name", &Doc::name, "As components write it.")
        .required()
        .number("min", &Doc::least, kAny, "Least legal value.")
        .number("max", &Doc::most, kAny, "Greatest legal value.");
    expression(t, "default", &Doc::otherwise, "If it is not given; absent: it must be.");
    t.text("meaning", &Doc::meaning, "What it is.");
    return t;
  }();
  return table;
}

const Table<TablePart>& part_table() {
  static const Table<TablePart> table = [] {
    using Doc = TablePart;
    Table<Doc> t;
    t.text("part", &Doc::name, "Its name: NAME_read, NAME_area_um2, ... become numbers.")
        .required()
        .text("class", &Doc::component, "The component it is.")
        .required()
        .text("type", &Doc::type, "Its type.");
    expressions(t, "attributes", &Doc::attributes, "Its attributes.");
    expression(t, "count", &Doc::count, "How many; default 1. Counts for leakage and area.");
    return t;
  }();
  return table;
}

void add_numbers(Table<EnergyTable>& t) {
  using Doc = EnergyTable;
  t.names("axes", &Doc::axes, "Attributes that the rows are placed by; technology_nm first.")
      .names("columns", &Doc::columns, "Names of a row's other numbers.");
  rows(t, &Doc::rows, "Places on the axes, then columns; interpolated in log space.");
  expressions(t, "let", &Doc::let, "Names for numbers, used below.");
  t.list("parts", &Doc::parts, part_table(), "Components that it is built from.");
  expressions(t, "actions", &Doc::actions, "Energy of every action, in pJ.");
  expression(t, "leakage_mw", &Doc::leakage_mw, "Of one instance; default: of its parts.");
  expression(t, "area_um2", &Doc::area_um2, "Of one instance; default: of its parts.");
  expression(t, "cycle_ns", &Doc::cycle_ns, "Shortest cycle; default: of its slowest part.");
}

const Table<EnergyTable>& energy_table() {
  static const Table<EnergyTable> table = [] {
    using Doc = EnergyTable;
    Table<Doc> t;
    t.text("name", &Doc::name, "Unique.")
        .required()
        .names("class", &Doc::classes, "The components that it prices.")
        .required()
        .names("type", &Doc::types, "The values of 'type' it is for; default: none given.")
        .text("source", &Doc::source, "Who published the numbers, and where.")
        .required()
        .text("method", &Doc::method, "How the numbers follow from the source.")
        .number("accuracy", &Doc::accuracy, {0, 1}, "0 to 1: of tables that answer, the best wins.")
        .required()
        .number("technology_nm", &Doc::technology_nm, fields::kPositive, "Node of the numbers.");
    expression(t, "voltage", &Doc::voltage, "Supply of the numbers; default: nominal.");
    t.choice("scaling", &Doc::scaling,
             {{"none", ScalingRule::kNone},
              {"logic", ScalingRule::kLogic},
              {"memory", ScalingRule::kMemory}},
             "How the numbers go to other nodes and supplies; default none.")
        .list("attributes", &Doc::attributes, attribute_table(), "What it reads of a component.");
    add_numbers(t);
    return t;
  }();
  return table;
}

const Table<TableCheck>& check_table() {
  static const Table<TableCheck> table = [] {
    using Doc = TableCheck;
    Table<Doc> t;
    t.text("name", &Doc::name, "What is published.").required();
    t.text("source", &Doc::source, "By whom.").required();
    t.text("class", &Doc::component, "The component.").required();
    t.text("type", &Doc::type, "Its type.");
    t.names("columns", &Doc::columns, "Attributes; after '=', published figures: '=read'.")
        .required();
    rows(t, &Doc::rows, "One figure or several per row.");
    t.number("within", &Doc::within, fields::kPositive,
             "The larger over the smaller, less 1, is at most this.")
        .required();
    return t;
  }();
  return table;
}

// --- technology scaling ----------------------------------------------------------------------

const Table<ScalingNode>& node_table() {
  static const Table<ScalingNode> table = [] {
    using Doc = ScalingNode;
    Table<Doc> t;
    t.number("nm", &Doc::nm, fields::kPositive, "Node.").required();
    t.number("area", &Doc::area, fields::kPositive, "Relative area.").required();
    t.number("a", &Doc::a, kAny, "Energy is a V^2 + b V + c.").required();
    t.number("b", &Doc::b, kAny, "Energy is a V^2 + b V + c.").required();
    t.number("c", &Doc::c, kAny, "Energy is a V^2 + b V + c.").required();
    return t;
  }();
  return table;
}

const Table<NominalSupply>& supply_table() {
  static const Table<NominalSupply> table = [] {
    using Doc = NominalSupply;
    Table<Doc> t;
    t.number("nm", &Doc::nm, fields::kPositive, "Node.").required();
    t.number("voltage", &Doc::voltage, fields::kPositive, "Its nominal supply.").required();
    return t;
  }();
  return table;
}

const Table<TechnologyScaling>& scaling_table() {
  static const Table<TechnologyScaling> table = [] {
    using Doc = TechnologyScaling;
    Table<Doc> t;
    t.text("source", &Doc::source, "Who published the rules.").required();
    t.list("nodes", &Doc::nodes, node_table(), "By decreasing node.").required();
    t.list("supplies", &Doc::supplies, supply_table(), "By decreasing node.").required();
    const auto number = [&](const char* key, double Doc::*member, const char* description) {
      t.number(key, member, fields::kNotNegative, description).required();
    };
    number("min_nm", &Doc::least_nm, "Least node.");
    number("max_nm", &Doc::most_nm, "Greatest node.");
    number("min_voltage", &Doc::least_voltage, "Least supply.");
    number("max_voltage", &Doc::most_voltage, "Greatest supply.");
    number("reference_voltage", &Doc::reference_voltage, "Of factors between nodes.");
    number("energy_exponent_below", &Doc::energy_exponent_below, "Below the last node.");
    number("area_exponent_below", &Doc::area_exponent_below, "Below the last node.");
    number("memory_floor_nm", &Doc::memory_floor_nm, "Memories scale as logic down to here.");
    number("memory_energy_exponent", &Doc::memory_energy_exponent, "Below the floor.");
    number("memory_area_exponent", &Doc::memory_area_exponent, "Below the floor.");
    number("memory_leakage_step", &Doc::memory_leakage_step, "Once, below the floor.");
    return t;
  }();
  return table;
}

const Table<TableFile>& file_table() {
  static const Table<TableFile> table = [] {
    using Doc = TableFile;
    Table<Doc> t;
    t.document()
        .list("tables", &Doc::tables, energy_table(), "Component tables.")
        .list("checks", &Doc::checks, check_table(), "Published figures to compare with.")
        .object("scaling", &Doc::scaling, scaling_table(), "Rules between nodes and supplies.");
    return t;
  }();
  return table;
}

}  // namespace

Result<TableFile> parse_table_file(const std::string& name, std::string_view text) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return std::move(s).in(name);
  TableFile file;
  if (Status s = file_table().read(json, {}, file); !s.ok()) return std::move(s).in(name);
  for (EnergyTable& table : file.tables) table.file = name;
  if (Status s = finish_tables(file); !s.ok()) return std::move(s).in(name);
  return file;
}

std::string table_file_schema() {
  OrderedJson schema = OrderedJson::object();
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "Loopscape component tables, version 1";
  const OrderedJson fields_schema = file_table().schema();
  for (auto it = fields_schema.begin(); it != fields_schema.end(); ++it) schema[it.key()] = *it;
  return fields::to_text(schema);
}

}  // namespace loopscape
