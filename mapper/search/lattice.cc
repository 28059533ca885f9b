// The tile lattice of an outlook.
#include <algorithm>
#include <limits>
#include <utility>

#include "mapper/search/outlook.h"

namespace loopscape {
namespace {

constexpr std::size_t kMostTiles = 60'000, kMostSizes = 1 << 16, kMostKept = 32;

}  // namespace

std::vector<std::int64_t> extents_of(const Problem& problem) {
  std::vector<std::int64_t> extents;
  for (const Dim& dim : problem.dims) extents.push_back(dim.extent);
  return extents;
}

OutlookLattice::OutlookLattice(std::vector<std::int64_t> extents, bool perfect)
    : extents_(std::move(extents)), perfect_(perfect) {
  for (std::size_t most = 256; most >= 4 && size_ == 0; most = most * 3 / 4) {
    bins_.clear();
    stride_.clear();
    std::size_t size = 1;
    for (std::size_t d = 0; d < extents_.size() && size <= kMostTiles; ++d) {
      bins_.push_back(bins_of(d, most));
      stride_.push_back(size);
      size *= bins_.back().size();
    }
    if (size <= kMostTiles) size_ = size;
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
std::vector<OutlookLattice::Bin> OutlookLattice::bins_of(std::size_t d, std::size_t most) const {
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
  std::vector<Bin> bins;
  for (std::size_t i = 0; i < classes.size(); i += join) {
    const Bin& last = classes[std::min(i + join, classes.size()) - 1];
    bins.push_back({classes[i].smallest, last.largest, last.tiles});
  }
  return bins;
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

void OutlookLattice::multiply(Table& table, std::size_t d,
                              const std::vector<double>& factor) const {
  const std::size_t block = stride_[d] * bins_[d].size();
  for (std::size_t first = 0; first < size_; first += block) {
    for (std::size_t b = 0; b < bins_[d].size(); ++b) {
      double* to = table.data() + first + b * stride_[d];
      for (std::size_t i = 0; i < stride_[d]; ++i) to[i] *= factor[b];
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
  if (known_.size() >= kMostKept) known_.clear();
  known_.emplace(content, std::move(tables));
}

}  // namespace loopscape
