#include "mapper/search/outlook.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostNumbers = 8'000'000;
constexpr unsigned kFirstWay = 8;  // bits of runs come first
constexpr std::size_t kMostWays = 16;

void add(const OutlookLattice::Table& more, OutlookLattice::Table& table) {
  double* __restrict to = table.data();
  const double* __restrict from = more.data();
  for (std::size_t i = 0; i < more.size(); ++i) to[i] += from[i];
}

// table <- least of it and this much more than the sum of the others.
void take_least(const OutlookLattice::Table& other, double more, const OutlookLattice::Table& added,
                OutlookLattice::Table& table) {
  double* __restrict to = table.data();
  const double* __restrict from = other.data();
  const double* __restrict from_added = added.data();
  for (std::size_t i = 0; i < other.size(); ++i) {
    const double value = more + (from[i] + from_added[i]);
    to[i] = value < to[i] ? value : to[i];
  }
}

}  // namespace

bool Outlook::fill(OutlookLattice& lattice, std::vector<Level> levels) {
  lattice_ = &lattice;
  levels_ = std::move(levels);
  if (!lattice.usable()) return false;
  for (const Level& level : levels_) {
    if (lattice.size() << level.runs.size() > kMostNumbers) return false;
  }
  find_classes();
  tables_.resize(levels_.size() + 1);  // the last: beyond all stores
  for (std::size_t l = tables_.size(); l-- > 0;) {
    // The innermost level differs between almost all spatial loops.
    const std::string content = l == 0 ? "" : content_of(l);
    if (l > 0) tables_[l] = lattice.known(content);
    if (tables_[l]) continue;
    tables_[l] = fill_level(l);
    if (l > 0) lattice.keep(content, tables_[l]);
  }
  return true;
}

// Dimensions that matter to the same runs of every level are one class.
void Outlook::find_classes() {
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const auto dim = static_cast<DimMask>(1u << d);
    const auto alike = [&](DimMask cls) {
      for (const Level& level : levels_) {
        for (const Run& run : level.runs) {
          if (((run.relevant & dim) != 0) != ((run.relevant & cls) != 0)) return false;
        }
      }
      return true;
    };
    const auto same = std::find_if(classes_.begin(), classes_.end(), alike);
    if (same == classes_.end()) {
      classes_.push_back(dim);
    } else {
      *same = static_cast<DimMask>(*same | dim);
    }
  }
}

// Everything that the tables of a level and of those further out follow from.
std::string Outlook::content_of(std::size_t first) const {
  std::string content;
  const auto put = [&](const auto& value) {
    content.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto put_lanes = [&](const LaneRows::Lanes& lanes) {
    put(lanes.bound);
    put(lanes.dim);
    put(lanes.are_rows);
  };
  for (const DimMask cls : classes_) put(cls);
  for (std::size_t l = first; l < levels_.size(); ++l) {
    const Level& level = levels_[l];
    put(level.store.name);
    put(level.loose);
    put(level.runs.size());
    for (const std::size_t run : level.passing) put(run);
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      put(level.lanes[d]);
      put(level.lanes[d] > 1 ? level.outermost[d] : 1);
    }
    for (const Run& run : level.runs) {
      put(run.base);
      put(run.slope);
      for (const CopyPrice& price : run.prices) put(price);
      for (const LaneRows::Lanes& lanes : run.lane_rows) put_lanes(lanes);
      for (const Pair& pair : run.pairs) put(pair.per_row);
      put(run.once);
      put(run.store.name);
      put(run.repeats);
      put(run.loose);
      put(run.fold);
      for (std::size_t d = 0; d < lattice_->dims(); ++d) {
        put(run.lanes[d]);
        put(run.lanes_beyond[d]);
        if (run.fold > 0) put(run.lanes_left[d]);
      }
    }
  }
  return content;
}

DimMask Outlook::dims_of(std::size_t cls) const {
  return cls == classes_.size() ? DimMask{0} : classes_[cls];
}

unsigned Outlook::ended_by(const Level& level, std::size_t cls) const {
  if (cls == classes_.size()) return ~0u;  // nothing left to grow: every word has crossed once
  unsigned runs = 0;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((level.runs[r].relevant & classes_[cls]) != 0) runs |= 1u << r;
  }
  return runs;
}

// Where each tile comes to lie, with the lanes beyond the level's stores, if these are passed.
std::vector<std::uint32_t> Outlook::places_with_lanes(std::size_t l) const {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  const Level& level = levels_[l];
  const std::vector<char>& holds =
      lattice_->holding(level.store, OutlookLattice::Parts(lattice_->dims(), 1));
  const std::uint32_t* const place = lattice_->places(level.store.dims).data();
  std::vector<std::vector<std::uint64_t>> offset(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const std::int64_t extent = lattice_->extent(d);
    for (const Bin& bin : lattice_->bins(d)) {
      const std::int64_t size = bin.smallest * level.lanes[d];
      // Lanes that do not divide what is left: no mapping goes this way.
      const bool never = lattice_->perfect() && extent % size != 0;
      offset[d].push_back(never ? kFar : lattice_->offset(d, std::min(size, extent)));
    }
  }
  const auto places = lattice_->combined(std::uint64_t{0}, offset, std::plus<>());
  std::vector<std::uint32_t> to(lattice_->size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    const bool nowhere = holds[place[i]] == 0 || places[i] >= kFar;
    to[i] = static_cast<std::uint32_t>(nowhere ? to.size() : places[i]);
  }
  return to;
}

// Runs whose parents lie beyond the next level's stores.
unsigned Outlook::passing_on(std::size_t l) const {
  unsigned runs = 0;
  if (l + 1 == levels_.size()) return runs;
  for (const std::size_t run : levels_[l + 1].passing) runs |= 1u << run;
  return runs;
}

unsigned Outlook::in_next(std::size_t l, unsigned runs) const {
  unsigned there = 0;
  const Level& next = levels_[l + 1];
  for (std::size_t p = 0; p < next.passing.size(); ++p) {
    if ((runs >> next.passing[p] & 1u) != 0) there |= 1u << p;
  }
  return there;
}

// What a climb pays from the level's stores on, if they are passed at this tile while these of the
// runs that come from the level before are open, and the next loop is over one of these dimensions;
// with no class of dimensions, if nothing is left to loop over. Whether these can grow is not
// asked.
const Outlook::Table& Outlook::passed(std::size_t l, unsigned passing, std::size_t cls) const {
  if (l == levels_.size()) {
    Table& nothing = tables_[l]->outside[0];
    if (nothing.empty()) nothing.resize(lattice_->size(), 0);
    return nothing;
  }
  const Level& level = levels_[l];
  // With lanes first it is the same for all classes.
  const bool lanes = std::any_of(level.lanes.begin(), level.lanes.end(),
                                 [](std::int64_t bound) { return bound > 1; });
  if (lanes) cls = 0;
  std::vector<Table>& by_class = tables_[l]->passed[passing];
  by_class.resize(classes_.size() + 1);
  Table& table = by_class[cls];
  if (!table.empty()) return table;
  const std::size_t size = lattice_->size();
  const unsigned open = ((1u << level.opening()) - 1) | passing << level.opening();
  Table following(size + 1, kNever);  // the last: of nowhere
  if (lanes) {
    here(l, open).copy_to(following.data());
  } else {
    next_loop(l, open, cls).lower(0, size, following.data());
    // Lanes may be all that is left of these dimensions.
    if (cls < classes_.size()) {
      next_loop(l, open, classes_.size()).lower(0, size, following.data());
    }
  }
  // Lanes take the tiles of joined bins to several bins.
  DimMask blurred = 0;
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    if (level.lanes[d] > 1) blurred = static_cast<DimMask>(blurred | 1u << d);
  }
  lattice_->take_least_of_grown(following, static_cast<DimMask>(blurred & lattice_->joined()));
  if (tables_[l]->with_lanes.empty()) tables_[l]->with_lanes = places_with_lanes(l);
  table.resize(size, kUnset);
  const std::uint32_t* const to = tables_[l]->with_lanes.data();
  for (std::size_t i = 0; i < size; ++i) table[i] = following[to[i]];
  return table;
}

// The same of the next level's stores, with these of the level's runs open.
const Outlook::Table& Outlook::next(std::size_t l, const LevelTables& tables, unsigned runs,
                                    std::size_t cls) const {
  if (runs == 0) return passed(l + 1, 0, cls);
  std::vector<Table>& by_class = tables.next[runs];
  by_class.resize(classes_.size() + 1);
  Table& table = by_class[cls];
  if (!table.empty()) return table;
  table = passed(l + 1, in_next(l, runs), cls);
  for (std::size_t i = 0; i < table.size(); ++i) {
    if ((runs & ~tables.fitting[i]) != 0) table[i] = kNever;
  }
  return table;
}

// The least from the level's stores on, if none is open when they are passed at this tile, and no
// next loop is over these dimensions.
const Outlook::Table& Outlook::outside(std::size_t l, DimMask but) const {
  Table& table = tables_[l]->outside[1u + but];
  if (!table.empty()) return table;
  table.resize(lattice_->size(), kNever);
  for (std::size_t c = 0; c <= classes_.size(); ++c) {
    if ((dims_of(c) & but) == 0) take_least(passed(l, 0, c), 0, lattice_->gate(dims_of(c)), table);
  }
  return table;
}

// The same with any next loop, at this tile or any that it grows to.
const Outlook::Table& Outlook::closed(std::size_t l) const {
  Table& table = tables_[l]->closed;
  if (!table.empty()) return table;
  table = outside(l, 0);
  lattice_->take_least_of_grown(table, lattice_->all_dims());
  return table;
}

Outlook::Table Outlook::costs(const Run& run, const Crossing& crossing) const {
  const Table& demand = crossing.demand;
  // What costs nothing is not more than what is asked for.
  const double* const arrivals =
      crossing.arrivals.empty() ? demand.data() : crossing.arrivals.data();
  const double* const rows = crossing.rows.empty() ? demand.data() : crossing.rows.data();
  Table costs(demand.size(), run.prices.size() == 0 ? 0 : kNever);
  for (const CopyPrice& price : run.prices) {
    for (std::size_t i = 0; i < costs.size(); ++i) {
      costs[i] = std::min(costs[i], price.of(demand[i], arrivals[i], rows[i]));
    }
  }
  for (std::size_t i = 0; i < costs.size(); ++i) costs[i] += run.base + run.slope * demand[i];
  return costs;
}

// The crossing is of all but the pairs.
Outlook::Table Outlook::costs_of_pairs(const Run& run, const Crossing& crossing) const {
  struct Known {
    OutlookLattice::PerTile<std::uint32_t> place;
    std::vector<PairWords> words;
  };
  boost::container::small_vector<Known, 2> pairs;
  for (const Pair& pair : run.pairs) {
    Known& known = pairs.emplace_back();
    std::vector<std::vector<std::uint32_t>> place(lattice_->dims());
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      const std::size_t step = d == pair.a ? lattice_->bins(pair.b).size() : d == pair.b ? 1 : 0;
      for (std::size_t bin = 0; bin < lattice_->bins(d).size(); ++bin) {
        place[d].push_back(static_cast<std::uint32_t>(bin * step));
      }
    }
    known.place = lattice_->combined(std::uint32_t{0}, place, std::plus<>(), crossing.dims);
    for (const Bin& a : lattice_->bins(pair.a)) {
      for (const Bin& b : lattice_->bins(pair.b)) known.words.push_back(pair.words(a, b));
    }
  }
  boost::container::small_vector<const PairWords*, 2> its(pairs.size());
  Table costs(crossing.demand.size(), kNever);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    for (std::size_t p = 0; p < pairs.size(); ++p) its[p] = &pairs[p].words[pairs[p].place[i]];
    // One pair at most marches, along either of its dimensions.
    for (std::size_t marching = 0; marching <= 2 * pairs.size(); ++marching) {
      double words = crossing.demand[i];
      double copies = crossing.arrivals.empty() ? words : crossing.arrivals[i];
      double rows = crossing.rows.empty() ? words : crossing.rows[i];
      for (std::size_t p = 0; p < its.size(); ++p) {
        const std::size_t how =
            marching > 0 && (marching - 1) / 2 == p ? 1 + (marching - 1) % 2 : 0;
        words *= its[p]->demand[how];
        copies *= its[p]->arrivals[how];
        rows *= std::max(its[p]->demand[how], its[p]->arrivals[how] * run.pairs[p].per_row);
      }
      costs[i] = std::min(costs[i], run.slope * words + run.prices.least(words, copies, rows));
    }
    costs[i] += run.base;
  }
  return costs;
}

// What a run costs if it ends at a tile (optimal_search.md, "Cost closes locally"). Of its relevant
// dimensions only those of pairs matter.
Outlook::Table Outlook::ends_of(const Run& run) const {
  if (!run.repeats) return Table(lattice_->size(), run.once);
  Crossing crossing;
  crossing.dims = static_cast<DimMask>(lattice_->all_dims() & ~run.relevant);
  std::vector<std::vector<double>> asked(lattice_->dims()), copies(asked), rows(asked);
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const bool repeats = (crossing.dims >> d & 1u) != 0;
    for (const Bin& bin : lattice_->bins(d)) {
      asked[d].push_back(repeats ? static_cast<double>(ceil_div(bin.tiles, run.lanes_beyond[d]))
                                 : 1);
      copies[d].push_back(repeats ? static_cast<double>(run.copies(d, bin.largest)) : 1);
      rows[d].push_back(repeats ? static_cast<double>(run.rows(d, bin.largest)) : 1);
    }
  }
  for (const Pair& pair : run.pairs) {
    crossing.dims = static_cast<DimMask>(crossing.dims | 1u << pair.a | 1u << pair.b);
  }
  const auto combined = [&](const std::vector<std::vector<double>>& parts) {
    return lattice_->combined(run.single_words, parts, std::multiplies<>(), crossing.dims);
  };
  crossing.demand = combined(asked);
  if (run.prices.of_copies()) crossing.arrivals = combined(copies);
  if (run.prices.of_rows()) crossing.rows = combined(rows);
  const Table of_few = run.pairs.empty() ? costs(run, crossing) : costs_of_pairs(run, crossing);
  if (crossing.dims == lattice_->all_dims()) return of_few;
  Table ends(lattice_->size(), kUnset);
  const std::uint32_t* const place = lattice_->places(crossing.dims).data();
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = of_few[place[i]];
  return ends;
}

// One residence for each tile of these dimensions.
Outlook::Table Outlook::more_folds(const Run& run, DimMask dims) const {
  std::vector<std::vector<double>> tiles(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const bool counts = (dims >> d & 1u) != 0;
    for (const Bin& bin : lattice_->bins(d)) {
      tiles[d].push_back(counts ? static_cast<double>(ceil_div(bin.tiles, run.lanes_left[d])) : 1);
    }
  }
  Table folds = lattice_->combined(run.fold, tiles, std::multiplies<>());
  for (double& cost : folds) cost -= run.fold;
  return folds;
}

// What each run costs if it ends at this tile; and, with all that follows, if it is the only one to
// go on from here: it ends further on, or is still open when the next level's stores are passed.
void Outlook::follow_runs(std::size_t l, LevelTables& tables) const {
  const Table& none = passed(levels_.size(), 0, 0);
  for (std::size_t r = 0; r < levels_[l].runs.size(); ++r) {
    const Run& run = levels_[l].runs[r];
    Table& ends = tables.now.emplace_back(ends_of(run));
    Table& folds = tables.folds.emplace_back();
    if (run.fold > 0) {
      add(more_folds(run, lattice_->all_dims()), ends);
      folds = more_folds(run, run.relevant);
    }
    Table goes_on = ends;
    add(closed(l + 1), goes_on);
    // Still open outside the next level's stores, if the next loop does not end it there.
    if ((passing_on(l) >> r & 1u) != 0) {
      for (std::size_t c = 0; c <= classes_.size(); ++c) {
        if ((dims_of(c) & run.relevant) != 0) continue;
        take_least(next(l, tables, 1u << r, c), 0, lattice_->gate(dims_of(c)), goes_on);
      }
    } else {
      const Table& left = outside(l + 1, run.relevant);
      take_least(left, run.once, folds.empty() ? none : folds, goes_on);
    }
    lattice_->take_least_of_grown(goes_on,
                                  static_cast<DimMask>(lattice_->all_dims() & ~run.relevant));
    tables.alone.push_back(std::move(goes_on));
  }
}

// Every word crosses at least once, and stays at least as often as there are tiles of the tensor.
void Outlook::add_once(std::size_t l, std::size_t r, Sum& sum) const {
  const Run& run = levels_[l].runs[r];
  sum.more += run.once;
  if (!tables_[l]->folds[r].empty()) sum.tables.push_back(tables_[l]->folds[r].data());
}

Outlook::NextLoop Outlook::next_loop(std::size_t l, unsigned open, std::size_t cls) const {
  const Level& level = levels_[l];
  const LevelTables& tables = *tables_[l];
  const unsigned ended = ended_by(level, cls);
  NextLoop loop;
  loop.gate = lattice_->gate(dims_of(cls)).data();
  const unsigned going_on = open & ~ended;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((open & ended) >> r & 1u) loop.ends.tables.push_back(tables.now[r].data());
    if ((going_on >> r & 1u) == 0) continue;
    if ((passing_on(l) >> r & 1u) == 0) add_once(l, r, loop.outside);
    Sum& sum = loop.inside.emplace_back();
    sum.tables.push_back(tables.alone[r].data());
    for (std::size_t other = 0; other < level.runs.size(); ++other) {
      if (other != r && (going_on >> other & 1u) != 0) add_once(l, other, sum);
    }
  }
  if (going_on == 0) loop.inside.emplace_back().tables.push_back(closed(l + 1).data());
  loop.outside.tables.push_back(next(l, tables, going_on & passing_on(l), cls).data());
  return loop;
}

std::shared_ptr<const OutlookLattice::LevelTables> Outlook::fill_level(std::size_t l) const {
  auto tables = std::make_shared<LevelTables>();
  if (l == levels_.size()) return tables;
  set_fitting(l, *tables);
  follow_runs(l, *tables);
  tables->here.resize(std::size_t{1} << levels_[l].runs.size());
  tables->from_here.resize(tables->here.size());
  return tables;
}

OutlookLattice::Here& Outlook::here(std::size_t l, unsigned open) const {
  OutlookLattice::Here& here = tables_[l]->here[open];
  if (!here.empty()) return here;
  std::vector<NextLoop> loops;
  for (std::size_t c = 0; c <= classes_.size(); ++c) loops.push_back(next_loop(l, open, c));
  here.start(lattice_->size(), std::move(loops));
  return here;
}

const Outlook::Table& Outlook::from_here(std::size_t l, unsigned open) const {
  Table& table = tables_[l]->from_here[open];
  if (table.empty()) {
    table = before_stores(l, open);
    lattice_->take_least_of_grown(table, lattice_->all_dims());
  }
  return table;
}

// As from_here() tells, but only at tiles that the first level holds.
double Outlook::least_of_all(const Tile& lanes) const {
  const LevelTables& first = *tables_[0];
  const unsigned all = (1u << levels_[0].runs.size()) - 1;
  std::vector<OutlookLattice::Here*> still_open(all + 1);
  double least = kNever;
  const OutlookLattice::PerTile<char> has_lanes = lattice_->with_lanes(lanes);
  for (std::size_t i = 0; i < has_lanes.size(); ++i) {
    if (has_lanes[i] == 0) continue;
    for_still_open(first, i, all, [&](unsigned open) {
      if (still_open[open] == nullptr) still_open[open] = &here(0, open);
      double sum = still_open[open]->at(i);
      for (unsigned rest = all & ~open; rest != 0; rest &= rest - 1) {
        sum += first.now[static_cast<std::size_t>(__builtin_ctz(rest))][i];
      }
      least = std::min(least, sum);
    });
  }
  return least;
}

// What grows between the level's stores and its lanes ends runs that it is relevant to: either the
// outermost store holds the tile without that, or they are not open any more.
void Outlook::set_fitting(std::size_t l, LevelTables& tables) const {
  const Level& level = levels_[l];
  tables.fitting.assign(lattice_->size(), 0);
  // Of tiles without their lanes, and before these dimensions have grown.
  const auto mark = [&](const OutlookLattice::Store& store,
                        const std::array<std::int64_t, kMaxDims>& lanes, DimMask loose,
                        std::size_t bit) {
    OutlookLattice::Parts parts;
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      parts.push_back((loose >> d & 1u) != 0 ? lattice_->extent(d) : lanes[d]);
    }
    const std::vector<char>& holding = lattice_->holding(store, parts);
    const std::uint32_t* const place = lattice_->places(store.dims).data();
    for (std::size_t i = 0; i < tables.fitting.size(); ++i) {
      tables.fitting[i] |= static_cast<std::uint32_t>(holding[place[i]] != 0) << bit;
    }
  };
  const auto ends = [&](std::size_t r) -> unsigned {
    return level.loose & ~static_cast<unsigned>(level.runs[r].loose);
  };
  unsigned ending = 0;
  for (std::size_t r = 0; r < level.runs.size(); ++r) ending |= ends(r);
  for (unsigned dims = ending;; dims = (dims - 1) & ending) {
    tables.ways.push_back({dims, 0});
    if (dims == 0) break;
  }
  std::stable_sort(tables.ways.begin(), tables.ways.end(), [](const auto& a, const auto& b) {
    return std::popcount(a.dims) < std::popcount(b.dims);
  });
  if (tables.ways.size() > kMostWays) tables.ways = {{ending, 0}};  // as if nothing ended
  const bool ends_runs = tables.ways.size() > 1;
  for (std::size_t w = 0; w < tables.ways.size(); ++w) {
    auto& way = tables.ways[w];
    for (std::size_t r = 0; ends_runs && r < level.runs.size(); ++r) {
      if ((ends(r) & way.dims) != 0) way.ended |= 1u << r;
    }
    const auto loose = static_cast<DimMask>((level.loose & ~ending) | way.dims);
    mark(level.store, level.lanes, loose, kFirstWay + w);
  }
  const OutlookLattice::PerTile<char> has_lanes = lattice_->with_lanes(level.lanes);
  constexpr std::uint32_t kRuns = (1u << kFirstWay) - 1;
  for (std::size_t i = 0; i < has_lanes.size(); ++i) {
    if (has_lanes[i] == 0) tables.fitting[i] &= kRuns;
  }
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    const Run& run = level.runs[r];
    mark(run.store, run.lanes, run.loose, r);
  }
}

template <class Visit>
void Outlook::for_still_open(const LevelTables& tables, std::size_t tile, unsigned open,
                             const Visit& visit) const {
  const std::uint32_t fitting = tables.fitting[tile];
  std::uint32_t ways = fitting >> kFirstWay;
  while (ways != 0) {
    const LevelTables::Way& way = tables.ways[static_cast<std::size_t>(__builtin_ctz(ways))];
    visit(open & fitting & ~way.ended);
    // Those with more dimensions end more runs.
    for (std::uint32_t rest = ways; rest != 0; rest &= rest - 1) {
      const auto w = static_cast<std::size_t>(__builtin_ctz(rest));
      if ((tables.ways[w].dims & way.dims) == way.dims) ways &= ~(std::uint32_t{1} << w);
    }
  }
}

// Before the level's stores have all been passed: at the lanes some of these runs are open, each
// with a tile that its store holds; the others have ended at no larger tile. Whatever can be open
// is: to end at once is one of the ways to go on.
Outlook::Table Outlook::before_stores(std::size_t l, unsigned open) const {
  const LevelTables& tables = *tables_[l];
  std::vector<OutlookLattice::Here*> still_open(open + 1);
  Table table(lattice_->size(), kNever);
  for (std::size_t i = 0; i < table.size(); ++i) {
    for_still_open(tables, i, open, [&](unsigned still) {
      if (still_open[still] == nullptr) still_open[still] = &here(l, still);
      double sum = still_open[still]->at(i);
      for (unsigned rest = open & ~still; rest != 0; rest &= rest - 1) {
        sum += tables.now[static_cast<std::size_t>(__builtin_ctz(rest))][i];
      }
      table[i] = std::min(table[i], sum);
    });
  }
  return table;
}

}  // namespace loopscape
