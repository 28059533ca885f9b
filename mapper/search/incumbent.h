// The best mappings known so far: one, or a front. For this folder only.
#pragma once

#include <vector>

#include "mapper/search/search.h"

namespace loopscape {

class Incumbents {
 public:
  explicit Incumbents(const Goal& goal) : goal_(goal) {}

  // Could a mapping that costs at least this much still be of use? Bounds are sums of doubles in
  // another order than the model's, hence the margin; what is within it, the model decides.
  bool useful(double energy_pj, double cycles) const;
  // True if it is now part of the answer.
  bool offer(const Found& found);

  double value(double energy_pj, double cycles) const {
    return objective_value(goal_.objective, energy_pj, cycles);
  }
  const Goal& goal() const { return goal_; }
  const std::optional<Found>& best() const { return best_; }
  const std::vector<Found>& front() const { return front_; }
  bool allowed(double energy_pj, double cycles) const;

 private:
  bool offer_best(const Found& found);
  Goal goal_;
  std::optional<Found> best_;
  std::vector<Found> front_;  // by increasing energy, decreasing cycles
};

}  // namespace loopscape
