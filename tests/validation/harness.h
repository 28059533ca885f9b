// What every validation test needs: specs from files or in place, priced by the ordinary readers
// and the ordinary evaluator. A reader's or the evaluator's refusal is a test failure that shows
// the sentence the user would see.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/evaluate/evaluate.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"

namespace loopscape::validation {

using Json = nlohmann::json;

template <class T>
T unwrap(Result<T> result, const std::string& what) {
  if (!result.ok()) throw std::runtime_error(what + ": " + result.status().to_string());
  return std::move(result).value();
}

// A JSON file; the path is relative to the repository's root.
Json load(const std::string& path);

// Memories and compute units without "energy_pj" get 1 pJ per action: cases about counts need not
// price anything.
Json with_unit_energies(Json arch);

struct Priced {
  Problem problem;
  Arch arch;
  Mapping mapping;
  Conventions conventions;
  Breakdown cost;

  const MemoryReport& memory(const std::string& name) const;
  const TensorAtMemory& at(const std::string& memory, const std::string& tensor) const;
  const FanoutReport& fanout(const std::string& name) const;
  const TensorAtNetwork& through(const std::string& fanout, const std::string& tensor) const;
  // Words of all tensors by action, per instance in use.
  Traffic words_per_instance(const std::string& memory) const;
};

// evaluate() and explain() are both run and must agree bit for bit.
Priced price(const Json& problem, const Json& arch, const Json& mapping,
             const Conventions& conventions = Conventions::physical());
// The same with the mapping in its text form (indented loops).
Priced price_text(const Json& problem, const Json& arch, const std::string& nest,
                  const Conventions& conventions = Conventions::physical());

// The same mapping walked step by step by the nest simulator instead of priced in closed form.
// Slow: for up to some ten thousand operations.
Priced simulated(const Priced& priced);

// |a - b| <= 1e-9 * the larger of the two: the agreement model.md section 9 asks of energies.
bool same_energy(double a, double b);

// The number with as many digits after the point as the published table prints.
double printed(double value, int digits);

}  // namespace loopscape::validation
