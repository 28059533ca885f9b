// The room on all axes together: which rooms can be reached before each dimension, and how its
// moves lead from one to the next. For this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "mapper/mapspace/tables.h"

namespace loopscape {

struct Rooms {
  using Room = std::vector<std::uint16_t>;  // AxisRoom states
  struct Step {
    std::uint32_t from, move, to;
  };
  std::vector<std::vector<Room>> rooms;  // by dimension, one more at the end
  std::vector<std::map<Room, std::uint32_t>> number;
  std::vector<std::vector<Step>> steps;  // by dimension, ascending by `from`
  std::vector<char> lanes_allowed;       // by last room
  // [dimension][axis]: no later dimension has lanes there, and no rule asks how many there are.
  std::vector<std::vector<char>> settled;
  // The room left does not matter any more where that is so: all are one.
  static constexpr std::uint16_t kSettled = 0;
  void forget(std::size_t dim, Room& room) const {
    for (std::size_t a = 0; a < room.size(); ++a) {
      if (settled[dim][a] != 0) room[a] = kSettled;
    }
  }
  std::vector<std::size_t> first;  // rooms of dimension d in one array for all
  std::size_t all_rooms = 0;
};

using Moves = std::vector<std::vector<std::uint32_t>>;  // of one dimension: per axis its kind

Rooms make_rooms(const Placement& placement, const std::vector<AxisRoom>& axes,
                 const std::vector<const Moves*>& moves);

}  // namespace loopscape
