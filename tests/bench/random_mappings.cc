#include "tests/bench/random_mappings.h"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>

namespace loopscape::bench {
namespace {

// Where a loop may stand, from the inside out.
enum Slot : std::size_t { kInnermost, kAxisX, kAxisY, kBelowBuffer, kBelowDram, kSlots };

using Bounds = std::array<std::array<std::uint32_t, kSlots>, kMaxDims>;

constexpr std::string_view kLayer = R"({
  "einsum": "O[n,k,p,q] += I[n,c,p+r,q+s] * W[k,c,r,s]",
  "dims": {"n": 1, "k": 64, "c": 64, "p": 56, "q": 56, "r": 3, "s": 3}})";

constexpr std::string_view kMachine = R"({"word_bits": 16, "nodes": [
  {"memory": "DRAM", "bandwidth_bits": 64,
   "energy_pj": {"read": 200, "write": 200, "update": 200}},
  {"memory": "GlobalBuffer", "size_kib": 108, "keep": ["input", "output"], "bypass": ["weight"],
   "read_bits": 256, "write_bits": 256, "energy_pj": {"read": 6, "write": 6, "update": 6}},
  {"fanout": "PEs", "axes": {"x": 14, "y": 12}, "dims": {"x": ["p", "k"], "y": ["r", "c"]},
   "network": {"class": "multicast_bus", "multicast": ["input", "weight"], "reduce": ["output"]}},
  {"memory": "InputSpad", "words": 12, "keep": ["input"], "bypass": ["weight", "output"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"memory": "WeightSpad", "words": 224, "keep": ["weight"], "bypass": ["input", "output"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"memory": "PsumSpad", "words": 24, "keep": ["output"], "bypass": ["input", "weight"],
   "energy_pj": {"read": 1, "write": 1, "update": 1}},
  {"compute": "MAC", "energy_pj": {"compute": 1}}]})";

// Draws from one generator; the distributions of <random> differ between libraries.
class Generator {
 public:
  Generator(const Evaluator& evaluator, Factors factors, std::uint64_t seed)
      : problem_(evaluator.problem()), arch_(evaluator.arch()), factors_(factors), random_(seed) {}

  Mapping draw() {
    const Bounds bounds = factors_ == Factors::kPerfect ? perfect() : ragged();
    Mapping mapping;
    store(mapping, "DRAM", "IWO");
    loops(mapping, bounds, kBelowDram);
    store(mapping, "GlobalBuffer", "IO");
    loops(mapping, bounds, kBelowBuffer);
    loops(mapping, bounds, kAxisY);
    loops(mapping, bounds, kAxisX);
    store(mapping, "InputSpad", "I");
    store(mapping, "WeightSpad", "W");
    store(mapping, "PsumSpad", "O");
    loops(mapping, bounds, kInnermost);
    return mapping;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  bool allowed(Slot slot, std::size_t dim) const {
    if (slot != kAxisX && slot != kAxisY) return true;
    const auto& dims = arch_.axis(*axis(slot)).dims;
    return std::find(dims.begin(), dims.end(), problem_.dims[dim].name) != dims.end();
  }

  std::optional<AxisId> axis(Slot slot) const {
    return arch_.find_axis(slot == kAxisX ? "PEs.x" : "PEs.y");
  }

  // Every prime factor of every extent goes to a random place that is open to it.
  Bounds perfect() {
    Bounds bounds = ones();
    for (std::size_t dim = 0; dim < problem_.dims.size(); ++dim) {
      std::int64_t rest = problem_.dims[dim].extent;
      for (std::uint32_t prime = 2; rest > 1; prime += (rest % prime != 0)) {
        if (rest % prime != 0) continue;
        bounds[dim][any_slot(dim)] *= prime;
        rest /= prime;
      }
    }
    return bounds;
  }

  // Tiles of any size, from the inside out; the outermost loop covers what is left.
  Bounds ragged() {
    Bounds bounds = ones();
    for (std::size_t dim = 0; dim < problem_.dims.size(); ++dim) {
      std::int64_t rest = problem_.dims[dim].extent;
      for (std::size_t slot = kInnermost; slot < kBelowDram; ++slot) {
        if (!allowed(static_cast<Slot>(slot), dim) || below(2) == 0) continue;
        const std::int64_t bound = skewed(rest);
        bounds[dim][slot] = static_cast<std::uint32_t>(bound);
        rest = (rest + bound - 1) / bound;
      }
      bounds[dim][kBelowDram] = static_cast<std::uint32_t>(rest);
    }
    return bounds;
  }

  // 1 to n, small ones more often: most large tiles do not fit.
  std::int64_t skewed(std::int64_t n) {
    const auto most = 1 + below(static_cast<std::uint64_t>(n));
    return static_cast<std::int64_t>(1 + below(most));
  }

  static Bounds ones() {
    Bounds bounds;
    for (auto& of_dim : bounds) of_dim.fill(1);
    return bounds;
  }

  // Outer places more often: scratchpads are small, and few of the even draws would fit.
  Slot any_slot(std::size_t dim) {
    constexpr std::array kDrawn = {kInnermost,   kAxisX,     kAxisX,     kAxisY,     kAxisY,
                                   kBelowBuffer, kBelowDram, kBelowDram, kBelowDram, kBelowDram};
    for (;;) {
      const Slot slot = kDrawn[below(kDrawn.size())];
      if (allowed(slot, dim)) return slot;
    }
  }

  void store(Mapping& mapping, std::string_view memory, std::string_view tensors) {
    TensorMask mask = 0;
    for (char name : tensors) {
      mask = static_cast<TensorMask>(mask | bit(*problem_.find_tensor(std::string_view(&name, 1))));
    }
    mapping.push_back(MappingNode::store(*arch_.find_memory(memory), mask));
  }

  void loops(Mapping& mapping, const Bounds& bounds, Slot slot) {
    std::array<std::size_t, kMaxDims> order;
    const std::size_t count = problem_.dims.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t j = below(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t bound = bounds[order[i]][slot];
      const auto dim = static_cast<DimId>(order[i]);
      if (bound == 1) continue;
      const bool spatial = slot == kAxisX || slot == kAxisY;
      mapping.push_back(spatial ? MappingNode::spatial(dim, bound, *axis(slot))
                                : MappingNode::loop(dim, bound));
    }
  }

  const Problem& problem_;
  const Arch& arch_;
  Factors factors_;
  std::mt19937_64 random_;
};

bool is_perfect(const Mapping& mapping, const Problem& problem) {
  std::array<std::int64_t, kMaxDims> product;
  product.fill(1);
  for (const MappingNode& node : mapping) {
    if (node.kind != LoopKind::kStore) product[node.id] *= node.bound;
  }
  for (std::size_t dim = 0; dim < problem.dims.size(); ++dim) {
    if (product[dim] != problem.dims[dim].extent) return false;
  }
  return true;
}

}  // namespace

Result<Evaluator> layer_evaluator(const Conventions& conventions, Wires wires) {
  Result<Problem> problem = parse_problem(kLayer);
  if (!problem.ok()) return problem.status();
  Result<Arch> arch = parse_arch(kMachine);
  if (!arch.ok()) return arch.status();
  Network& network = arch->fanouts[0].networks[0];
  network.energy_pj_per_bit_hop = wires == Wires::kPriced ? 0.125 : 0;
  Result<ActionCosts> costs = costs_in_spec(*arch);
  if (!costs.ok()) return costs.status();
  return Evaluator::create(*problem, *arch, conventions, *costs);
}

std::vector<Mapping> random_mappings(const Evaluator& evaluator, Factors factors, std::size_t count,
                                     std::uint64_t seed) {
  Generator generator(evaluator, factors, seed);
  const ScratchPtr scratch = evaluator.make_scratch();
  std::vector<Mapping> found;
  std::set<std::string> seen;
  while (found.size() < count) {
    const Mapping mapping = generator.draw();
    const bool wanted = is_perfect(mapping, evaluator.problem()) == (factors == Factors::kPerfect);
    if (!wanted || !evaluator.evaluate(mapping, *scratch).ok()) continue;
    if (seen.insert(mapping_to_json(mapping, evaluator.problem(), evaluator.arch())).second) {
      found.push_back(mapping);
    }
  }
  return found;
}

}  // namespace loopscape::bench
