// Movement bounds in words, as a staircase and for machines.
#pragma once

#include <string>

#include "interface/cli/inputs.h"
#include "interface/cli/text_table.h"
#include "mapper/bound/bound.h"

namespace loopscape::cli {

std::string bound_text(const Inputs& inputs, const MovementBounds& bounds, const Style& style);
std::string bound_json(const Inputs& inputs, const MovementBounds& bounds);

}  // namespace loopscape::cli
