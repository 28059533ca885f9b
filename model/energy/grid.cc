#include "model/energy/grid.h"

#include <algorithm>
#include <cmath>

namespace loopscape {
namespace {

// Places this close are the same: they come from divisions such as size / width.
constexpr double kSame = 1e-9;

bool same(double a, double b) { return std::abs(a - b) <= kSame * std::max(a, b); }

// Between a and b, in the logarithm where it exists.
double mix(double a, double b, double share) {
  if (a > 0 && b > 0) return std::exp(std::log(a) * (1 - share) + std::log(b) * share);
  return a * (1 - share) + b * share;
}

}  // namespace

Result<Grid> Grid::create(std::vector<std::string> axes, std::size_t columns,
                          std::vector<std::vector<double>> rows) {
  const auto fail = [](std::size_t row, const std::string& why) {
    return Status(StatusCode::kInvalidInput, why).at("/rows/" + std::to_string(row));
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != axes.size() + columns) {
      return fail(i, "a row has " + std::to_string(axes.size()) + " places on axes and " +
                         std::to_string(columns) + " columns, not " +
                         std::to_string(rows[i].size()) + " numbers");
    }
    for (std::size_t a = 0; a < axes.size(); ++a) {
      if (!(rows[i][a] > 0)) return fail(i, "places on the axis " + axes[a] + " are positive");
    }
  }
  Grid grid;
  grid.axes_ = std::move(axes);
  grid.rows_ = std::move(rows);
  std::sort(grid.rows_.begin(), grid.rows_.end());
  const auto width = static_cast<std::ptrdiff_t>(grid.axes_.size());
  for (std::size_t i = 1; i < grid.rows_.size(); ++i) {
    const std::vector<double>&one = grid.rows_[i - 1], &two = grid.rows_[i];
    if (!std::equal(one.begin(), one.begin() + width, two.begin())) continue;
    std::string place;
    for (std::size_t a = 0; a < grid.axes_.size(); ++a) {
      place += (a == 0 ? "" : ", ") + grid.axes_[a] + " " + number_text(one[a]);
    }
    return Status(StatusCode::kInvalidInput, "two rows have one place: " + place).at("/rows");
  }
  return grid;
}

std::pair<double, double> Grid::range(std::size_t axis) const {
  std::pair<double, double> range(rows_[0][axis], rows_[0][axis]);
  for (const std::vector<double>& row : rows_) {
    range.first = std::min(range.first, row[axis]);
    range.second = std::max(range.second, row[axis]);
  }
  return range;
}

std::vector<Grid::Branch> Grid::branches(std::size_t begin, std::size_t end,
                                         std::size_t axis) const {
  std::vector<Branch> out;
  for (std::size_t row = begin; row < end; ++row) {
    const double value = rows_[row][axis];
    if (out.empty() || out.back().value != value) out.push_back({row, row, value});
    out.back().end = row + 1;
  }
  return out;
}

Status Grid::outside(const std::vector<Branch>& found, std::size_t axis,
                     const std::vector<double>& place) const {
  std::string where;
  for (std::size_t a = 0; a < axis; ++a) {
    where += (a == 0 ? " at " : ", ") + axes_[a] + " " + number_text(rows_[found[0].begin][a]);
  }
  const double least = found.front().value, most = found.back().value;
  return Status(StatusCode::kUnsupported,
                axes_[axis] + " " + number_text(place[axis]) + " is outside the table, " +
                    number_text(least) + " to " + number_text(most) + where +
                    " (nearest: " + number_text(place[axis] < least ? least : most) + ")");
}

Status Grid::descend(std::size_t begin, std::size_t end, std::size_t axis,
                     const std::vector<double>& place, bool extrapolate, Answer& out) const {
  if (axis == axes_.size()) {
    out.columns.assign(rows_[begin].begin() + static_cast<std::ptrdiff_t>(axis),
                       rows_[begin].end());
    return {};
  }
  const std::vector<Branch> found = branches(begin, end, axis);
  const double x = place[axis];
  for (const Branch& branch : found) {
    if (same(branch.value, x)) {
      return descend(branch.begin, branch.end, axis + 1, place, extrapolate, out);
    }
  }
  const bool inside = x > found.front().value && x < found.back().value;
  if (!inside && (!extrapolate || found.size() < 2)) return outside(found, axis, place);
  std::size_t upper = 1;
  while (upper + 1 < found.size() && found[upper].value < x) ++upper;
  Answer above;
  for (const auto& [branch, answer] :
       {std::pair(&found[upper - 1], &out), {&found[upper], &above}}) {
    Status status = descend(branch->begin, branch->end, axis + 1, place, extrapolate, *answer);
    if (!status.ok()) return status;
  }
  const double low = std::log(found[upper - 1].value), high = std::log(found[upper].value);
  const double share = (std::log(x) - low) / (high - low);
  for (std::size_t c = 0; c < out.columns.size(); ++c) {
    out.columns[c] = mix(out.columns[c], above.columns[c], share);
  }
  out.interpolated = out.interpolated || above.interpolated || inside;
  out.extrapolated = out.extrapolated || above.extrapolated || !inside;
  return {};
}

Result<Grid::Answer> Grid::at(const std::vector<double>& place, bool extrapolate) const {
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    if (place[a] > 0) continue;
    return Status(StatusCode::kUnsupported,
                  axes_[a] + " is " + number_text(place[a]) + ", not positive");
  }
  Answer answer;
  Status status = descend(0, rows_.size(), 0, place, extrapolate, answer);
  if (!status.ok()) return status;
  return answer;
}

}  // namespace loopscape
