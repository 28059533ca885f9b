// Names that an architecture says and the problems at hand do not know.
//
// An architecture serves many problems, so a tensor or dimension that the one at hand lacks is no
// error: it is skipped. A misspelt one is skipped as well and changes the answer without a trace;
// here both are told apart as well as that can be done.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/problem/problem.h"

namespace loopscape {

// Names that stay unremarked whatever the problem: the roles and the short forms' tensors; the
// canonical dimensions and the short forms' own.
bool is_usual_tensor(std::string_view role_or_name);
bool is_usual_dim(std::string_view name);

// Something worth saying of a spec that is no error. `place` is a JSON pointer that takes every
// list to be written as one (see written_place()).
struct Remark {
  std::string place, message;
};

// The names in the architecture's nodes and constraints that are neither usual ones nor mean
// anything to any of the problems; and tensors that a list cannot mean, as an output among what is
// multicast. `whose` names the problems in messages: "conv1", "any layer of alexnet".
std::vector<Remark> unmatched_names(const Arch& arch, std::span<const Problem> problems,
                                    const std::string& whose);

}  // namespace loopscape
