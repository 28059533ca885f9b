// Steps that compute takes along one dimension (counting.md A9), as far as a climb knows its tiles.
// For this folder only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace loopscape {

class StepsAlong {
 public:
  // `lanes`: bounds of the spatial loops over the dimension, innermost first.
  StepsAlong(std::int64_t extent, std::vector<std::int64_t> lanes, bool perfect);

  // `below`: the tiles just below the lanes passed so far, innermost first; `tile`: the one
  // reached. Exact once all lanes have been passed, never too high before.
  std::int64_t least(std::span<const std::uint32_t> below, std::int64_t tile) const;
  std::int64_t least() const { return fewest_; }

 private:
  // Of lane 0 in a block of this size, by the innermost lanes whose tiles are given.
  std::int64_t in_block(std::int64_t block, std::span<const std::uint32_t> below) const;

  std::int64_t extent_;
  std::vector<std::int64_t> lanes_;
  bool perfect_;
  std::int64_t fewest_ = 1;
  void list() const;
  // [tile]: least over its multiples, where there is one loop; once asked for.
  mutable std::vector<std::int64_t> from_;
};

}  // namespace loopscape
