// `verify --full`: what a search says, held against a price for every mapping of its space. Shares
// nothing with the optimal search but the space itself: no recursion, no bounds, no pruning.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interface/cli/search_options.h"

namespace loopscape::cli {

struct FullLimits {
  std::uint64_t most_mappings = 2'000'000;
  const std::atomic<bool>* stop = nullptr;
};

// Something that the result says and that is not so.
struct Fault {
  std::string pointer, reason;
  std::optional<StoredMapping> better;  // the mapping that shows it
};

struct FullCheck {
  std::string limit;  // why the space was not looked through; "": it was
  std::uint64_t mappings = 0, legal = 0;
  double best = 0;  // of the objective, over the space and within the bounds
  std::vector<Fault> faults;
  std::string text, json;  // of all this
};

// `actual` is what check_search() made of `stated`. An error: no search gave the result.
Result<FullCheck> check_fully(const StoredResult& stated, const StoredResult& actual,
                              const Evaluator& evaluator, const FullLimits& limits);

}  // namespace loopscape::cli
