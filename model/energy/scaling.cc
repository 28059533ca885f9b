#include "model/energy/scaling.h"

#include <algorithm>
#include <cmath>

namespace loopscape {
namespace {

// The value at x of a line through sorted points (decreasing x), held beyond its ends. The
// published rule between nodes is linear in nm.
template <class Points, class Value>
double piecewise(const Points& points, double x, Value value) {
  if (x >= points.front().nm) return value(points.front());
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto& above = points[i - 1];
    const auto& below = points[i];
    if (x < below.nm) continue;
    const double share = (above.nm - x) / (above.nm - below.nm);
    return value(above) * (1 - share) + value(below) * share;
  }
  return value(points.back());
}

double polynomial(const ScalingNode& node, double voltage) {
  return (node.a * voltage + node.b) * voltage + node.c;
}

Status outside(const char* what, double value, double least, double most, const char* unit) {
  return Status(StatusCode::kUnsupported,
                std::string(what) + " " + number_text(value) + unit +
                    " is outside the published scaling range, " + number_text(least) + " to " +
                    number_text(most) + unit +
                    " (nearest: " + number_text(value < least ? least : most) + unit + ")");
}

// Energy and area of one node on scales of their own; only ratios mean something.
struct Relative {
  double energy = 1, leakage = 1, area = 1;
};

Relative logic(const TechnologyScaling& scaling, double nm) {
  const double inside = std::clamp(nm, scaling.nodes.back().nm, scaling.nodes.front().nm);
  Relative out;
  out.energy = piecewise(scaling.nodes, inside, [&](const ScalingNode& node) {
    return polynomial(node, scaling.reference_voltage);
  });
  out.area = piecewise(scaling.nodes, inside, [](const ScalingNode& node) { return node.area; });
  out.energy *= std::pow(nm / inside, scaling.energy_exponent_below);
  out.area *= std::pow(nm / inside, scaling.area_exponent_below);
  out.leakage = out.energy;
  return out;
}

Relative memory(const TechnologyScaling& scaling, double nm) {
  Relative out = logic(scaling, std::max(nm, scaling.memory_floor_nm));
  if (nm >= scaling.memory_floor_nm) return out;
  const double ratio = nm / scaling.memory_floor_nm;
  out.energy *= std::pow(ratio, scaling.memory_energy_exponent);
  out.leakage = out.energy * scaling.memory_leakage_step;
  out.area *= std::pow(ratio, scaling.memory_area_exponent);
  return out;
}

}  // namespace

Result<ScaleFactors> scale_node(const TechnologyScaling& scaling, ScalingRule rule, double from_nm,
                                double to_nm, bool extrapolate) {
  if (rule == ScalingRule::kNone || from_nm == to_nm) return ScaleFactors();
  bool inside = true;
  for (const double nm : {from_nm, to_nm}) {
    if (nm >= scaling.least_nm && nm <= scaling.most_nm) continue;
    if (!extrapolate) return outside("the node", nm, scaling.least_nm, scaling.most_nm, " nm");
    inside = false;
  }
  const auto at = rule == ScalingRule::kLogic ? logic : memory;
  const Relative from = at(scaling, from_nm), to = at(scaling, to_nm);
  return ScaleFactors{to.energy / from.energy, to.leakage / from.leakage, to.area / from.area,
                      to_nm / from_nm, !inside};
}

Result<ScaleFactors> scale_voltage(const TechnologyScaling& scaling, double nm, double from_voltage,
                                   double to_voltage, bool extrapolate) {
  if (from_voltage == to_voltage) return ScaleFactors();
  bool inside = true;
  for (const double voltage : {from_voltage, to_voltage}) {
    if (voltage >= scaling.least_voltage && voltage <= scaling.most_voltage) continue;
    if (!extrapolate) {
      return outside("the supply", voltage, scaling.least_voltage, scaling.most_voltage, " V");
    }
    inside = false;
  }
  const auto energy = [&](double voltage) {
    const double known = std::clamp(voltage, scaling.least_voltage, scaling.most_voltage);
    return std::pow(voltage / known, 2) *
           piecewise(scaling.nodes, nm,
                     [&](const ScalingNode& node) { return polynomial(node, known); });
  };
  const double factor = energy(to_voltage) / energy(from_voltage);
  return ScaleFactors{factor, factor, 1, 1, !inside};
}

double nominal_voltage(const TechnologyScaling& scaling, double nm) {
  return piecewise(scaling.supplies, nm, [](const NominalSupply& at) { return at.voltage; });
}

}  // namespace loopscape
