// Visiting every mapping of a space in the order of its number (mapspace.h), without numbers.
#include "mapper/mapspace/arrange.h"
#include "mapper/mapspace/mapspace.h"

namespace loopscape {
namespace {

class Walk {
 public:
  Walk(const Placement& placement, const PlacementTables& tables, std::uint32_t number,
       const std::function<bool(const Point&)>& visit, std::uint64_t most_dead_ends,
       std::uint64_t& dead_ends)
      : placement_(placement),
        tables_(tables),
        arranger_(placement),
        visit_(visit),
        most_dead_ends_(most_dead_ends),
        dead_ends_(dead_ends) {
    point_.placement = number;
    loops_.resize(placement.slots.size());
    lanes_.assign(placement.slots.size(), 1);
    for (const AxisRoom& axis : tables.axes) room_.push_back(axis.start());
  }

  bool run() { return !tables_.possible || choose_cells(0); }  // false: stopped

 private:
  bool choose_cells(std::size_t d) {
    if (d == tables_.dims.size()) {
      if (!arranger_.possible(loops_, true) || !lanes_fit()) return true;
      point_.slots.assign(placement_.slots.size(), {});
      return choose_chains(0);
    }
    const DimTable& table = tables_.dims[d];
    for (const Cell& cell : table.cell) {
      if (++dead_ends_ > most_dead_ends_) return false;
      const std::vector<std::size_t> room = room_;
      const std::vector<DimMask> loops = loops_;
      if (enter(table, cell) && arranger_.possible(loops_, false)) {
        cells_.push_back(&cell);
        const bool goes_on = choose_cells(d + 1);
        cells_.pop_back();
        if (!goes_on) return false;
      }
      room_ = room;
      loops_ = loops;
    }
    return true;
  }

  bool enter(const DimTable& table, const Cell& cell) {
    for (std::size_t a = 0; a < room_.size(); ++a) {
      const int next = tables_.axes[a].next_by_kind(room_[a], table.move[cell.move][a]);
      if (next < 0) return false;
      room_[a] = static_cast<std::size_t>(next);
    }
    for (std::size_t s = 0; s < loops_.size(); ++s) {
      if ((cell.slots >> s & 1u) != 0) {
        loops_[s] = static_cast<DimMask>(loops_[s] | 1u << table.dim);
      }
    }
    return true;
  }

  bool lanes_fit() {
    for (std::size_t a = 0; a < room_.size(); ++a) {
      lanes_[static_cast<std::size_t>(tables_.axes[a].slot())] = tables_.axes[a].lanes(room_[a]);
    }
    return lanes_allowed(placement_, lanes_);
  }

  bool choose_chains(std::size_t d) {
    if (d == tables_.dims.size()) return choose_orders(point_, 0);
    const DimTable& table = tables_.dims[d];
    const Point outside = point_;
    for (std::uint64_t number = 0; number < cells_[d]->chains; ++number) {
      put(table.dim, chain_of_cell(table, *cells_[d], tables_.axes, number), point_);
      if (!choose_chains(d + 1)) return false;
      point_ = outside;
    }
    return true;
  }

  bool choose_orders(const Point& point, std::size_t s) {
    if (s == loops_.size()) {
      dead_ends_ = 0;
      return visit_(point);
    }
    Point next = point;
    for (std::uint64_t number = 0; number < arranger_.orders(s, loops_[s]); ++number) {
      reorder(s, arranger_.unrank(s, loops_[s], number), next);
      if (!choose_orders(next, s + 1)) return false;
    }
    return true;
  }

  const Placement& placement_;
  const PlacementTables& tables_;
  Arranger arranger_;
  const std::function<bool(const Point&)>& visit_;
  std::uint64_t most_dead_ends_;
  std::uint64_t& dead_ends_;  // cells tried since the last mapping
  Point point_;
  std::vector<const Cell*> cells_;
  std::vector<std::size_t> room_;
  std::vector<DimMask> loops_;
  std::vector<std::uint64_t> lanes_;
};

}  // namespace

Status for_each_point(const Mapspace& space, const std::function<bool(const Point&)>& visit,
                      const CountLimits& limits) {
  Tuples tuples(space.options().factors);
  std::uint64_t dead_ends = 0;
  for (std::size_t p = 0; p < space.placements().size(); ++p) {
    const Placement& placement = space.placements()[p];
    Result<PlacementTables> tables =
        make_tables(space.problem(), placement, tuples, limits.most_entries);
    if (!tables.ok()) return tables.status();
    Walk walk(placement, *tables, static_cast<std::uint32_t>(p), visit, limits.most_dead_ends,
              dead_ends);
    if (walk.run()) continue;
    if (dead_ends <= limits.most_dead_ends) break;
    return {StatusCode::kUnsupported,
            "listing this mapspace meets more than " + std::to_string(limits.most_dead_ends) +
                " ways to place loops in a row that the constraints forbid; it is too large to "
                "list"};
  }
  return {};
}

}  // namespace loopscape
