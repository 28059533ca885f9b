#include "tests/optimality/mapspace_worlds.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace loopscape {
namespace {

using reference::chance;
using reference::draw;

class Generator {
 public:
  explicit Generator(reference::Random& random) : random_(random) {}

  World make() {
    World world;
    world.options.factors = chance(random_, 50) ? Factors::kRagged : Factors::kPerfect;
    world.options.stores = chance(random_, 60) ? Stores::kEven : Stores::kUneven;
    Problem problem = make_problem();
    Arch arch = make_arch(problem, world.options.stores == Stores::kUneven);
    Conventions conventions;
    if (chance(random_, 40)) conventions = Conventions::timeloop();
    world.setting =
        reference::make_setting(std::move(problem), std::move(arch), std::move(conventions));
    add_constraints(world.setting.problem, world.setting.arch);
    return world;
  }

 private:
  std::int64_t among(std::int64_t least, std::int64_t most) { return draw(random_, least, most); }

  Problem make_problem() {
    static const std::array<const char*, 6> kEinsums = {
        "O[m,n] += A[m,k] * B[k,n]",   "O[p,k] += I[p+r] * W[k,r]",
        "O[p] += I[2*p+r,c] * W[c,r]", "O[c,p] += I[c,p+2*r] * W[c,r]",
        "O[m] += A[m,k] * B[k]",       "O[p,q] += I[p+r,q+s] * W[r,s]",
    };
    const auto kind = static_cast<std::size_t>(among(0, 5));
    const std::string text = kEinsums[kind];
    std::map<std::string, std::int64_t> extents;
    std::int64_t budget = 60;
    for (const char name : text) {
      if (name < 'a' || name > 'z' || extents.count(std::string(1, name)) != 0) continue;
      std::int64_t extent = among(1, chance(random_, 30) ? 9 : 4);
      if (extent > budget) extent = 1;
      budget /= extent;
      extents[std::string(1, name)] = extent;
    }
    Result<Problem> problem = parse_einsum(text, extents);
    for (Tensor& tensor : problem->tensors) {
      if (chance(random_, 30)) tensor.bits = static_cast<std::uint32_t>(4 * among(1, 5));
    }
    return *std::move(problem);
  }

  Arch make_arch(const Problem& problem, bool uneven) {
    reference::ArchBuilder builder;
    builder.memory("DRAM");
    std::int64_t memories = among(0, uneven ? 2 : 3);
    std::int64_t fanouts = among(0, memories == 3 ? 1 : 3);
    for (int number = 1; memories + fanouts > 0; ++number) {
      if (among(1, memories + fanouts) <= memories) {
        add_memory(builder.memory("M" + std::to_string(number)), problem);
        --memories;
        continue;
      }
      std::vector<std::uint32_t> sizes;
      for (std::int64_t axes = among(1, 2); axes > 0; --axes) {
        sizes.push_back(static_cast<std::uint32_t>(among(1, 5)));
      }
      add_fanout(builder.fanout("F" + std::to_string(number), sizes), problem);
      --fanouts;
    }
    return builder.done();
  }

  // Most tensors are kept or bypassed: choices multiply mappings.
  void add_memory(Memory& memory, const Problem& problem) {
    for (const Tensor& tensor : problem.tensors) {
      if (chance(random_, 20)) continue;
      (chance(random_, 55) ? memory.keep : memory.bypass).push_back(tensor.name);
    }
    if (chance(random_, 75)) {
      memory.size_bits = static_cast<std::uint64_t>(among(16, chance(random_, 50) ? 200 : 800));
    }
    memory.buffering = chance(random_, 30) ? Buffering::kDouble : Buffering::kIdeal;
  }

  void add_fanout(Fanout& fanout, const Problem& problem) {
    static constexpr std::array<NetworkClass, 4> kClasses = {
        NetworkClass::kFree, NetworkClass::kMulticastBus, NetworkClass::kMesh,
        NetworkClass::kSystolic};
    fanout.networks[0].network_class = kClasses[static_cast<std::size_t>(among(0, 3))];
    if (chance(random_, 10)) fanout.networks[0].forward = {problem.tensors[1].name};
    for (Axis& axis : fanout.axes) {
      if (chance(random_, 40)) axis.dims = some_dims(random_, problem, 60);
    }
  }

  void add_constraints(const Problem& problem, Arch& arch) {
    if (chance(random_, 35)) return;
    for (std::int64_t count = among(1, 3); count > 0; --count) {
      const bool at_memory = arch.fanouts.empty() || chance(random_, 60);
      const auto last =
          static_cast<std::int64_t>((at_memory ? arch.memories.size() : arch.fanouts.size()) - 1);
      const auto which = static_cast<std::size_t>(among(0, last));
      Constraint constraint;
      constraint.node = at_memory ? arch.memories[which].name : arch.fanouts[which].name;
      fill(problem, at_memory, which, constraint);
      arch.constraints.push_back(constraint);
    }
  }

  void fill(const Problem& problem, bool at_memory, std::size_t which, Constraint& constraint) {
    static constexpr std::array<const char*, 3> kRoles = {"weight", "input", "output"};
    using Kind = FactorConstraint::Kind;
    static constexpr std::array<Kind, 4> kKinds = {Kind::kExactly, Kind::kAtMost, Kind::kAtLeast,
                                                   Kind::kAll};
    switch (among(0, 7)) {
      case 0:
        for (const std::string& dim : some_dims(random_, problem, 40)) {
          constraint.factors.push_back(
              {dim, kKinds[static_cast<std::size_t>(among(0, 3))], among(1, 4)});
        }
        break;
      case 1:
        constraint.order = some_dims(random_, problem, 60);
        if (chance(random_, 50)) std::reverse(constraint.order.begin(), constraint.order.end());
        break;
      case 2:
        constraint.dims = some_dims(random_, problem, 70);
        break;
      case 3:
        if (at_memory && which > 0) {
          (chance(random_, 50) ? constraint.keep : constraint.bypass) =
              some_tensors(random_, problem, 40);
        }
        break;
      case 4:
        if (!at_memory) constraint.min_utilization = 0.25 * static_cast<double>(among(1, 3));
        break;
      case 5:
        constraint.dataflow = dataflow_names()[static_cast<std::size_t>(
            among(0, static_cast<std::int64_t>(dataflow_names().size()) - 1))];
        break;
      default:
        constraint.stationary = kRoles[static_cast<std::size_t>(among(0, 2))];
        break;
    }
    if (at_memory && chance(random_, 15)) {
      constraint.min_utilization = 0.1 * static_cast<double>(among(1, 6));
    }
  }

  reference::Random& random_;
};

}  // namespace

std::vector<std::string> some_tensors(reference::Random& random, const Problem& problem,
                                      int percent) {
  std::vector<std::string> names;
  for (const Tensor& tensor : problem.tensors) {
    if (chance(random, percent)) names.push_back(tensor.name);
  }
  return names;
}

std::vector<std::string> some_dims(reference::Random& random, const Problem& problem, int percent) {
  std::vector<std::string> names;
  for (const Dim& dim : problem.dims) {
    if (chance(random, percent)) names.push_back(dim.name);
  }
  return names;
}

World random_world(reference::Random& random) { return Generator(random).make(); }

std::string describe(const World& world) {
  return reference::describe(world.setting, Mapping()) + problem_to_json(world.setting.problem) +
         arch_to_json(world.setting.arch) +
         (world.options.factors == Factors::kPerfect ? "perfect " : "ragged ") +
         (world.options.stores == Stores::kEven ? "even" : "uneven");
}

}  // namespace loopscape
