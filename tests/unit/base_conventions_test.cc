// Conventions: presets, overrides, and both text forms.
#include <string>

#include <catch2/catch.hpp>

#include "model/base/base.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;

TEST_CASE("the command line's conventions", "[base]") {
  CHECK(*parse_conventions_text("physical") == Conventions::physical());
  CHECK(*parse_conventions_text(" timeloop ") == Conventions::timeloop());
  Conventions box;
  box.footprint = Conventions::Footprint::kBox;
  CHECK(*parse_conventions_text("physical,footprint=box") == box);
  CHECK(*parse_conventions_text("footprint = box") == box);
  Conventions mixed = Conventions::timeloop();
  mixed.drain_reads = true;
  mixed.sharing = Conventions::Sharing::kAnyWord;
  mixed.refill = Conventions::Refill::kOneChild;
  mixed.reuse = Conventions::Reuse::kPreviousTile;
  CHECK(*parse_conventions_text(
            "timeloop, drain_reads=true, multicast=any, refill=one, reuse=previous_tile") == mixed);
}

TEST_CASE("conventions that do not exist", "[base]") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected one of physical, timeloop"},
      {"timeloup", "did you mean 'timeloop'?"},
      {"physical,timeloop", "only the first word may be a preset"},
      {"footprnt=box", "did you mean 'footprint'?"},
      {"footprint=bax", "did you mean 'box'?"},
      {"footprint=box,footprint=box", "given twice"},
      {"drain_reads=maybe", "expected true or false"},
      {"physical,", "only the first word"},
      {"=", "unknown key"},
      {"\xff", "UTF-8"}};
  for (const auto& [text, fragment] : cases) {
    CAPTURE(text);
    const Result<Conventions> result = parse_conventions_text(text);
    REQUIRE_FALSE(result.ok());
    CHECK_THAT(result.status().message(), Catch::Contains(fragment));
  }
  CHECK_FALSE(parse_conventions_text(std::string(5000, ',')).ok());
}

TEST_CASE("all conventions round-trip through both forms and meet the schema", "[base]") {
  const SchemaCheck schema(conventions_schema());
  int count = 0;
  for (int code = 0; code < 64; ++code) {
    Conventions c = code & 1 ? Conventions::timeloop() : Conventions::physical();
    c.drain_reads = code & 2;
    c.footprint = static_cast<Conventions::Footprint>(code >> 2 & 1);
    c.sharing = static_cast<Conventions::Sharing>(code >> 3 & 1);
    c.refill = static_cast<Conventions::Refill>(code >> 4 & 1);
    c.reuse = static_cast<Conventions::Reuse>(code >> 5 & 1);
    CHECK(*parse_conventions(conventions_to_json(c)) == c);
    CHECK(*parse_conventions_text(conventions_to_text(c)) == c);
    CHECK(schema.accepts(conventions_to_json(c)));
    ++count;
  }
  CHECK(count == 64);
  CHECK(conventions_to_text(Conventions::timeloop()) == "timeloop");
  CHECK_FALSE(schema.accepts(R"({"presets": "physical"})"));
}
