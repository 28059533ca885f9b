#include "interface/cli/energy_sources.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "interface/cli/command.h"
#include "interface/cli/files.h"

namespace loopscape::cli {
namespace {

namespace fs = std::filesystem;

bool is_yaml(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

Status unusable(const std::string& path, std::string why) {
  return Status(StatusCode::kInvalidInput, std::move(why)).in(path);
}

// The files that --tables names, in order of their names.
Result<std::vector<std::string>> table_files(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".json" || is_yaml(it->path())) {
      files.push_back(it->path().string());
    }
  }
  if (error) return unusable(path, "cannot be read: " + error.message());
  if (files.empty()) return unusable(path, "has no tables (*.json) and no ERT or ART (*.yaml)");
  std::sort(files.begin(), files.end());
  return files;
}

Status add_file(const std::string& path, UserTables& out) {
  Result<std::string> text = read_text(path);
  if (!text.ok()) return text.status();
  if (!is_yaml(path)) {
    out.tables.push_back({path, *std::move(text)});
    return {};
  }
  Result<std::vector<NamedPrices>> named = parse_ert_art(*text, path);
  if (!named.ok()) return named.status();
  for (NamedPrices& prices : named.value()) {
    const auto same = [&](const NamedPrices& known) { return known.node == prices.node; };
    const auto known = std::find_if(out.named.begin(), out.named.end(), same);
    if (known == out.named.end()) {
      out.named.push_back(std::move(prices));
    } else if (known->actions.empty() != prices.actions.empty()) {
      known->actions.merge(prices.actions);  // an ERT in one file, the ART in another
      if (prices.area_um2) known->area_um2 = prices.area_um2;
    } else {
      return unusable(path,
                      in_quotes(prices.node) + " is priced twice, here and in " + known->source);
    }
  }
  return {};
}

}  // namespace

void add_table_options(CLI::App& verb, TableOptions& options) {
  verb.add_option("--tables", options.tables,
                  "Component tables to add: a folder or file (JSON, or an ERT and ART in YAML)");
  verb.add_option("--estimator", options.estimator,
                  "A command that prices components: JSON on its stdin, JSON on its stdout");
  verb.add_option("--estimator-timeout", options.estimator_seconds,
                  "Seconds that one answer may take (10)")
      ->check(positive());
}

Result<EnergyTables> load_tables(const TableOptions& options) {
  UserTables more;
  std::string path = options.tables;
  if (path.empty()) {
    if (const char* set = std::getenv("LOOPSCAPE_TABLES")) path = set;
  }
  if (!path.empty()) {
    Result<std::vector<std::string>> files = table_files(path);
    if (!files.ok()) return files.status();
    for (const std::string& file : *files) {
      if (Status status = add_file(file, more); !status.ok()) return status;
    }
  }
  // A day is more than anybody waits for.
  if (!(options.estimator_seconds > 0 && options.estimator_seconds <= 86400)) {
    return Status(StatusCode::kInvalidInput,
                  "--estimator-timeout is a number of seconds above 0 and at most 86400, not " +
                      number_text(options.estimator_seconds));
  }
  if (!options.estimator.empty()) {
    more.external_name = options.estimator;
    more.external = [command = options.estimator,
                     seconds = options.estimator_seconds](const std::string& request) {
      return run_command(command, request, seconds);
    };
  }
  return EnergyTables::create(more);
}

Result<ResolvedCosts> price_arch(const Arch& arch, const TableOptions& options,
                                 const std::string& file) {
  Result<EnergyTables> tables = load_tables(options);
  if (!tables.ok()) return tables.status();
  Result<ResolvedCosts> resolved = resolve_costs(arch, *tables);
  if (!resolved.ok()) return resolved.status().in(file);
  return resolved;
}

Result<PricesAgain> price_again(const StoredResult& stated, const TableOptions& options) {
  if (stated.tables == kTablesInSpec) {
    Result<ActionCosts> costs = costs_in_spec(stated.arch);
    if (!costs.ok()) return costs.status();
    return PricesAgain{{stated.arch, *costs, {}, kTablesInSpec, {}}};
  }
  Result<EnergyTables> tables = load_tables(options);
  if (!tables.ok()) return tables.status();
  const bool same = tables->identity() == stated.tables;
  if (!same && !(options.tables.empty() && options.estimator.empty())) {
    return Status(StatusCode::kInvalidInput,
                  "the result was priced with " + printable(stated.tables, 80) +
                      ", not with these tables (" + tables->identity() + ")")
        .at("/inputs/tables");
  }
  Result<ResolvedCosts> prices = same ? resolve_costs(stated.arch, *tables)
                                      : costs_of_prices(stated.arch, stated.prices, stated.tables);
  if (!prices.ok()) return prices.status();
  return PricesAgain{*std::move(prices), !same};
}

}  // namespace loopscape::cli
