// The tile lattice of an outlook.
#include <algorithm>
#include <limits>
#include <utility>

#include "mapper/search/outlook.h"

namespace loopscape {
namespace {

constexpr std::size_t kMostSizes = 1 << 16;
constexpr std::size_t kMostKeptTiles = 600'000;  // some 150 MB of tables

}  // namespace

std::vector<std::int64_t> extents_of(const Problem& problem) {
  std::vector<std::int64_t> extents;
  for (const Dim& dim : problem.dims) extents.push_back(dim.extent);
  return extents;
}

OutlookLattice::OutlookLattice(std::vector<std::int64_t> extents, bool perfect,
                               std::size_t most_tiles)
    : extents_(std::move(extents)), perfect_(perfect) {
  set_few_sizes();
  for (std::size_t most = 256; most >= 2 && size_ == 0; most = most * 3 / 4) {
    bins_.clear();
    stride_.clear();
    joined_ = 0;
    std::size_t size = 1;
    for (std::size_t d = 0; d < extents_.size() && size <= most_tiles; ++d) {
      bins_.push_back(bins_of(d, most));
      stride_.push_back(size);
      size *= bins_.back().size();
    }
    if (size <= most_tiles) size_ = size;
    if (perfect_) break;
  }
  if (size_ == 0) return;
  offset_.resize(extents_.size());
  for (std::size_t d = 0; d < extents_.size(); ++d) {
    if (static_cast<std::size_t>(extents_[d]) > kMostSizes) continue;
    std::vector<std::uint32_t> offsets(static_cast<std::size_t>(extents_[d]) + 1);
    for (std::int64_t size = 1; size <= extents_[d]; ++size) {
      offsets[static_cast<std::size_t>(size)] = static_cast<std::uint32_t>(offset(d, size));
    }
    offset_[d] = std::move(offsets);
  }
  set_growing();
}

// At most `most` bins; those of a divisor lattice are never joined.
std::vector<OutlookLattice::Bin> OutlookLattice::bins_of(std::size_t d, std::size_t most) {
  const std::int64_t extent = extents_[d];
  std::vector<Bin> classes;
  for (std::int64_t size = 1; size <= extent;) {
    const std::int64_t tiles = ceil_div(extent, size);
    const std::int64_t next = tiles == 1 ? extent + 1 : ceil_div(extent, tiles - 1);
    const auto smallest = static_cast<std::uint32_t>(size);
    if (!perfect_) classes.push_back({smallest, static_cast<std::uint32_t>(next - 1), tiles});
    if (perfect_ && extent % size == 0) classes.push_back({smallest, smallest, tiles});
    size = next;
  }
  if (perfect_) return classes;
  const std::size_t join = (classes.size() + most - 1) / most;
  if (join > 1) joined_ = static_cast<DimMask>(joined_ | 1u << d);
  std::vector<Bin> bins;
  for (std::size_t i = 0; i < classes.size(); i += join) {
    const Bin& last = classes[std::min(i + join, classes.size()) - 1];
    bins.push_back({classes[i].smallest, last.largest, last.tiles});
  }
  return bins;
}

std::vector<OutlookLattice::Sizes> OutlookLattice::sizes_of(std::size_t d, std::size_t join) const {
  const std::int64_t extent = extents_[d];
  std::vector<Sizes> sizes;
  std::size_t joined = join;
  for (std::int64_t size = 1; size <= extent;) {
    const std::int64_t count = ceil_div(extent, size);
    const std::int64_t next = count == 1 ? extent + 1 : ceil_div(extent, count - 1);
    const auto smallest = static_cast<std::uint32_t>(size);
    const auto largest = static_cast<std::uint32_t>(perfect_ ? size : next - 1);
    size = next;
    if (perfect_ && extent % smallest != 0) continue;
    if (joined == join) {
      sizes.push_back({smallest, largest});
      joined = 0;
    }
    sizes.back().largest = largest;
    ++joined;
  }
  return sizes;
}

void OutlookLattice::set_few_sizes() {
  constexpr double kMostCombinations = 1 << 8;
  few_sizes_.resize(extents_.size());
  for (std::size_t join = 1;; join *= 2) {
    double combinations = 1;
    for (std::size_t d = 0; d < extents_.size(); ++d) {
      few_sizes_[d] = sizes_of(d, join);
      combinations *= static_cast<double>(few_sizes_[d].size());
    }
    if (combinations <= kMostCombinations) return;
  }
}

std::size_t OutlookLattice::offset(std::size_t d, std::int64_t size) const {
  if (!offset_.empty() && !offset_[d].empty()) return offset_[d][static_cast<std::size_t>(size)];
  const auto above =
      std::upper_bound(bins_[d].begin(), bins_[d].end(), size,
                       [](std::int64_t value, const Bin& bin) { return value < bin.smallest; });
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

void OutlookLattice::take_least_of_grown(Table& table, DimMask dims) const {
  for (std::size_t d = 0; d < bins_.size(); ++d) {
    if ((dims >> d & 1u) == 0) continue;
    const std::size_t count = bins_[d].size();
    const std::size_t block = stride_[d] * count;
    const auto lower = [&](std::size_t first, std::size_t b, std::size_t grown) {
      double* to = table.data() + first + b * stride_[d];
      const double* from = table.data() + first + grown * stride_[d];
      for (std::size_t i = 0; i < stride_[d]; ++i) to[i] = std::min(to[i], from[i]);
    };
    for (std::size_t first = 0; first < size_; first += block) {
      for (std::size_t b = count - 1; b-- > 0;) {
        if (!perfect_) {
          lower(first, b, b + 1);
          continue;
        }
        for (std::size_t grown = b + 1; grown < count; ++grown) {
          if (bins_[d][grown].smallest % bins_[d][b].smallest == 0) lower(first, b, grown);
        }
      }
    }
  }
}

const std::vector<char>& OutlookLattice::holding(std::uint64_t name,
                                                 const std::function<bool(const Tile&)>& holds) {
  const auto [entry, is_new] = holding_.try_emplace(name);
  if (!is_new) return entry->second;
  entry->second.resize(size_);
  for_each_tile([&](std::size_t i, const auto& bin) {
    Tile tile{};
    for (std::size_t d = 0; d < bins_.size(); ++d) tile[d] = bins_[d][bin[d]].smallest;
    entry->second[i] = holds(tile) ? 1 : 0;
  });
  return entry->second;
}

std::shared_ptr<const OutlookLattice::LevelTables> OutlookLattice::known(
    const std::string& content) const {
  const auto found = known_.find(content);
  return found == known_.end() ? nullptr : found->second;
}

void OutlookLattice::keep(const std::string& content, std::shared_ptr<const LevelTables> tables) {
  if (known_.size() >= std::clamp<std::size_t>(kMostKeptTiles / size_, 4, 64)) known_.clear();
  known_.emplace(content, std::move(tables));
}

}  // namespace loopscape
