#include "model/interconnect/interconnect.h"

#include <algorithm>

#include "model/interconnect/cells.h"

namespace loopscape {
namespace {

// The first axis with a lane over a dimension irrelevant to the tensor, else the last one.
int stream_axis(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                const Cells& cells) {
  const DimMask relevant = context.tensor[static_cast<std::size_t>(tensor)].relevant;
  int first = cells.axes - 1;
  for (int i = 0; i < nest.loops; ++i) {
    const NestLoop& loop = nest.loop[static_cast<std::size_t>(i)];
    if (!loop.spatial || loop.fanout != fanout || ((relevant >> loop.dim) & 1u) != 0) continue;
    first = std::min(first, cells.place_of(loop.axis));
  }
  return first;
}

class HopCounter {
 public:
  HopCounter(const CountingContext& context, const Nest& nest, int fanout, int tensor,
             NetworkClass network_class, const NetworkTally& tally, Workspace& workspace,
             OverflowFlag& flag)
      : context_(context),
        nest_(nest),
        fanout_(fanout),
        tensor_(tensor),
        class_(network_class),
        tally_(tally),
        workspace_(workspace),
        flag_(flag),
        cells_(make_cells(context, fanout, flag)) {
    const int axes = cells_.axes;
    for (int j = 0; j < axes; ++j) route_.axis[static_cast<std::size_t>(j)] = axes - 1 - j;
    if (class_ != NetworkClass::kSystolic) return;
    const int stream = stream_axis(context, nest, fanout, tensor, cells_);
    int j = 0;
    for (int a = 0; a < axes; ++a) {
      if (a != stream) route_.axis[static_cast<std::size_t>(j++)] = a;
    }
    route_.axis[static_cast<std::size_t>(j)] = stream;
  }

  bool input(std::int64_t& hops) {
    const Forwarding who = forwarding(context_, nest_, fanout_, tensor_);
    if (who == Forwarding::kSeveral) return false;
    if (class_ == NetworkClass::kBus) {
      hops = flag_.mul(tally_.words_in, cells_.all);
    } else if (class_ == NetworkClass::kCrossbar && who == Forwarding::kNobody) {
      hops = tally_.words_delivered;
    } else if (class_ == NetworkClass::kChain && who == Forwarding::kNobody) {
      hops = tally_.words_delivered - tally_.words_in;
    } else if (!sent(Passage::kDemand, hops)) {
      return false;
    }
    if (who == Forwarding::kThisOne) hops = flag_.add(hops, tally_.forwarded);
    return true;
  }

  bool output(std::int64_t& hops) {
    std::int64_t down = 0;
    if (class_ == NetworkClass::kBus) {
      hops = flag_.mul(tally_.words_out, cells_.all);
    } else if (class_ == NetworkClass::kCrossbar) {
      hops = tally_.words_collected;
    } else if (class_ == NetworkClass::kChain) {
      hops = tally_.words_collected - tally_.words_out;
    } else if (!sent(Passage::kDemand, hops)) {
      return false;
    }
    const bool one = context_.conventions.refill == Conventions::Refill::kOneChild;
    if (!(one ? refill_one(down) : refill_every(down))) return false;
    hops = flag_.add(hops, down);
    return true;
  }

 private:
  // To the lowest child of each group (H4).
  bool refill_one(std::int64_t& hops) {
    const std::int64_t refills = tally_.words_in;
    hops = 0;
    if (class_ == NetworkClass::kChain) return true;  // one child: no link between two
    const Refills which = loopscape::refills(context_, nest_, fanout_, tensor_);
    if (class_ == NetworkClass::kBus || class_ == NetworkClass::kCrossbar || refills == 0) {
      hops = class_ == NetworkClass::kBus ? flag_.mul(refills, cells_.all) : refills;
      return true;
    }
    std::int64_t words = 0, visits = 0, links = 0;  // links: of each word once
    if (which == Refills::kNumberOnly || !sent(Passage::kLowest, links, &words)) return false;
    if (which == Refills::kEven) {
      if (words != 0) hops = flag_.mul(links, refills / words);
      return true;
    }
    if (!sent(Passage::kLowestVisit, hops, &visits)) return false;
    if (words != 0) hops = flag_.sub(hops, flag_.mul(links, (visits - refills) / words));
    return true;
  }

  bool refill_every(std::int64_t& hops) {
    std::int64_t visits = 0, zero_starts = 0;
    if (!sent(Passage::kEveryVisit, visits) || !sent(Passage::kEveryZeroStart, zero_starts)) {
      return false;
    }
    hops = flag_.sub(visits, zero_starts);
    return true;
  }

  // Links of all words on that passage; `words`: how many are sent.
  bool sent(Passage passage, std::int64_t& hops, std::int64_t* words = nullptr) {
    hops = 0;
    const bool tree = class_ == NetworkClass::kTree;
    return destinations(context_, nest_, fanout_, tensor_, passage, workspace_, flag_,
                        [&](const Destinations& to) {
                          std::int64_t here = 0;
                          if (tree && !tree_edges(to, cells_, flag_, here)) return false;
                          if (!tree || words != nullptr) {
                            const Reach reach = reach_of(to, cells_, route_, flag_);
                            if (words != nullptr) *words = flag_.add(*words, reach.cells[0]);
                            if (!tree) here = links(reach);
                          }
                          hops = flag_.add(hops, here);
                          return true;
                        });
  }

  std::int64_t links(const Reach& reach) {
    const auto axes = static_cast<std::size_t>(cells_.axes);
    const std::int64_t last = cells_.size[axes - 1];
    switch (class_) {
      case NetworkClass::kFree:
      case NetworkClass::kTree:
        break;
      case NetworkClass::kBus:
        return flag_.mul(reach.cells[0], cells_.all);
      case NetworkClass::kCrossbar:
        return reach.cells[axes];
      case NetworkClass::kMulticastBus:
        if (axes == 1) return flag_.mul(reach.cells[0], last);
        return flag_.add(flag_.mul(reach.cells[0], last),
                         flag_.mul(reach.cells[1], cells_.all / last));
      case NetworkClass::kMesh: {
        std::int64_t sum = reach.cells[0];
        for (std::size_t j = 0; j < axes; ++j) sum = flag_.add(sum, reach.farthest[j]);
        return sum;
      }
      case NetworkClass::kChain:
        return reach.cells[axes] - reach.cells[0];
      case NetworkClass::kSystolic:
        return flag_.add(reach.farthest[axes - 1], reach.cells[axes - 1]);
    }
    return 0;
  }

  const CountingContext& context_;
  const Nest& nest_;
  int fanout_, tensor_;
  NetworkClass class_;
  const NetworkTally& tally_;
  Workspace& workspace_;
  OverflowFlag& flag_;
  Cells cells_;
  Route route_;
};

}  // namespace

bool count_hops(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                NetworkClass network_class, const NetworkTally& tally, Workspace& workspace,
                OverflowFlag& flag, std::int64_t& hops) {
  hops = 0;
  if (network_class == NetworkClass::kFree || !tally.used) return true;
  HopCounter counter(context, nest, fanout, tensor, network_class, tally, workspace, flag);
  const bool output = context.tensor[static_cast<std::size_t>(tensor)].is_output;
  return output ? counter.output(hops) : counter.input(hops);
}

std::int64_t bus_hops(NetworkClass network_class, std::int64_t trunk, std::int64_t row,
                      const NetworkTally& tally, OverflowFlag& flag) {
  const std::int64_t sent = flag.add(tally.words_in, tally.words_out);
  if (network_class == NetworkClass::kBus) return flag.mul(sent, flag.mul(trunk, row));
  if (network_class == NetworkClass::kCrossbar) {
    return flag.add(tally.words_delivered, tally.words_collected);
  }
  if (network_class == NetworkClass::kChain) {
    return flag.add(tally.words_delivered, tally.words_collected) - sent;
  }
  if (network_class != NetworkClass::kMulticastBus) return 0;
  return flag.add(flag.mul(sent, trunk), flag.mul(flag.add(tally.rows_in, tally.rows_out), row));
}

}  // namespace loopscape
