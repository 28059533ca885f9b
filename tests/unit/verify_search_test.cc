// `verify` and `verify --full` on results of searches, right ones and planted wrong ones.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "mapper/search/search.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {
namespace {

struct World {
  Mapspace space;
  Evaluator evaluator;
};

const World& world() {
  static const World the_world = [] {
    const Result<Arch> arch = parse_arch(R"({"word_bits": 8, "nodes": [
        {"memory": "DRAM", "bandwidth_bits": 32, "energy_pj": {"read": 50, "write": 50, "update": 50}},
        {"memory": "Buffer", "size_bits": 96, "keep": ["input"],
         "energy_pj": {"read": 3, "write": 3, "update": 3}},
        {"fanout": "PEs", "axes": {"x": 4}, "network": {"class": "mesh", "multicast": ["weight"],
                                                        "energy_pj_per_bit_hop": 6}},
        {"compute": "MAC", "energy_pj": {"compute": 1}}]})");
    REQUIRE(arch.ok());
    const Result<Problem> problem = parse_problem(
        R"({"einsum": "O[k,p] += I[p+r] * W[k,r]", "dims": {"k": 4, "p": 5, "r": 2}})");
    REQUIRE(problem.ok());
    Result<Mapspace> space = Mapspace::create(*problem, *arch, {});
    REQUIRE(space.ok());
    Result<Evaluator> evaluator =
        Evaluator::create(*problem, *arch, Conventions::physical(), *costs_in_spec(*arch));
    REQUIRE(evaluator.ok());
    return World{*std::move(space), *std::move(evaluator)};
  }();
  return the_world;
}

Goal goal(bool front = false) {
  Goal wanted;
  wanted.objective = Objective::kEdp;
  wanted.front = front;
  return wanted;
}

StoredResult priced(const Mapping& mapping) {
  return make_result(world().evaluator, mapping, *world().evaluator.explain(mapping));
}

double edp(const StoredResult& result) {
  return result.breakdown.energy_pj * static_cast<double>(result.breakdown.cycles);
}

// What `map` would print of this answer.
StoredResult stated(const std::string& search, const SearchResult& found, const Mapping& mapping) {
  StoredResult result = priced(mapping);
  result.options.objective = "edp";
  result.options.search = search;
  result.options.factors = "ragged";
  result.options.pareto = !found.front.empty();
  StoredCertificate certificate;
  certificate.proved = found.certificate.proved;
  certificate.lower_bound = found.certificate.lower_bound;
  if (certificate.lower_bound > 0) certificate.gap = edp(result) / certificate.lower_bound - 1;
  certificate.mapspace = Numbering::create(world().space)->size().decimal();
  certificate.space = found.certificate.space;
  certificate.states = static_cast<std::int64_t>(found.certificate.states);
  certificate.work = static_cast<std::int64_t>(found.certificate.work);
  for (const auto& [rule, number] : found.certificate.pruned) {
    certificate.pruned[rule] = static_cast<std::int64_t>(number);
  }
  certificate.unpriced = static_cast<std::int64_t>(found.certificate.unpriced);
  result.certificate = certificate;
  for (const Found& point : found.front) {
    result.front.push_back({point.energy_pj, point.cycles, point.mapping});
  }
  return result;
}

StoredResult optimal(bool front = false) {
  const SearchResult found = search_optimal(world().space, world().evaluator, goal(front));
  REQUIRE(found.best);
  REQUIRE(found.certificate.proved);
  return stated("optimal", found, found.best->mapping);
}

StoredResult best() { return optimal(); }
StoredResult with_front() { return optimal(true); }

StoredResult exhaustive() {
  const auto found = search_exhaustive(world().space, world().evaluator, goal());
  REQUIRE(found.ok());
  return stated("exhaustive", *found, found->best->mapping);
}

StoredResult random_one() {
  RandomOptions options;
  options.samples = 300;
  const auto found = search_random(world().space, world().evaluator, goal(), options);
  REQUIRE(found.ok());
  REQUIRE(found->best);
  StoredResult result = stated("random", *found, found->best->mapping);
  result.options.samples = 300;
  result.options.seed = 1;
  const Statistics& all = *found->statistics;
  StoredStatistics statistics;
  statistics.samples = static_cast<std::int64_t>(all.samples);
  statistics.legal = static_cast<std::int64_t>(all.legal);
  statistics.legal_share =
      static_cast<double>(statistics.legal) / static_cast<double>(statistics.samples);
  statistics.least = all.least;
  statistics.p05 = all.p05;
  statistics.p25 = all.p25;
  statistics.median = all.median;
  statistics.p75 = all.p75;
  statistics.p95 = all.p95;
  statistics.most = all.most;
  result.statistics = statistics;
  return result;
}

// The first mapping that costs more than this.
Mapping worse_than(double least) {
  std::optional<Mapping> worse;
  const ScratchPtr scratch = world().evaluator.make_scratch();
  const Status status = for_each_point(world().space, [&](const Point& point) {
    const Mapping mapping = world().space.mapping(point);
    const Cost cost = world().evaluator.evaluate(mapping, *scratch);
    if (cost.ok() && cost.edp() > least) worse = mapping;
    return !worse;
  });
  REQUIRE(status.ok());
  REQUIRE(worse);
  return *worse;
}

// The same claims about another mapping.
StoredResult about(const StoredResult& result, const Mapping& mapping) {
  StoredResult other = result;
  const StoredResult prices = priced(mapping);
  other.mapping = prices.mapping;
  other.breakdown = prices.breakdown;
  return other;
}

struct Answer {
  int code = -1;
  nlohmann::json json;
  std::string text;
};

Answer verify_as_it_is(const StoredResult& result, const std::string& flags = "") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("loopscape_verify_" + std::to_string(::getpid()) + ".json");
  std::ofstream(path) << result_to_json(result);
  const std::string command =
      std::string(LOOPSCAPE_COMMAND) + " verify --json " + flags + " '" + path.string() + "' 2>&1";
  Answer answer;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> chunk;
  for (std::size_t n; (n = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) {
    answer.text.append(chunk.data(), n);
  }
  answer.code = WEXITSTATUS(pclose(pipe));
  std::filesystem::remove(path);
  answer.json = nlohmann::json::parse(answer.text, nullptr, false);
  return answer;
}

// A forgery that knows how fingerprints are made.
Answer verify(StoredResult result, const std::string& flags = "") {
  result.fingerprint = fingerprint_of(result);
  seal(result);
  return verify_as_it_is(result, flags);
}

// Pointers of what differs or is at fault; the certificate's fingerprint follows from the rest.
constexpr const char* kSeal = "/certificate/fingerprint";
std::vector<std::string> pointers(const Answer& answer) {
  std::vector<std::string> all;
  for (const auto& one : answer.json.value("differences", nlohmann::json::array())) {
    if (one["pointer"] != kSeal) all.push_back(one["pointer"]);
  }
  std::sort(all.begin(), all.end());
  if (!answer.json.contains("full")) return all;
  for (const auto& one : answer.json["full"]["faults"]) all.push_back(one["pointer"]);
  return all;
}

using Pointers = std::vector<std::string>;

TEST_CASE("what a search says is not changed unnoticed") {
  StoredResult whole = optimal(true);
  whole.fingerprint = fingerprint_of(whole);
  seal(whole);
  CHECK(verify_as_it_is(whole).code == 0);
  using Change = std::function<void(StoredResult&)>;
  const std::vector<Change> changes = {
      [](StoredResult& r) { r.certificate->states += 1; },
      [](StoredResult& r) { r.certificate->work -= 1; },
      [](StoredResult& r) { r.certificate->pruned["bound"] += 1; },
      [](StoredResult& r) { r.certificate->proved = false; },
      [](StoredResult& r) { r.certificate->fingerprint.clear(); },
      [](StoredResult& r) { r.front.pop_back(); },
  };
  for (const Change& change : changes) {
    StoredResult changed = whole;
    change(changed);
    const Answer answer = verify_as_it_is(changed);
    INFO(answer.text);
    CHECK(answer.code == 1);
    if (answer.json.contains("differences")) {  // else it holds no water at all
      REQUIRE(answer.json["differences"].size() == 1);
      CHECK(answer.json["differences"][0]["pointer"] == kSeal);
    }
  }
  whole.certificate->seconds += 1;
  CHECK(verify_as_it_is(whole).code == 0);
}

TEST_CASE("results that hold are verified, in full too") {
  for (const StoredResult& result : {optimal(), optimal(true), exhaustive(), random_one()}) {
    INFO(result.options.search);
    const Answer plain = verify(result);
    INFO(plain.text);
    CHECK(plain.code == 0);
    const Answer full = verify(result, "--full");
    INFO(full.text);
    CHECK(full.code == 0);
    CHECK(full.json["full"]["complete"] == true);
    CHECK(std::to_string(full.json["full"]["mappings"].get<std::uint64_t>()) ==
          result.certificate->mapspace);
  }
}

TEST_CASE("a mapping claimed best that is not: only --full can tell, and shows a better one") {
  const StoredResult least = optimal();
  StoredResult wrong = about(least, worse_than(edp(least)));
  wrong.certificate->lower_bound = edp(wrong);
  wrong.certificate->gap = 0;
  CHECK(verify(wrong).code == 0);
  const Answer full = verify(wrong, "--full");
  CHECK(full.code == 1);
  REQUIRE(pointers(full) == Pointers{"/certificate/lower_bound", "/mapping"});
  const auto& better = full.json["full"]["faults"][1];
  CHECK(better["energy_pj"] == least.breakdown.energy_pj);
  CHECK(better["cycles"] == least.breakdown.cycles);
  const Result<Mapping> shown =
      parse_mapping(better["mapping"].dump(), world().space.problem(), world().space.arch());
  REQUIRE(shown.ok());
  CHECK(edp(priced(*shown)) == edp(least));
}

TEST_CASE("a lower bound above the best mapping of the space") {
  const StoredResult least = optimal();
  StoredResult wrong = about(least, worse_than(edp(least)));
  wrong.certificate->proved = false;
  for (const double bound : {edp(least), edp(least) * (1 + 1e-9)}) {
    wrong.certificate->lower_bound = bound;
    wrong.certificate->gap = edp(wrong) / bound - 1;
    CHECK(verify(wrong).code == 0);
    const Answer full = verify(wrong, "--full");
    INFO(full.text);
    CHECK(full.code == (bound == edp(least) ? 0 : 1));
    if (bound != edp(least)) CHECK(pointers(full) == Pointers{"/certificate/lower_bound"});
  }
}

TEST_CASE("a front that lacks a mapping") {
  const StoredResult whole = optimal(true);
  REQUIRE(whole.front.size() >= 3);
  for (std::size_t i = 0; i < whole.front.size(); ++i) {
    if (whole.front[i].energy_pj == whole.breakdown.energy_pj) continue;
    StoredResult wrong = whole;
    wrong.front.erase(wrong.front.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(verify(wrong).code == 0);
    const Answer full = verify(wrong, "--full");
    CHECK(full.code == 1);
    REQUIRE(pointers(full) == Pointers{"/front"});
    CHECK(full.json["full"]["faults"][0]["cycles"] == whole.front[i].cycles);
  }
}

TEST_CASE("--full looks within the bounds of the search") {
  const StoredResult whole = optimal(true);
  Goal within = goal();
  within.max_cycles = static_cast<double>(whole.front.back().cycles);
  const SearchResult found = search_optimal(world().space, world().evaluator, within);
  REQUIRE(found.best);
  StoredResult result = stated("optimal", found, found.best->mapping);
  result.options.max_cycles = within.max_cycles;
  CHECK(verify(result, "--full").code == 0);
}

TEST_CASE("--full says where it stops") {
  const Answer limited = verify(optimal(), "--full --max-work 10");
  CHECK(limited.code == 3);
  CHECK(limited.json["verified"] == true);
  CHECK(limited.json["full"]["complete"] == false);
  StoredResult evaluated = optimal();
  evaluated.options = {};
  evaluated.certificate.reset();
  CHECK(verify(evaluated).code == 0);
  const Answer nothing = verify(evaluated, "--full");
  CHECK(nothing.code == 2);
  CHECK(nothing.text.find("no search gave this result") != std::string::npos);
}

// ---- what the certificate's arithmetic alone must tell ----

struct Wrong {
  const char* what;
  StoredResult (*make)();
  std::function<void(StoredResult&)> change;
  Pointers differences;  // empty: refused with a sentence
  const char* sentence = "";
};

TEST_CASE("claims that do not go together are refused") {
  const std::vector<Wrong> wrongs = {
      {"a random search bounds nothing",
       random_one,
       [](StoredResult& r) {
         r.certificate->lower_bound = edp(r) / 2;
         r.certificate->gap = 1;
       },
       {"/certificate/gap", "/certificate/lower_bound"}},
      {"it does not prove",
       random_one,
       [](StoredResult& r) { r.certificate->proved = true; },
       {"/certificate/proved"}},
      {"its sample has one best",
       random_one,
       [](StoredResult& r) { r = about(r, worse_than(edp(r))); },
       {},
       "another mapping as its best"},
      {"its counts follow from the seed",
       random_one,
       [](StoredResult& r) { r.certificate->pruned["illegal"] += 1; },
       {"/certificate/pruned/illegal"}},
      {"its statistics are part of it",
       random_one,
       [](StoredResult& r) { r.statistics.reset(); },
       {},
       "gives statistics"},
      {"no other search has them",
       best,
       [](StoredResult& r) { r.statistics = random_one().statistics; },
       {},
       "gives statistics"},
      {"work beyond its limit",
       random_one,
       [](StoredResult& r) { r.options.max_work = 299; },
       {},
       "max_work"},
      {"a front that nobody asked for",
       with_front,
       [](StoredResult& r) { r.options.pareto = false; },
       {},
       "come together"},
      {"a front that is not there",
       best,
       [](StoredResult& r) { r.options.pareto = true; },
       {},
       "come together"},
      {"another best of the front",
       with_front,
       [](StoredResult& r) {
         const std::size_t other = r.front[0].energy_pj == r.breakdown.energy_pj ? 1 : 0;
         r = about(r, r.front[other].mapping);
         r.certificate->lower_bound = edp(r);
       },
       {},
       "better objective"},
      {"a size that is left out",
       best,
       [](StoredResult& r) { r.certificate->mapspace.clear(); },
       {"/certificate/mapspace"}},
      {"proved without pricing all",
       exhaustive,
       [](StoredResult& r) { r.certificate->work = r.certificate->states -= 1; },
       {"/certificate/states", "/certificate/work"}},
      {"everything passed over",
       exhaustive,
       [](StoredResult& r) { r.certificate->unpriced = r.certificate->work; },
       {},
       "passed over"},
      {"a front without a search",
       best,
       [](StoredResult& r) {
         r.options = {};
         r.certificate.reset();
         r.front = optimal(true).front;
       },
       {"/front"}},
  };
  for (const Wrong& wrong : wrongs) {
    INFO(wrong.what);
    StoredResult result = wrong.make();
    wrong.change(result);
    const Answer answer = verify(result);
    INFO(answer.text);
    CHECK(answer.code == 1);
    if (wrong.differences.empty()) {
      CHECK(answer.text.find(wrong.sentence) != std::string::npos);
    } else {
      CHECK(pointers(answer) == wrong.differences);
    }
  }
}

}  // namespace
}  // namespace loopscape
