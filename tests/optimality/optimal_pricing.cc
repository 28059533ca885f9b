// Every mapping of a small world with its cost, and what the world holds.
#include <algorithm>
#include <utility>

#include "tests/optimality/brute_force.h"
#include "tests/optimality/optimal_worlds.h"

namespace loopscape {
namespace {

// Share of every memory's usable bits that must be filled, where a constraint asks for one.
bool filled(const Arch& arch, const Breakdown& breakdown) {
  for (const Constraint& constraint : arch.constraints) {
    const auto memory = arch.find_memory(constraint.node);
    if (!memory || !constraint.min_utilization) continue;
    const Memory& its = arch.memories[index(*memory)];
    if (!its.size_bits) return false;
    const auto bits = static_cast<double>(breakdown.memories[index(*memory)].occupied_bits);
    if (bits / static_cast<double>(usable_bits(its)) < *constraint.min_utilization) return false;
  }
  return true;
}

class Pricer {
 public:
  Pricer(const Arch& arch, const Evaluator& evaluator)
      : arch_(arch), evaluator_(evaluator), scratch_(evaluator.make_scratch()) {
    for (const Constraint& constraint : arch.constraints) {
      fills_ |= constraint.min_utilization && arch.find_memory(constraint.node);
    }
  }

  void add(const Mapping& mapping, Listing& listing) {
    ++listing.all;
    const Cost cost = evaluator_.evaluate(mapping, *scratch_);
    if (cost.status == StatusCode::kUnsupported) {
      ++listing.refused;
    } else if (!cost.ok() || (fills_ && !filled(arch_, *evaluator_.explain(mapping)))) {
      ++listing.illegal;
    } else {
      listing.priced.push_back({mapping, cost.energy_pj, cost.cycles});
    }
  }

 private:
  const Arch& arch_;
  const Evaluator& evaluator_;
  ScratchPtr scratch_;
  bool fills_ = false;
};

// A world of which more than this is tried in vain is not worth its time.
constexpr CountLimits kListing = [] {
  CountLimits limits;
  limits.most_entries = 100'000;
  limits.most_dead_ends = 1'000'000;
  return limits;
}();

bool has_split_window(const Problem& problem, const Listing& listing) {
  DimMask sliding = 0;
  for (const Tensor& tensor : problem.tensors) sliding |= tensor.sliding;
  return std::any_of(listing.priced.begin(), listing.priced.end(), [&](const Priced& priced) {
    return std::any_of(priced.mapping.begin(), priced.mapping.end(), [&](const MappingNode& node) {
      return node.kind == LoopKind::kSpatial && (sliding >> node.id & 1u) != 0;
    });
  });
}

class Marker {
 public:
  explicit Marker(FeatureSet& features) : features_(features) {}
  void mark(Feature feature, bool present = true) {
    if (present) features_.set(static_cast<std::size_t>(feature));
  }

 private:
  FeatureSet& features_;
};

void mark_quest(const Quest& quest, const Listing& listing, Marker& marker) {
  using F = Feature;
  const Problem& problem = quest.world.setting.problem;
  const Conventions& conventions = quest.world.setting.conventions;
  bool window = false, generated = false;
  for (const Tensor& tensor : problem.tensors) {
    for (const Rank& rank : tensor.ranks) {
      window |= std::count_if(rank.terms.begin(), rank.terms.end(), [&](const Term& term) {
                  return problem.dims[index(term.dim)].extent > 1;
                }) > 1;
      generated |= rank.valid_begin.has_value();
    }
  }
  const bool plain =
      quest.kind == F::kGemm || quest.kind == F::kBatched || quest.kind == F::kElementwise;
  marker.mark(quest.kind, plain || quest.kind == F::kThreeInputs || window);
  marker.mark(F::kGenerated, generated);
  marker.mark(F::kSplitWindow, has_split_window(problem, listing));
  const bool ragged = quest.world.options.factors == Factors::kRagged;
  const bool even = quest.world.options.stores == Stores::kEven;
  marker.mark(ragged ? F::kRagged : F::kPerfect);
  marker.mark(even ? F::kEven : F::kUneven);
  marker.mark(conventions.preset == Conventions::Preset::kPhysical ? F::kPhysical : F::kTimeloop);
  marker.mark(F::kPreviousTile, conventions.reuse == Conventions::Reuse::kPreviousTile);
  static constexpr F kObjectives[] = {F::kEnergy, F::kDelay, F::kEdp, F::kEd2p};
  marker.mark(kObjectives[static_cast<std::size_t>(quest.objective)]);
  marker.mark(F::kMaxCycles, quest.share_by_cycles.has_value());
  marker.mark(F::kMaxEnergy, quest.share_by_energy.has_value());
  marker.mark(F::kFront, quest.front);
  marker.mark(F::kCapacity, listing.illegal > 0);
}

void mark_constraints(const Arch& arch, Marker& marker) {
  using F = Feature;
  for (const Constraint& constraint : arch.constraints) {
    marker.mark(F::kFactors, !constraint.factors.empty());
    marker.mark(F::kOrder, constraint.order.size() > 1);
    marker.mark(F::kDims, !constraint.dims.empty());
    marker.mark(F::kKeep, !constraint.keep.empty());
    marker.mark(F::kBypass, !constraint.bypass.empty());
    if (constraint.min_utilization) {
      marker.mark(arch.find_memory(constraint.node) ? F::kFilled : F::kLanes);
    }
    marker.mark(F::kStationary, !constraint.stationary.empty());
    marker.mark(F::kDataflow, !constraint.dataflow.empty());
  }
}

void mark_machine(const Arch& arch, Marker& marker) {
  using F = Feature;
  static constexpr F kMemories[] = {F::kMemories1, F::kMemories2, F::kMemories3, F::kMemories4};
  static constexpr F kFanouts[] = {F::kFanouts0, F::kFanouts1, F::kFanouts2, F::kFanouts3};
  marker.mark(kMemories[arch.memories.size() - 1]);
  marker.mark(kFanouts[arch.fanouts.size()]);
  for (const Memory& memory : arch.memories) {
    marker.mark(F::kBandwidth, memory.read_bits || memory.write_bits || memory.bandwidth_bits);
    marker.mark(F::kWidth, memory.width_bits > 0);
    marker.mark(F::kLeakage, memory.leakage_mw.value_or(0) > 0);
    marker.mark(F::kLatency, memory.latency_cycles > 0);
    marker.mark(F::kSingle, memory.buffering == Buffering::kSingle);
    marker.mark(F::kDouble, memory.buffering == Buffering::kDouble);
    marker.mark(F::kBuffet, memory.buffering == Buffering::kBuffet);
  }
  for (const Fanout& fanout : arch.fanouts) {
    for (const Axis& axis : fanout.axes) marker.mark(F::kAxisDims, !axis.dims.empty());
    for (const Network& network : fanout.networks) {
      const NetworkClass its = network.network_class;
      marker.mark(F::kNetworkBandwidth, network.bandwidth_bits.has_value());
      marker.mark(F::kHops, network.energy_pj_per_bit_hop > 0);
      marker.mark(F::kSystolic, its == NetworkClass::kSystolic);
      marker.mark(F::kGrid, its == NetworkClass::kMesh || its == NetworkClass::kTree);
      marker.mark(F::kForward, !network.forward.empty());
    }
  }
}

}  // namespace

std::optional<Listing> price_all(const World& world, std::size_t most, bool independent) {
  const reference::Setting& setting = world.setting;
  const Result<Evaluator> evaluator =
      Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs);
  if (!evaluator.ok()) return std::nullopt;
  Pricer pricer(setting.arch, *evaluator);
  Listing listing;
  if (independent) {
    const auto mappings = brute_force(setting.problem, setting.arch, world.options, most);
    if (!mappings) return std::nullopt;
    for (const Mapping& mapping : *mappings) pricer.add(mapping, listing);
    return listing;
  }
  const Result<Mapspace> space = Mapspace::create(setting.problem, setting.arch, world.options);
  if (!space.ok()) return std::nullopt;
  std::vector<Point> points;
  const auto visit = [&](const Point& point) {
    points.push_back(point);
    return points.size() <= most;
  };
  const Status status = for_each_point(*space, visit, kListing);
  if (!status.ok() || points.size() > most) return std::nullopt;
  for (const Point& point : points) pricer.add(space->mapping(point), listing);
  return listing;
}

bool counts(const Listing& listing) {
  if (listing.priced.size() < 100) return false;
  std::vector<std::pair<double, std::int64_t>> costs;
  for (const Priced& priced : listing.priced) costs.emplace_back(priced.energy_pj, priced.cycles);
  std::sort(costs.begin(), costs.end());
  int distinct = 1;
  for (std::size_t i = 1; i < costs.size(); ++i) {
    distinct +=
        costs[i].second != costs[i - 1].second || costs[i].first > costs[i - 1].first * (1 + 1e-9);
  }
  return distinct >= 10;
}

FeatureSet features_of(const Quest& quest, const Listing& listing) {
  FeatureSet features;
  Marker marker(features);
  mark_quest(quest, listing, marker);
  mark_constraints(quest.world.setting.arch, marker);
  mark_machine(quest.world.setting.arch, marker);
  return features;
}

}  // namespace loopscape
