// How many links the words of one tensor cross in one fan-out. It transforms counts, never
// recounts: counting says how many words go to which children, this module what that costs in
// links. The rules per network class, and why the closed forms equal them: interconnect.md.
//
//   std::int64_t hops;
//   if (!count_hops(context, nest, fanout, tensor, NetworkClass::kMesh,
//   tally.network[fanout][tensor],
//                   workspace, flag, hops)) ...  // kUnsupported
#pragma once

#include <cstdint>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/counting/counting.h"

namespace loopscape {

// Links crossed by the tensor's words in the fan-out's network (down, up and forwarded), summed
// over time and instances; `tally` is what count() says about them. False when they cannot be
// counted exactly (interconnect.md lists when).
bool count_hops(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                NetworkClass network_class, const NetworkTally& tally, Workspace& workspace,
                OverflowFlag& flag, std::int64_t& hops);

// The same for a fan-out that is counted as a trunk and rows (Span::two()): a bus, a crossbar, a
// chain or a multicast bus, whose links follow from the words alone. `trunk` cells lie on the last
// axis, `row` in each row.
std::int64_t bus_hops(NetworkClass network_class, std::int64_t trunk, std::int64_t row,
                      const NetworkTally& tally, OverflowFlag& flag);

}  // namespace loopscape
