#include "model/names/names.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>

namespace loopscape {
namespace {

// Which tensors a list can mean.
enum class Side : std::uint8_t { kAny, kInputs, kOutputs };

TensorMask tensors_on(Side side, const Problem& problem) {
  const unsigned all = (1u << problem.tensors.size()) - 1;
  const unsigned output = bit(problem.output());
  if (side == Side::kInputs) return static_cast<TensorMask>(all & ~output);
  return static_cast<TensorMask>(side == Side::kOutputs ? output : all);
}

void add_new(const std::string& name, std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

class Finder {
 public:
  Finder(const Arch& arch, std::span<const Problem> problems, const std::string& whose)
      : arch_(arch), problems_(problems), whose_(whose) {
    for (const Problem& problem : problems) {
      for (const Dim& dim : problem.dims) add_new(dim.name, dims_);
      for (const auto& role : problem.dim_roles) add_new(role.second, dims_);
    }
  }

  std::vector<Remark> run() && {
    for (std::size_t i = 0; i < arch_.nodes.size(); ++i) {
      const ArchNode node = arch_.nodes[i];
      const std::string place = "/nodes/" + std::to_string(i);
      if (node.kind == NodeKind::kMemory) {
        const Memory& memory = arch_.memories[node.id];
        look_at_tensors(memory.keep, place + "/keep");
        look_at_tensors(memory.bypass, place + "/bypass");
      } else if (node.kind == NodeKind::kFanout) {
        look_at(arch_.fanouts[node.id], place);
      }
    }
    for (std::size_t i = 0; i < arch_.constraints.size(); ++i) {
      look_at(arch_.constraints[i], "/constraints/" + std::to_string(i));
    }
    return std::move(remarks_);
  }

 private:
  void look_at(const Fanout& fanout, const std::string& place) {
    for (const Axis& axis : fanout.axes) {
      look_at_allowed(axis.dims, place + "/dims/" + axis.name);
    }
    for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
      const Network& network = fanout.networks[n];
      const std::string here = place + "/network/" + std::to_string(n);
      look_at_tensors(network.tensors, here + "/tensors");
      look_at_tensors(network.multicast, here + "/multicast", Side::kInputs);
      look_at_tensors(network.reduce, here + "/reduce", Side::kOutputs);
      look_at_tensors(network.forward, here + "/forward", Side::kInputs);
    }
  }

  void look_at(const Constraint& constraint, const std::string& place) {
    for (const FactorConstraint& factor : constraint.factors) {
      look_at_dim(factor.dim, place + "/factors/" + factor.dim, "so it constrains nothing here");
    }
    for (std::size_t i = 0; i < constraint.order.size(); ++i) {
      look_at_dim(constraint.order[i], place + "/order/" + std::to_string(i),
                  "so it orders nothing here");
    }
    look_at_allowed(constraint.dims, place + "/dims");
    look_at_tensors(constraint.keep, place + "/keep");
    look_at_tensors(constraint.bypass, place + "/bypass");
  }

  // Where only the dimensions named may have loops.
  void look_at_allowed(const std::vector<std::string>& dims, const std::string& place) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      look_at_dim(dims[i], place + "/" + std::to_string(i), "so it allows no loop here");
    }
  }

  void look_at_dim(const std::string& name, const std::string& place, const char* so) {
    if (is_dim(name)) return;
    std::string message = "no dimension of " + whose_ + " is called " + in_quotes(name) + ", " + so;
    const std::string apart = taken_apart(name);
    message += apart.empty() ? suggestion(name, dims_)
                             : " (did you mean " + apart + "? names of dimensions stand apart)";
    remarks_.push_back({place, std::move(message)});
  }

  void look_at_tensors(const std::vector<std::string>& names, const std::string& place,
                       Side side = Side::kAny) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = names[i];
      bool known = false, meant = false;
      for (const Problem& problem : problems_) {
        const TensorMask called = problem.tensors_called(name);
        known |= called != 0;
        meant |= (called & tensors_on(side, problem)) != 0;
      }
      if (meant || (!known && is_usual_tensor(name))) continue;
      remarks_.push_back({place + "/" + std::to_string(i),
                          known ? on_other_side(name, side) : unknown(name, side)});
    }
  }

  std::string on_other_side(const std::string& name, Side side) const {
    const bool inputs = side == Side::kInputs;
    return in_quotes(name) + " is no " + (inputs ? "input" : "output") + " of " + whose_ +
           ", so it has no effect here; " +
           (inputs ? "outputs stand in 'reduce'" : "inputs stand in 'multicast'");
  }

  std::string unknown(const std::string& name, Side side) const {
    std::vector<std::string> known;
    if (side != Side::kOutputs) known = {"input", "weight"};
    if (side != Side::kInputs) known.emplace_back("output");
    for (const Problem& problem : problems_) {
      const TensorMask possible = tensors_on(side, problem);
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        if ((possible >> t & 1u) != 0) add_new(problem.tensors[t].name, known);
      }
    }
    return "no tensor of " + whose_ + " is called " + in_quotes(name) +
           " or has that role, so it has no effect here" + suggestion(name, known);
  }

  bool is_dim(std::string_view name) const {
    return is_usual_dim(name) ||
           std::any_of(problems_.begin(), problems_.end(),
                       [&](const Problem& problem) { return problem.dims_called(name) != 0; });
  }

  // "k m n" of "kmn"; empty if these are not all dimensions.
  std::string taken_apart(const std::string& name) const {
    std::string apart;
    const std::set<char> letters(name.begin(), name.end());
    if (name.size() < 2 || letters.size() < name.size()) return apart;
    for (const char& letter : name) {
      if (!is_dim({&letter, 1})) return {};
      apart += (apart.empty() ? "" : " ") + std::string(1, letter);
    }
    return apart;
  }

  const Arch& arch_;
  std::span<const Problem> problems_;
  const std::string& whose_;
  std::vector<std::string> dims_;  // all there are, as the problems and as architectures call them
  std::vector<Remark> remarks_;
};

}  // namespace

bool is_usual_tensor(std::string_view role_or_name) {
  static constexpr std::string_view kNames[] = {"weight", "input", "output", "I", "J", "W", "O"};
  return std::find(std::begin(kNames), std::end(kNames), role_or_name) != std::end(kNames);
}

bool is_usual_dim(std::string_view name) {
  static constexpr std::string_view kNames[] = {"n", "k", "c", "p", "q", "r",
                                                "s", "g", "b", "h", "m"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::vector<Remark> unmatched_names(const Arch& arch, std::span<const Problem> problems,
                                    const std::string& whose) {
  return Finder(arch, problems, whose).run();
}

}  // namespace loopscape
