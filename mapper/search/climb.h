// One placement with its spatial loops fixed, climbed from one operation to the whole problem
// (optimal_search.md). A state is a tile shape, the boundaries that are still open, and what rules
// remember; of two states with the same future the cheaper one is kept. For this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "mapper/mapspace/mapspace.h"
#include "mapper/search/choices.h"
#include "mapper/search/copies.h"
#include "mapper/search/incumbent.h"
#include "mapper/search/kin.h"
#include "mapper/search/mean_lanes.h"
#include "mapper/search/outlook.h"
#include "mapper/search/steps.h"
#include "model/bounds/bounds.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

Skeleton skeleton_of(const Mapspace& space, const Placement& placement,
                     const SpatialLoops& spatial);

struct ClimbWork {
  std::uint64_t states = 0, bounded = 0, dominated = 0, work = 0, unpriced = 0;
  void add(const ClimbWork& other);
};

// Do neighbours pass words of this input on anywhere?
bool has_neighbour_links(const Mapspace& space, std::size_t tensor);

// What climbs have in common; none of it decides an answer. For one thread at a time.
struct ClimbTools {
  BoundaryCounter counter;
  OutlookLattices lattices;
  KnownMeanLanes mean_lanes = {};
};

class Climb {
 public:
  // `kin`: if there are any, `spatial` is the first of them, and nothing costs more than with the
  // best of them (kin.h). What takes more cycles than `most_cycles` is of no use: bounds need not
  // hold for it.
  Climb(const Mapspace& space, const Evaluator& evaluator, ClimbTools& tools,
        std::uint32_t placement, const SpatialLoops& spatial, const PruningRules& rules,
        std::span<const SpatialLoops> kin = {},
        double most_cycles = std::numeric_limits<double>::infinity());

  // For every mapping with these spatial loops; once looked out, closer.
  const CostBound& least() const { return least_; }
  // Ways to place the temporal loops, about; orders apart.
  double tilings() const;
  // Combinations of sizes that tiles have with these lanes, those alike together.
  double sizes() const;
  // Ahead, for a blend of energy and time, or without a price of time for energy alone.
  void look_out(const Blend& blend);
  // For this blend as well, if `tells` says so of the bound with it.
  void look_also(const Blend& blend, const std::function<bool(const CostBound&)>& tells);
  // Before that, only to know a bound: on a lattice of few tiles.
  void glance(const Blend& blend, OutlookLattices& coarse);
  // What these computed, but for what all choices of spatial loops share.
  std::uint64_t outlook_numbers() const { return outlook_numbers_; }

  // After looking out for energy, if that is worth its while. Offers every mapping that may belong
  // to the answer, which only kDone proves. `beam`: keeps only so many states at every step. Of
  // kin, the mappings that may are offered in every order; kUntold: that did not settle it.
  enum class End : std::uint8_t { kDone, kNarrowed, kUntold, kInterrupted };
  End run(Incumbents& incumbents, Scratch& scratch, ClimbWork& work, const SearchLimits& limits,
          std::size_t beam = SIZE_MAX, bool strict = false);
  // Can kin be compared by more than sums, so that a strict run of them proves what they may?
  bool may_be_strict() const { return prices_.tells_all() && compares_words_; }

 private:
  OutlookLattice::Lanes lattice_lanes() const;
  void look_out_on(OutlookLattices& lattices, const Blend& blend);
  bool add_view(const Blend& blend);
  void add_energy();
  bool add_line(const Blend& blend);

  struct State;
  class Run;
  struct Step {
    enum class Kind : std::uint8_t { kSlot, kAxis, kStore } kind;
    std::uint8_t slot = 0, memory = 0;
    TensorMask tensors = 0;
  };

  // What is still to be paid, at least.
  struct Future {
    double energy = 0, exposed = 0;
    PerResource busy;
    void add(const Future& other);
    void lower(const Future& other);  // componentwise least
  };
  using Tile = std::array<std::uint32_t, kMaxDims>;
  struct OpenRun {
    std::uint8_t tensor = 0, boundary = 0;
    bool may_go_on = true;
  };
  // Stores between the same two fan-outs, no tensor twice: their boundaries are open together.
  struct Level {
    std::size_t first = 0, last = 0;  // steps
    std::vector<OpenRun> runs;
    std::vector<OpenRun> passing;       // opened further in, with parents further out
    std::vector<std::size_t> run_step;  // of each run's store
    Future least;
  };

  struct Watch {
    std::uint8_t fanout, tensor, boundary;
    double fold_cycles = 0;  // of one residence, if no other tensor can be stationary instead
  };
  void set_watches();
  bool lies_below(std::uint8_t memory, std::size_t fanout) const;
  void set_counts_tell();
  void set_shares();
  void set_floors();
  bool is_plain(std::size_t tensor) const;
  bool spares_time(const BoundaryPrices::Floor& floor, std::size_t tensor) const;
  // t, k: a boundary, of the tensor's store k in its chain.
  void set_line(std::size_t t, std::size_t k);
  void set_copies(std::size_t t, std::size_t k);
  using StepBudgets = std::array<double, kMaxDims>;  // steps along each dimension, at most
  std::vector<StepBudgets> step_budgets(std::size_t t, std::size_t k) const;
  bool pays_for_places(std::size_t t, std::size_t k) const;
  BoundaryPrices::Links links_with(const BoundaryPrices& prices, std::size_t t, std::size_t k,
                                   const StepBudgets& budgets) const;
  // Of all kin.
  BoundaryPrices::Links least_links(std::size_t t, std::size_t k) const;
  double least_links_pj(std::size_t t, std::size_t k) const;
  double least_mean_lane(std::size_t dim, std::int64_t inside, double most_steps) const;
  void set_mean_lanes(KnownMeanLanes& known);
  double most_copies(std::size_t t, std::size_t k) const;
  double most_rows(std::size_t t, const LaneRows& of_all) const;
  DimMask sharing(std::size_t t) const;
  double least_copies_pj(std::size_t t, std::size_t k) const;
  std::vector<MappingNode> lanes_of(std::size_t t, std::size_t k) const;
  void set_lanes_ahead();
  const std::array<std::int64_t, kMaxDims>& lanes_ahead(std::size_t step, std::size_t t,
                                                        std::size_t k) const {
    return lanes_ahead_[step * first_ahead_.back() + first_ahead_[t] + k - 1];
  }
  void set_future();
  void find_levels();
  Future least_of_level(const Level& level) const;
  double words_now(std::size_t t, std::size_t k, const Tile& tile, std::size_t step) const;
  void add_open(std::span<const OpenRun> runs, const Tile& tile, const Tile& can_grow,
                std::size_t step, Future& sum) const;
  bool fits(const Step& store, const Tile& tile) const;
  double words_of_compute(std::size_t tensor) const;
  static std::uint64_t name_of(const Step& store);
  double words_but_pairs(std::size_t tensor) const;
  std::int64_t busy_at_edge(std::size_t dim, std::int64_t size, std::int64_t within) const;
  std::int64_t copies(std::size_t dim, std::int64_t size, std::int64_t within,
                      std::int64_t beyond) const;
  std::int64_t rows(const LaneRows& lanes, std::size_t dim, std::int64_t size, std::int64_t within,
                    std::int64_t beyond) const;
  double copies_pj(std::size_t t, std::size_t k, const Tile& child, const Tile& tile,
                   std::size_t step, double demand) const;
  Outlook::Pair pair_of(std::size_t tensor, const BoundaryCounter::Pair& pair, double per_row,
                        const Outlook::Run& run) const;
  // What a blend pays for a boundary, by the words that cross it.
  struct Price {
    double base = 0, slope = 0;
    double fold = 0;  // of each of the child's residences
  };
  struct View {
    Blend blend;
    std::vector<std::vector<Price>> price;  // [tensor][boundary]
    Outlook outlook;
  };
  View view_of(const Blend& blend) const;
  Outlook::Run run_of(const OpenRun& open, std::size_t next, const View& view) const;
  std::array<std::int64_t, kMaxDims> lanes_between(std::size_t step, std::size_t next) const;
  DimMask loose_between(std::size_t step, std::size_t next) const;
  // Which of a level's runs this is, or -1.
  template <class AnyRun>
  static int run_at(const Level& level, const AnyRun& run) {
    const auto is_it = [&](const OpenRun& other) {
      return other.tensor == run.tensor && other.boundary == run.boundary;
    };
    for (std::size_t r = 0; r < level.runs.size(); ++r) {
      if (is_it(level.runs[r])) return static_cast<int>(r);
    }
    for (std::size_t r = 0; r < level.passing.size(); ++r) {
      if (is_it(level.passing[r])) return static_cast<int>(level.runs.size() + r);
    }
    return -1;
  }
  static double blended(const Blend& blend, double energy, double exposed, const PerResource& busy);
  double paid_for(const Price& price, double words) const;
  double fold_cycles(std::size_t tensor, std::size_t boundary) const;
  // Residences of a child whose run ended at this tile, or at a larger one before lanes.
  double residences(const Tile& tile, std::size_t step) const;
  double tile_cycles(std::size_t tensor, std::size_t boundary, std::int64_t words) const;
  double least_of_all(const View& view) const;
  CostBound::Line line_of(const Blend& blend, double least, double steps) const;
  std::uint8_t chain_memory(const OpenRun& run) const;
  Outlook::Level outlook_level(std::size_t level, const View& view) const;
  std::size_t next_level_step(std::size_t level) const;
  std::size_t next_slot(std::size_t step) const;
  std::size_t step_of_store(std::size_t tensor, std::uint8_t memory) const;
  void add_least(const BoundaryPrices::Floor& floor, double demand, Future& sum) const;
  double cycles_of(const PerResource& busy, double exposed, double steps) const;
  static double most_busy(const PerResource& busy);
  static double exposed_cycles(double exposed);
  void add_leakage(double cycles, double& energy) const;

  const Mapspace& space_;
  const Evaluator& evaluator_;
  BoundaryCounter& counter_;
  OutlookLattices& lattices_;
  std::shared_ptr<OutlookLattice> lattice_;  // of the views
  std::uint32_t placement_number_;
  const Placement& placement_;
  const SpatialLoops& spatial_;
  std::span<const SpatialLoops> kin_;
  std::optional<KinFlows> kin_flows_;
  PruningRules rules_;
  bool dominates_ = true;
  // Some instances may move more words than others.
  bool instances_differ_ = true;
  bool compares_words_ = false;              // sums do not tell all
  std::vector<std::size_t> first_boundary_;  // [tensor]: in State::moved
  // [tensor][dimension]: those that share a rank with it; none where it tells nothing by itself.
  std::array<std::array<DimMask, kMaxDims>, kMaxTensors> group_{};
  bool gates_leak_ = false;  // which instances are in use depends on tiles
  std::array<bool, kMaxDims> counts_tell_{};
  std::array<std::vector<std::uint32_t>, kMaxDims> divisors_;  // of extents, if perfect
  std::vector<Watch> watches_;  // runs that decide the folds of systolic fan-outs
  Skeleton skeleton_;
  BoundaryPrices prices_;
  std::vector<BoundaryPrices> kin_prices_;                        // but of the first
  std::vector<Step> steps_;                                       // innermost first
  std::array<std::vector<std::size_t>, kMaxTensors> store_step_;  // [tensor][store]
  DimMask all_dims_ = 0;
  std::int64_t operations_ = 1;
  std::vector<bool> forwards_;                             // [tensor]
  std::vector<std::vector<BoundaryPrices::Floor>> floor_;  // [tensor][boundary]
  // Where copies can be told.
  struct Copies {
    CopyPrices prices;
    LaneRows rows;
    std::vector<double> pair_columns;  // of each pair: its copies in a row, at most
    double least_pj = 0;  // for copies beyond the first that lanes make of each word, at least
  };
  std::vector<std::vector<Copies>> copies_;  // [tensor][boundary]
  struct Lanes {
    std::int64_t inside = 1;                 // lanes over its dimension
    double at_once = 1;                      // all of them but its own
    std::shared_ptr<const MeanLanes> means;  // of ragged factors
  };
  std::vector<Lanes> lanes_;       // of each spatial loop
  bool only_energy_ = false;       // nothing but compute takes time
  bool exposes_ = false;           // some transfers, or folds
  bool spares_time_ = false;       // boundaries further out may spare time of those further in
  std::vector<bool> reuses_more_;  // [tensor]: under previous_tile words may still be there
  std::vector<std::array<std::int64_t, kMaxDims>> lanes_ahead_;  // [step][tensor's boundary]
  std::array<std::size_t, kMaxTensors + 1> first_ahead_{};       // [tensor]: of those of a step
  std::vector<std::array<std::int64_t, kMaxDims>> lanes_left_;   // [step]: further out
  std::array<std::int64_t, kMaxDims> outermost_lanes_{};
  std::vector<DimMask> grown_ahead_;  // [step]: dimensions of slots further out
  std::vector<std::vector<std::size_t>>
      sized_ahead_;                    // [step]: stores further out that have a size
  std::vector<double> compute_words_;  // [tensor]: that compute takes at least
  std::vector<Level> levels_;
  std::vector<Future> future_;           // [step]: of boundaries that are not open yet
  std::vector<View> views_;              // once looked out: of energy, and of each blend
  std::vector<StepsAlong> steps_along_;  // [dimension]: of compute
  double steps_least_ = 1, most_steps_;
  CostBound least_;
  std::uint64_t outlook_numbers_ = 0;
};

}  // namespace loopscape
