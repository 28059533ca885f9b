// Does anything fit? Bypasses and orders of stores make millions of placements where little is
// asked. So the space is looked through between two others:
//   * one inside it, even, with stores in all unlimited memories of which nothing else is asked:
//     what fits there, fits;
//   * one around it: stores that a memory without rules may have are left out, with what they would
//     occupy; but wherever they might stand, a slot is free for any loop. Their own slots did no
//     more, and loops that they take from the row of another store can stay in that store's slot.
//     Loops just below a fan-out are the memory's above, where there is no such store, and its
//     rules may count them (mapping.h): there, too, a slot is free, and only what rules ask for at
//     least can be made up there. If nothing fits there, nothing does.
// Only where these disagree, all placements are looked at.
#include <algorithm>
#include <map>
#include <utility>

#include "mapper/mapspace/fit_placement.h"
#include "mapper/mapspace/placements.h"
#include "mapper/mapspace/total.h"

namespace loopscape {
namespace {

class Fitter {
 public:
  Fitter(const Problem& problem, const Arch& arch, const MapspaceOptions& options,
         Footprints footprints, const FitLimits& limits)
      : problem_(problem),
        arch_(arch),
        options_(options),
        footprints_(std::move(footprints)),
        tuples_(options.factors),
        budget_(limits.most_steps, limits.stop) {
    everything_ = static_cast<TensorMask>((1u << problem.tensors.size()) - 1);
  }

  Result<Fit> run() {
    Result<std::vector<Constraint>> constraints = expanded_constraints(arch_);
    if (!constraints.ok()) return constraints.status();
    arch_.constraints = std::move(constraints).value();
    for (Constraint& constraint : arch_.constraints) constraint.dataflow.clear();
    Fit fit;
    if (Status s = look_through(fit); !s.ok()) return s;
    fit.settled = fit.mapping || budget_.spend(0);
    fit.steps = budget_.spent();
    return fit;
  }

 private:
  Status look_through(Fit& fit) {
    const MapspaceOptions even{options_.factors, Stores::kEven};
    const Result<Mapspace> inside = Mapspace::create(problem_, inner_arch(), even);
    if (!inside.ok()) return inside.status();
    if ((fit.mapping = first_fit(*inside))) return {};
    bool volunteers = false;
    for (std::size_t m = 1; m < arch_.memories.size(); ++m) {
      volunteers = volunteers || may_volunteer(m);
    }
    if (!volunteers && options_.stores == Stores::kEven) return {};  // that was all
    const Arch outer = outer_arch();
    Result<std::vector<Placement>> around = make_placements(problem_, outer, options_);
    if (!around.ok()) return around.status();
    if (!any_fits(*std::move(around))) return {};
    const Result<Mapspace> all = Mapspace::create(problem_, arch_, options_);
    if (!all.ok()) return all.status();
    fit.mapping = first_fit(*all);
    return {};
  }

  // ---- what is asked of a memory ----

  TensorMask called(const std::vector<std::string>& names) const {
    TensorMask tensors = 0;
    for (const std::string& name : names) {
      tensors = static_cast<TensorMask>(tensors | problem_.tensors_called(name));
    }
    return tensors;
  }
  TensorMask told(std::size_t m, std::vector<std::string> Memory::*of_memory,
                  std::vector<std::string> Constraint::*of_constraint) const {
    TensorMask tensors = called(arch_.memories[m].*of_memory);
    for (const Constraint& constraint : arch_.constraints) {
      if (constraint.node != arch_.memories[m].name) continue;
      tensors = static_cast<TensorMask>(tensors | called(constraint.*of_constraint));
    }
    return tensors;
  }
  TensorMask kept(std::size_t m) const { return told(m, &Memory::keep, &Constraint::keep); }
  TensorMask left_open(std::size_t m) const {
    if (m == 0) return 0;  // it stores everything
    return static_cast<TensorMask>(everything_ & ~kept(m) &
                                   ~told(m, &Memory::bypass, &Constraint::bypass));
  }
  bool has_rules(std::size_t m) const {
    return std::any_of(arch_.constraints.begin(), arch_.constraints.end(),
                       [&](const Constraint& c) {
                         return c.node == arch_.memories[m].name &&
                                (!c.factors.empty() || !c.order.empty() || !c.dims.empty() ||
                                 c.min_utilization || !c.stationary.empty());
                       });
  }
  bool may_volunteer(std::size_t m) const { return left_open(m) != 0 && !has_rules(m); }

  std::vector<std::string> names(TensorMask tensors) const {
    std::vector<std::string> names;
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      if ((tensors >> t & 1u) != 0) names.push_back(problem_.tensors[t].name);
    }
    return names;
  }
  void settle_all(Arch& arch, bool keep_in_unlimited) const {
    for (std::size_t m = 1; m < arch.memories.size(); ++m) {
      if (!may_volunteer(m)) continue;
      Memory& memory = arch.memories[m];
      auto& told = keep_in_unlimited && !memory.size_bits ? memory.keep : memory.bypass;
      for (std::string& name : names(left_open(m))) told.push_back(std::move(name));
    }
  }

  // ---- the two spaces ----

  Arch inner_arch() const {
    Arch arch = arch_;
    settle_all(arch, true);
    return arch;
  }
  Arch outer_arch() const {
    Arch arch = arch_;
    settle_all(arch, false);
    for (Constraint& constraint : arch.constraints) {
      const auto fanout = arch.find_fanout(constraint.node);
      if (fanout && feeder_may_volunteer(index(*fanout))) constraint.stationary.clear();
    }
    return arch;
  }
  // Whose loops "stationary" at a fan-out speaks of is then not certain.
  bool feeder_may_volunteer(std::size_t fanout) const {
    bool may = false;
    for (const ArchNode& node : arch_.nodes) {
      if (node.kind == NodeKind::kFanout && node.id == fanout) break;
      if (node.kind != NodeKind::kMemory) continue;
      if (node.id == 0 || kept(node.id) != 0) may = false;
      may = may || (may_volunteer(node.id) && kept(node.id) == 0);
    }
    return may;
  }

  bool any_fits(std::vector<Placement> around) {
    Refuted refuted;
    for (Placement& placement : around) {
      if (!budget_.spend()) return false;
      if (!add_free_slots(placement)) return true;  // for all that is known
      if (fits(placement, refuted)) return true;
    }
    return false;
  }

  // Behind every store beside which others may stand, at the outer end of their region, and below
  // every fan-out.
  bool add_free_slots(Placement& placement) const {
    std::vector<bool> free(arch_.fanouts.size() + 1);
    std::size_t region = 0;
    for (const ArchNode& node : arch_.nodes) {
      if (node.kind == NodeKind::kFanout) ++region;
      if (node.kind == NodeKind::kMemory && may_volunteer(node.id)) free[region] = true;
    }
    if (std::none_of(free.begin(), free.end(), [](bool its) { return its; })) return true;
    std::vector<std::size_t> places;  // before these steps
    for (region = 0; region < free.size(); ++region) {
      const std::size_t begin = begin_of(region, placement);
      if (region > 0) places.push_back(begin);
      if (!free[region]) continue;
      const std::size_t end = begin_of(region + 1, placement, begin);
      for (std::size_t i = begin; i < end; ++i) {
        const PlacementStep& step = placement.steps[i];
        if (step.kind == PlacementStep::Kind::kSlot &&
            placement.slots[step.slot].kind == Slot::Kind::kTemporal) {
          places.push_back(i + 1);
        }
      }
    }
    std::sort(places.begin(), places.end());
    if (placement.slots.size() + places.size() > kMaxSlots) return false;
    SlotMask added = 0;
    for (std::size_t i = places.size(); i-- > 0;) insert_slot(places[i], placement, added);
    let_count(added, placement);
    return true;
  }

  // What is asked for at least may stand in these slots as well.
  static void let_count(SlotMask free, Placement& placement) {
    SlotMask temporal = 0;
    for (std::size_t s = 0; s < placement.slots.size(); ++s) {
      if (placement.slots[s].kind != Slot::Kind::kAxis) temporal |= SlotMask{1} << s;
    }
    std::vector<FactorRule> at_least;
    for (FactorRule& rule : placement.factors) {
      if (rule.least <= 1 || (rule.slots & temporal) == 0) continue;  // of nothing, or of lanes
      at_least.push_back({rule.slots | free, rule.dim, rule.least, INT64_MAX});
      rule.least = 1;
    }
    placement.factors.insert(placement.factors.end(), at_least.begin(), at_least.end());
    for (SlotMask& slots : placement.must_loop) slots |= free;
  }

  // Behind the slots of the fan-outs before it; at least `from`.
  std::size_t begin_of(std::size_t region, const Placement& placement, std::size_t from = 0) const {
    std::size_t begin = from;
    for (std::size_t i = from; i < placement.steps.size(); ++i) {
      const PlacementStep& step = placement.steps[i];
      const bool store = step.kind == PlacementStep::Kind::kStore;
      const std::size_t its =
          store ? region_of(step.memory) : region_of(placement.slots[step.slot]);
      if (its >= region) break;
      begin = i + 1;
    }
    return begin;
  }
  std::size_t region_of(std::uint8_t memory) const {
    std::size_t region = 0;
    for (const ArchNode& node : arch_.nodes) {
      if (node.kind == NodeKind::kMemory && node.id == memory) break;
      region += node.kind == NodeKind::kFanout ? 1 : 0;
    }
    return region;
  }
  // The region before which it stands; a slot at a memory is in no way the first of its region.
  static std::size_t region_of(const Slot& slot) {
    return slot.kind == Slot::Kind::kTemporal ? 0 : slot.fanout;
  }

  // Adds it to `added`.
  void insert_slot(std::size_t before_step, Placement& placement, SlotMask& added) const {
    std::uint8_t number = 0;
    for (std::size_t i = 0; i < before_step; ++i) {
      if (placement.steps[i].kind == PlacementStep::Kind::kSlot) ++number;
    }
    Slot slot;
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if (problem_.dims[d].extent > 1) slot.dims = static_cast<DimMask>(slot.dims | 1u << d);
    }
    placement.slots.insert(placement.slots.begin() + number, slot);
    for (PlacementStep& step : placement.steps) {
      if (step.kind == PlacementStep::Kind::kSlot && step.slot >= number) ++step.slot;
    }
    placement.steps.insert(placement.steps.begin() + static_cast<std::ptrdiff_t>(before_step),
                           {PlacementStep::Kind::kSlot, 0, 0, number});
    const SlotMask outside = (SlotMask{1} << number) - 1;
    const auto shift = [&](SlotMask& slots) {
      slots = (slots & outside) | (slots & ~outside) << 1;
    };
    for (SlotMask& slots : placement.must_loop) shift(slots);
    for (FactorRule& rule : placement.factors) shift(rule.slots);
    for (OrderRule& rule : placement.orders) shift(rule.slots);
    for (StationaryRule& rule : placement.stationary) shift(rule.slots);
    for (LanesRule& rule : placement.lanes) shift(rule.slots);
    shift(added);
    added |= SlotMask{1} << number;
  }

  // ---- placements ----

  // What must fit, by where it stands. Where something did not, more does not either.
  using Stored = std::vector<std::array<std::size_t, 3>>;  // place, memory, tensor
  using Refuted = std::map<std::string, std::vector<Stored>>;

  std::optional<Mapping> first_fit(const Mapspace& space) {
    Refuted refuted;
    for (std::uint32_t p = 0; p < space.placements().size(); ++p) {
      if (!budget_.spend()) break;
      std::optional<Point> point = fits(space.placements()[p], refuted);
      if (!point) continue;
      point->placement = p;
      return space.mapping(*point);
    }
    return std::nullopt;
  }

  std::optional<Point> fits(const Placement& placement, Refuted& refuted) {
    const Stored stored = stored_in(placement);
    std::vector<Stored>* known = nullptr;
    if (placement.filled.empty()) {
      known = &refuted[signature(placement)];
      for (const Stored& less : *known) {
        if (std::includes(stored.begin(), stored.end(), less.begin(), less.end())) {
          return std::nullopt;
        }
      }
    }
    std::optional<Point> point = fit_in(placement, problem_, arch_, footprints_, tuples_, budget_);
    if (!point && known != nullptr) known->push_back(stored);
    return point;
  }
  Stored stored_in(const Placement& placement) const {
    Stored stored;
    std::size_t place = 0;
    for (const PlacementStep& step : placement.steps) {
      if (step.kind == PlacementStep::Kind::kSlot) {
        ++place;
      } else if (arch_.memories[step.memory].size_bits) {
        for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
          if ((step.tensors >> t & 1u) != 0) stored.push_back({place, step.memory, t});
        }
      }
    }
    std::sort(stored.begin(), stored.end());
    return stored;
  }

  const Problem& problem_;
  Arch arch_;
  MapspaceOptions options_;
  Footprints footprints_;
  Tuples tuples_;
  FitBudget budget_;
  TensorMask everything_ = 0;
};

}  // namespace

Result<Fit> find_fit(const Problem& problem, const Arch& arch, const MapspaceOptions& options,
                     const Conventions& conventions, const FitLimits& limits) {
  Result<CountingContext> counting = make_counting_context(problem, arch, conventions);
  if (!counting.ok()) return counting.status();
  return Fitter(problem, arch, options, {*std::move(counting), make_workspace()}, limits).run();
}

}  // namespace loopscape
