// From what happened to what it costs: bits, accesses, energy (A8, A10) and time (A9).
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/base.h"
#include "model/energy/energy.h"
#include "tests/reference/nest.h"
#include "tests/reference/simulator.h"
#include "tests/reference/walk.h"

namespace loopscape::reference {

struct World {
  const Problem& problem;
  const Arch& arch;
  const Conventions& conventions;
  const ActionCosts& costs;
  Defect defect;
  const Nest& nest;
  const Tiles& tiles;
  const Walk& walk;

  std::int64_t bits(std::size_t tensor) const;
  std::int64_t final_bits(std::size_t tensor) const;  // bits() when none are given
  std::int64_t width(std::size_t memory, std::size_t tensor) const;
  std::int64_t tile_words(std::size_t tensor, std::size_t store) const;
};

// Bits that one instance of a store moved, by action.
struct Bits {
  std::int64_t reads = 0, fills = 0, updates = 0, drains = 0;
};
Bits bits_moved(const World& world, std::size_t tensor, std::size_t store, std::size_t instance);

// Instances that ever work: those whose first tile is not empty.
std::int64_t instances_used(const World& world, const Place& place);

void account_time(const World& world, Simulation& simulation);

}  // namespace loopscape::reference
