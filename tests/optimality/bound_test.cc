// Movement bounds against every mapping of small worlds.
#include "mapper/bound/bound.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>

#include "model/evaluate/evaluate.h"
#include "tests/optimality/brute_force.h"
#include "tests/optimality/mapspace_worlds.h"

namespace loopscape {
namespace {

using Key = std::pair<std::size_t, TensorMask>;      // memory, tensors that it keeps
using Steps = std::map<std::int64_t, std::int64_t>;  // bits -> words
using Staircases = std::map<Key, Steps>;

// Words that the parents of the memory's tensors read for it and update from it.
std::int64_t words_at_parents(const Mapping& mapping, const Breakdown& breakdown,
                              std::size_t memory, TensorMask tensors) {
  std::int64_t words = 0;
  for (std::size_t t = 0; t < kMaxTensors; ++t) {
    if ((tensors >> t & 1u) == 0) continue;
    std::size_t parent = 0;
    for (const MappingNode& node : mapping) {
      if (node.kind != LoopKind::kStore || (node.tensors >> t & 1u) == 0) continue;
      if (node.id == memory) break;
      parent = node.id;
    }
    const Traffic& traffic = breakdown.memories[parent].tensors[t].words;
    words += traffic.reads + traffic.updates;
  }
  return words;
}

std::map<std::size_t, TensorMask> kept_in(const Mapping& mapping) {
  std::map<std::size_t, TensorMask> kept;
  bool outermost = true;
  for (const MappingNode& node : mapping) {
    if (node.kind != LoopKind::kStore) continue;
    if (!outermost) kept[node.id] = static_cast<TensorMask>(kept[node.id] | node.tensors);
    outermost = false;
  }
  return kept;
}

struct Truth {
  std::size_t mappings = 0, refused = 0;
  Staircases all;  // every pair of bits and words that is met, fewest words only
};

void add(const Mapping& mapping, const Evaluator& evaluator, Truth& truth) {
  const Result<Breakdown> breakdown = evaluator.explain(mapping);
  ++truth.mappings;
  for (const auto& [memory, tensors] : kept_in(mapping)) {
    Steps& steps = truth.all[{memory, tensors}];
    if (!breakdown.ok()) continue;
    const std::int64_t bits = breakdown->memories[memory].occupied_bits;
    const std::int64_t words = words_at_parents(mapping, *breakdown, memory, tensors);
    const auto known = steps.find(bits);
    if (known == steps.end() || words < known->second) steps[bits] = words;
  }
  if (!breakdown.ok()) ++truth.refused;
}

Steps staircase(const Steps& met) {
  Steps steps;
  std::int64_t least = INT64_MAX;
  for (const auto& [bits, words] : met) {
    if (words >= least) continue;
    least = words;
    steps[bits] = words;
  }
  return steps;
}

struct Tally {
  std::size_t worlds = 0, mappings = 0, bounds = 0, steps = 0, untold = 0, refused = 0;
};

// What is wrong with the bounds of this world; empty: nothing. `independent`: against brute_force()
// rather than the mapspace's own enumeration.
std::string check(const World& world, bool independent, std::size_t most, Tally& tally) {
  const Problem& problem = world.setting.problem;
  const Arch bare = without_limits(world.setting.arch);
  Conventions conventions = world.setting.conventions;
  conventions.reuse = Conventions::Reuse::kMarch;
  const Result<Evaluator> evaluator = Evaluator::create(problem, bare, conventions, ActionCosts());
  const Result<Mapspace> space = Mapspace::create(problem, bare, {world.options.factors, {}});
  if (!evaluator.ok() || !space.ok()) return "";
  Truth truth;
  if (independent) {
    const auto mappings = brute_force(problem, bare, space->options(), most);
    if (!mappings) return "";
    for (const Mapping& mapping : *mappings) add(mapping, *evaluator, truth);
  } else {
    const Result<Numbering> numbering = Numbering::create(*space);
    if (!numbering.ok() || numbering->size() > BigCount(most)) return "";
    const Status status = for_each_point(*space, [&](const Point& point) {
      add(space->mapping(point), *evaluator, truth);
      return true;
    });
    if (!status.ok()) return "";
  }
  const Result<MovementBounds> bounds =
      movement_bounds(problem, world.setting.arch, conventions, world.options.factors);
  if (!bounds.ok()) return bounds.status().to_string();
  ++tally.worlds;
  tally.mappings += truth.mappings;
  tally.refused += truth.refused;
  if (bounds->bounds.size() != truth.all.size()) return "other memories and tensors\n";
  std::string wrong;
  for (const MovementBound& bound : bounds->bounds) {
    if (!bound.untold.empty()) {
      ++tally.untold;
      continue;
    }
    ++tally.bounds;
    const auto met = truth.all.find({bound.memory, bound.tensors});
    if (met == truth.all.end()) return "a set of tensors that no mapping keeps\n";
    Steps told;
    for (const BoundStep& step : bound.steps) {
      ++tally.steps;
      told[step.capacity_bits] = step.words;
      const Result<Point> point = space->point_of(step.mapping);
      const Result<Breakdown> breakdown = evaluator->explain(step.mapping);
      if (!point.ok()) wrong += "outside of the space: " + point.status().message() + "\n";
      if (!breakdown.ok()) {
        wrong += breakdown.status().message() + "\n";
        continue;
      }
      if (breakdown->memories[bound.memory].occupied_bits != step.capacity_bits ||
          words_at_parents(step.mapping, *breakdown, bound.memory, bound.tensors) != step.words) {
        wrong +=
            "a step's own mapping says otherwise\n" + mapping_to_text(step.mapping, problem, bare);
      }
    }
    const Steps truly = staircase(met->second);
    if (told == truly && bound.complete && told.size() == bound.steps.size()) continue;
    wrong += "memory " + bare.memories[bound.memory].name + ", tensors " +
             std::to_string(bound.tensors) + ":\n  told";
    for (const auto& [bits, words] : told)
      wrong += " " + std::to_string(bits) + ":" + std::to_string(words);
    wrong += "\n  true";
    for (const auto& [bits, words] : truly)
      wrong += " " + std::to_string(bits) + ":" + std::to_string(words);
    wrong += "\n";
  }
  return wrong;
}

// One memory or two, each keeping several tensors, and long dimensions: long staircases.
World roomy_world(reference::Random& random) {
  using reference::chance;
  using reference::draw;
  static const std::array<const char*, 6> kEinsums = {
      "O[m,n] += A[m,k] * B[k,n]",     "O[p,k] += I[p+r] * W[k,r]", "O[p] += I[2*p+r,c] * W[c,r]",
      "O[p,k] += I[c,p+2*r] * W[c,k]", "O[p,q] += I[p+r,q] * W[r]", "O[p+r] += I[p,k] * W[r,k]",
  };
  const std::string text = kEinsums[static_cast<std::size_t>(draw(random, 0, 5))];
  std::map<std::string, std::int64_t> extents;
  for (const char name : text) {
    if (name >= 'a' && name <= 'z') extents[std::string(1, name)] = draw(random, 2, 8);
  }
  Problem problem = *parse_einsum(text, extents);
  for (Tensor& tensor : problem.tensors) {
    tensor.bits = static_cast<std::uint32_t>(4 * draw(random, 1, 5));
  }
  reference::ArchBuilder builder;
  builder.memory("DRAM");
  const std::int64_t fanout = draw(random, 0, 3);  // above the memory, below it, none
  const auto add_fanout = [&] {
    Fanout& its = builder.fanout("F", {static_cast<std::uint32_t>(draw(random, 2, 4))});
    for (const Tensor& tensor : problem.tensors) {
      if (chance(random, 70)) continue;
      auto& sharing = tensor.is_output ? its.networks[0].reduce : its.networks[0].multicast;
      std::erase(sharing, tensor.name);
    }
    if (chance(random, 20)) its.networks[0].forward = {problem.tensors[1].name};
  };
  if (fanout == 0) add_fanout();
  Memory& memory = builder.memory("M");
  const auto spared = static_cast<std::size_t>(draw(random, 0, 4));
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    (t == spared ? memory.bypass : memory.keep).push_back(problem.tensors[t].name);
  }
  if (fanout == 1) add_fanout();
  World world;
  world.options.factors = chance(random, 50) ? Factors::kRagged : Factors::kPerfect;
  Conventions conventions;
  if (chance(random, 30)) conventions = Conventions::timeloop();
  world.setting = reference::make_setting(std::move(problem), builder.done(), conventions);
  return world;
}

void check_worlds(World (*make)(reference::Random&), std::uint64_t first, std::uint64_t last,
                  bool independent, std::size_t most) {
  Tally tally;
  for (std::uint64_t seed = first; seed < last; ++seed) {
    reference::Random random(seed);
    const World world = make(random);
    const std::string wrong = check(world, independent, most, tally);
    INFO("seed " << seed << "\n" << wrong << describe(world));
    CHECK(wrong.empty());
  }
  WARN(tally.worlds << " worlds, " << tally.mappings << " mappings (" << tally.refused
                    << " that the model does not count), " << tally.bounds << " staircases of "
                    << tally.steps << " steps, " << tally.untold << " not told");
  CHECK(tally.worlds * 3 > last - first);
  CHECK(tally.bounds > tally.worlds / 2);
}

TEST_CASE("movement bounds are exact on random worlds") {
  check_worlds(&random_world, 2000, 2450, false, 20'000);
}
TEST_CASE("movement bounds with long staircases are exact") {
  check_worlds(&roomy_world, 2800, 2950, false, 30'000);
}
TEST_CASE("movement bounds are exact against an enumeration of its own") {
  check_worlds(&random_world, 1000, 1060, true, 3'000);
  check_worlds(&roomy_world, 1000, 1060, true, 3'000);
}
TEST_CASE("movement bounds are exact on many worlds", "[.long]") {
  check_worlds(&random_world, 3000, 8000, false, 50'000);
  check_worlds(&roomy_world, 3000, 5000, false, 200'000);
}

}  // namespace
}  // namespace loopscape
