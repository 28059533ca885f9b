// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace loopscape::cli {

std::string grouped(std::int64_t value);                    // 1,234,567
std::string grouped_digits(std::string decimal);            // the same of a number of any size
std::string counted(std::int64_t value, const char* noun);  // "1 layer", "1,234 layers"
std::string counted_digits(const std::string& decimal, const char* noun);
std::string abridged(std::int64_t value);  // 1.235 M; exact below ten million
std::string with_unit(double value, double scale, const char* unit);  // 12.35 uJ
std::string energy(double picojoules);                                // 12.35 uJ
std::string duration(double seconds);                                 // 3.696 ms
std::string cycles(double value);                                     // 1,234.5
std::string percent(double part, double whole);                       // 71.2 %
std::string bytes(double bits);                                       // 108.0 KiB
std::string plain(double value);                                      // four digits that matter

// Text of others, safe for a terminal: no control characters, shortened.
std::string safe(std::string_view text);
// The same of a name, which may be absent.
std::string safe_name(std::string_view name, const char* otherwise);

}  // namespace loopscape::cli
