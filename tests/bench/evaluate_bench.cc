// Full evaluations per second of one core, over mappings that are all different.

#include <vector>

#include <benchmark/benchmark.h>

#include "tests/bench/random_mappings.h"

namespace loopscape::bench {
namespace {

constexpr std::size_t kMappings = 4096;
constexpr std::uint64_t kSeed = 1;

void evaluate_batch(benchmark::State& state, Factors factors, Conventions::Reuse reuse,
                    Wires wires = Wires::kFree) {
  Conventions conventions = Conventions::physical();
  conventions.reuse = reuse;
  const Result<Evaluator> evaluator = layer_evaluator(conventions, wires);
  if (!evaluator.ok()) {
    state.SkipWithError(evaluator.status().to_string().c_str());
    return;
  }
  const std::vector<Mapping> mappings = random_mappings(*evaluator, factors, kMappings, kSeed);
  std::vector<Cost> costs(mappings.size());
  const ScratchPtr scratch = evaluator->make_scratch();
  for (auto _ : state) {
    evaluator->evaluate_batch(mappings, costs, *scratch);
    benchmark::DoNotOptimize(costs.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * mappings.size()));
}

BENCHMARK_CAPTURE(evaluate_batch, perfect, Factors::kPerfect, Conventions::Reuse::kMarch);
BENCHMARK_CAPTURE(evaluate_batch, ragged, Factors::kRagged, Conventions::Reuse::kMarch);
BENCHMARK_CAPTURE(evaluate_batch, perfect_priced_wires, Factors::kPerfect,
                  Conventions::Reuse::kMarch, Wires::kPriced);
BENCHMARK_CAPTURE(evaluate_batch, perfect_previous_tile, Factors::kPerfect,
                  Conventions::Reuse::kPreviousTile);
BENCHMARK_CAPTURE(evaluate_batch, ragged_previous_tile, Factors::kRagged,
                  Conventions::Reuse::kPreviousTile);

}  // namespace
}  // namespace loopscape::bench

BENCHMARK_MAIN();
