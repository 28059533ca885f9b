#include "model/problem/einsum.h"

#include <cstdint>
#include <utility>

namespace loopscape {
namespace {

// Grammar: tensor ("+=" | "=") tensor {"*" tensor};  tensor: name "[" [rank {"," rank}] "]";
// rank: term {"+" term};  term: dim | number "*" dim | dim "*" number.
class EinsumReader {
 public:
  explicit EinsumReader(std::string_view text) : text_(text) {}

  Result<Problem> read() {
    if (text_.size() > kMaxEinsumLength) {
      return Status(
          StatusCode::kInvalidInput,
          "the einsum is longer than " + std::to_string(kMaxEinsumLength) + " characters");
    }
    if (Status s = read_tensor(); !s.ok()) return s;
    const bool plus = take('+');
    if (plus ? peek() != '=' : !take('=')) {
      return error("expected '+=' after the output tensor" + found());
    }
    if (plus) ++at_;
    do {
      if (Status s = read_tensor(); !s.ok()) return s;
    } while (take('*'));
    skip_space();
    if (at_ < text_.size()) return error("expected '*' and another tensor, or the end" + found());
    return std::move(problem_);
  }

 private:
  Status read_tensor() {
    std::string name;
    const std::size_t start = (skip_space(), at_);
    if (Status s = read_name("a tensor's name", name); !s.ok()) return s;
    if (problem_.find_tensor(name)) {
      return error_at(start, "the tensor " + in_quotes(name) +
                                 " occurs twice; give each occurrence its own name");
    }
    if (problem_.tensors.size() == kMaxTensors) {
      return error_at(start, "more than " + std::to_string(kMaxTensors) + " tensors");
    }
    Tensor tensor;
    tensor.name = name;
    tensor.role = default_role(name, problem_.tensors.empty());
    if (!take('[')) return error("expected '[' after " + in_quotes(name) + found());
    if (!take(']')) {
      do {
        if (Status s = read_rank(tensor); !s.ok()) return s;
      } while (take(','));
      if (!take(']')) return error("expected ',' or '+' or ']' here" + found());
    }
    problem_.tensors.push_back(std::move(tensor));
    return {};
  }

  Status read_rank(Tensor& tensor) {
    if (tensor.ranks.size() == kMaxRanks) {
      return error("more than " + std::to_string(kMaxRanks) + " ranks in " +
                   in_quotes(tensor.name));
    }
    tensor.ranks.emplace_back();
    do {
      if (Status s = read_term(tensor); !s.ok()) return s;
    } while (take('+'));
    return {};
  }

  Status read_term(Tensor& tensor) {
    std::vector<Term>& terms = tensor.ranks.back().terms;
    skip_space();
    const std::size_t start = at_;
    if (peek() == '-') return error("coefficients are positive; '-' has no meaning here");
    if (terms.size() == kMaxTerms) {
      return error("more than " + std::to_string(kMaxTerms) + " terms in one rank");
    }
    std::int64_t coefficient = 1;
    std::string name;
    if (is_digit(peek())) {
      if (Status s = read_coefficient(coefficient); !s.ok()) return s;
      if (!take('*')) {
        return error_at(start,
                        "a constant: a rank is a sum of dimensions (write coefficient * "
                        "dimension)");
      }
      if (Status s = read_name("a dimension's name", name); !s.ok()) return s;
    } else {
      if (Status s = read_name("a dimension's name", name); !s.ok()) return s;
      if (take('*')) {
        skip_space();
        if (!is_digit(peek())) return error("expected a number after '*'" + found());
        if (Status s = read_coefficient(coefficient); !s.ok()) return s;
      }
    }
    for (const Rank& rank : tensor.ranks) {
      for (const Term& term : rank.terms) {
        if (problem_.dims[index(term.dim)].name != name) continue;
        return error_at(start, "the dimension " + in_quotes(name) + " occurs twice in " +
                                   in_quotes(tensor.name) +
                                   "; a dimension may occur once in a tensor");
      }
    }
    DimId dim{};
    if (Status s = find_or_add(name, start, dim); !s.ok()) return s;
    terms.push_back({dim, coefficient});
    return {};
  }

  Status find_or_add(const std::string& name, std::size_t start, DimId& dim) {
    if (const auto known = problem_.find_dim(name)) {
      dim = *known;
      return {};
    }
    if (problem_.dims.size() == kMaxDims) {
      return error_at(start, "more than " + std::to_string(kMaxDims) + " dimensions");
    }
    dim = static_cast<DimId>(problem_.dims.size());
    problem_.dims.push_back({name, 1});
    return {};
  }

  Status read_coefficient(std::int64_t& out) {
    const std::size_t start = at_;
    out = 0;
    while (is_digit(peek())) {
      out = out * 10 + (text_[at_++] - '0');
      if (out > kMaxExtent) {
        return error_at(start, "the coefficient is larger than " + std::to_string(kMaxExtent));
      }
    }
    if (out == 0) return error_at(start, "the coefficient is 0; leave the term out");
    return {};
  }

  Status read_name(const char* what, std::string& out) {
    skip_space();
    const std::size_t start = at_;
    while (is_digit(peek()) || is_letter(peek())) ++at_;
    out = std::string(text_.substr(start, at_ - start));
    if (is_identifier(out)) return {};
    if (out.size() > kMaxNameLength) {
      return error_at(start,
                      "a name of more than " + std::to_string(kMaxNameLength) + " characters");
    }
    return error_at(start, std::string("expected ") + what + found());
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return is_identifier(std::string_view(&c, 1)); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string found() const {
    return at_ < text_.size() ? ", found " + in_quotes(text_.substr(at_, 1))
                              : ", found the end of the text";
  }
  Status error(std::string message) const { return error_at(at_, std::move(message)); }
  Status error_at(std::size_t position, std::string message) const {
    return Status(StatusCode::kInvalidInput,
                  "column " + std::to_string(position + 1) + ": " + std::move(message));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Problem problem_;
};

std::string rank_text(const Problem& problem, const Rank& rank) {
  std::string out;
  for (const Term& term : rank.terms) {
    if (!out.empty()) out += '+';
    if (term.coefficient != 1) out += std::to_string(term.coefficient) + "*";
    out += problem.dims[index(term.dim)].name;
  }
  return out;
}

}  // namespace

Role default_role(std::string_view tensor, bool first) {
  std::string lower(tensor);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool weight = lower == "w" || lower == "weight" || lower == "weights";
  return first ? Role::kOutput : weight ? Role::kWeight : Role::kInput;
}

Result<Problem> read_einsum(std::string_view text) { return EinsumReader(text).read(); }

std::string Problem::einsum() const {
  std::string out;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    out += t == 0 ? "" : t == 1 ? " += " : " * ";
    out += tensors[t].name + "[";
    for (std::size_t r = 0; r < tensors[t].ranks.size(); ++r) {
      out += (r ? "," : "") + rank_text(*this, tensors[t].ranks[r]);
    }
    out += "]";
  }
  return out;
}

Result<Problem> parse_einsum(std::string_view text,
                             const std::map<std::string, std::int64_t>& extents) {
  Result<Problem> draft = read_einsum(text);
  if (!draft.ok()) return draft.status();
  std::vector<std::string> names;
  for (Dim& dim : draft->dims) {
    names.push_back(dim.name);
    const auto extent = extents.find(dim.name);
    if (extent == extents.end()) {
      return Status(StatusCode::kInvalidInput,
                    "the dimension " + in_quotes(dim.name) + " has no extent");
    }
    dim.extent = extent->second;
  }
  for (const auto& extent : extents) {
    if (draft->find_dim(extent.first)) continue;
    return Status(StatusCode::kInvalidInput, "the dimension " + in_quotes(extent.first) +
                                                 " does not occur in the einsum" +
                                                 suggestion(extent.first, names));
  }
  return make_problem(std::move(*draft));
}

}  // namespace loopscape
