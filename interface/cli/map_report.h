// What `map` says: the answer, its certificate, and why there is none.
#pragma once

#include <string>

#include "interface/cli/text_table.h"
#include "mapper/search/search.h"

namespace loopscape::cli {

std::string map_report(const StoredResult& result, const Style& style);

// How many mappings fit and have no price, and why; for a message.
std::string uncounted(const Certificate& certificate);
// A sentence for each thing that stands in the way, and what is the least that would do.
std::string no_mapping_report(const Mapspace& space, const Goal& goal,
                              const Certificate& certificate, const Blame& blame);
std::string no_mapping_json(const Mapspace& space, const Goal& goal, const Certificate& certificate,
                            const Blame& blame);

}  // namespace loopscape::cli
