// "op": "conv2d" and its kin: shapes that expand to an einsum. Inside model/problem only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/problem/problem.h"

namespace loopscape {

// One spatial axis of a window (convolution, pooling).
struct Window {
  std::int64_t stride = 1, dilation = 1;
  std::int64_t pad_low = 0, pad_high = 0;
  friend bool operator==(const Window&, const Window&) = default;
};

struct ShortForm {
  std::string op;
  std::map<std::string, std::int64_t> shape;  // "n", "k", "h", ... as given
  std::map<std::string, std::int64_t> dims;   // elementwise
  std::array<Window, 2> windows;              // vertical, horizontal
  std::int64_t groups = 1, batch = 1, inputs = 1;
  bool padding_free = false;
  friend bool operator==(const ShortForm&, const ShortForm&) = default;
};

// The draft for make_problem(): einsum, extents, default dim_roles and valid ranges.
Result<Problem> expand(const ShortForm& form);

}  // namespace loopscape
