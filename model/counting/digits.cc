#include "model/counting/digits.h"

#include <algorithm>

namespace loopscape {

std::int64_t count_offsets(const Digits& digits, std::int64_t limit) {
  std::int64_t inner_tuples = 1, inner_reach = 0;
  for (int i = 0; i < digits.size; ++i) {
    const Digit& digit = digits.digit[static_cast<std::size_t>(i)];
    if (digit.runs) {
      inner_tuples *= digit.bound;
      inner_reach += static_cast<std::int64_t>(digit.bound - 1) * digit.step;
    } else {
      limit -= static_cast<std::int64_t>(digit.held_at) * digit.step;
    }
  }
  std::int64_t total = 0;
  for (int i = 0; i < digits.size; ++i) {
    const Digit& digit = digits.digit[static_cast<std::size_t>(i)];
    if (!digit.runs) continue;
    if (limit <= 0) return total;
    inner_tuples /= digit.bound;
    inner_reach -= static_cast<std::int64_t>(digit.bound - 1) * digit.step;
    const std::int64_t room = limit - inner_reach;
    const std::int64_t whole =
        room <= 0 ? 0 : std::min<std::int64_t>(ceil_div(room, digit.step), digit.bound);
    total += whole * inner_tuples;
    if (whole == digit.bound) return total;
    limit -= whole * digit.step;
  }
  return total + (limit > 0 ? 1 : 0);
}

std::int64_t covered(const Digits& digits, std::int64_t tile, std::int64_t extent) {
  const std::int64_t whole = count_offsets(digits, extent - tile + 1);
  const std::int64_t part = extent % tile;
  const bool cut = part != 0 && count_offsets(digits, extent) > whole;
  return whole * tile + (cut ? part : 0);
}

}  // namespace loopscape
