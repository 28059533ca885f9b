// Makes the placements of a mapspace. For this folder only.
#pragma once

#include <vector>

#include "mapper/mapspace/mapspace.h"

namespace loopscape {

// In the order that numbers mappings: bypass choices, then orders of stores.
Result<std::vector<Placement>> make_placements(const Problem& problem, const Arch& arch,
                                               const MapspaceOptions& options);

}  // namespace loopscape
