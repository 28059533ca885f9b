#include "model/base/json_fields.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace loopscape::fields {
namespace {

// Whole doubles below this are exact, so a fraction or an expression loses nothing.
constexpr double kExactWhole = 9007199254740992.0;  // 2^53

constexpr std::size_t kMaxQuotedKey = 80;

std::string pointer_part(std::string_view key) {
  std::string out;
  for (const char c : printable(key, kMaxQuotedKey)) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string found(const Json& json) {
  if (json.is_number_integer()) return json.dump();
  if (json.is_number_float()) return number_text(json.get<double>());
  if (json.is_string()) return "the text " + in_quotes(json.get_ref<const std::string&>());
  return kind_name(json);
}

std::string range_text(IntegerRange range, std::int64_t scale) {
  const std::string least = "at least " + std::to_string(range.min);
  if (scale != 1) return "";
  if (range.max == std::numeric_limits<std::int64_t>::max()) return " " + least;
  return " from " + std::to_string(range.min) + " to " + std::to_string(range.max);
}

std::string range_text(NumberRange range) {
  std::string out;
  if (range.min > std::numeric_limits<double>::lowest()) {
    out = (range.above_min ? " above " : " of at least ") + number_text(range.min);
  }
  if (range.max < std::numeric_limits<double>::max()) {
    out += (out.empty() ? " of at most " : " and at most ") + number_text(range.max);
  }
  return out;
}

// The value of an expression, or why a string cannot stand here.
Status evaluate_text(const Json& json, const Reader& reader, double& out) {
  Result<double> result = (*reader.evaluate)(json.get_ref<const std::string&>());
  if (!result.ok()) return Status(result.status()).at(reader.place);
  out = *result;
  return {};
}

// JSON integer to 64 bits; false when it does not fit.
bool exact_integer(const Json& json, std::int64_t& out) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
    out = static_cast<std::int64_t>(value);
    return true;
  }
  out = json.get<std::int64_t>();
  return true;
}

}  // namespace

Reader Reader::at(std::string_view key) const {
  Reader inner = *this;
  inner.place += "/" + pointer_part(key);
  return inner;
}

Reader Reader::at(std::size_t index) const { return at(std::to_string(index)); }

Status Reader::error(std::string message) const {
  return Status(StatusCode::kInvalidInput, std::move(message)).at(place);
}

const char* kind_name(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return "true or false";
    default:
      return "a number";
  }
}

const char* file_kind(const Json& json) {
  static constexpr const char* kKinds[][2] = {{"vary", "a sweep"},     {"fingerprint", "a result"},
                                              {"layers", "a network"}, {"nodes", "an architecture"},
                                              {"nest", "a mapping"},   {"einsum", "a problem"},
                                              {"op", "a problem"}};
  for (const auto& [key, kind] : kKinds) {
    if (json.is_object() && json.contains(key)) return kind;
  }
  if (!json.is_object()) return "";
  // A list under the singular of such a key: the reader of that kind names the right one.
  static constexpr const char* kLists[][2] = {{"layers", "a network"},
                                              {"nodes", "an architecture"}};
  for (const auto& [key, kind] : kLists) {
    for (auto it = json.begin(); it != json.end(); ++it) {
      if (it->is_array() && it.key() + "s" == key) return kind;
    }
  }
  return "";
}

Status read_integer(const Json& json, const Reader& reader, IntegerRange range, std::int64_t scale,
                    std::int64_t& out) {
  const auto refuse = [&](const std::string& what) {
    return reader.error("expected a whole number" + range_text(range, scale) + what);
  };
  std::int64_t value = 0;
  double real = 0;
  bool evaluated = false;
  const auto shown = [&] { return found(json) + (evaluated ? " = " + number_text(real) : ""); };
  if (json.is_number_integer()) {
    OverflowFlag overflow;
    if (!exact_integer(json, value)) overflow.raise();
    value = overflow.mul(value, scale);
    if (overflow.raised()) return refuse("; " + shown() + " does not fit 63 bits");
  } else {
    if (json.is_number_float()) {
      real = json.get<double>();
    } else if (json.is_string() && reader.evaluate) {
      if (Status s = evaluate_text(json, reader, real); !s.ok()) return s;
      evaluated = true;
    } else {
      return refuse(", found " + shown());
    }
    const double scaled = real * static_cast<double>(scale);
    if (!(std::fabs(scaled) <= kExactWhole)) return refuse("; " + shown() + " is too large");
    if (scaled != std::trunc(scaled)) {
      if (scale == 1) return refuse(", found " + shown());
      return reader.error("expected a whole number of the smallest unit, found " + shown());
    }
    value = static_cast<std::int64_t>(scaled);
  }
  if (value < range.min || value > range.max) {
    const std::string unit = scale == 1 ? "" : " (" + std::to_string(value) + " in its own unit)";
    return reader.error("expected a whole number" + range_text(range, 1) + ", found " + shown() +
                        unit);
  }
  out = value;
  return {};
}

namespace {

bool inside(double value, NumberRange range) {  // false for NaN
  return value >= range.min && value <= range.max && !(range.above_min && value == range.min);
}

}  // namespace

Status read_number(const Json& json, const Reader& reader, NumberRange range, double factor,
                   double& out) {
  double value = 0;
  bool evaluated = false;
  if (json.is_number()) {
    value = json.get<double>();
  } else if (json.is_string() && reader.evaluate) {
    if (Status s = evaluate_text(json, reader, value); !s.ok()) return s;
    evaluated = true;
  } else {
    return reader.error("expected a number" + range_text(range) + ", found " + found(json));
  }
  if (!inside(value * factor, range)) {
    return reader.error("expected a number" + range_text(range) + ", found " + found(json) +
                        (evaluated ? " = " + number_text(value) : ""));
  }
  out = value * factor;
  return {};
}

Status read_numbers(const Json& json, const Reader& reader, NumberRange range,
                    std::vector<double>& out) {
  if (!json.is_array()) return reader.error("expected a list of numbers, found " + found(json));
  out.reserve(out.size() + json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    double value = json[i].is_number() ? json[i].get<double>() : 0;
    if (!json[i].is_number() || !inside(value, range)) {  // its place is made only now
      if (Status s = read_number(json[i], reader.at(i), range, 1, value); !s.ok()) return s;
    }
    out.push_back(value);
  }
  return {};
}

Status read_text(const Json& json, const Reader& reader, std::string& out) {
  if (!json.is_string()) return reader.error("expected a text, found " + found(json));
  const auto& text = json.get_ref<const std::string&>();
  if (!is_utf8(text)) return reader.error("the text is not valid UTF-8");
  out = text;
  return {};
}

Status read_flag(const Json& json, const Reader& reader, bool& out) {
  if (!json.is_boolean()) return reader.error("expected true or false, found " + found(json));
  out = json.get<bool>();
  return {};
}

Status read_names(const Json& json, const Reader& reader, std::vector<std::string>& out) {
  out.clear();
  if (!json.is_array()) {
    out.emplace_back();
    if (json.is_string()) return read_text(json, reader, out.back());
    return reader.error("expected a list of names, found " + found(json));
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < json.size(); ++i) {
    out.emplace_back();
    if (Status s = read_text(json[i], reader.at(i), out.back()); !s.ok()) return s;
    if (!seen.insert(out.back()).second) {
      return reader.at(i).error(in_quotes(out.back()) + " is listed twice");
    }
  }
  return {};
}

Status read_choice(const Json& json, const Reader& reader, const std::vector<std::string>& names,
                   std::size_t& out) {
  if (!json.is_string()) {
    return reader.error("expected one of " + listed(names) + "; found " + found(json));
  }
  const auto& name = json.get_ref<const std::string&>();
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) {
    const std::string near = nearest(name, names);
    return reader.error("expected one of " + listed(names) + "; found " + in_quotes(name) +
                        (near.empty() ? "" : " (did you mean " + in_quotes(near) + "?)"));
  }
  out = static_cast<std::size_t>(it - names.begin());
  return {};
}

OrderedJson number_json(double value) {
  if (std::fabs(value) < kExactWhole && value == std::trunc(value)) {
    return OrderedJson(static_cast<std::int64_t>(value));
  }
  return OrderedJson(value);
}

OrderedJson type_schema(const char* type) {
  OrderedJson schema = OrderedJson::object();
  schema["type"] = type;
  return schema;
}

OrderedJson enum_schema(OrderedJson values) {
  OrderedJson schema = OrderedJson::object();
  schema["enum"] = std::move(values);
  return schema;
}

namespace {

OrderedJson or_expression(OrderedJson schema, bool expressions) {
  if (!expressions) return schema;
  OrderedJson either = OrderedJson::object();
  either["anyOf"].push_back(std::move(schema));
  either["anyOf"].push_back(type_schema("string"));
  return either;
}

}  // namespace

OrderedJson integer_schema(IntegerRange range, bool expressions) {
  OrderedJson schema = type_schema("integer");
  schema["minimum"] = range.min;
  if (range.max != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = range.max;
  return or_expression(std::move(schema), expressions);
}

OrderedJson number_schema(NumberRange range, bool expressions) {
  OrderedJson schema = type_schema("number");
  if (range.min > std::numeric_limits<double>::lowest()) {
    schema[range.above_min ? "exclusiveMinimum" : "minimum"] = number_json(range.min);
  }
  if (range.max < std::numeric_limits<double>::max()) schema["maximum"] = number_json(range.max);
  return or_expression(std::move(schema), expressions);
}

OrderedJson list_schema(OrderedJson items) {
  OrderedJson schema = type_schema("array");
  schema["items"] = std::move(items);
  return schema;
}

OrderedJson names_schema() {
  OrderedJson list = list_schema(type_schema("string"));
  list["uniqueItems"] = true;
  return or_expression(std::move(list), true);  // one name may stand without its list
}

Status check_keys(const Json& json, const Reader& reader,
                  const std::vector<const FieldInfo*>& fields) {
  const auto is_known = [&](const std::string& key) {
    return std::any_of(fields.begin(), fields.end(), [&](const FieldInfo* field) {
      return std::find(field->keys.begin(), field->keys.end(), key) != field->keys.end();
    });
  };
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (is_known(it.key())) continue;
    std::vector<std::string> known;
    for (const FieldInfo* field : fields) {
      known.insert(known.end(), field->keys.begin(), field->keys.end());
    }
    return reader.at(it.key()).error("unknown key " + in_quotes(it.key()) +
                                     suggestion(it.key(), known));
  }
  return {};
}

Status find_value(const Json& json, const Reader& reader, const FieldInfo& field,
                  const Json** value, std::size_t* key) {
  for (std::size_t i = 0; i < field.keys.size(); ++i) {
    const auto it = json.find(field.keys[i]);
    if (it == json.end()) continue;
    if (*value) {
      return reader.at(field.keys[i])
          .error(in_quotes(field.keys[*key]) + " and " + in_quotes(field.keys[i]) +
                 " say the same thing in two ways; keep one of them");
    }
    *value = &*it;
    *key = i;
  }
  if (*value || !field.required) return {};
  return reader.error("the key " + in_quotes(field.keys[0]) + " is missing (" + field.description +
                      ")");
}

OrderedJson object_schema(const std::vector<const FieldInfo*>& fields) {
  OrderedJson schema = type_schema("object");
  OrderedJson required = OrderedJson::array(), all = OrderedJson::array();
  schema["properties"] = OrderedJson::object();
  for (const FieldInfo* field : fields) {
    OrderedJson any = OrderedJson::array();
    for (std::size_t i = 0; i < field->keys.size(); ++i) {
      OrderedJson property = field->schemas[i]();
      if (!field->description.empty()) property["description"] = field->description;
      schema["properties"][field->keys[i]] = std::move(property);
      OrderedJson has = OrderedJson::object();
      has["required"].push_back(field->keys[i]);
      any.push_back(std::move(has));
      for (std::size_t j = 0; j < i; ++j) {  // never two units of one field
        OrderedJson both = OrderedJson::object();
        both["not"]["required"] = {field->keys[j], field->keys[i]};
        all.push_back(std::move(both));
      }
    }
    if (!field->required) continue;
    if (field->keys.size() == 1) {
      required.push_back(field->keys[0]);
    } else {
      OrderedJson one = OrderedJson::object();
      one["anyOf"] = std::move(any);
      all.push_back(std::move(one));
    }
  }
  if (!required.empty()) schema["required"] = std::move(required);
  if (!all.empty()) schema["allOf"] = std::move(all);
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace loopscape::fields
