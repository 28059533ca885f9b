#include "model/mapping/names.h"

#include <algorithm>
#include <vector>

namespace loopscape {
namespace {

std::string numbered(const char* kind, std::size_t id) {
  return std::string(kind) + "#" + std::to_string(id);
}

std::string unknown(const char* kind, std::string_view name,
                    const std::vector<std::string>& known) {
  return std::string("no ") + kind + " is called " + in_quotes(name) + suggestion(name, known);
}

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Named& one : all) names.push_back(one.name);
  return names;
}

}  // namespace

std::string unknown_memory(std::string_view name, const Arch& arch) {
  return unknown("memory", name, names_of(arch.memories));
}

std::string unknown_axis(std::string_view name, const Arch& arch) {
  std::vector<std::string> known;
  for (std::size_t a = 0; a < arch.axis_count(); ++a) {
    known.push_back(arch.axis_name(static_cast<AxisId>(a)));
  }
  return unknown("axis", name, known);
}

std::string unknown_dim(std::string_view name, const Problem& problem) {
  return unknown("dimension", name, names_of(problem.dims));
}

std::string unknown_tensor(std::string_view name, const Problem& problem) {
  return unknown("tensor", name, names_of(problem.tensors));
}

std::string memory_name(const Arch& arch, MemoryId memory) {
  if (index(memory) >= arch.memories.size()) return numbered("memory", index(memory));
  return arch.memories[index(memory)].name;
}

std::string axis_called(const Arch& arch, AxisId axis) {
  if (index(axis) >= arch.axis_count()) return numbered("axis", index(axis));
  return arch.axis_name(axis);
}

std::string dim_name(const Problem& problem, DimId dim) {
  if (index(dim) >= problem.dims.size()) return numbered("dimension", index(dim));
  return problem.dims[index(dim)].name;
}

std::vector<std::string> tensor_list(const Problem& problem, TensorMask tensors) {
  std::vector<std::string> inputs, outputs;
  for (std::size_t t = 0; t < kMaxTensors; ++t) {
    if ((tensors >> t & 1u) == 0) continue;
    if (t >= problem.tensors.size()) {
      inputs.push_back(numbered("tensor", t));
    } else {
      (problem.tensors[t].is_output ? outputs : inputs).push_back(problem.tensors[t].name);
    }
  }
  inputs.insert(inputs.end(), outputs.begin(), outputs.end());
  return inputs;
}

std::string tensor_names(const Problem& problem, TensorMask tensors) {
  std::string names;
  for (const std::string& name : tensor_list(problem, tensors)) {
    names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

std::string node_line(const MappingNode& node, const Problem& problem, const Arch& arch) {
  if (node.kind == LoopKind::kStore) {
    return memory_name(arch, node.memory()) + ": " + tensor_names(problem, node.tensors);
  }
  const std::string range = dim_name(problem, node.dim()) + " in " + std::to_string(node.bound);
  if (node.kind == LoopKind::kFor) return "for " + range;
  return "parallel " + range + " on " + axis_called(arch, node.axis_id());
}

std::string node_called(const Mapping& mapping, std::size_t i, const Problem& problem,
                        const Arch& arch) {
  return "node " + std::to_string(i) + " (" + node_line(mapping[i], problem, arch) + ")";
}

std::string too_many_nodes() {
  return "a nest has at most " + std::to_string(kMaxMappingNodes) +
         " nodes; merge neighbouring loops over the same dimension";
}

std::size_t position_of_memory(const Arch& arch, MemoryId memory) {
  const auto here = std::find_if(arch.nodes.begin(), arch.nodes.end(), [&](const ArchNode& node) {
    return node.kind == NodeKind::kMemory && node.id == index(memory);
  });
  return static_cast<std::size_t>(here - arch.nodes.begin());
}

std::size_t position_of_fanout(const Arch& arch, FanoutId fanout) {
  const auto here = std::find_if(arch.nodes.begin(), arch.nodes.end(), [&](const ArchNode& node) {
    return node.kind == NodeKind::kFanout && node.id == index(fanout);
  });
  return static_cast<std::size_t>(here - arch.nodes.begin());
}

TensorMask tensors_in(const std::vector<std::string>& names, const Problem& problem) {
  TensorMask tensors = 0;
  for (const std::string& name : names) {
    tensors = static_cast<TensorMask>(tensors | problem.tensors_called(name));
  }
  return tensors;
}

}  // namespace loopscape
