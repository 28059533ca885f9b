// What a boundary's fan-outs make of the words that their children ask for (A6).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/reference/nest.h"

namespace loopscape::reference {

// A multiset of words: how often each is asked for, ascending by word.
using Demand = std::vector<std::pair<Word, std::int64_t>>;

std::int64_t size_of(const Demand& demand);
Demand demand_of(const Words& words);

enum class Sharing { kNone, kAnyWord, kEqualDelta };

// The demand above a fan-out whose children have these demands.
Demand combine(const std::vector<const Demand*>& children, Sharing sharing);

// One fan-out that a boundary passes. Its lower side has nodes (children, numbered), its upper side
// one node per instance of the fan-out.
struct Pass {
  std::size_t fanout = 0;
  Sharing sharing = Sharing::kNone;
  bool forwards = false;
  std::vector<std::size_t> upper_of;  // node of the upper side, of every node of the lower side
  std::size_t uppers = 0;
};

// The passes between two places, innermost first; a pass for each fan-out with lanes between them.
std::vector<Pass> passes_between(const Nest& nest, const Place& parent, const Place& child);

}  // namespace loopscape::reference
