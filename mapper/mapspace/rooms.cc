#include "mapper/mapspace/rooms.h"

namespace loopscape {
namespace {

std::vector<std::vector<char>> settled_axes(const Placement& placement,
                                            const std::vector<AxisRoom>& axes,
                                            const std::vector<const Moves*>& moves) {
  std::vector<char> settled(axes.size(), 1);
  for (std::size_t a = 0; a < axes.size(); ++a) {
    for (const LanesRule& rule : placement.lanes) {
      if ((rule.slots >> axes[a].slot() & 1u) != 0) settled[a] = 0;
    }
  }
  std::vector<std::vector<char>> after(moves.size());
  for (std::size_t d = moves.size(); d-- > 0;) {
    after[d] = settled;
    for (const std::vector<std::uint32_t>& move : *moves[d]) {
      for (std::size_t a = 0; a < axes.size(); ++a) {
        if (move[a] != axes[a].kind_of(1)) settled[a] = 0;
      }
    }
  }
  return after;
}

}  // namespace

Rooms make_rooms(const Placement& placement, const std::vector<AxisRoom>& axes,
                 const std::vector<const Moves*>& moves) {
  Rooms its;
  const std::size_t dims = moves.size();
  its.rooms.resize(dims + 1);
  its.number.resize(dims + 1);
  its.steps.resize(dims);
  its.settled = settled_axes(placement, axes, moves);
  Rooms::Room start;
  for (const AxisRoom& axis : axes) start.push_back(static_cast<std::uint16_t>(axis.start()));
  its.rooms[0].push_back(start);
  for (std::size_t d = 0; d < dims; ++d) {
    for (std::size_t from = 0; from < its.rooms[d].size(); ++from) {
      for (std::size_t move = 0; move < moves[d]->size(); ++move) {
        Rooms::Room room = its.rooms[d][from];
        bool fits = true;
        for (std::size_t a = 0; a < room.size() && fits; ++a) {
          const int next = axes[a].next_by_kind(room[a], (*moves[d])[move][a]);
          fits = next >= 0;
          if (fits) room[a] = static_cast<std::uint16_t>(next);
        }
        if (!fits) continue;
        its.forget(d, room);
        const auto fresh = static_cast<std::uint32_t>(its.rooms[d + 1].size());
        const auto [place, is_new] = its.number[d + 1].emplace(room, fresh);
        if (is_new) its.rooms[d + 1].push_back(room);
        its.steps[d].push_back(
            {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(move), place->second});
      }
    }
  }
  for (const Rooms::Room& room : its.rooms[dims]) {
    std::vector<std::uint64_t> lanes(placement.slots.size(), 1);
    for (std::size_t a = 0; a < room.size(); ++a) {
      lanes[static_cast<std::size_t>(axes[a].slot())] = axes[a].lanes(room[a]);
    }
    its.lanes_allowed.push_back(loopscape::lanes_allowed(placement, lanes) ? 1 : 0);
  }
  for (const auto& rooms : its.rooms) {
    its.first.push_back(its.all_rooms);
    its.all_rooms += rooms.size();
  }
  return its;
}

}  // namespace loopscape
