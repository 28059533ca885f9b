// Where prices come from: the tables of the library, and what the command line adds to them.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "model/evaluate/evaluate.h"

namespace loopscape::cli {

struct TableOptions {
  std::string tables;     // a folder or file; empty: LOOPSCAPE_TABLES, if that is set
  std::string estimator;  // a command
  double estimator_seconds = 10;
};

void add_table_options(CLI::App& verb, TableOptions& options);
Result<EnergyTables> load_tables(const TableOptions& options);
// `file`: what errors call the architecture.
Result<ResolvedCosts> price_arch(const Arch& arch, const TableOptions& options,
                                 const std::string& file);

// The prices that a result was made with: from the tables that it names if those are in force, else
// as it states them itself.
struct PricesAgain {
  ResolvedCosts prices;
  bool as_stated = false;
};
Result<PricesAgain> price_again(const StoredResult& stated, const TableOptions& options);

// The prices by name that an Accelergy ERT, ART or both state (YAML).
Result<std::vector<NamedPrices>> parse_ert_art(const std::string& text, const std::string& file);

// Runs a shell command with `input` on its stdin; what it wrote to stdout, or why there is none.
Result<std::string> run_command(const std::string& command, const std::string& input,
                                double seconds);

}  // namespace loopscape::cli
