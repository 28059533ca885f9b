// What no single field of a table file can see.
#include <algorithm>
#include <set>

#include "model/base/expression.h"
#include "model/base/json_fields.h"
#include "model/energy/table.h"

namespace loopscape {
namespace {

using fields::Reader;

constexpr const char* kNode = "technology_nm";
constexpr const char* kSupply = "voltage";

// The names that a table's expressions may read, and whether they do.
class TableChecker {
 public:
  TableChecker(EnergyTable& table, const Reader& reader) : table_(table), reader_(reader) {}

  Status run() {
    for (const auto step : {&TableChecker::check_classes, &TableChecker::check_attributes,
                            &TableChecker::add_names, &TableChecker::check_axes,
                            &TableChecker::check_expressions, &TableChecker::check_scaling}) {
      if (Status status = (this->*step)(); !status.ok()) return status;
    }
    Result<Grid> grid = Grid::create(table_.axes, table_.columns.size(), table_.rows);
    if (!grid.ok()) {
      return Status(grid.status().code(), grid.status().message())
          .at(reader_.place + grid.status().place());
    }
    table_.grid = *std::move(grid);
    return {};
  }

 private:
  Status check_classes() {
    if (table_.classes.empty()) return reader_.at("class").error("a table prices some class");
    for (const std::string& name : table_.classes) {
      if (name.empty()) return reader_.at("class").error("a class has a name");
    }
    if (table_.actions.empty()) return reader_.error("a table prices at least one action");
    return {};
  }

  Status check_attributes() {
    for (std::size_t i = 0; i < table_.attributes.size(); ++i) {
      const TableAttribute& attribute = table_.attributes[i];
      const Reader place = reader_.at("attributes").at(i);
      if (attribute.least && attribute.most && *attribute.least > *attribute.most) {
        return place.error("'min' " + number_text(*attribute.least) + " is above 'max' " +
                           number_text(*attribute.most));
      }
      if (Status s = add(attribute.name, place.at("name")); !s.ok()) return s;
    }
    return {};
  }

  Status add_names() {
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      if (Status s = add(table_.columns[i], reader_.at("columns").at(i)); !s.ok()) return s;
    }
    for (const auto& [name, text] : table_.let) {
      if (Status s = add(name, reader_.at("let").at(name)); !s.ok()) return s;
    }
    for (std::size_t i = 0; i < table_.parts.size(); ++i) {
      const Reader place = reader_.at("parts").at(i).at("part");
      if (Status s = add(table_.parts[i].name, place); !s.ok()) return s;
    }
    return {};
  }

  Status add(const std::string& name, const Reader& place) {
    if (!is_identifier(name) || is_function_name(name)) {
      return place.error(in_quotes(name) + " is no name for a number");
    }
    if (name == kNode || name == kSupply) {
      return place.error(in_quotes(name) + " is known without being stated; leave it out");
    }
    if (names_.insert(name).second) return {};
    return place.error("the name " + in_quotes(name) + " is given twice in this table");
  }

  Status check_axes() {
    if (table_.rows.empty() != table_.columns.empty()) {
      return reader_.error("'rows' and 'columns' come together");
    }
    if (table_.rows.empty() != table_.axes.empty()) {
      return reader_.error("'rows' and 'axes' come together");
    }
    for (std::size_t i = 0; i < table_.axes.size(); ++i) {
      const Reader place = reader_.at("axes").at(i);
      if (i > 0 && table_.axes[i] == kNode) return place.error("'technology_nm' is the first axis");
      if (Status s = check(table_.axes[i], place); !s.ok()) return s;
    }
    return {};
  }

  Status check_expressions() {
    for (std::size_t i = 0; i < table_.attributes.size(); ++i) {
      const Reader place = reader_.at("attributes").at(i).at("default");
      if (Status s = check(table_.attributes[i].otherwise, place); !s.ok()) return s;
    }
    for (std::size_t i = 0; i < table_.parts.size(); ++i) {
      const TablePart& part = table_.parts[i];
      const Reader place = reader_.at("parts").at(i);
      if (Status s = check_all(part.attributes, place.at("attributes")); !s.ok()) return s;
      if (Status s = check(part.count, place.at("count")); !s.ok()) return s;
    }
    for (const auto& [key, all] : {std::pair("let", &table_.let), {"actions", &table_.actions}}) {
      if (Status s = check_all(*all, reader_.at(key)); !s.ok()) return s;
    }
    for (const auto& [key, text] : {std::pair("voltage", &table_.voltage),
                                    {"leakage_mw", &table_.leakage_mw},
                                    {"area_um2", &table_.area_um2},
                                    {"cycle_ns", &table_.cycle_ns}}) {
      if (Status s = check(*text, reader_.at(key)); !s.ok()) return s;
    }
    return {};
  }

  Status check_all(const Expressions& expressions, const Reader& place) const {
    for (const auto& [name, text] : expressions) {
      if (Status s = check(text, place.at(name)); !s.ok()) return s;
    }
    return {};
  }

  Status check(const std::string& text, const Reader& place) const {
    if (text.empty()) return {};
    const Result<std::set<std::string>> read = names_in(text);
    if (!read.ok()) return place.error(read.status().message());
    for (const std::string& name : *read) {
      if (is_known(name)) continue;
      std::vector<std::string> known(names_.begin(), names_.end());
      known.insert(known.end(), {kNode, kSupply});
      return place.error("unknown name " + in_quotes(name) + suggestion(name, known));
    }
    return {};
  }

  // What a part states is known when it is asked: "adder" has "adder_compute", "adder_area_um2".
  bool is_known(const std::string& name) const {
    if (name == kNode || name == kSupply) return true;
    for (const TablePart& part : table_.parts) {
      if (name.rfind(part.name + "_", 0) == 0) return true;
    }
    const bool is_part = std::any_of(table_.parts.begin(), table_.parts.end(),
                                     [&](const TablePart& part) { return part.name == name; });
    return names_.count(name) != 0 && !is_part;
  }

  Status check_scaling() {
    const bool has_node = table_.technology_nm || (!table_.axes.empty() && table_.axes[0] == kNode);
    if (table_.scaling == ScalingRule::kNone || has_node) return {};
    return reader_.at("scaling").error(
        "scaling starts at a node: give 'technology_nm', or make it an axis");
  }

  EnergyTable& table_;
  const Reader& reader_;
  std::set<std::string> names_;
};

Status check_check(const TableCheck& check, const Reader& reader) {
  for (std::size_t i = 0; i < check.columns.size(); ++i) {
    if (!check.columns[i].empty() && check.columns[i] != "=") continue;
    return reader.at("columns").at(i).error("a column has a name");
  }
  for (std::size_t i = 0; i < check.rows.size(); ++i) {
    if (check.rows[i].size() == check.columns.size()) continue;
    return reader.at("rows").at(i).error("a row has one number per column");
  }
  return {};
}

// Energy at a supply of a node: positive wherever it may be asked for.
bool positive_energies(const TechnologyScaling& scaling, const ScalingNode& node) {
  std::vector<double> supplies = {scaling.least_voltage, scaling.most_voltage,
                                  scaling.reference_voltage};
  const double lowest = node.a == 0 ? 0 : -node.b / (2 * node.a);
  if (lowest > scaling.least_voltage && lowest < scaling.most_voltage) supplies.push_back(lowest);
  return std::all_of(supplies.begin(), supplies.end(),
                     [&](double v) { return (node.a * v + node.b) * v + node.c > 0; });
}

Status check_scaling(const TechnologyScaling& scaling, const Reader& reader) {
  const auto falls = [](const auto& points) {
    return !points.empty() &&
           std::adjacent_find(points.begin(), points.end(), [](const auto& one, const auto& two) {
             return !(one.nm > two.nm);
           }) == points.end();
  };
  if (!falls(scaling.nodes)) return reader.at("nodes").error("nodes stand by decreasing 'nm'");
  if (!falls(scaling.supplies)) {
    return reader.at("supplies").error("supplies stand by decreasing 'nm'");
  }
  if (!(scaling.least_nm > 0 && scaling.least_nm <= scaling.most_nm)) {
    return reader.at("min_nm").error("'min_nm' is positive and not above 'max_nm'");
  }
  if (!(scaling.least_voltage > 0 && scaling.least_voltage <= scaling.most_voltage)) {
    return reader.at("min_voltage").error("'min_voltage' is positive and not above 'max_voltage'");
  }
  for (std::size_t i = 0; i < scaling.nodes.size(); ++i) {
    if (positive_energies(scaling, scaling.nodes[i])) continue;
    return reader.at("nodes").at(i).error("the energy is not positive at every supply");
  }
  return {};
}

}  // namespace

Status finish_tables(TableFile& file) {
  for (std::size_t i = 0; i < file.tables.size(); ++i) {
    const Reader place = Reader{}.at("tables").at(i);
    if (Status s = TableChecker(file.tables[i], place).run(); !s.ok()) return s;
  }
  for (std::size_t i = 0; i < file.checks.size(); ++i) {
    if (Status s = check_check(file.checks[i], Reader{}.at("checks").at(i)); !s.ok()) return s;
  }
  return file.scaling ? check_scaling(*file.scaling, Reader{}.at("scaling")) : Status();
}

}  // namespace loopscape
