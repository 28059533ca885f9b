#include "tests/reference/refusals.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include "tests/reference/nest.h"

namespace loopscape::reference {
namespace {

bool states_bandwidth(const Memory& memory) {
  return memory.read_bits || memory.write_bits || memory.bandwidth_bits;
}

class Judge {
 public:
  Judge(const Setting& setting, const Mapping& mapping)
      : setting_(setting),
        conventions_(setting.conventions),
        nest_(read_nest(setting.problem, setting.arch, mapping)) {
    for (std::size_t d = 0; d < setting.problem.dims.size(); ++d) {
      std::int64_t reach = 1;
      for (const Loop& loop : nest_.loops) {
        if (index(loop.dim) == d) reach *= loop.bound;
      }
      if (reach > setting.problem.dims[d].extent) ragged_ |= bit(static_cast<DimId>(d));
    }
  }

  // A fan-out splits a sliding dimension of the output, where more than totals is needed.
  bool sliding_output() const {
    const auto splits = [&](const Loop& loop) {
      return loop.spatial && (output().sliding & bit(loop.dim)) != 0;
    };
    if (conventions_.refill == Conventions::Refill::kEveryChild) {
      return std::any_of(nest_.loops.begin(), nest_.loops.end(), splits);
    }
    for (std::size_t k = 0; k < output_stores().size(); ++k) {
      if (more_than_totals(k) && any_above(output_stores()[k].place.at, splits)) return true;
    }
    return false;
  }

  // Ragged tiles come back unevenly often to instances whose parents share them out already.
  bool uneven_residences() const {
    if (conventions_.reuse != Conventions::Reuse::kPreviousTile ||
        conventions_.refill != Conventions::Refill::kOneChild ||
        (ragged_ & output().relevant) == 0) {
      return false;
    }
    for (std::size_t k = 1; k < output_stores().size(); ++k) {
      const bool parts = any_above(output_stores()[k - 1].place.at, [&](const Loop& loop) {
        return loop.spatial && (output().relevant & bit(loop.dim)) == 0;
      });
      if (parts && more_than_totals(k)) return true;
      if (loses_kept_words(k)) return true;
    }
    return false;
  }

  // The parent of the output's store k may lose, and start from zero again, what an idle child has.
  bool loses_kept_words(std::size_t k) const {
    const std::size_t parent = output_stores()[k - 1].place.at;
    const auto over = [](DimMask dims, const Loop& loop) { return (dims & bit(loop.dim)) != 0; };
    const auto repeating = static_cast<DimMask>(~output().relevant | output().sliding);
    const std::vector<Loop> lanes = lanes_of(index(setting_.problem.output()), k);
    return any_above(parent,
                     [&](const Loop& loop) { return loop.spatial && over(repeating, loop); }) &&
           std::any_of(lanes.begin(), lanes.end(), [&](const Loop& lane) {
             return over(ragged_ & output().relevant, lane) &&
                    any_above(parent, [&](const Loop& loop) {
                      return !loop.spatial && loop.dim == lane.dim &&
                             any_above(loop.at, [&](const Loop& outer) {
                               return !outer.spatial && outer.dim != lane.dim &&
                                      over(repeating, outer);
                             });
                    });
           });
  }

  bool copies() const {
    return any_boundary([&](std::size_t t, std::size_t k) {
      return different_copies(t, k) || differences_of_products(t, k);
    });
  }

  bool two_forwarders() const {
    return any_boundary([&](std::size_t t, std::size_t k) { return forwarders(t, k) > 1; });
  }

  // Whether a limit may be reached at all: everything is bounded from above.
  bool too_many_indices() const {
    return any_boundary([&](std::size_t t, std::size_t k) {
      const std::vector<Rank>& ranks = setting_.problem.tensors[t].ranks;
      return std::any_of(ranks.begin(), ranks.end(),
                         [&](const Rank& rank) { return too_large(rank, t, k); });
    });
  }

  bool hops() const {
    return any_boundary([&](std::size_t t, std::size_t k) {
      const std::vector<Loop> lanes = lanes_of(t, k);
      return std::any_of(lanes.begin(), lanes.end(), [&](const Loop& loop) {
        const Network* network = carrier(loop.fanout, t);
        return network != nullptr && network->network_class != NetworkClass::kFree &&
               network->energy_pj_per_bit_hop != 0;
      });
    });
  }

 private:
  const Tensor& output() const {
    return setting_.problem.tensors[index(setting_.problem.output())];
  }
  const std::vector<StorePlace>& output_stores() const {
    return nest_.stores[index(setting_.problem.output())];
  }

  template <class Wanted>
  bool any_above(std::size_t at, Wanted wanted) const {
    return std::any_of(nest_.loops.begin(), nest_.loops.end(),
                       [&](const Loop& loop) { return loop.at < at && wanted(loop); });
  }

  // Of every tensor and boundary (A3): child k, compute being the last.
  template <class Wanted>
  bool any_boundary(Wanted wanted) const {
    for (std::size_t t = 0; t < nest_.stores.size(); ++t) {
      for (std::size_t k = 1; k <= nest_.stores[t].size(); ++k) {
        if (wanted(t, k)) return true;
      }
    }
    return false;
  }

  bool to_compute(std::size_t t, std::size_t k) const { return k == nest_.stores[t].size(); }
  const Place& child(std::size_t t, std::size_t k) const {
    return to_compute(t, k) ? nest_.compute : nest_.stores[t][k].place;
  }
  std::vector<Loop> lanes_of(std::size_t t, std::size_t k) const {
    std::vector<Loop> lanes;
    for (const Loop& loop : nest_.loops) {
      const bool between = loop.at > nest_.stores[t][k - 1].place.at && loop.at < child(t, k).at;
      if (loop.spatial && between) lanes.push_back(loop);
    }
    return lanes;
  }

  const Network* carrier(std::size_t fanout, std::size_t t) const {
    const Network* rest = nullptr;
    for (const Network& network : setting_.arch.fanouts[fanout].networks) {
      if (names_tensor(network.tensors, setting_.problem.tensors[t])) return &network;
      if (network.tensors.empty() && rest == nullptr) rest = &network;
    }
    return rest;
  }
  bool shares(std::size_t fanout, std::size_t t) const {
    const Tensor& tensor = setting_.problem.tensors[t];
    const Network* network = carrier(fanout, t);
    return network != nullptr &&
           names_tensor(tensor.is_output ? network->reduce : network->multicast, tensor);
  }
  bool forwards(std::size_t fanout, std::size_t t) const {
    const Tensor& tensor = setting_.problem.tensors[t];
    const Network* network = carrier(fanout, t);
    return network != nullptr && !tensor.is_output && names_tensor(network->forward, tensor);
  }

  // Is there a fan-out that shares above one that does not, both with one of these lanes?
  bool shares_above_unshared(const std::vector<Loop>& lanes, std::size_t t) const {
    return std::any_of(lanes.begin(), lanes.end(), [&](const Loop& outer) {
      return shares(outer.fanout, t) &&
             std::any_of(lanes.begin(), lanes.end(), [&](const Loop& inner) {
               return inner.fanout > outer.fanout && !shares(inner.fanout, t);
             });
    });
  }

  bool different_copies(std::size_t t, std::size_t k) const {
    if (conventions_.sharing != Conventions::Sharing::kEqualDelta) return false;
    std::map<DimId, std::vector<Loop>> lanes;
    for (const Loop& loop : lanes_of(t, k)) {
      const DimMask dim = bit(loop.dim);
      if ((dim & ragged_) != 0 && (dim & setting_.problem.tensors[t].relevant) == 0) {
        lanes[loop.dim].push_back(loop);
      }
    }
    return std::any_of(lanes.begin(), lanes.end(),
                       [&](const auto& of_dim) { return shares_above_unshared(of_dim.second, t); });
  }

  bool differences_of_products(std::size_t t, std::size_t k) const {
    if (conventions_.reuse != Conventions::Reuse::kPreviousTile || to_compute(t, k)) return false;
    const Tensor& tensor = setting_.problem.tensors[t];
    const bool ragged = (ragged_ & tensor.relevant) != 0;
    if (!ragged && gaps_or_overlaps(tensor) == 0) return false;
    const std::vector<Loop> lanes = lanes_of(t, k);
    bool relevant = false, shared_sliding = false, shared_clipped = false;
    for (const Loop& loop : lanes) {
      relevant |= (tensor.relevant & bit(loop.dim)) != 0;
      shared_sliding |= (tensor.sliding & bit(loop.dim)) != 0 && shares(loop.fanout, t);
      shared_clipped |= clips(tensor, loop.dim) && shares(loop.fanout, t);
    }
    const bool equal = conventions_.sharing == Conventions::Sharing::kEqualDelta;
    return (relevant && shares_above_unshared(lanes, t)) || (equal && shared_sliding && ragged) ||
           (equal && shared_clipped && gaps_or_overlaps(tensor) > 1);
  }

  // How many ranks are sliding, clipped or boxed.
  std::ptrdiff_t gaps_or_overlaps(const Tensor& tensor) const {
    const bool box = conventions_.footprint == Conventions::Footprint::kBox && !tensor.is_output;
    return std::count_if(tensor.ranks.begin(), tensor.ranks.end(), [&](const Rank& rank) {
      return rank.terms.size() > 1 || rank.valid_begin || rank.valid_end ||
             (box && rank.terms[0].coefficient > 1);
    });
  }

  static bool clips(const Tensor& tensor, DimId dim) {
    return std::any_of(tensor.ranks.begin(), tensor.ranks.end(), [&](const Rank& rank) {
      return over(rank, dim) && rank.terms.size() > 1 && (rank.valid_begin || rank.valid_end);
    });
  }

  // More than totals of the output at its store k: a bandwidth, an access width that does not
  // divide its words, or (buffered singly) a bandwidth of the parent.
  bool more_than_totals(std::size_t k) const {
    const Memory& memory = setting_.arch.memories[output_stores()[k].memory];
    const std::int64_t bits = width_of(output(), setting_.arch);
    const std::int64_t final_bits = final_width_of(output(), setting_.arch);
    const std::int64_t width = memory.width_bits != 0 ? memory.width_bits : bits;
    if (states_bandwidth(memory) || bits % width != 0 || final_bits % width != 0) return true;
    return memory.buffering == Buffering::kSingle && k > 0 &&
           states_bandwidth(setting_.arch.memories[output_stores()[k - 1].memory]);
  }

  // The rank over which words march into the child; null when nothing marches (A4, A6).
  const Rank* marching_rank(std::size_t t, std::size_t k) const {
    const Tensor& tensor = setting_.problem.tensors[t];
    for (auto loop = nest_.loops.rbegin(); loop != nest_.loops.rend(); ++loop) {
      if (loop->spatial || loop->at > child(t, k).at) continue;
      const DimMask dim = bit(loop->dim);
      if ((tensor.relevant & dim) == 0 && !to_compute(t, k)) continue;
      if ((tensor.sliding & dim) == 0) return nullptr;
      for (const Rank& rank : tensor.ranks) {
        if (over(rank, loop->dim)) return &rank;
      }
    }
    return nullptr;
  }
  static bool over(const Rank& rank, DimId dim) {
    return std::any_of(rank.terms.begin(), rank.terms.end(),
                       [&](const Term& term) { return term.dim == dim; });
  }

  // Fan-outs whose neighbours may pass the same words on.
  std::size_t forwarders(std::size_t t, std::size_t k) const {
    if (conventions_.reuse == Conventions::Reuse::kPreviousTile && !to_compute(t, k)) return 0;
    const Rank* rank = marching_rank(t, k);
    if (rank == nullptr) return 0;
    std::map<std::size_t, Loop> chain;  // of every axis the innermost loop
    for (const Loop& loop : lanes_of(t, k)) chain[loop.axis] = loop;
    std::set<std::size_t> fanouts;
    for (const auto& [axis, loop] : chain) {
      if (forwards(loop.fanout, t) && over(*rank, loop.dim)) fanouts.insert(loop.fanout);
    }
    return fanouts.size();
  }

  bool too_large(const Rank& rank, std::size_t t, std::size_t k) const {
    if (rank.terms.size() == 1 && !rank.valid_begin && !rank.valid_end) return false;
    double indices = 1, lanes = 1, steps = 1, points = 1;
    for (const Term& term : rank.terms) {
      const std::int64_t extent = setting_.problem.dims[index(term.dim)].extent;
      indices += static_cast<double>(term.coefficient) * static_cast<double>(extent - 1);
      points *= static_cast<double>(std::min(extent, child(t, k).tile[index(term.dim)]));
    }
    for (const Loop& loop : nest_.loops) {
      if (!over(rank, loop.dim) || loop.at > child(t, k).at) continue;
      const bool lane = loop.spatial && loop.at > nest_.stores[t][k - 1].place.at;
      (lane ? lanes : steps) *= static_cast<double>(loop.bound);
    }
    const double marks = 2 * lanes * points;  // tiles before and after
    return indices > 0x1p24 || lanes > 0x1p18 || steps > 0x1p20 || marks > 0x1p26 ||
           (marks + lanes) * steps > 0x1p28;
  }

  const Setting& setting_;
  const Conventions& conventions_;
  Nest nest_;
  DimMask ragged_ = 0;
};

}  // namespace

const char* name_of(Refusal reason) {
  switch (reason) {
    case Refusal::kNone:
      break;
    case Refusal::kSlidingOutput:
      return "sliding output";
    case Refusal::kCopies:
      return "copies";
    case Refusal::kTwoForwarders:
      return "two forwarders";
    case Refusal::kUnevenResidences:
      return "uneven residences";
    case Refusal::kTooManyIndices:
      return "too many indices";
    case Refusal::kHops:
      return "hops";
  }
  return "no reason";
}

bool holds(Refusal reason, const Setting& setting, const Mapping& mapping) {
  const Judge judge(setting, mapping);
  switch (reason) {
    case Refusal::kNone:
      break;
    case Refusal::kSlidingOutput:
      return judge.sliding_output();
    case Refusal::kCopies:
      return judge.copies();
    case Refusal::kTwoForwarders:
      return judge.two_forwarders();
    case Refusal::kUnevenResidences:
      return judge.uneven_residences();
    case Refusal::kTooManyIndices:
      return judge.too_many_indices();
    case Refusal::kHops:
      return judge.hops();
  }
  return false;
}

}  // namespace loopscape::reference
