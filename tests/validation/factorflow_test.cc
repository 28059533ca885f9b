// Agreement with FactorFlow's test oracles (factorflow_tables.json): every number of both tables of
// both cases is derived from our counts; where its convention differs, the difference is added
// here, next to its reason. Conventions of theirs:
//   * `reads` of outputs include those that send a result up (our drains), `writes` of outputs
//     include those that bring a partial sum down (our fills); "last_out" columns are the latter
//     two alone: exchanges with the level above.
//   * bias_read: every word of the output starts from a bias that is read like a partial sum. Ours
//     start from zero (first visits cost nothing), so theirs has one word more per output word on
//     each way of the bias: out of the root, into each store and out of it.
//   * a root holds its tensors from the start. Ours is the single outermost memory; a case with two
//     roots gets one more memory above them, and what flows between it and them is ours alone.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("factorflow");

// One level in their terms: words, totals over instances.
struct Level {
  std::string name;
  std::int64_t instances = 1;
  double bandwidth = 0;                 // words per cycle and instance, each way
  std::int64_t reads = 0, updates = 0;  // to and from the levels below
  std::int64_t fills = 0, drains = 0;   // from and to the level above
  std::vector<std::int64_t> counts;     // the eight columns of the first table
};

Level level_of(const Priced& priced, const Json& row, bool bias_read) {
  const std::string name = row.at("name");
  const bool root = row.at("root");
  const TensorAtMemory& in = priced.at(name, "In");
  const TensorAtMemory& w = priced.at(name, "W");
  const TensorAtMemory& out = priced.at(name, "Out");
  const Tensor& tensor = priced.problem.tensors.at(index(priced.problem.output()));
  REQUIRE(tensor.ranks.size() == 2);
  std::int64_t bias = 0;
  if (bias_read && out.stored) {
    bias = 1;
    for (const Rank& rank : tensor.ranks)
      bias *= priced.problem.dims.at(index(rank.terms.at(0).dim)).extent;
  }
  const std::int64_t out_reads = out.words.reads + bias;
  const std::int64_t out_fills = root ? 0 : out.words.fills + bias;
  const std::int64_t out_drains = root ? 0 : out.words.drains;
  const std::int64_t in_fills = root ? 0 : in.words.fills;
  const std::int64_t w_fills = root ? 0 : w.words.fills;

  Level level;
  level.name = name;
  level.instances = priced.memory(name).instances_used;
  level.bandwidth = row.at("words_per_cycle");
  level.reads = in.words.reads + w.words.reads + out_reads;
  level.updates = out.words.updates;
  level.fills = in_fills + w_fills + out_fills;
  level.drains = out_drains;
  level.counts = {in.words.reads, w.words.reads, out_reads + out_drains,
                  in_fills,       w_fills,       out.words.updates + out_fills,
                  out_fills,      out_drains};
  return level;
}

// Temporal iterations down to and including the loops of `memory`'s level.
std::int64_t iterations_at(const Json& nest, const std::string& memory) {
  std::int64_t product = 1;
  bool inside = false;
  for (const Json& node : nest) {
    if (node.contains("store") && inside) break;
    if (node.contains("store")) inside = node.at("store") == memory;
    if (node.contains("for")) product *= node.at("bound").get<std::int64_t>();
  }
  return product;
}

// The table prints four significant digits.
void check_digits(double ours, const Json& published) {
  const auto theirs = published.get<double>();
  if (theirs == 0) {
    CHECK(ours == 0);
    return;
  }
  const double unit = std::pow(10.0, std::floor(std::log10(theirs)) - 3);
  CHECK(std::abs(ours - theirs) <= 0.5 * unit * (1 + 1e-9));
}

// Their latency grows from the inside out: a level whose traffic does not fit into the time that
// the levels below it take stretches that time. Returns the time including `level`.
double check_times(const Level& level, double inner, std::int64_t iterations, const Json& times) {
  const double per_cycle = level.bandwidth * static_cast<double>(level.instances);
  const double out = std::max(inner, static_cast<double>(level.reads + level.drains) / per_cycle);
  const double in = std::max(inner, static_cast<double>(level.fills + level.updates) / per_cycle);
  const double time = std::max(out, in);
  const auto rate = [&](std::int64_t words) {
    return static_cast<double>(words) / static_cast<double>(level.instances) / inner;
  };
  check_digits(out, times.at(0));
  check_digits(in, times.at(1));
  check_digits(inner / static_cast<double>(iterations), times.at(2));
  check_digits(time - inner, times.at(3));
  check_digits(rate(level.reads), times.at(4));
  check_digits(rate(level.updates), times.at(5));
  check_digits(rate(level.fills), times.at(6));
  check_digits(rate(level.drains), times.at(7));
  return time;
}

Json case_called(const std::string& name) {
  const Json table = load("tests/validation/factorflow_tables.json");
  for (const Json& one : table.at("cases"))
    if (one.at("name") == name) return one;
  FAIL("no case " << name);
  return {};
}

Priced check_case(const Json& one) {
  Priced priced = price(one.at("problem"), with_unit_energies(one.at("arch")), one.at("mapping"));
  auto time = static_cast<double>(priced.cost.compute.steps);
  const Json& levels = one.at("levels");
  for (auto row = levels.rbegin(); row != levels.rend(); ++row) {
    const Level level = level_of(priced, *row, one.at("bias_read"));
    INFO(level.name);
    CHECK(level.counts == row->at("counts").get<std::vector<std::int64_t>>());
    time = check_times(level, time, iterations_at(one.at("mapping").at("nest"), level.name),
                       row->at("times"));
  }
  // Their last latency is our whole time: nothing of it is exposed.
  CHECK(static_cast<double>(priced.cost.cycles) == time);
  return priced;
}

}  // namespace

TEST_CASE("factorflow: gemmini_timeloop") {
  const Priced priced = check_case(case_called("gemmini_timeloop"));
  // What the scratchpad must read in 16 words a cycle, exactly; the table prints 5.348e+07.
  CHECK(priced.cost.cycles == (805306368 + 50331648) / 16);
  // Without a bias: visits minus first visits.
  CHECK(priced.at("DRAM", "Out").words.reads == 25165824 - 3072 * 4096);
  kReport.table({"`gemmini_timeloop`: all counts, latencies, stalls, ideal bandwidths", "4 levels",
                 "the same after its three stated conventions",
                 "0; four digits where it prints four",
                 "FactorFlow's solutions_db, `factorflow_tables.json`"});
}

TEST_CASE("factorflow: tpu_timeloop_ex") {
  const Priced priced = check_case(case_called("tpu_timeloop_ex"));
  CHECK(priced.cost.cycles == 131072 / 4);  // the weights' way in; the table prints 3.277e+04
  // Ours alone: the outermost memory supplies both roots once and takes the result.
  CHECK(priced.at("DRAM", "In").words.fills == 256 * 256);
  CHECK(priced.at("WeightsDRAM", "W").words.fills == 512 * 256);
  CHECK(priced.at("DRAM", "Out").words.drains == 512 * 256);
  CHECK(priced.at("DRAM", "Out").words.fills == 0);
  kReport.table({"`tpu_timeloop_ex`: all counts, latencies, stalls, ideal bandwidths", "6 levels",
                 "the same after its three stated conventions",
                 "0; four digits where it prints four",
                 "FactorFlow's solutions_db, `factorflow_tables.json`"});
}

}  // namespace loopscape::validation
