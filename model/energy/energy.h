// What one action costs. Estimators and tables fill ActionCosts once; evaluation only reads it.
#pragma once

#include <array>

#include "model/arch/arch.h"
#include "model/base/base.h"

namespace loopscape {

struct MemoryCosts {
  double read_pj = 0, write_pj = 0, update_pj = 0;  // per access of the memory's width
  double leakage_mw = 0, area_um2 = 0;              // per instance
};

struct ComputeCosts {
  double operation_pj = 0;
  double leakage_mw = 0, area_um2 = 0;  // per instance
};

struct ActionCosts {
  std::array<MemoryCosts, kMaxMemories> memories;
  ComputeCosts compute;
};

// The costs that the spec states in place ("energy_pj", "leakage_mw", "area_um2"). A component
// with an action that nobody prices is an error that names it and the key to write.
Result<ActionCosts> costs_in_spec(const Arch& arch);

}  // namespace loopscape
