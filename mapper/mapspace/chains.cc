#include "mapper/mapspace/chains.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace loopscape {

// ---- tuples ----

std::uint64_t Tuples::count(int k, std::uint64_t m) {
  if (k >= 64) return 0;
  if (known_.size() <= static_cast<std::size_t>(k)) known_.resize(static_cast<std::size_t>(k) + 1);
  return factors_ == Factors::kRagged ? ragged(k, m) : perfect(k, m);
}

std::uint64_t Tuples::ragged(int k, std::uint64_t m) {
  if (k == 0) return m >= 1 ? 1 : 0;
  if ((m >> k) == 0) return 0;
  if (k == 1) return m - 1;
  const auto level = static_cast<std::size_t>(k);
  if (const auto found = known_[level].find(m); found != known_[level].end()) return found->second;
  std::uint64_t sum = 0;
  for (std::uint64_t b = 2; b <= m >> (k - 1);) {
    const std::uint64_t inside = m / b;
    const std::uint64_t last = m / inside;  // NOLINT: b is at most m
    sum += (last - b + 1) * ragged(k - 1, inside);
    b = last + 1;
    ++work_;
  }
  known_[level].emplace(m, sum);
  return sum;
}

std::uint64_t Tuples::perfect(int k, std::uint64_t m) {
  if (k == 0) return m == 1 ? 1 : 0;
  if ((m >> k) == 0) return 0;
  if (k == 1) return 1;
  const auto level = static_cast<std::size_t>(k);
  if (const auto found = known_[level].find(m); found != known_[level].end()) return found->second;
  std::uint64_t sum = 0;
  for (const std::uint64_t b : divisors(m)) {
    if (b >= 2 && b < m) sum += perfect(k - 1, m / b);
    ++work_;
  }
  known_[level].emplace(m, sum);
  return sum;
}

const std::vector<std::uint64_t>& Tuples::divisors(std::uint64_t m) {
  std::vector<std::uint64_t>& list = divisors_[m];
  if (!list.empty()) return list;
  for (std::uint64_t d = 1; d * d <= m; ++d) {
    if (m % d != 0) continue;
    list.push_back(d);
    if (d * d != m) list.push_back(m / d);
  }
  std::sort(list.begin(), list.end());
  return list;
}

// ---- chains ----

Chains::Chains(std::int64_t extent, const std::vector<FactorRule>& rules, Tuples& tuples)
    : extent_(extent), tuples_(tuples) {
  for (const FactorRule& rule : rules) {
    possible_ = possible_ && (rule.slots != 0 || rule.least <= 1) && rule.most >= 1 &&
                rule.least <= rule.most;
    // No product over a dimension reaches twice its extent.
    const bool idle = rule.least <= 1 && rule.most >= 2 * extent;
    if (!idle) rules_.push_back(rule);
  }
}

Chains::State Chains::start() const {
  const auto extent = static_cast<std::uint64_t>(extent_);
  State state(1 + rules_.size(), 1);
  state[0] = tuples_.factors() == Factors::kRagged ? extent - 1 : extent;
  return state;
}

std::uint64_t Chains::outermost_bound(const State& state) const {
  return tuples_.factors() == Factors::kRagged ? state[0] + 1 : state[0];
}

Chains::Plan Chains::plan(const ChainShape& shape) const {
  Plan plan;
  std::vector<Loop> free;
  Loop outermost{-1, 0, false};
  for (int s = 63; s >= 0; --s) {
    if ((shape.slots >> s & 1u) == 0) continue;
    Loop loop{s, 0, false};
    for (const auto& [slot, bound] : shape.axis_bounds) {
      if (slot == s) loop.told = bound;
    }
    for (const FactorRule& rule : rules_) loop.ruled = loop.ruled || (rule.slots >> s & 1u) != 0;
    if ((shape.slots & ((SlotMask{1} << s) - 1)) == 0) {
      outermost = loop;
    } else {
      (loop.told == 0 && !loop.ruled ? free : plan.loops).push_back(loop);
    }
  }
  plan.first_free = plan.loops.size();
  plan.loops.insert(plan.loops.end(), free.begin(), free.end());
  if (outermost.slot >= 0) plan.loops.push_back(outermost);
  return plan;
}

// False when the loop cannot have this bound there.
bool Chains::take(const Loop& loop, std::uint64_t bound, State& state) const {
  const bool perfect = tuples_.factors() == Factors::kPerfect;
  if (perfect ? bound >= state[0] || state[0] % bound != 0 : bound > state[0]) return false;
  state[0] /= bound;
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    if ((rules_[r].slots >> loop.slot & 1u) == 0) continue;
    const auto least = static_cast<std::uint64_t>(rules_[r].least);
    const auto most = static_cast<std::uint64_t>(rules_[r].most);
    state[r + 1] *= bound;  // both fit 32 bits: no larger products are kept
    if (state[r + 1] > most) return false;
    // Where only the least is left to ask for, more than enough is enough.
    if (rules_[r].most >= 2 * extent_) state[r + 1] = std::min(state[r + 1], least);
  }
  return true;
}

std::uint64_t Chains::count(const ChainShape& shape) {
  if (!possible_) return 0;
  if (shape.slots == 0) {
    if (extent_ > 1) return 0;
    for (const FactorRule& rule : rules_) {
      if (rule.least > 1) return 0;
    }
    return 1;
  }
  if (extent_ == 1) return 0;
  return left(plan(shape), 0, start());
}

// All inner loops that are left are free; the outermost must meet what it is told and every rule.
std::uint64_t Chains::close(const Plan& plan, std::size_t i, const State& state) {
  const Loop& outermost = plan.loops.back();
  const int inner = static_cast<int>(plan.loops.size() - i) - 1;
  std::uint64_t least = 2;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  if (outermost.told != 0) least = most = outermost.told;
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    const auto at_least = static_cast<std::uint64_t>(rules_[r].least);
    const auto at_most = static_cast<std::uint64_t>(rules_[r].most);
    if ((rules_[r].slots >> outermost.slot & 1u) != 0) {
      least = std::max(least, (at_least - 1) / state[r + 1] + 1);
      most = std::min(most, at_most / state[r + 1]);
    } else if (state[r + 1] < at_least || state[r + 1] > at_most) {
      return 0;
    }
  }
  if (least > most) return 0;
  const std::uint64_t m = state[0];
  if (tuples_.factors() == Factors::kRagged) {
    // The outermost bound is floor(m / product of the inner ones) + 1.
    const std::uint64_t beyond = most > m ? 0 : tuples_.count(inner, m / most);
    return tuples_.count(inner, m / (least - 1)) - beyond;
  }
  std::uint64_t sum = 0;
  if (least == 2 && most >= m) return tuples_.count(inner + 1, m);
  for (const std::uint64_t bound : tuples_.divisors(m)) {
    if (bound >= least && bound <= most) sum += tuples_.count(inner, m / bound);
  }
  return sum;
}

std::pair<std::uint64_t, std::uint64_t> Chains::next_bounds(const Loop& loop, const State& state,
                                                            std::uint64_t bound) {
  const std::uint64_t m = state[0];
  if (loop.told != 0) {
    if (bound > loop.told) return {0, 0};
    return {loop.told, loop.told};
  }
  if (bound > m) return {0, 0};
  if (tuples_.factors() == Factors::kPerfect) {
    const std::vector<std::uint64_t>& all = tuples_.divisors(m);
    const auto next = std::lower_bound(all.begin(), all.end(), bound);
    if (next == all.end() || *next >= m) return {0, 0};
    return {*next, *next};
  }
  std::uint64_t last = m / (m / bound);
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    if ((rules_[r].slots >> loop.slot & 1u) == 0) continue;
    if (rules_[r].most < 2 * extent_) {
      if (bound > static_cast<std::uint64_t>(rules_[r].most) / state[r + 1]) return {0, 0};
      last = bound;
    } else if (bound * state[r + 1] < static_cast<std::uint64_t>(rules_[r].least)) {
      last = bound;
    }
  }
  return {bound, last};
}

// Ways to choose the bounds of loops i and on.
std::uint64_t Chains::left(const Plan& plan, std::size_t i, State state) {
  const auto ends = [&] { return i >= plan.first_free || i + 1 == plan.loops.size(); };
  for (; !ends() && plan.loops[i].told != 0; ++i) {
    if (!take(plan.loops[i], plan.loops[i].told, state)) return 0;
  }
  if (state[0] == 0) return 0;
  if (ends()) return close(plan, i, state);
  std::vector<std::uint64_t> key = state;
  for (std::size_t j = i; j < plan.loops.size(); ++j) {
    key.push_back(static_cast<std::uint64_t>(plan.loops[j].slot) << 32 | plan.loops[j].told);
  }
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  std::uint64_t sum = 0;
  for (std::uint64_t bound = 2;;) {
    const auto [first, last] = next_bounds(plan.loops[i], state, bound);
    if (first == 0) break;
    State inside = state;
    if (take(plan.loops[i], first, inside)) {
      sum += (last - first + 1) * left(plan, i + 1, std::move(inside));
    }
    bound = last + 1;
  }
  known_.emplace(std::move(key), sum);
  return sum;
}

std::vector<ChainLoop> Chains::unrank(const ChainShape& shape, std::uint64_t number) {
  std::vector<ChainLoop> chain;
  if (shape.slots == 0) return chain;
  const Plan order = plan(shape);
  State state = start();
  for (std::size_t i = 0; i + 1 < order.loops.size(); ++i) {
    for (std::uint64_t bound = 2;;) {
      const auto [first, last] = next_bounds(order.loops[i], state, bound);
      if (first == 0) return {};  // not reached: `number` is below count(shape)
      State inside = state;
      const bool fits = take(order.loops[i], first, inside);
      const std::uint64_t each = fits ? left(order, i + 1, inside) : 0;
      if (each == 0 || number / each >= last - first + 1) {
        number -= each * (last - first + 1);
        bound = last + 1;
        continue;
      }
      const std::uint64_t chosen = first + number / each;
      number %= each;
      state = std::move(inside);
      chain.push_back({order.loops[i].slot, static_cast<std::uint32_t>(chosen)});
      break;
    }
  }
  chain.push_back({order.loops.back().slot, static_cast<std::uint32_t>(outermost_bound(state))});
  std::sort(chain.begin(), chain.end(),
            [](const ChainLoop& a, const ChainLoop& b) { return a.slot > b.slot; });
  return chain;
}

std::uint64_t Chains::rank(const ChainShape& shape, const std::vector<ChainLoop>& chain) {
  if (shape.slots == 0) return 0;
  const Plan order = plan(shape);
  State state = start();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i + 1 < order.loops.size(); ++i) {
    const auto own = std::find_if(chain.begin(), chain.end(), [&](const ChainLoop& loop) {
      return loop.slot == order.loops[i].slot;
    });
    for (std::uint64_t bound = 2;;) {
      const auto [first, last] = next_bounds(order.loops[i], state, bound);
      if (first == 0) return number;  // not reached: the chain is one of the shape
      State inside = state;
      const bool fits = take(order.loops[i], first, inside);
      const std::uint64_t each = fits ? left(order, i + 1, inside) : 0;
      if (own->bound > last) {
        number += each * (last - first + 1);
        bound = last + 1;
        continue;
      }
      number += each * (own->bound - first);
      state = std::move(inside);
      break;
    }
  }
  return number;
}

}  // namespace loopscape
