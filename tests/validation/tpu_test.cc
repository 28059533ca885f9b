// Google's TPUs: the first one's roofline and where its matrix unit's cycles go (Jouppi et al.,
// ISCA 2017, tables 1 and 3), peaks of the second and third, and utilization against array size.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/machines.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("tpu");
const char* const kTable3 = "Jouppi et al., ISCA 2017, table 3";

// `batch` rows pass tile after tile of edge x edge weights, 8 x 8 of them; sums stay while the k
// tiles follow.
Priced full_tiles(std::int64_t batch, double interval = 1, std::int64_t edge = 256) {
  const Json gemm = {{"op", "gemm"}, {"m", batch}, {"n", 8 * edge}, {"k", 8 * edge}};
  const std::string of_edge = " in " + std::to_string(edge);
  return price_on(machine("tpu_v1", {{"interval", interval}}), gemm,
                  "Host: I W O\n"
                  "WeightMemory: W\n"
                  "UnifiedBuffer: I O\n"
                  "for n in 8\n"
                  "Accumulators: O\n"
                  "for k in 8\n"
                  "WeightFifo: W\n"
                  "parallel n" +
                      of_edge + " on Matrix.columns\n" + "parallel k" + of_edge +
                      " on Matrix.rows\n" +
                      "Weights: W\n"
                      "for m in " +
                      std::to_string(batch) + "\n");
}

constexpr double kTiles = 64;  // of full_tiles()

struct App {
  const char* name;
  double batch, active, useful, shift, stall, non_matrix;  // per cent of all cycles
  double interval = 1;                                     // 2: 16-bit activations at half speed
  const char* reason = "";
  std::optional<double> active_pinned{}, stall_pinned{};  // ours, where it differs
};

const std::vector<App>& apps() {
  static const std::vector<App> all = {
      {"MLP0", 200, 12.7, 12.5, 15.9, 53.9, 17.5},
      {"MLP1", 168, 10.6, 9.4, 13.4, 44.2, 31.9, 1,
       "1.2 of the 10.6 points multiply what no weight fills: partial tiles of unpublished shapes",
       8.47924795},
      {"LSTM0", 64, 8.2, 8.2, 15.8, 58.1, 17.9, 2},
      {"LSTM1", 96, 10.5, 6.3, 17.1, 62.1, 10.3, 1,
       "4.2 of the 10.5 points multiply what no weight fills: partial tiles of unpublished shapes, "
       "and some operands have 16 bits at half speed",
       6.38211495, 66.2989117}};
  return all;
}

// Shares in per cent: the matrix unit multiplies; a tile shifts in, which nothing hides while the
// unit waits for weights; it waits.
struct Shares {
  double active, shift, stall;
};
Shares shares_of(const App& app) {
  const Priced priced = full_tiles(static_cast<std::int64_t>(app.batch), app.interval);
  const double cycles = cycles_of(priced, "WeightMemory read bandwidth");
  // What remains is the skew of one fold, once.
  CHECK(static_cast<double>(priced.cost.cycles) == std::ceil(cycles) + 510);
  const double matrix = 100 - app.non_matrix;
  Shares shares;
  shares.active = matrix * priced.cost.compute.cycles / cycles;
  shares.shift = matrix * cycles_of(priced, "Matrix bandwidth", 1) / cycles;
  shares.stall = matrix - shares.active - shares.shift;
  return shares;
}

std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::string loop(const char* dim, std::int64_t bound) {
  return bound == 1 ? "" : std::string("for ") + dim + " in " + std::to_string(bound) + "\n";
}
std::string lanes(const char* dim, std::int64_t bound, const char* axis) {
  if (bound == 1) return "";
  return std::string("parallel ") + dim + " in " + std::to_string(bound) + " on " + axis + "\n";
}

// A batch of 8 images with `over_k` x `over_p` arrays: channels (and positions of the filter, where
// channels are few) on the rows, filters on the columns. Empty: an array would have nothing to do.
std::string stationary_nest(const Problem& conv, std::int64_t edge, std::int64_t over_k,
                            std::int64_t over_p) {
  const auto extent = [&](const char* dim) {
    const std::optional<DimId> id = conv.find_dim(dim);
    return id ? conv.dims[index(*id)].extent : 1;
  };
  const std::int64_t k = extent("k"), c = extent("c"), p = extent("p"), q = extent("q");
  const std::int64_t r = extent("r"), s = extent("s"), n = p > 28 ? 1 : 8;  // images at a time
  const std::int64_t columns = std::min(k, edge), rows_c = std::min(c, edge);
  const std::int64_t rows_s = std::min(s, edge / rows_c);
  const std::int64_t rows_r = rows_s < s ? 1 : std::min(r, edge / rows_c / rows_s);
  const std::int64_t folds_k = up(up(k, columns), over_k), own_p = up(p, over_p);
  const std::int64_t stripes = up(own_p * q * n, 2048), stripe = up(own_p, stripes);
  const std::int64_t rounds = up(own_p, stripe);
  if ((over_k - 1) * folds_k * columns >= k || (over_p - 1) * rounds * stripe >= p) return "";
  return "HBM: I W O\n" + loop("n", 8 / n) + "VectorMemory: I O\n" +
         lanes("k", over_k, "MXUs.mxu") + lanes("p", over_p, "MXUs.mxu") + loop("k", folds_k) +
         loop("p", rounds) + "Results: O\n" + loop("c", up(c, rows_c)) + loop("r", up(r, rows_r)) +
         loop("s", up(s, rows_s)) + lanes("k", columns, "Matrix.columns") +
         lanes("c", rows_c, "Matrix.rows") + lanes("r", rows_r, "Matrix.rows") +
         lanes("s", rows_s, "Matrix.rows") + "Weights: W\n" + loop("n", n) + loop("p", stripe) +
         loop("q", q);
}

// The fastest split of the arrays over filters and rows of outputs.
Priced stationary_weights(const Machine& tpu, Json layer, std::int64_t edge, std::int64_t arrays) {
  layer["n"] = 8;
  const Result<Problem> conv = parse_problem(layer.dump());
  REQUIRE(conv.ok());
  std::optional<Priced> best;
  for (std::int64_t over_k = 1; over_k <= arrays; over_k *= 2) {
    for (std::int64_t over_p = 1; over_k * over_p <= arrays; over_p *= 2) {
      const std::string nest = stationary_nest(*conv, edge, over_k, over_p);
      if (nest.empty()) continue;
      Priced priced = price_on(tpu, layer, nest);
      if (!best || priced.cost.cycles < best->cost.cycles) best = std::move(priced);
    }
  }
  REQUIRE(best);
  return *best;
}

}  // namespace

TEST_CASE("tpu: the ridge of the roofline") {
  const Priced priced = full_tiles(200);
  // Weights of a tile take as long as this many rows do.
  const double ridge = cycles_of(priced, "WeightMemory read bandwidth") / kTiles;
  kReport.row({"TPU v1: ridge, multiply-accumulates per byte of weights", 1350, ridge, 0.001,
               "Jouppi et al., ISCA 2017, figure 5"});
  const Machine tpu = machine("tpu_v1");
  kReport.row(
      {"TPU v1: peak, TOPS", 92, tpu.peak_tops(), 0.005, "Jouppi et al., ISCA 2017, table 2"});
  Roofline figure{"TPU v1: roofline",
                  "multiply-accumulates per byte of weights",
                  "TOPS",
                  92,
                  2 * 34e9 / 1e12,
                  {}};
  for (const App& app : apps()) {
    const Priced its = full_tiles(static_cast<std::int64_t>(app.batch), app.interval);
    const double tops = 2 * static_cast<double>(its.cost.operations) * tpu.clock_ghz() /
                        static_cast<double>(its.cost.cycles) / 1e3;
    // Above no roof, and below it only by the skew of one fold and the last results.
    const double roof = std::min(figure.peak, figure.per_unit * app.batch);
    CHECK(tops <= roof * 1.001);
    CHECK(tops >= roof * 0.98);
    figure.points.push_back({app.batch, tops, app.name});
  }
  kReport.figure("tpu_v1_roofline", to_svg(figure));
}

TEST_CASE("tpu: peaks of the second and third") {
  kReport.row({"TPU v2: peak, TFLOPS", 46, machine("tpu_v2").peak_tops(), 0.01,
               "Norrie et al., IEEE Micro 2021"});
  kReport.row({"TPU v3: peak, TFLOPS", 123, machine("tpu_v3").peak_tops(), 0.01,
               "Norrie et al., IEEE Micro 2021"});
}

TEST_CASE("tpu: where the matrix unit's cycles go") {
  for (const App& app : apps()) {
    const Shares ours = shares_of(app);
    const std::string name = std::string("TPU v1, ") + app.name;
    kReport.row({name + ": weight shift, % of cycles", app.shift, ours.shift, 0.05, kTable3});
    kReport.row({name + ": array active, % of cycles", app.active, ours.active, 0.06, kTable3,
                 app.reason, app.active_pinned});
    kReport.row({name + ": useful, % of cycles", app.useful, ours.active, 0.1, kTable3,
                 "what the array's multipliers do for weights; full tiles have no other"});
    kReport.row({name + ": weight stall, % of cycles", app.stall, ours.stall, 0.06, kTable3,
                 app.stall_pinned ? "what the array is not active" : "", app.stall_pinned});
  }
  // Its operations for each weight exceed the ridge, so that weights hide behind them.
  const Json cnn0 = load("problems/networks/tpu_cnn0.json").at("layers").at(0);
  const Priced priced = price_on(machine("tpu_v1"), cnn0,
                                 "Host: I W O\nWeightMemory: W\nUnifiedBuffer: I O\nfor n in 2\n"
                                 "Accumulators: O\nfor r in 3\nfor s in 3\nWeightFifo: W\n"
                                 "parallel k in 256 on Matrix.columns\n"
                                 "parallel c in 256 on Matrix.rows\n"
                                 "Weights: W\nfor n in 4\nfor p in 19\nfor q in 19\n");
  const double share = priced.cost.compute.cycles / priced.cost.time[priced.cost.bottleneck].cycles;
  kReport.row({"TPU v1, CNN0: array active, % of cycles", 78.2, (100 - 21.8) * share, 0.02, kTable3,
               "what table 3 leaves the matrix unit: it never waits"});
}

TEST_CASE("tpu: MLP0 at batch 200") {
  // The stand-in's layers, of 20 M weights together: tiles of 250 x 250.
  const Json layers = distinct_layers("tpu_mlp0");
  REQUIRE(layers.size() == 1);
  REQUIRE(layers[0].at("layer").at("k") == 2000);
  const Machine tpu = machine("tpu_v1");
  const Priced priced = full_tiles(200, 1, 250);
  const double cycles = 5 * static_cast<double>(priced.cost.cycles) / (1 - 0.175);
  const double seconds = cycles / (tpu.clock_ghz() * 1e9);
  const double tops = 5 * 2 * static_cast<double>(priced.cost.operations) / seconds / 1e12;
  kReport.row({"TPU v1, MLP0 at batch 200: TOPS", 12.3, tops, 0.1, kTable3,
               "table 3's own 12.5 % of 92 TOPS are 11.5"});
  kReport.row(
      {"TPU v1, MLP0 at batch 200: inferences a second", 225000, 200 / seconds, 0.05,
       "Jouppi et al., ISCA 2017, table 4",
       "the published rate holds a limit of 7 ms for 99 % of answers and the host's share of "
       "the time (table 5: 21 %), neither of which is counted here",
       200 / seconds});
}

// The same multipliers in one array, in four, ...: large arrays are left half empty by layers of
// few channels or filters.
TEST_CASE("tpu: utilization against array size") {
  const Json layers = distinct_layers("resnet50");
  Lines figure{"ResNet-50, batch 8: utilization of 65,536 multipliers",
               "edge of an array",
               "utilization",
               {{"weights stationary", {}}},
               true};
  std::map<int, double> utilization;
  for (const int edge : {128, 256, 512}) {
    // As many arrays as make 65,536 multipliers (of 512 x 512 a quarter); HBM is no limit here.
    const int arrays = std::max(1, 65536 / (edge * edge));
    const Machine tpu = machine(
        "tpu_v2",
        {{"cores", 1}, {"mxus", arrays}, {"rows", edge}, {"columns", edge}, {"hbm_gb_per_s", 1e6}});
    double operations = 0, cycles = 0;
    for (const Json& layer : layers) {
      const double count = layer.at("count").get<double>();
      const Priced priced = stationary_weights(tpu, layer.at("layer"), edge, arrays);
      operations += count * static_cast<double>(priced.cost.operations);
      cycles += count * static_cast<double>(priced.cost.cycles);
    }
    utilization[edge] = operations / cycles / tpu.lanes();
    figure.series[0].points.push_back({static_cast<double>(edge), utilization[edge]});
  }
  kReport.figure("utilization_by_array_size", to_svg(figure));
  for (const int edge : {128, 256}) CHECK(utilization[edge] > utilization[2 * edge]);
  kReport.row({"ResNet-50, four arrays of 128 x 128 against one of 256 x 256: utilization", 1.6,
               utilization[128] / utilization[256], 0.15,
               "Jouppi et al., CACM 2020: 37 % to 48 % against 22 % to 30 %"});
}

}  // namespace loopscape::validation
