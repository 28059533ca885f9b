#include "interface/cli/map_search.h"

#include "interface/cli/numbers.h"

namespace loopscape::cli {

Result<SearchResult> search_called(const std::string& name, const SearchRequest& request,
                                   const Mapspace& space, const Evaluator& evaluator,
                                   const Goal& goal, const SearchLimits& limits) {
  if (name == "exhaustive") return search_exhaustive(space, evaluator, goal, limits);
  if (name == "random") return search_random(space, evaluator, goal, request.random, limits);
  if (name == "local") return search_local(space, evaluator, goal, request.local, limits);
  SearchLimits parallel = limits;
  parallel.threads = request.threads;
  return search_optimal(space, evaluator, goal, parallel);
}

bool proves_nothing(const std::string& search) { return search == "random" || search == "local"; }

std::string nothing_drawn(const StoredOptions& options, const SearchResult& found,
                          const std::string& where) {
  const auto states = static_cast<std::int64_t>(found.certificate.states);
  if (found.limited) {
    return "stopped before any mapping was found" + where + ", after " + counted(states, "mapping");
  }
  const bool bounded = options.max_cycles || options.max_energy_pj;
  const std::string fits = bounded ? " fits and stays within the bounds" : " fits";
  const std::string advice = "; --search optimal finds one if any does";
  const std::string seed = " (seed " + std::to_string(options.seed.value_or(1)) + ")";
  if (options.search == "random") {
    return "of " + counted(options.samples.value_or(0), "mapping") + " drawn" + where + seed +
           " none" + fits + advice;
  }
  return "of " + counted(states, "mapping") + " drawn" + where + " for " +
         counted(options.starts.value_or(0), "start") + seed + " none" + fits + advice;
}

}  // namespace loopscape::cli
