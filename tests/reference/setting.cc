#include "tests/reference/setting.h"

#include <sstream>
#include <utility>

namespace loopscape::reference {
namespace {

void list(std::ostream& out, const char* key, const std::vector<std::string>& names) {
  out << " " << key << "=[";
  for (std::size_t i = 0; i < names.size(); ++i) out << (i > 0 ? "," : "") << names[i];
  out << "]";
}

void number(std::ostream& out, const char* key, const std::optional<double>& value) {
  if (value) out << " " << key << "=" << *value;
}

void describe(std::ostream& out, const Memory& memory) {
  static constexpr const char* kBuffering[] = {"ideal", "single", "double", "buffet"};
  out << "memory " << memory.name;
  if (memory.size_bits) out << " size_bits=" << *memory.size_bits;
  if (memory.width_bits != 0) out << " width_bits=" << memory.width_bits;
  number(out, "read_bits", memory.read_bits);
  number(out, "write_bits", memory.write_bits);
  number(out, "bandwidth_bits", memory.bandwidth_bits);
  if (memory.latency_cycles != 0) out << " latency_cycles=" << memory.latency_cycles;
  if (memory.power_gated) out << " power_gated";
  out << " buffering=" << kBuffering[static_cast<int>(memory.buffering)] << "\n";
}

void describe(std::ostream& out, const Fanout& fanout) {
  static constexpr const char* kClass[] = {"free", "bus",      "multicast_bus", "mesh",
                                           "tree", "crossbar", "systolic",      "chain"};
  out << "fanout " << fanout.name;
  for (const Axis& axis : fanout.axes) out << " " << axis.name << "=" << axis.size;
  out << "\n";
  for (const Network& network : fanout.networks) {
    out << "  network " << kClass[static_cast<int>(network.network_class)];
    list(out, "tensors", network.tensors);
    list(out, "multicast", network.multicast);
    list(out, "reduce", network.reduce);
    list(out, "forward", network.forward);
    number(out, "bandwidth_bits", network.bandwidth_bits);
    if (network.latency_cycles != 0) out << " latency_cycles=" << network.latency_cycles;
    out << " preload=" << network.preload << " preload_axis=" << network.preload_axis
        << " pipelined=" << network.pipelined << "\n";
  }
}

}  // namespace

Memory& ArchBuilder::memory(std::string name) {
  arch.nodes.push_back({NodeKind::kMemory, static_cast<std::uint8_t>(arch.memories.size())});
  arch.memories.emplace_back();
  arch.memories.back().name = std::move(name);
  arch.memories.back().class_name = "sram";
  return arch.memories.back();
}

Fanout& ArchBuilder::fanout(std::string name, std::vector<std::uint32_t> sizes) {
  arch.nodes.push_back({NodeKind::kFanout, static_cast<std::uint8_t>(arch.fanouts.size())});
  arch.fanouts.emplace_back();
  Fanout& fanout = arch.fanouts.back();
  fanout.name = std::move(name);
  char axis = static_cast<char>('x' - (sizes.size() > 3 ? 1 : 0));
  for (const std::uint32_t size : sizes) {
    fanout.axes.push_back({std::string(1, axis++), size, {}});
  }
  Network network;
  network.network_class = NetworkClass::kMulticastBus;
  network.multicast = {"input", "weight"};
  network.reduce = {"output"};
  fanout.networks.push_back(network);
  return fanout;
}

Arch ArchBuilder::done() const {
  Arch complete = arch;
  complete.name = "test";
  complete.clock_mhz = 200;
  complete.nodes.push_back({NodeKind::kCompute, 0});
  complete.compute.name = "MAC";
  complete.compute.class_name = "int_mac";
  return complete;
}

ActionCosts distinct_costs(const Arch& arch) {
  ActionCosts costs;
  for (std::size_t m = 0; m < arch.memories.size(); ++m) {
    const auto scale = static_cast<double>(m + 1);
    costs.memories[m] = {200.25 / scale, 150.5 / scale, 170.125 / scale, 0.25 * scale, 64 / scale};
  }
  costs.compute = {1.375, 0.0625, 3.5};
  return costs;
}

Setting make_setting(Problem problem, Arch arch, Conventions conventions) {
  ActionCosts costs = distinct_costs(arch);
  return {std::move(problem), std::move(arch), conventions, costs};
}

std::string describe(const Conventions& conventions) {
  const Conventions& c = conventions;
  std::ostringstream out;
  out << "drain_reads=" << c.drain_reads
      << " footprint=" << (c.footprint == Conventions::Footprint::kBox ? "box" : "distinct")
      << " sharing="
      << (c.sharing == Conventions::Sharing::kEqualDelta ? "equal_delta" : "any_word")
      << " refill=" << (c.refill == Conventions::Refill::kEveryChild ? "every" : "one")
      << " reuse=" << (c.reuse == Conventions::Reuse::kPreviousTile ? "previous_tile" : "march");
  return out.str();
}

std::string describe(const Setting& setting, const Mapping& mapping) {
  std::ostringstream out;
  out << problem_to_json(setting.problem) << "\nword_bits=" << setting.arch.word_bits
      << " by role=" << setting.arch.role_bits.weight << "," << setting.arch.role_bits.input << ","
      << setting.arch.role_bits.output << "," << setting.arch.role_bits.final << "\n";
  for (const ArchNode& node : setting.arch.nodes) {
    if (node.kind == NodeKind::kMemory) describe(out, setting.arch.memories[node.id]);
    if (node.kind == NodeKind::kFanout) describe(out, setting.arch.fanouts[node.id]);
  }
  out << "compute interval_cycles=" << setting.arch.compute.interval_cycles
      << " latency_cycles=" << setting.arch.compute.latency_cycles << "\n"
      << describe(setting.conventions) << "\n"
      << mapping_to_text(mapping, setting.problem, setting.arch) << "\n"
      << mapping_to_json(mapping, setting.problem, setting.arch) << "\n";
  return out.str();
}

}  // namespace loopscape::reference
