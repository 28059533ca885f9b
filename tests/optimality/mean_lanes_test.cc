// The mean lane of a spatial loop, against every index's lane.
#include "mapper/search/mean_lanes.h"

#include <algorithm>
#include <cstdint>

#include <catch2/catch.hpp>

namespace loopscape {
namespace {

// With tiles of this size inside the loop: indices of the first lane, and the mean lane of all.
struct Counted {
  double in_line = 0, mean = 0;
};

Counted count(std::int64_t extent, std::int64_t bound, std::int64_t tile) {
  Counted counted;
  for (std::int64_t i = 0; i < extent; ++i) {
    const std::int64_t lane = i / tile % bound;
    counted.in_line += lane == 0;
    counted.mean += static_cast<double>(lane);
  }
  counted.mean /= static_cast<double>(extent);
  return counted;
}

}  // namespace

TEST_CASE("mean lanes: the least is that of the tiles that leave so few indices to a lane") {
  KnownMeanLanes known;
  int told = 0, untold = 0;
  for (std::int64_t extent = 1; extent <= 30; ++extent) {
    for (const MeanLanes::Loop& loop :
         {MeanLanes::Loop{extent, 1, 2, 1}, MeanLanes::Loop{extent, 1, 5, 4},
          MeanLanes::Loop{extent, 2, 3, 2}, MeanLanes::Loop{extent, 3, 2, 3},
          MeanLanes::Loop{extent, 1, 4, 8}}) {
      for (std::int64_t most = 1; most <= extent; ++most) {
        double least = static_cast<double>(loop.bound - 1);
        for (std::int64_t tile = loop.inside; tile * loop.full_lanes < extent; ++tile) {
          const Counted counted = count(extent, loop.bound, tile);
          if (counted.in_line > static_cast<double>(most)) continue;
          least = std::min(least, counted.mean);
        }
        INFO("extent " << extent << ", inside " << loop.inside << ", bound " << loop.bound
                       << ", at most " << most);
        CHECK(known.of(loop)->least(static_cast<double>(most)) == Approx(least));
        (least < static_cast<double>(loop.bound - 1) ? told : untold) += 1;
      }
    }
  }
  CHECK(told > 500);
  CHECK(untold > 50);
}

}  // namespace loopscape
