// The protocol with an external estimator: one JSON request, one JSON answer.
#include "model/base/json_fields.h"
#include "model/energy/estimate.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

struct Answer {
  bool supported = false;
  double accuracy = 0;
  std::string source, method;
  std::map<std::string, double> actions;
  std::optional<double> leakage_mw, area_um2, cycle_ns;
};

Status read_actions(const Json& json, const Reader& reader, Answer& out) {
  if (!json.is_object()) {
    return reader.error(std::string("expected an object, found ") + fields::kind_name(json));
  }
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (!is_identifier(it.key())) {
      return reader.at(it.key()).error(in_quotes(it.key()) + " is no name of an action");
    }
    Status status = fields::read_number(*it, reader.at(it.key()), fields::kNotNegative, 1,
                                        out.actions[it.key()]);
    if (!status.ok()) return status;
  }
  return {};
}

OrderedJson write_actions(const Answer& answer) {
  OrderedJson json;
  for (const auto& [name, pj] : answer.actions) json[name] = pj;
  return json;
}

const Table<Answer>& answer_table() {
  static const Table<Answer> table = [] {
    using Doc = Answer;
    OrderedJson actions = fields::type_schema("object");
    actions["additionalProperties"] = fields::number_schema(fields::kNotNegative, false);
    Table<Doc> t;
    t.flag("supported", &Doc::supported, "Whether the estimator knows the component.")
        .required()
        .number("accuracy", &Doc::accuracy, {0, 1}, "As of tables: the best wins.")
        .text("source", &Doc::source, "Where the numbers come from.")
        .text("method", &Doc::method, "How they were found.")
        .custom("actions", actions, read_actions, write_actions, "Energy of every action, in pJ.")
        .number("leakage_mw", &Doc::leakage_mw, fields::kNotNegative, "Of one instance.")
        .number("area_um2", &Doc::area_um2, fields::kNotNegative, "Of one instance.")
        .number("cycle_ns", &Doc::cycle_ns, fields::kNotNegative, "Shortest cycle.");
    return t;
  }();
  return table;
}

Status in_answer(const Status& status) {
  return Status(status.code(), status.message())
      .at(status.place())
      .in("the external estimator's answer");
}

}  // namespace

std::string external_request(const EstimateRequest& request) {
  OrderedJson json = {{"version", 1}, {"class", request.component}};
  if (!request.type.empty()) json["type"] = request.type;
  if (request.technology_nm) {
    json["technology_nm"] = fields::number_json(*request.technology_nm);
  }
  if (request.voltage) json["voltage"] = fields::number_json(*request.voltage);
  json["attributes"] = OrderedJson::object();
  for (const auto& [name, value] : request.numbers) {
    json["attributes"][name] = fields::number_json(value);
  }
  return fields::to_text(json);
}

Result<std::optional<Estimate>> parse_external_answer(const std::string& text) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return in_answer(s);
  Answer answer;
  if (Status s = answer_table().read(json, {}, answer); !s.ok()) return in_answer(s);
  if (!answer.supported) return std::optional<Estimate>();
  if (answer.source.empty()) {
    return in_answer(Reader{}.at("source").error("an estimate states its 'source'"));
  }
  Estimate out;
  out.actions = answer.actions;
  out.leakage_mw = answer.leakage_mw;
  out.area_um2 = answer.area_um2;
  out.cycle_ns = answer.cycle_ns;
  out.accuracy = answer.accuracy;
  out.from.source = answer.source;
  out.from.table = "external estimator";
  out.from.method = answer.method;
  return std::optional<Estimate>(std::move(out));
}

}  // namespace loopscape
