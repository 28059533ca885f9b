// Closed form, enumeration and brute force see the same mapspace.
#include "mapper/mapspace/mapspace.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"
#include "tests/optimality/brute_force.h"
#include "tests/optimality/mapspace_worlds.h"

namespace loopscape {
namespace {

// What the worlds held, so that a generator that went stale is seen.
struct Features {
  int worlds = 0, ragged = 0, uneven = 0, constrained = 0, spatial = 0, empty = 0;
  int judged = 0, capacity_bound = 0;
  std::uint64_t mappings = 0;
};

// Mappings of the space in the order of their numbers.
std::vector<Point> enumerate(const Mapspace& space) {
  std::vector<Point> points;
  const Status status = for_each_point(space, [&](const Point& point) {
    points.push_back(point);
    return true;
  });
  REQUIRE(status.ok());
  return points;
}

std::vector<std::string> without(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
  return rest;
}

// Share of every memory's usable bits that must be filled, where a constraint asks for one. The
// occupied bits are those of the evaluator.
bool filled(const World& world, const Breakdown& breakdown) {
  const Arch& arch = world.setting.arch;
  for (const Constraint& constraint : arch.constraints) {
    const auto memory = arch.find_memory(constraint.node);
    if (!memory || !constraint.min_utilization) continue;
    const Memory& its = arch.memories[index(*memory)];
    if (!its.size_bits) return false;
    const std::uint64_t usable =
        its.buffering == Buffering::kDouble ? *its.size_bits / 2 : *its.size_bits;
    const auto bits = static_cast<double>(breakdown.memories[index(*memory)].occupied_bits);
    if (bits / static_cast<double>(usable) < *constraint.min_utilization) return false;
  }
  return true;
}

// Legal mappings by number of loops, as the evaluator sees them; nothing if it cannot tell.
std::optional<std::vector<std::uint64_t>> legal_by_depth(const World& world,
                                                         const std::vector<Mapping>& mappings) {
  const reference::Setting& setting = world.setting;
  Result<Evaluator> evaluator =
      Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs);
  REQUIRE(evaluator.ok());
  std::vector<std::uint64_t> counts;
  for (const Mapping& mapping : mappings) {
    const Result<Breakdown> breakdown = evaluator->explain(mapping);
    if (!breakdown.ok() && breakdown.status().code() != StatusCode::kIllegalMapping) {
      return std::nullopt;
    }
    if (!breakdown.ok() || !filled(world, *breakdown)) continue;
    const auto depth = static_cast<std::size_t>(
        std::count_if(mapping.begin(), mapping.end(),
                      [](const MappingNode& node) { return node.kind != LoopKind::kStore; }));
    if (counts.size() <= depth) counts.resize(depth + 1);
    ++counts[depth];
  }
  return counts;
}

std::vector<BigCount> as_counts(const std::vector<std::uint64_t>& counts) {
  return {counts.begin(), counts.end()};
}

void check_census(const World& world, const Mapspace& space, const std::vector<Mapping>& mappings,
                  Features& features) {
  const Result<Census> census = take_census(space, world.setting.conventions);
  REQUIRE(census.ok());
  CHECK(census->all == BigCount(mappings.size()));
  const auto legal = legal_by_depth(world, mappings);
  if (!legal) return;
  ++features.judged;
  features.capacity_bound += census->legal != census->all;
  CHECK(census->legal_by_depth == as_counts(*legal));
}

void check_numbers(const Mapspace& space, const std::vector<Point>& points) {
  Result<Numbering> numbering = Numbering::create(space);
  REQUIRE(numbering.ok());
  CHECK(numbering->size() == BigCount(points.size()));
  std::vector<std::uint64_t> by_placement(space.placements().size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    ++by_placement[points[i].placement];
    const Result<Point> point = numbering->unrank(BigCount(i));
    REQUIRE(point.ok());
    REQUIRE(*point == points[i]);
    const Result<BigCount> number = numbering->rank(points[i]);
    REQUIRE(number.ok());
    REQUIRE(*number == BigCount(i));
  }
  for (std::size_t p = 0; p < by_placement.size(); ++p) {
    CHECK(numbering->sizes()[p] == BigCount(by_placement[p]));
  }
  CHECK_FALSE(numbering->unrank(BigCount(points.size())).ok());
}

Arch machine(const std::string& name) {
  reference::ArchBuilder builder;
  builder.memory("DRAM");
  if (name != "dram") builder.memory("Buffer");
  if (name == "array" || name == "mesh array") {
    Fanout& pes = builder.fanout("PEs", {3, 2});
    if (name == "mesh array") pes.networks[0].network_class = NetworkClass::kMesh;
    builder.memory("Spad").keep = {"weight", "input", "output"};
  }
  for (Memory& memory : builder.arch.memories) memory.keep = {"weight", "input", "output"};
  return builder.done();
}

// False: the world is too large to list.
bool check_world(const World& world, std::size_t most, Features& features) {
  const Problem& problem = world.setting.problem;
  const Arch& arch = world.setting.arch;
  const auto brute = brute_force(problem, arch, world.options, most);
  if (!brute) return false;
  const Result<Mapspace> space = Mapspace::create(problem, arch, world.options);
  ++features.worlds;
  features.ragged += world.options.factors == Factors::kRagged;
  features.uneven += world.options.stores == Stores::kUneven;
  features.constrained += !arch.constraints.empty();
  features.spatial += !arch.fanouts.empty();
  features.mappings += brute->size();
  features.empty += brute->empty();
  if (!space.ok()) {
    CHECK(brute->empty());
    return true;
  }
  const std::vector<Point> points = enumerate(*space);
  std::set<std::string> listed, expected;
  for (const Mapping& mapping : *brute) expected.insert(key_of(mapping));
  for (const Point& point : points) {
    const Mapping mapping = space->mapping(point);
    listed.insert(key_of(mapping));
    const Result<Point> back = space->point_of(mapping);
    REQUIRE(back.ok());
    REQUIRE(*back == point);
  }
  CHECK(listed.size() == points.size());
  CHECK(without(listed, expected).empty());
  CHECK(without(expected, listed).empty());
  check_numbers(*space, points);
  check_census(world, *space, *brute, features);
  return true;
}

void check_worlds(std::uint64_t seed, int count, std::size_t most) {
  Features features;
  for (std::uint64_t number = 0; features.worlds < count; ++number) {
    reference::Random random(seed + number);
    const World world = random_world(random);
    INFO("seed " << seed + number << "\n" << describe(world));
    check_world(world, most, features);
  }
  std::printf(
      "%d worlds, %llu mappings; ragged %d, uneven %d, constrained %d, spatial %d, empty %d; legal "
      "ones counted in %d, fewer than all in %d\n",
      features.worlds, static_cast<unsigned long long>(features.mappings), features.ragged,
      features.uneven, features.constrained, features.spatial, features.empty, features.judged,
      features.capacity_bound);
  CHECK(features.judged > count / 2);
  CHECK(features.capacity_bound > count / 5);
  CHECK(features.ragged > count / 4);
  CHECK(features.uneven > count / 8);
  CHECK(features.constrained > count / 4);
  CHECK(features.spatial > count / 3);
  CHECK(features.empty < count / 2);
}

}  // namespace

TEST_CASE("mapspace: exact numbers of named small machines") {
  struct Row {
    const char* name;
    const char* einsum;
    std::map<std::string, std::int64_t> extents;
    MapspaceOptions options;
    std::vector<std::uint64_t> by_depth;  // before capacity
  };
  const MapspaceOptions ragged, perfect{Factors::kPerfect, Stores::kEven};
  const std::vector<Row> rows = {
      {"dram", "O[m,n] += A[m,k] * B[k,n]", {{"m", 3}, {"n", 5}, {"k", 2}}, ragged, {0, 0, 0, 6}},
      {"buffer",
       "O[m,n] += A[m,k] * B[k,n]",
       {{"m", 3}, {"n", 5}, {"k", 2}},
       ragged,
       {0, 0, 0, 24, 80, 72}},
      {"buffer", "O[p] += I[p+r] * W[r]", {{"p", 6}, {"r", 4}}, perfect, {0, 0, 6, 12, 8}},
      {"array", "O[p] += I[p+r] * W[r]", {{"p", 6}, {"r", 4}}, ragged, {0, 0, 12, 221, 877, 367}},
      {"mesh array", "O[p,k] += I[p] * W[k]", {{"p", 6}, {"k", 4}}, perfect, {0, 0, 12, 111, 198}},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    const Result<Problem> problem = parse_einsum(row.einsum, row.extents);
    REQUIRE(problem.ok());
    const Result<Mapspace> space = Mapspace::create(*problem, machine(row.name), row.options);
    REQUIRE(space.ok());
    const Result<Census> census = take_census(*space, Conventions());
    REQUIRE(census.ok());
    CHECK(census->all_by_depth == as_counts(row.by_depth));
    const Result<Numbering> numbering = Numbering::create(*space);
    REQUIRE(numbering.ok());
    CHECK(numbering->size() == census->all);
    std::vector<std::uint64_t> listed(row.by_depth.size());
    const Status walked = for_each_point(*space, [&](const Point& point) {
      std::size_t depth = 0;
      for (const auto& loops : point.slots) depth += loops.size();
      ++listed.at(depth);
      return true;
    });
    REQUIRE(walked.ok());
    CHECK(listed == row.by_depth);
    const auto brute = brute_force(*problem, machine(row.name), row.options, 100000);
    REQUIRE(brute);
    CHECK(BigCount(brute->size()) == numbering->size());
  }
}

TEST_CASE("mapspace: samples are uniform and repeatable") {
  const Result<Problem> problem =
      parse_einsum("O[m,n] += A[m,k] * B[k,n]", {{"m", 3}, {"n", 2}, {"k", 4}});
  const Result<Mapspace> space = Mapspace::create(*problem, machine("buffer"), {});
  REQUIRE(space.ok());
  Result<Numbering> numbering = Numbering::create(*space);
  REQUIRE(numbering.ok());
  const std::uint64_t size = numbering->size().limbs().at(0);
  REQUIRE(size > 100);
  REQUIRE(size < 2000);
  std::vector<double> seen(size);
  std::mt19937_64 random(7), again(7);
  const double expected = 20;
  const auto draws = static_cast<std::uint64_t>(expected) * size;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const Result<Point> point = numbering->sample(random);
    REQUIRE(point.ok());
    if (i < 100) REQUIRE(*numbering->sample(again) == *point);
    ++seen.at(numbering->rank(*point)->limbs().empty() ? 0 : numbering->rank(*point)->limbs()[0]);
  }
  double chi_square = 0;
  for (const double count : seen) chi_square += (count - expected) * (count - expected) / expected;
  // Mean size - 1, deviation sqrt(2 (size - 1)): four deviations either way.
  const auto freedom = static_cast<double>(size - 1);
  CHECK(std::abs(chi_square - freedom) < 4 * std::sqrt(2 * freedom));
}

TEST_CASE("mapspace: closed form, enumeration and brute force agree") {
  check_worlds(1, 300, 1500);
}

TEST_CASE("mapspace: closed form, enumeration and brute force agree on many worlds", "[long]") {
  check_worlds(1'000'000, 5000, 10000);
}

}  // namespace loopscape
