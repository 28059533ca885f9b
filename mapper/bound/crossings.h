// Words that cross the boundaries between one store and the parents of its tensors. For this folder
// only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mapper/mapspace/mapspace.h"
#include "model/bounds/bounds.h"

namespace loopscape {

using Sizes = std::array<std::uint32_t, kMaxDims>;

// The loops outside a store, innermost first, and how far one tensor's run and march go.
struct Crossing {
  enum class Phase : std::uint8_t { kRun, kMarch, kEnded } phase = Phase::kRun;
  std::int8_t marching = -1, ended_by = -1;
  std::uint8_t end = 0;  // kEnded: how many loops belong to run and march
  std::uint8_t parent = 0;
  std::uint8_t parent_at = 0;  // how many loops lie inside the parent
  bool parent_met = false;

  bool ended() const { return phase == Phase::kEnded; }
};

class Crossings {
 public:
  Crossings(const Evaluator& evaluator, Factors factors);

  // Takes notice of loop number `at`, the next one outside.
  void meet(std::size_t tensor, const MappingNode& loop, std::size_t at, Crossing& crossing) const;
  // Would a temporal loop over this dimension leave run or march open?
  bool stays_open(std::size_t tensor, std::size_t dim, const Crossing& crossing) const;

  // Words at the parent of a tensor with this tile at `memory`; nothing if the model does not count
  // them. All lanes up to the parent are among the loops.
  std::optional<std::int64_t> words(std::size_t tensor, std::uint8_t memory, const Sizes& tile,
                                    const std::vector<MappingNode>& loops,
                                    const Crossing& crossing);
  // Does the model count this mapping?
  bool counts(const Mapping& mapping) { return evaluator_.evaluate(mapping, *scratch_).ok(); }
  // No boundary moves fewer.
  std::int64_t least_words(std::size_t tensor) const { return counter_.all_words(tensor); }
  std::int64_t tile_bits(TensorMask tensors, const Sizes& tile) const;

  DimMask relevant(std::size_t tensor) const { return counter_.relevant(tensor); }
  DimMask sliding(std::size_t tensor) const { return counter_.sliding(tensor); }
  // Dimensions whose indices are not words one by one.
  DimMask complex(std::size_t tensor) const { return counter_.complex(tensor); }
  std::uint64_t work() const { return work_; }

 private:
  struct Copies {
    bool apart = true;  // false: lanes are to be counted with everything else
    std::int64_t number = 1;
  };
  Copies copies(const BoundaryLoops& boundary) const;
  std::optional<std::int64_t> demand(const BoundaryLoops& boundary, std::size_t end);
  std::optional<std::int64_t> counted(const BoundaryLoops& boundary);

  Evaluator evaluator_;
  const Problem& problem_;
  bool perfect_;
  ScratchPtr scratch_;
  std::array<TensorMask, kMaxFanouts> shares_{}, forwards_{};
  BoundaryCounter counter_;
  std::uint64_t work_ = 0;
  std::vector<MappingNode> kept_;
  std::vector<std::int64_t> bits_;
  std::unordered_map<std::string, std::int64_t> known_;  // demands; -1: the model does not count it
};

}  // namespace loopscape
