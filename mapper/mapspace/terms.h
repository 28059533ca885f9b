// What couples dimensions beside the room on axes, as a signed sum of plain restrictions.
//
// A term says which dimensions may loop in which slot, and nothing else couples slots in it:
//   * a set of slots that must have a loop: everything, minus what leaves them empty;
//   * an order going inwards over slots s_1 ... s_m, place[dim] never growing: for every cut
//     between two of them count the values v with  inner places <= v <= outer places, minus the
//     neighbouring pairs of values that both serve; values that serve are an interval, so this
//     is 1 if there is one, else 0;
//   * two dimensions of one slot that two rules want in opposite orders: one of them is absent.
// For this folder only.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/mapspace/tables.h"

namespace loopscape {

struct CouplingTerm {
  std::int64_t sign = 1;         // with its multiplicity
  std::vector<DimMask> allowed;  // per slot
};

Result<std::vector<CouplingTerm>> make_terms(const Placement& placement,
                                             const PlacementTables& tables);

// The order rules of one slot. Dimensions of one group stand next to each other in any order;
// groups have an order, outermost first.
class SlotOrders {
 public:
  SlotOrders(const Placement& placement, std::size_t slot);

  std::vector<DimMask> groups(DimMask dims) const;  // one dimension each where orders are one
  bool agree(std::size_t d, std::size_t e) const;   // no two rules contradict each other
  bool ordered() const { return ordered_; }

 private:
  bool outside(std::size_t d, std::size_t e) const;  // some rule wants d outside e
  std::vector<std::vector<std::uint16_t>> place_;    // by dimension, one per rule
  bool ordered_;
};

// Every order and stationary rule as an order rule.
std::vector<OrderRule> order_rules(const Placement& placement);

}  // namespace loopscape
