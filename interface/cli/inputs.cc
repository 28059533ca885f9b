#include "interface/cli/inputs.h"

#include <utility>

namespace loopscape::cli {
namespace {

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

// `base` with what "key=value,..." says about some of its fields.
Result<Conventions> changed_conventions(const Conventions& base, const std::string& changes) {
  std::string kept;
  const std::string all = conventions_to_text(base) + ",";
  for (std::size_t at = 0, end = 0; (end = all.find(',', at)) != std::string::npos; at = end + 1) {
    const std::string word = all.substr(at, end - at);
    const std::string key = word.substr(0, word.find('='));
    if (("," + changes).find("," + key + "=") == std::string::npos) kept += word + ",";
  }
  return parse_conventions_text(kept + changes);
}

// Command line, else problem, else architecture, else physical.
Result<Conventions> conventions_in_force(const InputOptions& options, const Problem& problem,
                                         const Arch& arch) {
  Conventions conventions =
      problem.conventions.value_or(arch.conventions.value_or(Conventions::physical()));
  if (!options.conventions.empty()) {
    // Without a preset, what is said is said about the conventions of the files.
    const bool has_preset = options.conventions.find('=') == std::string::npos ||
                            options.conventions.find('=') > options.conventions.find(',');
    Result<Conventions> given = has_preset ? parse_conventions_text(options.conventions)
                                           : changed_conventions(conventions, options.conventions);
    if (!given.ok()) return given.status().in("--conventions");
    conventions = *given;
  }
  if (options.reuse == "march") conventions.reuse = Conventions::Reuse::kMarch;
  if (options.reuse == "previous_tile") conventions.reuse = Conventions::Reuse::kPreviousTile;
  return conventions;
}

template <class T>
Result<T> load(const std::string& path, Result<T> (*parse)(std::string_view)) {
  Result<std::string> text = read_text(path);
  if (!text.ok()) return text.status();
  Result<T> value = parse(*text);
  if (!value.ok()) return value.status().in(file_name(path));
  return value;
}

Status check(const InputOptions& options, const std::vector<std::string>& more_paths) {
  if (!options.reuse.empty() && options.reuse != "march" && options.reuse != "previous_tile") {
    return invalid("--reuse is march or previous_tile, not " + in_quotes(options.reuse));
  }
  std::vector<std::string> paths = {options.arch, options.problem};
  paths.insert(paths.end(), more_paths.begin(), more_paths.end());
  return check_stdin_once(paths);
}

}  // namespace

std::string file_name(const std::string& path) { return path == "-" ? "<stdin>" : path; }

void add_inputs(CLI::App& verb, InputOptions& options) {
  verb.add_option("ARCH", options.arch, "The architecture (JSON); - reads stdin")->required();
  verb.add_option("PROBLEM", options.problem, "The problem (JSON); - reads stdin")->required();
}

void add_conventions(CLI::App& verb, InputOptions& options) {
  verb.add_option("--conventions", options.conventions,
                  "physical, timeloop, or changes: timeloop,footprint=distinct");
  verb.add_option("--reuse", options.reuse, "march or previous_tile; wins over --conventions");
  add_table_options(verb, options.prices);
}

Result<Inputs> load_inputs(const InputOptions& options,
                           const std::vector<std::string>& more_paths) {
  if (Status status = check(options, more_paths); !status.ok()) return status;
  Result<Arch> arch = load<Arch>(options.arch, &parse_arch);
  if (!arch.ok()) return arch.status();
  Result<Problem> problem = load<Problem>(options.problem, &parse_problem);
  if (!problem.ok()) return problem.status();
  Result<Conventions> conventions = conventions_in_force(options, *problem, *arch);
  if (!conventions.ok()) return conventions.status();
  return Inputs{*std::move(arch), *std::move(problem), *conventions};
}

Result<ProblemOrNetwork> load_problem_or_network(const InputOptions& options) {
  if (Status status = check(options, {}); !status.ok()) return status;
  Result<Arch> arch = load<Arch>(options.arch, &parse_arch);
  if (!arch.ok()) return arch.status();
  Result<std::string> text = read_text(options.problem);
  if (!text.ok()) return text.status();
  const std::string file = file_name(options.problem);
  if (!is_network(*text)) {
    Result<Problem> problem = parse_problem(*text);
    if (!problem.ok()) return problem.status().in(file);
    Result<Conventions> conventions = conventions_in_force(options, *problem, *arch);
    if (!conventions.ok()) return conventions.status();
    return ProblemOrNetwork{Inputs{*std::move(arch), *std::move(problem), *conventions}, {}};
  }
  Result<LayerNetwork> network = parse_network(*text, {options.problem, &read_text});
  if (!network.ok()) return network.status().in(file);
  std::vector<Conventions> all;
  for (const Problem& layer : network->layers) {
    Result<Conventions> conventions = conventions_in_force(options, layer, *arch);
    if (!conventions.ok()) return conventions.status();
    all.push_back(*conventions);
  }
  return ProblemOrNetwork{{}, NetworkInputs{*std::move(arch), *std::move(network), std::move(all)}};
}

}  // namespace loopscape::cli
