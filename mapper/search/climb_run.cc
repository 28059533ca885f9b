// A climb from its start to its end, and which states it keeps.
#include "mapper/search/climb_run.h"

#include <cmath>

#include "model/base/cycles.h"

namespace loopscape {

// ---- start and finish ----

Climb::End Climb::Run::run(std::size_t beam, bool strict) {
  beam_ = beam;
  strict_ = strict || climb_.kin_.empty();
  compares_words_ = strict_ && climb_.compares_words_;
  State start = first_state();
  for (std::size_t s = 0; s < climb_.steps_.size(); s = climb_.next_slot(s)) {
    waiting_.push_back({s, {}, {}});
  }
  waiting_.push_back({climb_.steps_.size(), {}, {}});
  if (settle(start)) waiting_.front().states.push_back(std::move(start));
  for (std::size_t n = climb_.rules_.first_states; n <= kMostFirst && !stopped_; n *= 2) {
    if (beam_ == SIZE_MAX) dive(n);
  }
  climb_on(0);
  if (untold_) return End::kUntold;
  if (stopped_) return End::kInterrupted;
  return narrowed_ ? End::kNarrowed : End::kDone;
}

// Most promising first, and of equal ones the last: good mappings are to be found early.
std::vector<Climb::State*> Climb::Run::Waiting::in_order() {
  std::vector<State*> order;
  for (std::size_t i = states.size(); i-- > 0;) {
    if (!states[i].gone) order.push_back(&states[i]);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const State* a, const State* b) { return a->value < b->value; });
  return order;
}

// The most promising ones of every step, and at last some mappings.
void Climb::Run::dive(std::size_t most) {
  for (std::size_t w = 0; w + 1 < waiting_.size() && !stopped_; ++w) {
    std::vector<State*> first = waiting_[w].in_order();
    first.resize(std::min(first.size(), most));
    for (State* state : first) {
      State diver = *state;
      state->gone = true;
      follow(std::move(diver), w);
    }
  }
  finish(waiting_.back());
}

// Through all steps from this one on. When many states are waiting at the next one, they go first,
// so that not too many are known at once.
void Climb::Run::climb_on(std::size_t w) {
  if (w + 1 == waiting_.size()) return finish(waiting_.back());
  Waiting &here = waiting_[w], &next = waiting_[w + 1];
  std::vector<State*> order = here.in_order();
  if (order.size() > beam_) {
    order.resize(beam_);
    narrowed_ = true;
  }
  widest_.clear();
  for (State* state : order) {
    if (stopped_) return;
    follow(std::move(*state), w);
    if (next.states.size() >= kMostWaiting) climb_on(w + 1);
  }
  here.clear();
  if (!stopped_ && !next.states.empty()) climb_on(w + 1);
}

void Climb::Run::follow(State&& state, std::size_t w) {
  const std::size_t step = waiting_[w].step;
  if (step > 0) stand_after(step - 1);
  if (climb_.rules_.bound && !useful(state)) {
    ++work_.bounded;
    return;
  }
  if (interrupted()) return;
  ++work_.states;
  stand_before(step);
  next_ = &waiting_[w + 1];
  advance(std::move(state), next_->step);
}

void Climb::Run::stand_before(std::size_t step) { step_ = ahead_ = step; }

void Climb::Run::stand_after(std::size_t step) {
  step_ = step;
  ahead_ = climb_.steps_[step].kind == Step::Kind::kAxis ? step + 1 : step;
}

void Climb::Run::set_lanes() {
  for (std::size_t d = 0; d < dims_; ++d) {
    extents_[d] = problem_.dims[d].extent;
    if (perfect_ || climb_.outermost_lanes_[d] == 1) {
      steps_without_lanes_ *= static_cast<double>(climb_.steps_along_[d].least());
    } else {
      dims_with_lanes_.push_back(static_cast<std::uint8_t>(d));
    }
  }
  lanes_to_.resize(climb_.steps_.size());
  for (std::size_t step = 0; step < lanes_to_.size(); ++step) {
    for (std::size_t ahead = 0; ahead < lanes_to_.size(); ++ahead) {
      lanes_to_[step].push_back(climb_.lanes_between(step, std::max(step, ahead)));
    }
  }
}

Climb::State Climb::Run::first_state() {
  State state;
  state.tile.fill(1);
  state.paid = climb_.prices_.fixed();
  state.more_pj.resize(climb_.kin_.size(), 0);
  if (compares_words_) state.moved.resize(climb_.first_boundary_.back());
  state.used_bits.resize(climb_.space_.arch().memories.size(), 0);
  state.factor.assign(climb_.placement_.factors.size(), 1);
  for (const Watch& watch : climb_.watches_) {
    if (watch.boundary != climb_.skeleton_.chain[watch.tensor].size()) continue;
    state.compute_runs = static_cast<TensorMask>(state.compute_runs | 1u << watch.tensor);
  }
  state.place.assign(climb_.placement_.orders.size(), 0);
  state.has_relevant.assign(climb_.placement_.stationary.size(), 0);
  for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
    Open open;
    open.tensor = static_cast<std::uint8_t>(t);
    open.boundary = static_cast<std::uint8_t>(climb_.skeleton_.chain[t].size());
    open.to_compute = true;
    open.tile.fill(1);
    // Compute keeps nothing; only what neighbours forward forms a march.
    if (!climb_.forwards_[t]) open.phase = Open::Phase::kClosed;
    open.demand = climb_.words_now(t, open.boundary, state.tile, 0);
    state.open.push_back(open);
  }
  return state;
}

void Climb::Run::finish(Waiting& complete) {
  if (stopped_) return;
  if (complete.step > 0) stand_after(complete.step - 1);
  widest_.clear();
  const std::vector<State*> order = complete.in_order();
  for (const State* state : order) {
    if (interrupted()) return;
    if (climb_.rules_.bound && !useful(*state)) {
      ++work_.bounded;
    } else {
      offer(*state);
    }
  }
  // To climb on would not settle it.
  const auto serves = [&](const State* state) { return !climb_.rules_.bound || useful(*state); };
  untold_ = !strict_ && std::any_of(order.begin(), order.end(), serves);
  stopped_ = stopped_ || untold_;
  complete.clear();
}

void Climb::Run::offer(const State& state) {
  if (climb_.kin_.empty()) return offer_with(state, climb_.spatial_);
  for (const SpatialLoops& spatial : climb_.kin_) offer_with(state, spatial);
}

void Climb::Run::offer_with(const State& state, const SpatialLoops& spatial) {
  Found found;
  found.mapping = mapping_of(state, spatial);
  ++work_.work;
  const Cost cost = climb_.evaluator_.evaluate(found.mapping, scratch_);
  if (!cost.ok()) {
    ++work_.unpriced;
    return;
  }
  found.energy_pj = cost.energy_pj;
  found.cycles = cost.cycles;
  const PerResource& busy = state.paid.busy;
  int limit = Blend::kNoResource;
  double most = state.steps * climb_.space_.arch().compute.interval_cycles;
  for (std::size_t i = 0; i < busy.size(); ++i) {
    if (busy[i] <= most) continue;
    most = busy[i];
    limit = static_cast<int>(i);
  }
  incumbents_.offer(found, limit);
}

Mapping Climb::Run::mapping_of(const State& state, const SpatialLoops& spatial) const {
  Point point;
  point.placement = climb_.placement_number_;
  point.slots = spatial;
  for (std::size_t i = state.loops.size(); i-- > 0;) {
    if (state.loops[i].kind == LoopKind::kSpatial) continue;
    point.slots[state.slot_of[i]].push_back({state.loops[i].id, state.loops[i].bound});
  }
  return climb_.space_.mapping(point);
}

bool Climb::Run::interrupted() {
  if (stopped_) return true;
  stopped_ = work_.work >= limits_.max_work ||
             (limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed));
  return stopped_;
}

bool Climb::Run::told_to_stop() {
  if (++bounds_tried_ % 4096 != 0 || limits_.stop == nullptr) return stopped_;
  stopped_ = stopped_ || limits_.stop->load(std::memory_order_relaxed);
  return stopped_;
}

// ---- bounds ----

void Climb::Run::add_floors(const State& state, double steps, double energy, CostBound& bound) {
  sum_ = climb_.future_[step_];
  sum_.energy += state.paid.energy + state.least_more_pj;
  sum_.exposed += state.paid.exposed;
  for (std::size_t i = 0; i < sum_.busy.size(); ++i) sum_.busy[i] += state.paid.busy[i];
  runs_.clear();
  for (const Open& open : state.open) {
    if (open.phase == Open::Phase::kClosed) {
      climb_.add_least(climb_.floor_[open.tensor][open.boundary], open.demand, sum_);
      sum_.energy += open.copies_pj;
    } else {
      runs_.push_back(
          {open.tensor, open.boundary, open.phase == Open::Phase::kRun && !open.to_compute});
    }
  }
  if (!runs_.empty()) climb_.add_open(runs_, state.tile, state.tile, ahead_, sum_);
  bound.cycles = climb_.cycles_of(sum_.busy, sum_.exposed, steps);
  bound.energy_pj = std::max(sum_.energy, energy);
  climb_.add_leakage(bound.cycles, bound.energy_pj);
}

CostBound Climb::Run::quick_bound(const Prospect& prospect, std::size_t place, double steps) const {
  CostBound least;
  const Prospect::Seen& seen = prospect.views.front();
  const double interval = climb_.space_.arch().compute.interval_cycles;
  least.cycles = whole_cycles(std::max(steps * interval, prospect.busy)) + prospect.exposed;
  least.energy_pj = seen.paid + seen.ahead.at(place);
  climb_.add_leakage(least.cycles, least.energy_pj);
  return least;
}

void Climb::Run::add_lines(const Prospect& prospect, std::size_t place, double steps,
                           CostBound& bound) const {
  for (std::size_t v = 1; v < prospect.views.size(); ++v) {
    const Prospect::Seen& seen = prospect.views[v];
    bound.line[bound.lines++] =
        climb_.line_of(climb_.views_[v].blend, seen.paid + seen.ahead.at(place), steps);
  }
}

void Climb::Run::put_tiles_below_lanes(const State& state, std::size_t d,
                                       Few<std::uint32_t, 4>& below) const {
  for (std::size_t i = 0; i < state.at_lanes.size(); ++i) {
    if (state.loops[state.lanes_at[i]].id == d) below.push_back(state.at_lanes[i]);
  }
}

Climb::Run::Prospect Climb::Run::prospect_of(const State& state, std::size_t passed,
                                             std::size_t dim) const {
  Prospect prospect;
  prospect.dim = dim;
  prospect.steps = steps_without_lanes_;
  Few<std::uint32_t, 4> below;
  for (const std::size_t d : dims_with_lanes_) {
    if (d == dim) {
      put_tiles_below_lanes(state, d, prospect.below);
      continue;
    }
    below.clear();
    put_tiles_below_lanes(state, d, below);
    prospect.steps *= static_cast<double>(
        climb_.steps_along_[d].least({below.data(), below.size()}, state.tile[d]));
  }
  if (climb_.views_.empty()) return prospect;
  const Place place = place_of(state, passed);
  for (const View& view : climb_.views_) {
    prospect.views.push_back({seen_as_paid(state, place, view),
                              view.outlook.ahead_of(place.level, place.open, place.begun)});
  }
  const std::size_t next = climb_.next_level_step(place.level);
  prospect.lanes = lanes_to_[step_][next][dim];
  Tile tile = carried(state.tile, next);
  prospect.place = climb_.lattice_->at(tile) - climb_.lattice_->offset(dim, tile[dim]);
  if (climb_.spares_time_) return prospect;
  prospect.busy = most_busy(state.paid.busy);
  prospect.exposed = exposed_cycles(state.paid.exposed);
  return prospect;
}

double Climb::Run::steps_of(const State& state, const Prospect& prospect) const {
  const std::size_t d = prospect.dim;
  if (perfect_ || climb_.outermost_lanes_[d] == 1) return prospect.steps;
  return prospect.steps * static_cast<double>(climb_.steps_along_[d].least(
                              {prospect.below.data(), prospect.below.size()}, state.tile[d]));
}

std::size_t Climb::Run::place_in(const Prospect& prospect, const Tile& tile) const {
  const std::int64_t size = tile[prospect.dim] * prospect.lanes;
  return prospect.place +
         climb_.lattice_->offset(prospect.dim, std::min(size, extent(prospect.dim)));
}

Climb::Tile Climb::Run::carried(const Tile& tile, std::size_t ahead) const {
  const auto& lanes = lanes_to_[step_][ahead];
  Tile there = tile;
  for (std::size_t d = 0; d < dims_; ++d) {
    there[d] = static_cast<std::uint32_t>(std::min<std::int64_t>(tile[d] * lanes[d], extent(d)));
  }
  return there;
}

Climb::Run::Place Climb::Run::place_of(const State& state, std::size_t passed) const {
  const auto& levels = climb_.levels_;
  Place place;
  std::size_t& l = place.level;
  while (l + 1 < levels.size() && levels[l + 1].first < passed) ++l;
  place.begun = levels[l].last < passed;
  const std::size_t ahead = ahead_of_stores();
  for (std::size_t r = 0; r < levels[l].runs.size(); ++r) {
    if (levels[l].run_step[r] >= ahead) place.open |= 1u << r;
  }
  for (std::size_t p = 0; p < levels[l].passing.size(); ++p) {
    const OpenRun& run = levels[l].passing[p];
    if (climb_.store_step_[run.tensor][run.boundary] >= ahead) {
      place.open |= 1u << (levels[l].runs.size() + p);
    }
  }
  for (const Open& open : state.open) {
    if (open.phase == Open::Phase::kClosed || open.to_compute) continue;
    const int at = run_at(levels[l], open);
    if (at >= 0) place.open |= 1u << at;
  }
  return place;
}

// But for what the outlook has.
double Climb::Run::seen_as_paid(const State& state, const Place& place, const View& view) const {
  const Level& level = climb_.levels_[place.level];
  double sum = blended(view.blend, state.paid.energy + state.least_more_pj, state.paid.exposed,
                       state.paid.busy);
  for (const Open& open : state.open) {
    const Price& price = view.price[open.tensor][open.boundary];
    if (open.phase == Open::Phase::kClosed || open.to_compute) {
      sum += open.copies_pj + climb_.paid_for(price, open.phase == Open::Phase::kClosed
                                                         ? open.demand
                                                         : climb_.compute_words_[open.tensor]);
      continue;
    }
    if (run_at(level, open) >= 0) {
      sum -= view.blend.pj_per_cycle * open.tile_cycles;  // the outlook has that, too
    } else {
      sum += price.fold + climb_.copies_[open.tensor][open.boundary].least_pj +
             climb_.paid_for(price, static_cast<double>(climb_.counter_.all_words(open.tensor)));
    }
  }
  return sum;
}

std::size_t Climb::Run::ahead_of_stores() const {
  return climb_.steps_[step_].kind == Step::Kind::kStore ? step_ + 1 : step_;
}

bool Climb::Run::useful(const State& state, const Prospect& prospect) {
  const auto serves = [&](const CostBound& least) {
    value_ = incumbents_.value(least);
    if (!incumbents_.useful(least)) return false;
    const bool in_beam = widest_.size() < beam_ || value_ < widest_.front();
    narrowed_ |= !in_beam;
    return in_beam;
  };
  const double steps = steps_of(state, prospect);
  CostBound least;
  double energy = 0;
  if (!prospect.views.empty()) {
    const std::size_t place = place_in(prospect, state.tile);
    least = quick_bound(prospect, place, steps);
    if (!serves(least)) return false;
    if (climb_.only_energy_ && prospect.views.size() == 1) return true;
    energy = prospect.views.front().paid + prospect.views.front().ahead.at(place);
    add_lines(prospect, place, steps, least);
  }
  if (prospect.views.empty() || !climb_.only_energy_) add_floors(state, steps, energy, least);
  return serves(least);
}

bool Climb::Run::useful_beyond(const State& state) {
  if (!climb_.rules_.bound || climb_.views_.empty()) return true;
  const Prospect prospect = prospect_of(state, end_, 0);
  const double steps = steps_of(state, prospect);
  const std::size_t place = place_in(prospect, state.tile);
  CostBound least = quick_bound(prospect, place, steps);
  add_lines(prospect, place, steps, least);
  if (incumbents_.useful(least)) return true;
  ++work_.bounded;
  return false;
}

void Climb::Run::narrow_beam() {
  if (beam_ == SIZE_MAX) return;
  widest_.push_back(value_);
  std::push_heap(widest_.begin(), widest_.end());
  if (widest_.size() <= beam_) return;
  std::pop_heap(widest_.begin(), widest_.end());
  widest_.pop_back();
}

// ---- keeping ----

std::string Climb::Run::key_of(const State& state) const {
  std::string key;
  const auto put = [&](const auto& value) {
    key.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (std::size_t d = 0; d < dims_; ++d) put(clipped(state.tile)[d]);
  for (std::size_t i = 0; i < state.at_lanes.size(); ++i) {
    if (matters(state, i)) put(state.at_lanes[i]);
  }
  for (const std::int64_t factor : state.factor) put(factor);
  for (const std::uint8_t place : state.place) put(place);
  for (const std::uint8_t relevant : state.has_relevant) put(relevant);
  for (const SlotMask must : climb_.placement_.must_loop) put((must & state.looped) != 0);
  for (const Open& open : state.open) put_open(state, open, put);
  for (const RunEnd& end : state.run_ends) {
    put(end.fanout);
    put(end.tensor);
    for (std::size_t d = 0; d < dims_; ++d) put(end.tile[d]);
  }
  put(state.compute_runs);
  for (const FilledRule& rule : climb_.placement_.filled) put(state.used_bits[rule.memory]);
  put(state.priced);
  return key;
}

bool Climb::Run::matters(const State& state, std::size_t lanes) const {
  const std::size_t at = state.lanes_at[lanes];
  if (climb_.lanes_left_[step_][state.loops[at].id] > 1 || climb_.gates_leak_) return true;
  return std::any_of(state.open.begin(), state.open.end(),
                     [&](const Open& open) { return open.first <= at; });
}

// Not a thing where it has no more words anywhere: inputs' accesses grow with them; what outputs
// read back also depends on what arrived further out.
bool Climb::Run::moves_no_more(const State& a, const State& b) const {
  if (a.moved.empty() || a.at_lanes != b.at_lanes) return false;
  for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
    const bool output = problem_.tensors[t].is_output;
    for (std::size_t i = climb_.first_boundary_[t]; i < climb_.first_boundary_[t + 1]; ++i) {
      const BoundaryWords &its = a.moved[i].words, &others = b.moved[i].words;
      if (a.moved[i].share != b.moved[i].share || a.moved[i].share == Moved::kUntold) return false;
      if (output ? its != others
                 : its.demand > others.demand || its.arrivals > others.arrivals ||
                       its.group > others.group) {
        return false;
      }
    }
  }
  return true;
}

// Either in every case, whatever sums do not tell, or because instance by instance nothing is
// worse. Of kin at first only sums are asked.
bool Climb::Run::no_worse(const State& a, const State& b) const {
  if (a.steps > b.steps || a.paid.exposed > b.paid.exposed) return false;
  if (a.more_pj.empty() && a.paid.energy > b.paid.energy) return false;
  for (std::size_t i = 0; i < a.paid.busy.size(); ++i) {
    if (a.paid.busy[i] > b.paid.busy[i]) return false;
  }
  for (std::size_t kin = 0; kin < a.more_pj.size(); ++kin) {
    if (a.paid.energy + a.more_pj[kin] > b.paid.energy + b.more_pj[kin]) return false;
  }
  for (std::size_t m = 0; m < a.used_bits.size(); ++m) {
    if (a.used_bits[m] > b.used_bits[m]) return false;
  }
  const bool exposes_no_more =
      a.paid.exposed_most <= b.paid.exposed ||
      (a.paid.exposed == b.paid.exposed && a.paid.exposed_most == b.paid.exposed_most);
  if (!strict_ || (exposes_no_more && moves_no_more(a, b))) return true;
  if (!climb_.kin_.empty()) return false;
  if (a.paid.energy_most + climb_.prices_.rounding_pj() > b.paid.energy) return false;
  if (a.paid.exposed_most > b.paid.exposed) return false;
  for (std::size_t i = 0; i < a.paid.busy.size(); ++i) {
    if (a.paid.busy_most[i] > b.paid.busy[i]) return false;
  }
  return true;
}

void Climb::Run::keep(State&& state) {
  const Prospect prospect = prospect_of(state, 0);
  if (climb_.rules_.bound && !useful(state, prospect)) {
    ++work_.bounded;
    return;
  }
  state.value = climb_.rules_.bound ? value_ : 0;
  state.steps = steps_of(state, prospect);
  if (!climb_.dominates_) {
    next_->states.push_back(std::move(state));
    return;
  }
  std::vector<State*>& same = next_->by_key[key_of(state)];
  for (const State* other : same) {
    if (other->priced && no_worse(*other, state)) {
      ++work_.dominated;
      return;
    }
  }
  for (State* other : same) {
    if (state.priced && no_worse(state, *other)) {
      ++work_.dominated;
      *other = std::move(state);
      return;
    }
  }
  next_->states.push_back(std::move(state));
  same.push_back(&next_->states.back());
  narrow_beam();
}

}  // namespace loopscape
