// 64-bit counts that remember an overflow instead of wrapping. The flag is sticky: a whole
// evaluation is done without a branch per operation and judged once at the end.
#pragma once

#include <cstdint>

namespace loopscape {

class OverflowFlag {
 public:
  std::int64_t add(std::int64_t a, std::int64_t b) {
    std::int64_t r;
    raised_ |= __builtin_add_overflow(a, b, &r);
    return r;
  }
  std::int64_t sub(std::int64_t a, std::int64_t b) {
    std::int64_t r;
    raised_ |= __builtin_sub_overflow(a, b, &r);
    return r;
  }
  std::int64_t mul(std::int64_t a, std::int64_t b) {
    std::int64_t r;
    raised_ |= __builtin_mul_overflow(a, b, &r);
    return r;
  }
  void raise() { raised_ = true; }
  bool raised() const { return raised_; }

 private:
  bool raised_ = false;
};

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }

}  // namespace loopscape
