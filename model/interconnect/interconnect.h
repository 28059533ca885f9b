// Links that words cross in a fan-out's network; the rules are in interconnect.md.
#pragma once

#include "model/counting/counting.h"

namespace loopscape {

// Links crossed by a tensor's words in a fan-out's network (down, up and forwarded), summed over
// time and instances. False when they cannot be counted exactly.
bool count_hops(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                NetworkClass network_class, const NetworkTally& tally, Workspace& workspace,
                OverflowFlag& flag, std::int64_t& hops);

}  // namespace loopscape
