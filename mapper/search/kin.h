// Kin: choices of spatial loops that differ only in the order of the loops on an axis. It decides
// which cell a word goes to, so what links cost, but not how many words cross a boundary, nor which
// tiles fit. So one climb that pays the least of all of them tells what none can beat, where there
// would be one for each order. For this folder only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "mapper/search/choices.h"
#include "model/bounds/bounds.h"

namespace loopscape {

inline constexpr std::size_t kMostKin = 64;

// Are the orders of the slot's loops kin? Not where rules tell them apart, nor where they would,
// with those of slots further out, be too many to be climbed together.
bool orders_are_kin(const Placement& placement, const SpatialLoops& loops, std::size_t slot);

// All kin of a choice where these loops stand in the order of their dimensions, itself first.
std::vector<SpatialLoops> kin_of(const Placement& placement, const SpatialLoops& first);

// What flows over a boundary: words and links, each the least of all kin; and what the links of
// each of them cost beyond that.
struct KinFlow {
  BoundaryFlow least;
  std::vector<double> more_pj;  // [kin]
  bool same_words = true;       // of all kin
  // Links whose sums do not tell all, of each of the kin.
  std::vector<double> inexact;
};

// For one thread.
class KinFlows {
 public:
  KinFlows(BoundaryCounter& counter, const BoundaryPrices& prices, const Placement& placement,
           std::span<const SpatialLoops> kin);
  // Of the tensor's boundary k; `boundary` has the loops of the first kin. The answer stays until
  // it is asked again.
  const KinFlow& flow(std::size_t k, const BoundaryLoops& boundary);

 private:
  using AxisLoops = std::vector<MappingNode>;  // innermost first
  // For each of the kin the first that is like it on these axes.
  const std::vector<std::size_t>& alike(std::uint64_t axes);
  void set_path(std::size_t kin, std::span<const MappingNode> loops);
  KinFlow count(std::size_t k, const BoundaryLoops& boundary);
  static void lower(const BoundaryFlow& other, BoundaryFlow& flow);
  static void put_inexact(const BoundaryFlow& its, KinFlow& flow);

  BoundaryCounter& counter_;
  const BoundaryPrices& prices_;
  std::vector<std::map<std::uint8_t, AxisLoops>> loops_;  // [kin]: by axis
  std::map<std::uint64_t, std::vector<std::size_t>> alike_;
  std::unordered_map<std::string, KinFlow> known_;
  std::vector<MappingNode> path_;
};

}  // namespace loopscape
