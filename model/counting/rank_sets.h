// One rank of one tensor at one boundary: how many of its indices move, summed over every time
// step and instance, after each fan-out has shared what it shares (D3, D4). A tile is the product
// of its ranks' index sets, so counts of words are products of what is computed here.
//
// Cost: a table look-up for a rank met before; otherwise marking every index of every lane once
// per kind of step. Closed forms serve ranks without lanes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/base/base.h"
#include "model/counting/counting.h"

namespace loopscape {

// What a loop outside the child's store does to this rank.
enum class LoopRole : std::uint8_t {
  kHeld,   // stays at one index: run loops, the instance looked at
  kRuns,   // every index counts: repeating loops, and instances when they are summed
  kMarch,  // every index, each but the first as a step of the march
  kLane,   // children of this boundary
  kEvent,  // previous_tile: every index but the first, the previous tile being one index back
  kReset,  // previous_tile: back at its first index, the previous tile being at its last
};

struct RankLoop {
  std::int64_t step;
  std::uint32_t bound;
  std::uint32_t held_at;
  LoopRole role;
  std::uint8_t fanout;
  bool chain;  // a lane loop whose neighbours forward to each other
};

struct RankTerm {
  std::int64_t coefficient, extent, tile;
  int loops = 0;
  std::array<RankLoop, kMaxMappingNodes> loop;  // outermost first
};

// The fan-outs with lanes in the boundary, innermost first.
struct Levels {
  int size = 0;
  std::array<std::uint8_t, kMaxFanouts> fanout{};
  std::array<bool, kMaxFanouts> shared{}, forwards{};
};

struct RankQuery {
  const RankShape* shape = nullptr;
  const Levels* levels = nullptr;
  Conventions::Sharing sharing = Conventions::Sharing::kAnyWord;
  std::uint32_t identity = 0;  // tensor and rank, for the table
  bool own_kept = true;        // a child keeps its previous tile (a store does, a lane does not)
  bool after_event = false;    // previous_tile: also tell what is needed and already there
  int terms = 0;
  std::array<RankTerm, kMaxTerms> term;
};

// Index [v]: the v innermost fan-outs resolved, the outer ones summed.
struct RankValues {
  std::array<std::int64_t, kMaxFanouts + 1> moved{};
  std::array<std::int64_t, kMaxFanouts + 1> needed{};  // only for after_event
  std::int64_t group_moved = 0, group_needed = 0;      // plain union over all lanes
  std::int64_t forwarded = 0;
};

// D3. Distinct values of the sum of coefficient * [0, length) over the terms; a negative number
// when they have to be marked one by one and are too many.
std::int64_t distinct_sums(const RankShape& shape,
                           const std::array<std::int64_t, kMaxTerms>& length, Workspace& workspace);
// Footprint of a tile: distinct words, or those of the bounding box for `box` footprints; negative
// as above. It fits 63 bits, since make_problem() checked the whole tensor's box.
std::int64_t footprint(const TensorShape& tensor, bool box,
                       const std::array<std::int64_t, kMaxDims>& tile, Workspace& workspace);

inline constexpr std::size_t kRankKeyWords = 14;
using RankKey = std::array<std::uint64_t, kRankKeyWords>;

// Everything that a rank's sets depend on, the context aside. Its length; 0 when it does not fit.
std::uint32_t make_key(const RankQuery& query, RankKey& key);
// Where a table of so many entries, a power of two, keeps what belongs to the key.
std::size_t slot_of(const RankKey& key, std::uint32_t size, std::size_t entries);

// Fills workspace.steps with the steps of every term; false when there are too many.
bool list_steps(const RankQuery& query, Workspace& workspace,
                std::array<std::int64_t, kMaxTerms>& march_step);

// False when the sets are too large to tabulate (the caller reports it as unsupported).
bool rank_values(const RankQuery& query, Workspace& workspace, RankValues& values);

}  // namespace loopscape
