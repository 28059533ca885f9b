#include "tests/reference/shrink.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace loopscape::reference {
namespace {

using Candidates = std::vector<Failure>;

std::int64_t covered(const Mapping& mapping, std::size_t dim) {
  std::int64_t product = 1;
  for (const MappingNode& node : mapping) {
    if (node.kind != LoopKind::kStore && node.id == dim) product *= node.bound;
  }
  return product;
}

// A dimension never extends beyond what its loops cover.
void fit_extents(Failure& failure) {
  std::vector<Dim>& dims = failure.setting.problem.dims;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    dims[d].extent = std::min(dims[d].extent, covered(failure.mapping, d));
  }
}

Mapping without(const Mapping& mapping, std::size_t at) {
  Mapping shorter;
  for (std::size_t i = 0; i < mapping.size(); ++i) {
    if (i != at) shorter.push_back(mapping[i]);
  }
  return shorter;
}

void smaller_loops(const Failure& failure, Candidates& out) {
  for (std::size_t i = 0; i < failure.mapping.size(); ++i) {
    const MappingNode& node = failure.mapping[i];
    if (node.kind == LoopKind::kStore) {
      if (i == 0) continue;
      out.push_back({failure.setting, without(failure.mapping, i)});
      for (TensorMask t = 1; t != 0; t = static_cast<TensorMask>(t << 1)) {
        if ((node.tensors & t) == 0 || node.tensors == t) continue;
        out.push_back(failure);
        out.back().mapping[i].tensors = static_cast<TensorMask>(node.tensors & ~t);
      }
      continue;
    }
    out.push_back({failure.setting, without(failure.mapping, i)});
    fit_extents(out.back());
    if (node.bound > 2) {
      out.push_back(failure);
      --out.back().mapping[i].bound;
      fit_extents(out.back());
    }
  }
}

void smaller_problem(const Failure& failure, Candidates& out) {
  const Problem& problem = failure.setting.problem;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].extent == 1) continue;
    out.push_back(failure);
    --out.back().setting.problem.dims[d].extent;
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    out.push_back(failure);
    Tensor& plain = out.back().setting.problem.tensors[t];
    plain.bits = plain.final_bits = 0;
    for (Rank& rank : plain.ranks) rank.valid_begin = rank.valid_end = std::nullopt;
    for (std::size_t r = 0; r < plain.ranks.size(); ++r) {
      for (std::size_t i = 0; i < plain.ranks[r].terms.size(); ++i) {
        if (plain.ranks[r].terms[i].coefficient == 1) continue;
        out.push_back(failure);
        --out.back().setting.problem.tensors[t].ranks[r].terms[i].coefficient;
      }
    }
  }
}

// Takes a memory without a store, or a fan-out without lanes, out of the architecture.
void drop_node(const Failure& failure, std::size_t at, Candidates& out) {
  const ArchNode dropped = failure.setting.arch.nodes[at];
  Failure next = failure;
  Arch& arch = next.setting.arch;
  const AxisId first = dropped.kind == NodeKind::kFanout
                           ? failure.setting.arch.first_axis(static_cast<FanoutId>(dropped.id))
                           : AxisId{};
  const std::size_t axes =
      dropped.kind == NodeKind::kFanout ? arch.fanouts[dropped.id].axes.size() : 0;
  for (std::size_t i = 0; i < next.mapping.size(); ++i) {
    MappingNode& node = next.mapping[i];
    if (dropped.kind == NodeKind::kMemory && node.kind == LoopKind::kStore) {
      if (node.id == dropped.id) return;
      if (node.id > dropped.id) --node.id;
    }
    if (dropped.kind == NodeKind::kFanout && node.kind == LoopKind::kSpatial) {
      if (node.axis >= index(first) && node.axis < index(first) + axes) return;
      if (node.axis >= index(first)) node.axis = static_cast<std::uint8_t>(node.axis - axes);
    }
  }
  arch.nodes.erase(arch.nodes.begin() + static_cast<std::ptrdiff_t>(at));
  for (ArchNode& node : arch.nodes) {
    if (node.kind == dropped.kind && node.id > dropped.id) --node.id;
  }
  if (dropped.kind == NodeKind::kMemory) {
    arch.memories.erase(arch.memories.begin() + dropped.id);
    std::copy(next.setting.costs.memories.begin() + dropped.id + 1,
              next.setting.costs.memories.end(), next.setting.costs.memories.begin() + dropped.id);
  } else {
    arch.fanouts.erase(arch.fanouts.begin() + dropped.id);
  }
  out.push_back(std::move(next));
}

void plainer_memories(const Failure& failure, Candidates& out) {
  static constexpr std::array<void (*)(Memory&), 8> kPlainer = {
      [](Memory& m) { m.size_bits.reset(); },
      [](Memory& m) { m.width_bits = 0; },
      [](Memory& m) { m.read_bits.reset(); },
      [](Memory& m) { m.write_bits.reset(); },
      [](Memory& m) { m.bandwidth_bits.reset(); },
      [](Memory& m) { m.latency_cycles = 0; },
      [](Memory& m) { m.buffering = Buffering::kIdeal; },
      [](Memory& m) { m.power_gated = false; }};
  for (std::size_t m = 0; m < failure.setting.arch.memories.size(); ++m) {
    for (const auto& plainer : kPlainer) {
      out.push_back(failure);
      plainer(out.back().setting.arch.memories[m]);
    }
  }
}

void plainer_networks(const Failure& failure, Candidates& out) {
  static constexpr std::array<void (*)(Network&), 10> kPlainer = {
      [](Network& n) { n.forward.clear(); },
      [](Network& n) { n.multicast.clear(); },
      [](Network& n) { n.reduce.clear(); },
      [](Network& n) { n.bandwidth_bits.reset(); },
      [](Network& n) { n.latency_cycles = 0; },
      [](Network& n) { n.pipelined = false; },
      [](Network& n) { n.preload = true; },
      [](Network& n) { n.preload_axis.clear(); },
      [](Network& n) { n.tensors.clear(); },
      [](Network& n) { n.network_class = NetworkClass::kFree; }};
  for (std::size_t f = 0; f < failure.setting.arch.fanouts.size(); ++f) {
    const Fanout& fanout = failure.setting.arch.fanouts[f];
    for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
      out.push_back(failure);
      std::vector<Network>& fewer = out.back().setting.arch.fanouts[f].networks;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(n));
      for (const auto& plainer : kPlainer) {
        out.push_back(failure);
        plainer(out.back().setting.arch.fanouts[f].networks[n]);
      }
    }
    for (std::size_t a = 0; a < fanout.axes.size(); ++a) {
      if (fanout.axes[a].size == 1) continue;
      out.push_back(failure);
      --out.back().setting.arch.fanouts[f].axes[a].size;
    }
  }
}

void plainer_rest(const Failure& failure, Candidates& out) {
  static constexpr std::array<void (*)(Setting&), 8> kPlainer = {
      [](Setting& s) { s.conventions.drain_reads = true; },
      [](Setting& s) { s.conventions.footprint = Conventions::Footprint::kDistinct; },
      [](Setting& s) { s.conventions.sharing = Conventions::Sharing::kAnyWord; },
      [](Setting& s) { s.conventions.refill = Conventions::Refill::kOneChild; },
      [](Setting& s) { s.conventions.reuse = Conventions::Reuse::kMarch; },
      [](Setting& s) { s.arch.compute.interval_cycles = 1; },
      [](Setting& s) { s.arch.compute.latency_cycles = 0; },
      [](Setting& s) { s.arch.compute.power_gated = false; }};
  for (const auto& plainer : kPlainer) {
    out.push_back(failure);
    plainer(out.back().setting);
  }
}

Candidates simpler(const Failure& failure) {
  Candidates out;
  for (std::size_t i = 1; i + 1 < failure.setting.arch.nodes.size(); ++i) {
    drop_node(failure, i, out);
  }
  smaller_loops(failure, out);
  smaller_problem(failure, out);
  plainer_memories(failure, out);
  plainer_networks(failure, out);
  plainer_rest(failure, out);
  return out;
}

bool equal(const Setting& a, const Setting& b) {
  return describe(a, Mapping()) == describe(b, Mapping());
}

}  // namespace

Failure shrink(Failure failure, const std::function<bool(const Failure&)>& fails) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (Failure& candidate : simpler(failure)) {
      const bool same =
          candidate.mapping == failure.mapping && equal(candidate.setting, failure.setting);
      const Setting& setting = candidate.setting;
      if (same || !validate_mapping(candidate.mapping, setting.problem, setting.arch).ok()) {
        continue;
      }
      if (!fails(candidate)) continue;
      failure = std::move(candidate);
      smaller = true;
      break;
    }
  }
  return failure;
}

}  // namespace loopscape::reference
