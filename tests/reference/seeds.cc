#include "tests/reference/seeds.h"

#include <cstdlib>

namespace loopscape::reference {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

Seeds asked_seeds(std::uint64_t usual) {
  return {from_environment("LOOPSCAPE_SEED", 1), from_environment("LOOPSCAPE_WORLDS", usual),
          from_environment("LOOPSCAPE_SHOW", 3), from_environment("LOOPSCAPE_STOP", 0) != 0};
}

}  // namespace loopscape::reference
