#include "model/counting/boundary.h"

#include <algorithm>

#include "model/counting/digits.h"
#include "model/counting/workspace.h"

namespace loopscape {
namespace {

bool has(DimMask mask, int dim) { return ((mask >> dim) & 1u) != 0; }

// Runs, marches and repeats, from the child outward (counting.md A4).
void set_roles(const TensorShape& tensor, const Nest& nest, bool forwards, Boundary& boundary) {
  enum { kRun, kMarching, kClosed } state = kRun;
  if (boundary.to_compute && !forwards) state = kClosed;
  int marching_dim = -1;
  for (int i = boundary.child; i-- > 0;) {
    const auto k = static_cast<std::size_t>(i);
    const NestLoop& loop = nest.loop[k];
    if (loop.spatial) {
      if (state == kMarching && loop.dim == marching_dim) state = kClosed;
      boundary.role[k] = i >= boundary.parent ? LoopRole::kLane : LoopRole::kRuns;
      continue;
    }
    LoopRole role = LoopRole::kRuns;
    if (state == kRun && !has(tensor.relevant, loop.dim)) {
      if (boundary.to_compute)
        state = kClosed;  // compute keeps nothing
      else
        role = LoopRole::kHeld;
    } else if (state == kRun && has(tensor.sliding, loop.dim)) {
      state = kMarching;
      marching_dim = loop.dim;
      role = LoopRole::kMarch;
    } else if (state == kMarching && loop.dim == marching_dim) {
      role = LoopRole::kMarch;
    } else {
      state = kClosed;
    }
    boundary.role[k] = role;
  }
}

std::uint32_t held_index(const Nest& nest, const Instances& instances, int i) {
  const bool instance = nest.loop[static_cast<std::size_t>(i)].spatial;
  return instance && instances.lane != nullptr ? instances.lane[i] : 0;
}

int level_in(const Levels& levels, std::uint8_t fanout) {
  int v = 0;
  while (levels.fanout[static_cast<std::size_t>(v)] != fanout) ++v;
  return v;
}

// A lane loop whose neighbours are linked: the innermost one of its axis.
bool is_chain(const CountingContext& context, const Nest& nest, const Boundary& boundary,
              const LoopRoles& roles, int i) {
  const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
  if (roles[static_cast<std::size_t>(i)] != LoopRole::kLane) return false;
  if (context.conventions.reuse == Conventions::Reuse::kPreviousTile && !boundary.to_compute) {
    return false;
  }
  const int level = level_in(boundary.levels, loop.fanout);
  if (!boundary.levels.forwards[static_cast<std::size_t>(level)]) return false;
  for (int j = i + 1; j < boundary.child; ++j) {
    const NestLoop& inner = nest.loop[static_cast<std::size_t>(j)];
    if (inner.spatial && inner.axis == loop.axis) return false;
  }
  return true;
}

// The work of boundary_flow(): one pass over the loops for each kind of advance.
class FlowSum {
 public:
  FlowSum(const CountingContext& context, const Nest& nest, const Boundary& boundary,
          const Instances& instances, Workspace& workspace, OverflowFlag& flag)
      : context_(context),
        nest_(nest),
        boundary_(boundary),
        instances_(instances),
        workspace_(workspace),
        flag_(flag),
        tensor_(context.tensor[static_cast<std::size_t>(boundary.tensor)]) {
    if (instances.summed) return;
    hold_instances();
  }

  // reuse: march. A tensor's words are a product over ranks; only one rank marches.
  bool march(Flow& flow) {
    irrelevant(flow, false);
    const std::int64_t covered =
        simple_coverage(context_, nest_, boundary_.tensor, boundary_.parent, instances_, flag_);
    scale(flow, covered);
    if (tensor_.complex_ranks == 0) return true;
    std::int64_t others = 1;  // arrivals of the ranks that do not forward
    std::int64_t forwarded = 0;
    const std::int64_t irrelevant_arrivals = flow.demand[0];
    for (std::size_t r = 0; r < tensor_.ranks; ++r) {
      if (tensor_.rank[r].simple) continue;
      if (!rank(r, false)) return false;
      multiply(flow, values_.moved, values_.group_moved);
      if (values_.forwarded != 0) {
        forwarded = values_.forwarded;
      } else {
        others = flag_.mul(others, values_.moved[0]);
      }
    }
    flow.forwarded = flag_.mul(irrelevant_arrivals, flag_.mul(others, forwarded));
    return true;
  }

  // reuse: previous_tile. Whole tiles first, then for every temporal loop the advances that it
  // names: needed minus what is needed and already there, both products over ranks (D5).
  bool previous_tile(Flow& flow) {
    for (int event = -1; event < boundary_.child; ++event) {
      if (event >= 0 && nest_.loop[static_cast<std::size_t>(event)].spatial) continue;
      set_event_roles(nest_, boundary_, event, own_roles());
      Flow needed, kept;
      irrelevant(needed, event >= 0);
      kept = needed;
      for (std::size_t r = 0; r < tensor_.ranks; ++r) {
        if (!rank(r, event >= 0)) return false;
        if (event < 0) {
          multiply(needed, values_.moved, values_.group_moved);
          continue;
        }
        multiply(needed, values_.needed, values_.group_needed);
        for (std::size_t v = 0; v <= static_cast<std::size_t>(boundary_.levels.size); ++v) {
          values_.needed[v] -= values_.moved[v];
        }
        multiply(kept, values_.needed, values_.group_needed - values_.group_moved);
      }
      if (event < 0) kept = Flow{};
      for (std::size_t v = 0; v <= static_cast<std::size_t>(boundary_.levels.size); ++v) {
        flow.demand[v] = flag_.add(flow.demand[v], needed.demand[v] - kept.demand[v]);
      }
      flow.group = flag_.add(flow.group, needed.group - kept.group);
    }
    return true;
  }

 private:
  LoopRole role(std::size_t k) const { return (*role_)[k]; }

  // Roles of its own, when the boundary's do not do.
  LoopRoles& own_roles() {
    if (role_ != &own_role_) {
      std::copy_n(boundary_.role.begin(), boundary_.child, own_role_.begin());
      role_ = &own_role_;
    }
    return own_role_;
  }

  void hold_instances() {
    LoopRoles& role = own_roles();
    for (int i = 0; i < boundary_.parent; ++i) {
      const auto k = static_cast<std::size_t>(i);
      if (nest_.loop[k].spatial) role[k] = LoopRole::kHeld;
    }
  }

  std::uint32_t held_at(int i) const { return held_index(nest_, instances_, i); }
  int level_of(std::uint8_t fanout) const { return level_in(boundary_.levels, fanout); }

  void scale(Flow& flow, std::int64_t factor) {
    for (std::size_t v = 0; v <= static_cast<std::size_t>(boundary_.levels.size); ++v) {
      flow.demand[v] = flag_.mul(flow.demand[v], factor);
    }
    flow.group = flag_.mul(flow.group, factor);
  }

  void multiply(Flow& flow, const std::array<std::int64_t, kMaxFanouts + 1>& demand,
                std::int64_t group) {
    for (std::size_t v = 0; v <= static_cast<std::size_t>(boundary_.levels.size); ++v) {
      flow.demand[v] = flag_.mul(flow.demand[v], demand[v]);
    }
    flow.group = flag_.mul(flow.group, group);
  }

  // Irrelevant dimensions multiply: repeats and instances by their number, lanes by theirs below a
  // fan-out that does not share, else by one.
  void irrelevant(Flow& flow, bool after_event) {
    const auto levels = static_cast<std::size_t>(boundary_.levels.size);
    std::array<std::int64_t, kMaxFanouts> lanes;
    lanes.fill(1);
    std::int64_t common = 1;
    DimMask ragged = 0;
    for (int i = 0; i < boundary_.child; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const NestLoop& loop = nest_.loop[k];
      if (has(tensor_.relevant, loop.dim)) continue;
      if (has(nest_.ragged, loop.dim)) {
        ragged |= static_cast<DimMask>(1u << loop.dim);
        continue;
      }
      switch (role(k)) {
        case LoopRole::kRuns:
        case LoopRole::kMarch:
          common = flag_.mul(common, loop.bound);
          break;
        case LoopRole::kEvent:
          common = flag_.mul(common, loop.bound - 1);
          break;
        case LoopRole::kLane: {
          std::int64_t& bound = lanes[static_cast<std::size_t>(level_of(loop.fanout))];
          bound = flag_.mul(bound, loop.bound);
          break;
        }
        case LoopRole::kHeld:
        case LoopRole::kReset:
          break;
      }
    }
    for (std::size_t resolved = 0; resolved <= levels; ++resolved) {
      std::int64_t demand = common;
      for (std::size_t v = 0; v < levels; ++v) {
        const bool shared = v < resolved && boundary_.levels.shared[v];
        if (!shared) demand = flag_.mul(demand, lanes[v]);
      }
      flow.demand[resolved] = demand;
    }
    flow.group = common;
    for (unsigned rest = ragged; rest != 0; rest &= rest - 1) {
      ragged_irrelevant(__builtin_ctz(rest), after_event, flow);
    }
  }

  // The same for one dimension that the problem's edge cuts: offsets below the extent (D1). The
  // busy lanes of a dimension are a prefix, so a shared lane stands at index 0.
  void ragged_irrelevant(int dim, bool after_event, Flow& flow) {
    const auto levels = boundary_.levels.size;
    for (int resolved = 0; resolved <= levels + 1; ++resolved) {  // the last one: group
      Digits digits;
      int event_digit = -1;
      for (int i = 0; i < boundary_.child; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const NestLoop& loop = nest_.loop[k];
        if (loop.dim != dim) continue;
        bool runs = role(k) == LoopRole::kRuns || role(k) == LoopRole::kEvent;
        if (role(k) == LoopRole::kLane) {
          const int level = level_of(loop.fanout);
          runs = resolved <= levels &&
                 !(level < resolved && boundary_.levels.shared[static_cast<std::size_t>(level)]);
        }
        if (role(k) == LoopRole::kEvent) event_digit = digits.size;
        digits.push(loop.step, loop.bound, runs, role(k) == LoopRole::kHeld ? held_at(i) : 0);
      }
      const std::int64_t extent = context_.extent[static_cast<std::size_t>(dim)];
      std::int64_t times = count_offsets(digits, extent);
      if (after_event && event_digit >= 0) {
        digits.digit[static_cast<std::size_t>(event_digit)].runs = false;
        times -= count_offsets(digits, extent);
      }
      if (resolved <= levels) {
        std::int64_t& demand = flow.demand[static_cast<std::size_t>(resolved)];
        demand = flag_.mul(demand, times);
      } else {
        flow.group = flag_.mul(flow.group, times);
      }
    }
  }

  bool rank(std::size_t r, bool after_event) {
    make_rank_query(context_, nest_, boundary_, *role_, instances_, r, query_);
    query_.after_event = after_event;
    return rank_values(query_, workspace_, values_);
  }

  const CountingContext& context_;
  const Nest& nest_;
  const Boundary& boundary_;
  const Instances& instances_;
  Workspace& workspace_;
  OverflowFlag& flag_;
  const TensorShape& tensor_;
  const LoopRoles* role_ = &boundary_.role;
  LoopRoles own_role_;
  RankQuery query_;
  RankValues values_;
};

// Is the dimension in a sliding rank that is clipped?
bool clips(const TensorShape& tensor, int dim) {
  for (std::size_t r = 0; r < tensor.ranks; ++r) {
    const RankShape& rank = tensor.rank[r];
    if (rank.term_of[static_cast<std::size_t>(dim)] >= 0) return rank.clipped && rank.terms > 1;
  }
  return false;
}

// Where the products of D5 fail: a network that multicasts above one that does not, or the sharing
// of equal deltas among tiles that the edge or a valid range cuts differently.
bool products_fail(const CountingContext& context, const Nest& nest, const Boundary& boundary) {
  const TensorShape& tensor = context.tensor[static_cast<std::size_t>(boundary.tensor)];
  bool relevant_lanes = false, shared_sliding = false, shared_clipped = false;
  for (int i = boundary.parent; i < boundary.child; ++i) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (!loop.spatial) continue;
    const int level = level_in(boundary.levels, loop.fanout);
    relevant_lanes |= has(tensor.relevant, loop.dim);
    if (!boundary.levels.shared[static_cast<std::size_t>(level)]) continue;
    shared_sliding |= has(tensor.sliding, loop.dim);
    shared_clipped |= clips(tensor, loop.dim);
  }
  bool unshared_inside = false, mixed = false;
  for (std::size_t v = 0; v < static_cast<std::size_t>(boundary.levels.size); ++v) {
    mixed |= unshared_inside && boundary.levels.shared[v];
    unshared_inside |= !boundary.levels.shared[v];
  }
  const bool equal = context.conventions.sharing == Conventions::Sharing::kEqualDelta;
  return (mixed && relevant_lanes) ||
         (equal && shared_sliding && (nest.ragged & tensor.relevant) != 0) ||
         (equal && shared_clipped && tensor.complex_ranks > 1);
}

// Equal deltas: may children of a sharing fan-out ask for different numbers of copies, because the
// edge cuts a dimension irrelevant to the tensor among lanes further in that share nothing?
bool copies_differ(const CountingContext& context, const Nest& nest, const Boundary& boundary) {
  if (context.conventions.sharing != Conventions::Sharing::kEqualDelta) return false;
  const TensorShape& tensor = context.tensor[static_cast<std::size_t>(boundary.tensor)];
  for (unsigned rest = nest.ragged & ~tensor.relevant; rest != 0; rest &= rest - 1) {
    unsigned levels = 0;  // with lanes over the dimension
    for (int i = boundary.parent; i < boundary.child; ++i) {
      const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
      if (loop.spatial && loop.dim == __builtin_ctz(rest)) {
        levels |= 1u << level_in(boundary.levels, loop.fanout);
      }
    }
    bool copies = false;
    for (int v = 0; v < boundary.levels.size; ++v) {
      if (((levels >> v) & 1u) == 0) continue;
      const bool shared = boundary.levels.shared[static_cast<std::size_t>(v)];
      if (shared && copies) return true;
      copies |= !shared;
    }
  }
  return false;
}

}  // namespace

Boundary outline_boundary(const CountingContext& context, const Nest& nest, int tensor, int child,
                          int parent, bool to_compute) {
  Boundary boundary;
  boundary.tensor = tensor;
  boundary.child = child;
  boundary.parent = parent;
  boundary.to_compute = to_compute;
  unsigned fanouts = 0;
  for (int i = std::max<int>(parent, nest.first_spatial); i < child; ++i) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (loop.spatial) fanouts |= 1u << loop.fanout;
  }
  for (; fanouts != 0;
       fanouts &=
       ~(1u << boundary.levels.fanout[static_cast<std::size_t>(boundary.levels.size - 1)])) {
    const auto k = static_cast<std::size_t>(31 - __builtin_clz(fanouts));
    const auto v = static_cast<std::size_t>(boundary.levels.size++);
    boundary.levels.fanout[v] = static_cast<std::uint8_t>(k);
    boundary.levels.shared[v] = ((context.shares[k] >> tensor) & 1u) != 0;
    boundary.levels.forwards[v] = ((context.forwards[k] >> tensor) & 1u) != 0;
  }
  return boundary;
}

Boundary make_boundary(const CountingContext& context, const Nest& nest, int tensor, int child,
                       int parent, bool to_compute) {
  Boundary boundary = outline_boundary(context, nest, tensor, child, parent, to_compute);
  bool forwards = false;
  for (std::size_t v = 0; v < static_cast<std::size_t>(boundary.levels.size); ++v) {
    forwards |= boundary.levels.forwards[v];
  }
  set_roles(context.tensor[static_cast<std::size_t>(tensor)], nest, forwards, boundary);
  return boundary;
}

void set_event_roles(const Nest& nest, const Boundary& boundary, int event, LoopRoles& roles) {
  for (int i = 0; i < boundary.child; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (nest.loop[k].spatial) continue;
    roles[k] = event < 0    ? LoopRole::kHeld
               : i < event  ? LoopRole::kRuns
               : i == event ? LoopRole::kEvent
                            : LoopRole::kReset;
  }
}

void plain_flow(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                OverflowFlag& flag, Flow& flow) {
  const TensorShape& tensor = context.tensor[static_cast<std::size_t>(boundary.tensor)];
  const auto levels = static_cast<std::size_t>(boundary.levels.size);
  std::array<std::int64_t, kMaxFanouts> lanes;
  std::fill_n(lanes.begin(), levels, 1);
  std::int64_t common = tensor.simple_words;
  bool run = !boundary.to_compute;
  for (int i = boundary.child; i-- > 0;) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (has(tensor.relevant, loop.dim)) {
      run &= loop.spatial;
    } else if (loop.spatial && i >= boundary.parent) {
      std::int64_t& bound = lanes[static_cast<std::size_t>(level_in(boundary.levels, loop.fanout))];
      bound = flag.mul(bound, loop.bound);
    } else if (loop.spatial || !run) {
      common = flag.mul(common, loop.bound);
    }
  }
  flow.group = common;
  for (std::size_t resolved = 0; resolved <= levels; ++resolved) {
    flow.demand[resolved] = common;
    for (std::size_t v = 0; v < levels; ++v) {
      if (v < resolved && boundary.levels.shared[v]) continue;
      flow.demand[resolved] = flag.mul(flow.demand[resolved], lanes[v]);
    }
  }
}

bool follows_march(const CountingContext& context, const Nest& nest, const Boundary& boundary) {
  const TensorShape& tensor = context.tensor[static_cast<std::size_t>(boundary.tensor)];
  // Without sliding ranks and ragged edges consecutive tiles are equal or disjoint, and both
  // reuse rules agree.
  return context.conventions.reuse == Conventions::Reuse::kMarch || boundary.to_compute ||
         (tensor.complex_ranks == 0 && (nest.ragged & tensor.relevant) == 0);
}

void make_rank_query(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                     const LoopRoles& roles, const Instances& instances, std::size_t r,
                     RankQuery& query) {
  const TensorShape& tensor = context.tensor[static_cast<std::size_t>(boundary.tensor)];
  const RankShape& shape = tensor.rank[r];
  query.shape = &shape;
  query.levels = &boundary.levels;
  query.sharing = context.conventions.sharing;
  query.identity =
      static_cast<std::uint32_t>(static_cast<std::size_t>(boundary.tensor) * kMaxRanks + r);
  query.own_kept = !boundary.to_compute;
  query.after_event = false;
  query.terms = shape.terms;
  for (std::size_t t = 0; t < shape.terms; ++t) {
    RankTerm& term = query.term[t];
    term.coefficient = shape.coefficient[t];
    term.extent = term.tile = context.extent[shape.dim[t]];
    term.loops = 0;
  }
  for (int i = 0; i < boundary.child; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const NestLoop& loop = nest.loop[k];
    const int t = shape.term_of[loop.dim];
    if (t < 0) continue;
    RankTerm& term = query.term[static_cast<std::size_t>(t)];
    const std::uint32_t held = roles[k] == LoopRole::kHeld ? held_index(nest, instances, i) : 0;
    const bool chain = roles[k] == LoopRole::kLane && is_chain(context, nest, boundary, roles, i);
    term.loop[static_cast<std::size_t>(term.loops++)] = {loop.step, loop.bound,  held,
                                                         roles[k],  loop.fanout, chain};
    term.tile = loop.step;
  }
}

bool boundary_flow(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                   const Instances& instances, Workspace& workspace, OverflowFlag& flag,
                   Flow& flow) {
  flow = Flow{};
  const bool march = follows_march(context, nest, boundary);
  if (copies_differ(context, nest, boundary) ||
      (!march && products_fail(context, nest, boundary))) {
    workspace.refusal = Refusal::kCopies;
    return false;
  }
  FlowSum sum(context, nest, boundary, instances, workspace, flag);
  if (march ? sum.march(flow) : sum.previous_tile(flow)) return true;
  workspace.refusal = Refusal::kTooManyIndices;
  return false;
}

std::int64_t simple_coverage(const CountingContext& context, const Nest& nest, int tensor,
                             int position, const Instances& instances, OverflowFlag& flag) {
  const TensorShape& shape = context.tensor[static_cast<std::size_t>(tensor)];
  if (instances.summed || nest.first_spatial >= position) return shape.simple_words;
  std::int64_t words = 1;
  for (unsigned rest = shape.simple; rest != 0; rest &= rest - 1) {
    const int dim = __builtin_ctz(rest);
    std::int64_t indices = context.extent[static_cast<std::size_t>(dim)];
    if (has(nest.split, dim)) {
      Digits digits;
      std::int64_t tile = 1;
      for (int i = 0; i < nest.loops; ++i) {
        const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
        if (loop.dim != dim) continue;
        const bool instance = loop.spatial && i < position;
        const std::uint32_t at = instance && instances.lane != nullptr ? instances.lane[i] : 0;
        digits.push(loop.step, loop.bound, !instance, at);
        tile = loop.step;
      }
      indices = covered(digits, tile, indices);
    }
    words = flag.mul(words, indices);
  }
  return words;
}

}  // namespace loopscape
