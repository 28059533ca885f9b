// random: mappings drawn by their numbers, each equally likely. Proves nothing; tells how many are
// legal and how the objective is spread over those.
#include <algorithm>
#include <cmath>

#include "mapper/search/probe.h"

namespace loopscape {
namespace {

double quantile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

Statistics statistics_of(std::uint64_t samples, std::vector<double> values) {
  Statistics statistics;
  statistics.samples = samples;
  statistics.legal = values.size();
  if (values.empty()) return statistics;
  std::sort(values.begin(), values.end());
  statistics.least = values.front();
  statistics.p05 = quantile(values, 0.05);
  statistics.p25 = quantile(values, 0.25);
  statistics.median = quantile(values, 0.5);
  statistics.p75 = quantile(values, 0.75);
  statistics.p95 = quantile(values, 0.95);
  statistics.most = values.back();
  return statistics;
}

}  // namespace

Result<SearchResult> search_random(const Mapspace& space, const Evaluator& evaluator,
                                   const Goal& goal, const RandomOptions& options,
                                   const SearchLimits& limits) {
  Result<Numbering> numbering = Numbering::create(space);
  if (!numbering.ok()) return numbering.status();
  Probe probe(space, evaluator, goal, limits);
  std::mt19937_64 random(options.seed);
  std::vector<double> values;
  const bool empty = numbering->size() == BigCount();
  while (!empty && probe.work() < options.samples && !probe.stopped()) {
    const Result<Point> point = numbering->sample(random);
    if (!point.ok()) return point.status();
    const Mapping mapping = space.mapping(*point);
    const Cost cost = probe.price(mapping);
    if (!cost.ok() || !probe.fills(*point, mapping)) continue;
    probe.offer(mapping, cost);
    values.push_back(
        objective_value(goal.objective, cost.energy_pj, static_cast<double>(cost.cycles)));
  }
  SearchResult result = probe.result();
  result.limited = !empty && probe.work() < options.samples;
  result.certificate.proved = empty;
  result.statistics = statistics_of(probe.work(), std::move(values));
  return result;
}

}  // namespace loopscape
