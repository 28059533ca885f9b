// What most verbs read: an architecture, a problem, and the conventions in force.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "interface/cli/energy_sources.h"
#include "interface/cli/files.h"
#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/network/network.h"
#include "model/problem/problem.h"

namespace loopscape::cli {

struct InputOptions {
  std::string arch, problem;
  std::string conventions, reuse;
  TableOptions prices;
};

// ARCH and PROBLEM; and what says how to count and price.
void add_inputs(CLI::App& verb, InputOptions& options);
void add_conventions(CLI::App& verb, InputOptions& options);

struct Inputs {
  Arch arch;
  Problem problem;
  Conventions conventions;
};
// Warnings are told on the way. `more_paths`: other files that the verb reads.
Result<Inputs> load_inputs(const InputOptions& options, const std::vector<std::string>& more_paths);

// What `map` reads: PROBLEM may also be a network.
struct NetworkInputs {
  Arch arch;
  LayerNetwork network;
  std::vector<Conventions> conventions;  // of each layer
};
struct ProblemOrNetwork {
  std::optional<Inputs> one;
  std::optional<NetworkInputs> network;  // exactly one of them
};
Result<ProblemOrNetwork> load_problem_or_network(const InputOptions& options);

// As a message calls a file: "<stdin>" for "-".
std::string file_name(const std::string& path);

}  // namespace loopscape::cli
