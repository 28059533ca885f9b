// The least that links of fan-outs cost for the words that cross a boundary.
#include <algorithm>

#include "model/bounds/bounds.h"

namespace loopscape {

// Where relevant lanes place a word in a fan-out, on the mean, and where others send it from there.
BoundaryPrices::Standing BoundaryPrices::standing(
    std::size_t t, std::size_t f,
    const std::function<double(std::size_t, double)>& mean_lane) const {
  const Arch& arch = evaluator_.arch();
  const std::size_t axes = arch.fanouts[f].axes.size();
  std::size_t first_axis = 0;
  for (std::size_t outer = 0; outer < f; ++outer) first_axis += arch.fanouts[outer].axes.size();
  Standing standing{std::vector<double>(axes, 0), 1, axes - 1};
  std::vector<double> step(axes, 1);
  for (std::size_t i = skeleton_.spatial.size(); i-- > 0;) {
    const MappingNode& loop = skeleton_.spatial[i];
    if (index(arch.fanout_of(loop.axis_id())) != f) continue;
    const std::size_t axis = index(loop.axis_id()) - first_axis;
    const bool relevant = (relevant_[t] >> loop.id & 1u) != 0;
    const bool stands = relevant && (sliding_[t] >> loop.id & 1u) == 0;
    if (stands) standing.place[axis] += mean_lane(loop.id, loop.bound) * step[axis];
    if (!stands && axis + 1 != axes) standing.columns *= loop.bound;
    if (!relevant) standing.stream = std::min(standing.stream, axis);
    step[axis] *= loop.bound;
  }
  return standing;
}

// One fan-out's links by its class (interconnect.md). Let n children of c columns get a word.
// mesh: 1 + the farthest row + in each of r rows the farthest column. Relevant lanes stand at some
// row and column, from where irrelevant and sliding ones go on: the farthest row is no less than
// that row and r - 1 more. n <= r * c, where c counts the columns that the others reach, so links
// >= row + n + n / c * column. multicast bus: the trunk and r rows, r >= n / c. systolic: in a line
// the farthest of m children is no less than m - 1 beyond the place on the stream axis.
BoundaryPrices::ClassLinks BoundaryPrices::class_links(
    std::size_t t, std::size_t f,
    const std::function<double(std::size_t, double)>& mean_lane) const {
  const Fanout& fanout = evaluator_.arch().fanouts[f];
  const Network& network = fanout.networks[static_cast<std::size_t>(counter_->network(f, t))];
  const auto cells = static_cast<double>(fanout.children());
  const double trunk = fanout.axes.back().size;
  const std::size_t axes = fanout.axes.size();
  const Standing at = standing(t, f, mean_lane);
  switch (network.network_class) {
    case NetworkClass::kFree:
    case NetworkClass::kChain:  // none for a word for one child
      break;
    case NetworkClass::kTree:
      return {1, 0, 1};
    case NetworkClass::kBus:
      return {cells, 0, cells};
    case NetworkClass::kCrossbar:
      return {0, 1, 1};
    case NetworkClass::kMulticastBus:
      if (axes == 1) return {cells, 0, cells};
      if (axes > 2) return {trunk + cells / trunk, 0, trunk + cells / trunk};
      return {trunk, cells / trunk / at.columns, trunk + cells / trunk};
    case NetworkClass::kMesh: {
      if (axes > 2) return {1, 0, 1};
      const double column = axes == 2 ? at.place.front() : 0;
      return {at.place.back(), 1 + column / at.columns, 1 + column + at.place.back()};
    }
    case NetworkClass::kSystolic:
      return {at.place[at.stream], 1, 1 + at.place[at.stream]};
  }
  return {};
}

// A word that may come from a neighbour takes one link at least.
BoundaryPrices::ClassLinks BoundaryPrices::links_pj(
    std::size_t t, std::size_t f,
    const std::function<double(std::size_t, double)>& mean_lane) const {
  const int carrier = counter_->network(f, t);
  if (carrier < 0 || lanes(f, f + 1, kAllDims) == 1) return {};
  const Network& network = evaluator_.arch().fanouts[f].networks[static_cast<std::size_t>(carrier)];
  ClassLinks links = class_links(t, f, mean_lane);
  if (!network.forward.empty()) links = {std::min(links.word + links.child, 1.0), 0, 0};
  const double pj = bits_[t] * network.energy_pj_per_bit_hop;
  return {links.word * pj, links.child * pj, links.single * pj};
}

// A word that enters a fan-out further in serves at most the lanes that share it from there on.
BoundaryPrices::Links BoundaryPrices::least_links(
    std::size_t t, std::size_t k,
    const std::function<double(std::size_t, double)>& mean_lane) const {
  Links links;
  const auto shares = static_cast<DimMask>(~relevant_[t] | sliding_[t]);
  const std::size_t above = fanouts_above_[parent(t, k)];
  double served = 1, single_pj = 0;
  for (std::size_t f = fanouts_above_child(t, k); f-- > above;) {
    const ClassLinks its = links_pj(t, f, mean_lane);
    links.arrival_pj += its.child / served;
    served *= lanes(f, f + 1, shares);
    if (f == above) links.demand_pj += its.word;
    if (f != above) links.arrival_pj += its.word / served;
    single_pj += its.single;
  }
  const bool returns = evaluator_.problem().tensors[t].is_output && all_come_back(t, k) &&
                       evaluator_.conventions().refill == Conventions::Refill::kOneChild;
  if (returns) {  // all but each word's first visit bring it to one child
    links.demand_pj += single_pj;
    links.base_pj = -words_[t] * single_pj;
  }
  return links;
}

// Of any word that crosses the boundary: it enters every fan-out, and one child gets it.
double BoundaryPrices::least_links_pj(std::size_t t, std::size_t k) const {
  double pj = 0;
  for (std::size_t f = fanouts_above_[parent(t, k)]; f < fanouts_above_child(t, k); ++f) {
    const ClassLinks its = links_pj(t, f, [](std::size_t, double) { return 0.0; });
    pj += its.word + its.child;
  }
  return pj;
}

}  // namespace loopscape
