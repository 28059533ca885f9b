#include "tests/optimality/optimal_worlds.h"

#include <algorithm>
#include <cassert>
#include <initializer_list>
#include <map>
#include <utility>

namespace loopscape {
namespace {

using reference::chance;
using reference::draw;
using F = Feature;

bool is_one_of(F feature, std::initializer_list<F> some) {
  return std::find(some.begin(), some.end(), feature) != some.end();
}

class Generator {
 public:
  Generator(reference::Random& random, const FeatureSet& wanted)
      : random_(random), wanted_(wanted) {}

  Quest make() {
    plan();
    einsum_ = einsum();
    Problem problem = make_problem(30);
    Quest quest;
    quest.world.options.factors = has(F::kRagged) ? Factors::kRagged : Factors::kPerfect;
    quest.world.options.stores = has(F::kUneven) ? Stores::kUneven : Stores::kEven;
    Arch arch = make_arch(problem);
    Conventions conventions = has(F::kTimeloop) ? Conventions::timeloop() : Conventions();
    if (has(F::kPreviousTile)) conventions.reuse = Conventions::Reuse::kPreviousTile;
    const Result<ActionCosts> costs = costs_in_spec(arch);
    assert(costs.ok());
    quest.world.setting = {std::move(problem), std::move(arch), conventions, *costs};
    quest.objective = has(F::kEnergy)  ? Objective::kEnergy
                      : has(F::kDelay) ? Objective::kDelay
                      : has(F::kEdp)   ? Objective::kEdp
                                       : Objective::kEd2p;
    for (const F kind : feature_groups()[0]) {
      if (has(kind)) quest.kind = kind;
    }
    quest.front = has(F::kFront);
    if (has(F::kMaxCycles)) quest.share_by_cycles = share();
    if (has(F::kMaxEnergy)) quest.share_by_energy = share();
    return quest;
  }

  // The same kind of problem with about so many operations.
  Problem make_problem(std::int64_t operations) {
    std::map<std::string, std::int64_t> extents;
    std::vector<std::string> names;
    for (const char name : einsum_) {
      if (name < 'a' || name > 'z' || !extents.try_emplace(std::string(1, name), 1).second)
        continue;
      names.emplace_back(1, name);
    }
    while (!names.empty()) {
      const auto at =
          static_cast<std::size_t>(among(0, static_cast<std::int64_t>(names.size()) - 1));
      const bool kernel = names[at] == "r" || names[at] == "s" || names[at] == "j";
      const std::int64_t most = chance(random_, 30) ? 12 : 5;
      const std::int64_t extent = among(chance(random_, 70) ? 2 : 1, kernel ? 3 : most);
      if (extent <= operations) {
        extents[names[at]] = extent;
        operations /= extent;
      }
      names.erase(names.begin() + static_cast<std::ptrdiff_t>(at));
    }
    Result<Problem> problem = parse_einsum(einsum_, extents);
    assert(problem.ok());
    for (Tensor& tensor : problem->tensors) dress(tensor, *problem);
    return *std::move(problem);
  }

 private:
  bool has(F feature) const { return planned_[static_cast<std::size_t>(feature)]; }
  std::int64_t among(std::int64_t least, std::int64_t most) { return draw(random_, least, most); }
  template <class Values>
  auto pick(const Values& values) {
    return values[static_cast<std::size_t>(among(0, static_cast<std::int64_t>(values.size()) - 1))];
  }

  double share() { return chance(random_, 10) ? 0 : static_cast<double>(among(1, 100)) / 100; }

  bool allowed(F feature) const {
    for (std::size_t f = 0; f < kFeatures; ++f) {
      if (planned_[f] && !possible(static_cast<F>(f), feature)) return false;
    }
    return true;
  }

  void plan() {
    planned_ = wanted_;
    FeatureSet grouped;
    for (const std::vector<F>& group : feature_groups()) {
      std::vector<F> choices;
      for (const F feature : group) {
        grouped.set(static_cast<std::size_t>(feature));
        if (!allowed(feature)) continue;  // but a member that is wanted
        const int weight = is_one_of(feature, {F::kMemories2, F::kMemories3, F::kFanouts1}) ? 2 : 1;
        choices.insert(choices.end(), static_cast<std::size_t>(weight), feature);
      }
      planned_.set(static_cast<std::size_t>(pick(choices)));
    }
    for (std::size_t f = 0; f < kFeatures; ++f) {
      const auto feature = static_cast<F>(f);
      if (grouped[f] || wanted_[f] || !allowed(feature)) continue;
      const bool constraint = feature >= F::kFactors && feature <= F::kDataflow;
      if (chance(random_, constraint ? 10 : 25)) planned_.set(f);
    }
  }

  std::string number(std::int64_t least, std::int64_t most) {
    return std::to_string(among(least, most));
  }
  std::string window(const std::string& outer, const std::string& inner) {
    std::string stride, dilation;
    if (has(F::kStrided)) stride = number(2, 3) + "*";
    if (has(F::kDilated)) dilation = number(2, 3) + "*";
    if (has(F::kDilated) && chance(random_, 30)) stride = "2*";
    if (!has(F::kConv) && !has(F::kStrided) && chance(random_, 30)) stride = "2*";
    return stride + outer + "+" + dilation + inner;
  }

  std::string einsum() {
    const bool first = chance(random_, 60);
    if (has(F::kGemm)) return first ? "O[m,n] += A[m,k] * B[k,n]" : "O[m] += A[m,k] * B[k]";
    if (has(F::kBatched)) {
      return first ? "O[b,m,n] += A[b,m,k] * B[b,k,n]" : "O[b,m,n] += A[b,m,k] * B[k,n]";
    }
    if (has(F::kDepthwise)) {
      return first ? "O[g,p] += I[g," + window("p", "r") + "] * W[g,r]"
                   : "O[g,k,p] += I[g,c," + window("p", "r") + "] * W[g,k,c,r]";
    }
    if (has(F::kTransposed)) {
      return first ? "O[" + window("p", "r") + ",k] += I[p,c] * W[k,c,r]"
                   : "O[" + window("p", "r") + "] += I[p] * W[r]";
    }
    if (has(F::kElementwise)) {
      return first ? "O[m,n] += A[m,n] * B[n]" : "O[m,n,l] += A[m,n,l] * B[m,n,l]";
    }
    if (has(F::kPool)) return "O[c,p] += I[c," + window("p", "r") + "]";
    if (has(F::kThreeInputs)) {
      return first ? "O[m] += A[m,k] * B[k] * C[" + window("m", "j") + "]"
                   : "O[m,n] += A[m,k] * B[k,n] * C[" + window("m", "n") + "]";
    }
    switch (among(0, 2)) {
      case 0:
        return "O[p,k] += I[" + window("p", "r") + ",c] * W[k,c,r]";
      case 1:
        return "O[p,q] += I[" + window("p", "r") + "," + window("q", "s") + "] * W[r,s]";
      default:
        return "O[k,p] += I[" + window("p", "r") + "] * W[k,r]";
    }
  }

  void dress(Tensor& tensor, Problem& problem) {
    if (chance(random_, 30)) tensor.bits = static_cast<std::uint32_t>(4 * among(1, 5));
    if (tensor.is_output) {
      if (chance(random_, 25)) tensor.final_bits = chance(random_, 50) ? 8 : 3;
      return;
    }
    if (!has(F::kGenerated)) return;
    for (Rank& rank : tensor.ranks) {
      std::int64_t size = 1;
      for (const Term& term : rank.terms) {
        size += term.coefficient * (problem.dims[index(term.dim)].extent - 1);
      }
      if (rank.terms.size() < 2 || size < 3) continue;
      rank.valid_begin = among(0, 2);
      rank.valid_end = among(*rank.valid_begin + 1, size);
      problem.padding_free = true;
    }
  }

  // ---- the machine ----

  Arch make_arch(const Problem& problem) {
    reference::ArchBuilder builder;
    std::int64_t memories = has(F::kMemories2)   ? 1
                            : has(F::kMemories3) ? 2
                            : has(F::kMemories4) ? 3
                                                 : 0;
    std::int64_t fanouts = has(F::kFanouts1)   ? 1
                           : has(F::kFanouts2) ? 2
                           : has(F::kFanouts3) ? 3
                                               : 0;
    builder.memory("DRAM");
    for (int number = 1; memories + fanouts > 0; ++number) {
      if (among(1, memories + fanouts) <= memories) {
        fill(builder.memory("M" + std::to_string(number)), problem);
        --memories;
        continue;
      }
      std::vector<std::uint32_t> sizes;
      for (std::int64_t axes = among(1, 2); axes > 0; --axes) {
        sizes.push_back(static_cast<std::uint32_t>(among(2, fanouts > 1 ? 3 : 5)));
      }
      builder.fanout("F" + std::to_string(number), sizes);
      --fanouts;
    }
    Arch arch = builder.done();
    dress_memories(arch);
    for (Fanout& fanout : arch.fanouts) dress(fanout, problem);
    dress_networks(arch, problem);
    dress_compute(arch);
    add_constraints(problem, arch);
    if (chance(random_, 25)) arch.role_bits = {8, 4, 24, 8};
    return arch;
  }

  // Most tensors are kept or bypassed: choices multiply mappings.
  void fill(Memory& memory, const Problem& problem) {
    const int choice = has(F::kMemories2) ? 50 : has(F::kMemories3) ? 20 : 10;
    const int kept = has(F::kUneven) ? 45 : 55;
    for (const Tensor& tensor : problem.tensors) {
      if (chance(random_, choice)) continue;
      (chance(random_, kept) ? memory.keep : memory.bypass).push_back(tensor.name);
    }
    if (has(F::kCapacity) || has(F::kFilled)) {
      memory.size_bits = static_cast<std::uint64_t>(among(24, chance(random_, 50) ? 250 : 900));
    }
  }

  std::optional<double> rate(bool wanted) {
    static constexpr std::array<double, 7> kRates = {1, 3, 7.5, 16, 19.2, 48, 0.3};
    if (!wanted || chance(random_, 40)) return std::nullopt;
    return pick(kRates);
  }
  double latency() { return 0.25 * static_cast<double>(among(1, 40)); }

  void dress_memories(Arch& arch) {
    static constexpr std::array<std::uint32_t, 5> kWidths = {8, 24, 40, 64, 100};
    static constexpr std::array<double, 4> kScales = {1, 0.3, 0.05, 2};
    std::vector<Buffering> kinds;
    if (has(F::kSingle)) kinds.push_back(Buffering::kSingle);
    if (has(F::kDouble)) kinds.push_back(Buffering::kDouble);
    if (has(F::kBuffet)) kinds.push_back(Buffering::kBuffet);
    for (std::size_t m = 0; m < arch.memories.size(); ++m) {
      Memory& memory = arch.memories[m];
      if (has(F::kWidth) && chance(random_, 70)) memory.width_bits = pick(kWidths);
      memory.read_bits = rate(has(F::kBandwidth));
      memory.write_bits = rate(has(F::kBandwidth));
      memory.bandwidth_bits = rate(has(F::kBandwidth));
      if (has(F::kLatency) && chance(random_, 50)) memory.latency_cycles = latency();
      if (!kinds.empty()) memory.buffering = pick(kinds);
      // Usually cheaper further in, and no two actions cost the same.
      const double scale = pick(kScales) / static_cast<double>(2 * m + 1);
      memory.energy_pj = {200.25 * scale, 150.5 * scale, 170.125 * scale, std::nullopt};
      memory.leakage_mw =
          has(F::kLeakage) ? 0.25 * static_cast<double>(m + 1) * pick(kScales) * 10 : 0;
      memory.power_gated = chance(random_, 30);
      memory.area_um2 = 0;
    }
    // Every kind of buffering that was planned is there.
    for (std::size_t k = 0; k < kinds.size() && k < arch.memories.size(); ++k) {
      arch.memories[arch.memories.size() - 1 - k].buffering = kinds[k];
    }
  }

  void dress(Fanout& fanout, const Problem& problem) {
    static constexpr std::array<NetworkClass, 4> kPlain = {NetworkClass::kFree, NetworkClass::kBus,
                                                           NetworkClass::kMulticastBus,
                                                           NetworkClass::kCrossbar};
    Network& network = fanout.networks[0];
    network.network_class = pick(kPlain);
    if (chance(random_, 40)) {
      network.multicast = some_tensors(random_, problem, 65);
      network.reduce = some_tensors(random_, problem, 65);
    }
    if (has(F::kAxisDims)) {
      for (Axis& axis : fanout.axes) {
        if (chance(random_, 60)) axis.dims = some_dims(random_, problem, 60);
      }
    }
    if (!chance(random_, 25)) return;
    fanout.networks.push_back(network);
    fanout.networks[0].tensors = {problem.tensors[0].name};
  }

  void dress_networks(Arch& arch, const Problem& problem) {
    if (arch.fanouts.empty()) return;
    static constexpr std::array<NetworkClass, 2> kGrids = {NetworkClass::kMesh,
                                                           NetworkClass::kTree};
    std::vector<NetworkClass> classes;
    if (has(F::kSystolic)) classes.push_back(NetworkClass::kSystolic);
    if (has(F::kGrid)) classes.push_back(pick(kGrids));
    for (std::size_t c = 0; c < classes.size(); ++c) {
      Fanout& fanout = arch.fanouts[static_cast<std::size_t>(
          among(0, static_cast<std::int64_t>(arch.fanouts.size()) - 1))];
      // Both in one fan-out take a network each.
      if (classes.size() > 1 && fanout.networks.size() < 2) {
        fanout.networks.push_back(fanout.networks[0]);
        fanout.networks[0].tensors = {problem.tensors[0].name};
      }
      fanout.networks[classes.size() > 1 ? c : 0].network_class = classes[c];
    }
    for (Fanout& fanout : arch.fanouts) {
      for (Network& network : fanout.networks) {
        if (has(F::kHops))
          network.energy_pj_per_bit_hop = 0.125 * static_cast<double>(among(1, 40));
        network.bandwidth_bits = rate(has(F::kNetworkBandwidth));
        if (has(F::kLatency) && chance(random_, 50)) network.latency_cycles = latency();
        if (has(F::kForward)) network.forward = some_tensors(random_, problem, 40);
        network.preload = chance(random_, 60);
        network.pipelined = !network.preload && chance(random_, 40);
        if (chance(random_, 40)) network.preload_axis = fanout.axes.front().name;
      }
    }
  }

  void dress_compute(Arch& arch) {
    arch.compute.energy_pj.compute = 1.375;
    arch.compute.leakage_mw = has(F::kLeakage) ? 0.0625 * static_cast<double>(among(1, 100)) : 0;
    arch.compute.area_um2 = 0;
    arch.compute.power_gated = chance(random_, 30);
    arch.compute.interval_cycles = chance(random_, 20) ? 1.5 : 1;
    if (has(F::kLatency) && chance(random_, 30)) arch.compute.latency_cycles = latency();
  }

  // ---- constraints ----

  std::string some_memory(const Arch& arch, std::size_t first) {
    return arch
        .memories[static_cast<std::size_t>(among(
            static_cast<std::int64_t>(first), static_cast<std::int64_t>(arch.memories.size()) - 1))]
        .name;
  }
  std::string some_fanout(const Arch& arch) { return pick(arch.fanouts).name; }
  std::string some_node(const Arch& arch) {
    return arch.fanouts.empty() || chance(random_, 60) ? some_memory(arch, 0) : some_fanout(arch);
  }

  void add_constraints(const Problem& problem, Arch& arch) {
    static constexpr std::array<const char*, 3> kRoles = {"weight", "input", "output"};
    static constexpr std::array<F, 9> kKinds = {F::kFactors, F::kOrder,      F::kDims,
                                                F::kKeep,    F::kBypass,     F::kLanes,
                                                F::kFilled,  F::kStationary, F::kDataflow};
    using Kind = FactorConstraint::Kind;
    static constexpr std::array<Kind, 4> kFactorKinds = {Kind::kExactly, Kind::kAtMost,
                                                         Kind::kAtLeast, Kind::kAll};
    for (const F kind : kKinds) {
      if (!has(kind)) continue;
      Constraint constraint;
      constraint.node = some_node(arch);
      if (kind == F::kFactors) {
        constraint.factors = {
            {pick(problem.dims).name, pick(kFactorKinds), among(1, chance(random_, 60) ? 2 : 4)}};
      } else if (kind == F::kOrder) {
        constraint.order = some_dims(random_, problem, 60);
        if (chance(random_, 50)) std::reverse(constraint.order.begin(), constraint.order.end());
      } else if (kind == F::kDims) {
        constraint.dims = some_dims(random_, problem, 75);
      } else if (kind == F::kKeep || kind == F::kBypass) {
        constraint.node = some_memory(arch, 1);
        (kind == F::kKeep ? constraint.keep : constraint.bypass)
            .push_back(pick(problem.tensors).name);
      } else if (kind == F::kLanes) {
        constraint.node = chance(random_, 20) ? arch.compute.name : some_fanout(arch);
        constraint.min_utilization = 0.25 * static_cast<double>(among(1, 3));
      } else if (kind == F::kFilled) {
        constraint.node = some_memory(arch, 1);
        constraint.min_utilization = 0.1 * static_cast<double>(among(1, 5));
      } else if (kind == F::kStationary) {
        constraint.stationary = pick(kRoles);
      } else {
        constraint.dataflow = pick(dataflow_names());
      }
      arch.constraints.push_back(constraint);
    }
  }

  reference::Random& random_;
  FeatureSet wanted_, planned_;
  std::string einsum_;
};

constexpr int kAttempts = 60, kSizes = 5;

}  // namespace

std::optional<Sized> sized_quest(std::uint64_t seed, const FeatureSet& wanted, std::size_t most) {
  reference::Random random(seed);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Generator generator(random, wanted);
    Quest quest = generator.make();
    std::int64_t operations = 30;
    for (int size = 0; size < kSizes; ++size) {
      std::optional<Listing> listing = price_all(quest.world, most);
      if (listing && counts(*listing)) {
        const FeatureSet features = features_of(quest, *listing);
        if ((wanted & ~features).none()) return Sized{quest, *std::move(listing), features};
        break;
      }
      operations = listing ? 2 * operations : operations / 2;
      if (operations < 4 || operations > 500) break;
      quest.world.setting.problem = generator.make_problem(operations);
    }
  }
  return std::nullopt;
}

std::string describe(const Quest& quest) {
  std::string text = describe(quest.world) + ", " + objective_name(quest.objective);
  if (quest.front) text += ", front";
  if (quest.share_by_cycles) text += ", cycles bounded";
  if (quest.share_by_energy) text += ", energy bounded";
  return text;
}

}  // namespace loopscape
