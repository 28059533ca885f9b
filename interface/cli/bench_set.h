// What `bench` runs: a fixed set of searches, evaluations and counts, on one thread and without
// clocks, so that everything it tells but `seconds` is the same on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/base/base.h"

namespace loopscape::cli {

struct BenchCase {
  std::string name;
  std::uint32_t signature = 0;  // of all that the case gave, to the last bit
  std::uint64_t work = 0;       // units of a search; mappings priced or counted
  double seconds = 0;
};
// An error: the set does not suit the program any more, which is for us to mend.
Result<std::vector<BenchCase>> run_bench();

// Of all cases, in their order.
std::uint32_t bench_signature(const std::vector<BenchCase>& cases);

}  // namespace loopscape::cli
