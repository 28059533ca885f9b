// From one technology node and supply to another: the only place that knows how. The figures are
// data (energy_tables/technology.json). Inside model/energy only.
#pragma once

#include <optional>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

// kLogic: energy polynomials and area ratios of published nodes; kMemory: the same down to
// `memory_floor_nm`, below it the slower rules of memories; kNone: nothing depends on the node.
enum class ScalingRule : std::uint8_t { kNone, kLogic, kMemory };

struct ScalingNode {
  double nm = 0;
  double area = 0;             // relative to one of the nodes
  double a = 0, b = 0, c = 0;  // energy = a V^2 + b V + c
};
struct NominalSupply {
  double nm = 0, voltage = 0;
};

struct TechnologyScaling {
  std::string source;
  std::vector<ScalingNode> nodes;       // by decreasing nm
  std::vector<NominalSupply> supplies;  // by decreasing nm
  double least_nm = 0, most_nm = 0;     // the range that may be asked for
  double least_voltage = 0, most_voltage = 0;
  double reference_voltage = 0;      // of factors between nodes
  double energy_exponent_below = 0;  // beyond either end: (ratio of nm) to this power
  double area_exponent_below = 0;
  double memory_floor_nm = 0;
  double memory_energy_exponent = 0, memory_area_exponent = 0;  // below memory_floor_nm
  double memory_leakage_step = 1;                               // once, below memory_floor_nm
};

struct ScaleFactors {
  double energy = 1, leakage = 1, area = 1, cycle = 1;
  bool extrapolated = false;  // outside the range that may be asked for
};

// What a number at `from_nm` is multiplied by to stand for `to_nm`. Outside the range: an error, or
// with `extrapolate` the rule beyond the last node.
Result<ScaleFactors> scale_node(const TechnologyScaling& scaling, ScalingRule rule, double from_nm,
                                double to_nm, bool extrapolate);
// The same when the supply changes, of energy and leakage. With `extrapolate`: beyond the range by
// the square of the supply.
Result<ScaleFactors> scale_voltage(const TechnologyScaling& scaling, double nm, double from_voltage,
                                   double to_voltage, bool extrapolate);
double nominal_voltage(const TechnologyScaling& scaling, double nm);

}  // namespace loopscape
