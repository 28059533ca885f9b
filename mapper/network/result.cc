// The result of a network as a file.
#include <algorithm>
#include <utility>

#include "mapper/network/network.h"
#include "model/base/fingerprint.h"
#include "model/base/json_fields.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::kNotNegative;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

constexpr fields::IntegerRange kCounts{1};

// The document as it stands in the file; layers and searches are results with some more keys.
struct Doc {
  Doc() = default;
  std::string network, fingerprint;
  double energy_pj = 0, edp = 0, utilization = 0;
  std::int64_t cycles = 0, operations = 0, occurrences = 0, model_revision = 0;
  StoredNetworkOptions options;
  StoredNetworkCertificate certificate;
  Json layers = Json::array(), searches = Json::array(), front = Json::array();
};

const Table<StoredNetworkOptions>& options_table() {
  using Options = StoredNetworkOptions;
  static const Table<Options> table =
      Table<Options>()
          .choice("objective", &Options::objective,
                  {{"energy", "energy"}, {"delay", "delay"}, {"edp", "edp"}, {"ed2p", "ed2p"}},
                  "What should be least.")
          .required()
          .flag("pareto", &Options::pareto, "The whole (energy, cycles) front of the network.")
          .number("max_cycles", &Options::max_cycles, kNotNegative, "No answer has more.")
          .number("max_energy_pj", &Options::max_energy_pj, kNotNegative, "No answer has more.")
          .integer("max_work", &Options::max_work, {}, "Limit on work units of all searches.")
          .number("time_limit_seconds", &Options::time_limit_seconds, kNotNegative,
                  "Limit on time.");
  return table;
}

void add_flag(Table<StoredNetworkCertificate>& table) {
  table.custom(
      "proved", fields::type_schema("boolean"),
      [](const Json& json, const Reader& reader, StoredNetworkCertificate& out) {
        return fields::read_flag(json, reader, out.proved);
      },
      [](const StoredNetworkCertificate& c) { return OrderedJson(c.proved); },
      "Nothing is better.");
  table.required();
}

const Table<StoredNetworkCertificate>& certificate_table() {
  using Certificate = StoredNetworkCertificate;
  static const Table<Certificate> table = [] {
    Table<Certificate> t;
    add_flag(t);
    t.number("lower_bound", &Certificate::lower_bound, kNotNegative, "Of the objective.")
        .required()
        .number("gap", &Certificate::gap, kNotNegative,
                "Best / lower bound - 1; absent: the bound is 0.")
        .number("front_gap", &Certificate::front_gap, kNotNegative,
                "Every choice has at least the energy of a point of the front and at least its "
                "cycles / (1 + front_gap).")
        .integer("states", &Certificate::states, {}, "Of all searches.")
        .required()
        .integer("work", &Certificate::work, {}, "Of all searches.")
        .required()
        .number("seconds", &Certificate::seconds, kNotNegative, "Of all searches.")
        .required();
    return t;
  }();
  return table;
}

OrderedJson list_schema(OrderedJson items) {
  OrderedJson schema = fields::type_schema("array");
  schema["items"] = std::move(items);
  return schema;
}

// A result and the keys that a network adds to it.
OrderedJson result_with(const std::vector<const char*>& integers) {
  OrderedJson schema = OrderedJson::parse(result_schema(), nullptr, false);
  schema["properties"]["names"] = fields::names_schema();
  schema["required"].push_back("names");
  for (const char* key : integers) {
    schema["properties"][key] = fields::integer_schema({}, false);
    schema["required"].push_back(key);
  }
  return schema;
}

OrderedJson front_schema() {
  OrderedJson point = fields::type_schema("object");
  point["properties"]["energy_pj"] = fields::type_schema("number");
  point["properties"]["cycles"] = fields::type_schema("integer");
  point["properties"]["copies"] = list_schema(list_schema(fields::type_schema("integer")));
  point["required"] = {"energy_pj", "cycles", "copies"};
  point["additionalProperties"] = false;
  return list_schema(std::move(point));
}

void add_list(Table<Doc>& table, const char* key, Json Doc::*member, OrderedJson schema,
              const char* description) {
  table.custom(
      key, std::move(schema),
      [member](const Json& json, const Reader& reader, Doc& out) {
        if (!json.is_array()) return reader.error("expected a list");
        out.*member = json;
        return Status();
      },
      // Written by their own functions: the order of keys matters there.
      [](const Doc&) { return OrderedJson(); }, description);
}

const Table<Doc>& doc_table() {
  static const Table<Doc> table = [] {
    Table<Doc> t;
    t.text("network", &Doc::network, "The network's name.")
        .number("energy_pj", &Doc::energy_pj, kNotNegative, "Of all layers.")
        .required()
        .integer("cycles", &Doc::cycles, {}, "Of all layers, one after the other.")
        .required()
        .number("edp_pj_cycles", &Doc::edp, kNotNegative, "Energy times cycles.")
        .required()
        .number("utilization", &Doc::utilization, kNotNegative, "Of all layers.")
        .required()
        .integer("operations", &Doc::operations, {}, "Of all layers.")
        .required()
        .integer("occurrences", &Doc::occurrences, {}, "Layers, counts included.")
        .required()
        .object("options", &Doc::options, options_table(), "What was asked for.")
        .required()
        .object("certificate", &Doc::certificate, certificate_table(),
                "What the searches together say of the answer.")
        .required();
    add_list(t, "layers", &Doc::layers, list_schema(result_with({"count", "search"})),
             "Results: one for every mapping that some layers have.");
    t.required();
    add_list(t, "searches", &Doc::searches, list_schema(result_with({"count"})),
             "Results: one for every class of equal layers, with its certificate and front.");
    t.required();
    add_list(t, "front", &Doc::front, front_schema(),
             "Choices of which none has less of both; how many copies take which mapping.");
    t.text("fingerprint", &Doc::fingerprint, "Follows from the layers' results and the options.")
        .required()
        .integer("model_revision", &Doc::model_revision, {}, "Changes when any number can change.")
        .required();
    return t;
  }();
  return table;
}

// ---- reading ----

Status read_result(Json json, const Reader& reader, StoredResult& out) {
  const Result<StoredResult> result = parse_result(json.dump());
  if (!result.ok()) {
    const Status& status = result.status();
    return Status(status.code(), status.message()).at(reader.place + status.place());
  }
  out = *result;
  return {};
}

// Takes the key out of the object, so that a result is left.
Status take(Json& json, const Reader& reader, const char* key, Json& out) {
  if (!json.is_object() || !json.contains(key)) {
    return reader.error("the key " + in_quotes(key) + " is missing");
  }
  out = json[key];
  json.erase(key);
  return {};
}

Status take_integer(Json& json, const Reader& reader, const char* key, fields::IntegerRange range,
                    std::int64_t& out) {
  Json value;
  if (Status s = take(json, reader, key, value); !s.ok()) return s;
  return fields::read_integer(value, reader.at(key), range, 1, out);
}

Status take_names(Json& json, const Reader& reader, std::vector<std::string>& out) {
  Json value;
  if (Status s = take(json, reader, "names", value); !s.ok()) return s;
  return fields::read_names(value, reader.at("names"), out);
}

Status read_layers(const Json& all, StoredNetwork& out) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Reader reader = Reader{"/layers"}.at(i);
    Json json = all[i];
    StoredLayer layer;
    std::int64_t search = 0;
    const auto last = static_cast<std::int64_t>(out.searches.size()) - 1;
    if (Status s = take_names(json, reader, layer.names); !s.ok()) return s;
    if (Status s = take_integer(json, reader, "count", kCounts, layer.count); !s.ok()) return s;
    if (Status s = take_integer(json, reader, "search", {0, last}, search); !s.ok()) return s;
    layer.search = static_cast<std::size_t>(search);
    if (Status s = read_result(std::move(json), reader, layer.result); !s.ok()) return s;
    out.layers.push_back(std::move(layer));
  }
  return {};
}

Status read_searches(const Json& all, StoredNetwork& out) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Reader reader = Reader{"/searches"}.at(i);
    Json json = all[i];
    StoredLayerSearch search;
    if (Status s = take_names(json, reader, search.names); !s.ok()) return s;
    if (Status s = take_integer(json, reader, "count", kCounts, search.count); !s.ok()) return s;
    if (Status s = read_result(std::move(json), reader, search.result); !s.ok()) return s;
    out.searches.push_back(std::move(search));
  }
  if (out.searches.empty()) return Reader{"/searches"}.error("a network has at least one layer");
  return {};
}

Status read_copies(const Json& json, const Reader& reader, const StoredNetwork& network,
                   Copies& out) {
  const auto wrong = [&] {
    return reader.error("expected for each search how many copies take which of its points");
  };
  if (!json.is_array() || json.size() != network.searches.size()) return wrong();
  for (std::size_t s = 0; s < json.size(); ++s) {
    const StoredLayerSearch& search = network.searches[s];
    if (!json[s].is_array() || json[s].size() != points_of(search.result).size()) return wrong();
    out.emplace_back();
    OverflowFlag overflow;
    std::int64_t sum = 0;
    for (std::size_t p = 0; p < json[s].size(); ++p) {
      std::int64_t copies = 0;
      Status status = fields::read_integer(json[s][p], reader.at(s).at(p), {}, 1, copies);
      if (!status.ok()) return status;
      sum = overflow.add(sum, copies);
      out.back().push_back(static_cast<std::uint64_t>(copies));
    }
    if (overflow.raised() || sum != search.count) {
      return reader.at(s).error("the copies add up to another number than the layer's count, " +
                                std::to_string(search.count));
    }
  }
  return {};
}

Status read_front(const Json& all, StoredNetwork& out) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Reader reader = Reader{"/front"}.at(i);
    Json json = all[i], copies, energy;
    StoredNetworkPoint point;
    if (Status s = take(json, reader, "copies", copies); !s.ok()) return s;
    if (Status s = take(json, reader, "energy_pj", energy); !s.ok()) return s;
    Status s =
        fields::read_number(energy, reader.at("energy_pj"), kNotNegative, 1, point.total.energy_pj);
    if (!s.ok()) return s;
    s = take_integer(json, reader, "cycles", {}, point.total.cycles);
    if (!s.ok()) return s;
    if (!json.empty()) return reader.error("unknown key " + in_quotes(json.items().begin().key()));
    s = read_copies(copies, reader.at("copies"), out, point.copies);
    if (!s.ok()) return s;
    out.front.push_back(std::move(point));
  }
  return {};
}

// ---- writing ----

OrderedJson result_json(const StoredResult& result, const std::vector<std::string>& names,
                        std::int64_t count) {
  OrderedJson json = {{"names", names}, {"count", count}};
  const OrderedJson own = OrderedJson::parse(result_to_json(result), nullptr, false);
  for (auto it = own.begin(); it != own.end(); ++it) json[it.key()] = *it;
  return json;
}

Doc doc_of(const StoredNetwork& network) {
  Doc doc;
  doc.network = network.name;
  doc.energy_pj = network.total.energy_pj;
  doc.cycles = network.total.cycles;
  doc.edp = network.total.energy_pj * static_cast<double>(network.total.cycles);
  doc.utilization = network.utilization;
  doc.operations = network.operations;
  doc.occurrences = network.occurrences;
  doc.options = network.options;
  doc.certificate = network.certificate;
  doc.fingerprint = network.fingerprint;
  doc.model_revision = network.model_revision;
  return doc;
}

}  // namespace

std::vector<StoredMapping> points_of(const StoredResult& search) {
  if (!search.front.empty()) return search.front;
  return {{search.breakdown.energy_pj, search.breakdown.cycles, search.mapping}};
}

Status complete(StoredNetwork& network) {
  OverflowFlag overflow;
  network.total = {};
  network.operations = network.occurrences = 0;
  double useful = 0;
  Fingerprint fingerprint;
  fingerprint.add(fields::to_text(options_table().write(network.options)));
  for (const StoredLayer& layer : network.layers) {
    const Breakdown& breakdown = layer.result.breakdown;
    const auto count = static_cast<double>(layer.count);
    network.total.energy_pj += count * breakdown.energy_pj;
    network.total.cycles =
        overflow.add(network.total.cycles, overflow.mul(layer.count, breakdown.cycles));
    network.operations =
        overflow.add(network.operations, overflow.mul(layer.count, breakdown.operations));
    network.occurrences = overflow.add(network.occurrences, layer.count);
    useful += count * breakdown.utilization * static_cast<double>(breakdown.cycles);
    fingerprint.add(std::to_string(layer.count));
    fingerprint.add(layer.result.fingerprint);
  }
  if (overflow.raised()) {
    return {StatusCode::kOverflow, "the totals of the network do not fit 63 bits"};
  }
  const auto cycles = static_cast<double>(network.total.cycles);
  network.utilization = cycles > 0 ? useful / cycles : 0;
  network.fingerprint = fingerprint.hex();
  return {};
}

std::string network_result_to_json(const StoredNetwork& network) {
  OrderedJson json = doc_table().write(doc_of(network));
  json["layers"] = OrderedJson::array();
  for (const StoredLayer& layer : network.layers) {
    OrderedJson one = result_json(layer.result, layer.names, layer.count);
    one["search"] = layer.search;
    json["layers"].push_back(std::move(one));
  }
  json["searches"] = OrderedJson::array();
  for (const StoredLayerSearch& search : network.searches) {
    json["searches"].push_back(result_json(search.result, search.names, search.count));
  }
  for (const StoredNetworkPoint& point : network.front) {
    json["front"].push_back({{"energy_pj", point.total.energy_pj},
                             {"cycles", point.total.cycles},
                             {"copies", point.copies}});
  }
  return fields::to_text(json);
}

Result<StoredNetwork> parse_network_result(std::string_view text) {
  Json json;
  if (Status s = fields::parse_json(text, json, fields::kMaxResultBytes); !s.ok()) return s;
  Doc doc;
  if (Status s = doc_table().read(json, {}, doc); !s.ok()) return s;
  StoredNetwork out;
  out.name = doc.network;
  out.total = {doc.energy_pj, doc.cycles};
  out.operations = doc.operations;
  out.occurrences = doc.occurrences;
  out.utilization = doc.utilization;
  out.options = doc.options;
  out.certificate = doc.certificate;
  out.fingerprint = doc.fingerprint;
  out.model_revision = doc.model_revision;
  if (Status s = read_searches(doc.searches, out); !s.ok()) return s;
  if (Status s = read_layers(doc.layers, out); !s.ok()) return s;
  if (Status s = read_front(doc.front, out); !s.ok()) return s;
  return out;
}

std::string network_result_schema() { return fields::to_text(doc_table().schema()); }

bool is_network_result(std::string_view text) {
  Json json;
  return fields::parse_json(text, json, fields::kMaxResultBytes).ok() && json.is_object() &&
         json.contains("layers") && json.contains("fingerprint");
}

}  // namespace loopscape
