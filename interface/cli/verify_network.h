// What `verify` makes of the result of a network.
#pragma once

#include <functional>
#include <string>

#include "mapper/network/network.h"

namespace loopscape::cli {

using EvaluateAgain = std::function<Result<StoredResult>(const StoredResult& stated)>;

// What the result must be for the stated one to hold: every layer and every search evaluated again,
// the choice among what the searches found made again, the totals added up again. An error: parts
// of the result belong to different networks, or another choice is better. No search is repeated.
Result<StoredNetwork> check_network(const StoredNetwork& stated, const EvaluateAgain& again);

// A line of the report.
std::string network_in_words(const StoredNetwork& actual);

}  // namespace loopscape::cli
