// A mapping: one flat list of eight-byte nodes, outermost first (model.md section 3).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/problem/problem.h"

namespace loopscape {

enum class LoopKind : std::uint8_t { kStore = 0, kFor = 1, kSpatial = 2 };

struct MappingNode {
  LoopKind kind;
  std::uint8_t id;      // store: MemoryId; loops: DimId
  std::uint8_t axis;    // spatial: AxisId
  TensorMask tensors;   // store: which tensors
  std::uint32_t bound;  // loops: >= 1

  static constexpr MappingNode store(MemoryId memory, TensorMask tensors) {
    return {LoopKind::kStore, static_cast<std::uint8_t>(memory), 0, tensors, 0};
  }
  static constexpr MappingNode loop(DimId dim, std::uint32_t bound) {
    return {LoopKind::kFor, static_cast<std::uint8_t>(dim), 0, 0, bound};
  }
  static constexpr MappingNode spatial(DimId dim, std::uint32_t bound, AxisId axis) {
    return {LoopKind::kSpatial, static_cast<std::uint8_t>(dim), static_cast<std::uint8_t>(axis), 0,
            bound};
  }
  MemoryId memory() const { return static_cast<MemoryId>(id); }
  DimId dim() const { return static_cast<DimId>(id); }
  AxisId axis_id() const { return static_cast<AxisId>(axis); }
  friend bool operator==(const MappingNode&, const MappingNode&) = default;
};
static_assert(sizeof(MappingNode) == 8);

class Mapping {
 public:
  bool push_back(MappingNode node) {  // false when kMaxMappingNodes are there already
    if (size_ == kMaxMappingNodes) return false;
    nodes_[size_++] = node;
    return true;
  }
  std::size_t size() const { return size_; }
  const MappingNode& operator[](std::size_t i) const { return nodes_[i]; }
  MappingNode& operator[](std::size_t i) { return nodes_[i]; }
  const MappingNode* begin() const { return nodes_.data(); }
  const MappingNode* end() const { return nodes_.data() + size_; }
  void clear() { size_ = 0; }
  friend bool operator==(const Mapping& a, const Mapping& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<MappingNode, kMaxMappingNodes> nodes_;
  std::uint32_t size_ = 0;
};
static_assert(std::is_trivially_copyable_v<Mapping>);

// The first violation of model.md section 3, in a sentence that names the node; ok if there is
// none. Capacity is not looked at: the evaluator does that.
Status validate_mapping(const Mapping& mapping, const Problem& problem, const Arch& arch);

// The constraints of the architecture that the mapping does not respect, a sentence each. They
// guide the mapper and are no rule of the model: such a mapping can still be priced. What they
// mean, with "the loops at" a memory being the temporal loops between a store of that memory and
// the next store (stores in a row share the loops below them), and those at a fan-out being the
// spatial loops on its axes, loops of bound 1 left out:
//   factors      the product of the bounds over the dimension; "all": it covers the extent
//   order        the named dimensions are innermost, in that order; absent ones are skipped
//   dims         no other dimension has a loop here
//   keep/bypass  as the memory's own
//   utilization  lanes in use / lanes (fan-outs and compute)
//   stationary   at a memory: no loop relevant to the tensor lies inside one that is not; at a
//                fan-out: the same of the loops at the memory above it
//   dataflow     what it stands for (expanded_constraints)
std::vector<std::string> constraint_violations(const Mapping& mapping, const Problem& problem,
                                               const Arch& arch);

// {"nest": [...]} both ways. parse_mapping() checks names and shapes, not legality.
Result<Mapping> parse_mapping(std::string_view json, const Problem& problem, const Arch& arch);
std::string mapping_to_json(const Mapping& mapping, const Problem& problem, const Arch& arch);
std::string mapping_schema();  // JSON Schema of what parse_mapping() reads

// The nest as indented loops, both ways. A line never stands further left than the one before it,
// since a nest has no second branch; '#' starts a comment.
//   DRAM: I W O
//   for k in 4
//     GlobalBuffer: I O
//     for p in 7
//       parallel r in 3 on PEs.y
//         InputSpad: I
Result<Mapping> parse_mapping_text(std::string_view text, const Problem& problem, const Arch& arch);
std::string mapping_to_text(const Mapping& mapping, const Problem& problem, const Arch& arch);

}  // namespace loopscape
