// Where the children of one fan-out stand.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/counting/counting.h"

namespace loopscape {

struct Cells {
  int axes = 0;
  std::array<std::uint8_t, kMaxAxesPerFanout> axis{};  // alphabetical
  std::array<std::int64_t, kMaxAxesPerFanout> size{};
  std::int64_t all = 1;  // product of the sizes
  // A cell's number, the last axis most significant: sum of coordinate * number_step.
  std::array<std::int64_t, kMaxAxesPerFanout> number_step{};
  int tree_depth = 0;  // edges from the root to a leaf

  int place_of(std::uint8_t global_axis) const {
    int a = 0;
    while (axis[static_cast<std::size_t>(a)] != global_axis) ++a;
    return a;
  }
};

Cells make_cells(const CountingContext& context, int fanout, OverflowFlag& flag);

// The order in which a word turns into the axes.
struct Route {
  std::array<int, kMaxAxesPerFanout> axis{};
};

// Of one part of a word's destinations, or of their product; sums over sets, by weight.
struct Reach {
  // [j]: different cells after the first j axes of the route are looked at; [0]: the sets.
  std::array<std::int64_t, kMaxAxesPerFanout + 1> cells{};
  // [j]: in each of those, how far the set reaches along the next axis, added up.
  std::array<std::int64_t, kMaxAxesPerFanout> farthest{};
};

// The reach of the product: cells multiply; a farthest cell is farthest in every part.
Reach reach_of(const Destinations& to, const Cells& cells, const Route& route, OverflowFlag& flag);

// Edges of the tree that lead to a destination, summed. False when there are too many combinations
// of sets to walk through (interconnect.md).
bool tree_edges(const Destinations& to, const Cells& cells, OverflowFlag& flag,
                std::int64_t& edges);

}  // namespace loopscape
