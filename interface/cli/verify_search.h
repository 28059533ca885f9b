// What `verify` makes of a result that a search gave.
#pragma once

#include <optional>
#include <string>

#include "interface/cli/search_options.h"

namespace loopscape::cli {

// What a result says was asked for. Absent: no search gave it.
struct StatedSearch {
  SearchRequest request;
  Mapspace space;
};
// An error: options and certificate do not go together, or there is no such space.
Result<std::optional<StatedSearch>> search_of(const StoredResult& stated);

// Adds to `actual` what the search's part of the result must be for the stated one to hold: the
// front priced again, the sample drawn again, the certificate with everything that follows from the
// rest put right. An error: a mapping is outside of the stated space or bounds, or a part of the
// result is none that such a search gives. What the optimal and the local search counted (states,
// work, seconds), and an optimal search's lower bound where it was stopped, are taken as stated.
Status check_search(const StoredResult& stated, const Evaluator& evaluator, StoredResult& actual);

// A line of the report; "" for a result that no search gave.
std::string search_in_words(const StoredResult& actual);

}  // namespace loopscape::cli
