// The JSON form of a network, and the files that it uses.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "model/base/json_fields.h"
#include "model/network/network.h"

namespace loopscape {
namespace {

using fields::IntegerRange;
using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

struct Draft {
  std::string name, comment;
  std::vector<Problem> layers;
  std::vector<LayerNetwork::Edge> edges;
};

struct Use {
  std::string path, name;
  std::uint64_t count = 1;
};

const Table<Use>& use_table() {
  static const Table<Use> table =
      Table<Use>()
          .text("use", &Use::path,
                "A file with a problem or a network; its path is relative to this file.")
          .required()
          .text("name", &Use::name,
                "Renames the problem, or stands before the names of the network's layers.")
          .integer("count", &Use::count, IntegerRange{1},
                   "How often; multiplies the counts in the file.");
  return table;
}

// The parts of a network file; what its layers need is in files of their own.
struct Parts {
  std::string name, comment;
  Json layers = Json::array(), edges = Json::array();
};

Status read_list(const Json& json, const Reader& reader, const char* what, Json& out) {
  if (!json.is_array()) {
    return reader.error(std::string("expected a list of ") + what + ", found " +
                        fields::kind_name(json));
  }
  out = json;
  return {};
}

OrderedJson edges_schema() {
  OrderedJson edge = fields::type_schema("array");
  edge["items"] = fields::type_schema("string");
  edge["minItems"] = edge["maxItems"] = 2;
  OrderedJson schema = fields::type_schema("array");
  schema["items"] = std::move(edge);
  return schema;
}

OrderedJson layers_schema() {
  OrderedJson problem = OrderedJson::parse(problem_schema(), nullptr, false);
  problem.erase("$schema");
  OrderedJson schema = fields::type_schema("array");
  schema["items"]["anyOf"] = {use_table().schema(), std::move(problem)};
  schema["minItems"] = 1;
  return schema;
}

const Table<Parts>& network_table() {
  static const Table<Parts> table =
      Table<Parts>()
          .document()
          .text("name", &Parts::name, "What reports call the network.")
          .text("comment", &Parts::comment, "Where the numbers come from.")
          .custom(
              "layers", layers_schema(),
              [](const Json& json, const Reader& reader, Parts& out) {
                return read_list(json, reader, "layers", out.layers);
              },
              [](const Parts& parts) { return OrderedJson(parts.layers); },
              "Problems, or files that hold problems or networks; equal ones are mapped once.")
          .required()
          .custom(
              "edges", edges_schema(),
              [](const Json& json, const Reader& reader, Parts& out) {
                return read_list(json, reader, "edges", out.edges);
              },
              [](const Parts& parts) {
                return parts.edges.empty() ? OrderedJson() : OrderedJson(parts.edges);
              },
              "[layer that writes, layer that reads], by their names.");
  return table;
}

// A place in a document that stands inside of another one.
Status inside(const Reader& reader, const Status& status) {
  const bool has_pointer = !status.place().empty() && status.place()[0] == '/';
  return Status(status.code(), status.message())
      .at(reader.place + (has_pointer ? status.place() : ""));
}

std::string beside(const std::string& file, const std::string& used) {
  const std::filesystem::path path(used);
  if (path.is_absolute() || file.empty() || file == "-") return path.lexically_normal().string();
  return (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
}

// Reads one file after the other, each knowing which ones lead to it.
class FileReader {
 public:
  explicit FileReader(const NetworkFiles& files) : read_(files.read) {}

  Result<Draft> read(std::string_view text, const std::string& path) {
    chain_.push_back(path);
    Result<Draft> draft = read_open(text, path);
    chain_.pop_back();
    if (draft.ok() || path.empty() || chain_.empty()) return draft;
    return draft.status().in(path);
  }

 private:
  Result<Draft> read_open(std::string_view text, const std::string& path) {
    Json json;
    if (Status s = fields::parse_json(text, json); !s.ok()) return s;
    const std::string kind = fields::file_kind(json);
    if (!kind.empty() && kind != "a network") {
      return Reader().error("this is " + kind + "; a network is expected here");
    }
    Parts parts;
    if (Status s = network_table().read(json, Reader(), parts); !s.ok()) return s;
    if (parts.layers.empty()) {
      return Reader{"/layers"}.error("a network has at least one layer");
    }
    Draft draft{parts.name, parts.comment, {}, {}};
    for (std::size_t i = 0; i < parts.layers.size(); ++i) {
      const Reader reader = Reader{"/layers"}.at(i);
      Status s = add_layer(parts.layers[i], reader, path, draft);
      if (!s.ok()) return s;
      if (draft.layers.size() > kMaxLayers) {
        return reader.error("more than " + std::to_string(kMaxLayers) +
                            " layers; say how often equal ones occur with \"count\"");
      }
    }
    if (Status s = add_edges(parts.edges, draft); !s.ok()) return s;
    return draft;
  }

  Status add_layer(const Json& json, const Reader& reader, const std::string& path, Draft& out) {
    if (json.is_object() && json.contains("use")) {
      Use use;
      if (Status s = use_table().read(json, reader, use); !s.ok()) return s;
      return add_file(use, reader, path, out);
    }
    const std::string kind = fields::file_kind(json);
    if (kind == "a network") {
      return reader.error(
          "a network within a network stands in a file of its own: {\"use\": FILE}");
    }
    Result<Problem> problem = parse_problem(json.dump());
    if (!problem.ok()) return inside(reader, problem.status());
    return add(std::move(problem).value(), reader, out);
  }

  Status add_file(const Use& use, const Reader& reader, const std::string& path, Draft& out) {
    const Reader place = reader.at("use");
    if (!read_) return place.error("files cannot be read here; write the problem itself");
    if (use.path.empty() || use.path == "-") {
      return place.error("expected the name of a file, found " + in_quotes(use.path));
    }
    const std::string file = beside(path, use.path);
    if (Status s = check_chain(file, place); !s.ok()) return s;
    const Result<std::string> text = read_(file);
    if (!text.ok()) return place.error(in_quotes(file) + " " + text.status().message());
    if (!is_network(*text)) {
      Result<Problem> problem = parse_problem(*text);
      if (!problem.ok()) return problem.status().in(file);
      if (!use.name.empty()) problem->name = use.name;
      return add_times(std::move(problem).value(), use.count, reader, out);
    }
    const Result<Draft> used = read(*text, file);
    if (!used.ok()) return used.status();
    const std::size_t first = out.layers.size();
    for (const auto& [from, to] : used->edges) out.edges.emplace_back(first + from, first + to);
    for (Problem layer : used->layers) {
      if (!use.name.empty()) layer.name = use.name + "/" + layer.name;
      if (Status s = add_times(std::move(layer), use.count, reader, out); !s.ok()) return s;
    }
    return {};
  }

  Status check_chain(const std::string& file, const Reader& place) const {
    const auto opened = std::find(chain_.begin(), chain_.end(), file);
    if (opened != chain_.end()) {
      std::string way;
      for (auto it = opened; it != chain_.end(); ++it) way += in_quotes(*it) + " uses ";
      return place.error("the files use one another in a cycle: " + way + in_quotes(file));
    }
    if (chain_.size() < kMaxUseDepth) return {};
    return place.error("more than " + std::to_string(kMaxUseDepth) + " files use one another");
  }

  static Status add_times(Problem layer, std::uint64_t times, const Reader& reader, Draft& out) {
    OverflowFlag overflow;
    const std::int64_t count =
        overflow.mul(static_cast<std::int64_t>(layer.count), static_cast<std::int64_t>(times));
    if (overflow.raised())
      return reader.at("count").error("the layer's count does not fit 63 bits");
    layer.count = static_cast<std::uint64_t>(count);
    return add(std::move(layer), reader, out);
  }

  // Layers are named here, so that edges can name them.
  static Status add(Problem layer, const Reader& reader, Draft& out) {
    if (layer.name.empty()) layer.name = "layer" + std::to_string(out.layers.size() + 1);
    for (const Problem& other : out.layers) {
      if (other.name != layer.name) continue;
      return reader.error("two layers are called " + in_quotes(layer.name) +
                          "; give one of them another \"name\"");
    }
    out.layers.push_back(std::move(layer));
    return {};
  }

  static Status add_edges(const Json& edges, Draft& out) {
    std::vector<std::string> names;
    for (const Problem& layer : out.layers) names.push_back(layer.name);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const Reader reader = Reader{"/edges"}.at(e);
      if (!edges[e].is_array() || edges[e].size() != 2) {
        return reader.error("expected [the layer that writes, the layer that reads]");
      }
      std::size_t ends[2] = {0, 0};
      for (std::size_t end = 0; end < 2; ++end) {
        std::string name;
        if (Status s = fields::read_text(edges[e][end], reader.at(end), name); !s.ok()) return s;
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
          return reader.at(end).error("no layer is called " + in_quotes(name) +
                                      suggestion(name, names));
        }
        ends[end] = static_cast<std::size_t>(found - names.begin());
      }
      out.edges.emplace_back(ends[0], ends[1]);
    }
    return {};
  }

  std::function<Result<std::string>(const std::string&)> read_;
  std::vector<std::string> chain_;  // the files that are open, outermost first
};

}  // namespace

bool is_network(std::string_view text) {
  Json json;
  return fields::parse_json(text, json).ok() && std::string(fields::file_kind(json)) == "a network";
}

Result<LayerNetwork> parse_network(std::string_view text, const NetworkFiles& files) {
  const std::string path = files.path.empty() || files.path == "-"
                               ? files.path
                               : std::filesystem::path(files.path).lexically_normal().string();
  Result<Draft> draft = FileReader(files).read(text, path);
  if (!draft.ok()) return draft.status();
  LayerNetwork network{std::move(draft->name), std::move(draft->comment), std::move(draft->layers),
                       std::move(draft->edges)};
  return make_network(std::move(network));
}

std::string network_to_json(const LayerNetwork& network) {
  Parts parts{network.name, network.comment, Json::array(), Json::array()};
  OrderedJson json = network_table().write(parts);
  json["layers"] = OrderedJson::array();
  for (const Problem& layer : network.layers) {
    json["layers"].push_back(OrderedJson::parse(problem_to_json(layer), nullptr, false));
  }
  for (const auto& [from, to] : network.edges) {
    json["edges"].push_back({network.layers[from].name, network.layers[to].name});
  }
  return fields::to_text(json);
}

std::string network_schema() {
  OrderedJson schema = OrderedJson::object();
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "Loopscape network, version 1";
  const OrderedJson fields_schema = network_table().schema();
  for (auto it = fields_schema.begin(); it != fields_schema.end(); ++it) schema[it.key()] = *it;
  return fields::to_text(schema);
}

}  // namespace loopscape
