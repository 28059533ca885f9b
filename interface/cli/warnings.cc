#include "interface/cli/warnings.h"

#include <cstdio>
#include <optional>

#include "model/base/json_place.h"
#include "model/names/names.h"

namespace loopscape::cli {
namespace {

void say(const std::string& file, const std::string& place, const std::string& message) {
  const Status status =
      Status(StatusCode::kInvalidInput, message).at(std::string(place)).in(std::string(file));
  std::fprintf(stderr, "loopscape: warning: %s\n", status.to_string().c_str());
}

std::string whose(const InputFiles& files, std::span<const Problem> problems) {
  if (files.is_network) {
    return "any layer of " + (files.network.empty() ? "the network" : printable(files.network, 60));
  }
  return problems[0].name.empty() ? "the problem" : printable(problems[0].name, 60);
}

const char* const kDense = "density has no effect yet: every word counts, zero or not";

void warn_of_density(const InputFiles& files, const Problem& problem) {
  for (const Tensor& tensor : problem.tensors) {
    if (tensor.density == 1) continue;
    say(files.problem, "/tensors/" + tensor.name + "/density", kDense);
  }
}

// Once, however many layers: they may well stand in other files, where no place is known.
void warn_of_density(const InputFiles& files, std::span<const Problem> layers) {
  std::size_t sparse = 0;
  std::string first;
  for (const Problem& layer : layers) {
    for (const Tensor& tensor : layer.tensors) {
      if (tensor.density != 1 && sparse++ == 0) {
        first = "tensor " + in_quotes(tensor.name) + " of layer " + in_quotes(layer.name);
      }
    }
  }
  if (sparse == 0) return;
  if (sparse > 1) first += " and " + std::to_string(sparse - 1) + " more";
  say(files.problem, "", first + ": " + kDense);
}

}  // namespace

void warn(const InputFiles& files, const Arch& arch, std::span<const Problem> problems) {
  for (const Remark& remark : unmatched_names(arch, problems, whose(files, problems))) {
    say(files.arch, written_place(files.arch_text, remark.place), remark.message);
  }
  if (files.is_network) {
    warn_of_density(files, problems);
  } else {
    warn_of_density(files, problems[0]);
  }
}

}  // namespace loopscape::cli
