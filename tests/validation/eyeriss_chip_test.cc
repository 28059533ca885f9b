// The Eyeriss chip on AlexNet and VGG-16 (eyeriss_chip.json): arch_specs/eyeriss_v1.json with the
// published row-stationary mappings.
//
// What the paper counts at the global buffer: inputs read for the array, partial sums written and
// read, the last read of a result to DRAM among them (ours: updates, reads, drains). Not the
// writing of inputs that come from DRAM (ours: fills).

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/validation/harness.h"
#include "tests/validation/report.h"

namespace loopscape::validation {
namespace {

const Report kReport("eyeriss_chip");
constexpr double kBytes = 2, kMega = 1e6, kCyclesPerMs = 200e3;

std::int64_t at(const Json& object, const char* key) { return object.at(key).get<std::int64_t>(); }

Json problem_of(const Json& shape, std::int64_t batch) {
  return {{"einsum", "O[n,g,k,p,q] += I[n,g,c," + shape.at("stride").dump() + "*p+r," +
                         shape.at("stride").dump() + "*q+s] * W[g,k,c,r,s]"},
          {"dims",
           {{"n", batch},
            {"g", shape.at("groups")},
            {"k", shape.at("k")},
            {"c", shape.at("c")},
            {"p", shape.at("p")},
            {"q", shape.at("q")},
            {"r", shape.at("r")},
            {"s", shape.at("s")}}},
          {"tensors",
           {{"I", {{"role", "input"}}}, {"W", {{"role", "weight"}}}, {"O", {{"role", "output"}}}}}};
}

// Table III's parameters as a nest: m filters, n images and e rows of outputs in the buffer; in the
// array r channels and t filters at a time, in an element q channels and p filters.
class RowStationary {
 public:
  RowStationary(const Json& shape, const Json& mapping, std::int64_t batch) {
    const std::int64_t m = at(mapping, "m"), n = at(mapping, "n"), e = at(mapping, "e");
    const std::int64_t p = at(mapping, "p"), q = at(mapping, "q");
    const std::int64_t r = at(mapping, "r"), t = at(mapping, "t");
    store("DRAM", {"I", "W", "O"});
    loop("g", at(shape, "groups"));
    loop("k", ceil_div(at(shape, "k"), m));
    loop("n", ceil_div(batch, n));
    loop("p", ceil_div(at(shape, "p"), e));
    loop("c", ceil_div(at(shape, "c"), q * r));
    store("GlobalBuffer", {"I", "O"});
    loop("k", ceil_div(m, p * t));
    store("WeightPrefetch", {"W"});
    rows_of_outputs(e, t);
    lanes("c", r, "y");
    lanes("r", at(shape, "r"), "y");
    store("WeightSpad", {"W"});
    loop("n", n);
    loop("q", at(shape, "q"));
    store("InputSpad", {"I"});
    store("PsumSpad", {"O"});
    loop("k", p);
    loop("c", q);
    loop("s", at(shape, "s"));
  }
  Json nest() const { return {{"nest", nest_}}; }

 private:
  static constexpr std::int64_t kColumns = 14;

  // A set wider than the array is cut into segments that stand above each other; sets of several
  // filters stand side by side if they fit.
  void rows_of_outputs(std::int64_t e, std::int64_t t) {
    const std::int64_t segments = ceil_div(e, kColumns);
    lanes("p", segments, "y");
    lanes("p", segments > 1 ? kColumns : e, "x");
    lanes("k", t, e * t <= kColumns ? "x" : "y");
  }
  void store(const char* memory, const std::vector<std::string>& tensors) {
    nest_.push_back({{"store", memory}, {"tensors", tensors}});
  }
  void loop(const char* dim, std::int64_t bound) {
    if (bound > 1) nest_.push_back({{"for", dim}, {"bound", bound}});
  }
  void lanes(const char* dim, std::int64_t bound, const char* axis) {
    if (bound < 2) return;
    nest_.push_back({{"spatial", dim}, {"bound", bound}, {"axis", std::string("PEs.") + axis}});
  }

  Json nest_ = Json::array();
};

Priced price_layer(const Json& layer, const Json& mapping, std::int64_t batch) {
  const Json& shape = layer.at("shape");
  return price(problem_of(shape, batch), load("arch_specs/eyeriss_v1.json"),
               RowStationary(shape, mapping, batch).nest());
}

double buffer_mb(const Priced& priced) {
  const Traffic& sums = priced.at("GlobalBuffer", "O").words;
  const std::int64_t words =
      priced.at("GlobalBuffer", "I").words.reads + sums.reads + sums.updates + sums.drains;
  return static_cast<double>(words) * kBytes / kMega;
}

// Weights as they are; feature maps as run-length codes, three values of 16 bits and their runs in
// 64 bits, but for the image itself.
double dram_mb(const Priced& priced, const Json& layer) {
  constexpr double kCodeBytes = 64.0 / 3 / 8;
  const auto words = [&](const char* tensor) {
    const Traffic& moved = priced.at("DRAM", tensor).words;
    return static_cast<double>(moved.reads + moved.updates);
  };
  const bool image = at(layer.at("shape"), "c") == 3;
  const double input =
      words("I") * (image ? kBytes : layer.at("inputs_dense").get<double>() * kCodeBytes);
  const double output = words("O") * layer.at("outputs_dense").get<double>() * kCodeBytes;
  return (words("W") * kBytes + input + output) / kMega;
}

double operations(const Json& net) {
  double sum = 0;
  for (const Json& layer : net.at("layers")) {
    const Json spec = problem_of(layer.at("shape"), at(net, "batch"));
    sum += static_cast<double>(unwrap(parse_problem(spec.dump()), "problem").operations());
  }
  return sum;
}

double ms(const Priced& priced) { return static_cast<double>(priced.cost.cycles) / kCyclesPerMs; }

double mj(double pj) { return pj * 1e-9; }

std::string named(const Json& layer, const char* what) {
  return layer.at("name").get<std::string>() + ": " + what;
}

constexpr const char* kTable5 = "JSSC'17, table V";
constexpr const char* kTable6 = "JSSC'17, table VI";

}  // namespace

TEST_CASE("eyeriss chip: active elements and buffer accesses of AlexNet are the published ones") {
  const Json net = load("tests/validation/eyeriss_chip.json").at("alexnet");
  double sum = 0;
  for (const Json& layer : net.at("layers")) {
    const Priced priced = price_layer(layer, layer.at("mapping"), at(net, "batch"));
    kReport.row({named(layer, "active elements"), layer.at("active").get<double>(),
                 static_cast<double>(priced.cost.compute.instances_used), 0, kTable5});
    sum += buffer_mb(priced);
    kReport.row({named(layer, "global buffer, MB"), layer.at("buffer_mb").get<double>(),
                 buffer_mb(priced), 0.01, kTable5,
                 layer.contains("printed_mapping") ? "with (q, r, t) = (3, 2, 2)" : ""});
    if (!layer.contains("printed_mapping")) continue;
    const Priced printed = price_layer(layer, layer.at("printed_mapping"), at(net, "batch"));
    kReport.row({named(layer, "the same with table III's (4, 1, 4)"),
                 layer.at("buffer_mb").get<double>(), buffer_mb(printed), 0.01, kTable5,
                 "the paper's tables III and V do not belong together here: its total of 208.5 MB "
                 "holds 50.2, which (3, 2, 2) gives",
                 69.218304});
  }
  kReport.row({"All layers: global buffer, MB", 208.5, sum, 0.01, kTable5});
}

TEST_CASE("eyeriss chip: processing latency of AlexNet") {
  const Json net = load("tests/validation/eyeriss_chip.json").at("alexnet");
  const std::string why =
      "the chip loads a pass's weights into one element after another, fills and empties its "
      "pipeline and is configured anew; of that only the load of one element is counted, at the "
      "whole port's rate";
  const double known[] = {14.00256, 33.4848, 19.41192, 0, 0};
  std::size_t i = 0;
  double sum = 0, published = 0;
  for (const Json& layer : net.at("layers")) {
    const Priced priced = price_layer(layer, layer.at("mapping"), at(net, "batch"));
    ValueRow row{named(layer, "processing, ms"), layer.at("processing_ms").get<double>(),
                 ms(priced), 0.1, kTable5};
    if (known[i] != 0) row.reason = why, row.pinned = known[i];
    kReport.row(row);
    sum += row.ours;
    published += row.published;
    ++i;
  }
  CHECK(published == Approx(103.5));
  kReport.row({"All layers: processing, ms", 103.5, sum, 0.1, kTable5, why, 90.97608});
}

TEST_CASE("eyeriss chip: DRAM traffic of AlexNet with an estimate of run-length coding") {
  const Json net = load("tests/validation/eyeriss_chip.json").at("alexnet");
  double sum = 0;
  for (const Json& layer : net.at("layers")) {
    const Priced priced = price_layer(layer, layer.at("mapping"), at(net, "batch"));
    kReport.row({named(layer, "DRAM, MB"),
                 layer.at("dram_mb").get<double>(),
                 dram_mb(priced, layer),
                 0.05,
                 kTable5,
                 "",
                 {},
                 3});
    sum += dram_mb(priced, layer);
  }
  kReport.row({"All layers: DRAM, MB", 15.4, sum, 0.05, kTable5});
  kReport.row({"All layers: DRAM words for an operation", 0.0029,
               sum * kMega / kBytes / operations(net), 0.05, "JSSC'17, abstract"});
}

TEST_CASE("eyeriss chip: energy of AlexNet by component") {
  const Json net = load("tests/validation/eyeriss_chip.json").at("alexnet");
  Bars figure{"Eyeriss chip, AlexNet, batch 4: energy on the chip",
              "mJ",
              {"multipliers", "scratchpads", "array networks", "global buffer"},
              {}};
  const double known[] = {3.37576956, 7.429760256, 5.312861184, 0, 0};
  std::size_t i = 0;
  for (const Json& layer : net.at("layers")) {
    const Priced priced = price_layer(layer, layer.at("mapping"), at(net, "batch"));
    const double macs = mj(priced.cost.compute.energy_pj);
    const double spads =
        mj(priced.memory("WeightSpad").energy_pj + priced.memory("InputSpad").energy_pj +
           priced.memory("PsumSpad").energy_pj);
    const double buffer =
        mj(priced.memory("GlobalBuffer").energy_pj + priced.memory("WeightPrefetch").energy_pj);
    const double dram = mj(priced.memory("DRAM").energy_pj);
    const double networks = mj(priced.cost.energy_pj) - dram - macs - spads - buffer;
    const double measured =
        layer.at("power_mw").get<double>() * layer.at("total_ms").get<double>() * 1e-3;
    figure.bars.push_back({layer.at("name"), {macs, spads, networks, buffer}, measured});
    ValueRow row{named(layer, "energy on the chip, mJ"),
                 measured,
                 macs + spads + networks + buffer,
                 0.1,
                 kTable5 + std::string(", power x time"),
                 "words and operations only: the clock tree, control and leakage are missing, and "
                 "so is the gating of zeros, which grows from layer to layer and works against it"};
    if (known[i] != 0) row.pinned = known[i];
    ++i;
    kReport.row(row);
  }
  kReport.figure("eyeriss_chip_energy", to_svg(figure));
}

TEST_CASE("eyeriss chip: VGG-16 where its mappings follow from what is published") {
  const Json net = load("tests/validation/eyeriss_chip.json").at("vgg16");
  Lines times{"Eyeriss chip, VGG-16, batch 3", "layer", "processing, ms", {}, false, false};
  Series ours{"ours", {}}, theirs{"published", {}, true};
  double i = 0, sum_mb = 0, sum_ms = 0;
  for (const Json& layer : net.at("layers")) {
    const Priced priced = price_layer(layer, layer.at("mapping"), at(net, "batch"));
    kReport.row({named(layer, "active elements"), layer.at("active").get<double>(),
                 static_cast<double>(priced.cost.compute.instances_used), 0, kTable6});
    ValueRow buffer{named(layer, "global buffer, MB"), layer.at("buffer_mb").get<double>(),
                    buffer_mb(priced), 0.01, kTable6};
    if (layer.contains("pinned_buffer_mb")) {
      buffer.reason =
          "the mapping is not published; the published number is below even the partial sums "
          "alone, by 1 % to 3 %";
      buffer.pinned = layer.at("pinned_buffer_mb").get<double>();
    }
    kReport.row(buffer);
    ValueRow time{named(layer, "processing, ms"), layer.at("processing_ms").get<double>(),
                  ms(priced), 0.1, kTable6};
    if (layer.contains("pinned_ms")) {
      time.reason = layer.at("why_ms");
      time.pinned = layer.at("pinned_ms").get<double>();
    }
    kReport.row(time);
    sum_mb += buffer.ours, sum_ms += time.ours;
    if (layer.contains("dram_mb")) {
      ValueRow dram{named(layer, "DRAM, MB"), layer.at("dram_mb").get<double>(),
                    dram_mb(priced, layer), 0.05, kTable6};
      if (layer.contains("pinned_dram_mb")) {
        dram.reason = layer.at("why_dram");
        dram.pinned = layer.at("pinned_dram_mb").get<double>();
      }
      kReport.row(dram);
    }
    ours.points.push_back({++i, time.ours});
    theirs.points.push_back({i, time.published, layer.at("name")});
  }
  kReport.row({"VGG-16, all layers: global buffer, MB", 11035.8, sum_mb, 0.05, kTable6});
  kReport.row({"VGG-16, all layers: processing, ms", 3755.2, sum_ms, 0.1, kTable6});
  times.series = {ours, theirs};
  kReport.figure("eyeriss_chip_vgg16", to_svg(times));
}

// All partial sums of a layer cross the buffer's port four words a cycle: that, not the
// multipliers, is what makes VGG-16's first layers four times slower than its fourth at equal
// operations.
TEST_CASE("eyeriss chip: the port for partial sums limits CONV1-2 of VGG-16") {
  const Json net = load("tests/validation/eyeriss_chip.json").at("vgg16");
  const Json& layer = net.at("layers").at(1);
  REQUIRE(layer.at("name") == "CONV1-2");
  const Priced priced = price_layer(layer, layer.at("mapping"), at(net, "batch"));
  const TensorAtNetwork& sums = priced.through("PEs", "O");
  const auto port = static_cast<double>(sums.words_in + sums.words_out) * 16 / 128;
  CHECK(static_cast<double>(priced.cost.cycles) >= port);
  CHECK(static_cast<double>(priced.cost.cycles) < 1.01 * port);
  CHECK(priced.cost.compute.steps * 3 < priced.cost.cycles);
  const auto named = [&](const char* name) {
    for (const Json& each : net.at("layers")) {
      if (each.at("name") == name) return each;
    }
    throw std::runtime_error("no such layer");
  };
  const Json fourth = named("CONV4-2");
  kReport.range({"CONV1-2 against CONV4-2, equal operations: times slower", 3.6, 4.1,
                 ms(priced) / ms(price_layer(fourth, fourth.at("mapping"), at(net, "batch"))),
                 "JSSC'17, table VI: 810.6 / 210.0 = 3.86"});
}

}  // namespace loopscape::validation
