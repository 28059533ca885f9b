#include "mapper/mapspace/ways.h"

#include <algorithm>
#include <map>
#include <utility>

namespace loopscape {

bool FitQuestion::asks_lanes(std::size_t slot) const {
  return std::any_of(placement->lanes.begin(), placement->lanes.end(),
                     [&](const LanesRule& rule) { return (rule.slots >> slot & 1u) != 0; });
}

std::uint64_t lanes_of(const FitQuestion& question, std::size_t rule,
                       const std::vector<std::uint32_t>& bound) {
  std::uint64_t lanes = 1;
  for (std::size_t a = 0; a < bound.size(); ++a) {
    if ((question.placement->lanes[rule].slots >> question.axes[a] & 1u) != 0) lanes *= bound[a];
  }
  return lanes;
}

bool FitBudget::spend(std::uint64_t steps) {
  spent_ += steps;
  if (stop_ != nullptr && (++looked_ & 0xfff) == 0) {
    stopped_ = stopped_ || stop_->load(std::memory_order_relaxed);
  }
  return spent_ <= most_ && !stopped_;
}

namespace {

// A chain begun from the inside.
struct Begun {
  Way way;
  std::uint64_t tile = 1;
};

class Finder {
 public:
  Finder(const FitQuestion& question, std::size_t dim, Tuples& tuples, FitBudget& budget)
      : question_(question),
        dim_(dim),
        extent_(static_cast<std::uint64_t>(question.problem->dims[dim].extent)),
        perfect_(tuples.factors() == Factors::kPerfect),
        tuples_(tuples),
        budget_(budget) {
    for (const FactorRule& rule : question.placement->factors) {
      if (rule.dim == dim) rules_.push_back(rule);
    }
    for (std::size_t e = 0; e < question.entries.size(); ++e) {
      exact_ = exact_ || (question.entries[e].exact && question.relevant(e, dim));
    }
  }

  std::vector<Way> run() {
    Begun start;
    start.way.tile.assign(question_.entries.size(), 1);
    start.way.bound.assign(question_.axes.size(), 1);
    State nothing(2 + rules_.size(), 1);
    nothing.back() = 0;
    nothing[0] = perfect_ ? extent_ : extent_ - 1;
    begun_[nothing].push_back(std::move(start));
    const std::vector<PlacementStep>& steps = question_.placement->steps;
    for (std::size_t i = steps.size(); i-- > 0;) {
      if (steps[i].kind == PlacementStep::Kind::kStore) {
        note_tiles(i);
      } else {
        pass(steps[i].slot);
      }
    }
    return finished();
  }

 private:
  // What is left of the extent, as in chains.h, or 0 outside the outermost loop; then the product
  // of every rule; then 1 + the fan-out that must split the dimension for a loop below it, or 0.
  using State = std::vector<std::uint64_t>;

  void note_tiles(std::size_t step) {
    for (std::size_t e = 0; e < question_.entries.size(); ++e) {
      if (question_.entries[e].step != step || !question_.relevant(e, dim_)) continue;
      for (auto& [state, list] : begun_) {
        for (Begun& begun : list) begun.way.tile[e] = static_cast<std::uint32_t>(begun.tile);
      }
    }
  }

  void pass(std::size_t slot) {
    if ((question_.placement->slots[slot].dims >> dim_ & 1u) == 0) return;
    std::map<State, std::vector<Begun>> next;
    for (const auto& [state, list] : begun_) {
      for (const Begun& begun : list) {
        keep(state, begun, slot, next);
        if (state[0] == 0) continue;
        for (std::uint64_t bound = 2; bound != 0; bound = after(slot, bound, state)) {
          if (!budget_.spend()) return;
          if (perfect_ ? bound < state[0] && state[0] % bound == 0 : bound <= state[0]) {
            extend(state, begun, slot, bound, false, next);
          }
        }
        const std::uint64_t last = perfect_ ? state[0] : state[0] + 1;
        if (last >= 2) extend(state, begun, slot, last, true, next);
      }
    }
    begun_ = std::move(next);
  }

  // The next bound of an inner loop that is worth a look, or 0. Of bounds that leave equally much
  // the least is best, if nothing asks for more.
  std::uint64_t after(std::size_t slot, std::uint64_t bound, const State& state) const {
    if (perfect_) {
      const std::vector<std::uint64_t>& divisors = tuples_.divisors(state[0]);
      const auto next = std::upper_bound(divisors.begin(), divisors.end(), bound);
      return next == divisors.end() ? 0 : *next;
    }
    if (bound > state[0]) return 0;
    bool alike = !exact_ && !question_.asks_lanes(slot);
    std::uint64_t most = state[0];
    for (std::size_t r = 0; r < rules_.size(); ++r) {
      if ((rules_[r].slots >> slot & 1u) == 0) continue;
      most = std::min(most, static_cast<std::uint64_t>(rules_[r].most) / state[r + 1]);
      alike = alike && only_least(rules_[r]) &&
              state[r + 1] * bound >= static_cast<std::uint64_t>(rules_[r].least);
    }
    const Slot& its = question_.placement->slots[slot];
    if (its.kind == Slot::Kind::kAxis) most = std::min<std::uint64_t>(most, its.size);
    const std::uint64_t next = alike ? state[0] / (state[0] / bound) + 1 : bound + 1;
    return next <= most ? next : 0;
  }

  bool only_least(const FactorRule& rule) const {
    return rule.most >= 2 * static_cast<std::int64_t>(extent_);  // no product reaches it
  }

  void extend(State state, Begun begun, std::size_t slot, std::uint64_t bound, bool outermost,
              std::map<State, std::vector<Begun>>& next) {
    for (std::size_t r = 0; r < rules_.size(); ++r) {
      if ((rules_[r].slots >> slot & 1u) == 0) continue;
      state[r + 1] *= bound;  // both fit 32 bits
      if (state[r + 1] > static_cast<std::uint64_t>(rules_[r].most)) return;
      if (only_least(rules_[r])) {
        state[r + 1] = std::min(state[r + 1], static_cast<std::uint64_t>(rules_[r].least));
      }
    }
    const Slot& its = question_.placement->slots[slot];
    if (its.kind == Slot::Kind::kUnderFanout) state.back() = 1u + its.fanout;
    if (its.kind == Slot::Kind::kAxis) {
      if (bound > its.size) return;
      if (state.back() == 1u + its.fanout) state.back() = 0;
      const auto axis = std::find(question_.axes.begin(), question_.axes.end(), slot);
      begun.way.bound[static_cast<std::size_t>(axis - question_.axes.begin())] =
          static_cast<std::uint32_t>(bound);
    }
    state[0] = outermost ? 0 : state[0] / bound;
    begun.tile = outermost ? extent_ : begun.tile * bound;
    begun.way.slots |= SlotMask{1} << slot;
    begun.way.chain.push_back({static_cast<int>(slot), static_cast<std::uint32_t>(bound)});
    keep(std::move(state), std::move(begun), slot, next);
  }

  // Rules without a slot further out are met or not, and forgotten.
  void keep(State state, Begun begun, std::size_t slot, std::map<State, std::vector<Begun>>& next) {
    for (std::size_t r = 0; r < rules_.size(); ++r) {
      if ((rules_[r].slots & ((SlotMask{1} << slot) - 1)) != 0) continue;
      if (state[r + 1] != 0 && !met(r, state)) return;
      state[r + 1] = 0;
    }
    if (state.back() != 0 && !splits_further_out(state.back() - 1, slot)) return;
    std::vector<Begun>& list = next[std::move(state)];
    for (const Begun& other : list) {
      if (!budget_.spend() || as_good(other, begun)) return;
    }
    std::erase_if(list, [&](const Begun& other) { return as_good(begun, other); });
    list.push_back(std::move(begun));
  }
  bool splits_further_out(std::uint64_t fanout, std::size_t slot) const {
    const std::vector<Slot>& slots = question_.placement->slots;
    return std::any_of(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(slot),
                       [&](const Slot& its) {
                         return its.kind == Slot::Kind::kAxis && its.fanout == fanout &&
                                (its.dims >> dim_ & 1u) != 0;
                       });
  }
  bool met(std::size_t r, const State& state) const {
    return state[r + 1] >= static_cast<std::uint64_t>(rules_[r].least) &&
           state[r + 1] <= static_cast<std::uint64_t>(rules_[r].most);
  }

  bool as_good(const Begun& a, const Begun& b) const {
    if (exact_ ? a.tile != b.tile : a.tile > b.tile) return false;
    return as_good(a.way, b.way);
  }
  bool as_good(const Way& a, const Way& b) const {
    for (std::size_t e = 0; e < a.tile.size(); ++e) {
      if (question_.entries[e].exact ? a.tile[e] != b.tile[e] : a.tile[e] > b.tile[e]) return false;
    }
    // What bounds leave of an axis of size M, floor(M / u b), follows from floor(M / b).
    for (std::size_t x = 0; x < a.bound.size(); ++x) {
      const std::uint32_t size = question_.axis_size(x);
      if (size / a.bound[x] < size / b.bound[x]) return false;
    }
    for (std::size_t r = 0; r < question_.placement->lanes.size(); ++r) {
      if (lanes_of(question_, r, a.bound) < lanes_of(question_, r, b.bound)) return false;
    }
    if ((a.slots & question_.ordered & ~b.slots) != 0) return false;
    const std::vector<SlotMask>& must = question_.placement->must_loop;
    return std::all_of(must.begin(), must.end(),
                       [&](SlotMask set) { return (b.slots & set) == 0 || (a.slots & set) != 0; });
  }

  std::vector<Way> finished() {
    std::vector<Way> ways;
    for (auto& [state, list] : begun_) {
      if (state[0] != 0) continue;
      bool all_met = state.back() == 0;
      for (std::size_t r = 0; r < rules_.size(); ++r) {
        all_met = all_met && (state[r + 1] == 0 || met(r, state));
      }
      if (!all_met) continue;
      for (Begun& begun : list) {
        const bool needless = std::any_of(ways.begin(), ways.end(), [&](const Way& other) {
          return !budget_.spend() || as_good(other, begun.way);
        });
        if (needless) continue;
        std::erase_if(ways, [&](const Way& other) { return as_good(begun.way, other); });
        ways.push_back(std::move(begun.way));
      }
    }
    return ways;
  }

  const FitQuestion& question_;
  std::size_t dim_;
  std::uint64_t extent_;
  bool perfect_, exact_ = false;
  Tuples& tuples_;
  FitBudget& budget_;
  std::vector<FactorRule> rules_;
  std::map<State, std::vector<Begun>> begun_;
};

}  // namespace

std::vector<Way> best_ways(const FitQuestion& question, std::size_t dim, Tuples& tuples,
                           FitBudget& budget) {
  return Finder(question, dim, tuples, budget).run();
}

}  // namespace loopscape
