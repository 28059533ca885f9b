#include "tests/optimality/optimal_features.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace loopscape {
namespace {

using F = Feature;

constexpr std::array<const char*, kFeatures> kNames = {"gemm",
                                                       "batched",
                                                       "conv",
                                                       "strided",
                                                       "dilated",
                                                       "depthwise",
                                                       "transposed",
                                                       "elementwise",
                                                       "pool",
                                                       "three_inputs",
                                                       "memories1",
                                                       "memories2",
                                                       "memories3",
                                                       "memories4",
                                                       "fanouts0",
                                                       "fanouts1",
                                                       "fanouts2",
                                                       "fanouts3",
                                                       "ragged",
                                                       "perfect",
                                                       "even",
                                                       "uneven",
                                                       "physical",
                                                       "timeloop",
                                                       "previous_tile",
                                                       "energy",
                                                       "delay",
                                                       "edp",
                                                       "ed2p",
                                                       "max_cycles",
                                                       "max_energy",
                                                       "front",
                                                       "factors",
                                                       "order",
                                                       "dims",
                                                       "axis_dims",
                                                       "keep",
                                                       "bypass",
                                                       "lanes",
                                                       "filled",
                                                       "stationary",
                                                       "dataflow",
                                                       "capacity",
                                                       "split_window",
                                                       "generated",
                                                       "bandwidth",
                                                       "network_bandwidth",
                                                       "width",
                                                       "hops",
                                                       "leakage",
                                                       "latency",
                                                       "single",
                                                       "double",
                                                       "buffet",
                                                       "systolic",
                                                       "grid",
                                                       "forward"};

bool is_one_of(F feature, std::initializer_list<F> some) {
  return std::find(some.begin(), some.end(), feature) != some.end();
}

bool needs_fanout(F f) {
  return is_one_of(f, {F::kAxisDims, F::kLanes, F::kSplitWindow, F::kNetworkBandwidth, F::kHops,
                       F::kSystolic, F::kGrid, F::kForward});
}
bool needs_buffer(F f) {
  return is_one_of(f, {F::kKeep, F::kBypass, F::kFilled, F::kCapacity, F::kUneven});
}
// Only with a rank of two dimensions whose windows may overlap.
bool without_window(F kind) { return is_one_of(kind, {F::kGemm, F::kBatched, F::kElementwise}); }

bool excludes(F a, F b) {
  if (a == F::kFanouts0 && needs_fanout(b)) return true;
  if (a == F::kMemories1 && needs_buffer(b)) return true;
  if (without_window(a) && is_one_of(b, {F::kSplitWindow, F::kGenerated})) return true;
  // Only ranks of inputs are generated.
  if (a == F::kTransposed && b == F::kGenerated) return true;
  // Nothing to choose but an order of loops without effect.
  return a == F::kMemories1 && b == F::kFanouts0;
}

}  // namespace

const std::vector<std::vector<Feature>>& feature_groups() {
  static const std::vector<std::vector<Feature>> all = {
      {F::kGemm, F::kBatched, F::kConv, F::kStrided, F::kDilated, F::kDepthwise, F::kTransposed,
       F::kElementwise, F::kPool, F::kThreeInputs},
      {F::kMemories1, F::kMemories2, F::kMemories3, F::kMemories4},
      {F::kFanouts0, F::kFanouts1, F::kFanouts2, F::kFanouts3},
      {F::kRagged, F::kPerfect},
      {F::kEven, F::kUneven},
      {F::kPhysical, F::kTimeloop},
      {F::kEnergy, F::kDelay, F::kEdp, F::kEd2p}};
  return all;
}

std::string name_of(Feature feature) { return kNames[static_cast<std::size_t>(feature)]; }

std::optional<Feature> feature_called(const std::string& name) {
  for (std::size_t f = 0; f < kFeatures; ++f) {
    if (name == kNames[f]) return static_cast<Feature>(f);
  }
  return std::nullopt;
}

bool possible(Feature a, Feature b) {
  for (const std::vector<Feature>& group : feature_groups()) {
    const bool has_a = std::find(group.begin(), group.end(), a) != group.end();
    if (has_a && a != b && std::find(group.begin(), group.end(), b) != group.end()) return false;
  }
  return !excludes(a, b) && !excludes(b, a);
}

}  // namespace loopscape
