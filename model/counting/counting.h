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
#include <memory>

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
  std::int64_t all_words = 1;  // distinct (moving) words of the whole rank
};

struct TensorShape {
  bool is_output = false;
  DimMask relevant = 0, sliding = 0;
  DimMask simple = 0;  // dimensions of simple ranks
  std::uint8_t ranks = 0;
  std::array<RankShape, kMaxRanks> rank{};
  std::uint8_t complex_ranks = 0;  // how many are not simple
  std::uint32_t bits = 0, final_bits = 0;
};

struct CountingContext {
  Conventions conventions;
  std::uint8_t dims = 0, tensors = 0, memories = 0, fanouts = 0, axes = 0;
  std::array<std::int64_t, kMaxDims> extent{};
  std::array<TensorShape, kMaxTensors> tensor{};
  std::uint8_t output = 0;

  std::array<std::uint8_t, kMaxMemories> fanouts_above{};  // memory -> how many fan-outs enclose it
  std::array<TensorMask, kMaxMemories> keep{}, bypass{};
  std::array<std::uint8_t, kMaxAxes> axis_fanout{};
  std::array<std::uint32_t, kMaxAxes> axis_size{};
  std::array<DimMask, kMaxAxes> axis_dims{};
  std::array<TensorMask, kMaxFanouts> shares{};    // multicast (inputs) or reduce (output)
  std::array<TensorMask, kMaxFanouts> forwards{};  // inputs that use neighbour links
  // Which of the fan-out's networks carries the tensor; -1: none does.
  std::array<std::array<std::int8_t, kMaxTensors>, kMaxFanouts> network{};
};

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
};

struct Nest {
  std::uint8_t loops = 0;
  std::array<NestLoop, kMaxMappingNodes> loop;  // outermost first
  std::array<std::uint8_t, kMaxTensors> stops{};
  std::array<std::array<Stop, kMaxMemories>, kMaxTensors> stop;  // outermost first
  DimMask ragged = 0;  // dimensions whose bounds multiply to more than the extent
  DimMask split = 0;   // dimensions with a spatial loop
  std::uint16_t stored_memories = 0;
};

// The tests of validate_mapping() without the sentence.
Legality build_nest(const CountingContext& context, const Mapping& mapping, Nest& nest);

// Extents of the full tile of the nest at `position`.
void tile_at(const CountingContext& context, const Nest& nest, int position,
             std::array<std::int64_t, kMaxDims>& tile);

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
};

struct Tally {
  StatusCode status = StatusCode::kOk;
  std::array<std::array<TensorTally, kMaxTensors>, kMaxMemories> memory;
  std::array<std::array<NetworkTally, kMaxTensors>, kMaxFanouts> network;
  std::array<std::int64_t, kMaxMemories> instances_used;
  std::array<std::int64_t, kMaxFanouts> fanouts_used;   // instances of the fan-out
  std::array<std::int64_t, kMaxFanouts> children_used;  // below one instance of the fan-out
  std::int64_t lanes_used = 1;                          // compute instances
  std::int64_t steps = 1;                               // compute steps of lane 0
};

class Workspace;  // tables and buffers of one thread
struct WorkspaceDeleter {
  void operator()(Workspace* workspace) const;
};
using WorkspacePtr = std::unique_ptr<Workspace, WorkspaceDeleter>;
WorkspacePtr make_workspace();

// Fills `tally` for a legal nest. tally.status tells an overflow or an uncountable mapping.
void count(const CountingContext& context, const Nest& nest, Workspace& workspace, Tally& tally);

// Words of one instance, standing at lane[i] in spatial loop i, for the tensor's stop number
// `stop`; all zero when it is never busy. Not for Instanced::kUnknown.
Words words_of_instance(const CountingContext& context, const Nest& nest, Workspace& workspace,
                        int tensor, int stop, const std::uint32_t* lane, OverflowFlag& flag);

// How often the tensor's next store below the fan-out receives something, on the busiest lane
// (counting.md A9: folds of a systolic fan-out).
std::int64_t residences(const CountingContext& context, const Nest& nest, int tensor, int fanout,
                        OverflowFlag& flag);

}  // namespace loopscape
