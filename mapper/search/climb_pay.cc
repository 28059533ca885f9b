// What a climb pays for boundaries that have closed, and what tells its instances apart.
#include "mapper/search/climb_run.h"
#include "model/counting/counting.h"

namespace loopscape {

bool Climb::Run::lanes_ahead(const Open& open) const {
  const std::uint8_t parent = climb_.skeleton_.chain[open.tensor][open.boundary - 1u];
  for (std::size_t s = step_ + (started_ ? 1 : 0); s < climb_.steps_.size(); ++s) {
    const Step& step = climb_.steps_[s];
    if (step.kind == Step::Kind::kAxis && !climb_.spatial_[step.slot].empty()) return true;
    if (step.kind == Step::Kind::kStore && step.memory == parent &&
        (step.tensors >> open.tensor & 1u) != 0) {
      return false;
    }
  }
  return false;
}

bool Climb::Run::is_plain(const Open& open) const { return climb_.is_plain(open.tensor); }

bool Climb::Run::pay_ready(State& state) {
  bool paid = false;
  for (std::size_t i = 0; i < state.open.size();) {
    if (state.open[i].phase == Open::Phase::kClosed &&
        (is_plain(state.open[i]) || !lanes_ahead(state.open[i]))) {
      pay(state, state.open[i]);
      state.open.erase(state.open.begin() + static_cast<std::ptrdiff_t>(i));
      paid = true;
    } else {
      ++i;
    }
  }
  return paid;
}

void Climb::Run::pay(State& state, const Open& open) {
  BoundaryLoops boundary;
  boundary.tensor = open.tensor;
  boundary.to_compute = open.to_compute;
  const auto& chain = climb_.skeleton_.chain[open.tensor];
  if (!open.to_compute) boundary.child = chain[open.boundary];
  boundary.tile = open.tile;
  boundary.ragged = !perfect_;
  // Up to the last lanes, and at least up to the end of the march.
  std::size_t end = open.phase == Open::Phase::kClosed ? open.end : state.loops.size();
  if (open.ended_by != kNoDim) boundary.ended_by = static_cast<std::uint8_t>(open.ended_by);
  for (std::size_t i = end; i < state.loops.size(); ++i) {
    if (state.loops[i].kind == LoopKind::kSpatial && inside(open, state.slot_of[i])) {
      end = i + 1;
      boundary.ended_by = kNoDim;
    }
  }
  boundary.parent = chain[open.boundary - 1u];
  boundary.parent_at = end - open.first;
  for (std::size_t i = open.first; i < end; ++i) {
    if (!inside(open, state.slot_of[i])) {
      boundary.parent_at = i - open.first;
      break;
    }
  }
  path_.assign(state.loops.begin() + open.first,
               state.loops.begin() + static_cast<std::ptrdiff_t>(end));
  if (is_plain(open)) add_lanes_ahead(open, boundary);
  boundary.loops = path_;
  const KinFlow* const of_kin =
      climb_.kin_flows_ ? &climb_.kin_flows_->flow(open.boundary, boundary) : nullptr;
  const BoundaryFlow& flow = of_kin != nullptr ? of_kin->least : climb_.counter_.flow(boundary);
  if (flow.known) {
    if (of_kin != nullptr) add_more(*of_kin, state);
    climb_.prices_.price(open.tensor, open.boundary, flow, state.paid);
    if (compares_words_) {
      state.moved[climb_.first_boundary_[open.tensor] + open.boundary - 1u] = {
          flow.most, share_of(boundary, flow, of_kin)};
    }
  } else {
    state.priced = false;  // its cost is left out, which is a bound too
  }
}

void Climb::Run::add_more(const KinFlow& flow, State& state) {
  state.least_more_pj = kInfinity;
  for (std::size_t kin = 0; kin < flow.more_pj.size(); ++kin) {
    state.more_pj[kin] += flow.more_pj[kin];
    state.least_more_pj = std::min(state.least_more_pj, state.more_pj[kin]);
  }
}

// Words are a product over groups of dimensions (those of one rank, and each irrelevant one), and a
// group without lanes above the boundary's stores is the same factor for every instance. Lanes over
// a relevant dimension of its own are told by the tile below them.
std::uint32_t Climb::Run::share_of(const BoundaryLoops& boundary, const BoundaryFlow& flow,
                                   const KinFlow* of_kin) {
  const std::size_t t = boundary.tensor;
  if (of_kin != nullptr && !of_kin->same_words) return Moved::kUntold;
  if (!climb_.instances_differ_) return 0;
  if (climb_.reuses_more_[t]) return Moved::kUntold;
  share_.clear();
  DimMask told = 0;
  const std::uint8_t inner = boundary.to_compute ? boundary.parent : boundary.child;
  const auto& lanes = climb_.lanes_left_[climb_.step_of_store(t, inner)];
  for (std::size_t d = 0; d < dims_; ++d) {
    if (climb_.forwards_[t] || lanes[d] > 1)
      told = static_cast<DimMask>(told | climb_.group_[t][d]);
  }
  if (told != 0) put_told_loops(boundary, told);
  const auto put_values = [&](std::span<const double> values) {
    share_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  if (of_kin != nullptr) {
    put_values(of_kin->inexact);
  } else {
    for (const BoundaryFlow::Network& network : flow.networks) {
      if (network.tells_all()) continue;
      put_share(network.fanout);
      put_values(
          std::array{network.least_pj, network.most_pj, network.least_bits, network.most_bits});
    }
  }
  const auto [known, is_new] = shares_.try_emplace(share_, last_share_ + 1);
  if (is_new) ++last_share_;
  return known->second;
}

void Climb::Run::put_told_loops(const BoundaryLoops& boundary, DimMask told) {
  put_share(told);
  put_share(boundary.ended_by == kNoDim ? 0 : 1);
  for (std::size_t d = 0; d < dims_; ++d) {
    if (has(told, d)) put_share(boundary.tile[d]);
  }
  for (std::size_t i = 0; i < boundary.loops.size(); ++i) {
    const MappingNode& loop = boundary.loops[i];
    if (!has(told, loop.id)) continue;
    put_share(i < boundary.parent_at ? 0 : 1);
    put_share(loop.kind == LoopKind::kSpatial ? 0 : 1);
    put_share(loop.id);
    put_share(loop.bound);
  }
}

void Climb::Run::add_lanes_ahead(const Open& open, BoundaryLoops& boundary) {
  const std::size_t parent =
      climb_.step_of_store(open.tensor, climb_.skeleton_.chain[open.tensor][open.boundary - 1u]);
  const bool inside_parent = boundary.parent_at == path_.size();
  for (std::size_t s = ahead_; s < parent; ++s) {
    const Step& step = climb_.steps_[s];
    if (step.kind != Step::Kind::kAxis) continue;
    const auto& loops = climb_.spatial_[step.slot];
    const auto axis = static_cast<AxisId>(climb_.placement_.slots[step.slot].axis);
    for (std::size_t i = loops.size(); i-- > 0;) {
      path_.push_back(MappingNode::spatial(static_cast<DimId>(loops[i].dim), loops[i].bound, axis));
    }
  }
  if (inside_parent) boundary.parent_at = path_.size();
}

bool Climb::Run::inside(const Open& open, std::uint8_t slot) const {
  const std::uint8_t parent = climb_.skeleton_.chain[open.tensor][open.boundary - 1u];
  for (const Step& step : climb_.steps_) {
    if (step.kind == Step::Kind::kStore) {
      if (step.memory == parent && (step.tensors >> open.tensor & 1u) != 0) return false;
    } else if (step.slot == slot) {
      return true;
    }
  }
  return false;
}

bool Climb::Run::settle(State& state) {
  pay_ready(state);
  started_ = true;
  if (climb_.steps_.empty() || step_ + 1 < climb_.steps_.size()) return true;
  for (const Open& open : state.open) pay(state, open);
  state.open.clear();
  return true;
}

}  // namespace loopscape
