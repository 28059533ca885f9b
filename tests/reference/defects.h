// Planted defects: for each rule of counting.md one way to get it wrong. The tests run the
// simulator with each of them and require that the comparison with the model notices.
#pragma once

#include <array>
#include <string_view>

namespace loopscape::reference {

enum class Defect {
  kNone,
  // A1, A2: tiles
  kEdgeNotCut,      // the last tile of a ragged dimension is as large as the others
  kIdleLanesWork,   // lanes beyond the edge of the problem do as the others
  kBoxForDistinct,  // footprint: box whatever the convention says
  kDistinctForBox,  // footprint: distinct whatever the convention says
  kBoxForOutputs,   // box applies to the words that an output moves
  kPaddingMoves,    // padding_free ignored
  // A4, A5: arrivals
  kNoRun,                // irrelevant loops fetch the tile again
  kRunPastRelevant,      // the run goes on past a relevant loop
  kNoMarch,              // sliding tiles are fetched whole
  kMarchPastSpatial,     // a spatial loop over the marching dimension does not end the march
  kMarchPastIrrelevant,  // an irrelevant loop does not end the march
  kMarchNotSplit,        // a march ends at its first loop
  kMarchForPrevious,     // reuse: march whatever the convention says
  kPreviousForMarch,     // reuse: previous_tile whatever the convention says
  kIdleForgets,          // previous_tile: an idle instance loses its tile
  // A6: networks
  kNothingShared,        // no network shares
  kAllShared,            // every network shares
  kOuterSharesAlone,     // of two consecutive fan-outs only the outer one shares
  kInnerSharesAlone,     // of two consecutive fan-outs only the inner one shares
  kCopiesMerge,          // copies of a word from an unshared fan-out are one word further up
  kAnyWordForEqual,      // sharing: any_word whatever the convention says
  kEqualForAnyWord,      // sharing: equal_delta whatever the convention says
  kNoForwarding,         // forward lists ignored
  kForwardFromLeftOnly,  // only the lower neighbour forwards
  kForwardAcrossTurns,   // whole tiles are forwarded as well
  kForwardOuterLoop,     // chains follow an axis' outermost spatial loop
  kNoForwardAtCompute,   // lanes above compute do not forward
  // A7: outputs
  kRefillSwapped,         // refill: one for every and every for one
  kRefillLastChild,       // refill: one enters the highest-numbered child
  kFirstVisitsRead,       // first visits bring zeros back as well
  kNoRefills,             // partial sums never come back
  kFirstVisitPerChild,    // each child of a group starts a word from zero once
  kFirstVisitsForgotten,  // a resumed tile starts from zero at the inner memories
  kNoDrains,              // drains not counted
  // A8: bits
  kDrainReadsSwapped,     // drain_reads inverted
  kRoundTotals,           // accesses rounded over all instances together
  kRoundActionsTogether,  // drains rounded together with reads
  kNoRounding,            // accesses are words
  kFinalBitsIgnored,      // every visit moves `bits`
  kFinalBitsAlways,       // last visits move final_bits where the value is not complete
  kFinalBitsEveryVisit,   // every visit moves final_bits
  // A9: time
  kStepsNotCut,           // steps are the product of the bounds
  kFirstInstance,         // instance 0 instead of the busiest
  kMeanInstance,          // the average instead of the busiest
  kDoubleWhole,           // double: whole capacity usable
  kCapacityLargestStore,  // capacity: largest store instead of the sum
  kDoubleHidesAll,        // double: nothing exposed
  kBuffetAsDouble,        // buffet: whole tiles exposed
  kSingleOverlaps,        // single: as ideal
  kSingleOneEnd,          // single: transfers leave the overlapped part of the child only
  kDrainAtFullBits,       // last drain at `bits`
  kRateOfChildOnly,       // rate_in, rate_out: the parent's bandwidth ignored
  kNetworkOneInstance,    // network bandwidth: not divided by the instances of the fan-out
  kNetworkDownOnly,       // network bandwidth: words_in only
  kSkewOfLanes,           // skew of the lanes in use
  kNoSkew,                // no skew
  kFoldsOfOutput,         // folds of the output whatever is stationary
  kNeverPipelined,        // skew of every fold also where folds follow without a gap
  kNoPreload,             // operand preload hidden always
  kPreloadOtherAxis,      // preload of the first axis
  kNoLatency,             // latencies ignored
  kLatencyWithoutStore,   // latencies of memories that store nothing
  kCeilTogether,          // one rounding of the sum of both parts
  // A10 and model.md 8, 9
  kUsedLeak,   // unused instances do not leak
  kGatedLeak,  // power-gated instances leak
  kCount
};

std::string_view name_of(Defect defect);
std::string_view rule_of(Defect defect);

}  // namespace loopscape::reference
