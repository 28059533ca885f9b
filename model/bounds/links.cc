// The least that links of fan-outs cost for the words that cross a boundary.
#include <algorithm>

#include "model/bounds/bounds.h"

namespace loopscape {

// Lanes that have a word of two sliding dimensions, of those over one of them, in one row of cells:
// a lane begins a tile beyond the one before, and as far as their windows overlap depends on the
// tile of the other dimension, which lanes leave at most so large.
double BoundaryPrices::overlapping(std::int64_t step, std::int64_t other_step, std::size_t other,
                                   std::size_t f) const {
  const std::int64_t extent = evaluator_.problem().dims[other].extent;
  std::int64_t lanes = 1, outermost = 1;
  for (std::size_t i = skeleton_.spatial.size(); i-- > 0;) {
    const MappingNode& loop = skeleton_.spatial[i];
    if (loop.id != other || fanout_of_[i] > f) continue;
    lanes *= loop.bound;
    outermost = loop.bound;
  }
  std::int64_t tile = extent / lanes;
  if (skeleton_.ragged)
    tile = lanes == 1 ? extent : (extent - 1) / (lanes / outermost * (outermost - 1));
  return static_cast<double>(other_step * (tile - 1) / step + 1);
}

// Columns that lanes over a pair reach in a row.
double BoundaryPrices::pair_columns(std::size_t f, const BoundaryCounter::Pair& pair,
                                    const std::array<double, kMaxDims>& lanes) const {
  const double a = lanes[pair.a], b = lanes[pair.b];
  const double most_a = std::min(a, overlapping(pair.step_a, pair.step_b, pair.b, f));
  const double most_b = std::min(b, overlapping(pair.step_b, pair.step_a, pair.a, f));
  return std::min(a * most_b, b * most_a);
}

// Where relevant lanes place a word in a fan-out, on the mean, and where others send it from there.
BoundaryPrices::Standing BoundaryPrices::standing(std::size_t t, std::size_t f,
                                                  const MeanLane& mean_lane) const {
  const Arch& arch = evaluator_.arch();
  const std::size_t axes = arch.fanouts[f].axes.size();
  const std::size_t first_axis = index(arch.first_axis(static_cast<FanoutId>(f)));
  Standing standing;
  standing.place.resize(axes, 0);
  standing.stream = axes - 1;
  standing.row_axis = static_cast<AxisId>(first_axis + axes - 1);
  std::vector<double> step(axes, 1);
  std::array<double, kMaxDims> in_row;
  in_row.fill(1);
  std::array<std::int64_t, kMaxDims> inside;
  inside.fill(1);
  for (std::size_t i = skeleton_.spatial.size(); i-- > 0;) {
    const MappingNode& loop = skeleton_.spatial[i];
    const std::int64_t lanes_inside = inside[loop.id];
    inside[loop.id] *= loop.bound;
    if (fanout_of_[i] != f) continue;
    const std::size_t axis = index(loop.axis_id()) - first_axis;
    const bool relevant = (relevant_[t] >> loop.id & 1u) != 0;
    const bool stands = relevant && (sliding_[t] >> loop.id & 1u) == 0;
    if (stands) {
      standing.place[axis] += mean_lane(loop.id, lanes_inside) * step[axis];
    } else if (axis + 1 == axes) {
      if (standing.one_row) standing.row_step = step[axis];
      standing.one_row = false;
    } else {
      if (standing.one_column) standing.column_step = step[axis];
      standing.one_column = false;
      in_row[loop.id] *= loop.bound;
    }
    if (!relevant) standing.stream = std::min(standing.stream, axis);
    step[axis] *= loop.bound;
  }
  for (const BoundaryCounter::Pair& pair : counter_->pairs(t)) {
    standing.pair_columns.push_back(pair_columns(f, pair, in_row));
    standing.columns *= standing.pair_columns.back();
    in_row[pair.a] = in_row[pair.b] = 1;
  }
  for (const double lanes : in_row) standing.columns *= lanes;
  return standing;
}

// One fan-out's links by its class (interconnect.md). Let n children in r rows get a word. Relevant
// lanes stand at some row and column, from where irrelevant and sliding ones go on by steps of at
// least so many cells.
//   multicast bus: the trunk and r rows.
//   mesh: 1 + the farthest row + in each row the farthest column, so with steps R and C at least
//     1 + row + R (r - 1) + r column + C (n - r) = 1 + row - R + C n + (R + column - C) r,
//   where r is 1, n, or between n / columns and n.
//   systolic: in a line the farthest of m children is no less than m - 1 beyond the place on the
//   stream axis.
BoundaryPrices::ClassLinks BoundaryPrices::class_links(const Fanout& fanout, NetworkClass its_class,
                                                       const Standing& at) const {
  const auto cells = static_cast<double>(fanout.children());
  const double trunk = fanout.axes.back().size;
  const std::size_t axes = fanout.axes.size();
  switch (its_class) {
    case NetworkClass::kFree:
    case NetworkClass::kChain:  // none for a word for one child
      break;
    case NetworkClass::kTree:
      return {1, 0, 0, 1};
    case NetworkClass::kBus:
      return {cells, 0, 0, cells};
    case NetworkClass::kCrossbar:
      return {0, 1, 0, 1};
    case NetworkClass::kMulticastBus: {
      const double row = cells / trunk;
      if (axes == 1) return {cells, 0, 0, cells};
      return {trunk, 0, row, trunk + row};
    }
    case NetworkClass::kMesh: {
      if (axes > 2) return {1, 0, 0, 1};
      const double row = at.place.back(), column = axes == 2 ? at.place.front() : 0;
      const double single = 1 + row + column, more_rows = at.row_step + column - at.column_step;
      if (at.one_row) return {single - at.column_step, at.column_step, 0, single};
      if (at.one_column || more_rows < 0) {
        return {1 + row - at.row_step, at.row_step + column, 0, single};
      }
      return {1 + row - at.row_step, at.column_step, more_rows, single};
    }
    case NetworkClass::kSystolic:
      return {at.place[at.stream], 1, 0, 1 + at.place[at.stream]};
  }
  return {};
}

// A word that may come from a neighbour takes one link at least.
BoundaryPrices::ClassLinks BoundaryPrices::links_pj(std::size_t t, std::size_t f,
                                                    const Standing& at) const {
  const int carrier = counter_->network(f, t);
  if (carrier < 0 || lanes(f, f + 1, kAllDims) == 1) return {};
  const Fanout& fanout = evaluator_.arch().fanouts[f];
  const Network& network = fanout.networks[static_cast<std::size_t>(carrier)];
  ClassLinks links = class_links(fanout, network.network_class, at);
  if (!network.forward.empty()) {
    const double one = std::min(links.single, 1.0);
    links = {one, 0, 0, one};
  }
  const double pj = bits_[t] * network.energy_pj_per_bit_hop;
  return {links.word * pj, links.child * pj, links.row * pj, links.single * pj};
}

// A word that enters a fan-out further in serves at most the lanes that share it from there on.
BoundaryPrices::Links BoundaryPrices::least_links(std::size_t t, std::size_t k,
                                                  const MeanLane& mean_lane) const {
  Links links;
  const auto shares = static_cast<DimMask>(~relevant_[t] | sliding_[t]);
  const std::size_t above = fanouts_above_[parent(t, k)];
  double served = 1, single_pj = 0;
  for (std::size_t f = fanouts_above_child(t, k); f-- > above;) {
    const Standing at = standing(t, f, mean_lane);
    ClassLinks its = links_pj(t, f, at);
    if (its.word < 0 && (f != above || served > 1)) {  // at least one child gets it
      its.child += its.word;
      its.word = 0;
    }
    if (f == above) {
      links.row_pj = its.row;
      links.row_axis = at.row_axis;
      links.columns = at.columns * served;
      for (std::size_t p = 0; p < at.pair_columns.size(); ++p) {
        const BoundaryCounter::Pair& pair = counter_->pairs(t)[p];
        const auto dims = static_cast<DimMask>(1u << pair.a | 1u << pair.b);
        links.pair_columns.push_back(at.pair_columns[p] *
                                     lanes(f + 1, fanouts_above_child(t, k), dims));
      }
    } else {
      its.child += its.row / at.columns;
    }
    links.arrival_pj += its.child / served;
    served *= lanes(f, f + 1, shares);
    if (f == above) links.demand_pj += its.word;
    if (f != above) links.arrival_pj += its.word / served;
    single_pj += its.single;
  }
  const bool returns = evaluator_.problem().tensors[t].is_output && all_come_back(t, k) &&
                       evaluator_.conventions().refill == Conventions::Refill::kOneChild;
  if (returns) links.return_pj = single_pj;  // to one child
  return links;
}

// Of any word that crosses the boundary: it enters every fan-out, and one child gets it.
double BoundaryPrices::least_links_pj(std::size_t t, std::size_t k) const {
  double pj = 0;
  for (std::size_t f = fanouts_above_[parent(t, k)]; f < fanouts_above_child(t, k); ++f) {
    pj += links_pj(t, f, standing(t, f, [](std::size_t, std::int64_t) { return 0.0; })).single;
  }
  return pj;
}

}  // namespace loopscape
