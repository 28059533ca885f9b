#include "interface/cli/numbers.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "model/base/base.h"

namespace loopscape::cli {
namespace {

std::string formatted(const char* format, double value) {
  std::array<char, 400> text;
  const int length = std::snprintf(text.data(), text.size(), format, value);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

// Four digits that matter, for values from 1 to below 1000.
std::string four_digits(double value) {
  if (value < 9.9995) return formatted("%.3f", value);
  if (value < 99.995) return formatted("%.2f", value);
  return formatted("%.1f", value);
}

}  // namespace

std::string grouped_digits(std::string decimal) {
  const std::size_t first = decimal[0] == '-' ? 1 : 0;
  for (std::size_t at = decimal.size(); at > first + 3;) decimal.insert(at -= 3, ",");
  return decimal;
}

std::string grouped(std::int64_t value) { return grouped_digits(std::to_string(value)); }

std::string counted_digits(const std::string& decimal, const char* noun) {
  return grouped_digits(decimal) + " " + noun + (decimal == "1" ? "" : "s");
}

std::string counted(std::int64_t value, const char* noun) {
  return counted_digits(std::to_string(value), noun);
}

std::string abridged(std::int64_t value) {
  constexpr std::int64_t kExact = 10'000'000;
  if (value < kExact) return grouped(value);
  constexpr std::array<const char*, 5> kUnits = {" M", " G", " T", " P", " E"};
  double scaled = static_cast<double>(value) / 1e6;
  std::size_t unit = 0;
  while (scaled >= 999.95 && unit + 1 < kUnits.size()) {
    scaled /= 1000;
    ++unit;
  }
  return four_digits(scaled) + kUnits[unit];
}

// The prefix that leaves one to three digits before the point.
std::string with_unit(double value, double scale, const char* unit) {
  constexpr std::array<const char*, 9> kPrefixes = {"p", "n", "u", "m", "", "k", "M", "G", "T"};
  if (value == 0) return std::string("0 ") + unit;
  double scaled = value * scale * 1e12;
  std::size_t prefix = 0;
  while (scaled >= 999.95 && prefix + 1 < kPrefixes.size()) {
    scaled /= 1000;
    ++prefix;
  }
  const bool ordinary = scaled >= 0.9995 && scaled < 999.95;
  return (ordinary ? four_digits(scaled) : plain(scaled)) + " " + kPrefixes[prefix] + unit;
}

std::string energy(double picojoules) { return with_unit(picojoules, 1e-12, "J"); }
std::string duration(double seconds) { return with_unit(seconds, 1, "s"); }

std::string cycles(double value) {
  constexpr double kExact = 9e15;
  if (!(value < kExact)) return plain(value);
  const double whole = std::floor(value);
  if (value == whole) return grouped(static_cast<std::int64_t>(whole));
  const std::string tenths = formatted("%.1f", value);
  const std::size_t point = tenths.find('.');
  return grouped_digits(tenths.substr(0, point)) + tenths.substr(point);
}

std::string percent(double part, double whole) {
  if (!(whole > 0)) return "-";
  const double share = 100 * part / whole;
  if (share < 1e4) return formatted("%.1f %%", share);
  return share < 1e9 ? grouped(std::llround(share)) + " %" : formatted("%.3g %%", share);
}

std::string bytes(double bits) {
  constexpr std::array<const char*, 5> kUnits = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  double value = bits / 8;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return (unit == 0 ? formatted("%.4g", value) : formatted("%.1f", value)) + kUnits[unit];
}

std::string plain(double value) { return formatted("%.4g", value); }

std::string safe(std::string_view text) {
  const std::string quoted = in_quotes(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string safe_name(std::string_view name, const char* otherwise) {
  return name.empty() ? otherwise : safe(name);
}

}  // namespace loopscape::cli
