#include "model/base/fingerprint.h"

namespace loopscape {

// The prime is 2^88 + 0x13b. Modulo 2^128, state * 2^88 is the low half shifted into the high one,
// and state * 0x13b is done on 32-bit pieces with their carries.
void Fingerprint::add_byte(unsigned char byte) {
  constexpr std::uint64_t kFactor = 0x13b;
  constexpr std::uint64_t kLow32 = 0xffffffff;
  low_ ^= byte;
  const std::uint64_t bottom = (low_ & kLow32) * kFactor;
  const std::uint64_t middle = (low_ >> 32) * kFactor + (bottom >> 32);
  high_ = high_ * kFactor + (middle >> 32) + (low_ << 24);
  low_ = (middle << 32) | (bottom & kLow32);
}

void Fingerprint::add(std::string_view text) {
  for (const char c : text) add_byte(static_cast<unsigned char>(c));
  add_byte(0);
}

std::string Fingerprint::hex() const {
  std::string text;
  for (const std::uint64_t half : {high_, low_}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[half >> shift & 15];
  }
  return text;
}

}  // namespace loopscape
