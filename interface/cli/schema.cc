// loopscape schema NAME: the JSON Schemas of the file formats, as the readers define them.
#include <algorithm>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include "interface/cli/command.h"
#include "mapper/network/network.h"
#include "model/arch/arch.h"
#include "model/evaluate/evaluate.h"

namespace loopscape::cli {
namespace {

// "stationary weight", "dims c k", ...: a constraint in the words of the format.
std::string in_words(const Constraint& constraint) {
  std::string text;
  const auto add = [&](const char* key, const std::vector<std::string>& names) {
    if (names.empty()) return;
    text += (text.empty() ? "" : "; ") + std::string(key);
    for (const std::string& name : names) text += " " + name;
  };
  if (!constraint.stationary.empty()) add("stationary", {constraint.stationary});
  add("dims", constraint.dims);
  for (const FactorConstraint& factor : constraint.factors) add("factors", {factor.dim, "all"});
  add("order", constraint.order);
  add("keep", constraint.keep);
  add("bypass", constraint.bypass);
  return text;
}

const char* place_name(DataflowRule::Where where) {
  switch (where) {
    case DataflowRule::Where::kFeeder:
      return "feeder";
    case DataflowRule::Where::kArray:
      return "array";
    case DataflowRule::Where::kInside:
      return "inside";
    case DataflowRule::Where::kNext:
      break;
  }
  return "next";
}

constexpr const char* kPlaces =
    "feeder  the node named; at a fan-out: the loops at the memory above it. Without a node: the\n"
    "        fan-out with the most children, else the innermost memory\n"
    "array   the fan-out named, or the first one inside the memory named\n"
    "inside  every memory inside the array\n"
    "next    the first memory inside the node named\n";

std::string dataflow_text() {
  std::string text =
      "Dataflow presets, {\"node\": NODE, \"dataflow\": NAME}, and what they stand for:\n";
  for (const Dataflow& dataflow : dataflows()) {
    text += "\n" + dataflow.name + ": " + dataflow.meaning + "\n";
    for (const DataflowRule& rule : dataflow.rules) {
      std::string where = place_name(rule.where);
      where.resize(8, ' ');
      text += "  " + where + in_words(rule.constraint) + "\n";
    }
  }
  return text + "\n" + kPlaces;
}

std::string dataflow_json() {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Dataflow& dataflow : dataflows()) {
    nlohmann::ordered_json rules = nlohmann::ordered_json::array();
    for (const DataflowRule& rule : dataflow.rules) {
      const Constraint& c = rule.constraint;
      nlohmann::ordered_json its = {{"where", place_name(rule.where)}};
      if (!c.stationary.empty()) its["stationary"] = c.stationary;
      if (!c.dims.empty()) its["dims"] = c.dims;
      for (const FactorConstraint& factor : c.factors) its["factors"][factor.dim] = "all";
      if (!c.order.empty()) its["order"] = c.order;
      if (!c.bypass.empty()) its["bypass"] = c.bypass;
      rules.push_back(its);
    }
    all.push_back(
        {{"dataflow", dataflow.name}, {"meaning", dataflow.meaning}, {"constraints", rules}});
  }
  const nlohmann::ordered_json document = {{"dataflows", all}};
  return document.dump(2) + "\n";
}

struct Schema {
  const char* name;
  const char* what;
  std::string (*text)();
};

const std::vector<Schema>& schemas() {
  static const std::vector<Schema> all = {
      {"arch", "an architecture: memories, fan-outs, one compute node", &arch_schema},
      {"conventions", "counting conventions, as a part of other files", &conventions_schema},
      {"mapping", "a mapping: one loop nest", &mapping_schema},
      {"network", "a network: layers, each a problem or a file, and edges", &network_schema},
      {"network_result", "what `map` prints of a network with --json", &network_result_schema},
      {"problem", "a problem: one einsum or a short form of it", &problem_schema},
      {"result", "what `evaluate` and `map` print with --json and `verify` checks", &result_schema},
      {"tables", "component tables: energies, leakage and area, with sources", &tables_schema},
  };
  return all;
}

std::string list() {
  std::string text = "Schemas (print one with `loopscape schema NAME`):\n";
  for (const Schema& schema : schemas()) {
    std::string name = schema.name;
    name.resize(16, ' ');
    text += "  " + name + schema.what + "\n";
  }
  return text +
         "Not a schema but a table:\n  dataflows       the presets that constraints may name\n";
}

int run_schema(const std::string& name, bool json) {
  if (name.empty()) return print(list());
  if (name == "dataflows") return print(json ? dataflow_json() : dataflow_text());
  std::vector<std::string> names = {"dataflows"};
  for (const Schema& schema : schemas()) {
    if (name == schema.name) return print(schema.text());
    names.emplace_back(schema.name);
  }
  const std::vector<std::string> later = {"sweep"};
  if (std::find(later.begin(), later.end(), name) != later.end()) {
    return fail({StatusCode::kInvalidInput, "this version of loopscape has no schema for " + name +
                                                " yet; it has " + listed(names)},
                Form::kText);
  }
  return fail({StatusCode::kInvalidInput,
               "no schema is called " + in_quotes(name) + suggestion(name, names)},
              Form::kText);
}

}  // namespace

void add_schema(CLI::App& app, Run& run) {
  CLI::App* verb = app.add_subcommand("schema", "Print the JSON Schema of a file format");
  const auto name = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option(
      "NAME", *name,
      "arch, conventions, dataflows, mapping, network, network_result, problem, result or tables;\n"
      "none: list them");
  verb->add_flag("--json", *json, "dataflows as JSON; schemas are JSON anyway");
  verb->footer(
      "Examples:\n"
      "  loopscape schema\n"
      "  loopscape schema arch > arch.schema.json\n"
      "  loopscape schema dataflows");
  verb->callback([&run, name, json] { run = [name, json] { return run_schema(*name, *json); }; });
}

}  // namespace loopscape::cli
