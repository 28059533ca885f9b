// The rules of model.md section 3 and counting.md A1, checked from the outside in.
#include <array>
#include <optional>
#include <vector>

#include "model/mapping/mapping.h"
#include "model/mapping/names.h"

namespace loopscape {
namespace {

class Validator {
 public:
  Validator(const Mapping& mapping, const Problem& problem, const Arch& arch)
      : mapping_(mapping), problem_(problem), arch_(arch), axis_lanes_(arch.axis_count(), 1) {}

  Status run() {
    for (std::size_t i = 0; i < mapping_.size(); ++i) {
      Status status = check_node(i);
      if (!status.ok()) return std::move(status).at("/nest/" + std::to_string(i));
    }
    if (Status status = check_kept(); !status.ok()) return status;
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if (Status status = check_dim(static_cast<DimId>(d)); !status.ok()) return status;
    }
    return {};
  }

 private:
  static Status illegal(std::string message) {
    return {StatusCode::kIllegalMapping, std::move(message)};
  }
  // A sentence about node i.
  Status illegal(std::size_t i, const std::string& message) const {
    return illegal(called(i) + " " + message);
  }
  std::string called(std::size_t i) const { return node_called(mapping_, i, problem_, arch_); }

  Status check_node(std::size_t i) {
    const MappingNode& node = mapping_[i];
    switch (node.kind) {
      case LoopKind::kStore:
        return check_store(i);
      case LoopKind::kFor:
        return check_loop(i);
      case LoopKind::kSpatial:
        if (Status status = check_loop(i); !status.ok()) return status;
        return check_spatial(i);
    }
    return illegal(i, "is neither a store nor a loop");
  }

  Status check_loop(std::size_t i) const {
    const MappingNode& node = mapping_[i];
    if (index(node.dim()) >= problem_.dims.size()) {
      return illegal(i, "loops over a dimension that the problem does not have");
    }
    if (node.bound == 0) return illegal(i, "has bound 0; the least is 1");
    return {};
  }

  Status check_spatial(std::size_t i) {
    const MappingNode& node = mapping_[i];
    if (index(node.axis_id()) >= arch_.axis_count()) {
      return illegal(i, "is on an axis that the architecture does not have");
    }
    const Axis& axis = arch_.axis(node.axis_id());
    const std::string axis_name = arch_.axis_name(node.axis_id());
    if (!allowed_on(axis, node.dim())) return illegal(i, not_allowed(axis, axis_name));
    std::uint64_t& lanes = axis_lanes_[index(node.axis_id())];
    // Both factors fit 32 bits, since lanes never exceed an axis size.
    if (lanes * node.bound > axis.size) {
      return illegal(i, "does not fit axis " + axis_name + ": its bounds multiply to " +
                            std::to_string(lanes * node.bound) + ", its size is " +
                            std::to_string(axis.size));
    }
    lanes *= node.bound;
    const std::size_t fanout = position_of_fanout(arch_, arch_.fanout_of(node.axis_id()));
    for (std::size_t j = 0; j < i; ++j) {
      const MappingNode& outer = mapping_[j];
      if (outer.kind == LoopKind::kStore && position_of_memory(arch_, outer.memory()) > fanout) {
        return illegal(i, "must come before " + called(j) + ": " +
                              memory_name(arch_, outer.memory()) + " lies below fan-out " +
                              fanout_name(node.axis_id()));
      }
    }
    return {};
  }

  bool allowed_on(const Axis& axis, DimId dim) const {
    if (axis.dims.empty()) return true;
    DimMask allowed = 0;
    for (const std::string& name : axis.dims) allowed |= problem_.dims_called(name);
    return (allowed & bit(dim)) != 0;
  }

  std::string not_allowed(const Axis& axis, const std::string& axis_name) const {
    std::string list;
    for (const std::string& name : axis.dims) list += (list.empty() ? "" : ", ") + name;
    return "is over a dimension that axis " + axis_name + " does not take; it takes " + list;
  }

  std::string fanout_name(AxisId axis) const {
    return arch_.fanouts[index(arch_.fanout_of(axis))].name;
  }

  Status check_store(std::size_t i) {
    const MappingNode& node = mapping_[i];
    if (index(node.memory()) >= arch_.memories.size()) {
      return illegal(i, "stores at a memory that the architecture does not have");
    }
    if ((node.tensors >> problem_.tensors.size()) != 0) {
      return illegal(i, "stores a tensor that the problem does not have");
    }
    if (node.tensors == 0) return illegal(i, "stores no tensor");
    if (Status status = check_tensors(i); !status.ok()) return status;
    if (Status status = check_order(i); !status.ok()) return status;
    stored_[index(node.memory())] |= node.tensors;
    return {};
  }

  Status check_tensors(std::size_t i) const {
    const MappingNode& node = mapping_[i];
    const Memory& memory = arch_.memories[index(node.memory())];
    const TensorMask again = node.tensors & stored_[index(node.memory())];
    if (again != 0) {
      return illegal(i, "stores " + tensor_names(problem_, again) + " at " + memory.name +
                            " a second time; a memory stores a tensor at most once");
    }
    const TensorMask refused = node.tensors & tensors_in(memory.bypass, problem_);
    if (refused != 0) {
      return illegal(
          i, "stores " + tensor_names(problem_, refused) + ", which must bypass " + memory.name);
    }
    const TensorMask early = index(node.memory()) == 0 ? 0 : node.tensors & ~stored_[0];
    if (early != 0) {
      return illegal(i, "stores " + tensor_names(problem_, early) + " before " +
                            memory_name(arch_, MemoryId{0}) +
                            " does, the outermost memory, where every tensor starts");
    }
    return {};
  }

  // Stores follow the architecture; only memories with no fan-out between them may swap, and only
  // if they share no tensor.
  Status check_order(std::size_t i) const {
    const MappingNode& node = mapping_[i];
    const std::size_t here = position_of_memory(arch_, node.memory());
    for (std::size_t j = 0; j < i; ++j) {
      const MappingNode& outer = mapping_[j];
      if (outer.kind == LoopKind::kStore && position_of_memory(arch_, outer.memory()) > here &&
          !may_swap(node.memory(), outer.memory())) {
        return illegal(i, "must come before " + called(j) + ": in the architecture " +
                              memory_name(arch_, node.memory()) + " is above " +
                              memory_name(arch_, outer.memory()) +
                              why_not_swap(node.memory(), outer.memory()));
      }
      if (outer.kind == LoopKind::kSpatial &&
          position_of_fanout(arch_, arch_.fanout_of(outer.axis_id())) > here) {
        return illegal(i, "must come before " + called(j) + ": " +
                              memory_name(arch_, node.memory()) + " is above fan-out " +
                              fanout_name(outer.axis_id()));
      }
    }
    return {};
  }

  TensorMask tensors_at(MemoryId memory) const {
    TensorMask tensors = 0;
    for (const MappingNode& node : mapping_) {
      if (node.kind == LoopKind::kStore && node.memory() == memory) tensors |= node.tensors;
    }
    return tensors;
  }
  bool fanout_between(MemoryId upper, MemoryId lower) const {
    const std::size_t first = position_of_memory(arch_, upper);
    const std::size_t last = position_of_memory(arch_, lower);
    for (std::size_t p = first; p < last; ++p) {
      if (arch_.nodes[p].kind == NodeKind::kFanout) return true;
    }
    return false;
  }
  bool may_swap(MemoryId upper, MemoryId lower) const {
    return !fanout_between(upper, lower) && (tensors_at(upper) & tensors_at(lower)) == 0;
  }
  std::string why_not_swap(MemoryId upper, MemoryId lower) const {
    if (fanout_between(upper, lower)) return "";
    return " and both store " + tensor_names(problem_, tensors_at(upper) & tensors_at(lower));
  }

  Status check_kept() const {
    const TensorMask all = static_cast<TensorMask>((1u << problem_.tensors.size()) - 1);
    for (std::size_t m = 0; m < arch_.memories.size(); ++m) {
      const TensorMask keep = m == 0 ? all : tensors_in(arch_.memories[m].keep, problem_);
      const TensorMask missing = keep & static_cast<TensorMask>(~stored_[m]);
      if (missing == 0) continue;
      return illegal(
          tensor_names(problem_, missing) + " must be stored at " + arch_.memories[m].name +
          (m == 0 ? ", the outermost memory, which keeps every tensor" : ", which keeps it") +
          "; the nest has no such store");
    }
    return {};
  }

  // The bounds over a dimension cover it, and its outermost loop has no empty iteration.
  Status check_dim(DimId dim) const {
    const auto extent = static_cast<std::uint64_t>(problem_.dims[index(dim)].extent);
    std::uint64_t covered = 1;
    for (std::size_t i = mapping_.size(); i-- > 0;) {
      const MappingNode& node = mapping_[i];
      if (node.kind == LoopKind::kStore || node.dim() != dim || node.bound == 1) continue;
      // Below, covered < extent < 2^32, so the products fit 64 unsigned bits.
      if (covered >= extent) return empty_iteration(i, extent, covered, 1);
      if ((node.bound - 1) * covered >= extent && is_outermost(i)) {
        return empty_iteration(i, extent, covered, (extent - 1) / covered + 1);
      }
      covered *= node.bound;
    }
    if (covered >= extent) return {};
    return illegal("the bounds over " + dim_name(problem_, dim) + " multiply to " +
                   std::to_string(covered) + ", which does not cover its extent " +
                   std::to_string(extent));
  }

  bool is_outermost(std::size_t i) const {
    for (std::size_t j = 0; j < i; ++j) {
      const MappingNode& node = mapping_[j];
      if (node.kind != LoopKind::kStore && node.id == mapping_[i].id && node.bound > 1) {
        return false;
      }
    }
    return true;
  }

  Status empty_iteration(std::size_t i, std::uint64_t extent, std::uint64_t step,
                         std::uint64_t enough) const {
    const std::string dim = dim_name(problem_, mapping_[i].dim());
    return illegal(i, "has iterations with nothing to do: each covers " + std::to_string(step) +
                          " of " + dim + ", whose extent is " + std::to_string(extent) +
                          "; bound " + std::to_string(enough) + " is enough")
        .at("/nest/" + std::to_string(i));
  }

  const Mapping& mapping_;
  const Problem& problem_;
  const Arch& arch_;
  std::vector<std::uint64_t> axis_lanes_;
  std::array<TensorMask, kMaxMemories> stored_{};
};

}  // namespace

Status validate_mapping(const Mapping& mapping, const Problem& problem, const Arch& arch) {
  return Validator(mapping, problem, arch).run();
}

}  // namespace loopscape
