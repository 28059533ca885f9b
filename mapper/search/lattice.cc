// The tile lattice of an outlook.
#include "mapper/search/lattice.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "mapper/search/wide.h"

namespace loopscape {
namespace {

constexpr std::size_t kMostSizes = 1 << 16;
constexpr double kMostRatio = 1 << 20;
constexpr std::size_t kMostKeptTiles = 1'000, kMostLattices = 24;  // but for the last
constexpr std::size_t kMostHeld = 256;

}  // namespace

void OutlookLattice::Sum::of_block(std::size_t begin, std::size_t size,
                                   double* __restrict sums) const {
  std::fill_n(sums, size, more);
  for (const double* table : tables) {
    for (std::size_t i = 0; i < size; ++i) sums[i] += table[begin + i];
  }
}

// By blocks that stay in the nearest cache.
LOOPSCAPE_WIDE void OutlookLattice::NextLoop::lower(std::size_t begin, std::size_t size,
                                                    double* __restrict values) const {
  constexpr std::size_t kBlock = 256;
  std::array<double, kBlock> least, sums;
  for (; size > 0;) {
    const std::size_t block = std::min(kBlock, size);
    std::fill_n(least.begin(), block, 0);
    for (const Sum& sum : inside) {
      sum.of_block(begin, block, sums.data());
      for (std::size_t i = 0; i < block; ++i) least[i] = sums[i] > least[i] ? sums[i] : least[i];
    }
    outside.of_block(begin, block, sums.data());
    for (std::size_t i = 0; i < block; ++i) least[i] = sums[i] < least[i] ? sums[i] : least[i];
    ends.of_block(begin, block, sums.data());
    for (std::size_t i = 0; i < block; ++i) {
      const double value = sums[i] + least[i] + gate[begin + i];
      values[i] = value < values[i] ? value : values[i];
    }
    begin += block;
    size -= block;
    values += block;
  }
}

void OutlookLattice::Here::start(std::size_t size, std::vector<NextLoop> loops) {
  values_.resize(size, kUnset);
  filled_.resize(ceil_div(size, kBlock));
  loops_ = std::move(loops);
}

void OutlookLattice::Here::fill(std::size_t block) {
  const std::size_t begin = block * kBlock, size = std::min(kBlock, values_.size() - begin);
  std::fill_n(values_.data() + begin, size, kNever);
  for (const NextLoop& loop : loops_) loop.lower(begin, size, values_.data() + begin);
  filled_[block] = 1;
}

void OutlookLattice::Here::copy_to(double* to) {
  for (std::size_t block = 0; block < filled_.size(); ++block) {
    if (filled_[block] == 0) fill(block);
  }
  std::copy(values_.begin(), values_.end(), to);
}

std::vector<std::int64_t> extents_of(const Problem& problem) {
  std::vector<std::int64_t> extents;
  for (const Dim& dim : problem.dims) extents.push_back(dim.extent);
  return extents;
}

OutlookLattice::OutlookLattice(std::vector<std::int64_t> extents, bool perfect, const Lanes& lanes,
                               std::size_t most_tiles)
    : extents_(std::move(extents)), perfect_(perfect) {
  std::vector<std::vector<Bin>> classes;
  double combinations = 1;
  for (std::size_t d = 0; d < extents_.size(); ++d) {
    classes.push_back(classes_of(extents_[d], perfect_, lanes[d]));
    combinations *= static_cast<double>(classes.back().size());
  }
  // Apart, there are no fewer.
  const bool may_be_apart = perfect_ || combinations <= static_cast<double>(most_tiles / 2);
  for (double ratio = may_be_apart ? 0 : 1; ratio < kMostRatio && size_ == 0;
       ratio = std::max(1.0, ratio * 1.1)) {
    bins_.clear();
    stride_.clear();
    joined_ = 0;
    // Divisors are not joined: rather more of them than none at all.
    const std::size_t most = perfect_ ? 2 * most_tiles : ratio < 1 ? most_tiles / 2 : most_tiles;
    std::size_t size = 1;
    for (std::size_t d = 0; d < extents_.size() && size <= most; ++d) {
      const bool apart = lanes[d].apart && !perfect_ && ratio < 1;
      bins_.push_back(apart ? classes_of(extents_[d], false, lanes[d], true)
                            : joined_bins(d, classes[d], ratio));
      stride_.push_back(size);
      size *= bins_.back().size();
    }
    if (size <= most) size_ = size;
    if (perfect_) break;
  }
  if (size_ == 0) return;
  offset_.resize(extents_.size());
  for (std::size_t d = 0; d < extents_.size(); ++d) {
    if (static_cast<std::size_t>(extents_[d]) > kMostSizes) continue;
    offset_[d].resize(static_cast<std::size_t>(extents_[d]) + 1);
    for (std::size_t b = 1; b < bins_[d].size(); ++b) {
      const std::size_t end = b + 1 < bins_[d].size() ? bins_[d][b + 1].smallest : extents_[d] + 1;
      std::fill(offset_[d].begin() + bins_[d][b].smallest, offset_[d].begin() + end,
                static_cast<std::uint32_t>(b * stride_[d]));
    }
  }
  set_growing();
  set_next_sizes();
}

// With the outermost loop over lanes no iteration is empty, but for its last one.
std::vector<OutlookLattice::Stage> OutlookLattice::stages_of(std::int64_t extent, bool perfect,
                                                             const Stages& lanes) {
  std::vector<Stage> stages;
  for (const std::int64_t step : lanes.steps) {
    Stage& stage = stages.emplace_back(Stage{step, extent, lanes.steps.back() / step});
    if (stage.lanes_left == 1 || perfect) continue;
    const std::int64_t full = stage.lanes_left / lanes.outermost * (lanes.outermost - 1);
    stage.most = std::max<std::int64_t>(1, (extent - 1) / full);
  }
  return stages;
}

// Sizes that leave equally many tiles, or each by itself, as far as there are any.
std::vector<OutlookLattice::Bin> OutlookLattice::classes_of(std::int64_t extent, bool perfect,
                                                            const Stages& lanes, bool apart) {
  const std::vector<Stage> stages = stages_of(extent, perfect, lanes);
  std::vector<Bin> classes;
  for (std::int64_t size = 1; size <= extent;) {
    if (perfect && extent % size != 0) {
      ++size;
      continue;
    }
    const std::int64_t tiles = ceil_div(extent, size);
    const std::int64_t next = tiles == 1 ? extent + 1 : ceil_div(extent, tiles - 1);
    const std::int64_t last = perfect || (apart && tiles > 1) ? size : next - 1;
    std::int64_t smallest = last + 1, largest = 0;
    for (const Stage& stage : stages) {
      const std::int64_t first = ceil_div(size, stage.step) * stage.step;
      const std::int64_t most = std::min(last, stage.most) / stage.step * stage.step;
      if (first > most || (perfect && extent % (first * stage.lanes_left) != 0)) continue;
      smallest = std::min(smallest, first);
      largest = std::max(largest, most);
    }
    if (tiles == 1) smallest = std::min(smallest, extent), largest = extent;
    if (smallest <= last) {
      classes.push_back(
          {static_cast<std::uint32_t>(smallest), static_cast<std::uint32_t>(largest), tiles});
    }
    size = last + 1;
  }
  return classes;
}

double OutlookLattice::classes(std::span<const std::int64_t> extents, bool perfect,
                               const Lanes& lanes) {
  double combinations = 1;
  for (std::size_t d = 0; d < extents.size(); ++d) {
    combinations *= static_cast<double>(classes_of(extents[d], perfect, lanes[d]).size());
  }
  return combinations;
}

// A bin's sizes, and their numbers of tiles, differ by this ratio at most, unless these are those
// of one class. Divisors are never joined.
std::vector<OutlookLattice::Bin> OutlookLattice::joined_bins(std::size_t d,
                                                             const std::vector<Bin>& classes,
                                                             double ratio) {
  if (perfect_ || ratio < 1) return classes;
  std::vector<Bin> bins;
  std::int64_t most_tiles = 0;  // of the last bin's sizes
  for (const Bin& next : classes) {
    const bool joins = !bins.empty() && next.smallest <= ratio * bins.back().smallest &&
                       static_cast<double>(most_tiles) <= ratio * static_cast<double>(next.tiles);
    if (joins) {
      joined_ = static_cast<DimMask>(joined_ | 1u << d);
      bins.back().largest = next.largest;
      bins.back().tiles = next.tiles;
    } else {
      bins.push_back(next);
      most_tiles = next.tiles;
    }
  }
  return bins;
}

std::size_t OutlookLattice::offset(std::size_t d, std::int64_t size) const {
  if (!offset_.empty() && !offset_[d].empty()) return offset_[d][static_cast<std::size_t>(size)];
  const auto above =
      std::upper_bound(bins_[d].begin(), bins_[d].end(), size,
                       [](std::int64_t value, const Bin& bin) { return value < bin.smallest; });
  if (above == bins_[d].begin()) return 0;  // no tile has this size
  return static_cast<std::size_t>(above - bins_[d].begin() - 1) * stride_[d];
}

std::size_t OutlookLattice::at(const Tile& tile) const {
  std::size_t i = 0;
  for (std::size_t d = 0; d < bins_.size(); ++d) i += offset(d, tile[d]);
  return i;
}

void OutlookLattice::set_growing() {
  growing_.resize(size_);
  for_each_tile([&](std::size_t i, const auto& bin) {
    DimMask dims = 0;
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      // The last of joined bins may hold sizes that can still grow.
      const bool last = bin[d] + 1u == bins_[d].size() && bins_[d].back().smallest == extents_[d];
      if (!last) dims = static_cast<DimMask>(dims | (1u << d));
    }
    growing_[i] = dims;
  });
}

void OutlookLattice::set_next_sizes() {
  for (const std::vector<Bin>& bins : bins_) {
    auto& next = next_sizes_.emplace_back();
    const auto grows = [&](std::size_t b, std::size_t to) {
      return perfect_ ? bins[to].smallest % bins[b].smallest == 0 : to == b + 1;
    };
    for (std::size_t b = bins.size(); b-- > 0;) {
      for (std::size_t to = b + 1; to < bins.size(); ++to) {
        bool between = false;
        for (std::size_t m = b + 1; m < to && !between; ++m) between = grows(b, m) && grows(m, to);
        if (grows(b, to) && !between) next.emplace_back(b, to);
      }
    }
  }
}

LOOPSCAPE_WIDE void OutlookLattice::take_least_of_grown(Table& table, DimMask dims) const {
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    if ((dims >> d & 1u) == 0) continue;
    const std::size_t stride = stride_[d], block = stride * bins_[d].size();
    for (std::size_t first = 0; first < size_; first += block) {
      for (const auto& [bin, grown] : next_sizes_[d]) {
        double* __restrict to = table.data() + first + bin * stride;
        const double* __restrict from = table.data() + first + grown * stride;
        for (std::size_t i = 0; i < stride; ++i) to[i] = from[i] < to[i] ? from[i] : to[i];
      }
    }
  }
}

LOOPSCAPE_WIDE void OutlookLattice::take_least_of_smaller(Table& table) const {
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    const std::size_t stride = stride_[d], block = stride * bins_[d].size();
    const auto& next = next_sizes_[d];
    for (std::size_t first = 0; first < size_; first += block) {
      std::for_each(next.rbegin(), next.rend(), [&](const auto& pair) {
        double* __restrict to = table.data() + first + pair.second * stride;
        const double* __restrict from = table.data() + first + pair.first * stride;
        for (std::size_t i = 0; i < stride; ++i) to[i] = from[i] < to[i] ? from[i] : to[i];
      });
    }
  }
}

const OutlookLattice::Table& OutlookLattice::gate(DimMask dims) {
  const auto [entry, is_new] = gates_.try_emplace(dims);
  Table& gate = entry->second;
  if (!is_new) return gate;
  gate.resize(size_, kUnset);
  for (std::size_t i = 0; i < size_; ++i) {
    const bool open = dims == 0 ? growing_[i] == 0 : (growing_[i] & dims) != 0;
    gate[i] = open ? 0 : kNever;
  }
  return gate;
}

std::size_t OutlookLattice::combinations(DimMask dims) const {
  std::size_t size = 1;
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    if ((dims >> d & 1u) != 0) size *= bins_[d].size();
  }
  return size;
}

const OutlookLattice::PerTile<std::uint32_t>& OutlookLattice::places(DimMask dims) {
  const auto [entry, is_new] = places_.try_emplace(dims);
  if (!is_new) return entry->second;
  std::vector<std::vector<std::uint32_t>> offset(bins_.size());
  std::size_t step = 1;
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    const bool counts = (dims >> d & 1u) != 0;
    for (std::size_t bin = 0; bin < bins_[d].size(); ++bin) {
      offset[d].push_back(counts ? static_cast<std::uint32_t>(bin * step) : 0);
    }
    if (counts) step *= bins_[d].size();
  }
  return entry->second = combined(std::uint32_t{0}, offset, std::plus<>());
}

const std::vector<char>& OutlookLattice::holding(const Store& store, const Parts& lanes) {
  if (holding_.size() >= kMostHeld) holding_.clear();
  const auto [entry, is_new] = holding_.try_emplace({store.name, lanes});
  std::vector<char>& held = entry->second;
  if (!is_new) return held;
  struct Side {
    std::size_t dim, stride, bin = 0;
    std::vector<std::uint32_t> part;
  };
  std::vector<Side> sides;
  Tile tile;
  tile.fill(1);
  std::size_t size = 1;
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    if ((store.dims >> d & 1u) == 0) continue;
    Side& side = sides.emplace_back(Side{d, size, 0, {}});
    for (const Bin& bin : bins_[d]) {
      side.part.push_back(
          static_cast<std::uint32_t>(ceil_div(std::int64_t{bin.smallest}, lanes[d])));
    }
    tile[d] = side.part.front();
    size *= side.part.size();
  }
  held.resize(size, 0);
  if (sides.empty()) {
    held[0] = store.fits(tile) ? 1 : 0;
    return held;
  }
  // Rows along the longest side: none holds more than one before it.
  const auto longest =
      std::max_element(sides.begin(), sides.end(),
                       [](const Side& a, const Side& b) { return a.part.size() < b.part.size(); });
  std::swap(*longest, sides.back());
  const Side along = std::move(sides.back());
  sides.pop_back();
  std::vector<std::size_t> many(size, along.part.size());  // of a row, where it begins
  for (std::size_t row = 0;;) {
    std::size_t& fit = many[row];
    for (const Side& side : sides) {
      if (side.bin > 0) fit = std::min(fit, many[row - side.stride]);
    }
    for (; fit > 0; --fit) {
      tile[along.dim] = along.part[fit - 1];
      if (store.fits(tile)) break;
    }
    for (std::size_t i = 0; i < fit; ++i) held[row + i * along.stride] = 1;
    bool ends = true;
    for (Side& side : sides) {
      ends = ++side.bin == side.part.size();
      if (ends) row -= (side.bin - 1) * side.stride;
      if (ends) side.bin = 0;
      tile[side.dim] = side.part[side.bin];
      if (ends) continue;
      row += side.stride;
      break;
    }
    if (ends) return held;
  }
}

std::shared_ptr<const OutlookLattice::LevelTables> OutlookLattice::known(
    const std::string& content) const {
  const auto found = known_.find(content);
  return found == known_.end() ? nullptr : found->second;
}

void OutlookLattice::keep(const std::string& content, std::shared_ptr<const LevelTables> tables) {
  if (known_.size() >= std::clamp<std::size_t>(kMostKeptTiles / size_, 4, 16)) known_.clear();
  known_.emplace(content, std::move(tables));
}

std::vector<std::vector<OutlookLattice::Bin>> OutlookLattice::few_sizes(
    std::span<const std::int64_t> extents, bool perfect) {
  constexpr double kMostCombinations = 1 << 5;
  std::vector<std::vector<Bin>> few(extents.size());
  for (std::size_t join = 1;; join *= 2) {
    double combinations = 1;
    for (std::size_t d = 0; d < extents.size(); ++d) {
      const std::vector<Bin> classes = classes_of(extents[d], perfect, {});
      few[d].clear();
      for (std::size_t i = 0; i < classes.size(); ++i) {
        if (i % join == 0) few[d].push_back(classes[i]);
        few[d].back().largest = classes[i].largest;
      }
      combinations *= static_cast<double>(few[d].size());
    }
    if (combinations <= kMostCombinations) return few;
  }
}

OutlookLattices::OutlookLattices(std::vector<std::int64_t> extents, bool perfect,
                                 std::size_t most_tiles)
    : extents_(std::move(extents)),
      perfect_(perfect),
      most_tiles_(most_tiles),
      classes_(OutlookLattice::classes(extents_, perfect_, OutlookLattice::Lanes(extents_.size()))),
      few_sizes_(OutlookLattice::few_sizes(extents_, perfect)) {}

// Divisors are the same with any lanes, so that their choices share tables of one lattice: only
// much smaller ones are worth filling anew.
std::shared_ptr<OutlookLattice> OutlookLattices::with(const OutlookLattice::Lanes& lanes) {
  constexpr double kMuchSmaller = 0.2;
  const OutlookLattice::Lanes none(extents_.size());
  if (perfect_ && lanes != none) {
    const bool few = OutlookLattice::classes(extents_, perfect_, lanes) < kMuchSmaller * classes_;
    if (!few) return with(none);
  }
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.lanes == lanes; });
  if (known != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, known);
    return entries_.front().lattice;
  }
  entries_.push_front(
      {lanes, std::make_shared<OutlookLattice>(extents_, perfect_, lanes, most_tiles_)});
  std::size_t tiles = 0, kept = 0;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++kept) {
    tiles += entry->lattice->size();
    const bool too_many = kept > 0 && (tiles > kMostKeptTiles || kept >= kMostLattices);
    entry = too_many ? entries_.erase(entry) : std::next(entry);
  }
  return entries_.front().lattice;
}

}  // namespace loopscape
