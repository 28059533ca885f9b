#include "tests/optimality/optimal_shrink.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace loopscape {
namespace {

using Edit = std::function<void(Quest&)>;

class Edits {
 public:
  explicit Edits(const Quest& quest) : quest_(quest) {}

  std::vector<Edit> all() {
    for_goal();
    for_structure();
    for_problem();
    for_memories();
    for_fanouts();
    for_compute();
    return std::move(edits_);
  }

 private:
  void add(Edit edit) { edits_.push_back(std::move(edit)); }

  void for_goal() {
    add([](Quest& q) { q.front = false; });
    add([](Quest& q) { q.share_by_cycles.reset(); });
    add([](Quest& q) { q.share_by_energy.reset(); });
    for (const Objective objective : {Objective::kEnergy, Objective::kDelay, Objective::kEdp}) {
      if (quest_.objective > objective) add([=](Quest& q) { q.objective = objective; });
    }
    add([](Quest& q) { q.world.options.stores = Stores::kEven; });
    add([](Quest& q) { q.world.options.factors = Factors::kPerfect; });
    add([](Quest& q) { q.world.setting.conventions = Conventions(); });
    add([](Quest& q) { q.world.setting.conventions.reuse = Conventions::Reuse::kMarch; });
  }

  // Constraints that speak of a node go with it.
  static void drop(Arch& arch, NodeKind kind, std::size_t id) {
    const std::string name =
        kind == NodeKind::kMemory ? arch.memories[id].name : arch.fanouts[id].name;
    std::erase_if(arch.constraints, [&](const Constraint& c) { return c.node == name; });
    std::erase_if(arch.nodes,
                  [&](const ArchNode& node) { return node.kind == kind && node.id == id; });
    for (ArchNode& node : arch.nodes) node.id -= node.kind == kind && node.id > id;
    const auto at = static_cast<std::ptrdiff_t>(id);
    if (kind == NodeKind::kMemory) arch.memories.erase(arch.memories.begin() + at);
    if (kind == NodeKind::kFanout) arch.fanouts.erase(arch.fanouts.begin() + at);
  }

  void for_structure() {
    const Arch& arch = quest_.world.setting.arch;
    for (std::size_t c = 0; c < arch.constraints.size(); ++c) {
      add([=](Quest& q) {
        std::vector<Constraint>& constraints = q.world.setting.arch.constraints;
        constraints.erase(constraints.begin() + static_cast<std::ptrdiff_t>(c));
      });
    }
    for (std::size_t m = 1; m < arch.memories.size(); ++m) {
      add([=](Quest& q) { drop(q.world.setting.arch, NodeKind::kMemory, m); });
    }
    for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
      add([=](Quest& q) { drop(q.world.setting.arch, NodeKind::kFanout, f); });
    }
  }

  void for_problem() {
    const Problem& problem = quest_.world.setting.problem;
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      for (const std::int64_t extent : {std::int64_t{1}, problem.dims[d].extent - 1}) {
        if (extent < 1 || extent >= problem.dims[d].extent) continue;
        add([=](Quest& q) {
          q.world.setting.problem.dims[d].extent = extent;
          for (Tensor& tensor : q.world.setting.problem.tensors) {
            for (Rank& rank : tensor.ranks) rank.valid_begin = rank.valid_end = std::nullopt;
          }
        });
      }
    }
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if (problem.tensors[t].bits != 0 || problem.tensors[t].final_bits != 0) {
        add([=](Quest& q) {
          q.world.setting.problem.tensors[t].bits = q.world.setting.problem.tensors[t].final_bits =
              0;
        });
      }
      for (std::size_t r = 0; r < problem.tensors[t].ranks.size(); ++r) {
        add([=](Quest& q) {
          Rank& rank = q.world.setting.problem.tensors[t].ranks[r];
          rank.valid_begin = rank.valid_end = std::nullopt;
        });
        for (std::size_t term = 0; term < problem.tensors[t].ranks[r].terms.size(); ++term) {
          add([=](Quest& q) {
            q.world.setting.problem.tensors[t].ranks[r].terms[term].coefficient = 1;
          });
        }
      }
    }
  }

  template <class Change>
  void at_memory(std::size_t m, const Change& change) {
    add([=](Quest& q) { change(q.world.setting.arch.memories[m]); });
  }
  void for_memories() {
    const Arch& arch = quest_.world.setting.arch;
    for (std::size_t m = 0; m < arch.memories.size(); ++m) {
      at_memory(m, [](Memory& memory) { memory.size_bits.reset(); });
      at_memory(m, [](Memory& memory) { memory.width_bits = 0; });
      at_memory(m, [](Memory& memory) { memory.read_bits.reset(); });
      at_memory(m, [](Memory& memory) { memory.write_bits.reset(); });
      at_memory(m, [](Memory& memory) { memory.bandwidth_bits.reset(); });
      at_memory(m, [](Memory& memory) { memory.latency_cycles = 0; });
      at_memory(m, [](Memory& memory) { memory.buffering = Buffering::kIdeal; });
      at_memory(m, [](Memory& memory) { memory.leakage_mw = 0; });
      at_memory(m, [](Memory& memory) { memory.power_gated = false; });
      at_memory(m, [](Memory& memory) {
        if (memory.energy_pj.read.value_or(0) > 1) memory.energy_pj = {1, 1, 1, std::nullopt};
      });
      at_memory(m, [](Memory& memory) { memory.energy_pj = {0, 0, 0, std::nullopt}; });
      at_memory(m, [](Memory& memory) {
        memory.keep.insert(memory.keep.end(), memory.bypass.begin(), memory.bypass.end());
        memory.bypass.clear();
      });
      for (const Tensor& tensor : quest_.world.setting.problem.tensors) {
        at_memory(m, [=](Memory& memory) { memory.keep.push_back(tensor.name); });
        at_memory(m, [=](Memory& memory) { memory.bypass.push_back(tensor.name); });
      }
    }
  }

  template <class Change>
  void at_network(std::size_t f, std::size_t n, const Change& change) {
    add([=](Quest& q) { change(q.world.setting.arch.fanouts[f].networks[n]); });
  }
  void for_fanouts() {
    const Arch& arch = quest_.world.setting.arch;
    for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
      const Fanout& fanout = arch.fanouts[f];
      for (std::size_t a = 0; a < fanout.axes.size(); ++a) {
        add([=](Quest& q) { q.world.setting.arch.fanouts[f].axes[a].dims.clear(); });
        if (fanout.axes[a].size > 1) {
          add([=](Quest& q) { --q.world.setting.arch.fanouts[f].axes[a].size; });
        }
      }
      add([=](Quest& q) { q.world.setting.arch.fanouts[f].networks.resize(1); });
      for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
        at_network(f, n, [](Network& network) { network = Network(); });
        at_network(f, n, [](Network& network) { network.network_class = NetworkClass::kFree; });
        at_network(f, n, [](Network& network) { network.forward.clear(); });
        at_network(f, n, [](Network& network) { network.multicast.clear(); });
        at_network(f, n, [](Network& network) { network.reduce.clear(); });
        at_network(f, n, [](Network& network) { network.tensors.clear(); });
        at_network(f, n, [](Network& network) { network.energy_pj_per_bit_hop = 0; });
        at_network(f, n, [](Network& network) { network.bandwidth_bits.reset(); });
        at_network(f, n, [](Network& network) { network.latency_cycles = 0; });
        at_network(f, n, [](Network& network) { network.pipelined = false; });
        at_network(f, n, [](Network& network) { network.preload = true; });
        at_network(f, n, [](Network& network) { network.preload_axis.clear(); });
      }
    }
  }

  void for_compute() {
    add([](Quest& q) { q.world.setting.arch.compute.interval_cycles = 1; });
    add([](Quest& q) { q.world.setting.arch.compute.latency_cycles = 0; });
    add([](Quest& q) { q.world.setting.arch.compute.leakage_mw = 0; });
    add([](Quest& q) { q.world.setting.arch.compute.power_gated = false; });
    add([](Quest& q) { q.world.setting.arch.compute.energy_pj.compute = 0; });
  }

  const Quest& quest_;
  std::vector<Edit> edits_;
};

// False: what the edit left is no setting.
bool mend(Quest& quest) {
  reference::Setting& setting = quest.world.setting;
  for (Memory& memory : setting.arch.memories) {
    const auto once = [](std::vector<std::string>& names) {
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
    };
    once(memory.keep);
    once(memory.bypass);
    for (const std::string& name : memory.keep) std::erase(memory.bypass, name);
  }
  Result<Problem> problem = make_problem(setting.problem);
  Result<Arch> arch = make_arch(setting.arch);
  if (!problem.ok() || !arch.ok()) return false;
  Result<ActionCosts> costs = costs_in_spec(*arch);
  if (!costs.ok()) return false;
  setting.problem = *std::move(problem);
  setting.arch = *std::move(arch);
  setting.costs = *costs;
  return true;
}

bool same(const Quest& a, const Quest& b) {
  return describe(a) == describe(b) && a.share_by_cycles == b.share_by_cycles &&
         a.share_by_energy == b.share_by_energy;
}

}  // namespace

Quest shrink(Quest quest, const std::function<bool(const Quest&)>& fails) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const Edit& edit : Edits(quest).all()) {
      Quest other = quest;
      edit(other);
      if (!mend(other) || same(other, quest) || !fails(other)) continue;
      quest = std::move(other);
      smaller = true;
      break;
    }
  }
  return quest;
}

}  // namespace loopscape
