// loopscape map ARCH PROBLEM: the best mapping of a problem or of every layer of a network, with a
// certificate.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "interface/cli/command.h"
#include "interface/cli/inputs.h"
#include "interface/cli/map_network.h"
#include "interface/cli/map_report.h"
#include "interface/cli/map_search.h"
#include "interface/cli/progress.h"
#include "interface/cli/search_options.h"
#include "interface/cli/stop.h"

namespace loopscape::cli {
namespace {

struct Options {
  InputOptions inputs;
  StoredOptions search;
  int threads = 0;
  bool json = false, text = false;
};

// An answer, or what to say instead of one.
struct Answer {
  std::optional<StoredResult> result;
  bool ended = true;  // false: a limit struck
  std::string nothing, nothing_json;
};

class Mapper {
 public:
  Mapper(const Options& options, const Inputs& inputs, const ResolvedCosts& prices,
         const SearchRequest& request)
      : options_(options),
        inputs_(inputs),
        prices_(prices),
        request_(request),
        stop_(options.search.time_limit_seconds.value_or(0)) {}

  Result<Answer> run() {
    Result<Mapspace> space = Mapspace::create(inputs_.problem, prices_.arch, request_.space);
    if (!space.ok()) return space.status().in(file_name(options_.inputs.arch));
    Result<Evaluator> evaluator =
        Evaluator::create(inputs_.problem, prices_.arch, inputs_.conventions, prices_.costs);
    if (!evaluator.ok()) return evaluator.status();
    const Progress progress(request_.goal.objective);
    Result<SearchResult> found = search_called(options_.search.search, request_, *space, *evaluator,
                                               request_.goal, shown(progress));
    progress.end();
    if (!found.ok()) return found.status();
    Answer answer;
    answer.ended = found->certificate.proved || (samples() && !found->limited);
    if (found->best) {
      Result<StoredResult> result = priced(*space, *evaluator, *found);
      if (!result.ok()) return result.status();
      answer.result = std::move(result).value();
    } else {
      say_nothing_found(*space, *evaluator, *found, answer);
    }
    return answer;
  }
  bool interrupted() const { return stop_.interrupted(); }

 private:
  bool samples() const { return proves_nothing(options_.search.search); }

  SearchLimits limits() const {
    SearchLimits limits;
    if (options_.search.max_work) {
      limits.max_work = static_cast<std::uint64_t>(*options_.search.max_work);
    }
    limits.stop = stop_.flag();
    return limits;
  }
  SearchLimits shown(const Progress& progress) const {
    SearchLimits limits = this->limits();
    if (progress.on_terminal()) {
      limits.progress = [&](const SearchProgress& now) { progress.show(now); };
    }
    return limits;
  }

  Result<StoredResult> priced(const Mapspace& space, const Evaluator& evaluator,
                              const SearchResult& found) const {
    Result<Breakdown> breakdown = evaluator.explain(found.best->mapping);
    if (!breakdown.ok()) return breakdown.status();
    StoredResult result = make_result(evaluator, found.best->mapping, std::move(breakdown).value());
    set_prices(prices_, result);
    store(found, options_.search, result);
    const Afterwards afterwards(stop_);
    result.certificate->mapspace = mapspace_size(space, afterwards.flag());
    seal(result);
    return result;
  }

  void say_nothing_found(const Mapspace& space, const Evaluator& evaluator,
                         const SearchResult& found, Answer& answer) const {
    if (!found.certificate.proved) {
      answer.ended = false;
      answer.nothing = samples() ? nothing_drawn(options_.search, found, "")
                                 : "stopped before any mapping was found";
      if (found.certificate.unpriced != 0) {
        answer.nothing += " that the model counts; " + uncounted(found.certificate);
      }
      return;
    }
    SearchLimits rest = limits();
    rest.max_work -= std::min(rest.max_work, found.certificate.work);
    // What fits but cannot be counted shows that capacities and constraints are not to blame.
    const Blame blame = found.certificate.unpriced == 0
                            ? find_blame(space, evaluator, request_.goal, rest)
                            : Blame();
    answer.nothing = no_mapping_report(space, request_.goal, found.certificate, blame);
    answer.nothing_json = no_mapping_json(space, request_.goal, found.certificate, blame);
  }

  const Options& options_;
  const Inputs& inputs_;
  const ResolvedCosts& prices_;
  const SearchRequest& request_;
  Stop stop_;
};

// Options that another kind of search has are told rather than ignored.
Status check(const Options& options) {
  const std::string& search = options.search.search;
  const auto only = [&](const char* option, const char* kind) {
    return Status(StatusCode::kInvalidInput,
                  std::string(option) + " is for --search " + kind + ", not " + search);
  };
  if (options.search.samples && search != "random") return only("--samples", "random");
  if (options.search.starts && search != "local") return only("--starts", "local");
  if (options.search.seed && search != "random" && search != "local") {
    return only("--seed", "random and local");
  }
  if (options.json && options.text) {
    return Status(StatusCode::kInvalidInput, "--json and --text exclude each other");
  }
  return {};
}

// What a search is asked for by not saying it.
StoredOptions completed(StoredOptions options) {
  if (options.search == "random")
    options.samples = options.samples.value_or(RandomOptions().samples);
  if (options.search == "local") options.starts = options.starts.value_or(LocalOptions().starts);
  if (options.search == "random" || options.search == "local") {
    options.seed = options.seed.value_or(RandomOptions().seed);
  }
  return options;
}

template <class AnyAnswer>
int say_nothing(const AnyAnswer& answer, bool json) {
  std::fprintf(stderr, "loopscape: %s\n", answer.nothing.c_str());
  const int code = answer.ended ? kAnswerIsNo : kInterrupted;
  if (!json) return code;
  if (!answer.nothing_json.empty()) return print(answer.nothing_json, code);
  return print(error_json("limit", answer.nothing), code);
}

void say_unproved(bool interrupted) {
  std::fprintf(stderr, "loopscape: %s; the best so far is not proved\n",
               interrupted ? "interrupted" : "a limit was reached");
}

Result<ResolvedCosts> prices_of(const Options& options, const Arch& arch) {
  return price_arch(arch, options.inputs.prices, file_name(options.inputs.arch));
}

int run_one(const Options& options, const Inputs& inputs, const SearchRequest& request) {
  const Result<ResolvedCosts> prices = prices_of(options, inputs.arch);
  if (!prices.ok()) return fail(prices.status(), options.json ? Form::kJson : Form::kText);
  Mapper mapper(options, inputs, *prices, request);
  const Result<Answer> answer = mapper.run();
  if (!answer.ok()) return fail(answer.status(), options.json ? Form::kJson : Form::kText);
  if (!answer->result) return say_nothing(*answer, options.json);
  if (!answer->ended) say_unproved(mapper.interrupted());
  return print(options.json ? result_to_json(*answer->result)
                            : map_report(*answer->result, style_of_stdout()),
               answer->ended ? kDone : kInterrupted);
}

int run_network(const Options& options, const NetworkInputs& inputs, const SearchRequest& request) {
  const Result<ResolvedCosts> prices = prices_of(options, inputs.arch);
  if (!prices.ok()) return fail(prices.status(), options.json ? Form::kJson : Form::kText);
  const Stop stop(0);  // the time limit is shared out among the layers
  const Result<NetworkAnswer> answer =
      map_network_of(inputs, *prices, options.search, request, stop);
  if (!answer.ok()) return fail(answer.status(), options.json ? Form::kJson : Form::kText);
  if (!answer->result) return say_nothing(*answer, options.json);
  if (!answer->ended) say_unproved(stop.interrupted());
  return print(options.json ? network_result_to_json(*answer->result)
                            : network_report(*answer->result, style_of_stdout()),
               answer->ended ? kDone : kInterrupted);
}

int run_map(Options options) {
  const Form form = options.json ? Form::kJson : Form::kText;
  if (Status status = check(options); !status.ok()) return fail(status, form);
  options.search = completed(options.search);
  Result<SearchRequest> request = request_of(options.search);
  if (!request.ok()) return fail(request.status(), form);
  request->threads = options.threads;
  const Result<ProblemOrNetwork> inputs = load_problem_or_network(options.inputs);
  if (!inputs.ok()) return fail(inputs.status(), form);
  return inputs->one ? run_one(options, *inputs->one, *request)
                     : run_network(options, *inputs->network, *request);
}

constexpr std::int64_t kMostThreads = 1 << 20;  // more than any machine has

void add_search_options(CLI::App& verb, Options& options) {
  StoredOptions& search = options.search;
  search.objective = "edp";
  search.search = "optimal";
  search.factors = "ragged";
  verb.add_option("--objective", search.objective, "energy, delay, edp (the default) or ed2p");
  verb.add_flag("--pareto", search.pareto, "Also the whole front of energy and cycles");
  verb.add_option("--max-cycles", search.max_cycles, "Only mappings with at most so many cycles")
      ->check(not_negative());
  verb.add_option("--max-energy", search.max_energy_pj, "Only mappings with at most so many pJ")
      ->check(not_negative());
  verb.add_option("--search", search.search, "optimal (the default), exhaustive, random or local");
  verb.add_option("--factors", search.factors,
                  "ragged (the default: the problem's edge may cut tiles) or perfect");
  verb.add_flag("--uneven", search.uneven,
                "Also tensors of one memory stored at different positions");
  verb.add_option("--max-work", search.max_work,
                  "Stop after so many work units: the same answer on every machine")
      ->check(whole(0));
  verb.add_option("--time-limit", search.time_limit_seconds, "Stop after so many seconds")
      ->check(positive());
  verb.add_option("--samples", search.samples, "random: mappings to draw (10000)")->check(whole(1));
  verb.add_option("--starts", search.starts, "local: mappings to climb from (20)")->check(whole(1));
  verb.add_option("--seed", search.seed, "random, local: of the generator (1)")->check(whole(0));
  verb.add_option("--threads", options.threads,
                  "optimal: threads (as many as there are); no answer depends on it")
      ->check(whole(1, kMostThreads));
}

}  // namespace

void add_map(CLI::App& app, Run& run) {
  CLI::App* verb =
      app.add_subcommand("map", "Find the best mapping of a problem, and prove that it is");
  const auto options = std::make_shared<Options>();
  add_inputs(*verb, options->inputs);
  add_search_options(*verb, *options);
  verb->add_flag("--json", options->json, "The result as one JSON document, for machines");
  verb->add_flag("--text", options->text, "The result for people: the default");
  add_conventions(*verb, options->inputs);
  verb->footer(
      "optimal and exhaustive prove that nothing in the space is better. random draws mappings,\n"
      "each equally likely, and shows how the objective is spread; local climbs from random\n"
      "mappings to ones that no neighbour betters; neither proves anything.\n"
      "Ties in the objective go to less energy (for energy: fewer cycles), then to the first.\n"
      "PROBLEM may be a network: equal layers are searched once, and objectives, bounds and "
      "limits\n"
      "are those of the whole network, whose layers run one after the other. Its best EDP is not\n"
      "made of the layers' best ones, but chosen from their fronts.\n"
      "SIGINT prints the best so far; a second one kills.\n"
      "Exit code 0: done; 1: nothing fits, and what would have to give; 3: a limit was reached or\n"
      "SIGINT, and the best so far is printed with the gap that is proved.\n"
      "\n"
      "Examples:\n"
      "  loopscape map arch.json problem.json\n"
      "  loopscape map arch.json problem.json --factors perfect --objective energy\n"
      "  loopscape map arch.json problem.json --pareto --max-cycles 1e6 --json > result.json\n"
      "  loopscape map arch.json problem.json --search random --samples 100000\n"
      "  loopscape map arch_specs/eyeriss_like.json problems/networks/resnet50.json --factors "
      "perfect");
  verb->callback([&run, options] { run = [options] { return run_map(*options); }; });
}

}  // namespace loopscape::cli
