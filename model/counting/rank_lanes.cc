#include "model/counting/rank_lanes.h"

#include <algorithm>
#include <map>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostLanes = std::size_t{1} << 18;
constexpr std::int64_t kMostPositions = std::int64_t{1} << 24;
constexpr std::int64_t kMostMarks = std::int64_t{1} << 26;  // at one step
constexpr std::int64_t kMostWork = std::int64_t{1} << 28;   // at all steps

// Words with multiplicities, by word.
using Bag = std::map<std::int64_t, std::int64_t>;

std::int64_t box_size(const RankShape& shape, const Interval* tile) {
  std::int64_t size = 1;
  for (std::size_t i = 0; i < shape.terms; ++i) {
    size += shape.coefficient[i] * (tile[i].length - 1);
  }
  return size;
}

std::int64_t overlap(std::int64_t a, std::int64_t a_size, std::int64_t b, std::int64_t b_size) {
  return std::max<std::int64_t>(0, std::min(a + a_size, b + b_size) - std::max(a, b));
}

// The demand of one fan-out level, from the lists of its lanes (counting.md A6).
class Resolver {
 public:
  Resolver(const std::vector<std::int64_t>& words, const std::vector<std::size_t>& first,
           const Levels& levels, const std::array<std::size_t, kMaxFanouts>& level_lanes,
           Conventions::Sharing sharing)
      : words_(words),
        first_(first),
        levels_(levels),
        level_lanes_(level_lanes),
        sharing_(sharing) {}

  // The bag of the `level` innermost levels whose lanes start at `lane`; those from `resolved` on
  // share nothing.
  Bag bag(int level, int resolved, std::size_t lane) const {
    Bag result;
    if (level == 0) {
      for (std::size_t i = first_[lane]; i < first_[lane + 1]; ++i) result[words_[i]] = 1;
      return result;
    }
    const auto k = static_cast<std::size_t>(level - 1);
    std::size_t stride = 1;
    for (std::size_t v = 0; v < k; ++v) stride *= level_lanes_[v];
    const bool shares = level <= resolved && levels_.shared[k];
    std::vector<Bag> taken;
    for (std::size_t child = 0; child < level_lanes_[k]; ++child) {
      Bag demand = bag(level - 1, resolved, lane + child * stride);
      if (shares && sharing_ == Conventions::Sharing::kEqualDelta) {
        if (std::find(taken.begin(), taken.end(), demand) != taken.end()) continue;
        taken.push_back(demand);
      }
      for (const auto& [word, times] : demand) {
        std::int64_t& sum = result[word];
        const bool any_word = shares && sharing_ == Conventions::Sharing::kAnyWord;
        sum = any_word ? std::max(sum, times) : sum + times;
      }
    }
    return result;
  }

 private:
  const std::vector<std::int64_t>& words_;
  const std::vector<std::size_t>& first_;
  const Levels& levels_;
  const std::array<std::size_t, kMaxFanouts>& level_lanes_;
  Conventions::Sharing sharing_;
};

}  // namespace

bool RankLanes::build() {
  for (int i = 0; i < query_.terms; ++i) {
    const RankTerm& term = query_.term[static_cast<std::size_t>(i)];
    for (int l = 0; l < term.loops; ++l) {
      const RankLoop& loop = term.loop[static_cast<std::size_t>(l)];
      if (loop.role == LoopRole::kMarch) marching_term_ = i;
      if (loop.role != LoopRole::kLane) continue;
      loop_[static_cast<std::size_t>(loops_++)] = {i,           loop.step,  loop.bound,
                                                   loop.fanout, loop.chain, 1};
      forwards_ |= loop.chain;
    }
  }
  auto* const first = loop_.data();
  std::stable_sort(first, first + loops_,
                   [](const LaneLoop& x, const LaneLoop& y) { return x.fanout < y.fanout; });
  level_lanes_.fill(1);
  for (int i = loops_; i-- > 0;) {
    LaneLoop& loop = loop_[static_cast<std::size_t>(i)];
    loop.stride = lanes_;
    lanes_ *= loop.bound;
    if (lanes_ > kMostLanes) return false;
    for (int v = 0; v < query_.levels->size; ++v) {
      const auto k = static_cast<std::size_t>(v);
      if (query_.levels->fanout[k] == loop.fanout) level_lanes_[k] *= loop.bound;
    }
  }
  for (int t = 0; t < query_.terms; ++t) {
    auto& offsets = workspace_.lane_offset[static_cast<std::size_t>(t)];
    offsets.assign(lanes_, 0);
    for (int i = 0; i < loops_; ++i) {
      const LaneLoop& loop = loop_[static_cast<std::size_t>(i)];
      if (loop.term != t) continue;
      for (std::size_t lane = 0; lane < lanes_; ++lane) {
        offsets[lane] += static_cast<std::int64_t>(lane / loop.stride % loop.bound) * loop.step;
      }
    }
  }
  return true;
}

// The last tile that a lane held before an event, from the offset of the tile it holds after it.
Interval RankLanes::previous_tile(int term_index, std::int64_t offset, bool whole) const {
  const RankTerm& term = query_.term[static_cast<std::size_t>(term_index)];
  for (int l = 0; l < term.loops; ++l) {
    const RankLoop& loop = term.loop[static_cast<std::size_t>(l)];
    if (loop.role == LoopRole::kEvent) offset -= loop.step;
  }
  for (int l = 0; l < term.loops; ++l) {
    const RankLoop& loop = term.loop[static_cast<std::size_t>(l)];
    if (loop.role != LoopRole::kReset) continue;
    std::int64_t last = loop.bound - 1;
    if (!whole) last = std::min(last, (term.extent - 1 - offset) / loop.step);
    offset += last * loop.step;
  }
  return {offset, whole ? term.tile : std::min(term.tile, term.extent - offset)};
}

void RankLanes::set_intervals(const std::array<std::size_t, kMaxTerms>& at) {
  const auto terms = static_cast<std::size_t>(query_.terms);
  workspace_.after.resize(lanes_ * terms);
  workspace_.before.resize(lanes_ * terms);
  marching_ = marching_term_ >= 0 &&
              step_of(marching_term_, at[static_cast<std::size_t>(marching_term_)]).marches;
  has_before_ = marching_ || query_.after_event;
  for (std::size_t t = 0; t < terms; ++t) {
    const TermSteps& step = step_of(static_cast<int>(t), at[t]);
    const RankTerm& term = query_.term[t];
    step_offset_[t] = step.offset;
    step_whole_[t] = step.whole;
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      const std::int64_t offset = step.offset + workspace_.lane_offset[t][lane];
      Interval& after = workspace_.after[lane * terms + t];
      Interval& before = workspace_.before[lane * terms + t];
      after = {offset, step.whole ? term.tile
                                  : std::clamp<std::int64_t>(term.extent - offset, 0, term.tile)};
      before = after;
      if (after.length == 0) continue;
      if (query_.after_event) {
        before = previous_tile(static_cast<int>(t), offset, step.whole);
      } else if (marching_ && static_cast<int>(t) == marching_term_) {
        before = {offset - march_step_[t], term.tile};
      }
    }
  }
}

bool RankLanes::busy(const std::vector<Interval>& tiles, std::size_t lane) const {
  const auto terms = static_cast<std::size_t>(query_.terms);
  for (std::size_t t = 0; t < terms; ++t) {
    if (tiles[lane * terms + t].length == 0) return false;
  }
  return true;
}

// Visits every sum (with repetitions) of a tile that is a word, as a position from lowest_ on.
template <class Visit>
void RankLanes::for_each_sum(const Interval* tile, Visit visit) const {
  const RankShape& shape = *query_.shape;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < shape.terms; ++i) sum += shape.coefficient[i] * tile[i].begin;
  const auto offer = [&](std::int64_t word) {
    if (shape.clipped && (word < shape.valid_begin || word >= shape.valid_end)) return;
    visit(static_cast<std::size_t>(word - lowest_));
  };
  if (shape.box) {
    const std::int64_t end = sum + box_size(shape, tile);
    for (; sum < end; ++sum) offer(sum);
    return;
  }
  std::array<std::int64_t, kMaxTerms> at{};
  while (true) {
    offer(sum);
    std::size_t i = 0;
    for (; i < shape.terms; ++i) {
      sum += shape.coefficient[i];
      if (++at[i] < tile[i].length) break;
      sum -= shape.coefficient[i] * tile[i].length;
      at[i] = 0;
    }
    if (i == shape.terms) return;
  }
}

// One dimension, every index a word: lanes are disjoint, nothing is shared, intervals suffice.
bool RankLanes::add_single(RankValues& values, std::int64_t weight) {
  const RankShape& shape = *query_.shape;
  const std::int64_t c = shape.coefficient[0];
  const auto size = [&](std::int64_t length) { return shape.box ? c * (length - 1) + 1 : length; };
  const std::int64_t stride = shape.box ? c : 1;
  std::int64_t moved = 0, needed = 0;
  for (std::size_t lane = 0; lane < lanes_; ++lane) {
    const Interval& after = workspace_.after[lane];
    if (after.length == 0) continue;
    const Interval& before = workspace_.before[lane];
    needed += size(after.length);
    moved += size(after.length);
    if (has_before_) {
      moved -= overlap(after.begin * stride, size(after.length), before.begin * stride,
                       size(before.length));
    }
  }
  for (std::size_t v = 0; v <= static_cast<std::size_t>(query_.levels->size); ++v) {
    values.moved[v] += weight * moved;
    values.needed[v] += weight * needed;
  }
  values.group_moved += weight * moved;
  values.group_needed += weight * needed;
  return true;
}

// A rank without lanes whose tiles follow each other without a gap: next and previous tile
// together are one longer tile (D4).
bool RankLanes::add_closed(RankValues& values, std::int64_t weight) {
  const RankShape& shape = *query_.shape;
  if (!busy(workspace_.after, 0)) return true;
  std::array<std::int64_t, kMaxTerms> length{};
  for (std::size_t i = 0; i < shape.terms; ++i) length[i] = workspace_.after[i].length;
  std::int64_t moved = 0, held = 0;
  workspace_.marks = 0;
  if (shape.box) {
    moved = box_size(shape, workspace_.after.data());
    if (marching_) {
      const auto m = static_cast<std::size_t>(marching_term_);
      moved -= overlap(shape.coefficient[m] * march_step_[m], moved, 0,
                       box_size(shape, workspace_.before.data()));
    }
  } else if (marching_) {
    const auto m = static_cast<std::size_t>(marching_term_);
    length[m] = query_.term[m].tile;
    held = distinct_sums(shape, length, workspace_);
    length[m] += workspace_.after[m].length;
    moved = distinct_sums(shape, length, workspace_);
  } else {
    moved = distinct_sums(shape, length, workspace_);
  }
  work_ += workspace_.marks;
  if (moved < 0 || held < 0 || work_ > kMostWork) return false;
  moved -= held;
  for (std::size_t v = 0; v <= static_cast<std::size_t>(query_.levels->size); ++v) {
    values.moved[v] += weight * moved;
  }
  values.group_moved += weight * moved;
  return true;
}

bool RankLanes::add(const std::array<std::size_t, kMaxTerms>& at, RankValues& values) {
  std::int64_t weight = 1;
  for (int i = 0; i < query_.terms; ++i) {
    weight *= step_of(i, at[static_cast<std::size_t>(i)]).weight;
  }
  work_ += static_cast<std::int64_t>(lanes_);
  if (work_ > kMostWork) return false;
  set_intervals(at);
  const RankShape& shape = *query_.shape;
  if (!shape.clipped && shape.terms == 1) return add_single(values, weight);
  bool adjacent = true;
  if (marching_) {
    const auto m = static_cast<std::size_t>(marching_term_);
    adjacent = query_.own_kept && (shape.box || march_step_[m] == query_.term[m].tile);
  }
  if (!shape.clipped && lanes_ == 1 && adjacent && !query_.after_event) {
    return add_closed(values, weight);
  }
  if (!list_words(values, weight)) return false;
  const Lists moved{&workspace_.words, &workspace_.first_word};
  const Lists needed{&workspace_.kept_words, &workspace_.first_kept};
  for (int v = forwards_ ? 1 : 0; v <= query_.levels->size; ++v) {
    const auto k = static_cast<std::size_t>(v);
    values.moved[k] += weight * resolve(moved, v);
    if (query_.after_event) values.needed[k] += weight * resolve(needed, v);
  }
  values.group_moved += weight * distinct(moved, 0, lanes_);
  if (query_.after_event) values.group_needed += weight * distinct(needed, 0, lanes_);
  return true;
}

bool RankLanes::list(const std::array<std::size_t, kMaxTerms>& at, std::int64_t& weight) {
  weight = 1;
  for (int i = 0; i < query_.terms; ++i) {
    weight *= step_of(i, at[static_cast<std::size_t>(i)]).weight;
  }
  set_intervals(at);
  RankValues unused;
  return list_words(unused, weight);
}

std::map<std::int64_t, std::int64_t> RankLanes::demand(int level, std::size_t lane) const {
  return Resolver(workspace_.words, workspace_.first_word, *query_.levels, level_lanes_,
                  query_.sharing)
      .bag(level, level, lane);
}

std::map<std::int64_t, std::int64_t> RankLanes::needed(int level, std::size_t lane) const {
  return Resolver(workspace_.kept_words, workspace_.first_kept, *query_.levels, level_lanes_,
                  query_.sharing)
      .bag(level, level, lane);
}

// Lists every lane's words of this step. With forwarding the arrivals are counted here and the
// forwarded words left out of the lists.
bool RankLanes::list_words(RankValues& values, std::int64_t weight) {
  const auto terms = static_cast<std::size_t>(query_.terms);
  lowest_ = INT64_MAX;
  std::int64_t highest = INT64_MIN, marks = 0;
  for (const auto* tiles : {&workspace_.after, &workspace_.before}) {
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      if (!busy(workspace_.after, lane)) continue;
      const Interval* tile = &(*tiles)[lane * terms];
      std::int64_t low = 0, points = 1;
      for (std::size_t t = 0; t < terms; ++t) {
        low += query_.shape->coefficient[t] * tile[t].begin;
        if (__builtin_mul_overflow(points, tile[t].length, &points)) return false;
      }
      lowest_ = std::min(lowest_, low);
      highest = std::max(highest, low + box_size(*query_.shape, tile) - 1);
      if (__builtin_add_overflow(marks, points, &marks) || marks > kMostMarks) return false;
    }
  }
  if (lowest_ == INT64_MAX) lowest_ = highest = 0;
  positions_ = highest - lowest_ + 1;
  work_ += marks;
  if (positions_ > kMostPositions || work_ > kMostWork) return false;
  workspace_.words.clear();
  workspace_.first_word.assign(1, 0);
  workspace_.kept_words.clear();
  workspace_.first_kept.assign(1, 0);
  const auto positions = static_cast<std::size_t>(positions_);
  for (std::size_t lane = 0; lane < lanes_; ++lane) {
    if (busy(workspace_.after, lane)) {
      workspace_.before_set.clear(positions);
      workspace_.seen.clear(positions);
      if (has_before_ && query_.own_kept) {
        for_each_sum(&workspace_.before[lane * terms],
                     [&](std::size_t word) { workspace_.before_set.insert(word); });
      }
      for_each_sum(&workspace_.after[lane * terms], [&](std::size_t word) {
        if (!workspace_.seen.insert(word)) return;
        if (query_.after_event) workspace_.kept_words.push_back(static_cast<std::int64_t>(word));
        if (!workspace_.before_set.contains(word)) {
          workspace_.words.push_back(static_cast<std::int64_t>(word));
        }
      });
    }
    if (forwards_) {
      const std::size_t arrived = workspace_.words.size() - workspace_.first_word.back();
      values.moved[0] += weight * static_cast<std::int64_t>(arrived);
      if (marching_) drop_forwarded(lane);
      const std::size_t fetched = workspace_.words.size() - workspace_.first_word.back();
      values.forwarded += weight * static_cast<std::int64_t>(arrived - fetched);
    }
    workspace_.first_word.push_back(workspace_.words.size());
    workspace_.first_kept.push_back(workspace_.kept_words.size());
  }
  return true;
}

// Takes away what a neighbour along a chain held just before.
void RankLanes::drop_forwarded(std::size_t lane) {
  const auto terms = static_cast<std::size_t>(query_.terms);
  workspace_.before_set.clear(static_cast<std::size_t>(positions_));
  for (int i = 0; i < loops_; ++i) {
    const LaneLoop& loop = loop_[static_cast<std::size_t>(i)];
    if (!loop.chain) continue;
    const std::size_t at = lane / loop.stride % loop.bound;
    for (const int side : {-1, 1}) {
      if ((side < 0 && at == 0) || (side > 0 && at + 1 == loop.bound)) continue;
      const std::size_t neighbour = side < 0 ? lane - loop.stride : lane + loop.stride;
      std::array<Interval, kMaxTerms> held;
      bool holds = true;
      for (std::size_t t = 0; t < terms; ++t) {
        std::int64_t offset = step_offset_[t] + workspace_.lane_offset[t][neighbour];
        if (static_cast<int>(t) == marching_term_) offset -= march_step_[t];
        const std::int64_t room = query_.term[t].extent - offset;
        held[t] = {offset, step_whole_[t] ? query_.term[t].tile
                                          : std::clamp<std::int64_t>(room, 0, query_.term[t].tile)};
        holds &= held[t].length > 0;
      }
      if (!holds) continue;
      for_each_sum(held.data(), [&](std::size_t word) {
        if (word < static_cast<std::size_t>(positions_)) workspace_.before_set.insert(word);
      });
    }
  }
  auto& words = workspace_.words;
  const auto begin = words.begin() + static_cast<std::ptrdiff_t>(workspace_.first_word.back());
  words.erase(
      std::remove_if(begin, words.end(),
                     [&](std::int64_t word) {
                       return workspace_.before_set.contains(static_cast<std::size_t>(word));
                     }),
      words.end());
}

std::int64_t RankLanes::distinct(const Lists& lists, std::size_t from, std::size_t to) const {
  workspace_.united.clear(static_cast<std::size_t>(positions_));
  std::int64_t count = 0;
  for (std::size_t i = (*lists.second)[from]; i < (*lists.second)[to]; ++i) {
    count += workspace_.united.insert(static_cast<std::size_t>((*lists.first)[i]));
  }
  return count;
}

// The demand above the `resolved` innermost fan-outs, the outer ones summed.
std::int64_t RankLanes::resolve(const Lists& lists, int resolved) const {
  const Levels& levels = *query_.levels;
  std::size_t block = 1;  // lanes below the outermost sharing level
  int sharing_levels = 0, covered = 0;
  for (int v = 0; v < resolved; ++v) {
    const auto k = static_cast<std::size_t>(v);
    if (level_lanes_[k] == 1 || !levels.shared[k]) continue;
    ++sharing_levels;
    covered = v + 1;
  }
  if (sharing_levels == 0) {
    return static_cast<std::int64_t>((*lists.second)[lanes_] - (*lists.second)[0]);
  }
  bool all_share = query_.sharing == Conventions::Sharing::kAnyWord;
  for (int v = 0; v < covered; ++v) {
    const auto k = static_cast<std::size_t>(v);
    block *= level_lanes_[k];
    all_share &= levels.shared[k] || level_lanes_[k] == 1;
  }
  std::int64_t total = 0;
  const Resolver resolver(*lists.first, *lists.second, levels, level_lanes_, query_.sharing);
  for (std::size_t lane = 0; lane < lanes_; lane += block) {
    if (all_share) {
      total += distinct(lists, lane, lane + block);
      continue;
    }
    for (const auto& [word, times] : resolver.bag(covered, resolved, lane)) total += times;
  }
  return total;
}

}  // namespace loopscape
