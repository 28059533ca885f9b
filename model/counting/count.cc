// Every count of model.md section 7, tensor by tensor, boundary by boundary.

#include <algorithm>

#include "model/counting/boundary.h"
#include "model/counting/counting.h"
#include "model/counting/digits.h"
#include "model/counting/rank_sets.h"
#include "model/counting/workspace.h"

namespace loopscape {
namespace {

bool has(DimMask mask, int dim) { return ((mask >> dim) & 1u) != 0; }

// Tuples of chosen loops' indices that stay inside the problem, the other loops standing at 0, in
// the ragged dimensions (D1). Dimensions multiply.
template <class Runs>
std::int64_t ragged_tuples(const CountingContext& context, const Nest& nest, OverflowFlag& flag,
                           Runs runs) {
  std::int64_t product = 1;
  for (unsigned rest = nest.ragged; rest != 0; rest &= rest - 1) {
    const int dim = __builtin_ctz(rest);
    Digits digits;
    for (int i = 0; i < nest.loops; ++i) {
      const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
      if (loop.dim == dim) digits.push(loop.step, loop.bound, runs(i, loop));
    }
    product =
        flag.mul(product, count_offsets(digits, context.extent[static_cast<std::size_t>(dim)]));
  }
  return product;
}

// The same in all dimensions.
template <class Runs>
std::int64_t tuples(const CountingContext& context, const Nest& nest, OverflowFlag& flag,
                    Runs runs) {
  std::int64_t product = ragged_tuples(context, nest, flag, runs);
  for (int i = 0; i < nest.loops; ++i) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (!has(nest.ragged, loop.dim) && runs(i, loop)) product = flag.mul(product, loop.bound);
  }
  return product;
}

// Counts one tensor along its chain of stores.
class Chain {
 public:
  Chain(const CountingContext& context, const Nest& nest, int tensor, Workspace& workspace,
        OverflowFlag& flag)
      : context_(context),
        nest_(nest),
        tensor_index_(tensor),
        tensor_(context.tensor[static_cast<std::size_t>(tensor)]),
        workspace_(workspace),
        flag_(flag),
        stops_(nest.stops[static_cast<std::size_t>(tensor)]) {}

  bool count(Tally& tally) {
    plain_ = tensor_.complex_ranks == 0 && nest_.ragged == 0;
    sliding_split_ = (nest_.split & tensor_.relevant & ~tensor_.simple) != 0;
    const std::int64_t all_words = held(0, Instances::all());
    std::int64_t zero_starts = all_words;  // Z of the parent (counting.md A7)
    for (int k = 0; k < stops_; ++k) {
      TensorTally& here = at(tally, k);
      here = TensorTally{};
      here.tile_words = tile_footprint(context_, tensor_index_, full_tile(k), workspace_);
      if (here.tile_words < 0) return refused(Refusal::kTooManyIndices);
      if (by_instance(k)) here.instanced = instanced(k);
    }
    for (int k = 1; k <= stops_; ++k) {
      if (k == stops_ && !tensor_.clipped &&
          lanes_outside(position(k)) == lanes_outside(position(k - 1))) {
        innermost(tally, zero_starts);
        break;
      }
      const Boundary boundary = boundary_at(k);
      Flow flow;
      if (!flow_of(boundary, flow)) return false;
      if (tensor_.is_output) {
        if (!output(tally, k, boundary, flow, zero_starts)) return false;
      } else {
        if (!input(tally, k, boundary, flow)) return false;
      }
    }
    return true;
  }

  Words of_instance(int stop, const std::uint32_t* lane) {
    Words words;
    if (!ever_busy(position(stop), lane)) return words;
    const Instances here = Instances::at(lane);
    Flow below;
    (void)boundary_flow(context_, nest_, boundary_at(stop + 1), here, workspace_, flag_, below);
    const std::int64_t demand =
        below.demand[static_cast<std::size_t>(boundary_at(stop + 1).levels.size)];
    const std::int64_t arrivals = stop == 0 ? 0 : arrivals_at(stop, here);
    if (!tensor_.is_output) {
      words.reads = demand;
      words.fills = arrivals;
      return words;
    }
    const std::int64_t zero_starts = zero_starts_at(stop, lane);
    words.updates = demand;
    words.reads = flag_.sub(demand, zero_starts);
    words.drains = arrivals;
    words.fills = stop == 0 ? 0 : flag_.sub(arrivals, zero_starts);
    if (complete(position(stop)) && reduced_below(boundary_at(stop + 1))) {
      words.final_updates = stop + 1 < stops_ ? held(position(stop), here) : 0;
    }
    if (stop > 0 && complete(position(stop))) words.final_drains = held(position(stop), here);
    return words;
  }

 private:
  int position(int stop) const {
    return stop < stops_
               ? nest_.stop[static_cast<std::size_t>(tensor_index_)][static_cast<std::size_t>(stop)]
                     .position
               : nest_.loops;
  }
  const std::array<std::int64_t, kMaxDims>& full_tile(int stop) const {
    return nest_.tile
        [nest_.stop[static_cast<std::size_t>(tensor_index_)][static_cast<std::size_t>(stop)].tile];
  }
  TensorTally& at(Tally& tally, int stop) const {
    const std::uint8_t memory =
        nest_.stop[static_cast<std::size_t>(tensor_index_)][static_cast<std::size_t>(stop)].memory;
    return tally.memory[memory][static_cast<std::size_t>(tensor_index_)];
  }
  Boundary boundary_at(int k) const {
    const auto make = plain_ ? outline_boundary : make_boundary;
    return make(context_, nest_, tensor_index_, position(k), position(k - 1), k == stops_);
  }

  bool flow_of(const Boundary& boundary, Flow& flow) {
    if (plain_) {
      plain_flow(context_, nest_, boundary, flag_, flow);
      return true;
    }
    return boundary_flow(context_, nest_, boundary, Instances::all(), workspace_, flag_, flow);
  }

  bool refused(Refusal reason) {
    workspace_.refusal = reason;
    return false;
  }

  // Distinct words that instances ever hold, of an output or in simple dimensions.
  std::int64_t held(int pos, const Instances& instances) {
    return flag_.mul(coverage(pos, instances), tensor_.complex_words);
  }

  std::int64_t coverage(int pos, const Instances& instances) {
    if (instances.summed || no_spatial_above(pos)) return tensor_.simple_words;
    if (!even_split_above(pos)) {
      return simple_coverage(context_, nest_, tensor_index_, pos, instances, flag_);
    }
    std::int64_t parts = 1;
    for (int i = 0; i < pos; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      if (loop.spatial && has(tensor_.simple, loop.dim)) parts *= loop.bound;
    }
    return tensor_.simple_words / parts;
  }

  // previous_tile at a ragged edge: words of one tile may arrive more or less often, and what an
  // inner instance takes over from a parent that started anew is not known by instance.
  bool uneven_residences(int stop) const {
    if (stop == 0 || context_.conventions.reuse != Conventions::Reuse::kPreviousTile ||
        context_.conventions.refill != Conventions::Refill::kOneChild ||
        (nest_.ragged & tensor_.relevant) == 0) {
      return false;
    }
    const int parent = position(stop - 1);
    for (int i = 0; i < parent; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      if (loop.spatial && !has(tensor_.relevant, loop.dim)) return true;
    }
    return false;
  }

  // D8. May an instance of the parent start a word from zero again that no child asks for? A lane
  // that the edge leaves idle still has it from before.
  bool unvisited_residences(const Boundary& boundary) const {
    if (boundary.to_compute || context_.conventions.refill != Conventions::Refill::kOneChild ||
        context_.conventions.reuse != Conventions::Reuse::kPreviousTile) {
      return false;
    }
    bool replicas = false;
    DimMask lanes = 0;
    DimMask repeats = 0;  // temporal loops so far that may bring words back
    DimMask returns = 0;  // temporal loops that such a loop over another dimension starts again
    for (int i = 0; i < boundary.child; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      const auto dim = static_cast<DimMask>(1u << loop.dim);
      if (i >= boundary.parent) {
        if (loop.spatial) lanes = static_cast<DimMask>(lanes | dim);
      } else if (loop.spatial) {
        replicas |= !has(tensor_.simple, loop.dim);
      } else {
        if ((repeats & ~dim) != 0) returns = static_cast<DimMask>(returns | dim);
        if (!has(tensor_.simple, loop.dim)) repeats = static_cast<DimMask>(repeats | dim);
      }
    }
    return replicas && (nest_.ragged & tensor_.relevant & returns & lanes) != 0;
  }

  // D6. How the instances at a position compare.
  Instanced instanced(int stop) const {
    const int pos = position(stop);
    if (no_spatial_above(pos)) return Instanced::kUniform;
    bool cut = false, replicas = false, sliding = false;
    for (int i = 0; i < pos; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      if (!loop.spatial) continue;
      cut |= has(nest_.ragged, loop.dim);
      replicas |= !has(tensor_.relevant, loop.dim);
      sliding |= has(tensor_.relevant, loop.dim) && !has(tensor_.simple, loop.dim);
    }
    if (tensor_.is_output && sliding) return Instanced::kUnknown;
    if (tensor_.is_output && uneven_residences(stop)) return Instanced::kUnknown;
    if ((tensor_.clipped && sliding) ||
        (cut && context_.conventions.reuse == Conventions::Reuse::kPreviousTile)) {
      return Instanced::kEach;
    }
    const bool one_child = context_.conventions.refill == Conventions::Refill::kOneChild;
    if (cut || (tensor_.is_output && replicas && one_child)) return Instanced::kFirstMost;
    return Instanced::kUniform;
  }

  // Words that arrive at one instance of the child of boundary k.
  std::int64_t arrivals_at(int k, const Instances& instances) {
    const Boundary own =
        make_boundary(context_, nest_, tensor_index_, position(k), position(k), k == stops_);
    Flow flow;
    (void)boundary_flow(context_, nest_, own, instances, workspace_, flag_, flow);
    return flow.arrivals();
  }

  bool by_instance(int stop) const {
    const std::uint8_t memory =
        nest_.stop[static_cast<std::size_t>(tensor_index_)][static_cast<std::size_t>(stop)].memory;
    return ((context_.by_instance >> memory) & 1u) != 0;
  }

  // What the first instance of the parent is asked for.
  std::int64_t first_demand(const Boundary& boundary, const Flow& flow) {
    const auto top = static_cast<std::size_t>(boundary.levels.size);
    if (no_spatial_above(boundary.parent)) return flow.demand[top];
    if (even_split_above(boundary.parent)) return flow.demand[top] / lanes_outside(boundary.parent);
    Flow own;
    (void)boundary_flow(context_, nest_, boundary, Instances::first(), workspace_, flag_, own);
    return own.demand[top];
  }
  std::int64_t first_arrivals(int k, const Boundary& boundary, const Flow& flow) {
    if (no_spatial_above(boundary.child)) return flow.arrivals();
    if (even_split_above(boundary.child)) return flow.arrivals() / lanes_outside(boundary.child);
    return arrivals_at(k, Instances::first());
  }

  bool no_spatial_above(int pos) const { return nest_.first_spatial >= pos; }
  // Perfect factors and no clipping: all instances receive and are asked for the same.
  bool even_split_above(int pos) const { return nest_.first_cut >= pos && !tensor_.clipped; }
  std::int64_t lanes_outside(int pos) const {
    return nest_.lanes_outside[static_cast<std::size_t>(pos)];
  }

  // Compute right below a store, without lanes: one word per operation, shared by nobody.
  void innermost(Tally& tally, std::int64_t zero_starts) {
    const int pos = position(stops_ - 1);
    TensorTally& store = at(tally, stops_ - 1);
    const std::int64_t total = context_.operations;
    (tensor_.is_output ? store.total.updates : store.total.reads) = total;
    if (tensor_.is_output) store.total.reads = flag_.sub(total, zero_starts);
    if (!by_instance(stops_ - 1) || store.instanced == Instanced::kUnknown) return;
    const std::int64_t first =
        even_split_above(pos) ? total / lanes_outside(pos)
                              : tuples(context_, nest_, flag_,
                                       [](int, const NestLoop& loop) { return !loop.spatial; });
    (tensor_.is_output ? store.first.updates : store.first.reads) = first;
    if (tensor_.is_output) store.first.reads = flag_.sub(first, held(pos, Instances::first()));
  }

  bool input(Tally& tally, int k, const Boundary& boundary, const Flow& flow) {
    TensorTally& parent = at(tally, k - 1);
    parent.total.reads = flow.demand[static_cast<std::size_t>(boundary.levels.size)];
    if (by_instance(k - 1)) parent.first.reads = first_demand(boundary, flow);
    const auto& forwards = boundary.levels.forwards;
    const bool several = std::count(forwards.begin(), forwards.end(), true) > 1;
    for (int v = 0; v < boundary.levels.size; ++v) {
      NetworkTally& network = network_at(tally, boundary, v);
      network.words_in = flow.demand[static_cast<std::size_t>(v) + 1];
      network.words_delivered = flow.demand[static_cast<std::size_t>(v)];
      if (flow.forwarded == 0 || !forwards[static_cast<std::size_t>(v)]) continue;
      const int fanout = boundary.levels.fanout[static_cast<std::size_t>(v)];
      const Forwarding giver =
          several ? forwarding(context_, nest_, fanout, tensor_index_) : Forwarding::kThisOne;
      // Which of two fan-outs' neighbours gave a word is not counted apart.
      if (giver == Forwarding::kSeveral) return refused(Refusal::kTwoForwarders);
      if (giver == Forwarding::kThisOne) network.forwarded = flow.forwarded;
    }
    if (boundary.to_compute) return true;
    TensorTally& child = at(tally, k);
    child.total.fills = flow.arrivals();
    if (by_instance(k)) child.first.fills = first_arrivals(k, boundary, flow);
    return true;
  }

  bool output(Tally& tally, int k, const Boundary& boundary, const Flow& flow,
              std::int64_t& zero_starts) {
    const bool every = context_.conventions.refill == Conventions::Refill::kEveryChild;
    if (every && sliding_split_) return refused(Refusal::kSlidingOutput);
    if (unvisited_residences(boundary)) return refused(Refusal::kUnevenResidences);
    const auto top = static_cast<std::size_t>(boundary.levels.size);
    TensorTally& parent = at(tally, k - 1);
    parent.total.updates = flow.demand[top];
    parent.total.reads = flag_.sub(flow.demand[top], zero_starts);
    if (by_instance(k - 1) && parent.instanced != Instanced::kUnknown) {
      parent.first.updates = first_demand(boundary, flow);
      parent.first.reads =
          flag_.sub(parent.first.updates, held(boundary.parent, Instances::first()));
    }
    const std::int64_t refills = flag_.sub(flow.group, zero_starts);
    if (!boundary.to_compute) {
      TensorTally& child = at(tally, k);
      child.total.drains = flow.arrivals();
      std::int64_t child_zero_starts = flag_.sub(flow.arrivals(), refills);
      if (every) child_zero_starts = first_rounds(boundary, 0);
      child.total.fills = flag_.sub(flow.arrivals(), child_zero_starts);
      if (by_instance(k) && child.instanced != Instanced::kUnknown) {
        child.first.drains = first_arrivals(k, boundary, flow);
        child.first.fills = flag_.sub(child.first.drains, held(boundary.child, Instances::first()));
      }
      mark_final(boundary, parent, child);
      zero_starts = child_zero_starts;
    }
    return networks_of_output(tally, boundary, flow, refills, every);
  }

  // Results up, refills down. A refill of one child passes one instance of every fan-out; one of
  // every child passes all that have a child with the word: what a sharing network would carry.
  bool networks_of_output(Tally& tally, const Boundary& boundary, const Flow& flow,
                          std::int64_t refills, bool every) {
    Flow shared;
    if (every && boundary.levels.size > 0) {
      Boundary sharing = boundary;
      sharing.levels.shared.fill(true);
      if (!flow_of(sharing, shared)) return false;
    }
    const auto down = [&](int v) {
      return every
                 ? flag_.sub(shared.demand[static_cast<std::size_t>(v)], first_rounds(boundary, v))
                 : refills;
    };
    for (int v = 0; v < boundary.levels.size; ++v) {
      NetworkTally& network = network_at(tally, boundary, v);
      network.words_collected = flow.demand[static_cast<std::size_t>(v)];
      network.words_out = flow.demand[static_cast<std::size_t>(v) + 1];
      network.words_in = down(v + 1);
      network.words_delivered = down(v);
    }
    return true;
  }

  // refill: every. Words at their first arrival, counted once for each instance of the `v`
  // innermost fan-outs' upper side (v = 0: once for each child).
  std::int64_t first_rounds(const Boundary& boundary, int v) {
    const std::int64_t instances = tuples(context_, nest_, flag_, [&](int i, const NestLoop& loop) {
      if (!loop.spatial || i >= boundary.child || has(tensor_.relevant, loop.dim)) return false;
      for (int inner = 0; inner < v && i >= boundary.parent; ++inner) {
        if (boundary.levels.fanout[static_cast<std::size_t>(inner)] == loop.fanout) return false;
      }
      return true;
    });
    return flag_.mul(held(0, Instances::all()), instances);
  }

  // counting.md A8: a value is complete where no fan-out above holds parts of it.
  bool complete(int pos) const {
    for (int i = 0; i < pos; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      if (loop.spatial && (!has(tensor_.relevant, loop.dim) || has(tensor_.sliding, loop.dim))) {
        return false;
      }
    }
    return true;
  }
  bool reduced_below(const Boundary& boundary) const {
    for (int i = boundary.parent; i < boundary.child; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      if (!loop.spatial) continue;
      if (!has(tensor_.relevant, loop.dim) &&
          ((context_.shares[loop.fanout] >> tensor_index_) & 1u) == 0) {
        return false;
      }
    }
    return true;
  }
  void mark_final(const Boundary& boundary, TensorTally& parent, TensorTally& child) {
    if (tensor_.final_bits == tensor_.bits) return;
    if (complete(boundary.parent) && reduced_below(boundary)) {
      parent.total.final_updates = held(0, Instances::all());
      parent.first.final_updates = held(boundary.parent, Instances::first());
    }
    if (complete(boundary.child)) {
      child.total.final_drains = held(0, Instances::all());
      child.first.final_drains = held(boundary.child, Instances::first());
    }
  }

  NetworkTally& network_at(Tally& tally, const Boundary& boundary, int v) const {
    NetworkTally& network = tally.network[boundary.levels.fanout[static_cast<std::size_t>(v)]]
                                         [static_cast<std::size_t>(tensor_index_)];
    network = NetworkTally{};
    network.used = true;
    return network;
  }

  bool ever_busy(int pos, const std::uint32_t* lane) const {
    std::array<std::int64_t, kMaxDims> offset{};
    for (int i = 0; i < pos; ++i) {
      const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
      if (loop.spatial) offset[loop.dim] += lane[i] * loop.step;
    }
    for (std::size_t d = 0; d < context_.dims; ++d) {
      if (offset[d] >= context_.extent[d]) return false;
    }
    return true;
  }

  // D7. Zero-started residences of one instance: it takes over those of its parent if it is the
  // lowest child of its reduction group, else all its residences start from zero.
  std::int64_t zero_starts_at(int stop, const std::uint32_t* lane) {
    const std::int64_t own = held(position(stop), Instances::at(lane));
    if (context_.conventions.refill == Conventions::Refill::kEveryChild) return own;
    for (int k = stop; k > 0; --k) {
      for (int i = position(k - 1); i < position(k); ++i) {
        const NestLoop& loop = nest_.loop[static_cast<std::size_t>(i)];
        if (!loop.spatial || has(tensor_.relevant, loop.dim) || lane[i] == 0) continue;
        const Instances here = Instances::at(lane);
        if (k == stop) return arrivals_at(k, here);
        // Every index of the simple dimensions arrives equally often.
        return flag_.mul(arrivals_at(k, here) / coverage(position(k), here),
                         coverage(position(stop), here));
      }
    }
    return own;
  }

  const CountingContext& context_;
  const Nest& nest_;
  int tensor_index_;
  const TensorShape& tensor_;
  Workspace& workspace_;
  OverflowFlag& flag_;
  int stops_;
  bool sliding_split_ = false;
  bool plain_ = false;  // plain_flow() will do
};

// Instances, lanes and steps.
void count_lanes(const CountingContext& context, const Nest& nest, OverflowFlag& flag,
                 Tally& tally) {
  std::array<std::int64_t, kMaxFanouts> lanes;  // of the fan-out, in dimensions without an edge
  lanes.fill(1);
  tally.steps = 1;
  for (int i = 0; i < nest.loops; ++i) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (has(nest.ragged, loop.dim)) continue;
    std::int64_t& product = loop.spatial ? lanes[loop.fanout] : tally.steps;
    product = flag.mul(product, loop.bound);
  }
  tally.steps = flag.mul(
      tally.steps,
      ragged_tuples(context, nest, flag, [](int, const NestLoop& loop) { return !loop.spatial; }));
  std::array<std::int64_t, kMaxFanouts + 1> busy;  // children of the first f fan-outs
  std::int64_t perfect = 1;
  for (std::size_t f = 0; f <= context.fanouts; ++f) {
    busy[f] = flag.mul(perfect, ragged_tuples(context, nest, flag, [&](int, const NestLoop& loop) {
                         return loop.spatial && loop.fanout < f;
                       }));
    if (f < context.fanouts) perfect = flag.mul(perfect, lanes[f]);
  }
  for (std::size_t f = 0; f < context.spans; ++f) {
    const Span span = context.span[f];
    tally.fanouts_used[f] = busy[span.first];
    tally.children_used[f] = ragged_tuples(context, nest, flag, [&](int, const NestLoop& loop) {
      return loop.spatial && loop.fanout >= span.first && loop.fanout <= span.last;
    });
    for (std::size_t s = span.first; s <= span.last; ++s) {
      tally.children_used[f] = flag.mul(tally.children_used[f], lanes[s]);
    }
  }
  for (std::size_t m = 0; m < context.memories; ++m) {
    tally.instances_used[m] = busy[context.fanouts_above[m]];
  }
  tally.lanes_used = busy[context.fanouts];
}

}  // namespace

void count(const CountingContext& context, const Nest& nest, Workspace& workspace, Tally& tally) {
  tally.status = StatusCode::kOk;
  workspace.refusal = Refusal::kNone;
  for (std::size_t f = 0; f < context.fanouts; ++f) {
    for (std::size_t t = 0; t < context.tensors; ++t) tally.network[f][t].used = false;
  }
  OverflowFlag flag;
  for (int t = 0; t < context.tensors; ++t) {
    Chain chain(context, nest, t, workspace, flag);
    // One instance may be too irregular where the sum over all was not.
    if (!chain.count(tally) || workspace.refusal != Refusal::kNone) {
      tally.status = StatusCode::kUnsupported;
      return;
    }
  }
  count_lanes(context, nest, flag, tally);
  if (flag.raised()) tally.status = StatusCode::kOverflow;
}

NetworkTally whole_network(const CountingContext& context, const Tally& tally, std::size_t f,
                           std::size_t tensor) {
  const NetworkTally& trunk = tally.network[context.span[f].first][tensor];
  const NetworkTally& rows = tally.network[context.span[f].last][tensor];
  NetworkTally whole = trunk.used ? trunk : rows;
  if (!whole.used || !context.span[f].two()) return whole;
  // Without lanes on the trunk's axis there is one row, without lanes in rows every child is one.
  whole.rows_in = trunk.used ? trunk.words_delivered : rows.words_in;
  whole.rows_out = trunk.used ? trunk.words_collected : rows.words_out;
  if (rows.used) {
    whole.words_delivered = rows.words_delivered;
    whole.words_collected = rows.words_collected;
  }
  return whole;
}

Words words_of_instance(const CountingContext& context, const Nest& nest, Workspace& workspace,
                        int tensor, int stop, const std::uint32_t* lane, OverflowFlag& flag) {
  return Chain(context, nest, tensor, workspace, flag).of_instance(stop, lane);
}

std::int64_t residences(const CountingContext& context, const Nest& nest, int tensor, int fanout,
                        OverflowFlag& flag) {
  int child = nest.loops;
  const auto t = static_cast<std::size_t>(tensor);
  for (int s = nest.stops[t]; s-- > 0;) {
    const Stop& stop = nest.stop[t][static_cast<std::size_t>(s)];
    if (context.fanouts_above[stop.memory] > fanout) child = stop.position;
  }
  // Compute's word is looked at as if compute were a store: its run is what keeps it in place.
  const Boundary boundary = make_boundary(context, nest, tensor, child, child, false);
  return tuples(context, nest, flag, [&](int i, const NestLoop& loop) {
    return i < child && !loop.spatial &&
           boundary.role[static_cast<std::size_t>(i)] != LoopRole::kHeld;
  });
}

std::int64_t tile_footprint(const CountingContext& context, int tensor,
                            const std::array<std::int64_t, kMaxDims>& tile, Workspace& workspace) {
  const bool box = context.conventions.footprint == Conventions::Footprint::kBox;
  return footprint(context.tensor[static_cast<std::size_t>(tensor)], box, tile, workspace);
}

void WorkspaceDeleter::operator()(Workspace* workspace) const { delete workspace; }
Refusal refusal(const Workspace& workspace) { return workspace.refusal; }
void refuse(Workspace& workspace, Refusal reason) { workspace.refusal = reason; }
WorkspacePtr make_workspace(std::size_t known_ranks) {
  return WorkspacePtr(new Workspace(known_ranks));
}

}  // namespace loopscape
