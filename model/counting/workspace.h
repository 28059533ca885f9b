// The buffers and the table of one thread. Everything grows while warming up and is then reused.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "model/counting/counting.h"
#include "model/counting/rank_sets.h"

namespace loopscape {

// A set that is cleared in one step: a position is in it if it bears the present stamp.
class StampSet {
 public:
  void clear(std::size_t positions) {
    if (stamps_.size() < positions) stamps_.resize(positions, 0);
    if (++stamp_ == 0) {
      std::fill(stamps_.begin(), stamps_.end(), 0);
      stamp_ = 1;
    }
  }
  bool insert(std::size_t position) {  // true if it was not there
    if (stamps_[position] == stamp_) return false;
    stamps_[position] = stamp_;
    return true;
  }
  bool contains(std::size_t position) const { return stamps_[position] == stamp_; }

 private:
  std::vector<std::uint32_t> stamps_;
  std::uint32_t stamp_ = 0;
};

// A stretch of time steps in which one dimension of a rank looks the same to every lane.
struct TermSteps {
  std::int64_t weight;
  std::int64_t offset;
  bool marches;  // a step of the march; otherwise a whole tile
  bool whole;    // nothing is cut at the problem's edge
};

struct Interval {
  std::int64_t begin = 0, length = 0;
};

// Ranks met before. A key has one place, which the last that came there takes; places grow in
// number as they fill, so that who counts little touches little memory.
class RankTable {
 public:
  static constexpr std::size_t kLevels = 3;
  struct Entry {
    std::uint32_t size = 0;  // of the key; 0: empty
    RankKey key;
    std::array<std::int64_t, kLevels + 1> moved, needed;
    std::int64_t group_moved, group_needed, forwarded;
  };
  explicit RankTable(std::size_t most) : most_(most), entries_(std::min(most, kFew)) {}
  const Entry* find(const RankKey& key, std::uint32_t size) const;
  Entry& take(const RankKey& key, std::uint32_t size);

 private:
  static constexpr std::size_t kFew = 64;
  std::size_t most_, taken_ = 0;
  std::vector<Entry> entries_;
};

// One rank's sets of lanes of one fan-out, as in a part of Destinations.
struct RankTargets {
  bool single = false;  // each lane by itself: no tuples listed
  std::vector<std::int64_t> weight;
  std::vector<std::int64_t> kept;  // of these words, those that a lane of the set had before
  std::vector<std::size_t> first_tuple;
  std::vector<std::size_t> first_new;  // set i: tuples before this one had the word before
  std::vector<std::uint32_t> tuple;
  bool partly_kept(std::size_t set) const {
    return first_tuple[set] < first_new[set] && first_new[set] < first_tuple[set + 1];
  }
};

struct TargetTable {
  static constexpr std::size_t kEntries = 512, kMostTuples = std::size_t{1} << 12;
  struct Entry {
    std::uint32_t size = 0;  // of the key; 0: empty
    RankKey key;
    RankTargets targets;
  };
  std::vector<Entry> entries = std::vector<Entry>(kEntries);
};

class Workspace {
 public:
  explicit Workspace(std::size_t known_ranks) : table(known_ranks) {}
  Refusal refusal = Refusal::kNone;
  RankTable table;
  TargetTable target_table;
  RankTargets targets;                              // of a rank that the table does not keep
  std::array<RankTargets, kMaxRanks> rank_targets;  // of all ranks, after one event
  Destinations destinations;
  std::array<std::vector<TermSteps>, kMaxTerms> steps;
  std::array<std::vector<std::int64_t>, kMaxTerms> lane_offset;  // one per lane of the rank
  std::vector<Interval> after, before;                           // lane-major, one per term
  std::vector<std::int64_t> words;       // of all lanes, one behind the other
  std::vector<std::size_t> first_word;   // lanes + 1
  std::vector<std::int64_t> kept_words;  // the same for what is needed (after_event)
  std::vector<std::size_t> first_kept;
  StampSet before_set, seen, united;
  std::vector<std::uint32_t> since;  // of marked sums: indices back to one without the last term
  std::int64_t marks = 0;            // positions that marking sums has looked at
};

}  // namespace loopscape
