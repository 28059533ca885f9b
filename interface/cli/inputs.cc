#include "interface/cli/inputs.h"

#include <utility>

#include "interface/cli/warnings.h"

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

struct ReadArch {
  Arch arch;
  std::string text;
};

Result<ReadArch> read_arch(const std::string& path) {
  Result<std::string> text = read_text(path);
  if (!text.ok()) return text.status();
  Result<Arch> arch = parse_arch(*text);
  if (!arch.ok()) return arch.status().in(file_name(path));
  return ReadArch{*std::move(arch), *std::move(text)};
}

// `text` is that of options.problem.
Result<Inputs> make_inputs(const InputOptions& options, ReadArch read, std::string_view text) {
  Result<Problem> problem = parse_problem(text);
  if (!problem.ok()) return problem.status().in(file_name(options.problem));
  Result<Conventions> conventions = conventions_in_force(options, *problem, read.arch);
  if (!conventions.ok()) return conventions.status();
  const InputFiles files{file_name(options.arch), read.text, file_name(options.problem), "", false};
  warn(files, read.arch, {&*problem, 1});
  return Inputs{std::move(read.arch), *std::move(problem), *conventions};
}

Result<NetworkInputs> make_network_inputs(const InputOptions& options, ReadArch read,
                                          std::string_view text) {
  Result<LayerNetwork> network = parse_network(text, {options.problem, &read_text});
  if (!network.ok()) return network.status().in(file_name(options.problem));
  std::vector<Conventions> all;
  for (const Problem& layer : network->layers) {
    Result<Conventions> conventions = conventions_in_force(options, layer, read.arch);
    if (!conventions.ok()) return conventions.status();
    all.push_back(*conventions);
  }
  const InputFiles files{file_name(options.arch), read.text, file_name(options.problem),
                         network->name, true};
  warn(files, read.arch, network->layers);
  return NetworkInputs{std::move(read.arch), *std::move(network), std::move(all)};
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
  Result<ReadArch> read = read_arch(options.arch);
  if (!read.ok()) return read.status();
  Result<std::string> text = read_text(options.problem);
  if (!text.ok()) return text.status();
  return make_inputs(options, *std::move(read), *text);
}

Result<ProblemOrNetwork> load_problem_or_network(const InputOptions& options) {
  if (Status status = check(options, {}); !status.ok()) return status;
  Result<ReadArch> read = read_arch(options.arch);
  if (!read.ok()) return read.status();
  Result<std::string> text = read_text(options.problem);
  if (!text.ok()) return text.status();
  if (is_network(*text)) {
    Result<NetworkInputs> network = make_network_inputs(options, *std::move(read), *text);
    if (!network.ok()) return network.status();
    return ProblemOrNetwork{{}, *std::move(network)};
  }
  Result<Inputs> one = make_inputs(options, *std::move(read), *text);
  if (!one.ok()) return one.status();
  return ProblemOrNetwork{*std::move(one), {}};
}

}  // namespace loopscape::cli
