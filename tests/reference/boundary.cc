#include "tests/reference/boundary.h"

#include <algorithm>
#include <iterator>

namespace loopscape::reference {
namespace {

Words minus(const Words& a, const Words& b) {
  Words difference;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(difference));
  return difference;
}

bool relevant(const Tensor& tensor, DimId dim) { return (tensor.relevant & bit(dim)) != 0; }
bool sliding(const Tensor& tensor, DimId dim) { return (tensor.sliding & bit(dim)) != 0; }

bool share_a_rank(const Tensor& tensor, std::size_t a, DimId b) {
  return std::any_of(tensor.ranks.begin(), tensor.ranks.end(), [&](const Rank& rank) {
    const auto has = [&](std::size_t d) {
      return std::any_of(rank.terms.begin(), rank.terms.end(),
                         [&](const Term& term) { return index(term.dim) == d; });
    };
    return has(a) && has(index(b));
  });
}

// A8: a word has its complete value where only one instance ever works on it.
bool complete(const Nest& nest, const Tensor& tensor, const Place& place) {
  return std::none_of(place.lanes.begin(), place.lanes.end(), [&](std::size_t i) {
    const DimId dim = nest.loops[i].dim;
    return !relevant(tensor, dim) || sliding(tensor, dim);
  });
}

}  // namespace

Boundary::Boundary(const TensorContext& context, const Place& parent_place, StoreState& parent,
                   const Place& child_place, StoreState* child, std::vector<TensorAtNetwork>& links)
    : context_(context),
      parent_place_(parent_place),
      child_place_(child_place),
      parent_(parent),
      child_(child),
      links_(links),
      output_(context.description().is_output),
      lanes_(child_place.instances() / parent_place.instances()),
      passes_(passes_between(context.nest, parent_place, child_place)),
      receiving_(child_place.instances()),
      arrivals_(child_place.instances()),
      asked_(child_place.instances()),
      next_(child_place.instances()),
      previous_(child_place.instances()),
      in_march_(child_place.instances()),
      refilled_(child_place.instances()),
      runs_(child_place.instances(), 0) {
  for (const Rank& rank : context.description().ranks) {
    padded_ |= rank.valid_begin.has_value() || rank.valid_end.has_value();
  }
  compute_runs_ = name_moves(true);
  moves_ = name_moves(child != nullptr);
  for (std::size_t i = context.nest.loops.size(); i-- > 0;) {
    if (moves_[i] == Move::kMarch) marching_dim_ = index(context.nest.loops[i].dim);
  }
  name_sharing();
  if (!output_ && marching_dim_ < kMaxDims) find_neighbours();
}

// A4: what an advance of each loop means for the child.
std::vector<Boundary::Move> Boundary::name_moves(bool with_run) const {
  const Tensor& tensor = context_.description();
  const Defect defect = context_.defect;
  std::vector<Move> moves(context_.nest.loops.size(), Move::kInside);
  Move phase = Move::kRun;
  std::size_t marching = kMaxDims;
  for (std::size_t i = moves.size(); i-- > 0;) {
    const Loop& loop = context_.nest.loops[i];
    if (loop.at >= child_place_.at) continue;
    const bool over_march = phase == Move::kMarch && index(loop.dim) == marching;
    if (loop.spatial) {
      if (over_march && defect != Defect::kMarchPastSpatial) phase = Move::kRepeat;
      continue;
    }
    if (phase == Move::kRun && (relevant(tensor, loop.dim) || !with_run)) {
      const bool marches = sliding(tensor, loop.dim) && defect != Defect::kNoMarch;
      if (marches) marching = index(loop.dim);
      if (marches || defect != Defect::kRunPastRelevant) {
        phase = marches ? Move::kMarch : Move::kRepeat;
      }
      moves[i] = marches ? Move::kMarch : Move::kRepeat;
      continue;
    }
    if (phase == Move::kMarch && !over_march) {
      const bool passes = defect == Defect::kMarchPastIrrelevant && !relevant(tensor, loop.dim);
      if (!passes) phase = Move::kRepeat;
    }
    moves[i] = phase == Move::kRun && defect == Defect::kNoRun ? Move::kRepeat : phase;
    if (phase == Move::kMarch && defect == Defect::kMarchNotSplit) moves[i] = phase = Move::kRepeat;
  }
  return moves;
}

void Boundary::name_sharing() {
  const Tensor& tensor = context_.description();
  const Defect defect = context_.defect;
  const bool equal = context_.conventions.sharing == Conventions::Sharing::kEqualDelta;
  for (std::size_t i = 0; i < passes_.size(); ++i) {
    Pass& pass = passes_[i];
    const Network* network = network_of(context_.nest, pass.fanout, context_.tensor);
    bool shares =
        network != nullptr && names_tensor(output_ ? network->reduce : network->multicast, tensor);
    if (defect == Defect::kNothingShared) shares = false;
    if (defect == Defect::kAllShared) shares = true;
    if (defect == Defect::kOuterSharesAlone && i + 1 < passes_.size()) shares = false;
    if (defect == Defect::kInnerSharesAlone && i > 0) shares = false;
    pass.sharing = !shares ? Sharing::kNone : equal ? Sharing::kEqualDelta : Sharing::kAnyWord;
    pass.forwards = network != nullptr && !output_ && names_tensor(network->forward, tensor) &&
                    defect != Defect::kNoForwarding &&
                    !(defect == Defect::kNoForwardAtCompute && child_ == nullptr);
  }
}

// A6: the children next to each child along the chain loops of the forwarding fan-outs.
void Boundary::find_neighbours() {
  neighbours_.resize(child_place_.instances());
  const std::vector<std::size_t>& lanes = child_place_.lanes;
  for (std::size_t p = 0; p < passes_.size(); ++p) {
    if (!passes_[p].forwards) continue;
    std::map<std::size_t, std::size_t> chain_of_axis;  // axis -> position in `lanes`
    for (std::size_t i = parent_place_.lanes.size(); i < lanes.size(); ++i) {
      const Loop& loop = context_.nest.loops[lanes[i]];
      if (loop.fanout != passes_[p].fanout) continue;
      if (context_.defect == Defect::kForwardOuterLoop) {
        chain_of_axis.emplace(loop.axis, i);
      } else {
        chain_of_axis[loop.axis] = i;
      }
    }
    for (const auto& [axis, chain] : chain_of_axis) {
      const Loop& loop = context_.nest.loops[lanes[chain]];
      if (!share_a_rank(context_.description(), marching_dim_, loop.dim)) continue;
      std::size_t stride = 1;
      for (std::size_t i = chain + 1; i < lanes.size(); ++i) {
        stride *= static_cast<std::size_t>(context_.nest.loops[lanes[i]].bound);
      }
      for (std::size_t c = 0; c < neighbours_.size(); ++c) {
        const std::int64_t at = lane_indices(context_.nest, lanes, c)[chain];
        const bool both = context_.defect != Defect::kForwardFromLeftOnly;
        if (at > 0) neighbours_[c].push_back({p, c - stride});
        if (at + 1 < loop.bound && both) neighbours_[c].push_back({p, c + stride});
      }
    }
  }
}

Boundary::Move Boundary::move_of(const std::vector<Move>& moves, const Moment& moment) const {
  return moment.changed == Moment::kStart ? Move::kRepeat : moves[moment.changed];
}

void Boundary::place_tiles(const Moment& moment) {
  temporal_ = {};
  for (std::size_t i = 0; i < context_.nest.loops.size(); ++i) {
    const Loop& loop = context_.nest.loops[i];
    if (loop.at < child_place_.at) temporal_[index(loop.dim)] += (*moment.tau)[i] * loop.step;
  }
}

bool Boundary::busy(std::size_t child) const {
  Extents offset = child_place_.offsets[child];
  for (std::size_t d = 0; d < offset.size(); ++d) offset[d] += temporal_[d];
  return context_.defect == Defect::kIdleLanesWork || !context_.tiles.empty_at(offset);
}

void Boundary::bounds_of(std::size_t child, Extents& begin, Extents& end) const {
  begin = child_place_.offsets[child];
  for (std::size_t d = 0; d < begin.size(); ++d) begin[d] += temporal_[d];
  end = context_.tiles.end_of(begin, child_place_.tile);
  if (context_.defect == Defect::kIdleLanesWork) {
    for (std::size_t d = 0; d < begin.size(); ++d) end[d] = std::max(end[d], begin[d] + 1);
  }
}

Words Boundary::next_tile(std::size_t child) const {
  Extents begin, end;
  bounds_of(child, begin, end);
  return context_.tiles.words(context_.tensor, begin, end);
}

// Whether anything arrives under A4, whatever `reuse` says; generated padding is loaded as much as
// a word that moves.
bool Boundary::receives(std::size_t child, Move move) {
  if (!padded_) {
    return move == Move::kMarch ? !arrivals_[child].empty() : move == Move::kRepeat;
  }
  Extents begin, end;
  bounds_of(child, begin, end);
  Words next = context_.tiles.words_and_padding(context_.tensor, begin, end);
  Words& held = child_->instances[child].held_with_padding;
  const bool something = move == Move::kRepeat || !minus(next, held).empty();
  held = std::move(next);
  return something && move != Move::kRun;
}

void Boundary::step(const Moment& moment) {
  const Move move = move_of(moves_, moment);
  if (move == Move::kInside) return;
  const bool previous_tile = context_.conventions.reuse == Conventions::Reuse::kPreviousTile;
  if (move == Move::kRun && !previous_tile) return;
  place_tiles(moment);
  for (std::size_t c = 0; c < child_place_.instances(); ++c) receiving_[c] = busy(c);
  if (child_ != nullptr) {
    arrive_at_store(move);
  } else {
    arrive_at_compute(moment);
  }
  hand_down();
}

// Rule A4 or A5: D_c, and what each child holds from now on.
void Boundary::arrive_at_store(Move move) {
  const bool previous_tile = context_.conventions.reuse == Conventions::Reuse::kPreviousTile;
  if (move != Move::kRun) ++steps_;
  for (std::size_t c = 0; c < child_place_.instances(); ++c) {
    InstanceState& state = child_->instances[c];
    previous_[c] = state.held;
    const bool goes_on = move == Move::kMarch && state.step + 1 == steps_ && !previous_tile;
    in_march_[c] = goes_on || context_.defect == Defect::kForwardAcrossTurns;
    arrivals_[c].clear();
    if (!receiving_[c]) {
      if (context_.defect == Defect::kIdleForgets) state.held.clear();
      continue;
    }
    next_[c] = next_tile(c);
    const bool only_new = previous_tile || move == Move::kMarch;
    arrivals_[c] = only_new ? minus(next_[c], state.held) : next_[c];
    state.held = next_[c];
    if (move != Move::kRun) state.step = steps_;
    InstanceCounts& counts = child_->counts[c];
    const auto words = static_cast<std::int64_t>(arrivals_[c].size());
    if (receives(c, move)) ++counts.receptions;
    if (output_ && context_.defect != Defect::kNoDrains) counts.words.drains += words;
    if (!output_) counts.words.fills += words;
  }
}

// Every step delivers the operand's word to each busy lane.
void Boundary::arrive_at_compute(const Moment& moment) {
  const bool march = move_of(moves_, moment) == Move::kMarch;
  const bool new_run = move_of(compute_runs_, moment) != Move::kRun;
  for (std::size_t c = 0; c < child_place_.instances(); ++c) {
    previous_[c] = std::move(arrivals_[c]);
    in_march_[c] = march || context_.defect == Defect::kForwardAcrossTurns;
    arrivals_[c].clear();
    if (receiving_[c]) arrivals_[c] = next_tile(c);
    if (new_run && receiving_[c]) ++runs_[c];
  }
}

// A6: words that a neighbour held just before this advance come from the neighbour.
void Boundary::forward() {
  for (std::size_t c = 0; c < neighbours_.size(); ++c) {
    for (const Neighbour& neighbour : neighbours_[c]) {
      if (!in_march_[neighbour.child]) continue;
      const std::size_t before = asked_[c].size();
      asked_[c] = minus(asked_[c], previous_[neighbour.child]);
      links_[passes_[neighbour.pass].fanout].forwarded +=
          static_cast<std::int64_t>(before - asked_[c].size());
    }
  }
}

// From D_c to the demand at the parent, and what that means for both ends.
void Boundary::hand_down() {
  asked_ = arrivals_;
  if (!output_) forward();
  const std::vector<Demand> at_parent = resolve();
  for (std::size_t p = 0; p < at_parent.size(); ++p) {
    const std::int64_t words = size_of(at_parent[p]);
    Traffic& parent = parent_.counts[p].words;
    if (!output_) {
      parent.reads += words;
      continue;
    }
    visits_ += words;
    parent.updates += words;
    const std::int64_t first_visits = visit(p);
    parent.reads += words - first_visits;
    reads_ += words - first_visits;
  }
  if (output_) send_refills();
}

std::vector<Demand> Boundary::resolve() {
  std::vector<Demand> lower;
  for (const Words& words : asked_) lower.push_back(demand_of(words));
  for (std::size_t i = 0; i < passes_.size(); ++i) {
    const Pass& pass = passes_[i];
    std::vector<std::vector<const Demand*>> groups(pass.uppers);
    std::int64_t below = 0, above = 0;
    for (std::size_t n = 0; n < lower.size(); ++n) {
      if (lower[n].empty()) continue;
      below += size_of(lower[n]);
      groups[pass.upper_of[n]].push_back(&lower[n]);
    }
    std::vector<Demand> upper(pass.uppers);
    for (std::size_t n = 0; n < pass.uppers; ++n) {
      if (!groups[n].empty()) upper[n] = combine(groups[n], pass.sharing);
      if (context_.defect == Defect::kCopiesMerge && i + 1 < passes_.size()) {
        for (auto& [word, copies] : upper[n]) copies = 1;
      }
      above += size_of(upper[n]);
    }
    if (i == 0) {  // forwarded words arrive as well
      below = 0;
      for (const Words& words : arrivals_) below += static_cast<std::int64_t>(words.size());
    }
    TensorAtNetwork& link = links_[pass.fanout];
    (output_ ? link.words_collected : link.words_delivered) += below;
    (output_ ? link.words_out : link.words_in) += above;
    if (output_ && pass.sharing != Sharing::kNone) link.reductions += below - above;
    lower = std::move(upper);
  }
  return lower;
}

// A7: the visits of one parent instance's words; how many of them start from zero.
std::int64_t Boundary::visit(std::size_t parent) {
  std::map<Word, std::vector<std::size_t>> groups;  // word -> the children at which it arrives
  for (std::size_t c = parent * lanes_; c < (parent + 1) * lanes_; ++c) {
    refilled_[c].clear();
    for (const Word word : arrivals_[c]) groups[word].push_back(c);
  }
  const bool every = (context_.conventions.refill == Conventions::Refill::kEveryChild) !=
                     (context_.defect == Defect::kRefillSwapped);
  std::int64_t first_visits = 0;
  for (const auto& [word, group] : groups) {
    last_child_[word] = group.back();
    if (starts_from_zero(parent, word, group)) {
      ++first_visits;
    } else if (every) {
      for (const std::size_t c : group) refilled_[c].push_back(word);
    } else {
      const bool last = context_.defect == Defect::kRefillLastChild;
      refilled_[last ? group.back() : group.front()].push_back(word);
    }
  }
  return first_visits;
}

bool Boundary::starts_from_zero(std::size_t parent, Word word,
                                const std::vector<std::size_t>& group) {
  Residence& residence = residence_at(parent, word);
  bool first = residence.from_zero && !residence.visited;
  residence.visited = true;
  if (context_.defect == Defect::kFirstVisitsRead) return false;
  if (context_.defect == Defect::kNoRefills) return true;
  if (context_.defect == Defect::kFirstVisitPerChild && residence.from_zero) {
    for (const std::size_t c : group) {
      std::vector<std::size_t>& known = residence.visitors;
      if (std::find(known.begin(), known.end(), c) != known.end()) continue;
      known.push_back(c);
      first = true;
    }
  }
  return first;
}

Residence& Boundary::residence_at(std::size_t parent, Word word) {
  std::vector<Residence>& all = parent_.instances[parent].residences;
  auto it = std::lower_bound(all.begin(), all.end(), word,
                             [](const Residence& r, Word w) { return r.word < w; });
  if (it == all.end() || it->word != word) it = all.insert(it, Residence{word});
  return *it;
}

// Partial sums go down to the children that get them, each word once through every fan-out.
void Boundary::send_refills() {
  std::vector<Words> lower = refilled_;
  for (const Pass& pass : passes_) {
    std::vector<Words> upper(pass.uppers);
    TensorAtNetwork& link = links_[pass.fanout];
    for (std::size_t n = 0; n < lower.size(); ++n) {
      link.words_delivered += static_cast<std::int64_t>(lower[n].size());
      Words& words = upper[pass.upper_of[n]];
      words.insert(words.end(), lower[n].begin(), lower[n].end());
    }
    for (Words& words : upper) {
      std::sort(words.begin(), words.end());
      words.erase(std::unique(words.begin(), words.end()), words.end());
      link.words_in += static_cast<std::int64_t>(words.size());
    }
    lower = std::move(upper);
  }
  if (child_ == nullptr) return;
  for (std::size_t c = 0; c < refilled_.size(); ++c) {
    child_->counts[c].words.fills += static_cast<std::int64_t>(refilled_[c].size());
    if (receiving_[c]) take_residence(c);
  }
}

// Words that stay keep their residence; words that arrive begin one.
void Boundary::take_residence(std::size_t child) {
  InstanceState& state = child_->instances[child];
  std::vector<Residence> now;
  now.reserve(next_[child].size());
  for (const Word word : next_[child]) {
    if (std::binary_search(arrivals_[child].begin(), arrivals_[child].end(), word)) {
      Residence fresh{word};
      fresh.from_zero =
          !std::binary_search(refilled_[child].begin(), refilled_[child].end(), word) ||
          context_.defect == Defect::kFirstVisitsForgotten;
      state.zeros += fresh.from_zero;
      now.push_back(std::move(fresh));
    } else {
      const auto old = std::lower_bound(state.residences.begin(), state.residences.end(), word,
                                        [](const Residence& r, Word w) { return r.word < w; });
      now.push_back(*old);
    }
  }
  state.residences = std::move(now);
}

void Boundary::finish() {
  if (!output_ || child_ == nullptr) return;
  const Tensor& tensor = context_.description();
  const bool always = context_.defect == Defect::kFinalBitsAlways;
  bool reduced = true;
  for (const Pass& pass : passes_) {
    for (std::size_t i = parent_place_.lanes.size(); i < child_place_.lanes.size(); ++i) {
      const Loop& loop = context_.nest.loops[child_place_.lanes[i]];
      if (loop.fanout == pass.fanout && !relevant(tensor, loop.dim)) {
        reduced &= pass.sharing != Sharing::kNone;
      }
    }
  }
  const bool above = always || (reduced && complete(context_.nest, tensor, parent_place_));
  const bool below = always || complete(context_.nest, tensor, child_place_);
  for (const auto& [word, child] : last_child_) {
    if (above) ++parent_.counts[child / lanes_].final_updates;
    if (below) ++child_->counts[child].final_drains;
  }
}

}  // namespace loopscape::reference
