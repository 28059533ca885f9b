// Hops on seeded random small worlds: the closed forms against the walk, for every class.

#include <random>

#include <catch2/catch.hpp>

#include "model/counting/counting.h"
#include "model/interconnect/interconnect.h"
#include "tests/unit/interconnect_walk.h"

namespace loopscape {
namespace {

struct World {
  Problem problem;
  Arch arch;
  Conventions conventions;
  Mapping mapping;
};

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  World world() {
    World w;
    w.problem = problem();
    w.arch = arch();
    w.conventions = conventions();
    w.mapping = mapping(w.problem, w.arch);
    return w;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  bool coin(std::size_t n = 2) { return below(n) == 0; }

  static Rank rank(std::vector<std::pair<int, int>> terms) {
    Rank r;
    for (const auto& [dim, coefficient] : terms) {
      r.terms.push_back({static_cast<DimId>(dim), coefficient});
    }
    return r;
  }

  Problem problem() {
    Problem p;
    const auto extent = [&] { return static_cast<std::int64_t>(2 + below(5)); };
    const int stride = 1 + static_cast<int>(below(2)), dilation = 1 + static_cast<int>(below(2));
    Tensor output, a, b;
    output.name = "O", a.name = "A", b.name = "B";
    output.role = Role::kOutput, b.role = Role::kWeight;
    output.is_output = true;
    switch (below(4)) {
      case 0:  // gemm
        p.dims = {{"m", extent()}, {"n", extent()}, {"k", extent()}};
        output.ranks = {rank({{0, 1}}), rank({{1, 1}})};
        a.ranks = {rank({{0, 1}}), rank({{2, 1}})};
        b.ranks = {rank({{2, 1}}), rank({{1, 1}})};
        break;
      case 1:  // conv, one dimension
        p.dims = {{"k", 1 + extent() / 2}, {"p", extent()}, {"c", 1 + extent() / 2}, {"r", 3}};
        output.ranks = {rank({{0, 1}}), rank({{1, 1}})};
        a.ranks = {rank({{2, 1}}), rank({{1, stride}, {3, dilation}})};
        b.ranks = {rank({{0, 1}}), rank({{2, 1}}), rank({{3, 1}})};
        if (coin(3)) {
          a.ranks[1].valid_begin = 1;
          a.ranks[1].valid_end = stride * (p.dims[1].extent - 1) + 2 * dilation;
        }
        break;
      case 2:  // conv, two dimensions
        p.dims = {{"p", extent()}, {"q", 2 + extent() / 2}, {"r", 2}, {"s", 3}};
        output.ranks = {rank({{0, 1}}), rank({{1, 1}})};
        a.ranks = {rank({{0, stride}, {2, 1}}), rank({{1, 1}, {3, dilation}})};
        b.ranks = {rank({{2, 1}}), rank({{3, 1}})};
        break;
      default:  // transposed
        p.dims = {{"k", 3}, {"p", extent()}, {"r", 3}, {"c", 1 + extent() / 2}};
        output.ranks = {rank({{0, 1}}), rank({{1, stride}, {2, 1}})};
        a.ranks = {rank({{3, 1}}), rank({{1, coin(3) ? 2 : 1}})};
        b.ranks = {rank({{0, 1}}), rank({{3, 1}}), rank({{2, 1}})};
        break;
    }
    p.tensors = {output, a, b};
    for (Tensor& t : p.tensors) {
      for (const Rank& r : t.ranks) {
        for (const Term& term : r.terms) {
          t.relevant = static_cast<DimMask>(t.relevant | bit(term.dim));
          if (r.terms.size() > 1) t.sliding = static_cast<DimMask>(t.sliding | bit(term.dim));
        }
      }
    }
    return p;
  }

  Arch arch() {
    Arch a;
    const std::size_t fanouts = 1 + below(2);
    a.memories.resize(1 + fanouts);
    for (std::size_t f = 0; f < fanouts; ++f) {
      a.nodes.push_back({NodeKind::kMemory, static_cast<std::uint8_t>(f)});
      a.nodes.push_back({NodeKind::kFanout, static_cast<std::uint8_t>(f)});
      Fanout fanout;
      fanout.name = "F" + std::to_string(f);
      const std::size_t axes = 1 + below(fanouts == 1 ? 3 : 2);
      for (std::size_t x = 0; x < axes; ++x) {
        const auto size = static_cast<std::uint32_t>(axes == 1 ? 3 + below(6) : 2 + below(4));
        fanout.axes.push_back({std::string(1, static_cast<char>('x' + x)), size, {}});
      }
      Network network;
      for (const char* name : {"A", "B"}) {
        if (!coin(3)) network.multicast.push_back(name);
        if (coin(4)) network.forward.push_back(name);
      }
      if (!coin(3)) network.reduce.push_back("O");
      fanout.networks = {network};
      a.fanouts.push_back(fanout);
    }
    a.nodes.push_back({NodeKind::kMemory, static_cast<std::uint8_t>(fanouts)});
    a.nodes.push_back({NodeKind::kCompute, 0});
    for (std::size_t m = 0; m < a.memories.size(); ++m)
      a.memories[m].name = "M" + std::to_string(m);
    return a;
  }

  Conventions conventions() {
    Conventions c = coin(3) ? Conventions::timeloop() : Conventions::physical();
    if (coin(4)) c.refill = Conventions::Refill::kEveryChild;
    if (coin(4)) c.sharing = Conventions::Sharing::kEqualDelta;
    if (coin(4)) c.footprint = Conventions::Footprint::kBox;
    if (coin(6)) c.reuse = Conventions::Reuse::kPreviousTile;
    return c;
  }

  // Between two memories: loops over any dimension, temporal or on an axis of the fan-out.
  Mapping mapping(const Problem& p, const Arch& a) {
    const std::size_t parts = a.memories.size();
    std::vector<std::vector<MappingNode>> part(parts);
    for (std::size_t d = 0; d < p.dims.size(); ++d) {
      std::vector<std::uint32_t> bounds;  // inside out
      std::int64_t reach = 1;
      while (reach < p.dims[d].extent) {
        std::int64_t left = (p.dims[d].extent + reach - 1) / reach;
        const std::int64_t bound =
            coin(3) ? left : std::min(left, 2 + static_cast<std::int64_t>(below(2)));
        bounds.push_back(static_cast<std::uint32_t>(bound));
        reach *= bound;
      }
      std::vector<std::size_t> places(bounds.size());
      for (std::size_t& place : places) place = below(parts);
      std::sort(places.rbegin(), places.rend());
      for (std::size_t i = 0; i < bounds.size(); ++i) {
        const auto dim = static_cast<DimId>(d);
        const std::size_t at = places[i];
        MappingNode node = MappingNode::loop(dim, bounds[i]);
        if (at < a.fanouts.size() && !coin(3)) {
          const auto f = static_cast<FanoutId>(at);
          const std::size_t axis = index(a.first_axis(f)) + below(a.fanouts[at].axes.size());
          node = MappingNode::spatial(dim, bounds[i], static_cast<AxisId>(axis));
        }
        insert(part[at], node);
      }
    }
    Mapping m;
    for (std::size_t k = 0; k < parts; ++k) {
      TensorMask stored = 0;
      for (unsigned t = 0; t < 3; ++t) {
        if (k == 0 || !coin(3)) stored = static_cast<TensorMask>(stored | (1u << t));
      }
      if (stored != 0) m.push_back(MappingNode::store(static_cast<MemoryId>(k), stored));
      for (const MappingNode& node : part[k]) m.push_back(node);
    }
    return m;
  }

  // Somewhere outside the loops over its dimension that are there already.
  void insert(std::vector<MappingNode>& nodes, MappingNode node) {
    std::size_t limit = 0;
    while (limit < nodes.size() && nodes[limit].id != node.id) ++limit;
    nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(below(limit + 1)), node);
  }

  std::mt19937 random_;
};

// Which tensors the fan-outs share and forward.
std::string network_text(const std::vector<Fanout>& fanouts) {
  std::string text;
  for (const Fanout& fanout : fanouts) {
    text += fanout.name;
    for (const auto* names :
         {&fanout.networks[0].multicast, &fanout.networks[0].reduce, &fanout.networks[0].forward}) {
      text += " |";
      for (const std::string& name : *names) text += " " + name;
    }
    text += "\n";
  }
  return text;
}

struct Score {
  std::size_t compared = 0, refused = 0, worlds = 0, split = 0;
};

// The same nest with every network a multicast bus: counted as trunks and rows where that may be.
void compare_split(World w, std::uint32_t seed, Score& score) {
  for (Fanout& fanout : w.arch.fanouts) {
    for (Network& network : fanout.networks) network.network_class = NetworkClass::kMulticastBus;
  }
  const Result<CountingContext> context = make_counting_context(w.problem, w.arch, w.conventions);
  REQUIRE(context.ok());
  Nest nest;
  REQUIRE(build_nest(*context, w.mapping, nest) == Legality::kLegal);
  const WorkspacePtr workspace = make_workspace();
  Tally tally;
  count(*context, nest, *workspace, tally);
  if (tally.status != StatusCode::kOk) return;
  for (std::size_t t = 0; t < 3; ++t) {
    walked::Walk walk(w.problem, w.arch, w.conventions, w.mapping, t);
    std::map<std::size_t, walked::Hops> hops = walk.run();
    for (std::size_t f = 0; f < w.arch.fanouts.size(); ++f) {
      const NetworkTally network = whole_network(*context, tally, f, t);
      if (!context->span[f].two() || !network.used) continue;
      ++score.split;
      OverflowFlag flag;
      const std::int64_t trunk = w.arch.fanouts[f].axes.back().size;
      const std::int64_t row = w.arch.fanouts[f].children() / trunk;
      INFO("seed " << seed << ", fan-out " << f << ", tensor " << t << "\n"
                   << conventions_to_text(w.conventions) << "\n"
                   << network_text(w.arch.fanouts)
                   << mapping_to_text(w.mapping, w.problem, w.arch));
      for (const NetworkClass c : {NetworkClass::kFree, NetworkClass::kBus,
                                   NetworkClass::kMulticastBus, NetworkClass::kCrossbar}) {
        INFO("class " << static_cast<int>(c));
        CHECK(bus_hops(c, trunk, row, network, flag) == hops[f][static_cast<std::size_t>(c)]);
      }
      CHECK_FALSE(flag.raised());
    }
  }
}

void compare(std::uint32_t seed, Score& score) {
  const World w = Maker(seed).world();
  const Result<CountingContext> context = make_counting_context(w.problem, w.arch, w.conventions);
  REQUIRE(context.ok());
  Nest nest;
  if (build_nest(*context, w.mapping, nest) != Legality::kLegal) return;
  const WorkspacePtr workspace = make_workspace();
  Tally tally;
  count(*context, nest, *workspace, tally);
  if (tally.status != StatusCode::kOk) return;
  ++score.worlds;
  compare_split(w, seed, score);
  for (std::size_t t = 0; t < 3; ++t) {
    walked::Walk walk(w.problem, w.arch, w.conventions, w.mapping, t);
    std::map<std::size_t, walked::Hops> hops = walk.run();
    for (std::size_t f = 0; f < w.arch.fanouts.size(); ++f) {
      const NetworkTally& network = tally.network[f][t];
      if (!network.used) continue;
      for (int c = 0; c < walked::kClasses; ++c) {
        const auto network_class = static_cast<NetworkClass>(c);
        OverflowFlag flag;
        std::int64_t found = -1;
        if (!count_hops(*context, nest, static_cast<int>(f), static_cast<int>(t), network_class,
                        network, *workspace, flag, found)) {
          ++score.refused;
          continue;
        }
        ++score.compared;
        INFO("seed " << seed << ", fan-out " << f << ", tensor " << t << ", class " << c << "\n"
                     << conventions_to_text(w.conventions) << "\n"
                     << network_text(w.arch.fanouts)
                     << mapping_to_text(w.mapping, w.problem, w.arch));
        CHECK_FALSE(flag.raised());
        CHECK(found == hops[f][static_cast<std::size_t>(c)]);
      }
    }
  }
}

void compare_all(std::uint32_t first, std::uint32_t count) {
  Score score;
  for (std::uint32_t seed = first; seed < first + count; ++seed) compare(seed, score);
  INFO(score.worlds << " worlds, " << score.compared << " compared, " << score.refused
                    << " refused");
  CHECK(score.worlds > count / 3);
  CHECK(score.refused * 10 < score.compared);
  CHECK(score.split > count / 50);
}

}  // namespace

TEST_CASE("hops equal those of a walk over every step, lane and word", "[interconnect]") {
  compare_all(1, 1000);
}

TEST_CASE("hops equal those of a walk, many worlds", "[interconnect][.long]") {
  compare_all(100000, 30000);
}

}  // namespace loopscape
