#include "interface/cli/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace loopscape::cli {
namespace {

constexpr std::size_t kMargin = 2;  // left of every line
constexpr std::size_t kGap = 2;     // between columns

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = environment(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos ||
           locale.find("utf-8") != locale.npos;
  }
  return false;
}

}  // namespace

std::string Style::heading(const std::string& text) const {
  return colour ? "\033[1m" + text + "\033[0m" : text;
}

std::string Style::bar(double share, std::size_t length) const {
  if (!(share > 0)) return "";
  const double cells = std::min(share, 1.0) * static_cast<double>(length);
  const auto full = static_cast<std::size_t>(std::lround(cells));
  std::string bar;
  for (std::size_t i = 0; i < full; ++i) bar += utf8 ? "\u2588" : "#";
  // What is there is seen to be there.
  if (full == 0) bar = utf8 ? "\u258f" : ".";
  return bar;
}

std::string indented(const std::string& text, std::size_t spaces) {
  std::string out;
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    out += std::string(spaces, ' ') + text.substr(at, end - at) + "\n";
  }
  return out;
}

Style style_of_stdout() {
  Style style;
  style.colour = isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() &&
                 environment("TERM") != "dumb";
  style.utf8 = locale_is_utf8();
  return style;
}

void TextTable::drop_idle_columns() {
  for (std::size_t c = rows_[0].cells.size(); c-- > 1;) {
    const bool idle = std::all_of(rows_.begin() + 1, rows_.end(), [&](const Row& row) {
      return c >= row.cells.size() || row.cells[c].empty() || row.cells[c] == "0" ||
             row.cells[c] == "-" || row.cells[c] == "0 J";
    });
    if (!idle) continue;
    for (Row& row : rows_) {
      if (c < row.cells.size()) row.cells.erase(row.cells.begin() + static_cast<long>(c));
    }
  }
}

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> widths(rows_[0].cells.size(), 0);
  for (const Row& row : rows_) {
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const std::size_t indent = c == 0 ? row.indent * kGap : 0;
      widths[c] = std::max(widths[c], row.cells[c].size() + indent);
    }
  }
  return widths;
}

std::size_t TextTable::width() const {
  std::size_t width = kMargin;
  for (const std::size_t column : widths()) width += column + kGap;
  return width - kGap;
}

std::string TextTable::text() const {
  const std::vector<std::size_t> columns = widths();
  std::string text;
  for (const Row& row : rows_) {
    std::string line(kMargin + row.indent * kGap, ' ');
    line += row.cells[0];
    std::size_t end = kMargin + columns[0];
    for (std::size_t c = 1; c < row.cells.size(); ++c) {
      end += kGap + columns[c];
      const std::size_t size = row.cells[c].size();
      if (size == 0) continue;
      line.resize(end - size, ' ');
      line += row.cells[c];
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace loopscape::cli
