// The choices of spatial loops of a placement.
#include <algorithm>
#include <map>

#include "mapper/search/choices.h"
#include "mapper/search/kin.h"

namespace loopscape {
namespace {

class Chooser {
 public:
  Chooser(const Mapspace& space, const Placement& placement, const ForSpatialChoices& asked)
      : space_(space),
        placement_(placement),
        asked_(asked),
        perfect_(space.options().factors == Factors::kPerfect) {
    for (const Dim& dim : space.problem().dims) extent_.push_back(dim.extent);
    more_.assign(placement.slots.size() + 1, 1);
    for (std::size_t s = placement.slots.size(); s-- > 0;) {
      const Slot& slot = placement.slots[s];
      more_[s] = more_[s + 1] * (slot.kind == Slot::Kind::kAxis ? slot.size : 1);
    }
  }

  ForSpatialChoices::End run(std::uint64_t& looks) {
    chosen_.resize(placement_.slots.size());
    lanes_.assign(extent_.size(), 1);
    outermost_.assign(extent_.size(), 1);
    orders_.resize(placement_.slots.size());
    slot(0);
    looks += looked_;
    return end_;
  }

 private:
  using End = ForSpatialChoices::End;

  void slot(std::size_t s) {
    while (s < placement_.slots.size() && placement_.slots[s].kind != Slot::Kind::kAxis) ++s;
    if (s == placement_.slots.size()) {
      if (respects_lanes() && respects_factors(true) && asked_.keep(so_far(s))) {
        asked_.take(chosen_);
      }
      return;
    }
    if (more_[s] > 1 && !asked_.keep(so_far(s))) return;
    loops(s, 0, placement_.slots[s].size);
  }

  // Loops over dimensions d and on, in the slot's room; then every order of them if that matters.
  void loops(std::size_t s, std::size_t d, std::uint32_t room) {
    if (++looked_ > asked_.most_looks) end_ = End::kTooMany;
    if (looked_ % 4096 == 0 && asked_.stop != nullptr) {
      if (asked_.stop->load(std::memory_order_relaxed)) end_ = End::kStopped;
    }
    if (end_ != End::kAll) return;
    if (d == extent_.size()) {
      std::vector<Point::Loop> kept = chosen_[s];
      if (!placement_.slots[s].ordered) {
        set_one_order(s);
        slot(s + 1);
        chosen_[s] = std::move(kept);
        return;
      }
      const auto by_dim = [](const Point::Loop& a, const Point::Loop& b) { return a.dim < b.dim; };
      std::sort(chosen_[s].begin(), chosen_[s].end(), by_dim);
      do {
        slot(s + 1);
        if (asked_.first_kin && orders_are_kin(placement_, chosen_, s)) break;
      } while (std::next_permutation(chosen_[s].begin(), chosen_[s].end(), by_dim));
      chosen_[s] = std::move(kept);
      return;
    }
    loops(s, d + 1, room);
    if ((placement_.slots[s].dims >> d & 1u) == 0) return;
    for (std::uint32_t bound = 2; bound <= room && fits(d, bound); ++bound) {
      if (perfect_ && extent_[d] / lanes_[d] % bound != 0) continue;
      const bool outermost = outermost_[d] == 1;
      chosen_[s].push_back({static_cast<std::uint8_t>(d), bound});
      lanes_[d] *= bound;
      if (outermost) outermost_[d] = bound;
      if (respects_factors(false)) loops(s, d + 1, room / bound);
      if (outermost) outermost_[d] = 1;
      lanes_[d] /= bound;
      chosen_[s].pop_back();
    }
  }

  // Where orders are one, it is the first that the rules allow.
  void set_one_order(std::size_t s) {
    DimMask dims = 0;
    for (const Point::Loop& loop : chosen_[s]) dims = static_cast<DimMask>(dims | 1u << loop.dim);
    const auto [known, is_new] = orders_[s].try_emplace(dims);
    std::vector<DimMask>& order = known->second;
    if (is_new) order = first_order(placement_, s, dims);
    const auto place = [&](const Point::Loop& loop) {
      return std::find(order.begin(), order.end(), static_cast<DimMask>(1u << loop.dim));
    };
    std::sort(chosen_[s].begin(), chosen_[s].end(),
              [&](const Point::Loop& a, const Point::Loop& b) { return place(a) < place(b); });
  }

  LanesSoFar so_far(std::size_t s) const { return {lanes_, chosen_, s, more_[s]}; }

  // No lane may be empty for ever: all but the outermost loop cover less than the extent, and so
  // do the outermost loop's iterations but the last.
  bool fits(std::size_t d, std::uint32_t bound) const {
    if (perfect_) return lanes_[d] * bound <= extent_[d];
    const std::int64_t outer = outermost_[d] == 1 ? bound : outermost_[d];
    return lanes_[d] * bound / outer * (outer - 1) < extent_[d];
  }

  // As far as lanes decide: until all are chosen, and where rules are over other slots as well,
  // they may still come to their least.
  bool respects_factors(bool all_chosen) const {
    return std::all_of(placement_.factors.begin(), placement_.factors.end(),
                       [&](const FactorRule& rule) {
                         std::int64_t bounds = 1;
                         bool only_lanes = all_chosen;
                         for (std::size_t s = 0; s < chosen_.size(); ++s) {
                           if ((rule.slots >> s & 1u) == 0) continue;
                           only_lanes &= placement_.slots[s].kind == Slot::Kind::kAxis;
                           for (const Point::Loop& loop : chosen_[s]) {
                             if (loop.dim == rule.dim) bounds *= loop.bound;
                           }
                         }
                         return bounds <= rule.most && (!only_lanes || bounds >= rule.least);
                       });
  }

  bool respects_lanes() const {
    return std::all_of(placement_.lanes.begin(), placement_.lanes.end(),
                       [&](const LanesRule& rule) {
                         double used = 1;
                         for (std::size_t s = 0; s < chosen_.size(); ++s) {
                           if ((rule.slots >> s & 1u) == 0) continue;
                           for (const Point::Loop& loop : chosen_[s]) used *= loop.bound;
                         }
                         return used / rule.lanes >= rule.share;
                       });
  }

  const Mapspace& space_;
  const Placement& placement_;
  const ForSpatialChoices& asked_;
  std::uint64_t looked_ = 0;
  End end_ = End::kAll;
  bool perfect_;
  std::vector<double> more_;  // [slot]: lanes of it and those further in
  std::vector<std::int64_t> extent_, lanes_;
  std::vector<std::int64_t> outermost_;  // bound of the first, outermost loop over a dimension
  SpatialLoops chosen_;
  std::vector<std::map<DimMask, std::vector<DimMask>>> orders_;  // [slot], once asked for
};

}  // namespace

ForSpatialChoices::End ForSpatialChoices::run(const Mapspace& space, const Placement& placement,
                                              std::uint64_t& looks) const {
  return Chooser(space, placement, *this).run(looks);
}

}  // namespace loopscape
