// The least energy that is still to be paid, for every tile shape at once (optimal_search.md,
// "The recursion": filled outside-in, one sweep of the lattice per level and open set).
//
// Exact where factors are perfect and every index is a word; elsewhere never too high: a tile is
// taken for the smallest one of its bin, with the fewest iterations outside, grows by any amount,
// and windows that march are taken to march as far as there is anything. For this folder only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "model/base/base.h"
#include "model/problem/problem.h"

namespace loopscape {

std::vector<std::int64_t> extents_of(const Problem& problem);

// The lattice, and what the spatial choices of a search share of its tables. Not for several
// threads at once.
class OutlookLattice {
 public:
  using Tile = std::array<std::uint32_t, kMaxDims>;
  using Table = std::vector<double>;
  struct Bin {
    std::uint32_t smallest, largest;  // sizes
    std::int64_t tiles;               // fewest iterations outside
  };
  struct LevelTables {
    // What each run costs if it ends at this tile; and, with all that follows, if it is the only
    // one to go on from here; what follows if none is open, after any growth.
    std::vector<Table> now, alone;
    // Folds of a run that goes on from this tile, but for the first; empty: none.
    std::vector<Table> folds;
    Table closed;
    std::vector<std::uint32_t> to;       // where tiles lie once the next level's stores are passed
    std::vector<std::uint16_t> fitting;  // runs whose stores can hold the tile
    // Once asked for. By the runs that are still open outside the next level's stores: [class of
    // the next loop; the last: none].
    mutable std::map<unsigned, std::vector<Table>> next;
    // [open runs]: with these open at this tile; and at it or any that it can grow to, where some
    // of the level's stores may lie behind and others not.
    mutable std::vector<Table> here, from_here;
  };

  // The spatial loops of every dimension, innermost first: sizes that no tile takes below, between
  // or above them are left out.
  using Lanes = std::vector<std::vector<std::int64_t>>;

  static constexpr std::size_t kMostTiles = 60'000;
  OutlookLattice(std::vector<std::int64_t> extents, bool perfect, const Lanes& lanes,
                 std::size_t most_tiles = kMostTiles);

  // Sizes of every dimension that leave equally many tiles, so joined that there are not many
  // combinations.
  static std::vector<std::vector<Bin>> few_sizes(std::span<const std::int64_t> extents,
                                                 bool perfect);
  // Tiles that can be told apart.
  static double classes(std::span<const std::int64_t> extents, bool perfect, const Lanes& lanes);

  bool usable() const { return size_ > 0; }
  std::size_t size() const { return size_; }
  std::size_t dims() const { return extents_.size(); }
  bool perfect() const { return perfect_; }
  std::int64_t extent(std::size_t dim) const { return extents_[dim]; }
  const std::vector<Bin>& bins(std::size_t dim) const { return bins_[dim]; }
  // Where a tile's value is: the sum over dimensions of its offsets.
  std::size_t offset(std::size_t dim, std::int64_t size) const;
  std::size_t at(const Tile& tile) const;
  DimMask all_dims() const { return static_cast<DimMask>((1u << extents_.size()) - 1); }
  DimMask growing(std::size_t i) const { return growing_[i]; }  // dimensions that can
  // table[T] <- least over T and everything that T grows to in these dimensions.
  void take_least_of_grown(Table& table, DimMask dims) const;
  // visit(index, bins) for every tile.
  template <class Visit>
  void for_each_tile(const Visit& visit) const {
    std::array<std::uint16_t, kMaxDims> bin{};
    for (std::size_t i = 0; i < size_; ++i) {
      visit(i, bin);
      for (std::size_t d = 0; d < bins_.size(); ++d) {
        if (++bin[d] < bins_[d].size()) break;
        bin[d] = 0;
      }
    }
  }
  // Dimensions whose bins stand for tiles that do not come equally often.
  DimMask joined() const { return joined_; }
  // One for each tile: combined over dimensions, the parts [dim][bin of the tile].
  template <class Value, class Combine>
  std::vector<Value> combined(Value first, const std::vector<std::vector<Value>>& parts,
                              const Combine& combine) const {
    std::vector<Value> all(size_, first);
    std::size_t size = 1;
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      for (std::size_t b = bins_[d].size(); b-- > 0;) {
        const Value part = parts[d][b];
        for (std::size_t i = 0; i < size; ++i) all[b * size + i] = combine(all[i], part);
      }
      size *= bins_[d].size();
    }
    return all;
  }

  // Which tiles a store holds; asked once per name.
  const std::vector<char>& holding(std::uint64_t name,
                                   const std::function<bool(const Tile&)>& holds);
  // Tables of a level with this content, if they are known; then to be kept.
  std::shared_ptr<const LevelTables> known(const std::string& content) const;
  void keep(const std::string& content, std::shared_ptr<const LevelTables> tables);

 private:
  // After some of the lanes over a dimension: multiples of their product, with room for the rest.
  struct Stage {
    std::int64_t step, most, lanes_left;
  };
  static std::vector<Stage> stages_of(std::int64_t extent, bool perfect,
                                      const std::vector<std::int64_t>& lanes);
  static std::vector<Bin> classes_of(std::int64_t extent, bool perfect,
                                     const std::vector<std::int64_t>& lanes);
  std::vector<Bin> bins_of(std::size_t dim, const std::vector<std::int64_t>& lanes, double ratio);
  void set_growing();

  std::vector<std::int64_t> extents_;
  bool perfect_;
  std::vector<std::vector<Bin>> bins_;
  std::vector<std::size_t> stride_;
  std::vector<std::vector<std::uint32_t>> offset_;  // [dimension][size]; empty: too long a list
  std::size_t size_ = 0;                            // 0: too many tiles
  std::vector<DimMask> growing_;
  DimMask joined_ = 0;
  std::map<std::uint64_t, std::vector<char>> holding_;
  std::map<std::string, std::shared_ptr<const LevelTables>> known_;
};

// Those of a search: one for all spatial choices, and where lanes leave few sizes one for each set
// of lanes. Not for several threads at once.
class OutlookLattices {
 public:
  OutlookLattices(std::vector<std::int64_t> extents, bool perfect,
                  std::size_t most_tiles = OutlookLattice::kMostTiles);
  std::shared_ptr<OutlookLattice> with(const OutlookLattice::Lanes& lanes);
  const std::vector<std::vector<OutlookLattice::Bin>>& few_sizes() const { return few_sizes_; }

 private:
  struct Entry {
    OutlookLattice::Lanes lanes;
    std::shared_ptr<OutlookLattice> lattice;
  };
  std::vector<std::int64_t> extents_;
  bool perfect_;
  std::size_t most_tiles_;
  std::vector<std::vector<OutlookLattice::Bin>> few_sizes_;
  std::list<Entry> entries_;  // last used first
};

class Outlook {
 public:
  using Tile = OutlookLattice::Tile;
  using Bin = OutlookLattice::Bin;
  // Words of two sliding dimensions over all their tiles, if nothing marches, if the first does,
  // and if the second does.
  struct PairWords {
    std::array<double, 3> demand, arrivals;
  };
  struct Pair {
    std::uint8_t a = 0, b = 0;
    std::function<PairWords(const Bin& a, const Bin& b)> words;
  };
  // A boundary that opens at a level: costs base + slope * demand + per_arrival * (arrivals -
  // demand) once closed.
  struct Run {
    double base = 0, slope = 0, per_arrival = 0;
    double words = 0;         // of the tensor: every one crosses at least once
    double single_words = 1;  // of ranks that are not pairs
    DimMask relevant = 0;
    bool repeats = true;  // false: words may still be there, whatever is outside
    // Since its store, up to the next level; and above that, but below its parent.
    std::array<std::int64_t, kMaxDims> lanes, lanes_beyond;
    DimMask loose = 0;  // dimensions that may also grow between its store and those lanes
    double fold = 0;    // of each residence but the first
    std::array<std::int64_t, kMaxDims> lanes_left{};  // above the next level; residences ask
    std::vector<Pair> pairs;
    // Of a word, by irrelevant lanes between this level's stores and the next, for so many tiles.
    std::function<std::int64_t(std::size_t dim, std::int64_t tiles)> copies;
    std::uint64_t store = 0;  // name of what holds it
    // Can its store hold this tile of the tensor? While the run is open, the tile has not changed.
    std::function<bool(const Tile&)> fits;
  };
  struct Level {
    // At most 8. First those that open here, then those that come from the level before, whose
    // parents lie further out.
    std::vector<Run> runs;
    std::vector<std::size_t> passing;  // which ones of that level the latter are
    // Lanes between this level's stores and the next level's.
    std::array<std::int64_t, kMaxDims> lanes;
    std::array<std::int64_t, kMaxDims> outermost;  // of all lanes the outermost loop; copies ask
    std::uint64_t store = 0;
    std::function<bool(const Tile&)> fits;  // its outermost store
    DimMask loose = 0;  // dimensions that may also grow between that store and the lanes
    std::size_t opening() const { return runs.size() - passing.size(); }
  };

  // Levels from the inside out. False: there are too many numbers.
  bool fill(OutlookLattice& lattice, std::vector<Level> levels);

  // `level`: the innermost level of which a store has been passed, or 0 when none has; `open`:
  // which of its runs have not been closed (those not begun among them); `begun`: all have begun.
  // `tile`: with the lanes up to the next level.
  double least(std::size_t level, unsigned open, bool begun, const Tile& tile) const {
    return (begun ? here(level, open) : from_here(level, open))[lattice_->at(tile)];
  }
  // Of everything, if these are the lanes up to the second level.
  double least_of_all(const Tile& lanes) const;

 private:
  using Table = OutlookLattice::Table;
  using LevelTables = OutlookLattice::LevelTables;

  void find_classes();
  std::string content_of(std::size_t level) const;
  unsigned ended_by(const Level& level, std::size_t cls) const;
  std::vector<std::uint32_t> next_tiles(std::size_t level) const;
  unsigned passing_on(std::size_t level) const;
  unsigned in_next(std::size_t level, unsigned runs) const;
  Table after_next(std::size_t level, const LevelTables& tables, unsigned runs,
                   std::size_t cls) const;
  const Table& next(std::size_t level, const LevelTables& tables, unsigned runs,
                    std::size_t cls) const;
  Table ends_of(const Run& run) const;
  Table more_folds(const Run& run, DimMask dims) const;
  void add_pairs(const Run& run, Table& demand, Table& arrivals) const;
  void follow_runs(std::size_t level, LevelTables& tables) const;
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  // Tables to add up, and a number.
  struct Sum {
    boost::container::small_vector<const double*, 4> tables;
    double more = 0;
    double at(std::size_t i) const {
      double sum = more;
      for (const double* table : tables) sum += table[i];
      return sum;
    }
  };
  // The next loop ends some of the open runs, and the others go on. It stands before the next
  // level's stores, or there is none before them and it stands outside. Of several that go on, each
  // knows what comes if the others cost the least.
  struct NextLoop {
    Sum ends, outside;
    boost::container::small_vector<Sum, 2> inside;
    DimMask dims;  // 0: there is none
    double at(std::size_t i, DimMask growing) const {
      if (dims == 0 ? growing != 0 : (growing & dims) == 0) return kNever;
      double least = 0;
      for (const Sum& sum : inside) least = std::max(least, sum.at(i));
      return ends.at(i) + std::min(least, outside.at(i));
    }
  };
  NextLoop next_loop(std::size_t level, unsigned open, std::size_t cls) const;
  void add_once(std::size_t level, std::size_t run, Sum& sum) const;
  Table after_loop(std::size_t level, unsigned open, std::size_t cls) const;
  std::vector<std::uint16_t> fitting(std::size_t level) const;
  Table before_stores(std::size_t level, unsigned open) const;
  std::shared_ptr<const LevelTables> fill_level(std::size_t level) const;
  const Table& here(std::size_t level, unsigned open) const;
  const Table& from_here(std::size_t level, unsigned open) const;

  OutlookLattice* lattice_ = nullptr;
  std::vector<Level> levels_;
  std::vector<DimMask> classes_;
  std::vector<std::shared_ptr<const LevelTables>> tables_;
};

}  // namespace loopscape
