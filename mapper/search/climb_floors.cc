// What a boundary costs at least, linearly in the words that cross it.
#include <algorithm>
#include <utility>

#include "mapper/search/climb_run.h"

namespace loopscape {

bool has_neighbour_links(const Mapspace& space, std::size_t t) {
  if (space.problem().tensors[t].is_output) return false;
  for (const Fanout& fanout : space.arch().fanouts) {
    for (const Network& network : fanout.networks) {
      for (const std::string& name : network.forward) {
        if ((space.problem().tensors_called(name) >> t & 1u) != 0) return true;
      }
    }
  }
  return false;
}

// Every index a word, nothing ragged: all sendings are alike.
bool Climb::is_plain(std::size_t t) const {
  return !skeleton_.ragged && counter_.complex(t) == 0 && !forwards_[t] && !reuses_more_[t];
}

// What a plain boundary costs is linear in the words asked for: the line through what it costs if
// nothing irrelevant grows in its run, and if everything does.
void Climb::set_line(std::size_t t, std::size_t k) {
  std::vector<MappingNode> loops = lanes_of(t, k);
  if (loops.empty()) return;
  BoundaryLoops boundary;
  boundary.tensor = static_cast<std::uint8_t>(t);
  boundary.to_compute = k == skeleton_.chain[t].size();
  if (!boundary.to_compute) boundary.child = skeleton_.chain[t][k];
  boundary.tile.fill(1);
  std::array<std::int64_t, kMaxDims> lanes;
  lanes.fill(1);
  for (const MappingNode& loop : loops) lanes[loop.id] *= loop.bound;
  const auto left = [&](std::size_t d) { return space_.problem().dims[d].extent / lanes[d]; };
  // A loop ends the run at once, if any can.
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    if (has(counter_.relevant(t), d) && left(d) > 1) boundary.ended_by = static_cast<int>(d);
  }
  Terms seldom, often;
  for (Terms* terms : {&seldom, &often}) {
    terms->busy = terms->busy_most = PerResource(prices_.resources().size());
  }
  const auto price = [&](Terms& terms) {
    boundary.loops = loops;
    boundary.parent_at = loops.size();
    const BoundaryFlow& flow =
        kin_flows_ ? kin_flows_->flow(k, boundary).least : counter_.flow(boundary);
    if (flow.known) prices_.price(t, k, flow, terms);
    return flow.known;
  };
  if (!price(often)) return;
  const auto once = static_cast<double>(counter_.all_words(t));
  double most = once;
  if (boundary.to_compute) {
    seldom = often;
  } else {
    for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
      const std::int64_t rest = left(d);
      if (has(counter_.relevant(t), d) || rest == 1) continue;
      most *= static_cast<double>(rest);
      loops.push_back(MappingNode::loop(static_cast<DimId>(d), static_cast<std::uint32_t>(rest)));
    }
    if (!price(seldom)) return;
  }
  const double span = most - once;
  const auto line = [&](double at_once, double at_most, double& base, double& slope) {
    slope = span > 0 ? (at_most - at_once) / span : 0;
    base = at_once - slope * once;
  };
  BoundaryPrices::Floor& floor = floor_[t][k];
  line(seldom.energy, often.energy, floor.base_energy, floor.slope_energy);
  line(seldom.exposed, often.exposed, floor.base_exposed, floor.slope_exposed);
  for (std::size_t i = 0; i < seldom.busy.size(); ++i) {
    line(seldom.busy[i], often.busy[i], floor.base_busy[i], floor.slope_busy[i]);
  }
}

// Where boundaries are not plain: linear in the words asked for and in the copies that children
// have of them beyond those. Copies of outputs are partial results; a group of them is one visit
// where all networks reduce.
void Climb::set_copies(std::size_t t, std::size_t k) {
  BoundaryPrices::Floor& floor = floor_[t][k];
  const bool output = space_.problem().tensors[t].is_output;
  if (forwards_[t] || counter_.clipped(t) ||
      (output && (counter_.complex(t) != 0 || !prices_.reduces(t, k)))) {
    floor.slope_energy += least_links_pj(t, k);
    return;
  }
  const BoundaryPrices::Links links = least_links(t, k);
  const double returns_base_pj = -static_cast<double>(counter_.all_words(t)) * links.return_pj;
  if (k == skeleton_.chain[t].size()) {  // a word arrives for every operation
    floor.base_energy += returns_base_pj + links.arrival_pj * static_cast<double>(operations_);
    floor.slope_energy += links.demand_pj + links.return_pj;
    return;
  }
  const auto price = [&](double arrivals) {
    BoundaryFlow flow;
    flow.least = flow.most = {1, arrivals, 1};
    Terms terms;
    terms.busy = terms.busy_most = PerResource(prices_.resources().size());
    prices_.price(t, k, flow, terms);
    return terms.energy;
  };
  floor.base_energy = returns_base_pj;
  floor.slope_energy = price(1) + links.demand_pj + links.return_pj + links.arrival_pj;
  double& per_arrival = per_arrival_[t][k];
  per_arrival = price(2) - price(1) + links.arrival_pj;
  if (per_arrival < 0) {  // then the most copies cost the least
    floor.slope_energy += (most_copies(t, k) - 1) * per_arrival;
    per_arrival = 0;
  }
  // A bound falls in neither words nor copies: words asked for one by one may take fewer links.
  per_arrival = std::min(per_arrival, std::max(0.0, floor.slope_energy));
  const auto words = static_cast<double>(counter_.all_words(t));
  least_copies_pj_[t][k] = words * (least_copies(t, k) - 1) * per_arrival;
}

BoundaryPrices::Links Climb::least_links(std::size_t t, std::size_t k) const {
  const auto mean_lane = [&](std::size_t d, std::int64_t inside) {
    return least_mean_lane(d, inside);
  };
  BoundaryPrices::Links least = prices_.least_links(t, k, mean_lane);
  if (kin_prices_.empty()) return least;
  // Of a word with one copy, and with as many as there can be: no kin lies below the line from one
  // to the other.
  const double copies = most_copies(t, k);
  double one = least.demand_pj + least.arrival_pj, most = one + (copies - 1) * least.arrival_pj;
  for (const BoundaryPrices& prices : kin_prices_) {
    const BoundaryPrices::Links links = prices.least_links(t, k, mean_lane);
    least.return_pj = std::min(least.return_pj, links.return_pj);
    one = std::min(one, links.demand_pj + links.arrival_pj);
    most = std::min(most, links.demand_pj + copies * links.arrival_pj);
  }
  least.arrival_pj = copies > 1 ? (most - one) / (copies - 1) : least.arrival_pj;
  least.demand_pj = one - least.arrival_pj;
  return least;
}

// Of a word, at most.
double Climb::most_copies(std::size_t t, std::size_t k) const {
  const DimMask relevant = counter_.relevant(t), sliding = counter_.sliding(t);
  double copies = 1;
  for (const MappingNode& loop : lanes_of(t, k)) {
    if (!has(relevant, loop.id) || has(sliding, loop.id)) copies *= loop.bound;
  }
  return copies;
}

// Of a word, at least, however often it crosses.
double Climb::least_copies(std::size_t t, std::size_t k) const {
  const DimMask shares = static_cast<DimMask>(~counter_.relevant(t));
  std::array<std::int64_t, kMaxDims> within;
  within.fill(1);
  for (const MappingNode& loop : lanes_of(t, k)) within[loop.id] *= loop.bound;
  double least = 1;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    if (has(shares, d))
      least *= static_cast<double>(copies(d, space_.problem().dims[d].extent, within[d], 1));
  }
  return least;
}

double Climb::least_links_pj(std::size_t t, std::size_t k) const {
  double least = prices_.least_links_pj(t, k);
  for (const BoundaryPrices& prices : kin_prices_) {
    least = std::min(least, prices.least_links_pj(t, k));
  }
  return least;
}

// Over a dimension's indices, at least, the mean number of the lane that has them, of the loop that
// has so many lanes inside. Its tiles are no smaller than those, leave something for the last lane
// of the outermost loop, and do not take more steps than are of use: the first lane has a tile in
// every round.
double Climb::least_mean_lane(std::size_t d, std::int64_t inside) const {
  const std::int64_t extent = space_.problem().dims[d].extent;
  std::int64_t bound = 1, lanes = 1, outermost = 1;  // lanes: of this loop and those outside it
  for (std::int64_t reached = 1, i = std::ssize(skeleton_.spatial); i-- > 0;) {
    const MappingNode& loop = skeleton_.spatial[static_cast<std::size_t>(i)];
    if (loop.id != d) continue;
    if (reached == inside) bound = loop.bound;
    if (reached >= inside) lanes *= loop.bound;
    reached *= loop.bound;
    outermost = loop.bound;
  }
  if (!skeleton_.ragged) return static_cast<double>(bound - 1) / 2;
  const double others = steps_least_ / static_cast<double>(steps_along_[d].least());
  const auto at_once = static_cast<double>(inside * (lanes / bound));
  double least = static_cast<double>(bound);
  for (std::int64_t tile = inside; tile * (lanes / outermost) * (outermost - 1) < extent; ++tile) {
    const std::int64_t rounds = (extent - 1) / (tile * bound);
    const std::int64_t rest = extent - rounds * tile * bound, full = rest / tile;
    const auto in_line = static_cast<double>(rounds * tile + std::min(tile, rest));
    if (others * in_line / at_once > most_steps_) continue;
    const std::int64_t sum = rounds * tile * (bound * (bound - 1) / 2) +
                             tile * (full * (full - 1) / 2) + full * (rest - full * tile);
    least = std::min(least, static_cast<double>(sum) / static_cast<double>(extent));
  }
  return least;
}

// Innermost first.
std::vector<MappingNode> Climb::lanes_of(std::size_t t, std::size_t k) const {
  const std::size_t parent = step_of_store(t, skeleton_.chain[t][k - 1]);
  const bool to_compute = k == skeleton_.chain[t].size();
  std::vector<MappingNode> lanes;
  for (std::size_t s = to_compute ? 0 : step_of_store(t, skeleton_.chain[t][k]); s < parent; ++s) {
    if (steps_[s].kind != Step::Kind::kAxis) continue;
    const auto& loops = spatial_[steps_[s].slot];
    const auto axis = static_cast<AxisId>(placement_.slots[steps_[s].slot].axis);
    for (std::size_t i = loops.size(); i-- > 0;) {
      lanes.push_back(MappingNode::spatial(static_cast<DimId>(loops[i].dim), loops[i].bound, axis));
    }
  }
  return lanes;
}

void Climb::set_floors() {
  floor_.resize(space_.problem().tensors.size());
  reuses_more_.resize(floor_.size());
  const bool previous = evaluator_.conventions().reuse == Conventions::Reuse::kPreviousTile;
  const bool ragged = space_.options().factors == Factors::kRagged;
  per_arrival_.resize(floor_.size());
  least_copies_pj_.resize(floor_.size());
  exposes_ = !watches_.empty();
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    forwards_.push_back(has_neighbour_links(space_, t));
    reuses_more_[t] = previous && (ragged || counter_.complex(t) != 0);
    floor_[t].resize(skeleton_.chain[t].size() + 1);
    per_arrival_[t].resize(floor_[t].size());
    least_copies_pj_[t].resize(floor_[t].size());
    for (std::size_t k = 1; k < floor_[t].size(); ++k) {
      BoundaryPrices::Floor& floor = floor_[t][k];
      floor = prices_.floor(t, k);
      if (is_plain(t)) {
        set_line(t, k);
      } else if (!reuses_more_[t]) {
        set_copies(t, k);
      }
      exposes_ = exposes_ || floor.base_exposed != 0 || floor.slope_exposed != 0;
      spares_time_ = spares_time_ || spares_time(floor, t);
    }
  }
  only_energy_ = prices_.resources().empty() && !exposes_;
}

// Parts of sums that a store holds need not come back to the stores inside it.
bool Climb::spares_time(const BoundaryPrices::Floor& floor, std::size_t t) const {
  const auto words = static_cast<double>(counter_.all_words(t));
  const auto spares = [&](double base, double slope) {
    return slope < 0 || base + slope * words < 0;
  };
  for (std::size_t i = 0; i < floor.base_busy.size(); ++i) {
    if (spares(floor.base_busy[i], floor.slope_busy[i])) return true;
  }
  return spares(floor.base_exposed, floor.slope_exposed);
}

// Every operation takes a word, and one word taken from the parent serves at most the lanes that
// use it at one step: those of irrelevant dimensions, and of a rank all but its longest row.
double Climb::words_of_compute(std::size_t t) const {
  const auto words = static_cast<double>(counter_.all_words(t));
  if (forwards_[t]) return words;
  const std::size_t parent = step_of_store(t, skeleton_.chain[t].back());
  std::array<double, kMaxDims> lanes;
  lanes.fill(1);
  double served = 1;
  for (std::size_t s = 0; s < parent; ++s) {
    if (steps_[s].kind != Step::Kind::kAxis) continue;
    for (const Point::Loop& loop : spatial_[steps_[s].slot]) {
      lanes[loop.dim] *= loop.bound;
      served *= loop.bound;
    }
  }
  for (const Rank& rank : space_.problem().tensors[t].ranks) {
    double longest = 1;
    for (const Term& term : rank.terms) longest = std::max(longest, lanes[index(term.dim)]);
    served /= longest;
  }
  if (counter_.clipped(t)) return words;
  return std::max(words, static_cast<double>(operations_) / served);
}

double Climb::blended(const Blend& blend, double energy, double exposed, const PerResource& busy) {
  if (blend.pj_per_cycle == 0) return energy;
  double cycles = exposed;
  if (blend.resource != Blend::kNoResource)
    cycles += busy[static_cast<std::size_t>(blend.resource)];
  return energy + blend.pj_per_cycle * cycles;
}

double Climb::paid_for(const Price& price, double words) const {
  return price.base +
         price.slope *
             (price.slope < 0 ? std::max(static_cast<double>(operations_), words) : words);
}

void Climb::add_least(const BoundaryPrices::Floor& floor, double demand, Future& sum) const {
  const auto most = static_cast<double>(operations_);
  const auto value = [&](double base, double slope) {
    return base + slope * (slope < 0 ? std::max(most, demand) : demand);
  };
  sum.energy += value(floor.base_energy, floor.slope_energy);
  sum.exposed += value(floor.base_exposed, floor.slope_exposed);
  for (std::size_t i = 0; i < sum.busy.size(); ++i) {
    sum.busy[i] += value(floor.base_busy[i], floor.slope_busy[i]);
  }
}

}  // namespace loopscape
