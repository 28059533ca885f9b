// Where the words of one fan-out go: what each dimension's loops contribute to the products D9.

#include <algorithm>
#include <functional>

#include "model/counting/boundary.h"
#include "model/counting/counting.h"
#include "model/counting/digits.h"
#include "model/counting/rank_sets.h"
#include "model/counting/rank_targets.h"
#include "model/counting/workspace.h"

namespace loopscape {
namespace {

using Sets = DestinationPart::Sets;
using Use = std::function<bool(const Destinations&)>;

// Which words of a rank a product is about. Under `march` there is but the first side.
enum class Side : std::uint8_t {
  kAsked,   // all that a lane of the set asks for
  kKept,    // of these, those that a lane of the set had before
  kWholly,  // those that all of its lanes had
  kPartly   // those that some of its lanes had, to the others
};

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
        march_(follows_march(context, nest, boundary)),
        once_(march_ || passage == Passage::kLowest || passage == Passage::kEveryZeroStart),
        roles_(boundary.role) {
    while (boundary.levels.fanout[static_cast<std::size_t>(level_)] != fanout) ++level_;
    for (int i = 0; i < boundary.child; ++i) {
      if (own(i)) own_dims_ |= static_cast<DimMask>(1u << loop_at(i).dim);
    }
    if (passage == Passage::kDemand) shared_ = levels_shared(level_);
  }

  bool list(const Use& use) {
    if (!is_product()) return false;
    if (once_) return product(Side::kAsked, 0) && use(out_);
    return previous_tile(use);
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

  // interconnect.md H5: everything that lanes ask for, less the sets that had some of it before,
  // plus what of these only some lanes had.
  bool previous_tile(const Use& use) {
    for (int event = -1; event < boundary_.child; ++event) {
      if (event >= 0 && loop_at(event).spatial) continue;
      set_event_roles(nest_, boundary_, event, roles_);
      after_event_ = event >= 0;
      unsigned partly = 0;
      if (!list_ranks(partly)) return false;
      if (!product(Side::kAsked, 0) || !use(out_)) return false;
      if (!after_event_) continue;
      if (!product(Side::kKept, 0)) return false;
      if (out_.words == 0) continue;
      out_.words = -out_.words;
      if (!use(out_)) return false;
      for (unsigned some = partly; some != 0; some = (some - 1) & partly) {
        if (!product(Side::kWholly, some) || !use(out_)) return false;
      }
    }
    return true;
  }

  // Lists the sets of ranks that have no closed form; `partly`: those with sets kept in part.
  bool list_ranks(unsigned& partly) {
    for (std::size_t r = 0; r < tensor_.ranks; ++r) {
      if (tensor_.rank[r].simple || !own_lanes(r)) continue;
      const RankTargets* targets = targets_of(r);
      if (targets == nullptr) return false;
      RankTargets& here = workspace_.rank_targets[r];
      here = *targets;
      for (std::size_t i = 0; !here.single && i < here.weight.size(); ++i) {
        if (here.partly_kept(i)) partly |= 1u << r;
      }
    }
    return true;
  }

  // One product of every rank's and every irrelevant dimension's sets. The ranks in `partly` take
  // that side instead.
  bool product(Side side, unsigned partly) {
    out_.words = 1;
    out_.loop.clear();
    out_.part.clear();
    out_.weight.clear();
    out_.first_tuple.clear();
    out_.tuple.clear();
    for (int d = 0; d < context_.dims; ++d) {
      if (!has(tensor_.relevant, d)) irrelevant(d);
    }
    const bool combined = (partly & (partly - 1)) != 0;
    for (std::size_t r = 0; r < tensor_.ranks; ++r) {
      const bool here = ((partly >> r) & 1u) != 0;
      if (!own_lanes(r)) {
        if (!rank_without_lanes(r, side)) return false;
      } else if (tensor_.rank[r].simple) {
        simple_rank(tensor_.rank[r].dim[0], side);
      } else if (!here || !combined) {
        if (!listed_rank(r, here ? Side::kPartly : side)) return false;
      }
    }
    return !combined || out_.words == 0 || combined_ranks(partly);
  }

  bool own_lanes(std::size_t r) const {
    const RankShape& shape = tensor_.rank[r];
    return std::any_of(shape.dim.begin(), shape.dim.begin() + shape.terms,
                       [&](int d) { return has(own_dims_, d); });
  }

  // Are the sets of children products over ranks and dimensions?
  bool is_product() const {
    if (passage_ != Passage::kDemand) {
      if (passage_ == Passage::kEveryVisit || passage_ == Passage::kEveryZeroStart) {
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
      const auto of_rank = [&](int i) { return lane(i) && has(shape, loop_at(i).dim); };
      uneven += shape.terms > 1 && copies_differ(of_rank);
      if (march_ || !equal || !shape.clipped || shape.terms == 1) continue;
      for (int i = 0; i < boundary_.child; ++i) {  // equal parts of different tiles
        if (of_rank(i) && lane_shared(i)) return false;
      }
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
    if (lane(i) && passage_ == Passage::kLowestVisit) return false;
    if (outside(i)) return true;
    if (lane(i)) return passage_ == Passage::kDemand && !lane_shared(i);  // further in
    return passage_ != Passage::kEveryZeroStart && runs(i);
  }
  bool runs(int i) const { return role(i) != LoopRole::kHeld && role(i) != LoopRole::kReset; }
  LoopRole role(int i) const { return roles_[static_cast<std::size_t>(i)]; }
  std::int64_t times(int i) const {  // how many indices of a loop that runs
    return static_cast<std::int64_t>(loop_at(i).bound) - (role(i) == LoopRole::kEvent);
  }

  void irrelevant(int dim) {
    if (passage_ == Passage::kLowest) return;  // it stands at 0, and the caller knows how often
    const bool lanes = passage_ != Passage::kLowestVisit;
    if (has(nest_.ragged, dim)) {
      ragged(
          dim,
          !lanes    ? Sets::kAll
          : shared_ ? Sets::kPrefixes
                    : Sets::kSingles,
          [&](int i) { return repeats(i); },
          [&](const Digits& digits, std::int64_t) {
            return count_offsets(digits, context_.extent[static_cast<std::size_t>(dim)]);
          });
      return;
    }
    for (int i = 0; i < boundary_.child; ++i) {
      if (loop_at(i).dim != dim) continue;
      if (own(i)) {
        if (lanes) add_loop(i, shared_ ? Sets::kAll : Sets::kEach);
      } else if (repeats(i)) {
        out_.words = flag_.mul(out_.words, times(i));
      }
    }
  }

  // Every word has one lane.
  void simple_rank(int dim, Side side) {
    const std::int64_t extent = context_.extent[static_cast<std::size_t>(dim)];
    std::int64_t even_words = extent;
    std::int64_t last_reset = 0;  // step of the innermost loop that went back
    bool moved_on = false;
    for (int i = 0; i < boundary_.child; ++i) {
      if (loop_at(i).dim != dim) continue;
      if (own(i) || !runs(i) || role(i) == LoopRole::kEvent) even_words /= loop_at(i).bound;
      if (role(i) == LoopRole::kEvent) even_words *= times(i);
      if (role(i) == LoopRole::kReset) last_reset = loop_at(i).step;
      moved_on |= role(i) == LoopRole::kEvent;
    }
    const bool kept = side != Side::kAsked;
    if (kept && (moved_on || (last_reset != 0 && !has(nest_.ragged, dim)))) {
      out_.words = 0;
    } else if (has(nest_.ragged, dim)) {
      ragged(
          dim, Sets::kSingles, [&](int i) { return runs(i); },
          [&](const Digits& digits, std::int64_t tile) {
            const std::int64_t words = covered(digits, tile, extent);
            if (!kept || last_reset == 0) return words;
            // A tile is where it was if the edge left nowhere to go back from.
            const std::int64_t first = (extent - last_reset + tile - 1) / tile * tile;
            return first <= 0 ? words : words - covered(digits, tile, first);
          });
    } else {
      for (int i = 0; i < boundary_.child; ++i) {
        if (loop_at(i).dim == dim && own(i)) add_loop(i, Sets::kEach);
      }
      out_.words = flag_.mul(out_.words, even_words);
    }
  }

  // A dimension that the problem's edge cuts. The fan-out's lanes in order of their offsets: at any
  // time the first so many are busy. kAll: they stand at 0. `count(digits, tile)`: words of all
  // tuples of the running loops.
  template <class Runs, class Count>
  void ragged(int dim, Sets sets, Runs runs, Count count) {
    Digits digits;
    std::array<int, kMaxMappingNodes> digit_of;
    std::int64_t tile = 1;
    std::size_t lanes = 1;
    int event = -1;
    const std::size_t first_loop = out_.loop.size();
    for (int i = 0; i < boundary_.child; ++i) {
      const NestLoop& loop = loop_at(i);
      if (loop.dim != dim) continue;
      tile = loop.step;
      if (own(i) && sets != Sets::kAll) {
        digit_of[out_.loop.size() - first_loop] = digits.size;
        out_.loop.push_back(cell_loop(i));
        lanes *= loop.bound;
      }
      if (role(i) == LoopRole::kEvent) event = digits.size;
      digits.push(loop.step, loop.bound, !own(i) && runs(i));
    }
    const auto words_of = [&](std::size_t at) {
      for (std::size_t l = out_.loop.size(); l-- > first_loop;) {
        const std::uint32_t bound = out_.loop[l].bound;
        digits.digit[static_cast<std::size_t>(digit_of[l - first_loop])].held_at =
            static_cast<std::uint32_t>(at % bound);
        at /= bound;
      }
      std::int64_t words = count(digits, tile);
      if (event >= 0) {
        bool& event_runs = digits.digit[static_cast<std::size_t>(event)].runs;
        event_runs = false;
        words -= count(digits, tile);
        event_runs = true;
      }
      return words;
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

  bool rank_without_lanes(std::size_t r, Side side) {
    if (passage_ == Passage::kLowest) return true;
    const RankShape& shape = tensor_.rank[r];
    std::int64_t words = shape.all_words;
    if (passage_ != Passage::kEveryZeroStart && !(march_ && shape.simple)) {
      make_query(r);
      if (!rank_values(query_, workspace_, values_)) return false;
      const bool group = passage_ == Passage::kLowestVisit;
      const auto level = static_cast<std::size_t>(level_);
      words = group ? values_.group_moved : values_.moved[level];
      if (level_ == 0) words -= values_.forwarded;
      if (after_event_) {
        const std::int64_t needed = group ? values_.group_needed : values_.needed[level];
        words = side == Side::kAsked ? needed : needed - words;
      }
    }
    out_.words = flag_.mul(out_.words, words);
    return true;
  }

  void make_query(std::size_t r) {
    make_rank_query(context_, nest_, boundary_, roles_, Instances::all(), r, query_);
    query_.after_event = after_event_;
  }

  const RankTargets* targets_of(std::size_t r) {
    const bool equal = context_.conventions.sharing == Conventions::Sharing::kEqualDelta;
    const Grouping grouping = tensor_.rank[r].terms == 1 || !shared_ ? Grouping::kNone
                              : equal                                ? Grouping::kEqual
                                                                     : Grouping::kWords;
    make_query(r);
    return rank_targets(query_, level_, grouping, workspace_);
  }

  bool listed_rank(std::size_t r, Side side) {
    const RankTargets* targets = once_ ? targets_of(r) : &workspace_.rank_targets[r];
    if (targets == nullptr) return false;
    const std::size_t first_loop = out_.loop.size();
    add_rank_loops(r);
    if (!targets->single) {
      add_sets(*targets, side, first_loop);
      return true;
    }
    const auto& weight = side == Side::kAsked ? targets->weight : targets->kept;
    add_part(Sets::kSingles, first_loop, weight.size());
    out_.weight.insert(out_.weight.end(), weight.begin(), weight.end());
    return true;
  }

  // Ranks that all take the side kPartly: their lanes together, combination by combination.
  bool combined_ranks(unsigned ranks) {
    const std::size_t first_loop = out_.loop.size();
    TargetsToCombine combine;
    for (unsigned rest = ranks; rest != 0; rest &= rest - 1) {
      const auto r = static_cast<std::size_t>(__builtin_ctz(rest));
      const std::size_t first = out_.loop.size();
      add_rank_loops(r);
      std::int64_t lanes = 1;
      for (std::size_t l = first; l < out_.loop.size(); ++l) lanes *= out_.loop[l].bound;
      combine.rank[combine.ranks] = &workspace_.rank_targets[r];
      combine.lanes[combine.ranks++] = lanes;
    }
    if (!combine_partly_kept(combine, workspace_.targets, flag_)) return false;
    add_sets(workspace_.targets, Side::kAsked, first_loop);
    return true;
  }

  void add_rank_loops(std::size_t r) {
    const RankShape& shape = tensor_.rank[r];
    for (std::size_t t = 0; t < shape.terms; ++t) {  // as RankLanes numbers its lanes
      for (int i = 0; i < boundary_.child; ++i) {
        if (own(i) && loop_at(i).dim == shape.dim[t]) out_.loop.push_back(cell_loop(i));
      }
    }
  }

  void add_sets(const RankTargets& targets, Side side, std::size_t first_loop) {
    add_part(Sets::kListed, first_loop, targets.weight.size());
    DestinationPart& part = out_.part.back();
    const std::size_t shift = out_.tuple.size();
    // One more than there are weights: first_tuple runs ahead of `weight` from here on.
    out_.first_tuple.resize(part.first_weight, shift);
    if (side == Side::kAsked) {
      out_.weight.insert(out_.weight.end(), targets.weight.begin(), targets.weight.end());
      for (const std::size_t first : targets.first_tuple) {
        out_.first_tuple.push_back(first + shift);
      }
      out_.tuple.insert(out_.tuple.end(), targets.tuple.begin(), targets.tuple.end());
    } else {
      add_some_sets(targets, side);
      part.weights = out_.weight.size() - part.first_weight;
    }
    out_.weight.push_back(0);
  }

  void add_some_sets(const RankTargets& targets, Side side) {
    const bool partly = side == Side::kPartly;
    const auto tuple = [&](std::size_t at) {
      return targets.tuple.begin() + static_cast<std::ptrdiff_t>(at);
    };
    for (std::size_t i = 0; i < targets.weight.size(); ++i) {
      if (targets.kept[i] == 0) continue;
      if (side != Side::kKept && targets.partly_kept(i) != partly) continue;
      out_.weight.push_back(targets.kept[i]);
      out_.first_tuple.push_back(out_.tuple.size());
      const std::size_t first = partly ? targets.first_new[i] : targets.first_tuple[i];
      out_.tuple.insert(out_.tuple.end(), tuple(first), tuple(targets.first_tuple[i + 1]));
    }
    out_.first_tuple.push_back(out_.tuple.size());
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
  const bool march_;
  const bool once_;  // one product tells all: no event changes what is asked for
  LoopRoles roles_;
  bool after_event_ = false;
  int level_ = 0;
  DimMask own_dims_ = 0;
  bool shared_ = true;
  RankQuery query_;
  RankValues values_;
};

}  // namespace

bool destinations(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                  Passage passage, Workspace& workspace, OverflowFlag& flag, const Use& use) {
  Boundary boundary;
  if (!find_boundary(context, nest, fanout, tensor, boundary)) return true;
  return DestinationList(context, nest, boundary, fanout, passage, workspace, flag).list(use);
}

Refills refills(const CountingContext& context, const Nest& nest, int fanout, int tensor) {
  if (context.conventions.reuse == Conventions::Reuse::kMarch) return Refills::kEven;
  Boundary boundary;
  if (!find_boundary(context, nest, fanout, tensor, boundary)) return Refills::kEven;
  if (follows_march(context, nest, boundary)) return Refills::kEven;
  const TensorShape& shape = context.tensor[static_cast<std::size_t>(tensor)];
  const bool cut = (nest.ragged & shape.relevant) != 0;
  bool even = true, one_parent = true;  // of every word
  for (int i = 0; i < boundary.child; ++i) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (!loop.spatial) continue;
    const bool relevant = has(shape.relevant, loop.dim), simple = has(shape.simple, loop.dim);
    if (i < boundary.parent) {
      one_parent &= simple;
      even &= relevant || !cut;
    } else if (loop.fanout == fanout && relevant) {
      even &= simple && !has(nest.ragged, loop.dim);
    }
  }
  return even ? Refills::kEven : one_parent ? Refills::kAllButFirst : Refills::kNumberOnly;
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
