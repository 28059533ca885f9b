#include "tests/validation/figure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace loopscape::validation {
namespace {

constexpr double kWidth = 720, kHeight = 400, kLeft = 76, kRight = 176, kTop = 40, kBottom = 60;
constexpr double kPlotRight = kWidth - kRight, kPlotBottom = kHeight - kBottom;
constexpr const char* kColours[] = {"#4e79a7", "#f28e2b", "#59a14f", "#e15759",
                                    "#76b7b2", "#b07aa1", "#9c755f", "#bab0ac"};

const char* colour(std::size_t i) { return kColours[i % std::size(kColours)]; }

std::string number(double value, const char* format = "%.1f") {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

class Canvas {
 public:
  explicit Canvas(const std::string& title) {
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth, "%.0f") +
           " " + number(kHeight, "%.0f") +
           "\" font-family=\"sans-serif\" font-size=\"12\">\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    text((kLeft + kPlotRight) / 2, 22, title, "middle", "font-size=\"15\"");
  }

  void text(double x, double y, const std::string& what, const char* anchor = "start",
            const std::string& more = "") {
    out_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor +
            "\" " + more + ">" + escaped(what) + "</text>\n";
  }

  void line(double x1, double y1, double x2, double y2, const char* stroke, double width = 1) {
    out_ += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
            "\" y2=\"" + number(y2) + "\" stroke=\"" + stroke + "\" stroke-width=\"" +
            number(width) + "\"/>\n";
  }

  void box(double x, double y, double width, double height, const char* fill) {
    out_ += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) +
            "\" height=\"" + number(height) + "\" fill=\"" + fill + "\"/>\n";
  }

  void dot(double x, double y, const char* fill) {
    out_ += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"4\" fill=\"" + fill +
            "\"/>\n";
  }

  void legend(std::size_t row, const char* fill, const std::string& what) {
    const double y = kTop + 18 * static_cast<double>(row);
    box(kPlotRight + 16, y, 12, 12, fill);
    text(kPlotRight + 34, y + 11, what);
  }

  void labels(const std::string& x, const std::string& y) {
    text((kLeft + kPlotRight) / 2, kHeight - 14, x, "middle");
    text(0, 0, y, "middle",
         "transform=\"translate(16 " + number((kTop + kPlotBottom) / 2) + ") rotate(-90)\"");
  }

  std::string finish() && { return std::move(out_) + "</svg>\n"; }

 private:
  std::string out_;
};

// From values to places on the plot.
struct Axis {
  double low = 0, high = 1;
  double from = 0, to = 1;  // places of low and high
  bool log = false;

  double operator()(double value) const {
    const double share = log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low))
                             : (value - low) / (high - low);
    return from + share * (to - from);
  }

  std::vector<double> ticks() const {
    std::vector<double> all;
    if (log) {
      for (double t = low; t <= high * 1.0001; t *= 10) all.push_back(t);
      return all;
    }
    const double rough = (high - low) / 5, unit = std::pow(10, std::floor(std::log10(rough)));
    const double step = unit * (rough / unit > 5   ? 10
                                : rough / unit > 2 ? 5
                                : rough / unit > 1 ? 2
                                                   : 1);
    for (double t = std::ceil(low / step) * step; t <= high * 1.0001; t += step) all.push_back(t);
    return all;
  }
};

// An axis that holds all the values: from 0, or over whole decades.
Axis axis_over(const std::vector<double>& values, bool log, double from, double to) {
  double low = values.empty() ? 1 : values[0], high = low;
  for (const double v : values) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (!log) return {std::min(low, 0.0), high > 0 ? high * 1.05 : 1, from, to, false};
  low = std::pow(10, std::floor(std::log10(low)));
  high = std::pow(10, std::ceil(std::log10(high)));
  return {low, high > low ? high : 10 * low, from, to, true};
}

void draw_y(Canvas& canvas, const Axis& y) {
  for (const double t : y.ticks()) {
    canvas.line(kLeft, y(t), kPlotRight, y(t), "#dddddd");
    canvas.text(kLeft - 6, y(t) + 4, number(t, "%.4g"), "end");
  }
  canvas.line(kLeft, kTop, kLeft, kPlotBottom, "black");
  canvas.line(kLeft, kPlotBottom, kPlotRight, kPlotBottom, "black");
}

void draw_x(Canvas& canvas, const Axis& x) {
  for (const double t : x.ticks()) {
    canvas.line(x(t), kPlotBottom, x(t), kPlotBottom + 4, "black");
    canvas.text(x(t), kPlotBottom + 18, number(t, "%.4g"), "middle");
  }
}

}  // namespace

std::string to_svg(const Bars& figure) {
  Canvas canvas(figure.title);
  std::vector<double> tops;
  bool published = false;
  for (const Bar& bar : figure.bars) {
    double sum = 0;
    for (const double part : bar.parts) sum += part;
    tops.push_back(std::max(sum, bar.published));
    published |= bar.published != 0;
  }
  const Axis y = axis_over(tops, false, kPlotBottom, kTop);
  draw_y(canvas, y);
  const double pitch =
      (kPlotRight - kLeft) / static_cast<double>(std::max<std::size_t>(1, tops.size()));
  double left = kLeft + 0.15 * pitch;
  for (const Bar& bar : figure.bars) {
    double sum = 0;
    for (std::size_t p = 0; p < bar.parts.size(); ++p) {
      canvas.box(left, y(sum + bar.parts[p]), 0.7 * pitch, y(sum) - y(sum + bar.parts[p]),
                 colour(p));
      sum += bar.parts[p];
    }
    if (bar.published != 0) {
      canvas.line(left - 0.08 * pitch, y(bar.published), left + 0.78 * pitch, y(bar.published),
                  "black", 2);
    }
    canvas.text(left + 0.35 * pitch, kPlotBottom + 18, bar.label, "middle");
    left += pitch;
  }
  for (std::size_t p = 0; p < figure.parts.size(); ++p) {
    canvas.legend(figure.parts.size() - 1 - p, colour(p), figure.parts[p]);
  }
  if (published) canvas.legend(figure.parts.size(), "black", "published");
  canvas.labels("", figure.y_label);
  return std::move(canvas).finish();
}

std::string to_svg(const Lines& figure) {
  Canvas canvas(figure.title);
  std::vector<double> xs, ys;
  for (const Series& series : figure.series) {
    for (const Point& point : series.points) {
      xs.push_back(point.x);
      ys.push_back(point.y);
    }
  }
  const Axis x = axis_over(xs, figure.log_x, kLeft, kPlotRight);
  const Axis y = axis_over(ys, figure.log_y, kPlotBottom, kTop);
  draw_y(canvas, y);
  draw_x(canvas, x);
  for (std::size_t s = 0; s < figure.series.size(); ++s) {
    const Series& series = figure.series[s];
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const Point& at = series.points[i];
      if (series.marks_only) canvas.dot(x(at.x), y(at.y), colour(s));
      if (!at.label.empty()) canvas.text(x(at.x) + 7, y(at.y) + 4, at.label);
      if (series.marks_only || i == 0) continue;
      const Point& before = series.points[i - 1];
      canvas.line(x(before.x), y(before.y), x(at.x), y(at.y), colour(s), 2);
    }
    canvas.legend(s, colour(s), series.label);
  }
  canvas.labels(figure.x_label, figure.y_label);
  return std::move(canvas).finish();
}

std::string to_svg(const Roofline& figure) {
  const double ridge = figure.peak / figure.per_unit;
  double low = ridge / 10, high = ridge * 10;
  for (const Point& point : figure.points) {
    low = std::min(low, point.x);
    high = std::max(high, point.x);
  }
  const Series roof{"roof",
                    {{low, low * figure.per_unit},
                     {ridge, figure.peak, "ridge " + number(ridge, "%.4g")},
                     {high, figure.peak}}};
  return to_svg(Lines{figure.title,
                      figure.x_label,
                      figure.y_label,
                      {roof, {"ours", figure.points, true}},
                      true,
                      true});
}

}  // namespace loopscape::validation
