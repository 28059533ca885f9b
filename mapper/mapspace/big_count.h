// A number of mappings: a non-negative integer of any size. Part of mapspace.h.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

class BigCount {
 public:
  BigCount() = default;
  BigCount(std::uint64_t value) {  // NOLINT: implicit by design
    if (value != 0) limbs_.push_back(value);
  }
  static BigCount from_limbs(std::vector<std::uint64_t> limbs);  // least significant first
  static Result<BigCount> parse(std::string_view decimal);

  std::string decimal() const;
  double approximate() const;
  const std::vector<std::uint64_t>& limbs() const { return limbs_; }

  BigCount& operator+=(const BigCount& other);
  friend bool operator==(const BigCount&, const BigCount&) = default;
  friend std::strong_ordering operator<=>(const BigCount& a, const BigCount& b);

 private:
  std::vector<std::uint64_t> limbs_;  // without leading zeros
};

}  // namespace loopscape
