// What `verify --full` found, in words and for machines.
#pragma once

#include <string>

#include "interface/cli/verify_full.h"

namespace loopscape::cli {

std::string full_text(const FullCheck& check, const StoredResult& claims);
std::string full_json(const FullCheck& check, const StoredResult& claims);

}  // namespace loopscape::cli
