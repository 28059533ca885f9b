// An architecture: memories, fan-outs and one compute node, outermost first (model.md section 2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

enum class Buffering : std::uint8_t { kIdeal, kSingle, kDouble, kBuffet };

// Energies given in place, in pJ; absent ones come from energy_tables/.
struct ActionEnergies {
  std::optional<double> read, write, update;  // memories: per access of width_bits
  std::optional<double> compute;              // compute: per operation
  // Actions that evaluation does not charge ("gated", "idle", "read_same_data", ...), by name.
  std::map<std::string, double> others = {};
  friend bool operator==(const ActionEnergies&, const ActionEnergies&) = default;
};

// Attributes that only energy estimation reads ("class", "type", "ports", ...), kept as given.
using Attributes = std::map<std::string, std::string>;

struct Memory {
  std::string name;
  std::string class_name;
  std::optional<std::uint64_t> size_bits;  // absent: unlimited
  std::uint32_t width_bits = 0;            // one access; 0: one word
  std::uint32_t banks = 1;
  std::uint32_t ports = 1;
  std::optional<double> read_bits, write_bits, bandwidth_bits;  // per cycle and instance
  double latency_cycles = 0;
  Buffering buffering = Buffering::kIdeal;
  std::vector<std::string> keep, bypass;  // roles or tensor names
  ActionEnergies energy_pj;
  std::optional<double> leakage_mw, area_um2;  // per instance
  bool power_gated = false;                    // unused instances do not leak
  Attributes attributes;
  friend bool operator==(const Memory&, const Memory&) = default;
};

enum class NetworkClass : std::uint8_t {
  kFree,
  kBus,
  kMulticastBus,
  kMesh,
  kTree,
  kCrossbar,
  kSystolic,
  kChain
};

struct Network {
  NetworkClass network_class = NetworkClass::kFree;
  std::vector<std::string> tensors;  // roles or names it carries; empty: all not named elsewhere
  std::vector<std::string> multicast, reduce, forward;  // roles or names
  double energy_pj_per_bit_hop = 0;
  bool energy_from_tables = false;  // the spec states none: filled in by model/energy, not written
  double hop_mm = 0;
  std::optional<double> bandwidth_bits;  // per cycle, of the whole network
  double latency_cycles = 0;
  // Systolic: the stationary operand is loaded before each fold and that takes R cycles;
  // false: double-buffered, the load is hidden.
  bool preload = true;
  std::string preload_axis;  // the axis whose size is R; empty: the last one
  bool pipelined = false;    // folds follow each other without a gap: skew is paid once
  friend bool operator==(const Network&, const Network&) = default;
};

struct Axis {
  std::string name;
  std::uint32_t size = 1;
  std::vector<std::string> dims;  // dimensions (canonical or own names) allowed on it; empty: any
  friend bool operator==(const Axis&, const Axis&) = default;
};

struct Fanout {
  std::string name;
  std::vector<Axis> axes;         // in alphabetical order of their names
  std::vector<Network> networks;  // one object or a list in the spec
  std::int64_t children() const;  // product of the axis sizes
  friend bool operator==(const Fanout&, const Fanout&) = default;
};

struct Compute {
  std::string name;
  std::string class_name;
  std::uint32_t bits = 0;      // 0: the architecture's word
  double interval_cycles = 1;  // initiation interval
  double latency_cycles = 0;
  ActionEnergies energy_pj;
  std::optional<double> leakage_mw, area_um2;
  bool power_gated = false;
  Attributes attributes;
  friend bool operator==(const Compute&, const Compute&) = default;
};

enum class NodeKind : std::uint8_t { kMemory, kFanout, kCompute };
struct ArchNode {
  NodeKind kind;
  std::uint8_t id;  // into memories or fanouts; 0 for compute
  friend bool operator==(const ArchNode&, const ArchNode&) = default;
};

// A constraint of formats.md. It only removes mappings.
struct FactorConstraint {
  std::string dim;
  enum class Kind : std::uint8_t { kExactly, kAtMost, kAtLeast, kAll } kind = Kind::kExactly;
  std::int64_t value = 1;
  friend bool operator==(const FactorConstraint&, const FactorConstraint&) = default;
};
struct Constraint {
  std::string node;
  std::vector<FactorConstraint> factors;
  std::vector<std::string> order;  // innermost first
  std::vector<std::string> dims;   // only these may have loops here
  std::vector<std::string> keep, bypass;
  std::optional<double> min_utilization;
  std::string stationary;  // a role: "weight", "input", "output"
  std::string dataflow;    // a preset's name
  friend bool operator==(const Constraint&, const Constraint&) = default;
};

// Widths of tensors that state none, by role; 0: the architecture's word.
struct RoleBits {
  std::uint32_t weight = 0, input = 0, output = 0;
  std::uint32_t final = 0;  // of an output's last visit; 0: as `output`
  friend bool operator==(const RoleBits&, const RoleBits&) = default;
};

struct Arch {
  std::string name;
  std::string comment;  // where the numbers come from; kept, never interpreted
  std::optional<double> technology_nm, voltage, clock_mhz;
  std::uint32_t word_bits = 16;
  RoleBits role_bits;
  std::map<std::string, std::string> variables;  // name -> number or expression as text
  std::vector<ArchNode> nodes;                   // outermost first
  std::vector<Memory> memories;
  std::vector<Fanout> fanouts;
  Compute compute;
  std::vector<Constraint> constraints;
  std::optional<Conventions> conventions;

  std::optional<MemoryId> find_memory(std::string_view memory) const;
  std::optional<FanoutId> find_fanout(std::string_view fanout) const;
  // "PEs.y", or "PEs" when the fan-out has one axis, or "y" when only one axis is called so.
  std::optional<AxisId> find_axis(std::string_view wanted) const;
  AxisId first_axis(FanoutId fanout) const;
  FanoutId fanout_of(AxisId wanted) const;
  const Axis& axis(AxisId wanted) const;
  std::string axis_name(AxisId wanted) const;  // "PEs.y"
  std::size_t axis_count() const;
  friend bool operator==(const Arch&, const Arch&) = default;
};

// Validates a draft: names, ranges, the order of nodes, constraints. Parsing ends here too.
Result<Arch> make_arch(const Arch& draft);

// The JSON form (formats.md). Any number may be an expression over `variables`: + - * / %,
// parentheses, min max ceil floor round sqrt log2 pow. Axes are in alphabetical order.
Result<Arch> parse_arch(std::string_view text);
// The same with some variables' values replaced, as sweeps do.
Result<Arch> parse_arch(std::string_view text, const std::map<std::string, double>& overrides);
// Keeps `variables` but writes evaluated numbers; defaults are left out.
std::string arch_to_json(const Arch& arch);
// JSON Schema (draft 7) of what parse_arch() reads.
std::string arch_schema();

// The dataflow presets that constraints may name. A preset stands for other constraints:
//   feeder  at the node named: at a fan-out this speaks of the loops at the memory above it;
//           without a node, at the fan-out with the most children (the outermost of equals), or at
//           the innermost memory where there is no fan-out
//   array   at the fan-out named, or the first one inside the memory named
//   inside  at every memory inside the array
//   next    at the first memory inside the node named
// Dimensions are the canonical ones of a convolution; dim_roles say who plays them.
struct DataflowRule {
  enum class Where : std::uint8_t { kFeeder, kArray, kInside, kNext } where;
  Constraint constraint;  // without a node
};
struct Dataflow {
  std::string name, meaning;
  std::vector<DataflowRule> rules;
};
const std::vector<Dataflow>& dataflows();
const std::vector<std::string>& dataflow_names();
// The constraints of the architecture with every preset spelled out; `dataflow` of a constraint
// then says where it comes from. An error: the architecture lacks a node that a preset needs.
Result<std::vector<Constraint>> expanded_constraints(const Arch& arch);

}  // namespace loopscape
