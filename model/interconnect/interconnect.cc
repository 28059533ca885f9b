#include "model/interconnect/interconnect.h"

namespace loopscape {

bool count_hops(const CountingContext& context, const Nest&, int fanout, int,
                NetworkClass network_class, const NetworkTally& tally, Workspace&,
                OverflowFlag& flag, std::int64_t& hops) {
  if (network_class == NetworkClass::kFree) {
    hops = 0;
    return true;
  }
  if (network_class != NetworkClass::kBus) return false;
  std::int64_t children = 1;
  for (std::size_t a = 0; a < context.axes; ++a) {
    if (context.axis_fanout[a] == fanout) children = flag.mul(children, context.axis_size[a]);
  }
  hops = flag.add(flag.mul(flag.add(tally.words_in, tally.words_out), children), tally.forwarded);
  return true;
}

}  // namespace loopscape
