#include "model/base/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace loopscape {
namespace {

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = {"min",   "max",  "ceil", "floor",
                                                 "round", "sqrt", "log2", "pow"};
  return names;
}

// sum: product {("+"|"-") product};  product: sign {("*"|"/"|"%") sign};  sign: {"+"|"-"} atom;
// atom: number | name | name "(" sum {"," sum} ")" | "(" sum ")".
class ExpressionReader {
 public:
  // Without variables: only the form is looked at, and names are collected.
  ExpressionReader(std::string_view text, Variables* variables, std::set<std::string>* names)
      : text_(text), variables_(variables), names_(names) {}

  Result<double> read() {
    double value = 0;
    if (!sum(value)) return status_;
    if (at_ < text_.size()) {
      fail("expected an operator or the end, found " + in_quotes(text_.substr(at_, 1)));
      return status_;
    }
    return value;
  }

 private:
  bool sum(double& out) {
    if (!product(out)) return false;
    while (true) {
      const char op = take_any("+-");
      if (!op) return true;
      double right = 0;
      if (!product(right)) return false;
      if (!set(out, op == '+' ? out + right : out - right)) return false;
    }
  }

  bool product(double& out) {
    if (!sign(out)) return false;
    while (true) {
      const char op = take_any("*/%");
      if (!op) return true;
      double right = 0;
      if (!sign(right)) return false;
      if (variables_ && op != '*' && right == 0) return fail("division by zero");
      if (!set(out, op == '*' ? out * right : op == '/' ? out / right : std::fmod(out, right))) {
        return false;
      }
    }
  }

  bool sign(double& out) {
    bool negative = false;
    while (const char op = take_any("+-")) negative ^= op == '-';
    if (!atom(out)) return false;
    if (negative) out = -out;
    return true;
  }

  bool atom(double& out) {
    if (at_ == text_.size()) return fail("expected a number or a name, found the end");
    const char c = text_[at_];
    if ((c >= '0' && c <= '9') || c == '.') return number(out);
    if (is_identifier(std::string_view(&c, 1))) return name(out);
    if (!take_any("(")) {
      return fail("expected a number or a name, found " + in_quotes(text_.substr(at_, 1)));
    }
    if (!enter() || !sum(out)) return false;
    --depth_;
    return take_any(")") ? true : fail("expected ')'");
  }

  bool number(double& out) {
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), out);
    if (error == std::errc::result_out_of_range) {
      return fail("the number is too large or too small for a double");
    }
    if (error != std::errc()) return fail("expected a number");
    at_ += static_cast<std::size_t>(end - begin);
    skip_space();
    return true;
  }

  bool name(double& out) {
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           (is_identifier(text_.substr(at_, 1)) || (text_[at_] >= '0' && text_[at_] <= '9'))) {
      ++at_;
    }
    const std::string found(text_.substr(start, at_ - start));
    skip_space();
    if (take_any("(")) return call(found, out);
    if (!variables_) {
      names_->insert(found);
      return true;
    }
    Result<double> value = variables_->value(found);
    if (!value.ok()) {
      status_ = value.status();
      return false;
    }
    out = *value;
    return true;
  }

  bool call(const std::string& function, double& out) {
    if (!is_function_name(function)) {
      return fail("unknown function " + in_quotes(function) +
                  suggestion(function, function_names()));
    }
    std::vector<double> arguments;
    if (!enter()) return false;
    do {
      if (!sum(arguments.emplace_back())) return false;
    } while (take_any(","));
    --depth_;
    if (!take_any(")")) return fail("expected ',' or ')'");
    return apply(function, arguments, out);
  }

  bool apply(const std::string& f, const std::vector<double>& a, double& out) {
    if (f == "min") return set(out, *std::min_element(a.begin(), a.end()));
    if (f == "max") return set(out, *std::max_element(a.begin(), a.end()));
    const std::size_t wanted = f == "pow" ? 2 : 1;
    if (a.size() != wanted) {
      return fail(in_quotes(f) + " takes " + (wanted == 1 ? "one argument" : "two arguments"));
    }
    if (f == "ceil") return set(out, std::ceil(a[0]));
    if (f == "floor") return set(out, std::floor(a[0]));
    if (f == "round") return set(out, std::round(a[0]));
    if (f == "sqrt") return set(out, std::sqrt(a[0]));
    if (f == "log2") return set(out, std::log2(a[0]));
    return set(out, std::pow(a[0], a[1]));
  }

  bool set(double& out, double value) {
    out = value;
    if (!variables_ || std::isfinite(value)) return true;
    return fail("the value is not a finite number");
  }
  bool enter() {
    return ++depth_ <= kMaxExpressionDepth ? true : fail("parentheses nested too deeply");
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  char take_any(std::string_view characters) {
    skip_space();
    if (at_ == text_.size() || characters.find(text_[at_]) == std::string_view::npos) return '\0';
    const char c = text_[at_++];
    skip_space();
    return c;
  }
  bool fail(const std::string& why) {
    status_ =
        Status(StatusCode::kInvalidInput, "in the expression " + in_quotes(text_) + ": " + why);
    return false;
  }

  std::string_view text_;
  Variables* variables_;
  std::set<std::string>* names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Status status_;
};

}  // namespace

bool is_function_name(std::string_view name) {
  const auto& names = function_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

namespace {

Result<double> read(std::string_view expression, Variables* variables,
                    std::set<std::string>* names) {
  if (expression.size() > kMaxExpressionLength) {
    return Status(
        StatusCode::kInvalidInput,
        "an expression of more than " + std::to_string(kMaxExpressionLength) + " characters");
  }
  const std::size_t start = expression.find_first_not_of(" \t");
  if (start == std::string_view::npos) {
    return Status(StatusCode::kInvalidInput, "an empty text where a number is expected");
  }
  return ExpressionReader(expression.substr(start), variables, names).read();
}

}  // namespace

Result<double> Variables::evaluate(std::string_view expression) {
  return read(expression, this, nullptr);
}

Result<std::set<std::string>> names_in(std::string_view expression) {
  std::set<std::string> names;
  const Result<double> form = read(expression, nullptr, &names);
  if (!form.ok()) return form.status();
  return names;
}

Result<double> Variables::value(const std::string& name) {
  if (const auto known = values_.find(name); known != values_.end()) return known->second;
  const auto fail = [](std::string message) {
    return Status(StatusCode::kInvalidInput, std::move(message));
  };
  const auto text = texts_.find(name);
  if (text == texts_.end()) {
    std::vector<std::string> names;
    for (const auto& variable : texts_) names.push_back(variable.first);
    for (const auto& known : values_) {
      if (texts_.count(known.first) == 0) names.push_back(known.first);
    }
    return fail("unknown variable " + in_quotes(name) +
                (names.empty() ? "; the spec has no variables" : suggestion(name, names)));
  }
  const auto first = std::find(pending_.begin(), pending_.end(), name);
  if (first != pending_.end()) {
    std::string cycle;
    for (auto it = first; it != pending_.end(); ++it) cycle += *it + " -> ";
    return fail("the variables refer to each other in a cycle: " + cycle + name);
  }
  if (pending_.size() == kMaxVariableChain) {
    return fail("variables refer to each other more than " + std::to_string(kMaxVariableChain) +
                " deep");
  }
  pending_.push_back(name);
  Result<double> value = evaluate(text->second);
  pending_.pop_back();
  if (value.ok()) values_[name] = *value;
  return value;
}

}  // namespace loopscape
