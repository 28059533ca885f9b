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

// The layer and the machine of examples/01_one_layer, priced under `conventions`.
Result<Evaluator> lesson_evaluator(const Conventions& conventions);

// `count` pairwise different mappings of that layer, each with a Cost that is ok, in the order in
// which a generator with this seed finds them.
std::vector<Mapping> random_mappings(const Evaluator& evaluator, Factors factors, std::size_t count,
                                     std::uint64_t seed);

}  // namespace loopscape::bench
