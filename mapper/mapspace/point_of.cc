// The point of the space that a mapping is, or why it is none.
#include <algorithm>
#include <utility>

#include "mapper/mapspace/arrange.h"
#include "mapper/mapspace/mapspace.h"

namespace loopscape {
namespace {

// Fills a point of one placement with the loops of a mapping, from the outside in.
class Fitter {
 public:
  Fitter(const Mapspace& space, std::size_t placement, const Mapping& mapping)
      : placement_(space.placements()[placement]), mapping_(mapping) {
    point_.placement = static_cast<std::uint32_t>(placement);
    point_.slots.resize(placement_.slots.size());
  }

  // Stores must be the placement's; a loop goes into the outermost slot that takes it between the
  // stores around it.
  bool stores_match() {
    std::size_t step = 0;
    for (const MappingNode& node : mapping_) {
      if (node.kind == LoopKind::kStore) {
        TensorMask rest = node.tensors;
        while (rest != 0) {
          step = next_store(step);
          if (step == placement_.steps.size()) return false;
          const PlacementStep& store = placement_.steps[step++];
          if (store.memory != node.id || (store.tensors & ~rest) != 0) return false;
          rest = static_cast<TensorMask>(rest & ~store.tensors);
        }
        slot_ = 0;
      } else if (node.bound > 1 && !put(node, step)) {
        return false;
      }
    }
    return next_store(step) == placement_.steps.size();
  }
  Point point() && { return std::move(point_); }

 private:
  std::size_t next_store(std::size_t step) const {
    while (step < placement_.steps.size() &&
           placement_.steps[step].kind != PlacementStep::Kind::kStore) {
      ++step;
    }
    return step;
  }

  bool put(const MappingNode& node, std::size_t step) {
    for (; step < placement_.steps.size(); ++step) {
      if (placement_.steps[step].kind == PlacementStep::Kind::kStore) return false;
      const std::size_t s = placement_.steps[step].slot;
      const Slot& slot = placement_.slots[s];
      if (s < slot_ || !takes(slot, node)) continue;
      std::vector<Point::Loop>& loops = point_.slots[s];
      loops.push_back({node.id, node.bound});
      slot_ = s;
      return true;
    }
    return false;
  }

  static bool takes(const Slot& slot, const MappingNode& node) {
    if (node.kind == LoopKind::kSpatial) {
      return slot.kind == Slot::Kind::kAxis && slot.axis == node.axis;
    }
    return slot.kind != Slot::Kind::kAxis;
  }

  const Placement& placement_;
  const Mapping& mapping_;
  Point point_;
  std::size_t slot_ = 0;
};

// Is the point one of its placement? Looked at loop by loop, so that no space is too large.
class PointCheck {
 public:
  PointCheck(const Mapspace& space, const Point& point)
      : space_(space),
        placement_(space.placements()[point.placement]),
        point_(point),
        loops_(placement_.slots.size()),
        lanes_(placement_.slots.size(), 1) {}

  bool run() {
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      if (!slot(s)) return false;
    }
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      if ((loops_[s] & ~split_above(s)) != 0) return false;
    }
    const Arranger arranger(placement_);
    if (!arranger.possible(loops_, true) || !lanes_allowed(placement_, lanes_)) return false;
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      std::vector<std::uint8_t> order;
      for (const Point::Loop& loop : point_.slots[s]) order.push_back(loop.dim);
      if (!arranger.fits(s, order)) return false;
    }
    for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
      if (!chain(d) || !factors(d)) return false;
    }
    return true;
  }

 private:
  bool slot(std::size_t s) {
    const Slot& its = placement_.slots[s];
    for (const Point::Loop& loop : point_.slots[s]) {
      const auto one = static_cast<DimMask>(1u << loop.dim);
      if ((its.dims & one) == 0 || (loops_[s] & one) != 0) return false;
      loops_[s] = static_cast<DimMask>(loops_[s] | one);
      lanes_[s] *= loop.bound;
      if (its.kind == Slot::Kind::kAxis && lanes_[s] > its.size) return false;
    }
    return true;
  }

  // The dimensions that may loop in the slot, its fan-out being as it is.
  DimMask split_above(std::size_t s) const {
    DimMask split = 0;
    if (placement_.slots[s].kind != Slot::Kind::kUnderFanout) return static_cast<DimMask>(~split);
    for (std::size_t a = 0; a < placement_.slots.size(); ++a) {
      const Slot& axis = placement_.slots[a];
      if (axis.kind == Slot::Kind::kAxis && axis.fanout == placement_.slots[s].fanout) {
        split = static_cast<DimMask>(split | loops_[a]);
      }
    }
    return split;
  }

  std::uint64_t bound(std::size_t s, std::size_t d) const {
    for (const Point::Loop& loop : point_.slots[s]) {
      if (loop.dim == d) return loop.bound;
    }
    return 1;
  }

  bool chain(std::size_t d) const {
    const auto extent = static_cast<std::uint64_t>(space_.problem().dims[d].extent);
    std::uint64_t product = 1;
    for (std::size_t s = placement_.slots.size(); s-- > 0;) {
      if (bound(s, d) == 1) continue;
      // Inner products below the extent and no empty iteration of the outermost loop.
      if (product >= extent || product * (bound(s, d) - 1) >= extent) return false;
      product *= bound(s, d);
    }
    return space_.options().factors == Factors::kPerfect ? product == extent : product >= extent;
  }

  bool factors(std::size_t d) const {
    for (const FactorRule& rule : placement_.factors) {
      if (rule.dim != d) continue;
      std::uint64_t product = 1;
      for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
        if ((rule.slots >> s & 1u) != 0) product *= bound(s, d);
      }
      if (product < static_cast<std::uint64_t>(rule.least) ||
          product > static_cast<std::uint64_t>(rule.most)) {
        return false;
      }
    }
    return true;
  }

  const Mapspace& space_;
  const Placement& placement_;
  const Point& point_;
  std::vector<DimMask> loops_;
  std::vector<std::uint64_t> lanes_;
};

}  // namespace

Result<Point> Mapspace::point_of(const Mapping& mapping) const {
  if (Status status = validate_mapping(mapping, problem_, arch_); !status.ok()) return status;
  const std::vector<std::string> violations = constraint_violations(mapping, problem_, arch_);
  for (std::size_t p = 0; p < placements_.size(); ++p) {
    Fitter fitter(*this, p, mapping);
    if (!fitter.stores_match()) continue;
    Point point = std::move(fitter).point();
    if (PointCheck(*this, point).run()) return point;
  }
  if (!violations.empty()) return Status(StatusCode::kInvalidInput, violations.front());
  return Status(StatusCode::kInvalidInput,
                "the mapping is legal but not in the searched space (" + words() + ")");
}

}  // namespace loopscape
