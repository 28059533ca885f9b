#include "model/evaluate/instances.h"

#include <algorithm>

namespace loopscape {

int stop_at(const Nest& nest, std::size_t tensor, std::size_t memory) {
  for (int s = 0; s < nest.stops[tensor]; ++s) {
    if (nest.stop[tensor][static_cast<std::size_t>(s)].memory == memory) return s;
  }
  return -1;
}

int child_memory(const Nest& nest, std::size_t tensor, std::size_t memory) {
  const int child = stop_at(nest, tensor, memory) + 1;
  return child < nest.stops[tensor] ? nest.stop[tensor][static_cast<std::size_t>(child)].memory
                                    : -1;
}

int deepest_position(const BoundModel& model, const Sheet& sheet, std::size_t memory) {
  int position = 0;
  for (std::size_t t = 0; t < model.counting.tensors; ++t) {
    const int s = stop_at(sheet.nest, t, memory);
    if (s < 0) continue;
    position = std::max<int>(position, sheet.nest.stop[t][static_cast<std::size_t>(s)].position);
  }
  return position;
}

Words instance_words(const BoundModel& model, const Sheet& sheet, Workspace& workspace,
                     std::size_t memory, std::size_t tensor, const std::uint32_t* lane,
                     OverflowFlag& flag) {
  return words_of_instance(model.counting, sheet.nest, workspace, static_cast<int>(tensor),
                           stop_at(sheet.nest, tensor, memory), lane, flag);
}

Refusal instances_refusal(const BoundModel& model, const Sheet& sheet, std::size_t memory,
                          std::size_t tensor) {
  const DimMask sliding = model.counting.tensor[tensor].sliding;
  const int stop = stop_at(sheet.nest, tensor, memory);
  const int position = sheet.nest.stop[tensor][static_cast<std::size_t>(stop)].position;
  for (int i = 0; i < position; ++i) {
    const NestLoop& loop = sheet.nest.loop[static_cast<std::size_t>(i)];
    if (loop.spatial && ((sliding >> loop.dim) & 1u) != 0) return Refusal::kSlidingOutput;
  }
  return Refusal::kUnevenResidences;
}

}  // namespace loopscape
