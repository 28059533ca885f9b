// Where time goes (counting.md A9), and the leakage that depends on it.

#include <algorithm>

#include "model/base/cycles.h"
#include "model/evaluate/bound.h"
#include "model/evaluate/instances.h"

namespace loopscape {
namespace {

// Above this a double no longer tells neighbouring cycles apart.
constexpr double kMostCycles = 9007199254740992.0;  // 2^53

double smallest_stated(double a, double b, double c, double d) {
  double smallest = 0;
  for (const double rate : {a, b, c, d}) {
    if (rate > 0 && (smallest == 0 || rate < smallest)) smallest = rate;
  }
  return smallest;
}

class Timer {
 public:
  Timer(const BoundModel& model, Workspace& workspace, Sheet& sheet)
      : model_(model), workspace_(workspace), sheet_(sheet) {}

  StatusCode run() {
    sheet_.parts = 0;
    push(TimePart::Kind::kCompute, NodeKind::kCompute, 0,
         static_cast<double>(sheet_.tally.steps) * model_.interval_cycles);
    for (std::size_t m = 0; m < model_.counting.memories; ++m) bandwidth(m);
    for (std::size_t f = 0; f < model_.counting.spans; ++f) network_bandwidth(f);
    overlapped_ = sheet_.parts;
    for (std::size_t m = 0; m < model_.counting.memories; ++m) {
      if (stored(m) && !exposed(m)) return StatusCode::kUnsupported;
    }
    for (std::size_t f = 0; f < model_.counting.spans; ++f) systolic(f);
    latencies();
    if (flag_.raised()) return StatusCode::kOverflow;
    return add_up();
  }

 private:
  bool stored(std::size_t m) const { return sheet_.nest.stored[m] != 0; }

  void push(TimePart::Kind kind, NodeKind node, std::size_t id, double cycles) {
    sheet_.part[sheet_.parts++] = {kind, node, static_cast<std::uint8_t>(id), cycles};
  }
  void push_exposed(TimePart::Kind kind, NodeKind node, std::size_t id, double cycles) {
    if (cycles > 0) push(kind, node, id, cycles);
  }

  void bandwidth(std::size_t m) {
    const MemoryTerms& terms = model_.memory[m];
    if (!stored(m)) return;
    if (terms.read_bits > 0) {
      push(TimePart::Kind::kMemoryRead, NodeKind::kMemory, m,
           sheet_.read_bits[m] / terms.read_bits);
    }
    if (terms.write_bits > 0) {
      push(TimePart::Kind::kMemoryWrite, NodeKind::kMemory, m,
           sheet_.write_bits[m] / terms.write_bits);
    }
    if (terms.shared_bits > 0) {
      push(TimePart::Kind::kMemoryShared, NodeKind::kMemory, m,
           sheet_.shared_bits[m] / terms.shared_bits);
    }
  }

  void network_bandwidth(std::size_t f) {
    const FanoutTerms& fanout = model_.fanout[f];
    for (std::size_t n = 0; n < fanout.networks; ++n) {
      if (fanout.network[n].bandwidth_bits <= 0) continue;
      double bits = 0;
      for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
        if (model_.counting.network[f][t] != static_cast<int>(n)) continue;
        const NetworkTally tally = whole_network(model_.counting, sheet_.tally, f, t);
        if (!tally.used) continue;
        bits += static_cast<double>(
            flag_.mul(flag_.add(tally.words_in, tally.words_out), model_.counting.tensor[t].bits));
      }
      bits /= static_cast<double>(sheet_.tally.fanouts_used[f]);
      push(TimePart::Kind::kNetwork, NodeKind::kFanout, f, bits / fanout.network[n].bandwidth_bits);
    }
  }

  // Bits per cycle between a tensor's store and its parent; 0: free.
  struct Rates {
    double in = 0, out = 0;
  };
  Rates rates(std::size_t m, std::size_t t) const {
    const int stop = stop_at(sheet_.nest, t, m);
    if (stop < 1) return {};
    const MemoryTerms& own = model_.memory[m];
    const MemoryTerms& parent =
        model_.memory[sheet_.nest.stop[t][static_cast<std::size_t>(stop - 1)].memory];
    return {smallest_stated(own.write_bits, own.shared_bits, parent.read_bits, parent.shared_bits),
            smallest_stated(own.read_bits, own.shared_bits, parent.write_bits, parent.shared_bits)};
  }

  // What the memory's buffering cannot hide.
  bool exposed(std::size_t m) {
    switch (model_.memory[m].buffering) {
      case Buffering::kIdeal:
        return true;
      case Buffering::kSingle:
        return single_transfers(m);
      case Buffering::kDouble:
      case Buffering::kBuffet:
        first_and_last(m);
        return true;
    }
    return true;
  }

  void first_and_last(std::size_t m) {
    const MemoryTerms& own = model_.memory[m];
    double in = 0, out = 0;
    for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
      const Rates rate = rates(m, t);
      const TensorShape& tensor = model_.counting.tensor[t];
      if (rate.in == 0 && rate.out == 0) continue;
      double moved = bits(sheet_.tally.memory[m][t].tile_words,
                          tensor.is_output ? tensor.final_bits : tensor.bits);
      if (own.buffering == Buffering::kBuffet) {
        moved = std::min(moved, static_cast<double>(own.access_bits[t]));
      }
      if (!tensor.is_output && rate.in > 0) in += moved / rate.in;
      if (tensor.is_output && rate.out > 0) out += moved / rate.out;
    }
    push_exposed(TimePart::Kind::kFirstFill, NodeKind::kMemory, m, in);
    push_exposed(TimePart::Kind::kLastDrain, NodeKind::kMemory, m, out);
  }

  double transfer(std::size_t t, const Rates& rate, const Words& words) {
    const TensorShape& tensor = model_.counting.tensor[t];
    double cycles = 0;
    if (rate.in > 0) cycles += bits(words.fills, tensor.bits) / rate.in;
    if (rate.out > 0) {
      cycles += (bits(words.drains - words.final_drains, tensor.bits) +
                 bits(words.final_drains, tensor.final_bits)) /
                rate.out;
    }
    return cycles;
  }

  // All fills and drains of the instance that they keep longest.
  bool single_transfers(std::size_t m) {
    double longest = 0;
    bool each = false;
    for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
      const Rates rate = rates(m, t);
      if (rate.in == 0 && rate.out == 0) continue;
      const TensorTally& tally = sheet_.tally.memory[m][t];
      if (tally.instanced == Instanced::kUnknown) {
        refuse(workspace_, instances_refusal(model_, sheet_, m, t));
        return false;
      }
      each |= tally.instanced == Instanced::kEach;
      longest += transfer(t, rate, tally.first);
    }
    if (each) {
      longest = 0;
      const int position = deepest_position(model_, sheet_, m);
      for_each_instance(sheet_.nest, position, [&](const std::uint32_t* lane) {
        double own = 0;
        for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
          const Rates rate = rates(m, t);
          if (rate.in == 0 && rate.out == 0) continue;
          own += transfer(t, rate, instance_words(model_, sheet_, workspace_, m, t, lane, flag_));
        }
        longest = std::max(longest, own);
      });
    }
    push_exposed(TimePart::Kind::kExposedTransfer, NodeKind::kMemory, m, longest);
    return true;
  }

  double bits(std::int64_t words, std::uint32_t width) {
    return static_cast<double>(flag_.mul(words, width));
  }

  // Folds: residences of what stays longest in the array. Ties: the output, which comes first.
  void systolic(std::size_t f) {
    if (!model_.fanout[f].systolic) return;
    std::int64_t folds = INT64_MAX;
    std::size_t stationary = 0;
    // What the array stores may be stationary; what only passes through is not, unless nothing is
    // stored.
    const bool any_stored = stored_below(f) != 0;
    for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
      if (any_stored && !(stored_below(f) >> t & 1u)) continue;
      const std::int64_t times = residences(model_.counting, sheet_.nest, static_cast<int>(t),
                                            model_.counting.span[f].last, flag_);
      if (times >= folds) continue;
      folds = times;
      stationary = t;
    }
    const Evaluator::Fold fold = fold_of(model_, f, stationary);
    const auto all = [&](double cycles) {
      return static_cast<double>(flag_.mul(folds, static_cast<std::int64_t>(cycles)));
    };
    push_exposed(TimePart::Kind::kSystolicSkew, NodeKind::kFanout, f,
                 all(fold.skew_cycles) + (folds > 0 ? fold.once_cycles : 0));
    if (fold.preload_cycles == 0) return;
    push_exposed(TimePart::Kind::kPreload, NodeKind::kFanout, f, all(fold.preload_cycles));
  }

  // Tensors with a store below fan-out f.
  unsigned stored_below(std::size_t f) const {
    unsigned mask = 0;
    for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
      for (int s = 0; s < sheet_.nest.stops[t]; ++s) {
        const std::uint8_t memory = sheet_.nest.stop[t][static_cast<std::size_t>(s)].memory;
        if (model_.counting.fanouts_above[memory] > model_.counting.span[f].last) mask |= 1u << t;
      }
    }
    return mask;
  }

  void latencies() {
    for (std::size_t m = 0; m < model_.counting.memories; ++m) {
      if (!stored(m)) continue;
      push_exposed(TimePart::Kind::kLatency, NodeKind::kMemory, m, model_.memory[m].latency_cycles);
    }
    for (std::size_t f = 0; f < model_.counting.spans; ++f) {
      if (sheet_.tally.children_used[f] == 1) continue;
      for (std::size_t n = 0; n < model_.fanout[f].networks; ++n) {
        push_exposed(TimePart::Kind::kLatency, NodeKind::kFanout, f,
                     model_.fanout[f].network[n].latency_cycles);
      }
    }
    push_exposed(TimePart::Kind::kLatency, NodeKind::kCompute, 0, model_.compute_latency_cycles);
  }

  StatusCode add_up() {
    double largest = 0, exposed = 0;
    for (std::size_t i = 0; i < sheet_.parts; ++i) {
      const double cycles = sheet_.part[i].cycles;
      if (i < overlapped_) {
        largest = std::max(largest, cycles);
      } else {
        exposed += cycles;
      }
    }
    if (!(largest < kMostCycles && exposed < kMostCycles)) return StatusCode::kOverflow;
    sheet_.cycles = static_cast<std::int64_t>(whole_cycles(largest)) +
                    static_cast<std::int64_t>(whole_cycles(exposed));
    return StatusCode::kOk;
  }

  const BoundModel& model_;
  Workspace& workspace_;
  Sheet& sheet_;
  OverflowFlag flag_;
  std::size_t overlapped_ = 0;
};

void leak(const BoundModel& model, Sheet& sheet) {
  for (std::size_t m = 0; m < model.counting.memories; ++m) {
    const MemoryTerms& terms = model.memory[m];
    sheet.leakage_pj[m] =
        leakage_energy_pj(model, model.costs.memories[m].leakage_mw, terms.power_gated,
                          terms.instances, sheet.tally.instances_used[m], sheet.cycles);
    sheet.energy_pj += sheet.leakage_pj[m];
  }
  sheet.compute_leakage_pj =
      leakage_energy_pj(model, model.costs.compute.leakage_mw, model.compute_power_gated,
                        model.lanes, sheet.tally.lanes_used, sheet.cycles);
  sheet.energy_pj += sheet.compute_leakage_pj;
}

}  // namespace

Evaluator::Fold fold_of(const BoundModel& model, std::size_t f, std::size_t tensor) {
  const FanoutTerms& fanout = model.fanout[f];
  if (!fanout.systolic) return {};
  const int carrier = model.counting.network[f][tensor];
  const NetworkTerms* network =
      carrier < 0 ? nullptr : &fanout.network[static_cast<std::size_t>(carrier)];
  const std::int64_t rows = network != nullptr ? network->rows : fanout.rows;
  const std::int64_t columns = network != nullptr ? network->columns : fanout.columns;
  const bool preloads =
      network != nullptr && network->preload && !model.counting.tensor[tensor].is_output;
  const auto skew = static_cast<double>(rows + columns - 2);
  if (network != nullptr && network->pipelined) return {0, 0, skew};
  return {skew, preloads ? static_cast<double>(rows) : 0, 0};
}

StatusCode time(const BoundModel& model, Workspace& workspace, Sheet& sheet) {
  const StatusCode status = Timer(model, workspace, sheet).run();
  if (status == StatusCode::kOk) leak(model, sheet);
  return status;
}

}  // namespace loopscape
