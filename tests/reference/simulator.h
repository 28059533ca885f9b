// The oracle: what a mapping does, found by doing it.
//
// simulate() walks every time step of the nest, keeps for every instance of every memory the set of
// words that it holds, moves words by section A of model/counting/counting.md and counts them. It
// is slow and obvious on purpose, and right by definition: where the model differs from it, one of
// them is wrong, and the rules decide which. It shares nothing with the model but the data types.
// README.md in this folder lists how it reads the rules where they leave room.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/energy/energy.h"
#include "model/evaluate/evaluate.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"
#include "tests/reference/defects.h"

namespace loopscape::reference {

// One instance of one memory, one tensor.
struct InstanceCounts {
  Traffic words;
  std::int64_t final_updates = 0;  // updates, of which this many move `final_bits`
  std::int64_t final_drains = 0;
  std::int64_t receptions = 0;  // advances at which something arrived
};

struct Simulation {
  Breakdown breakdown;
  // counts[memory][tensor][instance in use]; empty where the memory does not store the tensor.
  std::array<std::array<std::vector<InstanceCounts>, kMaxTensors>, kMaxMemories> counts;
  // What cannot be hidden, before it is rounded up: two ways of adding fractions may differ in the
  // last place, and a comparison must know when that decides a cycle.
  double overlapped_cycles = 0, exposed_cycles = 0;
  // A7 states reads(X) = visits - Z(X). The simulator counts each read instead; this says whether
  // the two agree (every residence that starts from zero is visited).
  bool reads_are_visits_less_zeros = true;
};

Result<Simulation> simulate_in_detail(const Problem& problem, const Arch& arch,
                                      const Conventions& conventions, const ActionCosts& costs,
                                      const Mapping& mapping, Defect defect = Defect::kNone);

Result<Breakdown> simulate(const Problem& problem, const Arch& arch, const Conventions& conventions,
                           const ActionCosts& costs, const Mapping& mapping);

}  // namespace loopscape::reference
