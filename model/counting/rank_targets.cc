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

struct Wish {  // a lane of the level asks for `copies` of the word
  std::int64_t word;
  std::uint32_t lane;
  std::int64_t copies;
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
    total_.assign(lanes_.lanes_of(level_), 0);
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
    targets.first_tuple.clear();
    targets.tuple.clear();
    if (targets.single) targets.weight = total_;
    for (const auto& [lanes, weight] : found_) {
      targets.weight.push_back(weight);
      targets.first_tuple.push_back(targets.tuple.size());
      targets.tuple.insert(targets.tuple.end(), lanes.begin(), lanes.end());
    }
    targets.first_tuple.push_back(targets.tuple.size());
  }

 private:
  void take_step() {
    const std::size_t own = lanes_.lanes_of(level_);
    for (std::size_t first = 0; first < lanes_.lanes(); first += own * inside_) {
      wishes_.clear();
      for (std::size_t lane = 0; lane < own; ++lane) {
        list_wishes(first + lane * inside_, static_cast<std::uint32_t>(lane));
      }
      switch (grouping_) {
        case Grouping::kNone:
          for (const Wish& wish : wishes_) total_[wish.lane] += weight_ * wish.copies;
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

  void list_wishes(std::size_t first_lane, std::uint32_t lane) {
    if (inside_ > 1) {
      for (const auto& [word, copies] : lanes_.demand(level_, first_lane)) {
        wishes_.push_back({word, lane, copies});
      }
      return;
    }
    const auto& first = workspace_.first_word;
    for (std::size_t i = first[first_lane]; i < first[first_lane + 1]; ++i) {
      wishes_.push_back({workspace_.words[i], lane, 1});
    }
  }

  void by_word() {
    std::sort(wishes_.begin(), wishes_.end(), [](const Wish& x, const Wish& y) {
      return x.word != y.word ? x.word < y.word : x.lane < y.lane;
    });
    LaneSet lanes, pending;  // neighbouring words mostly go to the same lanes
    std::int64_t pending_weight = 0;
    for (std::size_t begin = 0, end = 0; begin < wishes_.size(); begin = end) {
      std::int64_t most = 0;
      for (end = begin; end < wishes_.size() && wishes_[end].word == wishes_[begin].word; ++end) {
        most = std::max(most, wishes_[end].copies);
      }
      for (std::int64_t done = 0; done < most;) {
        std::int64_t layer = most;
        lanes.clear();
        for (std::size_t i = begin; i < end; ++i) {
          if (wishes_[i].copies <= done) continue;
          layer = std::min(layer, wishes_[i].copies);
          lanes.push_back(wishes_[i].lane);
        }
        if (lanes != pending) {
          if (pending_weight != 0) found_[pending] += pending_weight;
          pending = lanes;
          pending_weight = 0;
        }
        pending_weight += weight_ * (layer - done);
        done = layer;
      }
    }
    if (pending_weight != 0) found_[pending] += pending_weight;
  }

  void by_demand() {
    std::map<std::vector<std::pair<std::int64_t, std::int64_t>>, LaneSet> groups;
    std::vector<std::pair<std::int64_t, std::int64_t>> demand;
    for (std::size_t begin = 0, end = 0; begin < wishes_.size(); begin = end) {
      demand.clear();
      for (end = begin; end < wishes_.size() && wishes_[end].lane == wishes_[begin].lane; ++end) {
        demand.emplace_back(wishes_[end].word, wishes_[end].copies);
      }
      std::sort(demand.begin(), demand.end());
      groups[demand].push_back(wishes_[begin].lane);
    }
    for (const auto& [words, lanes] : groups) {
      std::int64_t size = 0;
      for (const auto& [word, copies] : words) size += copies;
      found_[lanes] += weight_ * size;
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
  std::vector<std::int64_t> total_;
  std::map<LaneSet, std::int64_t> found_;
};

}  // namespace

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
