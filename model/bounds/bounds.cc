#include "model/bounds/bounds.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/counting/counting.h"
#include "model/interconnect/interconnect.h"

namespace loopscape {
namespace {

// The context of one tensor alone, with nothing that a mapping must store.
CountingContext alone(const CountingContext& all, std::size_t t) {
  CountingContext one = all;
  const auto moved = [&](TensorMask mask) { return static_cast<TensorMask>(mask >> t & 1u); };
  one.tensors = 1;
  one.tensor[0] = all.tensor[t];
  one.output = all.tensor[t].is_output ? 0 : 1;
  one.keep.fill(0);
  one.bypass.fill(0);
  one.by_instance = 0;
  one.conventions.reuse = Conventions::Reuse::kMarch;
  for (std::size_t f = 0; f < all.fanouts; ++f) {
    one.shares[f] = moved(all.shares[f]);
    one.forwards[f] = moved(all.forwards[f]);
  }
  for (std::size_t f = 0; f < all.spans; ++f) one.network[f][0] = all.network[f][t];
  return one;
}

// Distinct indices of a rank that are words, not generated padding; 0, which is never too many, for
// a rank too large to list.
std::int64_t valid_indices(const CountingContext& context, const RankShape& rank) {
  constexpr std::int64_t kLargest = 1 << 22;
  std::int64_t span = 1;
  for (std::size_t i = 0; i < rank.terms; ++i) {
    span += rank.coefficient[i] * (context.extent[rank.dim[i]] - 1);
  }
  if (span > kLargest) return 0;
  std::vector<bool> reached(static_cast<std::size_t>(span));
  reached[0] = true;
  for (std::size_t i = 0; i < rank.terms; ++i) {
    const std::int64_t extent = context.extent[rank.dim[i]];
    const std::vector<bool> before = reached;
    for (std::size_t at = 0; at < before.size(); ++at) {
      for (std::int64_t k = 1; before[at] && k < extent; ++k) {
        const std::size_t to = at + static_cast<std::size_t>(k * rank.coefficient[i]);
        if (to < reached.size()) reached[to] = true;
      }
    }
  }
  const auto begin = static_cast<std::size_t>(std::clamp<std::int64_t>(rank.valid_begin, 0, span));
  const auto end = static_cast<std::size_t>(std::clamp<std::int64_t>(rank.valid_end, 0, span));
  return std::count(reached.begin() + static_cast<std::ptrdiff_t>(begin),
                    reached.begin() + static_cast<std::ptrdiff_t>(std::max(begin, end)), true);
}

std::int64_t moving_words(const CountingContext& context, const TensorShape& tensor) {
  if (!tensor.clipped) return tensor.simple_words * tensor.complex_words;
  std::int64_t words = tensor.simple_words;
  for (std::size_t r = 0; r < tensor.ranks; ++r) {
    if (tensor.rank[r].simple) continue;
    words *=
        tensor.rank[r].clipped ? valid_indices(context, tensor.rank[r]) : tensor.rank[r].all_words;
  }
  return words;
}

}  // namespace

struct BoundaryCounter::State {
  explicit State(const Evaluator& its) : evaluator(its) {}

  // The smallest nest with these loops: everything else repeats outside them. The loop that ended
  // the march stands right outside, so that it ends it here too.
  bool reduce(const BoundaryLoops& boundary, Mapping& mapping) const {
    std::array<std::int64_t, kMaxDims> reach{};
    for (std::size_t d = 0; d < all.dims; ++d) reach[d] = boundary.tile[d];
    for (const MappingNode& loop : boundary.loops) reach[loop.id] *= loop.bound;
    const auto outside = [&](std::size_t d) {
      return static_cast<std::uint32_t>(ceil_div(all.extent[d], reach[d]));
    };
    std::array<std::uint32_t, kMaxDims> tile = boundary.tile;
    const DimMask merged = mergeable(boundary);
    for (std::size_t d = 0; d < all.dims; ++d) {
      if ((merged >> d & 1u) == 0) continue;
      const bool relevant = (all.tensor[boundary.tensor].relevant >> d & 1u) != 0;
      tile[d] = relevant ? 1 : static_cast<std::uint32_t>(ceil_div(all.extent[d], outside(d)));
      if (relevant) reach[d] = 1;
    }
    bool fits = mapping.push_back(MappingNode::store(MemoryId{0}, 1));
    const auto loop = [&](std::size_t d, std::uint32_t bound) {
      if (bound > 1) fits &= mapping.push_back(MappingNode::loop(static_cast<DimId>(d), bound));
    };
    for (std::size_t d = 0; d < all.dims; ++d) {
      if (static_cast<int>(d) != boundary.ended_by) loop(d, outside(d));
    }
    if (boundary.ended_by >= 0) {
      const auto d = static_cast<std::size_t>(boundary.ended_by);
      loop(d, outside(d));
    }
    for (std::size_t i = boundary.loops.size(); i-- > 0;) {
      if ((merged >> boundary.loops[i].id & 1u) == 0) fits &= mapping.push_back(boundary.loops[i]);
      if (i == boundary.parent_at && boundary.parent != 0) {
        fits &= mapping.push_back(MappingNode::store(static_cast<MemoryId>(boundary.parent), 1));
      }
    }
    if (!boundary.to_compute) {
      fits &= mapping.push_back(MappingNode::store(static_cast<MemoryId>(boundary.child), 1));
    }
    for (std::size_t d = 0; d < all.dims; ++d) loop(d, tile[d]);
    return fits;
  }

  // Dimensions without lanes here that only tell how often a run repeats, or not even that: the
  // irrelevant ones, and where every index is a word the relevant ones as well, if the run ends.
  // Many boundaries become one. What neighbours forward depends on every loop.
  DimMask mergeable(const BoundaryLoops& boundary) const {
    const std::size_t t = boundary.tensor;
    if (all.conventions.reuse != Conventions::Reuse::kMarch) return 0;
    for (std::size_t f = 0; f < all.fanouts; ++f) {
      if ((all.forwards[f] >> t & 1u) != 0) return 0;
    }
    const DimMask relevant = all.tensor[t].relevant;
    DimMask lanes = 0;
    for (const MappingNode& loop : boundary.loops) {
      const auto dim = static_cast<DimMask>(1u << loop.id);
      if (loop.kind == LoopKind::kSpatial) lanes = static_cast<DimMask>(lanes | dim);
      if (loop.kind != LoopKind::kSpatial && (relevant & dim) != 0) return 0;
    }
    const auto whole = static_cast<DimMask>(boundary.ended_by < 0 ? 0 : relevant & ~complex[t]);
    return static_cast<DimMask>((whole | ~relevant) & ~lanes);
  }

  static std::string key_of(const BoundaryLoops& boundary, const Mapping& mapping);

  BoundaryFlow count_flow(const BoundaryLoops& boundary, const Mapping& mapping) {
    BoundaryFlow flow;
    const CountingContext& context = one[boundary.tensor];
    if (build_nest(context, mapping, nest) != Legality::kLegal) return flow;
    count(context, nest, *workspace, tally);
    if (tally.status != StatusCode::kOk) return flow;
    const bool apart = boundary.parent_at < boundary.loops.size();
    const Words& parent = tally.memory[apart ? boundary.parent : 0][0].total;
    const TensorShape& tensor = context.tensor[0];
    const auto demand = static_cast<double>(tensor.is_output ? parent.updates : parent.reads);
    flow.most = {demand, demand, demand};
    if (!boundary.to_compute) {
      const Words& child = tally.memory[boundary.child][0].total;
      flow.most.arrivals = static_cast<double>(tensor.is_output ? child.drains : child.fills);
      flow.most.group = flow.most.arrivals;
      if (tensor.is_output) {
        const std::int64_t zero_starts =
            apart ? parent.drains - parent.fills : words[boundary.tensor];
        flow.most.group = static_cast<double>(child.fills + zero_starts);
      }
    }
    flow.known = true;
    const bool reuses_more = set_least(boundary, flow);
    const std::size_t above = apart ? context.fanouts_above[boundary.parent] : 0;
    flow.known = add_networks(context, above, reuses_more, flow);
    return flow;
  }

  // What must cross in any case: under `previous_tile` only that every word arrives somewhere once.
  // A tile at an edge stays through loops outside it, which the reduced nest does not have.
  bool set_least(const BoundaryLoops& boundary, BoundaryFlow& flow) const {
    flow.least = flow.most;
    const bool same =
        all.conventions.reuse == Conventions::Reuse::kMarch || boundary.to_compute ||
        (one[boundary.tensor].tensor[0].complex_ranks == 0 && !boundary.ragged && nest.ragged == 0);
    if (same) return false;
    const auto once = static_cast<double>(words[boundary.tensor]);
    flow.least.demand = std::min(flow.most.demand, once);
    flow.least.arrivals = std::min(flow.most.arrivals, once);
    flow.least.group = std::min(flow.most.group, once);
    return true;
  }

  // Of the fan-outs below the parent; `above`: how many are not.
  bool add_networks(const CountingContext& context, std::size_t above, bool reuses_more,
                    BoundaryFlow& flow) {
    OverflowFlag flag;
    for (std::size_t f = 0; f < context.spans; ++f) {
      if (context.span[f].first < above) continue;
      const NetworkTally network = whole_network(context, tally, f, 0);
      const int carrier = context.network[f][0];
      if (!network.used || carrier < 0) continue;
      const Network& its = evaluator.arch().fanouts[f].networks[static_cast<std::size_t>(carrier)];
      const double bits = context.tensor[0].bits;
      BoundaryFlow::Network sum;
      sum.fanout = static_cast<std::uint8_t>(f);
      sum.least_bits = sum.most_bits =
          static_cast<double>(network.words_in + network.words_out) * bits;
      if (its.energy_pj_per_bit_hop != 0) {
        std::int64_t hops = 0;
        if (!hops_of(context, f, its.network_class, network, flag, hops)) return false;
        sum.least_pj = sum.most_pj = static_cast<double>(hops) * bits * its.energy_pj_per_bit_hop;
      }
      // Refills that do not come back here, because more words started from zero further out, and
      // words that were still there, cross fewer links. A refill takes no more than its way up.
      if (context.tensor[0].is_output) {
        sum.least_bits = static_cast<double>(network.words_out) * bits;
        sum.least_pj /= 2;
      }
      sum.exact = !reuses_more;
      if (reuses_more) sum.least_bits = sum.least_pj = 0;
      flow.networks.push_back(sum);
    }
    return !flag.raised();
  }

  bool hops_of(const CountingContext& context, std::size_t f, NetworkClass network_class,
               const NetworkTally& network, OverflowFlag& flag, std::int64_t& hops) {
    if (!context.span[f].two()) {
      return count_hops(context, nest, context.span[f].first, 0, network_class, network, *workspace,
                        flag, hops);
    }
    const Fanout& fanout = evaluator.arch().fanouts[f];
    const auto trunk = static_cast<std::int64_t>(fanout.axes.back().size);
    hops = bus_hops(network_class, trunk, fanout.children() / trunk, network, flag);
    return true;
  }

  // Words of a full tile, where no listing is needed; -1 otherwise.
  std::int64_t quick_words(const TensorShape& tensor, std::span<const std::uint32_t> tile) const {
    const bool box = all.conventions.footprint == Conventions::Footprint::kBox;
    std::int64_t product = 1;
    for (std::size_t r = 0; r < tensor.ranks; ++r) {
      const RankShape& rank = tensor.rank[r];
      std::int64_t reach = 0;
      std::int64_t coefficient = 1, widest = 1;
      std::int64_t covered = 1;  // without holes, by a term of coefficient 1
      int terms = 0;
      for (std::size_t i = 0; i < rank.terms; ++i) {
        const auto size = std::min<std::int64_t>(tile[rank.dim[i]], all.extent[rank.dim[i]]);
        if (size == 1) continue;
        ++terms;
        coefficient = rank.coefficient[i];
        widest = std::max(widest, coefficient);
        reach += coefficient * (size - 1);
        if (coefficient == 1) covered = std::max(covered, size);
      }
      if (box || (terms == 2 && widest <= covered)) {
        product *= reach + 1;
      } else if (terms <= 1) {
        product *= reach / coefficient + 1;
      } else {
        return -1;
      }
    }
    return product;
  }

  // Ranks in which two dimensions really slide, or whose words are not one per index.
  void find_shapes() {
    const bool box = all.conventions.footprint == Conventions::Footprint::kBox;
    for (std::size_t t = 0; t < all.tensors; ++t) {
      const TensorShape& tensor = all.tensor[t];
      bool other_ranks = tensor.clipped;
      for (std::size_t r = 0; r < tensor.ranks; ++r) {
        const RankShape& rank = tensor.rank[r];
        DimMask dims = 0;
        std::int64_t coefficient = 1, widest = 1;
        for (std::size_t i = 0; i < rank.terms; ++i) {
          if (all.extent[rank.dim[i]] == 1) continue;
          dims = static_cast<DimMask>(dims | (1u << rank.dim[i]));
          coefficient = rank.coefficient[i];
          widest = std::max(widest, coefficient);
        }
        const bool slides = (dims & (dims - 1)) != 0;
        if (slides && !(add_pair(t, rank, widest == 1) && (widest == 1 || !box)))
          other_ranks = true;
        const bool holes = box && !tensor.is_output && coefficient > 1;
        if (slides && widest == 1 && !rank.clipped) {
          gapless[t] = static_cast<DimMask>(gapless[t] | dims);
        }
        if (slides) sliding[t] = static_cast<DimMask>(sliding[t] | dims);
        if (slides || holes || rank.clipped) complex[t] = static_cast<DimMask>(complex[t] | dims);
      }
      if (other_ranks) pairs[t].clear();
    }
  }

  // False: more than two dimensions slide.
  bool add_pair(std::size_t t, const RankShape& rank, bool gapless_rank) {
    Pair pair;
    int terms = 0;
    for (std::size_t i = 0; i < rank.terms; ++i) {
      if (all.extent[rank.dim[i]] == 1) continue;
      (terms == 0 ? pair.a : pair.b) = rank.dim[i];
      (terms == 0 ? pair.step_a : pair.step_b) = rank.coefficient[i];
      ++terms;
    }
    pair.gapless = gapless_rank;
    pair.words = rank.all_words;
    pairs[t].push_back(pair);
    return terms == 2 && pair.a != pair.b;
  }

  Evaluator evaluator;
  std::array<DimMask, kMaxTensors> sliding{}, complex{}, gapless{};
  std::array<std::vector<Pair>, kMaxTensors> pairs;
  CountingContext all;
  std::array<CountingContext, kMaxTensors> one;
  std::array<std::int64_t, kMaxTensors> words{};
  WorkspacePtr workspace = make_workspace();
  std::unordered_map<std::string, BoundaryFlow> known;
  Nest nest;
  Tally tally;
};

BoundaryCounter::BoundaryCounter(const Evaluator& evaluator)
    : state_(std::make_unique<State>(evaluator)) {
  // The evaluator made the same context, so this cannot fail.
  state_->all =
      *make_counting_context(evaluator.problem(), evaluator.arch(), evaluator.conventions());
  state_->find_shapes();
  for (std::size_t t = 0; t < state_->all.tensors; ++t) {
    state_->one[t] = alone(state_->all, t);
    state_->words[t] = moving_words(state_->all, state_->all.tensor[t]);
  }
}
BoundaryCounter::~BoundaryCounter() = default;
BoundaryCounter::BoundaryCounter(BoundaryCounter&&) noexcept = default;

std::string BoundaryCounter::State::key_of(const BoundaryLoops& boundary, const Mapping& mapping) {
  // The same nest answers for each of its boundaries.
  std::string key{static_cast<char>(boundary.tensor), static_cast<char>(boundary.to_compute),
                  static_cast<char>(boundary.parent_at < boundary.loops.size()),
                  static_cast<char>(boundary.ragged)};
  key.append(reinterpret_cast<const char*>(mapping.begin()), mapping.size() * sizeof(MappingNode));
  return key;
}

std::string BoundaryCounter::key_of(const BoundaryLoops& boundary) const {
  Mapping mapping;
  return state_->reduce(boundary, mapping) ? State::key_of(boundary, mapping) : "";
}

const BoundaryFlow& BoundaryCounter::flow(const BoundaryLoops& boundary) {
  constexpr std::size_t kMostKnown = 1 << 16;  // some 30 MB
  Mapping mapping;
  static const BoundaryFlow kUnknown;
  if (!state_->reduce(boundary, mapping)) return kUnknown;
  std::string key = State::key_of(boundary, mapping);
  const auto found = state_->known.find(key);
  if (found != state_->known.end()) return found->second;
  if (state_->known.size() >= kMostKnown) state_->known.clear();
  return state_->known.emplace(std::move(key), state_->count_flow(boundary, mapping)).first->second;
}

BoundaryFlow BoundaryCounter::flow_anew(const BoundaryLoops& boundary) {
  Mapping mapping;
  if (!state_->reduce(boundary, mapping)) return {};
  return state_->count_flow(boundary, mapping);
}

std::int64_t BoundaryCounter::tile_words(std::size_t tensor,
                                         std::span<const std::uint32_t> tile) const {
  const std::int64_t quick = state_->quick_words(state_->all.tensor[tensor], tile);
  if (quick >= 0) return quick;
  std::array<std::int64_t, kMaxDims> sizes{};
  for (std::size_t d = 0; d < state_->all.dims; ++d) {
    sizes[d] = std::min<std::int64_t>(tile[d], state_->all.extent[d]);
  }
  return tile_footprint(state_->all, static_cast<int>(tensor), sizes, *state_->workspace);
}

std::int64_t BoundaryCounter::all_words(std::size_t tensor) const { return state_->words[tensor]; }
DimMask BoundaryCounter::relevant(std::size_t tensor) const {
  return state_->all.tensor[tensor].relevant;
}
DimMask BoundaryCounter::sliding(std::size_t tensor) const { return state_->sliding[tensor]; }
DimMask BoundaryCounter::complex(std::size_t tensor) const { return state_->complex[tensor]; }
const std::vector<BoundaryCounter::Pair>& BoundaryCounter::pairs(std::size_t tensor) const {
  return state_->pairs[tensor];
}

std::int64_t BoundaryCounter::pair_words(std::size_t tensor, const Pair& pair, std::int64_t a,
                                         std::int64_t b) const {
  std::array<std::uint32_t, kMaxDims> tile;
  tile.fill(1);
  tile[pair.a] = static_cast<std::uint32_t>(a);
  tile[pair.b] = static_cast<std::uint32_t>(b);
  return tile_words(tensor, tile);
}

std::int64_t BoundaryCounter::pair_words_of_all(std::size_t tensor, const Pair& pair,
                                                std::int64_t a, std::int64_t b) const {
  const std::int64_t whole_a = state_->all.extent[pair.a] / a;
  const std::int64_t whole_b = state_->all.extent[pair.b] / b;
  const std::int64_t rest_a = state_->all.extent[pair.a] % a;
  const std::int64_t rest_b = state_->all.extent[pair.b] % b;
  std::int64_t sum = 0;
  const auto add = [&](std::int64_t count, std::int64_t size_a, std::int64_t size_b) {
    if (count > 0 && size_a > 0 && size_b > 0) {
      sum += count * pair_words(tensor, pair, size_a, size_b);
    }
  };
  add(whole_a * whole_b, a, b);
  add(whole_a, a, rest_b);
  add(whole_b, rest_a, b);
  add(1, rest_a, rest_b);
  return sum;
}

DimMask BoundaryCounter::named_sliding(std::size_t tensor) const {
  return state_->all.tensor[tensor].sliding;
}
DimMask BoundaryCounter::gapless(std::size_t tensor) const { return state_->gapless[tensor]; }
bool BoundaryCounter::clipped(std::size_t tensor) const {
  return state_->all.tensor[tensor].clipped;
}
int BoundaryCounter::network(std::size_t fanout, std::size_t tensor) const {
  return state_->all.network[fanout][tensor];
}
bool BoundaryCounter::reduces(std::size_t first_fanout, std::size_t last_fanout) const {
  for (std::size_t f = first_fanout; f < last_fanout; ++f) {
    if ((state_->all.shares[state_->all.span[f].first] >> state_->all.output & 1u) == 0)
      return false;
  }
  return true;
}
}  // namespace loopscape
