// loopscape: the command. Parsing only; each verb is a file of its own.
#include <csignal>
#include <cstdio>
#include <exception>
#include <sstream>

#include "interface/cli/command.h"
#include "model/evaluate/evaluate.h"

namespace loopscape::cli {
namespace {

constexpr const char* kAbout =
    "Loopscape: what does a loop nest cost on an accelerator, and which is best? Exact counts, "
    "energy and time.";

constexpr const char* kExamples =
    "Examples:\n"
    "  loopscape evaluate arch.json problem.json mapping.json\n"
    "  loopscape evaluate arch.json problem.json mapping.json --json > result.json\n"
    "  loopscape map arch.json problem.json\n"
    "  loopscape verify result.json\n"
    "  loopscape count arch.json problem.json\n"
    "  loopscape schema mapping\n"
    "\n"
    "Exit codes: 0 done; 1 the answer is no; 2 bad input; 3 interrupted.\n"
    "`loopscape VERB --help` explains a verb.";

std::string version() {
  return "loopscape " LOOPSCAPE_VERSION " (model revision " + std::to_string(kModelRevision) + ")";
}

// A word that no option or verb took, with the nearest one that exists.
std::string unexpected(const CLI::App& app, const std::string& word) {
  const CLI::App* verb = &app;
  for (const CLI::App* chosen : app.get_subcommands()) verb = chosen;
  std::vector<std::string> known;
  for (const CLI::Option* option : verb->get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const CLI::App* sub : verb->get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(sub->get_name());
  }
  const std::string near = nearest(word.substr(0, word.find('=')), known);
  return in_quotes(word) + " is not understood here" +
         (near.empty() ? "" : " (did you mean " + in_quotes(near) + "?)");
}

int misused(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> rest = app.remaining(true);
  const std::string what = rest.empty() ? error.what() : unexpected(app, rest.front());
  std::string verb;
  for (const CLI::App* chosen : app.get_subcommands()) verb = " " + chosen->get_name();
  std::fprintf(stderr, "loopscape: %s; see `loopscape%s --help`\n", what.c_str(), verb.c_str());
  return kBadInput;
}

int run_command(int argc, char** argv) {
  CLI::App app(kAbout, "loopscape");
  app.footer(kExamples);
  app.set_version_flag("--version", version(), "Print the version and leave");
  Run run;
  add_evaluate(app, run);
  add_map(app, run);
  add_verify(app, run);
  add_count(app, run);
  add_energy(app, run);
  add_schema(app, run);
  add_bound(app, run);
  add_bench(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return misused(app, error);
    std::ostringstream out;
    app.exit(error, out, out);  // --help or --version
    return print(out.str());
  }
  return run ? run() : print(app.help(), kBadInput);
}

}  // namespace
}  // namespace loopscape::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, told as such
  try {
    return loopscape::cli::run_command(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loopscape: cannot go on: %s\n", error.what());
    return loopscape::cli::kBadInput;
  }
}
