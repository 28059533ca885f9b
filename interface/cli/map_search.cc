#include "interface/cli/map_search.h"

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

}  // namespace loopscape::cli
