#include "interface/cli/verify_full.h"

#include <algorithm>
#include <utility>

#include "interface/cli/numbers.h"
#include "interface/cli/verify_report.h"
#include "interface/cli/verify_search.h"

namespace loopscape::cli {
namespace {

// Bounds of a search are sums of doubles in another order than the model's.
constexpr double kRounding = 1e-12;

struct Price {
  double energy_pj = 0, cycles = 0;
};

// What a goal ranks by: the objective, then the other measure (search.h).
std::pair<double, double> key_of(Objective objective, const Price& price) {
  const double second = objective == Objective::kEnergy ? price.cycles : price.energy_pj;
  return {objective_value(objective, price.energy_pj, price.cycles), second};
}

class Resolver {
 public:
  Resolver(const Evaluator& evaluator, const Goal& goal, const Mapspace& space)
      : evaluator_(evaluator), goal_(goal), space_(space), scratch_(evaluator.make_scratch()) {}

  void look_at(const Point& point) {
    const Mapping mapping = space_.mapping(point);
    const Cost cost = evaluator_.evaluate(mapping, *scratch_);
    if (!cost.ok() || !filled(point, mapping)) return;
    ++legal_;
    const Price price{cost.energy_pj, static_cast<double>(cost.cycles)};
    if (goal_.max_cycles && price.cycles > *goal_.max_cycles) return;
    if (goal_.max_energy_pj && price.energy_pj > *goal_.max_energy_pj) return;
    const StoredMapping found{cost.energy_pj, cost.cycles, mapping};
    if (!best_ || key_of(goal_.objective, price) < key(*best_)) best_ = found;
    if (goal_.front || goal_.prices) add_to_front(found);
  }

  std::uint64_t legal() const { return legal_; }
  const std::optional<StoredMapping>& best() const { return best_; }
  const std::vector<StoredMapping>& front() const { return front_; }
  std::pair<double, double> key(const StoredMapping& found) const {
    return key_of(goal_.objective, {found.energy_pj, static_cast<double>(found.cycles)});
  }

 private:
  // "utilization" of memories is no matter of the space but of what a mapping occupies.
  bool filled(const Point& point, const Mapping& mapping) const {
    const std::vector<FilledRule>& rules = space_.placements()[point.placement].filled;
    if (rules.empty()) return true;
    const Result<Breakdown> breakdown = evaluator_.explain(mapping);
    if (!breakdown.ok()) return false;
    return std::all_of(rules.begin(), rules.end(), [&](const FilledRule& rule) {
      const Memory& memory = space_.arch().memories[rule.memory];
      return !memory.size_bits ||
             static_cast<double>(breakdown->memories[rule.memory].occupied_bits) >=
                 rule.share * static_cast<double>(usable_bits(memory));
    });
  }

  void add_to_front(const StoredMapping& found) {
    const auto covers = [](const StoredMapping& a, const StoredMapping& b) {
      return a.energy_pj <= b.energy_pj && a.cycles <= b.cycles;
    };
    for (const StoredMapping& known : front_) {
      if (covers(known, found)) return;
    }
    std::erase_if(front_, [&](const StoredMapping& known) { return covers(found, known); });
    front_.push_back(found);
  }

  const Evaluator& evaluator_;
  const Goal& goal_;
  const Mapspace& space_;
  ScratchPtr scratch_;
  std::uint64_t legal_ = 0;
  std::optional<StoredMapping> best_;
  std::vector<StoredMapping> front_;
};

std::string too_large(const Mapspace& space, const FullLimits& limits) {
  const Result<Numbering> numbering = Numbering::create(space);
  if (!numbering.ok()) return numbering.status().message();
  if (numbering->size() <= BigCount(limits.most_mappings)) return "";
  return "its space has " + counted_digits(numbering->size().decimal(), "mapping") +
         ", and --full prices every one of them, " +
         grouped_digits(std::to_string(limits.most_mappings)) + " at most; --max-work allows more";
}

bool lists(const std::vector<StoredMapping>& front, const StoredMapping& wanted) {
  return std::any_of(front.begin(), front.end(), [&](const StoredMapping& one) {
    return one.energy_pj == wanted.energy_pj && one.cycles == wanted.cycles;
  });
}

double cost_at(double pj_per_cycle, const StoredMapping& point) {
  return point.energy_pj + pj_per_cycle * static_cast<double>(point.cycles);
}

const StoredMapping& cheapest(double pj_per_cycle, const std::vector<StoredMapping>& points) {
  return *std::min_element(points.begin(), points.end(),
                           [&](const StoredMapping& a, const StoredMapping& b) {
                             return cost_at(pj_per_cycle, a) < cost_at(pj_per_cycle, b);
                           });
}

// Prices at which what a front costs at least is furthest above what any mapping does: the least is
// concave in the price and linear between two of these, so that a gap, if there is one, is there.
std::vector<double> telling_prices(const std::vector<StoredMapping>& front,
                                   const PriceRange& range) {
  std::vector<double> prices = {range.least, range.most};
  for (std::size_t i = 0; i + 1 < front.size(); ++i) {
    const auto saved = static_cast<double>(front[i].cycles - front[i + 1].cycles);
    const double price = (front[i + 1].energy_pj - front[i].energy_pj) / saved;
    if (price > range.least && price < range.most) prices.push_back(price);
  }
  return prices;
}

// What a search at prices of a cycle claims of the costs at them.
void compare_costs(const StoredResult& stated, const Resolver& found, FullCheck& check) {
  const std::optional<PriceRange> range = prices_of(stated.options);
  if (!range) return;
  const StoredCertificate& certificate = *stated.certificate;
  for (std::size_t i = 0; i < certificate.least_costs.size(); ++i) {
    const StoredLeastCost& claim = certificate.least_costs[i];
    const StoredMapping& least = cheapest(claim.pj_per_cycle, found.front());
    if (claim.pj <= cost_at(claim.pj_per_cycle, least) * (1 + kRounding)) continue;
    check.faults.push_back({"/certificate/least_costs/" + std::to_string(i),
                            "a mapping of the space costs less", least});
  }
  const StoredMapping& fastest = *std::min_element(
      found.front().begin(), found.front().end(),
      [](const StoredMapping& a, const StoredMapping& b) { return a.cycles < b.cycles; });
  if (certificate.least_cycles.value_or(0) > static_cast<double>(fastest.cycles)) {
    check.faults.push_back(
        {"/certificate/least_cycles", "a mapping of the space has fewer cycles", fastest});
  }
  if (!certificate.proved) return;
  for (const double price : telling_prices(stated.front, *range)) {
    const StoredMapping& least = cheapest(price, found.front());
    // The search tells costs apart to kRounding only.
    const double claimed = cost_at(price, cheapest(price, stated.front));
    if (claimed <= cost_at(price, least) * (1 + 2 * kRounding)) continue;
    check.faults.push_back({"/front",
                            "a mapping of the space costs less at " + number_text(price) +
                                " pJ per cycle than any of these",
                            least});
    return;
  }
}

void compare(const StoredResult& stated, const Resolver& found, FullCheck& check) {
  const StoredMapping own{stated.breakdown.energy_pj, stated.breakdown.cycles, stated.mapping};
  const StoredCertificate& certificate = *stated.certificate;
  const auto fault = [&](const char* pointer, std::string reason,
                         std::optional<StoredMapping> better) {
    check.faults.push_back({pointer, std::move(reason), std::move(better)});
  };
  if (!certificate.mapspace.empty() && certificate.mapspace != std::to_string(check.mappings)) {
    fault("/certificate/mapspace",
          "the space has " + counted_digits(std::to_string(check.mappings), "mapping") +
              ", each met once",
          {});
  }
  if (!found.best()) {
    return fault("/mapping", "no mapping of the space is legal and within the bounds", {});
  }
  const StoredMapping& best = *found.best();
  check.best = found.key(best).first;
  if (found.key(own) < found.key(best)) {
    fault("/mapping", "it is not met among the mappings of its space, and betters them all", {});
  }
  if (certificate.lower_bound > check.best * (1 + kRounding)) {
    fault("/certificate/lower_bound", "a mapping of the space lies below it", best);
  }
  compare_costs(stated, found, check);
  if (!certificate.proved) return;
  if (found.key(best) < found.key(own)) {
    const bool equal = found.key(best).first == found.key(own).first;
    fault("/mapping",
          equal ? "stated as the best, but another mapping of the space is as good and wins the tie"
                : "stated as the best, but another mapping of the space is better",
          best);
  }
  for (const StoredMapping& point : found.front()) {
    if (stated.options.pareto && !lists(stated.front, point)) {
      fault("/front", "a mapping of the space that no other one betters in both is missing", point);
    }
  }
}

FullCheck look_through(const StoredResult& claims, const Evaluator& evaluator,
                       const StatedSearch& search, const FullLimits& limits) {
  const Mapspace& space = search.space;
  FullCheck check;
  check.limit = too_large(space, limits);
  if (!check.limit.empty()) return check;
  Resolver resolver(evaluator, search.request.goal, space);
  bool stopped = false;
  const Status status = for_each_point(space, [&](const Point& point) {
    stopped = limits.stop != nullptr && limits.stop->load(std::memory_order_relaxed);
    if (stopped) return false;
    ++check.mappings;
    resolver.look_at(point);
    return true;
  });
  check.legal = resolver.legal();
  if (!status.ok()) check.limit = status.message();
  if (stopped) check.limit = "interrupted";
  if (check.limit.empty()) compare(claims, resolver, check);
  return check;
}

}  // namespace

Result<FullCheck> check_fully(const StoredResult& stated, const StoredResult& actual,
                              const Evaluator& evaluator, const FullLimits& limits) {
  const Result<std::optional<StatedSearch>> search = search_of(stated);
  if (!search.ok()) return search.status();
  if (!*search) {
    return Status(StatusCode::kInvalidInput,
                  "--full solves a search again, and no search gave this result");
  }
  // The numbers are those that hold, the claims are the result's own.
  StoredResult claims = actual;
  claims.certificate = stated.certificate;
  FullCheck check = look_through(claims, evaluator, **search, limits);
  check.text = full_text(check, claims);
  check.json = full_json(check, claims);
  return check;
}

}  // namespace loopscape::cli
