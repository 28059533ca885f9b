// A table of text: the first column on the left, numbers on the right.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace loopscape::cli {

// How the terminal wants its text.
struct Style {
  bool colour = false;
  bool utf8 = false;
  bool explain = false;
  std::size_t width = 100;

  std::string heading(const std::string& text) const;
  std::string bar(double share, std::size_t length) const;  // share of 1
};
// Every line behind so many spaces.
std::string indented(const std::string& text, std::size_t spaces);

// What stdout and the environment (NO_COLOR, TERM, LC_ALL, LC_CTYPE, LANG) say.
Style style_of_stdout();

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headers) { rows_.push_back({std::move(headers), 0}); }
  void row(std::vector<std::string> cells) { rows_.push_back({std::move(cells), 1}); }
  // A row whose name stands further left: what the rows below it belong to.
  void group(std::vector<std::string> cells) { rows_.push_back({std::move(cells), 0}); }
  // Columns whose cells are all empty, "0" or "-" say nothing.
  void drop_idle_columns();
  std::size_t width() const;
  std::string text() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::size_t indent = 0;
  };
  std::vector<std::size_t> widths() const;

  std::vector<Row> rows_;
};

}  // namespace loopscape::cli
