// Words of boundaries become energy and cycles, linearly (counting.md A7 to A9).
//
// Outputs: with Z the zero starts, reads(parent) = demand - Z(parent), fills(child) = group -
// Z(parent) and Z(child) = Z(parent) + arrivals - group. So a boundary that holds parts (arrivals >
// group) takes reads and fills off every boundary further in, and what remains, the zero starts of
// the outermost store, is the same for all mappings.
#include <algorithm>

#include "model/bounds/bounds.h"
#include "model/counting/counting.h"

namespace loopscape {
namespace {

double smallest_stated(std::initializer_list<double> rates) {
  double smallest = 0;
  for (const double rate : rates) {
    if (rate > 0 && (smallest == 0 || rate < smallest)) smallest = rate;
  }
  return smallest;
}

}  // namespace

void Terms::add(const Terms& other) {
  energy += other.energy;
  energy_most += other.energy_most;
  exposed += other.exposed;
  exposed_most += other.exposed_most;
  for (std::size_t i = 0; i < busy.size(); ++i) {
    busy[i] += other.busy[i];
    busy_most[i] += other.busy_most[i];
  }
}

BoundaryPrices::BoundaryPrices(const Evaluator& evaluator, const BoundaryCounter& counter,
                               const Skeleton& skeleton)
    : evaluator_(evaluator), skeleton_(skeleton), counter_(&counter) {
  const Arch& arch = evaluator.arch();
  const Problem& problem = evaluator.problem();
  for (const MappingNode& loop : skeleton.spatial) {
    fanout_of_.push_back(index(arch.fanout_of(loop.axis_id())));
  }
  std::size_t fanouts = 0;
  for (const ArchNode& node : arch.nodes) {
    if (node.kind == NodeKind::kFanout) ++fanouts;
    if (node.kind == NodeKind::kMemory) fanouts_above_[node.id] = fanouts;
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    const Tensor& tensor = problem.tensors[t];
    words_[t] = static_cast<double>(counter.all_words(t));
    bits_[t] = bits_of(tensor, arch);
    final_bits_[t] = final_bits_of(tensor, arch);
    relevant_[t] = counter.relevant(t);
    sliding_[t] = tensor.is_output ? counter.named_sliding(t) : counter.sliding(t);
    clipped_[t] = counter.clipped(t);
  }
  set_resources();
  const Conventions& its = evaluator.conventions();
  const bool forwards =
      std::any_of(arch.fanouts.begin(), arch.fanouts.end(), [](const Fanout& fanout) {
        return std::any_of(fanout.networks.begin(), fanout.networks.end(),
                           [](const Network& network) { return !network.forward.empty(); });
      });
  bool slides = false;
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    slides = slides || sliding_[t] != 0 || clipped_[t];
  }
  if (its.reuse == Conventions::Reuse::kPreviousTile && !skeleton.spatial.empty() &&
      (its.sharing == Conventions::Sharing::kEqualDelta || (forwards && slides))) {
    tells_all_ = false;
  }
  fixed_.busy = PerResource(resources_.size());
  fixed_.busy_most = PerResource(resources_.size());
  set_rounding();
  set_fixed();
  set_leakage();
}

// ---- the skeleton ----

bool BoundaryPrices::to_compute(std::size_t t, std::size_t k) const {
  return k == skeleton_.chain[t].size();
}
std::size_t BoundaryPrices::parent(std::size_t t, std::size_t k) const {
  return skeleton_.chain[t][k - 1];
}
std::size_t BoundaryPrices::child(std::size_t t, std::size_t k) const {
  return skeleton_.chain[t][k];
}
std::size_t BoundaryPrices::fanouts_above_child(std::size_t t, std::size_t k) const {
  return to_compute(t, k) ? evaluator_.arch().fanouts.size() : fanouts_above_[child(t, k)];
}

double BoundaryPrices::lanes(std::size_t first, std::size_t last, DimMask dims) const {
  double product = 1;
  for (std::size_t i = 0; i < skeleton_.spatial.size(); ++i) {
    const MappingNode& loop = skeleton_.spatial[i];
    const std::size_t f = fanout_of_[i];
    if (f >= first && f < last && (dims >> loop.id & 1u) != 0) product *= loop.bound;
  }
  return product;
}
double BoundaryPrices::lanes_above(std::size_t memory) const {
  return lanes(0, fanouts_above_[memory], kAllDims);
}

// Do all instances of the memory move the same words of the tensor?
bool BoundaryPrices::uniform(std::size_t t, std::size_t memory) const {
  if (skeleton_.ragged || clipped_[t]) return lanes_above(memory) == 1;
  if (!evaluator_.problem().tensors[t].is_output) return true;
  const auto split = static_cast<DimMask>(~relevant_[t] | sliding_[t]);
  return lanes(0, fanouts_above_[memory], split) == 1;
}

// No fan-out above holds parts of the output's words (A8).
bool BoundaryPrices::complete(std::size_t t, std::size_t fanouts_above) const {
  return lanes(0, fanouts_above, static_cast<DimMask>(~relevant_[t] | sliding_[t])) == 1;
}

BoundaryPrices::Rates BoundaryPrices::rates(std::size_t t, std::size_t k) const {
  const Memory& own = evaluator_.arch().memories[child(t, k)];
  const Memory& above = evaluator_.arch().memories[parent(t, k)];
  const auto of = [](const std::optional<double>& rate) { return rate.value_or(0); };
  return {smallest_stated({of(own.write_bits), of(own.bandwidth_bits), of(above.read_bits),
                           of(above.bandwidth_bits)}),
          smallest_stated({of(own.read_bits), of(own.bandwidth_bits), of(above.write_bits),
                           of(above.bandwidth_bits)})};
}

void BoundaryPrices::set_resources() {
  const Arch& arch = evaluator_.arch();
  resource_of_.assign(4 * arch.memories.size() + arch.fanouts.size() * (kMaxTensors + 1), -1);
  const auto limited = [&](std::size_t at, Resource::Kind kind, std::size_t id, std::size_t network,
                           const std::optional<double>& rate) {
    if (!rate || *rate <= 0) return;
    if (resources_.size() == PerResource::kMost) {
      tells_all_ = false;
      return;
    }
    resource_of_[at] = static_cast<int>(resources_.size());
    resources_.push_back(
        {kind, static_cast<std::uint8_t>(id), static_cast<std::uint8_t>(network), *rate});
  };
  for (std::size_t m = 0; m < arch.memories.size(); ++m) {
    limited(4 * m, Resource::Kind::kRead, m, 0, arch.memories[m].read_bits);
    limited(4 * m + 1, Resource::Kind::kWrite, m, 0, arch.memories[m].write_bits);
    limited(4 * m + 2, Resource::Kind::kShared, m, 0, arch.memories[m].bandwidth_bits);
  }
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    for (std::size_t n = 0; n < arch.fanouts[f].networks.size(); ++n) {
      limited(4 * arch.memories.size() + f * (kMaxTensors + 1) + n, Resource::Kind::kNetwork, f, n,
              arch.fanouts[f].networks[n].bandwidth_bits);
    }
  }
}

// ---- one action ----

void BoundaryPrices::add_busy(std::size_t memory, Resource::Kind kind, bool is_uniform, Range bits,
                              Terms& sum) const {
  const int r = resource_of_[4 * memory + static_cast<std::size_t>(kind)];
  if (r < 0) return;
  const auto i = static_cast<std::size_t>(r);
  const double instances = lanes_above(memory);
  sum.busy[i] += bits.least / instances / resources_[i].bits_per_cycle;
  sum.busy_most[i] += bits.most / (is_uniform ? instances : 1) / resources_[i].bits_per_cycle;
}

void BoundaryPrices::add(std::size_t t, std::size_t k, Action action, Range words, double bits,
                         Terms& sum) const {
  const bool at_child = action == Action::kFill || action == Action::kDrain;
  if (at_child && to_compute(t, k)) return;
  const std::size_t m = at_child ? child(t, k) : parent(t, k);
  const MemoryCosts& costs = evaluator_.costs().memories[m];
  const Memory& memory = evaluator_.arch().memories[m];
  const bool counts = action != Action::kDrain || evaluator_.conventions().drain_reads;
  const double pj = action == Action::kFill     ? costs.write_pj
                    : action == Action::kUpdate ? costs.update_pj
                                                : costs.read_pj;
  const double width = memory.width_bits != 0 ? memory.width_bits : bits_[t];
  if (counts) {
    sum.energy += words.least * bits / width * pj;
    sum.energy_most += words.most * bits / width * pj;
  }
  const Range moved{words.least * bits, words.most * bits};
  const bool exposes =
      !to_compute(t, k) && evaluator_.arch().memories[child(t, k)].buffering == Buffering::kSingle;
  if (!exposes) {
    if (!counts) return;
    const bool is_uniform = uniform(t, m);
    const bool reads = action == Action::kRead || action == Action::kDrain;
    add_busy(m, reads ? Resource::Kind::kRead : Resource::Kind::kWrite, is_uniform, moved, sum);
    add_busy(m, Resource::Kind::kShared, is_uniform, moved, sum);
    return;
  }
  if (!at_child) return;
  const Rates rate = rates(t, k);
  const double bits_per_cycle = action == Action::kFill ? rate.in : rate.out;
  if (bits_per_cycle == 0) return;
  const double instances = lanes_above(m);
  sum.exposed += moved.least / instances / bits_per_cycle;
  sum.exposed_most += moved.most / (uniform(t, m) ? instances : 1) / bits_per_cycle;
}

// ---- boundaries ----

void BoundaryPrices::add_output(std::size_t t, std::size_t k, const BoundaryWords& least,
                                const BoundaryWords& most, Terms& sum) const {
  const bool every = evaluator_.conventions().refill == Conventions::Refill::kEveryChild;
  const Range demand{least.demand, most.demand};
  const Range arrivals{least.arrivals, most.arrivals};
  const Range group{least.group, most.group};
  add(t, k, Action::kUpdate, demand, bits_[t], sum);
  add(t, k, Action::kRead, demand, bits_[t], sum);
  add(t, k, Action::kDrain, arrivals, bits_[t], sum);
  add(t, k, Action::kFill, every ? arrivals : group, bits_[t], sum);
  if (every) return;
  const Range parts{std::min(0.0, group.least - arrivals.most),
                    std::min(0.0, group.most - arrivals.least)};
  if (parts.least == 0) return;
  for (std::size_t inner = k + 1; inner <= skeleton_.chain[t].size(); ++inner) {
    add(t, inner, Action::kRead, parts, bits_[t], sum);
    add(t, inner, Action::kFill, parts, bits_[t], sum);
  }
}

void BoundaryPrices::price(std::size_t t, std::size_t k, const BoundaryFlow& flow,
                           Terms& sum) const {
  const bool output = evaluator_.problem().tensors[t].is_output;
  if (output) {
    add_output(t, k, flow.least, flow.most, sum);
  } else {
    add(t, k, Action::kRead, {flow.least.demand, flow.most.demand}, bits_[t], sum);
    add(t, k, Action::kFill, {flow.least.arrivals, flow.most.arrivals}, bits_[t], sum);
  }
  const bool comes_back = all_come_back(t, k);
  for (const BoundaryFlow::Network& network : flow.networks) {
    const bool exact = network.exact && comes_back;
    sum.energy += exact ? network.most_pj : network.least_pj;
    sum.energy_most += network.most_pj;
    const int carrier = counter_->network(network.fanout, t);
    const int r = network_resource(network.fanout, static_cast<std::size_t>(carrier));
    if (r < 0) continue;
    const auto i = static_cast<std::size_t>(r);
    const double rate = resources_[i].bits_per_cycle;
    const double instances = lanes(0, network.fanout, kAllDims);
    sum.busy[i] += (exact ? network.most_bits : network.least_bits) / instances / rate;
    sum.busy_most[i] += network.most_bits / (skeleton_.ragged ? 1 : instances) / rate;
  }
}

double BoundaryPrices::links_pj(std::size_t t, std::size_t k, const BoundaryFlow& flow) const {
  const bool comes_back = all_come_back(t, k);
  double pj = 0;
  for (const BoundaryFlow::Network& network : flow.networks) {
    pj += network.exact && comes_back ? network.most_pj : network.least_pj;
  }
  return pj;
}

// Does every refill that the flow counts come back? Instances of the parent that hold parts start
// more words from zero.
bool BoundaryPrices::all_come_back(std::size_t t, std::size_t k) const {
  const auto parts = static_cast<DimMask>(~relevant_[t] | sliding_[t]);
  return !evaluator_.problem().tensors[t].is_output ||
         lanes(0, fanouts_above_[parent(t, k)], parts) == 1;
}

bool BoundaryPrices::reduces(std::size_t t, std::size_t k) const {
  for (std::size_t f = fanouts_above_[parent(t, k)]; f < fanouts_above_child(t, k); ++f) {
    const bool parts = lanes(f, f + 1, static_cast<DimMask>(~relevant_[t])) > 1;
    if (parts && !counter_->reduces(f, f + 1)) return false;
  }
  return true;
}

// Whatever the parent is asked for enters every fan-out on its way, and what comes up leaves it.
// Neighbours may pass words on, and under previous_tile some are still there.
void BoundaryPrices::add_networks(std::size_t t, std::size_t k, Terms& sum) const {
  if (evaluator_.conventions().reuse != Conventions::Reuse::kMarch) return;
  for (std::size_t f = fanouts_above_[parent(t, k)]; f < fanouts_above_child(t, k); ++f) {
    const int carrier = counter_->network(f, t);
    if (carrier < 0 || lanes(f, f + 1, kAllDims) == 1) continue;
    const Network& its = evaluator_.arch().fanouts[f].networks[static_cast<std::size_t>(carrier)];
    const int r = network_resource(f, static_cast<std::size_t>(carrier));
    if (r < 0 || !its.forward.empty()) continue;
    const auto i = static_cast<std::size_t>(r);
    sum.busy[i] += bits_[t] / lanes(0, f, kAllDims) / resources_[i].bits_per_cycle;
  }
}

int BoundaryPrices::network_resource(std::size_t fanout, std::size_t network) const {
  return resource_of_[4 * evaluator_.arch().memories.size() + fanout * (kMaxTensors + 1) + network];
}

// The least of what flows cost for each word asked for, component by component.
Terms BoundaryPrices::least_of_word(std::size_t t, std::size_t k) const {
  Terms least;
  least.busy = PerResource(resources_.size());
  least.busy_most = PerResource(resources_.size());
  BoundaryFlow flow;
  if (!evaluator_.problem().tensors[t].is_output) {
    flow.least = flow.most = {1, 1, 1};
    price(t, k, flow, least);
    add_networks(t, k, least);
    return least;
  }
  // Between one and `parts` children of a group hold each word; linear in how many.
  const auto shared = static_cast<DimMask>(~relevant_[t] | sliding_[t]);
  const double parts = lanes(fanouts_above_[parent(t, k)], fanouts_above_child(t, k), shared);
  bool first = true;
  for (const double group : {1.0, 1 / parts}) {
    for (const double arrivals : {1.0, group * parts}) {
      if (parts == 1 && !first) continue;
      flow.least = flow.most = {1, arrivals, group};
      Terms one;
      one.busy = PerResource(resources_.size());
      one.busy_most = PerResource(resources_.size());
      price(t, k, flow, one);
      if (first) least = one;
      first = false;
      least.energy = std::min(least.energy, one.energy);
      least.exposed = std::min(least.exposed, one.exposed);
      for (std::size_t i = 0; i < least.busy.size(); ++i) {
        least.busy[i] = std::min(least.busy[i], one.busy[i]);
      }
    }
  }
  add_networks(t, k, least);
  return least;
}

// Corners move in proportion to the demand, and so does the least of them.
BoundaryPrices::Floor BoundaryPrices::floor(std::size_t t, std::size_t k) const {
  const Terms word = least_of_word(t, k);
  Floor floor;
  floor.slope_energy = word.energy;
  floor.slope_exposed = word.exposed;
  floor.base_busy = PerResource(resources_.size());
  floor.slope_busy = word.busy;
  return floor;
}

double BoundaryPrices::word_pj(std::size_t t, std::size_t k, Action action) const {
  Terms one;
  one.busy = one.busy_most = PerResource(resources_.size());
  const double bits = action == Action::kUpdate ? std::min(bits_[t], final_bits_[t]) : bits_[t];
  add(t, k, action, {1, 1}, bits, one);
  return one.energy;
}

double BoundaryPrices::access_pj(std::size_t t, std::size_t k) const {
  const bool output = evaluator_.problem().tensors[t].is_output;
  return word_pj(t, k, output ? Action::kUpdate : Action::kRead);
}

Terms BoundaryPrices::words_once() const {
  Terms once;
  once.busy = once.busy_most = PerResource(resources_.size());
  for (std::size_t t = 0; t < evaluator_.problem().tensors.size(); ++t) {
    const bool output = evaluator_.problem().tensors[t].is_output;
    for (std::size_t k = 1; k < skeleton_.chain[t].size(); ++k) {
      if (k > 1) once.energy += words_[t] * access_pj(t, k);
      if (!output) once.energy += words_[t] * word_pj(t, k, Action::kFill);
    }
    if (skeleton_.chain[t].empty() || fanouts_above_[skeleton_.chain[t].front()] > 0) continue;
    add(t, 1, output ? Action::kUpdate : Action::kRead, {words_[t], words_[t]},
        output ? std::min(bits_[t], final_bits_[t]) : bits_[t], once);
  }
  return once;
}

void BoundaryPrices::price_tile(std::size_t t, std::size_t k, std::int64_t words,
                                Terms& sum) const {
  const Memory& memory = evaluator_.arch().memories[child(t, k)];
  if (memory.buffering != Buffering::kDouble && memory.buffering != Buffering::kBuffet) return;
  const bool output = evaluator_.problem().tensors[t].is_output;
  double moved = static_cast<double>(words) * (output ? final_bits_[t] : bits_[t]);
  const double width = memory.width_bits != 0 ? memory.width_bits : bits_[t];
  if (memory.buffering == Buffering::kBuffet) moved = std::min(moved, width);
  const Rates rate = rates(t, k);
  const double bits_per_cycle = output ? rate.out : rate.in;
  if (bits_per_cycle == 0) return;
  sum.exposed += moved / bits_per_cycle;
  sum.exposed_most += moved / bits_per_cycle;
}

// ---- what every mapping pays ----

void BoundaryPrices::set_fixed_output(std::size_t t) {
  const bool every = evaluator_.conventions().refill == Conventions::Refill::kEveryChild;
  const auto irrelevant = static_cast<DimMask>(~relevant_[t]);
  const auto zero_starts = [&](std::size_t fanouts) {
    const double most = words_[t] * (every ? lanes(0, fanouts, irrelevant) : 1);
    return Range{-most, every && skeleton_.ragged ? -words_[t] : -most};
  };
  for (std::size_t k = 1; k <= skeleton_.chain[t].size(); ++k) {
    add(t, k, Action::kRead, zero_starts(fanouts_above_[parent(t, k)]), bits_[t], fixed_);
    add(t, k, Action::kFill,
        zero_starts(every ? fanouts_above_child(t, k) : fanouts_above_[parent(t, k)]), bits_[t],
        fixed_);
    set_final_words(t, k);
  }
}

// The last visits of a word move its final bits where the value is complete.
void BoundaryPrices::set_final_words(std::size_t t, std::size_t k) {
  if (final_bits_[t] == bits_[t] || to_compute(t, k)) return;
  const Range less{-words_[t], -words_[t]};
  const Range more{words_[t], words_[t]};
  const std::size_t above = fanouts_above_[parent(t, k)];
  const std::size_t below = fanouts_above_child(t, k);
  if (complete(t, above) && reduces(t, k)) {
    add(t, k, Action::kUpdate, less, bits_[t], fixed_);
    add(t, k, Action::kUpdate, more, final_bits_[t], fixed_);
  }
  if (complete(t, below)) {
    add(t, k, Action::kDrain, less, bits_[t], fixed_);
    add(t, k, Action::kDrain, more, final_bits_[t], fixed_);
  }
}

void BoundaryPrices::set_fixed() {
  fixed_.energy = fixed_.energy_most = static_cast<double>(evaluator_.problem().operations()) *
                                       evaluator_.costs().compute.operation_pj;
  for (std::size_t t = 0; t < evaluator_.problem().tensors.size(); ++t) {
    if (evaluator_.problem().tensors[t].is_output) set_fixed_output(t);
  }
  const Arch& arch = evaluator_.arch();
  double latency = arch.compute.latency_cycles;
  std::array<bool, kMaxMemories> stores{};
  for (const auto& chain : skeleton_.chain) {
    for (const std::uint8_t m : chain) stores[m] = true;
  }
  for (std::size_t m = 0; m < arch.memories.size(); ++m) {
    if (stores[m]) latency += arch.memories[m].latency_cycles;
  }
  for (std::size_t f = 0; f < arch.fanouts.size(); ++f) {
    if (lanes(f, f + 1, kAllDims) == 1) continue;
    for (const Network& network : arch.fanouts[f].networks) latency += network.latency_cycles;
  }
  fixed_.exposed += latency;
  fixed_.exposed_most += latency;
}

void BoundaryPrices::set_rounding() {
  for (std::size_t t = 0; t < evaluator_.problem().tensors.size(); ++t) {
    const bool output = evaluator_.problem().tensors[t].is_output;
    for (const std::uint8_t m : skeleton_.chain[t]) {
      const MemoryCosts& costs = evaluator_.costs().memories[m];
      const double width = evaluator_.arch().memories[m].width_bits;
      const auto whole = [&](double bits) {
        return width == 0 ||
               bits / width == static_cast<double>(static_cast<std::int64_t>(bits / width));
      };
      const double final_width = width == 0 ? bits_[t] : width;
      const bool whole_final =
          final_bits_[t] / final_width ==
          static_cast<double>(static_cast<std::int64_t>(final_bits_[t] / final_width));
      if (whole(bits_[t]) && whole_final) continue;
      rounding_pj_ += lanes_above(m) * (costs.read_pj + costs.write_pj +
                                        (output ? costs.update_pj + costs.read_pj : 0));
    }
  }
}

void BoundaryPrices::set_leakage() {
  const Arch& arch = evaluator_.arch();
  if (!arch.clock_mhz) return;
  const double pj = 1000.0 / *arch.clock_mhz;
  DimMask once = 0;
  bool twice = false;  // a dimension split twice: not every combination of lanes need be busy
  for (const MappingNode& loop : skeleton_.spatial) {
    twice |= (once >> loop.id & 1u) != 0;
    once = static_cast<DimMask>(once | bit(loop.dim()));
  }
  const auto add_node = [&](double milliwatts, std::size_t fanouts, bool gated) {
    double all = 1;
    for (std::size_t f = 0; f < fanouts; ++f)
      all *= static_cast<double>(arch.fanouts[f].children());
    const double used = lanes(0, fanouts, kAllDims);
    leakage_most_ += milliwatts * pj * (gated ? used : all);
    leakage_least_ += milliwatts * pj * (!gated ? all : skeleton_.ragged && twice ? 1 : used);
  };
  for (std::size_t m = 0; m < arch.memories.size(); ++m) {
    add_node(evaluator_.costs().memories[m].leakage_mw, fanouts_above_[m],
             arch.memories[m].power_gated);
  }
  add_node(evaluator_.costs().compute.leakage_mw, arch.fanouts.size(), arch.compute.power_gated);
}

}  // namespace loopscape
