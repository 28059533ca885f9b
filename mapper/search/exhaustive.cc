// exhaustive: every mapping of the space in the order of its number. Guarantees: if no limit
// strikes, nothing in the space that the model prices is better.
#include "mapper/search/probe.h"

namespace loopscape {

Result<SearchResult> search_exhaustive(const Mapspace& space, const Evaluator& evaluator,
                                       const Goal& goal, const SearchLimits& limits) {
  Probe probe(space, evaluator, goal, limits);
  bool complete = true;
  const Status status = for_each_point(space, [&](const Point& point) {
    complete = !probe.stopped();
    if (!complete) return false;
    const Mapping mapping = space.mapping(point);
    const Cost cost = probe.price(mapping);
    if (cost.ok() && probe.fills(point, mapping)) probe.offer(mapping, cost);
    return true;
  });
  if (!status.ok()) return status;
  SearchResult result = probe.result();
  result.certificate.proved = complete;
  if (complete && result.best) {
    result.certificate.lower_bound = objective_value(goal.objective, result.best->energy_pj,
                                                     static_cast<double>(result.best->cycles));
    result.certificate.gap = 0;
  }
  return result;
}

}  // namespace loopscape
