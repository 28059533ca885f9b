// Text to JSON for hostile input: a SAX handler that refuses what nlohmann's own DOM builder would
// accept (duplicate keys, any depth) and never lets an exception out.
#include "model/base/json_fields.h"

namespace loopscape::fields {
namespace {

class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, Json& root) : text_(text), root_(root) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return fail("binary values are not JSON text"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Json& object = *open_.back().json;
    open_.back().key = name;
    if (object.contains(name)) return fail("the key " + in_quotes(name) + " occurs twice");
    slot_ = &object[name];
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    status_ = Status(StatusCode::kInvalidInput, reason(error)).at(place_of(position));
    return false;
  }

  Status status() const { return status_; }

 private:
  Json* add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json* slot = slot_;
    if (open_.back().json->is_array()) {
      open_.back().json->push_back(std::move(value));
      return &open_.back().json->back();
    }
    *slot = std::move(value);
    return slot;
  }
  template <class V>
  bool put(V value) {
    add(Json(std::move(value)));
    return true;
  }
  // Pointers into open containers stay valid: only the innermost one grows.
  bool open(Json container) {
    if (open_.size() == kMaxDepth) {
      status_ = Reader().error("nested more than " + std::to_string(kMaxDepth) + " levels deep");
      return false;
    }
    open_.push_back({add(std::move(container)), ""});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  // The handler is not told its line; what it knows is the way from the root.
  bool fail(std::string message) {
    Reader reader;
    for (const Open& open : open_) {
      // What is open inside an array has its place there already; what failed has not.
      const std::size_t last = &open == &open_.back() ? 0 : 1;
      reader = open.json->is_array() ? reader.at(open.json->size() - last) : reader.at(open.key);
    }
    status_ = reader.error(std::move(message));
    return false;
  }

  static std::string reason(const nlohmann::detail::exception& error) {
    std::string what = error.what();
    if (error.id == 406) {
      const std::size_t from = what.find('\'');
      return "the number " + (from == std::string::npos ? "" : what.substr(from)) +
             " is too large for a double";
    }
    // "[json.exception.parse_error.101] parse error at line 1, column 2: the part for people"
    const std::size_t column = what.find("column ");
    const std::size_t colon = what.find(": ", column == std::string::npos ? 0 : column);
    if (colon != std::string::npos) what = what.substr(colon + 2);
    for (char& c : what) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = '?';
    }
    return "not JSON: " + what.substr(0, 300);
  }
  std::string place_of(std::size_t position) const {
    const std::string_view before = text_.substr(0, position ? position - 1 : 0);
    std::size_t line = 1, column = 1;
    for (const char c : before) {
      column = c == '\n' ? 1 : column + 1;
      line += c == '\n';
    }
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
  }

  std::string_view text_;
  Json& root_;
  struct Open {
    Json* json;
    std::string key;  // objects: the last one read
  };
  std::vector<Open> open_;
  Json* slot_ = nullptr;
  Status status_;
};

}  // namespace

Status parse_json(std::string_view text, Json& out, std::size_t most_bytes) {
  if (text.size() > most_bytes) {
    return Status(StatusCode::kInvalidInput, "the text has " + std::to_string(text.size()) +
                                                 " bytes; at most " + std::to_string(most_bytes) +
                                                 " are read");
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Status(StatusCode::kInvalidInput, "the text is empty; a JSON object is expected");
  }
  Builder builder(text, out);
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return {};
  return builder.status();
}

Status parse_json(std::string_view text, Json& out) { return parse_json(text, out, kMaxTextBytes); }

namespace {

constexpr std::size_t kColumns = 98;

std::string scalar_text(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// On one line; false, and only a part of it, once it is longer than `most`.
bool add_line(const OrderedJson& json, std::size_t most, std::string& out) {
  if (!json.is_structured()) {
    out += scalar_text(json);
    return out.size() <= most;
  }
  out += json.is_object() ? '{' : '[';
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (it != json.begin()) out += ", ";
    if (json.is_object()) out += scalar_text(it.key()) + ": ";
    if (!add_line(*it, most, out)) return false;
  }
  out += json.is_object() ? '}' : ']';
  return out.size() <= most;
}

// What fits a line stands on one; the whole document never does, as a person would write it.
void print(const OrderedJson& json, std::size_t indent, std::size_t used, std::string& out) {
  const bool whole = !json.is_structured() || json.empty();
  const std::size_t most = whole ? std::string::npos : kColumns - std::min(kColumns, used);
  std::string line;
  if ((whole || indent > 0) && add_line(json, most, line)) {
    out += line;
    return;
  }
  const std::string margin(indent + 2, ' ');
  out += json.is_object() ? "{" : "[";
  for (auto it = json.begin(); it != json.end(); ++it) {
    out += (it == json.begin() ? "\n" : ",\n") + margin;
    const std::string key = json.is_object() ? scalar_text(it.key()) + ": " : "";
    out += key;
    print(*it, indent + 2, indent + 2 + key.size(), out);
  }
  out += "\n" + std::string(indent, ' ') + (json.is_object() ? "}" : "]");
}

}  // namespace

std::string to_text(const OrderedJson& json) {
  std::string out;
  print(json, 0, 0, out);
  return out + "\n";
}

}  // namespace loopscape::fields
