// Words become accesses, accesses become energy (counting.md A8, model.md section 9).

#include "model/evaluate/bound.h"
#include "model/evaluate/instances.h"
#include "model/interconnect/interconnect.h"

namespace loopscape {
namespace {

std::int64_t bits_moved(std::int64_t words, std::int64_t final_words, const TensorShape& tensor,
                        OverflowFlag& flag) {
  return flag.add(flag.mul(words - final_words, tensor.bits),
                  flag.mul(final_words, tensor.final_bits));
}

Traffic rounded(const Words& words, const TensorShape& tensor, std::int64_t width,
                OverflowFlag& flag) {
  return {ceil_div(bits_moved(words.reads, 0, tensor, flag), width),
          ceil_div(bits_moved(words.fills, 0, tensor, flag), width),
          ceil_div(bits_moved(words.updates, words.final_updates, tensor, flag), width),
          ceil_div(bits_moved(words.drains, words.final_drains, tensor, flag), width)};
}

// Where a word is a whole number of accesses there is nothing to round.
Traffic whole(const Words& words, std::int64_t per_word, std::int64_t per_final,
              OverflowFlag& flag) {
  if (per_word == 1 && per_final == 1) {
    return {words.reads, words.fills, words.updates, words.drains};
  }
  return {flag.mul(words.reads, per_word), flag.mul(words.fills, per_word),
          flag.add(flag.mul(words.updates - words.final_updates, per_word),
                   flag.mul(words.final_updates, per_final)),
          flag.add(flag.mul(words.drains - words.final_drains, per_word),
                   flag.mul(words.final_drains, per_final))};
}

void add(Traffic& sum, const Traffic& more, std::int64_t times, OverflowFlag& flag) {
  sum.reads = flag.add(sum.reads, flag.mul(more.reads, times));
  sum.fills = flag.add(sum.fills, flag.mul(more.fills, times));
  sum.updates = flag.add(sum.updates, flag.mul(more.updates, times));
  sum.drains = flag.add(sum.drains, flag.mul(more.drains, times));
}

struct BusiestBits {
  double read = 0, write = 0, shared = 0;
};

}  // namespace

StatusCode check_capacity(const BoundModel& model, Sheet& sheet) {
  OverflowFlag flag;
  StatusCode status = StatusCode::kOk;
  for (std::size_t m = 0; m < model.counting.memories; ++m) {
    std::int64_t bits = 0;
    for (unsigned rest = sheet.nest.stored[m]; rest != 0; rest &= rest - 1) {
      const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
      const std::int64_t words = sheet.tally.memory[m][t].tile_words;
      bits = flag.add(bits, flag.mul(words, model.counting.tensor[t].bits));
    }
    sheet.occupied_bits[m] = bits;
    if (static_cast<std::uint64_t>(bits) > model.memory[m].usable_bits) {
      status = StatusCode::kIllegalMapping;
    }
  }
  return flag.raised() ? StatusCode::kOverflow : status;
}

// Accesses of every (memory, tensor, action), and the bits of the busiest instance that are
// overlapped with compute.
class AccessCounter {
 public:
  AccessCounter(const BoundModel& model, Workspace& workspace, Sheet& sheet)
      : model_(model), workspace_(workspace), sheet_(sheet) {}

  StatusCode run() {
    for (std::size_t m = 0; m < model_.counting.memories; ++m) {
      sheet_.read_bits[m] = sheet_.write_bits[m] = sheet_.shared_bits[m] = 0;
      if (sheet_.nest.stored[m] != 0 && !memory(m)) return StatusCode::kUnsupported;
    }
    return flag_.raised() ? StatusCode::kOverflow : StatusCode::kOk;
  }

 private:
  bool timed(std::size_t m) const {
    const MemoryTerms& terms = model_.memory[m];
    return terms.read_bits > 0 || terms.write_bits > 0 || terms.shared_bits > 0;
  }

  bool unknown_instances(std::size_t m, std::size_t t) {
    refuse(workspace_, instances_refusal(model_, sheet_, m, t));
    return false;
  }

  bool memory(std::size_t m) {
    const bool is_timed = timed(m);
    bool each = false;
    BusiestBits busiest;
    for (unsigned rest = sheet_.nest.stored[m]; rest != 0; rest &= rest - 1) {
      const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
      const TensorTally& tally = sheet_.tally.memory[m][t];
      Sheet::Entry& entry = sheet_.entry[m][t];
      entry = {};
      if (tally.instanced == Instanced::kUnknown && is_timed) return unknown_instances(m, t);
      each |= tally.instanced == Instanced::kEach && is_timed;
      if (!accesses(m, t, tally, entry)) return false;
      if (is_timed) add_bits(m, t, tally.first, busiest);
    }
    if (each) {
      busiest = {};
      for_each_instance(
          sheet_.nest, deepest_position(model_, sheet_, m), [&](const std::uint32_t* lane) {
            BusiestBits own;
            for (std::size_t t = 0; t < model_.counting.tensors; ++t) {
              if (((sheet_.nest.stored[m] >> t) & 1u) == 0) continue;
              add_bits(m, t, instance_words(model_, sheet_, workspace_, m, t, lane, flag_), own);
            }
            busiest.read = std::max(busiest.read, own.read);
            busiest.write = std::max(busiest.write, own.write);
            busiest.shared = std::max(busiest.shared, own.shared);
          });
    }
    sheet_.read_bits[m] = busiest.read;
    sheet_.write_bits[m] = busiest.write;
    sheet_.shared_bits[m] = busiest.shared;
    return true;
  }

  bool accesses(std::size_t m, std::size_t t, const TensorTally& tally, Sheet::Entry& entry) {
    const TensorShape& tensor = model_.counting.tensor[t];
    const MemoryTerms& terms = model_.memory[m];
    const std::int64_t width = terms.access_bits[t];
    const std::int64_t instances = sheet_.tally.instances_used[m];
    if (terms.accesses_per_word[t] != 0) {
      entry.accesses =
          whole(tally.total, terms.accesses_per_word[t], terms.accesses_per_final_word[t], flag_);
    } else if (instances == 1) {
      entry.accesses = rounded(tally.total, tensor, width, flag_);
    } else if (tally.instanced == Instanced::kUniform) {
      add(entry.accesses, rounded(tally.first, tensor, width, flag_), instances, flag_);
    } else if (tally.instanced == Instanced::kUnknown) {
      return unknown_instances(m, t);
    } else {
      for_each_instance(sheet_.nest, deepest_position(model_, sheet_, m),
                        [&](const std::uint32_t* lane) {
                          add(entry.accesses,
                              rounded(instance_words(model_, sheet_, workspace_, m, t, lane, flag_),
                                      tensor, width, flag_),
                              1, flag_);
                        });
    }
    return true;
  }

  // Fills and drains belong to the transfer with the parent, reads and updates to the child's;
  // exposed transfers are timed elsewhere (counting.md A9).
  void add_bits(std::size_t m, std::size_t t, const Words& words, BusiestBits& sum) {
    const TensorShape& tensor = model_.counting.tensor[t];
    const int child = child_memory(sheet_.nest, t, m);
    const bool below =
        child < 0 || !exposes(model_.memory[static_cast<std::size_t>(child)].buffering);
    const bool above = !exposes(model_.memory[m].buffering);
    std::int64_t read = 0, write = 0;
    if (below) {
      read = bits_moved(words.reads, 0, tensor, flag_);
      write = bits_moved(words.updates, words.final_updates, tensor, flag_);
    }
    if (above) {
      write = flag_.add(write, bits_moved(words.fills, 0, tensor, flag_));
      if (model_.conventions.drain_reads) {
        read = flag_.add(read, bits_moved(words.drains, words.final_drains, tensor, flag_));
      }
    }
    sum.read += static_cast<double>(read);
    sum.write += static_cast<double>(write);
    sum.shared += static_cast<double>(flag_.add(read, write));
  }

  const BoundModel& model_;
  Workspace& workspace_;
  Sheet& sheet_;
  OverflowFlag flag_;
};

StatusCode count_accesses(const BoundModel& model, Workspace& workspace, Sheet& sheet) {
  return AccessCounter(model, workspace, sheet).run();
}

namespace {

bool hops_of(const BoundModel& model, Sheet& sheet, std::size_t f, std::size_t t,
             NetworkClass network_class, const NetworkTally& tally, Workspace& workspace,
             OverflowFlag& flag) {
  const FanoutTerms& fanout = model.fanout[f];
  if (model.counting.span[f].two()) {
    sheet.hops[f][t] = bus_hops(network_class, fanout.rows, fanout.columns, tally, flag);
    return true;
  }
  return count_hops(model.counting, sheet.nest, model.counting.span[f].first, static_cast<int>(t),
                    network_class, tally, workspace, flag, sheet.hops[f][t]);
}

StatusCode price_networks(const BoundModel& model, Workspace& workspace, bool all_hops,
                          Sheet& sheet) {
  OverflowFlag flag;
  for (std::size_t f = 0; f < model.counting.spans; ++f) {
    sheet.fanout_pj[f] = 0;
    for (std::size_t t = 0; t < model.counting.tensors; ++t) {
      sheet.hops[f][t] = 0;
      sheet.network_pj[f][t] = 0;
      const NetworkTally tally = whole_network(model.counting, sheet.tally, f, t);
      const int carrier = model.counting.network[f][t];
      if (!tally.used || carrier < 0) continue;
      const NetworkTerms& network = model.fanout[f].network[static_cast<std::size_t>(carrier)];
      if (network.pj_per_bit_hop == 0 && !all_hops) continue;
      if (!hops_of(model, sheet, f, t, network.network_class, tally, workspace, flag)) {
        // Hops that cost nothing may stay unknown; energies may not.
        if (network.pj_per_bit_hop != 0) {
          refuse(workspace, Refusal::kHops);
          return StatusCode::kUnsupported;
        }
        sheet.hops[f][t] = kUncountedHops;
        continue;
      }
      sheet.network_pj[f][t] =
          hop_energy_pj(sheet.hops[f][t], model.counting.tensor[t].bits, network.pj_per_bit_hop);
      sheet.fanout_pj[f] += sheet.network_pj[f][t];
    }
  }
  return flag.raised() ? StatusCode::kOverflow : StatusCode::kOk;
}

}  // namespace

StatusCode price(const BoundModel& model, Workspace& workspace, bool all_hops, Sheet& sheet) {
  double total = 0;
  for (std::size_t m = 0; m < model.counting.memories; ++m) {
    double sum = 0;
    for (unsigned rest = sheet.nest.stored[m]; rest != 0; rest &= rest - 1) {
      Sheet::Entry& entry = sheet.entry[m][static_cast<std::size_t>(__builtin_ctz(rest))];
      entry.energy_pj = access_energy_pj(model, m, entry.accesses);
      sum += entry.energy_pj;
    }
    sheet.memory_pj[m] = sum;
    total += sum;
  }
  const StatusCode status = price_networks(model, workspace, all_hops, sheet);
  if (status != StatusCode::kOk) return status;
  for (std::size_t f = 0; f < model.counting.spans; ++f) total += sheet.fanout_pj[f];
  sheet.compute_pj = operation_energy_pj(model);
  sheet.energy_pj = total + sheet.compute_pj;
  return StatusCode::kOk;
}

}  // namespace loopscape
