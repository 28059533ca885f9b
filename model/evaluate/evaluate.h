// What does this mapping cost?
//
//   auto evaluator = Evaluator::create(problem, arch, conventions, costs);
//   Scratch scratch;                                   // one per thread, reused
//   Cost cost = evaluator->evaluate(mapping, scratch); // no allocation, no exceptions
//   if (cost.ok()) use(cost.energy_pj, cost.cycles);
//   auto why = evaluator->explain(mapping);            // every count behind it; same numbers
//
// An Evaluator is immutable and may be shared between threads.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/energy/energy.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"

namespace loopscape {

// Bumped whenever a number that evaluation gives can change.
inline constexpr int kModelRevision = 1;

struct Cost {
  StatusCode status = StatusCode::kOk;  // anything else: the numbers below mean nothing
  double energy_pj = 0;
  std::int64_t cycles = 0;
  bool ok() const { return status == StatusCode::kOk; }
  double edp() const { return energy_pj * static_cast<double>(cycles); }
};

// Words or accesses by action, totals over all instances.
struct Traffic {
  std::int64_t reads = 0, fills = 0, updates = 0, drains = 0;
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

struct TensorAtMemory {
  bool stored = false;
  std::int64_t tile_words = 0;  // footprint of one full tile
  Traffic words, accesses;
  double energy_pj = 0;
};

struct MemoryReport {
  std::int64_t instances = 1, instances_used = 1;
  std::int64_t occupied_bits = 0;  // per instance
  double energy_pj = 0;            // of its accesses
  double leakage_pj = 0;
  double read_cycles = 0, write_cycles = 0, shared_cycles = 0;  // busiest instance, overlapped
  std::array<TensorAtMemory, kMaxTensors> tensors;
};

// Hops that cost nothing may stay uncounted (model/interconnect/interconnect.md says which).
inline constexpr std::int64_t kUncountedHops = -1;

struct TensorAtNetwork {
  std::int64_t words_in = 0, words_delivered = 0;   // down
  std::int64_t words_collected = 0, words_out = 0;  // up: partial and final results
  std::int64_t forwarded = 0, reductions = 0;
  std::int64_t hops = 0;  // kUncountedHops: too irregular to count, and free
  double energy_pj = 0;
};

struct FanoutReport {
  std::int64_t children_used = 1;  // lanes in use below one instance
  double energy_pj = 0;
  double cycles = 0;  // largest of its networks that state a bandwidth
  std::array<TensorAtNetwork, kMaxTensors> tensors;
};

struct ComputeReport {
  std::int64_t instances = 1, instances_used = 1;
  std::int64_t steps = 0;
  double cycles = 0;
  double energy_pj = 0, leakage_pj = 0;
};

// One line of where time goes.
struct TimePart {
  enum class Kind : std::uint8_t {
    kCompute,
    kMemoryRead,
    kMemoryWrite,
    kMemoryShared,
    kNetwork,  // overlapped
    kFirstFill,
    kLastDrain,
    kExposedTransfer,
    kSystolicSkew,
    kPreload,
    kLatency  // exposed
  };
  Kind kind;
  NodeKind node;
  std::uint8_t id;  // memory or fan-out
  double cycles = 0;
  bool overlapped() const { return kind <= Kind::kNetwork; }
};

struct Breakdown {
  double energy_pj = 0;  // = sum in this order: memories (energy), fan-outs, compute, then leakage
  std::int64_t cycles = 0;
  std::int64_t operations = 0;
  double utilization = 0;
  double area_um2 = 0;
  std::vector<MemoryReport> memories;
  std::vector<FanoutReport> fanouts;
  ComputeReport compute;
  std::vector<TimePart> time;  // overlapped parts first
  std::size_t bottleneck = 0;  // into `time`: what a faster machine must improve first
};

class Scratch;  // working memory of one thread; see Scratch::create()
struct ScratchDeleter {
  void operator()(Scratch* scratch) const;
};
using ScratchPtr = std::unique_ptr<Scratch, ScratchDeleter>;

// Bits of one instance that tiles may occupy; UINT64_MAX: unlimited (counting.md A9).
std::uint64_t usable_bits(const Memory& memory);

struct BoundModel;  // problem, arch, conventions and costs, resolved against each other

class Evaluator {
 public:
  static Result<Evaluator> create(const Problem& problem, const Arch& arch,
                                  const Conventions& conventions, const ActionCosts& costs);

  ScratchPtr make_scratch() const;
  Cost evaluate(const Mapping& mapping, Scratch& scratch) const noexcept;
  // costs[i] for mappings[i]; the spans are equally long.
  void evaluate_batch(std::span<const Mapping> mappings, std::span<Cost> costs,
                      Scratch& scratch) const noexcept;

  // Every count behind evaluate(), which it equals bit for bit; the sentence why not otherwise.
  Result<Breakdown> explain(const Mapping& mapping) const;
  // What explain() would say here of the mapping that `counted` is of, from its counts: nothing is
  // counted again. `counted_by` made it and differs from this evaluator in prices alone (energies,
  // leakage, area, technology, supply, clock), else the answer is an error. For sweeps of them:
  //   auto cheaper = Evaluator::create(problem, resolved.arch, conventions, resolved.costs);
  //   auto breakdown = cheaper->reprice(*evaluator->explain(mapping), *evaluator);
  Result<Breakdown> reprice(const Breakdown& counted, const Evaluator& counted_by) const;
  // Legal (model.md section 3) and within every capacity? The first reason why not, in a sentence.
  Status check(const Mapping& mapping) const;

  const Problem& problem() const;
  const Arch& arch() const;
  const Conventions& conventions() const;
  const ActionCosts& costs() const;
  // What one residence of a tensor that is stationary in a systolic fan-out exposes; else 0.
  struct Fold {
    double skew_cycles = 0, preload_cycles = 0;
    double once_cycles = 0;  // of all its residences together
  };
  Fold fold(std::size_t fanout, std::size_t tensor) const;

 private:
  explicit Evaluator(std::shared_ptr<const BoundModel> bound) : bound_(std::move(bound)) {}
  std::shared_ptr<const BoundModel> bound_;
};

// What a mapping was searched for with, as the command line says it; all empty: it was not.
struct StoredOptions {
  std::string objective, search, factors;
  bool uneven = false, pareto = false;
  std::optional<double> max_cycles, max_energy_pj;
  std::optional<double> least_pj_per_cycle, most_pj_per_cycle;  // of a network's layer
  std::optional<std::int64_t> max_work, seed, samples, starts;
  std::optional<double> time_limit_seconds;
};

struct StoredLeastCost {
  double pj_per_cycle = 0, pj = 0;
};
// What a search says of its answer (mapper/search). The model only keeps it.
struct StoredCertificate {
  bool proved = false;
  double lower_bound = 0;                    // of the objective
  std::optional<double> gap;                 // best / lower bound - 1; absent: the bound is 0
  std::vector<StoredLeastCost> least_costs;  // if it was asked for prices of a cycle
  std::optional<double> least_cycles;
  std::string mapspace;  // its size in decimal; empty: too large to count
  std::string space;     // in words
  std::int64_t states = 0;
  std::map<std::string, std::int64_t> pruned;
  std::int64_t work = 0, unpriced = 0;
  double seconds = 0;
  std::string fingerprint;  // see seal()
};

// How the objective is spread over the mapspace, as a sample has it.
struct StoredStatistics {
  std::int64_t samples = 0, legal = 0;
  double legal_share = 0;
  double least = 0, p05 = 0, p25 = 0, median = 0, p75 = 0, p95 = 0, most = 0;
};

struct StoredMapping {
  double energy_pj = 0;
  std::int64_t cycles = 0;
  Mapping mapping;
};

// A priced mapping as a file (formats.md). It carries its inputs, so that nothing else is needed to
// check it or to show it.
struct StoredResult {
  Problem problem;
  Arch arch;
  Conventions conventions;
  std::string tables;  // where energies came from; kTablesInSpec: all are stated in the arch
  Mapping mapping;
  Breakdown breakdown;
  std::string fingerprint;
  std::int64_t model_revision = kModelRevision;
  // Of a search.
  StoredOptions options;
  std::optional<StoredCertificate> certificate;
  std::optional<StoredStatistics> statistics;
  std::vector<StoredMapping> front;     // by increasing energy
  std::vector<ComponentPrices> prices;  // with their sources; empty: all are stated in the arch
};

// What `evaluator` says about `mapping`, `breakdown` being its explain().
StoredResult make_result(const Evaluator& evaluator, const Mapping& mapping, Breakdown breakdown);
// Where the prices behind the result come from; a part of its fingerprint.
void set_prices(const ResolvedCosts& resolved, StoredResult& result);
std::string result_to_json(const StoredResult& result);
// Reads what result_to_json() writes. Whether the numbers are true is for the caller to check.
Result<StoredResult> parse_result(std::string_view json);
std::string result_schema();

// 32 hexadecimal digits that follow from the inputs and the model's revision alone.
std::string fingerprint_of(const StoredResult& result);
// Gives the certificate a fingerprint of its own, which follows from the result's, from all that
// the search says, and from its front: whoever changes them has not searched.
void seal(StoredResult& result);
// "DRAM bandwidth", "MAC steps", "first fill of GlobalBuffer": a part of the time in words.
std::string time_part_name(const TimePart& part, const Arch& arch);

}  // namespace loopscape
