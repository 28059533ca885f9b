// A result for people. Only what is stored in the result is shown; nothing is computed anew but
// shares and units.
#pragma once

#include <string>
#include <vector>

#include "interface/cli/text_table.h"
#include "model/evaluate/evaluate.h"

namespace loopscape::cli {

// Everything: the explanation too if `style.explain`.
std::string text_report(const StoredResult& result, const Style& style);

// Inputs first, as they are read; then the output.
std::vector<std::size_t> tensors_as_read(const Problem& problem);

// The part that --explain adds.
std::string explanation(const StoredResult& result, const Style& style);

}  // namespace loopscape::cli
