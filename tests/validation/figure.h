// Small SVG figures: stacked bars, lines, a roofline. The same data give the same bytes.
#pragma once

#include <string>
#include <vector>

namespace loopscape::validation {

struct Bar {
  std::string label;
  std::vector<double> parts;  // one for each of Bars::parts, from the bottom
  double published = 0;       // a mark beside the bar, if not 0
};

struct Bars {
  std::string title;
  std::string y_label;
  std::vector<std::string> parts;
  std::vector<Bar> bars;
};
std::string to_svg(const Bars& figure);

struct Point {
  double x = 0, y = 0;
  std::string label{};  // beside a marked point
};

struct Series {
  std::string label;
  std::vector<Point> points;
  bool marks_only = false;  // points rather than a line
};

struct Lines {
  std::string title;
  std::string x_label, y_label;
  std::vector<Series> series;
  bool log_x = false, log_y = false;
};
std::string to_svg(const Lines& figure);

// Operations per second against operations per byte (or per weight, ...): a slope that ends at the
// peak, and what each application reaches.
struct Roofline {
  std::string title;
  std::string x_label, y_label;
  double peak = 0;      // in y_label's unit
  double per_unit = 0;  // slope: y for x = 1
  std::vector<Point> points;
};
std::string to_svg(const Roofline& figure);

}  // namespace loopscape::validation
