// Walking the nest step by step: who receives what and when (A4 to A7).
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/base.h"
#include "model/evaluate/evaluate.h"
#include "tests/reference/nest.h"
#include "tests/reference/simulator.h"

namespace loopscape::reference {

// What happened to one tensor.
struct TensorWalk {
  std::vector<std::vector<InstanceCounts>> stores;  // [store][instance]
  std::vector<TensorAtNetwork> links;               // [fan-out]
  std::vector<std::int64_t> compute_runs;           // [lane]: runs of compute's word
};

struct Walk {
  std::int64_t steps = 0;
  std::vector<TensorWalk> tensors;
  bool reads_are_visits_less_zeros = true;
};

Walk walk_nest(const Nest& nest, const Conventions& conventions, Defect defect);

// The network object of a fan-out that carries a tensor; null when none does.
const Network* network_of(const Nest& nest, std::size_t fanout, std::size_t tensor);

}  // namespace loopscape::reference
