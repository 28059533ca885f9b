// optimal: the recursion of optimal_search.md, placement by placement and one choice of spatial
// loops after another, each climbed from one operation to the whole problem. Guarantees: when the
// certificate says proved, no mapping of the space that the model prices is better.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "mapper/search/climb.h"

namespace loopscape {
namespace {

class Optimal {
 public:
  Optimal(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
          const SearchLimits& limits, const PruningRules& rules)
      : space_(space),
        evaluator_(evaluator),
        limits_(limits),
        rules_(rules),
        counter_(evaluator),
        scratch_(evaluator.make_scratch()),
        incumbents_(goal) {}

  SearchResult run() {
    const auto start = std::chrono::steady_clock::now();
    begin_with_perfect();
    find_choices();
    dive();
    bool complete = listed_all_;
    double open_bound = listed_all_ ? std::numeric_limits<double>::infinity() : least_of_all();
    for (const Choice& choice : choices_) {
      if (rules_.bound && !incumbents_.useful(choice.energy_pj, choice.cycles)) {
        ++bounded_choices_;
        continue;
      }
      if (complete && climb(choice).run(incumbents_, *scratch_, work_, limits_)) continue;
      complete = false;
      open_bound = std::min(open_bound, choice.value);
    }
    SearchResult result;
    result.best = incumbents_.best();
    result.front = incumbents_.front();
    certify(complete, open_bound, result);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    result.certificate.seconds = seconds.count();
    return result;
  }

 private:
  static constexpr std::size_t kDives = 4, kBeam = 32;
  static constexpr std::uint64_t kPerfectWork = 1 << 20;

  struct Choice {
    std::uint32_t placement;
    SpatialLoops spatial;
    double value, energy_pj, cycles;  // bounds
  };

  // Most promising first; equal ones in the documented order.
  void find_choices() {
    for (std::uint32_t p = 0; p < space_.placements().size(); ++p) {
      if (!can_be_filled(space_.placements()[p])) continue;
      for (SpatialLoops& spatial : spatial_choices(space_, space_.placements()[p])) {
        if (stopped()) {
          listed_all_ = false;
          return sort_choices();
        }
        Choice choice{p, std::move(spatial), 0, 0, 0};
        const Climb root = climb(choice);
        choice.energy_pj = root.least_energy();
        choice.cycles = root.least_cycles();
        choice.value = incumbents_.value(choice.energy_pj, choice.cycles);
        choices_.push_back(std::move(choice));
      }
    }
    sort_choices();
  }
  void sort_choices() {
    std::stable_sort(choices_.begin(), choices_.end(),
                     [](const Choice& a, const Choice& b) { return a.value < b.value; });
  }

  // A memory that stores nothing is not filled.
  static bool can_be_filled(const Placement& placement) {
    const auto stores = [&](std::uint8_t memory) {
      return std::any_of(placement.steps.begin(), placement.steps.end(),
                         [&](const PlacementStep& step) {
                           return step.kind == PlacementStep::Kind::kStore && step.memory == memory;
                         });
    };
    return std::all_of(
        placement.filled.begin(), placement.filled.end(),
        [&](const FilledRule& rule) { return rule.share <= 0 || stores(rule.memory); });
  }

  bool stopped() const {
    return limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed);
  }

  // Of choices that were not looked at: operations at their price, on every lane there is.
  double least_of_all() const {
    const Arch& arch = space_.arch();
    double lanes = 1;
    for (const Fanout& fanout : arch.fanouts) lanes *= static_cast<double>(fanout.children());
    const auto operations = static_cast<double>(space_.problem().operations());
    return incumbents_.value(operations * evaluator_.costs().compute.operation_pj,
                             std::ceil(operations / lanes * arch.compute.interval_cycles));
  }

  // Good mappings to begin with: the best with perfect factors, which are ragged ones too.
  void begin_with_perfect() {
    if (space_.options().factors != Factors::kRagged) return;
    MapspaceOptions options = space_.options();
    options.factors = Factors::kPerfect;
    const Result<Mapspace> perfect = Mapspace::create(space_.problem(), space_.arch(), options);
    if (!perfect.ok()) return;
    SearchLimits limits = limits_;
    limits.max_work = std::min(limits.max_work, kPerfectWork);
    Optimal inner(*perfect, evaluator_, incumbents_.goal(), limits, rules_);
    const SearchResult found = inner.run();
    for (const Found& one : found.front) incumbents_.offer(one);
    if (found.best) incumbents_.offer(*found.best);
    work_.work += inner.work_.work;
  }

  // And narrow climbs of the most promising choices.
  void dive() {
    const std::size_t dives = space_.options().factors == Factors::kRagged ? 1 : kDives;
    for (std::size_t i = 0; i < choices_.size() && i < dives; ++i) {
      climb(choices_[i]).run(incumbents_, *scratch_, work_, limits_, kBeam);
    }
  }

  Climb climb(const Choice& choice) {
    return Climb(space_, evaluator_, counter_, choice.placement, choice.spatial, rules_);
  }

  void certify(bool complete, double open_bound, SearchResult& result) const {
    Certificate& certificate = result.certificate;
    certificate.proved = complete;
    certificate.space = space_.words();
    certificate.states = work_.states;
    certificate.work = work_.work;
    certificate.unpriced = work_.unpriced;
    certificate.pruned["bound"] = work_.bounded;
    certificate.pruned["dominance"] = work_.dominated;
    certificate.pruned["spatial bound"] = bounded_choices_;
    if (!result.best) return;
    const double best =
        incumbents_.value(result.best->energy_pj, static_cast<double>(result.best->cycles));
    certificate.lower_bound = complete ? best : std::min(best, open_bound);
    certificate.gap = best / certificate.lower_bound - 1;
  }

  const Mapspace& space_;
  const Evaluator& evaluator_;
  SearchLimits limits_;
  PruningRules rules_;
  BoundaryCounter counter_;
  ScratchPtr scratch_;
  Incumbents incumbents_;
  ClimbWork work_;
  std::vector<Choice> choices_;
  bool listed_all_ = true;
  std::uint64_t bounded_choices_ = 0;
};

}  // namespace

SearchResult search_optimal(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                            const SearchLimits& limits, const PruningRules& rules) {
  return Optimal(space, evaluator, goal, limits, rules).run();
}

}  // namespace loopscape
