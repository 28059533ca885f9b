// Which random worlds a test makes.
#pragma once

#include <cstdint>

namespace loopscape::reference {

struct Seeds {
  std::uint64_t first = 1;  // LOOPSCAPE_SEED
  std::uint64_t count = 0;  // LOOPSCAPE_WORLDS, or what is usual
  std::uint64_t shown = 3;  // failures: LOOPSCAPE_SHOW
  bool stops = false;       // at the first of them: LOOPSCAPE_STOP
};
Seeds asked_seeds(std::uint64_t usual);

}  // namespace loopscape::reference
