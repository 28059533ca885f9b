// Mappings counted by the number of their loops, with and without capacities.
//
// The dimensions of a placement are combined one after the other, as in grid.h, but with
// everything that couples them kept in a state: the loops in every ordered slot (as a set where a
// rule asks for orders), the room on axes, and of every store with a capacity the words of its
// tiles so far. A footprint is a product over ranks, so a dimension is forgotten as soon as its
// ranks are complete; dimensions that share a rank are combined next to each other. Memories with
// one tile keep floor(usable words / words so far), which has few values.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include <boost/multiprecision/cpp_int.hpp>

#include "mapper/mapspace/arrange.h"
#include "mapper/mapspace/mapspace.h"
#include "model/counting/counting.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {
namespace {

using boost::multiprecision::cpp_int;
using Key = std::vector<std::uint64_t>;
using Tile = std::array<std::int64_t, kMaxDims>;

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = 0x9e3779b97f4a7c15;
    for (const std::uint64_t word : key) {
      hash = (hash ^ word) * 0xff51afd7ed558ccd;
      hash ^= hash >> 32;
    }
    return hash;
  }
};
using States = std::unordered_map<Key, cpp_int, KeyHash>;

// What the census needs of the model, the same for all placements.
struct Capacities {
  CountingContext counting;
  std::vector<std::uint64_t> usable_bits;  // by memory; UINT64_MAX: unlimited
  WorkspacePtr workspace;
};

// A tile of one tensor whose size matters.
struct Entry {
  std::size_t step;  // into Placement::steps
  std::uint8_t memory;
  std::uint8_t tensor;
  bool room = false;  // the state holds what is left of the memory instead of the words
};

// What a dimension may do, as far as anything asks: chains that are alike are one item.
struct Item {
  const Cell* cell;
  std::vector<std::int64_t> tile;  // at the step of every entry
  std::uint64_t chains;
};

struct Budget {
  std::uint64_t left;
  const std::atomic<bool>* stop;

  bool stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
  bool spend(std::uint64_t steps) {
    if (steps > left || stopped()) return false;
    left -= steps;
    return true;
  }
};

class PlacementCensus {
 public:
  PlacementCensus(const Mapspace& space, const Placement& placement, PlacementTables& tables,
                  Capacities& capacities, bool with_capacity, Budget& budget)
      : space_(space),
        placement_(placement),
        tables_(tables),
        capacities_(capacities),
        arranger_(placement),
        with_capacity_(with_capacity),
        budget_(budget) {
    if (with_capacity) find_entries();
    lay_out();
  }

  // False: the budget is used up, or it was stopped.
  bool run(std::vector<cpp_int>& by_depth) {
    if (!tables_.possible) return true;
    States states;
    if (!start(states)) return true;
    for (const std::size_t d : order_) {
      if (!make_items(d)) return false;
      States next;
      for (const auto& [key, count] : states) {
        if (!budget_.spend(items_.size())) return false;
        Key made;
        for (const Item& item : items_) {
          if (extend(key, d, item, made)) next[made] += count * item.chains;
        }
      }
      states = std::move(next);
      done_ = static_cast<DimMask>(done_ | 1u << tables_.dims[d].dim);
    }
    for (const auto& [key, count] : states) finish(key, count, by_depth);
    return true;
  }

 private:
  const Problem& problem() const { return space_.problem(); }

  bool limited(std::uint8_t memory) const {
    const bool filled = std::any_of(placement_.filled.begin(), placement_.filled.end(),
                                    [&](const FilledRule& rule) { return rule.memory == memory; });
    return filled || capacities_.usable_bits[memory] != UINT64_MAX;
  }

  void find_entries() {
    std::array<int, kMaxMemories> tiles{};
    for (std::size_t i = 0; i < placement_.steps.size(); ++i) {
      const PlacementStep& step = placement_.steps[i];
      if (step.kind != PlacementStep::Kind::kStore || !limited(step.memory)) continue;
      for (std::size_t t = 0; t < problem().tensors.size(); ++t) {
        if ((step.tensors >> t & 1u) == 0) continue;
        entries_.push_back({i, step.memory, static_cast<std::uint8_t>(t)});
        ++tiles[step.memory];
      }
    }
    for (Entry& entry : entries_) {
      const bool filled =
          std::any_of(placement_.filled.begin(), placement_.filled.end(),
                      [&](const FilledRule& rule) { return rule.memory == entry.memory; });
      entry.room = tiles[entry.memory] == 1 && !filled;
    }
  }

  // The state: loops of every slot, loops in all, rooms, words of entries, tiles of dimensions
  // that an incomplete rank waits for.
  void lay_out() {
    const std::vector<OrderRule> rules = order_rules(placement_);
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      as_set_.push_back(std::any_of(rules.begin(), rules.end(), [&](const OrderRule& rule) {
        return (rule.slots >> s & 1u) != 0;
      }));
    }
    depth_at_ = placement_.slots.size();
    rooms_at_ = depth_at_ + 1;
    words_at_ = rooms_at_ + tables_.axes.size();
    tiles_at_ = words_at_ + entries_.size();
    for (std::size_t d = 0; d < tables_.dims.size(); ++d) visit(d);
  }

  // Dimensions that share a rank come next to each other.
  void visit(std::size_t d) {
    if (std::find(order_.begin(), order_.end(), d) != order_.end()) return;
    order_.push_back(d);
    for (const Tensor& tensor : problem().tensors) {
      for (const Rank& rank : tensor.ranks) {
        if (!holds(rank, tables_.dims[d].dim)) continue;
        for (std::size_t e = 0; e < tables_.dims.size(); ++e) {
          if (holds(rank, tables_.dims[e].dim)) visit(e);
        }
      }
    }
  }

  static bool holds(const Rank& rank, std::size_t d) {
    return std::any_of(rank.terms.begin(), rank.terms.end(),
                       [&](const Term& term) { return index(term.dim) == d; });
  }

  bool start(States& states) const {
    Key key(tiles_at_ + kMaxDims * entries_.size(), 0);
    for (std::size_t a = 0; a < tables_.axes.size(); ++a) {
      key[rooms_at_ + a] = tables_.axes[a].start();
    }
    for (std::size_t e = 0; e < entries_.size(); ++e) {
      key[words_at_ + e] = 1;
      if (entries_[e].room) key[words_at_ + e] = usable(e) / bits(e);
    }
    states.emplace(key, 1);
    return fits(key);
  }
  std::uint64_t usable(std::size_t e) const { return capacities_.usable_bits[entries_[e].memory]; }
  std::uint64_t bits(std::size_t e) const {
    return capacities_.counting.tensor[entries_[e].tensor].bits;
  }

  // ---- items ----

  bool make_items(std::size_t d) {
    const DimTable& table = tables_.dims[d];
    items_.clear();
    for (const Cell& cell : table.cell) {
      if (entries_.empty()) {
        items_.push_back({&cell, {}, cell.chains});
        continue;
      }
      if (!budget_.spend(cell.chains)) return false;
      std::map<std::vector<std::int64_t>, std::uint64_t> alike;
      for (std::uint64_t number = 0; number < cell.chains; ++number) {
        ++alike[tiles_of(table, chain_of_cell(table, cell, tables_.axes, number))];
      }
      for (const auto& [tile, chains] : alike) items_.push_back({&cell, tile, chains});
    }
    return true;
  }

  std::vector<std::int64_t> tiles_of(const DimTable& table,
                                     const std::vector<ChainLoop>& chain) const {
    std::vector<std::int64_t> tiles;
    for (const Entry& entry : entries_) {
      std::int64_t tile = 1;
      if ((problem().tensors[entry.tensor].relevant >> table.dim & 1u) != 0) {
        for (std::size_t i = entry.step; i < placement_.steps.size(); ++i) {
          const PlacementStep& step = placement_.steps[i];
          if (step.kind != PlacementStep::Kind::kSlot) continue;
          for (const ChainLoop& loop : chain) {
            if (loop.slot == step.slot) tile *= loop.bound;
          }
        }
      }
      tiles.push_back(std::min(tile, problem().dims[table.dim].extent));
    }
    return tiles;
  }

  // ---- one step ----

  bool extend(const Key& key, std::size_t d, const Item& item, Key& made) {
    const DimTable& table = tables_.dims[d];
    made = key;
    for (std::size_t a = 0; a < tables_.axes.size(); ++a) {
      const int next =
          tables_.axes[a].next_by_kind(key[rooms_at_ + a], table.move[item.cell->move][a]);
      if (next < 0) return false;
      made[rooms_at_ + a] = static_cast<std::uint64_t>(next);
    }
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      if ((item.cell->slots >> s & 1u) == 0) continue;
      ++made[depth_at_];
      if (as_set_[s]) {
        made[s] |= std::uint64_t{1} << table.dim;
      } else {
        ++made[s];
      }
    }
    for (std::size_t e = 0; e < entries_.size(); ++e) {
      if (!take_tile(e, table.dim, item.tile[e], made)) return false;
    }
    return fits(made);
  }

  bool take_tile(std::size_t e, std::size_t d, std::int64_t tile, Key& made) {
    std::uint64_t* const waiting = made.data() + tiles_at_ + kMaxDims * e;
    for (const Rank& rank : problem().tensors[entries_[e].tensor].ranks) {
      if (!holds(rank, d)) continue;
      bool complete = true;
      Tile sizes;
      sizes.fill(1);
      sizes[d] = tile;
      for (const Term& term : rank.terms) {
        const std::size_t other = index(term.dim);
        if (other == d || problem().dims[other].extent == 1) continue;
        complete = complete && (done_ >> other & 1u) != 0;
        if ((done_ >> other & 1u) != 0) sizes[other] = static_cast<std::int64_t>(waiting[other]);
      }
      if (!complete) {
        waiting[d] = static_cast<std::uint64_t>(tile);
        return true;
      }
      for (const Term& term : rank.terms) waiting[index(term.dim)] = 0;
      const auto words = static_cast<std::uint64_t>(
          tile_footprint(capacities_.counting, entries_[e].tensor, sizes, *capacities_.workspace));
      std::uint64_t& all = made[words_at_ + e];
      all = entries_[e].room ? all / words : all * words;
      return all > 0;
    }
    return true;
  }

  // Words never shrink, so what does not fit never will.
  bool fits(const Key& key) const {
    for (std::size_t m = 0; m < capacities_.usable_bits.size(); ++m) {
      const std::uint64_t limit = capacities_.usable_bits[m];
      std::uint64_t left = limit;
      for (std::size_t e = 0; e < entries_.size(); ++e) {
        if (entries_[e].memory != m) continue;
        if (entries_[e].room ? key[words_at_ + e] == 0 : key[words_at_ + e] > left / bits(e)) {
          return false;
        }
        if (!entries_[e].room) left -= key[words_at_ + e] * bits(e);
      }
    }
    return true;
  }

  bool filled(const Key& key) const {
    if (!with_capacity_) return true;
    return std::all_of(
        placement_.filled.begin(), placement_.filled.end(), [&](const FilledRule& rule) {
          double used = 0;
          for (std::size_t e = 0; e < entries_.size(); ++e) {
            if (entries_[e].memory != rule.memory) continue;
            used += static_cast<double>(key[words_at_ + e] * bits(e));
          }
          const std::uint64_t limit = capacities_.usable_bits[rule.memory];
          return limit != UINT64_MAX && used / static_cast<double>(limit) >= rule.share;
        });
  }

  void finish(const Key& key, const cpp_int& count, std::vector<cpp_int>& by_depth) const {
    std::vector<std::uint64_t> lanes(placement_.slots.size(), 1);
    for (std::size_t a = 0; a < tables_.axes.size(); ++a) {
      lanes[static_cast<std::size_t>(tables_.axes[a].slot())] =
          tables_.axes[a].lanes(key[rooms_at_ + a]);
    }
    if (!lanes_allowed(placement_, lanes) || !filled(key)) return;
    cpp_int mappings = count;
    std::vector<DimMask> loops;
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      // Without a rule, which loops they are does not matter: take the first ones.
      loops.push_back(as_set_[s] ? static_cast<DimMask>(key[s])
                                 : static_cast<DimMask>((1u << key[s]) - 1));
      mappings *= arranger_.orders(s, loops[s]);
    }
    if (!arranger_.possible(loops, true)) return;
    const std::size_t depth = key[depth_at_];
    if (by_depth.size() <= depth) by_depth.resize(depth + 1);
    by_depth[depth] += mappings;
  }

  const Mapspace& space_;
  const Placement& placement_;
  PlacementTables& tables_;
  Capacities& capacities_;
  Arranger arranger_;
  bool with_capacity_;
  Budget& budget_;
  std::vector<Entry> entries_;
  std::vector<bool> as_set_;
  std::vector<std::size_t> order_;  // of dimensions
  std::vector<Item> items_;
  DimMask done_ = 0;
  std::size_t depth_at_ = 0, rooms_at_ = 0, words_at_ = 0, tiles_at_ = 0;
};

BigCount sum_of(const std::vector<cpp_int>& by_depth, std::vector<BigCount>& out) {
  BigCount sum;
  for (const cpp_int& count : by_depth) {
    out.push_back(BigCount::parse(count.str()).value());
    sum += out.back();
  }
  return sum;
}

}  // namespace

Result<Census> take_census(const Mapspace& space, const Conventions& conventions,
                           const CensusLimits& limits) {
  Result<CountingContext> counting =
      make_counting_context(space.problem(), space.arch(), conventions);
  if (!counting.ok()) return counting.status();
  Capacities capacities{*std::move(counting), {}, make_workspace()};
  for (const Memory& memory : space.arch().memories) {
    capacities.usable_bits.push_back(usable_bits(memory));
  }
  Budget budget{limits.most_steps, limits.stop};
  Tuples tuples(space.options().factors);
  std::vector<cpp_int> all, legal;
  for (const Placement& placement : space.placements()) {
    Result<PlacementTables> tables =
        make_tables(space.problem(), placement, tuples, limits.most_entries);
    if (!tables.ok()) return tables.status();
    if (!PlacementCensus(space, placement, *tables, capacities, false, budget).run(all) ||
        !PlacementCensus(space, placement, *tables, capacities, true, budget).run(legal)) {
      if (budget.stopped()) {
        return Status(StatusCode::kUnsupported, "stopped before legal mappings were counted");
      }
      return Status(StatusCode::kUnsupported, "counting legal mappings takes more than " +
                                                  std::to_string(limits.most_steps) +
                                                  (limits.most_steps == 1 ? " step" : " steps") +
                                                  "; this mapspace is too large for that");
    }
  }
  Census census;
  census.all = sum_of(all, census.all_by_depth);
  census.legal = sum_of(legal, census.legal_by_depth);
  return census;
}

}  // namespace loopscape
