// The command's own words, compared with tests/golden/*.golden by tests/golden/run.sh.
#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

TEST_CASE("the command says what the golden files say") {
  const std::string script = LOOPSCAPE_SOURCE_DIR "/tests/golden/run.sh";
  CHECK(std::system(("LOOPSCAPE='" LOOPSCAPE_COMMAND "' '" + script + "'").c_str()) == 0);
}
