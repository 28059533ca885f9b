#include "tests/reference/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <sstream>
#include <tuple>
#include <utility>

namespace loopscape::reference {
namespace {

class Differences {
 public:
  void equal(const std::string& what, std::int64_t oracle, std::int64_t model) {
    if (oracle != model) note(what, oracle, model);
  }
  void close(const std::string& what, double oracle, double model) {
    const double scale = std::max(std::abs(oracle), std::abs(model));
    if (!(std::abs(oracle - model) <= 1e-12 * scale)) note(what, oracle, model);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  template <class Number>
  void note(const std::string& what, Number oracle, Number model) {
    std::ostringstream line;
    line.precision(17);
    line << what << ": oracle " << oracle << ", model " << model;
    lines_.push_back(line.str());
  }
  std::vector<std::string> lines_;
};

void compare_traffic(Differences& out, const std::string& where, const Traffic& a,
                     const Traffic& b) {
  out.equal(where + " reads", a.reads, b.reads);
  out.equal(where + " fills", a.fills, b.fills);
  out.equal(where + " updates", a.updates, b.updates);
  out.equal(where + " drains", a.drains, b.drains);
}

void compare_memory(Differences& out, const Setting& setting, std::size_t m, const MemoryReport& a,
                    const MemoryReport& b) {
  const std::string& name = setting.arch.memories[m].name;
  for (std::size_t t = 0; t < setting.problem.tensors.size(); ++t) {
    const std::string where = name + " " + setting.problem.tensors[t].name;
    const TensorAtMemory &x = a.tensors[t], &y = b.tensors[t];
    out.equal(where + " stored", x.stored, y.stored);
    out.equal(where + " tile_words", x.tile_words, y.tile_words);
    compare_traffic(out, where + " words", x.words, y.words);
    compare_traffic(out, where + " accesses", x.accesses, y.accesses);
    out.close(where + " energy_pj", x.energy_pj, y.energy_pj);
  }
  out.equal(name + " instances", a.instances, b.instances);
  out.equal(name + " instances_used", a.instances_used, b.instances_used);
  out.equal(name + " occupied_bits", a.occupied_bits, b.occupied_bits);
  out.close(name + " energy_pj", a.energy_pj, b.energy_pj);
  out.close(name + " read_cycles", a.read_cycles, b.read_cycles);
  out.close(name + " write_cycles", a.write_cycles, b.write_cycles);
  out.close(name + " shared_cycles", a.shared_cycles, b.shared_cycles);
}

void compare_fanout(Differences& out, const Setting& setting, std::size_t f, const FanoutReport& a,
                    const FanoutReport& b) {
  const std::string& name = setting.arch.fanouts[f].name;
  for (std::size_t t = 0; t < setting.problem.tensors.size(); ++t) {
    const std::string where = name + " " + setting.problem.tensors[t].name;
    const TensorAtNetwork &x = a.tensors[t], &y = b.tensors[t];
    out.equal(where + " words_in", x.words_in, y.words_in);
    out.equal(where + " words_delivered", x.words_delivered, y.words_delivered);
    out.equal(where + " words_collected", x.words_collected, y.words_collected);
    out.equal(where + " words_out", x.words_out, y.words_out);
    out.equal(where + " forwarded", x.forwarded, y.forwarded);
    out.equal(where + " reductions", x.reductions, y.reductions);
  }
  out.equal(name + " children_used", a.children_used, b.children_used);
  out.close(name + " cycles", a.cycles, b.cycles);
}

// Parts of time by what they are of; parts of zero cycles need not be listed.
using Parts = std::map<std::tuple<TimePart::Kind, NodeKind, std::uint8_t>, double>;
Parts parts_of(const Breakdown& breakdown) {
  Parts parts;
  for (const TimePart& part : breakdown.time) {
    if (part.cycles == 0) continue;
    double& cycles = parts[{part.kind, part.node, part.id}];
    cycles = part.overlapped() ? std::max(cycles, part.cycles) : cycles + part.cycles;
  }
  return parts;
}

void compare_time(Differences& out, const Breakdown& a, const Breakdown& b) {
  const Parts x = parts_of(a), y = parts_of(b);
  Parts all = x;
  all.insert(y.begin(), y.end());
  for (const auto& [key, unused] : all) {
    const auto& [kind, node, id] = key;
    const auto value = [&key = key](const Parts& parts) {
      const auto it = parts.find(key);
      return it == parts.end() ? 0.0 : it->second;
    };
    std::ostringstream where;
    where << "time kind " << static_cast<int>(kind) << " node " << static_cast<int>(node) << " id "
          << static_cast<int>(id);
    out.close(where.str(), value(x), value(y));
  }
}

// Two sums of the same fractions that differ in the last place only, on both sides of a whole
// number: then they may be rounded up to different cycles.
bool on_the_edge(double a, double b) {
  const double whole = std::round(a);
  return a != b && std::abs(a - whole) < 1e-9 * a && std::abs(b - whole) < 1e-9 * a;
}

bool rounding_may_differ(const Simulation& oracle, const Breakdown& model) {
  double overlapped = 0, exposed = 0;
  for (const TimePart& part : model.time) {
    if (part.overlapped()) {
      overlapped = std::max(overlapped, part.cycles);
    } else {
      exposed += part.cycles;
    }
  }
  return on_the_edge(oracle.overlapped_cycles, overlapped) ||
         on_the_edge(oracle.exposed_cycles, exposed);
}

}  // namespace

std::vector<std::string> differences(const Setting& setting, const Simulation& oracle,
                                     const Breakdown& model) {
  Differences out;
  const Breakdown& right = oracle.breakdown;
  for (std::size_t m = 0; m < setting.arch.memories.size(); ++m) {
    compare_memory(out, setting, m, right.memories[m], model.memories.at(m));
  }
  for (std::size_t f = 0; f < setting.arch.fanouts.size(); ++f) {
    compare_fanout(out, setting, f, right.fanouts[f], model.fanouts.at(f));
  }
  out.equal("compute instances", right.compute.instances, model.compute.instances);
  out.equal("compute instances_used", right.compute.instances_used, model.compute.instances_used);
  out.equal("compute steps", right.compute.steps, model.compute.steps);
  out.close("compute cycles", right.compute.cycles, model.compute.cycles);
  out.close("compute energy_pj", right.compute.energy_pj, model.compute.energy_pj);
  compare_time(out, right, model);
  if (std::abs(right.cycles - model.cycles) > 1 || !rounding_may_differ(oracle, model)) {
    out.equal("cycles", right.cycles, model.cycles);
  }
  if (right.cycles == model.cycles) {  // leakage follows time
    for (std::size_t m = 0; m < setting.arch.memories.size(); ++m) {
      out.close(setting.arch.memories[m].name + " leakage_pj", right.memories[m].leakage_pj,
                model.memories[m].leakage_pj);
    }
    out.close("compute leakage_pj", right.compute.leakage_pj, model.compute.leakage_pj);
    out.close("utilization", right.utilization, model.utilization);
    out.close("energy_pj", right.energy_pj, model.energy_pj);
  }
  out.equal("operations", right.operations, model.operations);
  out.close("area_um2", right.area_um2, model.area_um2);
  return out.take();
}

Tally& Tally::operator+=(const Tally& other) {
  mappings += other.mappings;
  comparisons += other.comparisons;
  illegal += other.illegal;
  for (std::size_t i = 0; i < refused.size(); ++i) refused[i] += other.refused[i];
  mismatches += other.mismatches;
  stale += other.stale;
  return *this;
}

std::string to_string(const Tally& tally) {
  std::ostringstream out;
  out << tally.mappings << " mappings, " << tally.comparisons
      << " (mapping, memory, tensor) comparisons, " << tally.mismatches << " mismatches, "
      << tally.illegal << " refused by both, "
      << std::accumulate(tally.refused.begin(), tally.refused.end(), std::int64_t{0})
      << " by the model alone";
  for (std::size_t i = 0; i < tally.refused.size(); ++i) {
    if (tally.refused[i] > 0) out << ", " << name_of(kRefusals[i]) << " " << tally.refused[i];
  }
  if (tally.stale > 0) out << ", " << tally.stale << " with stale partial sums";
  return out.str();
}

std::vector<std::string> misjudged(Refusal reason, const Setting& setting, const Mapping& mapping) {
  if (reason != Refusal::kNone) {
    if (holds(reason, setting, mapping)) return {};
    return {std::string("refused (") + name_of(reason) + ") though B9 does not say so"};
  }
  std::vector<std::string> lines;
  for (const Refusal stated : kRefusals) {
    // Of these two holds() tells that there may be something to refuse, not that there is.
    if (stated == Refusal::kTooManyIndices || stated == Refusal::kTwoForwarders) continue;
    if (!holds(stated, setting, mapping)) continue;
    lines.push_back(std::string("counted though B9 refuses it: ") + name_of(stated));
  }
  return lines;
}

Comparator::Comparator(const Setting& setting, Defect defect)
    : setting_(setting),
      defect_(defect),
      evaluator_(
          Evaluator::create(setting.problem, setting.arch, setting.conventions, setting.costs)) {
  if (evaluator_.ok()) scratch_ = evaluator_->make_scratch();
}

std::vector<std::string> Comparator::compare(const Mapping& mapping) {
  std::vector<std::string> lines = judge(mapping);
  tally_.mismatches += !lines.empty();
  return lines;
}

std::vector<std::string> Comparator::judge(const Mapping& mapping) {
  if (!accepted()) return {"the model refuses the setting: " + refusal()};
  const Result<Breakdown> model = evaluator_->explain(mapping);
  const Cost cost = evaluator_->evaluate(mapping, *scratch_);
  if (cost.status != model.status().code()) return {"evaluate() and explain() differ in status"};
  if (!model.ok() && model.status().code() == StatusCode::kUnsupported) {
    const Refusal reason = loopscape::refusal(*scratch_->workspace);
    const auto* const known = std::find(kRefusals.begin(), kRefusals.end(), reason);
    if (known == kRefusals.end()) return {"refused for no reason: " + model.status().message()};
    ++tally_.refused[static_cast<std::size_t>(known - kRefusals.begin())];
    return misjudged(reason, setting_, mapping);
  }
  const Result<Simulation> oracle = simulate_in_detail(
      setting_.problem, setting_.arch, setting_.conventions, setting_.costs, mapping, defect_);
  if (!oracle.ok() || !model.ok()) {
    if (oracle.status().code() == model.status().code()) {
      ++tally_.illegal;
      return {};
    }
    return {"oracle: " + (oracle.ok() ? "fine" : oracle.status().to_string()) +
            ", model: " + (model.ok() ? "fine" : model.status().to_string())};
  }
  ++tally_.mappings;
  tally_.stale += !oracle->reads_are_visits_less_zeros;
  for (const MemoryReport& memory : oracle->breakdown.memories) {
    for (const TensorAtMemory& tensor : memory.tensors) tally_.comparisons += tensor.stored;
  }
  std::vector<std::string> lines = differences(setting_, *oracle, *model);
  for (std::string& line : misjudged(Refusal::kNone, setting_, mapping)) {
    lines.push_back(std::move(line));
  }
  if (cost.energy_pj != model->energy_pj || cost.cycles != model->cycles) {
    lines.push_back("evaluate() and explain() differ");
  }
  return lines;
}

}  // namespace loopscape::reference
