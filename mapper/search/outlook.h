// The least energy that is still to be paid, for every tile shape at once (optimal_search.md,
// "The recursion": filled outside-in, one sweep of the lattice per level and open set).
//
// Exact where factors are perfect and every index is a word; elsewhere never too high: a tile is
// taken for the smallest one of its bin, with the fewest iterations outside, and grows by any
// amount. For this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

class Outlook {
 public:
  using Tile = std::array<std::uint32_t, kMaxDims>;
  // A boundary that opens at a level: costs base + slope * words once closed.
  struct Run {
    double base = 0, slope = 0;
    double words = 0;  // of the tensor: every one crosses at least once
    DimMask relevant = 0;
    bool repeats = true;  // false: words may still be there, whatever is outside
    std::array<std::int64_t, kMaxDims> lanes_beyond;  // below its parent, but above the next level
    // Can its store hold this tile of the tensor? While the run is open, the tile has not changed.
    std::function<bool(const Tile&)> fits;
  };
  struct Level {
    std::vector<Run> runs;  // at most 8
    // Lanes between this level's stores and the next level's.
    std::array<std::int64_t, kMaxDims> lanes;
    std::function<bool(const Tile&)> fits;  // its outermost store
    DimMask loose = 0;  // dimensions that may also grow between that store and the lanes
  };

  // Levels from the inside out. False: the lattice is too large to fill.
  bool fill(std::vector<std::int64_t> extents, bool perfect, std::vector<Level> levels);

  // `level`: the innermost level of which a store has been passed, or 0 when none has; `open`:
  // which of its runs have not been closed (those not begun among them); `begun`: all have begun.
  // `tile`: with the lanes up to the next level.
  double least(std::size_t level, unsigned open, bool begun, const Tile& tile) const;

 private:
  struct Bins {
    std::vector<std::uint32_t> smallest;            // ascending
    std::vector<std::int64_t> tiles;                // fewest iterations outside
    std::vector<std::vector<std::uint32_t>> grown;  // direct successors
    std::size_t stride = 1;
  };
  using Table = std::vector<double>;

  void make_bins(std::size_t dim, std::size_t most);
  std::size_t bin_of(std::size_t dim, std::uint32_t size) const;
  std::size_t at(const Tile& tile) const;
  void take_least_of_grown(Table& table, DimMask dims) const;
  template <class Visit>
  void for_each_tile(const Visit& visit) const;
  double words_of(const Run& run, const std::array<std::uint8_t, kMaxDims>& bin) const;
  DimMask all_dims() const;
  void fill_level(std::size_t level);
  void find_classes();
  unsigned ended_by(const Level& level, std::size_t cls) const;
  void follow_runs(std::size_t level, const std::vector<Table>& next, const Table& closed,
                   std::vector<Table>& now, std::vector<Table>& alone) const;
  Table before_stores(std::size_t level, unsigned open, const std::vector<Table>& now) const;
  std::vector<std::uint16_t> fitting(std::size_t level) const;
  bool can_grow(DimMask dims, const std::array<std::uint8_t, kMaxDims>& bin) const;
  double after_loop(const Level& level, unsigned open, unsigned ended, std::size_t i,
                    const std::vector<Table>& now, const std::vector<Table>& alone,
                    const Table& closed, const Table& next) const;
  Table after_next(std::size_t level, std::size_t cls) const;

  std::vector<std::int64_t> extents_;
  bool perfect_ = false;
  std::vector<Level> levels_;
  std::vector<Bins> bins_;
  std::size_t size_ = 0;
  std::vector<std::uint16_t> fitting_;  // of the level being filled: runs whose stores can hold it
  // [level][open runs]: with these open at this tile; and at it or any that it can grow to.
  std::vector<std::vector<Table>> here_, from_here_;
  std::vector<DimMask> classes_;
  // [level][class of the next loop; the last: none]: all runs open.
  std::vector<std::vector<Table>> first_loop_;
};

}  // namespace loopscape
