// The optimal search says the same on any number of threads: answer, front and certificate, of
// which only the seconds may differ; also when it is stopped early. LOOPSCAPE_SEED,
// LOOPSCAPE_WORLDS and LOOPSCAPE_STOP as in optimal_test.cc.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "mapper/search/climb.h"
#include "tests/optimality/optimal_worlds.h"
#include "tests/reference/seeds.h"

namespace loopscape {
namespace {

void print(const Found& found, const World& world, std::ostream& out) {
  out << found.energy_pj << " pJ, " << found.cycles << " cycles\n"
      << mapping_to_text(found.mapping, world.setting.problem, world.setting.arch);
}

// All that a search says, but how long it took.
std::string text_of(const SearchResult& result, const World& world) {
  std::ostringstream out;
  out.precision(17);
  if (result.best) print(*result.best, world, out);
  for (const Found& point : result.front) print(point, world, out);
  const Certificate& c = result.certificate;
  out << (c.proved ? "proved" : "open") << ", at least " << c.lower_bound << ", gap " << c.gap
      << "; " << c.space << "; " << c.states << " states, " << c.work << " work, " << c.unpriced
      << " unpriced";
  for (const auto& [rule, count] : c.pruned) out << ", " << count << " by " << rule;
  out << "; " << c.least_cycles << " cycles";
  for (const auto& cost : c.least_costs) out << ", " << cost.pj << " at " << cost.pj_per_cycle;
  return out.str();
}

struct Tally {
  std::uint64_t worlds = 0, searches = 0, open = 0, many_choices = 0;
};

class Threads {
 public:
  Threads(const Quest& quest, Tally& tally)
      : world_(quest.world),
        tally_(tally),
        evaluator_(*Evaluator::create(world_.setting.problem, world_.setting.arch,
                                      world_.setting.conventions, world_.setting.costs)),
        space_(*Mapspace::create(world_.setting.problem, world_.setting.arch, world_.options)) {
    std::size_t choices = 0;
    for (const Placement& placement : space_.placements()) {
      ForSpatialChoices every;
      every.keep = [](const LanesSoFar&) { return true; };
      every.take = [&](const SpatialLoops&) { ++choices; };
      std::uint64_t looks = 0;
      every.run(space_, placement, looks);
    }
    tally_.many_choices += choices > 16;
  }

  // Empty when all is well.
  std::string check() {
    for (const Objective objective :
         {Objective::kEnergy, Objective::kDelay, Objective::kEdp, Objective::kEd2p}) {
      for (const bool front : {false, true}) {
        // What is looked at ahead is shared by the choices that a thread follows.
        rules_.few_tilings = objective == Objective::kDelay ? PruningRules().few_tilings : 0;
        goal_ = Goal{};
        goal_.objective = objective;
        goal_.front = front;
        compare_and_stop();
        const bool both = objective == Objective::kEdp || objective == Objective::kEd2p;
        if (both && !front && best_) {  // as for a network's layers
          const double price = best_->energy_pj / static_cast<double>(best_->cycles);
          goal_.prices = PriceRange{price * 0.5, price * 2};
          compare_and_stop();
        }
        if (!wrong_.empty()) return wrong_;
      }
    }
    return "";
  }

 private:
  void compare_and_stop() {
    const std::uint64_t work = compare(UINT64_MAX);
    for (const double share : {0.2, 0.7}) {
      compare(static_cast<std::uint64_t>(share * static_cast<double>(work)));
    }
  }

  // The work that it takes.
  std::uint64_t compare(std::uint64_t max_work) {
    std::string alone;
    std::uint64_t work = 0;
    for (const int threads : {1, 2, 8}) {
      SearchLimits limits;
      limits.max_work = max_work;
      limits.threads = threads;
      const SearchResult result = search_optimal(space_, evaluator_, goal_, limits, rules_);
      ++tally_.searches;
      tally_.open += !result.certificate.proved;
      const std::string text = text_of(result, world_);
      if (threads == 1) {
        alone = text;
        work = result.certificate.work;
        best_ = result.best;
      } else if (text != alone && wrong_.empty()) {
        wrong_ = objective_name(goal_.objective) + (goal_.front ? ", front" : "") +
                 (goal_.prices ? ", at prices" : "") + ", max_work " + std::to_string(max_work) +
                 ": one thread says\n" + alone + "\n" + std::to_string(threads) + " threads say\n" +
                 text;
      }
    }
    return work;
  }

  const World& world_;
  Tally& tally_;
  Evaluator evaluator_;
  Mapspace space_;
  Goal goal_;
  PruningRules rules_;
  std::optional<Found> best_;
  std::string wrong_;
};

void check_threads(std::uint64_t worlds) {
  const reference::Seeds seeds = reference::asked_seeds(worlds);
  Tally tally;
  int failures = 0;
  for (std::uint64_t seed = seeds.first; tally.worlds < seeds.count; ++seed) {
    const auto sized = sized_quest(seed, {}, 1'500);
    if (!sized) continue;
    ++tally.worlds;
    const std::string wrong = Threads(sized->quest, tally).check();
    if (wrong.empty()) continue;
    std::cout << "LOOPSCAPE_SEED=" << seed << " LOOPSCAPE_WORLDS=1: " << wrong << std::endl;
    if (failures++ < 2) std::cout << describe(sized->quest) << std::endl;
    if (seeds.stops) break;
  }
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu worlds, %llu with more than 16 choices of spatial loops; %llu searches, %llu "
      "stopped early\n",
      n(tally.worlds), n(tally.many_choices), n(tally.searches), n(tally.open));
  std::fflush(stdout);
  CHECK(failures == 0);
  if (seeds.count < worlds) return;
  CHECK(tally.many_choices > worlds / 4);
  CHECK(tally.open > tally.searches / 4);
}

}  // namespace

TEST_CASE("optimal: the same on any number of threads") { check_threads(100); }

TEST_CASE("optimal: the same on any number of threads, in many worlds", "[.long]") {
  check_threads(1'000);
}

}  // namespace loopscape
