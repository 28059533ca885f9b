// The reasons for which the model may refuse a mapping (model/counting/counting.md B9), judged from
// the mapping and its setting alone.
#pragma once

#include <array>
#include <cstdint>

#include "model/evaluate/bound.h"  // for the names of the reasons
#include "tests/reference/setting.h"

namespace loopscape::reference {

inline constexpr std::array<Refusal, 6> kRefusals = {
    Refusal::kSlidingOutput,    Refusal::kCopies,         Refusal::kTwoForwarders,
    Refusal::kUnevenResidences, Refusal::kTooManyIndices, Refusal::kHops};
const char* name_of(Refusal reason);

// Is what B9 says of this reason true of the mapping?
bool holds(Refusal reason, const Setting& setting, const Mapping& mapping);

}  // namespace loopscape::reference
