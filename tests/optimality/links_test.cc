// The least of links (BoundaryPrices::least_links) against the links of random boundaries, counted
// exactly: rows, columns and steps of lanes, windows that overlap, words that come back. Small
// worlds have few lanes, and their good mappings hide a bound that is a little too high.
// LOOPSCAPE_SEED and LOOPSCAPE_WORLDS (boundaries) as in optimal_test.cc.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "model/bounds/bounds.h"
#include "tests/reference/seeds.h"

namespace loopscape {
namespace {

class Boundaries {
 public:
  explicit Boundaries(std::uint64_t seed) : random_(seed) {}

  // Of a random fan-out or two; how many could be compared.
  const std::string& wrong() const { return wrong_; }  // one of those where a bound is too high
  int check() {
    const Drawn drawn = draw();
    const Arch arch = arch_of(drawn);
    const std::string problem_text = this->problem_text();
    const Result<Problem> problem = parse_problem(problem_text);
    INFO(problem_text << "\n" << problem.status().to_string());
    REQUIRE(problem.ok());
    const Evaluator model =
        *Evaluator::create(*problem, arch, Conventions::physical(), *costs_in_spec(arch));
    BoundaryCounter counter(model);
    // Of the same cells, but each word pays for the rows that it reaches.
    const Drawn with_rows{drawn.x, drawn.y, drawn.z, "multicast_bus", ""};
    const Arch rows_arch = arch_of(with_rows);
    const Evaluator rows_model =
        *Evaluator::create(*problem, rows_arch, Conventions::physical(), *costs_in_spec(rows_arch));
    BoundaryCounter rows_counter(rows_model);
    int compared = 0;
    for (int i = 0; i < 40; ++i) {
      choose_lanes(*problem, arch);
      Skeleton skeleton;
      skeleton.ragged = true;
      skeleton.spatial.assign(lanes_.rbegin(), lanes_.rend());
      for (std::size_t t = 0; t < problem->tensors.size(); ++t) skeleton.chain[t] = {0, 1};
      const BoundaryPrices prices(model, counter, skeleton);
      const BoundaryPrices rows_prices(rows_model, rows_counter, skeleton);
      for (std::size_t t = 0; t < problem->tensors.size(); ++t) {
        const auto rows = [&](const BoundaryLoops& boundary) {
          const BoundaryFlow& flow = rows_counter.flow(boundary);
          REQUIRE(flow.known);
          const double again = flow.most.demand - static_cast<double>(counter.all_words(t));
          const double returns = problem->tensors[t].is_output ? again * (drawn.y + drawn.x) : 0;
          return (rows_prices.links_pj(t, 1, flow) - flow.most.demand * drawn.y - returns) /
                 drawn.x;
        };
        compared += compare(*problem, counter, prices, t, rows);
      }
    }
    return compared;
  }

 private:
  int any(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  // Fan-outs of x by y cells and, if z is not 0, of z cells each; without a class links are free.
  struct Drawn {
    int x, y, z;
    std::string class_f, class_g;
  };
  Drawn draw() {
    const char* const classes[] = {"mesh", "mesh",     "multicast_bus", "multicast_bus",
                                   "tree", "crossbar", "systolic"};
    Drawn drawn{any(1, 8), any(2, 8), 0, classes[any(0, 6)], classes[any(0, 6)]};
    if (any(0, 1) == 0) drawn.z = any(2, 8);
    return drawn;
  }

  static Arch arch_of(const Drawn& drawn) {
    const auto network = [](const std::string& its_class) {
      return R"("network": {"class": ")" + (its_class.empty() ? "crossbar" : its_class) +
             R"(", "multicast": ["input"], "reduce": ["output"], "energy_pj_per_bit_hop": )" +
             (its_class.empty() ? "0" : "1") + "}},\n";
    };
    std::string text = R"({"word_bits": 1, "nodes": [
      {"memory": "Outer", "energy_pj": {"read": 1, "write": 1}},
      {"fanout": "F", "axes": {"x": )" +
                       std::to_string(drawn.x) + R"(, "y": )" + std::to_string(drawn.y) + "}, " +
                       network(drawn.class_f);
    if (drawn.z > 0) {
      text += R"({"fanout": "G", "axes": {"z": )" + std::to_string(drawn.z) + "}, " +
              network(drawn.class_g);
    }
    text += R"({"memory": "Inner", "energy_pj": {"read": 1, "write": 1}},
      {"compute": "MAC", "energy_pj": {"compute": 1}}]})";
    const Result<Arch> arch = parse_arch(text);
    INFO(text << "\n" << arch.status().to_string());
    REQUIRE(arch.ok());
    return *arch;
  }

  std::string problem_text() {
    const auto times = [&] {
      const int factor = std::max(1, any(-2, 3));
      return factor == 1 ? std::string() : std::to_string(factor) + "*";
    };
    std::string text =
        R"({"einsum": "O[k,p] += I[c,)" + times() + "p+" + times() + R"(r] * W[k,c,r]", "dims": {)";
    for (const char* dim : {"k", "p", "c", "r"}) {
      text += (text.back() == '{' ? "\"" : ", \"") + std::string(dim) +
              "\": " + std::to_string(any(1, 14));
    }
    return text + "}}";
  }

  // Innermost first, with the tile inside them and no lane that never has anything to do.
  void choose_lanes(const Problem& problem, const Arch& arch) {
    const std::size_t dims = problem.dims.size();
    for (;;) {
      lanes_.clear();
      std::vector<std::uint32_t> room;
      for (const Fanout& fanout : arch.fanouts) {
        for (const auto& axis : fanout.axes) room.push_back(static_cast<std::uint32_t>(axis.size));
      }
      for (std::size_t axis = room.size(); axis-- > 0;) {
        std::vector<std::size_t> order(dims);
        for (std::size_t d = 0; d < dims; ++d) order[d] = d;
        std::shuffle(order.begin(), order.end(), random_);
        for (const std::size_t d : order) {
          const auto bound = static_cast<std::uint32_t>(any(1, static_cast<int>(room[axis])));
          if (bound == 1 || any(0, 1) == 0) continue;
          lanes_.push_back(
              MappingNode::spatial(static_cast<DimId>(d), bound, static_cast<AxisId>(axis)));
          room[axis] /= bound;
        }
      }
      tile_.fill(1);
      for (std::size_t d = 0; d < dims; ++d) {
        tile_[d] = static_cast<std::uint32_t>(any(1, any(1, 5)));
        inner_[d] = any(0, 3) == 0 ? 2 : 1;  // a loop between the lanes and the tile
      }
      bool fits = true;
      for (std::size_t d = 0; d < dims; ++d) {
        std::int64_t reach = tile_[d] * inner_[d];
        fits = fits && (tile_[d] < problem.dims[d].extent || tile_[d] == 1) &&
               (inner_[d] == 1 || tile_[d] < problem.dims[d].extent);
        std::int64_t outermost = 1;
        for (const MappingNode& lane : lanes_) {
          if (lane.id != d) continue;
          reach *= lane.bound;
          outermost = lane.bound;
        }
        fits = fits &&
               (outermost == 1 || reach / outermost * (outermost - 1) < problem.dims[d].extent);
      }
      if (fits) return;
    }
  }

  // Of the loop with so many lanes inside, over all indices of its dimension.
  double mean_lane(const Problem& problem, std::size_t d, std::int64_t inside) const {
    std::int64_t tile = static_cast<std::int64_t>(tile_[d]) * inner_[d] * inside, reached = 1;
    std::int64_t bound = 0;
    for (const MappingNode& lane : lanes_) {
      if (lane.id != d) continue;
      if (reached == inside) bound = lane.bound;
      reached *= lane.bound;
    }
    REQUIRE(bound > 1);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < problem.dims[d].extent; ++i) sum += i / tile % bound;
    return static_cast<double>(sum) / static_cast<double>(problem.dims[d].extent);
  }

  // rows(boundary): that its words reach in the outer fan-out.
  template <class Rows>
  int compare(const Problem& problem, BoundaryCounter& counter, const BoundaryPrices& prices,
              std::size_t t, const Rows& rows) {
    const bool output = problem.tensors[t].is_output;
    if (output && (counter.complex(t) != 0 || !prices.reduces(t, 1))) return 0;
    // Loops over relevant dimensions that do not slide end a run before the lanes.
    const DimMask relevant = counter.relevant(t);
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      if (inner_[d] > 1 && (relevant >> d & 1u) != 0) return 0;
    }
    std::vector<MappingNode> path;
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      if (inner_[d] > 1) path.push_back(MappingNode::loop(static_cast<DimId>(d), inner_[d]));
    }
    path.insert(path.end(), lanes_.begin(), lanes_.end());
    BoundaryLoops boundary;
    boundary.tensor = static_cast<std::uint8_t>(t);
    boundary.child = 1;
    for (std::size_t d = 0; d < problem.dims.size(); ++d) boundary.tile[d] = tile_[d];
    boundary.loops = path;
    boundary.parent_at = path.size();
    boundary.ragged = true;
    const BoundaryFlow& flow = counter.flow(boundary);
    if (!flow.known) return 0;
    const double links_pj = prices.links_pj(t, 1, flow);
    const BoundaryPrices::Links least = prices.least_links(
        t, 1, [&](std::size_t d, std::int64_t inside) { return mean_lane(problem, d, inside); });
    const double again = flow.most.demand - static_cast<double>(counter.all_words(t));
    const double of_words = least.demand_pj * flow.most.demand +
                            least.arrival_pj * flow.most.arrivals + least.return_pj * again;
    const double bound = of_words + (least.row_pj > 0 ? least.row_pj * rows(boundary) : 0);
    const double by_columns = of_words + least.row_pj / least.columns * flow.most.arrivals;
    const double most = links_pj * (1 + 1e-9) + 1e-9;
    if (std::max(bound, by_columns) > most ||
        prices.least_links_pj(t, 1) * flow.most.demand > most) {
      wrong_ = "tensor " + problem.tensors[t].name + " of " + describe(problem);
    }
    return 1;
  }

  std::string describe(const Problem& problem) const {
    std::string text;
    for (const MappingNode& lane : lanes_) {
      text += problem.dims[lane.id].name + std::to_string(lane.bound) + "@" +
              std::to_string(static_cast<int>(lane.axis)) + " ";
    }
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      text += problem.dims[d].name + "=" + std::to_string(problem.dims[d].extent) + " tile " +
              std::to_string(tile_[d]) + " x " + std::to_string(inner_[d]) + "; ";
    }
    return text;
  }

  std::mt19937_64 random_;
  std::string wrong_;
  std::vector<MappingNode> lanes_;
  std::array<std::uint32_t, kMaxDims> tile_{}, inner_{};
};

}  // namespace

TEST_CASE("bounds: the least of links is no more than the links of random boundaries") {
  const reference::Seeds seeds = reference::asked_seeds(400);
  std::uint64_t compared = 0;
  int failures = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    Boundaries boundaries(seed);
    compared += static_cast<std::uint64_t>(boundaries.check());
    if (boundaries.wrong().empty()) continue;
    std::cout << "LOOPSCAPE_SEED=" << seed << " LOOPSCAPE_WORLDS=1: " << boundaries.wrong()
              << std::endl;
    ++failures;
    if (seeds.stops) break;
  }
  CHECK(failures == 0);
  if (seeds.count >= 400) CHECK(compared > 20 * seeds.count);
}

}  // namespace loopscape
