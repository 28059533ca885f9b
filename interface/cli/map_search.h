// One search by the name that the command line gives it. For `map`.
#pragma once

#include <string>

#include "interface/cli/search_options.h"

namespace loopscape::cli {

Result<SearchResult> search_called(const std::string& name, const SearchRequest& request,
                                   const Mapspace& space, const Evaluator& evaluator,
                                   const Goal& goal, const SearchLimits& limits);
bool proves_nothing(const std::string& search);
// Why random or local found nothing: how often it tried, and what to do. `where`: "" or
// " for layer 'x'".
std::string nothing_drawn(const StoredOptions& options, const SearchResult& found,
                          const std::string& where);

}  // namespace loopscape::cli
