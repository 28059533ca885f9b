// One small problem and architecture, made by hand so that these tests need no reader:
//   O[k,p] += I[c,p+r] * W[k,c,r] on DRAM / Buffer / PEs(x:4,y:3) / three scratchpads / MAC
#pragma once

#include "model/mapping/mapping.h"

namespace loopscape {

inline Problem small_problem() {
  Problem problem;
  problem.name = "small";
  problem.dims = {{"k", 4}, {"c", 6}, {"p", 7}, {"r", 3}};
  const DimId k{0}, c{1}, p{2}, r{3};
  Tensor input, weight, output;
  input.name = "I";
  input.ranks = {{{{c}}, {}, {}}, {{{p}, {r}}, {}, {}}};
  input.relevant = bit(c) | bit(p) | bit(r);
  input.sliding = bit(p) | bit(r);
  weight.name = "W";
  weight.role = Role::kWeight;
  weight.ranks = {{{{k}}, {}, {}}, {{{c}}, {}, {}}, {{{r}}, {}, {}}};
  weight.relevant = bit(k) | bit(c) | bit(r);
  output.name = "O";
  output.role = Role::kOutput;
  output.is_output = true;
  output.ranks = {{{{k}}, {}, {}}, {{{p}}, {}, {}}};
  output.relevant = bit(k) | bit(p);
  problem.tensors = {output, input, weight};
  return problem;
}

inline Arch small_arch() {
  Arch arch;
  arch.name = "small";
  arch.nodes = {{NodeKind::kMemory, 0}, {NodeKind::kMemory, 1}, {NodeKind::kFanout, 0},
                {NodeKind::kMemory, 2}, {NodeKind::kMemory, 3}, {NodeKind::kMemory, 4},
                {NodeKind::kCompute, 0}};
  arch.memories.resize(5);
  const char* const names[] = {"DRAM", "Buffer", "InputSpad", "WeightSpad", "PsumSpad"};
  for (std::size_t m = 0; m < 5; ++m) arch.memories[m].name = names[m];
  arch.memories[1].keep = {"input"};
  arch.memories[1].bypass = {"weight"};
  arch.memories[2].keep = {"input"};
  arch.memories[2].bypass = {"weight", "output"};
  arch.memories[3].keep = {"W"};
  arch.memories[4].keep = {"output"};
  Fanout fanout;
  fanout.name = "PEs";
  fanout.axes = {{"x", 4, {"p", "k"}}, {"y", 3, {"r", "c"}}};
  arch.fanouts = {fanout};
  arch.compute.name = "MAC";
  return arch;
}

// A legal mapping of it: ragged in p (3 x 3 > 7), uneven at Buffer.
inline constexpr const char* kSmallMapping =
    "DRAM: I W O\n"
    "for k in 2\n"
    "  Buffer: I\n"
    "  for p in 3\n"
    "    Buffer: O\n"
    "    for c in 6\n"
    "      parallel k in 2 on PEs.x\n"
    "        parallel r in 3 on PEs.y\n"
    "          InputSpad: I\n"
    "          WeightSpad: W\n"
    "          PsumSpad: O\n"
    "          for p in 3\n";

}  // namespace loopscape
