#include "model/base/conventions.h"

#include <string>

#include "model/base/json_fields.h"

namespace loopscape {
namespace fields {
namespace {

Conventions preset_of(Conventions::Preset preset) {
  return preset == Conventions::Preset::kTimeloop ? Conventions::timeloop()
                                                  : Conventions::physical();
}

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"physical", "timeloop"};
  return names;
}

Status read_preset(const Json& json, const Reader& reader, Conventions& out) {
  std::size_t which = 0;
  Status status = read_choice(json, reader, preset_names(), which);
  if (status.ok()) out = preset_of(static_cast<Conventions::Preset>(which));
  return status;
}

}  // namespace

const Table<Conventions>& conventions_table() {
  using C = Conventions;
  static const Table<C> table =
      Table<C>()
          .custom(
              "preset", enum_schema(preset_names()), read_preset,  // first: sets all others
              [](const C& c) {
                return OrderedJson(preset_names()[c.preset == C::Preset::kTimeloop]);
              },
              "What the fields not given are taken from.")
          .flag("drain_reads", &C::drain_reads, "Drains cost energy and bandwidth.")
          .choice("footprint", &C::footprint,
                  {{"distinct", C::Footprint::kDistinct}, {"box", C::Footprint::kBox}},
                  "Words of a tile: distinct indices, or their bounding interval.")
          .choice("multicast", &C::sharing,
                  {{"any", C::Sharing::kAnyWord}, {"equal", C::Sharing::kEqualDelta}},
                  "What a network shares: any common word, or only children whose whole delta is "
                  "equal, fan-out by fan-out.")
          .choice("refill", &C::refill,
                  {{"one", C::Refill::kOneChild}, {"every", C::Refill::kEveryChild}},
                  "Partial sums that come back enter one child of a reduction group, or every one.")
          .choice("reuse", &C::reuse,
                  {{"march", C::Reuse::kMarch}, {"previous_tile", C::Reuse::kPreviousTile}},
                  "A buffer follows one march, or keeps every word of its previous tile.")
          .baseline([](const C& c) { return preset_of(c.preset); });
  return table;
}

}  // namespace fields

namespace {

using fields::Json;
using fields::OrderedJson;

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return "";
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

// One "key=value" or preset name into `json`.
Status add_word(std::string_view word, bool first, Json& json) {
  const auto fail = [](std::string message) {
    return Status(StatusCode::kInvalidInput, std::move(message));
  };
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    if (!first) {
      return fail(in_quotes(word) + ": only the first word may be a preset; write key=value");
    }
    json["preset"] = std::string(word);
    return {};
  }
  const std::string key(trimmed(word.substr(0, equals)));
  const std::string value(trimmed(word.substr(equals + 1)));
  if (json.contains(key)) return fail("the convention " + in_quotes(key) + " is given twice");
  if (key == "drain_reads" && (value == "true" || value == "false"))
    json[key] = value == "true";
  else
    json[key] = value;
  return {};
}

}  // namespace

Result<Conventions> parse_conventions_text(std::string_view text) {
  constexpr std::size_t kMaxBytes = 1000;
  if (text.size() > kMaxBytes) {
    return Status(StatusCode::kInvalidInput, "conventions longer than 1000 characters");
  }
  if (!is_utf8(text)) return Status(StatusCode::kInvalidInput, "the text is not valid UTF-8");
  Json json = Json::object();
  for (bool first = true;; first = false) {
    const std::size_t comma = text.find(',');
    if (Status s = add_word(trimmed(text.substr(0, comma)), first, json); !s.ok()) return s;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  Conventions out;
  if (Status s = fields::conventions_table().read(json, {}, out); !s.ok()) return s;
  return out;
}

std::string conventions_to_text(const Conventions& conventions) {
  std::string out;
  const OrderedJson json = fields::conventions_table().write(conventions);
  for (auto it = json.begin(); it != json.end(); ++it) {
    const std::string value =
        it->is_boolean() ? (it->get<bool>() ? "true" : "false") : it->get<std::string>();
    out += it.key() == "preset" ? value : "," + it.key() + "=" + value;
  }
  return out;
}

Result<Conventions> parse_conventions(std::string_view text) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return s;
  Conventions out;
  if (Status s = fields::conventions_table().read(json, {}, out); !s.ok()) return s;
  return out;
}

std::string conventions_to_json(const Conventions& conventions) {
  return fields::to_text(fields::conventions_table().write(conventions));
}

std::string conventions_schema() { return fields::to_text(fields::conventions_table().schema()); }

}  // namespace loopscape
