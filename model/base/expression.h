// Numbers written as text: arithmetic over named variables.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

inline constexpr std::size_t kMaxExpressionLength = 1000;
inline constexpr int kMaxExpressionDepth = 64;  // parentheses and signs inside each other
inline constexpr std::size_t kMaxVariables = 1000;
inline constexpr std::size_t kMaxVariableChain = 64;  // variables that refer to variables

bool is_function_name(std::string_view name);

// The names that an expression reads, or why it is none.
Result<std::set<std::string>> names_in(std::string_view expression);

// Variables whose values are expressions over each other. Values are found when asked for, once.
class Variables {
 public:
  explicit Variables(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}

  // A variable whose value is known; it wins over a text of the same name.
  void set(const std::string& name, double value) { values_[name] = value; }

  // A finite number, or why there is none: unknown names, cycles, division by zero, ...
  Result<double> evaluate(std::string_view expression);
  Result<double> value(const std::string& name);

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, double> values_;
  std::vector<std::string> pending_;  // the chain being evaluated, to find cycles
};

}  // namespace loopscape
