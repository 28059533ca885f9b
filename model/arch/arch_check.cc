// What no single field of an architecture can see.
#include <algorithm>
#include <set>
#include <utility>

#include "model/arch/arch_tables.h"

namespace loopscape {

std::string common_name(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (const std::string& name : a) {
    if (std::find(b.begin(), b.end(), name) != b.end()) return name;
  }
  return "";
}

namespace {

using fields::Reader;

bool lists(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status check_memory(const Arch& arch, std::size_t id, const Reader& reader) {
  const Memory& memory = arch.memories[id];
  if (id == 0 && !memory.bypass.empty()) {
    return reader.at("bypass").error("the outermost memory keeps every tensor; it cannot bypass " +
                                     in_quotes(memory.bypass[0]));
  }
  const std::string both = common_name(memory.keep, memory.bypass);
  if (both.empty()) return {};
  return reader.at("bypass").error(in_quotes(both) + " is kept and bypassed at once");
}

// Free networks cost nothing, so a cost stated for one would be lost.
Status check_free(const Network& network, const Reader& reader) {
  if (network.network_class != NetworkClass::kFree) return {};
  const std::pair<const char*, bool> costs[] = {
      {"energy_pj_per_bit_hop", network.energy_pj_per_bit_hop > 0},
      {"hop_mm", network.hop_mm > 0},
      {"bandwidth_bits", network.bandwidth_bits.has_value()},
      {"latency_cycles", network.latency_cycles > 0}};
  for (const auto& [key, stated] : costs) {
    if (!stated) continue;
    return reader.at(key).error(
        "a network of class 'free' has no energy and no delay; choose "
        "another class (bus, multicast_bus, mesh, tree, crossbar, "
        "systolic, chain)");
  }
  return {};
}

Status check_network(const Fanout& fanout, const Network& network, const Reader& reader) {
  if (Status s = check_free(network, reader); !s.ok()) return s;
  if (lists(network.multicast, "output")) {
    return reader.at("multicast")
        .error("outputs are reduced, not multicast: list them in 'reduce'");
  }
  if (lists(network.forward, "output")) {
    return reader.at("forward").error("only inputs are forwarded between neighbours");
  }
  for (const char* role : {"input", "weight"}) {
    if (!lists(network.reduce, role)) continue;
    return reader.at("reduce").error("only outputs are reduced; list " + in_quotes(role) +
                                     " in 'multicast'");
  }
  const bool systolic =
      std::any_of(fanout.networks.begin(), fanout.networks.end(),
                  [](const Network& n) { return n.network_class == NetworkClass::kSystolic; });
  if (!systolic && (!network.preload || !network.preload_axis.empty())) {
    return reader.at(network.preload ? "preload_axis" : "preload")
        .error("only a systolic fan-out preloads an operand (class 'systolic')");
  }
  if (network.pipelined && (!systolic || network.preload)) {
    return reader.at("pipelined")
        .error(
            systolic
                ? "folds follow each other without a gap only if their operand is loaded before: "
                  "add \"preload\": false"
                : "only a systolic fan-out has folds (class 'systolic')");
  }
  if (network.preload_axis.empty()) return {};
  std::vector<std::string> axes;
  for (const Axis& axis : fanout.axes) axes.push_back(axis.name);
  if (lists(axes, network.preload_axis.c_str())) return {};
  return reader.at("preload_axis")
      .error("unknown axis " + in_quotes(network.preload_axis) +
             suggestion(network.preload_axis, axes));
}

Status check_fanout(const Fanout& fanout, const Reader& reader) {
  std::set<std::string> carried;
  bool rest = false;
  for (std::size_t i = 0; i < fanout.networks.size(); ++i) {
    const Network& network = fanout.networks[i];
    const Reader here =
        fanout.networks.size() == 1 ? reader.at("network") : reader.at("network").at(i);
    if (Status s = check_network(fanout, network, here); !s.ok()) return s;
    if (network.tensors.empty() && std::exchange(rest, true)) {
      return here.error("two networks carry 'all not named elsewhere'; list 'tensors' in one");
    }
    for (const std::string& name : network.tensors) {
      if (carried.insert(name).second) continue;
      return here.at("tensors").error(in_quotes(name) + " is carried by another network already");
    }
  }
  return {};
}

Status check_leakage(const Arch& arch, const std::optional<double>& leakage_mw,
                     const Reader& reader) {
  if (arch.clock_mhz || !leakage_mw || *leakage_mw == 0) return {};
  return reader.at("leakage_mw")
      .error("leakage becomes energy through the clock: give the architecture's 'clock_mhz'");
}

Status check_order(const Arch& arch) {
  const Reader reader{"/nodes"};
  if (arch.nodes.empty()) return reader.error("an architecture has at least a memory and compute");
  if (arch.nodes[0].kind != NodeKind::kMemory) {
    return reader.at(std::size_t{0}).error("the first node is the outermost memory");
  }
  for (std::size_t i = 0; i < arch.nodes.size(); ++i) {
    const bool last = i + 1 == arch.nodes.size();
    if ((arch.nodes[i].kind == NodeKind::kCompute) == last) continue;
    return last ? reader.error(
                      "the last node must be the compute node, as in {\"compute\": \"MAC\"}")
                : reader.at(i).error("the compute node is the last one");
  }
  return {};
}

}  // namespace

Status check_nodes(const Arch& arch) {
  if (Status s = check_order(arch); !s.ok()) return s;
  std::set<std::string> names;
  OverflowFlag overflow;
  std::int64_t instances = 1;
  for (std::size_t i = 0; i < arch.nodes.size(); ++i) {
    const ArchNode node = arch.nodes[i];
    const Reader reader = Reader{"/nodes"}.at(i);
    Status status;
    std::string name = arch.compute.name;
    if (node.kind == NodeKind::kMemory) {
      const Memory& memory = arch.memories[node.id];
      name = memory.name;
      status = check_memory(arch, node.id, reader);
      if (status.ok()) status = check_leakage(arch, memory.leakage_mw, reader);
    } else if (node.kind == NodeKind::kFanout) {
      const Fanout& fanout = arch.fanouts[node.id];
      name = fanout.name;
      for (const Axis& axis : fanout.axes) instances = overflow.mul(instances, axis.size);
      status = check_fanout(fanout, reader);
    } else {
      status = check_leakage(arch, arch.compute.leakage_mw, reader);
    }
    if (!status.ok()) return status;
    if (!names.insert(name).second) {
      return reader.error("two nodes are called " + in_quotes(name));
    }
    if (overflow.raised()) {
      return reader.at("axes").error("the number of instances does not fit 63 bits");
    }
  }
  return {};
}

}  // namespace loopscape
