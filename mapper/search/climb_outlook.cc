// A climb's levels as its outlook sees them.
#include <algorithm>
#include <utility>

#include "mapper/search/climb_run.h"

namespace loopscape {

std::uint8_t Climb::chain_memory(const OpenRun& run) const {
  return skeleton_.chain[run.tensor][run.boundary];
}

// Of lanes `within` a dimension's last tile, for tiles of at most this size: each has its share of
// a full one. In a tile that is all there is the last lane of the outermost loop is busy.
std::int64_t Climb::busy_at_edge(std::size_t d, std::int64_t size, std::int64_t within) const {
  const std::int64_t extent = space_.problem().dims[d].extent, tiles = ceil_div(extent, size);
  if (tiles == 1) return within - within / outermost_lanes_[d] + 1;
  const std::int64_t edge = extent - (tiles - 1) * size;
  return std::clamp<std::int64_t>(ceil_div(edge * within, size), 1, within);
}

// Copies of a word by irrelevant lanes `within` a tile (those `beyond` come further out), for tiles
// of at most this size: full ones reach every lane.
std::int64_t Climb::copies(std::size_t d, std::int64_t size, std::int64_t within,
                           std::int64_t beyond) const {
  const std::int64_t tiles = ceil_div(space_.problem().dims[d].extent, size);
  if (!skeleton_.ragged) return tiles * within;
  if (within == 1) return tiles;
  if (tiles == 1 && beyond > 1) return 1;
  return (tiles - 1) * within + busy_at_edge(d, size, within);
}

// The rows that such copies stand in, of the fan-out below the parent.
std::int64_t Climb::rows(const LaneRows& lanes, std::size_t d, std::int64_t size,
                         std::int64_t within, std::int64_t beyond) const {
  const std::int64_t tiles = ceil_div(space_.problem().dims[d].extent, size);
  const std::int64_t rounds = tiles / beyond;
  const std::int64_t rows_within = lanes.rows(d, 1, within, within);
  const std::int64_t rows_beyond = lanes.rows(d, within, beyond, beyond);
  if (!skeleton_.ragged) return rounds * rows_within * rows_beyond;
  if (beyond > 1) return rounds * rows_beyond + lanes.rows(d, within, beyond, tiles % beyond);
  return (tiles - 1) * rows_within +
         lanes.rows(d, 1, within, within == 1 ? 1 : busy_at_edge(d, size, within));
}

double Climb::words_but_pairs(std::size_t t) const {
  auto words = static_cast<double>(counter_.all_words(t));
  for (const BoundaryCounter::Pair& pair : counter_.pairs(t)) {
    words /= static_cast<double>(pair.words);
  }
  return words;
}

Outlook::Pair Climb::pair_of(std::size_t t, const BoundaryCounter::Pair& pair, double per_row,
                             const Outlook::Run& run) const {
  const auto side = [&](std::size_t d) {
    struct Side {
      std::int64_t extent, within, beyond, room, step;
      std::int64_t marched;  // lanes that a march's step goes over, at least
    };
    const std::int64_t within = run.lanes[d], beyond = run.lanes_beyond[d];
    // Full lanes of a clipped tile, at least: all but the last of the outermost loop.
    const std::int64_t room = within - within / outermost_lanes_[d];
    return Side{space_.problem().dims[d].extent,
                within,
                beyond,
                std::max<std::int64_t>(1, room),
                d == pair.a ? pair.step_a : pair.step_b,
                has(run.loose, d) ? 1 : within};
  };
  const auto a = side(pair.a), b = side(pair.b);
  const auto all = [this, t, pair](std::int64_t size_a, std::int64_t size_b) {
    return static_cast<double>(counter_.pair_words_of_all(t, pair, size_a, size_b));
  };
  const bool ragged = skeleton_.ragged;
  // Of a child: the largest tile that lanes take to one of this bin.
  const auto child = [ragged](const auto& its, const Outlook::Bin& bin) {
    const bool clips = ragged && bin.largest == its.extent && its.within > 1;
    const std::int64_t most = clips ? (its.extent - 1) / its.room : bin.largest / its.within;
    return std::clamp<std::int64_t>(most, 1, its.extent);
  };
  const auto words = [=](const Outlook::Bin& of_a, const Outlook::Bin& of_b) {
    const auto whole = static_cast<double>(pair.words);
    Outlook::PairWords sums{{whole, whole, whole}, {whole, whole, whole}};
    const bool joined = of_a.smallest != of_a.largest || of_b.smallest != of_b.largest;
    if (joined && !pair.gapless) return sums;  // not falling in the sizes
    const std::int64_t tile_a = std::min(a.extent, of_a.largest * a.beyond);
    const std::int64_t tile_b = std::min(b.extent, of_b.largest * b.beyond);
    sums.demand = {all(tile_a, tile_b), all(a.extent, tile_b), all(tile_a, b.extent)};
    const std::int64_t child_a = child(a, of_a), child_b = child(b, of_b);
    const double apart = all(child_a, child_b);
    // Does a child's next tile of the march overlap the last one?
    const auto overlaps = [&](const auto& its, std::int64_t size, const auto& other,
                              std::int64_t other_size) {
      const std::int64_t moves = its.step * size * its.marched;
      return moves < its.step * (size - 1) + other.step * (other_size - 1) + 1;
    };
    const auto least = [](const auto& its, const Outlook::Bin& bin) {
      return its.marched < its.within ? 1 : std::max<std::int64_t>(1, bin.smallest / its.within);
    };
    const std::int64_t least_a = least(a, of_a), least_b = least(b, of_b);
    sums.arrivals = {apart, overlaps(a, least_a, b, child_b) ? all(a.extent, child_b) : apart,
                     overlaps(b, least_b, a, child_a) ? all(child_a, b.extent) : apart};
    return sums;
  };
  return {pair.a, pair.b, per_row, words};
}

Outlook::Run Climb::run_of(const OpenRun& open, std::size_t next, const View& view) const {
  const std::size_t t = open.tensor;
  const Price& price = view.price[t][open.boundary];
  Outlook::Run run;
  const auto all_words = static_cast<double>(counter_.all_words(t));
  run.single_words = all_words;
  run.slope = std::max(0.0, price.slope);
  run.base = paid_for(price, all_words) - run.slope * all_words + price.fold;
  const Copies& its = copies_[t][open.boundary];
  run.once = run.base + run.slope * all_words + its.least_pj;
  run.fold = price.fold;
  run.lanes_left = lanes_left_[next];
  run.prices = its.prices;
  run.lane_rows = its.rows;
  run.relevant = counter_.relevant(t);
  run.repeats = !reuses_more_[t];
  const std::size_t store = store_step_[t][open.boundary];
  run.lanes = lanes_between(store, next);
  const DimMask marches = counter_.sliding(t), ends = static_cast<DimMask>(run.relevant & ~marches);
  run.loose = static_cast<DimMask>(loose_between(store, next) & ~ends);
  run.grown = static_cast<DimMask>(run.loose | marches);
  const double price_of_cycle = view.blend.pj_per_cycle;
  run.of_tile_word = price_of_cycle * tile_cycles(t, open.boundary, 1);
  run.of_tile = [this, t, k = open.boundary, price_of_cycle](const Tile& tile) {
    return price_of_cycle * tile_cycles(t, k, counter_.tile_words(t, tile));
  };
  run.lanes_beyond = lanes_ahead(next, t, open.boundary);
  run.copies = [this, lanes = run.lanes, beyond = run.lanes_beyond](std::size_t d,
                                                                    std::int64_t size) {
    return copies(d, size, lanes[d], beyond[d]);
  };
  run.rows = [this, &its, lanes = run.lanes, beyond = run.lanes_beyond](std::size_t d,
                                                                        std::int64_t size) {
    return rows(its.rows, d, size, lanes[d], beyond[d]);
  };
  if (!forwards_[t] && !space_.problem().tensors[t].is_output) {
    run.single_words = words_but_pairs(t);
    const auto& pairs = counter_.pairs(t);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const double columns = its.prices.of_rows() ? its.pair_columns[p] : 1;
      run.pairs.push_back(pair_of(t, pairs[p], 1 / columns, run));
    }
  }
  const Step own{Step::Kind::kStore, 0, chain_memory(open), static_cast<TensorMask>(1u << t)};
  const bool slides = counter_.sliding(t) != 0;
  run.store.name = name_of(own);
  if (slides) run.store.name = ~run.store.name;
  run.store.dims = slides ? DimMask{0} : run.relevant;
  run.store.fits = [this, own, slides](const Tile& tile) { return slides || fits(own, tile); };
  return run;
}

std::uint64_t Climb::name_of(const Step& store) {
  return std::uint64_t{store.memory} << 32 | store.tensors;
}

// Of lanes from a step up to another.
std::array<std::int64_t, kMaxDims> Climb::lanes_between(std::size_t step, std::size_t next) const {
  std::array<std::int64_t, kMaxDims> lanes;
  for (std::size_t d = 0; d < kMaxDims; ++d) lanes[d] = lanes_left_[step][d] / lanes_left_[next][d];
  return lanes;
}

// Dimensions that may grow between those lanes.
DimMask Climb::loose_between(std::size_t step, std::size_t next) const {
  DimMask dims = 0;
  for (std::size_t s = step; s < next; ++s) {
    if (steps_[s].kind != Step::Kind::kSlot) continue;
    const Slot& slot = placement_.slots[steps_[s].slot];
    if (slot.kind == Slot::Kind::kUnderFanout) dims = static_cast<DimMask>(dims | slot.dims);
  }
  return dims;
}

Outlook::Level Climb::outlook_level(std::size_t l, const View& view) const {
  Outlook::Level level;
  const std::size_t next = next_level_step(l), last = levels_[l].last;
  level.lanes = lanes_between(last, next);
  level.outermost = outermost_lanes_;
  level.loose = loose_between(last, next);
  for (const OpenRun& open : levels_[l].runs) level.runs.push_back(run_of(open, next, view));
  for (const OpenRun& open : levels_[l].passing) {
    level.runs.push_back(run_of(open, next, view));
    level.passing.push_back(static_cast<std::size_t>(run_at(levels_[l - 1], open)));
  }
  level.several = levels_[l].first != last;
  const Step& store = steps_[last];
  level.store.name = name_of(store);
  for (unsigned rest = store.tensors; rest != 0; rest &= rest - 1) {
    const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
    level.store.dims = static_cast<DimMask>(level.store.dims | counter_.relevant(t));
  }
  level.store.fits = [this, &store](const Tile& tile) { return fits(store, tile); };
  return level;
}

Climb::View Climb::view_of(const Blend& blend) const {
  View view;
  view.blend = blend;
  view.price.resize(floor_.size());
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    for (std::size_t k = 0; k < floor_[t].size(); ++k) {
      const BoundaryPrices::Floor& floor = floor_[t][k];
      view.price[t].push_back(
          {blended(blend, floor.base_energy, floor.base_exposed, floor.base_busy),
           blended(blend, floor.slope_energy, floor.slope_exposed, floor.slope_busy),
           blend.pj_per_cycle * fold_cycles(t, k)});
    }
  }
  return view;
}

// An input's copies beyond one for each word that is asked for, at least, if its run (and march)
// from the child's tile ended at this one, before the lanes of steps from `step` on.
double Climb::copies_pj(std::size_t t, std::size_t k, const Tile& child, const Tile& tile,
                        std::size_t step, double demand) const {
  const Copies& its = copies_[t][k];
  if (its.prices.size() == 0) return 0;
  double arrivals = words_but_pairs(t), in_rows = arrivals;
  const auto& beyond = lanes_ahead(step, t, k);
  const auto& left = lanes_left_[step - 1];
  const auto& since = lanes_left_[store_step_[t][k]];
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    if (has(counter_.relevant(t), d)) continue;
    const std::int64_t within = since[d] / left[d];
    arrivals *= static_cast<double>(copies(d, tile[d], within, beyond[d]));
    in_rows *= static_cast<double>(rows(its.rows, d, tile[d], within, beyond[d]));
  }
  for (std::size_t p = 0; p < counter_.pairs(t).size(); ++p) {
    const BoundaryCounter::Pair& pair = counter_.pairs(t)[p];
    const auto size = [&](std::size_t d) {
      // A marching dimension has grown; others only by lanes.
      const std::int64_t within = since[d] / left[d];
      const std::int64_t grown = tile[d] == child[d] * within ? child[d] : tile[d];
      return std::min<std::int64_t>(grown, space_.problem().dims[d].extent);
    };
    const auto words =
        static_cast<double>(counter_.pair_words_of_all(t, pair, size(pair.a), size(pair.b)));
    arrivals *= words;
    const double columns = its.prices.of_rows() ? its.pair_columns[p] : 1;
    in_rows *= std::max(static_cast<double>(pair.words), words / columns);
  }
  return its.prices.least(demand, arrivals, in_rows);
}

void Climb::glance(const Blend& blend, OutlookLattices& coarse) {
  look_out_on(coarse, blend);
  views_.clear();
  lattice_.reset();
}

void Climb::look_out(const Blend& blend) { look_out_on(lattices_, blend); }

OutlookLattice::Lanes Climb::lattice_lanes() const {
  OutlookLattice::Lanes lanes(space_.problem().dims.size());
  std::array<std::int64_t, kMaxDims> all;
  all.fill(1);
  for (const MappingNode& loop : skeleton_.spatial) all[loop.id] *= loop.bound;
  for (std::size_t d = 0; d < lanes.size(); ++d) {
    lanes[d].steps.clear();
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      const std::int64_t step = all[d] / lanes_left_[next_level_step(l)][d];
      if (l == 0 || step > lanes[d].steps.back()) lanes[d].steps.push_back(step);
    }
    lanes[d].outermost = outermost_lanes_[d];
    lanes[d].apart = all[d] > 1;
  }
  return lanes;
}

double Climb::sizes() const {
  return OutlookLattice::classes(extents_of(space_.problem()), !skeleton_.ragged, lattice_lanes());
}

void Climb::look_out_on(OutlookLattices& lattices, const Blend& blend) {
  if (levels_.empty()) return;
  if (!lattice_) {
    lattice_ = lattices.with(lattice_lanes());
    least_.lines = 0;  // those of a glance
  }
  if (blend.pj_per_cycle > 0) {
    add_line(blend);
  } else {
    add_energy();
  }
}

// The first view is that of energy.
void Climb::add_energy() {
  if (!add_view({})) return;
  std::rotate(views_.begin(), std::prev(views_.end()), views_.end());
  double energy = least_of_all(views_.front());
  add_leakage(least_.cycles, energy);
  least_.energy_pj = std::max(least_.energy_pj, energy);
}

bool Climb::add_view(const Blend& blend) {
  View view = view_of(blend);
  std::vector<Outlook::Level> levels;
  for (std::size_t l = 0; l < levels_.size(); ++l) levels.push_back(outlook_level(l, view));
  const std::uint64_t numbers = lattice_->size() << levels.front().runs.size();
  if (!view.outlook.fill(*lattice_, std::move(levels))) return false;
  outlook_numbers_ += numbers;
  views_.push_back(std::move(view));
  return true;
}

bool Climb::add_line(const Blend& blend) {
  if (least_.lines == kMostBlends) return false;
  if (blend.pj_per_cycle <= prices_.leakage_pj_per_cycle_least()) return false;
  // Where all time goes to steps and nothing is exposed, that is what the view of energy tells.
  if (blend.resource == Blend::kNoResource && !exposes_) return false;
  if (!add_view(blend)) return false;
  least_.line[least_.lines++] = line_of(blend, least_of_all(views_.back()), steps_least_);
  return true;
}

void Climb::look_also(const Blend& blend, const std::function<bool(const CostBound&)>& tells) {
  if (views_.empty() || !add_line(blend) || tells(least_)) return;
  --least_.lines;
  views_.pop_back();
}

// Of every mapping there is.
double Climb::least_of_all(const View& view) const {
  const Terms& fixed = prices_.fixed();
  double sum = blended(view.blend, fixed.energy, fixed.exposed, fixed.busy);
  for (std::size_t t = 0; t < floor_.size(); ++t) {
    sum += paid_for(view.price[t].back(), compute_words_[t]);
  }
  Tile lanes;
  lanes.fill(1);
  for (const MappingNode& loop : skeleton_.spatial) lanes[loop.id] *= loop.bound;
  for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
    const auto beyond = static_cast<std::uint32_t>(lanes_left_[next_level_step(0)][d]);
    lanes[d] = static_cast<std::uint32_t>(
        std::min<std::int64_t>(lanes[d] / beyond, space_.problem().dims[d].extent));
  }
  return sum + view.outlook.least_of_all(lanes);
}

// A mapping takes at least the cycles of its resource, or its steps, and the exposed ones as well;
// and what leaks in a cycle is paid in any case.
CostBound::Line Climb::line_of(const Blend& blend, double least, double steps) const {
  if (blend.resource == Blend::kNoResource) {
    least += blend.pj_per_cycle * steps * space_.arch().compute.interval_cycles;
  }
  return {blend.pj_per_cycle - prices_.leakage_pj_per_cycle_least(), least};
}

}  // namespace loopscape
