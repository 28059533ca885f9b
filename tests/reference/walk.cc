#include "tests/reference/walk.h"

#include "tests/reference/boundary.h"

namespace loopscape::reference {
namespace {

// The tuples of temporal indices at which somebody works, in order.
class Clock {
 public:
  Clock(const Nest& nest, const Tiles& tiles, Defect defect)
      : nest_(nest), tiles_(tiles), defect_(defect), tau_(nest.loops.size(), 0) {}

  // To the next time; false after the last one. moment() then names the loop that advanced.
  bool next() {
    std::size_t outermost = nest_.loops.size();
    do {
      std::size_t i = nest_.loops.size();
      while (i > 0 && (nest_.loops[i - 1].spatial || tau_[i - 1] + 1 == nest_.loops[i - 1].bound)) {
        tau_[--i] = 0;
      }
      if (i == 0) return false;
      ++tau_[i - 1];
      outermost = std::min(outermost, i - 1);
    } while (nobody_works());
    changed_ = outermost;
    return true;
  }
  Moment moment() const { return {&tau_, changed_}; }

 private:
  // Lane 0 has the smallest offsets: when it is idle, all are.
  bool nobody_works() const {
    if (defect_ == Defect::kStepsNotCut) return false;
    Extents offset{};
    for (std::size_t i = 0; i < tau_.size(); ++i) {
      offset[index(nest_.loops[i].dim)] += tau_[i] * nest_.loops[i].step;
    }
    return tiles_.empty_at(offset);
  }

  const Nest& nest_;
  const Tiles& tiles_;
  Defect defect_;
  std::vector<std::int64_t> tau_;  // 0 for spatial loops
  std::size_t changed_ = Moment::kStart;
};

}  // namespace

Walk walk_nest(const Nest& nest, const Conventions& conventions, Defect defect) {
  const Tiles tiles(*nest.problem, conventions, defect);
  std::vector<TensorInNest> tensors;
  tensors.reserve(nest.stores.size());
  for (std::size_t t = 0; t < nest.stores.size(); ++t) {
    tensors.emplace_back(nest, tiles, conventions, defect, t);
  }
  Walk walk;
  Clock clock(nest, tiles, defect);
  do {
    ++walk.steps;
    for (TensorInNest& tensor : tensors) tensor.step(clock.moment());
  } while (clock.next());
  for (TensorInNest& tensor : tensors) {
    walk.tensors.push_back(tensor.finish());
    walk.reads_are_visits_less_zeros &= tensor.reads_are_visits_less_zeros();
  }
  return walk;
}

const Network* network_of(const Nest& nest, std::size_t fanout, std::size_t tensor) {
  const Network* unnamed = nullptr;
  for (const Network& network : nest.arch->fanouts[fanout].networks) {
    if (names_tensor(network.tensors, nest.problem->tensors[tensor])) return &network;
    if (network.tensors.empty() && unnamed == nullptr) unnamed = &network;
  }
  return unnamed;
}

}  // namespace loopscape::reference
