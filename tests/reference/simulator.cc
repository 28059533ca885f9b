#include "tests/reference/simulator.h"

#include <algorithm>
#include <string>

#include "model/base/checked.h"
#include "tests/reference/account.h"
#include "tests/reference/nest.h"
#include "tests/reference/walk.h"

namespace loopscape::reference {

std::int64_t World::bits(std::size_t tensor) const {
  return width_of(problem.tensors[tensor], arch);
}

std::int64_t World::final_bits(std::size_t tensor) const {
  return defect == Defect::kFinalBitsIgnored ? bits(tensor)
                                             : final_width_of(problem.tensors[tensor], arch);
}

std::int64_t World::width(std::size_t memory, std::size_t tensor) const {
  const std::uint32_t own = arch.memories[memory].width_bits;
  return own != 0 ? own : bits(tensor);
}

std::int64_t World::tile_words(std::size_t tensor, std::size_t store) const {
  return tiles.footprint(tensor, nest.stores[tensor][store].place.tile);
}

Bits bits_moved(const World& world, std::size_t tensor, std::size_t store, std::size_t instance) {
  const InstanceCounts& counts = world.walk.tensors[tensor].stores[store][instance];
  const std::int64_t bits = world.bits(tensor);
  std::int64_t finals_up = counts.final_updates, finals_out = counts.final_drains;
  if (world.defect == Defect::kFinalBitsEveryVisit) {
    finals_up = counts.words.updates;
    finals_out = counts.words.drains;
  }
  const std::int64_t less = bits - world.final_bits(tensor);
  Bits moved;
  moved.reads = counts.words.reads * bits;
  moved.fills = counts.words.fills * bits;
  moved.updates = counts.words.updates * bits - finals_up * less;
  moved.drains = counts.words.drains * bits - finals_out * less;
  return moved;
}

std::int64_t instances_used(const World& world, const Place& place) {
  return std::count_if(place.offsets.begin(), place.offsets.end(),
                       [&](const Extents& offset) { return !world.tiles.empty_at(offset); });
}

namespace {

// The lanes of one fan-out below its first instance that ever work.
std::int64_t children_used(const World& world, std::size_t fanout) {
  std::int64_t used = 0;
  for (std::size_t c = 0; c < world.nest.compute.instances(); ++c) {
    const auto indices = lane_indices(world.nest, world.nest.compute.lanes, c);
    bool of_first = true;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      of_first &= world.nest.loops[world.nest.compute.lanes[i]].fanout == fanout || indices[i] == 0;
    }
    used += of_first && !world.tiles.empty_at(world.nest.compute.offsets[c]);
  }
  return used;
}

// Physical instances below the fan-outs that come before a place in the architecture.
std::int64_t instances_below(const Arch& arch, std::size_t order) {
  std::int64_t instances = 1;
  for (std::size_t i = 0; i < order; ++i) {
    if (arch.nodes[i].kind != NodeKind::kFanout) continue;
    for (const Axis& axis : arch.fanouts[arch.nodes[i].id].axes) instances *= axis.size;
  }
  return instances;
}

void account_accesses(const World& world, std::size_t tensor, std::size_t store,
                      TensorAtMemory& out) {
  const std::size_t memory = world.nest.stores[tensor][store].memory;
  const std::int64_t width = world.width(memory, tensor);
  const auto& instances = world.walk.tensors[tensor].stores[store];
  Bits together;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const Traffic& words = instances[i].words;
    out.words.reads += words.reads;
    out.words.fills += words.fills;
    out.words.updates += words.updates;
    out.words.drains += words.drains;
    Bits moved = bits_moved(world, tensor, store, i);
    together.reads += moved.reads;
    together.fills += moved.fills;
    together.updates += moved.updates;
    together.drains += moved.drains;
    if (world.defect == Defect::kRoundActionsTogether) {
      moved.reads += moved.drains;
      moved.drains = 0;
    }
    out.accesses.reads += ceil_div(moved.reads, width);
    out.accesses.fills += ceil_div(moved.fills, width);
    out.accesses.updates += ceil_div(moved.updates, width);
    out.accesses.drains += ceil_div(moved.drains, width);
  }
  if (world.defect == Defect::kRoundTotals) {
    out.accesses = {ceil_div(together.reads, width), ceil_div(together.fills, width),
                    ceil_div(together.updates, width), ceil_div(together.drains, width)};
  }
  if (world.defect == Defect::kNoRounding) out.accesses = out.words;
}

void account_tensor(const World& world, std::size_t tensor, std::size_t store,
                    Simulation& simulation) {
  const std::size_t memory = world.nest.stores[tensor][store].memory;
  simulation.counts[memory][tensor] = world.walk.tensors[tensor].stores[store];
  MemoryReport& report = simulation.breakdown.memories[memory];
  TensorAtMemory& out = report.tensors[tensor];
  out.stored = true;
  out.tile_words = world.tile_words(tensor, store);
  account_accesses(world, tensor, store, out);
  const bool price_drains =
      world.conventions.drain_reads != (world.defect == Defect::kDrainReadsSwapped);
  const MemoryCosts& costs = world.costs.memories[memory];
  const std::int64_t reads = out.accesses.reads + (price_drains ? out.accesses.drains : 0);
  out.energy_pj = static_cast<double>(reads) * costs.read_pj +
                  static_cast<double>(out.accesses.fills) * costs.write_pj +
                  static_cast<double>(out.accesses.updates) * costs.update_pj;
  report.energy_pj += out.energy_pj;
  const std::int64_t occupied = out.tile_words * world.bits(tensor);
  report.occupied_bits = world.defect == Defect::kCapacityLargestStore
                             ? std::max(report.occupied_bits, occupied)
                             : report.occupied_bits + occupied;
}

Status check_capacity(const World& world, const Breakdown& breakdown) {
  for (std::size_t m = 0; m < world.arch.memories.size(); ++m) {
    const Memory& memory = world.arch.memories[m];
    if (!memory.size_bits) continue;
    const bool half =
        memory.buffering == Buffering::kDouble && world.defect != Defect::kDoubleWhole;
    const std::uint64_t usable = half ? *memory.size_bits / 2 : *memory.size_bits;
    if (static_cast<std::uint64_t>(breakdown.memories[m].occupied_bits) > usable) {
      return {StatusCode::kIllegalMapping, memory.name + " is too small for its tiles"};
    }
  }
  return {};
}

void account_instances(const World& world, Breakdown& out) {
  for (std::size_t m = 0; m < out.memories.size(); ++m) {
    const std::size_t order = order_of(world.arch, NodeKind::kMemory, m);
    out.memories[m].instances = instances_below(world.arch, order);
    out.memories[m].instances_used = instances_used(world, place_of_memory(world.nest, m));
  }
  for (std::size_t f = 0; f < out.fanouts.size(); ++f) {
    out.fanouts[f].children_used = children_used(world, f);
    for (std::size_t t = 0; t < world.problem.tensors.size(); ++t) {
      out.fanouts[f].tensors[t] = world.walk.tensors[t].links[f];
    }
  }
  out.compute.instances = instances_below(world.arch, world.arch.nodes.size());
  out.compute.instances_used = instances_used(world, world.nest.compute);
}

double leakage(const World& world, double milliwatts, bool gated, std::int64_t instances,
               std::int64_t used, std::int64_t cycles) {
  if (milliwatts == 0) return 0;
  if (world.defect == Defect::kGatedLeak) gated = false;
  if (world.defect == Defect::kUsedLeak) gated = true;
  const double microseconds = static_cast<double>(cycles) / world.arch.clock_mhz.value_or(1);
  return static_cast<double>(gated ? used : instances) * milliwatts * microseconds * 1e3;
}

void account_totals(const World& world, Breakdown& out) {
  out.operations = world.problem.operations();
  out.compute.energy_pj = static_cast<double>(out.operations) * world.costs.compute.operation_pj;
  double leaked = 0;
  for (std::size_t m = 0; m < out.memories.size(); ++m) {
    MemoryReport& memory = out.memories[m];
    memory.leakage_pj =
        leakage(world, world.costs.memories[m].leakage_mw, world.arch.memories[m].power_gated,
                memory.instances, memory.instances_used, out.cycles);
    leaked += memory.leakage_pj;
    out.energy_pj += memory.energy_pj;
    out.area_um2 += static_cast<double>(memory.instances) * world.costs.memories[m].area_um2;
  }
  out.compute.leakage_pj =
      leakage(world, world.costs.compute.leakage_mw, world.arch.compute.power_gated,
              out.compute.instances, out.compute.instances_used, out.cycles);
  out.energy_pj += out.compute.energy_pj + leaked + out.compute.leakage_pj;
  out.area_um2 += static_cast<double>(out.compute.instances) * world.costs.compute.area_um2;
  const double per_cycle =
      static_cast<double>(out.compute.instances) / world.arch.compute.interval_cycles;
  out.utilization =
      static_cast<double>(out.operations) / (static_cast<double>(out.cycles) * per_cycle);
}

Status check_leakage_has_a_clock(const Arch& arch, const ActionCosts& costs) {
  bool leaks = costs.compute.leakage_mw != 0;
  for (std::size_t m = 0; m < arch.memories.size(); ++m) leaks |= costs.memories[m].leakage_mw != 0;
  if (!leaks || arch.clock_mhz) return {};
  return {StatusCode::kInvalidInput, "leakage needs the architecture's clock_mhz"};
}

}  // namespace

Result<Simulation> simulate_in_detail(const Problem& problem, const Arch& arch,
                                      const Conventions& conventions, const ActionCosts& costs,
                                      const Mapping& mapping, Defect defect) {
  if (const Status status = check_leakage_has_a_clock(arch, costs); !status.ok()) return status;
  const Nest nest = read_nest(problem, arch, mapping);
  const Tiles tiles(problem, conventions, defect);
  const Walk walk = walk_nest(nest, conventions, defect);
  const World world{problem, arch, conventions, costs, defect, nest, tiles, walk};

  Simulation simulation;
  Breakdown& out = simulation.breakdown;
  out.memories.resize(arch.memories.size());
  out.fanouts.resize(arch.fanouts.size());
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    for (std::size_t k = 0; k < nest.stores[t].size(); ++k) account_tensor(world, t, k, simulation);
  }
  if (const Status status = check_capacity(world, out); !status.ok()) return status;
  account_instances(world, out);
  account_time(world, simulation);
  account_totals(world, out);
  simulation.reads_are_visits_less_zeros = walk.reads_are_visits_less_zeros;
  return simulation;
}

Result<Breakdown> simulate(const Problem& problem, const Arch& arch, const Conventions& conventions,
                           const ActionCosts& costs, const Mapping& mapping) {
  Result<Simulation> result = simulate_in_detail(problem, arch, conventions, costs, mapping);
  if (!result.ok()) return result.status();
  return std::move(result).value().breakdown;
}

}  // namespace loopscape::reference
