#include "tests/reference/families.h"

#include <array>
#include <cassert>
#include <map>
#include <utility>

namespace loopscape::reference {
namespace {

using ExtentMap = std::map<std::string, std::int64_t>;

// The output is tensor 0, then the inputs in the order of the einsum.
constexpr TensorMask kO = 1, kA = 2, kB = 4, kAll = 7;

Problem problem_of(const std::string& einsum, const ExtentMap& extents) {
  Result<Problem> problem = parse_einsum(einsum, extents);
  assert(problem.ok());
  return *std::move(problem);
}

const char* const kConv = "O[p] += I[p+r] * W[r]";
const char* const kConv2 = "O[p] += I[2*p+r] * W[r]";
const char* const kGemm = "O[m,n] += A[m,k] * B[k,n]";

// DRAM, a buffer, lanes, scratchpads: with odd widths, bandwidths and latencies everywhere.
Arch buffered(std::vector<std::uint32_t> lanes) {
  ArchBuilder arch;
  Memory& dram = arch.memory("DRAM");
  dram.bandwidth_bits = 19.2;
  dram.width_bits = 64;
  Memory& buffer = arch.memory("Buf");
  buffer.width_bits = 40;
  buffer.read_bits = 12;
  buffer.write_bits = 7.5;
  buffer.latency_cycles = 2;
  Fanout& fanout = arch.fanout("PEs", std::move(lanes));
  fanout.networks[0].bandwidth_bits = 24;
  fanout.networks[0].latency_cycles = 1.5;
  Memory& pad = arch.memory("Spad");
  pad.width_bits = 24;
  pad.bandwidth_bits = 16;
  pad.power_gated = true;
  return arch.done();
}

Arch two_fanouts(bool rows_share, bool cols_share) {
  ArchBuilder arch;
  arch.memory("DRAM");
  const auto add = [&](const char* name, std::uint32_t size, bool shares) {
    Network& network = arch.fanout(name, {size}).networks[0];
    network.bandwidth_bits = 8;
    if (!shares) network.multicast = network.reduce = {};
  };
  add("Rows", 2, rows_share);
  add("Cols", 3, cols_share);
  arch.memory("Spad").width_bits = 48;
  return arch.done();
}

// Results collected twice; no bandwidths, so that totals do (counting.md B9).
Arch two_stages() {
  ArchBuilder arch;
  arch.memory("DRAM");
  arch.fanout("Clusters", {2});
  arch.memory("Buf");
  arch.fanout("PEs", {2});
  arch.memory("Spad");
  return arch.done();
}

Arch three_memories() {
  ArchBuilder arch;
  arch.memory("DRAM");
  arch.memory("L2").buffering = Buffering::kDouble;
  arch.memory("L1").buffering = Buffering::kBuffet;
  arch.arch.memories[0].read_bits = 11;
  arch.arch.memories[0].write_bits = 9;
  arch.arch.memories[1].bandwidth_bits = 17;
  arch.arch.memories[1].size_bits = 2 * 16 * 9;
  arch.arch.memories[2].size_bits = 16 * 7;
  arch.arch.memories[2].read_bits = 21;
  arch.arch.memories[2].width_bits = 32;
  return arch.done();
}

Arch lanes_over_compute(std::vector<std::uint32_t> sizes) {
  ArchBuilder arch;
  arch.memory("DRAM").read_bits = 30;
  arch.memory("Buf").width_bits = 64;
  arch.arch.memories[1].bandwidth_bits = 50;
  arch.arch.memories[1].buffering = Buffering::kSingle;
  arch.fanout("PEs", std::move(sizes));
  Arch done = arch.done();
  done.compute.interval_cycles = 2;
  done.compute.latency_cycles = 3.25;
  return done;
}

// A bus for the weights that shares nothing, a systolic network for the rest.
Arch systolic() {
  ArchBuilder arch;
  arch.memory("DRAM").bandwidth_bits = 64;
  Fanout& array = arch.fanout("Array", {2, 3});
  array.networks[0].network_class = NetworkClass::kSystolic;
  array.networks[0].preload_axis = "x";
  array.networks[0].multicast = {"input"};
  Network weights;
  weights.network_class = NetworkClass::kBus;
  weights.tensors = {"weight"};
  weights.preload = true;
  array.networks.push_back(weights);
  arch.memory("Spad").buffering = Buffering::kSingle;
  arch.arch.memories[1].write_bits = 10;
  return arch.done();
}

Arch forwarding() {
  Arch arch = buffered({3});
  arch.fanouts[0].networks[0].forward = {"I"};
  return arch;
}

struct Draft {
  const char* name;
  const char* einsum;
  std::array<ExtentMap, 3> extents;  // by size
  Arch arch;
  NestBounds bounds;
  std::size_t more_loops = 1;  // temporal loops that each larger size adds
};

using Stored = std::vector<std::vector<TensorMask>>;

// Extents of p and r, or of m, n and k, by size of the suite.
std::array<ExtentMap, 3> conv(std::array<std::array<std::int64_t, 2>, 3> sizes) {
  std::array<ExtentMap, 3> extents;
  for (std::size_t i = 0; i < 3; ++i) extents[i] = {{"p", sizes[i][0]}, {"r", sizes[i][1]}};
  return extents;
}
std::array<ExtentMap, 3> gemm(std::array<std::array<std::int64_t, 3>, 3> sizes) {
  std::array<ExtentMap, 3> extents;
  for (std::size_t i = 0; i < 3; ++i) {
    extents[i] = {{"m", sizes[i][0]}, {"n", sizes[i][1]}, {"k", sizes[i][2]}};
  }
  return extents;
}

std::vector<Draft> sliding_drafts() {
  const Stored pads{{kAll}, {kAll, kA | kO, 0}, {kAll, kA, 0}};
  const auto square = [](std::int64_t p) {
    return ExtentMap{{"p", p}, {"q", 2}, {"r", 2}, {"s", 2}};
  };
  return {
      {"sliding, ragged", kConv, conv({{{5, 2}, {5, 3}, {6, 3}}}), buffered({2}), {3, 1, pads}},
      {"stride 2", kConv2, conv({{{3, 3}, {4, 3}, {5, 3}}}), buffered({3}), {3, 1, pads}},
      {"forwarding",
       kConv,
       conv({{{5, 3}, {6, 3}, {7, 3}}}),
       forwarding(),
       {3, 1, {{kAll}, {0, kAll}, {0, kA}}}},
      {"march across lanes",
       kConv,
       conv({{{5, 4}, {6, 4}, {7, 5}}}),
       buffered({2}),
       {3, 1, {{kAll}, {0}, {kA}}}},
      {"two sliding ranks",
       "O[p,q] += I[p+r,q+s] * W[r,s]",
       {square(2), square(3), square(3)},
       buffered({2}),
       {3, 1, {{kAll}, {kA}, {kA, 0}}}},
      {"transposed",
       "O[p+r] += I[p] * W[r]",
       conv({{{3, 3}, {4, 3}, {5, 4}}}),
       buffered({2}),
       {3, 1, {{kAll}, {kO, 0}, {kO, kAll}}}},
      {"transposed, stride 2",
       "O[2*p+r] += I[p] * W[r]",
       conv({{{3, 3}, {4, 3}, {5, 4}}}),
       two_fanouts(true, true),
       {3, 2, {{kAll}, {kO, kAll}}}},
  };
}

std::vector<Draft> space_drafts() {
  const auto lanes = conv({{{4, 3}, {5, 3}, {6, 3}}});
  const auto small = gemm({{{2, 2, 3}, {2, 2, 4}, {3, 2, 4}}});
  const NestBounds bounds{2, 3, {{kAll}, {kAll, kA, kO, 0}}, false, true};
  return {
      {"rows and columns share", kConv, lanes, two_fanouts(true, true), bounds},
      {"rows share", kConv, lanes, two_fanouts(true, false), bounds},
      {"columns share", kConv, lanes, two_fanouts(false, true), bounds},
      {"nobody shares", kConv, lanes, two_fanouts(false, false), bounds},
      {"reduction over lanes",
       kGemm,
       small,
       two_fanouts(true, false),
       {3, 2, {{kAll}, {kO, kAll, 0}}}},
      {"partial sums in two stages",
       "O[k] += A[c] * B[k,c]",
       {ExtentMap{{"k", 3}, {"c", 4}}, {{"k", 3}, {"c", 4}}, {{"k", 5}, {"c", 4}}},
       two_stages(),
       {2, 2, {{kAll}, {kO, 0}, {kAll, kO}}}},
      {"lanes over compute",
       kConv,
       lanes,
       lanes_over_compute({2, 2}),
       {3, 2, {{kAll}, {kAll, kA, 0}}}},
      {"systolic",
       kGemm,
       gemm({{{2, 2, 3}, {3, 2, 3}, {3, 3, 3}}}),
       systolic(),
       {3, 2, {{kAll}, {kAll, kB, 0}}}},
  };
}

std::vector<Draft> time_drafts() {
  return {
      {"three memories",
       kGemm,
       gemm({{{2, 2, 3}, {3, 2, 3}, {3, 2, 4}}}),
       three_memories(),
       {4, 0, {{kAll}, {kAll, kA | kO}, {kAll, kO, kB, 0}}}},
      {"uneven",
       kConv,
       conv({{{4, 2}, {5, 2}, {5, 3}}}),
       three_memories(),
       {4, 0, {{kAll}, {kAll}, {kAll, kA}}, true},
       0},
      {"uneven under lanes",
       kGemm,
       gemm({{{2, 2, 2}, {3, 2, 2}, {3, 3, 2}}}),
       buffered({2}),
       {3, 1, {{kAll}, {kAll}, {kAll}}, true},
       0},
  };
}

Family family_of(const Draft& draft, int size) {
  Problem problem = problem_of(draft.einsum, draft.extents.at(static_cast<std::size_t>(size)));
  Family family{draft.name, make_setting(std::move(problem), draft.arch), draft.bounds};
  family.bounds.temporal += draft.more_loops * static_cast<std::size_t>(size);
  return family;
}

// Widths of their own, and results narrower than partial sums.
void add_bits(Family& family) {
  std::vector<Tensor>& tensors = family.setting.problem.tensors;
  tensors[0].bits = 24;
  tensors[0].final_bits = 8;
  tensors[1].bits = 8;
}

}  // namespace

std::vector<Family> small_families(int size) {
  std::vector<Family> families;
  for (const auto& drafts : {sliding_drafts(), space_drafts(), time_drafts()}) {
    for (const Draft& draft : drafts) {
      families.push_back(family_of(draft, size));
      if (families.size() % 2 == 0) add_bits(families.back());
    }
  }
  // The first family again, with a border of padding that is generated, not moved.
  Family padded = families.front();
  padded.name = "padding";
  padded.setting.problem.padding_free = true;
  Rank& rank = padded.setting.problem.tensors[1].ranks[0];
  rank.valid_begin = 1;
  rank.valid_end = 5;
  families.push_back(std::move(padded));
  return families;
}

const std::vector<Conventions>& all_conventions() {
  using C = Conventions;
  static const std::vector<C> kConventions = {
      C::physical(),
      C::timeloop(),
      {C::Preset::kPhysical, true, C::Footprint::kDistinct, C::Sharing::kAnyWord,
       C::Refill::kOneChild, C::Reuse::kPreviousTile},
      {C::Preset::kPhysical, false, C::Footprint::kBox, C::Sharing::kAnyWord,
       C::Refill::kEveryChild, C::Reuse::kPreviousTile},
      {C::Preset::kTimeloop, true, C::Footprint::kDistinct, C::Sharing::kEqualDelta,
       C::Refill::kOneChild, C::Reuse::kMarch},
  };
  return kConventions;
}

std::vector<Conventions> every_convention() {
  using C = Conventions;
  std::vector<C> all;
  for (unsigned i = 0; i < 32; ++i) {
    all.push_back({C::Preset::kPhysical, (i & 1) != 0,
                   (i & 2) != 0 ? C::Footprint::kBox : C::Footprint::kDistinct,
                   (i & 4) != 0 ? C::Sharing::kEqualDelta : C::Sharing::kAnyWord,
                   (i & 8) != 0 ? C::Refill::kEveryChild : C::Refill::kOneChild,
                   (i & 16) != 0 ? C::Reuse::kPreviousTile : C::Reuse::kMarch});
  }
  return all;
}

}  // namespace loopscape::reference
