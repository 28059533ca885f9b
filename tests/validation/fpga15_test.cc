// Zhang et al., FPGA 2015: how many filters and channels a cycle suit AlexNet's convolutions best,
// of all that the multipliers allow.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/machines.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("fpga15");
const char* const kSource = "Zhang et al., FPGA 2015";

// 5 DSP slices for a single-precision multiply-add; 2240 slices in use.
constexpr int kMultipliers = 2240 / 5;

// The convolutions of one of the two halves that AlexNet was trained in, as the paper has them.
const Json& convolutions() {
  const auto conv = [](int k, int c, int p, int r, int stride) -> Json {
    return {{"op", "conv2d"}, {"k", k}, {"c", c}, {"p", p},
            {"q", p},         {"r", r}, {"s", r}, {"stride", stride}};
  };
  static const Json all = {conv(48, 3, 55, 11, 4), conv(128, 48, 27, 5, 1),
                           conv(192, 256, 13, 3, 1), conv(192, 192, 13, 3, 1),
                           conv(128, 192, 13, 3, 1)};
  return all;
}

struct Design {
  int tm = 0, tn = 0;
};

// For each number of channels as many filters as the multipliers allow. Fewer of either are not
// faster: their mappings are mappings of the larger array, lanes of which stay idle.
std::vector<Design> candidates() {
  std::vector<Design> all;
  for (int tn = 1; tn <= kMultipliers; ++tn) {
    const int tm = kMultipliers / tn;
    if (tn < kMultipliers && kMultipliers / (tn + 1) == tm) continue;
    all.push_back({tm, tn});
  }
  return all;
}

// Of all five, mapped one after the other.
Delay delay_of(const Design& design, std::uint64_t max_work) {
  const Machine fpga = machine("zhang_fpga15", {{"tm", design.tm}, {"tn", design.tn}});
  Delay sum;
  for (const Json& layer : convolutions()) {
    const Delay its = delay_within(fpga, layer, max_work);
    sum.cycles += its.cycles, sum.at_least += its.at_least;
  }
  return sum;
}

double operations() {
  double sum = 0;
  for (const Json& layer : convolutions()) {
    sum += static_cast<double>(unwrap(parse_problem(layer.dump()), "problem").operations());
  }
  return sum;
}

}  // namespace

// A candidate is out once what it takes at least is more than what the best one takes.
TEST_CASE("fpga15: the design point of all that the multipliers allow") {
  const std::vector<Design> all = candidates();
  std::vector<Delay> delays;
  std::size_t likely = 0;
  for (const Design& design : all) {
    delays.push_back(delay_of(design, 20'000));
    if (delays.back().at_least < delays[likely].at_least) likely = delays.size() - 1;
  }
  const Design best = all[likely];
  const Delay its = delay_of(best, 3'000'000);
  double next = 1e300;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == likely) continue;
    CHECK(delays[i].at_least > its.cycles);
    next = std::min(next, delays[i].at_least);
  }
  CHECK(its.cycles == its.at_least);  // proved
  kReport.row({"filters a cycle (Tm)", 64, static_cast<double>(best.tm), 0, kSource});
  kReport.row({"channels a cycle (Tn)", 7, static_cast<double>(best.tn), 0, kSource});
  kReport.row({"cycles of the five convolutions, one half",
               1008246,
               its.cycles,
               0.01,
               kSource,
               "the pipeline's latency at each tile is not counted",
               {},
               7});
  // At 100 MHz; a multiply-accumulate is two operations.
  kReport.row({"GFLOPS", 61.62, 2 * operations() / its.cycles * 0.1, 0.1, kSource,
               "measured on the board, 21.61 ms for both halves; the multipliers' peak is 89.6"});
  kReport.table({"the other candidates", "slower",
                 std::to_string(all.size() - 1) + " pairs (Tm, Tn): each at least " +
                     std::to_string(static_cast<int>(100 * (next / its.cycles - 1))) +
                     " % more cycles, however it is mapped",
                 "a bound", kSource});
}

}  // namespace loopscape::validation
