#include "tests/reference/nests.h"

#include <algorithm>
#include <array>

#include "model/base/checked.h"

namespace loopscape::reference {
namespace {

TensorMask all_tensors(const Problem& problem) {
  return static_cast<TensorMask>((1u << problem.tensors.size()) - 1);
}

// A nest under construction, from compute outwards: any loop may be added whose dimension is not
// covered yet, so that no iteration of an outermost loop is ever empty.
class Draft {
 public:
  explicit Draft(const Setting& setting) : setting_(setting) {
    for (std::size_t d = 0; d < setting.problem.dims.size(); ++d) tile_[d] = 1;
    for (std::size_t f = 0; f < setting.arch.fanouts.size(); ++f) {
      for (const Axis& axis : setting.arch.fanouts[f].axes) {
        free_.push_back(axis.size);
        fanout_of_axis_.push_back(f);
      }
    }
  }

  std::size_t dims() const { return setting_.problem.dims.size(); }
  std::size_t axes() const { return free_.size(); }
  std::size_t fanout_of(std::size_t axis) const { return fanout_of_axis_[axis]; }
  // The largest bound that a loop over d may have here; 1: it is covered.
  std::int64_t room(std::size_t d) const {
    return ceil_div(setting_.problem.dims[d].extent, tile_[d]);
  }
  std::int64_t free_lanes(std::size_t axis) const { return free_[axis]; }
  bool complete() const {
    for (std::size_t d = 0; d < dims(); ++d) {
      if (room(d) > 1) return false;
    }
    return true;
  }

  void add_store(std::size_t memory, TensorMask tensors) {
    nodes_.push_back(MappingNode::store(static_cast<MemoryId>(memory), tensors));
  }
  void add_loop(std::size_t d, std::int64_t bound) {
    nodes_.push_back(MappingNode::loop(static_cast<DimId>(d), static_cast<std::uint32_t>(bound)));
    tile_[d] *= bound;
  }
  void add_spatial(std::size_t d, std::int64_t bound, std::size_t axis) {
    nodes_.push_back(MappingNode::spatial(static_cast<DimId>(d), static_cast<std::uint32_t>(bound),
                                          static_cast<AxisId>(axis)));
    tile_[d] *= bound;
    used_.push_back({axis, free_[axis]});
    free_[axis] /= bound;
  }
  void remove() {
    const MappingNode node = nodes_.back();
    nodes_.pop_back();
    if (node.kind == LoopKind::kStore) return;
    tile_[node.id] /= node.bound;
    if (node.kind != LoopKind::kSpatial) return;
    free_[used_.back().first] = used_.back().second;
    used_.pop_back();
  }
  Mapping mapping() const {
    Mapping mapping;
    for (std::size_t i = nodes_.size(); i-- > 0;) mapping.push_back(nodes_[i]);
    return mapping;
  }

 private:
  const Setting& setting_;
  std::array<std::int64_t, kMaxDims> tile_{};
  std::vector<std::int64_t> free_;  // by axis: lanes that another loop may still use
  std::vector<std::size_t> fanout_of_axis_;
  std::vector<std::pair<std::size_t, std::int64_t>> used_;
  std::vector<MappingNode> nodes_;  // innermost first
};

class Enumeration {
 public:
  Enumeration(const Setting& setting, const NestBounds& bounds,
              const std::function<void(const Mapping&)>& visit)
      : setting_(setting), bounds_(bounds), visit_(visit), draft_(setting) {}

  void run() { enter(setting_.arch.nodes.size() - 1); }

 private:
  // Go on to the node before `stage` (compute is the last one).
  void enter(std::size_t stage) {
    if (stage == 0) {
      if (draft_.complete()) visit_(draft_.mapping());
      return;
    }
    const ArchNode node = setting_.arch.nodes[stage - 1];
    if (node.kind == NodeKind::kFanout) {
      lanes(stage - 1, node.id, true, true);
      return;
    }
    if (stage == 1) {
      stores(0, 0, all_tensors(setting_.problem), false);
      return;
    }
    for (const TensorMask kept : bounds_.stored[node.id]) {
      if (kept == 0) {
        enter(stage - 1);
      } else {
        stores(stage - 1, node.id, kept, false);
      }
    }
  }

  // The stores of one memory that are still to come; loops go below them.
  void stores(std::size_t stage, std::size_t memory, TensorMask left, bool just_stored) {
    if (left == 0) {
      enter(stage);
      return;
    }
    for (TensorMask now = left; now != 0; now = static_cast<TensorMask>((now - 1) & left)) {
      const bool whole = now == left;
      if ((!bounds_.uneven || stage == 0) && !whole) continue;
      if (just_stored) break;  // two stores in a row are one
      draft_.add_store(memory, now);
      stores(stage, memory, static_cast<TensorMask>(left & ~now), true);
      draft_.remove();
    }
    with_each_loop([&] { stores(stage, memory, left, false); });
  }

  // `first`: no lanes of this fan-out yet.
  void lanes(std::size_t stage, std::size_t fanout, bool may_end, bool first) {
    if (may_end) enter(stage);
    if (spatial_ < bounds_.spatial) {
      for (std::size_t axis = 0; axis < draft_.axes(); ++axis) {
        if (draft_.fanout_of(axis) == fanout) add_lanes(stage, fanout, axis);
      }
    }
    // Loops of time below the first lanes or among them; after the last they belong further out.
    if (spatial_ < bounds_.spatial && (first || bounds_.loops_among_lanes)) {
      with_each_loop([&] { lanes(stage, fanout, false, first); });
    }
  }

  void add_lanes(std::size_t stage, std::size_t fanout, std::size_t axis) {
    for (std::size_t d = 0; d < draft_.dims(); ++d) {
      const std::int64_t most = std::min(draft_.room(d), draft_.free_lanes(axis));
      for (std::int64_t bound = 2; bound <= most; ++bound) {
        draft_.add_spatial(d, bound, axis);
        ++spatial_;
        lanes(stage, fanout, true, false);
        --spatial_;
        draft_.remove();
      }
    }
  }

  template <class Then>
  void with_each_loop(const Then& then) {
    if (temporal_ == bounds_.temporal) return;
    for (std::size_t d = 0; d < draft_.dims(); ++d) {
      for (std::int64_t bound = 2; bound <= draft_.room(d); ++bound) {
        draft_.add_loop(d, bound);
        ++temporal_;
        then();
        --temporal_;
        draft_.remove();
      }
    }
  }

  const Setting& setting_;
  const NestBounds& bounds_;
  const std::function<void(const Mapping&)>& visit_;
  Draft draft_;
  std::size_t temporal_ = 0, spatial_ = 0;
};

class RandomNest {
 public:
  RandomNest(const Setting& setting, Random& random)
      : setting_(setting), random_(random), draft_(setting) {}

  Mapping make() {
    for (std::size_t i = setting_.arch.nodes.size() - 1; i-- > 1;) {
      const ArchNode node = setting_.arch.nodes[i];
      if (node.kind == NodeKind::kFanout) {
        lanes(node.id);
      } else {
        stores(node.id);
      }
    }
    while (!draft_.complete()) loop(40);
    draft_.add_store(0, all_tensors(setting_.problem));
    return draft_.mapping();
  }

 private:
  void loop(int percent_whole) {
    const auto d =
        static_cast<std::size_t>(draw(random_, 0, static_cast<std::int64_t>(draft_.dims()) - 1));
    const std::int64_t room = draft_.room(d);
    if (room < 2) return;
    draft_.add_loop(d, chance(random_, percent_whole) ? room : draw(random_, 2, room));
  }

  void loops() {
    while (chance(random_, 45)) loop(20);
  }

  void stores(std::size_t memory) {
    auto kept = static_cast<TensorMask>(draw(random_, 0, all_tensors(setting_.problem)));
    if (chance(random_, 30)) kept = all_tensors(setting_.problem);
    const bool uneven = chance(random_, 40);
    while (kept != 0) {
      loops();
      TensorMask now = kept;
      if (uneven) now = static_cast<TensorMask>(kept & draw(random_, 1, kept));
      if (now == 0) now = kept;
      draft_.add_store(memory, now);
      kept = static_cast<TensorMask>(kept & ~now);
    }
  }

  void lanes(std::size_t fanout) {
    loops();
    for (std::size_t axis = 0; axis < draft_.axes(); ++axis) {
      if (draft_.fanout_of(axis) != fanout) continue;
      while (chance(random_, 75)) {
        const auto d = static_cast<std::size_t>(
            draw(random_, 0, static_cast<std::int64_t>(draft_.dims()) - 1));
        const std::int64_t most = std::min(draft_.room(d), draft_.free_lanes(axis));
        if (most >= 2) draft_.add_spatial(d, draw(random_, 2, most), axis);
        if (chance(random_, 15)) loop(0);
      }
    }
  }

  const Setting& setting_;
  Random& random_;
  Draft draft_;
};

}  // namespace

void for_every_nest(const Setting& setting, const NestBounds& bounds,
                    const std::function<void(const Mapping&)>& visit) {
  Enumeration(setting, bounds, visit).run();
}

Mapping random_nest(const Setting& setting, Random& random) {
  return RandomNest(setting, random).make();
}

std::int64_t draw(Random& random, std::int64_t least, std::int64_t most) {
  const auto span = static_cast<std::uint64_t>(most - least) + 1;
  return least + static_cast<std::int64_t>(random() % span);
}

bool chance(Random& random, int percent) { return draw(random, 0, 99) < percent; }

}  // namespace loopscape::reference
