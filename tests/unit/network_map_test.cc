// map_network() on small machines against every mapping of every layer, in every combination.
#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "mapper/network/network.h"

using namespace loopscape;

namespace {

Arch machine(int bandwidth, int words) {
  const std::string text = R"({"word_bits": 8, "nodes": [
      {"memory": "DRAM", "bandwidth_bits": )" +
                           std::to_string(bandwidth) +
                           R"(, "energy_pj": {"read": 50, "write": 50, "update": 50}},
      {"memory": "Buffer", "words": )" +
                           std::to_string(words) +
                           R"(, "energy_pj": {"read": 3, "write": 3, "update": 3}},
      {"fanout": "PEs", "axes": {"x": 4},
       "network": {"class": "multicast_bus", "multicast": ["input", "weight"], "reduce": ["output"],
                   "energy_pj_per_bit_hop": 1}},
      {"compute": "MAC", "energy_pj": {"compute": 1}}]})";
  const Result<Arch> arch = parse_arch(text);
  REQUIRE(arch.status().to_string() == "");
  return *arch;
}

LayerNetwork network_of(const std::string& layers) {
  const Result<LayerNetwork> network = parse_network(R"({"layers": [)" + layers + "]}");
  REQUIRE(network.status().to_string() == "");
  return *network;
}

std::vector<Conventions> conventions_of(const LayerNetwork& network) {
  return std::vector<Conventions>(network.layers.size());
}

NetworkResult mapped(const LayerNetwork& network, const Arch& arch, const NetworkRequest& request) {
  Result<NetworkResult> found =
      map_network(network, arch, *costs_in_spec(arch), conventions_of(network), request);
  REQUIRE(found.status().to_string() == "");
  return std::move(found).value();
}

using Points = std::vector<EnergyCycles>;

// All different (energy, cycles) of the legal mappings.
Points every_point(const Problem& problem, const Arch& arch, const MapspaceOptions& options) {
  const Result<Mapspace> space = Mapspace::create(problem, arch, options);
  const Result<Evaluator> evaluator = Evaluator::create(problem, arch, {}, *costs_in_spec(arch));
  REQUIRE(space.ok());
  REQUIRE(evaluator.ok());
  const ScratchPtr scratch = evaluator->make_scratch();
  std::set<std::pair<double, std::int64_t>> all;
  const Status status = for_each_point(*space, [&](const Point& point) {
    const Cost cost = evaluator->evaluate(space->mapping(point), *scratch);
    if (cost.ok()) all.emplace(cost.energy_pj, cost.cycles);
    return true;
  });
  REQUIRE(status.ok());
  Points points;
  for (const auto& [energy, cycles] : all) points.push_back({energy, cycles});
  return points;
}

// Every copy of every layer with every mapping, as long as it is not dominated outright.
Points every_sum(const LayerNetwork& network, const Arch& arch, const MapspaceOptions& options) {
  Points sums = {{0, 0}};
  for (const Problem& layer : network.layers) {
    const Points points = every_point(layer, arch, options);
    for (std::uint64_t copy = 0; copy < layer.count; ++copy) {
      std::set<std::pair<double, std::int64_t>> next;
      for (const EnergyCycles& sum : sums) {
        for (const EnergyCycles& point : points) {
          next.emplace(sum.energy_pj + point.energy_pj, sum.cycles + point.cycles);
        }
      }
      sums.clear();
      for (const auto& [energy, cycles] : next) {
        if (sums.empty() || cycles < sums.back().cycles) sums.push_back({energy, cycles});
      }
    }
  }
  return sums;
}

double value_of(Objective objective, const EnergyCycles& at) {
  return objective_value(objective, at.energy_pj, static_cast<double>(at.cycles));
}

constexpr Objective kObjectives[] = {Objective::kEnergy, Objective::kDelay, Objective::kEdp,
                                     Objective::kEd2p};

std::string random_layer(std::mt19937& random, int index) {
  const auto draw = [&](int least, int most) {
    return std::to_string(std::uniform_int_distribution(least, most)(random));
  };
  const std::string head =
      R"({"name": "l)" + std::to_string(index) + R"(", "count": )" + draw(1, 3) + ", ";
  if (draw(0, 1) == "0") {
    return head + R"("op": "gemm", "m": )" + draw(1, 6) + R"(, "n": )" + draw(1, 6) + R"(, "k": )" +
           draw(1, 6) + "}";
  }
  return head + R"("einsum": "O[k,p] += I[c,p+r] * W[k,c,r]", "dims": {"k": )" + draw(1, 4) +
         R"(, "p": )" + draw(1, 6) + R"(, "c": )" + draw(1, 3) + R"(, "r": )" + draw(1, 3) + "}}";
}

struct World {
  LayerNetwork network;
  Arch arch;
};

World random_world(std::mt19937& random) {
  std::string layers;
  const int size = std::uniform_int_distribution(2, 3)(random);
  for (int i = 0; i < size; ++i) layers += (i == 0 ? "" : ", ") + random_layer(random, i);
  const int bandwidth = std::uniform_int_distribution(4, 40)(random);
  const int words = std::uniform_int_distribution(8, 40)(random);
  return {network_of(layers), machine(bandwidth, words)};
}

}  // namespace

TEST_CASE("the best network of small worlds is the best of all combinations", "[network]") {
  std::mt19937 random(7);
  MapspaceOptions options;
  options.factors = Factors::kPerfect;
  int own_bests_wrong = 0, long_fronts = 0, widened = 0, by_fronts = 0;
  for (int w = 0; w < 120; ++w) {
    const World world = random_world(random);
    const Points sums = every_sum(world.network, world.arch, options);
    INFO("world " << w << ": " << network_to_json(world.network));
    for (const Objective objective : kObjectives) {
      double least = HUGE_VAL;
      for (const EnergyCycles& sum : sums) least = std::min(least, value_of(objective, sum));
      NetworkRequest request;
      request.space = options;
      request.goal.objective = objective;
      const NetworkResult found = mapped(world.network, world.arch, request);
      REQUIRE(found.best);
      REQUIRE(found.proved);
      REQUIRE(value_of(objective, found.best->total) == Approx(least).epsilon(1e-12));
      REQUIRE(found.lower_bound == value_of(objective, found.best->total));
      if (objective != Objective::kEdp && objective != Objective::kEd2p) continue;
      REQUIRE(found.prices);
      widened += found.prices->most / found.prices->least > 4;
      request.optimal = false;
      const NetworkResult other = mapped(world.network, world.arch, request);
      REQUIRE_FALSE(other.prices);
      REQUIRE(value_of(objective, other.best->total) == Approx(least).epsilon(1e-12));
      ++by_fronts;
      if (objective != Objective::kEdp) continue;
      EnergyCycles own;
      for (const LayerAnswer& layer : found.layers) {
        const auto count = static_cast<double>(layer.equal.count);
        own.energy_pj += count * layer.found.best->energy_pj;
        own.cycles += static_cast<std::int64_t>(layer.equal.count) * layer.found.best->cycles;
      }
      own_bests_wrong += value_of(objective, own) > least * (1 + 1e-9);
    }
    NetworkRequest request;
    request.space = options;
    request.goal.front = true;
    const NetworkResult found = mapped(world.network, world.arch, request);
    REQUIRE(found.front_gap == 0);
    REQUIRE(found.front.size() == sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      REQUIRE(found.front[i].total.cycles == sums[i].cycles);
      REQUIRE(found.front[i].total.energy_pj == Approx(sums[i].energy_pj).epsilon(1e-12));
    }
    long_fronts += sums.size() > 3;
  }
  CHECK(long_fronts > 20);
  CHECK(own_bests_wrong > 2);
  CHECK(widened > 5);
  CHECK(by_fronts == 240);
  CHECK(widened < by_fronts / 2);
}

TEST_CASE("bounds are those of the whole network", "[network]") {
  std::mt19937 random(8);
  MapspaceOptions options;
  options.factors = Factors::kPerfect;
  int inside = 0, nothing = 0;
  for (int w = 0; w < 60; ++w) {
    const World world = random_world(random);
    const Points sums = every_sum(world.network, world.arch, options);
    NetworkRequest request;
    request.space = options;
    request.goal.objective = kObjectives[w % 4];
    const EnergyCycles& some = sums[random() % sums.size()];
    if (w % 3 != 0) request.goal.max_cycles = static_cast<double>(some.cycles);
    if (w % 3 != 1) request.goal.max_energy_pj = some.energy_pj * (1 + 1e-9);
    if (w % 5 == 0) request.goal.max_cycles = static_cast<double>(sums.back().cycles - 1);
    double least = HUGE_VAL;
    for (const EnergyCycles& sum : sums) {
      if (request.goal.max_cycles && static_cast<double>(sum.cycles) > *request.goal.max_cycles) {
        continue;
      }
      if (request.goal.max_energy_pj && sum.energy_pj > *request.goal.max_energy_pj) continue;
      least = std::min(least, value_of(request.goal.objective, sum));
    }
    const NetworkResult found = mapped(world.network, world.arch, request);
    REQUIRE(found.proved);
    REQUIRE(found.best.has_value() == (least < HUGE_VAL));
    if (!found.best) {
      ++nothing;
      REQUIRE(found.least);
      REQUIRE(found.least->cycles == sums.back().cycles);
      REQUIRE(found.least->energy_pj == Approx(sums.front().energy_pj).epsilon(1e-12));
      continue;
    }
    ++inside;
    REQUIRE(value_of(request.goal.objective, found.best->total) == Approx(least).epsilon(1e-12));
  }
  CHECK(inside > 30);
  CHECK(nothing > 5);
}

TEST_CASE("a network's limit leaves a true lower bound, the same each time", "[network]") {
  std::mt19937 random(9);
  MapspaceOptions options;
  options.factors = Factors::kPerfect;
  int open = 0, found_some = 0;
  for (int w = 0; w < 50; ++w) {
    const World world = random_world(random);
    const Points sums = every_sum(world.network, world.arch, options);
    NetworkRequest request;
    request.space = options;
    request.goal.objective = kObjectives[w % 4];
    double least = HUGE_VAL;
    for (const EnergyCycles& sum : sums) {
      least = std::min(least, value_of(request.goal.objective, sum));
    }
    for (const std::uint64_t work : {0, 1, 7, 40, 200, 1000}) {
      request.limits.max_work = work;
      const NetworkResult found = mapped(world.network, world.arch, request);
      const NetworkResult again = mapped(world.network, world.arch, request);
      REQUIRE(again.best == found.best);
      REQUIRE(again.lower_bound == found.lower_bound);
      open += !found.proved;
      if (!found.best) continue;
      const double value = value_of(request.goal.objective, found.best->total);
      found_some += !found.proved;
      REQUIRE(value >= least * (1 - 1e-12));
      REQUIRE(found.lower_bound <= least * (1 + 1e-12));
      if (found.proved) REQUIRE(value == Approx(least).epsilon(1e-12));
    }
  }
  CHECK(open > 20);
  CHECK(found_some > 10);
}

TEST_CASE("time limits and interruptions end a network's searches", "[network]") {
  const Arch arch = machine(16, 4096);
  std::string layers;
  for (int i = 0; i < 6; ++i) {
    layers += (i == 0 ? "" : ", ") + std::string(R"({"op": "conv2d", "name": "l)") +
              std::to_string(i) + R"(", "k": )" + std::to_string(48 + 12 * i) +
              R"(, "c": 60, "p": 60, "q": 60, "r": 3, "s": 3})";
  }
  const LayerNetwork network = network_of(layers);
  NetworkRequest request;
  request.limits.seconds = 0.3;
  const NetworkResult limited = mapped(network, arch, request);
  CHECK_FALSE(limited.proved);
  std::atomic<bool> stop{true};
  request.limits = {};
  request.limits.stop = &stop;
  const NetworkResult stopped = mapped(network, arch, request);
  CHECK_FALSE(stopped.proved);
  CHECK_FALSE(stopped.best);
}

TEST_CASE("equal layers are searched once", "[network]") {
  const LayerNetwork network = network_of(
      R"({"op": "gemm", "name": "a", "m": 2, "n": 3, "k": 4, "count": 2},
         {"op": "gemm", "name": "b", "m": 2, "n": 3, "k": 5},
         {"op": "gemm", "name": "c", "m": 2, "n": 3, "k": 4, "comment": "again"},
         {"op": "gemm", "name": "d", "m": 2, "n": 3, "k": 4, "tensors": {"O": {"bits": 16}}})");
  std::vector<Conventions> conventions = conventions_of(network);
  std::vector<EqualLayers> equal = equal_layers(network, conventions);
  REQUIRE(equal.size() == 3);
  CHECK(equal[0].layers == std::vector<std::size_t>{0, 2});
  CHECK(equal[0].count == 3);
  CHECK(equal[1].layers == std::vector<std::size_t>{1});
  CHECK(equal[2].layers == std::vector<std::size_t>{3});
  conventions[2] = Conventions::timeloop();
  CHECK(equal_layers(network, conventions).size() == 4);

  std::vector<std::string> searched;
  NetworkRequest request;
  request.progress = [&](std::size_t, std::size_t, const std::string& layer) {
    searched.push_back(layer);
  };
  request.goal.objective = Objective::kEnergy;
  request.space.factors = Factors::kPerfect;
  CHECK(mapped(network, machine(16, 64), request).proved);
  CHECK(searched == std::vector<std::string>{"a", "b", "d"});
  request.goal.objective = Objective::kEdp;
  searched.clear();
  CHECK(mapped(network, machine(16, 64), request).proved);
  CHECK(std::set<std::string>(searched.begin(), searched.end()) ==
        std::set<std::string>{"a", "b", "d"});
}

TEST_CASE("a layer that fits nowhere is named", "[network]") {
  Arch arch = machine(16, 16);
  arch.memories[1].keep = {"input", "weight", "output"};
  arch.memories[1].size_bits = 16;
  const LayerNetwork network = network_of(R"({"op": "fc", "name": "a", "k": 2, "c": 2},
                                             {"op": "fc", "name": "b", "k": 2, "c": 3})");
  const NetworkResult found = mapped(network, arch, {});
  CHECK(found.proved);
  CHECK_FALSE(found.best);
  REQUIRE(found.without_mapping);
  CHECK(*found.without_mapping == 0);
}
