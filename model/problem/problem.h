// A problem: one einsum over named dimensions (model.md section 1).
//
//   auto problem = parse_problem(R"({"einsum": "O[m,n] += A[m,k] * B[k,n]",
//                                    "dims": {"m": 64, "n": 64, "k": 64}})");
//   if (!problem.ok()) return problem.status();
//
// A Problem is immutable once made by parse_problem() or make_problem(), which validate it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/base.h"

namespace loopscape {

enum class Role : std::uint8_t { kWeight, kInput, kOutput };

struct Term {
  DimId dim;
  std::int64_t coefficient = 1;  // >= 1
  friend bool operator==(const Term&, const Term&) = default;
};

struct Rank {
  std::vector<Term> terms;  // one to kMaxTerms; a dimension occurs once per tensor
  // Only indices in [valid_begin, valid_end) are words that move ("padding_free"); the others are
  // generated zeros. Absent: every index is a word.
  std::optional<std::int64_t> valid_begin, valid_end;
  friend bool operator==(const Rank&, const Rank&) = default;
};

struct Tensor {
  std::string name;
  Role role = Role::kInput;
  std::uint32_t bits = 0;        // 0: the architecture's word
  std::uint32_t final_bits = 0;  // outputs: width of a word's last visit; 0: as `bits`
  double density = 1.0;
  std::vector<Rank> ranks;
  bool is_output = false;

  DimMask relevant = 0;  // dimensions that occur in a rank
  DimMask sliding = 0;   // those that share their rank with another one
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

struct Dim {
  std::string name;
  std::int64_t extent = 1;
  friend bool operator==(const Dim&, const Dim&) = default;
};

struct Problem {
  std::string name;
  std::string comment;  // where the numbers come from; kept, never interpreted
  std::string operation = "mac";
  std::vector<Dim> dims;
  std::vector<Tensor> tensors;                   // inputs in einsum order, the output first
  std::map<std::string, std::string> dim_roles;  // own dimension -> canonical convolution dimension
  bool padding_free = false;  // padding is generated, not moved: ranks may state a valid range
  std::uint64_t count = 1;    // how often the layer occurs in its network
  std::optional<Conventions> conventions;

  TensorId output() const;
  std::optional<DimId> find_dim(std::string_view dim_name) const;
  std::optional<TensorId> find_tensor(std::string_view tensor_name) const;
  // The dimensions that an architecture means by `called`: those that play the canonical dimension
  // (by dim_roles, or by their own name when they have no role); if none does, the one so named.
  DimMask dims_called(std::string_view called) const;
  // A role ("weight") or a tensor's name ("W"); several tensors may play one role.
  TensorMask tensors_called(std::string_view role_or_name) const;
  // Product of the extents; fits 63 bits (checked when the problem was made).
  std::int64_t operations() const;
  std::string einsum() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

// Validates a draft and fills relevant, sliding and is_output. The draft's first tensor is the
// output; dimensions are renumbered in order of their first appearance. Parsing ends here too:
// there is no other way to a Problem that may be relied on.
Result<Problem> make_problem(Problem draft);

// The JSON form (formats.md): an einsum, or a short form ("op": "conv2d", ...).
Result<Problem> parse_problem(std::string_view text);
// Always the einsum form, with dimensions in order of their first appearance in the einsum and
// every default left out; a padding-free rank's range is the tensor's "valid".
std::string problem_to_json(const Problem& problem);
// JSON Schema (draft 7) of what parse_problem() reads.
std::string problem_schema();

// "O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]", with an extent for every dimension. Errors
// in the text begin with "column N: ".
Result<Problem> parse_einsum(std::string_view text,
                             const std::map<std::string, std::int64_t>& extents);

}  // namespace loopscape
