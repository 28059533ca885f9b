// Component class + attributes + technology + supply -> energies, leakage, area, cycle time.
// Inside model/energy only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/energy/energy.h"
#include "model/energy/table.h"

namespace loopscape {

struct EstimateRequest {
  std::string component, type;
  std::map<std::string, double> numbers;
  std::set<std::string> asked;  // those that the user wrote: the table must know them
  std::optional<double> technology_nm, voltage;
  bool extrapolate = false;
};

struct Estimate {
  std::map<std::string, double> actions;  // pJ
  std::optional<double> leakage_mw, area_um2, cycle_ns;
  Provenance from;
  double accuracy = 0;
};

struct TableSet {
  std::vector<EnergyTable> tables;
  std::vector<TableCheck> checks;
  TechnologyScaling scaling;
  ExternalEstimator external;
  std::vector<NamedPrices> named;
  std::string identity;
};

// The answer of the most accurate table that has the component. kUnsupported: none has it, and why
// not; kInvalidInput: a table is defective, or two are equally accurate.
Result<Estimate> estimate(const TableSet& set, const EstimateRequest& request);

// The same from one table only.
Result<Estimate> estimate_from(const TableSet& set, const EnergyTable& table,
                               const EstimateRequest& request);

// What an external estimator is asked and what it answers (energy_tables/README.md).
std::string external_request(const EstimateRequest& request);
// Absent: it does not know the component.
Result<std::optional<Estimate>> parse_external_answer(const std::string& answer);

}  // namespace loopscape
