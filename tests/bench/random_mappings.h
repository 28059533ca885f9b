// Thousands of different legal mappings, the same ones on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/evaluate/evaluate.h"
#include "model/mapping/mapping.h"

namespace loopscape::bench {

enum class Factors { kPerfect, kRagged };
// Whether a bit's way over the array's buses costs energy, so that links have to be counted too.
enum class Wires { kFree, kPriced };

// ResNet-50's 3x3 layer with 64 channels on DRAM, a 108 KiB buffer, a 14 x 12 array and three
// scratchpads, priced under `conventions`.
Result<Evaluator> layer_evaluator(const Conventions& conventions, Wires wires);

// `count` pairwise different mappings of that layer, each with a Cost that is ok, in the order in
// which a generator with this seed finds them.
std::vector<Mapping> random_mappings(const Evaluator& evaluator, Factors factors, std::size_t count,
                                     std::uint64_t seed);

}  // namespace loopscape::bench
