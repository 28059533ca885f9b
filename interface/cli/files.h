// Reading what the command line names.
#pragma once

#include <string>
#include <vector>

#include "model/base/base.h"

namespace loopscape::cli {

// The text of a specification, or of stdin for "-". Errors are sentences that carry the file's
// name.
Result<std::string> read_text(const std::string& path);
// The same of what this program printed, which may be much larger.
Result<std::string> read_result_text(const std::string& path);

// Stdin can be read once: at most one of `paths` may be "-".
Status check_stdin_once(const std::vector<std::string>& paths);

}  // namespace loopscape::cli
