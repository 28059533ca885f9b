#include "interface/cli/progress.h"

#include <cstdio>
#include <string>

#include <unistd.h>

#include "interface/cli/numbers.h"

namespace loopscape::cli {
Progress::Progress(Objective objective)
    : objective_(objective),
      on_terminal_(isatty(STDERR_FILENO) != 0),
      next_(std::chrono::steady_clock::now() + std::chrono::milliseconds(300)) {}

void Progress::show(const SearchProgress& now) const {
  const auto time = std::chrono::steady_clock::now();
  if (time < next_) return;
  next_ = time + std::chrono::milliseconds(200);
  std::string line = objective_name(objective_);
  if (now.lower_bound > 0) line += " at least " + plain(now.lower_bound);
  if (now.best) {
    const double best =
        objective_value(objective_, now.best->energy_pj, static_cast<double>(now.best->cycles));
    line += (now.lower_bound > 0 ? ", best " : " of the best so far ") + plain(best);
    if (now.lower_bound > 0) {
      line += " (" + plain(100 * (best / now.lower_bound - 1)) + " % above)";
    }
  } else {
    line += ", none found yet";
  }
  line += "; " + grouped(static_cast<std::int64_t>(now.open)) + " ways to use the lanes left";
  std::fprintf(stderr, "\r\033[K%s ", line.c_str());
}

void Progress::end() const {
  if (on_terminal_) std::fprintf(stderr, "\r\033[K");
}

}  // namespace loopscape::cli
