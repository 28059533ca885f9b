// What `verify` makes of a result that a search gave.
#pragma once

#include <string>

#include "model/evaluate/evaluate.h"

namespace loopscape::cli {

// Adds to `actual` what the search's part of the result must be for the stated one to hold: the
// front priced again, the sample drawn again, the certificate with everything that follows from the
// rest put right. An error: a mapping is outside of the stated space or bounds. What a search
// counted (states, work, seconds) is taken as stated.
Status check_search(const StoredResult& stated, const Evaluator& evaluator, StoredResult& actual);

// A line of the report; "" for a result that no search gave.
std::string search_in_words(const StoredResult& actual);

}  // namespace loopscape::cli
