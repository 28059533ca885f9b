// The benchmark's evaluations without its clock: a fixed number of them, for callgrind and perf.
//
//   evaluate_loop perfect|ragged march|previous_tile ROUNDS
//
// prices 1024 different mappings ROUNDS times and prints the number of evaluations. Everything but
// the function measured() is preparation.

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tests/bench/random_mappings.h"

namespace loopscape::bench {
namespace {

constexpr std::size_t kMappings = 1024;
constexpr std::uint64_t kSeed = 1;

}  // namespace

// Its own symbol, so that callgrind can be told to collect inside it only.
extern "C" [[gnu::noinline]] void measured(const Evaluator& evaluator,
                                           const std::vector<Mapping>& mappings,
                                           std::vector<Cost>& costs, Scratch& scratch) {
  evaluator.evaluate_batch(mappings, costs, scratch);
}

namespace {

int run(std::string_view factors, std::string_view reuse, int rounds) {
  Conventions conventions = Conventions::physical();
  if (reuse == "previous_tile") conventions.reuse = Conventions::Reuse::kPreviousTile;
  const Result<Evaluator> evaluator = layer_evaluator(conventions, Wires::kFree);
  if (!evaluator.ok()) {
    std::fprintf(stderr, "%s\n", evaluator.status().to_string().c_str());
    return 2;
  }
  const std::vector<Mapping> mappings = random_mappings(
      *evaluator, factors == "ragged" ? Factors::kRagged : Factors::kPerfect, kMappings, kSeed);
  std::vector<Cost> costs(mappings.size());
  const ScratchPtr scratch = evaluator->make_scratch();
  for (int round = 0; round < rounds; ++round) measured(*evaluator, mappings, costs, *scratch);
  for (const Cost& cost : costs) {
    if (!cost.ok()) return 1;
  }
  std::printf("%zu\n", mappings.size() * static_cast<std::size_t>(rounds));
  return 0;
}

}  // namespace
}  // namespace loopscape::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: evaluate_loop perfect|ragged march|previous_tile ROUNDS\n");
    return 2;
  }
  return loopscape::bench::run(argv[1], argv[2], std::atoi(argv[3]));
}
