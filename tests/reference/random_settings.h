// Larger worlds at random: problems, architectures, conventions.
#pragma once

#include "tests/reference/nests.h"
#include "tests/reference/setting.h"

namespace loopscape::reference {

Setting random_setting(Random& random);

}  // namespace loopscape::reference
