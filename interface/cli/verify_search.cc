#include "interface/cli/verify_search.h"

#include <algorithm>
#include <utility>

namespace loopscape::cli {
namespace {

Status refused(const std::string& place, std::string message) {
  return Status(StatusCode::kIllegalMapping, std::move(message)).at(place);
}

bool proves(const StoredOptions& options) {
  return options.search == "optimal" || options.search == "exhaustive";
}

class Checker {
 public:
  Checker(const StoredResult& stated, const Evaluator& evaluator, const SearchRequest& request,
          const Mapspace& space)
      : stated_(stated), evaluator_(evaluator), request_(request), space_(space) {}

  Status run(StoredResult& actual) {
    if (Status s = belongs(stated_.mapping, actual.breakdown, "/mapping"); !s.ok()) return s;
    if (Status s = parts(); !s.ok()) return s;
    actual.options = stated_.options;
    actual.certificate = certificate(value(actual.breakdown));
    if (Status s = front(actual); !s.ok()) return s;
    if (Status s = sample(actual); !s.ok()) return s;
    actual.fingerprint = fingerprint_of(actual);
    seal(actual);
    return {};
  }

 private:
  double value(const Breakdown& breakdown) const {
    return objective_value(request_.goal.objective, breakdown.energy_pj,
                           static_cast<double>(breakdown.cycles));
  }

  // In the space, and within the bounds that the search had.
  Status belongs(const Mapping& mapping, const Breakdown& breakdown, const std::string& place) {
    const Result<Point> point = space_.point_of(mapping);
    if (!point.ok()) return refused(place, point.status().message());
    if (!fills_enough(space_, *point, breakdown)) {
      return refused(place, "the mapping fills a memory less than \"utilization\" asks for");
    }
    const Goal& goal = request_.goal;
    if (goal.max_cycles && static_cast<double>(breakdown.cycles) > *goal.max_cycles) {
      return refused(place, "the mapping takes more cycles than /inputs/options allows");
    }
    if (goal.max_energy_pj && breakdown.energy_pj > *goal.max_energy_pj) {
      return refused(place, "the mapping takes more energy than /inputs/options allows");
    }
    return {};
  }

  bool searched_by(const char* name) const { return stated_.options.search == name; }

  // Each kind of search gives its own parts.
  Status parts() const {
    if ((stated_.options.pareto || request_.goal.prices) == stated_.front.empty()) {
      return refused("/front",
                     "a front and \"pareto\", or prices of a cycle, in /inputs/options "
                     "come together");
    }
    if (searched_by("random") != stated_.statistics.has_value()) {
      return refused("/statistics", "a random search, and no other one, gives statistics");
    }
    const StoredCertificate& certificate = *stated_.certificate;
    if (searched_by("optimal")) return {};
    if (stated_.options.max_work && certificate.states > *stated_.options.max_work) {
      return refused("/certificate/states", "more than \"max_work\" in /inputs/options allows");
    }
    std::int64_t passed_over = certificate.unpriced;
    for (const auto& [rule, number] : certificate.pruned) passed_over += number;
    if (passed_over < certificate.states) return {};
    return refused("/certificate/states",
                   "all mappings were passed over, so that none can be the best");
  }

  // What is stated where it can be, and otherwise what follows from the rest.
  StoredCertificate certificate(double best) const {
    StoredCertificate actual = *stated_.certificate;
    actual.proved = actual.proved && proves(stated_.options);
    actual.lower_bound = lower_bound(best, actual.proved);
    actual.gap = gap_of(best, actual.lower_bound);
    actual.space = space_.words();
    // A search that was stopped had no time to count it.
    if (actual.proved || !actual.mapspace.empty()) actual.mapspace = mapspace_size(space_);
    if (searched_by("optimal")) return actual;
    // A state is a mapping, and each takes a unit of work; those of a network take more.
    if (searched_by("exhaustive") && actual.proved)
      actual.states = all_of_them(mapspace_size(space_));
    actual.work = std::max(actual.work, actual.states);
    return actual;
  }

  // Only an optimal search that was stopped knows a bound other than the best or none.
  double lower_bound(double best, bool proved) const {
    if (proved) return best;
    if (!searched_by("optimal")) return 0;
    return std::min(stated_.certificate->lower_bound, best);
  }

  static std::int64_t all_of_them(const std::string& mapspace) {
    const Result<BigCount> size = BigCount::parse(mapspace.empty() ? "0" : mapspace);
    if (!size.ok() || *size > BigCount(INT64_MAX)) return 0;  // more than anybody priced
    return size->limbs().empty() ? 0 : static_cast<std::int64_t>(size->limbs()[0]);
  }

  // Drawn again: the sample follows from its seed, and with it everything but the time. An
  // interrupted one is shorter than it was meant to be.
  Status sample(StoredResult& actual) const {
    if (!searched_by("random")) return {};
    RandomOptions options = request_.random;
    options.samples = std::min<std::uint64_t>(
        options.samples, static_cast<std::uint64_t>(stated_.statistics->samples));
    const Result<SearchResult> again = search_random(space_, evaluator_, request_.goal, options);
    if (!again.ok()) return again.status();
    if (!again->best || !(again->best->mapping == stated_.mapping)) {
      return refused("/mapping", "drawn again, the sample has another mapping as its best");
    }
    StoredResult drawn;
    store(*again, stated_.options, drawn);
    actual.statistics = drawn.statistics;
    actual.front = drawn.front;
    actual.certificate->states = drawn.certificate->states;
    actual.certificate->work = drawn.certificate->work;
    actual.certificate->unpriced = drawn.certificate->unpriced;
    actual.certificate->pruned = drawn.certificate->pruned;
    return {};
  }

  // Priced again; a point that another one makes useless is not part of it.
  Status front(StoredResult& actual) {
    for (std::size_t i = 0; i < stated_.front.size(); ++i) {
      const std::string place = "/front/" + std::to_string(i) + "/mapping";
      const Mapping& mapping = stated_.front[i].mapping;
      const Result<Breakdown> breakdown = evaluator_.explain(mapping);
      if (!breakdown.ok()) {
        return Status(breakdown.status().code(), breakdown.status().message()).at(place);
      }
      if (Status s = belongs(mapping, *breakdown, place); !s.ok()) return s;
      if (!actual.front.empty() && (breakdown->energy_pj <= actual.front.back().energy_pj ||
                                    breakdown->cycles >= actual.front.back().cycles)) {
        return refused(place,
                       "not part of a front: it must have more energy and fewer cycles "
                       "than the mapping before it");
      }
      actual.front.push_back({breakdown->energy_pj, breakdown->cycles, mapping});
    }
    return best_of_front(actual);
  }

  Status best_of_front(const StoredResult& actual) const {
    const StoredMapping best{actual.breakdown.energy_pj, actual.breakdown.cycles, stated_.mapping};
    bool listed = false;
    for (const StoredMapping& point : actual.front) {
      listed = listed || (point.energy_pj == best.energy_pj && point.cycles == best.cycles);
      if (key(point) < key(best)) {
        return refused("/mapping", "a mapping of the front has a better objective");
      }
    }
    if (listed || !stated_.options.pareto) return {};
    return refused("/front", "the best mapping is not part of the front");
  }

  // Ties in the objective are broken by the other measure.
  std::pair<double, double> key(const StoredMapping& point) const {
    const Objective objective = request_.goal.objective;
    const auto cycles = static_cast<double>(point.cycles);
    return {objective_value(objective, point.energy_pj, cycles),
            objective == Objective::kEnergy ? cycles : point.energy_pj};
  }

  const StoredResult& stated_;
  const Evaluator& evaluator_;
  const SearchRequest& request_;
  const Mapspace& space_;
};

}  // namespace

Result<std::optional<StatedSearch>> search_of(const StoredResult& stated) {
  const bool searched = !stated.options.search.empty();
  if (!searched && !stated.certificate) return std::optional<StatedSearch>();
  if (!searched || !stated.certificate) {
    return Status(StatusCode::kInvalidInput,
                  "the options of a search and its certificate come together")
        .at(searched ? "/certificate" : "/inputs/options/search");
  }
  Result<SearchRequest> request = request_of(stated.options);
  if (!request.ok()) return request.status().at("/inputs/options");
  Result<Mapspace> space = Mapspace::create(stated.problem, stated.arch, request->space);
  if (!space.ok()) return space.status().at("/inputs/arch");
  return std::optional(StatedSearch{*std::move(request), *std::move(space)});
}

Status check_search(const StoredResult& stated, const Evaluator& evaluator, StoredResult& actual) {
  const Result<std::optional<StatedSearch>> search = search_of(stated);
  if (!search.ok()) return search.status();
  if (!*search) return {};
  return Checker(stated, evaluator, (*search)->request, (*search)->space).run(actual);
}

std::string search_in_words(const StoredResult& actual) {
  if (!actual.certificate) return "";
  const StoredCertificate& certificate = *actual.certificate;
  std::string text = "  in its space (" + certificate.space + "); certificate: ";
  text += certificate.proved ? "proved by the " + actual.options.search + " search" : "not proved";
  text += ", its arithmetic holds; ";
  return text + (actual.statistics ? "the sample was drawn again\n" : "no search was repeated\n");
}

}  // namespace loopscape::cli
