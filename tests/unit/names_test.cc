// Names that an architecture says and a problem does not know: which are told, and which are not.
#include "model/names/names.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "model/base/json_place.h"
#include "model/network/network.h"

using namespace loopscape;

namespace {

using Lines = std::vector<std::string>;

const std::string kGemm = R"({"name": "p", "op": "gemm", "m": 4, "n": 4, "k": 4})";

Problem problem_of(const std::string& text) {
  const Result<Problem> problem = parse_problem(text);
  INFO(text << ": " << problem.status().to_string());
  REQUIRE(problem.ok());
  return *problem;
}

// What is told of the architecture, a line per remark.
Lines told(const std::string& arch_text, const std::vector<Problem>& problems,
           const std::string& whose = "p") {
  const Result<Arch> arch = parse_arch(arch_text);
  INFO(arch_text << ": " << arch.status().to_string());
  REQUIRE(arch.ok());
  Lines lines;
  for (const Remark& remark : unmatched_names(*arch, problems, whose)) {
    lines.push_back(written_place(arch_text, remark.place) + ": " + remark.message);
  }
  return lines;
}
Lines told(const std::string& arch_text) { return told(arch_text, {problem_of(kGemm)}); }

// D / F(x:4) / B / M, with more keys for the fan-out, for B, and for the whole.
std::string arch_with(const std::string& fanout, const std::string& memory = "",
                      const std::string& whole = "") {
  return R"({"nodes": [{"memory": "D"}, {"fanout": "F", "axes": {"x": 4})" + fanout +
         R"(}, {"memory": "B")" + memory + R"(}, {"compute": "M"}])" + whole + "}";
}
std::string constrained(const std::string& constraint) {
  return arch_with("", "", R"(, "constraints": [)" + constraint + "]");
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}
Result<std::string> file_text(const std::string& path) { return text_of(path); }

std::vector<std::filesystem::path> json_in(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(LOOPSCAPE_SOURCE_DIR "/" + folder)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  return paths;
}

}  // namespace

TEST_CASE("a tensor that nobody knows is told with its place and the nearest name", "[names]") {
  const auto about = [](const std::string& name) {
    return "no tensor of p is called '" + name + "' or has that role, so it has no effect here";
  };
  CHECK(told(arch_with(R"(, "network": {"class": "bus", "multicast": ["inputs", "weight"]})")) ==
        Lines{"/nodes/1/network/multicast/0: " + about("inputs") + " (did you mean 'input'?)"});
  CHECK(told(arch_with(R"(, "network": [{"reduce": "outptu", "forward": ["Wt"]}])")) ==
        Lines{"/nodes/1/network/0/reduce: " + about("outptu") + " (did you mean 'output'?)",
              "/nodes/1/network/0/forward/0: " + about("Wt") + " (did you mean 'W'?)"});
  CHECK(told(arch_with(R"(, "network": {"tensors": ["zz"]})")) ==
        Lines{"/nodes/1/network/tensors/0: " + about("zz") +
              "; known here: input, weight, output, O, I, W"});
  CHECK(told(arch_with("", R"(, "keep": ["wieght"], "bypass": ["outputs"])")) ==
        Lines{"/nodes/2/keep/0: " + about("wieght") + " (did you mean 'weight'?)",
              "/nodes/2/bypass/0: " + about("outputs") + " (did you mean 'output'?)"});
  CHECK(told(constrained(R"({"node": "B", "keep": ["wieght"], "bypass": "o"})")) ==
        Lines{"/constraints/0/keep/0: " + about("wieght") + " (did you mean 'weight'?)",
              "/constraints/0/bypass: " + about("o") + " (did you mean 'O'?)"});
}

TEST_CASE("a tensor that a list cannot mean is told", "[names]") {
  const auto network = [](const std::string& keys) {
    return arch_with(R"(, "network": {"class": "bus", )" + keys + "}");
  };
  CHECK(told(network(R"("multicast": ["I", "O"])")) ==
        Lines{"/nodes/1/network/multicast/1: 'O' is no input of p, so it has no effect here; "
              "outputs stand in 'reduce'"});
  CHECK(told(network(R"("reduce": ["W"])")) ==
        Lines{"/nodes/1/network/reduce/0: 'W' is no output of p, so it has no effect here; inputs "
              "stand in 'multicast'"});
  // What is an output here may be another problem's input.
  const Problem other = problem_of(R"({"einsum": "Z[m] += O[m,k] * W[k]",
                                       "dims": {"m": 2, "k": 2}})");
  CHECK(told(network(R"("multicast": ["O"])"), {problem_of(kGemm), other}).empty());
}

TEST_CASE("a dimension that nobody knows is told with what becomes of it", "[names]") {
  const auto about = [](const std::string& name, const std::string& so) {
    return "no dimension of p is called '" + name + "', so it " + so + " here";
  };
  const std::string known = "; known here: m, n, k, c, p";
  CHECK(told(arch_with(R"(, "dims": {"x": ["zz", "k"]})")) ==
        Lines{"/nodes/1/dims/x/0: " + about("zz", "allows no loop") + known});
  CHECK(told(constrained(R"({"node": "B", "dims": ["k", "zz"]})")) ==
        Lines{"/constraints/0/dims/1: " + about("zz", "allows no loop") + known});
  CHECK(told(constrained(R"({"node": "B", "factors": {"M": 2, "k": 2, "zz": 2}})")) ==
        Lines{"/constraints/0/factors/M: " + about("M", "constrains nothing") +
                  " (did you mean 'm'?)",
              "/constraints/0/factors/zz: " + about("zz", "constrains nothing") + known});
  CHECK(told(constrained(R"({"node": "B", "order": ["K", "m", "n"]})")) ==
        Lines{"/constraints/0/order/0: " + about("K", "orders nothing") + " (did you mean 'k'?)"});
}

TEST_CASE("dimensions written as one word are told to stand apart", "[names]") {
  const auto about = [](const std::string& name, const std::string& so) {
    return "no dimension of p is called '" + name + "', so it " + so + " here (did you mean ";
  };
  CHECK(told(constrained(R"({"node": "B", "order": "kmn"})")) ==
        Lines{"/constraints/0/order: " + about("kmn", "orders nothing") +
              "k m n? names of dimensions stand apart)"});
  CHECK(told(arch_with(R"(, "dims": {"x": "rs"})")) ==
        Lines{"/nodes/1/dims/x: " + about("rs", "allows no loop") +
              "r s? names of dimensions stand apart)"});
  CHECK(told(constrained(R"({"node": "B", "order": "kk"})")) ==
        Lines{"/constraints/0/order: " + about("kk", "orders nothing") + "'k'?)"});
}

TEST_CASE("a name that any of the problems knows is not told", "[names]") {
  const std::string text = constrained(R"({"node": "B", "order": "uu v", "keep": ["Zz"]})");
  const Problem own = problem_of(R"({"einsum": "Zz[uu] += A[uu,v]", "dims": {"uu": 2, "v": 2}})");
  CHECK(told(text, {problem_of(kGemm), own}).empty());
  CHECK(told(text, {problem_of(kGemm), problem_of(kGemm)}, "any layer of net").size() == 3);
  const Problem roles = problem_of(R"({"einsum": "Z[x] += A[x,y]", "dims": {"x": 2, "y": 2},
                                       "dim_roles": {"y": "c"}})");
  CHECK(told(constrained(R"({"node": "B", "order": "x y"})"), {roles}).empty());
}

TEST_CASE("what the short forms call dimensions and tensors is not told", "[names]") {
  const std::string conv = R"("n": 2, "p": 2, "q": 2, "r": 2, "s": 2, )";
  const std::string attention = R"("b": 2, "h": 2, "m": 2, "n": 2, "k": 2})";
  const std::string forms[] = {R"({"op": "conv2d", )" + conv + R"("k": 2, "c": 2})",
                               R"({"op": "conv2d", )" + conv + R"("k": 2, "c": 2, "groups": 2})",
                               R"({"op": "depthwise", )" + conv + R"("g": 2})",
                               R"({"op": "pool", )" + conv + R"("c": 2})",
                               R"({"op": "gemm", "m": 2, "n": 2, "k": 2, "batch": 2})",
                               R"({"op": "fc", "n": 2, "k": 2, "c": 2})",
                               R"({"op": "attention_qk", )" + attention,
                               R"({"op": "attention_av", )" + attention,
                               R"({"op": "elementwise", "dims": {"n": 2}, "inputs": 2})"};
  for (const std::string& form : forms) {
    const Problem problem = problem_of(form);
    INFO(form);
    for (const Dim& dim : problem.dims) CHECK(is_usual_dim(dim.name));
    for (const auto& role : problem.dim_roles) CHECK(is_usual_dim(role.second));
    for (const Tensor& tensor : problem.tensors) CHECK(is_usual_tensor(tensor.name));
  }
  for (const char* role : {"weight", "input", "output"}) CHECK(is_usual_tensor(role));
  CHECK(told(constrained(R"({"node": "B", "order": "s r g b h q", "keep": ["J"]})")).empty());
}

TEST_CASE("nothing is told of the shipped architectures and problems", "[names]") {
  std::vector<Problem> problems;
  for (const auto& path : json_in("problems")) {
    const std::string text = text_of(path);
    INFO(path);
    if (!is_network(text)) {
      problems.push_back(problem_of(text));
      continue;
    }
    const Result<LayerNetwork> network = parse_network(text, {path.string(), &file_text});
    REQUIRE(network.ok());
    problems.insert(problems.end(), network->layers.begin(), network->layers.end());
  }
  REQUIRE(problems.size() > 500);
  for (const auto& path : json_in("arch_specs")) {
    const Result<Arch> arch = parse_arch(text_of(path));
    INFO(path);
    REQUIRE(arch.ok());
    std::string all;
    for (const Problem& problem : problems) {
      for (const Remark& remark : unmatched_names(*arch, {&problem, 1}, problem.name)) {
        all += remark.place + ": " + remark.message + "\n";
      }
    }
    CHECK(all.empty());
  }
}

TEST_CASE("a place is told as the document writes it", "[base]") {
  const std::string text = R"({"a": [{"b": "x y"}], "c": {"d": ["x"]}, "0": {"1": 2}})";
  CHECK(written_place(text, "/a/0/b/1") == "/a/0/b");
  CHECK(written_place(text, "/c/0/d/0") == "/c/d/0");
  CHECK(written_place(text, "/c/d/7") == "/c/d");
  CHECK(written_place(text, "/0/1/3") == "/0/1");
  CHECK(written_place(text, "").empty());
  CHECK(written_place("{", "/a/0") == "/a/0");
}
