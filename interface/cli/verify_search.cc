#include "interface/cli/verify_search.h"

#include <algorithm>

#include "interface/cli/search_options.h"

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
    actual.options = stated_.options;
    actual.certificate = certificate(value(actual.breakdown));
    if (Status s = statistics(actual); !s.ok()) return s;
    if (Status s = front(actual); !s.ok()) return s;
    actual.fingerprint = fingerprint_of(actual);
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

  // What is stated where it can be, and otherwise what follows from the rest.
  StoredCertificate certificate(double best) const {
    StoredCertificate actual = *stated_.certificate;
    actual.proved = actual.proved && proves(stated_.options);
    actual.lower_bound = actual.proved ? best : std::min(actual.lower_bound, best);
    actual.gap = gap_of(best, actual.lower_bound);
    actual.space = space_.words();
    if (!actual.mapspace.empty()) {
      if (const std::string size = mapspace_size(space_); !size.empty()) actual.mapspace = size;
    }
    return actual;
  }

  // Drawn again: the sample follows from its seed.
  Status statistics(StoredResult& actual) const {
    if (!stated_.statistics) return {};
    RandomOptions options = request_.random;
    options.samples = std::min<std::uint64_t>(
        options.samples, static_cast<std::uint64_t>(stated_.statistics->samples));
    const Result<SearchResult> again = search_random(space_, evaluator_, request_.goal, options);
    if (!again.ok()) return again.status();
    if (again->statistics) actual.statistics = stored(*again->statistics);
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
    if (!stated_.options.pareto) return {};
    double least = value(actual.breakdown);
    bool listed = false;
    for (const StoredMapping& point : actual.front) {
      least = std::min(least, objective_value(request_.goal.objective, point.energy_pj,
                                              static_cast<double>(point.cycles)));
      listed = listed || (point.energy_pj == actual.breakdown.energy_pj &&
                          point.cycles == actual.breakdown.cycles);
    }
    if (!listed) return refused("/front", "the best mapping is not part of the front");
    if (least == value(actual.breakdown)) return {};
    return refused("/mapping", "a mapping of the front has a better objective");
  }

  const StoredResult& stated_;
  const Evaluator& evaluator_;
  const SearchRequest& request_;
  const Mapspace& space_;
};

}  // namespace

Status check_search(const StoredResult& stated, const Evaluator& evaluator, StoredResult& actual) {
  const bool searched = !stated.options.search.empty();
  if (!searched && !stated.certificate) return {};
  if (!searched || !stated.certificate) {
    return Status(StatusCode::kInvalidInput,
                  "the options of a search and its certificate come together")
        .at(searched ? "/certificate" : "/inputs/options/search");
  }
  const Result<SearchRequest> request = request_of(stated.options);
  if (!request.ok()) return request.status().at("/inputs/options");
  const Result<Mapspace> space = Mapspace::create(stated.problem, stated.arch, request->space);
  if (!space.ok()) return space.status().at("/inputs/arch");
  return Checker(stated, evaluator, *request, *space).run(actual);
}

std::string search_in_words(const StoredResult& actual) {
  if (!actual.certificate) return "";
  const StoredCertificate& certificate = *actual.certificate;
  std::string text = "  in its space (" + certificate.space + "); ";
  text += certificate.proved ? "certificate: proved by the " + actual.options.search + " search"
                             : "certificate: not proved";
  text += ", its arithmetic holds; ";
  return text + (actual.statistics ? "the sample was drawn again\n" : "no search was repeated\n");
}

}  // namespace loopscape::cli
