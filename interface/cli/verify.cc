// loopscape verify RESULT: evaluates again what a result says it was made from, and compares.
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include "interface/cli/command.h"
#include "interface/cli/energy_sources.h"
#include "interface/cli/files.h"
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
    for (const auto& [key, value] : actual.items()) {
      if (key == "inputs" || key == "mapping") continue;
      compare("/" + key, stated.contains(key) ? stated[key] : Json(), value);
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

// What the report says of a result that holds.
struct Verdict {
  std::string legal, fingerprint, words;
  std::int64_t model_revision = 0;
};

std::string as_text(const Comparison& comparison, const Verdict& verdict) {
  if (comparison.differences().empty()) {
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
  return text;
}

std::string as_json(const Comparison& comparison, const Verdict& verdict) {
  nlohmann::ordered_json json;
  json["verified"] = comparison.differences().empty();
  json["compared"] = comparison.compared();
  json["fingerprint"] = verdict.fingerprint;
  json["model_revision"] = verdict.model_revision;
  json["differences"] = nlohmann::ordered_json::array();
  for (const Difference& difference : comparison.differences()) {
    json["differences"].push_back({{"pointer", difference.pointer},
                                   {"stated", difference.stated},
                                   {"actual", difference.actual}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<StoredResult> evaluate_again(const StoredResult& stated) {
  Result<ResolvedCosts> prices = price_again(stated);
  if (!prices.ok()) return prices.status();
  Result<Evaluator> evaluator =
      Evaluator::create(stated.problem, prices->arch, stated.conventions, prices->costs);
  if (!evaluator.ok()) return evaluator.status();
  Result<Breakdown> breakdown = evaluator->explain(stated.mapping);
  if (!breakdown.ok()) return breakdown.status();
  StoredResult actual = make_result(*evaluator, stated.mapping, std::move(breakdown).value());
  set_prices(*prices, actual);
  if (Status status = check_search(stated, *evaluator, actual); !status.ok()) return status;
  return actual;
}

int tell(const std::string& stated, const std::string& actual, const Verdict& verdict, Form form) {
  Comparison comparison;
  comparison.compare(Json::parse(stated), Json::parse(actual));
  const int code = comparison.differences().empty() ? kDone : kAnswerIsNo;
  return print(form == Form::kJson ? as_json(comparison, verdict) : as_text(comparison, verdict),
               code);
}

int run_verify_network(const std::string& text, const std::string& file, Form form) {
  const Result<StoredNetwork> stated = parse_network_result(text);
  if (!stated.ok()) return fail(stated.status().in(file), form);
  const Result<StoredNetwork> actual = check_network(*stated, &evaluate_again);
  if (!actual.ok()) return fail(actual.status().in(file), form);
  return tell(text, network_result_to_json(*actual),
              {"the mappings are legal", actual->fingerprint, network_in_words(*actual),
               actual->model_revision},
              form);
}

int run_verify(const std::string& path, Form form) {
  Result<std::string> text = read_text(path);
  if (!text.ok()) return fail(text.status(), form);
  const std::string file = path == "-" ? "<stdin>" : path;
  if (is_network_result(*text)) return run_verify_network(*text, file, form);
  Result<StoredResult> stated = parse_result(*text);
  if (!stated.ok()) return fail(stated.status().in(file), form);
  Result<StoredResult> actual = evaluate_again(*stated);
  if (!actual.ok()) return fail(actual.status().in(file), form);
  return tell(*text, result_to_json(*actual),
              {"the mapping is legal", actual->fingerprint, search_in_words(*actual),
               actual->model_revision},
              form);
}

}  // namespace

void add_verify(CLI::App& app, Run& run) {
  struct Options {
    std::string path;
    bool json = false;
  };
  CLI::App* verb = app.add_subcommand(
      "verify", "Evaluate a stored result again and compare every number exactly");
  const auto options = std::make_shared<Options>();
  verb->add_option("RESULT", options->path,
                   "What `evaluate --json` or `map --json` printed; - reads stdin")
      ->required();
  verb->add_flag("--json", options->json, "One JSON document on stdout, nothing else");
  verb->footer(
      "A result carries its inputs, so nothing else is needed. Exit code 0: every number holds "
      "and\n"
      "the mapping is legal; 1: it is not so, and each difference is named by its JSON pointer.\n"
      "Of a search: its mappings lie in the stated space and bounds, the certificate's arithmetic\n"
      "holds, a front is in order, a sample is drawn again; the search itself is not repeated.\n"
      "Of a network: all of this for every layer, and the choice among their mappings again.\n"
      "\n"
      "Examples:\n"
      "  loopscape verify result.json\n"
      "  loopscape evaluate arch.json problem.json mapping.json --json | loopscape verify -");
  verb->callback([&run, options] {
    run = [options] {
      return run_verify(options->path, options->json ? Form::kJson : Form::kText);
    };
  });
}

}  // namespace loopscape::cli
