// The moves of a climb: loops, lanes and stores.
#include <bit>
#include <cmath>

#include "mapper/search/climb_run.h"
#include "model/counting/counting.h"

namespace loopscape {

void Climb::Run::advance(State&& state, std::size_t end) {
  if (climb_.steps_[step_].kind == Step::Kind::kSlot) {
    end_ = end;
    grow(state, climb_.steps_[step_].slot, 0, kNoDim, false);
  } else {
    pass_on(std::move(state), step_, end);
  }
}

void Climb::Run::pass_on(State&& state, std::size_t first, std::size_t end) {
  for (std::size_t s = first; s < end; ++s) {
    stand_before(s);
    const Step& step = climb_.steps_[s];
    const bool passes =
        step.kind == Step::Kind::kStore ? pass_store(state, step) : pass_axis(state, step.slot);
    if (!passes) return;
  }
  stand_after(end - 1);
  keep(std::move(state));
}

bool Climb::Run::pass_store(State& state, const Step& step) {
  const Memory& memory = climb_.space_.arch().memories[step.memory];
  std::array<std::uint32_t, kMaxDims> tile = clipped(state.tile);
  std::int64_t bits = 0;
  for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
    if ((step.tensors >> t & 1u) == 0) continue;
    const auto& chain = climb_.skeleton_.chain[t];
    const auto k = static_cast<std::size_t>(std::find(chain.begin(), chain.end(), step.memory) -
                                            chain.begin());
    const std::int64_t words = climb_.counter_.tile_words(t, tile);
    bits += words * bits_of(t);
    if (k == 0) continue;
    climb_.prices_.price_tile(t, k, words, state.paid);
    Open open;
    open.tile_cycles = climb_.tile_cycles(t, k, words);
    open.tensor = static_cast<std::uint8_t>(t);
    open.boundary = static_cast<std::uint8_t>(k);
    open.tile = tile;
    open.first = static_cast<std::uint8_t>(state.loops.size());
    state.open.push_back(open);
  }
  std::int64_t& used = state.used_bits[step.memory];
  used += bits;
  if (memory.size_bits && used > usable(memory)) return false;
  const bool last = !stores_later(step.memory);
  if (last) {
    for (const FilledRule& rule : climb_.placement_.filled) {
      if (rule.memory == step.memory && memory.size_bits &&
          static_cast<double>(used) < rule.share * static_cast<double>(usable(memory))) {
        return false;
      }
    }
    used = 0;
  }
  return settle(state);
}

std::int64_t Climb::Run::usable(const Memory& memory) {
  const std::uint64_t bits =
      memory.buffering == Buffering::kDouble ? *memory.size_bits / 2 : *memory.size_bits;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bits, INT64_MAX));
}

std::int64_t Climb::Run::bits_of(std::size_t t) const {
  return loopscape::bits_of(problem_.tensors[t], climb_.space_.arch());
}

bool Climb::Run::stores_later(std::uint8_t memory) const {
  for (std::size_t s = step_ + 1; s < climb_.steps_.size(); ++s) {
    if (climb_.steps_[s].kind == Step::Kind::kStore && climb_.steps_[s].memory == memory) {
      return true;
    }
  }
  return false;
}

std::array<std::uint32_t, kMaxDims> Climb::Run::clipped(
    const std::array<std::uint32_t, kMaxDims>& tile) const {
  std::array<std::uint32_t, kMaxDims> sizes{};
  for (std::size_t d = 0; d < dims_; ++d) {
    sizes[d] = static_cast<std::uint32_t>(std::min<std::int64_t>(tile[d], extent(d)));
  }
  return sizes;
}

Climb::Run::Room Climb::Run::room_for(const State& state, std::size_t d, std::uint32_t bound,
                                      std::uint8_t slot) const {
  const std::int64_t tile = state.tile[d];
  if (tile >= extent(d)) return Room::kNoMore;
  if (perfect_ && extent(d) / tile % bound != 0) return Room::kNot;
  // The outermost loop has no empty iteration.
  if (!perfect_ && tile * (bound - 1) >= extent(d)) return Room::kNoMore;
  if (tile * bound > UINT32_MAX) return Room::kNoMore;
  if (!leaves_factors(state, d, tile * bound, slot)) return Room::kNoMore;
  if (climb_.placement_.slots[slot].kind == Slot::Kind::kAxis) return Room::kThere;
  if (!leaves_room(d, tile * bound)) return perfect_ ? Room::kNot : Room::kNoMore;
  Tile grown = state.tile;
  grown[d] = static_cast<std::uint32_t>(tile * bound);
  return fits_ahead(grown) ? Room::kThere : Room::kNoMore;
}

// Looks ahead: what a larger bound leaves room for, a smaller ragged one does.
Climb::Run::Room Climb::Run::room_for(const State& state, std::size_t d, std::uint32_t bound,
                                      std::uint8_t slot, RoomAlong& known) const {
  if (perfect_) return room_for(state, d, bound, slot);
  if (bound <= known.there) return Room::kThere;
  if (bound >= known.none) return Room::kNoMore;
  const auto ask = [&](std::int64_t other) {
    const bool there = room_for(state, d, static_cast<std::uint32_t>(other), slot) == Room::kThere;
    (there ? known.there : known.none) = other;
    return there;
  };
  const std::int64_t far = std::min(2 * std::int64_t{bound}, ceil_div(extent(d), state.tile[d]));
  if (far > bound && far < known.none && ask(far)) return Room::kThere;
  return ask(bound) ? Room::kThere : Room::kNoMore;
}

bool Climb::Run::stack(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot) {
  const std::int64_t tile = state.tile[d];
  const Slot& its = climb_.placement_.slots[slot];
  const bool spatial = its.kind == Slot::Kind::kAxis;
  const auto dim = static_cast<DimId>(d);
  if (spatial && !perfect_) {
    state.at_lanes.push_back(state.tile[d]);
    state.lanes_at.push_back(static_cast<std::uint8_t>(state.loops.size()));
  }
  const std::array<std::uint32_t, kMaxDims> before = state.tile;
  state.tile[d] = static_cast<std::uint32_t>(tile * bound);
  state.loops.push_back(spatial ? MappingNode::spatial(dim, bound, static_cast<AxisId>(its.axis))
                                : MappingNode::loop(dim, bound));
  state.slot_of.push_back(slot);
  state.looped |= SlotMask{1} << slot;
  if (!spatial) end_compute_runs(state, d, before);
  for (Open& open : state.open) {
    if (open.phase == Open::Phase::kClosed) continue;
    const bool ran = open.phase == Open::Phase::kRun;
    meet(open, d, spatial, static_cast<std::uint8_t>(state.loops.size()));
    if (ran && open.phase != Open::Phase::kRun) end_run(state, open, before);
    if (open.phase != Open::Phase::kClosed) continue;
    // Not before: the outlook has the folds of what marches on.
    state.paid.exposed += open.fold_cycles;
    state.paid.exposed_most += open.fold_cycles;
    open.demand = climb_.words_now(open.tensor, open.boundary, before, ahead_);
    if (!open.to_compute) {
      open.copies_pj =
          climb_.copies_pj(open.tensor, open.boundary, open.tile, before, ahead_, open.demand);
    }
  }
  return obeys(state, d, bound, slot);
}

void Climb::Run::end_run(State& state, Open& open, const Tile& tile) const {
  for (const Watch& watch : climb_.watches_) {
    if (watch.tensor != open.tensor || watch.boundary != open.boundary || open.to_compute) continue;
    state.run_ends.push_back({watch.fanout, watch.tensor, kStored, clipped(tile)});
    if (watch.fold_cycles == 0) continue;
    open.fold_cycles += watch.fold_cycles * climb_.residences(tile, step_);
  }
}

void Climb::Run::end_compute_runs(State& state, std::size_t d, const Tile& tile) const {
  for (unsigned rest = state.compute_runs; rest != 0; rest &= rest - 1) {
    const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
    if (!has(climb_.counter_.relevant(t), d)) continue;
    state.compute_runs = static_cast<TensorMask>(state.compute_runs & ~(1u << t));
    for (const Watch& watch : climb_.watches_) {
      if (watch.tensor != t || watch.boundary != climb_.skeleton_.chain[t].size()) continue;
      state.run_ends.push_back({watch.fanout, watch.tensor,
                                static_cast<std::uint8_t>(state.loops.size()), clipped(tile)});
    }
  }
}

bool Climb::Run::leaves_room(std::size_t d, std::int64_t tile) const {
  const std::int64_t lanes = climb_.lanes_left_[step_][d];
  if (lanes == 1) return true;
  if (perfect_) return extent(d) % (tile * lanes) == 0;
  const std::int64_t outer = climb_.outermost_lanes_[d];
  return tile * (lanes / outer) * (outer - 1) < extent(d);
}

// For the loops that rules demand further out. Of several loops all but the outermost may end in an
// empty iteration, so that they cover less than twice the extent.
bool Climb::Run::leaves_factors(const State& state, std::size_t d, std::int64_t tile,
                                std::uint8_t slot) const {
  const Placement& placement = climb_.placement_;
  const SlotMask outside = (SlotMask{1} << slot) - 1;
  for (std::size_t r = 0; r < placement.factors.size(); ++r) {
    const FactorRule& rule = placement.factors[r];
    if (rule.dim != d || has_slot(rule.slots, slot) || (rule.slots & outside) == 0) continue;
    const std::int64_t least = ceil_div(rule.least, state.factor[r]);
    if (least <= 1) continue;
    const bool one = std::popcount(rule.slots & outside) == 1;
    const std::int64_t most = perfect_ ? extent(d) / least
                              : one    ? (extent(d) - 1) / (least - 1)
                                       : (2 * extent(d) - 1) / least;
    if (tile > most) return false;
  }
  return true;
}

bool Climb::Run::fits_ahead(const Tile& reached) const {
  const auto& stores = climb_.sized_ahead_[step_];
  return std::all_of(stores.begin(), stores.end(), [&](std::size_t s) {
    return climb_.fits(climb_.steps_[s], carried(reached, s));
  });
}

void Climb::Run::meet(Open& open, std::size_t d, bool spatial, std::uint8_t loops) const {
  using Phase = Open::Phase;
  if (open.phase == Phase::kClosed) return;
  if (spatial) {
    if (open.phase == Phase::kMarch && open.marching == static_cast<int>(d)) {
      open.phase = Phase::kClosed;
      open.end = loops;  // the lanes themselves end it
    }
    return;
  }
  const bool irrelevant = !has(climb_.counter_.relevant(open.tensor), d);
  if (open.phase == Phase::kRun && irrelevant && !open.to_compute) return;
  if (open.phase == Phase::kRun && !irrelevant && has(climb_.counter_.sliding(open.tensor), d)) {
    open.phase = Phase::kMarch;
    open.marching = static_cast<std::int8_t>(d);
    return;
  }
  if (open.phase == Phase::kMarch && open.marching == static_cast<int>(d)) return;
  open.phase = Phase::kClosed;
  open.ended_by = static_cast<std::int8_t>(d);
  open.end = static_cast<std::uint8_t>(loops - 1);
}

// False: a rule forbids this bound and larger ones.
bool Climb::Run::set_bound(State& state, const State& before, std::uint32_t bound) const {
  MappingNode& loop = state.loops.back();
  loop.bound = bound;
  state.tile[loop.id] = before.tile[loop.id] * bound;
  const Placement& placement = climb_.placement_;
  for (std::size_t r = 0; r < placement.factors.size(); ++r) {
    const FactorRule& rule = placement.factors[r];
    if (!has_slot(rule.slots, state.slot_of.back()) || rule.dim != loop.id) continue;
    state.factor[r] = before.factor[r] * bound;
    if (state.factor[r] > rule.most) return false;
  }
  return true;
}

bool Climb::Run::obeys(State& state, std::size_t d, std::uint32_t bound, std::uint8_t slot) const {
  const Placement& placement = climb_.placement_;
  for (std::size_t r = 0; r < placement.factors.size(); ++r) {
    const FactorRule& rule = placement.factors[r];
    if (!has_slot(rule.slots, slot) || rule.dim != d) continue;
    state.factor[r] *= bound;
    if (state.factor[r] > rule.most) return false;
  }
  for (std::size_t r = 0; r < placement.orders.size(); ++r) {
    const OrderRule& rule = placement.orders[r];
    if (!has_slot(rule.slots, slot)) continue;
    if (rule.place[d] < state.place[r]) return false;
    state.place[r] = rule.place[d];
  }
  for (std::size_t r = 0; r < placement.stationary.size(); ++r) {
    const StationaryRule& rule = placement.stationary[r];
    if (!has_slot(rule.slots, slot)) continue;
    if (has(rule.relevant, d))
      state.has_relevant[r] = 1;
    else if (state.has_relevant[r] != 0)
      return false;
  }
  return true;
}

bool Climb::Run::leave(State& state, std::uint8_t slot) const {
  const Placement& placement = climb_.placement_;
  const SlotMask outside = (SlotMask{1} << slot) - 1;
  for (const SlotMask must : placement.must_loop) {
    if (has_slot(must, slot) && (must & outside) == 0 && (must & state.looped) == 0) return false;
  }
  for (std::size_t r = 0; r < placement.factors.size(); ++r) {
    const FactorRule& rule = placement.factors[r];
    if (!has_slot(rule.slots, slot) || (rule.slots & outside) != 0) continue;
    if (state.factor[r] < rule.least) return false;
    state.factor[r] = 1;
  }
  for (std::size_t r = 0; r < placement.orders.size(); ++r) {
    if (has_slot(placement.orders[r].slots, slot) && (placement.orders[r].slots & outside) == 0) {
      state.place[r] = 0;
    }
  }
  for (std::size_t r = 0; r < placement.stationary.size(); ++r) {
    const SlotMask slots = placement.stationary[r].slots;
    if (has_slot(slots, slot) && (slots & outside) == 0) state.has_relevant[r] = 0;
  }
  return true;
}

bool Climb::Run::pass_axis(State& state, std::uint8_t slot) {
  ahead_ = step_;
  const auto& loops = climb_.spatial_[slot];
  for (std::size_t i = loops.size(); i-- > 0;) {
    if (room_for(state, loops[i].dim, loops[i].bound, slot) != Room::kThere ||
        !stack(state, loops[i].dim, loops[i].bound, slot)) {
      return false;
    }
  }
  ahead_ = step_ + 1;
  return leave(state, slot) && settle(state);
}

void Climb::Run::grow(const State& state, std::uint8_t slot, DimMask used, int last,
                      bool last_paid) {
  if (stopped_ || (++work_.work % 1024 == 0 && interrupted())) return;
  if (is_last_slot(slot) ? covers(state) : may_cover(state) && useful_beyond(state)) {
    State done = state;
    if (leave(done, slot) && settle(done)) {
      const std::size_t here = step_;
      pass_on(std::move(done), here + 1, end_);
      stand_before(here);
    }
  }
  const Slot& its = climb_.placement_.slots[slot];
  for (std::size_t d = 0; d < dims_; ++d) {
    if (!has(its.dims, d) || has(used, d) || state.tile[d] >= extent(d)) continue;
    if (its.kind == Slot::Kind::kUnderFanout && !splits(its.fanout, d)) continue;
    if (static_cast<int>(d) < last && !last_paid &&
        commute(state, slot, static_cast<std::size_t>(last), d)) {
      continue;
    }
    grow_along(d, state, slot, used);
  }
}

// What the loop closes does not depend on its bound, and is paid when one comes so far: few do.
void Climb::Run::grow_along(std::size_t d, const State& state, std::uint8_t slot, DimMask used) {
  const bool looks = climb_.rules_.bound;
  std::optional<State> next;
  std::optional<Prospect> prospect;
  bool asked_to_pay = false, paid = false;
  RoomAlong known{1, INT64_MAX};
  bounds(d, state.tile[d], is_last_slot(slot), [&](std::uint32_t bound) {
    if (told_to_stop()) return false;
    const Room room = room_for(state, d, bound, slot, known);
    if (room != Room::kThere) return room == Room::kNot;
    if (!next) {
      next.emplace(state);
      if (!stack(*next, d, bound, slot)) return false;
      if (looks) prospect = prospect_of(*next, d);
    } else if (!set_bound(*next, state, bound)) {
      return false;
    }
    bool serves = !looks || useful(*next, *prospect);
    if (serves && !std::exchange(asked_to_pay, true)) {
      paid = pay_ready(*next);
      if (paid && looks) {
        prospect = prospect_of(*next, d);
        serves = useful(*next, *prospect);
      }
    }
    if (!serves) {
      ++work_.bounded;
      return true;
    }
    grow(*next, slot, static_cast<DimMask>(used | (1u << d)), static_cast<int>(d), paid);
    return true;
  });
}

bool Climb::Run::commute(const State& state, std::uint8_t slot, std::size_t a,
                         std::size_t b) const {
  const Placement& placement = climb_.placement_;
  for (const OrderRule& rule : placement.orders) {
    if (has_slot(rule.slots, slot) && rule.place[a] != rule.place[b]) return false;
  }
  for (const StationaryRule& rule : placement.stationary) {
    if (has_slot(rule.slots, slot) && has(rule.relevant, a) != has(rule.relevant, b)) return false;
  }
  for (unsigned rest = state.compute_runs; rest != 0; rest &= rest - 1) {
    const DimMask relevant =
        climb_.counter_.relevant(static_cast<std::size_t>(__builtin_ctz(rest)));
    if (has(relevant, a) || has(relevant, b)) return false;
  }
  for (const RunEnd& end : state.run_ends) {
    if (end.at == state.loops.size()) return false;  // by the loop over `a`; another might not
  }
  for (const Open& open : state.open) {
    if (open.phase == Open::Phase::kClosed) {
      if (open.end + 1u < state.loops.size()) continue;
      if (open.ended_by != static_cast<int>(a)) continue;
      return false;  // it ended this boundary, and another loop might not
    }
    if (open.phase == Open::Phase::kMarch) return false;
    const DimMask relevant = climb_.counter_.relevant(open.tensor);
    if (has(relevant, a) || has(relevant, b)) return false;
  }
  return true;
}

bool Climb::Run::covers(const State& state) const {
  for (std::size_t d = 0; d < dims_; ++d) {
    if (state.tile[d] < extent(d)) return false;
  }
  return true;
}

bool Climb::Run::may_cover(const State& state) const {
  for (std::size_t d = 0; d < dims_; ++d) {
    const std::int64_t reach = std::int64_t{state.tile[d]} * climb_.lanes_left_[step_][d];
    if (reach < extent(d) && !has(climb_.grown_ahead_[step_], d)) return false;
  }
  return true;
}

bool Climb::Run::splits(std::uint8_t fanout, std::size_t d) const {
  for (std::size_t s = 0; s < climb_.placement_.slots.size(); ++s) {
    if (climb_.placement_.slots[s].kind != Slot::Kind::kAxis ||
        climb_.placement_.slots[s].fanout != fanout) {
      continue;
    }
    for (const Point::Loop& loop : climb_.spatial_[s]) {
      if (loop.dim == d) return true;
    }
  }
  return false;
}

}  // namespace loopscape
