// What one action costs, and where each number comes from. Prices are found once, before anything
// is evaluated; evaluation only reads ActionCosts.
//
//   auto tables = EnergyTables::built_in();
//   auto resolved = resolve_costs(arch, *tables);     // or a status: what nobody prices, and why
//   auto evaluator = Evaluator::create(problem, resolved->arch, conventions, resolved->costs);
//   for (const ComponentPrices& prices : resolved->prices) ...  // every number with its source
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"

namespace loopscape {

struct MemoryCosts {
  double read_pj = 0, write_pj = 0, update_pj = 0;  // per access of the memory's width
  double leakage_mw = 0, area_um2 = 0;              // per instance
};

struct ComputeCosts {
  double operation_pj = 0;
  double leakage_mw = 0, area_um2 = 0;  // per instance
};

struct ActionCosts {
  std::array<MemoryCosts, kMaxMemories> memories;
  ComputeCosts compute;
};

// The costs that the spec states in place ("energy_pj", "leakage_mw", "area_um2"). A component
// with an action that nobody prices is an error that names it and the key to write.
Result<ActionCosts> costs_in_spec(const Arch& arch);

// --- where numbers come from -------------------------------------------------------------------

inline constexpr const char* kTablesInSpec = "spec";  // all is stated in the architecture

struct Provenance {
  std::string source;              // kTablesInSpec, or who published it
  std::string table;               // empty: none
  std::string method;              // how the number follows from the source
  std::vector<std::string> parts;  // of a compound: "array: cacti7_sram"
  std::optional<double> node_nm;   // where the table's own number stands
  bool interpolated = false, scaled = false, extrapolated = false;
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct PricedNumber {
  std::string name;  // "read", "leakage_mw", ...
  double value = 0;
  Provenance from;
  friend bool operator==(const PricedNumber&, const PricedNumber&) = default;
};

// One memory, network or compute unit with everything that is known of its price.
struct ComponentPrices {
  std::string node;       // "GlobalBuffer"; "PEs" for its only network, else "PEs 1"
  std::string component;  // class, and type after a space
  std::int64_t instances = 1;
  std::int64_t bits = 0;  // what one action moves or works on
  // pJ per action. Evaluation charges read, write, update, compute, bit_hop; the others (gated,
  // idle, ...) are what the source distinguishes besides.
  std::vector<PricedNumber> actions;
  // leakage_mw, area_um2 of one instance, cycle_ns. What is not there, no source states.
  std::vector<PricedNumber> properties;
  friend bool operator==(const ComponentPrices&, const ComponentPrices&) = default;
};

// --- tables ------------------------------------------------------------------------------------

struct TableText {
  std::string name;  // what errors call it
  std::string json;
};

// Prices of nodes by their names, as an ERT and ART of another program state them. A network is
// called as network_node_name() says, with '_' for the space.
struct NamedPrices {
  std::string node;
  std::map<std::string, double> actions;  // pJ; "leak" is per cycle of the architecture's clock
  std::optional<double> leakage_mw, area_um2;
  std::string source;
};

// Asks a program outside: a JSON request in, a JSON answer or a status out.
using ExternalEstimator = std::function<Result<std::string>(const std::string& request)>;

// What a user adds to the tables that come with the library.
struct UserTables {
  std::vector<TableText> tables;
  std::vector<NamedPrices> named;
  ExternalEstimator external;
  std::string external_name;
};

struct TableSet;  // model/energy/estimate.h

class EnergyTables {
 public:
  static Result<EnergyTables> built_in() { return create({}); }
  // An error: a file is malformed, or two tables have one name.
  static Result<EnergyTables> create(const UserTables& more);
  // "built-in" with a fingerprint, and one of everything that was added.
  const std::string& identity() const;
  const TableSet& set() const { return *set_; }

 private:
  explicit EnergyTables(std::shared_ptr<const TableSet> set) : set_(std::move(set)) {}
  std::shared_ptr<const TableSet> set_;
};
inline constexpr const char* kTablesBuiltIn = "built-in";

// What prices call one network of a fan-out.
std::string network_node_name(const Fanout& fanout, std::size_t network);

struct ResolvedCosts {
  Arch arch;  // as given, with the energies of its networks filled in
  ActionCosts costs;
  std::vector<ComponentPrices> prices;  // in the order of the architecture's nodes
  std::string tables;                   // kTablesInSpec, or the identity of the tables
  // Prices by name that no node of the architecture took, as "NODE of FILE".
  std::vector<std::string> unused;
};

// What is stated in place wins; the rest comes from the tables. A component whose energies are all
// in place leaks what is in place; its area may come from the tables. An error: prices by name were
// added and no node has any of the names.
Result<ResolvedCosts> resolve_costs(const Arch& arch, const EnergyTables& tables);

// The costs that stored prices state: what resolve_costs() answered when they were stored.
Result<ResolvedCosts> costs_of_prices(const Arch& arch, const std::vector<ComponentPrices>& prices,
                                      const std::string& tables);

// The JSON form of prices, as results carry them, and its schema.
std::string prices_to_json(const std::vector<ComponentPrices>& prices);
Result<std::vector<ComponentPrices>> parse_prices(std::string_view json);
std::string prices_schema();
std::string tables_schema();  // JSON Schema of a table file

// --- how good the tables are ---------------------------------------------------------------------

// A table's own points, each predicted from the others.
struct LeaveOneOut {
  std::string table, column;
  std::size_t points = 0, at_the_edge = 0;  // at the edge: the others do not enclose it
  double median = 0, p95 = 0, most = 0;     // relative errors
};
std::vector<LeaveOneOut> leave_one_out(const EnergyTables& tables);

// A published figure and what the tables say.
struct Residual {
  std::string check, source, place, number;
  double published = 0, estimated = 0;
  double within = 0;    // how far apart the two may be
  std::string failure;  // why there is no estimate
  double error() const { return estimated / published - 1; }
  // The larger over the smaller, less 1.
  double apart() const {
    return estimated > published ? estimated / published - 1 : published / estimated - 1;
  }
  bool accepted() const { return failure.empty() && estimated > 0 && apart() <= within; }
};
std::vector<Residual> residuals(const EnergyTables& tables);

}  // namespace loopscape
