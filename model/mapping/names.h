// How nodes, dimensions and tensors are called in messages and in the text form.
// For this folder only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/mapping/mapping.h"

namespace loopscape {

// Safe for any id: one that does not exist is printed as a number.
std::string memory_name(const Arch& arch, MemoryId memory);
std::string axis_called(const Arch& arch, AxisId axis);  // "PEs.y"
std::string dim_name(const Problem& problem, DimId dim);
// Inputs first, as they are read; then the output.
std::vector<std::string> tensor_list(const Problem& problem, TensorMask tensors);
std::string tensor_names(const Problem& problem, TensorMask tensors);  // "I W O"

// A node as its line of the text form, without indentation: "for k in 4".
std::string node_line(const MappingNode& node, const Problem& problem, const Arch& arch);

// "node 4 (for k in 4)", numbered as in the JSON pointer /nest/4.
std::string node_called(const Mapping& mapping, std::size_t i, const Problem& problem,
                        const Arch& arch);

// The sentence for a name that does not exist, with the nearest one that does.
std::string unknown_memory(std::string_view name, const Arch& arch);
std::string unknown_axis(std::string_view name, const Arch& arch);
std::string unknown_dim(std::string_view name, const Problem& problem);
std::string unknown_tensor(std::string_view name, const Problem& problem);

// The sentence for a nest that is longer than a Mapping can hold.
std::string too_many_nodes();

// Position in arch.nodes, which is the order from the outside in.
std::size_t position_of_memory(const Arch& arch, MemoryId memory);
std::size_t position_of_fanout(const Arch& arch, FanoutId fanout);

// The tensors that a list of roles and tensor names speaks of.
TensorMask tensors_in(const std::vector<std::string>& names, const Problem& problem);

}  // namespace loopscape
