// The text form of an einsum, inside model/problem only.
#pragma once

#include <string_view>

#include "model/problem/problem.h"

namespace loopscape {

inline constexpr std::size_t kMaxEinsumLength = 4000;

// Structure only: dimensions in order of appearance with extent 1, tensors with names and ranks
// (the output first), default roles. What make_problem() checks is not checked here, except where
// the column is worth knowing.
Result<Problem> read_einsum(std::string_view text);

// The role of a tensor that states none: the first is the output, "W" and "weights" are weights.
Role default_role(std::string_view tensor, bool first);

}  // namespace loopscape
