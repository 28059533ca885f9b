// Hops on seeded random small worlds: the closed forms against the walk, for every class.

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

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
  bool crossed = false;  // two sliding ranks of A with one lane loop each, on axes of their own
};

class Maker {
 public:
  // `previous_tile`: always under that convention, where sliding, cut, clipped and boxed tiles
  // overlap those before them.
  explicit Maker(std::uint32_t seed, bool previous_tile = false)
      : random_(seed), previous_tile_(previous_tile) {}

  World world() {
    if (previous_tile_ && coin(3)) return two_sliding_ranks();
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
        for (std::size_t r = 0; r < 2; ++r) {
          if (coin(4)) a.ranks[r].valid_begin = 1;
          if (coin(4)) a.ranks[r].valid_end = p.dims[r].extent + 1;
        }
        break;
      default:  // transposed
        p.dims = {{"k", 3}, {"p", extent()}, {"r", 3}, {"c", 1 + extent() / 2}};
        output.ranks = {rank({{0, 1}}), rank({{1, stride}, {2, 1}})};
        a.ranks = {rank({{3, 1}}), rank({{1, coin(3) ? 2 : 1}})};
        b.ranks = {rank({{0, 1}}), rank({{3, 1}}), rank({{2, 1}})};
        break;
    }
    p.tensors = {output, a, b};
    mark_dimensions(p);
    return p;
  }

  static void mark_dimensions(Problem& p) {
    for (Tensor& t : p.tensors) {
      for (const Rank& r : t.ranks) {
        for (const Term& term : r.terms) {
          t.relevant = static_cast<DimMask>(t.relevant | bit(term.dim));
          if (r.terms.size() > 1) t.sliding = static_cast<DimMask>(t.sliding | bit(term.dim));
        }
      }
    }
  }

  // Lanes in both ranks of the input, and loops around them that go back together: which lanes
  // lack a word that others had is then no product.
  World two_sliding_ranks() {
    World w;
    w.problem.dims = {{"p", 1}, {"r", 1}, {"q", 1}, {"s", 1}, {"k", 1}};
    Tensor output, a, b;
    output.name = "O", a.name = "A", b.name = "B";
    output.role = Role::kOutput, b.role = Role::kWeight;
    output.is_output = true;
    output.ranks = {rank({{0, 1}}), rank({{2, 1}}), rank({{4, 1}})};
    a.ranks = {rank({{0, 1}, {1, coin(4) ? 2 : 1}}), rank({{2, 1}, {3, 1}})};
    b.ranks = {rank({{1, 1}}), rank({{3, 1}}), rank({{4, 1}})};
    w.problem.tensors = {output, a, b};
    mark_dimensions(w.problem);
    w.arch = arch();
    w.conventions = conventions();
    std::vector<MappingNode> outermost, around, outer, inner, inside;
    const auto put = [&](std::vector<MappingNode>& nodes, MappingNode node) {
      w.problem.dims[node.id].extent *= node.bound;
      nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(below(nodes.size() + 1)), node);
    };
    std::array<AxisId, 2> axis_of{};
    for (int r = 0; r < 2; ++r) {
      const auto moving = static_cast<DimId>(2 * r), still = static_cast<DimId>(2 * r + 1);
      const bool both = coin();  // tiles two long in both dimensions, or three in one
      const bool apart = r == 1 && w.arch.fanouts.size() == 2 && coin();
      const auto f = static_cast<FanoutId>(apart);
      const std::size_t axes = w.arch.fanouts[index(f)].axes.size();
      const auto axis = static_cast<AxisId>(index(w.arch.first_axis(f)) + below(axes));
      axis_of[static_cast<std::size_t>(r)] = axis;
      put(around, MappingNode::loop(moving, 2));
      put(apart ? inner : outer, MappingNode::spatial(both ? still : moving, 2, axis));
      put(inside, MappingNode::loop(still, both ? 2 : 3));
      if (both) put(inside, MappingNode::loop(moving, 2));
    }
    if (coin(3)) {
      put(around, MappingNode::loop(DimId{4}, 2));
    } else {
      put(outermost, MappingNode::loop(DimId{4}, 2));
    }
    w.crossed = inner.empty() && axis_of[0] != axis_of[1];
    for (Dim& dim : w.problem.dims) dim.extent -= dim.extent > 3 && coin(3);
    w.mapping.push_back(MappingNode::store(MemoryId{0}, 7));
    const auto append = [&](const std::vector<MappingNode>& nodes) {
      for (const MappingNode& node : nodes) w.mapping.push_back(node);
    };
    append(outermost);
    append(around);
    append(outer);
    append(inner);
    w.mapping.push_back(
        MappingNode::store(static_cast<MemoryId>(w.arch.fanouts.size()), coin(3) ? 2 : 7));
    append(inside);
    return w;
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
    if (previous_tile_ || coin(6)) c.reuse = Conventions::Reuse::kPreviousTile;
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
  bool previous_tile_;
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

struct Cases {
  std::size_t compared = 0, refused = 0;
};
struct Score {
  std::size_t compared = 0, refused = 0, worlds = 0, split = 0;
  std::int64_t beyond_products = 0;  // words of A in crossed worlds to sets that are none
  // Where previous_tile is a rule of its own: by what is special about the case.
  std::map<std::string, Cases> kept;
};

// What makes previous_tile differ from march for the tensor in the fan-out; empty: nothing does.
std::vector<std::string> specialities(const World& w, const CountingContext& context,
                                      const Nest& nest, std::size_t t, NetworkClass network) {
  const TensorShape& shape = context.tensor[t];
  std::vector<std::string> what;
  if (w.conventions.reuse != Conventions::Reuse::kPreviousTile) return what;
  if (shape.sliding != 0) what.push_back("sliding");
  if (shape.sliding != 0 && (nest.split & shape.sliding) != 0) what.push_back("sliding lanes");
  if ((nest.ragged & shape.relevant) != 0) what.push_back("ragged");
  if (shape.clipped) what.push_back("clipped");
  const bool box = w.conventions.footprint == Conventions::Footprint::kBox;
  if (box && shape.complex_ranks != 0) what.push_back("box");
  const bool equal = w.conventions.sharing == Conventions::Sharing::kEqualDelta;
  const bool every = w.conventions.refill == Conventions::Refill::kEveryChild;
  for (std::string& text : what) {
    text += !shape.is_output ? equal ? ", input, equal" : ", input, any"
            : every          ? ", output, every"
                             : ", output, one";
    text += ", class " + std::to_string(static_cast<int>(network));
  }
  return what;
}

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
      for (const NetworkClass c :
           {NetworkClass::kFree, NetworkClass::kBus, NetworkClass::kMulticastBus,
            NetworkClass::kCrossbar, NetworkClass::kChain}) {
        INFO("class " << static_cast<int>(c));
        CHECK(bus_hops(c, trunk, row, network, flag) == hops[f][static_cast<std::size_t>(c)]);
      }
      CHECK_FALSE(flag.raised());
    }
  }
}

void compare(std::uint32_t seed, bool previous_tile, Score& score) {
  const World w = Maker(seed, previous_tile).world();
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
    if (w.crossed && t == 1) score.beyond_products += walk.beyond_products();
    for (std::size_t f = 0; f < w.arch.fanouts.size(); ++f) {
      const NetworkTally& network = tally.network[f][t];
      if (!network.used) continue;
      for (int c = 0; c < walked::kClasses; ++c) {
        const auto network_class = static_cast<NetworkClass>(c);
        OverflowFlag flag;
        std::int64_t found = -1;
        const auto what = specialities(w, *context, nest, t, network_class);
        if (!count_hops(*context, nest, static_cast<int>(f), static_cast<int>(t), network_class,
                        network, *workspace, flag, found)) {
          ++score.refused;
          for (const std::string& text : what) ++score.kept[text].refused;
          continue;
        }
        ++score.compared;
        for (const std::string& text : what) ++score.kept[text].compared;
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

Score compare_all(std::uint32_t first, std::uint32_t count, bool previous_tile) {
  Score score;
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    compare(seed, previous_tile, score);
  }
  INFO(score.worlds << " worlds, " << score.compared << " compared, " << score.refused
                    << " refused");
  CHECK(score.worlds > count / 3);
  CHECK(score.refused * 10 < score.compared);
  CHECK(score.split > count / 50);
  return score;
}

// Every class meets every kind of tile that may overlap the one before, for inputs and outputs,
// under both sharings and both refills.
void compare_previous_tile(std::uint32_t first, std::uint32_t count) {
  const Score score = compare_all(first, count, true);
  CHECK(score.beyond_products > count / 50);
  const std::map<std::string, std::vector<std::string>> met = {
      {"input, any", {"sliding", "sliding lanes", "ragged", "clipped", "box"}},
      {"input, equal", {"sliding", "sliding lanes", "ragged", "clipped", "box"}},
      {"output, one", {"sliding", "sliding lanes", "ragged"}},
      {"output, every", {"sliding", "ragged"}}};  // sliding lanes: refused by count()
  for (const auto& [passage, whats] : met) {
    for (const std::string& what : whats) {
      for (int c = 1; c < walked::kClasses; ++c) {
        const std::string key = what + ", " + passage + ", class " + std::to_string(c);
        INFO(key);
        REQUIRE(score.kept.count(key) == 1);
        const Cases& cases = score.kept.at(key);
        INFO(cases.compared << " compared, " << cases.refused << " refused");
        CHECK(cases.compared > count / 200);
      }
    }
  }
}

}  // namespace

TEST_CASE("hops equal those of a walk over every step, lane and word", "[interconnect]") {
  compare_all(1, 1000, false);
}

TEST_CASE("hops equal those of a walk, many worlds", "[interconnect][.long]") {
  compare_all(100000, 30000, false);
}

TEST_CASE("hops under previous_tile equal those of a walk", "[interconnect]") {
  compare_previous_tile(1, 2000);
}

TEST_CASE("hops under previous_tile equal those of a walk, many worlds", "[interconnect][.long]") {
  compare_previous_tile(100000, 30000);
}

// O[k] over k = 0 to 2, below lanes over c: the words of k's last, cut tile come back differently
// often. How many do is known, which do is not.
TEST_CASE("refills that come back unevenly are known in number only", "[interconnect]") {
  World w;
  w.problem.dims = {{"k", 3}, {"c", 8}};
  Tensor output, a;
  output.name = "O", a.name = "A";
  output.is_output = true;
  output.role = Role::kOutput;
  output.ranks = {{{{DimId{0}}}, {}, {}}};
  a.ranks = {{{{DimId{1}}}, {}, {}}};
  output.relevant = bit(DimId{0}), a.relevant = bit(DimId{1});
  w.problem.tensors = {output, a};
  w.arch.memories.resize(3);
  for (std::uint8_t f = 0; f < 2; ++f) {
    w.arch.nodes.push_back({NodeKind::kMemory, f});
    w.arch.nodes.push_back({NodeKind::kFanout, f});
    Fanout fanout;
    fanout.axes = {{"x", 2, {}}};
    fanout.networks.resize(1);
    w.arch.fanouts.push_back(fanout);
  }
  w.arch.nodes.push_back({NodeKind::kMemory, 2});
  w.arch.nodes.push_back({NodeKind::kCompute, 0});
  w.conventions.reuse = Conventions::Reuse::kPreviousTile;
  for (const MappingNode& node :
       {MappingNode::store(MemoryId{0}, 3), MappingNode::loop(DimId{1}, 2),
        MappingNode::loop(DimId{0}, 2), MappingNode::spatial(DimId{1}, 2, AxisId{0}),
        MappingNode::store(MemoryId{1}, 1), MappingNode::spatial(DimId{1}, 2, AxisId{1}),
        MappingNode::store(MemoryId{2}, 3), MappingNode::loop(DimId{0}, 2)}) {
    w.mapping.push_back(node);
  }
  const Result<CountingContext> context = make_counting_context(w.problem, w.arch, w.conventions);
  REQUIRE(context.ok());
  Nest nest;
  REQUIRE(build_nest(*context, w.mapping, nest) == Legality::kLegal);
  const WorkspacePtr workspace = make_workspace();
  Tally tally;
  count(*context, nest, *workspace, tally);
  REQUIRE(tally.status == StatusCode::kOk);
  const NetworkTally& network = tally.network[1][0];
  CHECK(network.words_in > 0);
  walked::Walk walk(w.problem, w.arch, w.conventions, w.mapping, 0);
  const walked::Hops hops = walk.run().at(1);
  OverflowFlag flag;
  std::int64_t found = 0;
  for (const NetworkClass c : {NetworkClass::kBus, NetworkClass::kCrossbar}) {
    REQUIRE(count_hops(*context, nest, 1, 0, c, network, *workspace, flag, found));
    CHECK(found == hops[static_cast<std::size_t>(c)]);
  }
  CHECK_FALSE(
      count_hops(*context, nest, 1, 0, NetworkClass::kMesh, network, *workspace, flag, found));
}

}  // namespace loopscape
