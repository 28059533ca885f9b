#include "mapper/mapspace/tables.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace loopscape {

AxisRoom::AxisRoom(int slot, std::uint32_t size, bool exact)
    : slot_(slot), size_(size), exact_(exact) {
  for (std::uint32_t lanes = 1; lanes <= size;) {
    value_.push_back(exact ? lanes : size / lanes);
    lanes = exact ? lanes + 1 : size / (size / lanes) + 1;
  }
  index_of_.assign(size + 1, 0);
  for (std::size_t i = 0; i < value_.size(); ++i) {
    index_of_[value_[i]] = static_cast<std::uint32_t>(i);
  }
  kind_.assign(size + 1, 0);
  std::map<std::vector<int>, std::uint32_t> known;
  for (std::uint32_t bound = 1; bound <= size; ++bound) {
    std::vector<int> image(value_.size());
    for (std::size_t s = 0; s < value_.size(); ++s) image[s] = next(s, bound);
    const auto [place, is_new] = known.emplace(image, static_cast<std::uint32_t>(next_.size()));
    if (is_new) next_.push_back(image);
    kind_[bound] = place->second;
  }
}

int AxisRoom::next(std::size_t state, std::uint32_t bound) const {
  const std::uint64_t value = value_[state];
  if (exact_) return value * bound > size_ ? -1 : static_cast<int>(index_of_[value * bound]);
  return bound > value ? -1 : static_cast<int>(index_of_[value / bound]);
}

ChainShape DimTable::shape(const Cell& its_cell, const CellEntry& its_entry,
                           const std::vector<AxisRoom>& axes) const {
  ChainShape shape{its_cell.slots, {}};
  const std::vector<std::uint32_t>& its_bounds = bounds[its_entry.bounds];
  for (std::size_t a = 0; a < axes.size(); ++a) {
    if (its_bounds[a] > 1) shape.axis_bounds.emplace_back(axes[a].slot(), its_bounds[a]);
  }
  return shape;
}

namespace {

constexpr std::uint32_t kLargestAxis = 1 << 16;

// What does not depend on the cells of any dimension.
class Framer {
 public:
  Framer(const Problem& problem, const Placement& placement, Tuples& tuples)
      : problem_(problem), placement_(placement), tuples_(tuples) {}

  Result<Frame> run() {
    for (const Slot& slot : placement_.slots) frame_.tables.allowed.push_back(slot.dims);
    if (Status status = add_axes(); !status.ok()) return status;
    // Dimensions of extent 1 have no loop; a rule may still ask for one.
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      frame_.rules.push_back(rules_of(d));
      if (problem_.dims[d].extent > 1) continue;
      PlacementTables& tables = frame_.tables;
      tables.possible = tables.possible && Chains(1, frame_.rules[d], tuples_).count({}) == 1;
    }
    return std::move(frame_);
  }

 private:
  bool exact(std::size_t slot) const {
    return std::any_of(placement_.lanes.begin(), placement_.lanes.end(),
                       [&](const LanesRule& rule) { return (rule.slots >> slot & 1u) != 0; });
  }
  Status add_axes() {
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      const Slot& slot = placement_.slots[s];
      if (slot.kind != Slot::Kind::kAxis || slot.dims == 0) continue;
      if (slot.size > kLargestAxis) {
        return {StatusCode::kUnsupported, "mappings on an axis of " + std::to_string(slot.size) +
                                              " lanes are not counted; at most " +
                                              std::to_string(kLargestAxis) + " are"};
      }
      frame_.tables.axes.emplace_back(static_cast<int>(s), slot.size, exact(s));
    }
    return {};
  }

  // A rule for all of a dimension leaves no loop outside its slots: if the bounds P inside the
  // rule cover N alone, b = ceil(N / (P' Q)) with Q > 1 outside gives P' b < N.
  std::vector<FactorRule> rules_of(std::size_t d) {
    std::vector<FactorRule> rules;
    for (FactorRule rule : placement_.factors) {
      if (rule.dim != d) continue;
      const std::int64_t extent = problem_.dims[d].extent;
      // Only slots in which the dimension may loop count.
      SlotMask usable = 0;
      for (std::size_t s = 0; s < frame_.tables.allowed.size(); ++s) {
        if ((rule.slots >> s & 1u) == 0) {
          if (extent > 1 && rule.least >= extent) frame_.tables.allowed[s] &= without(d);
        } else if ((frame_.tables.allowed[s] >> d & 1u) != 0) {
          usable |= SlotMask{1} << s;
        }
      }
      rule.slots = usable;
      if (extent > 1 && rule.least == extent && usable != 0) rule.least = 1;
      rules.push_back(rule);
    }
    return rules;
  }
  static DimMask without(std::size_t d) { return static_cast<DimMask>(~(1u << d)); }

  const Problem& problem_;
  const Placement& placement_;
  Tuples& tuples_;
  Frame frame_;
};

// The ways to use the axes from number a on.
class BoundsLister {
 public:
  BoundsLister(const Problem& problem, const Placement& placement, const PlacementTables& tables,
               std::size_t dim, Factors factors)
      : extent_(static_cast<std::uint64_t>(problem.dims[dim].extent)),
        placement_(placement),
        tables_(tables),
        dim_(dim),
        factors_(factors),
        bounds_(tables.axes.size(), 1) {}

  std::vector<std::vector<std::uint32_t>> run() {
    list(0, 0);
    return std::move(all_);
  }

 private:
  // `inner`: the product of all bounds but the outermost, which alone may be the outermost loop of
  // the chain; 0 as long as there is none.
  void list(std::size_t a, std::uint64_t inner) {
    if (a == tables_.axes.size()) return all_.push_back(bounds_);
    list(a + 1, inner);
    const auto at = static_cast<std::size_t>(tables_.axes[a].slot());
    if ((tables_.allowed[at] >> dim_ & 1u) == 0) return;
    const std::uint64_t most = std::min<std::uint64_t>(placement_.slots[at].size, extent_);
    for (std::uint64_t bound = 2; bound <= most; ++bound) {
      const std::uint64_t product = inner == 0 ? 1 : inner * bound;
      if (product >= extent_) break;
      if (factors_ == Factors::kPerfect && extent_ % bound != 0) continue;
      bounds_[a] = static_cast<std::uint32_t>(bound);
      list(a + 1, product);
    }
    bounds_[a] = 1;
  }

  std::uint64_t extent_;
  const Placement& placement_;
  const PlacementTables& tables_;
  std::size_t dim_;
  Factors factors_;
  std::vector<std::uint32_t> bounds_;
  std::vector<std::vector<std::uint32_t>> all_;
};

class Maker {
 public:
  Maker(const Problem& problem, const Placement& placement, Tuples& tuples,
        std::uint64_t most_entries)
      : problem_(problem), placement_(placement), tuples_(tuples), most_entries_(most_entries) {}

  Result<PlacementTables> run() {
    Result<Frame> frame = make_frame(problem_, placement_, tuples_);
    if (!frame.ok()) return frame.status();
    tables_ = std::move(frame->tables);
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if (problem_.dims[d].extent == 1) continue;
      if (Status status = add_dim(d, frame->rules[d]); !status.ok()) return status;
    }
    return std::move(tables_);
  }

 private:
  Status add_dim(std::size_t d, const std::vector<FactorRule>& rules) {
    DimTable table;
    table.dim = static_cast<std::uint8_t>(d);
    table.chains = std::make_unique<Chains>(problem_.dims[d].extent, rules, tuples_);
    found_.clear();
    table.bounds = axis_bounds(problem_, placement_, tables_, d, tuples_.factors());
    for (std::size_t b = 0; b < table.bounds.size(); ++b) {
      add_shapes(d, static_cast<std::uint32_t>(b), table);
      if (entries_ > most_entries_) {
        return {StatusCode::kUnsupported,
                "this mapspace has more than " + std::to_string(most_entries_) +
                    " ways to place the loops of one dimension; it is too large to count"};
      }
    }
    sort_cells(table);
    tables_.dims.push_back(std::move(table));
    return {};
  }

  void add_shapes(std::size_t d, std::uint32_t b, DimTable& table) {
    SlotMask axis_slots = 0;
    std::uint32_t fanouts = 0;
    for (std::size_t a = 0; a < tables_.axes.size(); ++a) {
      if (table.bounds[b][a] == 1) continue;
      const auto at = static_cast<std::size_t>(tables_.axes[a].slot());
      axis_slots |= SlotMask{1} << at;
      fanouts |= 1u << placement_.slots[at].fanout;
    }
    SlotMask temporal = 0;
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      const Slot& slot = placement_.slots[s];
      if (slot.kind == Slot::Kind::kAxis || (tables_.allowed[s] >> d & 1u) == 0) continue;
      if (slot.kind == Slot::Kind::kUnderFanout && (fanouts >> slot.fanout & 1u) == 0) continue;
      temporal |= SlotMask{1} << s;
    }
    const int most = most_loops(problem_, d);
    std::vector<std::uint32_t> move;
    for (std::size_t a = 0; a < tables_.axes.size(); ++a) {
      move.push_back(tables_.axes[a].kind_of(table.bounds[b][a]));
    }
    for (SlotMask some = temporal;; some = (some - 1) & temporal) {
      const Cell cell{0, some | axis_slots, 0, 0, 0};
      if (__builtin_popcountll(cell.slots) <= most) {
        const CellEntry entry{0, b};
        const std::uint64_t chains = table.chains->count(table.shape(cell, entry, tables_.axes));
        if (chains > 0) {
          found_.push_back({move, cell.slots, {chains, b}});
          ++entries_;
        }
      }
      if (some == 0) break;
    }
  }

  void sort_cells(DimTable& table) {
    std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      if (a.move != b.move) return a.move < b.move;
      return a.slots != b.slots ? a.slots < b.slots : a.entry.bounds < b.entry.bounds;
    });
    for (const Found& found : found_) {
      if (table.move.empty() || table.move.back() != found.move) table.move.push_back(found.move);
      const auto move = static_cast<std::uint32_t>(table.move.size() - 1);
      if (table.cell.empty() || table.cell.back().move != move ||
          table.cell.back().slots != found.slots) {
        table.cell.push_back({move, found.slots, 0, table.entry.size(), 0});
      }
      table.cell.back().chains += found.entry.chains;
      ++table.cell.back().entries;
      table.entry.push_back(found.entry);
    }
  }

  struct Found {
    std::vector<std::uint32_t> move;
    SlotMask slots;
    CellEntry entry;
  };

  const Problem& problem_;
  const Placement& placement_;
  Tuples& tuples_;
  std::uint64_t most_entries_;
  std::uint64_t entries_ = 0;
  std::vector<Found> found_;
  PlacementTables tables_;
};

}  // namespace

Result<Frame> make_frame(const Problem& problem, const Placement& placement, Tuples& tuples) {
  return Framer(problem, placement, tuples).run();
}

std::vector<std::vector<std::uint32_t>> axis_bounds(const Problem& problem,
                                                    const Placement& placement,
                                                    const PlacementTables& tables, std::size_t dim,
                                                    Factors factors) {
  return BoundsLister(problem, placement, tables, dim, factors).run();
}

int most_loops(const Problem& problem, std::size_t dim) {
  const auto extent = static_cast<std::uint64_t>(problem.dims[dim].extent);
  return 64 - __builtin_clzll(extent);  // k loops inside the outermost make 2^k < extent
}

Result<PlacementTables> make_tables(const Problem& problem, const Placement& placement,
                                    Tuples& tuples, std::uint64_t most_entries) {
  return Maker(problem, placement, tuples, most_entries).run();
}

bool lanes_allowed(const Placement& placement, const std::vector<std::uint64_t>& lanes) {
  return std::all_of(placement.lanes.begin(), placement.lanes.end(), [&](const LanesRule& rule) {
    double used = 1;
    for (std::size_t s = 0; s < lanes.size(); ++s) {
      if ((rule.slots >> s & 1u) != 0) used *= static_cast<double>(lanes[s]);
    }
    return used / rule.lanes >= rule.share;
  });
}

}  // namespace loopscape
