#include "tests/optimality/optimal_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace loopscape {
namespace {

// Sums of doubles in another order.
constexpr double kRelative = 1e-12;

// Brute force gives up where it sees twenty times as many before it throws some out.
constexpr std::size_t kMostListed = 100'000;

constexpr std::uint64_t kMostRounds = 64;

bool near(double a, double b) {
  return std::abs(a - b) <= kRelative * std::max(std::abs(a), std::abs(b));
}

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

// The bound that leaves this share of the values; 0: none of them.
template <class Value>
double bound_for(double share, std::vector<Value> values) {
  std::sort(values.begin(), values.end());
  if (share <= 0) return static_cast<double>(values.front()) * (1 - 1e-6);
  const auto last = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  return static_cast<double>(values[last]);
}

Goal goal_of(const Quest& quest, const Listing& listing) {
  Goal goal;
  goal.objective = quest.objective;
  goal.front = quest.front;
  std::vector<std::int64_t> cycles;
  std::vector<double> energies;
  for (const Priced& priced : listing.priced) {
    cycles.push_back(priced.cycles);
    energies.push_back(priced.energy_pj);
  }
  if (quest.share_by_cycles) goal.max_cycles = bound_for(*quest.share_by_cycles, cycles);
  if (quest.share_by_energy) goal.max_energy_pj = bound_for(*quest.share_by_energy, energies);
  return goal;
}

class Checker {
 public:
  Checker(const Quest& quest, const Listing& listing, SearchTally& tally)
      : setting_(quest.world.setting),
        goal_(goal_of(quest, listing)),
        tally_(tally),
        evaluator_(Evaluator::create(setting_.problem, setting_.arch, setting_.conventions,
                                     setting_.costs)),
        space_(Mapspace::create(setting_.problem, setting_.arch, quest.world.options)) {
    for (const Priced& priced : listing.priced) {
      const auto cycles = static_cast<double>(priced.cycles);
      if (goal_.max_cycles && cycles > *goal_.max_cycles) continue;
      if (goal_.max_energy_pj && priced.energy_pj > *goal_.max_energy_pj) continue;
      allowed_.push_back(&priced);
      if (best_ == nullptr || value(priced) < value(*best_)) best_ = &priced;
    }
  }

  void check_proof(const PruningRules& rules, const std::string& name,
                   const SearchLimits& limits = {}) {
    const SearchResult result = search(limits, rules);
    where_ = name;
    const Certificate& certificate = result.certificate;
    tally_.without_best += !result.best;
    if (!certificate.proved) say("not proved");
    if (!rules.bound && pruned(certificate, "bound") + pruned(certificate, "spatial bound") > 0) {
      say("pruned by a bound that is off");
    }
    if (!rules.dominance && pruned(certificate, "dominance") > 0) {
      say("pruned by dominance, which is off");
    }
    if (result.best.has_value() != (best_ != nullptr)) {
      say(best_ != nullptr ? "finds nothing; best is " + text_of(value(*best_)) + shown(*best_)
                           : "finds a mapping where none is allowed" + shown(*result.best));
    } else if (result.best) {
      check_price(*result.best);
      if (!near(value(*result.best), value(*best_))) {
        say("finds " + text_of(value(*result.best)) + shown(*result.best) + "; best is " +
            text_of(value(*best_)) + shown(*best_));
      }
      check_tie(*result.best);
      if (!near(certificate.lower_bound, value(*result.best)) || certificate.gap > kRelative) {
        say("proved, yet the lower bound is " + text_of(certificate.lower_bound) + " of " +
            text_of(value(*result.best)));
      }
    }
    if (goal_.front) check_front(result.front);
    work_ = std::max(work_, certificate.work);
  }

  // Choices in rounds of two; of more where there are many: each round looks at all of them again.
  void check_rounds() {
    std::uint64_t choices = 0;
    SearchLimits limits;
    limits.progress = [&](const SearchProgress& progress) {
      choices = std::max(choices, progress.open);
    };
    search(limits, {});
    limits.progress = {};
    limits.most_choices = 2 + choices / kMostRounds;
    check_proof({}, "few choices at once, few tilings", limits);
  }

  // Stopped after a share of the work that the whole search took.
  void check_limits() {
    for (const double share : {0.0, 0.05, 0.3, 0.7, 0.95}) {
      SearchLimits limits;
      limits.max_work = static_cast<std::uint64_t>(share * static_cast<double>(work_));
      const SearchResult result = search(limits, {});
      where_ = "max_work " + std::to_string(limits.max_work);
      ++tally_.stopped;
      check_stopped(result);
    }
  }

  // At every price in the range something is found that costs least; and other bounds hold.
  void check_prices() {
    const bool product = goal_.objective == Objective::kEdp || goal_.objective == Objective::kEd2p;
    if (!product || goal_.front || goal_.max_cycles || goal_.max_energy_pj || best_ == nullptr) {
      return;
    }
    const double own = best_->energy_pj / static_cast<double>(best_->cycles);
    if (!std::isnormal(own)) return;
    // Around it or not, wide or narrow.
    const double least = own * (allowed_.size() % 3 == 0   ? 0.1
                                : allowed_.size() % 3 == 1 ? 0.6
                                                           : 2);
    goal_.prices = PriceRange{least, least * (work_ % 2 == 0 ? 2.5 : 20)};
    check_proof({}, "prices");
    check_costs(search({}, {}));
    PruningRules looks;
    looks.few_tilings = 0;
    looks.coarse_tiles = 5;
    looks.first_states = 1;
    check_proof(looks, "prices, looking ahead");
    check_costs(search({}, looks));
    SearchLimits limits;
    for (const double share : {0.3, 0.8}) {
      limits.max_work = static_cast<std::uint64_t>(share * static_cast<double>(work_));
      where_ = "prices, max_work " + std::to_string(limits.max_work);
      const SearchResult stopped = search(limits, {});
      check_stopped(stopped);
      check_least(stopped.certificate);
    }
    ++tally_.at_prices;
    goal_.prices.reset();
  }

  std::vector<std::string> complaints() { return std::move(complaints_); }

 private:
  template <class Costs>
  static double least_at(double price, const Costs& costs) {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& cost : costs) {
      least = std::min(least, cost.first + price * static_cast<double>(cost.second));
    }
    return least;
  }
  std::vector<std::pair<double, std::int64_t>> all_costs() const {
    std::vector<std::pair<double, std::int64_t>> costs;
    for (const Priced* priced : allowed_) costs.emplace_back(priced->energy_pj, priced->cycles);
    return costs;
  }

  void check_costs(const SearchResult& result) {
    std::vector<std::pair<double, std::int64_t>> found;
    for (const Found& point : result.front) {
      check_price(point);
      if (!found.empty() &&
          (point.energy_pj <= found.back().first || point.cycles >= found.back().second)) {
        say("what costs least is out of order");
      }
      found.emplace_back(point.energy_pj, point.cycles);
    }
    const auto all = all_costs();
    constexpr int kSteps = 40;
    for (int step = 0; step <= kSteps; ++step) {
      const double price = goal_.prices->least * std::pow(goal_.prices->most / goal_.prices->least,
                                                          static_cast<double>(step) / kSteps);
      const double least = least_at(price, all);
      if (least_at(price, found) <= least * (1 + 4 * kRelative)) continue;
      say("at " + text_of(price) + " pJ per cycle it finds " + text_of(least_at(price, found)) +
          "; the least is " + text_of(least));
    }
    check_least(result.certificate);
  }

  void check_least(const Certificate& certificate) {
    const auto all = all_costs();
    if (certificate.least_costs.empty()) say("tells nothing of lower prices");
    for (const LeastCost& cost : certificate.least_costs) {
      if (cost.pj <= least_at(cost.pj_per_cycle, all) * (1 + kRelative)) continue;
      say("at " + text_of(cost.pj_per_cycle) + " pJ per cycle all should cost " + text_of(cost.pj));
    }
    for (const auto& [energy, cycles] : all) {
      if (static_cast<double>(cycles) < certificate.least_cycles) say("there are fewer cycles");
    }
  }

  template <class Cost>
  double value(const Cost& cost) const {
    return objective_value(goal_.objective, cost.energy_pj, static_cast<double>(cost.cycles));
  }

  static std::uint64_t pruned(const Certificate& certificate, const std::string& rule) {
    const auto at = certificate.pruned.find(rule);
    return at == certificate.pruned.end() ? 0 : at->second;
  }

  SearchResult search(const SearchLimits& limits, const PruningRules& rules) {
    SearchResult result = search_optimal(*space_, *evaluator_, goal_, limits, rules);
    ++tally_.searches;
    tally_.seconds += result.certificate.seconds;
    tally_.states += result.certificate.states;
    tally_.bounded += pruned(result.certificate, "bound");
    tally_.dominated += pruned(result.certificate, "dominance");
    return result;
  }

  void say(const std::string& what) { complaints_.push_back(where_ + ": " + what); }

  template <class Cost>
  std::string shown(const Cost& cost) const {
    return " (" + text_of(cost.energy_pj) + " pJ, " + std::to_string(cost.cycles) + " cycles)\n" +
           mapping_to_text(cost.mapping, setting_.problem, setting_.arch);
  }

  // The mapping is one of the space, respects the bounds, and costs what is said.
  void check_price(const Found& found) {
    const ScratchPtr scratch = evaluator_->make_scratch();
    const Cost cost = evaluator_->evaluate(found.mapping, *scratch);
    if (!cost.ok() || cost.energy_pj != found.energy_pj || cost.cycles != found.cycles) {
      say("states another price than the model" + shown(found));
    }
    const bool listed = std::any_of(allowed_.begin(), allowed_.end(), [&](const Priced* priced) {
      return priced->mapping == found.mapping;
    });
    if (!listed) say("the mapping is not one of those listed and allowed" + shown(found));
  }

  // Of mappings with the very same value it is one of those with the least energy, or cycles.
  void check_tie(const Found& found) {
    const auto second = [&](const auto& cost) {
      return goal_.objective == Objective::kEnergy ? static_cast<double>(cost.cycles)
                                                   : cost.energy_pj;
    };
    for (const Priced* priced : allowed_) {
      if (value(*priced) != value(found) || second(*priced) >= second(found) * (1 - kRelative)) {
        continue;
      }
      say("finds" + shown(found) + "; with the same value there is" + shown(*priced));
      return;
    }
  }

  // What differs by rounding alone is one point.
  static std::vector<std::pair<double, std::int64_t>> pruned_front(
      std::vector<std::pair<double, std::int64_t>> points) {
    std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) {
      return std::pair(a.second, a.first) < std::pair(b.second, b.first);
    });
    std::vector<std::pair<double, std::int64_t>> front;
    for (const auto& point : points) {
      if (front.empty() || point.first < front.back().first * (1 - kRelative)) {
        front.push_back(point);
      }
    }
    return front;
  }

  void check_front(const std::vector<Found>& found) {
    std::vector<std::pair<double, std::int64_t>> listed, proved;
    for (const Priced* priced : allowed_) listed.emplace_back(priced->energy_pj, priced->cycles);
    for (const Found& point : found) {
      check_price(point);
      proved.emplace_back(point.energy_pj, point.cycles);
    }
    for (std::size_t i = 1; i < found.size(); ++i) {
      if (found[i].energy_pj < found[i - 1].energy_pj || found[i].cycles >= found[i - 1].cycles) {
        say("the front is out of order, or one point of it beats another");
      }
    }
    listed = pruned_front(std::move(listed));
    proved = pruned_front(std::move(proved));
    const bool equal = std::equal(listed.begin(), listed.end(), proved.begin(), proved.end(),
                                  [](const auto& a, const auto& b) {
                                    return near(a.first, b.first) && a.second == b.second;
                                  });
    if (equal) return;
    std::string points = "the front has other points:";
    for (const auto& [energy, cycles] : proved) {
      points += " (" + text_of(energy) + ", " + std::to_string(cycles) + ")";
    }
    points += "; listed:";
    for (const auto& [energy, cycles] : listed) {
      points += " (" + text_of(energy) + ", " + std::to_string(cycles) + ")";
      for (const Priced* priced : allowed_) {
        if (priced->cycles != cycles || !near(priced->energy_pj, energy)) continue;
        points += "\n" + mapping_to_text(priced->mapping, setting_.problem, setting_.arch);
        break;
      }
    }
    say(points);
  }

  void check_stopped(const SearchResult& result) {
    const Certificate& certificate = result.certificate;
    const double optimum =
        best_ != nullptr ? value(*best_) : std::numeric_limits<double>::infinity();
    tally_.stopped_open += !certificate.proved;
    if (certificate.lower_bound > optimum * (1 + kRelative)) {
      say("the lower bound " + text_of(certificate.lower_bound) + " is above the optimum" +
          (best_ != nullptr ? shown(*best_) : ""));
    }
    if (best_ != nullptr && optimum > 0) tally_.bound_share += certificate.lower_bound / optimum;
    if (!result.best) {
      if (certificate.proved && best_ != nullptr) say("proved that there is none" + shown(*best_));
      return;
    }
    check_price(*result.best);
    const double found = value(*result.best);
    if (found < optimum * (1 - kRelative)) say("finds better than the best" + shown(*result.best));
    if (certificate.proved && !near(found, optimum)) {
      say("proves what is not the best" + shown(*result.best));
    }
    const double gap = found / certificate.lower_bound - 1;
    if (certificate.lower_bound > 0 && std::abs(certificate.gap - gap) > 1e-9 * (1 + gap)) {
      say("the gap stated is " + text_of(certificate.gap) + ", not " + text_of(gap));
    }
  }

  const reference::Setting& setting_;
  Goal goal_;
  SearchTally& tally_;
  Result<Evaluator> evaluator_;
  Result<Mapspace> space_;
  std::vector<const Priced*> allowed_;
  const Priced* best_ = nullptr;
  std::uint64_t work_ = 0;
  std::string where_;
  std::vector<std::string> complaints_;
};

// The two enumerations price the same mappings.
std::vector<std::string> check_listing(const World& world, const Listing& listing) {
  const auto other = price_all(world, kMostListed, true);
  const auto costs = [](const Listing& from) {
    std::vector<std::pair<double, std::int64_t>> sorted;
    for (const Priced& priced : from.priced) sorted.emplace_back(priced.energy_pj, priced.cycles);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  if (other && other->all == listing.all && other->refused == listing.refused &&
      costs(*other) == costs(listing)) {
    return {};
  }
  return {"brute force lists other mappings than the mapspace"};
}

// In closed form there are as many mappings, and as many that fit. What the model refuses may fit
// or not: it is not asked.
std::vector<std::string> check_counts(const World& world, const Listing& listing,
                                      SearchTally& tally) {
  const auto space = Mapspace::create(world.setting.problem, world.setting.arch, world.options);
  const Result<Census> census = take_census(*space, world.setting.conventions);
  if (!census.ok()) return {"counting gives up: " + census.status().to_string()};
  const BigCount least(listing.priced.size()), most(listing.priced.size() + listing.refused);
  ++tally.counted;
  tally.counted_fewer += census->legal != census->all;
  std::vector<std::string> wrong;
  if (census->all != BigCount(listing.all)) {
    wrong.push_back("counts " + census->all.decimal() + " mappings; listed are " +
                    std::to_string(listing.all));
  }
  if (census->legal < least || most < census->legal) {
    wrong.push_back("counts " + census->legal.decimal() + " mappings that fit; listed are " +
                    least.decimal() + " to " + most.decimal());
  }
  return wrong;
}

}  // namespace

std::vector<std::string> check_quest(const Quest& quest, const Listing& listing,
                                     const Checks& checks, SearchTally& tally) {
  Checker checker(quest, listing, tally);
  PruningRules looks;
  looks.few_tilings = 0;
  looks.coarse_tiles = 5;
  looks.first_states = 1;
  checker.check_proof(looks, "all rules");
  if (checks.rounds) checker.check_rounds();
  if (checks.limits) checker.check_limits();
  checker.check_prices();
  if (checks.rules) {
    checker.check_proof({false, true}, "without bound");
    checker.check_proof({true, false}, "without dominance");
    checker.check_proof({false, false}, "without rules");
    looks.equal_counts = false;
    checker.check_proof(looks, "without equal counts");
    looks.equal_counts = true;
    looks.kin = false;
    checker.check_proof(looks, "without kin");
  }
  std::vector<std::string> complaints = checker.complaints();
  const auto add = [&](std::vector<std::string> lines) {
    for (std::string& line : lines) complaints.push_back(std::move(line));
  };
  add(check_counts(quest.world, listing, tally));
  if (checks.independent) add(check_listing(quest.world, listing));
  return complaints;
}

}  // namespace loopscape
