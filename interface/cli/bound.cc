// loopscape bound ARCH PROBLEM: least possible traffic to each memory, by its capacity.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "interface/cli/bound_report.h"
#include "interface/cli/command.h"
#include "interface/cli/stop.h"

namespace loopscape::cli {
namespace {

struct Options {
  InputOptions inputs;
  std::string factors = "ragged";
  std::uint64_t max_work = BoundLimits().max_work;
  bool json = false;
};

struct Answer {
  Inputs inputs;
  MovementBounds bounds;
  bool interrupted = false;
};

// Bounds need reuse "march": who says otherwise.
Status explained(Status status, const InputOptions& options, const Inputs& inputs) {
  if (inputs.conventions.reuse != Conventions::Reuse::kPreviousTile) return status;
  Status told(status.code(), status.message() + "; say --reuse march");
  if (!options.reuse.empty()) return std::move(told).in("--reuse");
  const bool problem = inputs.problem.conventions.has_value();
  const std::optional<Conventions>& stated =
      problem ? inputs.problem.conventions : inputs.arch.conventions;
  const bool overruled = options.conventions.find("reuse=") != std::string::npos;
  if (overruled || !stated || stated->reuse != Conventions::Reuse::kPreviousTile) {
    return std::move(told).in("--conventions");
  }
  return std::move(told).at("/conventions").in(file_name(problem ? options.problem : options.arch));
}

Result<Answer> bound(const Options& options) {
  if (options.factors != "ragged" && options.factors != "perfect") {
    return Status(StatusCode::kInvalidInput,
                  "--factors is ragged or perfect, not " + in_quotes(options.factors));
  }
  Result<Inputs> inputs = load_inputs(options.inputs, {});
  if (!inputs.ok()) return inputs.status();
  const Stop stop(0);
  BoundLimits limits;
  limits.max_work = options.max_work;
  limits.stop = stop.flag();
  Result<MovementBounds> bounds =
      movement_bounds(inputs->problem, inputs->arch, inputs->conventions,
                      options.factors == "ragged" ? Factors::kRagged : Factors::kPerfect, limits);
  if (!bounds.ok()) return explained(bounds.status(), options.inputs, *inputs);
  return Answer{*std::move(inputs), *std::move(bounds), stop.interrupted()};
}

int run_bound(const Options& options) {
  const Result<Answer> answer = bound(options);
  if (!answer.ok()) return fail(answer.status(), options.json ? Form::kJson : Form::kText);
  const std::vector<MovementBound>& all = answer->bounds.bounds;
  const bool complete =
      std::all_of(all.begin(), all.end(), [](const MovementBound& one) { return one.complete; });
  if (!complete) {
    std::fprintf(stderr, "loopscape: %s; what is marked so is not proved\n",
                 answer->interrupted ? "interrupted" : "--max-work was not enough");
  }
  return print(options.json ? bound_json(answer->inputs, answer->bounds)
                            : bound_text(answer->inputs, answer->bounds, style_of_stdout()),
               complete ? kDone : kInterrupted);
}

}  // namespace

void add_bound(CLI::App& app, Run& run) {
  CLI::App* verb =
      app.add_subcommand("bound", "Bound the traffic to each memory from below, by its capacity");
  const auto options = std::make_shared<Options>();
  add_inputs(*verb, options->inputs);
  verb->add_option("--factors", options->factors,
                   "ragged (the default: the problem's edge may cut tiles) or perfect");
  verb->add_option("--max-work", options->max_work,
                   "Tiles and boundaries that each memory may take (20000000)")
      ->check(whole(0));
  verb->add_flag("--json", options->json, "Every step with its mapping, for machines");
  add_conventions(*verb, options->inputs);
  verb->get_option("--reuse")->description("march: bounds hold under it only, whatever files say");
  verb->footer(
      "For each memory, and each set of tensors that it may keep: of all even mappings, whatever\n"
      "else they cost, none that occupies less of one instance than a step's capacity moves fewer\n"
      "words between that memory and its parents than the step before says; and a mapping does\n"
      "move that many. Words are what the parents read for it and update from it, over all their\n"
      "instances. Other capacities and constraints on loops are left out, keep and bypass are "
      "not.\n"
      "Energies need not be stated.\n"
      "Exit code 3: --max-work or SIGINT ended it, and what is marked so is not proved.\n"
      "\n"
      "Examples:\n"
      "  loopscape bound arch.json problem.json --factors perfect\n"
      "  loopscape bound arch.json problem.json --json");
  verb->callback([&run, options] { run = [options] { return run_bound(*options); }; });
}

}  // namespace loopscape::cli
