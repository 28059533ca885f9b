// Counting: how many words cross every boundary of a nest, exactly. The rules and the derivations
// (D1, D2, ...) that the code cites are in counting.md.
//
//   Nest nest;
//   if (build_nest(context, mapping, nest) != Legality::kLegal) ...;
//   Tally tally;
//   count(context, nest, workspace, tally);   // every count of model.md section 7
//
// Nothing here allocates after a Workspace has warmed up, and nothing here knows an energy.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"

namespace loopscape {

// ---- What counting needs to know of a problem and an architecture, in flat arrays ----

struct RankShape {
  std::uint8_t terms = 0;
  std::array<std::uint8_t, kMaxTerms> dim{};
  std::array<std::int64_t, kMaxTerms> coefficient{};
  bool box = false;      // bounding intervals instead of distinct indices (inputs under `box`)
  bool clipped = false;  // only [valid_begin, valid_end) moves
  std::int64_t valid_begin = 0, valid_end = 0;
  bool simple = false;  // one dimension, every index a word: coverage is all there is to know
  std::int64_t all_words = 1;                    // distinct words of the whole rank
  std::array<std::int16_t, kMaxDims> term_of{};  // dimension -> term; -1: none
  // Two terms: equal sums are `chain` apart in each of them (D3).
  std::array<std::int64_t, 2> chain{1, 1};
};

struct TensorShape {
  bool is_output = false;
  DimMask relevant = 0, sliding = 0;
  DimMask simple = 0;  // dimensions of simple ranks
  std::uint8_t ranks = 0;
  std::array<RankShape, kMaxRanks> rank{};
  std::uint8_t complex_ranks = 0;  // how many are not simple
  std::int64_t simple_words = 1;   // product of the simple ranks' extents
  std::int64_t complex_words = 1;  // product of the other ranks' all_words
  bool clipped = false;            // a rank is
  std::uint32_t bits = 0, final_bits = 0;
};

// Fan-outs are numbered as the nest meets them. A multicast bus of several axes counts as two, the
// trunk and inside it the rows, so that what passes between them is known; Span tells which.
struct Span {
  std::uint8_t first = 0, last = 0;
  bool two() const { return first != last; }
};

struct CountingContext {
  Conventions conventions;
  std::uint8_t dims = 0, tensors = 0, memories = 0, fanouts = 0, axes = 0;
  std::array<std::int64_t, kMaxDims> extent{};
  std::array<TensorShape, kMaxTensors> tensor{};
  std::uint8_t output = 0;
  std::int64_t operations = 1;

  std::array<std::uint8_t, kMaxMemories> fanouts_above{};  // memory -> how many fan-outs enclose it
  std::array<TensorMask, kMaxMemories> keep{}, bypass{};
  // Memories of which somebody asks for more than totals: Tally's `first` and `instanced`.
  std::uint16_t by_instance = 0xffff;
  std::array<std::uint8_t, kMaxAxes> axis_fanout{};
  std::array<std::uint32_t, kMaxAxes> axis_size{};
  std::array<DimMask, kMaxAxes> axis_dims{};
  std::array<TensorMask, kMaxFanouts> shares{};    // multicast (inputs) or reduce (output)
  std::array<TensorMask, kMaxFanouts> forwards{};  // inputs that use neighbour links
  // Of the architecture's fan-outs: their numbers here, and which of their networks carries the
  // tensor (-1: none does).
  std::uint8_t spans = 0;
  std::array<Span, kMaxFanouts> span{};
  std::array<std::array<std::int16_t, kMaxTensors>, kMaxFanouts> network{};
};

// Width of a tensor's words: the problem's; if it states none, the architecture's for its role, or
// its word. Likewise that of an output's last visit, which is the words' own where `bits` is
// stated.
std::uint32_t bits_of(const Tensor& tensor, const Arch& arch);
std::uint32_t final_bits_of(const Tensor& tensor, const Arch& arch);

// Resolves names and roles; says what cannot be counted exactly.
Result<CountingContext> make_counting_context(const Problem& problem, const Arch& arch,
                                              const Conventions& conventions);

// ---- A mapping as loops with steps ----

enum class Legality : std::uint8_t { kLegal, kIllegal };

struct NestLoop {
  std::int64_t step;
  std::uint32_t bound;  // > 1: loops with bound 1 are left out
  std::uint8_t dim;
  std::uint8_t axis;  // of a spatial loop
  std::uint8_t fanout;
  bool spatial;
};

struct Stop {  // a store of one tensor
  std::uint8_t memory;
  std::uint8_t position;  // how many loops lie outside
  std::uint8_t tile;      // into Nest::tile
};

struct Nest {
  std::uint8_t loops = 0;
  std::array<NestLoop, kMaxMappingNodes> loop;  // outermost first
  std::array<std::uint8_t, kMaxTensors> stops{};
  std::array<std::array<Stop, kMaxMemories>, kMaxTensors> stop;  // outermost first
  DimMask ragged = 0;  // dimensions whose bounds multiply to more than the extent
  DimMask split = 0;   // dimensions with a spatial loop
  // The first spatial loop, and the first over a ragged dimension; `loops` if there is none.
  std::uint8_t first_spatial = 0, first_cut = 0;
  std::array<std::int64_t, kMaxMappingNodes + 1> lanes_outside;  // spatial bounds, multiplied
  std::uint8_t tiles = 0;
  std::array<std::uint8_t, kMaxMappingNodes> tile_position;
  std::array<std::array<std::int64_t, kMaxDims>, kMaxMappingNodes> tile;  // full tiles of stops
  std::array<TensorMask, kMaxMemories> stored;  // memory -> tensors it stores
};

// The tests of validate_mapping() without the sentence.
Legality build_nest(const CountingContext& context, const Mapping& mapping, Nest& nest);

// ---- What is counted ----

struct Words {
  std::int64_t reads = 0, fills = 0, updates = 0, drains = 0;
  std::int64_t final_updates = 0, final_drains = 0;  // of these, moved at final_bits
};

// How well `first` stands for the instances of a memory (D6).
enum class Instanced : std::uint8_t {
  kUniform,    // every busy instance moves what the first one moves
  kFirstMost,  // none moves more
  kEach,       // the first may move less: look at each
  kUnknown,    // not counted by instance (an output whose sliding dimensions a fan-out splits)
};

struct TensorTally {
  std::int64_t tile_words = 0;
  Words total;  // over all instances
  Words first;  // of the instance whose every spatial index is 0
  Instanced instanced = Instanced::kUniform;
};

struct NetworkTally {
  std::int64_t words_in = 0, words_delivered = 0, words_collected = 0, words_out = 0;
  std::int64_t forwarded = 0;
  bool used = false;  // the tensor passes lanes of this fan-out
  // Of a whole fan-out of two: what passes between its trunk and its rows, down and up.
  std::int64_t rows_in = 0, rows_out = 0;
};

struct Tally {
  StatusCode status = StatusCode::kOk;
  std::array<std::array<TensorTally, kMaxTensors>, kMaxMemories> memory;
  std::array<std::array<NetworkTally, kMaxTensors>, kMaxFanouts> network;
  std::array<std::int64_t, kMaxMemories> instances_used;
  // Of the architecture's fan-outs: instances, and children below one of them.
  std::array<std::int64_t, kMaxFanouts> fanouts_used, children_used;
  std::int64_t lanes_used = 1;  // compute instances
  std::int64_t steps = 1;       // compute steps of lane 0
};

// Why a legal mapping is not counted (counting.md B9).
enum class Refusal : std::uint8_t {
  kNone,
  kSlidingOutput,     // a fan-out splits an output's sliding dimension
  kCopies,            // sharing is no product: of copies, of differences, of equal deltas
  kTwoForwarders,     // two fan-outs between a store and its parent both forward
  kUnevenResidences,  // previous_tile, a ragged output stored twice below lanes that hold its parts
  kTooManyIndices,    // a sliding rank too large to list
  kHops,              // hops of a priced network (interconnect.md)
};

// What the tensor's words do in fan-out `f` of the architecture.
NetworkTally whole_network(const CountingContext& context, const Tally& tally, std::size_t f,
                           std::size_t tensor);

class Workspace;  // tables and buffers of one thread
struct WorkspaceDeleter {
  void operator()(Workspace* workspace) const;
};
using WorkspacePtr = std::unique_ptr<Workspace, WorkspaceDeleter>;
// `known_ranks`: most places in the table of ranks met before; a power of two.
WorkspacePtr make_workspace(std::size_t known_ranks = 16384);
// Why the last count or look at an instance was refused, and how a later step notes its own.
Refusal refusal(const Workspace& workspace);
void refuse(Workspace& workspace, Refusal reason);

// Fills `tally` for a legal nest. tally.status tells an overflow or an uncountable mapping.
void count(const CountingContext& context, const Nest& nest, Workspace& workspace, Tally& tally);

// Footprint of a tile, as capacities and `tile_words` take it (counting.md A2).
std::int64_t tile_footprint(const CountingContext& context, int tensor,
                            const std::array<std::int64_t, kMaxDims>& tile, Workspace& workspace);

// Words of one instance, standing at lane[i] in spatial loop i, for the tensor's stop number
// `stop`; all zero when it is never busy. Not for Instanced::kUnknown.
Words words_of_instance(const CountingContext& context, const Nest& nest, Workspace& workspace,
                        int tensor, int stop, const std::uint32_t* lane, OverflowFlag& flag);

// How often the tensor's next store below the fan-out receives something, on the busiest lane
// (counting.md A9: folds of a systolic fan-out).
std::int64_t residences(const CountingContext& context, const Nest& nest, int tensor, int fanout,
                        OverflowFlag& flag);

// ---- Where the words of one fan-out go (for model/interconnect; counting.md D9) ----

// A lane loop of the fan-out: one step of its index moves the child `stride` cells along `axis`.
struct CellLoop {
  std::uint8_t axis;
  std::uint32_t bound;
  std::int64_t stride;
};

// Weighted sets of index tuples over `loops` loops of the fan-out.
struct DestinationPart {
  enum class Sets : std::uint8_t {
    kAll,       // one loop: one set, all its indices
    kEach,      // one loop: every index by itself
    kSingles,   // weight i: tuple i by itself
    kPrefixes,  // weight i: the tuples 0 to i
    kListed     // weight i: those from tuple[first_tuple[i]] up to tuple[first_tuple[i + 1]]
  } sets;
  std::size_t first_loop, loops;      // in Destinations::loop; the last one's index runs fastest
  std::size_t first_weight, weights;  // in Destinations::weight and first_tuple
};

// The destinations of a word are a product: one set from every part. Loops of the fan-out that are
// in no part stand at 0. Every combination of sets is sent `words` times the product of its
// weights. Negative `words`: so many less than other products say.
struct Destinations {
  std::int64_t words = 1;
  std::vector<CellLoop> loop;
  std::vector<DestinationPart> part;
  std::vector<std::int64_t> weight;
  std::vector<std::size_t> first_tuple;
  std::vector<std::uint32_t> tuple;
};

enum class Passage : std::uint8_t {
  kDemand,         // inputs down, partial results up, forwarded words left out
  kLowest,         // every word of the parts once, to the lowest-numbered child of its group
  kLowestVisit,    // every visit of a group, to its lowest-numbered child
  kEveryVisit,     // every visit of a group, to all its children
  kEveryZeroStart  // the same of the visits that start from zero under refill: every
};

// Where the tensor's words go in the fan-out, summed over time and instances, as products to be
// added; each lasts until `use` returns. False when that is no sum of products or too large to
// list, or when `use` says so. For a nest that count() has counted.
bool destinations(const CountingContext& context, const Nest& nest, int fanout, int tensor,
                  Passage passage, Workspace& workspace, OverflowFlag& flag,
                  const std::function<bool(const Destinations&)>& use);

// Which words of an output come back to the lowest-numbered child of their group (refill: one).
enum class Refills : std::uint8_t {
  kEven,         // all words of Passage::kLowest equally often
  kAllButFirst,  // those of Passage::kLowestVisit, but not at the first visit of a word
  kNumberOnly    // how many is known, which is not
};
Refills refills(const CountingContext& context, const Nest& nest, int fanout, int tensor);

// Who forwards the tensor's words among the fan-outs that pass them on together with this one.
enum class Forwarding : std::uint8_t { kNobody, kThisOne, kAnotherOne, kSeveral };
Forwarding forwarding(const CountingContext& context, const Nest& nest, int fanout, int tensor);

}  // namespace loopscape
