#include "mapper/search/kin.h"

#include <algorithm>
#include <array>

namespace loopscape {
namespace {

bool before(const Point::Loop& a, const Point::Loop& b) { return a.dim < b.dim; }

}  // namespace

bool orders_are_kin(const Placement& placement, const SpatialLoops& loops, std::size_t slot) {
  const auto any_order = [&](std::size_t s) {
    const auto covers = [s](const auto& rule) { return (rule.slots >> s & 1u) != 0; };
    return placement.slots[s].kind == Slot::Kind::kAxis && placement.slots[s].ordered &&
           std::none_of(placement.orders.begin(), placement.orders.end(), covers) &&
           std::none_of(placement.stationary.begin(), placement.stationary.end(), covers);
  };
  std::size_t kin = 1;
  for (std::size_t s = 0; s <= slot; ++s) {
    if (loops[s].size() < 2 || !any_order(s)) continue;
    std::size_t orders = kin;
    for (std::size_t n = 2; n <= loops[s].size() && orders <= kMostKin; ++n) orders *= n;
    if (orders > kMostKin) continue;
    if (s == slot) return true;
    kin = orders;
  }
  return false;
}

std::vector<SpatialLoops> kin_of(const Placement& placement, const SpatialLoops& first) {
  std::vector<SpatialLoops> kin{first};
  for (std::size_t slot = 0; slot < first.size(); ++slot) {
    if (!orders_are_kin(placement, first, slot)) continue;
    for (std::size_t i = 0, before_it = kin.size(); i < before_it; ++i) {
      SpatialLoops other = kin[i];
      while (std::next_permutation(other[slot].begin(), other[slot].end(), before)) {
        kin.push_back(other);
      }
    }
  }
  return kin;
}

KinFlows::KinFlows(BoundaryCounter& counter, const BoundaryPrices& prices,
                   const Placement& placement, std::span<const SpatialLoops> kin)
    : counter_(counter), prices_(prices) {
  for (const SpatialLoops& one : kin) {
    auto& by_axis = loops_.emplace_back();
    for (std::size_t slot = 0; slot < one.size(); ++slot) {
      const std::uint8_t axis = placement.slots[slot].axis;
      for (std::size_t i = one[slot].size(); i-- > 0;) {
        const Point::Loop& loop = one[slot][i];
        by_axis[axis].push_back(MappingNode::spatial(static_cast<DimId>(loop.dim), loop.bound,
                                                     static_cast<AxisId>(axis)));
      }
    }
  }
}

const std::vector<std::size_t>& KinFlows::alike(std::uint64_t axes) {
  const auto [at, is_new] = alike_.try_emplace(axes);
  std::vector<std::size_t>& first = at->second;
  if (!is_new) return first;
  const auto are_alike = [&](std::size_t a, std::size_t b) {
    return std::all_of(loops_[a].begin(), loops_[a].end(), [&](const auto& its) {
      return (axes >> its.first & 1u) == 0 || loops_[b].at(its.first) == its.second;
    });
  };
  for (std::size_t kin = 0; kin < loops_.size(); ++kin) {
    std::size_t other = 0;
    while (!are_alike(kin, other)) ++other;
    first.push_back(other);
  }
  return first;
}

// An axis's loops stand together, all or none of them.
void KinFlows::set_path(std::size_t kin, std::span<const MappingNode> loops) {
  path_.assign(loops.begin(), loops.end());
  std::size_t at = 0;
  for (std::size_t i = 0; i < path_.size(); ++i) {
    if (path_[i].kind != LoopKind::kSpatial) continue;
    const bool goes_on = i > 0 && path_[i - 1].kind == LoopKind::kSpatial &&
                         path_[i - 1].axis_id() == path_[i].axis_id();
    at = goes_on ? at + 1 : 0;
    path_[i] = loops_[kin].at(path_[i].axis)[at];
  }
}

void KinFlows::lower(const BoundaryFlow& other, BoundaryFlow& flow) {
  flow.known = flow.known && other.known;
  const auto least = [](double more, double& value) { value = std::min(value, more); };
  const auto most = [](double more, double& value) { value = std::max(value, more); };
  least(other.least.demand, flow.least.demand);
  least(other.least.arrivals, flow.least.arrivals);
  least(other.least.group, flow.least.group);
  most(other.most.demand, flow.most.demand);
  most(other.most.arrivals, flow.most.arrivals);
  most(other.most.group, flow.most.group);
  for (BoundaryFlow::Network& network : flow.networks) {
    const auto its = std::find_if(
        other.networks.begin(), other.networks.end(),
        [&](const BoundaryFlow::Network& one) { return one.fanout == network.fanout; });
    const BoundaryFlow::Network none;
    const BoundaryFlow::Network& links = its == other.networks.end() ? none : *its;
    least(links.least_pj, network.least_pj);
    least(links.least_bits, network.least_bits);
    least(links.most_pj, network.most_pj);  // of what is exact, they are what is paid
    least(links.most_bits, network.most_bits);
    network.exact = network.exact && links.exact;
  }
}

void KinFlows::put_inexact(const BoundaryFlow& its, KinFlow& flow) {
  for (const BoundaryFlow::Network& network : its.networks) {
    if (network.tells_all()) continue;
    flow.inexact.insert(flow.inexact.end(),
                        {static_cast<double>(network.fanout), network.least_pj, network.most_pj,
                         network.least_bits, network.most_bits});
  }
}

KinFlow KinFlows::count(std::size_t k, const BoundaryLoops& boundary) {
  const std::size_t t = boundary.tensor;
  std::uint64_t axes = 0;
  for (const MappingNode& loop : boundary.loops) {
    if (loop.kind == LoopKind::kSpatial) axes |= std::uint64_t{1} << loop.axis;
  }
  KinFlow flow{counter_.flow_anew(boundary), {}, true, {}};
  put_inexact(flow.least, flow);
  flow.more_pj.push_back(prices_.links_pj(t, k, flow.least));  // at first all that they pay
  BoundaryLoops another = boundary;
  const std::vector<std::size_t>& first = alike(axes);
  for (std::size_t kin = 1; kin < first.size(); ++kin) {
    if (first[kin] != kin) {
      flow.more_pj.push_back(flow.more_pj[first[kin]]);
      continue;
    }
    set_path(kin, boundary.loops);
    another.loops = path_;
    const BoundaryFlow its = counter_.flow_anew(another);
    flow.more_pj.push_back(prices_.links_pj(t, k, its));
    flow.same_words = flow.same_words && its.known && its.least == flow.least.least &&
                      its.most == flow.least.most;
    put_inexact(its, flow);
    lower(its, flow.least);
  }
  const double least_pj = prices_.links_pj(t, k, flow.least);
  for (double& pj : flow.more_pj) pj = std::max(0.0, pj - least_pj);
  return flow;
}

const KinFlow& KinFlows::flow(std::size_t k, const BoundaryLoops& boundary) {
  constexpr std::size_t kMostKnown = 1 << 16;  // some 40 MB
  std::string key = counter_.key_of(boundary);
  key.push_back(static_cast<char>(k));
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kMostKnown) known_.clear();
  return known_.emplace(std::move(key), count(k, boundary)).first->second;
}

}  // namespace loopscape
