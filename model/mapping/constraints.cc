// Which constraints of the architecture a mapping does not respect; their meaning is stated in
// mapping.h.
#include <cstdio>
#include <limits>

#include "model/mapping/mapping.h"
#include "model/mapping/names.h"

namespace loopscape {
namespace {

using Loops = std::vector<MappingNode>;  // outermost first, without those of bound 1

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : " ") + name;
  return list;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %%", 100 * share);
  return text;
}

// The temporal loops at a memory: between a store of it and the next store of another one that
// does not stand in the same row.
Loops loops_at_memory(const Mapping& mapping, MemoryId memory) {
  Loops loops;
  bool row_has_memory = false;
  bool in_row = false;
  for (const MappingNode& node : mapping) {
    if (node.kind == LoopKind::kStore) {
      if (!in_row) row_has_memory = false;
      in_row = true;
      row_has_memory = row_has_memory || node.memory() == memory;
      continue;
    }
    in_row = false;
    if (row_has_memory && node.kind == LoopKind::kFor && node.bound > 1) loops.push_back(node);
  }
  return loops;
}

Loops loops_at_fanout(const Mapping& mapping, const Arch& arch, FanoutId fanout) {
  Loops loops;
  for (const MappingNode& node : mapping) {
    if (node.kind == LoopKind::kSpatial && node.bound > 1 &&
        arch.fanout_of(node.axis_id()) == fanout) {
      loops.push_back(node);
    }
  }
  return loops;
}

double product(const Loops& loops) {
  double product = 1;
  for (const MappingNode& loop : loops) product *= loop.bound;
  return product;
}

class Checker {
 public:
  Checker(const Mapping& mapping, const Problem& problem, const Arch& arch)
      : mapping_(mapping), problem_(problem), arch_(arch) {}

  std::vector<std::string> run() {
    const Result<std::vector<Constraint>> constraints = expanded_constraints(arch_);
    if (!constraints.ok()) {
      violations_.push_back(constraints.status().message());
      return std::move(violations_);
    }
    for (const Constraint& constraint : *constraints) check(constraint);
    return std::move(violations_);
  }

 private:
  void check(const Constraint& constraint) {
    node_ = constraint.node;
    origin_ = constraint.dataflow.empty() ? "" : " (dataflow " + constraint.dataflow + ")";
    if (const auto memory = arch_.find_memory(node_)) {
      loops_ = loops_at_memory(mapping_, *memory);
      check_kept(constraint, *memory);
      check_stationary(constraint, loops_);
      if (constraint.min_utilization) {
        say("asks for a share of its capacity in use, which is not checked for a given mapping");
      }
    } else if (const auto fanout = arch_.find_fanout(node_)) {
      loops_ = loops_at_fanout(mapping_, arch_, *fanout);
      check_lanes(constraint, product(loops_),
                  static_cast<double>(arch_.fanouts[index(*fanout)].children()));
      check_stationary(constraint, loops_above(*fanout));
    } else if (node_ == arch_.compute.name) {
      loops_.clear();
      double used = 1;
      double all = 1;
      for (std::size_t f = 0; f < arch_.fanouts.size(); ++f) {
        used *= product(loops_at_fanout(mapping_, arch_, static_cast<FanoutId>(f)));
        all *= static_cast<double>(arch_.fanouts[f].children());
      }
      check_lanes(constraint, used, all);
    } else {
      say("names a node that the architecture does not have");
      return;
    }
    check_factors(constraint);
    check_order(constraint);
    check_dims(constraint);
  }

  void say(const std::string& sentence) {
    violations_.push_back("the constraint on " + node_ + origin_ + " " + sentence);
  }

  Loops loops_above(FanoutId fanout) const {
    for (std::size_t p = position_of_fanout(arch_, fanout); p-- > 0;) {
      if (arch_.nodes[p].kind != NodeKind::kMemory) continue;
      const auto memory = static_cast<MemoryId>(arch_.nodes[p].id);
      for (const MappingNode& node : mapping_) {
        if (node.kind == LoopKind::kStore && node.memory() == memory) {
          return loops_at_memory(mapping_, memory);
        }
      }
    }
    return {};
  }

  void check_factors(const Constraint& constraint) {
    for (const FactorConstraint& factor : constraint.factors) {
      const DimMask dims = problem_.dims_called(factor.dim);
      for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
        const auto dim = static_cast<DimId>(d);
        if ((dims & bit(dim)) != 0) check_factor(factor, dim);
      }
    }
  }

  void check_factor(const FactorConstraint& factor, DimId dim) {
    double bound = 1;  // exact far beyond any extent
    for (const MappingNode& loop : loops_) {
      if (loop.dim() == dim) bound *= loop.bound;
    }
    const std::int64_t extent = problem_.dims[index(dim)].extent;
    const double wanted = static_cast<double>(factor.value);
    std::string rule;
    switch (factor.kind) {
      case FactorConstraint::Kind::kExactly:
        if (bound != wanted) rule = std::to_string(factor.value);
        break;
      case FactorConstraint::Kind::kAtMost:
        if (bound > wanted) rule = "at most " + std::to_string(factor.value);
        break;
      case FactorConstraint::Kind::kAtLeast:
        if (bound < wanted) rule = "at least " + std::to_string(factor.value);
        break;
      case FactorConstraint::Kind::kAll:
        if (bound < static_cast<double>(extent)) rule = "all " + std::to_string(extent);
        break;
    }
    if (rule.empty()) return;
    char has[32];
    std::snprintf(has, sizeof has, "%.17g", bound);
    say("wants " + rule + " of " + dim_name(problem_, dim) + " there; the mapping has " + has);
  }

  void check_order(const Constraint& constraint) {
    if (constraint.order.empty()) return;
    const auto place = [&](DimId dim) {
      for (std::size_t o = 0; o < constraint.order.size(); ++o) {
        if ((problem_.dims_called(constraint.order[o]) & bit(dim)) != 0) return o;
      }
      return constraint.order.size();
    };
    for (std::size_t l = 0; l + 1 < loops_.size(); ++l) {
      if (place(loops_[l].dim()) >= place(loops_[l + 1].dim())) continue;
      say("wants the loops '" + joined(constraint.order) + "' innermost, in this order from the " +
          "inside out; the mapping has " + dim_name(problem_, loops_[l + 1].dim()) + " inside " +
          dim_name(problem_, loops_[l].dim()));
      return;
    }
  }

  void check_dims(const Constraint& constraint) {
    if (constraint.dims.empty()) return;
    DimMask allowed = 0;
    for (const std::string& name : constraint.dims) {
      allowed = static_cast<DimMask>(allowed | problem_.dims_called(name));
    }
    for (const MappingNode& loop : loops_) {
      if ((allowed & bit(loop.dim())) != 0) continue;
      say("allows loops only over " + joined(constraint.dims) + "; the mapping has '" +
          node_line(loop, problem_, arch_) + "' there");
      return;
    }
  }

  void check_kept(const Constraint& constraint, MemoryId memory) {
    TensorMask stored = 0;
    for (const MappingNode& node : mapping_) {
      if (node.kind == LoopKind::kStore && node.memory() == memory) stored |= node.tensors;
    }
    const auto missing = static_cast<TensorMask>(tensors_in(constraint.keep, problem_) & ~stored);
    if (missing != 0) {
      say("wants " + tensor_names(problem_, missing) + " stored there; the mapping does not");
    }
    const auto extra = static_cast<TensorMask>(tensors_in(constraint.bypass, problem_) & stored);
    if (extra != 0) {
      say("wants " + tensor_names(problem_, extra) + " to bypass it; the mapping stores it");
    }
  }

  void check_stationary(const Constraint& constraint, const Loops& loops) {
    if (constraint.stationary.empty()) return;
    const TensorMask tensors = problem_.tensors_called(constraint.stationary);
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      if ((tensors >> t & 1u) == 0) continue;
      const Tensor& tensor = problem_.tensors[t];
      for (std::size_t l = 0; l + 1 < loops.size(); ++l) {
        if ((tensor.relevant & bit(loops[l].dim())) != 0 ||
            (tensor.relevant & bit(loops[l + 1].dim())) == 0) {
          continue;
        }
        say("wants " + tensor.name + " stationary; the mapping has the loop over " +
            dim_name(problem_, loops[l + 1].dim()) + ", which changes it, inside that over " +
            dim_name(problem_, loops[l].dim()) + ", which does not");
        return;
      }
    }
  }

  void check_lanes(const Constraint& constraint, double used, double all) {
    if (!constraint.min_utilization || used / all >= *constraint.min_utilization) return;
    char lanes[64];
    std::snprintf(lanes, sizeof lanes, "%.17g of %.17g", used, all);
    say("wants at least " + percent(*constraint.min_utilization) +
        " of its lanes in use; the mapping uses " + lanes + " (" + percent(used / all) + ")");
  }

  const Mapping& mapping_;
  const Problem& problem_;
  const Arch& arch_;
  std::string node_, origin_;  // of the constraint that is looked at
  Loops loops_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> constraint_violations(const Mapping& mapping, const Problem& problem,
                                               const Arch& arch) {
  return Checker(mapping, problem, arch).run();
}

}  // namespace loopscape
