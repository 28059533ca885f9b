#include "mapper/search/outlook.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostNumbers = 8'000'000;
constexpr std::uint32_t kNowhere = UINT32_MAX;
constexpr unsigned kHeld = 0x8000;  // by the level's outermost store

}  // namespace

bool Outlook::fill(OutlookLattice& lattice, std::vector<Level> levels) {
  lattice_ = &lattice;
  levels_ = std::move(levels);
  if (!lattice.usable()) return false;
  for (const Level& level : levels_) {
    if (lattice.size() << level.runs.size() > kMostNumbers) return false;
  }
  find_classes();
  tables_.resize(levels_.size());
  for (std::size_t l = levels_.size(); l-- > 0;) {
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
  for (const DimMask cls : classes_) put(cls);
  for (std::size_t l = first; l < levels_.size(); ++l) {
    const Level& level = levels_[l];
    put(level.store);
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
      put(run.per_arrival);
      put(run.store);
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

unsigned Outlook::ended_by(const Level& level, std::size_t cls) const {
  if (cls == classes_.size()) return ~0u;  // nothing left to grow: every word has crossed once
  unsigned runs = 0;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((level.runs[r].relevant & classes_[cls]) != 0) runs |= 1u << r;
  }
  return runs;
}

// Where each tile comes to lie, with the lanes beyond the next level's stores, if these are passed.
std::vector<std::uint32_t> Outlook::next_tiles(std::size_t l) const {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  const Level& next = levels_[l + 1];
  const std::vector<char>& holds = lattice_->holding(next.store, next.fits);
  std::vector<std::vector<std::uint64_t>> offset(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const std::int64_t extent = lattice_->extent(d);
    for (const Bin& bin : lattice_->bins(d)) {
      const std::int64_t size = bin.smallest * next.lanes[d];
      // Lanes that do not divide what is left: no mapping goes this way.
      const bool never = lattice_->perfect() && extent % size != 0;
      offset[d].push_back(never ? kFar : lattice_->offset(d, std::min(size, extent)));
    }
  }
  const std::vector<std::uint64_t> places =
      lattice_->combined(std::uint64_t{0}, offset, std::plus<>());
  std::vector<std::uint32_t> to(lattice_->size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] = holds[i] == 0 || places[i] >= kFar ? kNowhere : static_cast<std::uint32_t>(places[i]);
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

// What a climb pays from the next level's stores on, if they are passed at this tile with these
// runs open and the next loop is over one of these dimensions; with no class of dimensions, if
// nothing is left to loop over.
Outlook::Table Outlook::after_next(std::size_t l, const LevelTables& tables, unsigned runs,
                                   std::size_t cls) const {
  Table table(lattice_->size(), 0);
  const bool none = cls == classes_.size();
  const bool last = l + 1 == levels_.size();
  const bool lanes = !last && std::any_of(levels_[l + 1].lanes.begin(), levels_[l + 1].lanes.end(),
                                          [](std::int64_t bound) { return bound > 1; });
  const unsigned passing = last ? 0 : in_next(l, runs);
  const unsigned all_own = last ? 0 : (1u << levels_[l + 1].opening()) - 1;
  // Lanes take the tiles of joined bins to several bins.
  DimMask blurred = 0;
  for (std::size_t d = 0; d < lattice_->dims() && !last; ++d) {
    if (levels_[l + 1].lanes[d] > 1) blurred = static_cast<DimMask>(blurred | 1u << d);
  }
  blurred = static_cast<DimMask>(blurred & lattice_->joined());
  Table following;
  if (!last) {
    const unsigned open = all_own | passing << levels_[l + 1].opening();
    // Lanes may be all that is left of these dimensions.
    following = lanes ? here(l + 1, open) : after_loop(l + 1, open, cls);
    const auto lower = [&](const Table& other) {
      for (std::size_t i = 0; i < other.size(); ++i) {
        following[i] = std::min(following[i], other[i]);
      }
    };
    if (!lanes && !none) lower(after_loop(l + 1, open, classes_.size()));
    lattice_->take_least_of_grown(following, blurred);
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    const DimMask growing = lattice_->growing(i);
    const bool grows = none ? growing == 0 : (growing & classes_[cls]) != 0;
    if (!grows || (runs & ~tables.fitting[i]) != 0) {
      table[i] = kNever;
    } else if (!last) {
      table[i] = tables.to[i] == kNowhere ? kNever : following[tables.to[i]];
    }
  }
  return table;
}

const Outlook::Table& Outlook::next(std::size_t l, const LevelTables& tables, unsigned runs,
                                    std::size_t cls) const {
  std::vector<Table>& by_class = tables.next[runs];
  by_class.resize(classes_.size() + 1);
  if (by_class[cls].empty()) by_class[cls] = after_next(l, tables, runs, cls);
  return by_class[cls];
}

// demand and arrivals are of all but the pairs; turned into the cost of ending here.
void Outlook::add_pairs(const Run& run, Table& demand, Table& arrivals) const {
  struct Known {
    std::size_t a, b;
    std::vector<std::vector<PairWords>> words;  // [bin of a][bin of b]
  };
  std::vector<Known> pairs;
  for (const Pair& pair : run.pairs) {
    Known known{pair.a, pair.b, {}};
    for (const Bin& a : lattice_->bins(pair.a)) {
      auto& row = known.words.emplace_back();
      for (const Bin& b : lattice_->bins(pair.b)) row.push_back(pair.words(a, b));
    }
    pairs.push_back(std::move(known));
  }
  lattice_->for_each_tile([&](std::size_t i, const auto& bin) {
    double least = kNever;
    // One pair at most marches, along either of its dimensions.
    for (std::size_t marching = 0; marching <= 2 * pairs.size(); ++marching) {
      double words = demand[i], copies = arrivals[i];
      for (std::size_t p = 0; p < pairs.size(); ++p) {
        const PairWords& its = pairs[p].words[bin[pairs[p].a]][bin[pairs[p].b]];
        const std::size_t how =
            marching > 0 && (marching - 1) / 2 == p ? 1 + (marching - 1) % 2 : 0;
        words *= its.demand[how];
        copies *= its.arrivals[how];
      }
      least = std::min(least, run.slope * words + run.per_arrival * std::max(0.0, copies - words));
    }
    demand[i] = run.base + least;
  });
}

// What a run costs if it ends at a tile (optimal_search.md, "Cost closes locally").
Outlook::Table Outlook::ends_of(const Run& run) const {
  if (!run.repeats) {
    Table ends(lattice_->size(), run.base + run.slope * run.words);
    return ends;
  }
  std::vector<std::vector<double>> asked(lattice_->dims()), copies(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const bool repeats = (run.relevant >> d & 1u) == 0;
    for (const Bin& bin : lattice_->bins(d)) {
      asked[d].push_back(repeats ? static_cast<double>(ceil_div(bin.tiles, run.lanes_beyond[d]))
                                 : 1);
      copies[d].push_back(repeats ? static_cast<double>(run.copies(d, bin.tiles)) : 1);
    }
  }
  Table demand = lattice_->combined(run.single_words, asked, std::multiplies<>());
  // Where copies cost nothing, as many as are asked for.
  Table arrivals = run.per_arrival == 0
                       ? demand
                       : lattice_->combined(run.single_words, copies, std::multiplies<>());
  if (!run.pairs.empty()) {
    add_pairs(run, demand, arrivals);
  } else {
    for (std::size_t i = 0; i < demand.size(); ++i) {
      demand[i] = run.base + run.slope * demand[i] +
                  run.per_arrival * std::max(0.0, arrivals[i] - demand[i]);
    }
  }
  return demand;
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
  const auto add = [](Table& to, const Table& more) {
    for (std::size_t i = 0; i < more.size(); ++i) to[i] += more[i];
  };
  for (std::size_t r = 0; r < levels_[l].runs.size(); ++r) {
    const Run& run = levels_[l].runs[r];
    Table& ends = tables.now.emplace_back(ends_of(run));
    Table& folds = tables.folds.emplace_back();
    if (run.fold > 0) {
      add(ends, more_folds(run, lattice_->all_dims()));
      folds = more_folds(run, run.relevant);
    }
    Table goes_on(lattice_->size());
    const bool passes = (passing_on(l) & 1u << r) != 0;
    for (std::size_t i = 0; i < goes_on.size(); ++i) goes_on[i] = ends[i] + tables.closed[i];
    for (std::size_t c = 0; c <= classes_.size(); ++c) {
      // Still open outside the next level's stores, if the next loop does not end it there.
      if (c < classes_.size() && (classes_[c] & run.relevant) != 0) continue;
      Table outside = next(l, tables, passes ? 1u << r : 0, c);
      if (!passes && run.fold > 0) add(outside, folds);
      const double once = passes ? 0 : run.base + run.slope * run.words;
      for (std::size_t i = 0; i < goes_on.size(); ++i) {
        goes_on[i] = std::min(goes_on[i], once + outside[i]);
      }
    }
    lattice_->take_least_of_grown(goes_on,
                                  static_cast<DimMask>(lattice_->all_dims() & ~run.relevant));
    tables.alone.push_back(std::move(goes_on));
  }
}

// Every word crosses at least once, and stays at least as often as there are tiles of the tensor.
void Outlook::add_once(std::size_t l, std::size_t r, Sum& sum) const {
  const Run& run = levels_[l].runs[r];
  sum.more += run.base + run.slope * run.words;
  if (!tables_[l]->folds[r].empty()) sum.tables.push_back(tables_[l]->folds[r].data());
}

Outlook::NextLoop Outlook::next_loop(std::size_t l, unsigned open, std::size_t cls) const {
  const Level& level = levels_[l];
  const LevelTables& tables = *tables_[l];
  const unsigned ended = ended_by(level, cls);
  NextLoop loop;
  loop.dims = cls == classes_.size() ? DimMask{0} : classes_[cls];
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
  if (going_on == 0) loop.inside.emplace_back().tables.push_back(tables.closed.data());
  loop.outside.tables.push_back(next(l, tables, going_on & passing_on(l), cls).data());
  return loop;
}

Outlook::Table Outlook::after_loop(std::size_t l, unsigned open, std::size_t cls) const {
  const NextLoop loop = next_loop(l, open, cls);
  Table least(lattice_->size());
  for (std::size_t i = 0; i < least.size(); ++i) least[i] = loop.at(i, lattice_->growing(i));
  return least;
}

std::shared_ptr<const OutlookLattice::LevelTables> Outlook::fill_level(std::size_t l) const {
  auto tables = std::make_shared<LevelTables>();
  tables->fitting = fitting(l);
  if (l + 1 < levels_.size()) tables->to = next_tiles(l);
  tables->closed.assign(lattice_->size(), kNever);
  for (std::size_t c = 0; c <= classes_.size(); ++c) {
    const Table& outside = next(l, *tables, 0, c);
    for (std::size_t i = 0; i < outside.size(); ++i) {
      tables->closed[i] = std::min(tables->closed[i], outside[i]);
    }
  }
  lattice_->take_least_of_grown(tables->closed, lattice_->all_dims());
  follow_runs(l, *tables);
  tables->here.resize(std::size_t{1} << levels_[l].runs.size());
  tables->from_here.resize(tables->here.size());
  return tables;
}

const Outlook::Table& Outlook::here(std::size_t l, unsigned open) const {
  Table& table = tables_[l]->here[open];
  if (!table.empty()) return table;
  table = after_loop(l, open, 0);
  for (std::size_t c = 1; c <= classes_.size(); ++c) {
    const NextLoop loop = next_loop(l, open, c);
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i] = std::min(table[i], loop.at(i, lattice_->growing(i)));
    }
  }
  return table;
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
  std::vector<std::vector<NextLoop>> loops(all + 1);
  double least = kNever;
  lattice_->for_each_tile([&](std::size_t i, const auto& bin) {
    if ((first.fitting[i] & kHeld) == 0) return;
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      const std::uint32_t size = lattice_->bins(d)[bin[d]].smallest;
      const bool reached = lattice_->perfect() ? size % lanes[d] == 0
                                               : lattice_->bins(d)[bin[d]].largest >= lanes[d];
      if (!reached) return;
    }
    const unsigned open = all & first.fitting[i];
    if (loops[open].empty()) {
      for (std::size_t c = 0; c <= classes_.size(); ++c)
        loops[open].push_back(next_loop(0, open, c));
    }
    double ended = 0;
    for (unsigned rest = all & ~open; rest != 0; rest &= rest - 1) {
      ended += first.now[static_cast<std::size_t>(__builtin_ctz(rest))][i];
    }
    for (const NextLoop& loop : loops[open]) {
      least = std::min(least, ended + loop.at(i, lattice_->growing(i)));
    }
  });
  return least;
}

// Per tile (lanes included), the runs that may be open at it; kHeld: the level's outermost store
// holds it at all.
std::vector<std::uint16_t> Outlook::fitting(std::size_t l) const {
  const Level& level = levels_[l];
  // Where a tile without its lanes lies.
  const auto below = [&](const std::array<std::int64_t, kMaxDims>& lanes, DimMask loose) {
    std::vector<std::vector<std::uint32_t>> offset(lattice_->dims());
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      for (const Bin& bin : lattice_->bins(d)) {
        const std::int64_t size = (loose >> d & 1u) != 0 ? 1 : ceil_div(bin.smallest, lanes[d]);
        offset[d].push_back(static_cast<std::uint32_t>(lattice_->offset(d, size)));
      }
    }
    return lattice_->combined(std::uint32_t{0}, offset, std::plus<>());
  };
  std::vector<std::uint16_t> runs(lattice_->size(), 0);
  const auto mark = [&](const std::vector<char>& holding, const std::vector<std::uint32_t>& places,
                        unsigned bit) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (holding[places[i]] != 0) runs[i] = static_cast<std::uint16_t>(runs[i] | bit);
    }
  };
  const std::vector<std::uint32_t> own = below(level.lanes, level.loose);
  mark(lattice_->holding(level.store, level.fits), own, kHeld);
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    const Run& run = level.runs[r];
    const bool opens = r < level.opening();
    mark(lattice_->holding(run.store, run.fits), opens ? own : below(run.lanes, run.loose),
         1u << r);
  }
  return runs;
}

// Before the level's stores have all been passed: at the lanes some of these runs are open, each
// with a tile that its store holds; the others have ended at no larger tile. Whatever can be open
// is: to end at once is one of the ways to go on.
Outlook::Table Outlook::before_stores(std::size_t l, unsigned open) const {
  const LevelTables& tables = *tables_[l];
  std::vector<const Table*> still_open(open + 1);
  Table table(lattice_->size(), kNever);
  for (std::size_t i = 0; i < table.size(); ++i) {
    if ((tables.fitting[i] & kHeld) == 0) continue;
    const unsigned still = open & tables.fitting[i];
    if (still_open[still] == nullptr) still_open[still] = &here(l, still);
    double sum = (*still_open[still])[i];
    for (unsigned rest = open & ~still; rest != 0; rest &= rest - 1) {
      sum += tables.now[static_cast<std::size_t>(__builtin_ctz(rest))][i];
    }
    table[i] = sum;
  }
  return table;
}

}  // namespace loopscape
