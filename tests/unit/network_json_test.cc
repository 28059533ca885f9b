// Network files: layers, files that they use, edges, and what is said of mistakes.
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "model/network/network.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;

namespace {

// Files in memory.
using Files = std::map<std::string, std::string>;

NetworkFiles files_of(const Files& files, const std::string& path = "nets/main.json") {
  return {path, [files](const std::string& wanted) -> Result<std::string> {
            const auto it = files.find(wanted);
            if (it != files.end()) return it->second;
            return Status(StatusCode::kInvalidInput, "cannot be read: no such file").in(wanted);
          }};
}

const char* const kFc = R"({"op": "fc", "name": "fc", "k": 10, "c": 20})";

std::string refusal(const std::string& text, const Files& files = {}) {
  return parse_network(text, files_of(files)).status().to_string();
}

}  // namespace

TEST_CASE("a network of problems and files", "[network]") {
  const Files files = {
      {"nets/layers/fc.json", R"({"op": "fc", "name": "fc", "k": 10, "c": 20, "count": 3})"},
      {"nets/blocks/block.json", R"({"name": "block", "layers": [
           {"op": "gemm", "name": "up", "m": 4, "n": 8, "k": 2},
           {"use": "../layers/fc.json", "count": 2, "name": "down"}],
         "edges": [["up", "down"]]})"}};
  const std::string text = R"({"version": 1, "name": "net", "comment": "by hand", "layers": [
      {"op": "gemm", "m": 4, "n": 8, "k": 2},
      {"use": "layers/fc.json"},
      {"use": "blocks/block.json", "count": 5, "name": "b"}],
    "edges": [["layer1", "fc"], ["fc", "b/up"]]})";
  const Result<LayerNetwork> result = parse_network(text, files_of(files));
  REQUIRE(result.status().to_string() == "");
  const LayerNetwork& network = *result;
  CHECK(network.name == "net");
  CHECK(network.comment == "by hand");
  std::string names, counts;
  for (const Problem& layer : network.layers) {
    names += layer.name + " ";
    counts += std::to_string(layer.count) + " ";
  }
  CHECK(names == "layer1 fc b/up b/down ");
  CHECK(counts == "1 3 5 30 ");
  CHECK(network.edges == std::vector<LayerNetwork::Edge>{{2, 3}, {0, 1}, {1, 2}});
  CHECK(network.occurrences() == 39);
  CHECK(network.operations() == 64 + 3 * 200 + 5 * 64 + 30 * 200);

  const std::string written = network_to_json(network);
  const Result<LayerNetwork> again = parse_network(written);
  REQUIRE(again.status().to_string() == "");
  CHECK(*again == network);
  const SchemaCheck schema(network_schema());
  CHECK(schema.accepts(text));
  CHECK(schema.accepts(written));
  CHECK_FALSE(schema.accepts(R"({"layers": []})"));
  CHECK_FALSE(schema.accepts(R"({"layers": [{"use": 3}]})"));
  CHECK_FALSE(schema.accepts(R"({"layers": [{"op": "fc", "k": 1, "c": 1}], "edges": [["a"]]})"));
}

TEST_CASE("paths are relative to the file that says them", "[network]") {
  const std::string text = R"({"layers": [{"use": "../fc.json"}]})";
  const Files files = {{"fc.json", kFc}, {"../fc.json", kFc}, {"/abs/fc.json", kFc}};
  CHECK(parse_network(text, files_of(files, "nets/./main.json")).ok());
  CHECK(parse_network(text, files_of(files, "main.json")).ok());
  CHECK(parse_network(text, files_of(files, "-")).ok());
  CHECK(parse_network(R"({"layers": [{"use": "/abs/fc.json"}]})", files_of(files)).ok());
  CHECK(parse_network(text).status().to_string() ==
        "/layers/0/use: files cannot be read here; write the problem itself");
}

TEST_CASE("mistakes in a network name their file, their place and the fix", "[network]") {
  CHECK(refusal("[]") == "expected an object, found a list");
  CHECK(refusal(R"({"nodes": []})") == "this is an architecture; a network is expected here");
  CHECK(refusal(R"({"layers": {}})") == "/layers: expected a list of layers, found an object");
  CHECK(refusal(R"({"layers": []})") == "/layers: a network has at least one layer");
  CHECK(refusal(R"({"layers": [], "edge": []})") ==
        "/edge: unknown key 'edge' (did you mean 'edges'?)");
  CHECK(refusal(R"({"layers": [3]})") == "/layers/0: expected an object, found a number");
  CHECK(refusal(R"({"layers": [{"op": "fc", "k": 1, "c": 1}, {"op": "fc", "k": 0, "c": 1}]})")
            .rfind("/layers/1/k: ", 0) == 0);
  CHECK(refusal(R"({"layers": [{"layers": []}]})") ==
        "/layers/0: a network within a network stands in a file of its own: {\"use\": FILE}");
  CHECK(refusal(R"({"layers": [{"use": "a.json", "cuont": 2}]})") ==
        "/layers/0/cuont: unknown key 'cuont' (did you mean 'count'?)");
  CHECK(refusal(R"({"name": "n", "layer": []})") ==
        "/layer: unknown key 'layer' (did you mean 'layers'?)");
  CHECK(refusal(R"({"layers": [{"use": "-"}]})") ==
        "/layers/0/use: expected the name of a file, found '-'");
  CHECK(refusal(R"({"layers": [{"use": "a.json"}]})") ==
        "/layers/0/use: 'nets/a.json' cannot be read: no such file");
  CHECK(refusal(R"({"layers": [{"use": "a.json"}]})", {{"nets/a.json", R"({"op": "fc", "k": 1})"}})
            .rfind("nets/a.json: ", 0) == 0);
  CHECK(refusal(R"({"layers": [{"use": "a.json"}]})",
                {{"nets/a.json", R"({"layers": [{"op": "fcc"}]})"}})
            .rfind("nets/a.json: /layers/0/op: ", 0) == 0);
  CHECK(refusal(std::string(R"({"layers": [)") + kFc + "," + kFc + "]}") ==
        "/layers/1: two layers are called 'fc'; give one of them another \"name\"");
  const std::string one = std::string(R"({"layers": [)") + kFc + R"(], "edges": )";
  CHECK(refusal(one + R"([["fc", "fd"]]})") ==
        "/edges/0/1: no layer is called 'fd' (did you mean 'fc'?)");
  CHECK(refusal(one + R"([["fc"]]})") ==
        "/edges/0: expected [the layer that writes, the layer that reads]");
  CHECK(refusal(one + R"([["fc", "fc"]]})") ==
        "/edges/0: this edge is part of a cycle: 'fc' would need its own result");
}

TEST_CASE("files that use one another in a cycle are told", "[network]") {
  const std::string self = R"({"layers": [{"use": "main.json"}]})";
  CHECK(refusal(self, {{"nets/main.json", self}}) ==
        "/layers/0/use: the files use one another in a cycle: 'nets/main.json' uses "
        "'nets/main.json'");
  CHECK(refusal(R"({"layers": [{"use": "a.json"}]})",
                {{"nets/a.json", R"({"layers": [{"use": "b.json"}]})"},
                 {"nets/b.json", R"({"layers": [{"use": "../nets/a.json"}]})"}}) ==
        "nets/b.json: /layers/0/use: the files use one another in a cycle: 'nets/a.json' uses "
        "'nets/b.json' uses 'nets/a.json'");
  Files chain;
  for (int i = 0; i < 20; ++i) {
    chain["nets/" + std::to_string(i)] =
        R"({"layers": [{"use": ")" + std::to_string(i + 1) + R"("}]})";
  }
  CHECK(refusal(R"({"layers": [{"use": "0"}]})", chain) ==
        "nets/14: /layers/0/use: more than 16 files use one another");
}

TEST_CASE("networks that are too large are told", "[network]") {
  const char* const huge = R"({"layers": [
      {"op": "fc", "name": "a", "k": 1000000, "c": 1000000, "count": 4611686018427387904}]})";
  CHECK(refusal(huge) == "/layers: the operations of all layers together do not fit 63 bits");
  CHECK(refusal(R"({"layers": [{"use": "a", "count": 4611686018427387904}]})",
                {{"nets/a", R"({"op": "fc", "k": 1, "c": 1, "count": 2})"}}) ==
        "/layers/0/count: the layer's count does not fit 63 bits");
  // Twelve files, each using the next one twice: 4096 layers; thirteen are one file too many.
  Files doubling = {{"nets/12", R"({"op": "fc", "name": "x", "k": 1, "c": 1})"}};
  for (int i = 0; i < 12; ++i) {
    const std::string next = std::to_string(i + 1);
    doubling["nets/" + std::to_string(i)] = R"({"layers": [{"use": ")" + next +
                                            R"(", "name": "l"}, {"use": ")" + next +
                                            R"(", "name": "r"}]})";
  }
  CHECK(refusal(R"({"layers": [{"use": "0"}]})", doubling) == "");
  CHECK(refusal(R"({"layers": [{"use": "0"}, {"use": "1"}]})", doubling) ==
        "/layers/1: more than 4096 layers; say how often equal ones occur with \"count\"");
}

TEST_CASE("edges that close a cycle name one of them", "[network]") {
  const std::string layers = R"({"layers": [{"op": "fc", "name": "a", "k": 1, "c": 1},
      {"op": "fc", "name": "b", "k": 1, "c": 1}, {"op": "fc", "name": "c", "k": 1, "c": 1}],
      "edges": )";
  CHECK(refusal(layers + R"([["a", "b"], ["b", "c"], ["a", "c"]]})") == "");
  CHECK(refusal(layers + R"([["a", "b"], ["b", "c"], ["c", "b"]]})") ==
        "/edges/1: this edge is part of a cycle: 'c' would need its own result");
  CHECK(refusal(layers + R"([["a", "b"], ["a", "b"]]})") == "/edges/1: this edge is there twice");
}
