// What `verify` makes of the result of a network.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "interface/cli/verify_full.h"
#include "mapper/network/network.h"

namespace loopscape::cli {

using EvaluateAgain = std::function<Result<StoredResult>(const StoredResult& stated)>;

// What the result must be for the stated one to hold: every layer and every search evaluated again,
// the choice among what the searches found made again, the totals added up again. An error: parts
// of the result belong to different networks, or another choice is better. No search is repeated.
Result<StoredNetwork> check_network(const StoredNetwork& stated, const EvaluateAgain& again);

// A line of the report.
std::string network_in_words(const StoredNetwork& actual);

// A layer or a search taken out of a network's result: a result once the keys that only the network
// knows the truth of are taken away. Nothing: the text is none, or no JSON.
struct CutOut {
  std::vector<std::string> names;
  std::string result;
};
Result<std::optional<CutOut>> cut_out(const std::string& text);
// A line of the report.
std::string cut_out_in_words(const CutOut& part);

// `verify --full` of every search. `solve`: of one of them, the one stated and what check_network()
// made of it. The limits hold for all of them together.
using SolveAgain = std::function<Result<FullCheck>(
    const StoredResult& stated, const StoredResult& actual, const FullLimits& limits)>;
Result<FullCheck> check_network_fully(const StoredNetwork& stated, const StoredNetwork& actual,
                                      const SolveAgain& solve, const FullLimits& limits);

}  // namespace loopscape::cli
