// An evaluator's constants and one thread's working sheet. Internal to model/evaluate.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "model/counting/counting.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

// What pricing and timing read of a memory, resolved once.
struct MemoryTerms {
  // Per tensor: bits of one access, and accesses per word where that is a whole number (else 0).
  std::array<std::int64_t, kMaxTensors> access_bits{};
  std::array<std::int64_t, kMaxTensors> accesses_per_word{}, accesses_per_final_word{};
  std::uint64_t usable_bits = UINT64_MAX;
  std::int64_t instances = 1;
  // Bits per cycle; 0: unlimited.
  double read_bits = 0, write_bits = 0, shared_bits = 0;
  double latency_cycles = 0;
  Buffering buffering = Buffering::kIdeal;
  bool power_gated = false;
};

struct NetworkTerms {
  NetworkClass network_class = NetworkClass::kFree;
  double pj_per_bit_hop = 0;
  double bandwidth_bits = 0;  // 0: unlimited
  double latency_cycles = 0;
  bool preload = true, pipelined = false;
  std::int64_t rows = 1, columns = 1;  // R and C of a systolic array, seen along preload_axis
};

struct FanoutTerms {
  std::uint8_t networks = 0;
  std::array<NetworkTerms, kMaxTensors + 1> network;  // at most one per tensor and one for the rest
  bool systolic = false;
  std::int64_t rows = 1, columns = 1;  // size of the last axis, and of the others together
};

struct BoundModel {
  Problem problem;
  Arch arch;
  Conventions conventions;
  ActionCosts costs;
  CountingContext counting;
  std::array<MemoryTerms, kMaxMemories> memory;
  std::array<FanoutTerms, kMaxFanouts> fanout;
  std::int64_t lanes = 1;  // compute instances
  std::int64_t operations = 1;
  double interval_cycles = 1, compute_latency_cycles = 0;
  bool compute_power_gated = false;
  double pj_per_mw_cycle = 0;  // 1000 / clock_mhz
  double area_um2 = 0;
};

// Of one residence of a tensor that is stationary in a systolic fan-out (counting.md A9).
Evaluator::Fold fold_of(const BoundModel& model, std::size_t fanout, std::size_t tensor);

// Everything one evaluation finds out; Breakdown is made from it.
struct Sheet {
  Nest nest;
  Tally tally;
  struct Entry {
    Traffic accesses;
    double energy_pj = 0;
  };
  std::array<std::array<Entry, kMaxTensors>, kMaxMemories> entry;
  std::array<std::int64_t, kMaxMemories> occupied_bits;
  std::array<double, kMaxMemories> memory_pj, leakage_pj;
  // Bits of the busiest instance whose transfer is overlapped.
  std::array<double, kMaxMemories> read_bits, write_bits, shared_bits;
  std::array<std::array<std::int64_t, kMaxTensors>, kMaxFanouts> hops;
  std::array<std::array<double, kMaxTensors>, kMaxFanouts> network_pj;
  std::array<double, kMaxFanouts> fanout_pj;
  double compute_pj = 0, compute_leakage_pj = 0;
  static constexpr std::size_t kMostParts =
      1 + 3 * kMaxMemories + kMaxFanouts * (kMaxTensors + 1) +  // overlapped
      4 * kMaxMemories + kMaxFanouts * (kMaxTensors + 3) + 1;   // exposed
  std::array<TimePart, kMostParts> part;
  std::size_t parts = 0;
  double energy_pj = 0;
  std::int64_t cycles = 0;
};

class Scratch {
 public:
  Scratch() : workspace(make_workspace()) {}
  WorkspacePtr workspace;
  std::weak_ptr<const void> bound;  // whose tables the workspace holds
  Sheet sheet;
};

// The only places where counts meet prices; evaluation and repricing share them.
inline double access_energy_pj(const BoundModel& model, std::size_t m, const Traffic& accesses) {
  const MemoryCosts& costs = model.costs.memories[m];
  const std::int64_t reads =
      model.conventions.drain_reads ? accesses.reads + accesses.drains : accesses.reads;
  return static_cast<double>(reads) * costs.read_pj +
         static_cast<double>(accesses.fills) * costs.write_pj +
         static_cast<double>(accesses.updates) * costs.update_pj;
}
inline double hop_energy_pj(std::int64_t hops, std::int64_t bits, double pj_per_bit_hop) {
  return static_cast<double>(hops) * static_cast<double>(bits) * pj_per_bit_hop;
}
inline double operation_energy_pj(const BoundModel& model) {
  return static_cast<double>(model.operations) * model.costs.compute.operation_pj;
}
// Leakage power over the time it lasts; those of `all` instances that leak.
inline double leakage_energy_pj(const BoundModel& model, double leakage_mw, bool power_gated,
                                std::int64_t all, std::int64_t used, std::int64_t cycles) {
  const double pj_per_mw = static_cast<double>(cycles) * model.pj_per_mw_cycle;
  return leakage_mw * static_cast<double>(power_gated ? used : all) * pj_per_mw;
}

inline bool exposes(Buffering buffering) { return buffering == Buffering::kSingle; }

// The steps of an evaluation, in order; each reads what the former ones wrote into the sheet.
StatusCode check_capacity(const BoundModel& model, Sheet& sheet);
StatusCode count_accesses(const BoundModel& model, Workspace& workspace, Sheet& sheet);
StatusCode price(const BoundModel& model, Workspace& workspace, bool all_hops, Sheet& sheet);
StatusCode time(const BoundModel& model, Workspace& workspace, Sheet& sheet);

// All of them. `all_hops`: also hops that cost nothing, which only a reader wants to see.
StatusCode evaluate_into(const BoundModel& model, const Mapping& mapping, Workspace& workspace,
                         bool all_hops, Sheet& sheet);

}  // namespace loopscape
