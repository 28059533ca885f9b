// What one boundary of one tensor costs, wherever it stands in a mapping.
//
// Under `march` the words that cross a boundary follow from the loops between the child and the end
// of its march, from the spatial loops between child and parent, and from how often all of that
// repeats (optimal_search.md, "Cost closes locally"; counting.md A4). So they are counted once, in
// the smallest nest that has these loops, by model/counting itself: nothing here recounts.
// Under `previous_tile` the same nest tells the most that can cross; the least is told apart.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/evaluate/evaluate.h"

namespace loopscape {

// A boundary whose run and march have ended.
struct BoundaryLoops {
  std::uint8_t tensor = 0;
  bool to_compute = false;
  std::uint8_t child = 0;  // memory; none to compute
  // Full tile of the child, per dimension; ones to compute.
  std::array<std::uint32_t, kMaxDims> tile{};
  // Innermost first: the loops up to the end of the march and all spatial ones up to the parent.
  std::span<const MappingNode> loops;
  std::uint8_t parent = 0;    // memory
  std::size_t parent_at = 0;  // how many of the loops lie inside it
  int ended_by = -1;          // the dimension whose temporal loop ended the march; -1: none did
  bool ragged = false;        // loops further out may cut edges that these do not show
};

// Words over all instances: at the parent, at the children, by reduction group (A6, A7).
struct BoundaryWords {
  double demand = 0, arrivals = 0, group = 0;
  friend bool operator==(const BoundaryWords&, const BoundaryWords&) = default;
};
struct BoundaryFlow {
  bool known = false;         // false: the model does not count such a boundary
  BoundaryWords least, most;  // equal unless `previous_tile` may find words still there
  // Of the fan-outs that it passes: their links, and bits in and out.
  struct Network {
    std::uint8_t fanout = 0;
    double least_pj = 0, most_pj = 0, least_bits = 0, most_bits = 0;
    bool exact = true;  // but for refills: `least` leaves out what may not come back
    bool tells_all() const { return exact && least_pj == most_pj && least_bits == most_bits; }
  };
  std::vector<Network> networks;
};

class BoundaryCounter {
 public:
  explicit BoundaryCounter(const Evaluator& evaluator);
  ~BoundaryCounter();
  BoundaryCounter(BoundaryCounter&&) noexcept;

  // Remembers what it was asked before, up to a limit: until it is asked again, the answer stays.
  // Not for several threads at once.
  const BoundaryFlow& flow(const BoundaryLoops& boundary);
  // Boundaries of one key have one flow, also with lanes in another order; empty if it is unknown.
  std::string key_of(const BoundaryLoops& boundary) const;
  // Remembers nothing.
  BoundaryFlow flow_anew(const BoundaryLoops& boundary);

  // Words of the tensor's tile, and of the tensor.
  std::int64_t tile_words(std::size_t tensor, std::span<const std::uint32_t> tile) const;
  std::int64_t all_words(std::size_t tensor) const;  // that move
  DimMask relevant(std::size_t tensor) const;
  // Dimensions of ranks whose words are not one index each: sliding, strided with holes, clipped.
  DimMask complex(std::size_t tensor) const;
  DimMask sliding(std::size_t tensor) const;
  // Of ranks with several terms, also where one alone is larger than 1: as A8 and B9 judge.
  DimMask named_sliding(std::size_t tensor) const;
  DimMask gapless(std::size_t tensor) const;  // of sliding ranks whose windows have no holes
  bool clipped(std::size_t tensor) const;
  // A rank in which two dimensions slide over each other, of a tensor without padding to cut off.
  struct Pair {
    std::uint8_t a = 0, b = 0;
    std::int64_t step_a = 1, step_b = 1;
    bool gapless = false;
    std::int64_t words = 0;  // of the rank
  };
  // Empty where a sliding rank is of another kind.
  const std::vector<Pair>& pairs(std::size_t tensor) const;
  // Words of the pair's rank in a tile of these sizes; and in all tiles that cover the problem.
  std::int64_t pair_words(std::size_t tensor, const Pair& pair, std::int64_t a,
                          std::int64_t b) const;
  std::int64_t pair_words_of_all(std::size_t tensor, const Pair& pair, std::int64_t a,
                                 std::int64_t b) const;
  int network(std::size_t fanout, std::size_t tensor) const;  // that carries it; -1: none
  // Does every network of these fan-outs reduce the output?
  bool reduces(std::size_t first_fanout, std::size_t last_fanout) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What limits time while everything overlaps, other than compute.
struct Resource {
  enum class Kind : std::uint8_t { kRead, kWrite, kShared, kNetwork } kind;
  std::uint8_t id;  // memory or fan-out
  std::uint8_t network = 0;
  double bits_per_cycle = 0;
};

// One number for each resource, without a heap.
class PerResource {
 public:
  static constexpr std::size_t kMost = 32;
  PerResource() = default;
  explicit PerResource(std::size_t size) : size_(static_cast<std::uint8_t>(size)) {
    std::fill_n(value_.begin(), size, 0.0);
  }
  PerResource(const PerResource& other) : size_(other.size_) {
    std::copy_n(other.value_.begin(), size_, value_.begin());
  }
  PerResource& operator=(const PerResource& other) {
    size_ = other.size_;
    std::copy_n(other.value_.begin(), size_, value_.begin());
    return *this;
  }
  std::size_t size() const { return size_; }
  double& operator[](std::size_t i) { return value_[i]; }
  double operator[](std::size_t i) const { return value_[i]; }

 private:
  std::uint8_t size_ = 0;
  std::array<double, kMost> value_;  // the first size_ of them
};

// Sums over boundaries. Every component lies between `least` and `most` of what the model says; a
// component that adds up exactly has both equal.
struct Terms {
  double energy = 0, energy_most = 0;
  double exposed = 0, exposed_most = 0;  // cycles
  PerResource busy, busy_most;           // cycles
  void add(const Terms& other);
};

// The stores of one placement and its spatial loops.
struct Skeleton {
  std::array<std::vector<std::uint8_t>, kMaxTensors> chain;  // memories, outermost first
  std::vector<MappingNode> spatial;                          // outermost first
  bool ragged = true;
};

// Prices boundaries of one skeleton. A tensor's boundary k lies between its stores k - 1 and k; the
// last one leads to compute.
class BoundaryPrices {
 public:
  BoundaryPrices(const Evaluator& evaluator, const BoundaryCounter& counter,
                 const Skeleton& skeleton);

  const std::vector<Resource>& resources() const { return resources_; }
  // False: there are more than PerResource holds, or under previous_tile more words cross than
  // Terms tell: equal deltas taken apart, or windows that neighbours forward.
  bool tells_all() const { return tells_all_; }
  // What every mapping of the skeleton pays, whatever its temporal loops: operations and what
  // `boundary` leaves to it. Leakage is apart.
  const Terms& fixed() const { return fixed_; }
  // Rounded accesses may cost up to this much more than price() says.
  double rounding_pj() const { return rounding_pj_; }
  double leakage_pj_per_cycle_least() const { return leakage_least_; }
  double leakage_pj_per_cycle_most() const { return leakage_most_; }

  void price(std::size_t tensor, std::size_t k, const BoundaryFlow& flow, Terms& sum) const;
  // Of that, the energy of links.
  double links_pj(std::size_t tensor, std::size_t k, const BoundaryFlow& flow) const;
  // The least that a flow with at least `demand` words can cost is at least base + slope * demand.
  struct Floor {
    double base_energy = 0, slope_energy = 0;
    double base_exposed = 0, slope_exposed = 0;
    PerResource base_busy, slope_busy;
  };
  Floor floor(std::size_t tensor, std::size_t k) const;  // without links
  // Energy of the links of any one word that crosses the boundary, at least.
  double least_links_pj(std::size_t tensor, std::size_t k) const;
  // The least mean number, over a dimension's indices, of the lane that has them: of its spatial
  // loop that has so many lanes of it inside.
  using MeanLane = std::function<double(std::size_t dim, std::int64_t inside)>;
  // Of all links, at least: demand_pj * demand + arrival_pj * arrivals + row_pj * rows + return_pj
  // for every word that is asked for again; each arrives somewhere. Rows: of every word, those of
  // the fan-out below the parent where it arrives. Not for sliding outputs, nor for words that
  // neighbours forward.
  struct Links {
    double demand_pj = 0, arrival_pj = 0, row_pj = 0, return_pj = 0;
    AxisId row_axis{};   // along which rows are numbered
    double columns = 1;  // arrivals that share a row, at most
    // Of each pair of sliding dimensions: the same of lanes over these alone.
    std::vector<double> pair_columns;
    // Without rows.
    double per_arrival_pj() const { return arrival_pj + row_pj / columns; }
  };
  Links least_links(std::size_t tensor, std::size_t k, const MeanLane& mean_lane) const;
  // Does every network between child and parent that has to reduce the output do so?
  bool reduces(std::size_t tensor, std::size_t k) const;
  // Of each word that crosses the boundary, at its parent.
  double access_pj(std::size_t tensor, std::size_t k) const;
  // Every word once over every boundary but those to compute, which any mapping with these stores
  // pays, whatever its lanes; busy cycles of the outermost stores alone, to compute as well.
  Terms words_once() const;
  // Exposed first fills and last drains of a store's tile.
  void price_tile(std::size_t tensor, std::size_t k, std::int64_t words, Terms& sum) const;

 private:
  static constexpr DimMask kAllDims = 0xffff;
  struct Range {
    double least = 0, most = 0;
  };
  struct Standing {
    std::vector<double> place;  // of a relevant lane, per axis
    // Rows are along the last axis. What other lanes reach of them, and how far apart at least.
    AxisId row_axis{};
    bool one_row = true, one_column = true;
    double row_step = 1, column_step = 1;
    double columns = 1;                // in a row, at most
    std::vector<double> pair_columns;  // likewise, of lanes over each pair alone
    std::size_t stream = 0;            // axis, were the fan-out systolic
  };
  Standing standing(std::size_t tensor, std::size_t fanout, const MeanLane& mean_lane) const;
  double pair_columns(std::size_t fanout, const BoundaryCounter::Pair& pair,
                      const std::array<double, kMaxDims>& lanes) const;
  double overlapping(std::int64_t step, std::int64_t other_step, std::size_t other,
                     std::size_t fanout) const;
  // Of a word that enters: for itself, for each child and each row that get it; and if one does.
  struct ClassLinks {
    double word = 0, child = 0, row = 0, single = 0;
  };
  ClassLinks class_links(const Fanout& fanout, NetworkClass its_class, const Standing& at) const;
  // Their energy; nothing where no network carries it, or one lane is all there is.
  ClassLinks links_pj(std::size_t tensor, std::size_t fanout, const Standing& at) const;
  void add_networks(std::size_t tensor, std::size_t k, Terms& sum) const;  // for one word
  int network_resource(std::size_t fanout, std::size_t network) const;     // -1: unlimited
  Terms least_of_word(std::size_t tensor, std::size_t k) const;
  enum class Action : std::uint8_t { kRead, kFill, kUpdate, kDrain };
  double word_pj(std::size_t tensor, std::size_t k, Action action) const;

  void add(std::size_t tensor, std::size_t k, Action action, Range words, double bits,
           Terms& sum) const;
  void add_output(std::size_t tensor, std::size_t k, const BoundaryWords& least,
                  const BoundaryWords& most, Terms& sum) const;
  void set_resources();
  void set_fixed();
  void set_fixed_output(std::size_t tensor);
  void set_final_words(std::size_t tensor, std::size_t k);
  void set_rounding();
  void set_leakage();
  bool all_come_back(std::size_t tensor, std::size_t k) const;
  void add_busy(std::size_t memory, Resource::Kind kind, bool uniform, Range bits,
                Terms& sum) const;
  // Lanes of the fan-outs numbered [first, last), over the given dimensions.
  double lanes(std::size_t first, std::size_t last, DimMask dims) const;
  double lanes_above(std::size_t memory) const;
  bool uniform(std::size_t tensor, std::size_t memory) const;
  bool complete(std::size_t tensor, std::size_t fanouts_above) const;
  bool to_compute(std::size_t tensor, std::size_t k) const;
  std::size_t parent(std::size_t tensor, std::size_t k) const;
  std::size_t child(std::size_t tensor, std::size_t k) const;
  std::size_t fanouts_above_child(std::size_t tensor, std::size_t k) const;
  struct Rates {
    double in = 0, out = 0;  // bits per cycle; 0: free
  };
  Rates rates(std::size_t tensor, std::size_t k) const;

  Evaluator evaluator_;
  Skeleton skeleton_;
  std::vector<std::size_t> fanout_of_;  // each spatial loop
  const BoundaryCounter* counter_;
  std::array<std::size_t, kMaxMemories> fanouts_above_{};
  std::array<bool, kMaxTensors> clipped_{};
  std::array<DimMask, kMaxTensors> relevant_{}, sliding_{};
  std::array<double, kMaxTensors> words_{}, bits_{}, final_bits_{};
  std::vector<Resource> resources_;
  std::vector<int> resource_of_;  // [4 * memory + kind], networks after the memories; -1: unlimited
  Terms fixed_;
  bool tells_all_ = true;
  double rounding_pj_ = 0, leakage_least_ = 0, leakage_most_ = 0;
};

}  // namespace loopscape
