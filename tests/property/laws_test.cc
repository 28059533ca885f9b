// Laws that no table of numbers states: what is conserved, what can only grow, what may not matter.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/reference/compare.h"
#include "tests/reference/random_settings.h"
#include "tests/reference/simulator.h"

namespace loopscape::reference {
namespace {

constexpr int kWorlds = 4000;

struct Sample {
  Setting setting;
  Mapping mapping;
};

// Worlds that the model prices, seeded one by one.
template <class Check>
void for_worlds(int worlds, const Check& check) {
  int priced = 0;
  for (int seed = 1; seed <= worlds; ++seed) {
    Random random(static_cast<std::uint64_t>(seed) + 1'000'000'000);
    Sample sample{random_setting(random), {}};
    sample.mapping = random_nest(sample.setting, random);
    const Setting& s = sample.setting;
    const Result<Evaluator> evaluator =
        Evaluator::create(s.problem, s.arch, s.conventions, s.costs);
    REQUIRE(evaluator.ok());
    const Result<Breakdown> breakdown = evaluator->explain(sample.mapping);
    if (!breakdown.ok()) continue;
    ++priced;
    INFO("seed " << seed);
    check(sample, *evaluator, *breakdown, random);
  }
  CHECK(priced * 10 >= worlds * 8);
}

// A tensor's boundaries: where its words leave, the fan-outs with lanes between, outermost first,
// and the store that they reach (none: compute).
struct Way {
  std::size_t parent = 0;
  std::vector<std::size_t> fanouts;
  std::size_t child = kMaxMemories;
};

std::vector<Way> ways_of(const Sample& sample, std::size_t tensor) {
  std::vector<Way> ways;
  for (const MappingNode& node : sample.mapping) {
    if (node.kind == LoopKind::kStore && (node.tensors >> tensor & 1) != 0) {
      if (!ways.empty()) ways.back().child = node.id;
      ways.push_back({node.id, {}, kMaxMemories});
    }
    if (node.kind == LoopKind::kSpatial && node.bound > 1) {
      const std::size_t f = index(sample.setting.arch.fanout_of(node.axis_id()));
      std::vector<std::size_t>& passed = ways.back().fanouts;
      if (std::find(passed.begin(), passed.end(), f) == passed.end()) passed.push_back(f);
    }
  }
  return ways;
}

void check_conservation(const Way& way, const Breakdown& b, std::size_t tensor, bool output) {
  const Traffic& parent = b.memories[way.parent].tensors[tensor].words;
  const bool compute = way.child == kMaxMemories;
  const Traffic child = compute ? Traffic{} : b.memories[way.child].tensors[tensor].words;
  const std::int64_t sent = output ? parent.updates : parent.reads;
  const std::int64_t arrived = output ? child.drains : child.fills;
  if (way.fanouts.empty()) {
    if (!compute) CHECK(sent == arrived);
    return;
  }
  const auto at = [&](std::size_t i) -> const TensorAtNetwork& {
    return b.fanouts[way.fanouts[i]].tensors[tensor];
  };
  const std::size_t last = way.fanouts.size() - 1;
  CHECK((output ? at(0).words_out : at(0).words_in) == sent);
  if (!compute) CHECK((output ? at(last).words_collected : at(last).words_delivered) == arrived);
  if (output && !compute) CHECK(at(last).words_delivered == child.fills);
  for (std::size_t i = 0; i < last; ++i) {
    CHECK(at(i).words_delivered == at(i + 1).words_in);
    CHECK(at(i).words_collected == at(i + 1).words_out);
  }
  for (std::size_t i = 0; i <= last; ++i) {
    CHECK(at(i).reductions <= at(i).words_collected - at(i).words_out);
    CHECK(at(i).forwarded <= at(i).words_delivered);
  }
}

// The problem with its dimensions numbered backwards and renamed, and the mapping that goes with
// it.
Sample renumbered(const Sample& sample) {
  Sample other = sample;
  std::vector<Dim>& dims = other.setting.problem.dims;
  const std::size_t count = dims.size();
  const auto to = [&](DimId d) { return static_cast<DimId>(count - 1 - index(d)); };
  std::reverse(dims.begin(), dims.end());
  for (Dim& dim : dims) dim.name = "other_" + dim.name;
  for (Tensor& tensor : other.setting.problem.tensors) {
    const DimMask relevant = tensor.relevant, sliding = tensor.sliding;
    tensor.relevant = tensor.sliding = 0;
    for (std::size_t d = 0; d < count; ++d) {
      const auto id = static_cast<DimId>(d);
      if ((relevant & bit(id)) != 0) tensor.relevant |= bit(to(id));
      if ((sliding & bit(id)) != 0) tensor.sliding |= bit(to(id));
    }
    for (Rank& rank : tensor.ranks) {
      std::reverse(rank.terms.begin(), rank.terms.end());
      for (Term& term : rank.terms) term.dim = to(term.dim);
    }
  }
  for (std::size_t i = 0; i < other.mapping.size(); ++i) {
    MappingNode& node = other.mapping[i];
    if (node.kind != LoopKind::kStore) node.id = static_cast<std::uint8_t>(to(node.dim()));
  }
  return other;
}

std::int64_t cycles_of(const Setting& s, const Mapping& mapping) {
  const Result<Evaluator> evaluator = Evaluator::create(s.problem, s.arch, s.conventions, s.costs);
  REQUIRE(evaluator.ok());
  const Result<Breakdown> breakdown = evaluator->explain(mapping);
  REQUIRE(breakdown.ok());
  return breakdown->cycles;
}

// Twice one of the bandwidths that the architecture states; null when it states none.
std::optional<double>* some_bandwidth(Arch& arch, Random& random) {
  std::vector<std::optional<double>*> stated;
  for (Memory& memory : arch.memories) {
    for (auto* rate : {&memory.read_bits, &memory.write_bits, &memory.bandwidth_bits}) {
      if (*rate) stated.push_back(rate);
    }
  }
  for (Fanout& fanout : arch.fanouts) {
    for (Network& network : fanout.networks) {
      if (network.bandwidth_bits) stated.push_back(&network.bandwidth_bits);
    }
  }
  if (stated.empty()) return nullptr;
  return stated[static_cast<std::size_t>(
      draw(random, 0, static_cast<std::int64_t>(stated.size()) - 1))];
}

}  // namespace

TEST_CASE("laws: what leaves one end of a boundary arrives at the other") {
  for_worlds(kWorlds, [](const Sample& sample, const Evaluator&, const Breakdown& b, Random&) {
    for (std::size_t t = 0; t < sample.setting.problem.tensors.size(); ++t) {
      const bool output = sample.setting.problem.tensors[t].is_output;
      for (const Way& way : ways_of(sample, t)) check_conservation(way, b, t, output);
    }
  });
}

TEST_CASE("laws: a partial sum is read back as often as it was left unfinished") {
  for_worlds(kWorlds, [](const Sample& sample, const Evaluator&, const Breakdown& b, Random&) {
    const std::size_t t = index(sample.setting.problem.output());
    std::int64_t words = 1;  // of the whole output: the outermost memory's tile
    for (const Way& way : ways_of(sample, t)) {
      const TensorAtMemory& parent = b.memories[way.parent].tensors[t];
      CHECK(parent.words.reads <= parent.words.updates);
      CHECK(parent.words.fills <= parent.words.drains);
      words = std::max(words, parent.tile_words);
    }
    if (sample.setting.conventions.footprint == Conventions::Footprint::kBox) return;
    const TensorAtMemory& outermost = b.memories[0].tensors[t];
    CHECK(outermost.words.updates - outermost.words.reads == words);
  });
}

TEST_CASE("laws: totals are the sums of their parts, bit for bit") {
  for_worlds(kWorlds, [](const Sample& sample, const Evaluator&, const Breakdown& b, Random&) {
    double energy = 0;
    for (const MemoryReport& memory : b.memories) {
      double of_memory = 0;
      for (std::size_t t = 0; t < sample.setting.problem.tensors.size(); ++t) {
        of_memory += memory.tensors[t].energy_pj;
      }
      CHECK(memory.energy_pj == of_memory);
      energy += memory.energy_pj;
    }
    for (const FanoutReport& fanout : b.fanouts) energy += fanout.energy_pj;
    energy += b.compute.energy_pj;
    for (const MemoryReport& memory : b.memories) energy += memory.leakage_pj;
    energy += b.compute.leakage_pj;
    CHECK(b.energy_pj == energy);
    REQUIRE(b.bottleneck < b.time.size());
    bool exposed = false;
    for (const TimePart& part : b.time) {
      CHECK(part.cycles >= 0);
      CHECK(!(exposed && part.overlapped()));  // overlapped parts come first
      exposed |= !part.overlapped();
    }
  });
}

TEST_CASE("laws: totals are the sums over the instances of the simulator") {
  for_worlds(kWorlds / 4, [](const Sample& sample, const Evaluator&, const Breakdown& b, Random&) {
    const Setting& s = sample.setting;
    const Result<Simulation> oracle =
        simulate_in_detail(s.problem, s.arch, s.conventions, s.costs, sample.mapping);
    REQUIRE(oracle.ok());
    for (std::size_t m = 0; m < s.arch.memories.size(); ++m) {
      for (std::size_t t = 0; t < s.problem.tensors.size(); ++t) {
        Traffic sum;
        std::int64_t working = 0;
        for (const InstanceCounts& each : oracle->counts[m][t]) {
          sum.reads += each.words.reads;
          sum.fills += each.words.fills;
          sum.updates += each.words.updates;
          sum.drains += each.words.drains;
          working += each.words != Traffic{};
        }
        CHECK(b.memories[m].tensors[t].words == sum);
        CHECK(working <= b.memories[m].instances_used);
      }
    }
  });
}

TEST_CASE("laws: one by one, in a batch and explained, the cost is the same") {
  for_worlds(kWorlds / 4, [](const Sample& sample, const Evaluator& evaluator, const Breakdown& b,
                             Random& random) {
    std::vector<Mapping> mappings = {sample.mapping};
    for (int i = 0; i < 7; ++i) mappings.push_back(random_nest(sample.setting, random));
    const ScratchPtr used = evaluator.make_scratch(), fresh = evaluator.make_scratch();
    std::vector<Cost> costs(mappings.size());
    evaluator.evaluate_batch(mappings, costs, *used);
    CHECK(costs[0].energy_pj == b.energy_pj);
    CHECK(costs[0].cycles == b.cycles);
    for (std::size_t i = mappings.size(); i-- > 0;) {  // in another order
      const Cost one = evaluator.evaluate(mappings[i], *fresh);
      const Result<Breakdown> why = evaluator.explain(mappings[i]);
      CHECK(one.status == costs[i].status);
      CHECK(one.status == why.status().code());
      if (!one.ok()) continue;
      CHECK(one.energy_pj == costs[i].energy_pj);
      CHECK(one.cycles == costs[i].cycles);
      CHECK(one.energy_pj == why->energy_pj);
      CHECK(one.cycles == why->cycles);
    }
  });
}

TEST_CASE("laws: more bandwidth is never slower") {
  for_worlds(kWorlds,
             [](const Sample& sample, const Evaluator&, const Breakdown& b, Random& random) {
               Setting faster = sample.setting;
               std::optional<double>* const rate = some_bandwidth(faster.arch, random);
               if (rate == nullptr) return;
               *rate = **rate * (chance(random, 50) ? 2 : 1.1);
               CHECK(cycles_of(faster, sample.mapping) <= b.cycles);
               rate->reset();
               CHECK(cycles_of(faster, sample.mapping) <= b.cycles);
             });
}

TEST_CASE("laws: names and numbers of dimensions do not matter") {
  for_worlds(kWorlds, [](const Sample& sample, const Evaluator&, const Breakdown& b, Random&) {
    const Sample other = renumbered(sample);
    const Setting& s = other.setting;
    const Result<Evaluator> evaluator =
        Evaluator::create(s.problem, s.arch, s.conventions, s.costs);
    REQUIRE(evaluator.ok());
    const Result<Breakdown> same = evaluator->explain(other.mapping);
    INFO(describe(sample.setting, sample.mapping));
    REQUIRE(same.ok());
    CHECK(same->energy_pj == b.energy_pj);
    CHECK(same->cycles == b.cycles);
    CHECK(same->memories[0].tensors[0].words == b.memories[0].tensors[0].words);
  });
}

}  // namespace loopscape::reference
