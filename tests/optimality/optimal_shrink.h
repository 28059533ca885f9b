// From a world in which the search goes wrong to the smallest one near it in which it still does.
#pragma once

#include <functional>

#include "tests/optimality/optimal_worlds.h"

namespace loopscape {

// Greedy: drops constraints, memories, fan-outs and attributes, lowers extents and sizes, and
// simplifies what is looked for, as long as `fails` holds.
Quest shrink(Quest quest, const std::function<bool(const Quest&)>& fails);

}  // namespace loopscape
