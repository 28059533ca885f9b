// A 128-bit fingerprint of a sequence of texts: FNV-1a with 128 bits, each text ended by a zero
// byte so that ("ab", "c") and ("a", "bc") differ. It tells inputs apart and guards against
// accidents, not against an adversary. The same on every machine and in every version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace loopscape {

class Fingerprint {
 public:
  void add(std::string_view text);
  std::string hex() const;  // 32 digits

 private:
  void add_byte(unsigned char byte);

  // The offset basis of FNV-1a with 128 bits, in two halves.
  std::uint64_t high_ = 0x6c62272e07bb0142, low_ = 0x62b821756295c58d;
};

}  // namespace loopscape
