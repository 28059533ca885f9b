#include "tests/fuzz/fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace loopscape::fuzz {
namespace {

constexpr std::string_view kProblem = R"({
  "einsum": "O[n,k,p,q] += I[n,c,2*p+r,q+2*s] * W[k,c,r,s]",
  "dims": {"n": 2, "k": 6, "c": 5, "p": 7, "q": 4, "r": 3, "s": 2},
  "tensors": {"O": {"bits": 24, "final_bits": 8}, "W": {"bits": 8}}})";

constexpr std::string_view kMulticast = R"({
  "word_bits": 16, "clock_mhz": 100,
  "nodes": [
    {"memory": "DRAM", "bandwidth_bits": 19.5, "energy_pj": {"read": 200, "write": 200, "update": 201}},
    {"memory": "Buffer", "size_kib": 4, "width_bits": 64, "read_bits": 48, "write_bits": 33,
     "buffering": "buffet", "energy_pj": {"read": 6, "write": 7, "update": 8}},
    {"fanout": "PEs", "axes": {"x": 3, "y": 4},
     "network": {"class": "multicast_bus", "multicast": ["input", "weight"], "reduce": ["output"],
                 "forward": ["input"], "energy_pj_per_bit_hop": 0.5, "bandwidth_bits": 100}},
    {"memory": "InputSpad", "words": 20, "keep": ["input"], "bypass": ["weight", "output"],
     "buffering": "single", "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"memory": "WeightSpad", "words": 90, "keep": ["weight"], "bypass": ["input", "output"],
     "buffering": "double", "read_bits": 8, "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"memory": "PsumSpad", "words": 24, "bypass": ["input", "weight"],
     "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"fanout": "Lanes", "axes": {"l": 4}},
    {"compute": "MAC", "energy_pj": {"compute": 1}}]})";

constexpr std::string_view kSystolic = R"({
  "word_bits": 8,
  "nodes": [
    {"memory": "DRAM", "read_bits": 64, "energy_pj": {"read": 200, "write": 200, "update": 201}},
    {"memory": "Buffer", "size_kib": 8, "buffering": "double", "bandwidth_bits": 96,
     "latency_cycles": 3, "energy_pj": {"read": 6, "write": 7, "update": 8}},
    {"fanout": "PEs", "axes": {"x": 4, "y": 4},
     "network": [
       {"class": "systolic", "tensors": ["weight"], "multicast": ["weight"], "preload": true},
       {"class": "systolic", "tensors": ["input"], "multicast": ["input"], "forward": ["input"]},
       {"class": "mesh", "tensors": ["output"], "reduce": ["output"]}]},
    {"memory": "InputSpad", "words": 64, "bypass": ["weight", "output"],
     "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"memory": "WeightSpad", "words": 64, "bypass": ["input", "output"],
     "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"memory": "PsumSpad", "words": 64, "bypass": ["input", "weight"], "buffering": "single",
     "energy_pj": {"read": 1, "write": 1, "update": 1}},
    {"fanout": "Lanes", "axes": {"l": 2},
     "network": {"class": "tree", "multicast": ["input"], "reduce": ["output"]}},
    {"compute": "MAC", "interval_cycles": 1.5, "energy_pj": {"compute": 1}}]})";

// The worlds above are ours: should one not be read, that is a finding of its own.
template <class T>
T must(Result<T> result) {
  require(result.ok(), "a built-in world is refused", result.status().to_string());
  return std::move(result).value();
}

std::vector<Conventions> all_conventions() {
  Conventions ideal = Conventions::physical();
  ideal.reuse = Conventions::Reuse::kPreviousTile;
  Conventions mixed = Conventions::physical();
  mixed.footprint = Conventions::Footprint::kBox;
  mixed.refill = Conventions::Refill::kEveryChild;
  return {Conventions::physical(), Conventions::timeloop(), ideal, mixed};
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

}  // namespace

std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

void require(bool holds, std::string_view sentence, std::string_view shown) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n%.*s\n", static_cast<int>(sentence.size()), sentence.data(),
               static_cast<int>(shown.size()), shown.data());
  std::abort();
}

void require_sentence(const Status& status) {
  require(!status.ok() && status.message().size() > 5, "an error without a sentence",
          status.to_string());
}

const Problem& small_problem() {
  static const Problem problem = must(parse_problem(kProblem));
  return problem;
}

const Arch& small_arch() {
  static const Arch arch = must(parse_arch(kMulticast));
  return arch;
}

const std::vector<Evaluator>& small_evaluators() {
  static const std::vector<Evaluator> evaluators = [] {
    std::vector<Evaluator> made;
    for (const Arch& arch : {small_arch(), must(parse_arch(kSystolic))}) {
      const ActionCosts costs = must(costs_in_spec(arch));
      for (const Conventions& conventions : all_conventions()) {
        made.push_back(must(Evaluator::create(small_problem(), arch, conventions, costs)));
      }
    }
    return made;
  }();
  return evaluators;
}

void require_agreement(const Evaluator& evaluator, const Mapping& mapping) {
  const ScratchPtr scratch = evaluator.make_scratch();
  const Cost cost = evaluator.evaluate(mapping, *scratch);
  Cost batched[2];
  const Mapping twice[2] = {mapping, mapping};
  evaluator.evaluate_batch(twice, batched, *scratch);
  for (const Cost& again : batched) {
    require(again.status == cost.status && same_bits(again.energy_pj, cost.energy_pj) &&
                again.cycles == cost.cycles,
            "a batch prices otherwise than evaluate()");
  }
  const Result<Breakdown> why = evaluator.explain(mapping);
  require(why.ok() == cost.ok(), "explain() and evaluate() disagree on legality",
          why.status().to_string());
  const Status legal = evaluator.check(mapping);
  require(!cost.ok() || legal.ok(), "check() refuses what evaluate() prices", legal.to_string());
  if (!cost.ok()) {
    require_sentence(why.status());
    require(why.status().code() == cost.status, "explain() and evaluate() give other reasons",
            why.status().to_string());
    return;
  }
  require(same_bits(why->energy_pj, cost.energy_pj), "explain() adds up to another energy");
  require(why->cycles == cost.cycles, "explain() adds up to other cycles");
  require(cost.energy_pj >= 0 && cost.cycles > 0, "a cost that is not positive");
}

}  // namespace loopscape::fuzz
