// The same sheet that evaluate() sums up, laid open; and the sentences for what it refuses.

#include <algorithm>

#include "model/evaluate/bound.h"

namespace loopscape {
namespace {

constexpr std::size_t kKnownRanks = 64;  // one mapping meets few

std::string plural(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

MemoryReport memory_report(const BoundModel& model, const Sheet& sheet, std::size_t m) {
  const MemoryTerms& terms = model.memory[m];
  MemoryReport report;
  report.instances = terms.instances;
  report.instances_used = sheet.tally.instances_used[m];
  report.occupied_bits = sheet.occupied_bits[m];
  report.energy_pj = sheet.memory_pj[m];
  report.leakage_pj = sheet.leakage_pj[m];
  for (std::size_t i = 0; i < sheet.parts; ++i) {
    const TimePart& part = sheet.part[i];
    if (part.node != NodeKind::kMemory || part.id != m) continue;
    if (part.kind == TimePart::Kind::kMemoryRead) report.read_cycles = part.cycles;
    if (part.kind == TimePart::Kind::kMemoryWrite) report.write_cycles = part.cycles;
    if (part.kind == TimePart::Kind::kMemoryShared) report.shared_cycles = part.cycles;
  }
  for (unsigned rest = sheet.nest.stored[m]; rest != 0; rest &= rest - 1) {
    const auto t = static_cast<std::size_t>(__builtin_ctz(rest));
    const TensorTally& tally = sheet.tally.memory[m][t];
    TensorAtMemory& tensor = report.tensors[t];
    tensor.stored = true;
    tensor.tile_words = tally.tile_words;
    tensor.words = {tally.total.reads, tally.total.fills, tally.total.updates, tally.total.drains};
    tensor.accesses = sheet.entry[m][t].accesses;
    tensor.energy_pj = sheet.entry[m][t].energy_pj;
  }
  return report;
}

FanoutReport fanout_report(const BoundModel& model, const Sheet& sheet, std::size_t f) {
  FanoutReport report;
  report.children_used = sheet.tally.children_used[f];
  report.energy_pj = sheet.fanout_pj[f];
  for (std::size_t i = 0; i < sheet.parts; ++i) {
    const TimePart& part = sheet.part[i];
    if (part.kind == TimePart::Kind::kNetwork && part.id == f) {
      report.cycles = std::max(report.cycles, part.cycles);
    }
  }
  for (std::size_t t = 0; t < model.counting.tensors; ++t) {
    const NetworkTally tally = whole_network(model.counting, sheet.tally, f, t);
    if (!tally.used) continue;
    const int carrier = model.counting.network[f][t];
    const bool reduces = model.counting.tensor[t].is_output && carrier >= 0 &&
                         ((model.counting.shares[model.counting.span[f].first] >> t) & 1u) != 0;
    TensorAtNetwork& tensor = report.tensors[t];
    tensor.words_in = tally.words_in;
    tensor.words_delivered = tally.words_delivered;
    tensor.words_collected = tally.words_collected;
    tensor.words_out = tally.words_out;
    tensor.forwarded = tally.forwarded;
    tensor.hops = sheet.hops[f][t];
    tensor.reductions = reduces ? tally.words_collected - tally.words_out : 0;
    tensor.energy_pj = sheet.network_pj[f][t];
  }
  return report;
}

Breakdown break_down(const BoundModel& model, const Sheet& sheet) {
  Breakdown result;
  result.energy_pj = sheet.energy_pj;
  result.cycles = sheet.cycles;
  result.operations = model.operations;
  result.area_um2 = model.area_um2;
  const double peak =
      static_cast<double>(sheet.cycles) * static_cast<double>(model.lanes) / model.interval_cycles;
  result.utilization = static_cast<double>(model.operations) / peak;
  for (std::size_t m = 0; m < model.counting.memories; ++m) {
    result.memories.push_back(memory_report(model, sheet, m));
  }
  for (std::size_t f = 0; f < model.counting.spans; ++f) {
    result.fanouts.push_back(fanout_report(model, sheet, f));
  }
  result.compute.instances = model.lanes;
  result.compute.instances_used = sheet.tally.lanes_used;
  result.compute.steps = sheet.tally.steps;
  result.compute.cycles = sheet.part[0].cycles;
  result.compute.energy_pj = sheet.compute_pj;
  result.compute.leakage_pj = sheet.compute_leakage_pj;
  result.time.assign(sheet.part.begin(),
                     sheet.part.begin() + static_cast<std::ptrdiff_t>(sheet.parts));
  const auto longest =
      std::max_element(result.time.begin(), result.time.end(),
                       [](const TimePart& a, const TimePart& b) { return a.cycles < b.cycles; });
  result.bottleneck = static_cast<std::size_t>(longest - result.time.begin());
  return result;
}

// Which memory overflows, and by how much.
Status too_full(const BoundModel& model, const Sheet& sheet) {
  for (std::size_t m = 0; m < model.counting.memories; ++m) {
    const std::uint64_t usable = model.memory[m].usable_bits;
    const auto needed = static_cast<std::uint64_t>(sheet.occupied_bits[m]);
    if (needed <= usable) continue;
    std::string tiles;
    for (std::size_t t = 0; t < model.counting.tensors; ++t) {
      if (((sheet.nest.stored[m] >> t) & 1u) == 0) continue;
      const std::int64_t words = sheet.tally.memory[m][t].tile_words;
      tiles += (tiles.empty() ? "" : " + ") + model.problem.tensors[t].name + " " +
               plural(words, "word") + " of " + std::to_string(model.counting.tensor[t].bits) +
               " bits";
    }
    const bool halved = model.memory[m].buffering == Buffering::kDouble;
    return Status(StatusCode::kIllegalMapping,
                  "the tiles of " + model.arch.memories[m].name + " need " +
                      std::to_string(needed) + " bits (" + tiles + ") but only " +
                      std::to_string(usable) + " fit" +
                      (halved ? ", half of its size because it is double-buffered" : "") +
                      "; make the tiles smaller by " + std::to_string(needed - usable) + " bits");
  }
  return {};
}

const char* sentence(Refusal reason) {
  switch (reason) {
    case Refusal::kNone:
      break;
    case Refusal::kSlidingOutput:
      return "a fan-out splits a sliding dimension of the output, and which of its instances "
             "receives which partial sum back is not counted; keep that dimension temporal, or "
             "leave out bandwidths, access widths and refill: every there";
    case Refusal::kCopies:
      return "networks that share lie above networks that do not, or ragged or padding-free tiles "
             "meet equal-delta sharing, so that children ask for different numbers of copies; use "
             "reuse: march with multicast: any";
    case Refusal::kTwoForwarders:
      return "two fan-outs between a store and its parent both forward; let one of them forward";
    case Refusal::kUnevenResidences:
      return "under reuse: previous_tile a ragged output is stored twice below a fan-out that "
             "holds parts of it, and which of the inner instances starts a word anew is not "
             "counted; use reuse: march, or loop bounds that divide the output's dimensions";
    case Refusal::kTooManyIndices:
      return "a sliding rank is too large and irregular to list its indices (over 2^24 positions "
             "or 2^26 marks); use larger tiles or fewer lanes in its dimensions";
    case Refusal::kHops:
      return "the hops of a network with an energy per hop are not counted for it "
             "(model/interconnect/interconnect.md lists when); make the network a bus, and let no "
             "two fan-outs between a store and its parent forward, or leave out its energy per hop";
  }
  return "its counts are too irregular";
}

Status refusal_status(const BoundModel& model, const Mapping& mapping, const Workspace& workspace,
                      const Sheet& sheet, StatusCode code) {
  if (code == StatusCode::kIllegalMapping) {
    if (Status status = validate_mapping(mapping, model.problem, model.arch); !status.ok()) {
      return status;
    }
    return too_full(model, sheet);
  }
  if (code == StatusCode::kOverflow) {
    return Status(code,
                  "a count of this mapping does not fit 63 bits, or its cycles 53; make the "
                  "problem smaller");
  }
  return Status(
      code, std::string("this mapping cannot be counted exactly: ") + sentence(refusal(workspace)));
}

}  // namespace

Result<Breakdown> Evaluator::explain(const Mapping& mapping) const {
  const WorkspacePtr workspace = make_workspace(kKnownRanks);
  const auto sheet = std::make_unique<Sheet>();
  const StatusCode code = evaluate_into(*bound_, mapping, *workspace, true, *sheet);
  if (code != StatusCode::kOk) return refusal_status(*bound_, mapping, *workspace, *sheet, code);
  return break_down(*bound_, *sheet);
}

Status Evaluator::check(const Mapping& mapping) const {
  const WorkspacePtr workspace = make_workspace(kKnownRanks);
  const auto sheet = std::make_unique<Sheet>();
  const StatusCode code = evaluate_into(*bound_, mapping, *workspace, false, *sheet);
  return code == StatusCode::kOk ? Status()
                                 : refusal_status(*bound_, mapping, *workspace, *sheet, code);
}

}  // namespace loopscape
