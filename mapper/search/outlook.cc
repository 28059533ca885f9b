#include "mapper/search/outlook.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostTiles = 60'000, kMostNumbers = 8'000'000;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

// At most `most` bins; those of a divisor lattice are never joined.
void Outlook::make_bins(std::size_t d, std::size_t most) {
  const std::int64_t extent = extents_[d];
  std::vector<std::uint32_t> sizes;
  for (std::int64_t size = 1; size <= extent;) {
    const std::int64_t count = ceil_div(extent, size);
    if (!perfect_ || extent % size == 0) sizes.push_back(static_cast<std::uint32_t>(size));
    size = count == 1 ? extent + 1 : ceil_div(extent, count - 1);
  }
  Bins& bins = bins_[d];
  bins = {};
  const std::size_t join = perfect_ ? 1 : (sizes.size() + most - 1) / most;
  for (std::size_t i = 0; i < sizes.size(); i += join) {
    const std::size_t last = std::min(i + join, sizes.size()) - 1;
    bins.smallest.push_back(sizes[i]);
    bins.tiles.push_back(ceil_div(extent, sizes[last]));
  }
  for (std::size_t i = 0; i < bins.smallest.size(); ++i) {
    std::vector<std::uint32_t> next;
    if (!perfect_) {
      if (i + 1 < bins.smallest.size()) next.push_back(static_cast<std::uint32_t>(i + 1));
    } else {
      for (std::size_t j = i + 1; j < bins.smallest.size(); ++j) {
        if (bins.smallest[j] % bins.smallest[i] == 0) next.push_back(static_cast<std::uint32_t>(j));
      }
    }
    bins.grown.push_back(std::move(next));
  }
}

std::size_t Outlook::bin_of(std::size_t d, std::uint32_t size) const {
  const auto& smallest = bins_[d].smallest;
  const auto above = std::upper_bound(smallest.begin(), smallest.end(), size);
  return static_cast<std::size_t>(above - smallest.begin()) - 1;
}

std::size_t Outlook::at(const Tile& tile) const {
  std::size_t i = 0;
  for (std::size_t d = 0; d < bins_.size(); ++d) i += bin_of(d, tile[d]) * bins_[d].stride;
  return i;
}

bool Outlook::fill(std::vector<std::int64_t> extents, bool perfect, std::vector<Level> levels) {
  extents_ = std::move(extents);
  perfect_ = perfect;
  levels_ = std::move(levels);
  for (std::size_t most = 256; most >= 4; most /= 2) {
    bins_.assign(extents_.size(), {});
    size_ = 1;
    for (std::size_t d = 0; d < extents_.size(); ++d) {
      make_bins(d, most);
      bins_[d].stride = size_;
      size_ *= bins_[d].smallest.size();
      if (size_ > kMostTiles) break;
    }
    if (size_ <= kMostTiles || perfect_) break;
  }
  if (size_ > kMostTiles) return false;
  for (const Level& level : levels_) {
    if ((size_ << level.runs.size()) > kMostNumbers) return false;
  }
  find_classes();
  here_.resize(levels_.size());
  first_loop_.resize(levels_.size());
  from_here_.resize(levels_.size());
  for (std::size_t l = levels_.size(); l-- > 0;) fill_level(l);
  return true;
}

template <class Visit>
void Outlook::for_each_tile(const Visit& visit) const {
  std::array<std::uint8_t, kMaxDims> bin{};
  for (std::size_t i = 0; i < size_; ++i) {
    visit(i, bin);
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      if (++bin[d] < bins_[d].smallest.size()) break;
      bin[d] = 0;
    }
  }
}

// table[T] <- least over T and everything that T grows to in these dimensions.
void Outlook::take_least_of_grown(Table& table, DimMask dims) const {
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    if ((dims >> d & 1u) == 0) continue;
    const Bins& bins = bins_[d];
    const std::size_t count = bins.smallest.size();
    const std::size_t block = bins.stride * count;
    for (std::size_t first = 0; first < size_; first += block) {
      for (std::size_t b = count; b-- > 0;) {
        double* to = table.data() + first + b * bins.stride;
        for (const std::uint32_t g : bins.grown[b]) {
          const double* from = table.data() + first + g * bins.stride;
          for (std::size_t i = 0; i < bins.stride; ++i) to[i] = std::min(to[i], from[i]);
        }
      }
    }
  }
}

double Outlook::words_of(const Run& run, const std::array<std::uint8_t, kMaxDims>& bin) const {
  double words = run.words;
  if (!run.repeats) return words;
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    if ((run.relevant >> d & 1u) != 0) continue;
    words *= static_cast<double>(ceil_div(bins_[d].tiles[bin[d]], run.lanes_beyond[d]));
  }
  return words;
}

// What a climb pays from the next level's stores on, if they are passed at this tile and the next
// loop is over one of these dimensions; with no class of dimensions, if nothing is left to loop
// over.
Outlook::Table Outlook::after_next(std::size_t l, std::size_t cls) const {
  const bool last = l + 1 == levels_.size();
  Table table(size_, 0);
  for_each_tile([&](std::size_t i, const auto& bin) {
    const bool any = can_grow(all_dims(), bin);
    if (cls == classes_.size() ? any : !can_grow(classes_[cls], bin)) {
      table[i] = kNever;
      return;
    }
    if (last) return;
    const Level& next = levels_[l + 1];
    Tile tile{}, with_lanes{};
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      tile[d] = bins_[d].smallest[bin[d]];
      const std::int64_t size = tile[d] * next.lanes[d];
      // Lanes that do not divide what is left: no mapping goes this way.
      if (perfect_ && extents_[d] % size != 0) return void(table[i] = kNever);
      with_lanes[d] = static_cast<std::uint32_t>(std::min(size, extents_[d]));
    }
    if (!next.fits(tile)) return void(table[i] = kNever);
    const std::size_t to = at(with_lanes);
    // Lanes may be all that is left of these dimensions.
    table[i] = std::min(first_loop_[l + 1][cls][to], first_loop_[l + 1].back()[to]);
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      if (next.lanes[d] > 1) table[i] = std::min(table[i], here_[l + 1].back()[to]);
    }
  });
  return table;
}

// What each run costs if it ends at this tile; and, with all that follows, if it is the only one to
// go on from here: it ends further on, or is still open when the next level's stores are passed.
void Outlook::follow_runs(std::size_t l, const std::vector<Table>& next, const Table& closed,
                          std::vector<Table>& now, std::vector<Table>& alone) const {
  for (const Run& run : levels_[l].runs) {
    Table& ends = now.emplace_back(size_);
    for_each_tile([&](std::size_t i, const auto& bin) {
      ends[i] = run.base + run.slope * words_of(run, bin);
    });
    Table& goes_on = alone.emplace_back(size_);
    const double once = run.base + run.slope * run.words;
    for (std::size_t i = 0; i < size_; ++i) goes_on[i] = ends[i] + closed[i];
    for (std::size_t c = 0; c < next.size(); ++c) {
      // Still open outside the next level's stores, if the next loop does not end it there.
      if (c < classes_.size() && (classes_[c] & run.relevant) != 0) continue;
      for (std::size_t i = 0; i < size_; ++i) goes_on[i] = std::min(goes_on[i], once + next[c][i]);
    }
    take_least_of_grown(goes_on, static_cast<DimMask>(all_dims() & ~run.relevant));
  }
}

// Dimensions that matter to the same runs of every level are one class.
void Outlook::find_classes() {
  for (std::size_t d = 0; d < bins_.size(); ++d) {
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

unsigned Outlook::ended_by(const Level& level, std::size_t cls) const {
  if (cls == classes_.size()) return ~0u;  // nothing left to grow: every word has crossed once
  unsigned runs = 0;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((level.runs[r].relevant & classes_[cls]) != 0) runs |= 1u << r;
  }
  return runs;
}

void Outlook::fill_level(std::size_t l) {
  const Level& level = levels_[l];
  std::vector<Table> next;
  Table closed(size_, kNever);  // nothing open: any growth
  for (std::size_t c = 0; c <= classes_.size(); ++c) {
    next.push_back(after_next(l, c));
    for (std::size_t i = 0; i < size_; ++i) closed[i] = std::min(closed[i], next[c][i]);
  }
  take_least_of_grown(closed, all_dims());
  std::vector<Table> now, alone;
  follow_runs(l, next, closed, now, alone);
  const unsigned sets = 1u << level.runs.size();
  here_[l].assign(sets, Table(size_, kNever));
  from_here_[l].resize(sets);
  first_loop_[l].assign(classes_.size() + 1, Table(size_, kNever));
  for (unsigned open = 0; open < sets; ++open) {
    Table& here = here_[l][open];
    for (std::size_t c = 0; c <= classes_.size(); ++c) {
      const unsigned ended = ended_by(level, c);
      for_each_tile([&](std::size_t i, const auto& bin) {
        const bool any = can_grow(all_dims(), bin);
        if (c == classes_.size() ? any : !can_grow(classes_[c], bin)) return;
        const double least = after_loop(level, open, ended, i, now, alone, closed, next[c]);
        here[i] = std::min(here[i], least);
        if (open + 1 == sets) first_loop_[l][c][i] = least;
      });
    }
  }
  fitting_ = fitting(l);
  for (unsigned open = 0; open < sets; ++open) {
    from_here_[l][open] = before_stores(l, open, now);
    take_least_of_grown(from_here_[l][open], all_dims());
  }
}

// Per tile (lanes included), the runs that may be open at it; bit 15: the level's outermost store
// holds it at all.
std::vector<std::uint16_t> Outlook::fitting(std::size_t l) const {
  const Level& level = levels_[l];
  std::vector<std::uint16_t> runs(size_);
  for_each_tile([&](std::size_t i, const auto& bin) {
    Tile tile{};
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      tile[d] = static_cast<std::uint32_t>(ceil_div(bins_[d].smallest[bin[d]], level.lanes[d]));
      if ((level.loose >> d & 1u) != 0) tile[d] = 1;
    }
    if (level.fits(tile)) runs[i] = 0x8000;
    for (std::size_t r = 0; r < level.runs.size() && runs[i] != 0; ++r) {
      if (level.runs[r].fits(tile)) runs[i] = static_cast<std::uint16_t>(runs[i] | 1u << r);
    }
  });
  return runs;
}

// Before the level's stores have all been passed: at the lanes some of these runs are open, each
// with a tile that its store holds; the others have ended at no larger tile.
Outlook::Table Outlook::before_stores(std::size_t l, unsigned open,
                                      const std::vector<Table>& now) const {
  Table table(size_, kNever);
  for (std::size_t i = 0; i < size_; ++i) {
    if ((fitting_[i] & 0x8000u) == 0) continue;
    const unsigned may = open & fitting_[i];
    for (unsigned still = may;; still = (still - 1) & may) {
      double sum = here_[l][still][i];
      for (unsigned rest = open & ~still; rest != 0; rest &= rest - 1) {
        sum += now[static_cast<std::size_t>(__builtin_ctz(rest))][i];
      }
      table[i] = std::min(table[i], sum);
      if (still == 0) break;
    }
  }
  return table;
}

bool Outlook::can_grow(DimMask dims, const std::array<std::uint8_t, kMaxDims>& bin) const {
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    // The last of joined bins may hold sizes that can still grow.
    const bool last =
        bin[d] + 1u == bins_[d].smallest.size() && bins_[d].smallest[bin[d]] == extents_[d];
    if ((dims >> d & 1u) != 0 && !last) return true;
  }
  return false;
}

// The next loop ends some of the open runs, and the others go on. It stands before the next level's
// stores, or there is none before them and it stands outside.
double Outlook::after_loop(const Level& level, unsigned open, unsigned ended, std::size_t i,
                           const std::vector<Table>& now, const std::vector<Table>& alone,
                           const Table& closed, const Table& next) const {
  double sum = 0;
  double once = 0;
  unsigned going_on = 0;
  for (std::size_t r = 0; r < level.runs.size(); ++r) {
    if ((open >> r & 1u) == 0) continue;
    const Run& run = level.runs[r];
    if ((ended >> r & 1u) != 0) {
      sum += now[r][i];
    } else {
      going_on |= 1u << r;
      once += run.base + run.slope * run.words;
    }
  }
  const bool one = going_on != 0 && (going_on & (going_on - 1)) == 0;
  const double inside =
      one ? alone[static_cast<std::size_t>(__builtin_ctz(going_on))][i] : once + closed[i];
  return sum + std::min(inside, once + next[i]);
}

DimMask Outlook::all_dims() const { return static_cast<DimMask>((1u << bins_.size()) - 1); }

double Outlook::least(std::size_t level, unsigned open, bool begun, const Tile& tile) const {
  return (begun ? here_ : from_here_)[level][open][at(tile)];
}

}  // namespace loopscape
