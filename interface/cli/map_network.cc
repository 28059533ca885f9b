// What the mapper says of a network, put into a result; or why there is none.
#include "interface/cli/map_network.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "interface/cli/map_report.h"
#include "interface/cli/map_search.h"
#include "interface/cli/numbers.h"

namespace loopscape::cli {
namespace {

using Json = nlohmann::ordered_json;

// A line that the next one overwrites.
void show_progress(std::size_t which, std::size_t of, const std::string& layer) {
  std::fprintf(stderr, "\r\033[Klayer %zu of %zu: %s ", which + 1, of, safe(layer).c_str());
}
void end_progress() { std::fprintf(stderr, "\r\033[K"); }

class NetworkMapping {
 public:
  NetworkMapping(const NetworkInputs& inputs, const ResolvedCosts& prices,
                 const StoredOptions& options, const SearchRequest& request, const Stop& stop)
      : inputs_(inputs), prices_(prices), options_(options), request_(request), stop_(stop) {}

  Result<NetworkAnswer> run() {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    Result<NetworkResult> found = map_network(inputs_.network, prices_.arch, prices_.costs,
                                              inputs_.conventions, network_request(terminal));
    if (terminal) end_progress();
    if (!found.ok()) return found.status();
    NetworkAnswer answer;
    answer.ended = found->proved;
    if (!found->best) {
      if (Status s = say_nothing_found(*found, answer); !s.ok()) return s;
      return answer;
    }
    if (proves_nothing(options_.search)) answer.ended = !limited(*found);
    Result<StoredNetwork> result = stored_network(*found);
    if (!result.ok()) return result.status();
    answer.result = std::move(result).value();
    return answer;
  }

 private:
  NetworkRequest network_request(bool terminal) const {
    NetworkRequest out;
    out.space = request_.space;
    out.goal = request_.goal;
    out.limits.stop = stop_.flag();
    out.limits.seconds = options_.time_limit_seconds.value_or(0);
    if (options_.max_work) out.limits.max_work = static_cast<std::uint64_t>(*options_.max_work);
    out.search = [this](const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                        const SearchLimits& limits) {
      return search_called(options_.search, request_, space, evaluator, goal, limits);
    };
    out.proves = !proves_nothing(options_.search);
    out.optimal = options_.search == "optimal";
    if (terminal) out.progress = &show_progress;
    return out;
  }

  static bool limited(const NetworkResult& found) {
    return std::any_of(found.layers.begin(), found.layers.end(),
                       [](const LayerAnswer& layer) { return layer.found.limited; });
  }

  Result<Evaluator> evaluator_of(std::size_t layer) const {
    return Evaluator::create(inputs_.network.layers[layer], prices_.arch,
                             inputs_.conventions[layer], prices_.costs);
  }

  Result<StoredResult> priced(const Evaluator& evaluator, const Mapping& mapping) const {
    Result<Breakdown> breakdown = evaluator.explain(mapping);
    if (!breakdown.ok()) return breakdown.status();
    StoredResult result = make_result(evaluator, mapping, std::move(breakdown).value());
    set_prices(prices_, result);
    return result;
  }

  std::vector<std::string> names_of(const EqualLayers& equal) const {
    std::vector<std::string> names;
    for (const std::size_t layer : equal.layers)
      names.push_back(inputs_.network.layers[layer].name);
    return names;
  }

  Result<StoredNetwork> stored_network(const NetworkResult& found) const {
    StoredNetwork out;
    out.name = inputs_.network.name;
    out.options = {options_.objective,          options_.pareto,
                   options_.max_cycles,         options_.max_energy_pj,
                   options_.time_limit_seconds, options_.max_work};
    const Afterwards afterwards(stop_);
    for (std::size_t c = 0; c < found.layers.size(); ++c) {
      Status s = add_class(found.layers[c], found.best->copies[c], found.prices, afterwards, out);
      if (!s.ok()) return s;
    }
    for (const SumPoint& point : found.front) out.front.push_back({point.total, point.copies});
    if (Status s = complete(out); !s.ok()) return s;
    out.certificate.proved = found.proved;
    out.certificate.lower_bound = found.lower_bound;
    out.certificate.front_gap = found.front_gap;
    out.certificate.gap = gap_of(objective_value(request_.goal.objective, out.total.energy_pj,
                                                 static_cast<double>(out.total.cycles)),
                                 found.lower_bound);
    return out;
  }

  Status add_class(const LayerAnswer& answer, const std::vector<std::uint64_t>& copies,
                   const std::optional<PriceRange>& prices, const Afterwards& afterwards,
                   StoredNetwork& out) const {
    const std::size_t first = answer.equal.layers.front();
    const Result<Evaluator> evaluator = evaluator_of(first);
    if (!evaluator.ok()) return evaluator.status();
    const Result<Mapspace> space =
        Mapspace::create(inputs_.network.layers[first], prices_.arch, request_.space);
    if (!space.ok()) return space.status();
    const auto count = static_cast<std::int64_t>(answer.equal.count);
    Result<StoredResult> best = priced(*evaluator, answer.found.best->mapping);
    if (!best.ok()) return best.status();
    StoredLayerSearch search{names_of(answer.equal), count, std::move(best).value()};
    store(answer.found, options_of_layers(options_, request_.goal, prices), search.result);
    search.result.certificate->mapspace = mapspace_size(*space, afterwards.flag());
    seal(search.result);
    for (std::size_t p = 0; p < copies.size(); ++p) {
      if (copies[p] == 0) continue;
      Result<StoredResult> chosen = priced(*evaluator, answer.points[p].mapping);
      if (!chosen.ok()) return chosen.status();
      out.layers.push_back({search.names, static_cast<std::int64_t>(copies[p]), out.searches.size(),
                            std::move(chosen).value()});
    }
    const StoredCertificate& certificate = *search.result.certificate;
    out.certificate.states += certificate.states;
    out.certificate.work += certificate.work;
    out.certificate.seconds += certificate.seconds;
    out.searches.push_back(std::move(search));
    return {};
  }

  // ---- why there is none ----

  Status say_nothing_found(const NetworkResult& found, NetworkAnswer& answer) const {
    if (found.without_mapping) return blame(found.layers[*found.without_mapping], answer);
    if (found.least) {
      answer.nothing = beyond_bounds(*found.least);
      const Json json = {{"error",
                          {{"code", "no_mapping"},
                           {"message", answer.nothing},
                           {"least_energy_pj", found.least->energy_pj},
                           {"least_cycles", found.least->cycles}}}};
      answer.nothing_json = json.dump(2) + "\n";
      return {};
    }
    answer.ended = false;
    answer.nothing = "stopped before any mapping of the network within the bounds was found";
    for (const LayerAnswer& layer : found.layers) {
      if (!layer.points.empty()) continue;
      const std::string& name = inputs_.network.layers[layer.equal.layers.front()].name;
      answer.nothing =
          proves_nothing(options_.search)
              ? nothing_drawn(options_, layer.found, " for layer " + in_quotes(name))
              : "stopped before any mapping of layer " + in_quotes(name) + " was found";
      return {};
    }
    return {};
  }

  std::string beyond_bounds(const EnergyCycles& least) const {
    const Goal& goal = request_.goal;
    std::string text = "no mapping of the network stays within the bounds";
    const bool cycles = goal.max_cycles && static_cast<double>(least.cycles) > *goal.max_cycles;
    const bool energy = goal.max_energy_pj && least.energy_pj > *goal.max_energy_pj;
    if (cycles) text += "; the least number of cycles of any is " + grouped(least.cycles);
    if (energy) text += "; the least energy of any is " + Json(least.energy_pj).dump() + " pJ";
    if (!cycles && !energy) text += "; each of them alone can be met";
    return text;
  }

  Status blame(const LayerAnswer& layer, NetworkAnswer& answer) const {
    const std::size_t first = layer.equal.layers.front();
    const std::string name = in_quotes(inputs_.network.layers[first].name);
    const Result<Evaluator> evaluator = evaluator_of(first);
    if (!evaluator.ok()) return evaluator.status();
    const Result<Mapspace> space =
        Mapspace::create(inputs_.network.layers[first], prices_.arch, request_.space);
    if (!space.ok()) return space.status();
    Goal goal;
    goal.objective = request_.goal.objective;
    SearchLimits limits;
    limits.stop = stop_.flag();
    if (options_.max_work) limits.max_work = static_cast<std::uint64_t>(*options_.max_work);
    const Certificate& certificate = layer.found.certificate;
    const Blame why = find_blame(*space, *evaluator, goal, limits);
    answer.nothing = "layer " + name + ": " + no_mapping_report(*space, goal, certificate, why);
    Json json = Json::parse(no_mapping_json(*space, goal, certificate, why));
    json["error"]["layer"] = inputs_.network.layers[first].name;
    answer.nothing_json = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    return {};
  }

  const NetworkInputs& inputs_;
  const ResolvedCosts& prices_;
  const StoredOptions& options_;
  const SearchRequest& request_;
  const Stop& stop_;
};

}  // namespace

StoredOptions options_of_layers(const StoredOptions& options, const Goal& goal,
                                const std::optional<PriceRange>& prices) {
  StoredOptions out = options;
  out.pareto = needs_fronts(goal) && !prices;
  if (prices) {
    out.least_pj_per_cycle = prices->least;
    out.most_pj_per_cycle = prices->most;
  }
  out.max_cycles = out.max_energy_pj = out.time_limit_seconds = std::nullopt;
  out.max_work = std::nullopt;
  return out;
}

Result<NetworkAnswer> map_network_of(const NetworkInputs& inputs, const ResolvedCosts& prices,
                                     const StoredOptions& options, const SearchRequest& request,
                                     const Stop& stop) {
  return NetworkMapping(inputs, prices, options, request, stop).run();
}

}  // namespace loopscape::cli
