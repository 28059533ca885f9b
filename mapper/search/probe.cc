#include "mapper/search/probe.h"

#include <limits>

namespace loopscape {

bool fills_enough(const Mapspace& space, const Point& point, const Breakdown& breakdown) {
  for (const FilledRule& rule : space.placements()[point.placement].filled) {
    const Memory& memory = space.arch().memories[rule.memory];
    if (!memory.size_bits) continue;
    const auto used = static_cast<double>(breakdown.memories[rule.memory].occupied_bits);
    if (used < rule.share * static_cast<double>(usable_bits(memory))) return false;
  }
  return true;
}

Probe::Probe(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
             const SearchLimits& limits)
    : space_(space),
      evaluator_(evaluator),
      limits_(limits),
      scratch_(evaluator.make_scratch()),
      incumbents_(goal) {}

bool Probe::stopped() const {
  return work_ >= limits_.max_work ||
         (limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed));
}

bool Probe::fills(const Point& point, const Mapping& mapping) {
  if (space_.placements()[point.placement].filled.empty()) return true;
  const Result<Breakdown> breakdown = evaluator_.explain(mapping);
  if (breakdown.ok() && fills_enough(space_, point, *breakdown)) return true;
  ++illegal_;
  return false;
}

Cost Probe::price(const Mapping& mapping) {
  ++work_;
  const Cost cost = evaluator_.evaluate(mapping, *scratch_);
  if (cost.status == StatusCode::kIllegalMapping)
    ++illegal_;
  else if (!cost.ok())
    ++unpriced_;
  return cost;
}

void Probe::offer(const Mapping& mapping, const Cost& cost) {
  incumbents_.offer({mapping, cost.energy_pj, cost.cycles});
}

SearchResult Probe::result() const {
  SearchResult result;
  result.best = incumbents_.best();
  result.front = incumbents_.front();
  Certificate& certificate = result.certificate;
  certificate.space = space_.words();
  certificate.states = certificate.work = work_;
  certificate.pruned["illegal"] = illegal_;
  certificate.unpriced = unpriced_;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  certificate.seconds = seconds.count();
  if (result.best) certificate.gap = std::numeric_limits<double>::infinity();
  return result;
}

}  // namespace loopscape
