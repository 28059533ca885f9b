// Every canonical mapping of a small world, straight from the definition (mapper/mapspace's header
// and model.md section 3): all bounds at all positions, all orders of loops, all choices of bypass,
// all orders of stores; what is not legal, not allowed or not canonical is thrown out afterwards.
// Shares nothing with mapper/ but the words of its options.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "mapper/mapspace/mapspace.h"

namespace loopscape {

// Nothing if there are more than `most` of them. Of mappings that are one but for the order of
// loops on an axis, the first in the problem's order of dimensions that the constraints allow.
// Capacities are not looked at, nor "utilization" of memories, which speaks of them.
std::optional<std::vector<Mapping>> brute_force(const Problem& problem, const Arch& arch,
                                                const MapspaceOptions& options, std::size_t most);

// The nodes as a text that sorts and compares.
std::string key_of(const Mapping& mapping);

}  // namespace loopscape
