#include "mapper/mapspace/arrange.h"

#include <algorithm>
#include <utility>

namespace loopscape {

Arranger::Arranger(const Placement& placement)
    : placement_(placement), rules_(order_rules(placement)) {
  for (std::size_t s = 0; s < placement.slots.size(); ++s) {
    slots_.emplace_back(placement, s);
    for (std::size_t d = 0; d < kMaxDims; ++d) {
      for (std::size_t e = d + 1; e < kMaxDims; ++e) {
        const auto both = static_cast<DimMask>(1u << d | 1u << e);
        if ((both & ~placement.slots[s].dims) != 0 || slots_[s].agree(d, e)) continue;
        contradictions_.push_back({s, both});
      }
    }
  }
}

bool Arranger::possible(const std::vector<DimMask>& loops, bool complete) const {
  for (const OrderRule& rule : rules_) {
    int least_outside = 256;
    for (std::size_t s = 0; s < loops.size(); ++s) {
      if ((rule.slots >> s & 1u) == 0) continue;
      int least = least_outside;
      for (unsigned rest = loops[s]; rest != 0; rest &= rest - 1) {
        const auto d = static_cast<std::size_t>(__builtin_ctz(rest));
        if (rule.place[d] > least_outside) return false;
        least = std::min<int>(least, rule.place[d]);
      }
      least_outside = least;
    }
  }
  for (const Pair& pair : contradictions_) {
    if ((pair.dims & ~loops[pair.slot]) == 0) return false;
  }
  if (!complete) return true;
  return std::all_of(placement_.must_loop.begin(), placement_.must_loop.end(), [&](SlotMask set) {
    for (std::size_t s = 0; s < loops.size(); ++s) {
      if ((set >> s & 1u) != 0 && loops[s] != 0) return true;
    }
    return false;
  });
}

std::uint64_t Arranger::orders(std::size_t slot, DimMask loops) const {
  std::uint64_t orders = 1;
  for (const DimMask group : slots_[slot].groups(loops)) {
    for (int k = 2; k <= __builtin_popcount(group); ++k) orders *= static_cast<std::uint64_t>(k);
  }
  return orders;
}

std::vector<std::uint8_t> Arranger::unrank(std::size_t slot, DimMask loops,
                                           std::uint64_t number) const {
  std::vector<std::uint8_t> order;
  std::uint64_t rest = orders(slot, loops);
  for (DimMask group : slots_[slot].groups(loops)) {
    for (int left = __builtin_popcount(group); left > 0; --left) {
      rest /= static_cast<std::uint64_t>(left);
      DimMask some = group;
      for (std::uint64_t skip = number / rest; skip > 0; --skip) {
        some = static_cast<DimMask>(some & (some - 1));
      }
      number %= rest;
      const int dim = __builtin_ctz(some);
      order.push_back(static_cast<std::uint8_t>(dim));
      group = static_cast<DimMask>(group & ~(1u << dim));
    }
  }
  return order;
}

std::uint64_t Arranger::rank(std::size_t slot, const std::vector<std::uint8_t>& order) const {
  DimMask loops = 0;
  for (const std::uint8_t d : order) loops = static_cast<DimMask>(loops | 1u << d);
  std::uint64_t rest = orders(slot, loops);
  std::uint64_t number = 0;
  std::size_t i = 0;
  for (DimMask group : slots_[slot].groups(loops)) {
    for (int left = __builtin_popcount(group); left > 0; --left, ++i) {
      rest /= static_cast<std::uint64_t>(left);
      const auto before = static_cast<unsigned>(group & ((1u << order[i]) - 1));
      number += rest * static_cast<std::uint64_t>(__builtin_popcount(before));
      group = static_cast<DimMask>(group & ~(1u << order[i]));
    }
  }
  return number;
}

bool Arranger::fits(std::size_t slot, const std::vector<std::uint8_t>& order) const {
  DimMask loops = 0;
  for (const std::uint8_t d : order) {
    if ((loops >> d & 1u) != 0) return false;
    loops = static_cast<DimMask>(loops | 1u << d);
  }
  std::size_t i = 0;
  for (const DimMask group : slots_[slot].groups(loops)) {
    for (int left = __builtin_popcount(group); left > 0; --left, ++i) {
      if ((group >> order[i] & 1u) == 0) return false;
    }
  }
  return true;
}

void put(std::uint8_t dim, const std::vector<ChainLoop>& chain, Point& point) {
  for (const ChainLoop& loop : chain) {
    point.slots[static_cast<std::size_t>(loop.slot)].push_back({dim, loop.bound});
  }
}

void reorder(std::size_t slot, const std::vector<std::uint8_t>& order, Point& point) {
  std::vector<Point::Loop>& loops = point.slots[slot];
  const auto place = [&](const Point::Loop& loop) {
    return std::find(order.begin(), order.end(), loop.dim);
  };
  std::sort(loops.begin(), loops.end(),
            [&](const Point::Loop& a, const Point::Loop& b) { return place(a) < place(b); });
}

DimChoice choice_of(std::uint8_t dim, const Point& point, const PlacementTables& tables) {
  DimChoice choice;
  choice.axis_bounds.assign(tables.axes.size(), 1);
  for (std::size_t s = point.slots.size(); s-- > 0;) {
    for (const Point::Loop& loop : point.slots[s]) {
      if (loop.dim != dim) continue;
      choice.slots |= SlotMask{1} << s;
      choice.chain.push_back({static_cast<int>(s), loop.bound});
      for (std::size_t a = 0; a < tables.axes.size(); ++a) {
        if (tables.axes[a].slot() == static_cast<int>(s)) choice.axis_bounds[a] = loop.bound;
      }
    }
  }
  return choice;
}

std::vector<ChainLoop> chain_of_cell(const DimTable& table, const Cell& cell,
                                     const std::vector<AxisRoom>& axes, std::uint64_t number) {
  std::size_t e = cell.first_entry;
  for (; number >= table.entry[e].chains; ++e) number -= table.entry[e].chains;
  return table.chains->unrank(table.shape(cell, table.entry[e], axes), number);
}

bool number_in_cell(const DimTable& table, const Cell& cell, const std::vector<AxisRoom>& axes,
                    const DimChoice& choice, std::uint64_t& number) {
  number = 0;
  for (std::size_t e = cell.first_entry; e < cell.first_entry + cell.entries; ++e) {
    const CellEntry& entry = table.entry[e];
    if (table.bounds[entry.bounds] != choice.axis_bounds) {
      number += entry.chains;
      continue;
    }
    const ChainShape shape = table.shape(cell, entry, axes);
    const std::uint64_t inside = table.chains->rank(shape, choice.chain);
    number += inside;
    return inside < entry.chains && table.chains->unrank(shape, inside) == choice.chain;
  }
  return false;
}

}  // namespace loopscape
