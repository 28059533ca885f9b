#include "tests/validation/machines.h"

#include <atomic>

#include "model/energy/energy.h"

namespace loopscape::validation {
namespace {

const EnergyTables& tables() {
  static const EnergyTables built_in = unwrap(EnergyTables::built_in(), "tables");
  return built_in;
}

Priced explained(const Evaluator& evaluator, const Mapping& mapping) {
  return {evaluator.problem(), evaluator.arch(), mapping, evaluator.conventions(),
          unwrap(evaluator.explain(mapping), "evaluation")};
}

Evaluator evaluator_of(const Machine& machine, const Problem& problem) {
  return unwrap(Evaluator::create(problem, machine.arch, Conventions::physical(), machine.costs),
                "evaluator");
}

// Parts of a cycle that every mapping adds are in no bound.
constexpr double kClose = 1e-4;

Priced searched(const Machine& machine, const Json& spec, Objective objective, Factors factors,
                std::uint64_t max_work) {
  const Problem problem = unwrap(parse_problem(spec.dump()), "problem");
  const Evaluator evaluator = evaluator_of(machine, problem);
  MapspaceOptions options;
  options.factors = factors;
  const Mapspace space = unwrap(Mapspace::create(problem, machine.arch, options), "mapspace");
  std::atomic<bool> stop = false;
  bool reached = false;
  SearchLimits limits;
  limits.max_work = max_work;
  limits.stop = &stop;
  limits.progress = [&](const SearchProgress& progress) {
    if (objective != Objective::kDelay || !progress.best) return;
    reached |= static_cast<double>(progress.best->cycles) <= progress.lower_bound * (1 + kClose);
    if (reached) stop = true;
  };
  Goal goal;
  goal.objective = objective;
  const SearchResult found = search_optimal(space, evaluator, goal, limits);
  if (!found.best) throw std::runtime_error("no mapping of " + problem.name + " was found");
  if (!found.certificate.proved && !reached && found.certificate.gap > kClose) {
    throw std::runtime_error("the best mapping of " + problem.name + " was not proved, gap " +
                             std::to_string(found.certificate.gap));
  }
  return explained(evaluator, found.best->mapping);
}

}  // namespace

double Machine::lanes() const {
  double all = 1;
  for (const Fanout& fanout : arch.fanouts) all *= static_cast<double>(fanout.children());
  return all;
}

Machine machine_of(const Json& spec, const std::map<std::string, double>& variables) {
  const Arch arch = unwrap(parse_arch(spec.dump(), variables), "architecture");
  ResolvedCosts resolved = unwrap(resolve_costs(arch, tables()), arch.name);
  return {std::move(resolved.arch), resolved.costs};
}

Machine machine(const std::string& name, const std::map<std::string, double>& variables) {
  return machine_of(load("arch_specs/" + name + ".json"), variables);
}

Priced price_on(const Machine& machine, const Json& spec, const std::string& nest) {
  const Problem problem = unwrap(parse_problem(spec.dump()), "problem");
  return explained(evaluator_of(machine, problem),
                   unwrap(parse_mapping_text(nest, problem, machine.arch), "mapping"));
}

Priced fastest(const Machine& machine, const Json& problem, Factors factors,
               std::uint64_t max_work) {
  return searched(machine, problem, Objective::kDelay, factors, max_work);
}

Delay delay_within(const Machine& machine, const Json& spec, std::uint64_t max_work) {
  const Problem problem = unwrap(parse_problem(spec.dump()), "problem");
  const Mapspace space = unwrap(Mapspace::create(problem, machine.arch, {}), "mapspace");
  Goal goal;
  goal.objective = Objective::kDelay;
  SearchLimits limits;
  limits.max_work = max_work;
  const SearchResult found = search_optimal(space, evaluator_of(machine, problem), goal, limits);
  if (!found.best) throw std::runtime_error("no mapping of " + problem.name + " was found");
  return {static_cast<double>(found.best->cycles), found.certificate.lower_bound};
}

Priced cheapest(const Machine& machine, const Json& problem, Factors factors) {
  return searched(machine, problem, Objective::kEnergy, factors, UINT64_MAX);
}

double cycles_of(const Priced& priced, const std::string& part, int further) {
  for (const TimePart& its : priced.cost.time) {
    if (time_part_name(its, priced.arch) == part && further-- == 0) return its.cycles;
  }
  return 0;
}

Json distinct_layers(const std::string& network) {
  Json distinct = Json::array();
  const Json file = load("problems/networks/" + network + ".json");
  for (Json layer : file.at("layers")) {
    const Json name = layer.at("name"), count = layer.value("count", 1);
    layer.erase("name");
    layer.erase("count");
    bool known = false;
    for (Json& other : distinct) {
      if (other.at("layer") != layer) continue;
      other["count"] = other.at("count").get<int>() + count.get<int>();
      known = true;
    }
    if (!known) distinct.push_back({{"name", name}, {"count", count}, {"layer", layer}});
  }
  return distinct;
}

}  // namespace loopscape::validation
