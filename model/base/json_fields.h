// One table per object of a file format. The table is the only place that knows the object's keys:
// it reads, writes, checks ranges and units, names the nearest key for a mistyped one and publishes
// the JSON Schema, so these cannot disagree.
//
//   const Table<Point>& point_table() {
//     static const Table<Point> table = Table<Point>("point")
//         .integer("x", &Point::x, {0, 100}, "Distance from the left edge.")
//         .required()
//         .number("weight", &Point::weight, kPositive, "Relative weight.");
//     return table;
//   }
//
// Included by .cc files only: it brings in nlohmann/json.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/base/base.h"

namespace loopscape::fields {

using Json = nlohmann::json;                 // read: keys sorted, look-up is logarithmic
using OrderedJson = nlohmann::ordered_json;  // written: keys in the table's order

// Of a file that a person wrote, and of one that this program did: a network's fronts fill many
// megabytes.
inline constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxResultBytes = std::size_t{1} << 30;
inline constexpr std::size_t kMaxDepth = 64;

// Text to JSON: at most so many bytes and kMaxDepth, no duplicate keys, numbers that are finite,
// valid UTF-8. Errors carry "line L, column C" as their place. Never throws.
Status parse_json(std::string_view text, Json& out, std::size_t most_bytes);
Status parse_json(std::string_view text, Json& out);  // at most kMaxTextBytes
std::string to_text(const OrderedJson& json);         // indented, newline at the end; never throws

// What a whole file seems to be, by the key that only such files have: "an architecture",
// "a problem", "a network", "a mapping", "a result", "a sweep"; "" if it cannot be told. Files are
// easily given in the wrong order.
const char* file_kind(const Json& json);

// Where a value stands, and what numbers written as text mean there.
struct Reader {
  using Evaluate = std::function<Result<double>(std::string_view expression)>;
  std::string place;                   // JSON pointer
  const Evaluate* evaluate = nullptr;  // absent: numbers are numbers
  std::int64_t word_bits = 0;          // what the unit "words" stands for

  Reader at(std::string_view key) const;
  Reader at(std::size_t index) const;
  Status error(std::string message) const;
};

struct IntegerRange {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct NumberRange {
  double min = 0;
  double max = std::numeric_limits<double>::max();
  bool above_min = false;  // min itself is out
};
inline constexpr NumberRange kNotNegative{};
inline constexpr NumberRange kPositive{0, std::numeric_limits<double>::max(), true};

// A key and what one of its units is in the field's own unit; scale 0: the reader's word_bits.
struct Unit {
  std::string key;
  std::int64_t scale = 1;
  double factor = 1;  // for numbers
};

const char* kind_name(const Json& json);  // "a number", "an object", ...
Status read_integer(const Json& json, const Reader& reader, IntegerRange range, std::int64_t scale,
                    std::int64_t& out);
Status read_number(const Json& json, const Reader& reader, NumberRange range, double factor,
                   double& out);
// A list of numbers, appended to `out`.
Status read_numbers(const Json& json, const Reader& reader, NumberRange range,
                    std::vector<double>& out);
Status read_text(const Json& json, const Reader& reader, std::string& out);
Status read_flag(const Json& json, const Reader& reader, bool& out);
// A list of names; a single string is a list of one. Twice the same name is an error.
Status read_names(const Json& json, const Reader& reader, std::vector<std::string>& out);
// The position of a string among `names`, which an error lists.
Status read_choice(const Json& json, const Reader& reader, const std::vector<std::string>& names,
                   std::size_t& out);
OrderedJson number_json(double value);  // whole numbers without ".0"

OrderedJson type_schema(const char* type);
OrderedJson enum_schema(OrderedJson values);
OrderedJson integer_schema(IntegerRange range, bool expressions);
OrderedJson number_schema(NumberRange range, bool expressions);
OrderedJson names_schema();
OrderedJson list_schema(OrderedJson items);

// Made only when it is asked for: reading needs none.
using Schema = std::function<OrderedJson()>;

// What every field has, whatever it is part of.
struct FieldInfo {
  std::vector<std::string> keys;  // alternatives: at most one occurs; the first is written
  std::vector<Schema> schemas;    // one per key
  std::string description;
  bool required = false;
};
Status check_keys(const Json& json, const Reader& reader,
                  const std::vector<const FieldInfo*>& fields);
// Finds which of the field's keys occurs (null: none); an error if two do or a required one lacks.
Status find_value(const Json& json, const Reader& reader, const FieldInfo& field,
                  const Json** value, std::size_t* key);
OrderedJson object_schema(const std::vector<const FieldInfo*>& fields);

template <class M>
struct Unwrapped {
  using type = M;
};
template <class M>
struct Unwrapped<std::optional<M>> {
  using type = M;
};
template <class M>
using unwrapped = typename Unwrapped<M>::type;

template <class T>
struct Field : FieldInfo {
  std::function<Status(const Json&, std::size_t key, const Reader&, T&)> read;
  // Null when there is nothing to write (the value is the default). Without `defaults`, write it.
  std::function<OrderedJson(const T& object, const T* defaults)> write;
};

template <class T>
class Table {
 public:
  // `expressions`: a number may also be written as a string, which Reader::evaluate understands.
  explicit Table(bool expressions = false) : expressions_(expressions) {}

  // Accepts "$schema" and "version": 1, as every file does.
  Table& document();

  Table& custom(Field<T> field) {
    fields_.push_back(std::move(field));
    return *this;
  }
  Table& custom(std::string key, Schema schema,
                std::function<Status(const Json&, const Reader&, T&)> read,
                std::function<OrderedJson(const T&)> write, const std::string& description);
  Table& custom(std::string key, OrderedJson schema,
                std::function<Status(const Json&, const Reader&, T&)> read,
                std::function<OrderedJson(const T&)> write, const std::string& description) {
    return custom(std::move(key), Schema([schema = std::move(schema)] { return schema; }),
                  std::move(read), std::move(write), description);
  }
  Table& text(std::string key, std::string T::*member, const std::string& description);
  Table& flag(std::string key, bool T::*member, const std::string& description);
  Table& names(std::string key, std::vector<std::string> T::*member,
               const std::string& description);
  // M: an integral type, or optional of one.
  template <class M>
  Table& integer(const std::vector<Unit>& units, M T::*member, IntegerRange range,
                 const std::string& description);
  template <class M>
  Table& integer(const char* key, M T::*member, IntegerRange range,
                 const std::string& description) {
    return integer(std::vector<Unit>{{key}}, member, range, description);
  }
  // M: double, or optional<double>.
  template <class M>
  Table& number(const std::vector<Unit>& units, M T::*member, NumberRange range,
                const std::string& description);
  template <class M>
  Table& number(const char* key, M T::*member, NumberRange range, const std::string& description) {
    return number(std::vector<Unit>{{key}}, member, range, description);
  }
  // M: an enumeration, or optional of one.
  template <class M>
  Table& choice(std::string key, M T::*member,
                std::vector<std::pair<std::string, unwrapped<M>>> names,
                const std::string& description);
  // M: the object type of `table`, or optional of it.
  template <class M>
  Table& object(std::string key, M T::*member, const Table<unwrapped<M>>& table,
                const std::string& description);
  template <class U>
  Table& list(std::string key, std::vector<U> T::*member, const Table<U>& table,
              const std::string& description);
  // All fields of `table`, for the part of T that `member` is.
  template <class U>
  Table& include(U T::*member, const Table<U>& table);

  Table& required() {
    fields_.back().required = true;
    return *this;
  }
  // What fields left out are, given what has been read; default: T{}.
  Table& baseline(std::function<T(const T&)> baseline) {
    baseline_ = std::move(baseline);
    return *this;
  }

  Status read(const Json& json, const Reader& reader, T& out) const;
  OrderedJson write(const T& object) const;
  OrderedJson schema() const { return object_schema(infos()); }
  const std::vector<Field<T>>& fields() const { return fields_; }

 private:
  std::vector<const FieldInfo*> infos() const {
    std::vector<const FieldInfo*> out;
    for (const Field<T>& field : fields_) out.push_back(&field);
    return out;
  }

  bool expressions_;
  std::vector<Field<T>> fields_;
  std::function<T(const T&)> baseline_ = [](const T&) { return T{}; };
};

const Table<Conventions>& conventions_table();

}  // namespace loopscape::fields

#include "model/base/json_fields_inl.h"
