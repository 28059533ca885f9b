#include "mapper/bound/crossings.h"

#include <algorithm>

#include "model/counting/counting.h"

namespace loopscape {
namespace {

// What a BoundaryCounter remembers is large; it starts afresh after so many counts.
constexpr std::uint64_t kMostRemembered = 1 << 19;

bool has(DimMask dims, std::size_t d) { return (dims >> d & 1u) != 0; }

}  // namespace

Crossings::Crossings(const Evaluator& evaluator, Factors factors)
    : evaluator_(evaluator),
      problem_(evaluator_.problem()),
      perfect_(factors == Factors::kPerfect),
      scratch_(evaluator.make_scratch()),
      counter_(evaluator) {
  const Arch& arch = evaluator_.arch();
  for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
    const Tensor& tensor = problem_.tensors[t];
    bits_.push_back(bits_of(tensor, arch));
    for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
      const int carrier = counter_.network(f, t);
      if (carrier < 0) continue;
      const Network& network = arch.fanouts[f].networks[static_cast<std::size_t>(carrier)];
      const auto listed = [&](const std::vector<std::string>& names) {
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          return (problem_.tensors_called(name) >> t & 1u) != 0;
        });
      };
      const TensorMask one = bit(static_cast<TensorId>(t));
      if (listed(tensor.is_output ? network.reduce : network.multicast)) {
        shares_[f] = static_cast<TensorMask>(shares_[f] | one);
      }
      if (listed(network.forward)) forwards_[f] = static_cast<TensorMask>(forwards_[f] | one);
    }
  }
}

void Crossings::meet(std::size_t tensor, const MappingNode& loop, std::size_t at,
                     Crossing& crossing) const {
  using Phase = Crossing::Phase;
  if (crossing.ended()) return;
  const std::size_t d = loop.id;
  if (loop.kind == LoopKind::kSpatial) {
    if (crossing.phase != Phase::kMarch || crossing.marching != static_cast<int>(d)) return;
    crossing.phase = Phase::kEnded;
    crossing.end = static_cast<std::uint8_t>(at + 1);  // the lanes themselves end it
    return;
  }
  if (!stays_open(tensor, d, crossing)) {
    crossing.phase = Phase::kEnded;
    crossing.ended_by = static_cast<std::int8_t>(d);
    crossing.end = static_cast<std::uint8_t>(at);
    return;
  }
  if (crossing.phase == Phase::kMarch || !has(counter_.relevant(tensor), d)) return;
  crossing.phase = Phase::kMarch;
  crossing.marching = static_cast<std::int8_t>(d);
}

bool Crossings::stays_open(std::size_t tensor, std::size_t dim, const Crossing& crossing) const {
  if (crossing.ended()) return false;
  if (crossing.phase == Crossing::Phase::kMarch) return crossing.marching == static_cast<int>(dim);
  return !has(counter_.relevant(tensor), dim) || has(counter_.sliding(tensor), dim);
}

std::int64_t Crossings::tile_bits(TensorMask tensors, const Sizes& tile) const {
  std::int64_t bits = 0;
  for (std::size_t t = 0; t < bits_.size(); ++t) {
    if ((tensors >> t & 1u) != 0) bits += counter_.tile_words(t, tile) * bits_[t];
  }
  return bits;
}

std::optional<std::int64_t> Crossings::words(std::size_t tensor, std::uint8_t memory,
                                             const Sizes& tile,
                                             const std::vector<MappingNode>& loops,
                                             const Crossing& crossing) {
  ++work_;
  BoundaryLoops boundary;
  boundary.tensor = static_cast<std::uint8_t>(tensor);
  boundary.child = memory;
  boundary.tile = tile;
  boundary.parent = crossing.parent;
  boundary.ended_by = crossing.ended_by;
  const std::size_t end_of_march = crossing.ended() ? crossing.end : loops.size();
  std::size_t end = end_of_march;
  for (std::size_t i = end; i < crossing.parent_at; ++i) {
    if (loops[i].kind != LoopKind::kSpatial) continue;
    end = i + 1;
    boundary.ended_by = -1;  // it is among the loops
  }
  boundary.parent_at = std::min<std::size_t>(end, crossing.parent_at);
  boundary.loops = std::span(loops).first(end);
  const std::optional<std::int64_t> words = demand(boundary, end_of_march);
  if (!words) return std::nullopt;
  // Of an output, all visits but a word's first bring the partial sum back.
  if (!problem_.tensors[tensor].is_output) return words;
  return 2 * *words - counter_.all_words(tensor);
}

// What lanes over dimensions that the tensor does not have multiply its words by. Where the edge
// leaves some of them idle, or neighbours pass words on, that is not apart from the rest.
Crossings::Copies Crossings::copies(const BoundaryLoops& boundary) const {
  Copies copies;
  const std::size_t t = boundary.tensor;
  for (std::size_t i = 0; i < boundary.loops.size(); ++i) {
    const MappingNode& loop = boundary.loops[i];
    if (loop.kind != LoopKind::kSpatial) continue;
    const std::size_t f = index(evaluator_.arch().fanout_of(loop.axis_id()));
    if ((forwards_[f] >> t & 1u) != 0) return {false, 1};
    if (has(counter_.relevant(t), loop.id)) continue;
    if (!perfect_) return {false, 1};
    if (i >= boundary.parent_at || (shares_[f] >> t & 1u) == 0) copies.number *= loop.bound;
  }
  return copies;
}

// Dimensions that only repeat, or whose indices are words one by one, need not be told apart: the
// words of all their tiles together are known. What is left is counted.
std::optional<std::int64_t> Crossings::demand(const BoundaryLoops& boundary, std::size_t end) {
  const Copies apart = copies(boundary);
  const std::size_t t = boundary.tensor;
  const bool plain = counter_.complex(t) == 0;
  // What ended the march must stay in sight of loops further out.
  if (!apart.apart || (!plain && end < boundary.loops.size())) return counted(boundary);
  BoundaryLoops rest = boundary;
  Sizes reach = boundary.tile;
  for (std::size_t i = 0; i < boundary.loops.size(); ++i) {
    const MappingNode& loop = boundary.loops[i];
    if (i < end || loop.kind == LoopKind::kSpatial) reach[loop.id] *= loop.bound;
  }
  std::int64_t times = apart.number;
  for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
    if (has(counter_.complex(t), d)) continue;
    const std::int64_t extent = problem_.dims[d].extent;
    const bool ends = !plain && static_cast<int>(d) == boundary.ended_by;
    if (!ends && !has(counter_.relevant(t), d)) times *= ceil_div(extent, reach[d]);
    rest.tile[d] =
        static_cast<std::uint32_t>(ends ? std::min<std::int64_t>(reach[d], extent) : extent);
  }
  if (plain) return times * counter_.all_words(t);
  kept_.clear();
  rest.parent_at = 0;
  for (std::size_t i = 0; i < boundary.loops.size(); ++i) {
    if (!has(counter_.complex(t), boundary.loops[i].id)) continue;
    kept_.push_back(boundary.loops[i]);
    if (i < boundary.parent_at) rest.parent_at = kept_.size();
  }
  rest.loops = kept_;
  const std::optional<std::int64_t> once = counted(rest);
  return once ? std::optional(*once * times) : std::nullopt;
}

std::optional<std::int64_t> Crossings::counted(const BoundaryLoops& boundary) {
  std::string key{static_cast<char>(boundary.tensor), static_cast<char>(boundary.child),
                  static_cast<char>(boundary.parent), static_cast<char>(boundary.parent_at),
                  static_cast<char>(boundary.ended_by)};
  key.append(reinterpret_cast<const char*>(boundary.tile.data()),
             problem_.dims.size() * sizeof(std::uint32_t));
  key.append(reinterpret_cast<const char*>(boundary.loops.data()),
             boundary.loops.size() * sizeof(MappingNode));
  const auto found = known_.find(key);
  if (found != known_.end()) {
    return found->second < 0 ? std::nullopt : std::optional(found->second);
  }
  if (known_.size() >= kMostRemembered) known_.clear();
  const BoundaryFlow& flow = counter_.flow(boundary);
  const std::int64_t demand = flow.known ? static_cast<std::int64_t>(flow.most.demand) : -1;
  known_.emplace(std::move(key), demand);
  return flow.known ? std::optional(demand) : std::nullopt;
}

}  // namespace loopscape
