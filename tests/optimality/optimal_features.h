// What a random world of the search's proof may hold.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace loopscape {

enum class Feature : std::uint8_t {
  // kind of problem: one of these
  kGemm,
  kBatched,
  kConv,
  kStrided,
  kDilated,
  kDepthwise,
  kTransposed,
  kElementwise,
  kPool,
  kThreeInputs,
  // how many memories, fan-outs: one of each
  kMemories1,
  kMemories2,
  kMemories3,
  kMemories4,
  kFanouts0,
  kFanouts1,
  kFanouts2,
  kFanouts3,
  // mapspace: one of each
  kRagged,
  kPerfect,
  kEven,
  kUneven,
  // conventions: one preset
  kPhysical,
  kTimeloop,
  kPreviousTile,
  // what is looked for: one objective
  kEnergy,
  kDelay,
  kEdp,
  kEd2p,
  kMaxCycles,
  kMaxEnergy,
  kFront,
  // constraints
  kFactors,
  kOrder,
  kDims,
  kAxisDims,
  kKeep,
  kBypass,
  kLanes,
  kFilled,
  kStationary,
  kDataflow,
  // the machine
  kCapacity,     // some mapping does not fit
  kSplitWindow,  // some legal mapping has lanes over a sliding dimension
  kGenerated,    // padding that is generated, not moved
  kBandwidth,
  kNetworkBandwidth,
  kWidth,  // access-width rounding
  kHops,   // hop energies
  kLeakage,
  kLatency,
  kSingle,
  kDouble,
  kBuffet,
  kSystolic,
  kGrid,  // mesh or tree
  kForward,
  kCount
};
inline constexpr std::size_t kFeatures = static_cast<std::size_t>(Feature::kCount);
using FeatureSet = std::bitset<kFeatures>;

std::string name_of(Feature feature);
std::optional<Feature> feature_called(const std::string& name);
// Of the members of a group every world has exactly one.
const std::vector<std::vector<Feature>>& feature_groups();
// Can one world have both?
bool possible(Feature a, Feature b);

}  // namespace loopscape
