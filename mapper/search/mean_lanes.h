// Over all of a dimension's indices, the mean number of the lane of a spatial loop that has them:
// what words pay for the way to it. For this folder only.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace loopscape {

class MeanLanes {
 public:
  struct Loop {
    std::int64_t extent;      // of its dimension
    std::int64_t inside;      // lanes over the dimension further in
    std::int64_t bound;       // its own
    std::int64_t full_lanes;  // its own and those further out, but the outermost loop's last
    friend auto operator<=>(const Loop&, const Loop&) = default;
  };
  // Of ragged factors.
  explicit MeanLanes(const Loop& loop);
  // With no more indices than these for one lane, one after another.
  double least(double most_in_line) const;

 private:
  double last_;  // lane
  // Indices that the first lane has; the least mean that so many leave possible: rising, falling.
  std::vector<std::pair<double, double>> by_line_;
};

// Choices of lanes have many loops in common.
class KnownMeanLanes {
 public:
  std::shared_ptr<const MeanLanes> of(const MeanLanes::Loop& loop);

 private:
  std::map<MeanLanes::Loop, std::shared_ptr<const MeanLanes>> known_;
};

}  // namespace loopscape
