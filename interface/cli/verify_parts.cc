// A network's result, part by part: what was cut out of it, and its searches solved again.
#include <algorithm>
#include <utility>

#include "interface/cli/numbers.h"
#include "interface/cli/text_table.h"
#include "interface/cli/verify_network.h"
#include "model/base/json_fields.h"

namespace loopscape::cli {
namespace {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;

std::string title(const std::vector<std::string>& names) {
  if (names.empty()) return "a layer";
  std::string text = safe(names.front());
  if (names.size() > 1) text += " and " + std::to_string(names.size() - 1) + " more";
  return text;
}

}  // namespace

Result<std::optional<CutOut>> cut_out(const std::string& text) {
  Json json;
  if (!fields::parse_json(text, json, fields::kMaxResultBytes).ok()) return std::optional<CutOut>();
  const bool result = std::string(fields::file_kind(json)) == "a result";
  const auto has = [&](const char* key) { return json.contains(key); };
  if (!result || has("layers") || !(has("names") || has("count") || has("search"))) {
    return std::optional<CutOut>();
  }
  CutOut part;
  std::int64_t ignored = 0;
  Status status;
  if (has("names")) status = fields::read_names(json["names"], Reader().at("names"), part.names);
  if (!status.ok()) return status;
  for (const char* key : {"count", "search"}) {
    if (!has(key)) continue;
    const fields::IntegerRange range{key == std::string("count") ? 1 : 0};
    status = fields::read_integer(json[key], Reader().at(key), range, 1, ignored);
    if (!status.ok()) return status;
  }
  for (const char* key : {"names", "count", "search"}) json.erase(key);
  part.result = json.dump();
  return std::optional(std::move(part));
}

std::string cut_out_in_words(const CutOut& part) {
  return "  of a network: " + title(part.names) +
         "; which layers these are and how many, and the choice among their mappings, is for the "
         "network's own result to verify\n";
}

Result<FullCheck> check_network_fully(const StoredNetwork& stated, const StoredNetwork& actual,
                                      const SolveAgain& solve, const FullLimits& limits) {
  FullCheck all;
  OrderedJson searches = OrderedJson::array(), faults = OrderedJson::array();
  std::size_t complete = 0;
  for (std::size_t i = 0; i < stated.searches.size(); ++i) {
    const std::string place = "/searches/" + std::to_string(i);
    FullLimits left = limits;
    left.most_mappings -= std::min(left.most_mappings, all.mappings);
    const Result<FullCheck> one = solve(stated.searches[i].result, actual.searches[i].result, left);
    if (!one.ok()) {
      const Status& status = one.status();
      return Status(status.code(), status.message()).at(place + status.place());
    }
    all.mappings += one->mappings;
    all.legal += one->legal;
    if (all.limit.empty()) all.limit = one->limit;
    if (one->limit.empty()) ++complete;
    OrderedJson said = OrderedJson::parse(one->json, nullptr, false);
    for (const Fault& fault : one->faults) {
      all.faults.push_back({place + fault.pointer, fault.reason, fault.better});
    }
    for (OrderedJson& fault : said["faults"]) {
      fault["pointer"] = place + fault["pointer"].get<std::string>();
      faults.push_back(fault);
    }
    all.text +=
        "  " + place + " (" + title(stated.searches[i].names) + ")\n" + indented(one->text, 2);
    said.erase("faults");
    searches.push_back(std::move(said));
  }
  all.text += "  solved again: " + std::to_string(complete) + " of " +
              std::to_string(stated.searches.size()) + " different layers\n";
  OrderedJson json = {{"complete", all.limit.empty()}};
  if (!all.limit.empty()) json["limit"] = all.limit;
  json["mappings"] = all.mappings;
  json["legal"] = all.legal;
  json["faults"] = std::move(faults);
  json["searches"] = std::move(searches);
  all.json = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  return all;
}

}  // namespace loopscape::cli
