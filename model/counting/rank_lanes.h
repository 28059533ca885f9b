// The lanes of one rank at one boundary: which indices each of them needs at a step, and how many
// remain after each fan-out has shared what it shares (counting.md A6, D4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "model/counting/rank_sets.h"
#include "model/counting/workspace.h"

namespace loopscape {

class RankLanes {
 public:
  RankLanes(const RankQuery& query, Workspace& workspace,
            const std::array<std::int64_t, kMaxTerms>& march_step)
      : query_(query), workspace_(workspace), march_step_(march_step) {}

  // Lane offsets; false when there are too many lanes. Lanes are numbered with the outermost
  // fan-out most significant, within it the first term, within that the outermost loop.
  bool build();
  // Adds the step `at[i]` of every term i, times their weights, to `values`.
  bool add(const std::array<std::size_t, kMaxTerms>& at, RankValues& values);

  // For model/counting/destinations.cc: the same step lane by lane, forwarded words left out.
  // Every later call of list() ends what demand() and needed() tell.
  bool list(const std::array<std::size_t, kMaxTerms>& at, std::int64_t& weight);
  // What the child of level `level` whose lanes start at `lane` asks for: words and copies. After
  // an event `needed` tells the same as if nothing were there already.
  std::map<std::int64_t, std::int64_t> demand(int level, std::size_t lane) const;
  std::map<std::int64_t, std::int64_t> needed(int level, std::size_t lane) const;
  std::size_t lanes() const { return lanes_; }
  std::size_t lanes_of(int level) const { return level_lanes_[static_cast<std::size_t>(level)]; }

 private:
  struct LaneLoop {
    int term;
    std::int64_t step;
    std::uint32_t bound;
    std::uint8_t fanout;
    bool chain;
    std::size_t stride = 1;  // of its index in the lane's number
  };
  using Lists = std::pair<const std::vector<std::int64_t>*, const std::vector<std::size_t>*>;

  const TermSteps& step_of(int term, std::size_t at) const {
    return workspace_.steps[static_cast<std::size_t>(term)][at];
  }
  void set_intervals(const std::array<std::size_t, kMaxTerms>& at);
  Interval previous_tile(int term, std::int64_t offset, bool whole) const;
  bool list_words(RankValues& values, std::int64_t weight);
  bool add_single(RankValues& values, std::int64_t weight);
  bool add_closed(RankValues& values, std::int64_t weight);
  bool busy(const std::vector<Interval>& tiles, std::size_t lane) const;
  void drop_forwarded(std::size_t lane);
  std::int64_t resolve(const Lists& lists, int resolved) const;
  std::int64_t distinct(const Lists& lists, std::size_t from, std::size_t to) const;
  template <class Visit>
  void for_each_sum(const Interval* tile, Visit visit) const;

  const RankQuery& query_;
  Workspace& workspace_;
  std::array<std::int64_t, kMaxTerms> march_step_;
  int loops_ = 0;
  std::array<LaneLoop, kMaxMappingNodes> loop_;  // outermost fan-out first
  std::size_t lanes_ = 1;
  std::array<std::size_t, kMaxFanouts> level_lanes_{};  // innermost first
  bool marching_ = false, has_before_ = false;
  bool forwards_ = false;
  int marching_term_ = -1;
  std::array<std::int64_t, kMaxTerms> step_offset_{};
  std::array<bool, kMaxTerms> step_whole_{};
  std::int64_t lowest_ = 0, positions_ = 0;
  std::int64_t work_ = 0;  // lanes and indices looked at so far
};

}  // namespace loopscape
