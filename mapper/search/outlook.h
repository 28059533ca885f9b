// The least energy that is still to be paid, for every tile shape at once (optimal_search.md,
// "The recursion": filled outside-in, one sweep of the lattice per level and open set).
//
// Exact where factors are perfect and every index is a word; elsewhere never too high: a tile is
// taken for the smallest one of its bin, with the fewest iterations outside, grows by any amount,
// and windows that march are taken to march as far as there is anything. For this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mapper/search/copies.h"
#include "mapper/search/lattice.h"

namespace loopscape {

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
    double per_row = 1;  // rows that one of its arrivals makes, at least
    std::function<PairWords(const Bin& a, const Bin& b)> words;
  };
  // A boundary that opens at a level: costs base + slope * demand once closed, and what copies of
  // the words that are asked for cost.
  struct Run {
    double base = 0, slope = 0;
    CopyPrices prices;
    LaneRows lane_rows;
    double once = 0;          // if every word crosses just once
    double single_words = 1;  // of ranks that are not pairs
    DimMask relevant = 0;
    bool repeats = true;  // false: words may still be there, whatever is outside
    // Since its store, up to the next level; and above that, but below its parent.
    std::array<std::int64_t, kMaxDims> lanes, lanes_beyond;
    // Dimensions that may also grow between its store and those lanes, and not end it.
    DimMask loose = 0;
    double fold = 0;  // of each residence but the first
    // Of the store's tile, however often it is filled, and of one word alone; none: 0. Dimensions
    // that have grown since, even if the run has not been closed.
    std::function<double(const Tile& tile)> of_tile;
    double of_tile_word = 0;
    DimMask grown = 0;
    std::array<std::int64_t, kMaxDims> lanes_left{};  // above the next level; residences ask
    std::vector<Pair> pairs;
    // Of a word, by irrelevant lanes between this level's stores and the next, for tiles of at most
    // this size; and the rows that these stand in.
    std::function<std::int64_t(std::size_t dim, std::int64_t size)> copies, rows;
    // Holds the tensor's tile alone: while the run is open, that has not changed.
    OutlookLattice::Store store;
  };
  struct Level {
    // At most 8. First those that open here, then those that come from the level before, whose
    // parents lie further out.
    std::vector<Run> runs;
    std::vector<std::size_t> passing;  // which ones of that level the latter are
    // Lanes between this level's stores and the next level's.
    std::array<std::int64_t, kMaxDims> lanes;
    std::array<std::int64_t, kMaxDims> outermost;  // of all lanes the outermost loop; copies ask
    OutlookLattice::Store store;                   // its outermost one
    DimMask loose = 0;     // dimensions that may also grow between that store and the lanes
    bool several = false;  // stores
    std::size_t opening() const { return runs.size() - passing.size(); }
  };

  // Levels from the inside out. False: there are too many numbers.
  bool fill(OutlookLattice& lattice, std::vector<Level> levels);

  // What is still to be paid, by the place in the lattice of a tile with the lanes up to the next
  // level.
  class Ahead {
   public:
    explicit Ahead(OutlookLattice::Here& here) : here_(&here) {}
    explicit Ahead(const OutlookLattice::Table& from_here) : from_here_(from_here.data()) {}
    double at(std::size_t place) const {
      return here_ != nullptr ? here_->at(place) : from_here_[place];
    }

   private:
    OutlookLattice::Here* here_ = nullptr;
    const double* from_here_ = nullptr;
  };
  // `level`: the innermost level of which a store has been passed, or 0 when none has; `open`:
  // which of its runs have not been closed (those not begun among them); `begun`: all have begun.
  Ahead ahead_of(std::size_t level, unsigned open, bool begun) const {
    return begun ? Ahead(here(level, open)) : Ahead(from_here(level, open));
  }
  // Of everything, if these are the lanes up to the second level.
  double least_of_all(const Tile& lanes) const;

 private:
  using Table = OutlookLattice::Table;
  using LevelTables = OutlookLattice::LevelTables;
  using NextLoop = OutlookLattice::NextLoop;
  using Sum = OutlookLattice::Sum;
  static constexpr auto kUnset = OutlookLattice::kUnset;
  static constexpr double kNever = OutlookLattice::kNever;

  void find_classes();
  std::string content_of(std::size_t first) const;
  DimMask dims_of(std::size_t cls) const;
  unsigned ended_by(const Level& level, std::size_t cls) const;
  std::vector<std::uint32_t> places_with_lanes(std::size_t level) const;
  unsigned passing_on(std::size_t level) const;
  unsigned in_next(std::size_t level, unsigned runs) const;
  enum class Passing : std::uint8_t { kAtOnce, kOneByOne };
  const Table& passed(std::size_t level, Passing how, unsigned passing, std::size_t cls) const;
  const Table& outside(std::size_t level, DimMask but) const;
  const Table& ahead(std::size_t level) const;
  const Table& closed(std::size_t level) const;
  const Table& next(std::size_t level, const LevelTables& tables, Passing how, unsigned runs,
                    std::size_t cls) const;
  Table ends_of(const Run& run) const;
  Table more_folds(const Run& run, DimMask dims) const;
  Table of_tiles(const Run& run) const;
  // Words asked for, all of them and their rows, for all combinations of some dimensions; empty
  // ones cost nothing.
  struct Crossing {
    DimMask dims;
    Table demand, arrivals, rows;
  };
  Table costs(const Run& run, const Crossing& crossing) const;
  Table costs_of_pairs(const Run& run, const Crossing& crossing) const;
  void follow_runs(std::size_t level, LevelTables& tables) const;
  NextLoop next_loop(std::size_t level, unsigned open, std::size_t cls) const;
  void add_once(std::size_t level, std::size_t run, Sum& sum) const;
  void set_fitting(std::size_t level, LevelTables& tables) const;
  // visit(runs): those of `open` that may still be open at this tile, with all of the level's
  // stores passed; once for each way to get there that leaves others open.
  template <class Visit>
  void for_still_open(const LevelTables& tables, std::size_t tile, unsigned open,
                      const Visit& visit) const;
  // Does the last store hold this tile, and the store of each of these runs its own?
  static bool all_fit(const LevelTables& tables, unsigned runs, std::size_t tile);
  const Table& ended(std::size_t level, std::size_t run) const;
  void set_between_stores(std::size_t level) const;
  void pass_lanes(std::size_t level, Table& following) const;
  // following(still): what follows with these still open.
  template <class Following>
  double before_stores(std::size_t level, Passing how, unsigned open, std::size_t tile,
                       const Following& following) const;
  Table before_stores(std::size_t level, Passing how, unsigned open) const;
  Table before_stores(std::size_t level, Passing how, unsigned open, std::size_t cls) const;
  void lower_to_next(std::size_t level, unsigned open, std::size_t cls, double* values) const;
  std::shared_ptr<const LevelTables> fill_level(std::size_t level) const;
  OutlookLattice::Here& here(std::size_t level, unsigned open) const;
  const Table& from_here(std::size_t level, unsigned open) const;

  OutlookLattice* lattice_ = nullptr;
  std::vector<Level> levels_;
  std::vector<DimMask> classes_;
  std::vector<std::shared_ptr<const LevelTables>> tables_;
};

}  // namespace loopscape
