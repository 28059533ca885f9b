// Whole cycles from sums of quotients, for the evaluator and for whoever bounds it.
#pragma once

#include <algorithm>
#include <cmath>

namespace loopscape {

// Least whole number of cycles that is not below a sum of times (counting.md A9). In binary, 72
// bits at 0.3 bits per cycle may add up to a little more than 240 in one order of the tensors and
// to 240 in another: what is above a whole number by no more than such errors is that number.
// Never decreases when `cycles` grows.
inline double whole_cycles(double cycles) {
  const double up = std::ceil(cycles);
  return cycles - (up - 1) <= std::min(0.5, cycles * 1e-13) ? up - 1 : up;
}

}  // namespace loopscape
