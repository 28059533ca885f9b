// The best ways of the dimensions (ways.h) are combined one dimension after the other; of two
// combinations the one that leaves the rest at least as much is kept. At first only the most
// promising ones are: where something fits, it is found soon.
#include "mapper/mapspace/fit_placement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "mapper/mapspace/arrange.h"
#include "mapper/mapspace/field.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {
namespace {

using Sizes = std::array<std::int64_t, kMaxDims>;

// The first so many dimensions, each in one of its ways.
struct Combined {
  std::vector<std::uint32_t> way;  // by dimension
  // By entry, of the ranks whose dimensions are all chosen; 0: they fit in any case.
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> lanes;  // in use, by axis
  std::vector<DimMask> loops;        // by slot that rules of order speak of
  std::vector<std::uint64_t> asked;  // lanes that count, by rule
  std::uint64_t must = 0;            // sets of slots that have a loop
  double promise = 0;
};

class PlacementFit {
 public:
  PlacementFit(const Placement& placement, const Problem& problem, const Arch& arch,
               Footprints& footprints, Tuples& tuples, FitBudget& budget)
      : placement_(placement),
        problem_(problem),
        arch_(arch),
        footprints_(footprints),
        tuples_(tuples),
        budget_(budget),
        arranger_(placement_) {}

  std::optional<Point> run() {
    if (!filled_at_all() || !small_dims_agree()) return std::nullopt;
    set_question();
    for (const std::size_t d : in_order()) {
      dims_.push_back(d);
      ways_.push_back(best_ways(question_, d, tuples_, budget_));
      if (ways_.back().empty() || !budget_.spend()) return std::nullopt;
    }
    set_rests();
    for (const std::size_t beam : {std::size_t{64}, std::size_t{4096}, SIZE_MAX}) {
      narrowed_ = false;
      if (const auto found = combine(beam)) return point(*found);
      if (!narrowed_ || !budget_.spend()) break;
    }
    return std::nullopt;
  }

 private:
  struct Rest {                        // of the dimensions that are still to come
    std::vector<std::uint64_t> words;  // by entry, at least
    std::vector<std::uint64_t> most_words;
    std::vector<double> lanes;  // by rule, at most
    std::uint64_t must = 0;
  };

  const Memory& memory(std::size_t m) const { return arch_.memories[m]; }

  bool must_be_filled(std::size_t m) const {
    return memory(m).size_bits &&
           std::any_of(placement_.filled.begin(), placement_.filled.end(),
                       [&](const FilledRule& rule) { return rule.memory == m; });
  }

  // A memory that stores nothing is not filled.
  bool filled_at_all() const {
    return std::all_of(
        placement_.filled.begin(), placement_.filled.end(), [&](const FilledRule& rule) {
          return rule.share <= 0 || std::any_of(placement_.steps.begin(), placement_.steps.end(),
                                                [&](const PlacementStep& step) {
                                                  return step.kind == PlacementStep::Kind::kStore &&
                                                         step.memory == rule.memory;
                                                });
        });
  }

  // Dimensions of extent 1 have no loop.
  bool small_dims_agree() const {
    return std::all_of(
        placement_.factors.begin(), placement_.factors.end(), [&](const FactorRule& rule) {
          return problem_.dims[rule.dim].extent > 1 || (rule.least <= 1 && rule.most >= 1);
        });
  }

  void set_question() {
    question_.problem = &problem_;
    question_.placement = &placement_;
    for (std::size_t i = 0; i < placement_.steps.size(); ++i) {
      const PlacementStep& step = placement_.steps[i];
      if (step.kind != PlacementStep::Kind::kStore || !memory(step.memory).size_bits) continue;
      for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
        if ((step.tensors >> t & 1u) == 0) continue;
        question_.entries.push_back(
            {i, step.memory, static_cast<std::uint8_t>(t), must_be_filled(step.memory)});
      }
    }
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      if (placement_.slots[s].kind == Slot::Kind::kAxis) question_.axes.push_back(s);
    }
    for (const OrderRule& rule : order_rules(placement_)) question_.ordered |= rule.slots;
  }

  // Dimensions that share a rank come next to each other, so that few words wait for them.
  std::vector<std::size_t> in_order() const {
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) visit(d, order);
    return order;
  }
  void visit(std::size_t d, std::vector<std::size_t>& order) const {
    if (problem_.dims[d].extent == 1) return;
    if (std::find(order.begin(), order.end(), d) != order.end()) return;
    order.push_back(d);
    for (const Tensor& tensor : problem_.tensors) {
      for (const Rank& rank : tensor.ranks) {
        if (!holds(rank, d)) continue;
        for (const Term& term : rank.terms) visit(index(term.dim), order);
      }
    }
  }
  static bool holds(const Rank& rank, std::size_t d) {
    return std::any_of(rank.terms.begin(), rank.terms.end(),
                       [&](const Term& term) { return index(term.dim) == d; });
  }

  // ---- what the dimensions that are still to come ask at least, and have to offer at most ----

  void set_rests() {
    const std::size_t entries = question_.entries.size();
    for (std::size_t level = 0; level <= dims_.size(); ++level) {
      Rest rest;
      waits_.emplace_back(entries);
      for (std::size_t e = 0; e < entries; ++e) {
        Sizes least;
        least.fill(1);
        Sizes most = least;
        for (std::size_t i = 0; i < dims_.size(); ++i) {
          if (!waits(e, i, level)) continue;
          std::tie(least[dims_[i]], most[dims_[i]]) = tiles(e, i);
          waits_[level][e] |= 1u << i;
        }
        rest.words.push_back(footprints_.words(question_.entries[e].tensor, least));
        rest.most_words.push_back(footprints_.words(question_.entries[e].tensor, most));
      }
      for (std::size_t r = 0; r < placement_.lanes.size(); ++r) {
        double most = 1;
        for (std::size_t i = level; i < dims_.size(); ++i) most *= most_lanes(r, i);
        rest.lanes.push_back(most);
      }
      for (std::size_t i = level; i < dims_.size(); ++i) {
        for (const Way& way : ways_[i]) rest.must |= must_of(way);
      }
      rests_.push_back(std::move(rest));
    }
  }

  // Is dimension number i part of a rank of the entry that is not complete at this level?
  bool waits(std::size_t entry, std::size_t i, std::size_t level) const {
    for (const Rank& rank : problem_.tensors[question_.entries[entry].tensor].ranks) {
      if (holds(rank, dims_[i])) return completed_at(rank) > level;
    }
    return false;
  }
  std::size_t completed_at(const Rank& rank) const {
    std::size_t level = 0;
    for (std::size_t i = 0; i < dims_.size(); ++i) {
      if (holds(rank, dims_[i])) level = i + 1;
    }
    return level;
  }
  std::pair<std::int64_t, std::int64_t> tiles(std::size_t entry, std::size_t i) const {
    std::uint32_t least = UINT32_MAX, most = 1;
    for (const Way& way : ways_[i]) {
      least = std::min(least, way.tile[entry]);
      most = std::max(most, way.tile[entry]);
    }
    return {least, most};
  }
  double most_lanes(std::size_t rule, std::size_t i) const {
    std::uint64_t most = 1;
    for (const Way& way : ways_[i]) most = std::max(most, lanes_of(question_, rule, way.bound));
    return static_cast<double>(most);
  }
  std::uint64_t must_of(const Way& way) const {
    std::uint64_t sets = 0;
    for (std::size_t m = 0; m < placement_.must_loop.size(); ++m) {
      if ((way.slots & placement_.must_loop[m]) != 0) sets |= std::uint64_t{1} << m;
    }
    return sets;
  }

  // ---- combining ----

  std::optional<Combined> combine(std::size_t beam) {
    Combined nothing;
    nothing.words.assign(question_.entries.size(), 1);
    nothing.lanes.assign(question_.axes.size(), 1);
    nothing.loops.assign(placement_.slots.size(), 0);
    nothing.asked.assign(placement_.lanes.size(), 1);
    if (!hopeful(nothing, 0)) return std::nullopt;
    std::vector<Combined> states = {std::move(nothing)};
    for (std::size_t i = 0; i < dims_.size() && !states.empty(); ++i) {
      std::vector<Combined> next;
      for (const Combined& state : states) {
        for (std::uint32_t w = 0; w < ways_[i].size(); ++w) {
          if (!budget_.spend()) return std::nullopt;
          std::optional<Combined> made = extended(state, i, w);
          if (made) next.push_back(*std::move(made));
        }
      }
      states = best_of(std::move(next), i + 1, beam);
    }
    for (const Combined& state : states) {
      if (filled(state)) return state;
    }
    return std::nullopt;
  }

  std::optional<Combined> extended(const Combined& state, std::size_t i, std::uint32_t w) {
    const Way& way = ways_[i][w];
    Combined made = state;
    made.way.push_back(w);
    for (std::size_t a = 0; a < made.lanes.size(); ++a) {
      const std::uint64_t lanes = std::uint64_t{made.lanes[a]} * way.bound[a];
      if (lanes > question_.axis_size(a)) return std::nullopt;
      made.lanes[a] = static_cast<std::uint32_t>(lanes);
    }
    for (std::size_t r = 0; r < made.asked.size(); ++r) {
      made.asked[r] = lanes_of(question_, r, made.lanes);
    }
    for (std::size_t s = 0; s < made.loops.size(); ++s) {
      if ((way.slots & question_.ordered) >> s & 1u) {
        made.loops[s] = static_cast<DimMask>(made.loops[s] | 1u << dims_[i]);
      }
    }
    made.must |= must_of(way);
    for (std::size_t e = 0; e < made.words.size(); ++e) add_ranks(made, e, i);
    if (!hopeful(made, i + 1) || !arranger_.possible(made.loops, false)) return std::nullopt;
    forget_words(made, i + 1);
    made.promise = promise(made);
    return made;
  }

  // The ranks that dimension number i completes.
  void add_ranks(Combined& made, std::size_t entry, std::size_t i) {
    const std::size_t tensor = question_.entries[entry].tensor;
    for (const Rank& rank : problem_.tensors[tensor].ranks) {
      if (!holds(rank, dims_[i]) || completed_at(rank) != i + 1) continue;
      Sizes tile;
      tile.fill(1);
      for (std::size_t j = 0; j <= i; ++j) {
        if (holds(rank, dims_[j])) tile[dims_[j]] = ways_[j][made.way[j]].tile[entry];
      }
      made.words[entry] *= footprints_.words(tensor, tile);
    }
  }

  // Can the dimensions from `level` on still make it fit?
  bool hopeful(const Combined& state, std::size_t level) const {
    const Rest& rest = rests_[level];
    for (std::size_t m = 0; m < arch_.memories.size(); ++m) {
      if (!memory(m).size_bits) continue;
      const std::uint64_t limit = usable_bits(memory(m));
      Wide bits = 0;
      for (std::size_t e = 0; e < question_.entries.size(); ++e) {
        if (question_.entries[e].memory == m) bits += least_bits(state, rest, e);
      }
      if (bits > limit) return false;
    }
    for (std::size_t r = 0; r < state.asked.size(); ++r) {
      const LanesRule& rule = placement_.lanes[r];
      const double most = std::min(static_cast<double>(state.asked[r]) * rest.lanes[r],
                                   most_lanes_beside(state, r));
      if (most / rule.lanes < rule.share) return false;
    }
    const std::uint64_t all = (std::uint64_t{1} << placement_.must_loop.size()) - 1;
    return (state.must | rest.must) == all;
  }
  // Of memories that hold whatever is still to come.
  void forget_words(Combined& made, std::size_t level) const {
    for (std::size_t m = 0; m < arch_.memories.size(); ++m) {
      if (!memory(m).size_bits || must_be_filled(m)) continue;
      Wide bits = 0;
      for (std::size_t e = 0; e < question_.entries.size(); ++e) {
        if (question_.entries[e].memory != m) continue;
        bits += static_cast<Wide>(made.words[e]) * rests_[level].most_words[e] *
                footprints_.bits(question_.entries[e].tensor);
      }
      if (bits > usable_bits(memory(m))) continue;
      for (std::size_t e = 0; e < question_.entries.size(); ++e) {
        if (question_.entries[e].memory == m) made.words[e] = 0;
      }
    }
  }
  Wide least_bits(const Combined& state, const Rest& rest, std::size_t e) const {
    return static_cast<Wide>(state.words[e]) * rest.words[e] *
           footprints_.bits(question_.entries[e].tensor);
  }
  // As the axes have room for.
  double most_lanes_beside(const Combined& state, std::size_t rule) const {
    double most = 1;
    for (std::size_t a = 0; a < state.lanes.size(); ++a) {
      if ((placement_.lanes[rule].slots >> question_.axes[a] & 1u) == 0) continue;
      const std::uint32_t room = question_.axis_size(a) / state.lanes[a];
      most *= static_cast<double>(room * state.lanes[a]);
    }
    return most;
  }

  double promise(const Combined& state) const {
    double promise = 0;
    for (const std::uint64_t lanes : state.asked) promise += std::log2(static_cast<double>(lanes));
    for (std::size_t e = 0; e < state.words.size(); ++e) {
      const double words = std::log2(1 + static_cast<double>(state.words[e]));
      promise += question_.entries[e].exact ? words : -words;
    }
    return promise;
  }

  // Of those that differ in nothing but lanes that count for the first rule, one is best.
  void drop_alike(std::vector<Combined>& states, std::size_t level) const {
    std::map<std::vector<std::uint64_t>, std::size_t> best;
    std::vector<Combined> kept;
    for (Combined& state : states) {
      std::vector<std::uint64_t> key = state.words;
      for (std::size_t e = 0; e < state.words.size(); ++e) {
        for (std::size_t i = 0; i < level && state.words[e] != 0; ++i) {
          if (waits_[level][e] >> i & 1u) key.push_back(ways_[i][state.way[i]].tile[e]);
        }
      }
      for (std::size_t x = 0; x < state.lanes.size(); ++x) {
        key.push_back(question_.axis_size(x) / state.lanes[x]);
      }
      for (std::size_t r = 1; r < state.asked.size(); ++r) key.push_back(state.asked[r]);
      key.insert(key.end(), state.loops.begin(), state.loops.end());
      key.push_back(state.must);
      const auto [at, fresh] = best.emplace(std::move(key), kept.size());
      if (fresh) {
        kept.push_back(std::move(state));
      } else if (!state.asked.empty() && state.asked[0] > kept[at->second].asked[0]) {
        kept[at->second] = std::move(state);
      }
    }
    states = std::move(kept);
  }

  // Those that no other one is as good as; of more than `beam`, the most promising ones.
  std::vector<Combined> best_of(std::vector<Combined> states, std::size_t level, std::size_t beam) {
    drop_alike(states, level);
    std::stable_sort(states.begin(), states.end(),
                     [](const Combined& a, const Combined& b) { return a.promise > b.promise; });
    std::vector<Combined> kept;
    for (Combined& state : states) {
      if (!budget_.spend(1 + kept.size() / 8)) break;
      const bool needless = std::any_of(kept.begin(), kept.end(), [&](const Combined& other) {
        return as_good(other, state, level);
      });
      if (needless) continue;
      if (kept.size() >= beam) {
        narrowed_ = true;
        break;
      }
      kept.push_back(std::move(state));
    }
    return kept;
  }

  bool as_good(const Combined& a, const Combined& b, std::size_t level) const {
    for (std::size_t e = 0; e < a.words.size(); ++e) {
      if (!as_small(a.words[e], b.words[e], e)) return false;
      if (a.words[e] == 0) continue;
      for (std::size_t i = 0; i < level; ++i) {
        const std::uint32_t of_a = ways_[i][a.way[i]].tile[e], of_b = ways_[i][b.way[i]].tile[e];
        if (of_a != of_b && (waits_[level][e] >> i & 1u) != 0 && !as_small(of_a, of_b, e))
          return false;
      }
    }
    for (std::size_t x = 0; x < a.lanes.size(); ++x) {
      const std::uint32_t size = question_.axis_size(x);
      if (size / a.lanes[x] < size / b.lanes[x]) return false;
    }
    for (std::size_t r = 0; r < a.asked.size(); ++r) {
      if (a.asked[r] < b.asked[r]) return false;
    }
    for (std::size_t s = 0; s < a.loops.size(); ++s) {
      if ((a.loops[s] & ~b.loops[s]) != 0) return false;
    }
    return (b.must & ~a.must) == 0;
  }
  bool as_small(std::uint64_t a, std::uint64_t b, std::size_t entry) const {
    return question_.entries[entry].exact ? a == b : a <= b;
  }

  bool filled(const Combined& state) const {
    const auto used = [&](std::uint8_t m) {
      Wide bits = 0;
      for (std::size_t e = 0; e < state.words.size(); ++e) {
        if (question_.entries[e].memory == m) bits += least_bits(state, rests_.back(), e);
      }
      return static_cast<double>(static_cast<std::uint64_t>(bits));  // they fit
    };
    return std::all_of(
        placement_.filled.begin(), placement_.filled.end(), [&](const FilledRule& rule) {
          const Memory& its = memory(rule.memory);
          return !its.size_bits ||
                 used(rule.memory) >= rule.share * static_cast<double>(usable_bits(its));
        });
  }

  Point point(const Combined& found) const {
    Point point;
    point.slots.resize(placement_.slots.size());
    std::vector<DimMask> loops(placement_.slots.size());
    for (std::size_t i = 0; i < dims_.size(); ++i) {
      const Way& way = ways_[i][found.way[i]];
      put(static_cast<std::uint8_t>(dims_[i]), way.chain, point);
      for (const ChainLoop& loop : way.chain) {
        DimMask& dims = loops[static_cast<std::size_t>(loop.slot)];
        dims = static_cast<DimMask>(dims | 1u << dims_[i]);
      }
    }
    for (std::size_t s = 0; s < loops.size(); ++s) {
      reorder(s, arranger_.unrank(s, loops[s], 0), point);
    }
    return point;
  }

  const Placement& placement_;
  const Problem& problem_;
  const Arch& arch_;
  Footprints& footprints_;
  Tuples& tuples_;
  FitBudget& budget_;
  Arranger arranger_;
  FitQuestion question_;
  std::vector<std::size_t> dims_;                  // of extent > 1, as they are combined
  std::vector<std::vector<Way>> ways_;             // of each
  std::vector<std::vector<std::uint32_t>> waits_;  // by level and entry: these dimensions
  std::vector<Rest> rests_;                        // by how many dimensions are combined
  bool narrowed_ = false;
};

}  // namespace

std::optional<Point> fit_in(const Placement& placement, const Problem& problem, const Arch& arch,
                            Footprints& footprints, Tuples& tuples, FitBudget& budget) {
  return PlacementFit(placement, problem, arch, footprints, tuples, budget).run();
}

}  // namespace loopscape
