#include "mapper/search/copies.h"

#include <algorithm>
#include <array>
#include <limits>

namespace loopscape {

double CopyPrice::of(double words, double copies, double rows) const {
  return word * words + copy * std::max(0.0, copies - words) + row * std::max(0.0, rows - words);
}

// A bound falls in neither words nor copies: words that are asked for one by one may take fewer
// links.
void CopyPrices::add(CopyPrice price, double most_copies, double most_rows) {
  if (price.copy < 0) {  // then the most copies cost the least
    price.word += (most_copies - 1) * price.copy;
    price.copy = 0;
  }
  const double paid_once = std::max(0.0, price.word);
  price.copy = std::min(price.copy, paid_once);
  price.row = std::min(price.row, paid_once - price.copy);
  const auto none_is_less = [&](const CopyPrice& a, const CopyPrice& b) {
    // Rows are no more than copies, so that prices that are linear differ most at these corners.
    const std::array<std::array<double, 2>, 4> corners{
        {{1, 1}, {most_copies, 1}, {most_copies, most_rows}, {most_rows, most_rows}}};
    return std::all_of(corners.begin(), corners.end(), [&](const auto& corner) {
      return a.of(1, corner[0], corner[1]) <= b.of(1, corner[0], corner[1]);
    });
  };
  for (const CopyPrice& other : prices_) {
    if (none_is_less(other, price)) return;
  }
  const auto more = [&](const CopyPrice& other) { return none_is_less(price, other); };
  prices_.erase(std::remove_if(prices_.begin(), prices_.end(), more), prices_.end());
  prices_.push_back(price);
}

double CopyPrices::take_least_word() {
  double least = std::numeric_limits<double>::infinity();
  for (const CopyPrice& price : prices_) least = std::min(least, price.word);
  for (CopyPrice& price : prices_) price.word -= least;
  return least;
}

double CopyPrices::least(double words, double copies, double rows) const {
  if (prices_.empty()) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (const CopyPrice& price : prices_) least = std::min(least, price.of(words, copies, rows));
  return least;
}

bool CopyPrices::of_copies() const {
  return std::any_of(prices_.begin(), prices_.end(), [](const auto& its) { return its.copy != 0; });
}

bool CopyPrices::of_rows() const {
  return std::any_of(prices_.begin(), prices_.end(), [](const auto& its) { return its.row != 0; });
}

std::int64_t LaneRows::rows(std::size_t dim, std::int64_t inside, std::int64_t lanes,
                            std::int64_t busy) const {
  // Of the loops so far: their lanes, the rows of all, and of the first that are left over.
  std::int64_t reached = 1, all = 1, part = 0;
  for (const Lanes& loop : lanes_) {
    if (loop.dim != dim) continue;
    const std::int64_t here = reached;
    reached *= loop.bound;
    if (here < inside || here >= inside * lanes) continue;
    const std::int64_t full = busy % (reached / inside) / (here / inside);
    if (loop.are_rows) {
      part += full * all;
      all *= loop.bound;
    } else if (full > 0) {
      part = all;
    }
  }
  return busy >= lanes ? all : part;
}

}  // namespace loopscape
