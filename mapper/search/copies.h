// What copies of words cost at least that lanes make of them, by how many there are and by the rows
// of a fan-out that they stand in. For this folder only.
#pragma once

#include <cstdint>

#include <boost/container/small_vector.hpp>

#include "model/base/base.h"

namespace loopscape {

// In pJ: of each word that is asked for beyond what is paid elsewhere, and of each copy and each
// row beyond its first.
struct CopyPrice {
  double word = 0, copy = 0, row = 0;
  double of(double words, double copies, double rows) const;
};

// Of several kin, one of which is what a mapping has: all words cost what they cost with that one.
class CopyPrices {
 public:
  // So priced, no word and its copies cost more if it is asked for once less often; with at most so
  // many copies and rows.
  void add(CopyPrice price, double most_copies, double most_rows);
  // Takes the least price of a word off all of them.
  double take_least_word();
  double least(double words, double copies, double rows) const;
  bool of_copies() const;
  bool of_rows() const;
  auto begin() const { return prices_.begin(); }
  auto end() const { return prices_.end(); }
  std::size_t size() const { return prices_.size(); }

 private:
  boost::container::small_vector<CopyPrice, 2> prices_;
};

// The lanes between a boundary's child and its parent, and those of them that are rows of the
// fan-out below the parent.
class LaneRows {
 public:
  struct Lanes {
    std::uint32_t bound;
    std::uint8_t dim;
    bool are_rows;
  };
  void add(const Lanes& further_out) { lanes_.push_back(further_out); }
  // That these lanes of a dimension reach, of those with so many of its lanes inside the first
  // ones that are busy.
  std::int64_t rows(std::size_t dim, std::int64_t inside, std::int64_t lanes,
                    std::int64_t busy) const;
  auto begin() const { return lanes_.begin(); }
  auto end() const { return lanes_.end(); }

 private:
  boost::container::small_vector<Lanes, 6> lanes_;  // innermost first
};

}  // namespace loopscape
