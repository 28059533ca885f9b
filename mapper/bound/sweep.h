// One sweep over the tiles of one store of one placement. For this folder only.
#pragma once

#include <map>
#include <set>

#include "mapper/bound/bound.h"
#include "mapper/bound/crossings.h"

namespace loopscape {

// Fewest words by capacity.
class Staircase {
 public:
  struct Step {
    std::int64_t words = 0;
    Point point;
  };
  // Of what occupies at most so many bits; INT64_MAX: nothing does.
  std::int64_t words_at(std::int64_t bits) const;
  void add(std::int64_t bits, std::int64_t words, Point point);
  const std::map<std::int64_t, Step>& steps() const { return steps_; }

 private:
  std::map<std::int64_t, Step> steps_;  // by bits; words fall
};

// A store of the placement, seen outwards up to the outermost parent of its tensors; up to the
// outermost memory if lanes beyond may matter.
struct Surroundings {
  struct Item {
    enum class Kind : std::uint8_t { kStore, kTemporal, kUnder, kFanout } kind;
    std::uint8_t id = 0;             // kStore: memory; kTemporal, kUnder: slot; all others: fan-out
    std::uint8_t fanout = 0;         // kUnder, kFanout
    TensorMask tensors = 0;          // kStore: those that it is the parent of
    std::vector<std::uint8_t> axes;  // kFanout: its slots, outermost first
  };
  std::uint32_t placement = 0;
  std::uint8_t memory = 0, slot_inside = 0;
  TensorMask tensors = 0;
  std::vector<Item> items;  // innermost first
  std::size_t inside = 0;   // of the items, those up to the outermost parent
  // Dimensions of sliding ranks with strides. Lanes over these, beyond the parents too, change how
  // far a march steps and so what is left of a tile.
  DimMask strided = 0;
  // Two stores with equal texts have equal bounds.
  std::string text() const;
};
Surroundings surroundings_of(const Mapspace& space, std::uint32_t placement, std::size_t step);

// Adds to the staircase whatever the store may be. False: a limit struck.
bool sweep(const Mapspace& space, const Surroundings& around, const BoundLimits& limits,
           Crossings& crossings, Staircase& staircase);

}  // namespace loopscape
