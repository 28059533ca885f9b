#include "model/interconnect/cells.h"

#include <algorithm>
#include <bit>

namespace loopscape {
namespace {

using Sets = DestinationPart::Sets;
using Coordinates = std::array<std::int64_t, kMaxAxesPerFanout>;

constexpr std::size_t kFewCells = 32;  // sets up to this size need no heap

// Cells in ascending order.
class CellSet {
 public:
  void clear() {
    size_ = 0;
    more_.clear();
  }
  void add(const Coordinates& cell) {
    if (size_ < kFewCells) {
      std::size_t i = size_++;
      for (; i > 0 && cell < few_[i - 1]; --i) few_[i] = few_[i - 1];
      few_[i] = cell;
      return;
    }
    if (more_.empty()) more_.assign(few_.begin(), few_.end());
    more_.push_back(cell);
  }
  template <class Visit>
  void visit(Visit visit) {
    std::sort(more_.begin(), more_.end());
    const Coordinates* const first = more_.empty() ? few_.data() : more_.data();
    const std::size_t size = more_.empty() ? size_ : more_.size();
    for (std::size_t i = 0; i < size; ++i) visit(first[i]);
  }

 private:
  std::size_t size_ = 0;
  std::array<Coordinates, kFewCells> few_;
  std::vector<Coordinates> more_;
};

// One part's tuples by number, as coordinates along the route.
class PartCells {
 public:
  PartCells(const Destinations& to, const DestinationPart& part, const Cells& cells,
            const Route& route)
      : loop_(to.loop.data() + part.first_loop), loops_(part.loops), axes_(cells.axes) {
    for (int j = 0; j < cells.axes; ++j) {
      rank_[static_cast<std::size_t>(route.axis[static_cast<std::size_t>(j)])] = j;
    }
    for (std::size_t l = 0; l < loops_; ++l) place_[l] = cells.place_of(loop_[l].axis);
  }

  Coordinates at(std::size_t tuple) const {
    Coordinates here{};
    for (std::size_t l = loops_; l-- > 0;) {
      const auto index = static_cast<std::int64_t>(tuple % loop_[l].bound);
      tuple /= loop_[l].bound;
      here[static_cast<std::size_t>(position(l))] += index * loop_[l].stride;
    }
    return here;
  }
  int position(std::size_t l) const { return rank_[static_cast<std::size_t>(place_[l])]; }

 private:
  const CellLoop* loop_;
  std::size_t loops_;
  int axes_;
  std::array<int, kMaxAxesPerFanout> rank_{};  // axis -> place on the route
  std::array<int, kMaxMappingNodes> place_;
};

// Adds one set of cells, ascending along the route: two neighbours in that order part where they
// first differ, and what lies further on along the route ends with the first of them.
class SetReach {
 public:
  SetReach(int axes, std::int64_t weight, Reach& reach, OverflowFlag& flag)
      : axes_(static_cast<std::size_t>(axes)), weight_(weight), reach_(reach), flag_(flag) {}

  void add(const Coordinates& here) {
    std::size_t parting = 0;
    if (!empty_) {
      while (parting < axes_ && last_[parting] == here[parting]) ++parting;
      end(parting + 1);
    }
    last_ = here;
    empty_ = false;
  }
  void end(std::size_t from = 0) {
    for (std::size_t j = from; j <= axes_; ++j) {
      reach_.cells[j] = flag_.add(reach_.cells[j], weight_);
      if (j == axes_) return;
      reach_.farthest[j] = flag_.add(reach_.farthest[j], flag_.mul(weight_, last_[j]));
    }
  }

 private:
  std::size_t axes_;
  std::int64_t weight_;
  Reach& reach_;
  OverflowFlag& flag_;
  Coordinates last_{};
  bool empty_ = true;
};

// All of the first `bound` indices of a loop (together, or each by itself).
void add_loop(const CellLoop& loop, int position, std::int64_t bound, bool together,
              std::int64_t weight, int axes, Reach& reach, OverflowFlag& flag) {
  for (int j = 0; j <= axes; ++j) {
    std::int64_t& cells = reach.cells[static_cast<std::size_t>(j)];
    cells = flag.add(cells, flag.mul(weight, together && j <= position ? 1 : bound));
  }
  const std::int64_t farthest = together ? bound - 1 : flag.mul(bound, bound - 1) / 2;
  std::int64_t& sum = reach.farthest[static_cast<std::size_t>(position)];
  sum = flag.add(sum, flag.mul(weight, flag.mul(farthest, loop.stride)));
}

Reach part_reach(const Destinations& to, const DestinationPart& part, const Cells& cells,
                 const Route& route, OverflowFlag& flag) {
  Reach reach;
  const PartCells tuples(to, part, cells, route);
  if (part.sets == Sets::kAll || part.sets == Sets::kEach) {
    const CellLoop& loop = to.loop[part.first_loop];
    add_loop(loop, tuples.position(0), loop.bound, part.sets == Sets::kAll, 1, cells.axes, reach,
             flag);
    return reach;
  }
  CellSet set;
  for (std::size_t i = 0; i < part.weights; ++i) {
    const std::int64_t weight = to.weight[part.first_weight + i];
    if (weight == 0) continue;
    if (part.sets == Sets::kPrefixes && part.loops == 1) {
      add_loop(to.loop[part.first_loop], tuples.position(0), static_cast<std::int64_t>(i) + 1, true,
               weight, cells.axes, reach, flag);
      continue;
    }
    SetReach sum(cells.axes, weight, reach, flag);
    if (part.sets == Sets::kSingles) {
      sum.add(tuples.at(i));
      sum.end();
      continue;
    }
    set.clear();
    if (part.sets == Sets::kPrefixes) {
      for (std::size_t tuple = 0; tuple <= i; ++tuple) set.add(tuples.at(tuple));
    } else {
      const std::size_t k = part.first_weight + i;
      for (std::size_t n = to.first_tuple[k]; n < to.first_tuple[k + 1]; ++n) {
        set.add(tuples.at(to.tuple[n]));
      }
    }
    set.visit([&](const Coordinates& here) { sum.add(here); });
    sum.end();
  }
  return reach;
}

}  // namespace

Cells make_cells(const CountingContext& context, int fanout, OverflowFlag& flag) {
  Cells cells;
  for (std::size_t a = 0; a < context.axes; ++a) {
    if (context.axis_fanout[a] != fanout) continue;
    const auto k = static_cast<std::size_t>(cells.axes++);
    cells.axis[k] = static_cast<std::uint8_t>(a);
    cells.size[k] = context.axis_size[a];
    cells.number_step[k] = cells.all;
    cells.all = flag.mul(cells.all, cells.size[k]);
  }
  const auto others = static_cast<std::uint64_t>(cells.all - 1);
  cells.tree_depth = static_cast<int>(std::bit_width(others));
  return cells;
}

Reach reach_of(const Destinations& to, const Cells& cells, const Route& route, OverflowFlag& flag) {
  const auto axes = static_cast<std::size_t>(cells.axes);
  Reach all;
  all.cells.fill(to.words);
  for (const DestinationPart& part : to.part) {
    const Reach here = part_reach(to, part, cells, route, flag);
    for (std::size_t j = 0; j < axes; ++j) {
      all.farthest[j] = flag.add(flag.mul(all.farthest[j], here.cells[j]),
                                 flag.mul(all.cells[j], here.farthest[j]));
    }
    for (std::size_t j = 0; j <= axes; ++j) all.cells[j] = flag.mul(all.cells[j], here.cells[j]);
  }
  return all;
}

}  // namespace loopscape
