// Dataflow presets: what each stands for, as data, and how a constraint that names one is spelled
// out for an architecture.
#include <algorithm>
#include <utility>

#include "model/arch/arch.h"

namespace loopscape {
namespace {

using Where = DataflowRule::Where;

Constraint stationary(const char* role) {
  Constraint constraint;
  constraint.stationary = role;
  return constraint;
}
Constraint only(std::vector<std::string> dims) {
  Constraint constraint;
  constraint.dims = std::move(dims);
  return constraint;
}
Constraint without_storage() {
  Constraint constraint;
  constraint.bypass = {"weight", "input", "output"};
  return constraint;
}
Constraint filter_rows() {
  Constraint constraint = only({"p", "r", "c", "k"});
  constraint.factors = {{"r", FactorConstraint::Kind::kAll, 1}};
  return constraint;
}
Constraint order(std::vector<std::string> dims) {
  Constraint constraint;
  constraint.order = std::move(dims);
  return constraint;
}

std::vector<Dataflow> make_dataflows() {
  return {
      {"WS",
       "weight stationary: a weight stays in place while everything that uses it passes",
       {{Where::kFeeder, stationary("weight")}}},
      {"OS",
       "output stationary: a partial sum stays in place until it is complete",
       {{Where::kFeeder, stationary("output")}}},
      {"OSA",
       "output stationary, one channel and many pixels of it at a time (SOC-MOP)",
       {{Where::kFeeder, stationary("output")}, {Where::kArray, only({"n", "p", "q"})}}},
      {"OSB",
       "output stationary, many channels and many pixels of a row at a time (MOC-MOP)",
       {{Where::kFeeder, stationary("output")}, {Where::kArray, only({"n", "k", "p"})}}},
      {"OSC",
       "output stationary, many channels of one pixel at a time (MOC-SOP)",
       {{Where::kFeeder, stationary("output")}, {Where::kArray, only({"n", "k"})}}},
      {"IS",
       "input stationary: an input stays in place while everything that uses it passes",
       {{Where::kFeeder, stationary("input")}}},
      {"NLR",
       "no local reuse: nothing is stored below the array, which takes channels and filters",
       {{Where::kArray, only({"c", "k"})}, {Where::kInside, without_storage()}}},
      {"RS",
       "row stationary: an element works on a row of the filter; the array holds all its rows, "
       "rows "
       "of outputs, channels and filters",
       {{Where::kArray, filter_rows()}, {Where::kInside, order({"s", "c", "k"})}}},
      {"WS-LOS",
       "weight stationary, and inside it, one memory further in, output stationary",
       {{Where::kFeeder, stationary("weight")}, {Where::kNext, stationary("output")}}},
      {"OS-LWS",
       "output stationary, and inside it, one memory further in, weight stationary",
       {{Where::kFeeder, stationary("output")}, {Where::kNext, stationary("weight")}}},
  };
}

// The nodes that a preset's rules speak of, by position in Arch::nodes.
struct Places {
  std::size_t named = 0;  // what the constraint names, or the array
  std::optional<std::size_t> array;
};

std::size_t position(const Arch& arch, NodeKind kind, std::size_t id) {
  std::size_t p = 0;
  while (arch.nodes[p].kind != kind || arch.nodes[p].id != id) ++p;
  return p;
}

Places find_places(const Arch& arch, const std::string& node) {
  Places places;
  if (const auto fanout = arch.find_fanout(node)) {
    places.named = position(arch, NodeKind::kFanout, index(*fanout));
    places.array = places.named;
    return places;
  }
  if (const auto memory = arch.find_memory(node)) {
    places.named = position(arch, NodeKind::kMemory, index(*memory));
    for (std::size_t p = arch.nodes.size(); p-- > places.named;) {
      if (arch.nodes[p].kind == NodeKind::kFanout) places.array = p;
    }
    return places;
  }
  std::int64_t most = 0;
  for (std::size_t p = 0; p < arch.nodes.size(); ++p) {
    if (arch.nodes[p].kind == NodeKind::kMemory && !places.array) places.named = p;
    if (arch.nodes[p].kind != NodeKind::kFanout) continue;
    const std::int64_t children = arch.fanouts[arch.nodes[p].id].children();
    if (children <= most) continue;
    most = children;
    places.array = places.named = p;
  }
  return places;
}

std::vector<std::size_t> memories_inside(const Arch& arch, std::size_t position) {
  std::vector<std::size_t> inside;
  for (std::size_t p = position + 1; p < arch.nodes.size(); ++p) {
    if (arch.nodes[p].kind == NodeKind::kMemory) inside.push_back(p);
  }
  return inside;
}

const std::string& name_of(const Arch& arch, std::size_t position) {
  const ArchNode& node = arch.nodes[position];
  return node.kind == NodeKind::kMemory ? arch.memories[node.id].name : arch.fanouts[node.id].name;
}

Status expand(const Arch& arch, const Constraint& constraint, std::vector<Constraint>& out) {
  const Places places = find_places(arch, constraint.node);
  for (const Dataflow& dataflow : dataflows()) {
    if (dataflow.name != constraint.dataflow) continue;
    for (const DataflowRule& rule : dataflow.rules) {
      std::vector<std::size_t> nodes = {places.named};
      if (rule.where == Where::kArray) {
        if (places.array) nodes = {*places.array};
        if (!places.array) nodes.clear();
      } else if (rule.where == Where::kInside) {
        nodes = memories_inside(arch, places.array.value_or(places.named));
      } else if (rule.where == Where::kNext) {
        nodes = memories_inside(arch, places.named);
        nodes.resize(std::min<std::size_t>(nodes.size(), 1));
      }
      const bool needed = rule.where == Where::kArray || rule.where == Where::kNext;
      if (needed && nodes.empty()) {
        return {StatusCode::kInvalidInput,
                "dataflow " + constraint.dataflow + " needs a " +
                    (rule.where == Where::kArray ? "fan-out" : "memory") + " inside " +
                    name_of(arch, places.named) + ", and " + arch.name + " has none there"};
      }
      for (const std::size_t node : nodes) {
        out.push_back(rule.constraint);
        out.back().node = name_of(arch, node);
        out.back().dataflow = constraint.dataflow;
      }
    }
  }
  return {};
}

}  // namespace

const std::vector<Dataflow>& dataflows() {
  static const std::vector<Dataflow> all = make_dataflows();
  return all;
}

const std::vector<std::string>& dataflow_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Dataflow& dataflow : dataflows()) list.push_back(dataflow.name);
    return list;
  }();
  return names;
}

Result<std::vector<Constraint>> expanded_constraints(const Arch& arch) {
  std::vector<Constraint> all;
  for (const Constraint& constraint : arch.constraints) {
    Constraint rest = constraint;
    rest.dataflow.clear();
    Constraint empty;
    empty.node = constraint.node;
    if (constraint.dataflow.empty() || !(rest == empty)) all.push_back(rest);
    if (constraint.dataflow.empty()) continue;
    if (Status status = expand(arch, constraint, all); !status.ok()) return status;
  }
  return all;
}

}  // namespace loopscape
