// The searches against each other on spaces small enough to price every mapping.
#include <cmath>
#include <string>

#include <catch2/catch.hpp>

#include "mapper/search/search.h"

namespace loopscape {
namespace {

Goal goal_for(Objective objective) {
  Goal goal;
  goal.objective = objective;
  return goal;
}

constexpr const char* kArch = R"({
  "name": "tiny", "word_bits": 8,
  "nodes": [
    {"memory": "DRAM", "bandwidth_bits": 64, "energy_pj": {"read": 50, "write": 50, "update": 50}},
    {"memory": "Buffer", "size_bits": 128, "keep": ["input"],
     "energy_pj": {"read": 3, "write": 3, "update": 3}},
    {"fanout": "PEs", "axes": {"x": 2}, "network": {"class": "mesh", "multicast": ["input"],
     "energy_pj_per_bit_hop": 4}},
    {"memory": "Reg", "words": 3, "keep": ["output"],
     "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"compute": "MAC", "energy_pj": {"compute": 1}}],
  "constraints": CONSTRAINTS})";
constexpr const char* kProblem =
    R"({"name": "gemm", "einsum": "O[m,n] += I[m,k] * W[k,n]", "dims": {"m": 4, "n": 3, "k": 5}})";

struct World {
  explicit World(const std::string& constraints = "[]", MapspaceOptions options = {},
                 const std::string& from = "", const std::string& to = "") {
    std::string text = kArch;
    text.replace(text.find("CONSTRAINTS"), 11, constraints);
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    const Result<Arch> arch = parse_arch(text);
    INFO(arch.status().to_string());
    REQUIRE(arch.ok());
    const Result<Problem> problem = parse_problem(kProblem);
    REQUIRE(problem.ok());
    set(*problem, *arch, options);
  }
  World(const Problem& problem, const Arch& arch, MapspaceOptions options) {
    set(problem, arch, options);
  }
  void set(const Problem& problem, const Arch& arch, MapspaceOptions options) {
    const Result<ActionCosts> costs = costs_in_spec(arch);
    REQUIRE(costs.ok());
    Result<Mapspace> its_space = Mapspace::create(problem, arch, options);
    REQUIRE(its_space.ok());
    space.emplace(std::move(its_space).value());
    Result<Evaluator> its_evaluator = Evaluator::create(problem, arch, {}, *costs);
    REQUIRE(its_evaluator.ok());
    evaluator.emplace(std::move(its_evaluator).value());
  }
  SearchResult optimal(const Goal& goal = {}) const {
    return search_optimal(*space, *evaluator, goal);
  }
  std::optional<Mapspace> space;
  std::optional<Evaluator> evaluator;
};

double value(const Goal& goal, const Found& found) {
  return objective_value(goal.objective, found.energy_pj, static_cast<double>(found.cycles));
}

constexpr MapspaceOptions kPerfect = {Factors::kPerfect, Stores::kEven};
constexpr MapspaceOptions kUnevenPerfect = {Factors::kPerfect, Stores::kUneven};

TEST_CASE("exhaustive and optimal search agree") {
  const std::string stationary = R"([{"node": "Buffer", "stationary": "weight"}])";
  for (const std::string& constraints : {std::string("[]"), stationary}) {
    for (const MapspaceOptions options : {MapspaceOptions(), kPerfect, kUnevenPerfect}) {
      const World world(constraints, options);
      std::vector<Objective> objectives = {Objective::kEdp};
      if (options.factors == Factors::kPerfect) {
        objectives = {Objective::kEnergy, Objective::kDelay, Objective::kEdp, Objective::kEd2p};
      }
      for (const Objective objective : objectives) {
        Goal goal;
        goal.objective = objective;
        goal.front = true;
        const Result<SearchResult> all = search_exhaustive(*world.space, *world.evaluator, goal);
        REQUIRE(all.ok());
        const SearchResult best = world.optimal(goal);
        REQUIRE(all->best);
        REQUIRE(best.best);
        CHECK(all->certificate.proved);
        CHECK(best.certificate.proved);
        CHECK(all->certificate.gap == 0);
        CHECK(all->certificate.lower_bound == value(goal, *all->best));
        CHECK(all->best->energy_pj == best.best->energy_pj);
        CHECK(all->best->cycles == best.best->cycles);
        CHECK(all->front.size() > 1);
        REQUIRE(all->front.size() == best.front.size());
        for (std::size_t i = 0; i < best.front.size(); ++i) {
          CHECK(all->front[i].energy_pj == best.front[i].energy_pj);
          CHECK(all->front[i].cycles == best.front[i].cycles);
        }
        const Result<Numbering> numbering = Numbering::create(*world.space);
        REQUIRE(numbering.ok());
        CHECK(BigCount(all->certificate.work) == numbering->size());
      }
    }
  }
}

// Rows on lanes, partial sums that only fit for some of the rows: of several numbers of rows that
// are loaded for at once, with equally many tiles, the last of which uses fewer lanes in some.
TEST_CASE("lanes without work in the last tile are no loss") {
  const auto world = [](int lanes, int rows) {
    const std::string arch = R"({"name": "rows", "word_bits": 8, "nodes": [
      {"memory": "DRAM", "energy_pj": {"read": 1000, "write": 1000, "update": 1000}},
      {"memory": "Sums", "words": )" +
                             std::to_string(rows - 1) + R"(, "keep": ["O"],
       "bypass": ["I", "W"], "energy_pj": {"read": 1, "write": 1, "update": 1}},
      {"fanout": "Rows", "axes": {"x": )" +
                             std::to_string(lanes) + R"(}, "dims": {"x": ["m"]},
       "network": {"class": "free", "multicast": ["W"]}},
      {"memory": "Reg", "words": 1, "keep": ["W"], "bypass": ["I", "O"],
       "energy_pj": {"read": 0.1, "write": 50, "update": 1}},
      {"compute": "MAC", "energy_pj": {"compute": 1}}],
      "constraints": [{"node": "Reg", "dims": ["k"]}]})";
    const Result<Arch> its_arch = parse_arch(arch);
    INFO(its_arch.status().to_string());
    REQUIRE(its_arch.ok());
    const Result<Problem> problem =
        parse_problem(R"({"einsum": "O[m,n] += I[m,k] * W[k,n]", "dims": {"n": 1, "k": 3, "m": )" +
                      std::to_string(rows) + "}}");
    REQUIRE(problem.ok());
    return World(*problem, *its_arch, {});
  };
  for (const int lanes : {3, 4, 5, 8}) {
    for (const int rows : {2 * lanes + 1, 3 * lanes + 1, 4 * lanes + 1, 4 * lanes + 2}) {
      INFO(lanes << " lanes, " << rows << " rows");
      const World its = world(lanes, rows);
      const Result<SearchResult> all = search_exhaustive(*its.space, *its.evaluator, {});
      REQUIRE(all.ok());
      const SearchResult best = its.optimal();
      CHECK(best.best->energy_pj == all->best->energy_pj);
      CHECK(best.best->cycles == all->best->cycles);
    }
  }
}

TEST_CASE("a memory's utilization holds for every search") {
  // 19 words: I 4, W 3 and O 12 only, though W had better bypass.
  const World free("[]", kPerfect, "\"size_bits\": 128", "\"size_bits\": 152");
  Arch arch = free.space->arch();
  arch.constraints.emplace_back();
  arch.constraints[0].node = "Buffer";
  arch.constraints[0].min_utilization = 1;
  const World world(free.space->problem(), arch, kPerfect);
  const Goal goal = goal_for(Objective::kEnergy);
  const Result<SearchResult> all = search_exhaustive(*world.space, *world.evaluator, goal);
  REQUIRE(all.ok());
  REQUIRE(all->best);
  CHECK(all->best->energy_pj == world.optimal(goal).best->energy_pj);
  CHECK(all->best->energy_pj > free.optimal(goal).best->energy_pj);
  const Result<SearchResult> climbed = search_local(*world.space, *world.evaluator, goal);
  REQUIRE(climbed.ok());
  REQUIRE(climbed->best);
  const Result<Breakdown> breakdown = world.evaluator->explain(climbed->best->mapping);
  REQUIRE(breakdown.ok());
  CHECK(static_cast<double>(breakdown->memories[1].occupied_bits) >= 152);
}

TEST_CASE("what a rule leaves to one node is not tried at others") {
  const std::string all = R"({"node": "DRAM", "factors": {"m": "all", "n": "all", "k": "all"}})";
  const std::string none = R"({"node": "NODE", "factors": {"m": 1, "n": 1, "k": 1}})";
  std::string stated = "[" + all;
  for (const std::string node : {"Buffer", "PEs", "Reg"}) {
    std::string rule = none;
    stated += ", " + rule.replace(rule.find("NODE"), 4, node);
  }
  for (const MapspaceOptions options : {MapspaceOptions(), kPerfect}) {
    const Goal goal = goal_for(Objective::kEnergy);
    const SearchResult left = World("[" + all + "]", options).optimal(goal);
    const SearchResult told = World(stated + "]", options).optimal(goal);
    CHECK(left.best->energy_pj == told.best->energy_pj);
    CHECK(left.certificate.proved);
    CHECK(left.certificate.work <= 8 * told.certificate.work);  // 65 times before
  }
}

TEST_CASE("a random search tells how the space is") {
  const World world("[]", kPerfect);
  const Goal goal;
  const Result<SearchResult> all = search_exhaustive(*world.space, *world.evaluator, goal);
  REQUIRE(all.ok());
  const RandomOptions options{20000, 3};
  const Result<SearchResult> drawn = search_random(*world.space, *world.evaluator, goal, options);
  REQUIRE(drawn.ok());
  REQUIRE(drawn->statistics);
  const Statistics& s = *drawn->statistics;
  CHECK_FALSE(drawn->certificate.proved);
  CHECK_FALSE(drawn->limited);
  CHECK(s.samples == 20000);
  const auto illegal = static_cast<double>(all->certificate.pruned.at("illegal"));
  const double share = 1 - illegal / static_cast<double>(all->certificate.work);
  const double deviation = std::sqrt(share * (1 - share) / 20000);
  CHECK(std::abs(static_cast<double>(s.legal) / 20000 - share) < 5 * deviation);
  CHECK(s.least == value(goal, *drawn->best));
  CHECK(s.least >= value(goal, *all->best));
  CHECK(s.least <= s.p05);
  CHECK(s.p05 < s.p25);
  CHECK(s.p25 < s.median);
  CHECK(s.median < s.p75);
  CHECK(s.p75 < s.p95);
  CHECK(s.p95 <= s.most);
  // The same seed draws the same, another one does not.
  CHECK(search_random(*world.space, *world.evaluator, goal, options)->statistics->legal == s.legal);
  CHECK(search_random(*world.space, *world.evaluator, goal, {20000, 4})->statistics->legal !=
        s.legal);
}

TEST_CASE("quantiles are those of the sample") {
  const World world("[]", kPerfect);
  const Result<SearchResult> one = search_random(*world.space, *world.evaluator, {}, {200, 1});
  REQUIRE(one.ok());
  std::vector<double> values;
  Result<Numbering> numbering = Numbering::create(*world.space);
  REQUIRE(numbering.ok());
  std::mt19937_64 random(1);
  const ScratchPtr scratch = world.evaluator->make_scratch();
  for (int i = 0; i < 200; ++i) {
    const Result<Point> point = numbering->sample(random);
    REQUIRE(point.ok());
    const Cost cost = world.evaluator->evaluate(world.space->mapping(*point), *scratch);
    if (cost.ok()) values.push_back(cost.edp());
  }
  std::sort(values.begin(), values.end());
  REQUIRE(one->statistics->legal == values.size());
  CHECK(one->statistics->median == values[(values.size() + 1) / 2 - 1]);
  CHECK(one->statistics->most == values.back());
}

TEST_CASE("a local search ends where no neighbour is better") {
  for (const MapspaceOptions options : {MapspaceOptions(), kPerfect, kUnevenPerfect}) {
    const World world("[]", options);
    const Goal goal;
    const SearchResult best = world.optimal(goal);
    const Result<SearchResult> few =
        search_local(*world.space, *world.evaluator, goal, {1, 1000, 5});
    const Result<SearchResult> many =
        search_local(*world.space, *world.evaluator, goal, {40, 1000, 5});
    REQUIRE(few.ok());
    REQUIRE(many.ok());
    REQUIRE(few->best);
    REQUIRE(many->best);
    CHECK_FALSE(many->certificate.proved);
    CHECK(world.space->point_of(many->best->mapping).ok());
    CHECK(value(goal, *many->best) >= value(goal, *best.best));
    CHECK(value(goal, *many->best) <= value(goal, *few->best));
    // On so small a space forty climbs come close.
    CHECK(value(goal, *many->best) <= 1.2 * value(goal, *best.best));
  }
}

TEST_CASE("limits are honest") {
  const World world;
  const Goal goal;
  const double optimum = value(goal, *world.optimal(goal).best);
  for (const std::uint64_t work : {0u, 1u, 20u, 100u, 300u, 1000u, 10000u, 1000000u}) {
    SearchLimits limits;
    limits.max_work = work;
    const SearchResult found = search_optimal(*world.space, *world.evaluator, goal, limits);
    REQUIRE(found.best);  // with no work, whatever fits
    CHECK(world.space->point_of(found.best->mapping).ok());
    const double best = value(goal, *found.best);
    CHECK(found.certificate.lower_bound <= optimum);
    CHECK(best >= optimum);
    CHECK(found.certificate.gap == best / found.certificate.lower_bound - 1);
    const Result<SearchResult> all =
        search_exhaustive(*world.space, *world.evaluator, goal, limits);
    REQUIRE(all.ok());
    CHECK(all->certificate.work <= work);
    CHECK(all->certificate.proved == (all->certificate.work < work));
  }
  const std::atomic<bool> stop{true};
  SearchLimits limits;
  limits.stop = &stop;
  CHECK_FALSE(search_exhaustive(*world.space, *world.evaluator, goal, limits)->best);
  CHECK(search_random(*world.space, *world.evaluator, goal, {}, limits)->limited);
  CHECK(search_local(*world.space, *world.evaluator, goal, {}, limits)->limited);
  CountLimits counting;
  counting.stop = &stop;
  CHECK_FALSE(Numbering::create(*world.space, counting).ok());
  CensusLimits census;
  census.stop = &stop;
  CHECK_FALSE(take_census(*world.space, {}, census).ok());
}

using Kind = Restriction::Kind;

TEST_CASE("the capacity that is missing is told to the bit") {
  const World world("[]", kPerfect, "\"size_bits\": 128", "\"size_bits\": 3");
  REQUIRE_FALSE(world.optimal().best);
  const Blame blame = find_blame(*world.space, *world.evaluator, {}, {});
  CHECK(blame.complete);
  CHECK(blame.irreducible);
  const std::vector<Restriction> conflict = {{Kind::kCapacity, 1, 0}, {Kind::kKeep, 1, 0}};
  CHECK(blame.conflict == conflict);
  REQUIRE(blame.reliefs.size() == 2);
  const Relief& capacity = blame.reliefs[0];
  CHECK(capacity.restriction == conflict[0]);
  REQUIRE(capacity.nearest);
  CHECK(capacity.exact);
  CHECK(*capacity.nearest == 8);  // one word of I
  for (const int less : {0, 1}) {
    const std::string size = "\"size_bits\": " + std::to_string(8 - less);
    const World changed("[]", kPerfect, "\"size_bits\": 128", size);
    CHECK(changed.optimal().best.has_value() == (less == 0));
  }
  CHECK(blame.reliefs[1].restriction == conflict[1]);
}

TEST_CASE("a double buffer needs twice its tile") {
  const World world("[]", kPerfect, "\"size_bits\": 128",
                    "\"buffering\": \"double\", \"size_bits\": 15");
  const Blame blame = find_blame(*world.space, *world.evaluator, {}, {});
  REQUIRE_FALSE(blame.reliefs.empty());
  CHECK(blame.reliefs[0].nearest == 16.0);
}

TEST_CASE("the parts of constraints that leave nothing are named") {
  const World world(R"([{"node": "PEs", "factors": {"m": ">=3", "n": ">=1"}},
                        {"node": "Reg", "dims": ["m"]}])",
                    {});
  const Blame blame = find_blame(*world.space, *world.evaluator, {}, {});
  CHECK(blame.conflict == std::vector<Restriction>{{Kind::kFactor, 0, 0}});
  REQUIRE(blame.reliefs.size() == 1);
  CHECK(blame.reliefs[0].nearest == 2.0);  // lanes there are
  CHECK(blame.together.empty());
}

TEST_CASE("where no one change is enough those that are together are told") {
  const World two(R"([{"node": "PEs", "factors": {"m": ">=3"}},
                      {"node": "PEs", "factors": {"n": 4}}])",
                  {});
  const Blame blame = find_blame(*two.space, *two.evaluator, {}, {});
  CHECK(blame.conflict.size() == 1);
  CHECK(blame.reliefs.empty());
  REQUIRE(blame.together.size() == 2);
  CHECK(blame.together[0].restriction == Restriction{Kind::kFactor, 0, 0});
  CHECK(blame.together[0].nearest == 2.0);
  CHECK(blame.together[1].restriction == Restriction{Kind::kFactor, 1, 0});
  CHECK(blame.together[1].nearest == 1.0);  // m takes both lanes
}

TEST_CASE("bounds that nothing keeps are told with what is possible") {
  const World world("[]", kPerfect);
  const double fastest =
      static_cast<double>(world.optimal(goal_for(Objective::kDelay)).best->cycles);
  const double thriftiest = world.optimal(goal_for(Objective::kEnergy)).best->energy_pj;
  Goal goal;
  goal.max_cycles = fastest - 1;
  const Blame slow = find_blame(*world.space, *world.evaluator, goal, {});
  CHECK(slow.conflict == std::vector<Restriction>{{Kind::kMaxCycles, 0, 0}});
  REQUIRE(slow.reliefs.size() == 1);
  CHECK(slow.reliefs[0].nearest == fastest);
  goal.max_energy_pj = thriftiest / 2;
  const Blame neither = find_blame(*world.space, *world.evaluator, goal, {});
  CHECK(neither.reliefs.empty());
  REQUIRE(neither.together.size() == 2);
  CHECK(neither.together[0].nearest >= fastest);
  CHECK(neither.together[1].nearest >= thriftiest);
}

TEST_CASE("blame that is cut short says so") {
  const World world("[]", kPerfect);
  Goal goal;
  goal.max_energy_pj = world.optimal(goal_for(Objective::kEnergy)).best->energy_pj * 0.999;
  SearchLimits none;
  none.max_work = 0;
  const Blame blame = find_blame(*world.space, *world.evaluator, goal, none);
  CHECK_FALSE(blame.complete);
  CHECK_FALSE(blame.irreducible);
  CHECK_FALSE(blame.conflict.empty());  // it is known to leave nothing, if not to be the least
}

}  // namespace
}  // namespace loopscape
