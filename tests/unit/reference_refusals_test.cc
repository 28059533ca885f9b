// What counting.md B9 refuses, and its nearest neighbours, which are counted: the check of a
// refusal tells one from the other, and would notice either mistake.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/reference/compare.h"

namespace loopscape::reference {
namespace {

using C = Conventions;

const Conventions kMarch = C::physical();
const Conventions kEvery = [] {
  Conventions c = C::physical();
  c.refill = C::Refill::kEveryChild;
  return c;
}();
const Conventions kPrevious = [] {
  Conventions c = C::physical();
  c.reuse = C::Reuse::kPreviousTile;
  return c;
}();
const Conventions kEqual = [] {
  Conventions c = C::physical();
  c.sharing = C::Sharing::kEqualDelta;
  return c;
}();
const Conventions kEqualPrevious = [] {
  Conventions c = kPrevious;
  c.sharing = C::Sharing::kEqualDelta;
  return c;
}();

const char* const kGemm =
    R"({"einsum": "O[m,n] += A[m,k] * B[k,n]", "dims": {"m": 5, "n": 4, "k": 4}})";
const char* const kConv = R"({"einsum": "O[p] += I[p+r] * W[r]", "dims": {"p": 7, "r": 3}})";
const char* const kTransposed = R"({"einsum": "O[p+r] += I[p] * W[r]", "dims": {"p": 8, "r": 3}})";
const char* const kVector = R"({"einsum": "O[k] += A[c] * B[k,c]", "dims": {"k": 3, "c": 4}})";
const char* const kPadded =
    R"({"einsum": "O[p,q] += I[p+r,q+s] * W[r,s]", "dims": {"p": 4, "q": 2, "r": 3, "s": 2},
        "padding_free": true, "tensors": {"I": {"valid": [[3, 5], null]}}})";
const char* const kPaddedOnce =
    R"({"einsum": "O[p,q] += I[p+r,q] * W[r]", "dims": {"p": 4, "q": 2, "r": 3},
        "padding_free": true, "tensors": {"I": {"valid": [[3, 5], null]}}})";

const char* const kShares = R"("multicast": ["input", "weight"], "reduce": ["output"])";
const char* const kAlone = R"("multicast": [])";
const char* const kLinks = R"("multicast": [], "forward": ["input"])";

// DRAM, two fan-outs of three, a buffer below each; what the inner buffer and the networks state.
Setting world(const char* problem_text, const Conventions& conventions,
              const std::string& outer = kShares, const std::string& inner = kShares,
              const std::string& pad = "") {
  const Result<Problem> problem = parse_problem(problem_text);
  REQUIRE(problem.ok());
  const auto fanout = [](const std::string& name, const std::string& network) {
    return R"({"fanout": ")" + name +
           R"(", "axes": {"x": 3, "y": 2}, "network": {"class": "bus", )" + network + "}}, ";
  };
  const std::string text = R"({"word_bits": 16, "clock_mhz": 200, "nodes": [{"memory": "DRAM"}, )" +
                           fanout("Out", outer) + R"({"memory": "Buf"}, )" + fanout("In", inner) +
                           R"({"memory": "Pad")" + pad + R"(}, {"compute": "MAC"}]})";
  const Result<Arch> arch = parse_arch(text);
  INFO(arch.status().to_string());
  REQUIRE(arch.ok());
  return make_setting(*problem, *arch, conventions);
}

Mapping nest(const Setting& setting, const std::string& text) {
  const Result<Mapping> mapping = parse_mapping_text(text, setting.problem, setting.arch);
  INFO(mapping.status().to_string());
  REQUIRE(mapping.ok());
  return *mapping;
}

std::size_t number_of(Refusal reason) {
  std::size_t i = 0;
  while (kRefusals[i] != reason) ++i;
  return i;
}

void is_refused(Refusal reason, const Setting& setting, const std::string& text) {
  INFO(text);
  const Mapping mapping = nest(setting, text);
  Comparator comparator(setting);
  for (const std::string& line : comparator.compare(mapping)) FAIL_CHECK(line);
  CHECK(comparator.tally().refused[number_of(reason)] == 1);
  CHECK(misjudged(reason, setting, mapping).empty());
}

// A refusal of it would be a failure, whatever reason it gave.
void is_counted(const Setting& setting, const std::string& text) {
  INFO(text);
  const Mapping mapping = nest(setting, text);
  Comparator comparator(setting);
  for (const std::string& line : comparator.compare(mapping)) FAIL_CHECK(line);
  CHECK(comparator.tally().mappings == 1);
  for (const Refusal reason : kRefusals) {
    INFO(name_of(reason));
    CHECK_FALSE(misjudged(reason, setting, mapping).empty());
  }
}

// A count of it would be a failure.
void must_not_be_counted(const Setting& setting, const std::string& text) {
  CHECK_FALSE(misjudged(Refusal::kNone, setting, nest(setting, text)).empty());
}

}  // namespace

TEST_CASE("refusals: a split sliding output needs more than totals") {
  const std::string split =
      "DRAM: I W O\nparallel p in 3 on In.x\n  Pad: O\n  for p in 3\n    for r in 3";
  const std::string timed = R"(, "bandwidth_bits": 16)", odd = R"(, "width_bits": 24)";
  is_counted(world(kTransposed, kMarch), split);
  is_refused(Refusal::kSlidingOutput, world(kTransposed, kEvery), split);
  is_refused(Refusal::kSlidingOutput, world(kTransposed, kMarch, kShares, kShares, timed), split);
  is_refused(Refusal::kSlidingOutput, world(kTransposed, kMarch, kShares, kShares, odd), split);
  must_not_be_counted(world(kTransposed, kEvery), split);
  const std::string kept_above =
      "DRAM: I W O\nparallel p in 3 on In.x\n  Pad: I\n  for p in 3\n    for r in 3";
  is_counted(world(kTransposed, kMarch, kShares, kShares, timed), kept_above);
}

TEST_CASE("refusals: a singly buffered store is timed at its parent's bandwidth too") {
  const std::string split =
      "DRAM: I W O\nparallel p in 3 on In.x\n  Pad: O\n  for p in 3\n    for r in 3";
  Setting single = world(kTransposed, kMarch);
  single.arch.memories[0].read_bits = 8;
  is_counted(single, split);
  single.arch.memories[2].buffering = Buffering::kSingle;
  is_refused(Refusal::kSlidingOutput, single, split);
}

TEST_CASE("refusals: previous_tile with a network that shares above one that does not") {
  const std::string lanes =
      "DRAM: I W O\nparallel p in 2 on Out.x\n  parallel r in 3 on In.x\n    for p in 4\n      "
      "Pad: I";
  is_refused(Refusal::kCopies, world(kConv, kPrevious, kShares, kAlone), lanes);
  must_not_be_counted(world(kConv, kPrevious, kShares, kAlone), lanes);
  is_counted(world(kConv, kPrevious, kAlone, kShares), lanes);
  is_counted(world(kConv, kPrevious), lanes);
  is_counted(world(kConv, kMarch, kShares, kAlone), lanes);
}

TEST_CASE("refusals: previous_tile with equal deltas of ragged sliding tiles") {
  const std::string lanes =
      "DRAM: I W O\nparallel p in 2 on Out.x\n  for p in 4\n    Pad: I\n    for r in 3";
  is_refused(Refusal::kCopies, world(kConv, kEqualPrevious), lanes);
  must_not_be_counted(world(kConv, kEqualPrevious), lanes);
  is_counted(world(kConv, kEqualPrevious, kAlone), lanes);
  is_counted(world(kConv, kPrevious), lanes);
  is_counted(world(kConv, kEqual), lanes);
}

// After the advance of p both lanes need words 3 and 4, and the second has 3 already.
TEST_CASE("refusals: previous_tile with equal needs that were filled differently") {
  const std::string lanes =
      "DRAM: I W O\nfor p in 2\n  for q in 2\n    parallel p in 2 on Out.x\n      Buf: I W O\n"
      "      for r in 3\n";
  const std::string both = lanes + "        for s in 2";
  is_refused(Refusal::kCopies, world(kPadded, kEqualPrevious), both);
  must_not_be_counted(world(kPadded, kEqualPrevious), both);
  is_counted(world(kPadded, kEqualPrevious, kAlone), both);
  is_counted(world(kPadded, kPrevious), both);
  is_counted(world(kPadded, kEqual), both);
  is_counted(world(kPaddedOnce, kEqualPrevious), lanes);
  const std::string unclipped =
      "DRAM: I W O\nfor p in 4\n  parallel q in 2 on Out.x\n    Buf: I W O\n    for r in 3\n"
      "      for s in 2";
  is_counted(world(kPadded, kEqualPrevious), unclipped);
}

TEST_CASE("refusals: equal deltas of children that ask for different numbers of copies") {
  const std::string lanes =
      "DRAM: A B O\nparallel m in 3 on Out.x\n  parallel m in 2 on In.x\n    Pad: B\n    for n in "
      "4\n      for k in 4";
  is_refused(Refusal::kCopies, world(kGemm, kEqual, kShares, kAlone), lanes);
  must_not_be_counted(world(kGemm, kEqual, kShares, kAlone), lanes);
  is_counted(world(kGemm, kMarch, kShares, kAlone), lanes);
  is_counted(world(kGemm, kEqual, kAlone, kShares), lanes);
}

TEST_CASE("refusals: two fan-outs that both forward one march") {
  const std::string lanes =
      "DRAM: I W O\nparallel p in 2 on Out.x\n  parallel r in 3 on In.x\n    for p in 4\n      "
      "Pad: I";
  is_refused(Refusal::kTwoForwarders, world(kConv, kMarch, kLinks, kLinks), lanes);
  is_counted(world(kConv, kMarch, kLinks, kShares), lanes);
  is_counted(world(kConv, kMarch, kShares, kLinks), lanes);
}

TEST_CASE("refusals: ragged outputs come back unevenly") {
  const std::string parts =
      "DRAM: A B O\nparallel k in 2 on Out.x\n  Buf: O\n  for m in 2\n    for k in 2\n      Pad: "
      "O\n      for m in 3\n        for n in 4";
  const std::string timed = R"(, "bandwidth_bits": 16)";
  const Setting refused = world(kGemm, kPrevious, kShares, kShares, timed);
  is_refused(Refusal::kUnevenResidences, refused, parts);
  must_not_be_counted(refused, parts);
  is_counted(world(kGemm, kPrevious), parts);
  is_counted(world(kGemm, kMarch, kShares, kShares, timed), parts);
  Setting every = refused;
  every.conventions.refill = C::Refill::kEveryChild;
  is_counted(every, parts);
}

// While k = 2 is worked on, lane 1 is idle and keeps word 1; its parent lets go of the word and, in
// the second instance, starts it from zero once more, which no lane ever asks for.
TEST_CASE("refusals: a residence that may end without a visit") {
  const auto parts = [](const std::string& temporal) {
    return "DRAM: A B O\n" + temporal +
           "parallel c in 2 on Out.x\n      Buf: O\n      parallel k in 2 on In.x\n"
           "        Pad: A B O";
  };
  const std::string comes_back = parts("for c in 2\n  for k in 2\n    ");
  is_refused(Refusal::kUnevenResidences, world(kVector, kPrevious), comes_back);
  must_not_be_counted(world(kVector, kPrevious), comes_back);
  is_counted(world(kVector, kMarch), comes_back);
  Setting every = world(kVector, kPrevious);
  every.conventions.refill = C::Refill::kEveryChild;
  is_counted(every, comes_back);
  is_counted(world(kVector, kPrevious), parts("for k in 2\n  for c in 2\n    "));
  is_counted(world(kVector, kPrevious),
             "DRAM: A B O\nfor c in 4\n  for k in 2\n    Buf: O\n    parallel k in 2 on In.x\n"
             "      Pad: A B O");
}

}  // namespace loopscape::reference
