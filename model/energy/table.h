// A component table as its file states it, and the set of all tables in force. Inside model/energy
// only; energy_tables/README.md explains the format.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/base.h"
#include "model/energy/grid.h"
#include "model/energy/scaling.h"

namespace loopscape {

// Numbers and expressions are both kept as text, as variables of architectures are.
using Expressions = std::map<std::string, std::string>;

struct TableAttribute {
  std::string name;
  std::optional<double> least, most;
  std::string otherwise;  // an expression; empty: it must be given
  std::string meaning;
};

// Another component that this one is built from.
struct TablePart {
  std::string name, component, type;
  Expressions attributes;
  std::string count = "1";
};

struct EnergyTable {
  std::string name, file, source, method;
  std::vector<std::string> classes, types;  // types: empty: for components without "type"
  double accuracy = 0;                      // 0 to 1; the greatest that has the component wins
  std::optional<double> technology_nm;      // of the numbers, unless it is an axis
  std::string voltage;                      // of the numbers; empty: nominal at their node
  ScalingRule scaling = ScalingRule::kNone;
  std::vector<TableAttribute> attributes;
  std::vector<std::string> axes, columns;
  std::vector<std::vector<double>> rows;
  Grid grid;
  Expressions let;
  std::vector<TablePart> parts;
  Expressions actions;                         // pJ
  std::string leakage_mw, area_um2, cycle_ns;  // empty: the source does not say
};

// Published figures that tables are held against.
struct TableCheck {
  std::string name, source, component, type;
  std::vector<std::string> columns;  // attributes, then "=action", "=area_um2", ... expected
  std::vector<std::vector<double>> rows;
  double within = 0;  // the larger over the smaller, less 1, is at most this
};

struct TableFile {
  std::vector<EnergyTable> tables;
  std::vector<TableCheck> checks;
  std::optional<TechnologyScaling> scaling;
};

// Checks what no single field can see (names, expressions, ranges) and builds the grids.
Status finish_tables(TableFile& file);

// `name` is what errors call the file.
Result<TableFile> parse_table_file(const std::string& name, std::string_view text);
std::string table_file_schema();

}  // namespace loopscape
