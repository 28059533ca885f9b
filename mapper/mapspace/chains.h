// Chains: the ways to give one dimension bounds in a set of slots.
//
// From the inside out, loops b_1 ... b_k over a dimension of extent N. Write m for what is left:
// ragged: m = floor((N-1) / P) with P the product so far; an inner loop has 2 <= b <= m, and the
// outermost one has m + 1 = ceil(N / P) iterations; perfect: m = N / P; an inner loop divides m,
// the outermost has m. Since floor(floor(x / a) / b) = floor(x / (a b)), how many tuples of inner
// bounds there are depends on m only, and m takes 2 sqrt(N) values: nothing here lists chains to
// count them, except over slots whose bounds a factor rule limits from above.
// For this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "mapper/mapspace/mapspace.h"

namespace loopscape {

// How many k-tuples of integers >= 2 multiply to at most m (ragged), or to exactly m (perfect).
// At most m^1.73, so they fit 64 bits. One object serves many extents.
class Tuples {
 public:
  explicit Tuples(Factors factors) : factors_(factors) {}
  std::uint64_t count(int k, std::uint64_t m);
  const std::vector<std::uint64_t>& divisors(std::uint64_t m);
  Factors factors() const { return factors_; }
  std::uint64_t work() const { return work_; }

 private:
  std::uint64_t ragged(int k, std::uint64_t m);
  std::uint64_t perfect(int k, std::uint64_t m);

  Factors factors_;
  std::uint64_t work_ = 0;
  std::vector<std::unordered_map<std::uint64_t, std::uint64_t>> known_;  // by k, then m
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> divisors_;
};

// The loops of one chain: their slots, and bounds where those are told (axes); 0: free.
struct ChainShape {
  SlotMask slots = 0;
  std::vector<std::pair<int, std::uint32_t>> axis_bounds;  // slot and bound, outermost first
};
struct ChainLoop {
  int slot;
  std::uint32_t bound;
  friend bool operator==(const ChainLoop&, const ChainLoop&) = default;
};

// Chains of one dimension in one placement.
class Chains {
 public:
  Chains(std::int64_t extent, const std::vector<FactorRule>& rules, Tuples& tuples);

  std::uint64_t count(const ChainShape& shape);
  // Chain number `number` of the shape: slots under factor rules first, each from the inside out,
  // smaller bounds first. The answer goes from the inside out.
  std::vector<ChainLoop> unrank(const ChainShape& shape, std::uint64_t number);
  std::uint64_t rank(const ChainShape& shape, const std::vector<ChainLoop>& chain);

 private:
  struct Loop {
    int slot;
    std::uint32_t told;  // bound, or 0
    bool ruled;
  };
  struct Plan {  // in the order in which bounds are chosen; the outermost loop is the last
    std::vector<Loop> loops;
    std::size_t first_free = 0;  // from here on inner loops are neither told nor ruled
  };
  using State = std::vector<std::uint64_t>;  // m, then the product of every rule

  Plan plan(const ChainShape& shape) const;
  State start() const;
  bool take(const Loop& loop, std::uint64_t bound, State& state) const;
  std::uint64_t left(const Plan& plan, std::size_t i, State state);
  std::uint64_t close(const Plan& plan, std::size_t i, const State& state);
  // The first bound of loop i that is at least `bound`, and the last one that is as good; or 0.
  std::pair<std::uint64_t, std::uint64_t> next_bounds(const Loop& loop, const State& state,
                                                      std::uint64_t bound);
  std::uint64_t outermost_bound(const State& state) const;

  std::int64_t extent_;
  std::vector<FactorRule> rules_;
  bool possible_ = true;
  Tuples& tuples_;
  std::map<std::vector<std::uint64_t>, std::uint64_t> known_;
};

}  // namespace loopscape
