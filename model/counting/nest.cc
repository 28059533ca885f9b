// From a mapping to loops with steps, and the fast legality test: every rule of model.md section 3
// in one pass in each direction, without a sentence (validate_mapping() has the sentences).

#include <algorithm>

#include "model/counting/counting.h"

namespace loopscape {
namespace {

// What the outside-in pass has seen.
struct Seen {
  std::array<TensorMask, kMaxMemories> stored_by{};  // whole mapping
  std::array<TensorMask, kMaxMemories> so_far{};     // stores met
  std::array<std::int64_t, kMaxAxes> axis_product;
  int deepest_store = 0;    // most fan-outs above a store met
  int shallowest_next = 0;  // a later store lies below at least this many fan-outs
};

bool known_nodes(const CountingContext& context, const Mapping& mapping, Nest& nest) {
  for (const MappingNode& node : mapping) {
    if (node.kind == LoopKind::kStore) {
      if (node.id >= context.memories || node.tensors == 0 ||
          (node.tensors >> context.tensors) != 0 || (node.tensors & context.bypass[node.id]) != 0 ||
          (nest.stored[node.id] & node.tensors) != 0) {
        return false;
      }
      nest.stored[node.id] |= node.tensors;
    } else {
      if (node.id >= context.dims || node.bound == 0) return false;
      if (node.kind == LoopKind::kSpatial && node.axis >= context.axes) return false;
      if (node.kind > LoopKind::kSpatial) return false;
    }
  }
  const auto every_tensor = static_cast<TensorMask>((1u << context.tensors) - 1);
  if (nest.stored[0] != every_tensor) return false;
  for (std::size_t m = 0; m < context.memories; ++m) {
    if ((context.keep[m] & ~nest.stored[m]) != 0) return false;
  }
  return true;
}

// Stores follow the architecture's order; memories between the same two fan-outs that share no
// tensor may come in any order.
bool place_store(const CountingContext& context, const MappingNode& node, const Nest& nest,
                 Seen& seen) {
  const int depth = context.fanouts_above[node.id];
  if (depth < seen.deepest_store || depth < seen.shallowest_next) return false;
  seen.deepest_store = depth;
  for (std::size_t inner = node.id + 1u; inner < context.memories; ++inner) {
    if (seen.so_far[inner] != 0 && (nest.stored[inner] & nest.stored[node.id]) != 0) {
      return false;
    }
  }
  seen.so_far[node.id] |= node.tensors;
  return true;
}

bool place_spatial(const CountingContext& context, const MappingNode& node, Seen& seen) {
  const int fanout = context.axis_fanout[node.axis];
  if (seen.deepest_store > fanout) return false;
  seen.shallowest_next = std::max(seen.shallowest_next, fanout + 1);
  if (((context.axis_dims[node.axis] >> node.id) & 1u) == 0) return false;
  std::int64_t& product = seen.axis_product[node.axis];
  product *= node.bound;
  return product <= context.axis_size[node.axis];
}

// Inside-out: steps and tiles, and no empty iteration of a dimension's outermost loop. An
// iteration (bound - 1) * step >= extent of any loop makes the outermost one empty too.
bool set_steps(const CountingContext& context, Nest& nest) {
  std::array<std::int64_t, kMaxDims> size;
  size.fill(1);
  int tile = nest.tiles - 1;
  for (int i = nest.loops; i >= 0; --i) {
    if (tile >= 0 && nest.tile_position[static_cast<std::size_t>(tile)] == i) {
      for (std::size_t d = 0; d < context.dims; ++d) {
        nest.tile[static_cast<std::size_t>(tile)][d] = std::min(size[d], context.extent[d]);
      }
      --tile;
    }
    if (i == 0) break;
    NestLoop& loop = nest.loop[static_cast<std::size_t>(i - 1)];
    std::int64_t& reach = size[loop.dim];
    loop.step = reach;
    const auto extent = static_cast<std::uint64_t>(context.extent[loop.dim]);
    const auto step = static_cast<std::uint64_t>(reach);
    if (step >= extent || (loop.bound - 1) * step >= extent) return false;
    reach *= loop.bound;
  }
  for (std::size_t d = 0; d < context.dims; ++d) {
    if (size[d] < context.extent[d]) return false;
    if (size[d] > context.extent[d]) nest.ragged |= static_cast<DimMask>(1u << d);
  }
  return true;
}

void set_lanes(Nest& nest) {
  nest.first_spatial = nest.first_cut = nest.loops;
  nest.lanes_outside[0] = 1;
  for (std::size_t i = 0; i < nest.loops; ++i) {
    const NestLoop& loop = nest.loop[i];
    nest.lanes_outside[i + 1] = nest.lanes_outside[i] * (loop.spatial ? loop.bound : 1);
    if (!loop.spatial) continue;
    const auto at = static_cast<std::uint8_t>(i);
    nest.first_spatial = std::min(nest.first_spatial, at);
    if (((nest.ragged >> loop.dim) & 1u) != 0) nest.first_cut = std::min(nest.first_cut, at);
  }
}

}  // namespace

Legality build_nest(const CountingContext& context, const Mapping& mapping, Nest& nest) {
  nest.loops = nest.tiles = 0;
  nest.stops.fill(0);
  nest.ragged = nest.split = 0;
  nest.stored.fill(0);
  Seen seen;
  std::fill_n(seen.axis_product.begin(), context.axes, 1);
  if (!known_nodes(context, mapping, nest)) return Legality::kIllegal;
  for (const MappingNode& node : mapping) {
    if (node.kind == LoopKind::kStore) {
      if (!place_store(context, node, nest, seen)) return Legality::kIllegal;
      if (nest.tiles == 0 || nest.tile_position[nest.tiles - 1u] != nest.loops) {
        nest.tile_position[nest.tiles++] = nest.loops;
      }
      for (unsigned rest = node.tensors; rest != 0; rest &= rest - 1) {
        const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
        nest.stop[t][nest.stops[t]++] = {node.id, nest.loops,
                                         static_cast<std::uint8_t>(nest.tiles - 1)};
      }
      continue;
    }
    const bool spatial = node.kind == LoopKind::kSpatial;
    if (spatial && !place_spatial(context, node, seen)) return Legality::kIllegal;
    if (node.bound == 1) continue;
    nest.loop[nest.loops++] = {0,
                               node.bound,
                               node.id,
                               node.axis,
                               spatial ? context.axis_fanout[node.axis] : std::uint8_t{0},
                               spatial};
    if (spatial) nest.split |= static_cast<DimMask>(1u << node.id);
  }
  if (!set_steps(context, nest)) return Legality::kIllegal;
  set_lanes(nest);
  return Legality::kLegal;
}

}  // namespace loopscape
