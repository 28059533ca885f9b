// Mappings to compare on: every nest within bounds, or one at random.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "model/mapping/mapping.h"
#include "tests/reference/setting.h"

namespace loopscape::reference {

// What bounds a family of small worlds. All nests within are made: every loop order, every split
// of a dimension into loops (perfect or ragged), every placement.
struct NestBounds {
  std::size_t temporal = 3, spatial = 2;  // most loops of each kind, all of bound 2 or more
  // For each memory, the sets of tensors that it may store; the outermost stores all.
  std::vector<std::vector<TensorMask>> stored;
  bool uneven = false;             // tensors of a memory at different positions
  bool loops_among_lanes = false;  // temporal loops between the spatial loops of one fan-out
};

// Calls `visit` for every nest, in a fixed order.
void for_every_nest(const Setting& setting, const NestBounds& bounds,
                    const std::function<void(const Mapping&)>& visit);

using Random = std::mt19937_64;

// One nest: any legal one may come out.
Mapping random_nest(const Setting& setting, Random& random);

// Uniform in [least, most]; the same on every platform, unlike the standard distributions.
std::int64_t draw(Random& random, std::int64_t least, std::int64_t most);
bool chance(Random& random, int percent);

}  // namespace loopscape::reference
