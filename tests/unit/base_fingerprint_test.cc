#include <catch2/catch.hpp>

#include "model/base/fingerprint.h"

namespace loopscape {
namespace {

std::string fingerprint(std::initializer_list<std::string_view> texts) {
  Fingerprint fingerprint;
  for (const std::string_view text : texts) fingerprint.add(text);
  return fingerprint.hex();
}

// Computed with big integers from the definition of FNV-1a.
TEST_CASE("a fingerprint is FNV-1a with 128 bits of the zero-ended texts") {
  CHECK(fingerprint({}) == "6c62272e07bb014262b821756295c58d");
  CHECK(fingerprint({""}) == "d228cb69101a8caf78912b704e4a147f");
  CHECK(fingerprint({"a"}) == "0880954519ab1be95aa0733055b70e0c");
  CHECK(fingerprint({"loopscape", "\xff"}) == "847a26e6c00aa755714ee2a9695b0f1a");
}

TEST_CASE("where one text ends matters") {
  CHECK(fingerprint({"ab", "c"}) != fingerprint({"a", "bc"}));
  CHECK(fingerprint({"a"}) != fingerprint({"a", ""}));
}

}  // namespace
}  // namespace loopscape
