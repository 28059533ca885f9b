// The tile shapes that an outlook tells apart, and tables with a number for each. For this folder
// only.
#pragma once

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
#include <boost/container/vector.hpp>

#include "model/base/base.h"
#include "model/problem/problem.h"

namespace loopscape {

std::vector<std::int64_t> extents_of(const Problem& problem);

// The lattice, and what the spatial choices of a search share of its tables. Not for several
// threads at once.
class OutlookLattice {
 public:
  using Tile = std::array<std::uint32_t, kMaxDims>;
  // Not set at first if made with kUnset.
  template <class Value>
  using PerTile = boost::container::vector<Value>;
  static constexpr boost::container::default_init_t kUnset{};
  using Table = PerTile<double>;
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  struct Bin {
    std::uint32_t smallest, largest;  // sizes
    std::int64_t tiles;               // fewest iterations outside
  };
  // Tables to add up, and a number.
  struct Sum {
    boost::container::small_vector<const double*, 4> tables;
    double more = 0;
    void of_block(std::size_t begin, std::size_t size, double* __restrict sums) const;
  };
  // The next loop ends some of the open runs, and the others go on. It stands before the next
  // level's stores, or there is none before them and it stands outside. Of several that go on, each
  // knows what comes if the others cost the least.
  struct NextLoop {
    Sum ends, outside;
    boost::container::small_vector<Sum, 2> inside;
    const double* gate = nullptr;
    // values <- least of them and what comes with it, from this tile on.
    void lower(std::size_t begin, std::size_t size, double* __restrict values) const;
  };
  // Filled by blocks, when they are asked for: climbs see few tiles.
  class Here {
   public:
    static constexpr std::size_t kBlock = 64;
    bool empty() const { return values_.empty(); }
    void start(std::size_t size, std::vector<NextLoop> loops);
    double at(std::size_t i) {
      if (filled_[i / kBlock] == 0) fill(i / kBlock);
      return values_[i];
    }
    void copy_to(double* to);

   private:
    void fill(std::size_t block);
    Table values_;
    std::vector<char> filled_;  // [block]
    std::vector<NextLoop> loops_;
  };
  struct LevelTables {
    // What each run costs if it ends at this tile; and, with all that follows, if it is the only
    // one to go on from here.
    std::vector<Table> now, alone;
    // Of a run that goes on from this tile: its folds but for the first, and its store's tile;
    // empty: none.
    std::vector<Table> stays;
    unsigned of_tiles = 0;  // runs that pay more for larger ones
    // Per tile (lanes included) the runs whose stores can hold it, and the ways to grow between the
    // level's stores and its lanes with which the outermost store holds it.
    std::vector<std::uint32_t> fitting;
    // These ways, fewest dimensions first: other dimensions of these have not grown, these runs
    // have ended.
    struct Way {
      unsigned dims, ended;
    };
    std::vector<Way> ways;
    // Once asked for. Where tiles lie once the level's stores are passed; the lattice's size:
    // nowhere. Costs from there on, by whether all stores are passed at once and by the runs of the
    // level before that are open: [class of the next loop; the last: none]. The same of the next
    // level, by this level's runs.
    mutable std::vector<std::uint32_t> with_lanes;
    mutable std::map<std::pair<bool, unsigned>, std::vector<Table>> passed, next;
    // Costs from there on if none is open: by the dimensions that the next loop is not over (1 +
    // their bits); and after any growth, if none of the level's stores has been passed, or some may
    // have been.
    mutable std::map<unsigned, Table> outside;
    mutable Table ahead, closed;
    // What each run costs if it ended at this tile or a smaller one that its store holds.
    mutable std::vector<Table> ended;
    // [open runs]: with these open at this tile; and at it or any that it can grow to, where some
    // of the level's stores may lie behind and others not.
    mutable std::vector<Here> here;
    mutable std::vector<Table> from_here;
  };

  // What tiles of a dimension are multiples of: its lanes up to each level, rising. Sizes that no
  // tile takes are left out.
  struct Stages {
    std::vector<std::int64_t> steps{1};
    std::int64_t outermost = 1;  // of all lanes the outermost loop
    bool apart = false;          // each size by itself, if there is room
    friend bool operator==(const Stages&, const Stages&) = default;
  };
  using Lanes = std::vector<Stages>;

  static constexpr std::size_t kMostTiles = 30'000;
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
  // 0 where one of these dimensions can grow, or with none of them where nothing can; elsewhere
  // kNever.
  const Table& gate(DimMask dims);
  // table[T] <- least over T and everything that T grows to in these dimensions.
  void take_least_of_grown(Table& table, DimMask dims) const;
  // table[T] <- least over T and everything that grows to T.
  void take_least_of_smaller(Table& table) const;
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
  // May a tile of this bin have these lanes inside? The edge may cut them.
  bool has_lanes(std::size_t dim, const Bin& bin, std::int64_t lanes) const {
    if (perfect_) return bin.smallest % lanes == 0;
    return static_cast<std::int64_t>(bin.largest) == extents_[dim] ||
           bin.largest / lanes * lanes >= bin.smallest;
  }
  // The same of all dimensions: 0 or 1 for each tile.
  template <class Lanes>
  PerTile<char> with_lanes(const Lanes& lanes) const {
    std::vector<std::vector<char>> has(bins_.size());
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      for (const Bin& bin : bins_[d]) has[d].push_back(has_lanes(d, bin, lanes[d]));
    }
    return combined(char{1}, has, [](char a, char b) { return a != 0 ? b : a; });
  }
  // Dimensions whose bins stand for tiles that do not come equally often.
  DimMask joined() const { return joined_; }
  // All combinations of these dimensions' bins, the first dimension's changing fastest: how many
  // there are, and which one is the tile's.
  std::size_t combinations(DimMask dims) const;
  const PerTile<std::uint32_t>& places(DimMask dims);
  // One for each combination: the parts [dim][bin] combined.
  template <class Value, class Combine>
  PerTile<Value> combined(Value first, const std::vector<std::vector<Value>>& parts,
                          const Combine& combine, DimMask dims) const {
    PerTile<Value> all(combinations(dims), kUnset);
    all[0] = first;
    std::size_t size = 1;
    for (std::size_t d = 0; d < bins_.size(); ++d) {
      if ((dims >> d & 1u) == 0) continue;
      const Value* const from = all.data();
      for (std::size_t b = bins_[d].size(); b-- > 1;) {
        Value* __restrict to = all.data() + b * size;
        for (std::size_t i = 0; i < size; ++i) to[i] = combine(from[i], parts[d][b]);
      }
      for (std::size_t i = 0; i < size; ++i) all[i] = combine(all[i], parts[d][0]);
      size *= bins_[d].size();
    }
    return all;
  }
  // The same for each tile.
  template <class Value, class Combine>
  PerTile<Value> combined(Value first, const std::vector<std::vector<Value>>& parts,
                          const Combine& combine) const {
    return combined(first, parts, combine, all_dims());
  }

  struct Store {
    std::uint64_t name = 0;
    DimMask dims = 0;  // of its tiles only these matter
    std::function<bool(const Tile&)> fits;
  };
  // Of all combinations of the store's dimensions, which it holds, divided by these lanes; until it
  // is asked again.
  using Parts = std::vector<std::int64_t>;
  const std::vector<char>& holding(const Store& store, const Parts& lanes);
  // Tables of a level with this content, if they are known; then to be kept.
  std::shared_ptr<const LevelTables> known(const std::string& content) const;
  void keep(const std::string& content, std::shared_ptr<const LevelTables> tables);

 private:
  // After some of the lanes over a dimension: multiples of their product, with room for the rest.
  struct Stage {
    std::int64_t step, most, lanes_left;
  };
  static std::vector<Stage> stages_of(std::int64_t extent, bool perfect, const Stages& lanes);
  static std::vector<Bin> classes_of(std::int64_t extent, bool perfect, const Stages& lanes,
                                     bool apart = false);
  std::vector<Bin> joined_bins(std::size_t dim, const std::vector<Bin>& classes, double ratio);
  void set_growing();
  void set_next_sizes();

  std::vector<std::int64_t> extents_;
  bool perfect_;
  std::vector<std::vector<Bin>> bins_;
  std::vector<std::size_t> stride_;
  std::vector<std::vector<std::uint32_t>> offset_;  // [dimension][size]; empty: too long a list
  std::size_t size_ = 0;                            // 0: too many tiles
  std::vector<DimMask> growing_;                    // dimensions that can
  // [dimension]: bins, largest first, each with one that it grows to without another in between.
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> next_sizes_;
  std::map<DimMask, Table> gates_;
  std::map<DimMask, PerTile<std::uint32_t>> places_;
  DimMask joined_ = 0;
  std::map<std::pair<std::uint64_t, Parts>, std::vector<char>> holding_;
  std::map<std::string, std::shared_ptr<const LevelTables>> known_;
};

// Those of a search: one for each set of lanes, but of perfect factors one for all whose lanes
// leave many sizes. Not for several threads at once.
class OutlookLattices {
 public:
  OutlookLattices(std::vector<std::int64_t> extents, bool perfect,
                  std::size_t most_tiles = OutlookLattice::kMostTiles);
  std::shared_ptr<OutlookLattice> with(const OutlookLattice::Lanes& lanes);
  const std::vector<std::vector<OutlookLattice::Bin>>& few_sizes() const { return few_sizes_; }
  std::size_t most_tiles() const { return most_tiles_; }

 private:
  struct Entry {
    OutlookLattice::Lanes lanes;
    std::shared_ptr<OutlookLattice> lattice;
  };
  std::vector<std::int64_t> extents_;
  bool perfect_;
  std::size_t most_tiles_;
  double classes_;  // without lanes
  std::vector<std::vector<OutlookLattice::Bin>> few_sizes_;
  std::list<Entry> entries_;  // last used first
};

}  // namespace loopscape
