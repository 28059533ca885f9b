#include "interface/cli/verify_network.h"

#include <algorithm>
#include <utility>

#include "interface/cli/numbers.h"
#include "interface/cli/search_options.h"

namespace loopscape::cli {
namespace {

Status refused(const std::string& place, std::string message) {
  return Status(StatusCode::kIllegalMapping, std::move(message)).at(place);
}

Status inside(const std::string& place, const Status& status) {
  return Status(status.code(), status.message()).at(place + status.place());
}

class NetworkChecker {
 public:
  NetworkChecker(const StoredNetwork& stated, const EvaluateAgain& again)
      : stated_(stated), again_(again), actual_(stated) {}

  Result<StoredNetwork> run() {
    const std::optional<Objective> objective = objective_called(stated_.options.objective);
    if (!objective) return refused("/options/objective", "there is no such objective");
    goal_ = {*objective,
             stated_.options.max_cycles,
             stated_.options.max_energy_pj,
             stated_.options.pareto,
             {}};
    if (Status s = searches(); !s.ok()) return s;
    if (Status s = layers(); !s.ok()) return s;
    if (Status s = choice(); !s.ok()) return s;
    if (Status s = complete(actual_); !s.ok()) return s;
    return std::move(actual_);
  }

 private:
  Status searches() {
    for (std::size_t i = 0; i < stated_.searches.size(); ++i) {
      const std::string place = "/searches/" + std::to_string(i);
      const StoredResult& stated = stated_.searches[i].result;
      const StoredOptions& options = stated.options;
      if (options.search.empty() || !stated.certificate) {
        return refused(place, "a search has options and a certificate");
      }
      const bool priced = prices_suffice(goal_) && prices_of(options);
      if (options.objective != stated_.options.objective ||
          options.pareto != (needs_fronts(goal_) && !priced) || options.max_cycles ||
          options.max_energy_pj) {
        return refused(place + "/inputs/options",
                       "the network needs another search: its objective, without bounds, " +
                           std::string(needs_fronts(goal_) ? "with the front" : "without a front"));
      }
      if (stated.arch != stated_.searches[0].result.arch) {
        return refused(place + "/inputs/arch", "the layers run on different architectures");
      }
      Result<StoredResult> again = again_(stated);
      if (!again.ok()) return inside(place, again.status());
      actual_.searches[i].result = std::move(again).value();
    }
    return {};
  }

  Status layers() {
    for (const StoredLayerSearch& search : actual_.searches) {
      copies_.emplace_back(points_of(search.result).size(), 0);
    }
    for (std::size_t i = 0; i < stated_.layers.size(); ++i) {
      const std::string place = "/layers/" + std::to_string(i);
      const StoredLayer& layer = stated_.layers[i];
      const StoredLayerSearch& search = actual_.searches[layer.search];
      if (layer.names != search.names || layer.result.problem != search.result.problem ||
          layer.result.arch != search.result.arch ||
          layer.result.conventions != search.result.conventions) {
        return refused(place, "the layer is not the one that was searched");
      }
      if (!layer.result.options.search.empty() || layer.result.certificate) {
        return refused(place, "a layer has no search of its own");
      }
      const std::vector<StoredMapping> points = points_of(search.result);
      const auto point = std::find_if(points.begin(), points.end(), [&](const StoredMapping& p) {
        return p.mapping == layer.result.mapping;
      });
      if (point == points.end()) {
        return refused(place + "/mapping", "this mapping is none of those that the search found");
      }
      copies_[layer.search][static_cast<std::size_t>(point - points.begin())] +=
          static_cast<std::uint64_t>(layer.count);
      Result<StoredResult> again = again_(layer.result);
      if (!again.ok()) return inside(place, again.status());
      actual_.layers[i].result = std::move(again).value();
    }
    return counts();
  }

  Status counts() const {
    for (std::size_t i = 0; i < copies_.size(); ++i) {
      std::uint64_t sum = 0;
      for (const std::uint64_t copies : copies_[i]) sum += copies;
      if (sum == static_cast<std::uint64_t>(stated_.searches[i].count)) continue;
      return refused("/searches/" + std::to_string(i) + "/count",
                     "the counts of its layers add up to " + std::to_string(sum));
    }
    return {};
  }

  // Made again among what the searches found.
  Status choice() {
    std::vector<NetworkPart> parts;
    std::vector<Summand> summands;
    for (const StoredLayerSearch& search : actual_.searches) {
      NetworkPart part;
      const StoredCertificate& certificate = *search.result.certificate;
      part.proved = certificate.proved;
      part.lower_bound = certificate.lower_bound;
      const StoredOptions& options = search.result.options;
      part.prices = prices_of(options);
      if (part.prices) {
        for (const StoredLeastCost& cost : certificate.least_costs) {
          part.least_costs.push_back({cost.pj_per_cycle, cost.pj});
        }
        part.least_cycles = certificate.least_cycles.value_or(0);
      }
      part.summand.count = static_cast<std::uint64_t>(search.count);
      for (const StoredMapping& point : points_of(search.result)) {
        part.summand.points.push_back({point.energy_pj, point.cycles});
      }
      summands.push_back(part.summand);
      parts.push_back(std::move(part));
    }
    Result<NetworkOptimum> optimum = optimum_of(parts, goal_);
    if (!optimum.ok()) return optimum.status();
    const Result<EnergyCycles> total = total_of(summands, copies_);
    if (!total.ok()) return total.status();
    if (Status s = check_total(*total, *optimum); !s.ok()) return s;
    certify(*total, *optimum);
    actual_.front.clear();
    if (goal_.front) {
      for (const SumPoint& point : optimum->front.points) {
        actual_.front.push_back({point.total, point.copies});
      }
    }
    return {};
  }

  double value(const EnergyCycles& at) const {
    return objective_value(goal_.objective, at.energy_pj, static_cast<double>(at.cycles));
  }

  Status check_total(const EnergyCycles& total, const NetworkOptimum& optimum) const {
    if (goal_.max_cycles && static_cast<double>(total.cycles) > *goal_.max_cycles) {
      return refused("/cycles", "the layers take more cycles than /options allows");
    }
    if (goal_.max_energy_pj && total.energy_pj > *goal_.max_energy_pj) {
      return refused("/energy_pj", "the layers take more energy than /options allows");
    }
    if (optimum.best && value(total) <= value(optimum.best->total)) return {};
    return refused("/layers", "another choice among the mappings found has a better objective");
  }

  void certify(const EnergyCycles& total, const NetworkOptimum& optimum) {
    StoredNetworkCertificate& certificate = actual_.certificate;
    certificate.proved = optimum.proved;
    certificate.lower_bound = optimum.lower_bound;
    certificate.gap = gap_of(value(total), optimum.lower_bound);
    certificate.front_gap = optimum.front.gap;
    certificate.states = certificate.work = 0;
    certificate.seconds = 0;
    for (const StoredLayerSearch& search : actual_.searches) {
      certificate.states += search.result.certificate->states;
      certificate.work += search.result.certificate->work;
      certificate.seconds += search.result.certificate->seconds;
    }
  }

  const StoredNetwork& stated_;
  const EvaluateAgain& again_;
  StoredNetwork actual_;
  Goal goal_;
  Copies copies_;
};

}  // namespace

Result<StoredNetwork> check_network(const StoredNetwork& stated, const EvaluateAgain& again) {
  return NetworkChecker(stated, again).run();
}

std::string network_in_words(const StoredNetwork& actual) {
  const auto proved = std::count_if(
      actual.searches.begin(), actual.searches.end(),
      [](const StoredLayerSearch& search) { return search.result.certificate->proved; });
  return "  " + counted(actual.occurrences, "layer") + ", " +
         std::to_string(actual.searches.size()) +
         " different; the choice among their mappings was " +
         "made again; certificates: " + counted(proved, "layer") +
         " proved, their arithmetic holds; no search was repeated\n";
}

}  // namespace loopscape::cli
