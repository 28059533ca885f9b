#include "mapper/bound/sweep.h"

#include <algorithm>

namespace loopscape {
namespace {

using Item = Surroundings::Item;

bool has(DimMask dims, std::size_t d) { return (dims >> d & 1u) != 0; }

// How the lanes of one fan-out are used.
struct Split {
  std::vector<std::vector<Point::Loop>> axes;  // like Item::axes; outermost first
  Sizes lanes{};
};

class Sweeper {
 public:
  Sweeper(const Mapspace& space, const Surroundings& around, const BoundLimits& limits,
          Crossings& crossings, Staircase& staircase)
      : space_(space),
        placement_(space.placements()[around.placement]),
        around_(around),
        limits_(limits),
        crossings_(crossings),
        staircase_(staircase),
        perfect_(space.options().factors == Factors::kPerfect) {
    for (const Dim& dim : space.problem().dims) extent_.push_back(dim.extent);
    for (std::size_t t = 0; t < space.problem().tensors.size(); ++t) {
      if (!keeps(t)) continue;
      tensors_.push_back(t);
      floor_ += crossings.least_words(t);
      busy_ = static_cast<DimMask>(busy_ | crossings.relevant(t));
      shared_ = static_cast<DimMask>(shared_ & crossings.relevant(t) & ~crossings.complex(t));
    }
    busy_ = static_cast<DimMask>(busy_ & ~shared_);
    for (std::size_t i = 0; i < around.items.size(); ++i) {
      const Item& item = around.items[i];
      for (const std::size_t t : tensors_) {
        if ((item.tensors >> t & 1u) != 0) parent_[t] = item.id;
      }
      const DimMask dims = i < around.inside ? busy_ : static_cast<DimMask>(busy_ & around.strided);
      splits_.push_back(item.kind == Item::Kind::kFanout ? splits_of(item, dims)
                                                         : std::vector<Split>());
    }
  }

  bool run() {
    lanes_ahead_.assign(around_.items.size() + 1, ones());
    chosen_.assign(around_.items.size(), nullptr);
    choose_splits(around_.items.size());
    return !limited_;
  }

 private:
  static constexpr std::int64_t kMostSizes = 1 << 20;

  struct State {
    std::array<Crossing, kMaxTensors> crossing;
    TensorMask unpaid = 0;
    std::int64_t words = 0;  // of those paid, and the least of the others
  };

  bool keeps(std::size_t t) const { return (around_.tensors >> t & 1u) != 0; }
  Sizes ones() const {
    Sizes sizes{};
    sizes.fill(1);
    return sizes;
  }
  bool stopped() {
    if (++steps_ + crossings_.work() - work_before_ > limits_.max_work ||
        (limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed))) {
      limited_ = true;
    }
    return limited_;
  }

  // ---- 1. the lanes of every fan-out up to the outermost parent ----

  void choose_splits(std::size_t item) {
    if (limited_) return;
    if (item == 0) return choose_tile(0, ones());
    --item;
    lanes_ahead_[item] = lanes_ahead_[item + 1];
    if (around_.items[item].kind != Item::Kind::kFanout) return choose_splits(item);
    for (const Split& split : splits_[item]) {
      bool fits = true;
      for (std::size_t d = 0; d < extent_.size() && fits; ++d) {
        lanes_ahead_[item][d] = lanes_ahead_[item + 1][d] * split.lanes[d];
        fits = !perfect_ || extent_[d] % lanes_ahead_[item][d] == 0;
      }
      chosen_[item] = &split;
      if (fits) choose_splits(item);
    }
  }

  using Seen = std::set<std::vector<std::uint32_t>>;
  // Which axis has which lanes is the same to all but neighbours that pass words on.
  std::vector<Split> splits_of(const Item& item, DimMask dims) const {
    std::vector<Split> all;
    Split split;
    split.axes.resize(item.axes.size());
    split.lanes = ones();
    Seen seen;
    add_splits(item, dims, 0, 0, split, seen, all);
    return all;
  }
  // Equal for splits that differ in nothing that counts: whole, the product of the bounds over a
  // dimension; ragged, their order too, since it says where the problem's edge cuts.
  std::vector<std::uint32_t> key_of(const Split& split) const {
    if (perfect_) return std::vector<std::uint32_t>(split.lanes.begin(), split.lanes.end());
    std::vector<std::uint32_t> key;
    for (std::size_t d = 0; d < extent_.size(); ++d) {
      for (const auto& axis : split.axes) {
        for (const Point::Loop& loop : axis) {
          if (loop.dim == d) key.push_back(loop.bound);
        }
      }
      key.push_back(0);
    }
    return key;
  }
  bool forwards(std::uint8_t fanout) const {
    const std::vector<Network>& networks = space_.arch().fanouts[fanout].networks;
    return std::any_of(networks.begin(), networks.end(),
                       [](const Network& network) { return !network.forward.empty(); });
  }
  void add_splits(const Item& item, DimMask dims, std::size_t axis, std::size_t d, Split& split,
                  Seen& seen, std::vector<Split>& all) const {
    if (axis == item.axes.size()) {
      if (forwards(item.fanout)) return add_orders(0, split, all);
      if (seen.insert(key_of(split)).second) all.push_back(split);
      return;
    }
    if (d == extent_.size()) return add_splits(item, dims, axis + 1, 0, split, seen, all);
    add_splits(item, dims, axis, d + 1, split, seen, all);
    const Slot& slot = placement_.slots[item.axes[axis]];
    if (!has(slot.dims, d) || !has(dims, d)) return;
    std::uint32_t room = slot.size;
    for (const Point::Loop& loop : split.axes[axis]) room /= loop.bound;
    for (std::uint32_t bound = 2; bound <= room && bound <= extent_[d]; ++bound) {
      if (perfect_ && extent_[d] % (std::int64_t{split.lanes[d]} * bound) != 0) continue;
      split.lanes[d] *= bound;
      split.axes[axis].push_back({static_cast<std::uint8_t>(d), bound});
      add_splits(item, dims, axis, d + 1, split, seen, all);
      split.axes[axis].pop_back();
      split.lanes[d] /= bound;
    }
  }
  static void add_orders(std::size_t axis, const Split& split, std::vector<Split>& all) {
    if (axis == split.axes.size()) return all.push_back(split);
    Split ordered = split;
    const auto by_dim = [](const Point::Loop& a, const Point::Loop& b) { return a.dim < b.dim; };
    do {
      add_orders(axis + 1, ordered, all);
    } while (std::next_permutation(ordered.axes[axis].begin(), ordered.axes[axis].end(), by_dim));
  }

  // ---- 2. the tile ----

  void choose_tile(std::size_t d, Sizes tile) {
    if (limited_) return;
    if (d == extent_.size()) return look_at(tile);
    if (!has(busy_, d)) {
      tile[d] = has(shared_, d) ? 1 : static_cast<std::uint32_t>(extent_[d]);
      return choose_tile(d + 1, tile);
    }
    for (const std::uint32_t size : sizes(d)) {
      tile[d] = size;
      choose_tile(d + 1, tile);
    }
  }

  std::vector<std::uint32_t> sizes(std::size_t d) {
    const std::int64_t lanes = lanes_ahead_[0][d];
    std::vector<std::uint32_t> all;
    if (perfect_) {
      const std::int64_t extent = extent_[d] / lanes;
      for (std::int64_t size = 1; size <= extent / size; ++size) {
        if (extent % size != 0) continue;
        all.push_back(static_cast<std::uint32_t>(size));
        if (size != extent / size) all.push_back(static_cast<std::uint32_t>(extent / size));
      }
      std::sort(all.begin(), all.end());
      return all;
    }
    const bool few = only_counts_matter(d);
    for (std::int64_t size = 1; size <= extent_[d]; ++size) {
      if (static_cast<std::int64_t>(all.size()) == kMostSizes) {
        limited_ = true;
        return {};
      }
      all.push_back(static_cast<std::uint32_t>(size));
      const std::int64_t iterations = ceil_div(extent_[d], size);
      if (few && iterations > 1) size = ceil_div(extent_[d], iterations - 1) - 1;
    }
    return all;
  }

  // Ragged: is how often a tile is repeated all that its size tells?
  bool only_counts_matter(std::size_t d) const {
    if (lanes_ahead_[0][d] > 1) return false;
    for (const std::size_t t : tensors_) {
      for (const Rank& rank : space_.problem().tensors[t].ranks) {
        const bool mine = std::any_of(rank.terms.begin(), rank.terms.end(),
                                      [&](const Term& term) { return index(term.dim) == d; });
        if (!mine) continue;
        if (rank.valid_begin || rank.valid_end) return false;
        for (const Term& term : rank.terms) {
          if (term.coefficient != 1 || lanes_ahead_[0][index(term.dim)] > 1) return false;
        }
      }
    }
    return true;
  }

  void look_at(const Sizes& tile) {
    if (stopped()) return;
    bits_ = crossings_.tile_bits(around_.tensors, tile);
    if (staircase_.words_at(bits_) <= floor_) return;
    tile_ = reach_ = tile;
    loops_.clear();
    slot_of_.clear();
    State state;
    for (const std::size_t t : tensors_) state.crossing[t].parent = parent_[t];
    state.unpaid = around_.tensors;
    state.words = floor_;
    walk(0, state);
  }

  // ---- 3. the loops outside, from the inside out ----

  void walk(std::size_t item, State state) {
    if (limited_) return;
    if (item == around_.items.size()) return finish(state);
    switch (around_.items[item].kind) {
      case Item::Kind::kStore:
        for (const std::size_t t : tensors_) {
          if ((around_.items[item].tensors >> t & 1u) == 0) continue;
          state.crossing[t].parent_at = static_cast<std::uint8_t>(loops_.size());
          state.crossing[t].parent_met = true;
        }
        return walk(item + 1, state);
      case Item::Kind::kFanout:
        return pass_fanout(item, state);
      case Item::Kind::kTemporal:
      case Item::Kind::kUnder:
        return extend(item, 0, state);
    }
  }

  void pass_fanout(std::size_t item, State state) {
    const Split& split = *chosen_[item];
    const std::size_t before = loops_.size();
    bool fits = true;
    for (std::size_t a = split.axes.size(); a-- > 0 && fits;) {
      const std::uint8_t slot = around_.items[item].axes[a];
      for (std::size_t l = split.axes[a].size(); l-- > 0 && fits;) {
        const Point::Loop& loop = split.axes[a][l];
        fits = push(MappingNode::spatial(static_cast<DimId>(loop.dim), loop.bound,
                                         static_cast<AxisId>(placement_.slots[slot].axis)),
                    slot, state);
      }
    }
    if (fits) walk(item + 1, state);
    while (loops_.size() > before) pop();
  }

  bool push(const MappingNode& loop, std::uint8_t slot, State& state) {
    const std::int64_t before = reach_[loop.id];
    if (before * (loop.bound - 1) >= extent_[loop.id]) return false;  // its end would be empty
    for (const std::size_t t : tensors_) {
      crossings_.meet(t, loop, loops_.size(), state.crossing[t]);
    }
    loops_.push_back(loop);
    slot_of_.push_back(slot);
    reach_[loop.id] *= loop.bound;
    return true;
  }
  void pop() {
    reach_[loops_.back().id] /= loops_.back().bound;
    loops_.pop_back();
    slot_of_.pop_back();
  }

  // Does a loop over this dimension leave the run or march of some tensor open?
  bool useful(std::size_t d, const State& state) const {
    return std::any_of(tensors_.begin(), tensors_.end(), [&](std::size_t t) {
      return crossings_.stays_open(t, d, state.crossing[t]);
    });
  }
  std::int64_t left(std::size_t d, std::size_t item) const {
    return perfect_ ? extent_[d] / reach_[d] / lanes_ahead_[item][d]
                    : ceil_div(extent_[d], reach_[d]);
  }
  bool has_lanes_ahead(std::size_t item) const {
    return std::any_of(around_.items.begin() + static_cast<std::ptrdiff_t>(item),
                       around_.items.end(),
                       [](const Item& one) { return one.kind == Item::Kind::kFanout; });
  }

  // One more loop in the slot, or on to the next one.
  void extend(std::size_t item, DimMask used, State state) {
    if (limited_) return;
    const bool last = !has_lanes_ahead(item);
    if (last && !pay(state)) return;
    bool extended = false;
    for (std::size_t d = 0; d < extent_.size(); ++d) {
      if (has(used, d) || !has(busy_, d) || !may_stand(item, d)) continue;
      const bool split_later = lanes_ahead_[item][d] > 1;
      if (!split_later && !useful(d, state)) continue;
      const std::int64_t most = left(d, item);
      for (std::int64_t bound = split_later ? 2 : most; bound >= 2 && bound <= most; ++bound) {
        if (perfect_ && most % bound != 0) continue;
        State inner = state;
        const auto loop =
            MappingNode::loop(static_cast<DimId>(d), static_cast<std::uint32_t>(bound));
        if (!push(loop, around_.items[item].id, inner)) break;
        extended = true;
        extend(item, static_cast<DimMask>(used | 1u << d), inner);
        pop();
      }
    }
    if (!last || !extended) walk(item + 1, state);
  }

  // Below a fan-out only what it splits.
  bool may_stand(std::size_t item, std::size_t d) const {
    const Item& its = around_.items[item];
    const Slot& slot = placement_.slots[its.id];
    if (!has(slot.dims, d)) return false;
    if (its.kind != Item::Kind::kUnder) return true;
    return lanes_ahead_[item][d] > lanes_beyond(item, d);
  }
  // Lanes outside the fan-out that this slot is under.
  std::uint32_t lanes_beyond(std::size_t item, std::size_t d) const {
    std::size_t fanout = item;
    while (around_.items[fanout].kind != Item::Kind::kFanout) ++fanout;
    return lanes_ahead_[fanout + 1][d];
  }

  // Adds what is known; false: it cannot become better than what there is.
  bool pay(State& state) {
    for (const std::size_t t : tensors_) {
      Crossing crossing = state.crossing[t];
      if ((state.unpaid >> t & 1u) == 0 || !crossing.ended()) continue;
      if (!crossing.parent_met) crossing.parent_at = static_cast<std::uint8_t>(loops_.size());
      if (!pay(t, crossing, state)) return false;
    }
    return state.words < staircase_.words_at(bits_);
  }
  bool pay(std::size_t t, const Crossing& crossing, State& state) {
    if (stopped()) return false;
    const auto words = crossings_.words(t, around_.memory, tile_, loops_, crossing);
    if (!words) return false;
    state.words += *words - crossings_.least_words(t);
    state.unpaid = static_cast<TensorMask>(state.unpaid & ~(1u << t));
    return true;
  }

  // Whatever is left repeats; the first of it ends what is still open.
  void finish(State state) {
    std::vector<std::size_t> rest;
    for (std::size_t d = 0; d < extent_.size(); ++d) {
      if (reach_[d] < extent_[d]) rest.push_back(d);
    }
    for (const std::size_t t : tensors_) {
      if ((state.unpaid >> t & 1u) == 0) continue;
      Crossing& crossing = state.crossing[t];
      if (!rest.empty()) {
        const auto next = MappingNode::loop(static_cast<DimId>(rest.front()), 2);
        crossings_.meet(t, next, loops_.size(), crossing);
      }
      if (!pay(t, crossing, state)) return;
    }
    if (state.words >= staircase_.words_at(bits_)) return;
    Point found = point(rest);
    if (!crossings_.counts(space_.mapping(found))) return;  // refused for what crosses elsewhere
    staircase_.add(bits_, state.words, std::move(found));
  }

  Point point(const std::vector<std::size_t>& rest) const {
    Point point;
    point.placement = around_.placement;
    point.slots.resize(placement_.slots.size());
    const auto outermost = [&](std::size_t slot, std::size_t d, std::int64_t bound) {
      auto& loops = point.slots[slot];
      loops.insert(loops.begin(),
                   {static_cast<std::uint8_t>(d), static_cast<std::uint32_t>(bound)});
    };
    for (std::size_t d = 0; d < extent_.size(); ++d) {
      if (tile_[d] > 1) outermost(around_.slot_inside, d, tile_[d]);
    }
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      outermost(slot_of_[i], loops_[i].id, loops_[i].bound);
    }
    for (const std::size_t d : rest) {
      outermost(placement_.steps[1].slot, d, ceil_div(extent_[d], reach_[d]));
    }
    for (std::size_t s = 0; s < point.slots.size(); ++s) {
      if (placement_.slots[s].kind != Slot::Kind::kAxis || placement_.slots[s].ordered) continue;
      std::sort(point.slots[s].begin(), point.slots[s].end(),
                [](const Point::Loop& a, const Point::Loop& b) { return a.dim < b.dim; });
    }
    return point;
  }

  const Mapspace& space_;
  const Placement& placement_;
  const Surroundings& around_;
  const BoundLimits& limits_;
  Crossings& crossings_;
  Staircase& staircase_;
  bool perfect_, limited_ = false;
  std::vector<std::int64_t> extent_;
  std::vector<std::size_t> tensors_;
  std::array<std::uint8_t, kMaxTensors> parent_{};
  DimMask shared_ =
      static_cast<DimMask>(-1);  // whose indices are words one by one, of all tensors kept
  DimMask busy_ = 0;             // other dimensions of a tensor that is kept
  std::int64_t floor_ = 0;
  std::uint64_t steps_ = 0, work_before_ = crossings_.work();
  std::vector<std::vector<Split>> splits_;  // by item
  std::vector<const Split*> chosen_;
  std::vector<Sizes> lanes_ahead_;  // from this item on
  Sizes tile_{}, reach_{};
  std::int64_t bits_ = 0;
  std::vector<MappingNode> loops_;  // innermost first
  std::vector<std::uint8_t> slot_of_;
};

}  // namespace

bool sweep(const Mapspace& space, const Surroundings& around, const BoundLimits& limits,
           Crossings& crossings, Staircase& staircase) {
  return Sweeper(space, around, limits, crossings, staircase).run();
}

}  // namespace loopscape
