#include "mapper/search/mean_lanes.h"

#include <algorithm>

namespace loopscape {

// Tiles inside the loop are no smaller than the lanes there and leave something for the last lane
// of the outermost loop; the first lane has a tile in every round.
MeanLanes::MeanLanes(const Loop& loop) : last_(static_cast<double>(loop.bound - 1)) {
  const auto [extent, inside, bound, full_lanes] = loop;
  for (std::int64_t tile = inside; tile * full_lanes < extent; ++tile) {
    const std::int64_t rounds = (extent - 1) / (tile * bound);
    const std::int64_t rest = extent - rounds * tile * bound, full = rest / tile;
    const std::int64_t sum = rounds * tile * (bound * (bound - 1) / 2) +
                             tile * (full * (full - 1) / 2) + full * (rest - full * tile);
    by_line_.emplace_back(static_cast<double>(rounds * tile + std::min(tile, rest)),
                          static_cast<double>(sum) / static_cast<double>(extent));
  }
  std::sort(by_line_.begin(), by_line_.end());
  std::size_t kept = 0;
  for (const auto& mean : by_line_) {
    if (kept == 0 || mean.second < by_line_[kept - 1].second) by_line_[kept++] = mean;
  }
  by_line_.resize(kept);
  by_line_.shrink_to_fit();
}

double MeanLanes::least(double most_in_line) const {
  const auto above =
      std::upper_bound(by_line_.begin(), by_line_.end(), most_in_line,
                       [](double most, const auto& mean) { return most < mean.first; });
  return above == by_line_.begin() ? last_ : std::prev(above)->second;
}

std::shared_ptr<const MeanLanes> KnownMeanLanes::of(const MeanLanes::Loop& loop) {
  constexpr std::size_t kMost = 1 << 13;
  if (known_.size() >= kMost) known_.clear();
  std::shared_ptr<const MeanLanes>& its = known_[loop];
  if (!its) its = std::make_shared<const MeanLanes>(loop);
  return its;
}

}  // namespace loopscape
