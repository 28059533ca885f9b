// Small helpers for sentences that speak to people about names and numbers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace loopscape {

inline constexpr std::size_t kMaxNameLength = 64;

// The candidate that `name` was probably meant to be (few edits away, case forgiven); "" if none.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// " (did you mean 'x'?)" when a candidate is near, else "; known here: a, b, c", else "".
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);

// The text with unprintable bytes replaced, cut after `most` characters ("..." marks the cut).
std::string printable(std::string_view text, std::size_t most);

// 'name', shortened and with unprintable bytes replaced, so that it is safe in a message.
std::string in_quotes(std::string_view name);

// "a, b, c"; a long list is cut with "...".
std::string listed(const std::vector<std::string>& names);

// A letter or underscore, then letters, digits or underscores; at most kMaxNameLength of them.
bool is_identifier(std::string_view name);
// The same with '-' allowed after the first letter: names of memories, fan-outs, compute.
bool is_node_name(std::string_view name);

bool is_utf8(std::string_view text);

// The shortest text that reads back as the same number: "0.1", "1e+300", "42".
std::string number_text(double value);

}  // namespace loopscape
