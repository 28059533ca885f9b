// Which lanes of one fan-out ask for the same words of a rank (counting.md D9).
#pragma once

#include "model/counting/rank_sets.h"
#include "model/counting/workspace.h"

namespace loopscape {

enum class Grouping : std::uint8_t {
  kNone,   // every lane by itself, once per copy
  kWords,  // the lanes that ask for a word; copy i goes to those that ask for i of them
  kEqual   // lanes whose whole demands are equal
};

// The sets of lanes of level `level`, the levels inside it resolved, summed over steps and over
// the lanes of the levels outside it. Lane numbers: those of RankLanes, of this level alone. Null
// when there are too many words to list. Valid until the next call.
const RankTargets* rank_targets(const RankQuery& query, int level, Grouping grouping,
                                Workspace& workspace);

}  // namespace loopscape
