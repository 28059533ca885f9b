// Prices as a part of other documents.
#include "model/base/json_fields.h"
#include "model/energy/energy.h"
#include "model/energy/table.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

const Table<Provenance>& provenance_table() {
  static const Table<Provenance> table = [] {
    using Doc = Provenance;
    Table<Doc> t;
    t.text("source", &Doc::source, "Who published it; 'spec': the architecture states it.")
        .required()
        .text("table", &Doc::table, "The component table it is in.")
        .text("method", &Doc::method, "How the number follows from the source.")
        .names("parts", &Doc::parts, "Of a compound: what it is built from, and their tables.")
        .number("node_nm", &Doc::node_nm, fields::kPositive, "Where the table's number stands.")
        .flag("interpolated", &Doc::interpolated, "Between points of the table.")
        .flag("scaled", &Doc::scaled, "To another node or supply.")
        .flag("extrapolated", &Doc::extrapolated, "Outside the table, as asked for.");
    return t;
  }();
  return table;
}

const Table<PricedNumber>& number_table() {
  static const Table<PricedNumber> table = [] {
    using Doc = PricedNumber;
    Table<Doc> t;
    t.text("name", &Doc::name, "The action or property.")
        .required()
        .number("value", &Doc::value, fields::kNotNegative, "Actions: pJ. Else as the name says.")
        .required()
        .include(&Doc::from, provenance_table());
    return t;
  }();
  return table;
}

const Table<ComponentPrices>& component_table() {
  static const Table<ComponentPrices> table = [] {
    using Doc = ComponentPrices;
    Table<Doc> t;
    t.text("node", &Doc::node, "As in the architecture.")
        .required()
        .text("class", &Doc::component, "Component class, and type.")
        .integer("instances", &Doc::instances, {0}, "How often it exists.")
        .integer("bits", &Doc::bits, {0}, "What one action moves or works on.")
        .list("actions", &Doc::actions, number_table(), "Energy of one action, in pJ.")
        .list("properties", &Doc::properties, number_table(), "Of one instance.");
    return t;
  }();
  return table;
}

}  // namespace

std::string prices_to_json(const std::vector<ComponentPrices>& prices) {
  OrderedJson json = OrderedJson::array();
  for (const ComponentPrices& its : prices) json.push_back(component_table().write(its));
  return fields::to_text(json);
}

Result<std::vector<ComponentPrices>> parse_prices(std::string_view text) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return s;
  if (!json.is_array()) return Reader{}.error("expected a list of components");
  std::vector<ComponentPrices> out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    Status status = component_table().read(json[i], Reader{}.at(i), out.emplace_back());
    if (!status.ok()) return status;
  }
  return out;
}

std::string prices_schema() {
  OrderedJson schema = fields::type_schema("array");
  schema["items"] = component_table().schema();
  return fields::to_text(schema);
}

std::string tables_schema() { return table_file_schema(); }

}  // namespace loopscape
