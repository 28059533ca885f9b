#include "tests/validation/harness.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <catch2/catch.hpp>

#include "model/energy/energy.h"
#include "tests/reference/simulator.h"

namespace loopscape::validation {
namespace {

Priced price_mapping(Problem problem, Arch arch, const Mapping& mapping,
                     const Conventions& conventions) {
  const ActionCosts costs = unwrap(costs_in_spec(arch), "energies");
  const Evaluator evaluator =
      unwrap(Evaluator::create(problem, arch, conventions, costs), "evaluator");
  Breakdown breakdown = unwrap(evaluator.explain(mapping), "evaluation");
  const ScratchPtr scratch = evaluator.make_scratch();
  const Cost cost = evaluator.evaluate(mapping, *scratch);
  REQUIRE(cost.ok());
  REQUIRE(cost.cycles == breakdown.cycles);
  REQUIRE(cost.energy_pj == breakdown.energy_pj);
  return {std::move(problem), std::move(arch), mapping, conventions, std::move(breakdown)};
}

template <class Id>
std::size_t found(const std::optional<Id>& id, const std::string& name) {
  if (!id) throw std::runtime_error("no such name: " + name);
  return index(*id);
}

}  // namespace

Json load(const std::string& path) {
  std::ifstream file(std::string(LOOPSCAPE_SOURCE_DIR) + "/" + path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return Json::parse(file);
}

Json with_unit_energies(Json arch) {
  for (Json& node : arch.at("nodes")) {
    if (node.contains("energy_pj")) continue;
    if (node.contains("memory")) node["energy_pj"] = {{"read", 1}, {"write", 1}, {"update", 1}};
    if (node.contains("compute")) node["energy_pj"] = {{"compute", 1}};
  }
  return arch;
}

const MemoryReport& Priced::memory(const std::string& name) const {
  return cost.memories.at(found(arch.find_memory(name), name));
}

const TensorAtMemory& Priced::at(const std::string& memory_name, const std::string& tensor) const {
  return memory(memory_name).tensors.at(found(problem.find_tensor(tensor), tensor));
}

const FanoutReport& Priced::fanout(const std::string& name) const {
  return cost.fanouts.at(found(arch.find_fanout(name), name));
}

const TensorAtNetwork& Priced::through(const std::string& fanout_name,
                                       const std::string& tensor) const {
  return fanout(fanout_name).tensors.at(found(problem.find_tensor(tensor), tensor));
}

Traffic Priced::words_per_instance(const std::string& name) const {
  const MemoryReport& report = memory(name);
  Traffic sum;
  for (const TensorAtMemory& tensor : report.tensors) {
    sum.reads += tensor.words.reads;
    sum.fills += tensor.words.fills;
    sum.updates += tensor.words.updates;
    sum.drains += tensor.words.drains;
  }
  for (std::int64_t* count : {&sum.reads, &sum.fills, &sum.updates, &sum.drains}) {
    REQUIRE(*count % report.instances_used == 0);
    *count /= report.instances_used;
  }
  return sum;
}

Priced price(const Json& problem_spec, const Json& arch_spec, const Json& mapping_spec,
             const Conventions& conventions) {
  Problem problem = unwrap(parse_problem(problem_spec.dump()), "problem");
  Arch arch = unwrap(parse_arch(arch_spec.dump()), "architecture");
  const Mapping mapping = unwrap(parse_mapping(mapping_spec.dump(), problem, arch), "mapping");
  return price_mapping(std::move(problem), std::move(arch), mapping, conventions);
}

Priced price_text(const Json& problem_spec, const Json& arch_spec, const std::string& nest,
                  const Conventions& conventions) {
  Problem problem = unwrap(parse_problem(problem_spec.dump()), "problem");
  Arch arch = unwrap(parse_arch(arch_spec.dump()), "architecture");
  const Mapping mapping = unwrap(parse_mapping_text(nest, problem, arch), "mapping");
  return price_mapping(std::move(problem), std::move(arch), mapping, conventions);
}

Priced simulated(const Priced& priced) {
  Priced walked = priced;
  walked.cost =
      unwrap(reference::simulate(priced.problem, priced.arch, priced.conventions,
                                 unwrap(costs_in_spec(priced.arch), "energies"), priced.mapping),
             "simulation");
  return walked;
}

bool same_energy(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

double printed(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

}  // namespace loopscape::validation
