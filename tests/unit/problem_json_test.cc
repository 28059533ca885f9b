// The JSON forms of problems: short forms against the einsums they stand for, errors at their
// places, and round-trips of random problems.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "model/problem/problem.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;

namespace {

struct Expansion {
  const char* json;
  const char* einsum;
  const char* extents;  // "n=1 k=2", in order of appearance
};

std::string extents_text(const Problem& problem) {
  std::string out;
  for (const Dim& dim : problem.dims) {
    out += (out.empty() ? "" : " ") + dim.name + "=" + std::to_string(dim.extent);
  }
  return out;
}

}  // namespace

TEST_CASE("the example problem of the formats", "[problem]") {
  const Result<Problem> result = parse_problem(R"({
    "$schema": "x", "version": 1,
    "name": "resnet50_conv2_3x3", "comment": "table 1",
    "einsum": "O[n,k,p,q] += I[n,c,p+r,q+s] * W[k,c,r,s]",
    "dims": {"n": 1, "k": 64, "c": 64, "p": 56, "q": 56, "r": 3, "s": 3},
    "tensors": {"W": {"role": "weight", "bits": 8, "density": 0.4}, "I": {"role": "input"},
                "O": {"role": "output", "bits": 24, "final_bits": 8}},
    "conventions": {"preset": "timeloop", "footprint": "distinct"},
    "dim_roles": {"p": "q", "q": "p"}, "count": 3 })");
  REQUIRE(result.status().to_string() == "");
  const Problem& problem = *result;
  CHECK(problem.name == "resnet50_conv2_3x3");
  CHECK(problem.comment == "table 1");
  CHECK(problem.operation == "mac");
  CHECK(problem.count == 3);
  CHECK(problem.operations() == 115605504);
  CHECK(problem.tensors[0].bits == 24);
  CHECK(problem.tensors[0].final_bits == 8);
  CHECK(problem.tensors[2].bits == 8);
  CHECK(problem.tensors[2].density == 0.4);
  CHECK(problem.conventions->footprint == Conventions::Footprint::kDistinct);
  CHECK_FALSE(problem.conventions->drain_reads);
  CHECK(problem.tensors_called("weight") == bit(TensorId{2}));
  CHECK(problem.tensors_called("W") == bit(TensorId{2}));
  CHECK(problem.tensors_called("output") == bit(TensorId{0}));
  CHECK(problem.tensors_called("nobody") == 0);
  CHECK(problem.dims_called("p") == bit(*problem.find_dim("q")));
  CHECK(problem.dims_called("c") == bit(*problem.find_dim("c")));
  CHECK_FALSE(problem.find_dim("z").has_value());
  CHECK_FALSE(problem.padding_free);
}

TEST_CASE("short forms expand to their einsums", "[problem]") {
  const Expansion cases[] = {
      {R"({"op":"conv2d","n":1,"k":64,"c":3,"p":56,"q":55,"r":3,"s":2})",
       "O[n,k,p,q] += I[n,c,p+r,q+s] * W[k,c,r,s]", "n=1 k=64 p=56 q=55 c=3 r=3 s=2"},
      {R"({"op":"conv2d","k":64,"c":3,"h":224,"w":224,"r":7,"s":7,"stride":2,"padding":3})",
       "O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]", "n=1 k=64 p=112 q=112 c=3 r=7 s=7"},
      {R"({"op":"conv2d","k":8,"c":4,"h":20,"w":10,"r":3,"s":3,"stride":[2,1],"dilation":[1,3],
           "padding":[1,0]})",
       "O[n,k,p,q] += I[n,c,2*p+r,q+3*s] * W[k,c,r,s]", "n=1 k=8 p=10 q=4 c=4 r=3 s=3"},
      {R"({"op":"conv2d","k":8,"c":4,"h":8,"w":8,"r":3,"s":3,"padding":[[0,1],[2,0]],"stride":2})",
       "O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]", "n=1 k=8 p=4 q=4 c=4 r=3 s=3"},
      {R"({"op":"conv2d","n":2,"k":256,"c":96,"p":27,"q":27,"r":5,"s":5,"groups":2})",
       "O[n,g,k,p,q] += I[n,g,c,p+r,q+s] * W[g,k,c,r,s]", "n=2 g=2 k=128 p=27 q=27 c=48 r=5 s=5"},
      {R"({"op":"conv2d","k":4,"c":4,"h":5,"p":5,"q":3,"r":1,"s":1})",
       "O[n,k,p,q] += I[n,c,p+r,q+s] * W[k,c,r,s]", "n=1 k=4 p=5 q=3 c=4 r=1 s=1"},
      {R"({"op":"depthwise","g":32,"p":112,"q":112,"r":3,"s":3})",
       "O[n,g,p,q] += I[n,g,p+r,q+s] * W[g,r,s]", "n=1 g=32 p=112 q=112 r=3 s=3"},
      {R"({"op":"depthwise","c":32,"h":11,"w":11,"r":3,"s":3,"stride":2,"dilation":2})",
       "O[n,g,p,q] += I[n,g,2*p+2*r,2*q+2*s] * W[g,r,s]", "n=1 g=32 p=4 q=4 r=3 s=3"},
      {R"({"op":"gemm","m":512,"n":3072,"k":768})", "O[m,n] += I[m,k] * W[k,n]",
       "m=512 n=3072 k=768"},
      {R"({"op":"gemm","m":512,"n":3072,"k":768,"batch":1})", "O[m,n] += I[m,k] * W[k,n]",
       "m=512 n=3072 k=768"},
      {R"({"op":"gemm","m":5,"n":6,"k":7,"batch":4})", "O[b,m,n] += I[b,m,k] * W[b,k,n]",
       "b=4 m=5 n=6 k=7"},
      {R"({"op":"fc","k":1000,"c":2048})", "O[n,k] += I[n,c] * W[k,c]", "n=1 k=1000 c=2048"},
      {R"({"op":"fc","n":16,"k":1000,"c":2048})", "O[n,k] += I[n,c] * W[k,c]",
       "n=16 k=1000 c=2048"},
      {R"({"op":"attention_qk","h":12,"m":512,"n":384,"k":64})",
       "O[b,h,m,n] += I[b,h,m,k] * W[b,h,n,k]", "b=1 h=12 m=512 n=384 k=64"},
      {R"({"op":"attention_av","b":2,"m":512,"n":384,"k":64})",
       "O[b,h,m,k] += I[b,h,m,n] * W[b,h,n,k]", "b=2 h=1 m=512 k=64 n=384"},
      {R"({"op":"pool","c":64,"h":112,"w":112,"r":3,"s":3,"stride":2,"padding":1})",
       "O[n,c,p,q] += I[n,c,2*p+r,2*q+s]", "n=1 c=64 p=56 q=56 r=3 s=3"},
      {R"({"op":"elementwise","dims":{"n":4,"c":3}})", "O[c,n] += I[c,n]", "c=3 n=4"},
      {R"({"op":"elementwise","dims":{"n":4,"c":3},"inputs":2})", "O[c,n] += I[c,n] * J[c,n]",
       "c=3 n=4"},
  };
  const SchemaCheck schema(problem_schema());
  for (const Expansion& c : cases) {
    CAPTURE(c.json);
    const Result<Problem> problem = parse_problem(c.json);
    REQUIRE(problem.status().to_string() == "");
    CHECK(problem->einsum() == c.einsum);
    CHECK(extents_text(*problem) == c.extents);
    CHECK(*parse_problem(problem_to_json(*problem)) == *problem);
    CHECK(schema.accepts(c.json));
    CHECK(schema.accepts(problem_to_json(*problem)));
  }
}

TEST_CASE("short forms state operations and dimension roles", "[problem]") {
  CHECK(parse_problem(R"({"op":"pool","c":1,"p":1,"q":1,"r":2,"s":2})")->operation == "max");
  CHECK(parse_problem(R"({"op":"pool","c":1,"p":1,"q":1,"r":2,"s":2,"operation":"add"})")
            ->operation == "add");
  CHECK(parse_problem(R"({"op":"elementwise","dims":{"a":2}})")->operation == "add");
  const Problem gemm = *parse_problem(R"({"op":"gemm","m":2,"n":3,"k":4})");
  const std::map<std::string, std::string> roles = {{"m", "p"}, {"n", "k"}, {"k", "c"}};
  CHECK(gemm.dim_roles == roles);
  CHECK(gemm.dims_called("k") == bit(*gemm.find_dim("n")));
  CHECK(gemm.dims_called("c") == bit(*gemm.find_dim("k")));
  CHECK(gemm.dims_called("m") == bit(*gemm.find_dim("m")));  // no canonical m: the own name
  CHECK(gemm.dims_called("n") == bit(*gemm.find_dim("n")));
  CHECK(gemm.dims_called("r") == 0);
  CHECK(parse_problem(R"({"op":"gemm","m":2,"n":3,"k":4,"dim_roles":{}})")->dim_roles.empty());
  CHECK(parse_problem(R"({"einsum":"O[m]+=I[m]","dims":{"m":2}})")->dim_roles.empty());
}

TEST_CASE("padding that is not moved leaves a valid range", "[problem]") {
  const auto range = [](const std::string& json, std::size_t rank) {
    const Result<Problem> problem = parse_problem(json);
    REQUIRE(problem.status().to_string() == "");
    CHECK(*parse_problem(problem_to_json(*problem)) == *problem);
    const Rank& r = problem->tensors[1].ranks[rank];
    return std::pair(r.valid_begin.value_or(-1), r.valid_end.value_or(-1));
  };
  const std::string conv = R"({"op":"conv2d","k":1,"c":1,"r":3,"s":3,"padding_free":true,)";
  using Range = std::pair<std::int64_t, std::int64_t>;
  CHECK(range(conv + R"("h":56,"w":28,"padding":1})", 2) == Range(1, 57));
  CHECK(range(conv + R"("h":56,"w":28,"padding":1})", 3) == Range(1, 29));
  CHECK(range(conv + R"("h":56,"w":28,"padding":[0,2]})", 2) == Range(0, 56));
  CHECK(range(conv + R"("h":56,"w":28,"padding":[[3,1],[0,1]]})", 2) == Range(3, 59));
  CHECK(range(conv + R"("p":56,"q":28,"padding":1})", 2) == Range(1, 57));
  CHECK(range(conv + R"("p":5,"q":5,"padding":1,"stride":2,"dilation":3})", 2) == Range(1, 14));
  CHECK(range(conv + R"("h":56,"w":28,"padding":1,"groups":1})", 0) == Range(-1, -1));
  CHECK(range(R"({"op":"conv2d","k":4,"c":4,"r":3,"s":3,"padding_free":true,"groups":2,"h":9,"w":7,
                  "padding":1})",
              4) == Range(1, 8));
  CHECK(range(R"({"op":"pool","c":4,"r":3,"s":3,"padding_free":true,"h":9,"w":7,"padding":1})",
              3) == Range(1, 8));
  CHECK(range(R"({"op":"conv2d","k":1,"c":1,"r":3,"s":3,"h":9,"w":7,"padding":1})", 2) ==
        Range(-1, -1));
}

TEST_CASE("every wrong problem is refused at its place", "[problem]") {
  const std::string e = R"({"einsum":"O[m,n] += I[m,k] * W[k,n]","dims":{"m":2,"n":3,"k":4})";
  const std::string conv = R"({"op":"conv2d","k":4,"c":6,"r":3,"s":3)";
  const std::pair<std::string, std::string> cases[] = {
      {"[]", "expected an object, found a list"},
      {"{}", "a problem needs an \"einsum\" or a short form"},
      {R"({"einsm": "O[a] += I[a]"})", "/einsm: unknown key 'einsm' (did you mean 'einsum'?)"},
      {R"({"layers": []})", "/layers: this is a network; one problem is expected here"},
      {R"({"name": "x", "layers": [{"op":"gemm"}]})", "/layers: this is a network"},
      {R"({"nodes": []})", "this is an architecture; a problem is expected here"},
      {R"({"nest": []})", "this is a mapping; a problem is expected here"},
      {R"({"op": "conv3d"})", "/op: expected one of conv2d,"},
      {R"({"op": 3})", "/op: expected one of"},
      {R"({"op":"gemm","einsum":"O[a]+=I[a]"})", "/op: \"op\" and \"einsum\" say the same"},
      {R"({"einsum":"O[a] += I[a]"})", "the key 'dims' is missing"},
      {R"({"einsum":7,"dims":{}})", "/einsum: expected a text, found 7"},
      {R"({"einsum":"O[a","dims":{}})", "/einsum: column 4: expected"},
      {R"({"einsum":"O[a]+=I[a]","dims":{}})", "/dims: the dimension 'a' of the einsum has no"},
      {R"({"einsum":"O[a]+=I[a]","dims":[1]})", "/dims: expected an object, found a list"},
      {R"({"einsum":"O[a]+=I[a]","dims":{"a":0}})", "/dims/a: expected a whole number from 1 to"},
      {R"({"einsum":"O[a]+=I[a]","dims":{"a":"2"}})", "/dims/a: expected a whole number"},
      {R"({"einsum":"O[a]+=I[a]","dims":{"a":4294967296}})", "/dims/a: expected a whole number"},
      {R"({"einsum":"O[a]+=I[a]","dims":{"a":1,"b":1}})", "/dims/b: the dimension 'b' does not"},
      {R"({"einsum":"O[a,b]+=I[a,b]","dims":{"a":4294967295,"b":4294967295}})",
       "/dims: the product of the extents does not fit 63 bits"},
      {R"({"op":"gemm","m":4294967295,"n":4294967295,"k":1})",
       "the product of the extents does not fit 63 bits"},
      {e + R"(,"tensors":{"X":{}}})", "/tensors/X: unknown tensor 'X'; known here: O, I, W"},
      {e + R"(,"tensors":{"I":{"rol":"input"}}})", "/tensors/I/rol: unknown key 'rol' (did you"},
      {e + R"(,"tensors":{"I":{"role":"inputs"}}})", "/tensors/I/role: expected one of weight,"},
      {e + R"(,"tensors":{"I":{"role":"output"}}})", "/tensors/I/role: only the left-hand side"},
      {e + R"(,"tensors":{"O":{"role":"input"}}})", "/tensors/O/role: the left-hand side"},
      {e + R"(,"tensors":{"I":{"final_bits":8}}})", "/tensors/I/final_bits: only an output"},
      {e + R"(,"tensors":{"I":{"bits":0}}})", "/tensors/I/bits: expected a whole number from 1"},
      {e + R"(,"tensors":{"I":{"bits":65537}}})", "/tensors/I/bits: expected a whole number"},
      {e + R"(,"tensors":{"I":{"density":0}}})", "/tensors/I/density: expected a number above 0"},
      {e + R"(,"tensors":{"I":{"density":1.5}}})", "/tensors/I/density: expected a number"},
      {e + R"(,"tensors":{"I":{"valid":[[0,1],null]}}})", "/tensors/I: a valid range needs \"pad"},
      {e + R"(,"padding_free":true,"tensors":{"I":{"valid":[[0,1]]}}})",
       "/tensors/I/valid: 'I' has 2 ranks, not 1"},
      {e + R"(,"padding_free":true,"tensors":{"I":{"valid":[[1,1],null]}}})",
       "/tensors/I: the valid range must begin"},
      {e + R"(,"padding_free":true,"tensors":{"I":{"valid":[[2,9],null]}}})",
       "/tensors/I: the valid range begins at 2, but the rank's extent is 2"},
      {e + R"(,"padding_free":true,"tensors":{"I":{"valid":[[-1,1],null]}}})",
       "/tensors/I/valid/0/0: expected a whole number at least 0, found -1"},
      {e + R"(,"padding_free":true,"tensors":{"I":{"valid":[[1],null]}}})",
       "/tensors/I/valid/0: expected one [begin, end) or null per rank"},
      {e + R"(,"padding_free":true,"tensors":{"O":{"valid":[[0,1],null]}}})",
       "/tensors/O/valid: only inputs have padding"},
      {e + R"(,"dim_roles":{"z":"p"}})", "/dim_roles: unknown dimension 'z'"},
      {e + R"(,"dim_roles":{"m":"z"}})", "/dim_roles/m: 'z' is no canonical dimension"},
      {e + R"(,"count":0})", "/count: expected a whole number at least 1, found 0"},
      {e + R"(,"operation":"a b"})", "/operation: 'a b' is no name for an operation"},
      {e + R"(,"conventions":{"preset":"timelop"}})", "/conventions/preset: expected one of"},
      {e + R"(,"version":2})", "/version: only version 1"},
      {e + R"(,"stride":1})", "/stride: unknown key 'stride'"},
      {R"({"op":"gemm","m":1,"n":1})", "the key 'k' is missing"},
      {R"({"op":"gemm","m":1,"n":1,"k":1,"p":1})", "/p: unknown key 'p'"},
      {R"({"op":"gemm","m":1,"n":1,"k":1,"padding_free":true})", "/padding_free: unknown key"},
      {R"({"op":"depthwise","g":1,"c":1,"p":1,"q":1,"r":1,"s":1})", "/c: 'g' and 'c' say the same"},
      {conv + R"(,"p":4})", "the size is missing: give the output's 'q' or the input's 'w'"},
      {conv + R"(,"p":4,"q":4,"stride":0})", "/stride: expected a whole number from 1"},
      {conv + R"(,"p":4,"q":4,"stride":[1,2,3]})", "/stride: expected one number or two"},
      {conv + R"(,"p":4,"q":4,"stride":[1,0]})", "/stride/1: expected a whole number from 1"},
      {conv + R"(,"p":4,"q":4,"padding":-1})", "/padding: expected a whole number from 0"},
      {conv + R"(,"p":4,"q":4,"padding":[[1,1],"x"]})", "/padding/1: expected a whole number"},
      {conv + R"(,"h":2,"w":9})", "/h: the padded input (2) is smaller than the kernel's span (3)"},
      {conv + R"(,"h":9,"w":9,"q":8})", "/q: 'q' is 8, but the input's size gives 7"},
      {conv + R"(,"p":1,"q":1,"padding":2})", "/padding: an input of 3 with its padding would be"},
      {conv + R"(,"p":4,"q":4,"groups":4})", "/groups: 4 groups do not divide 'c' = 6"},
      {conv + R"(,"p":4,"q":4,"groups":3})", "/groups: 3 groups do not divide 'k' = 4"},
      {conv + R"(,"p":4294967295,"q":4,"stride":4294967295})", "/p: the input's extent does not"},
      {R"({"op":"conv2d","k":1,"c":1,"r":4294967295,"s":1,"p":1,"q":1,"dilation":4294967295})",
       "/dilation: the kernel's span does not fit 63 bits"},
      {R"({"op":"pool","c":1,"p":1,"q":1,"r":1,"s":1,"operation":"min"})",
       "/operation: expected one of max, add"},
      {R"({"op":"elementwise"})", "the key 'dims' is missing"},
      {R"({"op":"elementwise","dims":{}})", "/dims: an element-wise operation has dimensions"},
      {R"({"op":"elementwise","dims":{"a b":1}})", "/dims: 'a b' is no name for a dimension"},
      {R"({"op":"elementwise","dims":{"a":1},"inputs":3})", "/inputs: expected a whole number"},
  };
  for (const auto& [json, expected] : cases) {
    CAPTURE(json);
    const Result<Problem> result = parse_problem(json);
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == StatusCode::kInvalidInput);
    CHECK_THAT(result.status().to_string(), Catch::StartsWith(expected));
  }
}

TEST_CASE("make_problem refuses drafts that no text could give", "[problem]") {
  const Problem good =
      *parse_problem(R"({"einsum":"O[m,n] += I[m,k] * W[k,n]","dims":{"m":2,"n":3,"k":4}})");
  REQUIRE(*make_problem(good) == good);
  const auto refused = [&](void (*spoil)(Problem&)) {
    Problem draft = good;
    spoil(draft);
    return make_problem(draft).status().to_string();
  };
  CHECK(refused([](Problem&) {}).empty());
  CHECK_THAT(refused([](Problem& p) { p.dims.clear(); }), Catch::Contains("at least one dim"));
  CHECK_THAT(refused([](Problem& p) { p.dims[0].name = "n"; }), Catch::Contains("twice"));
  CHECK_THAT(refused([](Problem& p) { p.dims[0].name = "\x1b"; }), Catch::Contains("'?' is no na"));
  CHECK_THAT(refused([](Problem& p) {
               p.dims.push_back({"z", 1});
             }),
             Catch::Contains("occurs in no tensor"));
  CHECK_THAT(refused([](Problem& p) {
               p.dims.resize(17, Dim{"z", 1});
             }),
             Catch::Contains("more than 16"));
  CHECK_THAT(refused([](Problem& p) { p.tensors.resize(1); }), Catch::Contains("at least one inp"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].name = "O"; }), Catch::Contains("two tensors"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].name = "output"; }),
             Catch::Contains("named like a role"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].ranks[0].terms.clear(); }),
             Catch::Contains("without a dimension"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].ranks[0].terms[0].dim = DimId{200}; }),
             Catch::Contains("does not exist"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].ranks[0].terms[0].coefficient = -1; }),
             Catch::Contains("below 1"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].density = 0.0 / 0.0; }),
             Catch::Contains("density"));
  CHECK_THAT(refused([](Problem& p) { p.tensors[1].role = static_cast<Role>(9); }),
             Catch::Contains("role"));
  CHECK_THAT(refused([](Problem& p) { p.count = 0; }), Catch::Contains("at least once"));
  CHECK_THAT(refused([](Problem& p) { p.name = "\xff"; }), Catch::Contains("UTF-8"));
  CHECK_THAT(refused([](Problem& p) {
               p.padding_free = true;
               p.tensors[1].ranks[0].valid_begin = 0;
             }),
             Catch::Contains("a begin and an end"));
}

TEST_CASE("make_problem numbers dimensions by appearance", "[problem]") {
  Problem draft = *parse_problem(R"({"einsum":"O[m] += I[m,k]","dims":{"m":2,"k":4}})");
  std::swap(draft.dims[0], draft.dims[1]);
  draft.tensors[0].ranks[0].terms[0].dim = DimId{1};
  draft.tensors[1].ranks[0].terms[0].dim = DimId{1};
  draft.tensors[1].ranks[1].terms[0].dim = DimId{0};
  CHECK(draft.einsum() == "O[m] += I[m,k]");
  CHECK(*make_problem(draft) == *parse_problem(R"({"einsum":"O[m] += I[m,k]",
                                                   "dims":{"m":2,"k":4}})"));
}

namespace {

// A random legal problem, by construction.
Problem random_problem(std::mt19937& random) {
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Problem draft;
  const std::size_t dims = 1 + pick(kMaxDims), tensors = 2 + pick(kMaxTensors - 1);
  for (std::size_t d = 0; d < dims; ++d) {
    draft.dims.push_back({"d" + std::to_string(d), static_cast<std::int64_t>(1 + pick(10))});
  }
  for (std::size_t t = 0; t < tensors; ++t) {
    Tensor tensor;
    tensor.name = "T" + std::to_string(t);
    tensor.role = t == 0 ? Role::kOutput : pick(2) ? Role::kInput : Role::kWeight;
    tensor.bits = pick(2) ? static_cast<std::uint32_t>(pick(64)) : 0;
    if (t == 0 && pick(2)) tensor.final_bits = 8;
    if (pick(2)) tensor.density = static_cast<double>(1 + pick(999983)) / 999983;
    for (std::size_t d = 0; d < dims; ++d) {
      // Every dimension occurs in the last tensor, as long as there is room.
      const bool room = tensor.ranks.size() < kMaxRanks;
      const bool fresh = tensor.ranks.empty() || (room && pick(2));
      Rank* rank = fresh ? &tensor.ranks.emplace_back() : &tensor.ranks[pick(tensor.ranks.size())];
      for (Rank& other : tensor.ranks) {
        if (rank->terms.size() == kMaxTerms) rank = &other;
      }
      if (rank->terms.size() == kMaxTerms) rank = &tensor.ranks.emplace_back();
      rank->terms.push_back({static_cast<DimId>(d), static_cast<std::int64_t>(1 + pick(5))});
    }
    draft.tensors.push_back(std::move(tensor));
  }
  if (pick(2)) draft.name = "layer \"" + std::to_string(pick(9)) + "\"\t\xe2\x82\xac";
  if (pick(2)) draft.count = 1 + pick(1000);
  if (pick(2)) draft.conventions = pick(2) ? Conventions::timeloop() : Conventions::physical();
  if (pick(2)) draft.dim_roles["d0"] = "k";
  if (pick(2)) draft.operation = "max";
  draft.padding_free = pick(2);
  if (draft.padding_free) {
    for (std::size_t t = 1; t < tensors; ++t) {
      for (Rank& rank : draft.tensors[t].ranks) {
        if (pick(2)) continue;
        rank.valid_begin = 0;
        rank.valid_end = static_cast<std::int64_t>(1 + pick(20));
      }
    }
  }
  return draft;
}

}  // namespace

TEST_CASE("random problems round-trip and meet the schema", "[problem]") {
  const SchemaCheck schema(problem_schema());
  std::mt19937 random(20240717);
  int made = 0;
  for (int i = 0; i < 2000; ++i) {
    const Result<Problem> problem = make_problem(random_problem(random));
    CAPTURE(i, problem.status().to_string());
    REQUIRE(problem.ok());
    const std::string json = problem_to_json(*problem);
    const Result<Problem> back = parse_problem(json);
    REQUIRE(back.status().to_string() == "");
    CHECK(*back == *problem);
    CHECK(problem_to_json(*back) == json);
    CHECK(back->einsum() == problem->einsum());
    if (i % 20 == 0) CHECK(schema.accepts(json));
    ++made;
  }
  CHECK(made == 2000);
}

TEST_CASE("the schema of problems refuses what the reader refuses", "[problem]") {
  const SchemaCheck schema(problem_schema());
  const char* const refused[] = {
      "[]",
      "{}",
      R"({"op":"conv3d"})",
      R"({"op":"gemm","m":1,"n":1})",
      R"({"op":"gemm","m":1,"n":1,"k":0})",
      R"({"op":"gemm","m":1,"n":1,"k":1,"kk":1})",
      R"({"einsum":"O[a] += I[a]"})",
      R"({"einsum":"O[a] += I[a]","dims":{"a":1},"unknown":1})",
      R"({"einsum":"O[a] += I[a]","dims":{"a":1},"tensors":{"I":{"rol":"input"}}})",
      R"({"einsum":"O[a] += I[a]","dims":{"a":1},"tensors":{"I":{"density":0}}})",
      R"({"op":"conv2d","k":1,"c":1,"p":1,"q":1,"r":1,"s":1,"stride":[1,2,3]})",
      R"({"op":"depthwise","p":1,"q":1,"r":1,"s":1})",
      R"({"op":"depthwise","g":1,"c":1,"p":1,"q":1,"r":1,"s":1})"};
  for (const char* json : refused) {
    CAPTURE(json);
    CHECK_FALSE(schema.accepts(json));
    CHECK_FALSE(parse_problem(json).ok());
  }
}
