#include "model/evaluate/evaluate.h"

#include "model/evaluate/bound.h"

namespace loopscape {

StatusCode evaluate_into(const BoundModel& model, const Mapping& mapping, Workspace& workspace,
                         bool all_hops, Sheet& sheet) {
  if (build_nest(model.counting, mapping, sheet.nest) != Legality::kLegal) {
    return StatusCode::kIllegalMapping;
  }
  count(model.counting, sheet.nest, workspace, sheet.tally);
  if (sheet.tally.status != StatusCode::kOk) return sheet.tally.status;
  if (StatusCode status = check_capacity(model, sheet); status != StatusCode::kOk) return status;
  if (StatusCode status = count_accesses(model, workspace, sheet); status != StatusCode::kOk) {
    return status;
  }
  if (StatusCode status = price(model, workspace, all_hops, sheet); status != StatusCode::kOk) {
    return status;
  }
  if (StatusCode status = time(model, workspace, sheet); status != StatusCode::kOk) return status;
  // Looking at one instance may have found what counting did not.
  return refusal(workspace) == Refusal::kNone ? StatusCode::kOk : StatusCode::kUnsupported;
}

Cost Evaluator::evaluate(const Mapping& mapping, Scratch& scratch) const noexcept {
  // A scratch that served another model has tables that do not fit this one.
  if (scratch.bound.owner_before(bound_) || bound_.owner_before(scratch.bound)) {
    scratch.workspace = make_workspace();
    scratch.bound = bound_;
  }
  Cost cost;
  cost.status = evaluate_into(*bound_, mapping, *scratch.workspace, false, scratch.sheet);
  if (cost.ok()) {
    cost.energy_pj = scratch.sheet.energy_pj;
    cost.cycles = scratch.sheet.cycles;
  }
  return cost;
}

void Evaluator::evaluate_batch(std::span<const Mapping> mappings, std::span<Cost> costs,
                               Scratch& scratch) const noexcept {
  for (std::size_t i = 0; i < mappings.size(); ++i) costs[i] = evaluate(mappings[i], scratch);
}

}  // namespace loopscape
