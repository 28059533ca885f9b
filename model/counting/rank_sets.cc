#include "model/counting/rank_sets.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "model/counting/digits.h"
#include "model/counting/rank_lanes.h"
#include "model/counting/workspace.h"

namespace loopscape {
namespace {

constexpr std::size_t kMostSteps = std::size_t{1} << 20;
constexpr std::int64_t kMostPositions = std::int64_t{1} << 24;

struct Progression {  // coefficient * [0, length)
  std::int64_t coefficient, length;
};

// Adds b into a if the sum is one progression again: b's stride is a multiple of a's, no gaps.
bool merge(Progression& a, const Progression& b) {
  if (b.coefficient % a.coefficient != 0) return false;
  const std::int64_t stride = b.coefficient / a.coefficient;
  if (stride > a.length) return false;
  a.length += (b.length - 1) * stride;
  return true;
}

// D3. Two progressions: the sums i*a + j*b with coprime a, b coincide exactly along the chains
// (i, j) -> (i + b, j - a), so distinct values = points - links.
std::int64_t distinct_of_two(const Progression& x, const Progression& y) {
  const std::int64_t common = std::gcd(x.coefficient, y.coefficient);
  const std::int64_t a = x.coefficient / common, b = y.coefficient / common;
  const std::int64_t links =
      std::max<std::int64_t>(0, x.length - b) * std::max<std::int64_t>(0, y.length - a);
  return x.length * y.length - links;
}

using Progressions = std::array<Progression, kMaxTerms>;

// How far the first `count` of them reach together.
std::int64_t reach_of(const Progressions& all, std::size_t count) {
  std::int64_t reach = 0;
  for (std::size_t i = 0; i < count; ++i) reach += all[i].coefficient * (all[i].length - 1);
  return reach;
}

// Distinct sums by marking them, one progression after the other: a position is a sum if one of
// the last `length` positions on its way down by `coefficient` was one. Negative: too many.
std::int64_t marked_sums(const Progressions& all, std::size_t count, Workspace& workspace) {
  const std::int64_t positions = reach_of(all, count) + 1;
  if (positions > kMostPositions) return -1;
  constexpr std::uint32_t kNever = UINT32_MAX;
  std::vector<std::uint32_t>& since = workspace.since;
  since.assign(static_cast<std::size_t>(positions), kNever);
  since[0] = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto stride = static_cast<std::size_t>(all[i].coefficient);
    for (std::size_t at = stride; at < since.size(); ++at) {
      if (since[at] != 0 && since[at - stride] != kNever) since[at] = since[at - stride] + 1;
    }
    for (std::uint32_t& steps : since) steps = steps < all[i].length ? 0 : kNever;
    workspace.marks += positions;
  }
  return std::count(since.begin(), since.end(), 0u);
}

// The steps of one term in groups that look alike (D4): whole ones counted, cut ones listed.
class StepList {
 public:
  StepList(const RankQuery& query, const RankTerm& term, std::vector<TermSteps>& steps)
      : term_(term), steps_(steps), clipped_(query.shape->clipped) {
    steps_.clear();
    reach_ = term.tile;
    for (int i = 0; i < term.loops; ++i) take(term.loop[static_cast<std::size_t>(i)]);
    for (int i = digits_.size; i-- > 0;) {
      const auto k = static_cast<std::size_t>(i);
      inner_reach_[k] = inner_reach_[k + 1] + span(digits_.digit[k].bound, digits_.digit[k].step);
    }
  }

  bool build() {
    if (!clipped_) {
      const std::int64_t whole = count_offsets(digits_, term_.extent - reach_ - base_ + 1);
      if (whole > 0) {
        steps_.push_back({whole, base_, false, true});
        if (marches_ > 1) {
          steps_.push_back({whole * (marches_ - 1), base_ + march_step_, true, true});
        }
      }
    }
    return list_cut(0, base_);
  }

  std::int64_t march_step() const { return march_step_; }

 private:
  static std::int64_t span(std::uint32_t bound, std::int64_t step) {
    return static_cast<std::int64_t>(bound - 1) * step;
  }

  void take(const RankLoop& loop) {
    switch (loop.role) {
      case LoopRole::kHeld:
        base_ += static_cast<std::int64_t>(loop.held_at) * loop.step;
        break;
      case LoopRole::kRuns:
        digits_.push(loop.step, loop.bound, true);
        break;
      case LoopRole::kEvent:  // from index 1 on
        digits_.push(loop.step, loop.bound - 1, true);
        base_ += loop.step;
        break;
      case LoopRole::kMarch:  // loops of one march are adjacent: one loop of the innermost step
        marches_ *= loop.bound;
        march_step_ = loop.step;
        reach_ += span(loop.bound, loop.step);
        break;
      case LoopRole::kLane:
        lane_reach_ += span(loop.bound, loop.step);
        reach_ += span(loop.bound, loop.step);
        break;
      case LoopRole::kReset:
        reach_ += span(loop.bound, loop.step);
        break;
    }
  }

  // Every tuple of running digits from digit `i` on that the problem's edge cuts.
  bool list_cut(int i, std::int64_t offset) {
    const auto k = static_cast<std::size_t>(i);
    if (offset >= term_.extent) return true;
    if (!clipped_ && offset + inner_reach_[k] + reach_ <= term_.extent) return true;
    if (i == digits_.size) return list_tuple(offset);
    const Digit& digit = digits_.digit[k];
    const std::int64_t room = term_.extent - reach_ - inner_reach_[k + 1] - offset;
    const std::int64_t first = clipped_ || room < 0 ? 0 : room / digit.step + 1;
    for (std::int64_t at = first; at < digit.bound; ++at) {
      if (offset + at * digit.step >= term_.extent) break;
      if (!list_cut(i + 1, offset + at * digit.step)) return false;
    }
    return true;
  }

  bool list_tuple(std::int64_t offset) {
    steps_.push_back({1, offset, false, false});
    std::int64_t step = 1;
    if (!clipped_ && marches_ > 1) {
      const std::int64_t room = term_.extent - lane_reach_ - term_.tile - offset;
      const std::int64_t whole = room < 0 ? 0 : std::min(room / march_step_, marches_ - 1);
      if (whole > 0) steps_.push_back({whole, offset + march_step_, true, true});
      step = whole + 1;
    }
    for (; step < marches_ && offset + step * march_step_ < term_.extent; ++step) {
      if (steps_.size() >= kMostSteps) return false;
      steps_.push_back({1, offset + step * march_step_, true, false});
    }
    return steps_.size() < kMostSteps;
  }

  const RankTerm& term_;
  std::vector<TermSteps>& steps_;
  bool clipped_;
  Digits digits_;
  std::array<std::int64_t, kMaxMappingNodes + 1> inner_reach_{};
  std::int64_t base_ = 0, reach_ = 0, lane_reach_ = 0, marches_ = 1, march_step_ = 0;
};

// Sums over all combinations of the terms' steps.
bool add_up(const RankQuery& query, Workspace& workspace, RankValues& values) {
  std::array<std::int64_t, kMaxTerms> march_step{};
  if (!list_steps(query, workspace, march_step)) return false;
  RankLanes lanes(query, workspace, march_step);
  if (!lanes.build()) return false;
  std::array<std::size_t, kMaxTerms> at{};
  for (int i = 0; i < query.terms; ++i) {
    if (workspace.steps[static_cast<std::size_t>(i)].empty()) return true;
  }
  while (true) {
    if (!lanes.add(at, values)) return false;
    int i = query.terms - 1;
    for (; i >= 0; --i) {
      const auto k = static_cast<std::size_t>(i);
      if (++at[k] < workspace.steps[k].size()) break;
      at[k] = 0;
    }
    if (i < 0) return true;
  }
}

// ---- The table ----

void read_entry(const RankTable::Entry& entry, int levels, RankValues& values) {
  for (int v = 0; v <= levels; ++v) {
    const auto k = static_cast<std::size_t>(v);
    values.moved[k] = entry.moved[k];
    values.needed[k] = entry.needed[k];
  }
  values.group_moved = entry.group_moved;
  values.group_needed = entry.group_needed;
  values.forwarded = entry.forwarded;
}

void write_entry(const RankValues& values, RankTable::Entry& entry) {
  for (std::size_t v = 0; v <= RankTable::kLevels; ++v) {
    entry.moved[v] = values.moved[v];
    entry.needed[v] = values.needed[v];
  }
  entry.group_moved = values.group_moved;
  entry.group_needed = values.group_needed;
  entry.forwarded = values.forwarded;
}

}  // namespace

std::int64_t distinct_sums(const RankShape& shape,
                           const std::array<std::int64_t, kMaxTerms>& length,
                           Workspace& workspace) {
  if (shape.terms == 1) return length[0];
  if (shape.terms == 2) {
    const std::int64_t links = std::max<std::int64_t>(0, length[0] - shape.chain[0]) *
                               std::max<std::int64_t>(0, length[1] - shape.chain[1]);
    return length[0] * length[1] - links;
  }
  Progressions all{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < shape.terms; ++i) {
    if (length[i] > 1) all[count++] = {shape.coefficient[i], length[i]};
  }
  std::sort(
      all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count),
      [](const Progression& x, const Progression& y) { return x.coefficient < y.coefficient; });
  for (bool merged = true; merged;) {
    merged = false;
    for (std::size_t i = 0; i < count && !merged; ++i) {
      for (std::size_t j = i + 1; j < count && !merged; ++j) {
        if (!merge(all[i], all[j])) continue;
        std::copy(all.begin() + static_cast<std::ptrdiff_t>(j) + 1,
                  all.begin() + static_cast<std::ptrdiff_t>(count),
                  all.begin() + static_cast<std::ptrdiff_t>(j));
        --count;
        merged = true;
      }
    }
  }
  // A stride beyond the reach of all smaller ones lays copies of them side by side.
  std::int64_t copies = 1;
  while (count > 0 && all[count - 1].coefficient > reach_of(all, count - 1)) {
    copies *= all[--count].length;
  }
  if (count == 0) return copies;
  if (count == 2) return copies * distinct_of_two(all[0], all[1]);
  const std::int64_t sums = marked_sums(all, count, workspace);
  return sums < 0 ? sums : copies * sums;
}

std::int64_t footprint(const TensorShape& tensor, bool box,
                       const std::array<std::int64_t, kMaxDims>& tile, Workspace& workspace) {
  std::int64_t words = 1;
  for (std::size_t r = 0; r < tensor.ranks; ++r) {
    const RankShape& rank = tensor.rank[r];
    if (rank.terms == 1 && !box) {
      words *= tile[rank.dim[0]];
      continue;
    }
    std::array<std::int64_t, kMaxTerms> length;
    std::int64_t extent = 1;
    for (std::size_t i = 0; i < rank.terms; ++i) {
      length[i] = tile[rank.dim[i]];
      extent += rank.coefficient[i] * (length[i] - 1);
    }
    const std::int64_t indices = box ? extent : distinct_sums(rank, length, workspace);
    if (indices < 0) return indices;
    words *= indices;
  }
  return words;
}

std::uint32_t make_key(const RankQuery& query, RankKey& key) {
  if (query.levels->size > static_cast<int>(RankTable::kLevels)) return 0;
  std::uint64_t head =
      query.identity | (query.own_kept ? 1u << 16 : 0u) | (query.after_event ? 1u << 17 : 0u);
  for (int v = 0; v < query.levels->size; ++v) {
    const auto k = static_cast<std::size_t>(v);
    const std::uint64_t level = (query.levels->fanout[k] + 1u) |
                                (query.levels->forwards[k] ? 16u : 0u) |
                                (query.levels->shared[k] ? 32u : 0u);
    head |= level << (20 + 6 * v);
  }
  std::uint32_t size = 0;
  key[size++] = head;
  for (int i = 0; i < query.terms; ++i) {
    const RankTerm& term = query.term[static_cast<std::size_t>(i)];
    if (size + 1 + static_cast<std::uint32_t>(term.loops) > kRankKeyWords) return 0;
    key[size++] = static_cast<std::uint64_t>(term.tile) | static_cast<std::uint64_t>(term.loops)
                                                              << 48;
    for (int l = 0; l < term.loops; ++l) {
      const RankLoop& loop = term.loop[static_cast<std::size_t>(l)];
      if (loop.held_at != 0) return 0;
      key[size++] = loop.bound | static_cast<std::uint64_t>(loop.role) << 32 |
                    static_cast<std::uint64_t>(loop.fanout) << 40 |
                    static_cast<std::uint64_t>(loop.chain) << 48;
    }
  }
  return size;
}

std::size_t slot_of(const RankKey& key, std::uint32_t size, std::size_t entries) {
  std::uint64_t hash = 0x9e3779b97f4a7c15u;
  for (std::uint32_t i = 0; i < size; ++i) {
    hash = (hash ^ key[i]) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash & (entries - 1);
}

const RankTable::Entry* RankTable::find(const RankKey& key, std::uint32_t size) const {
  const Entry& entry = entries_[slot_of(key, size, entries_.size())];
  const bool same =
      entry.size == size && std::equal(key.begin(), key.begin() + size, entry.key.begin());
  return same ? &entry : nullptr;
}

RankTable::Entry& RankTable::take(const RankKey& key, std::uint32_t size) {
  if (2 * taken_ > entries_.size() && entries_.size() < most_) {
    // Keys with places of their own keep them.
    std::vector<Entry> few(std::min(most_, 4 * entries_.size()));
    few.swap(entries_);
    for (const Entry& entry : few) {
      if (entry.size != 0) entries_[slot_of(entry.key, entry.size, entries_.size())] = entry;
    }
  }
  Entry& entry = entries_[slot_of(key, size, entries_.size())];
  taken_ += entry.size == 0;
  entry.size = size;
  entry.key = key;
  return entry;
}

bool list_steps(const RankQuery& query, Workspace& workspace,
                std::array<std::int64_t, kMaxTerms>& march_step) {
  for (int i = 0; i < query.terms; ++i) {
    const auto k = static_cast<std::size_t>(i);
    StepList list(query, query.term[k], workspace.steps[k]);
    if (!list.build()) return false;
    march_step[k] = list.march_step();
  }
  return true;
}

bool rank_values(const RankQuery& query, Workspace& workspace, RankValues& values) {
  RankKey key;
  const std::uint32_t size = make_key(query, key);
  if (size != 0) {
    if (const RankTable::Entry* entry = workspace.table.find(key, size)) {
      read_entry(*entry, query.levels->size, values);
      return true;
    }
  }
  values = {};
  if (!add_up(query, workspace, values)) return false;
  if (size != 0) write_entry(values, workspace.table.take(key, size));
  return true;
}

}  // namespace loopscape
