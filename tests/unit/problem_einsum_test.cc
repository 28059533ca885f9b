// The text form of an einsum: what it means, and every error with its column.
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "model/problem/problem.h"

using namespace loopscape;

namespace {

using Extents = std::map<std::string, std::int64_t>;

// Gives every letter of the text an extent, so that only the text can be wrong.
Extents letters(const std::string& text) {
  Extents extents;
  for (char c = 'a'; c <= 'z'; ++c) {
    if (text.find(c) != std::string::npos) extents[std::string(1, c)] = 2 + c % 5;
  }
  return extents;
}

Result<Problem> parse(const std::string& text) { return parse_einsum(text, letters(text)); }

}  // namespace

TEST_CASE("a strided convolution", "[problem]") {
  const Result<Problem> result = parse(" O[n,k,p,q]+=I[n, c,2*p+r , q * 2 +3*s]*W [k,c,r,s] ");
  REQUIRE(result.ok());
  const Problem& problem = *result;
  CHECK(problem.einsum() == "O[n,k,p,q] += I[n,c,2*p+r,2*q+3*s] * W[k,c,r,s]");
  REQUIRE(problem.tensors.size() == 3);
  REQUIRE(problem.dims.size() == 7);
  std::string order;
  for (const Dim& dim : problem.dims) order += dim.name;
  CHECK(order == "nkpqcrs");  // first appearance
  const Tensor& input = problem.tensors[1];
  CHECK(input.name == "I");
  CHECK(input.role == Role::kInput);
  CHECK_FALSE(input.is_output);
  const auto mask = [&](const std::string& names) {
    DimMask out = 0;
    for (const char c : names) {
      out = static_cast<DimMask>(out | bit(*problem.find_dim(std::string(1, c))));
    }
    return out;
  };
  CHECK(input.relevant == mask("ncprqs"));
  CHECK(input.sliding == mask("prqs"));
  CHECK(problem.tensors[0].relevant == mask("nkpq"));
  CHECK(problem.tensors[0].sliding == 0);
  CHECK(problem.tensors[0].is_output);
  CHECK(problem.tensors[0].role == Role::kOutput);
  CHECK(problem.tensors[2].role == Role::kWeight);
  REQUIRE(input.ranks[3].terms.size() == 2);
  CHECK(input.ranks[3].terms[1].coefficient == 3);
  CHECK(problem.output() == TensorId{0});
}

TEST_CASE("forms that are einsums too", "[problem]") {
  const std::pair<const char*, const char*> cases[] = {
      {"O[m]=I[m]", "O[m] += I[m]"},
      {"O[] += A[k] * B[k]", "O[] += A[k] * B[k]"},
      {"O[a+b] += I[a]*F[b]", "O[a+b] += I[a] * F[b]"},
      {"O[a] += I[1*a]", "O[a] += I[a]"},
      {"O[a]\n+=\tI[a]\r\n* J[ a ]", "O[a] += I[a] * J[a]"},
      {"O[a,b,c] += A[a]*B[b]*C[c]*D[a]*E[b]*F[c]*G[a]",
       "O[a,b,c] += A[a] * B[b] * C[c] * D[a] * E[b] * F[c] * G[a]"},
      {"O[a,b,c,d] += I[a+2*b+3*c+4*d]", "O[a,b,c,d] += I[a+2*b+3*c+4*d]"},
      {"O[a,b,c,d,e,f,g,h] += I[a,b,c,d,e,f,g,h]", "O[a,b,c,d,e,f,g,h] += I[a,b,c,d,e,f,g,h]"}};
  for (const auto& [text, printed] : cases) {
    CAPTURE(text);
    const Result<Problem> problem = parse(text);
    REQUIRE(problem.status().to_string() == "");
    CHECK(problem->einsum() == printed);
    CHECK(*parse(problem->einsum()) == *problem);
  }
}

TEST_CASE("every mistake in the text has its column", "[problem]") {
  const std::string name65(65, 'a');
  const std::pair<std::string, std::string> cases[] = {
      {"", "column 1: expected a tensor's name, found the end"},
      {"O", "column 2: expected '[' after 'O', found the end"},
      {"O[a]", "column 5: expected '+=' after the output tensor, found the end"},
      {"O[a] + I[a]", "column 7: expected '+=' after the output tensor, found ' '"},
      {"O[a] +=", "column 8: expected a tensor's name, found the end"},
      {"O[a] += I[a] *", "column 15: expected a tensor's name"},
      {"O[a] += I[a] + J[a]", "column 14: expected '*' and another tensor, or the end, found '+'"},
      {"O[a] += I[a", "column 12: expected ',' or '+' or ']' here, found the end"},
      {"O[a,] += I[a]", "column 5: expected a dimension's name, found ']'"},
      {"O[a] += I[a+]", "column 13: expected a dimension's name"},
      {"O[a] += I[2*]", "column 13: expected a dimension's name"},
      {"O[a] += I[a*]", "column 13: expected a number after '*', found ']'"},
      {"O[a] += I[a*b]", "column 13: expected a number after '*', found 'b'"},
      {"O[a] += I[0*a]", "column 11: the coefficient is 0; leave the term out"},
      {"O[a] += I[a*0]", "column 13: the coefficient is 0"},
      {"O[a] += I[-a]", "column 11: coefficients are positive"},
      {"O[a] += I[a-1]", "column 12: expected ',' or '+' or ']' here, found '-'"},
      {"O[a] += I[-2*a]", "column 11: coefficients are positive"},
      {"O[a] += I[a+1]", "column 13: a constant: a rank is a sum of dimensions"},
      {"O[a] += I[3]", "column 11: a constant"},
      {"O[a] += I[2a]", "column 11: a constant"},
      {"O[a] += I[99999999999999999999*a]", "column 11: the coefficient is larger than 4294967295"},
      {"O[a] += I[4294967296*a]", "column 11: the coefficient is larger than"},
      {"O[a] += I[a+a]", "column 13: the dimension 'a' occurs twice in 'I'"},
      {"O[a] += I[a,2*a]", "column 13: the dimension 'a' occurs twice in 'I'"},
      {"O[a] += I[a] * I[a]", "column 16: the tensor 'I' occurs twice"},
      {"O[a] += O[a]", "column 9: the tensor 'O' occurs twice"},
      {"O[a] += I[a]]", "column 13: expected '*' and another tensor, or the end, found ']'"},
      {"1[a] += I[a]", "column 1: expected a tensor's name, found"},
      {"O(a) += I(a)", "column 2: expected '[' after 'O', found '('"},
      {"O[a] += I[\xc3\xa9]", "column 11: expected a dimension's name, found '?'"},
      {std::string("O[a\0] += I[a]", 13), "column 4: expected ',' or '+' or ']' here, found '?'"},
      {"O[" + name65 + "] += I[a]", "column 3: a name of more than 64 characters"},
      {"O[a,b,c,d,e] += I[a+b+c+d+e]", "column 27: more than 4 terms in one rank"},
      {"O[a,b,c,d,e,f,g,h,i] += I[a]", "column 19: more than 8 ranks in 'O'"},
      {"O[a]+=A[a]*B[a]*C[a]*D[a]*E[a]*F[a]*G[a]*H[a]", "column 42: more than 8 tensors"},
      {"O[a,b,c,d,e,f,g,h]+=I[i,j,k,l,m,n,o,p]*W[q]", "column 42: more than 16 dimensions"},
      {std::string(5000, ' '), "the einsum is longer than 4000 characters"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Result<Problem> result = parse(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == StatusCode::kInvalidInput);
    CHECK(is_utf8(result.status().to_string()));
    CHECK_THAT(result.status().to_string(), Catch::StartsWith(message));
  }
}

TEST_CASE("extents belong to dimensions", "[problem]") {
  const std::string text = "O[m,n] += A[m,k] * B[k,n]";
  const auto message = [&](const Extents& extents) {
    return parse_einsum(text, extents).status().to_string();
  };
  CHECK(message({{"m", 1}, {"n", 1}}) == "the dimension 'k' has no extent");
  CHECK(message({{"m", 1}, {"n", 1}, {"k", 1}, {"kk", 1}}) ==
        "the dimension 'kk' does not occur in the einsum (did you mean 'k'?)");
  CHECK_THAT(message({{"m", 0}, {"n", 1}, {"k", 1}}),
             Catch::StartsWith("/dims/m: the extent is 0"));
  CHECK_THAT(message({{"m", -7}, {"n", 1}, {"k", 1}}), Catch::Contains("the extent is -7"));
  CHECK_THAT(message({{"m", 4294967296}, {"n", 1}, {"k", 1}}),
             Catch::Contains("from 1 to 4294967295"));
  CHECK(message({{"m", 4294967295}, {"n", 2147483648}, {"k", 1}}).empty());
  CHECK_THAT(message({{"m", 4294967295}, {"n", 2147483649}, {"k", 1}}),
             Catch::Contains("the product of the extents does not fit 63 bits"));
  CHECK_THAT(message({{"m", 4294967295}, {"n", 4294967295}, {"k", 4294967295}}),
             Catch::Contains("does not fit 63 bits"));
}

TEST_CASE("extents of ranks and tensors are checked", "[problem]") {
  const auto message = [&](const std::string& text, const Extents& extents) {
    return parse_einsum(text, extents).status().to_string();
  };
  CHECK_THAT(message("O[a] += I[4294967295*a]", {{"a", 4294967295}}),
             Catch::Equals("/tensors/I: the extent of a rank does not fit 63 bits"));
  CHECK(message("O[a] += I[2147483647*a]", {{"a", 4294967295}}).empty());
  CHECK_THAT(message("O[a,b] += I[2147483647*a,2*b]", {{"a", 65536}, {"b", 1048576}}),
             Catch::Equals("/tensors/I: the bits of the tensor 'I' do not fit 63 bits"));
}
