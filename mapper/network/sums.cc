// Sums of fronts: the best corner, and all that is not dominated.
#include <algorithm>
#include <cmath>
#include <limits>

#include "mapper/network/network.h"

namespace loopscape {
namespace {

double value_of(Objective objective, const EnergyCycles& at) {
  return objective_value(objective, at.energy_pj, static_cast<double>(at.cycles));
}

// What decides between equal values of the objective.
double second_of(Objective objective, const EnergyCycles& at) {
  return objective == Objective::kEnergy ? static_cast<double>(at.cycles) : at.energy_pj;
}

bool better(Objective objective, const EnergyCycles& a, const EnergyCycles& b) {
  const double value_a = value_of(objective, a), value_b = value_of(objective, b);
  if (value_a != value_b) return value_a < value_b;
  return second_of(objective, a) < second_of(objective, b);
}

// ---- the corners of a sum ----

// All copies of one summand go on from a corner of its front to the next one.
struct Edge {
  std::size_t summand, from, to;
  double slope;  // cycles saved for each pJ; does not depend on the count
};

bool steeper(const Edge& a, const Edge& b) { return a.slope > b.slope; }

double slope_of(const EnergyCycles& from, const EnergyCycles& to) {
  return static_cast<double>(from.cycles - to.cycles) / (to.energy_pj - from.energy_pj);
}

// The edges of the lower convex hull, steepest first.
void add_hull(const std::vector<EnergyCycles>& points, std::size_t summand,
              std::vector<Edge>& edges) {
  std::vector<Edge> hull;
  for (std::size_t p = 1; p < points.size(); ++p) {
    Edge edge{summand, p - 1, p, slope_of(points[p - 1], points[p])};
    while (!hull.empty() && !steeper(hull.back(), edge)) {
      edge.from = hull.back().from;
      edge.slope = slope_of(points[edge.from], points[p]);
      hull.pop_back();
    }
    hull.push_back(edge);
  }
  edges.insert(edges.end(), hull.begin(), hull.end());
}

// ---- all that is not dominated ----

// A partial sum: where it stands, and which two points it is the sum of.
struct Node {
  double energy_pj;
  std::int64_t cycles;
  std::uint32_t left, right;
};
using Nodes = std::vector<Node>;

// What is left of two fronts. Of equal points the first one's stay.
Nodes merged(const Nodes& a, const Nodes& b) {
  Nodes out;
  out.reserve(a.size() + b.size());
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    const bool take_a =
        j == b.size() ||
        (i < a.size() && (a[i].energy_pj < b[j].energy_pj ||
                          (a[i].energy_pj == b[j].energy_pj && a[i].cycles <= b[j].cycles)));
    const Node& next = take_a ? a[i++] : b[j++];
    if (out.empty() || next.cycles < out.back().cycles) out.push_back(next);
  }
  return out;
}

Nodes shifted(const Nodes& nodes, const Node& by, std::uint32_t right) {
  Nodes out;
  out.reserve(nodes.size());
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    out.push_back({nodes[i].energy_pj + by.energy_pj, nodes[i].cycles + by.cycles, i, right});
  }
  return out;
}

// Every point left out has one before it in the result with cycles at most 1 + slack times its own.
// The first point and the last one stay.
Nodes thinned(const Nodes& nodes, double slack) {
  Nodes out = {nodes[0]};
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const bool last = i + 1 == nodes.size();
    const double covered = static_cast<double>(nodes[i].cycles) * (1 + slack);
    if (last || static_cast<double>(out.back().cycles) > covered) out.push_back(nodes[i]);
  }
  return out;
}

class FrontSum {
 public:
  FrontSum(const std::vector<Summand>& summands, const SumLimits& limits)
      : summands_(summands), most_(std::max(limits.most_points, kFewest)) {}

  SumFront run() {
    std::size_t sum = add_leaf(0, summands_[0].count);
    for (std::size_t s = 1; s < summands_.size(); ++s) {
      sum = add_sum(sum, add_leaf(s, summands_[s].count));
    }
    SumFront front;
    front.gap = gap_;
    for (std::uint32_t i = 0; i < levels_[sum].nodes.size(); ++i) {
      SumPoint point;
      for (const Summand& summand : summands_) point.copies.emplace_back(summand.points.size(), 0);
      collect(sum, i, point.copies);
      point.total = *total_of(summands_, point.copies);
      front.points.push_back(std::move(point));
    }
    return sorted(std::move(front));
  }

 private:
  // A front of partial sums: of one copy of a summand (left == right == none), or of two others.
  struct Level {
    Nodes nodes;
    std::size_t left, right, summand;
  };
  static constexpr std::size_t kNone = SIZE_MAX, kFewest = 8;

  // So many copies of a summand, by doubling.
  std::size_t add_leaf(std::size_t summand, std::uint64_t count) {
    Level one{{}, kNone, kNone, summand};
    for (std::uint32_t p = 0; p < summands_[summand].points.size(); ++p) {
      const EnergyCycles& at = summands_[summand].points[p];
      one.nodes.push_back({at.energy_pj, at.cycles, p, 0});
    }
    levels_.push_back(std::move(one));
    std::size_t power = levels_.size() - 1, sum = kNone;
    for (; count != 0; count >>= 1) {
      if ((count & 1) != 0) sum = sum == kNone ? power : add_sum(sum, power);
      if (count > 1) power = add_sum(power, power);
    }
    return sum;
  }

  std::size_t add_sum(std::size_t a, std::size_t b) {
    // The longer one is shifted by each point of the shorter one.
    if (levels_[a].nodes.size() < levels_[b].nodes.size()) std::swap(a, b);
    Nodes sum;
    for (std::uint32_t j = 0; j < levels_[b].nodes.size(); ++j) {
      sum = merged(sum, shifted(levels_[a].nodes, levels_[b].nodes[j], j));
      sum = limited(std::move(sum), 4 * most_);
    }
    levels_.push_back({limited(std::move(sum), most_), a, b, kNone});
    return levels_.size() - 1;
  }

  // Leaves out as little as is needed, and remembers how much it may cost.
  Nodes limited(Nodes nodes, std::size_t most) {
    if (nodes.size() <= most) return nodes;
    double slack = 1e-9;
    Nodes fewer = thinned(nodes, slack);
    while (fewer.size() > most / 2) {  // to half, so that it is not needed again at once
      slack *= 2;
      fewer = thinned(nodes, slack);
    }
    gap_ = (1 + gap_) * (1 + slack) - 1;
    return fewer;
  }

  void collect(std::size_t level, std::uint32_t node, Copies& copies) const {
    const Level& at = levels_[level];
    const Node& here = at.nodes[node];
    if (at.left == kNone) {
      ++copies[at.summand][here.left];
      return;
    }
    collect(at.left, here.left, copies);
    collect(at.right, here.right, copies);
  }

  // The totals are added up anew, and the order follows from them.
  static SumFront sorted(SumFront front) {
    std::vector<SumPoint> points = std::move(front.points);
    std::stable_sort(points.begin(), points.end(), [](const SumPoint& a, const SumPoint& b) {
      return better(Objective::kEnergy, a.total, b.total);
    });
    front.points.clear();
    for (SumPoint& point : points) {
      if (front.points.empty() || point.total.cycles < front.points.back().total.cycles) {
        front.points.push_back(std::move(point));
      }
    }
    return front;
  }

  const std::vector<Summand>& summands_;
  const std::size_t most_;
  std::vector<Level> levels_;
  double gap_ = 0;
};

}  // namespace

Result<EnergyCycles> total_of(const std::vector<Summand>& summands, const Copies& copies) {
  EnergyCycles total;
  OverflowFlag overflow;
  for (std::size_t s = 0; s < summands.size(); ++s) {
    for (std::size_t p = 0; p < summands[s].points.size(); ++p) {
      const std::uint64_t times = copies[s][p];
      if (times == 0) continue;
      total.energy_pj += static_cast<double>(times) * summands[s].points[p].energy_pj;
      total.cycles = overflow.add(total.cycles, overflow.mul(static_cast<std::int64_t>(times),
                                                             summands[s].points[p].cycles));
    }
  }
  if (!overflow.raised()) return total;
  return Status(StatusCode::kOverflow, "the cycles of the whole network do not fit 63 bits");
}

Status check_sum(const std::vector<Summand>& summands) {
  Copies most;  // the slowest points
  for (const Summand& summand : summands) {
    most.emplace_back(summand.points.size(), 0).front() = summand.count;
  }
  return total_of(summands, most).status();
}

SumPoint best_of_sum(Objective objective, const std::vector<Summand>& summands) {
  // From the least energy on, always along the edge that saves the most cycles for its energy:
  // these are the corners of the sum, and one of them is best. At a corner all copies of a layer
  // do the same.
  std::vector<Edge> edges;
  SumPoint at;
  for (std::size_t s = 0; s < summands.size(); ++s) {
    at.copies.emplace_back(summands[s].points.size(), 0).front() = summands[s].count;
    add_hull(summands[s].points, s, edges);
  }
  std::stable_sort(edges.begin(), edges.end(), steeper);
  at.total = *total_of(summands, at.copies);
  SumPoint best = at;
  for (const Edge& edge : edges) {
    at.copies[edge.summand][edge.from] = 0;
    at.copies[edge.summand][edge.to] = summands[edge.summand].count;
    at.total = *total_of(summands, at.copies);
    if (better(objective, at.total, best.total)) best = at;
  }
  return best;
}

SumFront front_of_sum(const std::vector<Summand>& summands, const SumLimits& limits) {
  return FrontSum(summands, limits).run();
}

}  // namespace loopscape
