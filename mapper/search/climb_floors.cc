// What a boundary costs at least, linearly in the words that cross it.
#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/container/static_vector.hpp>

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
  const auto words = static_cast<double>(counter_.all_words(t));
  if (k == skeleton_.chain[t].size()) {  // a word arrives for every operation
    const BoundaryPrices::Links links = least_links(t, k);
    floor.base_energy +=
        links.arrival_pj * static_cast<double>(operations_) - words * links.return_pj;
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
  Copies& copies = copies_[t][k];
  std::vector<BoundaryPrices::Links> of_kin;
  for (const StepBudgets& budgets : step_budgets(t, k)) {
    of_kin.push_back(links_with(prices_, t, k, budgets));
    for (const BoundaryPrices& prices : kin_prices_) {
      of_kin.push_back(links_with(prices, t, k, budgets));
    }
  }
  copies.pair_columns = of_kin.front().pair_columns;
  for (const MappingNode& lanes : lanes_of(t, k)) {
    copies.rows.add({lanes.bound, static_cast<std::uint8_t>(lanes.id),
                     lanes.axis_id() == of_kin.front().row_axis});
  }
  double return_pj = kInfinity;
  for (const BoundaryPrices::Links& links : of_kin) {
    return_pj = std::min(return_pj, links.return_pj);
  }
  const double word = price(1), another = price(2) - word;
  for (const BoundaryPrices::Links& links : of_kin) {
    const double one = links.demand_pj + links.arrival_pj + links.row_pj + return_pj;
    copies.prices.add({word + one, another + links.arrival_pj, links.row_pj}, most_copies(t, k),
                      most_rows(t, copies.rows));
  }
  floor.base_energy = -words * return_pj;
  floor.slope_energy = copies.prices.take_least_word();
  copies.least_pj = least_copies_pj(t, k);
}

BoundaryPrices::Links Climb::links_with(const BoundaryPrices& prices, std::size_t t, std::size_t k,
                                        const StepBudgets& budgets) const {
  return prices.least_links(t, k, [&](std::size_t d, std::int64_t inside) {
    return least_mean_lane(d, inside, budgets[d]);
  });
}

bool Climb::pays_for_places(std::size_t t, std::size_t k) const {
  const auto links_at = [&](double place) {
    return prices_.least_links(t, k, [place](std::size_t, std::int64_t) { return place; });
  };
  const BoundaryPrices::Links first = links_at(0), next = links_at(1);
  return first.demand_pj != next.demand_pj || first.arrival_pj != next.arrival_pj ||
         first.row_pj != next.row_pj;
}

// Lanes further in are cheaper to reach, and take more steps where others have nothing to do. The
// steps of all dimensions together are limited: of some extra steps, as a power of what can be had,
// each dimension has some share, so that any mapping keeps within one of these.
std::vector<Climb::StepBudgets> Climb::step_budgets(std::size_t t, std::size_t k) const {
  constexpr std::array kParts{1, 1, 8, 4, 2};
  StepBudgets budgets;
  budgets.fill(kInfinity);
  boost::container::static_vector<std::size_t, kMaxDims> dims;
  for (const MappingNode& loop : lanes_of(t, k)) {
    const bool stands = has(counter_.relevant(t), loop.id) && !has(counter_.sliding(t), loop.id);
    if (stands && !std::count(dims.begin(), dims.end(), loop.id)) dims.push_back(loop.id);
  }
  if (dims.size() < 2 || dims.size() >= kParts.size() || !skeleton_.ragged ||
      most_steps_ == kInfinity || !pays_for_places(t, k)) {
    return {budgets};
  }
  constexpr double kMargin = 1 + 1e-9;
  const int parts = kParts[dims.size()];
  const double part = std::pow(most_steps_ / steps_least_, 1.0 / parts);
  const auto budget = [&](std::size_t d, int its_parts) {
    return kMargin * static_cast<double>(steps_along_[d].least()) * std::pow(part, its_parts);
  };
  std::vector<StepBudgets> all;
  const std::function<void(std::size_t, int)> share = [&](std::size_t i, int left) {
    if (i + 1 == dims.size()) {
      budgets[dims[i]] = budget(dims[i], left);
      all.push_back(budgets);
      return;
    }
    for (int its = 0; its <= left && its < parts; ++its) {
      budgets[dims[i]] = budget(dims[i], its + 1);
      share(i + 1, left - its);
    }
  };
  share(0, parts);
  return all;
}

// Without rows.
BoundaryPrices::Links Climb::least_links(std::size_t t, std::size_t k) const {
  StepBudgets budgets;
  budgets.fill(kInfinity);
  BoundaryPrices::Links least = links_with(prices_, t, k, budgets);
  least.arrival_pj = least.per_arrival_pj();
  if (kin_prices_.empty()) return least;
  // Of a word with one copy, and with as many as there can be: no kin lies below the line from one
  // to the other.
  const double copies = most_copies(t, k);
  double one = least.demand_pj + least.arrival_pj, most = one + (copies - 1) * least.arrival_pj;
  for (const BoundaryPrices& prices : kin_prices_) {
    const BoundaryPrices::Links links = links_with(prices, t, k, budgets);
    const double per_arrival = links.per_arrival_pj();
    least.return_pj = std::min(least.return_pj, links.return_pj);
    one = std::min(one, links.demand_pj + per_arrival);
    most = std::min(most, links.demand_pj + copies * per_arrival);
  }
  least.arrival_pj = copies > 1 ? (most - one) / (copies - 1) : least.arrival_pj;
  least.demand_pj = one - least.arrival_pj;
  return least;
}

// Lanes that may have the same word.
DimMask Climb::sharing(std::size_t t) const {
  return static_cast<DimMask>(~counter_.relevant(t) | counter_.sliding(t));
}

double Climb::most_copies(std::size_t t, std::size_t k) const {
  double copies = 1;
  for (const MappingNode& loop : lanes_of(t, k)) {
    if (has(sharing(t), loop.id)) copies *= loop.bound;
  }
  return copies;
}

double Climb::most_rows(std::size_t t, const LaneRows& of_all) const {
  double rows = 1;
  for (const LaneRows::Lanes& lanes : of_all) {
    if (lanes.are_rows && has(sharing(t), lanes.dim)) rows *= lanes.bound;
  }
  return rows;
}

// Of all words, at least, however often they cross.
double Climb::least_copies_pj(std::size_t t, std::size_t k) const {
  std::array<std::int64_t, kMaxDims> within;
  within.fill(1);
  for (const MappingNode& loop : lanes_of(t, k)) within[loop.id] *= loop.bound;
  double copied = 1, in_rows = 1;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    if (has(counter_.relevant(t), d)) continue;
    const std::int64_t extent = space_.problem().dims[d].extent;
    copied *= static_cast<double>(copies(d, extent, within[d], 1));
    in_rows *= static_cast<double>(rows(copies_[t][k].rows, d, extent, within[d], 1));
  }
  const auto words = static_cast<double>(counter_.all_words(t));
  return copies_[t][k].prices.least(words, words * copied, words * in_rows);
}

double Climb::least_links_pj(std::size_t t, std::size_t k) const {
  double least = prices_.least_links_pj(t, k);
  for (const BoundaryPrices& prices : kin_prices_) {
    least = std::min(least, prices.least_links_pj(t, k));
  }
  return least;
}

void Climb::set_mean_lanes(KnownMeanLanes& known) {
  lanes_.resize(skeleton_.spatial.size());
  std::array<std::int64_t, kMaxDims> reached;
  reached.fill(1);
  for (std::size_t i = skeleton_.spatial.size(); i-- > 0;) {
    const MappingNode& loop = skeleton_.spatial[i];
    lanes_[i].inside = std::exchange(reached[loop.id], reached[loop.id] * loop.bound);
  }
  for (std::size_t i = 0; skeleton_.ragged && i < lanes_.size(); ++i) {
    const MappingNode& loop = skeleton_.spatial[i];
    Lanes& its = lanes_[i];
    its.at_once = static_cast<double>(reached[loop.id] / loop.bound);
    const std::int64_t beyond = reached[loop.id] / its.inside / outermost_lanes_[loop.id];
    its.means = known.of({space_.problem().dims[loop.id].extent, its.inside, loop.bound,
                          beyond * (outermost_lanes_[loop.id] - 1)});
  }
}

double Climb::least_mean_lane(std::size_t d, std::int64_t inside, double most_steps) const {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (skeleton_.spatial[i].id != d || lanes_[i].inside != inside) continue;
    if (!skeleton_.ragged) return static_cast<double>(skeleton_.spatial[i].bound - 1) / 2;
    const double others = steps_least_ / static_cast<double>(steps_along_[d].least());
    return lanes_[i].means->least(std::min(most_steps, most_steps_ / others) * lanes_[i].at_once);
  }
  return 0;
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
  copies_.resize(floor_.size());
  exposes_ = !watches_.empty();
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    forwards_.push_back(has_neighbour_links(space_, t));
    reuses_more_[t] = previous && (ragged || counter_.complex(t) != 0);
    floor_[t].resize(skeleton_.chain[t].size() + 1);
    copies_[t].resize(floor_[t].size());
    for (std::size_t k = 1; k < floor_[t].size(); ++k) {
      BoundaryPrices::Floor& floor = floor_[t][k];
      floor = prices_.floor(t, k);
      if (is_plain(t)) {
        set_line(t, k);
      } else if (!reuses_more_[t]) {
        set_copies(t, k);
      }
      exposes_ = exposes_ || floor.base_exposed != 0 || floor.slope_exposed != 0 ||
                 tile_cycles(t, k, 1) != 0;
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
// use it at one step: those of irrelevant dimensions, whose steps are whole ones, and of a rank all
// but its longest row.
double Climb::words_of_compute(std::size_t t) const {
  const auto words = static_cast<double>(counter_.all_words(t));
  if (forwards_[t] || counter_.clipped(t)) return words;
  std::array<std::int64_t, kMaxDims> lanes;
  lanes.fill(1);
  for (const MappingNode& loop : lanes_of(t, skeleton_.chain[t].size())) {
    lanes[loop.id] *= loop.bound;
  }
  double taken = 1;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    const std::int64_t extent = space_.problem().dims[d].extent;
    const bool shares = !has(counter_.relevant(t), d);
    taken *= shares ? static_cast<double>(ceil_div(extent, lanes[d]))
                    : static_cast<double>(extent) / static_cast<double>(lanes[d]);
  }
  for (const Rank& rank : space_.problem().tensors[t].ranks) {
    std::int64_t longest = 1;
    for (const Term& term : rank.terms) longest = std::max(longest, lanes[index(term.dim)]);
    taken *= static_cast<double>(longest);
  }
  return std::max(words, taken);
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
