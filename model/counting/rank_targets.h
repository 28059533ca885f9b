// Which lanes of one fan-out ask for the same words of a rank (counting.md D9).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/base/base.h"
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

// Ranks whose lanes are taken together, the last one's number fastest; `lanes`: of the level.
struct TargetsToCombine {
  std::size_t ranks = 0;
  std::array<const RankTargets*, kMaxRanks> rank;
  std::array<std::int64_t, kMaxRanks> lanes;
};

// For every combination of sets that keep a word in part, one of each rank: the tuples of lanes
// that lack the combined word, that is all but those whose every lane had its rank's. False when
// they are too many.
bool combine_partly_kept(const TargetsToCombine& from, RankTargets& combined, OverflowFlag& flag);

}  // namespace loopscape
