// loopscape bench: one number that changes when what the program computes changes, and the time it
// took.
#include <memory>

#include <nlohmann/json.hpp>

#include "interface/cli/bench_set.h"
#include "interface/cli/command.h"
#include "interface/cli/numbers.h"
#include "interface/cli/text_table.h"

namespace loopscape::cli {
namespace {

double seconds_of(const std::vector<BenchCase>& cases) {
  double seconds = 0;
  for (const BenchCase& one : cases) seconds += one.seconds;
  return seconds;
}

std::string as_text(const std::vector<BenchCase>& cases) {
  TextTable table({"", "work", "time", "signature"});
  for (const BenchCase& one : cases) {
    table.group({one.name, grouped(static_cast<std::int64_t>(one.work)), duration(one.seconds),
                 std::to_string(one.signature)});
  }
  return table.text() + "\nBench: " + std::to_string(bench_signature(cases)) +
         "\nTime:  " + duration(seconds_of(cases)) + "\n";
}

std::string as_json(const std::vector<BenchCase>& cases) {
  nlohmann::ordered_json document = {{"signature", bench_signature(cases)},
                                     {"seconds", seconds_of(cases)},
                                     {"cases", nlohmann::ordered_json::array()}};
  for (const BenchCase& one : cases) {
    document["cases"].push_back({{"name", one.name},
                                 {"work", one.work},
                                 {"seconds", one.seconds},
                                 {"signature", one.signature}});
  }
  return document.dump(2) + "\n";
}

int run_verb(bool json) {
  const Result<std::vector<BenchCase>> cases = run_bench();
  if (!cases.ok()) return fail(cases.status(), json ? Form::kJson : Form::kText);
  return print(json ? as_json(*cases) : as_text(*cases));
}

}  // namespace

void add_bench(CLI::App& app, Run& run) {
  CLI::App* verb = app.add_subcommand("bench", "Run a fixed set of cases and print its signature");
  const auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "One JSON document on stdout, nothing else");
  verb->footer(
      "A fixed set of searches, evaluations and counts runs on one thread. The signature follows\n"
      "from every price, count, mapping, state and work unit of it, so it is the same on every\n"
      "machine and changes when the program computes anything else or in another order. A commit\n"
      "that changes it says so in a line `Bench: N`; tests/lint/bench.py checks that.\n"
      "\n"
      "Examples:\n"
      "  loopscape bench\n"
      "  loopscape bench --json");
  verb->callback([&run, json] { run = [json] { return run_verb(*json); }; });
}

}  // namespace loopscape::cli
