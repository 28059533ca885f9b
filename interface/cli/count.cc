// loopscape count ARCH PROBLEM: how many mappings there are.
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "interface/cli/command.h"
#include "interface/cli/inputs.h"
#include "interface/cli/numbers.h"
#include "interface/cli/stop.h"
#include "interface/cli/text_table.h"
#include "mapper/mapspace/mapspace.h"

namespace loopscape::cli {
namespace {

struct Options {
  InputOptions inputs;
  std::string factors = "ragged";
  bool uneven = false, json = false;
  std::uint64_t max_work = CensusLimits().most_steps;
};

struct Answer {
  Inputs inputs;
  std::string space;
  std::size_t placements = 0;
  BigCount mappings;
  std::optional<Census> census;
  Status limit;  // why there is no census
};

Result<Answer> count(const Options& options, const Stop& stop) {
  Result<Inputs> inputs = load_inputs(options.inputs, {});
  if (!inputs.ok()) return inputs.status();
  if (options.factors != "ragged" && options.factors != "perfect") {
    return Status(StatusCode::kInvalidInput,
                  "--factors is ragged or perfect, not " + in_quotes(options.factors));
  }
  MapspaceOptions wanted;
  wanted.factors = options.factors == "ragged" ? Factors::kRagged : Factors::kPerfect;
  wanted.stores = options.uneven ? Stores::kUneven : Stores::kEven;
  Result<Mapspace> space = Mapspace::create(inputs->problem, inputs->arch, wanted);
  if (!space.ok()) return space.status().in(file_name(options.inputs.arch));
  Answer answer;
  answer.space = space->words();
  answer.placements = space->placements().size();
  CountLimits counting;
  counting.stop = stop.flag();
  Result<Numbering> numbering = Numbering::create(*space, counting);
  if (!numbering.ok()) return numbering.status();
  answer.mappings = numbering->size();
  if (options.max_work > 0) {
    CensusLimits limits;
    limits.most_steps = options.max_work;
    limits.stop = stop.flag();
    Result<Census> census = take_census(*space, inputs->conventions, limits);
    if (census.ok()) answer.census = std::move(census).value();
    answer.limit = census.status();
  }
  answer.inputs = std::move(inputs).value();
  return answer;
}

std::string in_groups(const BigCount& count) { return grouped_digits(count.decimal()); }

std::string as_text(const Answer& answer, const Style& style) {
  std::string text =
      style.heading("Mappings of " + safe_name(answer.inputs.problem.name, "problem") + " on " +
                    safe_name(answer.inputs.arch.name, "architecture")) +
      "\n";
  text += "  " + answer.space + "; " + std::to_string(answer.placements) +
          (answer.placements == 1 ? " placement" : " placements") + " of the tensors\n\n";
  text += "  before capacity  " + in_groups(answer.mappings) + "\n";
  if (!answer.census) return text;
  text += "  legal            " + in_groups(answer.census->legal) + "\n\n";
  TextTable table({"Loops", "before capacity", "legal"});
  const Census& census = *answer.census;
  for (std::size_t depth = 0; depth < census.all_by_depth.size(); ++depth) {
    if (census.all_by_depth[depth] == BigCount()) continue;
    const bool some = depth < census.legal_by_depth.size();
    table.group({std::to_string(depth), in_groups(census.all_by_depth[depth]),
                 some ? in_groups(census.legal_by_depth[depth]) : "0"});
  }
  return text + table.text();
}

std::string as_json(const Answer& answer) {
  nlohmann::ordered_json document = {{"problem", answer.inputs.problem.name},
                                     {"arch", answer.inputs.arch.name},
                                     {"space", answer.space},
                                     {"placements", answer.placements},
                                     {"mappings", answer.mappings.decimal()},
                                     {"legal", nullptr}};
  if (answer.census) {
    const Census& census = *answer.census;
    document["legal"] = census.legal.decimal();
    nlohmann::ordered_json depths = nlohmann::ordered_json::array();
    for (std::size_t depth = 0; depth < census.all_by_depth.size(); ++depth) {
      const bool some = depth < census.legal_by_depth.size();
      depths.push_back({{"loops", depth},
                        {"mappings", census.all_by_depth[depth].decimal()},
                        {"legal", some ? census.legal_by_depth[depth].decimal() : "0"}});
    }
    document["by_depth"] = depths;
  }
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int run_count(const Options& options) {
  const Form form = options.json ? Form::kJson : Form::kText;
  const Stop stop(0);
  const Result<Answer> answer = count(options, stop);
  if (!answer.ok()) {
    const int code = fail(answer.status(), form);
    return stop.interrupted() ? kInterrupted : code;
  }
  const bool none =
      answer->mappings == BigCount() || (answer->census && answer->census->legal == BigCount());
  int code = none ? kAnswerIsNo : kDone;
  if (!answer->limit.ok()) {
    std::fprintf(stderr, "loopscape: %s%s\n", answer->limit.to_string().c_str(),
                 stop.interrupted() ? "" : "; --max-work allows more, 0 leaves it out");
    code = kInterrupted;
  }
  return print(options.json ? as_json(*answer) : as_text(*answer, style_of_stdout()), code);
}

}  // namespace

void add_count(CLI::App& app, Run& run) {
  CLI::App* verb = app.add_subcommand("count", "Count the mappings of a problem, exactly");
  const auto options = std::make_shared<Options>();
  add_inputs(*verb, options->inputs);
  verb->add_option("--factors", options->factors,
                   "ragged (the default: the problem's edge may cut tiles) or perfect");
  verb->add_flag("--uneven", options->uneven,
                 "Also tensors of one memory stored at different positions");
  verb->add_option("--max-work", options->max_work,
                   "Steps that counting legal mappings may take; 0: count before capacity only")
      ->check(whole(0));
  verb->add_flag("--json", options->json, "The counts as one JSON document, for machines");
  add_conventions(*verb, options->inputs);
  verb->footer(
      "Counted is every canonical mapping that the constraints allow: before capacity in closed\n"
      "form, however many there are; legal ones (tiles fit every memory) and all of them by their\n"
      "number of loops as far as --max-work goes.\n"
      "Exit code 1: there is no legal mapping; 3: --max-work was not enough for the legal ones.\n"
      "\n"
      "Examples:\n"
      "  loopscape count arch.json problem.json\n"
      "  loopscape count arch.json problem.json --factors perfect --uneven\n"
      "  loopscape count arch.json problem.json --max-work 0 --json");
  verb->callback([&run, options] { run = [options] { return run_count(*options); }; });
}

}  // namespace loopscape::cli
