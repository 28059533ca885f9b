#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "tests/reference/account.h"

namespace loopscape::reference {
namespace {

using Kind = TimePart::Kind;

double cycles_of(std::int64_t bits, double rate) { return static_cast<double>(bits) / rate; }

// Sums of the same times in another order differ in their last bits; the cycles must not.
double rounded_up(double cycles) {
  const double nearest = std::round(cycles);
  return std::abs(cycles - nearest) <= 1e-13 * cycles ? nearest : std::ceil(cycles);
}

double slowest(std::initializer_list<std::optional<double>> rates) {
  double least = std::numeric_limits<double>::infinity();  // nothing stated: free
  for (const std::optional<double>& rate : rates) {
    if (rate) least = std::min(least, *rate);
  }
  return least;
}

class Times {
 public:
  Times(const World& world, Simulation& simulation)
      : world_(world), simulation_(simulation), out_(simulation.breakdown) {}

  void account() {
    out_.compute.steps = world_.walk.steps;
    out_.compute.cycles =
        static_cast<double>(world_.walk.steps) * world_.arch.compute.interval_cycles;
    add(Kind::kCompute, NodeKind::kCompute, 0, out_.compute.cycles);
    for (std::size_t m = 0; m < world_.arch.memories.size(); ++m) overlapped_memory(m);
    for (std::size_t f = 0; f < world_.arch.fanouts.size(); ++f) overlapped_networks(f);
    for (std::size_t m = 0; m < world_.arch.memories.size(); ++m) exposed_memory(m);
    for (std::size_t f = 0; f < world_.arch.fanouts.size(); ++f) systolic(f);
    if (world_.defect != Defect::kNoLatency) latencies();
    total();
  }

 private:
  void add(Kind kind, NodeKind node, std::size_t id, double cycles) {
    out_.time.push_back({kind, node, static_cast<std::uint8_t>(id), cycles});
  }

  void total() {
    double longest = 0, exposed = 0;
    for (const TimePart& part : out_.time) {
      if (part.overlapped()) {
        longest = std::max(longest, part.cycles);
      } else {
        exposed += part.cycles;
      }
    }
    simulation_.overlapped_cycles = longest;
    simulation_.exposed_cycles = exposed;
    out_.cycles = static_cast<std::int64_t>(rounded_up(longest) + rounded_up(exposed));
    if (world_.defect == Defect::kCeilTogether) {
      out_.cycles = static_cast<std::int64_t>(rounded_up(longest + exposed));
    }
  }

  bool exposes_all(std::size_t memory) const {
    return world_.arch.memories[memory].buffering == Buffering::kSingle &&
           world_.defect != Defect::kSingleOverlaps;
  }

  // Bits that a store's instance moves under cover of the computation, read and written.
  void add_overlapped_bits(std::size_t tensor, std::size_t store, std::size_t instance,
                           std::int64_t& read, std::int64_t& written) const {
    const auto& stores = world_.nest.stores[tensor];
    const Bits bits = bits_moved(world_, tensor, store, instance);
    const bool below_exposed = store + 1 < stores.size() && exposes_all(stores[store + 1].memory) &&
                               world_.defect != Defect::kSingleOneEnd;
    if (!below_exposed) {
      read += bits.reads;
      written += bits.updates;
    }
    if (exposes_all(stores[store].memory)) return;
    written += bits.fills;
    if (world_.conventions.drain_reads != (world_.defect == Defect::kDrainReadsSwapped)) {
      read += bits.drains;
    }
  }

  void overlapped_memory(std::size_t m) {
    const std::size_t instances = place_of_memory(world_.nest, m).instances();
    std::vector<std::int64_t> read(instances), written(instances), both(instances);
    for (std::size_t t = 0; t < world_.nest.stores.size(); ++t) {
      for (std::size_t k = 0; k < world_.nest.stores[t].size(); ++k) {
        if (world_.nest.stores[t][k].memory != m) continue;
        for (std::size_t i = 0; i < instances; ++i) {
          add_overlapped_bits(t, k, i, read[i], written[i]);
        }
      }
    }
    for (std::size_t i = 0; i < instances; ++i) both[i] = read[i] + written[i];
    const Memory& memory = world_.arch.memories[m];
    MemoryReport& report = out_.memories[m];
    if (memory.read_bits) report.read_cycles = busiest(read) / *memory.read_bits;
    if (memory.write_bits) report.write_cycles = busiest(written) / *memory.write_bits;
    if (memory.bandwidth_bits) report.shared_cycles = busiest(both) / *memory.bandwidth_bits;
    add(Kind::kMemoryRead, NodeKind::kMemory, m, report.read_cycles);
    add(Kind::kMemoryWrite, NodeKind::kMemory, m, report.write_cycles);
    add(Kind::kMemoryShared, NodeKind::kMemory, m, report.shared_cycles);
  }

  double busiest(const std::vector<std::int64_t>& bits) const {
    if (world_.defect == Defect::kFirstInstance) return static_cast<double>(bits.front());
    if (world_.defect == Defect::kMeanInstance) {
      double sum = 0;
      for (const std::int64_t b : bits) sum += static_cast<double>(b);
      return sum / static_cast<double>(bits.size());
    }
    return static_cast<double>(*std::max_element(bits.begin(), bits.end()));
  }

  void overlapped_networks(std::size_t f) {
    const std::int64_t instances = fanout_instances(f);
    for (const Network& network : world_.arch.fanouts[f].networks) {
      if (!network.bandwidth_bits) continue;
      std::int64_t bits = 0;
      for (std::size_t t = 0; t < world_.problem.tensors.size(); ++t) {
        if (network_of(world_.nest, f, t) != &network) continue;
        const TensorAtNetwork& link = world_.walk.tensors[t].links[f];
        const bool down_only = world_.defect == Defect::kNetworkDownOnly;
        bits += (link.words_in + (down_only ? 0 : link.words_out)) * world_.bits(t);
      }
      const double each = static_cast<double>(bits) / static_cast<double>(instances);
      const double cycles = each / *network.bandwidth_bits;
      out_.fanouts[f].cycles = std::max(out_.fanouts[f].cycles, cycles);
    }
    add(Kind::kNetwork, NodeKind::kFanout, f, out_.fanouts[f].cycles);
  }

  std::int64_t fanout_instances(std::size_t f) const {
    if (world_.defect == Defect::kNetworkOneInstance) return 1;
    const std::size_t order = order_of(world_.arch, NodeKind::kFanout, f);
    std::int64_t used = 0;  // children with index 0 in every fan-out from f on
    for (std::size_t c = 0; c < world_.nest.compute.instances(); ++c) {
      const auto indices = lane_indices(world_.nest, world_.nest.compute.lanes, c);
      bool first = true;
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const Loop& loop = world_.nest.loops[world_.nest.compute.lanes[i]];
        first &= indices[i] == 0 || order_of(world_.arch, NodeKind::kFanout, loop.fanout) < order;
      }
      used += first && !world_.tiles.empty_at(world_.nest.compute.offsets[c]);
    }
    return used;
  }

  double rate_in(std::size_t tensor, std::size_t store) const {
    const Memory& own = world_.arch.memories[world_.nest.stores[tensor][store].memory];
    const Memory& parent = world_.arch.memories[world_.nest.stores[tensor][store - 1].memory];
    if (world_.defect == Defect::kRateOfChildOnly) {
      return slowest({own.write_bits, own.bandwidth_bits});
    }
    return slowest({own.write_bits, own.bandwidth_bits, parent.read_bits, parent.bandwidth_bits});
  }

  double rate_out(std::size_t tensor, std::size_t store) const {
    const Memory& own = world_.arch.memories[world_.nest.stores[tensor][store].memory];
    const Memory& parent = world_.arch.memories[world_.nest.stores[tensor][store - 1].memory];
    if (world_.defect == Defect::kRateOfChildOnly) {
      return slowest({own.read_bits, own.bandwidth_bits});
    }
    return slowest({own.read_bits, own.bandwidth_bits, parent.write_bits, parent.bandwidth_bits});
  }

  void exposed_memory(std::size_t m) {
    const Buffering buffering = world_.arch.memories[m].buffering;
    if (buffering == Buffering::kSingle) {
      if (world_.defect != Defect::kSingleOverlaps) exposed_transfers(m);
      return;
    }
    if (buffering == Buffering::kIdeal) return;
    if (buffering == Buffering::kDouble && world_.defect == Defect::kDoubleHidesAll) return;
    const bool first_access =
        buffering == Buffering::kBuffet && world_.defect != Defect::kBuffetAsDouble;
    double fill = 0, drain = 0;
    for (std::size_t t = 0; t < world_.nest.stores.size(); ++t) {
      for (std::size_t k = 1; k < world_.nest.stores[t].size(); ++k) {
        if (world_.nest.stores[t][k].memory != m) continue;
        const bool output = world_.problem.tensors[t].is_output;
        const bool final = output && world_.defect != Defect::kDrainAtFullBits;
        std::int64_t bits =
            world_.tile_words(t, k) * (final ? world_.final_bits(t) : world_.bits(t));
        if (first_access) bits = std::min(bits, world_.width(m, t));
        if (output) {
          drain += cycles_of(bits, rate_out(t, k));
        } else {
          fill += cycles_of(bits, rate_in(t, k));
        }
      }
    }
    add(Kind::kFirstFill, NodeKind::kMemory, m, fill);
    add(Kind::kLastDrain, NodeKind::kMemory, m, drain);
  }

  void exposed_transfers(std::size_t m) {
    std::vector<double> cycles(place_of_memory(world_.nest, m).instances());
    for (std::size_t t = 0; t < world_.nest.stores.size(); ++t) {
      for (std::size_t k = 1; k < world_.nest.stores[t].size(); ++k) {
        if (world_.nest.stores[t][k].memory != m) continue;
        for (std::size_t i = 0; i < cycles.size(); ++i) {
          const Bits bits = bits_moved(world_, t, k, i);
          cycles[i] += cycles_of(bits.fills, rate_in(t, k));
          cycles[i] += cycles_of(bits.drains, rate_out(t, k));
        }
      }
    }
    add(Kind::kExposedTransfer, NodeKind::kMemory, m,
        *std::max_element(cycles.begin(), cycles.end()));
  }

  // How often the stationary candidate below a fan-out changes, on the busiest lane.
  std::int64_t residences(std::size_t f, std::size_t tensor) const {
    const std::size_t order = order_of(world_.arch, NodeKind::kFanout, f);
    const auto& stores = world_.nest.stores[tensor];
    for (std::size_t k = 0; k < stores.size(); ++k) {
      if (order_of(world_.arch, NodeKind::kMemory, stores[k].memory) < order) continue;
      std::int64_t most = 0;
      for (const InstanceCounts& counts : world_.walk.tensors[tensor].stores[k]) {
        most = std::max(most, counts.receptions);
      }
      return most;
    }
    const std::vector<std::int64_t>& runs = world_.walk.tensors[tensor].compute_runs;
    return *std::max_element(runs.begin(), runs.end());
  }

  bool stored_below(std::size_t f, std::size_t tensor) const {
    const std::size_t order = order_of(world_.arch, NodeKind::kFanout, f);
    const auto& stores = world_.nest.stores[tensor];
    return std::any_of(stores.begin(), stores.end(), [&](const auto& store) {
      return order_of(world_.arch, NodeKind::kMemory, store.memory) > order;
    });
  }

  // Tensors that may be stationary in fan-out f: those it stores, or all if it stores none.
  std::vector<std::size_t> candidates(std::size_t f) const {
    std::vector<std::size_t> stored, all;
    for (std::size_t t = 0; t < world_.problem.tensors.size(); ++t) {
      all.push_back(t);
      if (stored_below(f, t)) stored.push_back(t);
    }
    return stored.empty() ? all : stored;
  }

  void systolic(std::size_t f) {
    const Fanout& fanout = world_.arch.fanouts[f];
    const bool is_systolic = std::any_of(
        fanout.networks.begin(), fanout.networks.end(),
        [](const Network& network) { return network.network_class == NetworkClass::kSystolic; });
    if (!is_systolic) return;
    // The output is tensor 0 and wins ties.
    std::size_t stationary = index(world_.problem.output());
    std::int64_t folds = std::numeric_limits<std::int64_t>::max();
    for (const std::size_t t : candidates(f)) {
      if (residences(f, t) >= folds) continue;
      stationary = t;
      folds = residences(f, t);
    }
    if (world_.defect == Defect::kFoldsOfOutput) {
      stationary = index(world_.problem.output());
      folds = residences(f, stationary);
    }
    const Network* carrier = network_of(world_.nest, f, stationary);
    std::size_t preload_axis = fanout.axes.size() - 1;
    for (std::size_t a = 0; a < fanout.axes.size(); ++a) {
      if (carrier != nullptr && fanout.axes[a].name == carrier->preload_axis) preload_axis = a;
    }
    if (world_.defect == Defect::kPreloadOtherAxis) preload_axis = 0;
    double r = 1, c = 1;
    for (std::size_t a = 0; a < fanout.axes.size(); ++a) {
      (a == preload_axis ? r : c) *= axis_size(f, a);
    }
    const auto times = static_cast<double>(folds);
    if (world_.defect != Defect::kNoSkew) {
      const bool once = carrier != nullptr && carrier->pipelined &&
                        world_.defect != Defect::kNeverPipelined && folds > 0;
      add(Kind::kSystolicSkew, NodeKind::kFanout, f, (once ? 1 : times) * (r + c - 2));
    }
    const bool preload = carrier != nullptr && carrier->preload &&
                         stationary != index(world_.problem.output()) &&
                         world_.defect != Defect::kNoPreload;
    add(Kind::kPreload, NodeKind::kFanout, f, preload ? times * r : 0);
  }

  double axis_size(std::size_t f, std::size_t a) const {
    if (world_.defect != Defect::kSkewOfLanes) return world_.arch.fanouts[f].axes[a].size;
    std::size_t number = a;
    for (std::size_t before = 0; before < f; ++before) {
      number += world_.arch.fanouts[before].axes.size();
    }
    double lanes = 1;
    for (const Loop& loop : world_.nest.loops) {
      if (loop.spatial && loop.axis == number) lanes *= static_cast<double>(loop.bound);
    }
    return lanes;
  }

  void latencies() {
    for (std::size_t m = 0; m < world_.arch.memories.size(); ++m) {
      bool stores = world_.defect == Defect::kLatencyWithoutStore;
      for (const TensorAtMemory& tensor : out_.memories[m].tensors) stores |= tensor.stored;
      if (!stores) continue;
      add(Kind::kLatency, NodeKind::kMemory, m, world_.arch.memories[m].latency_cycles);
    }
    for (std::size_t f = 0; f < world_.arch.fanouts.size(); ++f) {
      if (out_.fanouts[f].children_used == 1) continue;
      for (const Network& network : world_.arch.fanouts[f].networks) {
        add(Kind::kLatency, NodeKind::kFanout, f, network.latency_cycles);
      }
    }
    add(Kind::kLatency, NodeKind::kCompute, 0, world_.arch.compute.latency_cycles);
  }

  const World& world_;
  Simulation& simulation_;
  Breakdown& out_;
};

}  // namespace

void account_time(const World& world, Simulation& simulation) {
  Times(world, simulation).account();
}

}  // namespace loopscape::reference
