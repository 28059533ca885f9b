// Where the words of one fan-out go: what each dimension's loops contribute to the product D9.

#include <algorithm>

#include "model/counting/boundary.h"
#include "model/counting/counting.h"
#include "model/counting/digits.h"
#include "model/counting/rank_sets.h"
#include "model/counting/rank_targets.h"
#include "model/counting/workspace.h"

namespace loopscape {
namespace {

using Sets = DestinationPart::Sets;

bool has(DimMask mask, int dim) { return ((mask >> dim) & 1u) != 0; }
bool has(const RankShape& shape, int dim) {
  return std::find(shape.dim.begin(), shape.dim.begin() + shape.terms, dim) !=
         shape.dim.begin() + shape.terms;
}

// The boundary of the tensor that passes lanes of the fan-out; there is at most one.
bool find_boundary(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                   Boundary& boundary) {
  const auto t = static_cast<std::size_t>(tensor);
  const int stops = nest.stops[t];
  for (int k = 1; k <= stops; ++k) {
    const int parent = nest.stop[t][static_cast<std::size_t>(k - 1)].position;
    const int child = k < stops ? nest.stop[t][static_cast<std::size_t>(k)].position : nest.loops;
    for (int i = parent; i < child; ++i) {
      const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
      if (!loop.spatial || loop.fanout != fanout) continue;
      boundary = make_boundary(context, nest, tensor, child, parent, k == stops);
      return true;
    }
  }
  return false;
}

class DestinationList {
 public:
  DestinationList(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                  int fanout, Passage passage, Workspace& workspace, OverflowFlag& flag)
      : context_(context),
        nest_(nest),
        boundary_(boundary),
        fanout_(fanout),
        passage_(passage),
        workspace_(workspace),
        flag_(flag),
        tensor_(context.tensor[static_cast<std::size_t>(boundary.tensor)]),
        out_(workspace.destinations),
        roles_(boundary.role) {
    while (boundary.levels.fanout[static_cast<std::size_t>(level_)] != fanout) ++level_;
    for (int i = 0; i < boundary.child; ++i) {
      if (own(i)) own_dims_ |= static_cast<DimMask>(1u << loop_at(i).dim);
    }
    if (passage == Passage::kDemand) shared_ = levels_shared(level_);
  }

  bool build() {
    out_.words = 1;
    out_.loop.clear();
    out_.part.clear();
    out_.weight.clear();
    out_.first_tuple.clear();
    out_.tuple.clear();
    if (!is_product()) return false;
    for (int d = 0; d < context_.dims; ++d) {
      if (!has(tensor_.relevant, d)) irrelevant(d);
    }
    for (std::size_t r = 0; r < tensor_.ranks; ++r) {
      const RankShape& shape = tensor_.rank[r];
      const bool lanes = std::any_of(shape.dim.begin(), shape.dim.begin() + shape.terms,
                                     [&](int d) { return has(own_dims_, d); });
      if (!lanes) {
        if (!rank_without_lanes(r)) return false;
      } else if (shape.simple) {
        simple_rank(shape.dim[0]);
      } else if (!listed_rank(r)) {
        return false;
      }
    }
    return true;
  }

 private:
  const NestLoop& loop_at(int i) const { return nest_.loop[static_cast<std::size_t>(i)]; }
  bool lane(int i) const { return roles_[static_cast<std::size_t>(i)] == LoopRole::kLane; }
  bool own(int i) const { return lane(i) && loop_at(i).fanout == fanout_; }
  bool outside(int i) const { return loop_at(i).spatial && loop_at(i).fanout < fanout_; }
  bool levels_shared(int v) const { return boundary_.levels.shared[static_cast<std::size_t>(v)]; }
  bool lane_shared(int i) const {
    for (int v = 0; v < boundary_.levels.size; ++v) {
      if (boundary_.levels.fanout[static_cast<std::size_t>(v)] == loop_at(i).fanout) {
        return levels_shared(v);
      }
    }
    return false;
  }

  // Is the set of children that get a word a product over ranks and dimensions?
  bool is_product() const {
    if (!follows_march(context_, nest_, boundary_)) return false;
    if (passage_ != Passage::kDemand) {
      if (passage_ != Passage::kLowest) {
        return (nest_.split & tensor_.relevant & ~tensor_.simple) == 0;
      }
      for (std::size_t r = 0; r < tensor_.ranks; ++r) {
        const RankShape& shape = tensor_.rank[r];
        for (std::size_t i = 0; shape.terms > 1 && i < shape.terms; ++i) {
          if (has(own_dims_, shape.dim[i])) return false;  // which of its visits are refills?
        }
      }
      return true;
    }
    const bool equal = context_.conventions.sharing == Conventions::Sharing::kEqualDelta;
    int uneven = 0;
    for (unsigned rest = nest_.ragged & ~tensor_.relevant; rest != 0; rest &= rest - 1) {
      const int dim = __builtin_ctz(rest);
      if (!copies_differ([&](int i) { return loop_at(i).dim == dim; })) continue;
      if (equal) return false;
      ++uneven;
    }
    for (std::size_t r = 0; r < tensor_.ranks; ++r) {
      const RankShape& shape = tensor_.rank[r];
      uneven += shape.terms > 1 && copies_differ([&](int i) { return has(shape, loop_at(i).dim); });
    }
    return uneven <= 1;
  }

  // May children of a sharing fan-out ask for different numbers of copies of a word? Under `any
  // word` that matters at this fan-out only: largest numbers multiply as words do.
  template <class Chosen>
  bool copies_differ(Chosen chosen) const {
    const bool equal = context_.conventions.sharing == Conventions::Sharing::kEqualDelta;
    for (int i = 0; i < boundary_.child; ++i) {
      if (!lane(i) || !chosen(i) || !lane_shared(i) || outside(i)) continue;
      if (!equal && !own(i)) continue;
      for (int j = 0; j < boundary_.child; ++j) {
        if (lane(j) && chosen(j) && !lane_shared(j) && loop_at(j).fanout > loop_at(i).fanout) {
          return true;
        }
      }
    }
    return false;
  }

  // How often is the word sent again because of a loop over an irrelevant dimension?
  bool repeats(int i) const {
    if (outside(i)) return true;
    if (lane(i)) return passage_ == Passage::kDemand && !lane_shared(i);  // further in
    return passage_ != Passage::kEveryZeroStart &&
           roles_[static_cast<std::size_t>(i)] != LoopRole::kHeld;
  }

  void irrelevant(int dim) {
    if (passage_ == Passage::kLowest) return;  // it stands at 0, and the caller knows how often
    if (has(nest_.ragged, dim)) {
      const Sets sets = shared_ ? Sets::kPrefixes : Sets::kSingles;
      ragged(
          dim, sets, [&](int i) { return repeats(i); }, 0);
      return;
    }
    for (int i = 0; i < boundary_.child; ++i) {
      if (loop_at(i).dim != dim) continue;
      if (own(i)) {
        add_loop(i, shared_ ? Sets::kAll : Sets::kEach);
      } else if (repeats(i)) {
        out_.words = flag_.mul(out_.words, loop_at(i).bound);
      }
    }
  }

  // Every word has one lane.
  void simple_rank(int dim) {
    const std::int64_t extent = context_.extent[static_cast<std::size_t>(dim)];
    if (has(nest_.ragged, dim)) {
      ragged(
          dim, Sets::kSingles, [](int) { return true; }, extent);
      return;
    }
    std::int64_t lanes = 1;
    for (int i = 0; i < boundary_.child; ++i) {
      if (loop_at(i).dim != dim || !own(i)) continue;
      add_loop(i, Sets::kEach);
      lanes *= loop_at(i).bound;
    }
    out_.words = flag_.mul(out_.words, extent / lanes);
  }

  // A dimension that the problem's edge cuts. The fan-out's lanes in order of their offsets: at any
  // time the first so many are busy. Words: the indices covered, if `indices` is their number;
  // otherwise every tuple of the running loops sends one.
  template <class Runs>
  void ragged(int dim, Sets sets, Runs runs, std::int64_t indices) {
    Digits digits;
    std::array<int, kMaxMappingNodes> digit_of;
    std::int64_t tile = 1;
    std::size_t lanes = 1;
    const std::size_t first_loop = out_.loop.size();
    for (int i = 0; i < boundary_.child; ++i) {
      const NestLoop& loop = loop_at(i);
      if (loop.dim != dim) continue;
      tile = loop.step;
      if (own(i)) {
        digit_of[out_.loop.size() - first_loop] = digits.size;
        out_.loop.push_back(cell_loop(i));
        lanes *= loop.bound;
      }
      digits.push(loop.step, loop.bound, !own(i) && runs(i));
    }
    const std::int64_t extent = context_.extent[static_cast<std::size_t>(dim)];
    const auto words_of = [&](std::size_t at) {
      for (std::size_t l = out_.loop.size(); l-- > first_loop;) {
        const std::uint32_t bound = out_.loop[l].bound;
        digits.digit[static_cast<std::size_t>(digit_of[l - first_loop])].held_at =
            static_cast<std::uint32_t>(at % bound);
        at /= bound;
      }
      return indices != 0 ? covered(digits, tile, extent) : count_offsets(digits, extent);
    };
    if (lanes == 1) {
      out_.words = flag_.mul(out_.words, words_of(0));
      return;
    }
    add_part(sets, first_loop, lanes);
    for (std::size_t at = 0; at < lanes; ++at) out_.weight.push_back(words_of(at));
    if (sets != Sets::kPrefixes) return;
    const std::size_t first = out_.part.back().first_weight;
    for (std::size_t at = 0; at + 1 < lanes; ++at) {
      out_.weight[first + at] -= out_.weight[first + at + 1];
    }
  }

  bool rank_without_lanes(std::size_t r) {
    if (passage_ == Passage::kLowest) return true;
    const RankShape& shape = tensor_.rank[r];
    std::int64_t words = shape.all_words;
    if (!shape.simple && passage_ != Passage::kEveryZeroStart) {
      make_rank_query(context_, nest_, boundary_, roles_, Instances::all(), r, query_);
      if (!rank_values(query_, workspace_, values_)) return false;
      words = values_.moved[static_cast<std::size_t>(level_)];
      if (level_ == 0) words -= values_.forwarded;
    }
    out_.words = flag_.mul(out_.words, words);
    return true;
  }

  bool listed_rank(std::size_t r) {
    const RankShape& shape = tensor_.rank[r];
    const bool equal = context_.conventions.sharing == Conventions::Sharing::kEqualDelta;
    const Grouping grouping = shape.terms == 1 || !shared_ ? Grouping::kNone
                              : equal                      ? Grouping::kEqual
                                                           : Grouping::kWords;
    make_rank_query(context_, nest_, boundary_, roles_, Instances::all(), r, query_);
    const RankTargets* targets = rank_targets(query_, level_, grouping, workspace_);
    if (targets == nullptr) return false;
    const std::size_t first_loop = out_.loop.size();
    for (std::size_t t = 0; t < shape.terms; ++t) {  // as RankLanes numbers its lanes
      for (int i = 0; i < boundary_.child; ++i) {
        if (own(i) && loop_at(i).dim == shape.dim[t]) out_.loop.push_back(cell_loop(i));
      }
    }
    add_part(targets->single ? Sets::kSingles : Sets::kListed, first_loop, targets->weight.size());
    out_.weight.insert(out_.weight.end(), targets->weight.begin(), targets->weight.end());
    if (targets->single) return true;
    const std::size_t shift = out_.tuple.size();
    // One more than there are weights: first_tuple runs ahead of `weight` from here on.
    out_.first_tuple.resize(out_.part.back().first_weight, shift);
    for (const std::size_t first : targets->first_tuple) out_.first_tuple.push_back(first + shift);
    out_.tuple.insert(out_.tuple.end(), targets->tuple.begin(), targets->tuple.end());
    out_.weight.push_back(0);
    return true;
  }

  CellLoop cell_loop(int i) const {
    std::int64_t stride = 1;
    for (int j = i + 1; j < nest_.loops; ++j) {
      if (loop_at(j).spatial && loop_at(j).axis == loop_at(i).axis) stride *= loop_at(j).bound;
    }
    return {loop_at(i).axis, loop_at(i).bound, stride};
  }
  void add_part(Sets sets, std::size_t first_loop, std::size_t weights) {
    out_.part.push_back(
        {sets, first_loop, out_.loop.size() - first_loop, out_.weight.size(), weights});
  }
  void add_loop(int i, Sets sets) {
    out_.loop.push_back(cell_loop(i));
    add_part(sets, out_.loop.size() - 1, 0);
  }

  const CountingContext& context_;
  const Nest& nest_;
  const Boundary& boundary_;
  int fanout_;
  Passage passage_;
  Workspace& workspace_;
  OverflowFlag& flag_;
  const TensorShape& tensor_;
  Destinations& out_;
  LoopRoles roles_;
  int level_ = 0;
  DimMask own_dims_ = 0;
  bool shared_ = true;
  RankQuery query_;
  RankValues values_;
};

}  // namespace

const Destinations* destinations(const CountingContext& context, const Nest& nest, int fanout,
                                 int tensor, Passage passage, Workspace& workspace,
                                 OverflowFlag& flag) {
  Boundary boundary;
  workspace.destinations.words = 0;
  workspace.destinations.part.clear();
  if (!find_boundary(context, nest, fanout, tensor, boundary)) return &workspace.destinations;
  DestinationList list(context, nest, boundary, fanout, passage, workspace, flag);
  return list.build() ? &workspace.destinations : nullptr;
}

Forwarding forwarding(const CountingContext& context, const Nest& nest, int fanout, int tensor) {
  TensorMask forwarded = 0;
  for (const TensorMask tensors : context.forwards) {
    forwarded = static_cast<TensorMask>(forwarded | tensors);
  }
  if (((forwarded >> tensor) & 1u) == 0) return Forwarding::kNobody;
  Boundary boundary;
  if (!find_boundary(context, nest, fanout, tensor, boundary)) return Forwarding::kNobody;
  const Levels& levels = boundary.levels;
  if (std::none_of(levels.forwards.begin(), levels.forwards.end(), [](bool f) { return f; })) {
    return Forwarding::kNobody;
  }
  const TensorShape& shape = context.tensor[static_cast<std::size_t>(tensor)];
  const LoopRoles& roles = boundary.role;
  unsigned forwarders = 0;
  for (std::size_t r = 0; r < shape.ranks; ++r) {
    RankQuery query;
    make_rank_query(context, nest, boundary, roles, Instances::all(), r, query);
    bool marches = false;
    unsigned chained = 0;
    for (int t = 0; t < query.terms; ++t) {
      const RankTerm& term = query.term[static_cast<std::size_t>(t)];
      for (int l = 0; l < term.loops; ++l) {
        const RankLoop& loop = term.loop[static_cast<std::size_t>(l)];
        marches |= loop.role == LoopRole::kMarch;
        if (loop.chain) chained |= 1u << loop.fanout;
      }
    }
    if (marches) forwarders |= chained;
  }
  if (forwarders == 0) return Forwarding::kNobody;
  if ((forwarders & (forwarders - 1)) != 0) return Forwarding::kSeveral;
  return forwarders == 1u << fanout ? Forwarding::kThisOne : Forwarding::kAnotherOne;
}

}  // namespace loopscape
