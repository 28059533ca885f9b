// A network: layers, how often each occurs, and which one reads what another one wrote.
//
//   const NetworkFiles files{.path = "nets/resnet50.json", .read = read_text};
//   Result<LayerNetwork> network = parse_network(text, files);
//
// A LayerNetwork (Network is what connects a fan-out) is made by parse_network() or make_network(),
// which validate it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/base/base.h"
#include "model/problem/problem.h"

namespace loopscape {

inline constexpr std::size_t kMaxLayers = 4096;  // distinct names, counts not counted
inline constexpr std::size_t kMaxUseDepth = 16;  // files that use files

struct LayerNetwork {
  using Edge = std::pair<std::size_t, std::size_t>;  // the layer that writes, the one that reads

  std::string name;
  std::string comment;          // where the numbers come from; kept, never interpreted
  std::vector<Problem> layers;  // each with its own name and its `count`
  std::vector<Edge> edges;      // indices into layers

  // Over all layers, counts included; fit 63 bits (checked when the network was made).
  std::int64_t operations() const;
  std::int64_t occurrences() const;
  friend bool operator==(const LayerNetwork&, const LayerNetwork&) = default;
};

// Validates a draft; a layer without a name is called "layer1", ... by its place.
Result<LayerNetwork> make_network(LayerNetwork draft);

// Where the text comes from, and how to get at the files that it names: their paths are relative to
// the file that says them. Without `read` a network that uses files is an error.
struct NetworkFiles {
  std::string path;
  std::function<Result<std::string>(const std::string& path)> read;
};

// Is this the text of a network, as far as its keys tell?
bool is_network(std::string_view text);

// The JSON form (formats.md). An entry of "layers" is a problem or
//   {"use": "FILE", "count": 2, "name": "encoder"}
// for the problem or the layers of the network in FILE, so many times; `name` renames the problem,
// or stands before the names of the network's layers ("encoder/q"). An error says which file and
// where in it.
Result<LayerNetwork> parse_network(std::string_view text, const NetworkFiles& files = {});
// One file without "use", layers in their einsum form.
std::string network_to_json(const LayerNetwork& network);
// JSON Schema (draft 7) of what parse_network() reads.
std::string network_schema();

}  // namespace loopscape
