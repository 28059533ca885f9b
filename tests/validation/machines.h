// Machines of arch_specs/ priced by the component tables, as the command line prices them, and what
// the mapper makes of a layer on them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "mapper/search/search.h"
#include "tests/validation/harness.h"

namespace loopscape::validation {

struct Machine {
  Arch arch;
  ActionCosts costs;

  double clock_ghz() const { return *arch.clock_mhz / 1e3; }
  double lanes() const;  // compute instances
  // Of multiply-accumulates, each of which counts twice.
  double peak_tops() const { return 2 * lanes() * clock_ghz() / 1e3; }
};

// arch_specs/NAME.json, some of its variables replaced.
Machine machine(const std::string& name, const std::map<std::string, double>& variables = {});
Machine machine_of(const Json& spec, const std::map<std::string, double>& variables = {});

// `nest` is a mapping's text form.
Priced price_on(const Machine& machine, const Json& problem, const std::string& nest);

// A mapping of least delay, to 1e-4. The search ends as soon as its bound says so: which of several
// equally fast mappings it is, and its energy, mean nothing. Fails if `max_work` does not suffice.
Priced fastest(const Machine& machine, const Json& problem, Factors factors = Factors::kRagged,
               std::uint64_t max_work = 1'000'000);
// The delay of the fastest mapping that so much work finds, and what no mapping stays below.
struct Delay {
  double cycles = 0, at_least = 0;
};
Delay delay_within(const Machine& machine, const Json& problem, std::uint64_t max_work);
// The mapping of least energy, proved.
Priced cheapest(const Machine& machine, const Json& problem, Factors factors = Factors::kRagged);

// Cycles of the part of the time that `explain` calls so ("DRAM bandwidth"), of those of one name
// the one so many further down (networks of one fan-out, in their order); 0: there is none.
double cycles_of(const Priced& priced, const std::string& part, int further = 0);

// The layers of problems/networks/NAME.json, equal ones once with their number in "count".
Json distinct_layers(const std::string& network);

}  // namespace loopscape::validation
