// loopscape verify RESULT: evaluates again what a result says it was made from, and compares.
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "interface/cli/command.h"
#include "interface/cli/energy_sources.h"
#include "interface/cli/files.h"
#include "interface/cli/stop.h"
#include "interface/cli/verify_full.h"
#include "interface/cli/verify_network.h"
#include "interface/cli/verify_search.h"
#include "model/evaluate/evaluate.h"

namespace loopscape::cli {
namespace {

using Json = nlohmann::json;

struct Difference {
  std::string pointer;
  Json stated, actual;  // null: absent
};

std::string below(std::string pointer, const std::string& key) {
  pointer += '/';
  pointer += key;
  return pointer;
}

// Everything that a result states. Its inputs are not compared: the numbers follow from them, and
// the fingerprint tells whether they are those that the result was made from.
class Comparison {
 public:
  void compare(const Json& stated, const Json& actual) {
    static const std::set<std::string> kNoNumbers = {"inputs", "mapping", "$schema", "version"};
    for (const auto& [key, value] : actual.items()) {
      if (kNoNumbers.count(key) != 0) continue;
      compare("/" + key, stated.contains(key) ? stated[key] : Json(), value);
    }
    for (const auto& [key, value] : stated.items()) {
      if (kNoNumbers.count(key) == 0 && !actual.contains(key)) compare("/" + key, value, Json());
    }
  }
  std::size_t compared() const { return compared_; }
  const std::vector<Difference>& differences() const { return differences_; }

 private:
  void compare(const std::string& pointer, const Json& stated, const Json& actual) {
    if (actual.is_object() && stated.is_object()) {
      for (const auto& [key, value] : actual.items()) {
        compare(below(pointer, key), stated.contains(key) ? stated[key] : Json(), value);
      }
      for (const auto& [key, value] : stated.items()) {
        if (!actual.contains(key)) compare(below(pointer, key), value, Json());
      }
      return;
    }
    if (actual.is_array() && stated.is_array()) {
      for (std::size_t i = 0; i < std::max(actual.size(), stated.size()); ++i) {
        compare(below(pointer, std::to_string(i)), i < stated.size() ? stated[i] : Json(),
                i < actual.size() ? actual[i] : Json());
      }
      return;
    }
    ++compared_;
    if (stated != actual) differences_.push_back({pointer, stated, actual});
  }

  std::size_t compared_ = 0;
  std::vector<Difference> differences_;
};

std::string shown(const Json& value) {
  return value.is_null() ? "nothing" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What the report says of a result.
struct Verdict {
  std::string legal, fingerprint, words;
  std::int64_t model_revision = 0;
  std::optional<FullCheck> full;
};

bool holds(const Comparison& comparison, const Verdict& verdict) {
  return comparison.differences().empty() && (!verdict.full || verdict.full->faults.empty());
}

std::string as_text(const Comparison& comparison, const Verdict& verdict) {
  if (holds(comparison, verdict)) {
    return "verified: " + verdict.legal + " and all " + std::to_string(comparison.compared()) +
           " values are as stated\n  fingerprint " + verdict.fingerprint + ", model revision " +
           std::to_string(verdict.model_revision) + "\n" + verdict.words;
  }
  std::string text = "NOT verified: " + std::to_string(comparison.differences().size()) + " of " +
                     std::to_string(comparison.compared()) + " values differ\n";
  for (const Difference& difference : comparison.differences()) {
    text += "  " + difference.pointer + ": stated " + shown(difference.stated) + ", is " +
            shown(difference.actual) + "\n";
  }
  return text + (verdict.full ? verdict.full->text : "");
}

std::string as_json(const Comparison& comparison, const Verdict& verdict) {
  nlohmann::ordered_json json;
  json["verified"] = holds(comparison, verdict);
  json["compared"] = comparison.compared();
  json["fingerprint"] = verdict.fingerprint;
  json["model_revision"] = verdict.model_revision;
  json["differences"] = nlohmann::ordered_json::array();
  for (const Difference& difference : comparison.differences()) {
    json["differences"].push_back({{"pointer", difference.pointer},
                                   {"stated", difference.stated},
                                   {"actual", difference.actual}});
  }
  if (verdict.full) json["full"] = nlohmann::ordered_json::parse(verdict.full->json);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

class Again {
 public:
  explicit Again(const TableOptions& tables) : tables_(tables) {}

  Result<StoredResult> evaluate(const StoredResult& stated) {
    Result<PricesAgain> again = price_again(stated, tables_);
    if (!again.ok()) return again.status();
    as_stated_ |= again->as_stated;
    const ResolvedCosts& prices = again->prices;
    Result<Evaluator> evaluator =
        Evaluator::create(stated.problem, prices.arch, stated.conventions, prices.costs);
    if (!evaluator.ok()) return evaluator.status();
    Result<Breakdown> breakdown = evaluator->explain(stated.mapping);
    if (!breakdown.ok()) return breakdown.status();
    StoredResult actual = make_result(*evaluator, stated.mapping, std::move(breakdown).value());
    set_prices(prices, actual);
    if (Status status = check_search(stated, *evaluator, actual); !status.ok()) return status;
    return actual;
  }

  std::string prices_in_words() const {
    return as_stated_ ? "  prices are those that the result states: its tables are not at hand\n"
                      : "";
  }

 private:
  const TableOptions& tables_;
  bool as_stated_ = false;
};

int tell(const std::string& stated, const std::string& actual, const Verdict& verdict, Form form) {
  Comparison comparison;
  comparison.compare(Json::parse(stated), Json::parse(actual));
  int code = holds(comparison, verdict) ? kDone : kAnswerIsNo;
  if (code == kDone && verdict.full && !verdict.full->limit.empty()) code = kInterrupted;
  return print(form == Form::kJson ? as_json(comparison, verdict) : as_text(comparison, verdict),
               code);
}

// By pricing every mapping of the space.
Result<FullCheck> solve_again(const StoredResult& stated, const StoredResult& actual,
                              const TableOptions& tables, const FullLimits& limits) {
  const Result<PricesAgain> again = price_again(stated, tables);
  if (!again.ok()) return again.status();
  Result<Evaluator> evaluator = Evaluator::create(stated.problem, again->prices.arch,
                                                  stated.conventions, again->prices.costs);
  if (!evaluator.ok()) return evaluator.status();
  return check_fully(stated, actual, *evaluator, limits);
}

struct Options {
  std::string path;
  TableOptions tables;
  bool json = false, full = false;
  std::uint64_t max_work = FullLimits().most_mappings;
};

int run_verify_network(const Options& options, const std::string& text, const std::string& file) {
  const Form form = options.json ? Form::kJson : Form::kText;
  Again again(options.tables);
  const Result<StoredNetwork> stated = parse_network_result(text);
  if (!stated.ok()) return fail(stated.status().in(file), form);
  const Result<StoredNetwork> actual =
      check_network(*stated, [&](const StoredResult& result) { return again.evaluate(result); });
  if (!actual.ok()) return fail(actual.status().in(file), form);
  Verdict verdict{"the mappings are legal",
                  actual->fingerprint,
                  network_in_words(*actual) + again.prices_in_words(),
                  actual->model_revision,
                  {}};
  if (options.full) {
    const Stop stop(0);
    const auto solve = [&](const StoredResult& said, const StoredResult& is,
                           const FullLimits& limits) {
      return solve_again(said, is, options.tables, limits);
    };
    Result<FullCheck> full =
        check_network_fully(*stated, *actual, solve, {options.max_work, stop.flag()});
    if (!full.ok()) return fail(full.status().in(file), form);
    verdict.words += full->text;
    verdict.full = std::move(full).value();
  }
  return tell(text, network_result_to_json(*actual), verdict, form);
}

int run_verify_one(const Options& options, const std::string& text, const std::string& file,
                   const std::string& more_words) {
  const Form form = options.json ? Form::kJson : Form::kText;
  Again again(options.tables);
  Result<StoredResult> stated = parse_result(text);
  if (!stated.ok()) return fail(stated.status().in(file), form);
  Result<StoredResult> actual = again.evaluate(*stated);
  if (!actual.ok()) return fail(actual.status().in(file), form);
  Verdict verdict{"the mapping is legal",
                  actual->fingerprint,
                  search_in_words(*actual) + again.prices_in_words() + more_words,
                  actual->model_revision,
                  {}};
  if (options.full) {
    const Stop stop(0);
    Result<FullCheck> full =
        solve_again(*stated, *actual, options.tables, {options.max_work, stop.flag()});
    if (!full.ok()) return fail(full.status().in(file), form);
    verdict.words += full->text;
    verdict.full = std::move(full).value();
  }
  return tell(text, result_to_json(*actual), verdict, form);
}

int run_verify(const Options& options) {
  const Form form = options.json ? Form::kJson : Form::kText;
  const Result<std::string> text = read_result_text(options.path);
  if (!text.ok()) return fail(text.status(), form);
  const std::string file = options.path == "-" ? "<stdin>" : options.path;
  if (is_network_result(*text)) return run_verify_network(options, *text, file);
  const Result<std::optional<CutOut>> part = cut_out(*text);
  if (!part.ok()) return fail(part.status().in(file), form);
  if (!*part) return run_verify_one(options, *text, file, "");
  return run_verify_one(options, (*part)->result, file, cut_out_in_words(**part));
}

}  // namespace

void add_verify(CLI::App& app, Run& run) {
  CLI::App* verb = app.add_subcommand(
      "verify", "Evaluate a stored result again and compare every number exactly");
  const auto options = std::make_shared<Options>();
  verb->add_option("RESULT", options->path,
                   "What `evaluate --json` or `map --json` printed; - reads stdin")
      ->required();
  CLI::Option* full = verb->add_flag("--full", options->full,
                                     "Also price every mapping of the space that was searched");
  verb->add_option("--max-work", options->max_work, "Mappings that --full may price (2000000)")
      ->check(whole(0))
      ->needs(full);
  verb->add_flag("--json", options->json, "One JSON document on stdout, nothing else");
  add_table_options(*verb, options->tables);
  verb->footer(
      "A result carries its inputs, so nothing else is needed. Exit code 0: every number holds "
      "and\n"
      "the mapping is legal; 1: it is not so, and each difference is named by its JSON pointer.\n"
      "Of a search: its mappings lie in the stated space and bounds, the certificate's arithmetic\n"
      "holds, a front is in order, a sample is drawn again; the search itself is not repeated, "
      "but\n"
      "the certificate's fingerprint tells whether somebody changed what it said.\n"
      "Of a network: all of this for every layer, and the choice among their mappings again. One "
      "of\n"
      "its layers or searches may also be cut out and verified by itself.\n"
      "--full enumerates the space and prices every mapping, without the search's recursion, "
      "bounds\n"
      "or pruning: what is proved is the best, no mapping lies below the lower bound, a proved "
      "front\n"
      "lacks nothing. Otherwise exit code 1, and the mapping that shows it; 3: the space has more\n"
      "mappings than --max-work, or SIGINT; the rest was verified.\n"
      "--full of a network does so for each search, --max-work being for all together. Of a layer\n"
      "searched at prices of a cycle: that its best is the best, and that nothing costs less at a\n"
      "price of the range; of the front's other mappings nothing is claimed or checked.\n"
      "\n"
      "Examples:\n"
      "  loopscape verify result.json\n"
      "  loopscape verify --full result.json\n"
      "  loopscape evaluate arch.json problem.json mapping.json --json | loopscape verify -");
  verb->callback([&run, options] { run = [options] { return run_verify(*options); }; });
}

}  // namespace loopscape::cli
