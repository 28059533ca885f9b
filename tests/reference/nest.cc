#include "tests/reference/nest.h"

#include <algorithm>
#include <utility>

namespace loopscape::reference {
namespace {

// T_d at every position: the product of the bounds of the loops further in.
Extents tile_below(const Problem& problem, const Mapping& mapping, std::size_t at) {
  Extents tile{};
  for (std::size_t d = 0; d < problem.dims.size(); ++d) tile[d] = 1;
  for (std::size_t i = at; i < mapping.size(); ++i) {
    if (mapping[i].kind != LoopKind::kStore) tile[mapping[i].id] *= mapping[i].bound;
  }
  return tile;
}

void number_instances(const Nest& nest, Place& place) {
  std::size_t count = 1;
  for (const std::size_t i : place.lanes) count *= static_cast<std::size_t>(nest.loops[i].bound);
  place.offsets.assign(count, Extents{});
  for (std::size_t n = 0; n < count; ++n) {
    const std::vector<std::int64_t> lambda = lane_indices(nest, place.lanes, n);
    for (std::size_t i = 0; i < place.lanes.size(); ++i) {
      const Loop& loop = nest.loops[place.lanes[i]];
      place.offsets[n][index(loop.dim)] += lambda[i] * loop.step;
    }
  }
}

Place place_at(const Nest& nest, const Mapping& mapping, std::size_t at) {
  Place place;
  place.at = at;
  place.tile = tile_below(*nest.problem, mapping, at);
  for (std::size_t i = 0; i < nest.loops.size(); ++i) {
    if (nest.loops[i].spatial && nest.loops[i].at < at) place.lanes.push_back(i);
  }
  number_instances(nest, place);
  return place;
}

std::vector<Loop> read_loops(const Problem& problem, const Arch& arch, const Mapping& mapping) {
  std::vector<std::size_t> fanout_of_axis;
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    fanout_of_axis.insert(fanout_of_axis.end(), arch.fanouts[f].axes.size(), f);
  }
  std::vector<Loop> loops;
  for (std::size_t i = 0; i < mapping.size(); ++i) {
    const MappingNode& node = mapping[i];
    if (node.kind == LoopKind::kStore || node.bound == 1) continue;
    Loop loop{node.dim(), node.bound, 1, node.kind == LoopKind::kSpatial, 0, 0, i};
    loop.step = tile_below(problem, mapping, i + 1)[node.id];
    if (loop.spatial) {
      loop.axis = node.axis;
      loop.fanout = fanout_of_axis.at(node.axis);
    }
    loops.push_back(loop);
  }
  return loops;
}

}  // namespace

Nest read_nest(const Problem& problem, const Arch& arch, const Mapping& mapping) {
  Nest nest;
  nest.problem = &problem;
  nest.arch = &arch;
  nest.loops = read_loops(problem, arch, mapping);
  nest.stores.resize(problem.tensors.size());
  for (std::size_t i = 0; i < mapping.size(); ++i) {
    if (mapping[i].kind != LoopKind::kStore) continue;
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((mapping[i].tensors >> t & 1) == 0) continue;
      nest.stores[t].push_back({mapping[i].id, place_at(nest, mapping, i)});
    }
  }
  nest.compute = place_at(nest, mapping, mapping.size());
  return nest;
}

Place place_of_memory(const Nest& nest, std::size_t memory) {
  const std::size_t order = order_of(*nest.arch, NodeKind::kMemory, memory);
  Place place;
  for (std::size_t i = 0; i < nest.loops.size(); ++i) {
    const Loop& loop = nest.loops[i];
    if (loop.spatial && order_of(*nest.arch, NodeKind::kFanout, loop.fanout) < order) {
      place.lanes.push_back(i);
    }
  }
  number_instances(nest, place);
  return place;
}

std::size_t order_of(const Arch& arch, NodeKind kind, std::size_t id) {
  std::size_t i = 0;
  while (i < arch.nodes.size() && !(arch.nodes[i].kind == kind && arch.nodes[i].id == id)) ++i;
  return i;
}

bool names_tensor(const std::vector<std::string>& list, const Tensor& tensor) {
  const std::string role = tensor.role == Role::kWeight  ? "weight"
                           : tensor.role == Role::kInput ? "input"
                                                         : "output";
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& name) { return name == tensor.name || name == role; });
}

std::vector<std::int64_t> lane_indices(const Nest& nest, const std::vector<std::size_t>& lanes,
                                       std::size_t instance) {
  std::vector<std::int64_t> indices(lanes.size());
  auto rest = static_cast<std::int64_t>(instance);
  for (std::size_t i = lanes.size(); i-- > 0;) {
    indices[i] = rest % nest.loops[lanes[i]].bound;
    rest /= nest.loops[lanes[i]].bound;
  }
  return indices;
}

Tiles::Tiles(const Problem& problem, const Conventions& conventions, Defect defect)
    : problem_(&problem),
      box_(conventions.footprint == Conventions::Footprint::kBox),
      defect_(defect) {
  if (defect == Defect::kBoxForDistinct) box_ = true;
  if (defect == Defect::kDistinctForBox) box_ = false;
  for (const Tensor& tensor : problem.tensors) {
    std::vector<std::int64_t> sizes;
    for (const Rank& rank : tensor.ranks) {
      std::int64_t size = 1;
      for (const Term& term : rank.terms) {
        size += term.coefficient * (problem.dims[index(term.dim)].extent - 1);
      }
      sizes.push_back(size);
    }
    rank_sizes_.push_back(std::move(sizes));
  }
}

// The values of one rank over a tile, without regard to padding.
Words Tiles::rank_set(const Rank& rank, const Extents& begin, const Extents& end, bool box) const {
  Words values{0};
  for (const Term& term : rank.terms) {
    Words sums;
    for (const Word value : values) {
      for (std::int64_t i = begin[index(term.dim)]; i < end[index(term.dim)]; ++i) {
        sums.push_back(value + term.coefficient * i);
      }
    }
    values = std::move(sums);
  }
  if (rank.terms.size() > 1) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  }
  if (box) {
    const Word least = values.front(), greatest = values.back();
    values.clear();
    for (Word v = least; v <= greatest; ++v) values.push_back(v);
  }
  return values;
}

Words Tiles::words(std::size_t tensor, const Extents& begin, const Extents& end) const {
  return product(tensor, begin, end, defect_ == Defect::kPaddingMoves);
}

Words Tiles::words_and_padding(std::size_t tensor, const Extents& begin, const Extents& end) const {
  return product(tensor, begin, end, true);
}

Words Tiles::product(std::size_t tensor, const Extents& begin, const Extents& end,
                     bool padding) const {
  const Tensor& t = problem_->tensors[tensor];
  const bool box = box_ && (!t.is_output || defect_ == Defect::kBoxForOutputs);
  Words words{0};
  for (std::size_t r = 0; r < t.ranks.size(); ++r) {
    const Rank& rank = t.ranks[r];
    Words values = rank_set(rank, begin, end, box);
    if (!padding) {
      std::erase_if(values, [&](Word v) {
        return (rank.valid_begin && v < *rank.valid_begin) ||
               (rank.valid_end && v >= *rank.valid_end);
      });
    }
    Words longer;
    longer.reserve(words.size() * values.size());
    for (const Word word : words) {
      for (const Word value : values) longer.push_back(word * rank_sizes_[tensor][r] + value);
    }
    words = std::move(longer);
  }
  return words;
}

Words Tiles::words_of_all(std::size_t tensor) const {
  Extents end{};
  for (std::size_t d = 0; d < problem_->dims.size(); ++d) end[d] = problem_->dims[d].extent;
  return words(tensor, Extents{}, end);
}

std::int64_t Tiles::footprint(std::size_t tensor, const Extents& tile) const {
  Extents end{};
  for (std::size_t d = 0; d < problem_->dims.size(); ++d) {
    end[d] = std::min(tile[d], problem_->dims[d].extent);
  }
  std::int64_t words = 1;
  for (const Rank& rank : problem_->tensors[tensor].ranks) {
    words *= static_cast<std::int64_t>(rank_set(rank, Extents{}, end, box_).size());
  }
  return words;
}

std::int64_t width_of(const Tensor& tensor, const Arch& arch) {
  std::uint32_t by_role = 0;
  if (tensor.role == Role::kWeight) by_role = arch.role_bits.weight;
  if (tensor.role == Role::kInput) by_role = arch.role_bits.input;
  if (tensor.role == Role::kOutput) by_role = arch.role_bits.output;
  if (tensor.bits != 0) return tensor.bits;
  return by_role != 0 ? by_role : arch.word_bits;
}

std::int64_t final_width_of(const Tensor& tensor, const Arch& arch) {
  std::uint32_t own = tensor.final_bits;
  if (own == 0 && tensor.bits == 0 && tensor.is_output && tensor.role == Role::kOutput) {
    own = arch.role_bits.final;
  }
  return own != 0 ? own : width_of(tensor, arch);
}

Extents Tiles::end_of(const Extents& offset, const Extents& tile) const {
  Extents end{};
  for (std::size_t d = 0; d < problem_->dims.size(); ++d) {
    end[d] = offset[d] + tile[d];
    if (defect_ != Defect::kEdgeNotCut) end[d] = std::min(end[d], problem_->dims[d].extent);
  }
  return end;
}

bool Tiles::empty_at(const Extents& offset) const {
  for (std::size_t d = 0; d < problem_->dims.size(); ++d) {
    if (offset[d] >= problem_->dims[d].extent) return true;
  }
  return false;
}

}  // namespace loopscape::reference
