// energy_tables/*.json as the build put them into the library, so that nothing has to be found at
// run time. Inside model/energy only.
#pragma once

#include <span>
#include <string_view>

namespace loopscape {

struct BuiltInTable {
  std::string_view name, json;
};

std::span<const BuiltInTable> built_in_tables();  // by name

}  // namespace loopscape
