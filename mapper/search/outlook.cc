#include "mapper/search/outlook.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostNumbers = 8'000'000;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kNowhere = UINT32_MAX;

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
      for (std::size_t d = 0; d < lattice_->dims(); ++d) put(run.lanes_beyond[d]);
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

// What a climb pays from the next level's stores on, if they are passed at this tile and the next
// loop is over one of these dimensions; with no class of dimensions, if nothing is left to loop
// over.
Outlook::Table Outlook::after_next(std::size_t l, std::size_t cls,
                                   const std::vector<std::uint32_t>& to) const {
  Table table(lattice_->size(), 0);
  const bool none = cls == classes_.size();
  const bool last = l + 1 == levels_.size();
  const bool lanes = !last && std::any_of(levels_[l + 1].lanes.begin(), levels_[l + 1].lanes.end(),
                                          [](std::int64_t bound) { return bound > 1; });
  for (std::size_t i = 0; i < table.size(); ++i) {
    const DimMask growing = lattice_->growing(i);
    if (none ? growing != 0 : (growing & classes_[cls]) == 0) {
      table[i] = kNever;
    } else if (!last) {
      const OutlookLattice::LevelTables& next = *tables_[l + 1];
      const std::size_t at = to[i];
      if (at == kNowhere) {
        table[i] = kNever;
        continue;
      }
      // Lanes may be all that is left of these dimensions.
      table[i] = std::min(next.first_loop[cls][at], next.first_loop.back()[at]);
      if (lanes) table[i] = std::min(table[i], next.here.back()[at]);
    }
  }
  return table;
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
  if (!run.repeats) return Table(lattice_->size(), run.base + run.slope * run.words);
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
    return demand;
  }
  for (std::size_t i = 0; i < demand.size(); ++i) {
    demand[i] =
        run.base + run.slope * demand[i] + run.per_arrival * std::max(0.0, arrivals[i] - demand[i]);
  }
  return demand;
}

// What each run costs if it ends at this tile; and, with all that follows, if it is the only one to
// go on from here: it ends further on, or is still open when the next level's stores are passed.
void Outlook::follow_runs(std::size_t l, const std::vector<Table>& next, const Table& closed) {
  now_.clear();
  alone_.clear();
  for (const Run& run : levels_[l].runs) {
    const Table& ends = now_.emplace_back(ends_of(run));
    Table goes_on(lattice_->size());
    const double once = run.base + run.slope * run.words;
    for (std::size_t i = 0; i < goes_on.size(); ++i) goes_on[i] = ends[i] + closed[i];
    for (std::size_t c = 0; c < next.size(); ++c) {
      // Still open outside the next level's stores, if the next loop does not end it there.
      if (c < classes_.size() && (classes_[c] & run.relevant) != 0) continue;
      for (std::size_t i = 0; i < goes_on.size(); ++i) {
        goes_on[i] = std::min(goes_on[i], once + next[c][i]);
      }
    }
    const auto all = static_cast<DimMask>((1u << lattice_->dims()) - 1);
    lattice_->take_least_of_grown(goes_on, static_cast<DimMask>(all & ~run.relevant));
    alone_.push_back(std::move(goes_on));
  }
}

// The next loop ends some of the open runs, and the others go on. It stands before the next level's
// stores, or there is none before them and it stands outside.
void Outlook::after_loop(const Level& level, unsigned open, std::size_t cls, const Table& closed,
                         const Table& next, Table& least) const {
  const unsigned ended = ended_by(level, cls);
  double once = 0;
  unsigned going_on = 0;
  std::vector<const double*> ends;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((open >> r & 1u) == 0) continue;
    if ((ended >> r & 1u) != 0) {
      ends.push_back(now_[r].data());
      continue;
    }
    going_on |= 1u << r;
    once += level.runs[r].base + level.runs[r].slope * level.runs[r].words;
  }
  const bool one = going_on != 0 && (going_on & (going_on - 1)) == 0;
  const Table& inside = one ? alone_[static_cast<std::size_t>(__builtin_ctz(going_on))] : closed;
  const double more = one ? 0 : once;
  for (std::size_t i = 0; i < least.size(); ++i) {
    least[i] = std::min(more + inside[i], once + next[i]);
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
  const std::vector<std::uint32_t> to =
      l + 1 < levels_.size() ? next_tiles(l) : std::vector<std::uint32_t>();
  std::vector<Table> next;
  Table closed(lattice_->size(), kNever);  // nothing open: any growth
  for (std::size_t c = 0; c <= classes_.size(); ++c) {
    next.push_back(after_next(l, c, to));
    for (std::size_t i = 0; i < closed.size(); ++i) closed[i] = std::min(closed[i], next[c][i]);
  }
  lattice_->take_least_of_grown(closed, all);
  follow_runs(l, next, closed);
  auto tables = std::make_shared<OutlookLattice::LevelTables>();
  const unsigned sets = 1u << level.runs.size();
  Table least(lattice_->size());
  for (unsigned open = 0; open < sets; ++open) {
    Table& here = tables->here.emplace_back(lattice_->size(), kNever);
    for (std::size_t c = 0; c <= classes_.size(); ++c) {
      after_loop(level, open, c, closed, next[c], least);
      for (std::size_t i = 0; i < here.size(); ++i) here[i] = std::min(here[i], least[i]);
      if (open + 1 == sets) tables->first_loop.push_back(least);
    }
  }
  fitting_ = fitting(l);
  for (unsigned open = 0; open < sets; ++open) {
    tables->from_here.push_back(before_stores(l, open, tables->here));
    lattice_->take_least_of_grown(tables->from_here.back(), all);
  }
  return tables;
}

// Per tile (lanes included), the runs that may be open at it; bit 15: the level's outermost store
// holds it at all.
std::vector<std::uint16_t> Outlook::fitting(std::size_t l) const {
  const Level& level = levels_[l];
  std::vector<std::vector<std::uint32_t>> offset(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const bool loose = (level.loose >> d & 1u) != 0;
    for (const Bin& bin : lattice_->bins(d)) {
      const std::int64_t below = loose ? 1 : ceil_div(bin.smallest, level.lanes[d]);
      offset[d].push_back(static_cast<std::uint32_t>(lattice_->offset(d, below)));
    }
  }
  const std::vector<char>& outermost = lattice_->holding(level.store, level.fits);
  std::vector<const std::vector<char>*> holding;
  for (const Run& run : level.runs) holding.push_back(&lattice_->holding(run.store, run.fits));
  std::vector<std::uint16_t> runs(lattice_->size());
  lattice_->for_each_tile([&](std::size_t i, const auto& bin) {
    std::size_t at = 0;
    for (std::size_t d = 0; d < offset.size(); ++d) at += offset[d][bin[d]];
    if (outermost[at] == 0) return;
    runs[i] = 0x8000;
    for (std::size_t r = 0; r < holding.size(); ++r) {
      if ((*holding[r])[at] != 0) runs[i] = static_cast<std::uint16_t>(runs[i] | 1u << r);
    }
  });
  return runs;
}

// Before the level's stores have all been passed: at the lanes some of these runs are open, each
// with a tile that its store holds; the others have ended at no larger tile.
Outlook::Table Outlook::before_stores(std::size_t l, unsigned open,
                                      const std::vector<Table>& here) const {
  Table table(lattice_->size(), kNever);
  const std::size_t count = levels_[l].runs.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if ((fitting_[i] & 0x8000u) == 0) continue;
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
