// The choices of spatial loops of all placements, by what their lanes tell, most promising first.
// There may be far more than memory holds: they come in rounds. For this folder only.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "mapper/mapspace/mapspace.h"
#include "mapper/search/folds.h"
#include "mapper/search/incumbent.h"
#include "model/bounds/bounds.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

// The loops on every axis slot of a placement, outermost first; other slots are empty.
using SpatialLoops = std::vector<std::vector<Point::Loop>>;

// A choice, as far as its outer slots tell.
struct LanesSoFar {
  std::span<const std::int64_t> lanes;  // of every dimension
  const SpatialLoops& loops;
  std::size_t next_slot = 0;  // the first whose loops are not chosen
  double more = 1;            // times as many lanes, at most, are yet to come
};

// Offers every choice of spatial loops that leaves a mapping, in the documented order: outer slots
// first, smaller bounds first. `keep` is asked of each, and before of all that go on from one.
struct ForSpatialChoices {
  std::function<bool(const LanesSoFar&)> keep;
  std::function<void(const SpatialLoops&)> take;
  bool first_kin = false;  // of kin (kin.h) only the first
  const std::atomic<bool>* stop = nullptr;
  std::uint64_t most_looks = UINT64_MAX;

  enum class End : std::uint8_t { kAll, kTooMany, kStopped };
  // Adds to the looks that it took.
  End run(const Mapspace& space, const Placement& placement, std::uint64_t& looks) const;
};

// What the lanes of a placement tell: every operation, every word once at each of its stores and
// as often as compute asks for it where lanes do not share it, the steps, the folds, and leakage
// meanwhile.
class LeastOfLanes {
 public:
  LeastOfLanes(const Mapspace& space, const Evaluator& evaluator, const BoundaryCounter& counter,
               const Placement& placement);
  CostBound of(const LanesSoFar& so_far) const;
  double steps(std::span<const std::int64_t> lanes) const;

 private:
  struct Asked {  // of a tensor, by compute, at the innermost store
    double access_pj = 0, words = 0;
    SlotMask inside = 0;           // where lanes share its words
    DimMask free = 0;              // if they are of these dimensions,
    std::vector<DimMask> sliding;  // or of a rank's, all but the longest
    std::vector<double> more;      // [slot]: lanes of it and those further in, if inside
  };
  static void set_inside(const Placement& placement, std::size_t tensor, Asked& asked);
  double served(const Asked& asked, const LanesSoFar& so_far) const;

  std::vector<double> extents_;
  double operations_, interval_cycles_, energy_pj_ = 0, busy_ = 0, leakage_pj_per_cycle_ = 0;
  std::vector<Asked> asked_;
  LeastFolds folds_;
};

struct Choice {
  std::uint32_t placement = 0;
  SpatialLoops spatial;
  CostBound least;
  double value = 0;  // of the objective, at least
};

class Choices {
 public:
  // `bounds`: are those left out that cannot be useful? `most`: in a round.
  Choices(const Mapspace& space, const Evaluator& evaluator, const BoundaryCounter& counter,
          const Incumbents& incumbents, bool bounds, std::size_t most,
          const std::atomic<bool>* stop);

  // The next ones that may be useful; none: there are no more, or it was stopped.
  std::vector<Choice> next(const Incumbents& incumbents, std::uint64_t most_looks);
  // Of those that did not come yet, at least; infinite where all came.
  double value_beyond() const { return beyond_; }
  bool all() const { return beyond_ == std::numeric_limits<double>::infinity(); }
  std::uint64_t looks() const { return looks_; }
  std::uint64_t left_out() const { return left_out_; }  // choices, or many at once
  const LeastOfMany& least_left_out() const { return least_left_out_; }

 private:
  struct Listed {
    double value = 0, steps = 0;
    std::uint32_t placement = 0;
    SpatialLoops spatial;
  };
  // Memories with a size, and the slots of lanes inside them.
  struct Store {
    std::uint8_t memory = 0;
    TensorMask tensors = 0;
    SlotMask inside = 0;
  };
  struct Of {
    std::uint32_t placement;
    LeastOfLanes least;
    std::vector<Store> stores;
  };
  static std::vector<Store> stores_of(const Mapspace& space, const Placement& placement);
  // Do the lanes inside every store leave a tile that it holds?
  bool fit(const Of& its, const SpatialLoops& spatial) const;
  bool before(const Listed& a, const Listed& b) const;
  ForSpatialChoices::End list(const Incumbents& incumbents, double cutoff,
                              std::uint64_t most_looks);
  void keep_first();
  std::vector<Choice> hand_out(const Incumbents& incumbents);
  std::vector<std::int64_t> lanes_of(const SpatialLoops& spatial) const;

  const Mapspace& space_;
  const BoundaryCounter& counter_;
  bool bounds_;
  std::size_t most_;
  const std::atomic<bool>* stop_;
  std::vector<Of> of_;                 // by placement, of those that may have mappings
  std::optional<Listed> last_;         // that came
  std::vector<Listed> listed_;         // in this round
  double cutoff_ = 0, least_cut_ = 0;  // in this round
  bool many_ = false;                  // too many to look at all of them in one round
  double beyond_ = std::numeric_limits<double>::infinity();
  std::uint64_t looks_ = 0, left_out_ = 0;
  LeastOfMany least_left_out_;
};

}  // namespace loopscape
