// loopscape evaluate ARCH PROBLEM MAPPING: what one mapping costs.
#include "model/evaluate/evaluate.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "interface/cli/command.h"
#include "interface/cli/files.h"
#include "interface/cli/inputs.h"
#include "interface/cli/text_report.h"

namespace loopscape::cli {
namespace {

struct Options {
  InputOptions inputs;
  std::string mapping;
  bool explain = false, json = false;
};

bool is_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

// In the text form, node i of the nest stands on the i-th line that is not blank or a comment.
std::string line_of_node(std::string_view text, std::size_t node) {
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::size_t first = text.find_first_not_of(" \t\r", at);
    if (first < end && text[first] != '#' && node-- == 0) break;
    at = end + 1;
  }
  return "line " + std::to_string(line);
}

// A place in the nest as whoever wrote the mapping knows it.
Status placed(Status status, const std::string& path, const std::string& text) {
  constexpr std::string_view kNest = "/nest/";
  const std::string& place = status.place();
  std::size_t node = 0;
  if (!is_json(text) && place.rfind(kNest, 0) == 0 &&
      std::from_chars(place.data() + kNest.size(), place.data() + place.size(), node).ec ==
          std::errc()) {
    status = Status(status.code(), status.message()).at(line_of_node(text, node));
  }
  return std::move(status).in(file_name(path));
}

Result<StoredResult> evaluate(const Options& options) {
  Result<Inputs> inputs = load_inputs(options.inputs, {options.mapping});
  if (!inputs.ok()) return inputs.status();
  const Problem& problem = inputs->problem;
  const Arch& arch = inputs->arch;
  Result<std::string> text = read_text(options.mapping);
  if (!text.ok()) return text.status();
  Result<Mapping> mapping = is_json(*text) ? parse_mapping(*text, problem, arch)
                                           : parse_mapping_text(*text, problem, arch);
  if (!mapping.ok()) return mapping.status().in(file_name(options.mapping));
  Result<ResolvedCosts> prices =
      price_arch(arch, options.inputs.prices, file_name(options.inputs.arch));
  if (!prices.ok()) return prices.status();
  Result<Evaluator> evaluator =
      Evaluator::create(problem, prices->arch, inputs->conventions, prices->costs);
  if (!evaluator.ok()) return evaluator.status();
  Result<Breakdown> breakdown = evaluator->explain(*mapping);
  if (!breakdown.ok()) return placed(breakdown.status(), options.mapping, *text);
  StoredResult result = make_result(*evaluator, *mapping, std::move(breakdown).value());
  set_prices(*prices, result);
  return result;
}

int run_evaluate(const Options& options) {
  Result<StoredResult> result = evaluate(options);
  if (!result.ok()) return fail(result.status(), options.json ? Form::kJson : Form::kText);
  if (options.json) return print(result_to_json(*result));
  Style style = style_of_stdout();
  style.explain = options.explain;
  return print(text_report(*result, style));
}

}  // namespace

void add_evaluate(CLI::App& app, Run& run) {
  CLI::App* verb =
      app.add_subcommand("evaluate", "Price one mapping of a problem on an architecture");
  const auto options = std::make_shared<Options>();
  add_inputs(*verb, options->inputs);
  verb->add_option("MAPPING", options->mapping,
                   "The mapping, as JSON or as an indented nest; - reads stdin")
      ->required();
  verb->add_flag("--explain", options->explain, "Every count, and how the totals add up");
  verb->add_flag("--json", options->json, "The result as one JSON document, for machines");
  add_conventions(*verb, options->inputs);
  verb->footer(
      "Conventions: the command line wins over the problem, that over the architecture.\n"
      "Exit code 1: the mapping is illegal or a capacity is exceeded, and which and by how much.\n"
      "\n"
      "Examples:\n"
      "  loopscape evaluate arch.json problem.json mapping.json\n"
      "  loopscape evaluate arch.json problem.json nest.txt --explain\n"
      "  loopscape evaluate arch.json problem.json mapping.json --conventions timeloop --json\n"
      "\n"
      "A mapping as an indented nest:\n"
      "  DRAM: I W O\n"
      "  for k in 4\n"
      "    Buffer: I O\n"
      "    for p in 7\n"
      "      parallel k in 16 on PEs.x");
  verb->callback([&run, options] { run = [options] { return run_evaluate(*options); }; });
}

}  // namespace loopscape::cli
