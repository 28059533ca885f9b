// Looking at a memory instance by instance, where the first does not stand for all (D6).
// Internal to model/evaluate.
#pragma once

#include <array>
#include <cstdint>

#include "model/evaluate/bound.h"

namespace loopscape {

// The tensor's stop at the memory; -1: it is not stored there.
int stop_at(const Nest& nest, std::size_t tensor, std::size_t memory);
// The memory of the tensor's next stop further in; -1: compute.
int child_memory(const Nest& nest, std::size_t tensor, std::size_t memory);

// How many loops lie outside the memory's innermost store.
int deepest_position(const BoundModel& model, const Sheet& sheet, std::size_t memory);

Words instance_words(const BoundModel& model, const Sheet& sheet, Workspace& workspace,
                     std::size_t memory, std::size_t tensor, const std::uint32_t* lane,
                     OverflowFlag& flag);

// Why an output is not counted by instance.
Refusal instances_refusal(const BoundModel& model, const Sheet& sheet, std::size_t memory,
                          std::size_t tensor);

// Calls visit(lane) for every tuple of spatial indices outside `position`, lane indexed by loop.
template <class Visit>
void for_each_instance(const Nest& nest, int position, Visit visit) {
  std::array<std::uint32_t, kMaxMappingNodes> lane{};
  while (true) {
    visit(lane.data());
    int i = position - 1;
    for (; i >= 0; --i) {
      const auto k = static_cast<std::size_t>(i);
      if (!nest.loop[k].spatial) continue;
      if (++lane[k] < nest.loop[k].bound) break;
      lane[k] = 0;
    }
    if (i < 0) return;
  }
}

}  // namespace loopscape
