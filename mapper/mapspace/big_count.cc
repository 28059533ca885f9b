#include "mapper/mapspace/big_count.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace loopscape {
namespace {

__extension__ using Wide = unsigned __int128;

// value = value * factor + more
void multiply_add(std::vector<std::uint64_t>& value, std::uint64_t factor, std::uint64_t more) {
  Wide carry = more;
  for (std::uint64_t& limb : value) {
    carry += static_cast<Wide>(limb) * factor;
    limb = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  if (carry != 0) value.push_back(static_cast<std::uint64_t>(carry));
}

std::uint64_t divide(std::vector<std::uint64_t>& value, std::uint64_t divisor) {
  Wide rest = 0;
  for (std::size_t i = value.size(); i-- > 0;) {
    rest = rest << 64 | value[i];
    value[i] = static_cast<std::uint64_t>(rest / divisor);
    rest %= divisor;
  }
  while (!value.empty() && value.back() == 0) value.pop_back();
  return static_cast<std::uint64_t>(rest);
}

}  // namespace

BigCount BigCount::from_limbs(std::vector<std::uint64_t> limbs) {
  BigCount count;
  count.limbs_ = std::move(limbs);
  while (!count.limbs_.empty() && count.limbs_.back() == 0) count.limbs_.pop_back();
  return count;
}

Result<BigCount> BigCount::parse(std::string_view decimal) {
  constexpr std::size_t kMostDigits = 4000;  // far beyond any mapspace
  const bool digits =
      !decimal.empty() && decimal.size() <= kMostDigits &&
      std::all_of(decimal.begin(), decimal.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    return Status(StatusCode::kInvalidInput,
                  in_quotes(decimal) + " is no number of a mapping: digits only, please");
  }
  std::vector<std::uint64_t> limbs;
  for (const char c : decimal) multiply_add(limbs, 10, static_cast<std::uint64_t>(c - '0'));
  return from_limbs(std::move(limbs));
}

std::string BigCount::decimal() const {
  std::string text;
  std::vector<std::uint64_t> rest = limbs_;
  while (!rest.empty()) text += static_cast<char>('0' + divide(rest, 10));
  std::reverse(text.begin(), text.end());
  return text.empty() ? "0" : text;
}

double BigCount::approximate() const {
  double value = 0;
  for (std::size_t i = limbs_.size(); i-- > 0;) {
    value = std::ldexp(value, 64) + static_cast<double>(limbs_[i]);
  }
  return value;
}

BigCount& BigCount::operator+=(const BigCount& other) {
  if (limbs_.size() < other.limbs_.size()) limbs_.resize(other.limbs_.size());
  Wide carry = 0;
  for (std::size_t i = 0; i < limbs_.size(); ++i) {
    carry += limbs_[i];
    if (i < other.limbs_.size()) carry += other.limbs_[i];
    limbs_[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  if (carry != 0) limbs_.push_back(static_cast<std::uint64_t>(carry));
  return *this;
}

std::strong_ordering operator<=>(const BigCount& a, const BigCount& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
  for (std::size_t i = a.limbs_.size(); i-- > 0;) {
    if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
  }
  return std::strong_ordering::equal;
}

}  // namespace loopscape
