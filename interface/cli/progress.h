// How far a search has come: one line on a terminal's stderr, overwritten by the next.
#pragma once

#include <chrono>

#include "mapper/search/search.h"

namespace loopscape::cli {

class Progress {
 public:
  explicit Progress(Objective objective);
  bool on_terminal() const { return on_terminal_; }
  void show(const SearchProgress& now) const;
  void end() const;

 private:
  Objective objective_;
  bool on_terminal_;
  mutable std::chrono::steady_clock::time_point next_;
};

}  // namespace loopscape::cli
