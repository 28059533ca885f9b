// Edges of the balanced binary tree over a fan-out's cells.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "model/interconnect/cells.h"

namespace loopscape {
namespace {

using Sets = DestinationPart::Sets;

constexpr std::int64_t kMostCellVisits = std::int64_t{1} << 26;
constexpr std::size_t kMostDepth = 64;

struct NumberedLoop {
  std::uint32_t bound;
  std::int64_t step;  // of the cell's number
};

// The sets of one part as cell numbers.
class PartNumbers {
 public:
  PartNumbers(const Destinations& to, const DestinationPart& part, const Cells& cells)
      : to_(to), part_(part) {
    for (std::size_t l = 0; l < part.loops; ++l) {
      const CellLoop& loop = to.loop[part.first_loop + l];
      const auto place = static_cast<std::size_t>(cells.place_of(loop.axis));
      loop_[l] = {loop.bound, loop.stride * cells.number_step[place]};
    }
  }

  bool single() const { return part_.sets == Sets::kEach || part_.sets == Sets::kSingles; }
  bool binary() const {  // digits of the loops are digits of the number
    return std::all_of(loop_.begin(), loop_.begin() + static_cast<std::ptrdiff_t>(part_.loops),
                       [](const NumberedLoop& l) {
                         return std::has_single_bit(static_cast<std::uint64_t>(l.step));
                       });
  }
  std::size_t sets() const {
    return part_.sets == Sets::kAll    ? 1
           : part_.sets == Sets::kEach ? loop_[0].bound
                                       : part_.weights;
  }
  std::int64_t weight(std::size_t set) const {
    const bool whole = part_.sets == Sets::kAll || part_.sets == Sets::kEach;
    return whole ? 1 : to_.weight[part_.first_weight + set];
  }
  std::size_t size(std::size_t set) const {
    switch (part_.sets) {
      case Sets::kAll:
        return loop_[0].bound;
      case Sets::kPrefixes:
        return set + 1;
      case Sets::kListed:
        return to_.first_tuple[part_.first_weight + set + 1] -
               to_.first_tuple[part_.first_weight + set];
      case Sets::kEach:
      case Sets::kSingles:
        return 1;
    }
    return 0;
  }
  std::int64_t number(std::size_t set, std::size_t i) const {
    std::size_t tuple = single() ? set : i;
    if (part_.sets == Sets::kListed) {
      tuple = to_.tuple[to_.first_tuple[part_.first_weight + set] + i];
    }
    std::int64_t number = 0;
    for (std::size_t l = part_.loops; l-- > 0;) {
      number += static_cast<std::int64_t>(tuple % loop_[l].bound) * loop_[l].step;
      tuple /= loop_[l].bound;
    }
    return number;
  }

 private:
  const Destinations& to_;
  const DestinationPart& part_;
  std::array<NumberedLoop, kMaxMappingNodes> loop_;
};

// Ascending cell numbers: below the edge into a cell's ancestor that its left neighbour lacks.
std::int64_t new_edges(std::int64_t left, std::int64_t cell) {
  return std::bit_width(static_cast<std::uint64_t>(left ^ cell));
}

class TreeWalk {
 public:
  TreeWalk(const Destinations& to, const Cells& cells, OverflowFlag& flag)
      : words_(to.words), depth_(cells.tree_depth), flag_(flag) {
    part_.reserve(to.part.size());
    for (const DestinationPart& part : to.part) part_.emplace_back(to, part, cells);
  }

  bool edges(std::int64_t& edges) {
    const auto single = [](const PartNumbers& part) { return part.single(); };
    const auto binary = [](const PartNumbers& part) { return part.binary(); };
    if (std::all_of(part_.begin(), part_.end(), single)) {
      edges = flag_.mul(words_, depth_);
      for (const PartNumbers& part : part_) edges = flag_.mul(edges, weight_of(part));
      return true;
    }
    if (std::all_of(part_.begin(), part_.end(), binary)) {
      edges = level_by_level();
      return true;
    }
    if (visits() > kMostCellVisits) return false;
    cells_.assign(part_.size() + 1, {});
    cells_[0].push_back(0);
    edges_ = 0;
    combine(0, words_);
    edges = edges_;
    return true;
  }

 private:
  std::int64_t weight_of(const PartNumbers& part) {
    std::int64_t sum = 0;
    for (std::size_t set = 0; set < part.sets(); ++set) sum = flag_.add(sum, part.weight(set));
    return sum;
  }

  // Digits of different loops are different bits: nodes of a level multiply as cells do.
  std::int64_t level_by_level() {
    std::array<std::int64_t, kMostDepth> nodes;
    nodes.fill(words_);
    const auto depth = static_cast<std::size_t>(depth_);
    std::vector<std::int64_t> set;
    for (const PartNumbers& part : part_) {
      std::array<std::int64_t, kMostDepth> here{};
      for (std::size_t s = 0; s < part.sets(); ++s) {
        if (part.weight(s) == 0) continue;
        set.clear();
        for (std::size_t i = 0; i < part.size(s); ++i) set.push_back(part.number(s, i));
        std::sort(set.begin(), set.end());
        for (std::size_t l = 0; l < depth; ++l) here[l] = flag_.add(here[l], part.weight(s));
        for (std::size_t i = 1; i < set.size(); ++i) {
          const auto edges = static_cast<std::size_t>(new_edges(set[i - 1], set[i]));
          for (std::size_t l = 0; l < edges; ++l) here[l] = flag_.add(here[l], part.weight(s));
        }
      }
      for (std::size_t l = 0; l < depth; ++l) nodes[l] = flag_.mul(nodes[l], here[l]);
    }
    std::int64_t sum = 0;
    for (std::size_t l = 0; l < depth; ++l) sum = flag_.add(sum, nodes[l]);
    return sum;
  }

  std::int64_t visits() const {
    std::int64_t product = 1;
    for (const PartNumbers& part : part_) {
      std::int64_t cells = 0;
      for (std::size_t s = 0; s < part.sets(); ++s) {
        cells += part.weight(s) == 0 ? 0 : static_cast<std::int64_t>(part.size(s));
      }
      if (__builtin_mul_overflow(product, cells, &product)) return INT64_MAX;
    }
    return product;
  }

  void combine(std::size_t p, std::int64_t weight) {
    if (p == part_.size()) {
      auto& set = cells_[p];
      std::sort(set.begin(), set.end());
      std::int64_t here = depth_;
      for (std::size_t i = 1; i < set.size(); ++i) here += new_edges(set[i - 1], set[i]);
      edges_ = flag_.add(edges_, flag_.mul(weight, here));
      return;
    }
    const PartNumbers& part = part_[p];
    for (std::size_t s = 0; s < part.sets(); ++s) {
      if (part.weight(s) == 0) continue;
      cells_[p + 1].clear();
      for (std::size_t i = 0; i < part.size(s); ++i) {
        const std::int64_t shift = part.number(s, i);
        for (const std::int64_t cell : cells_[p]) cells_[p + 1].push_back(cell + shift);
      }
      combine(p + 1, flag_.mul(weight, part.weight(s)));
    }
  }

  std::int64_t words_;
  std::int64_t depth_;
  OverflowFlag& flag_;
  std::vector<PartNumbers> part_;
  std::vector<std::vector<std::int64_t>> cells_;  // of the first p parts' chosen sets
  std::int64_t edges_ = 0;
};

}  // namespace

bool tree_edges(const Destinations& to, const Cells& cells, OverflowFlag& flag,
                std::int64_t& edges) {
  edges = 0;
  if (cells.tree_depth == 0 || to.words == 0) return true;
  return TreeWalk(to, cells, flag).edges(edges);
}

}  // namespace loopscape
