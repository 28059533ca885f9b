// Problem, architecture, conventions and costs become the constants of one evaluator.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "model/evaluate/bound.h"

namespace loopscape {
namespace {

void set_widths(const Memory& memory, const CountingContext& counting, MemoryTerms& terms) {
  for (std::size_t t = 0; t < counting.tensors; ++t) {
    const TensorShape& tensor = counting.tensor[t];
    const std::uint32_t width = memory.width_bits != 0 ? memory.width_bits : tensor.bits;
    terms.access_bits[t] = width;
    if (tensor.bits % width != 0 || tensor.final_bits % width != 0) continue;
    terms.accesses_per_word[t] = tensor.bits / width;
    terms.accesses_per_final_word[t] = tensor.final_bits / width;
  }
}

MemoryTerms memory_terms(const Memory& memory, std::int64_t instances,
                         const CountingContext& counting) {
  MemoryTerms terms;
  set_widths(memory, counting, terms);
  terms.usable_bits = usable_bits(memory);
  terms.instances = instances;
  terms.read_bits = memory.read_bits.value_or(0);
  terms.write_bits = memory.write_bits.value_or(0);
  terms.shared_bits = memory.bandwidth_bits.value_or(0);
  terms.latency_cycles = memory.latency_cycles;
  terms.buffering = memory.buffering;
  terms.power_gated = memory.power_gated;
  return terms;
}

FanoutTerms fanout_terms(const Fanout& fanout) {
  FanoutTerms terms;
  terms.networks = static_cast<std::uint8_t>(fanout.networks.size());
  const auto set_array = [&](const std::string& rows, auto& array) {
    for (const Axis& axis : fanout.axes) {
      (axis.name == rows ? array.rows : array.columns) *= axis.size;
    }
  };
  const std::string& last_axis = fanout.axes.back().name;
  set_array(last_axis, terms);
  for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
    const Network& network = fanout.networks[n];
    NetworkTerms& own = terms.network[n];
    own.network_class = network.network_class;
    own.pj_per_bit_hop = network.energy_pj_per_bit_hop;
    own.bandwidth_bits = network.bandwidth_bits.value_or(0);
    own.latency_cycles = network.latency_cycles;
    own.preload = network.preload;
    own.pipelined = network.pipelined;
    set_array(network.preload_axis.empty() ? last_axis : network.preload_axis, own);
    terms.systolic |= network.network_class == NetworkClass::kSystolic;
  }
  return terms;
}

// Rounded accesses, bandwidths and exposed transfers are an instance's; all else adds up.
void note_by_instance(const MemoryTerms& terms, std::size_t m, CountingContext& counting) {
  bool asked = terms.read_bits > 0 || terms.write_bits > 0 || terms.shared_bits > 0 ||
               terms.buffering == Buffering::kSingle;
  for (std::size_t t = 0; t < counting.tensors; ++t) asked |= terms.accesses_per_word[t] == 0;
  if (!asked) counting.by_instance &= static_cast<std::uint16_t>(~(1u << m));
}

// Totals of such costs are finite, times the cycles and their square as well.
constexpr double kMostCost = 1e30;

Status check_costs(const BoundModel& model, const ArchNode& node) {
  std::vector<std::pair<const char*, double>> costs;
  if (node.kind == NodeKind::kMemory) {
    const MemoryCosts& its = model.costs.memories[node.id];
    costs = {{"a read energy", its.read_pj},
             {"a write energy", its.write_pj},
             {"an update energy", its.update_pj},
             {"a leakage per cycle", its.leakage_mw * model.pj_per_mw_cycle},
             {"an area", its.area_um2}};
  } else if (node.kind == NodeKind::kCompute) {
    const ComputeCosts& its = model.costs.compute;
    costs = {{"an energy per operation", its.operation_pj},
             {"a leakage per cycle", its.leakage_mw * model.pj_per_mw_cycle},
             {"an area", its.area_um2}};
  } else {
    for (const Network& network : model.arch.fanouts[node.id].networks) {
      costs.emplace_back("an energy per bit and hop", network.energy_pj_per_bit_hop);
    }
  }
  for (const auto& [what, cost] : costs) {
    if (cost <= kMostCost) continue;
    return Status(StatusCode::kInvalidInput, std::string(what) + " of " + number_text(cost) +
                                                 " is too much to be added up; at most " +
                                                 number_text(kMostCost));
  }
  return {};
}

// Instances of every node, and the areas that add up. An overflow is an architecture too large.
Status bind_nodes(BoundModel& model) {
  OverflowFlag flag;
  std::int64_t instances = 1;
  for (const ArchNode& node : model.arch.nodes) {
    switch (node.kind) {
      case NodeKind::kMemory:
        model.memory[node.id] =
            memory_terms(model.arch.memories[node.id], instances, model.counting);
        note_by_instance(model.memory[node.id], node.id, model.counting);
        model.area_um2 += model.costs.memories[node.id].area_um2 * static_cast<double>(instances);
        break;
      case NodeKind::kFanout:
        model.fanout[node.id] = fanout_terms(model.arch.fanouts[node.id]);
        instances = flag.mul(instances, model.arch.fanouts[node.id].children());
        break;
      case NodeKind::kCompute:
        model.lanes = instances;
        model.area_um2 += model.costs.compute.area_um2 * static_cast<double>(instances);
        break;
    }
  }
  if (flag.raised()) {
    return Status(StatusCode::kInvalidInput,
                  "the architecture " + model.arch.name +
                      " has more than 2^63 compute instances; make its fan-outs smaller");
  }
  return {};
}

}  // namespace

std::uint64_t usable_bits(const Memory& memory) {
  if (!memory.size_bits) return UINT64_MAX;
  return memory.buffering == Buffering::kDouble ? *memory.size_bits / 2 : *memory.size_bits;
}

Result<Evaluator> Evaluator::create(const Problem& problem, const Arch& arch,
                                    const Conventions& conventions, const ActionCosts& costs) {
  auto model = std::make_shared<BoundModel>();
  model->problem = problem;
  model->arch = arch;
  model->conventions = conventions;
  model->costs = costs;
  Result<CountingContext> counting = make_counting_context(problem, arch, conventions);
  if (!counting.ok()) return counting.status();
  model->counting = *counting;
  model->operations = problem.operations();
  model->interval_cycles = arch.compute.interval_cycles;
  model->compute_latency_cycles = arch.compute.latency_cycles;
  model->compute_power_gated = arch.compute.power_gated;
  if (arch.clock_mhz) model->pj_per_mw_cycle = 1000.0 / *arch.clock_mhz;
  for (std::size_t n = 0; n < arch.nodes.size(); ++n) {
    if (Status status = check_costs(*model, arch.nodes[n]); !status.ok()) {
      return std::move(status).at("/nodes/" + std::to_string(n));
    }
  }
  if (Status status = bind_nodes(*model); !status.ok()) return status;
  return Evaluator(std::move(model));
}

ScratchPtr Evaluator::make_scratch() const {
  ScratchPtr scratch(new Scratch);
  scratch->bound = bound_;
  return scratch;
}

void ScratchDeleter::operator()(Scratch* scratch) const { delete scratch; }

const Problem& Evaluator::problem() const { return bound_->problem; }
const Arch& Evaluator::arch() const { return bound_->arch; }
const Conventions& Evaluator::conventions() const { return bound_->conventions; }
const ActionCosts& Evaluator::costs() const { return bound_->costs; }
Evaluator::Fold Evaluator::fold(std::size_t fanout, std::size_t tensor) const {
  return fold_of(*bound_, fanout, tensor);
}

}  // namespace loopscape
