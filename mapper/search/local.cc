// local: from random mappings to ones that no neighbour betters (search.h says what a neighbour
// is). Proves nothing.
#include <algorithm>
#include <tuple>

#include "mapper/search/probe.h"

namespace loopscape {
namespace {

class Local {
 public:
  Local(const Mapspace& space, Numbering& numbering, const Goal& goal, const LocalOptions& options,
        Probe& probe)
      : space_(space),
        numbering_(numbering),
        goal_(goal),
        options_(options),
        probe_(probe),
        random_(options.seed) {
    for (const Dim& dim : space.problem().dims) bounds_.push_back(bounds_worth_trying(dim.extent));
  }

  // False: a limit struck.
  Result<bool> run() {
    for (std::uint64_t start = 0; start < options_.starts; ++start) {
      const Result<bool> found = draw_start();
      if (!found.ok()) return found.status();
      while (*found && step()) {
      }
      if (probe_.stopped()) return false;
    }
    return true;
  }

 private:
  // Beyond the bounds of the goal by how much; the objective; what breaks ties.
  using Rank = std::tuple<double, double, double>;

  Rank rank_of(const Cost& cost) const {
    const auto cycles = static_cast<double>(cost.cycles);
    double beyond = 0;
    if (goal_.max_cycles) beyond += std::max(0.0, cycles - *goal_.max_cycles) / cycles;
    if (goal_.max_energy_pj && cost.energy_pj > *goal_.max_energy_pj) {
      beyond += (cost.energy_pj - *goal_.max_energy_pj) / cost.energy_pj;
    }
    const double second = goal_.objective == Objective::kEnergy ? cycles : cost.energy_pj;
    return {beyond, objective_value(goal_.objective, cost.energy_pj, cycles), second};
  }

  // Perfect: the divisors. Ragged: for each number of iterations the smallest bound that gives it;
  // any other covers the same with more waste.
  std::vector<std::uint32_t> bounds_worth_trying(std::int64_t extent) const {
    std::vector<std::uint32_t> bounds;
    for (std::int64_t b = 1; b <= extent; ++b) {
      const std::int64_t others = (extent + b - 1) / b;
      const bool smallest = b == 1 || (extent + b - 2) / (b - 1) > others;
      const bool wanted =
          space_.options().factors == Factors::kPerfect ? extent % b == 0 : smallest;
      if (wanted) bounds.push_back(static_cast<std::uint32_t>(b));
    }
    return bounds;
  }

  Result<bool> draw_start() {
    for (std::uint64_t i = 0; i < options_.tries && !probe_.stopped(); ++i) {
      Result<Point> point = numbering_.sample(random_);
      if (!point.ok()) return point.status();
      const Mapping mapping = space_.mapping(*point);
      const Cost cost = probe_.price(mapping);
      if (!cost.ok() || !probe_.fills(*point, mapping)) continue;
      probe_.offer(mapping, cost);
      here_ = std::move(point).value();
      rank_ = rank_of(cost);
      return true;
    }
    return false;
  }

  // To the first better neighbour; false: there is none, or a limit struck.
  bool step() {
    const Placement& placement = space_.placements()[here_.placement];
    for (std::size_t s = 0; s < placement.slots.size(); ++s) {
      if (placement.slots[s].ordered && swap_loops(s)) return true;
    }
    for (std::size_t d = 0; d < bounds_.size(); ++d) {
      for (std::size_t s = 0; s < placement.slots.size(); ++s) {
        if (takes(s, d) && change_bound(s, d)) return true;
      }
    }
    return change_stores();
  }

  bool takes(std::size_t s, std::size_t d) const {
    return (space_.placements()[here_.placement].slots[s].dims >> d & 1u) != 0;
  }

  bool swap_loops(std::size_t s) {
    for (std::size_t i = 1; i < here_.slots[s].size(); ++i) {
      Point next = here_;
      std::swap(next.slots[s][i - 1], next.slots[s][i]);
      if (move_to(space_.mapping(next))) return true;
    }
    return false;
  }

  bool change_bound(std::size_t s, std::size_t d) {
    for (const std::uint32_t bound : bounds_[d]) {
      if (bound == bound_at(s, d)) continue;
      for (std::size_t other = 0; other < here_.slots.size(); ++other) {
        if (other != s && takes(other, d) && shift(s, bound, other, d)) return true;
      }
    }
    return false;
  }

  // The dimension gets `bound` in slot s, and in the other slot what its extent then needs there.
  bool shift(std::size_t s, std::uint32_t bound, std::size_t other, std::size_t d) {
    const std::int64_t extent = space_.problem().dims[d].extent;
    std::int64_t inner = bound;
    for (std::size_t i = 0; i < here_.slots.size(); ++i) {
      if (i != s && i != other) inner *= bound_at(i, d);
      if (inner > extent) return false;
    }
    const std::int64_t rest = (extent + inner - 1) / inner;
    if (space_.options().factors == Factors::kPerfect && inner * rest != extent) return false;
    for (const bool innermost : {false, true}) {
      Point next = here_;
      set_bound(s, d, bound, innermost, next);
      set_bound(other, d, static_cast<std::uint32_t>(rest), innermost, next);
      if (move_to(space_.mapping(next))) return true;
    }
    return false;
  }

  std::uint32_t bound_at(std::size_t s, std::size_t d) const {
    for (const Point::Loop& loop : here_.slots[s]) {
      if (loop.dim == d) return loop.bound;
    }
    return 1;
  }

  void set_bound(std::size_t s, std::size_t d, std::uint32_t bound, bool innermost,
                 Point& point) const {
    std::vector<Point::Loop>& loops = point.slots[s];
    const auto at =
        std::find_if(loops.begin(), loops.end(), [d](const auto& loop) { return loop.dim == d; });
    if (at != loops.end()) {
      if (bound == 1)
        loops.erase(at);
      else
        at->bound = bound;
      return;
    }
    if (bound == 1) return;
    loops.insert(innermost ? loops.end() : loops.begin(), {static_cast<std::uint8_t>(d), bound});
    if (!space_.placements()[point.placement].slots[s].ordered) {
      std::sort(loops.begin(), loops.end(),
                [](const auto& a, const auto& b) { return a.dim < b.dim; });
    }
  }

  // ---- neighbours by stores ----

  bool change_stores() {
    const Mapping mapping = space_.mapping(here_);
    for (std::size_t i = 1; i < mapping.size(); ++i) {
      const bool store = mapping[i].kind == LoopKind::kStore;
      if (store == (mapping[i - 1].kind == LoopKind::kStore)) continue;
      Mapping next = mapping;
      std::swap(next[i - 1], next[i]);
      if (move_to(joined(next))) return true;
    }
    const Problem& problem = space_.problem();
    for (std::size_t m = 1; m < space_.arch().memories.size(); ++m) {
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        if (toggle_store(mapping, static_cast<MemoryId>(m), static_cast<TensorMask>(1u << t))) {
          return true;
        }
      }
    }
    return false;
  }

  // Without the tensor in this memory if it is there, else with it, wherever that may be.
  bool toggle_store(const Mapping& mapping, MemoryId memory, TensorMask tensor) {
    for (std::size_t i = 0; i < mapping.size(); ++i) {
      if (mapping[i].kind != LoopKind::kStore || mapping[i].memory() != memory) continue;
      if ((mapping[i].tensors & tensor) == 0) continue;
      Mapping next = mapping;
      next[i].tensors = static_cast<TensorMask>(next[i].tensors & ~tensor);
      return move_to(joined(next));
    }
    for (std::size_t at = 1; at <= mapping.size(); ++at) {
      Mapping next;
      for (std::size_t i = 0; i < at; ++i) next.push_back(mapping[i]);
      if (!next.push_back(MappingNode::store(memory, tensor))) return false;
      for (std::size_t i = at; i < mapping.size(); ++i) {
        if (!next.push_back(mapping[i])) return false;
      }
      if (move_to(joined(next))) return true;
    }
    return false;
  }

  // Stores of nothing left out; neighbouring stores of one memory, and loops over one dimension
  // with no store between them, made one.
  static Mapping joined(const Mapping& mapping) {
    Mapping out;
    for (const MappingNode& node : mapping) {
      const bool store = node.kind == LoopKind::kStore;
      if (store && node.tensors == 0) continue;
      bool merged = false;
      for (std::size_t i = out.size(); i-- > 0 && !merged && out[i].kind == node.kind;) {
        if (out[i].id != node.id || out[i].axis != node.axis) continue;
        out[i].tensors = static_cast<TensorMask>(out[i].tensors | node.tensors);
        if (!store) out[i].bound *= node.bound;
        merged = true;
      }
      if (!merged) out.push_back(node);
    }
    return out;
  }

  bool move_to(const Mapping& mapping) {
    if (probe_.stopped()) return false;
    const Cost cost = probe_.price(mapping);
    if (!cost.ok() || !(rank_of(cost) < rank_)) return false;
    Result<Point> its = space_.point_of(mapping);  // constraints, and no mapping twice
    if (!its.ok() || !probe_.fills(*its, mapping)) return false;
    probe_.offer(mapping, cost);
    here_ = std::move(its).value();
    rank_ = rank_of(cost);
    return true;
  }

  const Mapspace& space_;
  Numbering& numbering_;
  const Goal& goal_;
  LocalOptions options_;
  Probe& probe_;
  std::mt19937_64 random_;
  std::vector<std::vector<std::uint32_t>> bounds_;  // by dimension
  Point here_;
  Rank rank_;
};

}  // namespace

Result<SearchResult> search_local(const Mapspace& space, const Evaluator& evaluator,
                                  const Goal& goal, const LocalOptions& options,
                                  const SearchLimits& limits) {
  Result<Numbering> numbering = Numbering::create(space);
  if (!numbering.ok()) return numbering.status();
  Probe probe(space, evaluator, goal, limits);
  const bool empty = numbering->size() == BigCount();
  bool ended = true;
  if (!empty) {
    const Result<bool> run = Local(space, *numbering, goal, options, probe).run();
    if (!run.ok()) return run.status();
    ended = *run;
  }
  SearchResult result = probe.result();
  result.limited = !ended;
  result.certificate.proved = empty;
  return result;
}

}  // namespace loopscape
