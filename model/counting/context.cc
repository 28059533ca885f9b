// Names and roles become numbers, once per (problem, architecture, conventions).

#include <numeric>

#include "model/counting/counting.h"
#include "model/counting/rank_sets.h"
#include "model/counting/workspace.h"

namespace loopscape {
namespace {

constexpr double kMostPoints = 288230376151711744.0;  // 2^58

TensorMask called(const Problem& problem, const std::vector<std::string>& names) {
  TensorMask mask = 0;
  for (const std::string& name : names) mask |= problem.tensors_called(name);
  return mask;
}

RankShape rank_shape(const Rank& rank, bool box) {
  RankShape shape;
  shape.terms = static_cast<std::uint8_t>(rank.terms.size());
  shape.term_of.fill(-1);
  for (std::size_t i = 0; i < rank.terms.size(); ++i) {
    shape.term_of[index(rank.terms[i].dim)] = static_cast<std::int16_t>(i);
    shape.dim[i] = static_cast<std::uint8_t>(rank.terms[i].dim);
    shape.coefficient[i] = rank.terms[i].coefficient;
  }
  if (shape.terms == 2) {
    const std::int64_t common = std::gcd(shape.coefficient[0], shape.coefficient[1]);
    shape.chain = {shape.coefficient[1] / common, shape.coefficient[0] / common};
  }
  shape.box = box;
  shape.clipped = rank.valid_begin.has_value() || rank.valid_end.has_value();
  shape.valid_begin = rank.valid_begin.value_or(0);
  shape.valid_end = rank.valid_end.value_or(INT64_MAX);
  // A stride alone leaves holes, which only a bounding box sees.
  shape.simple = shape.terms == 1 && !shape.clipped && (!box || shape.coefficient[0] == 1);
  return shape;
}

Result<TensorShape> tensor_shape(const Problem& problem, const Tensor& tensor, const Arch& arch,
                                 bool box, Workspace& workspace) {
  TensorShape shape;
  shape.is_output = tensor.is_output;
  shape.relevant = tensor.relevant;
  shape.sliding = tensor.sliding;
  shape.bits = bits_of(tensor, arch);
  shape.final_bits = final_bits_of(tensor, arch);
  for (const Rank& rank : tensor.ranks) {
    RankShape& here = shape.rank[shape.ranks++];
    // Holes of an output hold no partial sums: its words are always distinct (counting.md A2).
    here = rank_shape(rank, box && !tensor.is_output);
    std::array<std::int64_t, kMaxTerms> extent{};
    double points = 1;
    for (std::size_t i = 0; i < here.terms; ++i) {
      extent[i] = problem.dims[here.dim[i]].extent;
      points *= static_cast<double>(extent[i]);
    }
    // Sums over one rank's steps are not checked one by one; this leaves them room.
    if (here.terms > 1 && points > kMostPoints) {
      return Status(StatusCode::kUnsupported,
                    "tensor " + tensor.name +
                        " has a sliding rank whose dimensions multiply to more than 2^58; its "
                        "counts may not fit 63 bits; make them smaller");
    }
    here.all_words = distinct_sums(here, extent, workspace);
    if (here.all_words < 0) {
      return Status(StatusCode::kUnsupported,
                    "tensor " + tensor.name + " has a rank of " + std::to_string(here.terms) +
                        " dimensions whose strides interleave over more than 16777216 indices, "
                        "too many to count one by one; split the rank or reduce its dimensions");
    }
    if (here.simple) {
      shape.simple |= static_cast<DimMask>(1u << here.dim[0]);
      shape.simple_words *= extent[0];  // fits: make_problem() checked the tensor's size
    } else {
      ++shape.complex_ranks;
      shape.complex_words *= here.all_words;
      shape.clipped |= here.clipped;
    }
  }
  return shape;
}

// Is the fan-out counted as a trunk and rows? Sharing any common word may be done in two steps,
// sharing equal deltas may not.
bool splits(const Fanout& fanout, const Conventions& conventions) {
  if (fanout.axes.size() < 2 || conventions.sharing != Conventions::Sharing::kAnyWord) return false;
  bool multicast_bus = false;
  for (const Network& network : fanout.networks) {
    const bool counted_by_words = network.network_class == NetworkClass::kFree ||
                                  network.network_class == NetworkClass::kBus ||
                                  network.network_class == NetworkClass::kCrossbar ||
                                  network.network_class == NetworkClass::kChain ||
                                  network.network_class == NetworkClass::kMulticastBus;
    if (!counted_by_words) return false;
    multicast_bus |= network.network_class == NetworkClass::kMulticastBus;
  }
  return multicast_bus;
}

void set_spans(const Arch& arch, CountingContext& context) {
  // What passes a trunk tells its links only if no word arrives over another fan-out's neighbours.
  bool forwards = false;
  for (const Fanout& fanout : arch.fanouts) {
    for (const Network& network : fanout.networks) forwards |= !network.forward.empty();
  }
  std::size_t spare = kMaxFanouts - arch.fanouts.size();
  context.spans = static_cast<std::uint8_t>(arch.fanouts.size());
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    const bool two = spare > 0 && !forwards && splits(arch.fanouts[f], context.conventions);
    spare -= two;
    context.span[f].first = context.fanouts;
    context.span[f].last = static_cast<std::uint8_t>(context.fanouts + two);
    context.fanouts = static_cast<std::uint8_t>(context.span[f].last + 1);
  }
}

// The network that carries the tensor: the one that names it, else the one that names none.
Result<int> carrier_of(const Problem& problem, const Fanout& fanout, std::size_t t) {
  int named = -1, rest = -1;
  for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
    const std::vector<std::string>& names = fanout.networks[n].tensors;
    if (names.empty() && rest < 0) rest = static_cast<int>(n);
    if (((called(problem, names) >> t) & 1u) == 0) continue;
    if (named >= 0) {
      return Status(StatusCode::kInvalidInput,
                    "two networks of " + fanout.name + " carry tensor " + problem.tensors[t].name +
                        ", one by its name and one by its role; name it in one of them");
    }
    named = static_cast<int>(n);
  }
  return named >= 0 ? named : rest;
}

Status set_networks(const Problem& problem, const Arch& arch, CountingContext& context) {
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    context.network[f].fill(-1);
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      const Result<int> carrier = carrier_of(problem, arch.fanouts[f], t);
      if (!carrier.ok()) return carrier.status();
      context.network[f][t] = static_cast<std::int16_t>(*carrier);
      if (*carrier < 0) continue;
      const auto mask = static_cast<TensorMask>(1u << t);
      const Network& network = arch.fanouts[f].networks[static_cast<std::size_t>(*carrier)];
      const bool up = problem.tensors[t].is_output;
      const TensorMask shares = called(problem, up ? network.reduce : network.multicast) & mask;
      const TensorMask forwards = up ? TensorMask{0} : called(problem, network.forward) & mask;
      for (std::size_t s = context.span[f].first; s <= context.span[f].last; ++s) {
        context.shares[s] = static_cast<TensorMask>(context.shares[s] | shares);
        context.forwards[s] = static_cast<TensorMask>(context.forwards[s] | forwards);
      }
    }
  }
  return {};
}

Status set_nodes(const Problem& problem, const Arch& arch, CountingContext& context) {
  int fanouts = 0;
  for (const ArchNode& node : arch.nodes) {
    if (node.kind == NodeKind::kFanout) fanouts = context.span[node.id].last + 1;
    if (node.kind != NodeKind::kMemory) continue;
    const Memory& memory = arch.memories[node.id];
    context.fanouts_above[node.id] = static_cast<std::uint8_t>(fanouts);
    context.keep[node.id] = called(problem, memory.keep);
    context.bypass[node.id] = called(problem, memory.bypass);
    const unsigned both = context.keep[node.id] & context.bypass[node.id];
    if (both == 0) continue;
    return Status(StatusCode::kInvalidInput,
                  "memory " + memory.name + " must keep and must bypass tensor " +
                      problem.tensors[static_cast<std::size_t>(__builtin_ctz(both))].name +
                      ", once by its name and once by its role; leave one of them out")
        .at("/nodes/" + std::to_string(&node - arch.nodes.data()));
  }
  for (std::size_t a = 0; a < arch.axis_count(); ++a) {
    const auto id = static_cast<AxisId>(a);
    const Axis& axis = arch.axis(id);
    const FanoutId fanout = arch.fanout_of(id);
    const Span span = context.span[index(fanout)];
    const bool trunk =
        a + 1 == index(arch.first_axis(fanout)) + arch.fanouts[index(fanout)].axes.size();
    context.axis_fanout[a] = trunk ? span.first : span.last;
    context.axis_size[a] = axis.size;
    DimMask dims = 0;
    for (const std::string& name : axis.dims) dims |= problem.dims_called(name);
    context.axis_dims[a] = axis.dims.empty() ? static_cast<DimMask>(~0u) : dims;
  }
  return {};
}

}  // namespace

std::uint32_t bits_of(const Tensor& tensor, const Arch& arch) {
  if (tensor.bits != 0) return tensor.bits;
  const RoleBits& by_role = arch.role_bits;
  const std::uint32_t bits = tensor.role == Role::kWeight  ? by_role.weight
                             : tensor.role == Role::kInput ? by_role.input
                                                           : by_role.output;
  return bits != 0 ? bits : arch.word_bits;
}

std::uint32_t final_bits_of(const Tensor& tensor, const Arch& arch) {
  if (tensor.final_bits != 0) return tensor.final_bits;
  const bool by_role = tensor.bits == 0 && tensor.is_output && tensor.role == Role::kOutput;
  return by_role && arch.role_bits.final != 0 ? arch.role_bits.final : bits_of(tensor, arch);
}

Result<CountingContext> make_counting_context(const Problem& problem, const Arch& arch,
                                              const Conventions& conventions) {
  CountingContext context;
  context.conventions = conventions;
  context.dims = static_cast<std::uint8_t>(problem.dims.size());
  context.tensors = static_cast<std::uint8_t>(problem.tensors.size());
  context.memories = static_cast<std::uint8_t>(arch.memories.size());
  context.axes = static_cast<std::uint8_t>(arch.axis_count());
  context.operations = problem.operations();
  context.output = static_cast<std::uint8_t>(problem.output());
  for (std::size_t d = 0; d < problem.dims.size(); ++d) context.extent[d] = problem.dims[d].extent;
  const bool box = conventions.footprint == Conventions::Footprint::kBox;
  const WorkspacePtr workspace = make_workspace(1);
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    Result<TensorShape> shape = tensor_shape(problem, problem.tensors[t], arch, box, *workspace);
    if (!shape.ok()) return shape.status();
    context.tensor[t] = *shape;
  }
  set_spans(arch, context);
  if (Status status = set_nodes(problem, arch, context); !status.ok()) return status;
  if (Status status = set_networks(problem, arch, context); !status.ok()) return status;
  return context;
}

}  // namespace loopscape
