// `map` of a whole network.
#pragma once

#include <optional>
#include <string>

#include "interface/cli/inputs.h"
#include "interface/cli/search_options.h"
#include "interface/cli/stop.h"
#include "interface/cli/text_table.h"
#include "mapper/network/network.h"

namespace loopscape::cli {

// An answer, or what to say instead of one.
struct NetworkAnswer {
  std::optional<StoredNetwork> result;
  bool ended = true;  // false: a limit struck
  std::string nothing, nothing_json;
};
Result<NetworkAnswer> map_network_of(const NetworkInputs& inputs, const ResolvedCosts& prices,
                                     const StoredOptions& options, const SearchRequest& request,
                                     const Stop& stop);

// The options of each layer's search: those of the network but for its bounds and limits.
StoredOptions options_of_layers(const StoredOptions& options, const Goal& goal,
                                const std::optional<PriceRange>& prices);

std::string network_report(const StoredNetwork& network, const Style& style);

}  // namespace loopscape::cli
