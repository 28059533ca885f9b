#include "model/problem/problem.h"

#include <algorithm>
#include <set>

namespace loopscape {
namespace {

constexpr std::uint32_t kMaxBits = 65536;

Status invalid(std::string place, std::string message) {
  return Status(StatusCode::kInvalidInput, std::move(message)).at(std::move(place));
}

std::string too_many(const char* what, std::size_t most) {
  return std::string("more than ") + std::to_string(most) + " " + what;
}

Status check_dims(const Problem& problem) {
  if (problem.dims.empty()) return invalid("/dims", "a problem has at least one dimension");
  if (problem.dims.size() > kMaxDims) return invalid("/dims", too_many("dimensions", kMaxDims));
  std::set<std::string> seen;
  OverflowFlag overflow;
  std::int64_t operations = 1;
  for (const Dim& dim : problem.dims) {
    const std::string place = "/dims/" + dim.name;
    if (!is_identifier(dim.name)) {
      return invalid("/dims", in_quotes(dim.name) +
                                  " is no name for a dimension (a letter or "
                                  "underscore, then letters, digits or underscores, at most 64)");
    }
    if (!seen.insert(dim.name).second) return invalid(place, "the dimension occurs twice");
    if (dim.extent < 1 || dim.extent > kMaxExtent) {
      return invalid(place, "the extent is " + std::to_string(dim.extent) +
                                "; extents are whole numbers from 1 to " +
                                std::to_string(kMaxExtent));
    }
    operations = overflow.mul(operations, dim.extent);
  }
  if (overflow.raised()) {
    return invalid("/dims", "the product of the extents does not fit 63 bits");
  }
  return {};
}

Status check_rank(const Problem& problem, const Rank& rank, const std::string& place, DimMask& seen,
                  std::int64_t& extent) {
  if (rank.terms.empty()) return invalid(place, "a rank without a dimension");
  if (rank.terms.size() > kMaxTerms) return invalid(place, too_many("terms", kMaxTerms));
  OverflowFlag overflow;
  extent = 1;
  for (const Term& term : rank.terms) {
    if (index(term.dim) >= problem.dims.size()) {
      return invalid(place, "a term over a dimension that does not exist");
    }
    const Dim& dim = problem.dims[index(term.dim)];
    if (seen & bit(term.dim)) {
      return invalid(place, "the dimension " + in_quotes(dim.name) +
                                " occurs twice in one tensor; it may occur once");
    }
    seen = static_cast<DimMask>(seen | bit(term.dim));
    if (term.coefficient < 1) return invalid(place, "a coefficient below 1");
    extent = overflow.add(extent, overflow.mul(term.coefficient, dim.extent - 1));
  }
  if (overflow.raised()) return invalid(place, "the extent of a rank does not fit 63 bits");
  if (rank.valid_begin.has_value() != rank.valid_end.has_value()) {
    return invalid(place, "a valid range has a begin and an end, or is absent");
  }
  if (!rank.valid_begin) return {};
  if (!problem.padding_free) {
    return invalid(place, "a valid range needs \"padding_free\": true");
  }
  if (*rank.valid_begin >= extent) {
    return invalid(place, "the valid range begins at " + std::to_string(*rank.valid_begin) +
                              ", but the rank's extent is " + std::to_string(extent));
  }
  if (*rank.valid_begin < 0 || *rank.valid_begin >= *rank.valid_end) {
    return invalid(place, "the valid range must begin at 0 or later and end after its begin");
  }
  return {};
}

Status check_attributes(const Tensor& tensor, bool output, const std::string& place) {
  if (tensor.role != Role::kWeight && tensor.role != Role::kInput && tensor.role != Role::kOutput) {
    return invalid(place + "/role", "a role that does not exist");
  }
  if (output != (tensor.role == Role::kOutput)) {
    return invalid(place + "/role", output ? "the left-hand side of the einsum is the output"
                                           : "only the left-hand side of the einsum is the output");
  }
  if (tensor.bits > kMaxBits || tensor.final_bits > kMaxBits) {
    return invalid(place, "words have at most " + std::to_string(kMaxBits) + " bits");
  }
  if (tensor.final_bits && !output) {
    return invalid(place + "/final_bits", "only an output has final_bits");
  }
  if (!(tensor.density > 0 && tensor.density <= 1)) {
    return invalid(place + "/density", "a density is above 0 and at most 1");
  }
  return {};
}

// Also fills relevant and sliding.
Status check_tensor(const Problem& problem, Tensor& tensor) {
  const bool output = &tensor == &problem.tensors[0];
  const std::string place = "/tensors/" + tensor.name;
  if (!is_identifier(tensor.name)) {
    return invalid("/tensors", in_quotes(tensor.name) +
                                   " is no name for a tensor (a letter or "
                                   "underscore, then letters, digits or underscores, at most 64)");
  }
  if (Status s = check_attributes(tensor, output, place); !s.ok()) return s;
  if (tensor.ranks.size() > kMaxRanks) return invalid(place, too_many("ranks", kMaxRanks));
  OverflowFlag overflow;
  std::int64_t words = 1;
  tensor.is_output = output;
  tensor.relevant = tensor.sliding = 0;
  for (const Rank& rank : tensor.ranks) {
    std::int64_t extent = 0;
    Status status = check_rank(problem, rank, place, tensor.relevant, extent);
    if (!status.ok()) return status;
    if (output && rank.valid_begin) {
      return invalid(place + "/valid", "only inputs have padding; the output has none");
    }
    words = overflow.mul(words, extent);
    if (rank.terms.size() == 1) continue;
    for (const Term& term : rank.terms) {
      tensor.sliding = static_cast<DimMask>(tensor.sliding | bit(term.dim));
    }
  }
  overflow.mul(words, std::max<std::int64_t>({1, tensor.bits, tensor.final_bits}));
  if (overflow.raised()) {
    return invalid(place,
                   "the bits of the tensor " + in_quotes(tensor.name) + " do not fit 63 bits");
  }
  return {};
}

Status check_tensors(Problem& problem) {
  if (problem.tensors.size() < 2) {
    return invalid("/einsum", "a problem has an output and at least one input tensor");
  }
  if (problem.tensors.size() > kMaxTensors) {
    return invalid("/einsum", too_many("tensors", kMaxTensors));
  }
  std::set<std::string> seen;
  DimMask used = 0;
  for (Tensor& tensor : problem.tensors) {
    if (Status s = check_tensor(problem, tensor); !s.ok()) return s;
    if (!seen.insert(tensor.name).second) {
      return invalid("/tensors/" + tensor.name, "two tensors have this name");
    }
    if (tensor.name == "weight" || tensor.name == "input" || tensor.name == "output") {
      const Role named = tensor.name == "weight"  ? Role::kWeight
                         : tensor.name == "input" ? Role::kInput
                                                  : Role::kOutput;
      if (named != tensor.role) {
        return invalid("/tensors/" + tensor.name,
                       "a tensor may be named like a role only if it plays it");
      }
    }
    used = static_cast<DimMask>(used | tensor.relevant);
  }
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (used & bit(static_cast<DimId>(d))) continue;
    return invalid("/dims/" + problem.dims[d].name, "the dimension occurs in no tensor");
  }
  return {};
}

Status check_roles(const Problem& problem) {
  static const std::vector<std::string> canonical = {"n", "k", "c", "p", "q", "r", "s", "g"};
  std::vector<std::string> own;
  for (const Dim& dim : problem.dims) own.push_back(dim.name);
  for (const auto& [dim, role] : problem.dim_roles) {
    if (!problem.find_dim(dim)) {
      return invalid("/dim_roles", "unknown dimension " + in_quotes(dim) + suggestion(dim, own));
    }
    if (std::find(canonical.begin(), canonical.end(), role) == canonical.end()) {
      return invalid(
          "/dim_roles/" + dim,
          in_quotes(role) + " is no canonical dimension; there are " + listed(canonical));
    }
  }
  return {};
}

// Dimensions are numbered by their first appearance in the einsum, whoever made the draft, so that
// the text form says everything.
void number_dims_by_appearance(Problem& problem) {
  std::vector<std::size_t> rank_of(problem.dims.size(), problem.dims.size());
  std::vector<Dim> dims;
  for (Tensor& tensor : problem.tensors) {
    for (Rank& rank : tensor.ranks) {
      for (Term& term : rank.terms) {
        std::size_t& to = rank_of[index(term.dim)];
        if (to == problem.dims.size()) {
          to = dims.size();
          dims.push_back(problem.dims[index(term.dim)]);
        }
        term.dim = static_cast<DimId>(to);
      }
    }
  }
  problem.dims = std::move(dims);
}

}  // namespace

Result<Problem> make_problem(Problem draft) {
  constexpr auto kMaxCount = static_cast<std::uint64_t>(INT64_MAX);
  if (!is_utf8(draft.name)) return invalid("/name", "the name is not valid UTF-8");
  if (!is_utf8(draft.comment)) return invalid("/comment", "the comment is not valid UTF-8");
  if (!is_identifier(draft.operation)) {
    return invalid("/operation", in_quotes(draft.operation) + " is no name for an operation");
  }
  if (draft.count < 1 || draft.count > kMaxCount) {
    return invalid("/count", "a layer occurs at least once");
  }
  if (Status s = check_dims(draft); !s.ok()) return s;
  if (Status s = check_tensors(draft); !s.ok()) return s;
  number_dims_by_appearance(draft);
  if (Status s = check_tensors(draft); !s.ok()) return s;  // fills the masks anew
  if (Status s = check_roles(draft); !s.ok()) return s;
  return draft;
}

TensorId Problem::output() const { return static_cast<TensorId>(0); }

std::optional<DimId> Problem::find_dim(std::string_view dim_name) const {
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (dims[d].name == dim_name) return static_cast<DimId>(d);
  }
  return std::nullopt;
}

DimMask Problem::dims_called(std::string_view called) const {
  DimMask mask = 0;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const auto role = dim_roles.find(dims[d].name);
    const std::string& canonical = role == dim_roles.end() ? dims[d].name : role->second;
    if (canonical == called) mask = static_cast<DimMask>(mask | bit(static_cast<DimId>(d)));
  }
  if (mask) return mask;
  const std::optional<DimId> own = find_dim(called);
  return own ? bit(*own) : DimMask{0};
}

std::optional<TensorId> Problem::find_tensor(std::string_view tensor_name) const {
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (tensors[t].name == tensor_name) return static_cast<TensorId>(t);
  }
  return std::nullopt;
}

TensorMask Problem::tensors_called(std::string_view role_or_name) const {
  static constexpr std::string_view kRoles[] = {"weight", "input", "output"};
  TensorMask mask = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const bool plays = kRoles[static_cast<std::size_t>(tensors[t].role)] == role_or_name;
    if (!plays && tensors[t].name != role_or_name) continue;
    mask = static_cast<TensorMask>(mask | bit(static_cast<TensorId>(t)));
  }
  return mask;
}

std::int64_t Problem::operations() const {
  std::int64_t product = 1;
  for (const Dim& dim : dims) product *= dim.extent;
  return product;
}

}  // namespace loopscape
