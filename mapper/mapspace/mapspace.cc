#include "mapper/mapspace/mapspace.h"

#include <utility>

#include "mapper/mapspace/placements.h"

namespace loopscape {

Result<Mapspace> Mapspace::create(const Problem& problem, const Arch& arch,
                                  const MapspaceOptions& options) {
  Result<std::vector<Placement>> placements = make_placements(problem, arch, options);
  if (!placements.ok()) return placements.status();
  Mapspace space;
  space.problem_ = problem;
  space.arch_ = arch;
  space.options_ = options;
  space.placements_ = std::move(placements).value();
  return space;
}

Mapping Mapspace::mapping(const Point& point) const {
  Mapping mapping;
  const Placement& placement = placements_[point.placement];
  for (const PlacementStep& step : placement.steps) {
    if (step.kind == PlacementStep::Kind::kStore) {
      const std::size_t last = mapping.size();
      const bool same = last > 0 && mapping[last - 1].kind == LoopKind::kStore &&
                        mapping[last - 1].id == step.memory;
      if (same) {  // no loop between two stores of one memory: they are one
        mapping[last - 1].tensors =
            static_cast<TensorMask>(mapping[last - 1].tensors | step.tensors);
      } else {
        mapping.push_back(MappingNode::store(static_cast<MemoryId>(step.memory), step.tensors));
      }
      continue;
    }
    const Slot& slot = placement.slots[step.slot];
    for (const Point::Loop& loop : point.slots[step.slot]) {
      const auto dim = static_cast<DimId>(loop.dim);
      mapping.push_back(slot.kind == Slot::Kind::kAxis
                            ? MappingNode::spatial(dim, loop.bound, static_cast<AxisId>(slot.axis))
                            : MappingNode::loop(dim, loop.bound));
    }
  }
  return mapping;
}

std::string Mapspace::words() const {
  return std::string("canonical, ") + (options_.stores == Stores::kEven ? "even" : "uneven") +
         ", " + (options_.factors == Factors::kRagged ? "ragged" : "perfect");
}

}  // namespace loopscape
