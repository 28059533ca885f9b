#include <algorithm>

#include "tests/reference/boundary.h"

namespace loopscape::reference {
namespace {

Conventions bend(Conventions conventions, Defect defect) {
  if (defect == Defect::kMarchForPrevious) conventions.reuse = Conventions::Reuse::kMarch;
  if (defect == Defect::kPreviousForMarch) conventions.reuse = Conventions::Reuse::kPreviousTile;
  if (defect == Defect::kAnyWordForEqual) conventions.sharing = Conventions::Sharing::kAnyWord;
  if (defect == Defect::kEqualForAnyWord) conventions.sharing = Conventions::Sharing::kEqualDelta;
  return conventions;
}

}  // namespace

TensorInNest::TensorInNest(const Nest& nest, const Tiles& tiles, const Conventions& conventions,
                           Defect defect, std::size_t tensor)
    : context_(new TensorContext{nest, tiles, bend(conventions, defect), defect, tensor}),
      links_(new std::vector<TensorAtNetwork>(nest.arch->fanouts.size())) {
  const std::vector<StorePlace>& places = nest.stores[tensor];
  for (const StorePlace& store : places) {
    stores_.push_back(std::make_unique<StoreState>());
    stores_.back()->instances.resize(store.place.instances());
    stores_.back()->counts.resize(store.place.instances());
  }
  // The outermost store holds the whole tensor from the start; its sums begin from zero there.
  for (InstanceState& state : stores_.front()->instances) {
    state.held = tiles.words_of_all(tensor);
    for (const Word word : state.held) state.residences.push_back({word});
    state.zeros = static_cast<std::int64_t>(state.held.size());
  }
  boundaries_.reserve(places.size());
  for (std::size_t k = 1; k <= places.size(); ++k) {
    const bool compute = k == places.size();
    boundaries_.emplace_back(*context_, places[k - 1].place, *stores_[k - 1],
                             compute ? nest.compute : places[k].place,
                             compute ? nullptr : stores_[k].get(), *links_);
  }
}

TensorWalk TensorInNest::finish() {
  TensorWalk walk;
  for (Boundary& boundary : boundaries_) boundary.finish();
  for (const auto& store : stores_) walk.stores.push_back(store->counts);
  walk.links = *links_;
  walk.compute_runs = boundaries_.back().runs();
  return walk;
}

bool TensorInNest::reads_are_visits_less_zeros() const {
  if (!context_->description().is_output) return true;
  for (std::size_t k = 0; k < boundaries_.size(); ++k) {
    std::int64_t zeros = 0;
    for (const InstanceState& state : stores_[k]->instances) zeros += state.zeros;
    if (boundaries_[k].reads() != boundaries_[k].visits() - zeros) return false;
  }
  return true;
}

}  // namespace loopscape::reference
