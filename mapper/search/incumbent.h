// The best mappings known so far: one, or a front. For this folder only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <boost/container/static_vector.hpp>

#include "mapper/search/search.h"

namespace loopscape {

// Energy and time paid at a price: what costs little of one may cost much of the other.
struct Blend {
  static constexpr int kNoResource = -1;
  double pj_per_cycle = 0;
  int resource = kNoResource;  // whose busy cycles count, with the exposed ones
};
inline constexpr std::size_t kMostBlends = 4;

// What mappings cost at least: energy, cycles, and energy + pj_per_cycle * cycles.
struct CostBound {
  struct Line {
    double pj_per_cycle = 0, least = 0;
  };
  double energy_pj = 0, cycles = 0;
  std::array<Line, kMostBlends> line{};
  std::size_t lines = 0;
  std::span<const Line> all_lines() const { return {line.data(), lines}; }
  double at(double price) const;  // of energy + price * cycles
  // Of the region that they leave; none: it is empty.
  struct Corner {
    double energy_pj, cycles;
  };
  using Corners = boost::container::static_vector<Corner, 2 + kMostBlends*(kMostBlends - 1) / 2>;
  Corners corners(double margin, double most_energy, double most_cycles) const;
};

// Of many, at least: cycles, and costs at prices below the range; infinite if there are none.
struct LeastOfMany {
  double cycles = std::numeric_limits<double>::infinity();
  std::vector<LeastCost> costs;
  explicit LeastOfMany(const std::optional<PriceRange>& prices);
  void take(const CostBound& bound);
  void take(const LeastOfMany& other);
};

// What any mapping costs at least: operations at their price, on every lane there is.
CostBound least_of_any(const Problem& problem, const Arch& arch, const Evaluator& evaluator);

class Incumbents {
 public:
  explicit Incumbents(const Goal& goal) : goal_(goal) {}

  // Could a mapping that costs at least this much still be of use? Bounds are sums of doubles in
  // another order than the model's, hence the margin; what is within it, the model decides.
  bool useful(double energy_pj, double cycles) const;
  bool useful(const CostBound& bound) const;
  // True if it is now part of the answer. `limit`: the resource that its time goes to, or none.
  bool offer(const Found& found, int limit = Blend::kNoResource);

  double value(double energy_pj, double cycles) const {
    return objective_value(goal_.objective, energy_pj, cycles);
  }
  double value(const CostBound& bound) const;
  // Of mappings that cost at least so much energy and are of use.
  double most_cycles(double energy_pj) const;
  // Along the line of equal value through the best mapping.
  std::optional<Blend> tangent() const;
  // pJ of a cycle, of a line between those that meet at the bound's most promising corner; none: it
  // is not at a line.
  std::optional<double> price_at_corner(const CostBound& bound) const;
  const Goal& goal() const { return goal_; }
  const std::optional<Found>& best() const { return best_; }
  const std::vector<Found>& front() const { return front_; }
  bool allowed(double energy_pj, double cycles) const;

 private:
  bool offer_best(const Found& found);
  bool offer_corner(const Found& found);
  bool best_useful(double energy_pj, double cycles) const;
  bool costs_least(double energy_pj, double cycles, double margin) const;
  CostBound::Corners corners_of(const CostBound& bound) const;
  bool front_leaves_room(const CostBound& bound, const CostBound::Line& line) const;

  Goal goal_;
  std::optional<Found> best_;
  int limit_ = Blend::kNoResource;     // of the best
  std::vector<Found> front_;           // by increasing energy, decreasing cycles
  std::vector<CostBound::Line> hull_;  // what its mappings cost at each price where another is best
};

}  // namespace loopscape
