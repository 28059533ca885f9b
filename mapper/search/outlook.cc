#include "mapper/search/outlook.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostNumbers = 8'000'000;
constexpr double kNever = std::numeric_limits<double>::infinity();
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
  std::vector<std::uint32_t> to(lattice_->size(), 0);
  const Level& next = levels_[l + 1];
  const std::vector<char>& holds = lattice_->holding(next.store, next.fits);
  std::vector<std::vector<std::uint32_t>> offset(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const std::int64_t extent = lattice_->extent(d);
    for (const Bin& bin : lattice_->bins(d)) {
      const std::int64_t size = bin.smallest * next.lanes[d];
      // Lanes that do not divide what is left: no mapping goes this way.
      const bool never = lattice_->perfect() && extent % size != 0;
      offset[d].push_back(
          never ? kNowhere
                : static_cast<std::uint32_t>(lattice_->offset(d, std::min(size, extent))));
    }
  }
  lattice_->for_each_tile([&](std::size_t i, const auto& bin) {
    if (holds[i] == 0) to[i] = kNowhere;
    for (std::size_t d = 0; d < offset.size() && to[i] != kNowhere; ++d) {
      const std::uint32_t more = offset[d][bin[d]];
      to[i] = more == kNowhere ? kNowhere : to[i] + more;
    }
  });
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
Outlook::Table Outlook::after_next(std::size_t l, unsigned runs, std::size_t cls,
                                   const std::vector<std::uint32_t>& to) const {
  Table table(lattice_->size(), 0);
  const bool none = cls == classes_.size();
  const bool last = l + 1 == levels_.size();
  const bool lanes = !last && std::any_of(levels_[l + 1].lanes.begin(), levels_[l + 1].lanes.end(),
                                          [](std::int64_t bound) { return bound > 1; });
  const unsigned passing = last ? 0 : in_next(l, runs);
  const unsigned all_own = last ? 0 : (1u << levels_[l + 1].opening()) - 1;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const DimMask growing = lattice_->growing(i);
    if ((none ? growing != 0 : (growing & classes_[cls]) == 0) || (runs & ~fitting_[i]) != 0) {
      table[i] = kNever;
    } else if (!last) {
      const OutlookLattice::LevelTables& next = *tables_[l + 1];
      const std::size_t at = to[i];
      if (at == kNowhere) {
        table[i] = kNever;
        continue;
      }
      // Lanes may be all that is left of these dimensions.
      const auto& first = next.first_loop[passing];
      table[i] = std::min(first[cls][at], first.back()[at]);
      if (lanes) {
        table[i] = std::min(table[i], next.here[all_own | passing << levels_[l + 1].opening()][at]);
      }
    }
  }
  return table;
}

Outlook::NextTables Outlook::all_next(std::size_t l) const {
  const std::vector<std::uint32_t> to =
      l + 1 < levels_.size() ? next_tiles(l) : std::vector<std::uint32_t>();
  NextTables next;
  const unsigned all = passing_on(l);
  for (unsigned runs = all;; runs = (runs - 1) & all) {
    for (std::size_t c = 0; c <= classes_.size(); ++c) {
      next[runs].push_back(after_next(l, runs, c, to));
    }
    if (runs == 0) return next;
  }
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
    if (run.fold > 0) add_folds(run, ends);
    return ends;
  }
  Table demand(lattice_->size(), run.single_words), arrivals(lattice_->size(), run.single_words);
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    if ((run.relevant >> d & 1u) != 0) continue;
    std::vector<double> asked, copies;
    for (const Bin& bin : lattice_->bins(d)) {
      asked.push_back(static_cast<double>(ceil_div(bin.tiles, run.lanes_beyond[d])));
      copies.push_back(static_cast<double>(run.copies(d, bin.tiles)));
    }
    lattice_->multiply(demand, d, asked);
    lattice_->multiply(arrivals, d, copies);
  }
  if (!run.pairs.empty()) {
    add_pairs(run, demand, arrivals);
  } else {
    for (std::size_t i = 0; i < demand.size(); ++i) {
      demand[i] = run.base + run.slope * demand[i] +
                  run.per_arrival * std::max(0.0, arrivals[i] - demand[i]);
    }
  }
  if (run.fold > 0) add_folds(run, demand);
  return demand;
}

// One residence for each tile of all dimensions.
void Outlook::add_folds(const Run& run, Table& ends) const {
  Table residences(lattice_->size(), 1);
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    std::vector<double> tiles;
    for (const Bin& bin : lattice_->bins(d)) {
      tiles.push_back(static_cast<double>(ceil_div(bin.tiles, run.lanes_left[d])));
    }
    lattice_->multiply(residences, d, tiles);
  }
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] += run.fold * (residences[i] - 1);
}

// What each run costs if it ends at this tile; and, with all that follows, if it is the only one to
// go on from here: it ends further on, or is still open when the next level's stores are passed.
void Outlook::follow_runs(std::size_t l, const NextTables& next, const Table& closed) {
  now_.clear();
  alone_.clear();
  for (std::size_t r = 0; r < levels_[l].runs.size(); ++r) {
    const Run& run = levels_[l].runs[r];
    const Table& ends = now_.emplace_back(ends_of(run));
    Table goes_on(lattice_->size());
    const unsigned passes = passing_on(l) & 1u << r;
    const double once = passes != 0 ? 0 : run.base + run.slope * run.words;
    for (std::size_t i = 0; i < goes_on.size(); ++i) goes_on[i] = ends[i] + closed[i];
    for (std::size_t c = 0; c <= classes_.size(); ++c) {
      // Still open outside the next level's stores, if the next loop does not end it there.
      if (c < classes_.size() && (classes_[c] & run.relevant) != 0) continue;
      const Table& outside = next.at(passes)[c];
      for (std::size_t i = 0; i < goes_on.size(); ++i) {
        goes_on[i] = std::min(goes_on[i], once + outside[i]);
      }
    }
    const auto all = static_cast<DimMask>((1u << lattice_->dims()) - 1);
    lattice_->take_least_of_grown(goes_on, static_cast<DimMask>(all & ~run.relevant));
    alone_.push_back(std::move(goes_on));
  }
}

// The next loop ends some of the open runs, and the others go on. It stands before the next level's
// stores, or there is none before them and it stands outside.
void Outlook::after_loop(std::size_t l, unsigned open, std::size_t cls, const Table& closed,
                         const NextTables& next, Table& least) const {
  const Level& level = levels_[l];
  const unsigned ended = ended_by(level, cls);
  double once = 0, once_outside = 0;
  unsigned going_on = 0;
  std::vector<const double*> ends;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((open >> r & 1u) == 0) continue;
    if ((ended >> r & 1u) != 0) {
      ends.push_back(now_[r].data());
      continue;
    }
    going_on |= 1u << r;
    const double run_once = level.runs[r].base + level.runs[r].slope * level.runs[r].words;
    once += run_once;
    if ((passing_on(l) >> r & 1u) == 0) once_outside += run_once;
  }
  const bool one = going_on != 0 && (going_on & (going_on - 1)) == 0;
  const Table& inside = one ? alone_[static_cast<std::size_t>(__builtin_ctz(going_on))] : closed;
  const double more = one ? 0 : once;
  const Table& outside = next.at(going_on & passing_on(l))[cls];
  for (std::size_t i = 0; i < least.size(); ++i) {
    least[i] = std::min(more + inside[i], once_outside + outside[i]);
  }
  for (const double* run : ends) {
    for (std::size_t i = 0; i < least.size(); ++i) least[i] += run[i];
  }
  const bool none = cls == classes_.size();
  for (std::size_t i = 0; i < least.size(); ++i) {
    const DimMask growing = lattice_->growing(i);
    if (none ? growing != 0 : (growing & classes_[cls]) == 0) least[i] = kNever;
  }
}

std::shared_ptr<const OutlookLattice::LevelTables> Outlook::fill_level(std::size_t l) {
  const Level& level = levels_[l];
  const auto all = static_cast<DimMask>((1u << lattice_->dims()) - 1);
  fitting_ = fitting(l);
  const NextTables next = all_next(l);
  Table closed(lattice_->size(), kNever);  // nothing open: any growth
  for (const Table& outside : next.at(0)) {
    for (std::size_t i = 0; i < closed.size(); ++i) closed[i] = std::min(closed[i], outside[i]);
  }
  lattice_->take_least_of_grown(closed, all);
  follow_runs(l, next, closed);
  auto tables = std::make_shared<OutlookLattice::LevelTables>();
  const unsigned sets = 1u << level.runs.size(), own = (1u << level.opening()) - 1;
  tables->first_loop.resize(std::size_t{1} << level.passing.size());
  Table least(lattice_->size());
  for (unsigned open = 0; open < sets; ++open) {
    Table& here = tables->here.emplace_back(lattice_->size(), kNever);
    for (std::size_t c = 0; c <= classes_.size(); ++c) {
      after_loop(l, open, c, closed, next, least);
      for (std::size_t i = 0; i < here.size(); ++i) here[i] = std::min(here[i], least[i]);
      if ((open & own) == own) tables->first_loop[open >> level.opening()].push_back(least);
    }
  }
  for (unsigned open = 0; open < sets; ++open) {
    tables->from_here.push_back(before_stores(l, open, tables->here));
    lattice_->take_least_of_grown(tables->from_here.back(), all);
  }
  return tables;
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
    return offset;
  };
  std::vector<std::uint16_t> runs(lattice_->size(), 0);
  const auto mark = [&](const std::vector<char>& holding, const auto& offset, unsigned bit) {
    lattice_->for_each_tile([&](std::size_t i, const auto& bin) {
      std::size_t at = 0;
      for (std::size_t d = 0; d < offset.size(); ++d) at += offset[d][bin[d]];
      if (holding[at] != 0) runs[i] = static_cast<std::uint16_t>(runs[i] | bit);
    });
  };
  mark(lattice_->holding(level.store, level.fits), below(level.lanes, level.loose), kHeld);
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    const Run& run = level.runs[r];
    mark(lattice_->holding(run.store, run.fits), below(run.lanes, run.loose), 1u << r);
  }
  return runs;
}

// Before the level's stores have all been passed: at the lanes some of these runs are open, each
// with a tile that its store holds; the others have ended at no larger tile.
Outlook::Table Outlook::before_stores(std::size_t l, unsigned open,
                                      const std::vector<Table>& here) const {
  Table table(lattice_->size(), kNever);
  const std::size_t count = levels_[l].runs.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if ((fitting_[i] & kHeld) == 0) continue;
    std::array<double, kMaxTensors> ends;
    for (std::size_t r = 0; r < count; ++r) ends[r] = now_[r][i];
    const unsigned may = open & fitting_[i];
    for (unsigned still = may;; still = (still - 1) & may) {
      double sum = here[still][i];
      for (unsigned rest = open & ~still; rest != 0; rest &= rest - 1) {
        sum += ends[static_cast<std::size_t>(__builtin_ctz(rest))];
      }
      table[i] = std::min(table[i], sum);
      if (still == 0) break;
    }
  }
  return table;
}

}  // namespace loopscape
