// What is told on stderr of inputs that are in order but may not say what was meant.
#pragma once

#include <span>
#include <string>

#include "model/arch/arch.h"
#include "model/problem/problem.h"

namespace loopscape::cli {

// Where the inputs come from, as messages call it.
struct InputFiles {
  std::string arch, arch_text, problem;
  std::string network;  // its name; the problems are its layers then
  bool is_network = false;
};

// Names of the architecture that mean nothing to the problems, and densities, which cost nothing
// yet: a line each.
void warn(const InputFiles& files, const Arch& arch, std::span<const Problem> problems);

}  // namespace loopscape::cli
