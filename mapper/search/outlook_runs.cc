// What each run of an outlook costs, by the tile where it ends.
#include <algorithm>
#include <functional>

#include "mapper/search/outlook.h"
#include "mapper/search/wide.h"

namespace loopscape {

LOOPSCAPE_WIDE Outlook::Table Outlook::costs(const Run& run, const Crossing& crossing) const {
  const Table& demand = crossing.demand;
  // What costs nothing is not more than what is asked for.
  const double* const arrivals =
      crossing.arrivals.empty() ? demand.data() : crossing.arrivals.data();
  const double* const rows = crossing.rows.empty() ? demand.data() : crossing.rows.data();
  Table costs(demand.size(), run.prices.size() == 0 ? 0 : kNever);
  for (const CopyPrice& price : run.prices) {
    for (std::size_t i = 0; i < costs.size(); ++i) {
      costs[i] = std::min(costs[i], price.of(demand[i], arrivals[i], rows[i]));
    }
  }
  for (std::size_t i = 0; i < costs.size(); ++i) costs[i] += run.base + run.slope * demand[i];
  return costs;
}

// The crossing is of all but the pairs.
Outlook::Table Outlook::costs_of_pairs(const Run& run, const Crossing& crossing) const {
  struct Known {
    OutlookLattice::PerTile<std::uint32_t> place;
    std::vector<PairWords> words;
  };
  boost::container::small_vector<Known, 2> pairs;
  for (const Pair& pair : run.pairs) {
    Known& known = pairs.emplace_back();
    std::vector<std::vector<std::uint32_t>> place(lattice_->dims());
    for (std::size_t d = 0; d < lattice_->dims(); ++d) {
      const std::size_t step = d == pair.a ? lattice_->bins(pair.b).size() : d == pair.b ? 1 : 0;
      for (std::size_t bin = 0; bin < lattice_->bins(d).size(); ++bin) {
        place[d].push_back(static_cast<std::uint32_t>(bin * step));
      }
    }
    known.place = lattice_->combined(std::uint32_t{0}, place, std::plus<>(), crossing.dims);
    for (const Bin& a : lattice_->bins(pair.a)) {
      for (const Bin& b : lattice_->bins(pair.b)) known.words.push_back(pair.words(a, b));
    }
  }
  boost::container::small_vector<const PairWords*, 2> its(pairs.size());
  Table costs(crossing.demand.size(), kNever);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    for (std::size_t p = 0; p < pairs.size(); ++p) its[p] = &pairs[p].words[pairs[p].place[i]];
    // One pair at most marches, along either of its dimensions.
    for (std::size_t marching = 0; marching <= 2 * pairs.size(); ++marching) {
      double words = crossing.demand[i];
      double copies = crossing.arrivals.empty() ? words : crossing.arrivals[i];
      double rows = crossing.rows.empty() ? words : crossing.rows[i];
      for (std::size_t p = 0; p < its.size(); ++p) {
        const std::size_t how =
            marching > 0 && (marching - 1) / 2 == p ? 1 + (marching - 1) % 2 : 0;
        words *= its[p]->demand[how];
        copies *= its[p]->arrivals[how];
        rows *= std::max(its[p]->demand[how], its[p]->arrivals[how] * run.pairs[p].per_row);
      }
      costs[i] = std::min(costs[i], run.slope * words + run.prices.least(words, copies, rows));
    }
    costs[i] += run.base;
  }
  return costs;
}

// What a run costs if it ends at a tile (optimal_search.md, "Cost closes locally"). Of its relevant
// dimensions only those of pairs matter.
Outlook::Table Outlook::ends_of(const Run& run) const {
  if (!run.repeats) return Table(lattice_->size(), run.once);
  Crossing crossing;
  crossing.dims = static_cast<DimMask>(lattice_->all_dims() & ~run.relevant);
  std::vector<std::vector<double>> asked(lattice_->dims()), copies(asked), rows(asked);
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const bool repeats = (crossing.dims >> d & 1u) != 0;
    for (const Bin& bin : lattice_->bins(d)) {
      asked[d].push_back(repeats ? static_cast<double>(ceil_div(bin.tiles, run.lanes_beyond[d]))
                                 : 1);
      copies[d].push_back(repeats ? static_cast<double>(run.copies(d, bin.largest)) : 1);
      rows[d].push_back(repeats ? static_cast<double>(run.rows(d, bin.largest)) : 1);
    }
  }
  for (const Pair& pair : run.pairs) {
    crossing.dims = static_cast<DimMask>(crossing.dims | 1u << pair.a | 1u << pair.b);
  }
  const auto combined = [&](const std::vector<std::vector<double>>& parts) {
    return lattice_->combined(run.single_words, parts, std::multiplies<>(), crossing.dims);
  };
  crossing.demand = combined(asked);
  if (run.prices.of_copies()) crossing.arrivals = combined(copies);
  if (run.prices.of_rows()) crossing.rows = combined(rows);
  const Table of_few = run.pairs.empty() ? costs(run, crossing) : costs_of_pairs(run, crossing);
  if (crossing.dims == lattice_->all_dims()) return of_few;
  Table ends(lattice_->size(), kUnset);
  const std::uint32_t* const place = lattice_->places(crossing.dims).data();
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = of_few[place[i]];
  return ends;
}

// One residence for each tile of these dimensions.
Outlook::Table Outlook::more_folds(const Run& run, DimMask dims) const {
  std::vector<std::vector<double>> tiles(lattice_->dims());
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    const bool counts = (dims >> d & 1u) != 0;
    for (const Bin& bin : lattice_->bins(d)) {
      tiles[d].push_back(counts ? static_cast<double>(ceil_div(bin.tiles, run.lanes_left[d])) : 1);
    }
  }
  Table folds = lattice_->combined(run.fold, tiles, std::multiplies<>());
  for (double& cost : folds) cost -= run.fold;
  return folds;
}

// Of the relevant dimensions nothing but lanes has grown since the store, but for some.
Outlook::Table Outlook::of_tiles(const Run& run) const {
  std::vector<std::vector<std::uint32_t>> parts(lattice_->dims());
  std::vector<std::size_t> dims;
  Tile tile;
  tile.fill(1);
  for (std::size_t d = 0; d < lattice_->dims(); ++d) {
    if ((run.relevant >> d & 1u) == 0) continue;
    dims.push_back(d);
    const bool grown = (run.grown >> d & 1u) != 0;
    for (const Bin& bin : lattice_->bins(d)) {
      const std::int64_t lanes = grown ? lattice_->extent(d) : run.lanes[d];
      parts[d].push_back(static_cast<std::uint32_t>(ceil_div(std::int64_t{bin.smallest}, lanes)));
    }
    tile[d] = parts[d].front();
  }
  Table of_few(lattice_->combinations(run.relevant), kUnset);
  std::array<std::uint16_t, kMaxDims> bin{};
  for (double& cost : of_few) {
    cost = run.of_tile(tile);
    for (const std::size_t d : dims) {
      const bool ends = ++bin[d] == parts[d].size();
      if (ends) bin[d] = 0;
      tile[d] = parts[d][bin[d]];
      if (!ends) break;
    }
  }
  Table all(lattice_->size(), kUnset);
  const std::uint32_t* const place = lattice_->places(run.relevant).data();
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = of_few[place[i]];
  return all;
}

}  // namespace loopscape
