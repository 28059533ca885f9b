// Sums of fronts against every choice that there is, and plausible wrong ways against both.
#include <algorithm>
#include <cmath>
#include <random>

#include <catch2/catch.hpp>

#include "mapper/network/network.h"

using namespace loopscape;

namespace {

constexpr Objective kObjectives[] = {Objective::kEnergy, Objective::kDelay, Objective::kEdp,
                                     Objective::kEd2p};

double value_of(Objective objective, const EnergyCycles& at) {
  return objective_value(objective, at.energy_pj, static_cast<double>(at.cycles));
}

class Worlds {
 public:
  explicit Worlds(std::uint32_t seed) : random_(seed) {}

  std::int64_t draw(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }

  // Whole energies are exact as doubles, and small ones make ties and equal slopes.
  Summand summand(std::size_t most_points, std::uint64_t most_count) {
    const std::int64_t range = draw(0, 1) ? 12 : 400;
    const auto wanted = static_cast<std::size_t>(draw(1, static_cast<std::int64_t>(most_points)));
    std::vector<EnergyCycles> all;
    for (std::size_t i = 0; i < wanted; ++i) {
      all.push_back({static_cast<double>(draw(1, range)), draw(1, range)});
    }
    return {front_of(all),
            static_cast<std::uint64_t>(draw(1, static_cast<std::int64_t>(most_count)))};
  }

  std::vector<Summand> summands(std::size_t most = 4, std::size_t points = 5,
                                std::uint64_t count = 3) {
    std::vector<Summand> out;
    const auto size = static_cast<std::size_t>(draw(1, static_cast<std::int64_t>(most)));
    for (std::size_t i = 0; i < size; ++i) out.push_back(summand(points, count));
    return out;
  }

  static std::vector<EnergyCycles> front_of(std::vector<EnergyCycles> points) {
    std::sort(points.begin(), points.end(), [](const EnergyCycles& a, const EnergyCycles& b) {
      return std::pair(a.energy_pj, a.cycles) < std::pair(b.energy_pj, b.cycles);
    });
    std::vector<EnergyCycles> front;
    for (const EnergyCycles& point : points) {
      if (front.empty() || point.cycles < front.back().cycles) front.push_back(point);
    }
    return front;
  }

  // Every copy of every summand chooses by itself.
  static std::vector<EnergyCycles> every_sum(const std::vector<Summand>& summands) {
    std::vector<EnergyCycles> sums = {{0, 0}};
    for (const Summand& summand : summands) {
      for (std::uint64_t copy = 0; copy < summand.count; ++copy) {
        std::vector<EnergyCycles> next;
        for (const EnergyCycles& sum : sums) {
          for (const EnergyCycles& point : summand.points) {
            next.push_back({sum.energy_pj + point.energy_pj, sum.cycles + point.cycles});
          }
        }
        std::sort(next.begin(), next.end(), [](const EnergyCycles& a, const EnergyCycles& b) {
          return std::pair(a.energy_pj, a.cycles) < std::pair(b.energy_pj, b.cycles);
        });
        next.erase(std::unique(next.begin(), next.end()), next.end());
        sums = std::move(next);
      }
    }
    return sums;
  }

 private:
  std::mt19937 random_;
};

double least_of(Objective objective, const std::vector<EnergyCycles>& sums) {
  double least = HUGE_VAL;
  for (const EnergyCycles& sum : sums) least = std::min(least, value_of(objective, sum));
  return least;
}

bool is_a_choice(const std::vector<Summand>& summands, const SumPoint& point) {
  if (point.copies.size() != summands.size()) return false;
  for (std::size_t s = 0; s < summands.size(); ++s) {
    std::uint64_t copies = 0;
    for (const std::uint64_t each : point.copies[s]) copies += each;
    if (copies != summands[s].count) return false;
  }
  return *total_of(summands, point.copies) == point.total;
}

// ---- wrong ways ----

// The layers' own best points.
EnergyCycles of_own_bests(Objective objective, const std::vector<Summand>& summands) {
  EnergyCycles total;
  for (const Summand& summand : summands) {
    const EnergyCycles& best =
        *std::min_element(summand.points.begin(), summand.points.end(),
                          [&](const EnergyCycles& a, const EnergyCycles& b) {
                            return value_of(objective, a) < value_of(objective, b);
                          });
    total.energy_pj += static_cast<double>(summand.count) * best.energy_pj;
    total.cycles += static_cast<std::int64_t>(summand.count) * best.cycles;
  }
  return total;
}

// One layer after the other, each best for the sum so far.
EnergyCycles one_by_one(Objective objective, const std::vector<Summand>& summands) {
  EnergyCycles total;
  for (const Summand& summand : summands) {
    EnergyCycles best{HUGE_VAL, 1};
    for (const EnergyCycles& point : summand.points) {
      const EnergyCycles sum{
          total.energy_pj + static_cast<double>(summand.count) * point.energy_pj,
          total.cycles + static_cast<std::int64_t>(summand.count) * point.cycles};
      if (value_of(objective, sum) < value_of(objective, best)) best = sum;
    }
    total = best;
  }
  return total;
}

// All copies of a layer alike.
std::vector<Summand> alike(std::vector<Summand> summands) {
  for (Summand& summand : summands) {
    for (EnergyCycles& point : summand.points) {
      point.energy_pj *= static_cast<double>(summand.count);
      point.cycles *= static_cast<std::int64_t>(summand.count);
    }
    summand.count = 1;
  }
  return summands;
}

}  // namespace

TEST_CASE("the best corner of a sum is the best of all sums", "[network]") {
  Worlds worlds(1);
  int own_bests_wrong = 0, one_by_one_wrong = 0;
  for (int world = 0; world < 4000; ++world) {
    const std::vector<Summand> summands = worlds.summands();
    const std::vector<EnergyCycles> sums = Worlds::every_sum(summands);
    for (const Objective objective : kObjectives) {
      const double least = least_of(objective, sums);
      const SumPoint best = best_of_sum(objective, summands);
      REQUIRE(is_a_choice(summands, best));
      REQUIRE(value_of(objective, best.total) == least);
      // Ties go to less energy, for energy to fewer cycles.
      for (const EnergyCycles& sum : sums) {
        if (value_of(objective, sum) != least) continue;
        if (objective == Objective::kEnergy) REQUIRE(best.total.cycles <= sum.cycles);
        if (objective != Objective::kEnergy) REQUIRE(best.total.energy_pj <= sum.energy_pj);
      }
    }
    const double least = least_of(Objective::kEdp, sums);
    own_bests_wrong += value_of(Objective::kEdp, of_own_bests(Objective::kEdp, summands)) > least;
    one_by_one_wrong += value_of(Objective::kEdp, one_by_one(Objective::kEdp, summands)) > least;
  }
  CHECK(own_bests_wrong > 400);
  CHECK(one_by_one_wrong > 400);
}

TEST_CASE("the front of a sum is the front of all sums", "[network]") {
  Worlds worlds(2);
  int alike_wrong = 0;
  for (int world = 0; world < 3000; ++world) {
    const std::vector<Summand> summands = worlds.summands();
    const std::vector<EnergyCycles> front = Worlds::front_of(Worlds::every_sum(summands));
    const SumFront found = front_of_sum(summands);
    REQUIRE(found.gap == 0);
    std::vector<EnergyCycles> totals;
    for (const SumPoint& point : found.points) {
      REQUIRE(is_a_choice(summands, point));
      totals.push_back(point.total);
    }
    REQUIRE(totals == front);
    alike_wrong += Worlds::front_of(Worlds::every_sum(alike(summands))) != front;
  }
  CHECK(alike_wrong > 1000);
}

TEST_CASE("a front that is cut short says by how much at most", "[network]") {
  Worlds worlds(3);
  int cut = 0;
  for (int world = 0; world < 1000; ++world) {
    const std::vector<Summand> summands = worlds.summands(4, 6, 4);
    const std::vector<EnergyCycles> front = Worlds::front_of(Worlds::every_sum(summands));
    const SumFront found = front_of_sum(summands, {8});
    REQUIRE(found.points.size() <= 8);
    REQUIRE(found.points.front().total == front.front());
    REQUIRE(found.points.back().total == front.back());
    cut += found.gap > 0;
    if (found.points.size() < front.size()) REQUIRE(found.gap > 0);
    double needed = 0;
    for (const EnergyCycles& point : front) {
      double least = HUGE_VAL;
      for (const SumPoint& kept : found.points) {
        REQUIRE(is_a_choice(summands, kept));
        if (kept.total.energy_pj > point.energy_pj) continue;
        least = std::min(least, static_cast<double>(kept.total.cycles));
      }
      needed = std::max(needed, least / static_cast<double>(point.cycles) - 1);
    }
    REQUIRE(needed <= found.gap * (1 + 1e-12));
  }
  CHECK(cut > 300);
}

TEST_CASE("the optimum within bounds, proved or with a true lower bound", "[network]") {
  Worlds worlds(4);
  int nothing = 0, cut = 0, inside = 0;
  for (int world = 0; world < 3000; ++world) {
    const std::vector<Summand> summands = worlds.summands(3, 6, 4);
    const std::vector<EnergyCycles> sums = Worlds::every_sum(summands);
    const EnergyCycles some =
        sums[static_cast<std::size_t>(worlds.draw(0, static_cast<std::int64_t>(sums.size()) - 1))];
    Goal goal;
    goal.objective = kObjectives[worlds.draw(0, 3)];
    const std::int64_t which = worlds.draw(0, 2);
    if (which != 0) goal.max_cycles = static_cast<double>(some.cycles - worlds.draw(0, 3));
    if (which != 1) goal.max_energy_pj = some.energy_pj - static_cast<double>(worlds.draw(0, 3));
    double least = HUGE_VAL;
    for (const EnergyCycles& sum : sums) {
      if (goal.max_cycles && static_cast<double>(sum.cycles) > *goal.max_cycles) continue;
      if (goal.max_energy_pj && sum.energy_pj > *goal.max_energy_pj) continue;
      least = std::min(least, value_of(goal.objective, sum));
    }
    std::vector<NetworkPart> parts;
    for (const Summand& summand : summands) parts.push_back({summand, true, 0});
    for (const std::size_t most : {std::size_t{4096}, std::size_t{8}}) {
      const Result<NetworkOptimum> found = optimum_of(parts, goal, {most});
      REQUIRE(found.ok());
      if (most == 4096) {
        REQUIRE(found->proved);
        REQUIRE(found->best.has_value() == (least < HUGE_VAL));
      }
      if (found->proved && !found->best) REQUIRE(least == HUGE_VAL);
      nothing += !found->best;
      if (!found->best) continue;
      REQUIRE(is_a_choice(summands, *found->best));
      const double value = value_of(goal.objective, found->best->total);
      REQUIRE(value >= least);
      REQUIRE(found->lower_bound <= least);
      if (found->proved) REQUIRE(value == least);
      cut += !found->proved;
      inside += value > least_of(goal.objective, sums);
    }
  }
  CHECK(nothing > 100);
  CHECK(cut > 100);
  CHECK(inside > 500);
}

TEST_CASE("layers that are not proved give the network a lower bound", "[network]") {
  Worlds worlds(5);
  double tightest = HUGE_VAL;
  int open = 0, known_too_high = 0;
  for (int world = 0; world < 4000; ++world) {
    const std::vector<Summand> summands = worlds.summands();
    const std::vector<EnergyCycles> sums = Worlds::every_sum(summands);
    Goal goal;
    goal.objective = kObjectives[worlds.draw(0, 3)];
    const double least = least_of(goal.objective, sums);
    std::vector<NetworkPart> parts;
    for (const Summand& summand : summands) {
      NetworkPart part{summand, worlds.draw(0, 1) == 1, least_of(goal.objective, summand.points)};
      if (!part.proved) {
        part.lower_bound *= static_cast<double>(worlds.draw(8, 10)) / 10;
        std::vector<EnergyCycles>& known = part.summand.points;
        while (known.size() > 1 && worlds.draw(0, 1) == 1) {
          known.erase(known.begin() + worlds.draw(0, static_cast<std::int64_t>(known.size()) - 1));
        }
      }
      parts.push_back(std::move(part));
    }
    const Result<NetworkOptimum> found = optimum_of(parts, goal);
    REQUIRE(found.ok());
    const double value = value_of(goal.objective, found->best->total);
    REQUIRE(value >= least);
    REQUIRE(found->lower_bound <= least);
    if (found->proved) {
      REQUIRE(found->lower_bound == least);
      continue;
    }
    ++open;
    known_too_high += value > least;  // what was found is no bound
    tightest = std::min(tightest, least / found->lower_bound);
  }
  CHECK(open > 1000);
  CHECK(known_too_high > 500);
  CHECK(tightest < 1 + 1e-9);  // the bound is reached
}

TEST_CASE("sums that do not fit 63 bits are told", "[network]") {
  const std::vector<Summand> huge = {{{{1, INT64_MAX / 2}}, 3}};
  CHECK(check_sum(huge).message() == "the cycles of the whole network do not fit 63 bits");
  CHECK_FALSE(optimum_of({{huge[0], true, 0}}, {}).ok());
  const std::vector<Summand> many = {{{{1, 2}, {2, 1}}, 1'000'000'000}};
  CHECK(best_of_sum(Objective::kEdp, many).total == EnergyCycles{1e9, 2'000'000'000});
  const SumFront front = front_of_sum({{many[0].points, 3000}}, {512});
  CHECK(front.points.size() <= 512);
  CHECK(front.points.size() >= 128);
  CHECK(front.gap > 0);
  CHECK(front.gap < 0.05);
}
