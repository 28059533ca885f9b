#include "mapper/search/steps.h"

#include <algorithm>
#include <utility>

#include "model/base/base.h"

namespace loopscape {
namespace {

constexpr std::int64_t kMostListed = 1 << 14;

}  // namespace

StepsAlong::StepsAlong(std::int64_t extent, std::vector<std::int64_t> lanes, bool perfect)
    : extent_(extent), lanes_(std::move(lanes)), perfect_(perfect) {
  std::int64_t all = 1;
  for (const std::int64_t bound : lanes_) all *= bound;
  fewest_ = ceil_div(extent, all);
}

void StepsAlong::list() const {
  from_.resize(static_cast<std::size_t>(extent_) + 1);
  for (std::int64_t tile = extent_; tile >= 1; --tile) {
    const auto below = static_cast<std::uint32_t>(tile);
    std::int64_t fewest = in_block(extent_, {&below, 1});
    for (std::int64_t multiple = 2 * tile; multiple <= extent_; multiple += tile) {
      fewest = std::min(fewest, from_[static_cast<std::size_t>(multiple)]);
    }
    from_[static_cast<std::size_t>(tile)] = fewest;
  }
}

std::int64_t StepsAlong::least(std::span<const std::uint32_t> below, std::int64_t tile) const {
  if (perfect_ || lanes_.empty()) return fewest_;
  if (below.size() == lanes_.size()) return in_block(extent_, below);
  if (lanes_.size() != 1 || extent_ > kMostListed || tile > extent_) return fewest_;
  if (from_.empty()) list();
  return from_[static_cast<std::size_t>(tile)];
}

std::int64_t StepsAlong::in_block(std::int64_t block, std::span<const std::uint32_t> below) const {
  if (below.empty()) return block;
  const std::int64_t tile = below.back();
  const std::int64_t round = tile * lanes_[below.size() - 1];
  const std::int64_t whole = ceil_div(block, round) - 1;
  const auto inner = below.first(below.size() - 1);
  const std::int64_t rest = in_block(std::min(tile, block - whole * round), inner);
  return whole == 0 ? rest : whole * in_block(tile, inner) + rest;
}

}  // namespace loopscape
