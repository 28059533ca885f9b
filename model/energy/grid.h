// A table of points, interpolated in log space, one axis after the other. A point that is missing
// from one branch of the tree only narrows that branch. Inside model/energy only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

class Grid {
 public:
  struct Answer {
    std::vector<double> columns;
    bool interpolated = false, extrapolated = false;
  };

  Grid() = default;
  // Rows: one value per axis, then one per column. An error: axis values that are not positive, the
  // same point twice, rows of other lengths.
  static Result<Grid> create(std::vector<std::string> axes, std::size_t columns,
                             std::vector<std::vector<double>> rows);

  bool empty() const { return rows_.empty(); }
  const std::vector<std::string>& axes() const { return axes_; }
  const std::vector<std::vector<double>>& rows() const { return rows_; }
  // Least and most value of an axis over all rows.
  std::pair<double, double> range(std::size_t axis) const;

  // The columns at a place of the hull; outside it, kUnsupported with the nearest legal value, or,
  // with `extrapolate`, the continuation of the last two points.
  Result<Answer> at(const std::vector<double>& place, bool extrapolate) const;

 private:
  struct Branch {
    std::size_t begin, end;  // rows
    double value;            // of the axis that branches
  };
  std::vector<Branch> branches(std::size_t begin, std::size_t end, std::size_t axis) const;
  Status descend(std::size_t begin, std::size_t end, std::size_t axis,
                 const std::vector<double>& place, bool extrapolate, Answer& out) const;
  Status outside(const std::vector<Branch>& found, std::size_t axis,
                 const std::vector<double>& place) const;

  std::vector<std::string> axes_;
  std::vector<std::vector<double>> rows_;  // sorted
};

}  // namespace loopscape
