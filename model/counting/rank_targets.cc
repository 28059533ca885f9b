#include "model/counting/rank_targets.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "model/counting/rank_lanes.h"

namespace loopscape {
namespace {

using LaneSet = std::vector<std::uint32_t>;

constexpr std::int64_t kMostCombined = std::int64_t{1} << 22;  // tuples of lanes, kept or not

struct Wish {  // a lane of the level asks for `copies` of the word
  std::int64_t word;
  std::uint32_t lane;
  std::int64_t copies;
  std::int64_t kept;  // copies of it that were there before the event
};

// Collects the sets of one rank. It runs once per rank that the table has not met.
class Collector {
 public:
  Collector(const RankQuery& query, int level, Grouping grouping, Workspace& workspace,
            const std::array<std::int64_t, kMaxTerms>& march_step)
      : query_(query),
        level_(level),
        grouping_(grouping),
        workspace_(workspace),
        lanes_(query, workspace, march_step) {}

  bool collect() {
    if (!lanes_.build()) return false;
    for (int v = 0; v < level_; ++v) inside_ *= lanes_.lanes_of(v);
    total_.assign(lanes_.lanes_of(level_), {});
    std::array<std::size_t, kMaxTerms> at{};
    for (int i = 0; i < query_.terms; ++i) {
      if (workspace_.steps[static_cast<std::size_t>(i)].empty()) return true;
    }
    while (true) {
      if (!lanes_.list(at, weight_)) return false;
      take_step();
      int i = query_.terms - 1;
      for (; i >= 0; --i) {
        const auto k = static_cast<std::size_t>(i);
        if (++at[k] < workspace_.steps[k].size()) break;
        at[k] = 0;
      }
      if (i < 0) return true;
    }
  }

  void write(RankTargets& targets) const {
    targets.single = grouping_ == Grouping::kNone;
    targets.weight.clear();
    targets.kept.clear();
    targets.first_tuple.clear();
    targets.first_new.clear();
    targets.tuple.clear();
    if (targets.single) {
      for (const Total& total : total_) {
        targets.weight.push_back(total.words);
        targets.kept.push_back(total.kept);
      }
    }
    for (const auto& [set, total] : found_) {
      const auto& [lanes, had] = set;
      targets.weight.push_back(total.words);
      targets.kept.push_back(total.kept);
      targets.first_tuple.push_back(targets.tuple.size());
      targets.first_new.push_back(targets.tuple.size() + had);
      targets.tuple.insert(targets.tuple.end(), lanes.begin(), lanes.end());
    }
    targets.first_tuple.push_back(targets.tuple.size());
  }

 private:
  struct Total {
    std::int64_t words = 0, kept = 0;
  };
  // Lanes that ask for a word: first those (so many) that had it before.
  using Askers = std::pair<LaneSet, std::size_t>;

  void take_step() {
    const std::size_t own = lanes_.lanes_of(level_);
    for (std::size_t first = 0; first < lanes_.lanes(); first += own * inside_) {
      wishes_.clear();
      for (std::size_t lane = 0; lane < own; ++lane) {
        list_wishes(first + lane * inside_, static_cast<std::uint32_t>(lane));
      }
      switch (grouping_) {
        case Grouping::kNone:
          for (const Wish& wish : wishes_) add(total_[wish.lane], wish.copies, wish.kept);
          break;
        case Grouping::kWords:
          by_word();
          break;
        case Grouping::kEqual:
          by_demand();
          break;
      }
    }
  }

  void add(Total& total, std::int64_t words, std::int64_t kept) const {
    total.words += weight_ * words;
    total.kept += weight_ * kept;
  }

  void list_wishes(std::size_t first_lane, std::uint32_t lane) {
    if (inside_ > 1) {
      list_bags(first_lane, lane);
      return;
    }
    const auto& first = workspace_.first_word;
    std::size_t moved = first[first_lane];
    if (!query_.after_event) {
      for (; moved < first[first_lane + 1]; ++moved) {
        wishes_.push_back({workspace_.words[moved], lane, 1, 0});
      }
      return;
    }
    const auto& first_needed = workspace_.first_kept;  // the words that move among those needed
    for (std::size_t i = first_needed[first_lane]; i < first_needed[first_lane + 1]; ++i) {
      const std::int64_t word = workspace_.kept_words[i];
      const bool moves = moved < first[first_lane + 1] && workspace_.words[moved] == word;
      moved += moves;
      wishes_.push_back({word, lane, 1, moves ? 0 : 1});
    }
  }

  void list_bags(std::size_t first_lane, std::uint32_t lane) {
    const auto moved = lanes_.demand(level_, first_lane);
    if (!query_.after_event) {
      for (const auto& [word, copies] : moved) wishes_.push_back({word, lane, copies, 0});
      return;
    }
    for (const auto& [word, copies] : lanes_.needed(level_, first_lane)) {
      const auto it = moved.find(word);
      wishes_.push_back({word, lane, copies, copies - (it == moved.end() ? 0 : it->second)});
    }
  }

  void by_word() {
    std::sort(wishes_.begin(), wishes_.end(), [](const Wish& x, const Wish& y) {
      return x.word != y.word ? x.word < y.word : x.lane < y.lane;
    });
    Askers askers, pending;  // neighbouring words mostly go to the same lanes
    std::int64_t pending_words = 0;
    const auto flush = [&] {
      if (pending_words == 0) return;
      add(found_[pending], pending_words, pending.second != 0 ? pending_words : 0);
      pending_words = 0;
    };
    for (std::size_t begin = 0, end = 0; begin < wishes_.size(); begin = end) {
      std::int64_t most = 0;
      for (end = begin; end < wishes_.size() && wishes_[end].word == wishes_[begin].word; ++end) {
        most = std::max(most, wishes_[end].copies);
      }
      for (std::int64_t done = 0; done < most;) {
        const std::int64_t layer = take_layer(begin, end, done, most, askers);
        if (askers != pending) {
          flush();
          pending = askers;
        }
        pending_words += layer - done;
        done = layer;
      }
    }
    flush();
  }

  // Who asks for more than `done` copies of the word of those wishes; up to how many they all do.
  std::int64_t take_layer(std::size_t begin, std::size_t end, std::int64_t done, std::int64_t most,
                          Askers& askers) const {
    auto& [lanes, had] = askers;
    lanes.clear();
    std::int64_t layer = most;
    for (const bool kept : {true, false}) {
      for (std::size_t i = begin; i < end; ++i) {
        if (wishes_[i].copies <= done || (wishes_[i].kept > done) != kept) continue;
        layer = std::min(layer, wishes_[i].copies);
        lanes.push_back(wishes_[i].lane);
      }
      if (kept) had = lanes.size();
    }
    return layer;
  }

  // Lanes with equal demands had the same of them before (interconnect.md H5).
  void by_demand() {
    struct Group {
      LaneSet lanes;
      std::int64_t words = 0, kept = 0;
    };
    std::map<std::vector<std::pair<std::int64_t, std::int64_t>>, Group> groups;
    std::vector<std::pair<std::int64_t, std::int64_t>> demand;
    for (std::size_t begin = 0, end = 0; begin < wishes_.size(); begin = end) {
      demand.clear();
      std::int64_t words = 0, kept = 0;
      for (end = begin; end < wishes_.size() && wishes_[end].lane == wishes_[begin].lane; ++end) {
        demand.emplace_back(wishes_[end].word, wishes_[end].copies);
        words += wishes_[end].copies;
        kept += wishes_[end].kept;
      }
      std::sort(demand.begin(), demand.end());
      Group& group = groups[demand];
      group.lanes.push_back(wishes_[begin].lane);
      group.words = words;
      group.kept = kept;
    }
    for (const auto& [words, group] : groups) {
      add(found_[{group.lanes, group.lanes.size()}], group.words, group.kept);
    }
  }

  const RankQuery& query_;
  int level_;
  Grouping grouping_;
  Workspace& workspace_;
  RankLanes lanes_;
  std::size_t inside_ = 1;  // lanes inside one child of the level
  std::int64_t weight_ = 1;
  std::vector<Wish> wishes_;
  std::vector<Total> total_;
  std::map<Askers, Total> found_;
};

// Lists the combinations of combine_partly_kept().
class Combiner {
 public:
  Combiner(const TargetsToCombine& from, RankTargets& combined, OverflowFlag& flag)
      : from_(from), combined_(combined), flag_(flag) {}

  void choose(std::size_t r, std::int64_t weight) {
    if (r == from_.ranks) {
      combined_.weight.push_back(weight);
      combined_.first_tuple.push_back(combined_.tuple.size());
      list(0, 0, true);
      return;
    }
    const RankTargets& rank = *from_.rank[r];
    for (std::size_t i = 0; i < rank.weight.size(); ++i) {
      if (!rank.partly_kept(i)) continue;
      chosen_[r] = i;
      choose(r + 1, flag_.mul(weight, rank.weight[i]));
    }
  }

 private:
  void list(std::size_t r, std::int64_t tuple, bool had) {
    if (r == from_.ranks) {
      if (!had) combined_.tuple.push_back(static_cast<std::uint32_t>(tuple));
      return;
    }
    const RankTargets& rank = *from_.rank[r];
    const std::size_t i = chosen_[r];
    for (std::size_t t = rank.first_tuple[i]; t < rank.first_tuple[i + 1]; ++t) {
      list(r + 1, tuple * from_.lanes[r] + rank.tuple[t], had && t < rank.first_new[i]);
    }
  }

  const TargetsToCombine& from_;
  RankTargets& combined_;
  OverflowFlag& flag_;
  std::array<std::size_t, kMaxRanks> chosen_{};
};

}  // namespace

bool combine_partly_kept(const TargetsToCombine& from, RankTargets& combined, OverflowFlag& flag) {
  std::int64_t tuples = 1, lanes = 1;
  for (std::size_t r = 0; r < from.ranks; ++r) {
    const RankTargets& rank = *from.rank[r];
    std::int64_t here = 0;
    for (std::size_t i = 0; i < rank.weight.size(); ++i) {
      if (!rank.partly_kept(i)) continue;
      here += static_cast<std::int64_t>(rank.first_tuple[i + 1] - rank.first_tuple[i]);
    }
    if (__builtin_mul_overflow(tuples, here, &tuples) || tuples > kMostCombined) return false;
    if (__builtin_mul_overflow(lanes, from.lanes[r], &lanes) || lanes > UINT32_MAX) return false;
  }
  combined.single = false;
  combined.weight.clear();
  combined.first_tuple.clear();
  combined.tuple.clear();
  Combiner(from, combined, flag).choose(0, 1);
  combined.first_tuple.push_back(combined.tuple.size());
  return true;
}

const RankTargets* rank_targets(const RankQuery& query, int level, Grouping grouping,
                                Workspace& workspace) {
  RankKey key;
  const std::uint32_t size = make_key(query, key);
  TargetTable::Entry* entry = nullptr;
  if (size != 0) {
    key[0] |= static_cast<std::uint64_t>(level + 1) << 48;
    key[0] |= static_cast<std::uint64_t>(grouping) << 56;
    entry = &workspace.target_table.entries[slot_of(key, size, TargetTable::kEntries)];
    if (entry->size == size && std::equal(key.begin(), key.begin() + size, entry->key.begin())) {
      return &entry->targets;
    }
  }
  std::array<std::int64_t, kMaxTerms> march_step{};
  if (!list_steps(query, workspace, march_step)) return nullptr;
  Collector collector(query, level, grouping, workspace, march_step);
  if (!collector.collect()) return nullptr;
  RankTargets& targets = workspace.targets;
  collector.write(targets);
  if (entry == nullptr || targets.tuple.size() > TargetTable::kMostTuples) return &targets;
  entry->size = size;
  entry->key = key;
  entry->targets = targets;
  return &entry->targets;
}

}  // namespace loopscape
