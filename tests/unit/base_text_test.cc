// Sentences for people: nearest names, quoting of hostile bytes, shortest numbers, Status.
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "model/base/base.h"

using namespace loopscape;

namespace {

const std::vector<std::string> kKeys = {"size_bits", "size_kib", "stride", "keep", "k", "q"};

}  // namespace

TEST_CASE("nearest finds the key that was meant", "[base]") {
  CHECK(nearest("strid", kKeys) == "stride");
  CHECK(nearest("stirde", kKeys) == "stride");  // two neighbours swapped
  CHECK(nearest("SIZE_KIB", kKeys) == "size_kib");
  CHECK(nearest("size_bit", kKeys) == "size_bits");
  CHECK(nearest("kepe", kKeys) == "keep");
  CHECK(nearest("bandwidth", kKeys).empty());
  CHECK(nearest("x", kKeys).empty());  // shares nothing with the short names
  CHECK(nearest("", kKeys).empty());
  CHECK(nearest("stride", {}).empty());
  CHECK(nearest(std::string(100000, 'a'), kKeys).empty());
}

TEST_CASE("suggestion names the nearest or lists what there is", "[base]") {
  CHECK(suggestion("strid", kKeys) == " (did you mean 'stride'?)");
  CHECK(suggestion("zzz", {"alpha", "beta"}) == "; known here: alpha, beta");
  CHECK(suggestion("zzz", {}).empty());
}

TEST_CASE("quoted text cannot steer a terminal", "[base]") {
  CHECK(in_quotes("plain") == "'plain'");
  CHECK(in_quotes("a\x1b[31mb") == "'a?[31mb'");
  CHECK(in_quotes("line\nbreak") == "'line?break'");
  CHECK(in_quotes("\xc2\x9b") == "'?'");  // a control character of Latin-1
  CHECK(in_quotes("\xc3\xa9t\xc3\xa9") == "'\xc3\xa9t\xc3\xa9'");
  CHECK(in_quotes("\xff\xc3") ==
        "'?"
        "?'");
  CHECK(in_quotes(std::string(1000, 'x')) == "'" + std::string(60, 'x') + "...'");
}

TEST_CASE("UTF-8 is checked to the letter", "[base]") {
  const std::string good[] = {"",
                              "abc",
                              "\xc3\xa9",
                              "\xe2\x82\xac",
                              "\xf0\x9f\x98\x80",
                              "\xf4\x8f\xbf\xbf",
                              "\xed\x9f\xbf"};
  for (const std::string& text : good) CHECK(is_utf8(text));
  const std::string bad[] = {"\x80",
                             "\xc3",
                             "\xc0\xaf",
                             "\xe0\x80\x80",
                             "\xed\xa0\x80",
                             "\xf4\x90\x80\x80",
                             "\xf8\x88\x80\x80\x80",
                             "a\xe2\x82"};
  for (const std::string& text : bad) CHECK_FALSE(is_utf8(text));
}

TEST_CASE("names are letters, digits and underscores", "[base]") {
  CHECK(is_identifier("n"));
  CHECK(is_identifier("_x9"));
  CHECK(is_identifier(std::string(64, 'a')));
  CHECK_FALSE(is_identifier(""));
  CHECK_FALSE(is_identifier("9x"));
  CHECK_FALSE(is_identifier("a b"));
  CHECK_FALSE(is_identifier("a-b"));
  CHECK_FALSE(is_identifier("\xc3\xa9"));
  CHECK_FALSE(is_identifier(std::string(65, 'a')));
  CHECK(is_node_name("PE-array"));
  CHECK_FALSE(is_node_name("PEs.y"));
}

TEST_CASE("numbers are written with the fewest digits that read back", "[base]") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(42) == "42");
  CHECK(number_text(-3) == "-3");
  CHECK(number_text(1e300) == "1e+300");
  CHECK(number_text(19.2) == "19.2");
  CHECK(number_text(100000) == "100000");
  for (const double value : {0.1 + 0.2, 1.0 / 3, 5e-308, std::numeric_limits<double>::max()}) {
    CHECK(std::stod(number_text(value)) == value);
  }
}

TEST_CASE("a status joins file, place and message", "[base]") {
  CHECK(Status().ok());
  CHECK(Status().to_string().empty());
  const Status bare(StatusCode::kInvalidInput, "why");
  CHECK(bare.to_string() == "why");
  CHECK(Status(bare).at("/a").to_string() == "/a: why");
  CHECK(Status(bare).at("/a").in("x.json").to_string() == "x.json: /a: why");
  CHECK(Status(bare).in("x.json").to_string() == "x.json: why");
  CHECK(Status(bare).at("/inner").at("/outer").place() == "/inner");
}

TEST_CASE("an overflow is remembered", "[base]") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  OverflowFlag flag;
  CHECK(flag.mul(3037000499, 3037000499) == 9223372030926249001);
  CHECK(flag.add(kMost - 1, 1) == kMost);
  CHECK_FALSE(flag.raised());
  flag.mul(3037000500, 3037000500);
  CHECK(flag.raised());
  CHECK(flag.add(1, 1) == 2);
  CHECK(flag.raised());  // sticky
  CHECK(ceil_div(7, 2) == 4);
  CHECK(ceil_div(8, 2) == 4);
}
