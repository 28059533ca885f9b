#include "interface/cli/search_options.h"

#include <algorithm>
#include <utility>

namespace loopscape::cli {
namespace {

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

std::int64_t as_integer(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

}  // namespace

Result<SearchRequest> request_of(const StoredOptions& options) {
  SearchRequest request;
  const std::optional<Objective> objective = objective_called(options.objective);
  if (!objective) {
    const std::vector<std::string> names = {"energy", "delay", "edp", "ed2p"};
    return invalid("--objective is energy, delay, edp or ed2p, not " +
                   in_quotes(options.objective) + suggestion(options.objective, names));
  }
  if (options.factors != "ragged" && options.factors != "perfect") {
    return invalid("--factors is ragged or perfect, not " + in_quotes(options.factors));
  }
  const std::vector<std::string> searches = {"optimal", "exhaustive", "random", "local"};
  if (std::find(searches.begin(), searches.end(), options.search) == searches.end()) {
    return invalid("--search is optimal, exhaustive, random or local, not " +
                   in_quotes(options.search) + suggestion(options.search, searches));
  }
  request.space.factors = options.factors == "ragged" ? Factors::kRagged : Factors::kPerfect;
  request.space.stores = options.uneven ? Stores::kUneven : Stores::kEven;
  request.goal = {*objective, options.max_cycles, options.max_energy_pj, options.pareto, {}};
  request.goal.prices = prices_of(options);
  const bool priced = options.least_pj_per_cycle || options.most_pj_per_cycle;
  if (priced && !request.goal.prices) {
    return invalid(
        "\"least_pj_per_cycle\" and \"most_pj_per_cycle\" are a range: both, the least first");
  }
  if (priced && options.search != "optimal") {
    return invalid("only the optimal search is asked at prices of a cycle, not " +
                   in_quotes(options.search));
  }
  request.random.seed = request.local.seed = static_cast<std::uint64_t>(options.seed.value_or(1));
  if (options.samples) request.random.samples = static_cast<std::uint64_t>(*options.samples);
  if (options.starts) request.local.starts = static_cast<std::uint64_t>(*options.starts);
  return request;
}

std::optional<PriceRange> prices_of(const StoredOptions& options) {
  const std::optional<double>& least = options.least_pj_per_cycle;
  const std::optional<double>& most = options.most_pj_per_cycle;
  if (!least || !most || *least > *most) return std::nullopt;
  return PriceRange{*least, *most};
}

std::optional<double> gap_of(double best, double lower_bound) {
  if (best == lower_bound) return 0.0;
  if (lower_bound <= 0) return std::nullopt;
  return best / lower_bound - 1;
}

StoredStatistics stored(const Statistics& statistics) {
  StoredStatistics out;
  out.samples = as_integer(statistics.samples);
  out.legal = as_integer(statistics.legal);
  if (out.samples > 0) {
    out.legal_share = static_cast<double>(out.legal) / static_cast<double>(out.samples);
  }
  out.least = statistics.least;
  out.p05 = statistics.p05;
  out.p25 = statistics.p25;
  out.median = statistics.median;
  out.p75 = statistics.p75;
  out.p95 = statistics.p95;
  out.most = statistics.most;
  return out;
}

void store(const SearchResult& found, const StoredOptions& options, StoredResult& result) {
  const Certificate& said = found.certificate;
  StoredCertificate certificate;
  certificate.proved = said.proved;
  certificate.lower_bound = said.lower_bound;
  if (found.best) {
    const Objective objective = objective_called(options.objective).value_or(Objective::kEdp);
    certificate.gap = gap_of(
        objective_value(objective, found.best->energy_pj, static_cast<double>(found.best->cycles)),
        said.lower_bound);
  }
  for (const LeastCost& cost : said.least_costs) {
    certificate.least_costs.push_back({cost.pj_per_cycle, cost.pj});
  }
  if (!said.least_costs.empty()) certificate.least_cycles = said.least_cycles;
  certificate.space = said.space;
  certificate.states = as_integer(said.states);
  for (const auto& [rule, number] : said.pruned) certificate.pruned[rule] = as_integer(number);
  certificate.work = as_integer(said.work);
  certificate.unpriced = as_integer(said.unpriced);
  certificate.seconds = said.seconds;
  result.options = options;
  result.certificate = certificate;
  if (found.statistics) result.statistics = stored(*found.statistics);
  for (const Found& point : found.front) {
    result.front.push_back({point.energy_pj, point.cycles, point.mapping});
  }
  result.fingerprint = fingerprint_of(result);
}

std::string mapspace_size(const Mapspace& space, const std::atomic<bool>* stop) {
  CountLimits limits;
  limits.stop = stop;
  const Result<Numbering> numbering = Numbering::create(space, limits);
  return numbering.ok() ? numbering->size().decimal() : "";
}

}  // namespace loopscape::cli
