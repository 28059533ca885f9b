#include "mapper/mapspace/placements.h"

#include <algorithm>
#include <utility>

namespace loopscape {
namespace {

constexpr std::size_t kMostPlacements = 1 << 20;

struct Store {
  std::uint8_t memory;
  TensorMask tensors;
};
// The stores between two neighbouring fan-outs, outermost first.
using Region = std::vector<Store>;

TensorMask all_tensors(const Problem& problem) {
  return static_cast<TensorMask>((1u << problem.tensors.size()) - 1);
}

TensorMask called(const std::vector<std::string>& names, const Problem& problem) {
  TensorMask tensors = 0;
  for (const std::string& name : names) {
    tensors = static_cast<TensorMask>(tensors | problem.tensors_called(name));
  }
  return tensors;
}

DimMask dims_in(const std::vector<std::string>& names, const Problem& problem) {
  DimMask dims = 0;
  for (const std::string& name : names)
    dims = static_cast<DimMask>(dims | problem.dims_called(name));
  return dims;
}

DimMask all_dims(const Problem& problem) {
  DimMask dims = 0;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].extent > 1) dims = static_cast<DimMask>(dims | bit(static_cast<DimId>(d)));
  }
  return dims;
}

// Do cells of the fan-out differ, so that it matters which loop of an axis is the outer one?
bool tells_cells_apart(const Fanout& fanout) {
  return std::any_of(fanout.networks.begin(), fanout.networks.end(), [](const Network& network) {
    return network.network_class == NetworkClass::kMesh ||
           network.network_class == NetworkClass::kTree ||
           network.network_class == NetworkClass::kSystolic || !network.forward.empty();
  });
}

class Builder {
 public:
  Builder(const Problem& problem, const Arch& arch, const MapspaceOptions& options)
      : problem_(problem), arch_(arch), options_(options) {
    for (const Tensor& tensor : problem.tensors) {
      sliding_ = static_cast<DimMask>(sliding_ | tensor.sliding);
    }
  }

  Result<std::vector<Placement>> run() {
    Result<std::vector<Constraint>> constraints = expanded_constraints(arch_);
    if (!constraints.ok()) return constraints.status();
    constraints_ = std::move(constraints).value();
    if (Status status = find_choices(); !status.ok()) return status;
    choose(0, std::vector<TensorMask>(arch_.memories.size()));
    if (placements_.size() >= kMostPlacements) {
      return Status(StatusCode::kUnsupported,
                    "there are more than " + std::to_string(kMostPlacements) +
                        " ways to place the tensors; state more of \"keep\" and \"bypass\"");
    }
    return std::move(placements_);
  }

 private:
  // ---- which memory stores what ----

  Status find_choices() {
    for (std::size_t m = 0; m < arch_.memories.size(); ++m) {
      const Memory& memory = arch_.memories[m];
      TensorMask keep = m == 0 ? all_tensors(problem_) : called(memory.keep, problem_);
      TensorMask bypass = m == 0 ? TensorMask{0} : called(memory.bypass, problem_);
      for (const Constraint& constraint : constraints_) {
        if (constraint.node != memory.name) continue;
        keep = static_cast<TensorMask>(keep | called(constraint.keep, problem_));
        bypass = static_cast<TensorMask>(bypass | called(constraint.bypass, problem_));
      }
      if (const auto both = static_cast<TensorMask>(keep & bypass); both != 0) {
        std::string names;
        for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
          if ((both >> t & 1u) != 0)
            names += (names.empty() ? "" : ", ") + problem_.tensors[t].name;
        }
        return Status(StatusCode::kInvalidInput,
                      memory.name + " must keep " + names +
                          " and must let it bypass; no mapping does both")
            .at(place_of(m));
      }
      keep_.push_back(keep);
      may_.push_back(static_cast<TensorMask>(all_tensors(problem_) & ~(keep | bypass)));
    }
    return {};
  }

  std::string place_of(std::size_t m) const {
    const auto it = std::find_if(arch_.nodes.begin(), arch_.nodes.end(), [&](const ArchNode& node) {
      return node.kind == NodeKind::kMemory && node.id == m;
    });
    return "/nodes/" + std::to_string(it - arch_.nodes.begin());
  }

  void choose(std::size_t m, std::vector<TensorMask> stored) {
    if (placements_.size() >= kMostPlacements) return;
    if (m == arch_.memories.size()) return order(regions_of(stored), 0, {});
    // Largest first: keeping is what memories are for, and good mappings found early prune.
    for (TensorMask some = may_[m];; some = static_cast<TensorMask>((some - 1) & may_[m])) {
      stored[m] = static_cast<TensorMask>(keep_[m] | some);
      choose(m + 1, stored);
      if (some == 0) break;
    }
  }

  std::vector<Region> regions_of(const std::vector<TensorMask>& stored) const {
    std::vector<Region> regions(1);
    for (const ArchNode& node : arch_.nodes) {
      if (node.kind == NodeKind::kFanout) regions.emplace_back();
      if (node.kind != NodeKind::kMemory || stored[node.id] == 0) continue;
      // Nothing is outside the outermost memory: what it stores, it stores whole.
      if (options_.stores == Stores::kEven || node.id == 0) {
        regions.back().push_back({node.id, stored[node.id]});
        continue;
      }
      for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
        const TensorMask one = bit(static_cast<TensorId>(t));
        if ((stored[node.id] & one) != 0) regions.back().push_back({node.id, one});
      }
    }
    return regions;
  }

  // ---- the orders of stores ----

  static bool canonical(const Store& outer, const Store& inner) {
    return outer.memory != inner.memory ? outer.memory < inner.memory
                                        : outer.tensors < inner.tensors;
  }
  // Memories that share a tensor keep the architecture's order (model.md section 3).
  static bool fixed_order(const Region& region, const Store& a, const Store& b) {
    if (a.memory == b.memory) return false;
    TensorMask in_a = 0;
    TensorMask in_b = 0;
    for (const Store& store : region) {
      if (store.memory == a.memory) in_a = static_cast<TensorMask>(in_a | store.tensors);
      if (store.memory == b.memory) in_b = static_cast<TensorMask>(in_b | store.tensors);
    }
    return (in_a & in_b) != 0;
  }

  void order(std::vector<Region> regions, std::size_t r, std::vector<Region> done) {
    if (placements_.size() >= kMostPlacements) return;
    if (r == regions.size()) return lay_out(done);
    Region& region = regions[r];
    std::sort(region.begin(), region.end(), canonical);
    do {
      bool allowed = true;
      for (std::size_t i = 0; i < region.size() && allowed; ++i) {
        for (std::size_t j = i + 1; j < region.size() && allowed; ++j) {
          allowed = canonical(region[i], region[j]) || !fixed_order(region, region[i], region[j]);
        }
      }
      if (!allowed) continue;
      done.push_back(region);
      order(regions, r + 1, done);
      done.pop_back();
    } while (options_.stores == Stores::kUneven &&
             std::next_permutation(region.begin(), region.end(), canonical));
  }

  // ---- stores and slots ----

  // Slots between two stores. `inner_store`: whether one follows.
  struct Gap {
    SlotMask slots = 0;
    bool must_loop = false;
    bool inner_store = false;
  };

  static std::uint8_t add_slot(Placement& placement, const Slot& slot) {
    const auto id = static_cast<std::uint8_t>(placement.slots.size());
    placement.slots.push_back(slot);
    placement.steps.push_back({PlacementStep::Kind::kSlot, 0, 0, id});
    return id;
  }

  void lay_out(const std::vector<Region>& regions) {
    Placement placement;
    std::vector<Gap> gaps;
    std::size_t stores_left = 0;
    for (const Region& region : regions) stores_left += region.size();
    for (std::size_t r = 0; r < regions.size(); ++r) {
      if (r > 0) add_fanout(r - 1, stores_left > 0, placement, gaps.back());
      for (std::size_t i = 0; i < regions[r].size(); ++i) {
        const Store& store = regions[r][i];
        if (!gaps.empty()) {
          gaps.back().inner_store = true;
          if (i > 0) gaps.back().must_loop = !canonical(regions[r][i - 1], store);
        }
        placement.steps.push_back({PlacementStep::Kind::kStore, store.memory, store.tensors, 0});
        --stores_left;
        Slot slot;
        slot.dims = all_dims(problem_);
        gaps.push_back({SlotMask{1} << add_slot(placement, slot), false, false});
      }
    }
    split_rows(std::move(placement), std::move(gaps), 0);
  }

  void add_fanout(std::size_t f, bool store_below, Placement& placement, Gap& gap) const {
    const Fanout& fanout = arch_.fanouts[f];
    DimMask taken = 0;
    std::size_t axis = index(arch_.first_axis(static_cast<FanoutId>(f)));
    for (const Axis& its : fanout.axes) {
      Slot slot;
      slot.kind = Slot::Kind::kAxis;
      slot.fanout = static_cast<std::uint8_t>(f);
      slot.axis = static_cast<std::uint8_t>(axis++);
      slot.size = its.size;
      slot.dims = all_dims(problem_);
      if (!its.dims.empty())
        slot.dims = static_cast<DimMask>(slot.dims & dims_in(its.dims, problem_));
      slot.ordered = tells_cells_apart(fanout);
      if (its.size == 1 || slot.dims == 0) continue;
      taken = static_cast<DimMask>(taken | slot.dims);
      gap.slots |= SlotMask{1} << add_slot(placement, slot);
    }
    if (!store_below || (taken & sliding_) == 0) return;
    Slot under;
    under.kind = Slot::Kind::kUnderFanout;
    under.fanout = static_cast<std::uint8_t>(f);
    under.dims = static_cast<DimMask>(taken & sliding_);
    gap.slots |= SlotMask{1} << add_slot(placement, under);
  }

  // ---- constraints ----

  // Does a constraint speak of the loops at this memory? One on a fan-out may, too: that a tensor
  // is stationary there concerns the loops at the memory above.
  bool constrained(const Placement& placement, std::uint8_t memory) const {
    return std::any_of(constraints_.begin(), constraints_.end(), [&](const Constraint& c) {
      if (c.node == arch_.memories[memory].name) return true;
      const auto fanout = arch_.find_fanout(c.node);
      return fanout && !c.stationary.empty() && memory_above(placement, index(*fanout)) == memory;
    });
  }

  // Stores in a row share the loops below them. Where a constraint needs to know which loops are
  // below a store, the placement is split by whether the gap to the next store holds a loop.
  void split_rows(Placement placement, std::vector<Gap> gaps, std::size_t g) {
    for (; g < gaps.size(); ++g) {
      if (!gaps[g].inner_store || gaps[g].must_loop || !row_is_constrained(placement, gaps, g)) {
        continue;
      }
      Placement closed = placement;
      std::vector<Gap> closed_gaps = gaps;
      for (std::size_t s = 0; s < closed.slots.size(); ++s) {
        if ((gaps[g].slots >> s & 1u) != 0) closed.slots[s].dims = 0;
      }
      gaps[g].must_loop = true;
      split_rows(std::move(placement), std::move(gaps), g + 1);
      split_rows(std::move(closed), std::move(closed_gaps), g + 1);
      return;
    }
    finish(std::move(placement), gaps);
  }

  static bool is_closed(const Placement& placement, const Gap& gap) {
    for (std::size_t s = 0; s < placement.slots.size(); ++s) {
      if ((gap.slots >> s & 1u) != 0 && placement.slots[s].dims != 0) return false;
    }
    return true;
  }

  // The stores of the row that ends at gap g: store number i stands just outside gap i.
  std::vector<PlacementStep> stores_of(const Placement& placement) const {
    std::vector<PlacementStep> stores;
    for (const PlacementStep& step : placement.steps) {
      if (step.kind == PlacementStep::Kind::kStore) stores.push_back(step);
    }
    return stores;
  }
  bool row_is_constrained(const Placement& placement, const std::vector<Gap>& gaps,
                          std::size_t g) const {
    const std::vector<PlacementStep> stores = stores_of(placement);
    for (std::size_t i = g + 1; i-- > 0;) {
      if (constrained(placement, stores[i].memory)) return true;
      if (i == 0 || !is_closed(placement, gaps[i - 1])) return false;
    }
    return false;
  }

  static SlotMask temporal_slots(const Placement& placement, SlotMask among) {
    SlotMask slots = 0;
    for (std::size_t s = 0; s < placement.slots.size(); ++s) {
      if (placement.slots[s].kind != Slot::Kind::kAxis) slots |= SlotMask{1} << s;
    }
    return slots & among;
  }

  // The temporal slots of the loops at a memory, as mapping.h defines them.
  SlotMask slots_at_memory(const Placement& placement, const std::vector<Gap>& gaps,
                           std::size_t memory) const {
    const std::vector<PlacementStep> stores = stores_of(placement);
    SlotMask slots = 0;
    for (std::size_t i = 0; i < stores.size(); ++i) {
      if (stores[i].memory != memory) continue;
      std::size_t g = i;
      while (gaps[g].inner_store && is_closed(placement, gaps[g])) ++g;
      slots |= temporal_slots(placement, gaps[g].slots);
    }
    return slots;
  }

  static SlotMask slots_at_fanout(const Placement& placement, std::size_t fanout) {
    SlotMask slots = 0;
    for (std::size_t s = 0; s < placement.slots.size(); ++s) {
      const Slot& slot = placement.slots[s];
      if (slot.kind == Slot::Kind::kAxis && slot.fanout == fanout) slots |= SlotMask{1} << s;
    }
    return slots;
  }

  // The nearest memory with a store above the fan-out.
  std::uint8_t memory_above(const Placement& placement, std::size_t fanout) const {
    std::uint8_t memory = 0;
    for (const ArchNode& node : arch_.nodes) {
      if (node.kind == NodeKind::kFanout && node.id == fanout) break;
      if (node.kind != NodeKind::kMemory) continue;
      for (const PlacementStep& step : stores_of(placement)) {
        if (step.memory == node.id) memory = node.id;
      }
    }
    return memory;
  }

  void finish(Placement placement, const std::vector<Gap>& gaps) {
    for (const Gap& gap : gaps) {
      if (gap.must_loop) placement.must_loop.push_back(gap.slots);
    }
    for (const Constraint& constraint : constraints_) {
      resolve(constraint, gaps, placement);
    }
    if (!impossible(placement)) placements_.push_back(std::move(placement));
  }

  // Does a rule ask for loops where this placement has no slot?
  static bool impossible(const Placement& placement) {
    return std::any_of(placement.factors.begin(), placement.factors.end(),
                       [](const FactorRule& rule) { return rule.slots == 0 && rule.least > 1; });
  }

  void resolve(const Constraint& constraint, const std::vector<Gap>& gaps, Placement& placement) {
    SlotMask slots = 0;
    SlotMask stationary_slots = 0;
    if (const auto memory = arch_.find_memory(constraint.node)) {
      slots = stationary_slots = slots_at_memory(placement, gaps, index(*memory));
      if (constraint.min_utilization) {
        placement.filled.push_back(
            {static_cast<std::uint8_t>(index(*memory)), *constraint.min_utilization});
      }
    } else if (const auto fanout = arch_.find_fanout(constraint.node)) {
      slots = slots_at_fanout(placement, index(*fanout));
      stationary_slots = slots_at_memory(placement, gaps, memory_above(placement, index(*fanout)));
      if (constraint.min_utilization) {
        placement.lanes.push_back({slots, *constraint.min_utilization,
                                   static_cast<double>(arch_.fanouts[index(*fanout)].children())});
      }
    } else if (constraint.min_utilization) {  // compute
      LanesRule rule{0, *constraint.min_utilization, 1};
      for (std::size_t f = 0; f < arch_.fanouts.size(); ++f) {
        rule.slots |= slots_at_fanout(placement, f);
        rule.lanes *= static_cast<double>(arch_.fanouts[f].children());
      }
      placement.lanes.push_back(rule);
    }
    add_factors(constraint, slots, placement);
    add_orders(constraint, slots, stationary_slots, placement);
    if (constraint.dims.empty()) return;
    const DimMask allowed = dims_in(constraint.dims, problem_);
    for (std::size_t s = 0; s < placement.slots.size(); ++s) {
      DimMask& dims = placement.slots[s].dims;
      if ((slots >> s & 1u) != 0) dims = static_cast<DimMask>(dims & allowed);
    }
  }

  void add_factors(const Constraint& constraint, SlotMask slots, Placement& placement) const {
    for (const FactorConstraint& factor : constraint.factors) {
      const DimMask dims = problem_.dims_called(factor.dim);
      for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
        if ((dims & bit(static_cast<DimId>(d))) == 0) continue;
        FactorRule rule{slots, static_cast<std::uint8_t>(d), 1, INT64_MAX};
        switch (factor.kind) {
          case FactorConstraint::Kind::kExactly:
            rule.least = rule.most = factor.value;
            break;
          case FactorConstraint::Kind::kAtMost:
            rule.most = factor.value;
            break;
          case FactorConstraint::Kind::kAtLeast:
            rule.least = factor.value;
            break;
          case FactorConstraint::Kind::kAll:
            rule.least = problem_.dims[d].extent;
            break;
        }
        placement.factors.push_back(rule);
      }
    }
  }

  void add_orders(const Constraint& constraint, SlotMask slots, SlotMask stationary_slots,
                  Placement& placement) const {
    if (!constraint.order.empty()) {
      OrderRule rule{slots, {}};
      for (std::size_t d = 0; d < kMaxDims; ++d) {
        std::size_t place = 0;
        while (place < constraint.order.size() &&
               (problem_.dims_called(constraint.order[place]) >> d & 1u) == 0) {
          ++place;
        }
        rule.place[d] = static_cast<std::uint8_t>(place);
      }
      placement.orders.push_back(rule);
    }
    if (constraint.stationary.empty()) return;
    const TensorMask tensors = problem_.tensors_called(constraint.stationary);
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      if ((tensors >> t & 1u) != 0) {
        placement.stationary.push_back({stationary_slots, problem_.tensors[t].relevant});
      }
    }
  }

  const Problem& problem_;
  const Arch& arch_;
  std::vector<Constraint> constraints_;  // of the architecture, presets spelled out
  MapspaceOptions options_;
  DimMask sliding_ = 0;
  std::vector<TensorMask> keep_, may_;
  std::vector<Placement> placements_;
};

}  // namespace

Result<std::vector<Placement>> make_placements(const Problem& problem, const Arch& arch,
                                               const MapspaceOptions& options) {
  return Builder(problem, arch, options).run();
}

}  // namespace loopscape
