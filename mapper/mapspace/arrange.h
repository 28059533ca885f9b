// From cells, chains and orders to a point, and back. For this folder only.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/mapspace/tables.h"
#include "mapper/mapspace/terms.h"

namespace loopscape {

// The orders that the loops of every slot may stand in.
class Arranger {
 public:
  explicit Arranger(const Placement& placement);

  // Do the rules of order and presence leave these loops (by slot) a mapping? Sets of slots that
  // must have a loop are looked at only if `complete`.
  bool possible(const std::vector<DimMask>& loops, bool complete) const;
  std::uint64_t orders(std::size_t slot, DimMask loops) const;
  // Order number `number` of the slot's loops, outermost first.
  std::vector<std::uint8_t> unrank(std::size_t slot, DimMask loops, std::uint64_t number) const;
  // Of an order that fits.
  std::uint64_t rank(std::size_t slot, const std::vector<std::uint8_t>& order) const;
  bool fits(std::size_t slot, const std::vector<std::uint8_t>& order) const;

 private:
  const Placement& placement_;
  std::vector<OrderRule> rules_;
  std::vector<SlotOrders> slots_;
  struct Pair {
    std::size_t slot;
    DimMask dims;
  };
  std::vector<Pair> contradictions_;  // two dimensions that no order of the slot's loops serves
};

// The loops of a chain put into the slots of a point, not yet in order.
void put(std::uint8_t dim, const std::vector<ChainLoop>& chain, Point& point);
// Each slot's loops into the given order.
void reorder(std::size_t slot, const std::vector<std::uint8_t>& order, Point& point);

// What one dimension does in a point.
struct DimChoice {
  std::vector<std::uint32_t> axis_bounds;  // as in DimTable::bounds
  SlotMask slots = 0;
  std::vector<ChainLoop> chain;  // from the inside out
};
DimChoice choice_of(std::uint8_t dim, const Point& point, const PlacementTables& tables);

// Chain number `number` among all of a cell: by entry, then by chain. And back; false: no such.
std::vector<ChainLoop> chain_of_cell(const DimTable& table, const Cell& cell,
                                     const std::vector<AxisRoom>& axes, std::uint64_t number);
bool number_in_cell(const DimTable& table, const Cell& cell, const std::vector<AxisRoom>& axes,
                    const DimChoice& choice, std::uint64_t& number);

}  // namespace loopscape
