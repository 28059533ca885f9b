// One tensor's way through the nest: its stores, and the boundaries between them and compute.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "model/base/base.h"
#include "tests/reference/defects.h"
#include "tests/reference/nest.h"
#include "tests/reference/network.h"
#include "tests/reference/walk.h"

namespace loopscape::reference {

// A time step: the indices of all loops (0 for spatial ones) and the outermost one that changed.
struct Moment {
  static constexpr std::size_t kStart = static_cast<std::size_t>(-1);
  const std::vector<std::int64_t>* tau;
  std::size_t changed;  // into Nest::loops
};

// A word of the output at an instance, from its arrival until it leaves.
struct Residence {
  Word word;
  bool from_zero = true;
  bool visited = false;
  std::vector<std::size_t> visitors = {};  // only for the defect kFirstVisitPerChild
};

// What one instance of a store holds.
struct InstanceState {
  Words held;
  Words held_with_padding;            // tensors whose padding is generated: what it stands for
  std::vector<Residence> residences;  // outputs: one per held word, ascending
  std::int64_t step = 0;              // the last step (march or whole tile) at which it was busy
  std::int64_t zeros = 0;             // residences that began from zero
};

struct StoreState {
  std::vector<InstanceState> instances;
  std::vector<InstanceCounts> counts;
};

// Everything that a tensor's boundaries have in common.
struct TensorContext {
  const Nest& nest;
  const Tiles& tiles;
  Conventions conventions;  // as the defect bends them
  Defect defect;
  std::size_t tensor;
  const Tensor& description() const { return nest.problem->tensors[tensor]; }
};

class Boundary {
 public:
  // `child` is null for compute.
  Boundary(const TensorContext& context, const Place& parent_place, StoreState& parent,
           const Place& child_place, StoreState* child, std::vector<TensorAtNetwork>& links);

  void step(const Moment& moment);
  void finish();  // settles which visits were final
  const std::vector<std::int64_t>& runs() const { return runs_; }
  std::int64_t visits() const { return visits_; }
  std::int64_t reads() const { return reads_; }

 private:
  enum class Move { kInside, kRun, kMarch, kRepeat };
  struct Neighbour {
    std::size_t pass, child;
  };

  std::vector<Move> name_moves(bool with_run) const;
  void find_neighbours();
  void name_sharing();
  Move move_of(const std::vector<Move>& moves, const Moment& moment) const;
  void place_tiles(const Moment& moment);
  bool busy(std::size_t child) const;
  void arrive_at_store(Move move);
  void arrive_at_compute(const Moment& moment);
  Words next_tile(std::size_t child) const;
  bool receives(std::size_t child, Move move);
  void bounds_of(std::size_t child, Extents& begin, Extents& end) const;
  void forward();
  void hand_down();
  std::vector<Demand> resolve();
  std::int64_t visit(std::size_t parent);
  Residence& residence_at(std::size_t parent, Word word);
  bool starts_from_zero(std::size_t parent, Word word, const std::vector<std::size_t>& group);
  void send_refills();
  void take_residence(std::size_t child);

  const TensorContext& context_;
  const Place& parent_place_;
  const Place& child_place_;
  StoreState& parent_;
  StoreState* child_;
  std::vector<TensorAtNetwork>& links_;
  bool output_;
  bool padded_ = false;  // a rank generates its padding
  std::size_t lanes_;    // children per parent instance

  std::vector<Pass> passes_;                        // innermost first
  std::vector<Move> moves_, compute_runs_;          // by loop
  std::size_t marching_dim_ = kMaxDims;             // what the march is over, if there is one
  std::vector<std::vector<Neighbour>> neighbours_;  // by child, innermost fan-out first

  Extents temporal_{};                  // offset of the temporal loops outside the child
  std::vector<bool> receiving_;         // by child: takes part in this advance
  std::vector<Words> arrivals_;         // D_c before forwarding
  std::vector<Words> asked_;            // D_c after forwarding
  std::vector<Words> next_, previous_;  // tiles of this advance and of the one before
  std::vector<bool> in_march_;          // by child: previous_ belongs to the march that goes on
  std::vector<Words> refilled_;         // outputs: words that come down with their partial sum
  std::int64_t steps_ = 0;              // advances so far that were not of a run loop
  std::vector<std::int64_t> runs_;      // compute: runs of each lane's word
  std::int64_t visits_ = 0, reads_ = 0;
  std::map<Word, std::size_t> last_child_;  // outputs: who had the word last
};

class TensorInNest {
 public:
  TensorInNest(const Nest& nest, const Tiles& tiles, const Conventions& conventions, Defect defect,
               std::size_t tensor);
  void step(const Moment& moment) {
    for (Boundary& boundary : boundaries_) boundary.step(moment);
  }
  TensorWalk finish();
  bool reads_are_visits_less_zeros() const;

 private:
  std::unique_ptr<TensorContext> context_;
  std::vector<std::unique_ptr<StoreState>> stores_;
  std::unique_ptr<std::vector<TensorAtNetwork>> links_;
  std::vector<Boundary> boundaries_;
};

}  // namespace loopscape::reference
