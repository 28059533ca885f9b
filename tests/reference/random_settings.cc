#include "tests/reference/random_settings.h"

#include <array>
#include <cassert>
#include <map>
#include <utility>

namespace loopscape::reference {
namespace {

// Enough for ragged edges and several loops per dimension, little enough to walk.
constexpr std::int64_t kMostOperations = 1500;

class Generator {
 public:
  explicit Generator(Random& random) : random_(random) {}

  Setting make() {
    Problem problem = make_problem();
    Arch arch = make_arch(problem);
    Setting setting = make_setting(std::move(problem), std::move(arch), conventions());
    if (chance(random_, 30)) setting.conventions = Conventions::physical();
    return setting;
  }

 private:
  template <class Values>
  auto pick(const Values& values) {
    return values[static_cast<std::size_t>(
        draw(random_, 0, static_cast<std::int64_t>(values.size()) - 1))];
  }

  std::string number(std::int64_t least, std::int64_t most) {
    return std::to_string(draw(random_, least, most));
  }

  // Stride 1 to 4, dilation 1 to 3.
  std::string window(const char* outer, const char* inner) {
    return number(1, 4) + "*" + outer + "+" + number(1, 3) + "*" + inner;
  }

  std::string einsum() {
    switch (draw(random_, 0, 10)) {
      case 0:
        return "O[m,n] += A[m,k] * B[k,n]";
      case 1:
        return "O[b,m,n] += A[b,m,k] * B[b,k,n]";
      case 2:
        return "O[g,p,q] += I[g," + window("p", "r") + "," + window("q", "s") + "] * W[g,r,s]";
      case 3:
        return "O[g,k,p] += I[g,c," + window("p", "r") + "] * W[g,k,c,r]";
      case 4:
        return "O[p,k] += I[" + window("p", "r") + ",c] * W[k,c,r]";
      case 5:
        return "O[" + window("p", "r") + ",k] += I[p,c] * W[k,c,r]";
      case 6:
        return "O[p] += I[" + window("p", "r") + "+" + number(1, 2) + "*s] * W[r,s]";
      case 7:
        return "O[c,p] += I[c," + window("p", "r") + "]";
      case 8:
        return "O[m,n] += A[m,n] * B[n]";
      case 9:
        return "O[m] += A[m,k] * B[k] * C[" + window("m", "j") + "]";
      default:
        return "O[n,k,p,q] += I[n,c," + window("p", "r") + "," + window("q", "s") +
               "] * W[k,c,r,s]";
    }
  }

  Problem make_problem() {
    const std::string text = einsum();
    std::map<std::string, std::int64_t> extents;
    std::int64_t operations = 1;
    do {
      operations = 1;
      extents.clear();
      for (const char name : text) {
        if (name < 'a' || name > 'z') continue;
        const bool kernel = name == 'r' || name == 's' || name == 'j';
        const std::int64_t most = chance(random_, 20) ? 14 : 7;
        extents.try_emplace(std::string(1, name), draw(random_, 1, kernel ? 5 : most));
      }
      for (const auto& [name, extent] : extents) operations *= extent;
    } while (operations > kMostOperations);
    Result<Problem> problem = parse_einsum(text, extents);
    assert(problem.ok());
    for (Tensor& tensor : problem->tensors) dress(tensor, *problem);
    return *std::move(problem);
  }

  void dress(Tensor& tensor, Problem& problem) {
    static constexpr std::array<std::uint32_t, 4> kBits = {4, 8, 12, 24};
    if (chance(random_, 40)) tensor.bits = pick(kBits);
    if (tensor.is_output && chance(random_, 40)) tensor.final_bits = chance(random_, 50) ? 8 : 3;
    if (tensor.is_output || !chance(random_, 25)) return;
    for (Rank& rank : tensor.ranks) {
      std::int64_t size = 1;
      for (const Term& term : rank.terms) {
        size += term.coefficient * (problem.dims[index(term.dim)].extent - 1);
      }
      if (rank.terms.size() < 2 || size < 3) continue;
      rank.valid_begin = draw(random_, 0, 2);
      rank.valid_end = draw(random_, *rank.valid_begin + 1, size);
      problem.padding_free = true;
    }
  }

  std::optional<double> bandwidth() {
    static constexpr std::array<double, 8> kRates = {1, 2, 3, 7.5, 16, 19.2, 64, 0.3};
    if (chance(random_, 50)) return std::nullopt;
    return pick(kRates);
  }

  double latency() {
    return chance(random_, 60) ? 0 : 0.25 * static_cast<double>(draw(random_, 1, 40));
  }

  void dress(Memory& memory, bool outermost) {
    static constexpr std::array<std::uint32_t, 5> kWidths = {8, 16, 40, 64, 100};
    static constexpr std::array<Buffering, 4> kBuffering = {Buffering::kIdeal, Buffering::kSingle,
                                                            Buffering::kDouble, Buffering::kBuffet};
    if (chance(random_, 60)) memory.width_bits = pick(kWidths);
    memory.read_bits = bandwidth();
    memory.write_bits = bandwidth();
    memory.bandwidth_bits = bandwidth();
    memory.latency_cycles = latency();
    memory.buffering = pick(kBuffering);
    memory.power_gated = chance(random_, 30);
    if (!outermost && chance(random_, 15)) {
      memory.size_bits = static_cast<std::uint64_t>(draw(random_, 16, 8000));
    }
  }

  std::vector<std::string> some_of(const Problem& problem, int percent) {
    std::vector<std::string> names;
    for (const Tensor& tensor : problem.tensors) {
      if (chance(random_, percent)) names.push_back(tensor.name);
    }
    return names;
  }

  Network network(const Problem& problem) {
    static constexpr std::array<NetworkClass, 7> kClasses = {
        NetworkClass::kFree,    NetworkClass::kBus,  NetworkClass::kMulticastBus,
        NetworkClass::kMesh,    NetworkClass::kTree, NetworkClass::kCrossbar,
        NetworkClass::kSystolic};
    Network network;
    network.network_class = pick(kClasses);
    network.multicast = some_of(problem, 65);
    network.reduce = some_of(problem, 65);
    network.forward = some_of(problem, 30);
    network.bandwidth_bits = bandwidth();
    network.latency_cycles = latency();
    network.preload = chance(random_, 70);
    network.pipelined = !network.preload && chance(random_, 50);
    return network;
  }

  void dress(Fanout& fanout, const Problem& problem) {
    fanout.networks.clear();
    if (chance(random_, 10)) return;
    fanout.networks.push_back(network(problem));
    if (!chance(random_, 35)) return;
    fanout.networks[0].tensors = {problem.tensors[0].name};
    fanout.networks.push_back(network(problem));
    for (Network& network : fanout.networks) {
      if (chance(random_, 40)) network.preload_axis = fanout.axes.front().name;
    }
  }

  Arch make_arch(const Problem& problem) {
    ArchBuilder builder;
    dress(builder.memory("DRAM"), true);
    std::int64_t memories = draw(random_, 0, 4), fanouts = draw(random_, 0, 3), lanes = 1;
    while (memories + fanouts > 0) {
      if (draw(random_, 1, memories + fanouts) <= memories) {
        dress(builder.memory("M" + std::to_string(memories--)), false);
        continue;
      }
      std::vector<std::uint32_t> sizes;
      for (std::int64_t axes = draw(random_, 1, 2); axes > 0; --axes) {
        sizes.push_back(static_cast<std::uint32_t>(draw(random_, 1, lanes > 16 ? 2 : 6)));
        lanes *= sizes.back();
      }
      dress(builder.fanout("F" + std::to_string(fanouts--), sizes), problem);
    }
    Arch arch = builder.done();
    arch.compute.interval_cycles = chance(random_, 20) ? 1.5 : 1;
    arch.compute.latency_cycles = latency();
    arch.compute.power_gated = chance(random_, 30);
    if (chance(random_, 30)) arch.role_bits = {8, chance(random_, 50) ? 12u : 0u, 24, 8};
    return arch;
  }

  Conventions conventions() {
    using C = Conventions;
    return {C::Preset::kPhysical,
            chance(random_, 50),
            chance(random_, 50) ? C::Footprint::kBox : C::Footprint::kDistinct,
            chance(random_, 50) ? C::Sharing::kEqualDelta : C::Sharing::kAnyWord,
            chance(random_, 50) ? C::Refill::kEveryChild : C::Refill::kOneChild,
            chance(random_, 50) ? C::Reuse::kPreviousTile : C::Reuse::kMarch};
  }

  Random& random_;
};

}  // namespace

Setting random_setting(Random& random) { return Generator(random).make(); }

}  // namespace loopscape::reference
