#include "mapper/search/incumbent.h"

#include <algorithm>

namespace loopscape {
namespace {

constexpr double kMargin = 1 - 1e-12;

// What decides between equal values of the objective.
double second(Objective objective, double energy_pj, double cycles) {
  return objective == Objective::kEnergy ? cycles : energy_pj;
}

}  // namespace

double objective_value(Objective objective, double energy_pj, double cycles) {
  switch (objective) {
    case Objective::kEnergy:
      return energy_pj;
    case Objective::kDelay:
      return cycles;
    case Objective::kEdp:
      return energy_pj * cycles;
    case Objective::kEd2p:
      return energy_pj * cycles * cycles;
  }
  return energy_pj;
}

std::string objective_name(Objective objective) {
  switch (objective) {
    case Objective::kEnergy:
      return "energy";
    case Objective::kDelay:
      return "delay";
    case Objective::kEdp:
      return "edp";
    case Objective::kEd2p:
      return "ed2p";
  }
  return "";
}

std::optional<Objective> objective_called(const std::string& name) {
  for (const Objective objective :
       {Objective::kEnergy, Objective::kDelay, Objective::kEdp, Objective::kEd2p}) {
    if (objective_name(objective) == name) return objective;
  }
  return std::nullopt;
}

bool Incumbents::allowed(double energy_pj, double cycles) const {
  return (!goal_.max_cycles || cycles <= *goal_.max_cycles) &&
         (!goal_.max_energy_pj || energy_pj <= *goal_.max_energy_pj);
}

bool Incumbents::useful(double energy_pj, double cycles) const {
  if (!allowed(energy_pj * kMargin, cycles)) return false;
  if (goal_.front) {
    return std::none_of(front_.begin(), front_.end(), [&](const Found& known) {
      return known.energy_pj <= energy_pj * kMargin && static_cast<double>(known.cycles) <= cycles;
    });
  }
  if (!best_) return true;
  const auto best_cycles = static_cast<double>(best_->cycles);
  const double best = value(best_->energy_pj, best_cycles);
  const double bound = value(energy_pj, cycles);
  if (bound * kMargin > best) return false;
  if (bound < best * kMargin) return true;
  return second(goal_.objective, energy_pj, cycles) <
         second(goal_.objective, best_->energy_pj, best_cycles) * kMargin;
}

bool Incumbents::offer_best(const Found& found) {
  if (!best_) {
    best_ = found;
    return true;
  }
  const auto key = [&](const Found& f) {
    const auto cycles = static_cast<double>(f.cycles);
    return std::pair(value(f.energy_pj, cycles), second(goal_.objective, f.energy_pj, cycles));
  };
  if (key(found) >= key(*best_)) return false;
  best_ = found;
  return true;
}

bool Incumbents::offer(const Found& found) {
  if (!allowed(found.energy_pj, static_cast<double>(found.cycles))) return false;
  const bool better = offer_best(found);
  if (!goal_.front) return better;
  for (const Found& known : front_) {
    if (known.energy_pj <= found.energy_pj && known.cycles <= found.cycles) return better;
  }
  std::erase_if(front_, [&](const Found& known) {
    return known.energy_pj >= found.energy_pj && known.cycles >= found.cycles;
  });
  front_.insert(
      std::upper_bound(front_.begin(), front_.end(), found,
                       [](const Found& a, const Found& b) { return a.energy_pj < b.energy_pj; }),
      found);
  return true;
}

}  // namespace loopscape
