#include "mapper/search/outlook.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "mapper/search/wide.h"

namespace loopscape {
namespace {

constexpr std::size_t kMostNumbers = 8'000'000;
constexpr unsigned kFirstWay = 8;  // bits of runs come first
constexpr std::size_t kMostWays = 16;

LOOPSCAPE_WIDE void add(const OutlookLattice::Table& more, OutlookLattice::Table& table) {
  double* __restrict to = table.data();
  const double* __restrict from = more.data();
  for (std::size_t i = 0; i < more.size(); ++i) to[i] += from[i];
}

// table <- least of it and this much more than the sum of the others.
LOOPSCAPE_WIDE void take_least(const OutlookLattice::Table& other, double more,
                               const OutlookLattice::Table& added, OutlookLattice::Table& table) {
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
    put(level.several);
    put(level.runs.size());
    for (const std::size_t run : level.passing) put(run);
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      put(level.lanes[d]);
      put(level.lanes[d] > 1 ? level.outermost[d] : 1);
    }
    for (const Run& run : level.runs) {
      put(run.base);
      put(run.slope);
      put(run.prices.size());
      for (const CopyPrice& price : run.prices) put(price);
      for (const LaneRows::Lanes& lanes : run.lane_rows) put_lanes(lanes);
      for (const Pair& pair : run.pairs) put(pair.per_row);
      put(run.once);
      put(run.store.name);
      put(run.repeats);
      put(run.loose);
      put(run.fold);
      put(run.of_tile_word);
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
// asked. All at once; or some of the stores may have been passed before, and their runs have ended.
const Outlook::Table& Outlook::passed(std::size_t l, Passing how, unsigned passing,
                                      std::size_t cls) const {
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
  if (!level.several) how = Passing::kAtOnce;
  std::vector<Table>& by_class = tables_[l]->passed[{how == Passing::kAtOnce, passing}];
  by_class.resize(classes_.size() + 1);
  Table& table = by_class[cls];
  if (!table.empty()) return table;
  const std::size_t size = lattice_->size();
  const unsigned open = ((1u << level.opening()) - 1) | passing << level.opening();
  Table following(size + 1, kNever);  // the last: of nowhere
  const bool may_have_ended = how == Passing::kOneByOne && tables_[l]->of_tiles != 0;
  if (level.several && (may_have_ended || tables_[l]->ways.size() > 1)) {
    const Table before = lanes ? before_stores(l, how, open) : before_stores(l, how, open, cls);
    std::copy(before.begin(), before.end(), following.begin());
  } else {
    // That runs go on where they cannot is never too high.
    if (lanes) here(l, open).copy_to(following.data());
    if (!lanes) lower_to_next(l, open, cls, following.data());
    for (std::size_t i = 0; level.several && how == Passing::kAtOnce && i < size; ++i) {
      if (!all_fit(*tables_[l], open, i)) following[i] = kNever;
    }
  }
  pass_lanes(l, following);
  return table = std::move(following);
}

// From numbers of tiles with the level's lanes, and one of nowhere, to those of tiles before them.
void Outlook::pass_lanes(std::size_t l, Table& following) const {
  // Lanes take the tiles of joined bins to several bins.
  DimMask blurred = 0;
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    if (levels_[l].lanes[d] > 1) blurred = static_cast<DimMask>(blurred | 1u << d);
  }
  lattice_->take_least_of_grown(following, static_cast<DimMask>(blurred & lattice_->joined()));
  if (tables_[l]->with_lanes.empty()) tables_[l]->with_lanes = places_with_lanes(l);
  Table table(lattice_->size(), kUnset);
  const std::uint32_t* const to = tables_[l]->with_lanes.data();
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = following[to[i]];
  following = std::move(table);
}

void Outlook::lower_to_next(std::size_t l, unsigned open, std::size_t cls, double* values) const {
  next_loop(l, open, cls).lower(0, lattice_->size(), values);
  // Lanes may be all that is left of these dimensions.
  if (cls < classes_.size()) {
    next_loop(l, open, classes_.size()).lower(0, lattice_->size(), values);
  }
}

// The same of the next level's stores, with these of the level's runs open.
const Outlook::Table& Outlook::next(std::size_t l, const LevelTables& tables, Passing how,
                                    unsigned runs, std::size_t cls) const {
  if (runs == 0) return passed(l + 1, how, 0, cls);
  std::vector<Table>& by_class = tables.next[{how == Passing::kAtOnce, runs}];
  by_class.resize(classes_.size() + 1);
  Table& table = by_class[cls];
  if (!table.empty()) return table;
  table = passed(l + 1, how, in_next(l, runs), cls);
  for (std::size_t i = 0; i < table.size(); ++i) {
    if ((runs & ~tables.fitting[i]) != 0) table[i] = kNever;
  }
  return table;
}

bool Outlook::all_fit(const LevelTables& tables, unsigned runs, std::size_t tile) {
  return tables.fitting[tile] >> kFirstWay != 0 && (runs & ~tables.fitting[tile]) == 0;
}

// The least from the level's stores on, if none is open when they are passed at this tile, and no
// next loop is over these dimensions.
const Outlook::Table& Outlook::outside(std::size_t l, DimMask but) const {
  Table& table = tables_[l]->outside[1u + but];
  if (!table.empty()) return table;
  table.resize(lattice_->size(), kNever);
  for (std::size_t c = 0; c <= classes_.size(); ++c) {
    if ((dims_of(c) & but) != 0) continue;
    take_least(passed(l, Passing::kOneByOne, 0, c), 0, lattice_->gate(dims_of(c)), table);
  }
  return table;
}

// The same with any next loop, at this tile or any that it grows to.
const Outlook::Table& Outlook::ahead(std::size_t l) const {
  Table& table = tables_[l]->ahead;
  if (!table.empty()) return table;
  if (l < levels_.size() && levels_[l].several) {
    set_between_stores(l);
    return table;
  }
  table = outside(l, 0);
  lattice_->take_least_of_grown(table, lattice_->all_dims());
  return table;
}

// And if some of the level's stores may have been passed before.
const Outlook::Table& Outlook::closed(std::size_t l) const {
  const Table& table = ahead(l);
  return tables_[l]->closed.empty() ? table : tables_[l]->closed;
}

// What each run costs if it ends at this tile; and, with all that follows, if it is the only one to
// go on from here: it ends further on, or is still open when the next level's stores are passed.
void Outlook::follow_runs(std::size_t l, LevelTables& tables) const {
  const Table& none = passed(levels_.size(), Passing::kAtOnce, 0, 0);
  for (std::size_t r = 0; r < levels_[l].runs.size(); ++r) {
    const Run& run = levels_[l].runs[r];
    Table& ends = tables.now.emplace_back(ends_of(run));
    Table& stays = tables.stays.emplace_back();
    if (run.fold > 0) {
      add(more_folds(run, lattice_->all_dims()), ends);
      stays = more_folds(run, run.relevant);
    }
    if (run.of_tile_word > 0) {
      tables.of_tiles |= 1u << r;
      const Table tiles = of_tiles(run);
      add(tiles, ends);
      if (stays.empty()) stays.resize(tiles.size(), 0);
      add(tiles, stays);
    }
    Table goes_on = ends;
    add(closed(l + 1), goes_on);
    // Still open outside the next level's stores, if the next loop does not end it there.
    if ((passing_on(l) >> r & 1u) != 0) {
      for (std::size_t c = 0; c <= classes_.size(); ++c) {
        if ((dims_of(c) & run.relevant) != 0) continue;
        take_least(next(l, tables, Passing::kOneByOne, 1u << r, c), 0, lattice_->gate(dims_of(c)),
                   goes_on);
      }
    } else {
      const Table& left = outside(l + 1, run.relevant);
      take_least(left, run.once, stays.empty() ? none : stays, goes_on);
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
  if (!tables_[l]->stays[r].empty()) sum.tables.push_back(tables_[l]->stays[r].data());
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
  if (going_on == 0) loop.inside.emplace_back().tables.push_back(ahead(l + 1).data());
  loop.outside.tables.push_back(
      next(l, tables, Passing::kAtOnce, going_on & passing_on(l), cls).data());
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
    table = before_stores(l, Passing::kOneByOne, open);
    lattice_->take_least_of_grown(table, lattice_->all_dims());
  }
  return table;
}

// As from_here() tells, but only at tiles that the first level holds.
double Outlook::least_of_all(const Tile& lanes) const {
  const unsigned all = (1u << levels_[0].runs.size()) - 1;
  double least = kNever;
  const OutlookLattice::PerTile<char> has_lanes = lattice_->with_lanes(lanes);
  for (std::size_t i = 0; i < has_lanes.size(); ++i) {
    if (has_lanes[i] == 0) continue;
    const double here_least = before_stores(0, Passing::kOneByOne, all, i,
                                            [&](unsigned still) { return here(0, still).at(i); });
    least = std::min(least, here_least);
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

// A smaller tile that the store holds has as many words and copies to pay for as one that is larger
// in what is relevant, but for what depends on that.
const Outlook::Table& Outlook::ended(std::size_t l, std::size_t r) const {
  const LevelTables& tables = *tables_[l];
  const Run& run = levels_[l].runs[r];
  const bool slides = std::any_of(run.pairs.begin(), run.pairs.end(), [&](const Pair& pair) {
    return lattice_->extent(pair.a) > 1 && lattice_->extent(pair.b) > 1;
  });
  if (!slides && tables.stays[r].empty()) return tables.now[r];
  tables.ended.resize(levels_[l].runs.size());
  Table& table = tables.ended[r];
  if (!table.empty()) return table;
  table = tables.now[r];
  bool may_be_less = (tables.of_tiles >> r & 1u) != 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if ((tables.fitting[i] >> r & 1u) != 0) continue;
    table[i] = kNever;
    may_be_less = true;
  }
  if (may_be_less) lattice_->take_least_of_smaller(table);
  return table;
}

// One run after another ends, or all stores are passed with those open that have not ended: so that
// the tiles where runs end form a chain. Before a tile some may have ended, if stores may have been
// passed there.
void Outlook::set_between_stores(std::size_t l) const {
  const LevelTables& tables = *tables_[l];
  const std::size_t size = lattice_->size();
  const unsigned all = (1u << levels_[l].opening()) - 1;
  // Others lose nothing if they are open when the last store is passed.
  unsigned may_end = tables.of_tiles & all;
  for (const std::uint32_t fitting : tables.fitting) {
    if (fitting >> kFirstWay != 0) may_end |= all & ~fitting;
  }
  std::vector<Table> from(all + 1);  // by the runs that have not ended
  Table least(size + 1, kNever);     // the last: of nowhere
  for (unsigned gone = may_end;; gone = (gone - 1) & may_end) {
    const unsigned open = all & ~gone;
    Table& table = from[open];
    table.resize(size + 1, kNever);
    OutlookLattice::Here* const still_open = tables.ways.size() == 1 ? &here(l, open) : nullptr;
    for (std::size_t i = 0; i < size; ++i) {
      if (still_open == nullptr) {
        table[i] = before_stores(l, Passing::kAtOnce, open, i,
                                 [&](unsigned still) { return here(l, still).at(i); });
      } else if (all_fit(tables, open, i)) {
        table[i] = still_open->at(i);
      }
      for (unsigned rest = open & may_end & tables.fitting[i]; rest != 0; rest &= rest - 1) {
        const auto r = static_cast<std::size_t>(__builtin_ctz(rest));
        table[i] = std::min(table[i], tables.now[r][i] + from[open & ~(1u << r)][i]);
      }
    }
    lattice_->take_least_of_grown(table, lattice_->all_dims());
    for (std::size_t i = 0; i < size; ++i) {
      double sum = table[i];
      for (unsigned rest = gone; rest != 0; rest &= rest - 1) {
        sum += ended(l, static_cast<std::size_t>(__builtin_ctz(rest)))[i];
      }
      least[i] = std::min(least[i], sum);
    }
    if (gone == 0) break;
  }
  pass_lanes(l, from[all]);
  pass_lanes(l, least);
  tables.ahead = std::move(from[all]);
  tables.closed = std::move(least);
}

// Before the level's stores have all been passed: at the lanes some of these runs are open, each
// with a tile that its store holds; if stores are passed one by one, the others have ended at no
// larger tile. Whatever can be open is, as to end at once is one of the ways to go on: unless a
// smaller tile of the store costs less.
template <class Following>
double Outlook::before_stores(std::size_t l, Passing how, unsigned open, std::size_t tile,
                              const Following& following) const {
  const LevelTables& tables = *tables_[l];
  const bool at_once = how == Passing::kAtOnce;
  if (at_once && !all_fit(tables, open, tile)) return kNever;
  double least = kNever;
  for_still_open(tables, tile, open, [&](unsigned can_be) {
    const unsigned any = at_once ? 0 : can_be & tables.of_tiles;
    for (unsigned not_open = any;; not_open = (not_open - 1) & any) {
      double sum = following(can_be & ~not_open);
      for (unsigned rest = (open & ~can_be) | not_open; rest != 0; rest &= rest - 1) {
        sum += ended(l, static_cast<std::size_t>(__builtin_ctz(rest)))[tile];
      }
      least = std::min(least, sum);
      if (not_open == 0) break;
    }
  });
  return least;
}

Outlook::Table Outlook::before_stores(std::size_t l, Passing how, unsigned open) const {
  Table table(lattice_->size(), kUnset);
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = before_stores(l, how, open, i, [&](unsigned still) { return here(l, still).at(i); });
  }
  return table;
}

// With the next loop over these dimensions.
Outlook::Table Outlook::before_stores(std::size_t l, Passing how, unsigned open,
                                      std::size_t cls) const {
  std::vector<Table> following(open + 1);
  Table table(lattice_->size(), kUnset);
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = before_stores(l, how, open, i, [&](unsigned still) {
      if (following[still].empty()) {
        following[still].resize(lattice_->size(), kNever);
        lower_to_next(l, still, cls, following[still].data());
      }
      return following[still][i];
    });
  }
  return table;
}

}  // namespace loopscape
