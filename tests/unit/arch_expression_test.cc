// Numbers written as text, seen through an architecture's variables and fields.
#include <cmath>
#include <string>

#include <catch2/catch.hpp>

#include "model/arch/arch.h"

using namespace loopscape;

namespace {

// An architecture whose DRAM bandwidth is the expression.
Result<Arch> with(const std::string& expression, const std::string& variables = "{}") {
  std::string escaped;
  for (const char c : expression) escaped += c == '\t' ? std::string("\\t") : std::string(1, c);
  return parse_arch("{\"variables\": " + variables +
                    ", \"nodes\": [{\"memory\": \"D\", \"latency_cycles\": \"" + escaped +
                    "\"}, {\"compute\": \"C\"}]}");
}

double value(const std::string& expression, const std::string& variables = "{}") {
  const Result<Arch> arch = with(expression, variables);
  INFO(expression << ": " << arch.status().to_string());
  REQUIRE(arch.ok());
  return arch->memories[0].latency_cycles;
}

std::string error(const std::string& expression, const std::string& variables = "{}") {
  return with(expression, variables).status().to_string();
}

}  // namespace

TEST_CASE("expressions have the usual values", "[arch]") {
  const std::pair<const char*, double> cases[] = {
      {"1", 1},         {" 42 ", 42},       {".5", 0.5},          {"1e3", 1000},
      {"1 + 2 * 3", 7}, {"(1 + 2) * 3", 9}, {"10 - 3 - 2", 5},    {"16 / 4 / 2", 2},
      {"7 / 2", 3.5},   {"17 % 5", 2},      {"7.5 % 2", 1.5},     {"--3", 3},
      {"-3 + 5", 2},    {"2 * -3 + 10", 4}, {"min(3, 1, 2)", 1},  {"max(3, 1, 2)", 3},
      {"max(5)", 5},    {"ceil(7 / 2)", 4}, {"floor(7/2)", 3},    {"round(2.5)", 3},
      {"sqrt(16)", 4},  {"log2(1024)", 10}, {"pow(2, 10)", 1024}, {"ceil( log2 ( 1000 ) )", 10},
      {"\t1\t+\t1", 2}};
  for (const auto& [text, expected] : cases) CHECK(value(text) == expected);
}

TEST_CASE("variables refer to variables", "[arch]") {
  const std::string variables =
      R"({"x": 14, "y": "x - 2", "total": "x * y", "half": 0.5, "_z9": "max(x, y) * half"})";
  CHECK(value("total", variables) == 168);
  CHECK(value("_z9", variables) == 7);
  CHECK(value("x", R"({"x": "y", "y": "z", "z": 3})") == 3);
}

TEST_CASE("wrong expressions get a sentence at their field", "[arch]") {
  const std::string field = "/nodes/0/latency_cycles: ";
  const std::string in = field + "in the expression ";
  const std::pair<std::string, std::string> cases[] = {
      {"", field + "an empty text where a number is expected"},
      {"   ", field + "an empty text"},
      {"1 +", in + "'1 +': expected a number or a name, found the end"},
      {"1 2", in + "'1 2': expected an operator or the end, found '2'"},
      {"(1", in + "'(1': expected ')'"},
      {"1)", in + "'1)': expected an operator or the end, found ')'"},
      {"1 / 0", in + "'1 / 0': division by zero"},
      {"1 % (2 - 2)", in + "'1 % (2 - 2)': division by zero"},
      {"sqrt(-1)", in + "'sqrt(-1)': the value is not a finite number"},
      {"log2(0)", in + "'log2(0)': the value is not a finite number"},
      {"1e308 * 10", in + "'1e308 * 10': the value is not a finite number"},
      {"pow(10, 400)", in + "'pow(10, 400)': the value is not a finite number"},
      {"1e400", in + "'1e400': the number is too large or too small"},
      {"sqrt(1, 2)", in + "'sqrt(1, 2)': 'sqrt' takes one argument"},
      {"pow(1)", in + "'pow(1)': 'pow' takes two arguments"},
      {"sqr(1)", in + "'sqr(1)': unknown function 'sqr' (did you mean 'sqrt'?)"},
      {"min()", in + "'min()': expected a number or a name, found ')'"},
      {"min(1", in + "'min(1': expected ',' or ')'"},
      {"x", field + "unknown variable 'x'; the spec has no variables"},
      {"nan", field + "unknown variable 'nan'"},
      {"inf", field + "unknown variable 'inf'"},
      {"0x10", in + "'0x10': expected an operator or the end, found 'x'"},
      {"1 < 2", in + "'1 < 2': expected an operator or the end, found '<'"},
      {"2 ** 3", in + "'2 ** 3': expected a number or a name, found '*'"},
      {"-5", field + "expected a number of at least 0, found the text '-5' = -5"},
  };
  for (const auto& [text, expected] : cases) CHECK_THAT(error(text), Catch::StartsWith(expected));
  CHECK_THAT(error("pes", R"({"pes_x": 1})"), Catch::Contains("unknown variable 'pes'"));
  CHECK_THAT(error("pes_y", R"({"pes_x": 1})"), Catch::Contains("did you mean 'pes_x'?"));
}

TEST_CASE("variables that have no value are errors, used or not", "[arch]") {
  CHECK_THAT(error("1", R"({"a": "a"})"),
             Catch::Equals("/variables/a: the variables refer to each other in a cycle: a -> a"));
  CHECK_THAT(error("1", R"({"a": "b + 1", "b": "2 * c", "c": "a"})"),
             Catch::Equals("/variables/a: the variables refer to each other in a cycle: "
                           "a -> b -> c -> a"));
  CHECK_THAT(error("1", R"({"x": "b", "b": "c", "c": "b"})"),
             Catch::Contains("cycle: b -> c -> b"));
  CHECK_THAT(error("1", R"({"a": "1 / 0"})"), Catch::StartsWith("/variables/a: in the expression"));
  CHECK_THAT(error("1", R"({"a": true})"), Catch::StartsWith("/variables/a: expected a text"));
  CHECK_THAT(error("1", R"({"min": 1})"), Catch::StartsWith("/variables/min: 'min' is no name"));
  CHECK_THAT(error("1", R"({"a b": 1})"), Catch::StartsWith("/variables/a b: 'a b' is no name"));
  CHECK_THAT(error("1", R"([1])"), Catch::StartsWith("/variables: expected an object"));
  CHECK_THAT(error("1", R"({"a": 1e301})"), Catch::StartsWith("/variables/a: expected a number"));
}

TEST_CASE("hostile expressions are refused, not followed", "[arch]") {
  CHECK_THAT(error(std::string(500, '(') + "1"), Catch::Contains("nested too deeply"));
  CHECK_THAT(error(std::string(2000, '1')), Catch::Contains("more than 1000 characters"));
  CHECK_THAT(error(std::string(900, '9')), Catch::Contains("too large"));
  CHECK(value(std::string(998, '-') + "1") == 1);
  std::string calls;
  for (int i = 0; i < 100; ++i) calls += "min(";
  CHECK_THAT(error(calls + "1"), Catch::Contains("nested too deeply"));
  std::string chain = R"({"v0": 1)";
  for (int i = 1; i < 100; ++i) {
    chain += ", \"v" + std::to_string(i) + "\": \"v" + std::to_string(i - 1) + " + 1\"";
  }
  // Alphabetical order meets v99 last, when its chain is known; v10 first, whose chain is short.
  CHECK(value("v99", chain + "}") == 100);
  std::string down = R"({"v100": 1)";
  for (int i = 199; i > 100; --i) {
    down += ", \"w" + std::to_string(i) + "\": \"w" + std::to_string(i + 1) + " + 1\"";
  }
  CHECK_THAT(error("1", down + ", \"w200\": 1}"), Catch::Contains("more than 64 deep"));
  std::string many = R"({"v0": 1)";
  for (int i = 1; i < 1002; ++i) many += ", \"v" + std::to_string(i) + "\": 1";
  CHECK_THAT(error("1", many + "}"), Catch::Contains("more than 1000 variables"));
}
