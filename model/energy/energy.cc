#include "model/energy/energy.h"

#include <optional>
#include <string>

namespace loopscape {
namespace {

Status unpriced(std::size_t node, const std::string& component, const char* key,
                const char* action) {
  return Status(StatusCode::kInvalidInput, in_quotes(component) + " has no energy for '" + key +
                                               "' (" + action + "); write \"energy_pj\": {\"" +
                                               key + "\": ...}")
      .at("/nodes/" + std::to_string(node) + "/energy_pj");
}

Status fill(const Memory& memory, std::size_t node, MemoryCosts& costs) {
  const ActionEnergies& energy = memory.energy_pj;
  if (!energy.read) return unpriced(node, memory.name, "read", "reads and drains");
  if (!energy.write) return unpriced(node, memory.name, "write", "fills");
  costs.read_pj = *energy.read;
  costs.write_pj = *energy.write;
  costs.update_pj = energy.update.value_or(*energy.write);  // an update is a write
  costs.leakage_mw = memory.leakage_mw.value_or(0);
  costs.area_um2 = memory.area_um2.value_or(0);
  return {};
}

Status fill(const Compute& compute, std::size_t node, ComputeCosts& costs) {
  if (!compute.energy_pj.compute) return unpriced(node, compute.name, "compute", "operations");
  costs.operation_pj = *compute.energy_pj.compute;
  costs.leakage_mw = compute.leakage_mw.value_or(0);
  costs.area_um2 = compute.area_um2.value_or(0);
  return {};
}

}  // namespace

Result<ActionCosts> costs_in_spec(const Arch& arch) {
  ActionCosts costs;
  for (std::size_t i = 0; i < arch.nodes.size(); ++i) {
    const ArchNode node = arch.nodes[i];
    Status status;
    if (node.kind == NodeKind::kMemory) {
      status = fill(arch.memories[node.id], i, costs.memories[node.id]);
    } else if (node.kind == NodeKind::kCompute) {
      status = fill(arch.compute, i, costs.compute);
    }
    if (!status.ok()) return status;
  }
  return costs;
}

}  // namespace loopscape
