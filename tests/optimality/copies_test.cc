// Rows that busy lanes stand in, and prices of copies, against a count of each.
#include "mapper/search/copies.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

namespace loopscape {

TEST_CASE("copies: rows of lanes are those of the first ones that are busy") {
  std::mt19937_64 random(1);
  const auto any = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  int compared = 0;
  for (int world = 0; world < 300; ++world) {
    LaneRows lane_rows;
    std::vector<LaneRows::Lanes> of_first;  // innermost first
    for (int loops = any(1, 5); loops > 0; --loops) {
      const LaneRows::Lanes lanes{static_cast<std::uint32_t>(any(2, 4)),
                                  static_cast<std::uint8_t>(any(0, 1)), any(0, 1) == 1};
      lane_rows.add(lanes);
      if (lanes.dim == 0) of_first.push_back(lanes);
    }
    for (std::size_t from = 0; from < of_first.size(); ++from) {
      std::int64_t inside = 1, lanes = 1;
      for (std::size_t i = 0; i < from; ++i) inside *= of_first[i].bound;
      for (std::size_t to = from; to < of_first.size(); ++to) {
        lanes *= of_first[to].bound;
        std::set<std::int64_t> rows;
        for (std::int64_t busy = 1; busy <= lanes; ++busy) {
          std::int64_t lane = busy - 1, row = 0;
          for (std::size_t i = from; i <= to; ++i) {
            if (of_first[i].are_rows) row = row * 8 + lane % of_first[i].bound + 1;
            lane /= of_first[i].bound;
          }
          rows.insert(row);
          CHECK(lane_rows.rows(0, inside, lanes, busy) == static_cast<std::int64_t>(rows.size()));
          ++compared;
        }
      }
    }
  }
  CHECK(compared > 1000);
}

TEST_CASE("copies: all words cost what they cost with the best of the prices") {
  std::mt19937_64 random(1);
  const auto any = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  for (int world = 0; world < 300; ++world) {
    const int most_rows = any(1, 4), most_copies = most_rows * any(1, 4);
    std::vector<CopyPrice> added;
    CopyPrices prices;
    for (int i = any(1, 6); i > 0; --i) {
      const CopyPrice price{10.0 + any(0, 5), 0.5 * any(0, 6), 0.5 * any(0, 6)};
      added.push_back(price);
      prices.add(price, most_copies, most_rows);
    }
    const double word = prices.take_least_word();
    for (int rows = 1; rows <= most_rows; ++rows) {
      for (int copies = rows; copies <= most_copies; ++copies) {
        const double words = any(1, 9);
        double least = std::numeric_limits<double>::infinity();
        for (const CopyPrice& price : added) {
          least = std::min(least, price.of(words, words * copies, words * rows));
        }
        CHECK(word * words + prices.least(words, words * copies, words * rows) == Approx(least));
      }
    }
  }
  // No word costs less if it is asked for once more.
  CopyPrices cheap;
  cheap.add({1, 3, 2}, 8, 4);
  cheap.add({2, 5, 5}, 8, 4);
  const double word = cheap.take_least_word();
  CHECK(word * 2 + cheap.least(2, 8, 8) >= word + cheap.least(1, 8, 8));
}

}  // namespace loopscape
