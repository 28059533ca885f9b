#include "mapper/search/incumbent.h"

#include <algorithm>
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

// Where a line enters and leaves the quadrant that is left by the other bounds, and by those that
// the answer must keep. Objectives are quasi-concave: least at one of the two. A corner on a bound
// is not to be rounded beyond it.
std::array<Incumbents::Corner, 2> Incumbents::ends_of(const CostBound& bound,
                                                      const CostBound::Line& line) const {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  const double least = line.least * kMargin, price = line.pj_per_cycle;
  const double most_cycles = goal_.max_cycles.value_or(kInfinite);
  const double most_energy = goal_.max_energy_pj.value_or(kInfinite);
  double energy = bound.energy_pj, cycles = bound.cycles;
  if (goal_.max_cycles) energy = std::max(energy, least - price * most_cycles);
  if (goal_.max_energy_pj) cycles = std::max(cycles, (least - most_energy) / price);
  return {Corner{energy, std::max(cycles, std::min((least - energy) / price, most_cycles))},
          Corner{std::max(energy, std::min(least - price * cycles, most_energy)), cycles}};
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
    const auto on_line = [&](const CostBound::Line& line) {
      const auto ends = ends_of(bound, line);
      return of_use(ends[0].energy_pj, ends[0].cycles) || of_use(ends[1].energy_pj, ends[1].cycles);
    };
    return std::all_of(bound.all_lines().begin(), bound.all_lines().end(), on_line);
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
  double most = value(bound.energy_pj, bound.cycles);
  for (const CostBound::Line& line : bound.all_lines()) {
    const auto ends = ends_of(bound, line);
    most = std::max(most, std::min(value(ends[0].energy_pj, ends[0].cycles),
                                   value(ends[1].energy_pj, ends[1].cycles)));
  }
  return most;
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

// Least at one of the two corners that a line leaves of the quadrant.
double CostBound::at(double price) const {
  double most = energy_pj + price * cycles;
  for (const Line& one : all_lines()) {
    const double more_cycles = std::max(cycles, (one.least - energy_pj) / one.pj_per_cycle);
    const double more_energy = std::max(energy_pj, one.least - one.pj_per_cycle * cycles);
    most = std::max(most, std::min(energy_pj + price * more_cycles, more_energy + price * cycles));
  }
  return most;
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
