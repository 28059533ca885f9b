// The same counts at other prices: what a sweep over technology or supply asks for.

#include "model/evaluate/bound.h"

namespace loopscape {
namespace {

// What counts and cycles do not depend on, taken out.
Arch without_prices(Arch arch) {
  arch.name.clear();
  arch.comment.clear();
  arch.technology_nm = arch.voltage = arch.clock_mhz = std::nullopt;
  arch.variables.clear();
  arch.constraints.clear();
  const auto strip = [](auto& node) {
    node.class_name.clear();
    node.attributes.clear();
    node.energy_pj = {};
    node.leakage_mw = node.area_um2 = std::nullopt;
    node.power_gated = false;
  };
  for (Memory& memory : arch.memories) {
    strip(memory);
    memory.banks = memory.ports = 1;
  }
  strip(arch.compute);
  for (Fanout& fanout : arch.fanouts) {
    for (Network& network : fanout.networks) {
      network.energy_pj_per_bit_hop = network.hop_mm = 0;
      network.energy_from_tables = false;
    }
  }
  return arch;
}

Status invalid(const std::string& why) { return {StatusCode::kInvalidInput, why}; }

// May the counts of one stand for those of the other?
Status same_but_for_prices(const BoundModel& one, const BoundModel& other) {
  if (!(one.problem == other.problem)) return invalid("the counts are of another problem");
  if (!(one.conventions == other.conventions)) {
    return invalid("the counts follow other conventions");
  }
  if (without_prices(one.arch) == without_prices(other.arch)) return {};
  return invalid("the architectures differ in more than prices: the mapping is to be counted anew");
}

Status price_fanout(const BoundModel& model, std::size_t f, FanoutReport& report) {
  report.energy_pj = 0;
  for (std::size_t t = 0; t < model.counting.tensors; ++t) {
    TensorAtNetwork& tensor = report.tensors[t];
    const int carrier = model.counting.network[f][t];
    if (carrier < 0) continue;
    const double pj = model.fanout[f].network[static_cast<std::size_t>(carrier)].pj_per_bit_hop;
    if (tensor.hops == kUncountedHops) {
      if (pj == 0) continue;
      return {StatusCode::kUnsupported,
              "the hops of " + model.problem.tensors[t].name +
                  " were free and are not counted; evaluate the mapping with an energy per hop"};
    }
    tensor.energy_pj = hop_energy_pj(tensor.hops, model.counting.tensor[t].bits, pj);
    report.energy_pj += tensor.energy_pj;
  }
  return {};
}

}  // namespace

// Sums in the order of evaluate(): the totals are equal bit for bit.
Result<Breakdown> Evaluator::reprice(const Breakdown& counted, const Evaluator& counted_by) const {
  const BoundModel& model = *bound_;
  if (Status s = same_but_for_prices(*counted_by.bound_, model); !s.ok()) return s;
  if (counted.memories.size() != model.counting.memories ||
      counted.fanouts.size() != model.counting.spans || counted.operations != model.operations) {
    return invalid("the counts are not those of this evaluator");
  }
  Breakdown out = counted;
  double total = 0;
  for (std::size_t m = 0; m < out.memories.size(); ++m) {
    MemoryReport& memory = out.memories[m];
    memory.energy_pj = 0;
    for (TensorAtMemory& tensor : memory.tensors) {
      if (!tensor.stored) continue;
      tensor.energy_pj = access_energy_pj(model, m, tensor.accesses);
      memory.energy_pj += tensor.energy_pj;
    }
    total += memory.energy_pj;
  }
  for (std::size_t f = 0; f < out.fanouts.size(); ++f) {
    if (Status s = price_fanout(model, f, out.fanouts[f]); !s.ok()) return s;
    total += out.fanouts[f].energy_pj;
  }
  out.compute.energy_pj = operation_energy_pj(model);
  out.energy_pj = total + out.compute.energy_pj;
  for (std::size_t m = 0; m < out.memories.size(); ++m) {
    MemoryReport& memory = out.memories[m];
    memory.leakage_pj =
        leakage_energy_pj(model, model.costs.memories[m].leakage_mw, model.memory[m].power_gated,
                          memory.instances, memory.instances_used, out.cycles);
    out.energy_pj += memory.leakage_pj;
  }
  out.compute.leakage_pj =
      leakage_energy_pj(model, model.costs.compute.leakage_mw, model.compute_power_gated,
                        out.compute.instances, out.compute.instances_used, out.cycles);
  out.energy_pj += out.compute.leakage_pj;
  out.area_um2 = model.area_um2;
  return out;
}

}  // namespace loopscape
