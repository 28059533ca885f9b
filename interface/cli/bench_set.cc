#include "interface/cli/bench_set.h"

#include <bit>
#include <chrono>
#include <functional>
#include <string_view>
#include <utility>

#include "mapper/search/search.h"
#include "model/base/fingerprint.h"

namespace loopscape::cli {
namespace {

// A buffer of two tensors, a mesh, a scratchpad of one.
constexpr std::string_view kMesh = R"({"word_bits": 8, "nodes": [
  {"memory": "DRAM", "bandwidth_bits": 16, "energy_pj": {"read": 100, "write": 100, "update": 100}},
  {"memory": "Buffer", "size_bits": 512, "keep": ["input"], "bypass": ["output"],
   "energy_pj": {"read": 4, "write": 4, "update": 4}},
  {"fanout": "PEs", "axes": {"x": 4}, "dims": {"x": ["k", "p"]},
   "network": {"class": "mesh", "multicast": ["input", "weight"], "energy_pj_per_bit_hop": 2}},
  {"memory": "Spad", "words": 6, "keep": ["output"], "bypass": ["input", "weight"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"compute": "MAC", "energy_pj": {"compute": 1}}]})";

constexpr std::string_view kRowStationary = R"({"word_bits": 16, "nodes": [
  {"memory": "DRAM", "bandwidth_bits": 64,
   "energy_pj": {"read": 200, "write": 200, "update": 200}},
  {"memory": "GlobalBuffer", "size_kib": 108, "keep": ["input", "output"], "bypass": ["weight"],
   "read_bits": 256, "write_bits": 256, "energy_pj": {"read": 6, "write": 6, "update": 6}},
  {"fanout": "PEs", "axes": {"x": 14, "y": 12}, "dims": {"x": ["p", "k"], "y": ["r", "c"]},
   "network": {"class": "multicast_bus", "multicast": ["input", "weight"], "reduce": ["output"],
               "energy_pj_per_bit_hop": 0.125}},
  {"memory": "InputSpad", "words": 12, "keep": ["input"], "bypass": ["weight", "output"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"memory": "WeightSpad", "words": 224, "keep": ["weight"], "bypass": ["input", "output"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"memory": "PsumSpad", "words": 24, "keep": ["output"], "bypass": ["input", "weight"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"compute": "MAC", "energy_pj": {"compute": 1}}]})";

// Skew, exposed transfers, leakage, and what a constraint leaves.
constexpr std::string_view kSystolic = R"({"word_bits": 8, "clock_mhz": 100, "nodes": [
  {"memory": "DRAM", "bandwidth_bits": 32, "energy_pj": {"read": 200, "write": 200, "update": 200}},
  {"memory": "SRAM", "size_bits": 2048, "buffering": "double", "keep": ["input", "weight"],
   "bypass": ["output"], "leakage_mw": 0.5, "energy_pj": {"read": 6, "write": 6, "update": 6}},
  {"fanout": "Array", "axes": {"cols": 4, "rows": 3},
   "network": {"class": "systolic", "multicast": ["input", "weight"], "reduce": ["output"]}},
  {"memory": "Reg", "words": 1, "keep": ["weight"], "bypass": ["input", "output"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"compute": "MAC", "energy_pj": {"compute": 1}}],
  "constraints": [{"node": "Array", "utilization": ">=0.5"}]})";

// Two arrays, one inside the other, and room for everything.
constexpr std::string_view kNested = R"({"word_bits": 16, "nodes": [
  {"memory": "DRAM", "energy_pj": {"read": 200, "write": 200, "update": 200}},
  {"fanout": "Tiles", "axes": {"t": 3},
   "network": {"class": "tree", "multicast": ["input"], "reduce": [], "energy_pj_per_bit_hop": 1}},
  {"memory": "L1", "keep": ["input", "output"], "bypass": ["weight"], "width_bits": 64,
   "energy_pj": {"read": 6, "write": 6, "update": 6}},
  {"fanout": "Lanes", "axes": {"x": 4, "y": 2},
   "network": {"class": "multicast_bus", "multicast": ["input", "weight"], "reduce": ["output"],
               "forward": ["input"]}},
  {"memory": "L0", "keep": ["weight"], "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"compute": "MAC", "energy_pj": {"compute": 1}}]})";

constexpr std::string_view kSlidingLayer =
    R"({"einsum": "O[k,p] += I[c,p+r] * W[k,c,r]", "dims": {"k": 4, "c": 6, "p": 7, "r": 3}})";
constexpr std::string_view kStridedLayer =
    R"({"einsum": "O[k,p] += I[2*p+r] * W[k,r]", "dims": {"k": 4, "p": 9, "r": 3}})";
constexpr std::string_view kGemm = R"({"op": "gemm", "m": 512, "n": 3072, "k": 768})";
constexpr std::string_view kSmallGemm = R"({"op": "gemm", "m": 6, "n": 8, "k": 6})";
constexpr std::string_view kConvolution =
    R"({"op": "conv2d", "n": 1, "k": 64, "c": 64, "p": 56, "q": 56, "r": 3, "s": 3})";

struct World {
  std::string_view arch, problem;
  MapspaceOptions space;
  const char* conventions = "physical";
};

struct Loaded {
  Mapspace space;
  Evaluator evaluator;
};

Result<Loaded> load(const World& world) {
  const Result<Arch> arch = parse_arch(world.arch);
  if (!arch.ok()) return arch.status();
  const Result<Problem> problem = parse_problem(world.problem);
  if (!problem.ok()) return problem.status();
  const Result<Conventions> conventions = parse_conventions_text(world.conventions);
  if (!conventions.ok()) return conventions.status();
  const Result<ActionCosts> costs = costs_in_spec(*arch);
  if (!costs.ok()) return costs.status();
  Result<Evaluator> evaluator = Evaluator::create(*problem, *arch, *conventions, *costs);
  if (!evaluator.ok()) return evaluator.status();
  Result<Mapspace> space = Mapspace::create(*problem, *arch, world.space);
  if (!space.ok()) return space.status();
  return Loaded{*std::move(space), *std::move(evaluator)};
}

// Everything that a case gives goes through here.
class Digest {
 public:
  void add(std::string_view text) { fingerprint_.add(text); }
  void add(std::uint64_t value) { fingerprint_.add(std::to_string(value)); }
  void add(std::int64_t value) { fingerprint_.add(std::to_string(value)); }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
  void add(const Mapping& mapping) {
    for (const MappingNode& node : mapping) {
      add(std::uint64_t{static_cast<unsigned>(node.kind)} << 48 | std::uint64_t{node.id} << 40 |
          std::uint64_t{node.axis} << 32 | node.bound);
      add(std::uint64_t{node.tensors});
    }
  }
  void add(const Traffic& traffic) {
    for (const std::int64_t count :
         {traffic.reads, traffic.fills, traffic.updates, traffic.drains}) {
      add(count);
    }
  }
  std::uint32_t value() const {
    return static_cast<std::uint32_t>(std::stoul(fingerprint_.hex().substr(0, 8), nullptr, 16));
  }

 private:
  Fingerprint fingerprint_;
};

void add_found(const Found& found, Digest& digest) {
  digest.add(found.energy_pj);
  digest.add(found.cycles);
  digest.add(found.mapping);
}

void add_search(const SearchResult& result, Digest& digest) {
  if (result.best) add_found(*result.best, digest);
  for (const Found& found : result.front) add_found(found, digest);
  const Certificate& certificate = result.certificate;
  digest.add(std::uint64_t{certificate.proved});
  digest.add(certificate.lower_bound);
  digest.add(certificate.space);
  for (const auto& [rule, number] : certificate.pruned) {
    digest.add(rule);
    digest.add(number);
  }
  for (const std::uint64_t count : {certificate.states, certificate.work, certificate.unpriced}) {
    digest.add(count);
  }
  if (!result.statistics) return;
  const Statistics& all = *result.statistics;
  for (const std::uint64_t count : {all.samples, all.legal}) digest.add(count);
  for (const double value : {all.least, all.p05, all.p25, all.median, all.p75, all.p95, all.most}) {
    digest.add(value);
  }
}

void add_breakdown(const Breakdown& breakdown, Digest& digest) {
  for (const double value : {breakdown.energy_pj, breakdown.utilization, breakdown.area_um2}) {
    digest.add(value);
  }
  for (const std::int64_t value : {breakdown.cycles, breakdown.compute.steps}) digest.add(value);
  for (const MemoryReport& memory : breakdown.memories) {
    for (const std::int64_t count : {memory.instances_used, memory.occupied_bits}) {
      digest.add(count);
    }
    for (const TensorAtMemory& tensor : memory.tensors) {
      digest.add(tensor.tile_words);
      digest.add(tensor.words);
      digest.add(tensor.accesses);
    }
  }
  for (const FanoutReport& fanout : breakdown.fanouts) {
    for (const TensorAtNetwork& tensor : fanout.tensors) {
      for (const std::int64_t count :
           {tensor.words_in, tensor.words_delivered, tensor.words_collected, tensor.words_out,
            tensor.forwarded, tensor.reductions, tensor.hops}) {
        digest.add(count);
      }
    }
  }
  for (const TimePart& part : breakdown.time) digest.add(part.cycles);
}

// What a case does with its world: adds to the digest, returns its work.
using Task = std::function<Result<std::uint64_t>(const Loaded&, Digest&)>;

Task optimal(Goal goal, std::uint64_t most_work) {
  return [=](const Loaded& at, Digest& digest) -> Result<std::uint64_t> {
    SearchLimits limits;
    limits.max_work = most_work;
    const SearchResult result = search_optimal(at.space, at.evaluator, goal, limits);
    add_search(result, digest);
    return result.certificate.work;
  };
}

enum class Other { kExhaustive, kRandom, kLocal };
Task other(Other kind, Goal goal) {
  return [=](const Loaded& at, Digest& digest) -> Result<std::uint64_t> {
    RandomOptions random;
    random.samples = 4000;
    LocalOptions local;
    local.starts = 2;
    const Result<SearchResult> result =
        kind == Other::kExhaustive ? search_exhaustive(at.space, at.evaluator, goal)
        : kind == Other::kRandom   ? search_random(at.space, at.evaluator, goal, random)
                                   : search_local(at.space, at.evaluator, goal, local);
    if (!result.ok()) return result.status();
    add_search(*result, digest);
    return result->certificate.work;
  };
}

// Mappings drawn from the space, legal or not: status and price of each.
Task evaluate(std::uint64_t mappings) {
  return [=](const Loaded& at, Digest& digest) -> Result<std::uint64_t> {
    Result<Numbering> numbering = Numbering::create(at.space);
    if (!numbering.ok()) return numbering.status();
    const ScratchPtr scratch = at.evaluator.make_scratch();
    std::mt19937_64 random(1);
    for (std::uint64_t i = 0; i < mappings; ++i) {
      const Result<Point> point = numbering->sample(random);
      if (!point.ok()) return point.status();
      const Cost cost = at.evaluator.evaluate(at.space.mapping(*point), *scratch);
      digest.add(std::uint64_t{static_cast<unsigned>(cost.status)});
      if (!cost.ok()) continue;
      digest.add(cost.energy_pj);
      digest.add(cost.cycles);
    }
    return mappings;
  };
}

// Every count behind the prices of the first mappings that are legal.
Task explain(std::uint64_t mappings) {
  return [=](const Loaded& at, Digest& digest) -> Result<std::uint64_t> {
    std::uint64_t priced = 0;
    const Status status = for_each_point(at.space, [&](const Point& point) {
      const Result<Breakdown> breakdown = at.evaluator.explain(at.space.mapping(point));
      if (!breakdown.ok()) return true;
      add_breakdown(*breakdown, digest);
      return ++priced < mappings;
    });
    if (!status.ok()) return status;
    return priced;
  };
}

Task count() {
  return [](const Loaded& at, Digest& digest) -> Result<std::uint64_t> {
    const Result<Census> census = take_census(at.space, at.evaluator.conventions());
    if (!census.ok()) return census.status();
    for (const BigCount& number : census->all_by_depth) digest.add(number.decimal());
    for (const BigCount& number : census->legal_by_depth) digest.add(number.decimal());
    return at.space.placements().size();
  };
}

struct Entry {
  const char* name;
  World world;
  Task task;
};

Goal goal(Objective objective, bool front = false) {
  Goal wanted;
  wanted.objective = objective;
  wanted.front = front;
  return wanted;
}

std::vector<Entry> entries() {
  constexpr MapspaceOptions kRagged;
  constexpr MapspaceOptions kPerfect{Factors::kPerfect, Stores::kEven};
  constexpr MapspaceOptions kUneven{Factors::kPerfect, Stores::kUneven};
  constexpr std::uint64_t kMost = 50'000;
  Goal within = goal(Objective::kEnergy);
  within.max_cycles = 300;
  return {
      {"optimal, ragged", {kMesh, kSlidingLayer, kRagged}, optimal(goal(Objective::kEdp), kMost)},
      {"optimal, front",
       {kMesh, kSlidingLayer, kRagged},
       optimal(goal(Objective::kEnergy, true), kMost)},
      {"optimal, uneven", {kMesh, kSlidingLayer, kUneven}, optimal(goal(Objective::kEd2p), kMost)},
      {"optimal, bounded", {kMesh, kStridedLayer, kRagged}, optimal(within, kMost)},
      {"optimal, timeloop",
       {kMesh, kStridedLayer, kRagged, "timeloop"},
       optimal(goal(Objective::kEdp), kMost)},
      {"optimal, previous_tile",
       {kMesh, kStridedLayer, kPerfect, "physical,reuse=previous_tile"},
       optimal(goal(Objective::kEnergy), kMost)},
      {"optimal, systolic",
       {kSystolic, kSmallGemm, kPerfect},
       optimal(goal(Objective::kDelay), 20'000)},
      {"optimal, array", {kRowStationary, kGemm, kPerfect}, optimal(goal(Objective::kEdp), kMost)},
      {"optimal, convolution",
       {kRowStationary, kConvolution, kPerfect},
       optimal(goal(Objective::kEnergy), kMost)},
      {"exhaustive",
       {kMesh, kStridedLayer, kPerfect},
       other(Other::kExhaustive, goal(Objective::kEdp, true))},
      {"random", {kMesh, kSlidingLayer, kRagged}, other(Other::kRandom, goal(Objective::kEdp))},
      {"local", {kMesh, kSlidingLayer, kRagged}, other(Other::kLocal, goal(Objective::kEdp))},
      {"evaluate", {kNested, kConvolution, kPerfect}, evaluate(2'000)},
      {"evaluate, ragged", {kMesh, kSlidingLayer, kRagged}, evaluate(20'000)},
      {"evaluate, previous_tile",
       {kMesh, kSlidingLayer, kRagged, "physical,reuse=previous_tile"},
       evaluate(10'000)},
      {"evaluate, timeloop", {kSystolic, kSmallGemm, kRagged, "timeloop"}, evaluate(20'000)},
      {"explain", {kMesh, kSlidingLayer, kRagged}, explain(500)},
      {"explain, systolic", {kSystolic, kSmallGemm, kRagged}, explain(500)},
      {"count", {kMesh, kSlidingLayer, kRagged}, count()},
      {"count, uneven", {kSystolic, kSmallGemm, kUneven}, count()},
  };
}

}  // namespace

Result<std::vector<BenchCase>> run_bench() {
  std::vector<BenchCase> cases;
  for (const Entry& entry : entries()) {
    const auto start = std::chrono::steady_clock::now();
    const Result<Loaded> loaded = load(entry.world);
    if (!loaded.ok()) return loaded.status().in(entry.name);
    Digest digest;
    const Result<std::uint64_t> work = entry.task(*loaded, digest);
    if (!work.ok()) return work.status().in(entry.name);
    digest.add(*work);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    cases.push_back({entry.name, digest.value(), *work, seconds.count()});
  }
  return cases;
}

std::uint32_t bench_signature(const std::vector<BenchCase>& cases) {
  Digest digest;
  for (const BenchCase& one : cases) digest.add(std::uint64_t{one.signature});
  return digest.value();
}

}  // namespace loopscape::cli
