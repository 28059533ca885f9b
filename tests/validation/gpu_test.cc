// Tensor cores: the peak tables of NVIDIA's whitepapers, from what is unrolled in space and the
// clock, and measured matrix products, which no mapping of ours may be slower than.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/machines.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("gpu");

std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::string loop(const std::string& dim, std::int64_t bound) {
  return bound == 1 ? "" : "for " + dim + " in " + std::to_string(bound) + "\n";
}
std::string lanes(const std::string& dim, std::int64_t bound, const std::string& axis) {
  return bound == 1 ? ""
                    : "parallel " + dim + " in " + std::to_string(bound) + " on " + axis + "\n";
}

struct Gemm {
  std::int64_t m, n, k;
};

// A matrix product tiled the usual way: a processor takes tile_m x tile_n sums, its four partitions
// a quarter of them each, which stay in the registers while k passes.
struct Tiling {
  std::int64_t sms_m, sms_n, tile_m, tile_n, step_k;
};

std::string nest_of(const Gemm& gemm, const Tiling& tiling, const Machine& gpu) {
  const Fanout& cores = gpu.arch.fanouts[2];  // axes: core, k, m, n
  const std::int64_t core = cores.axes[0].size, core_k = cores.axes[1].size,
                     core_m = cores.axes[2].size, core_n = cores.axes[3].size;
  return "HBM: I W O\n" + loop("m", up(gemm.m, tiling.sms_m * tiling.tile_m)) +
         loop("n", up(gemm.n, tiling.sms_n * tiling.tile_n)) +
         loop("k", up(gemm.k, tiling.step_k)) + "L2: I W\n" + lanes("m", tiling.sms_m, "SMs.sm") +
         lanes("n", tiling.sms_n, "SMs.sm") + "L1: I W\n" +
         loop("k", up(std::min(tiling.step_k, gemm.k), core_k)) + lanes("m", 2, "Parts.part") +
         lanes("n", 2, "Parts.part") + "Registers: I W O\n" +
         loop("m", tiling.tile_m / 2 / core_m) + loop("n", tiling.tile_n / 2 / core_n / core) +
         lanes("n", core, "TensorCores.core") + lanes("k", core_k, "TensorCores.k") +
         lanes("m", core_m, "TensorCores.m") + lanes("n", core_n, "TensorCores.n");
}

Priced price_gemm(const Machine& gpu, const Gemm& gemm, const Tiling& tiling) {
  const Json problem = {{"op", "gemm"}, {"m", gemm.m}, {"n", gemm.n}, {"k", gemm.k}};
  return price_on(gpu, problem, nest_of(gemm, tiling, gpu));
}

// Cycles of the best of many tilings: an upper bound of what the fastest mapping takes.
double best_cycles(const Machine& gpu, const Gemm& gemm) {
  const std::int64_t sms = gpu.arch.fanouts[0].children(), most_sums = 8192 * 4;
  const double products = gpu.lanes() / static_cast<double>(sms);  // a cycle, of a processor
  const double hbm_words = *gpu.arch.memories[0].bandwidth_bits / gpu.arch.word_bits;
  const double l1_words = *gpu.arch.memories[2].write_bits / gpu.arch.word_bits;
  double best_estimate = 1e300;
  Tiling choice{};
  for (std::int64_t sms_m = 1; sms_m <= sms; ++sms_m) {
    const std::int64_t sms_n = sms / sms_m;
    for (std::int64_t waves_m = 1; waves_m <= 64; ++waves_m) {
      const std::int64_t tile_m = 16 * up(up(gemm.m, sms_m * waves_m), 16);
      for (std::int64_t tile_n = 16; tile_n <= 256; tile_n += 8) {
        if (tile_m > 256 || tile_m * tile_n > most_sums) continue;
        const std::int64_t over_m = up(gemm.m, sms_m * tile_m), over_n = up(gemm.n, sms_n * tile_n);
        // A processor without work is no mapping: fewer would do.
        if (over_m == 1 && (sms_m - 1) * tile_m >= gemm.m) continue;
        if (over_n == 1 && (sms_n - 1) * tile_n >= gemm.n) continue;
        // An estimate, to choose by: products of a processor, words from HBM.
        const double steps = static_cast<double>(over_m * tile_m) *
                             static_cast<double>(over_n * tile_n) * static_cast<double>(gemm.k);
        const double words =
            static_cast<double>(gemm.m * over_n + gemm.n * over_m) * static_cast<double>(gemm.k);
        const double in_l1 = static_cast<double>(over_m * over_n * (tile_m + tile_n)) *
                             static_cast<double>(gemm.k) / l1_words;
        const double cycles = std::max({steps / products, words / hbm_words, in_l1});
        if (cycles >= best_estimate) continue;
        best_estimate = cycles;
        choice = {sms_m, sms_n, tile_m, tile_n, std::min<std::int64_t>(gemm.k, 64)};
      }
    }
  }
  return static_cast<double>(price_gemm(gpu, gemm, choice).cost.cycles);
}

struct Peak {
  const char* chip;
  const char* type;
  double operand_bits, core_m, core_n, core_k, cores;
  double published;
};

}  // namespace

TEST_CASE("gpu: peaks of the whitepapers' tables") {
  const std::vector<Peak> peaks = {{"v100", "FP16, sums in FP32", 16, 4, 4, 4, 2, 125},
                                   {"a100", "TF32", 32, 8, 4, 4, 1, 156},
                                   {"a100", "FP16 or BF16, sums in FP32", 16, 8, 4, 8, 1, 312},
                                   {"a100", "INT8", 8, 8, 4, 16, 1, 624},
                                   {"a100", "INT4", 4, 8, 4, 32, 1, 1248},
                                   {"a100", "binary", 1, 8, 4, 128, 1, 4992},
                                   {"a100", "FP64", 64, 4, 4, 1, 1, 19.5},
                                   // Without tensor cores: 16 units a partition.
                                   {"v100", "FP32, CUDA cores", 32, 4, 4, 1, 1, 15.7},
                                   {"a100", "FP32, CUDA cores", 32, 4, 4, 1, 1, 19.5}};
  for (const Peak& peak : peaks) {
    const Machine gpu = machine(peak.chip, {{"operand_bits", peak.operand_bits},
                                            {"core_m", peak.core_m},
                                            {"core_n", peak.core_n},
                                            {"core_k", peak.core_k},
                                            {"cores", peak.cores}});
    // Long sums, so that nothing but the cores counts; every core works all the time.
    const std::int64_t sms = gpu.arch.fanouts[0].children();
    const Gemm gemm{128 * sms / 4, 128 * 4, 1 << 14};
    const auto step_k = static_cast<std::int64_t>(2048 / peak.operand_bits);
    const Priced priced = price_gemm(gpu, gemm, {sms / 4, 4, 128, 128, step_k});
    CHECK(priced.cost.utilization == 1);
    const double tops = 2 * static_cast<double>(priced.cost.operations) * gpu.clock_ghz() /
                        static_cast<double>(priced.cost.cycles) / 1e3;
    kReport.row({std::string(peak.chip) + ", " + peak.type + ": peak, TOPS", peak.published, tops,
                 0.005, "NVIDIA's architecture whitepapers"});
  }
}

TEST_CASE("gpu: no measured product is faster than ours") {
  struct Measured {
    std::int64_t m, n, k;
    double ms;
  };
  const std::vector<Measured> all = {
      {64, 12288, 12288, 0.1900},     {128, 12288, 12288, 0.2003},  {256, 12288, 12288, 0.3185},
      {512, 12288, 12288, 0.6118},    {1024, 12288, 12288, 1.1990}, {2048, 12288, 12288, 2.3586},
      {4096, 12288, 12288, 4.4576},   {8192, 12288, 12288, 8.6216}, {16384, 12288, 12288, 17.0307},
      {32768, 12288, 12288, 35.4407}, {8192, 64, 64, 0.0296},       {8192, 128, 128, 0.0310},
      {8192, 256, 256, 0.0356},       {8192, 512, 512, 0.0471},     {8192, 1024, 1024, 0.0927},
      {8192, 2048, 2048, 0.2818},     {8192, 4096, 4096, 1.0210},   {8192, 8192, 8192, 3.9614},
      {8192, 16384, 16384, 15.0087},  {8192, 32768, 32768, 61.1346}};
  // 302 MB of weights in 0.19 ms are more than the 1555 GB/s of the board with 40 GB.
  const Machine gpu = machine("a100", {{"hbm_gb_per_s", 2039}});
  Lines figure{"A100: matrix products, measured and ours",
               "rows of the product (n = k = 12288)",
               "TFLOP/s",
               {{"measured", {}}, {"ours", {}}},
               true};
  for (const Measured& its : all) {
    INFO(its.m << " x " << its.n << " x " << its.k);
    const double ms = best_cycles(gpu, {its.m, its.n, its.k}) / (gpu.clock_ghz() * 1e6);
    CHECK(ms <= its.ms);
    CHECK(ms > its.ms / 50);
    if (its.n != 12288) continue;
    const double tera = 2 * static_cast<double>(its.m * its.n * its.k) / 1e9;
    figure.series[0].points.push_back({static_cast<double>(its.m), tera / its.ms});
    figure.series[1].points.push_back({static_cast<double>(its.m), tera / ms});
  }
  kReport.figure("a100_gemm", to_svg(figure));
  kReport.table({"A100: times of matrix products, not below ours", "20 measured", "not above them",
                 "a bound", "LLMCompass, measurements on the board of 80 GB"});
}

}  // namespace loopscape::validation
