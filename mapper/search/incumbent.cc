#include "mapper/search/incumbent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "model/base/cycles.h"

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
  return costs_least(energy_pj, cycles, kMargin) || best_useful(energy_pj, cycles);
}

bool Incumbents::best_useful(double energy_pj, double cycles) const {
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

// Of what bounds leave, within those that the answer must keep. Objectives are quasi-concave: least
// at a corner.
CostBound::Corners Incumbents::corners_of(const CostBound& bound) const {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  return bound.corners(kMargin, goal_.max_energy_pj.value_or(kInfinite),
                       goal_.max_cycles.value_or(kInfinite));
}

// Between the steps of the front, is there a place on the far side of the line?
bool Incumbents::front_leaves_room(const CostBound& bound, const CostBound::Line& line) const {
  if (front_.empty() || bound.energy_pj * kMargin < front_.front().energy_pj ||
      bound.cycles < static_cast<double>(front_.back().cycles)) {
    return true;
  }
  for (std::size_t i = 0; i + 1 < front_.size(); ++i) {
    const double energy = front_[i + 1].energy_pj, cycles = static_cast<double>(front_[i].cycles);
    if (energy > bound.energy_pj * kMargin && cycles > bound.cycles &&
        energy + line.pj_per_cycle * cycles > line.least * kMargin) {
      return true;
    }
  }
  return false;
}

// Less than any known one at some price? The difference is concave in the price, and bends where
// the known ones change.
bool Incumbents::costs_least(double energy_pj, double cycles, double margin) const {
  if (!goal_.prices) return false;
  return hull_.empty() || std::any_of(hull_.begin(), hull_.end(), [&](const CostBound::Line& at) {
           return energy_pj + at.pj_per_cycle * cycles < at.least * margin;
         });
}

bool Incumbents::useful(const CostBound& bound) const {
  const auto at_a_corner = [&](const auto& of_use) {
    if (bound.lines == 0) return true;
    const CostBound::Corners corners = corners_of(bound);
    return std::any_of(corners.begin(), corners.end(), [&](const CostBound::Corner& corner) {
      return of_use(corner.energy_pj, corner.cycles);
    });
  };
  const auto least = [&](double energy_pj, double cycles) {
    return costs_least(energy_pj, cycles, kMargin);
  };
  if (least(bound.energy_pj, bound.cycles) && at_a_corner(least)) return true;
  if (!best_useful(bound.energy_pj, bound.cycles)) return false;
  if (goal_.front) {
    return std::all_of(bound.all_lines().begin(), bound.all_lines().end(),
                       [&](const CostBound::Line& line) { return front_leaves_room(bound, line); });
  }
  return at_a_corner(
      [&](double energy_pj, double cycles) { return best_useful(energy_pj, cycles); });
}

double Incumbents::value(const CostBound& bound) const {
  if (bound.lines == 0) return value(bound.energy_pj, bound.cycles);
  double least = std::numeric_limits<double>::infinity();
  for (const CostBound::Corner& corner : corners_of(bound)) {
    least = std::min(least, value(corner.energy_pj, corner.cycles));
  }
  return least;
}

double Incumbents::most_cycles(double energy_pj) const {
  const double allowed = goal_.max_cycles.value_or(std::numeric_limits<double>::infinity());
  if (!best_ || goal_.front || goal_.prices) return allowed;
  const double best = value(best_->energy_pj, static_cast<double>(best_->cycles));
  switch (goal_.objective) {
    case Objective::kEnergy:
      return allowed;
    case Objective::kDelay:
      return std::min(allowed, best);
    case Objective::kEdp:
      return std::min(allowed, best / energy_pj);
    case Objective::kEd2p:
      return std::min(allowed, std::sqrt(best / energy_pj));
  }
  return allowed;
}

std::optional<double> Incumbents::price_at_corner(const CostBound& bound) const {
  constexpr double kSteeper = 4;  // than a line that meets the least of cycles or of energy
  constexpr double kNear = 1e-9;
  const CostBound::Corners corners = corners_of(bound);
  const auto lowest =
      std::min_element(corners.begin(), corners.end(), [&](const auto& a, const auto& b) {
        return value(a.energy_pj, a.cycles) < value(b.energy_pj, b.cycles);
      });
  if (lowest == corners.end()) return std::nullopt;
  double steepest = 0, flattest = std::numeric_limits<double>::infinity();
  for (const CostBound::Line& line : bound.all_lines()) {
    const double over = lowest->energy_pj + line.pj_per_cycle * lowest->cycles - line.least;
    if (over > kNear * line.least) continue;
    steepest = std::max(steepest, line.pj_per_cycle);
    flattest = std::min(flattest, line.pj_per_cycle);
  }
  if (steepest == 0) return std::nullopt;
  if (lowest->cycles <= bound.cycles * (1 + kNear)) return kSteeper * steepest;
  if (lowest->energy_pj <= bound.energy_pj * (1 + kNear)) return flattest / kSteeper;
  return std::sqrt(steepest * flattest);
}

std::optional<Blend> Incumbents::tangent() const {
  if (!best_ || best_->cycles == 0) return std::nullopt;
  const double mean = best_->energy_pj / static_cast<double>(best_->cycles);
  switch (goal_.objective) {
    case Objective::kEd2p:
      return Blend{2 * mean, limit_};
    case Objective::kDelay:
    case Objective::kEnergy:
      if (!goal_.front && !goal_.max_cycles && !goal_.max_energy_pj) return std::nullopt;
      break;
    case Objective::kEdp:
      break;
  }
  return Blend{mean, limit_};
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

// The lower hull, as far as its corners cost least at a price in the range.
bool Incumbents::offer_corner(const Found& found) {
  const auto cost = [](const Found& at, double price) {
    return at.energy_pj + price * static_cast<double>(at.cycles);
  };
  const PriceRange& range = *goal_.prices;
  if (!costs_least(found.energy_pj, static_cast<double>(found.cycles), 1)) return false;
  std::vector<Found> all = std::exchange(front_, {});
  all.push_back(found);
  hull_.clear();
  const auto first = std::min_element(all.begin(), all.end(), [&](const Found& a, const Found& b) {
    return std::pair(cost(a, range.least), a.cycles) < std::pair(cost(b, range.least), b.cycles);
  });
  front_.push_back(*first);
  hull_.push_back({range.least, cost(*first, range.least)});
  while (true) {
    const Found now = front_.back();
    const auto meet = [&](const Found& one) {  // the price at which both cost the same
      if (one.cycles >= now.cycles) return std::numeric_limits<double>::infinity();
      return (one.energy_pj - now.energy_pj) / static_cast<double>(now.cycles - one.cycles);
    };
    const auto next = std::min_element(all.begin(), all.end(), [&](const Found& a, const Found& b) {
      return std::pair(meet(a), a.cycles) < std::pair(meet(b), b.cycles);
    });
    const double price = std::max(meet(*next), range.least);
    if (price >= range.most) {
      hull_.push_back({range.most, cost(now, range.most)});
      return true;
    }
    front_.push_back(*next);
    hull_.push_back({price, std::min(cost(now, price), cost(*next, price))});
  }
}

bool Incumbents::offer(const Found& found, int limit) {
  if (!allowed(found.energy_pj, static_cast<double>(found.cycles))) return false;
  const bool better = offer_best(found);
  if (better) limit_ = limit;
  if (goal_.prices) return offer_corner(found) || better;
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

LeastOfMany::LeastOfMany(const std::optional<PriceRange>& prices) {
  if (!prices) return;
  costs.push_back({0, cycles});
  for (const double share : {0.125, 0.25, 0.5}) costs.push_back({share * prices->least, cycles});
}

void LeastOfMany::take(const CostBound& bound) {
  cycles = std::min(cycles, bound.cycles);
  for (LeastCost& cost : costs) cost.pj = std::min(cost.pj, bound.at(cost.pj_per_cycle));
}

void LeastOfMany::take(const LeastOfMany& other) {
  cycles = std::min(cycles, other.cycles);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    costs[i].pj = std::min(costs[i].pj, other.costs[i].pj);
  }
}

// From one end of the other bounds to the other: at its ends, and where any two lines cross, of
// which those that others lie above are corners no more, but no harm.
CostBound::Corners CostBound::corners(double margin, double most_energy, double most_cycles) const {
  const auto energy_at = [&](double at) {
    double energy = energy_pj;
    for (const Line& one : all_lines()) {
      energy = std::max(energy, one.least * margin - one.pj_per_cycle * at);
    }
    return energy;
  };
  double first = cycles, last = cycles;
  for (const Line& one : all_lines()) {
    first = std::max(first, (one.least * margin - most_energy) / one.pj_per_cycle);
    last = std::max(last, (one.least * margin - energy_pj) / one.pj_per_cycle);
  }
  last = std::min(last, most_cycles);
  Corners corners;
  // One on a bound is not to be rounded beyond it.
  const auto add = [&](double at) {
    corners.push_back({std::min(energy_at(at), most_energy), at});
  };
  if (energy_pj * margin > most_energy || first > most_cycles) return corners;
  add(first);
  for (std::size_t i = 0; i < lines; ++i) {
    for (std::size_t other = 0; other < i; ++other) {
      const double steeper = line[i].pj_per_cycle - line[other].pj_per_cycle;
      const double at = (line[i].least - line[other].least) * margin / steeper;
      if (steeper != 0 && at > first && at < last) add(at);
    }
  }
  if (last > first) add(last);
  return corners;
}

double CostBound::at(double price) const {
  double least = std::numeric_limits<double>::infinity();
  for (const Corner& corner : corners(1, least, least)) {
    least = std::min(least, corner.energy_pj + price * corner.cycles);
  }
  return least;
}

CostBound least_of_any(const Problem& problem, const Arch& arch, const Evaluator& evaluator) {
  double lanes = 1;
  for (const Fanout& fanout : arch.fanouts) lanes *= static_cast<double>(fanout.children());
  const auto operations = static_cast<double>(problem.operations());
  CostBound least;
  least.energy_pj = operations * evaluator.costs().compute.operation_pj;
  least.cycles = whole_cycles(operations / lanes * arch.compute.interval_cycles * (1 - 1e-12));
  return least;
}

}  // namespace loopscape
