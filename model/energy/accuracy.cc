// How good the tables are: their own points left out one by one, and published figures.
#include <algorithm>
#include <cmath>

#include "model/energy/estimate.h"

namespace loopscape {
namespace {

// The value that a share of the sorted errors does not exceed.
double quantile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::min(std::max<std::size_t>(rank, 1), sorted.size()) - 1];
}

void summarize(std::vector<double> errors, LeaveOneOut& out) {
  out.points = errors.size();
  if (errors.empty()) return;
  std::sort(errors.begin(), errors.end());
  out.median = quantile(errors, 0.5);
  out.p95 = quantile(errors, 0.95);
  out.most = errors.back();
}

// Relative errors of every column, point by point, where the other points enclose it.
std::vector<std::vector<double>> left_out(const EnergyTable& table) {
  std::vector<std::vector<double>> errors(table.columns.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    std::vector<std::vector<double>> others = table.rows;
    const std::vector<double> row = others[i];
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (others.empty()) continue;
    const auto axes = static_cast<std::ptrdiff_t>(table.axes.size());
    const Result<Grid> grid = Grid::create(table.axes, table.columns.size(), std::move(others));
    if (!grid.ok()) continue;
    const Result<Grid::Answer> answer = grid->at({row.begin(), row.begin() + axes}, false);
    if (!answer.ok()) continue;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const double known = row[table.axes.size() + c];
      if (known != 0) errors[c].push_back(std::abs(answer->columns[c] / known - 1));
    }
  }
  return errors;
}

struct CheckRow {
  EstimateRequest request;
  std::string place;
};

CheckRow request_of(const TableCheck& check, const std::vector<double>& row) {
  CheckRow out;
  out.request.component = check.component;
  out.request.type = check.type;
  for (std::size_t c = 0; c < check.columns.size(); ++c) {
    const std::string& name = check.columns[c];
    if (name[0] == '=') continue;
    out.place += (out.place.empty() ? "" : " ") + name + " " + number_text(row[c]);
    if (name == "technology_nm") {
      out.request.technology_nm = row[c];
    } else if (name == "voltage") {
      out.request.voltage = row[c];
    } else {
      out.request.numbers[name] = row[c];
    }
  }
  return out;
}

double found_number(const Estimate& estimate, const std::string& name, std::string& failure) {
  if (name == "area_um2" && estimate.area_um2) return *estimate.area_um2;
  if (name == "leakage_mw" && estimate.leakage_mw) return *estimate.leakage_mw;
  if (name == "cycle_ns" && estimate.cycle_ns) return *estimate.cycle_ns;
  const auto action = estimate.actions.find(name);
  if (action != estimate.actions.end()) return action->second;
  failure = estimate.from.table + " does not state " + name;
  return 0;
}

}  // namespace

std::vector<LeaveOneOut> leave_one_out(const EnergyTables& tables) {
  std::vector<LeaveOneOut> out;
  for (const EnergyTable& table : tables.set().tables) {
    if (table.rows.empty()) continue;
    std::vector<std::vector<double>> errors = left_out(table);
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      LeaveOneOut its;
      its.table = table.name;
      its.column = table.columns[c];
      summarize(std::move(errors[c]), its);
      its.at_the_edge = table.rows.size() - its.points;
      out.push_back(std::move(its));
    }
  }
  return out;
}

std::vector<Residual> residuals(const EnergyTables& tables) {
  std::vector<Residual> out;
  for (const TableCheck& check : tables.set().checks) {
    for (const std::vector<double>& row : check.rows) {
      const CheckRow asked = request_of(check, row);
      const Result<Estimate> answer = estimate(tables.set(), asked.request);
      for (std::size_t c = 0; c < check.columns.size(); ++c) {
        if (check.columns[c][0] != '=') continue;
        Residual its;
        its.check = check.name;
        its.source = check.source;
        its.place = asked.place;
        its.number = check.columns[c].substr(1);
        its.published = row[c];
        its.within = check.within;
        if (answer.ok()) {
          its.estimated = found_number(*answer, its.number, its.failure);
        } else {
          its.failure = answer.status().to_string();
        }
        out.push_back(std::move(its));
      }
    }
  }
  return out;
}

}  // namespace loopscape
