// The field tables: hostile text, ranges, units, nearest keys, places, round-trips and schemas.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "model/base/json_fields.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;
using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

namespace {

struct Inner {
  std::int64_t a = 0;
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Thing {
  enum class Colour { kRed, kBlue };
  std::string title;
  std::uint64_t bits = 8;
  std::optional<std::int64_t> limit;
  double weight = 0.5;
  std::optional<double> area;
  bool on = true;
  Colour colour = Colour::kRed;
  std::vector<std::string> tags;
  std::optional<Inner> inner;
  std::vector<Inner> list;
  friend bool operator==(const Thing&, const Thing&) = default;
};

const Table<Inner>& inner_table() {
  static const Table<Inner> table =
      Table<Inner>().integer("a", &Inner::a, {-5, 5}, "Small.").required();
  return table;
}

const Table<Thing>& thing_table() {
  static const Table<Thing> table =
      Table<Thing>()
          .document()
          .text("title", &Thing::title, "A title.")
          .integer({{"bits"}, {"bytes", 8}, {"kib", 8192}, {"words", 0}}, &Thing::bits,
                   {1, 1 << 20}, "Size.")
          .integer("limit", &Thing::limit, {}, "A limit.")
          .number("weight", &Thing::weight, {0, 1, true}, "A weight.")
          .number({{"area_um2"}, {"area_mm2", 1, 1e6}}, &Thing::area, fields::kNotNegative, "Area.")
          .flag("on", &Thing::on, "A switch.")
          .choice("colour", &Thing::colour,
                  {{"red", Thing::Colour::kRed}, {"blue", Thing::Colour::kBlue}}, "A colour.")
          .names("tags", &Thing::tags, "Tags.")
          .object("inner", &Thing::inner, inner_table(), "Inside.")
          .list("list", &Thing::list, inner_table(), "Several.");
  return table;
}

Status read(const std::string& text, Thing& out) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return s;
  Reader reader;
  reader.word_bits = 16;
  return thing_table().read(json, reader, out);
}

struct Bad {
  const char* text;
  const char* place;
  const char* fragment;
};

}  // namespace

TEST_CASE("every wrong value is refused at its place with a reason", "[base]") {
  const Bad cases[] = {
      {"[]", "", "expected an object, found a list"},
      {R"({"titel": "x"})", "/titel", "unknown key 'titel' (did you mean 'title'?)"},
      {R"({"zzzzzz": 1})", "/zzzzzz", "known here: $schema, version, title"},
      {R"({"a/b~c": 1})", "/a~1b~0c", "unknown key 'a/b~c'"},
      {R"({"title": 3})", "/title", "expected a text, found 3"},
      {R"({"bits": "8"})", "/bits", "expected a whole number from 1 to 1048576, found the text"},
      {R"({"bits": 0})", "/bits", "from 1 to 1048576, found 0"},
      {R"({"bits": -1})", "/bits", "found -1"},
      {R"({"bits": 1.5})", "/bits", "found 1.5"},
      {R"({"bits": 1048577})", "/bits", "found 1048577"},
      {R"({"bits": true})", "/bits", "found true or false"},
      {R"({"bits": null})", "/bits", "found null"},
      {R"({"bits": [1]})", "/bits", "found a list"},
      {R"({"bits": 18446744073709551615})", "/bits", "does not fit 63 bits"},
      {R"({"bits": 99999999999999999999})", "/bits", "too large"},
      {R"({"kib": 1e300})", "/kib", "too large"},
      {R"({"kib": 4611686018427387904})", "/kib", "does not fit 63 bits"},
      {R"({"kib": 0.00001})", "/kib", "whole number of the smallest unit"},
      {R"({"kib": 1024})", "/kib", "found 1024 (8388608 in its own unit)"},
      {R"({"bits": 8, "kib": 1})", "/kib", "'bits' and 'kib' say the same thing"},
      {R"({"words": 1, "bytes": 1})", "/words", "say the same thing"},
      {R"({"weight": 0})", "/weight", "a number above 0 and at most 1, found 0"},
      {R"({"weight": 1.0000001})", "/weight", "found 1.0000001"},
      {R"({"weight": {}})", "/weight", "found an object"},
      {R"({"area_mm2": -1})", "/area_mm2", "of at least 0, found -1"},
      {R"({"area_mm2": 1e308})", "/area_mm2", "found 1e+308"},
      {R"({"on": 1})", "/on", "expected true or false, found 1"},
      {R"({"colour": "bleu"})", "/colour", "did you mean 'blue'?"},
      {R"({"colour": 7})", "/colour", "expected one of red, blue; found 7"},
      {R"({"tags": ["a", 1]})", "/tags/1", "expected a text"},
      {R"({"tags": ["a", "b", "a"]})", "/tags/2", "'a' is listed twice"},
      {R"({"tags": {}})", "/tags", "expected a list of names, found an object"},
      {R"({"inner": {}})", "/inner", "the key 'a' is missing (Small.)"},
      {R"({"inner": {"a": 6}})", "/inner/a", "from -5 to 5, found 6"},
      {R"({"list": [{"a": 1}, {"b": 1}]})", "/list/1/b", "known here: a"},
      {R"({"list": {"a": 1}})", "/list", "expected a list, found an object"},
      {R"({"version": 2})", "/version", "only version 1"},
      {R"({"$schema": 2})", "/$schema", "expected a text"},
  };
  for (const Bad& bad : cases) {
    CAPTURE(bad.text);
    Thing thing;
    const Status status = read(bad.text, thing);
    REQUIRE_FALSE(status.ok());
    CHECK(status.code() == StatusCode::kInvalidInput);
    CHECK(status.place() == bad.place);
    CHECK_THAT(status.message(), Catch::Contains(bad.fragment));
  }
}

TEST_CASE("hostile text is refused with a sentence", "[base]") {
  const std::string deep(100000, '[');
  std::string deep_objects;
  for (int i = 0; i < 1000; ++i) deep_objects += "{\"a\":";
  const std::vector<std::array<std::string, 3>> cases = {
      {"", "", "the text is empty"},
      {" \n\t", "", "the text is empty"},
      {"{", "line 1, column 2", "not JSON"},
      {"{\n  \"a\": nul\n}", "line 2, column 11", "not JSON"},
      {"{} {}", "line 1, column 4", "not JSON"},
      {"{\"a\": NaN}", "line 1, column 7", "not JSON"},
      {"{\"a\": Infinity}", "line 1, column 7", "not JSON"},
      {"{\"a\": 1e400}", "line 1, column 11", "the number '1e400' is too large"},
      {"{\"a\": -1e999}", "line 1, column 12", "too large"},
      {"{\"a\": \"\xff\"}", "line 1, column 8", "ill-formed UTF-8"},
      {"{\"\xc3\": 1}", "line 1, column 4", "ill-formed UTF-8"},
      {"{\"a\": 1, \"a\": 2}", "/a", "the key 'a' occurs twice"},
      {R"({"b": [0, {"a": 1, "\u0061": 2}]})", "/b/1/a", "occurs twice"},
      {std::string("{\"a\0b\": 1}", 10), "line 1, column 4", "not JSON"},
      {"{\"a\": 01}", "line 1, column 8", "not JSON"},
      {"// comment", "line 1, column 1", "not JSON"},
  };
  for (const auto& [text, place, fragment] : cases) {
    CAPTURE(text);
    Json json;
    const Status status = fields::parse_json(text, json);
    REQUIRE_FALSE(status.ok());
    CHECK_THAT(status.message(), Catch::Contains(fragment));
    CHECK(status.place() == place);
    CHECK(is_utf8(status.to_string()));
  }
  for (const std::string& text : {deep, deep_objects}) {
    Json json;
    const Status status = fields::parse_json(text, json);
    CHECK_THAT(status.message(), Catch::Contains("nested more than 64 levels deep"));
  }
  Json json;
  CHECK_THAT(fields::parse_json(std::string(fields::kMaxTextBytes + 1, ' '), json).message(),
             Catch::Contains("bytes; at most"));
  const std::string large = "[" + std::string(fields::kMaxTextBytes, ' ') + "]";
  CHECK(fields::parse_json(large, json, fields::kMaxResultBytes).ok());
}

TEST_CASE("units scale exactly and the first key is written", "[base]") {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {R"({"bits": 12})", 12},   {R"({"bytes": 3})", 24},   {R"({"kib": 0.5})", 4096},
      {R"({"kib": 2})", 16384},  {R"({"words": 5})", 80},   {R"({"bits": 12.0})", 12},
      {R"({"words": 0.25})", 4}, {R"({"bits": 1e3})", 1000}};
  for (const auto& [text, bits] : cases) {
    Thing thing;
    REQUIRE(read(text, thing).ok());
    CHECK(thing.bits == bits);
    CHECK(thing_table().write(thing).dump() == "{\"bits\":" + std::to_string(bits) + "}");
  }
  Thing thing;
  REQUIRE(read(R"({"area_mm2": 1.5})", thing).ok());
  CHECK(*thing.area == 1.5e6);
}

TEST_CASE("what is written reads back equal", "[base]") {
  std::vector<Thing> things(4);
  things[1].title = "caf\xc3\xa9 \"quoted\"\n";
  things[1].weight = 0.1 + 0.2;
  things[1].area = 1e-310;
  things[2].limit = 9223372036854775807;
  things[2].tags = {"x", ""};
  things[2].inner = Inner{-5};
  things[3].list = {Inner{1}, Inner{0}};
  things[3].colour = Thing::Colour::kBlue;
  things[3].on = false;
  for (const Thing& thing : things) {
    Thing back;
    const std::string text = fields::to_text(thing_table().write(thing));
    REQUIRE(read(text, back).to_string().empty());
    CHECK(back == thing);
  }
  CHECK(thing_table().write(Thing()).dump() == "{}");  // defaults are left out
}

TEST_CASE("a single name may stand without its list", "[base]") {
  Thing thing;
  REQUIRE(read(R"({"tags": "one"})", thing).ok());
  CHECK(thing.tags == std::vector<std::string>{"one"});
}

TEST_CASE("what fits a line is printed on one", "[base]") {
  Thing thing;
  thing.list = {Inner{1}, Inner{2}};
  thing.tags = std::vector<std::string>(3, std::string(40, 'x'));
  CHECK(fields::to_text(thing_table().write(thing)) ==
        "{\n  \"tags\": [\n    \"" + std::string(40, 'x') + "\",\n    \"" + std::string(40, 'x') +
            "\",\n    \"" + std::string(40, 'x') +
            "\"\n  ],\n  \"list\": [{\"a\": 1}, {\"a\": 2}]\n}\n");
  CHECK(fields::to_text(OrderedJson::object()) == "{}\n");
}

TEST_CASE("the schema says what the reader says", "[base]") {
  const OrderedJson schema = thing_table().schema();
  CHECK(schema["properties"]["bits"]["default"] == 8);
  CHECK(schema["properties"]["weight"]["exclusiveMinimum"] == 0);
  const SchemaCheck check(schema.dump());
  const char* const cases[] = {"{}",
                               R"({"version": 1})",
                               R"({"version": 2})",
                               R"({"bits": 8})",
                               R"({"bits": 0})",
                               R"({"kib": 0.5})",
                               R"({"bits": 8, "kib": 1})",
                               R"({"words": 8, "bytes": 1})",
                               R"({"weight": 0})",
                               R"({"weight": 0.5})",
                               R"({"colour": "blue"})",
                               R"({"colour": "bleu"})",
                               R"({"tags": "a"})",
                               R"({"tags": ["a", "a"]})",
                               R"({"inner": {}})",
                               R"({"inner": {"a": 5}})",
                               R"({"inner": {"a": 6}})",
                               R"({"list": [{"a": 1}, {"b": 1}]})",
                               R"({"unknown": 1})",
                               R"({"on": 1})"};
  for (const char* text : cases) {
    CAPTURE(text);
    Thing thing;
    CHECK(check.accepts(text) == read(text, thing).ok());
  }
}
