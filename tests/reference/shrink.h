// From a world in which something is wrong to the smallest one near it in which it still is.
#pragma once

#include <functional>

#include "model/mapping/mapping.h"
#include "tests/reference/setting.h"

namespace loopscape::reference {

struct Failure {
  Setting setting;
  Mapping mapping;
};

// Greedy: drops loops, stores, memories, lanes, flags and attributes and lowers bounds and extents
// as long as the mapping stays legal and `fails` holds.
Failure shrink(Failure failure, const std::function<bool(const Failure&)>& fails);

}  // namespace loopscape::reference
