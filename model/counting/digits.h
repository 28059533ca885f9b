// Offsets of a dimension are numbers in a mixed radix: one digit per loop over it (D1).
#pragma once

#include <array>
#include <cstdint>

#include "model/base/base.h"

namespace loopscape {

// A digit runs over all its values or is held at one.
struct Digit {
  std::int64_t step;
  std::uint32_t bound;
  bool runs;
  std::uint32_t held_at;
};

// The loops over one dimension outside a position, outermost first.
struct Digits {
  int size = 0;
  std::array<Digit, kMaxMappingNodes> digit;

  void push(std::int64_t step, std::uint32_t bound, bool runs, std::uint32_t held_at = 0) {
    digit[static_cast<std::size_t>(size++)] = {step, bound, runs, held_at};
  }
};

// D1. How many tuples of running digits have an offset below `limit`. Steps nest (the digits
// inside one with step s reach less than s), so at most one value per digit is cut.
std::int64_t count_offsets(const Digits& digits, std::int64_t limit);

// D2. How many indices of [0, extent) the tiles of size `tile` at those offsets cover.
std::int64_t covered(const Digits& digits, std::int64_t tile, std::int64_t extent);

}  // namespace loopscape
