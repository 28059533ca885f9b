// What the mappings found say about the network: the best choice, the front, and a lower bound.
#include <algorithm>
#include <cmath>

#include "mapper/network/network.h"

namespace loopscape {
namespace {

// Bounds are sums and roots of doubles in another order than the totals'.
constexpr double kMargin = 1 - 1e-12;
// What other prices leave may be what was found already, but for the margins of its costs.
constexpr double kAlike = 1 - 1e-11;

double value_of(Objective objective, const EnergyCycles& at) {
  return objective_value(objective, at.energy_pj, static_cast<double>(at.cycles));
}

// The degree of the objective in (energy, cycles) together.
int degree(Objective objective) {
  switch (objective) {
    case Objective::kEnergy:
    case Objective::kDelay:
      return 1;
    case Objective::kEdp:
      return 2;
    case Objective::kEd2p:
      break;
  }
  return 3;
}

double root(double value, int degree) {
  if (degree == 1) return value;
  return degree == 2 ? std::sqrt(value) : std::cbrt(value);
}

double power(double value, int degree) {
  double product = value;
  for (int i = 1; i < degree; ++i) product *= value;
  return product;
}

// What a copy of the part costs at least, with its cycles at a price: known at some prices, and in
// between on the near side of a line, for it is concave.
double least_cost(const NetworkPart& part, double price) {
  const auto of_points = [&](double at) {
    double least = HUGE_VAL;
    for (const EnergyCycles& point : part.summand.points) {
      least = std::min(least, point.energy_pj + at * static_cast<double>(point.cycles));
    }
    return least;
  };
  if (!part.prices) return of_points(price);
  const auto [first, last] = *part.prices;
  if (price > last) return of_points(last) + (price - last) * part.least_cycles;
  if (price >= first) return of_points(price);
  LeastCost below, above{first, of_points(first)};
  for (const LeastCost& known : part.least_costs) {
    if (known.pj_per_cycle <= price && known.pj_per_cycle >= below.pj_per_cycle) below = known;
    if (known.pj_per_cycle > price && known.pj_per_cycle < above.pj_per_cycle) above = known;
  }
  const double share = (price - below.pj_per_cycle) / (above.pj_per_cycle - below.pj_per_cycle);
  return below.pj + share * (above.pj - below.pj);
}

// What sums of the parts may have beyond the prices that the parts were searched for. All lie where
// the costs at each price allow, and the objective is least at a corner of that.
class Beyond {
 public:
  Beyond(const std::vector<NetworkPart>& parts, Objective objective)
      : parts_(parts), objective_(objective) {
    for (const NetworkPart& part : parts) {
      if (!part.prices) continue;
      from_ = std::max(from_, part.prices->least);
      to_ = std::min(to_, part.prices->most);
    }
  }

  double least_at_lower_prices() const {
    if (from_ == 0) return HUGE_VAL;
    std::vector<LeastCost> lines;
    for (const double share : {0.0, 0.125, 0.25, 0.5, 1.0}) {
      lines.push_back({share * from_, cost(share * from_)});
    }
    double least = HUGE_VAL;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (std::size_t j = i + 1; j < lines.size(); ++j) {
        const double cycles =
            (lines[j].pj - lines[i].pj) / (lines[j].pj_per_cycle - lines[i].pj_per_cycle);
        const double energy = lines[i].pj - lines[i].pj_per_cycle * cycles;
        if (allowed(lines, energy, cycles)) least = std::min(least, value(energy, cycles));
      }
    }
    return least;
  }
  double least_at_higher_prices() const {
    if (to_ == HUGE_VAL) return HUGE_VAL;
    double cycles = 0;
    for (const NetworkPart& part : parts_) {
      double fewest = part.prices ? part.least_cycles : HUGE_VAL;
      for (const EnergyCycles& point : part.summand.points) {
        if (!part.prices) fewest = std::min(fewest, static_cast<double>(point.cycles));
      }
      cycles += static_cast<double>(part.summand.count) * fewest;
    }
    return value(std::max(0.0, cost(to_) - to_ * cycles), cycles);
  }

 private:
  double cost(double price) const {
    double sum = 0;
    for (const NetworkPart& part : parts_) {
      sum += static_cast<double>(part.summand.count) * least_cost(part, price);
    }
    return sum;
  }
  static bool allowed(const std::vector<LeastCost>& lines, double energy, double cycles) {
    constexpr double kCoarse = 1 - 1e-9;  // a corner too many does no harm
    return std::all_of(lines.begin(), lines.end(), [&](const LeastCost& line) {
      return energy + line.pj_per_cycle * cycles >= line.pj * kCoarse;
    });
  }
  double value(double energy, double cycles) const {
    return objective_value(objective_, energy, cycles) * kMargin;
  }

  const std::vector<NetworkPart>& parts_;
  Objective objective_;
  double from_ = 0, to_ = HUGE_VAL;
};

class Optimum {
 public:
  Optimum(const std::vector<NetworkPart>& parts, const Goal& goal, const SumLimits& limits)
      : parts_(parts), goal_(goal), limits_(limits) {
    for (const NetworkPart& part : parts) {
      all_.push_back(part.summand);
      all_proved_ = all_proved_ && part.proved;
    }
  }

  Result<NetworkOptimum> run() {
    if (Status s = check_sum(all_); !s.ok()) return s;
    NetworkOptimum out;
    const bool bounded = goal_.max_cycles || goal_.max_energy_pj;
    if (bounded || goal_.front) out.front = front_of_sum(all_, limits_);
    if (!bounded) {
      out.best = best_of_sum(goal_.objective, all_);
      const double best = value_of(goal_.objective, out.best->total);
      const Beyond beyond(parts_, goal_.objective);
      out.needs_lower_prices = beyond.least_at_lower_prices() < best * kAlike;
      out.needs_higher_prices = beyond.least_at_higher_prices() < best * kAlike;
      out.proved = all_proved_ && !out.needs_lower_prices && !out.needs_higher_prices;
      out.lower_bound = out.proved ? best : std::min(best, unbounded_least());
      return out;
    }
    choose_within_bounds(out);
    return out;
  }

 private:
  bool allowed(double energy_pj, double cycles) const {
    return (!goal_.max_cycles || cycles <= *goal_.max_cycles) &&
           (!goal_.max_energy_pj || energy_pj <= *goal_.max_energy_pj);
  }

  void choose_within_bounds(NetworkOptimum& out) const {
    std::vector<SumPoint> inside;
    double least = HUGE_VAL;  // of sums that the front leaves out
    for (SumPoint& point : out.front.points) {
      const double energy = point.total.energy_pj;
      const auto cycles = static_cast<double>(point.total.cycles);
      const double fewest = cycles / (1 + out.front.gap) * kMargin;
      if (allowed(energy * kMargin, fewest)) {
        least = std::min(least, objective_value(goal_.objective, energy, fewest) * kMargin);
      }
      if (!allowed(energy, cycles)) continue;
      if (!out.best || better(point.total, out.best->total)) out.best = point;
      inside.push_back(std::move(point));
    }
    out.front.points = std::move(inside);
    out.proved = all_proved_ && (out.front.gap == 0 || (!out.best && least == HUGE_VAL));
    if (!out.best) return;
    const double value = value_of(goal_.objective, out.best->total);
    out.lower_bound = out.proved ? value : std::min(value, all_proved_ ? least : unbounded_least());
  }

  bool better(const EnergyCycles& a, const EnergyCycles& b) const {
    return value_of(goal_.objective, a) < value_of(goal_.objective, b);
  }

  // Whatever the bounds: what is proved together, and each copy of what is not by itself.
  double unbounded_least() const {
    std::vector<Summand> proved;
    std::vector<NetworkPart> proved_parts;
    std::vector<double> least;
    const int n = degree(goal_.objective);
    for (const NetworkPart& part : parts_) {
      if (part.proved) {
        proved.push_back(part.summand);
        proved_parts.push_back(part);
      } else {
        // So many equal bounds: their roots add up.
        least.push_back(part.lower_bound * power(static_cast<double>(part.summand.count), n));
      }
    }
    if (!proved.empty()) {
      const Beyond beyond(proved_parts, goal_.objective);
      least.push_back(
          std::min({value_of(goal_.objective, best_of_sum(goal_.objective, proved).total),
                    beyond.least_at_lower_prices(), beyond.least_at_higher_prices()}));
    }
    return lower_bound_of_sum(goal_.objective, least);
  }

  const std::vector<NetworkPart>& parts_;
  const Goal& goal_;
  const SumLimits& limits_;
  std::vector<Summand> all_;
  bool all_proved_ = true;
};

}  // namespace

double lower_bound_of_sum(Objective objective, const std::vector<double>& parts) {
  const int n = degree(objective);
  double sum = 0;
  for (const double part : parts) sum += root(part, n);
  return power(sum, n) * kMargin;
}

bool needs_fronts(const Goal& goal) {
  const bool additive = goal.objective == Objective::kEnergy || goal.objective == Objective::kDelay;
  return !additive || goal.front || goal.max_cycles || goal.max_energy_pj;
}

bool prices_suffice(const Goal& goal) {
  const bool product = goal.objective == Objective::kEdp || goal.objective == Objective::kEd2p;
  return product && !goal.front && !goal.max_cycles && !goal.max_energy_pj;
}

Result<NetworkOptimum> optimum_of(const std::vector<NetworkPart>& parts, const Goal& goal,
                                  const SumLimits& limits) {
  return Optimum(parts, goal, limits).run();
}

}  // namespace loopscape
