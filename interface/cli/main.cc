// loopscape: the command. Parsing only; each verb is a file of its own.
#include <csignal>
#include <exception>
#include <sstream>
#include <string_view>
#include <vector>

#include "interface/cli/command.h"
#include "interface/cli/memory.h"
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

using Names = std::vector<std::string>;

Names options_of(const CLI::App& app) {
  Names names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Names verbs_of(const CLI::App& app) {
  Names names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
  }
  return names;
}

const CLI::App* chosen_verb(const CLI::App& app) {
  const std::vector<const CLI::App*> verbs =
      app.get_subcommands([](const CLI::App* verb) { return verb->parsed(); });
  return verbs.empty() ? nullptr : verbs.front();
}

std::string not_understood(const std::string& word, const Names& known) {
  const std::string near = nearest(word.substr(0, word.find('=')), known);
  return in_quotes(word) + " is not understood here" +
         (near.empty() ? "" : " (did you mean " + in_quotes(near) + "?)");
}

// A word before the verb that was not taken: perhaps an option of verbs.
std::string misplaced(const CLI::App& app, const CLI::App* verb, const std::string& word) {
  Names later;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb != nullptr && one != verb) continue;
    const Names its = options_of(*one);
    later.insert(later.end(), its.begin(), its.end());
  }
  Names known = options_of(app);
  if (verb == nullptr) {
    const Names verbs = verbs_of(app);
    known.insert(known.end(), verbs.begin(), verbs.end());
  }
  const std::string option = word.substr(0, word.find('='));
  const std::string near = option.starts_with('-') ? nearest(option, later) : "";
  if (near.empty() || nearest(option, known) == option) return not_understood(word, known);
  const std::string place =
      "`loopscape " + (verb != nullptr ? verb->get_name() : "VERB") + " ... " + near + "`";
  if (near == option) return in_quotes(word) + " stands after the verb: " + place;
  return in_quotes(word) + " is not understood here (did you mean " + place + "?)";
}

// A value too few or too many, in other words than the parser's.
std::string mismatch(const CLI::App& verb, const std::string& what) {
  for (const CLI::Option* option : verb.get_options()) {
    const std::string name = option->get_name();
    const bool speaks_of_it = what.rfind(name + ":", 0) == 0 || what.rfind(name + " ", 0) == 0;
    if (!speaks_of_it) continue;
    if (option->count() > 1) {
      return name + " is given " + std::to_string(option->count()) + " times; say it once";
    }
    return name + (option->get_items_expected_max() == 0 ? " takes no value" : " needs a value");
  }
  return what;
}

int misused(const CLI::App& app, const CLI::ParseError& error, Form form) {
  const CLI::App* verb = chosen_verb(app);
  const Names before = app.remaining();
  const Names after = verb != nullptr ? verb->remaining() : Names();
  std::string what = error.what();
  if (!before.empty()) {
    what = misplaced(app, verb, before.front());
  } else if (!after.empty()) {
    what = not_understood(after.front(), options_of(*verb));
  } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    what = mismatch(verb != nullptr ? *verb : app, what);
  }
  const std::string help = verb != nullptr ? verb->get_name() + " --help" : "--help";
  return fail({StatusCode::kInvalidInput, what + "; see `loopscape " + help + "`"}, form);
}

// What the command line asks for, even if nothing else of it can be understood.
Form form_of(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (word == "--json" || word.starts_with("--json=")) return Form::kJson;
  }
  return Form::kText;
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
  app.require_subcommand(0, 1);  // else a file called "energy" would be another verb
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return misused(app, error, form_of(argc, argv));
    std::ostringstream out;
    app.exit(error, out, out);  // --help or --version
    return print(out.str());
  }
  return run ? run() : print(app.help(), kBadInput);
}

}  // namespace
}  // namespace loopscape::cli

int main(int argc, char** argv) {
  loopscape::cli::prefer_huge_pages();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, told as such
  try {
    return loopscape::cli::run_command(argc, argv);
  } catch (const std::exception& error) {
    using namespace loopscape;
    return cli::fail({StatusCode::kUnsupported, std::string("cannot go on: ") + error.what()},
                     cli::form_of(argc, argv));
  }
}
