// What `map` is asked for, between the command line, a result file and the mapper. For this folder.
#pragma once

#include "mapper/search/search.h"

namespace loopscape::cli {

struct SearchRequest {
  MapspaceOptions space;
  Goal goal;
  RandomOptions random;
  LocalOptions local;
  int threads = 1;  // of `optimal`; 0: as many as there are. No answer depends on it.
};
// An error names what is missing or wrong.
Result<SearchRequest> request_of(const StoredOptions& options);

// Of a cycle, at which a network's layer was searched; nothing if they are no range.
std::optional<PriceRange> prices_of(const StoredOptions& options);

// best / bound - 1; nothing where the bound says nothing.
std::optional<double> gap_of(double best, double lower_bound);

// A search's certificate, statistics and front in a result's own words.
void store(const SearchResult& found, const StoredOptions& options, StoredResult& result);
StoredStatistics stored(const Statistics& statistics);

// The size of the space in decimal; empty: too large to count, or stopped.
std::string mapspace_size(const Mapspace& space, const std::atomic<bool>* stop = nullptr);

}  // namespace loopscape::cli
