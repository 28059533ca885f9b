// The JSON form of a mapping. Each kind of node has its field table; the key that names the kind
// ("store", "for", "spatial") chooses among them.
#include <optional>

#include "model/base/json_fields.h"
#include "model/mapping/mapping.h"
#include "model/mapping/names.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

struct StoreNode {
  std::string memory;
  std::vector<std::string> tensors;
};
struct LoopNode {
  std::string dim;
  std::optional<std::uint32_t> bound;
};
struct SpatialNode {
  std::string dim;
  std::optional<std::uint32_t> bound;
  std::string axis;
};
struct Nest {
  std::vector<Json> nodes;
};

constexpr fields::IntegerRange kBounds{1, kMaxExtent};

const Table<StoreNode>& store_table() {
  static const Table<StoreNode> table =
      Table<StoreNode>()
          .text("store", &StoreNode::memory, "The memory.")
          .required()
          .names("tensors", &StoreNode::tensors, "The tensors whose tiles it holds here.")
          .required();
  return table;
}

const Table<LoopNode>& loop_table() {
  static const Table<LoopNode> table =
      Table<LoopNode>()
          .text("for", &LoopNode::dim, "The dimension of a temporal loop.")
          .required()
          .integer("bound", &LoopNode::bound, kBounds, "How often the loop runs.")
          .required();
  return table;
}

const Table<SpatialNode>& spatial_table() {
  static const Table<SpatialNode> table =
      Table<SpatialNode>()
          .text("spatial", &SpatialNode::dim, "The dimension of a loop laid out in space.")
          .required()
          .integer("bound", &SpatialNode::bound, kBounds, "How many lanes it takes.")
          .required()
          .text("axis", &SpatialNode::axis, "The axis it lies on: FANOUT.AXIS.")
          .required();
  return table;
}

OrderedJson nest_schema() {
  OrderedJson schema = {{"type", "array"}, {"minItems", 1}, {"maxItems", kMaxMappingNodes}};
  schema["items"]["oneOf"] =
      OrderedJson::array({store_table().schema(), loop_table().schema(), spatial_table().schema()});
  return schema;
}

Status read_nest(const Json& json, const Reader& reader, Nest& nest) {
  if (!json.is_array()) {
    return reader.error(std::string("expected a list of nodes, found ") + fields::kind_name(json));
  }
  if (json.empty()) return reader.error("the nest is empty; it begins with the outermost stores");
  if (json.size() > kMaxMappingNodes) return reader.error(too_many_nodes());
  nest.nodes.assign(json.begin(), json.end());
  return {};
}

const Table<Nest>& nest_table() {
  static const Table<Nest> table = Table<Nest>()
                                       .document()
                                       .custom(
                                           "nest", nest_schema(), read_nest,
                                           [](const Nest& nest) { return OrderedJson(nest.nodes); },
                                           "Stores and loops, outermost first.")
                                       .required();
  return table;
}

class NodeReader {
 public:
  NodeReader(const Problem& problem, const Arch& arch) : problem_(problem), arch_(arch) {}

  Status read(const Json& json, const Reader& reader, MappingNode& node) const {
    if (!json.is_object()) {
      return reader.error(std::string("expected a node, found ") + fields::kind_name(json));
    }
    if (json.contains("store")) return store(json, reader, node);
    if (json.contains("spatial")) return spatial(json, reader, node);
    if (json.contains("for")) return loop(json, reader, node);
    std::string hint;
    for (const auto& [key, value] : json.items()) {
      const std::string kind = nearest(key, {"store", "for", "spatial"});
      if (!kind.empty())
        hint = " (did you mean " + in_quotes(kind) + " for " + in_quotes(key) + "?)";
    }
    return reader.error("a node has one of the keys 'store', 'for' and 'spatial'" + hint);
  }

 private:
  Status store(const Json& json, const Reader& reader, MappingNode& node) const {
    StoreNode store;
    if (Status s = store_table().read(json, reader, store); !s.ok()) return s;
    const auto memory = arch_.find_memory(store.memory);
    if (!memory) return reader.at("store").error(unknown_memory(store.memory, arch_));
    TensorMask tensors = 0;
    for (std::size_t t = 0; t < store.tensors.size(); ++t) {
      const auto tensor = problem_.find_tensor(store.tensors[t]);
      if (!tensor) {
        const Reader place =
            json["tensors"].is_array() ? reader.at("tensors").at(t) : reader.at("tensors");
        return place.error(unknown_tensor(store.tensors[t], problem_));
      }
      tensors = static_cast<TensorMask>(tensors | bit(*tensor));
    }
    if (tensors == 0) return reader.at("tensors").error("name at least one tensor");
    node = MappingNode::store(*memory, tensors);
    return {};
  }

  Status loop(const Json& json, const Reader& reader, MappingNode& node) const {
    LoopNode loop;
    if (Status s = loop_table().read(json, reader, loop); !s.ok()) return s;
    const auto dim = problem_.find_dim(loop.dim);
    if (!dim) return reader.at("for").error(unknown_dim(loop.dim, problem_));
    node = MappingNode::loop(*dim, *loop.bound);
    return {};
  }

  Status spatial(const Json& json, const Reader& reader, MappingNode& node) const {
    SpatialNode loop;
    if (Status s = spatial_table().read(json, reader, loop); !s.ok()) return s;
    const auto dim = problem_.find_dim(loop.dim);
    if (!dim) return reader.at("spatial").error(unknown_dim(loop.dim, problem_));
    const auto axis = arch_.find_axis(loop.axis);
    if (!axis) return reader.at("axis").error(unknown_axis(loop.axis, arch_));
    node = MappingNode::spatial(*dim, *loop.bound, *axis);
    return {};
  }

  const Problem& problem_;
  const Arch& arch_;
};

OrderedJson node_json(const MappingNode& node, const Problem& problem, const Arch& arch) {
  switch (node.kind) {
    case LoopKind::kStore:
      return store_table().write(
          {memory_name(arch, node.memory()), tensor_list(problem, node.tensors)});
    case LoopKind::kFor:
      return loop_table().write({dim_name(problem, node.dim()), node.bound});
    case LoopKind::kSpatial:
      break;
  }
  return spatial_table().write(
      {dim_name(problem, node.dim()), node.bound, axis_called(arch, node.axis_id())});
}

// One node per line: a nest is read from top to bottom.
std::string nest_text(const std::vector<std::string>& nodes) {
  std::string text = "{\"nest\": [";
  for (std::size_t i = 0; i < nodes.size(); ++i) text += (i ? ",\n  " : "\n  ") + nodes[i];
  return text + "\n]}\n";
}

}  // namespace

Result<Mapping> parse_mapping(std::string_view json, const Problem& problem, const Arch& arch) {
  Json document;
  if (Status status = fields::parse_json(json, document); !status.ok()) return status;
  Nest nest;
  const Reader root;
  if (Status status = nest_table().read(document, root, nest); !status.ok()) return status;
  const NodeReader reader(problem, arch);
  Mapping mapping;
  for (std::size_t i = 0; i < nest.nodes.size(); ++i) {
    MappingNode node{};
    Status status = reader.read(nest.nodes[i], root.at("nest").at(i), node);
    if (!status.ok()) return status;
    if (!mapping.push_back(node)) return root.at("nest").error(too_many_nodes());
  }
  return mapping;
}

std::string mapping_to_json(const Mapping& mapping, const Problem& problem, const Arch& arch) {
  std::vector<std::string> nodes;
  for (const MappingNode& node : mapping) {
    nodes.push_back(
        node_json(node, problem, arch).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return nest_text(nodes);
}

std::string mapping_schema() {
  OrderedJson schema = nest_table().schema();
  return fields::to_text(schema);
}

}  // namespace loopscape
