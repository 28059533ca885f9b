// What the mappings found say about the network: the best choice, the front, and a lower bound.
#include <algorithm>
#include <cmath>

#include "mapper/network/network.h"

namespace loopscape {
namespace {

// Bounds are sums and roots of doubles in another order than the totals'.
constexpr double kMargin = 1 - 1e-12;

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
      out.proved = all_proved_;
      out.lower_bound =
          all_proved_ ? value_of(goal_.objective, out.best->total) : unbounded_least();
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
    std::vector<double> least;
    const int n = degree(goal_.objective);
    for (const NetworkPart& part : parts_) {
      if (part.proved) {
        proved.push_back(part.summand);
      } else {
        // So many equal bounds: their roots add up.
        least.push_back(part.lower_bound * power(static_cast<double>(part.summand.count), n));
      }
    }
    if (!proved.empty()) {
      least.push_back(value_of(goal_.objective, best_of_sum(goal_.objective, proved).total));
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

Result<NetworkOptimum> optimum_of(const std::vector<NetworkPart>& parts, const Goal& goal,
                                  const SumLimits& limits) {
  return Optimum(parts, goal, limits).run();
}

}  // namespace loopscape
