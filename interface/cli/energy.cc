// loopscape energy ARCH: what every action costs, and where each number comes from.
#include <memory>

#include "interface/cli/command.h"
#include "interface/cli/energy_report.h"
#include "interface/cli/energy_sources.h"
#include "interface/cli/files.h"
#include "interface/cli/inputs.h"

namespace loopscape::cli {
namespace {

struct Options {
  std::string arch;
  TableOptions tables;
  bool json = false, ert = false, accuracy = false;
};

int run_accuracy(const Options& options) {
  const Form form = options.json ? Form::kJson : Form::kText;
  const Result<EnergyTables> tables = load_tables(options.tables);
  if (!tables.ok()) return fail(tables.status(), form);
  return print(options.json ? accuracy_document(*tables)
                            : accuracy_text(*tables, style_of_stdout()));
}

int run_energy(const Options& options) {
  const Form form = options.json ? Form::kJson : Form::kText;
  if (options.accuracy && options.arch.empty()) return run_accuracy(options);
  if (options.arch.empty() || options.accuracy || (options.json && options.ert)) {
    return fail({StatusCode::kInvalidInput,
                 options.arch.empty() ? "name an architecture, or --accuracy for the tables alone"
                 : options.accuracy   ? "--accuracy is about the tables: leave the architecture out"
                                      : "--json and --ert are two forms; choose one"},
                form);
  }
  const Result<std::string> text = read_text(options.arch);
  if (!text.ok()) return fail(text.status(), form);
  const Result<Arch> arch = parse_arch(*text);
  if (!arch.ok()) return fail(arch.status().in(file_name(options.arch)), form);
  const Result<ResolvedCosts> resolved = price_arch(*arch, options.tables, file_name(options.arch));
  if (!resolved.ok()) return fail(resolved.status(), form);
  if (options.ert) return print(prices_ert_art(*resolved));
  return print(options.json ? prices_document(*resolved)
                            : prices_text(*resolved, style_of_stdout()));
}

}  // namespace

void add_energy(CLI::App& app, Run& run) {
  CLI::App* verb =
      app.add_subcommand("energy", "Say what every action costs, and where each number comes from");
  const auto options = std::make_shared<Options>();
  verb->add_option("ARCH", options->arch, "The architecture (JSON); - reads stdin");
  verb->add_flag("--json", options->json, "The prices as one JSON document, for machines");
  verb->add_flag("--ert", options->ert, "The prices as Accelergy's ERT and ART (YAML)");
  verb->add_flag("--accuracy", options->accuracy,
                 "No architecture: how well the tables predict their own points and published "
                 "figures");
  add_table_options(*verb, options->tables);
  verb->footer(
      "What the architecture states (\"energy_pj\", \"leakage_mw\", \"area_um2\") wins; the rest\n"
      "comes from component tables by \"class\", attributes, \"technology_nm\" and \"voltage\".\n"
      "energy_tables/README.md explains the tables and how to add some.\n"
      "\n"
      "Examples:\n"
      "  loopscape energy arch.json\n"
      "  loopscape energy arch.json --tables my_tables --json\n"
      "  loopscape energy arch.json --ert > ert.yaml\n"
      "  loopscape energy --accuracy");
  verb->callback([&run, options] { run = [options] { return run_energy(*options); }; });
}

}  // namespace loopscape::cli
