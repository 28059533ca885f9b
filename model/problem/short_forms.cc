// What the short forms stand for. Each becomes the text of an einsum first, so that what is
// documented, printed and evaluated is one thing.
#include "model/problem/short_forms.h"

#include <utility>

#include "model/problem/einsum.h"

namespace loopscape {
namespace {

using Extents = std::map<std::string, std::int64_t>;

std::int64_t given(const ShortForm& form, const std::string& key) {
  const auto it = form.shape.find(key);
  return it == form.shape.end() ? 0 : it->second;
}

Status invalid(std::string place, std::string message) {
  return Status(StatusCode::kInvalidInput, std::move(message)).at(std::move(place));
}

std::string scaled(std::int64_t coefficient, const std::string& dim) {
  return (coefficient == 1 ? "" : std::to_string(coefficient) + "*") + dim;
}

// One axis resolved: the output's extent and the input's true size.
struct Axis2d {
  std::int64_t out = 0, in = 0;
};

Status resolve(const ShortForm& form, std::size_t axis, Axis2d& size) {
  static const std::string kOut[] = {"p", "q"}, kIn[] = {"h", "w"}, kKernel[] = {"r", "s"};
  const Window& window = form.windows[axis];
  const std::int64_t out = given(form, kOut[axis]), in = given(form, kIn[axis]);
  const std::int64_t kernel = given(form, kKernel[axis]);
  if (!out && !in) {
    return invalid("", "the size is missing: give the output's " + in_quotes(kOut[axis]) +
                           " or the input's " + in_quotes(kIn[axis]));
  }
  OverflowFlag overflow;
  const std::int64_t span = overflow.add(overflow.mul(window.dilation, kernel - 1), 1);
  const std::int64_t pad = overflow.add(window.pad_low, window.pad_high);
  if (overflow.raised()) return invalid("/dilation", "the kernel's span does not fit 63 bits");
  if (in) {
    const std::int64_t padded = overflow.add(in, pad);
    if (padded < span) {
      return invalid("/" + kIn[axis], "the padded input (" + std::to_string(padded) +
                                          ") is smaller than the kernel's span (" +
                                          std::to_string(span) + ")");
    }
    size = {(padded - span) / window.stride + 1, in};
    if (out && out != size.out) {
      return invalid("/" + kOut[axis], in_quotes(kOut[axis]) + " is " + std::to_string(out) +
                                           ", but the input's size gives " +
                                           std::to_string(size.out) + "; leave one of them out");
    }
    return {};
  }
  const std::int64_t padded = overflow.add(overflow.mul(out - 1, window.stride), span);
  size = {out, overflow.sub(padded, pad)};
  if (overflow.raised()) {
    return invalid("/" + kOut[axis], "the input's extent does not fit 63 bits");
  }
  if (size.in < 1) {
    return invalid("/padding", "an input of " + std::to_string(padded) +
                                   " with its padding would be padding alone");
  }
  return {};
}

Result<Problem> build(const std::string& einsum, const Extents& extents,
                      std::map<std::string, std::string> dim_roles) {
  Result<Problem> draft = read_einsum(einsum);
  if (!draft.ok()) return draft.status();
  for (Dim& dim : draft->dims) dim.extent = extents.at(dim.name);
  draft->dim_roles = std::move(dim_roles);
  return draft;
}

// conv2d, depthwise, pool: everything with a window over two axes of I.
Result<Problem> windowed(const ShortForm& form, const std::string& einsum_head,
                         const std::string& input_ranks, const std::string& weights,
                         Extents extents) {
  Axis2d vertical, horizontal;
  if (Status s = resolve(form, 0, vertical); !s.ok()) return s;
  if (Status s = resolve(form, 1, horizontal); !s.ok()) return s;
  const auto rank = [&](std::size_t axis, const char* out, const char* kernel) {
    const Window& window = form.windows[axis];
    return scaled(window.stride, out) + "+" + scaled(window.dilation, kernel);
  };
  extents["p"] = vertical.out;
  extents["q"] = horizontal.out;
  for (const char* key : {"n", "r", "s"}) extents[key] = given(form, key);
  const std::string einsum = einsum_head + " += I[" + input_ranks + "," + rank(0, "p", "r") + "," +
                             rank(1, "q", "s") + "]" + weights;
  Result<Problem> draft = build(einsum, extents, {});
  if (!draft.ok() || !form.padding_free) return draft;
  draft->padding_free = true;
  std::vector<Rank>& ranks = draft->tensors[1].ranks;
  const std::int64_t sizes[] = {vertical.in, horizontal.in};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    Rank& spatial = ranks[ranks.size() - 2 + axis];
    spatial.valid_begin = form.windows[axis].pad_low;
    spatial.valid_end = form.windows[axis].pad_low + sizes[axis];
  }
  return draft;
}

Result<Problem> conv2d(const ShortForm& form) {
  const std::int64_t k = given(form, "k"), c = given(form, "c"), g = form.groups;
  if (g == 1) {
    return windowed(form, "O[n,k,p,q]", "n,c", " * W[k,c,r,s]", {{"k", k}, {"c", c}});
  }
  for (const char* key : {"k", "c"}) {
    const std::int64_t channels = given(form, key);
    if (channels % g == 0) continue;
    return invalid("/groups", std::to_string(g) + " groups do not divide " + in_quotes(key) +
                                  " = " + std::to_string(channels));
  }
  return windowed(form, "O[n,g,k,p,q]", "n,g,c", " * W[g,k,c,r,s]",
                  {{"g", g}, {"k", k / g}, {"c", c / g}});
}

Result<Problem> gemm(const ShortForm& form) {
  const Extents extents = {
      {"m", given(form, "m")}, {"n", given(form, "n")}, {"k", given(form, "k")}, {"b", form.batch}};
  if (form.batch == 1) {
    return build("O[m,n] += I[m,k] * W[k,n]", extents, {{"m", "p"}, {"n", "k"}, {"k", "c"}});
  }
  return build("O[b,m,n] += I[b,m,k] * W[b,k,n]", extents,
               {{"b", "n"}, {"m", "p"}, {"n", "k"}, {"k", "c"}});
}

Result<Problem> elementwise(const ShortForm& form) {
  if (form.dims.empty()) return invalid("/dims", "an element-wise operation has dimensions");
  std::string ranks;
  for (const auto& dim : form.dims) {
    if (!is_identifier(dim.first)) {
      return invalid("/dims", in_quotes(dim.first) + " is no name for a dimension");
    }
    ranks += (ranks.empty() ? "" : ",") + dim.first;
  }
  const std::string second = form.inputs == 2 ? " * J[" + ranks + "]" : "";
  return build("O[" + ranks + "] += I[" + ranks + "]" + second, form.dims, {});
}

}  // namespace

Result<Problem> expand(const ShortForm& form) {
  const std::string& op = form.op;
  if (op == "conv2d") return conv2d(form);
  if (op == "depthwise") {
    return windowed(form, "O[n,g,p,q]", "n,g", " * W[g,r,s]", {{"g", given(form, "g")}});
  }
  if (op == "pool") return windowed(form, "O[n,c,p,q]", "n,c", "", {{"c", given(form, "c")}});
  if (op == "gemm") return gemm(form);
  if (op == "fc") return build("O[n,k] += I[n,c] * W[k,c]", form.shape, {});
  if (op == "attention_qk") {
    return build("O[b,h,m,n] += I[b,h,m,k] * W[b,h,n,k]", form.shape,
                 {{"b", "n"}, {"h", "g"}, {"m", "p"}, {"n", "k"}, {"k", "c"}});
  }
  if (op == "attention_av") {
    return build("O[b,h,m,k] += I[b,h,m,n] * W[b,h,n,k]", form.shape,
                 {{"b", "n"}, {"h", "g"}, {"m", "p"}, {"k", "k"}, {"n", "c"}});
  }
  return elementwise(form);
}

}  // namespace loopscape
