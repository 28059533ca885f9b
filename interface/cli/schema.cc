// loopscape schema NAME: the JSON Schemas of the file formats, as the readers define them.
#include <algorithm>
#include <memory>
#include <vector>

#include "interface/cli/command.h"
#include "model/evaluate/evaluate.h"

namespace loopscape::cli {
namespace {

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
      {"problem", "a problem: one einsum or a short form of it", &problem_schema},
      {"result", "what `evaluate --json` prints and `verify` checks", &result_schema},
  };
  return all;
}

std::string list() {
  std::string text = "Schemas (print one with `loopscape schema NAME`):\n";
  for (const Schema& schema : schemas()) {
    std::string name = schema.name;
    name.resize(13, ' ');
    text += "  " + name + schema.what + "\n";
  }
  return text;
}

int run_schema(const std::string& name) {
  if (name.empty()) return print(list());
  std::vector<std::string> names;
  for (const Schema& schema : schemas()) {
    if (name == schema.name) return print(schema.text());
    names.emplace_back(schema.name);
  }
  const std::vector<std::string> later = {"dataflows", "network", "sweep", "tables"};
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
  verb->add_option("NAME", *name, "arch, conventions, mapping, problem or result; none: list them");
  verb->footer(
      "Examples:\n"
      "  loopscape schema\n"
      "  loopscape schema arch > arch.schema.json");
  verb->callback([&run, name] { run = [name] { return run_schema(*name); }; });
}

}  // namespace loopscape::cli
