#include "mapper/mapspace/terms.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace loopscape {

std::vector<OrderRule> order_rules(const Placement& placement) {
  std::vector<OrderRule> rules = placement.orders;
  for (const StationaryRule& stationary : placement.stationary) {
    OrderRule rule{stationary.slots, {}};
    for (std::size_t d = 0; d < kMaxDims; ++d) rule.place[d] = stationary.relevant >> d & 1u;
    rules.push_back(rule);
  }
  return rules;
}

// ---- orders within a slot ----

SlotOrders::SlotOrders(const Placement& placement, std::size_t slot)
    : place_(kMaxDims), ordered_(placement.slots[slot].ordered) {
  for (const OrderRule& rule : order_rules(placement)) {
    if ((rule.slots >> slot & 1u) == 0) continue;
    for (std::size_t d = 0; d < kMaxDims; ++d) place_[d].push_back(rule.place[d]);
  }
}

bool SlotOrders::outside(std::size_t d, std::size_t e) const {
  for (std::size_t r = 0; r < place_[d].size(); ++r) {
    if (place_[d][r] > place_[e][r]) return true;
  }
  return false;
}

bool SlotOrders::agree(std::size_t d, std::size_t e) const {
  return !(outside(d, e) && outside(e, d));
}

std::vector<DimMask> SlotOrders::groups(DimMask dims) const {
  std::vector<std::size_t> order;
  for (std::size_t d = 0; d < kMaxDims; ++d) {
    if ((dims >> d & 1u) != 0) order.push_back(d);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t d, std::size_t e) { return place_[d] > place_[e]; });
  std::vector<DimMask> groups;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto one = static_cast<DimMask>(1u << order[i]);
    const bool joins = ordered_ && i > 0 && place_[order[i]] == place_[order[i - 1]];
    if (joins) groups.back() = static_cast<DimMask>(groups.back() | one);
    if (!joins) groups.push_back(one);
  }
  return groups;
}

std::vector<DimMask> first_order(const Placement& placement, std::size_t slot, DimMask dims) {
  std::vector<DimMask> order;
  for (DimMask group : SlotOrders(placement, slot).groups(dims)) {
    for (unsigned rest = group; rest != 0; rest &= rest - 1) {
      order.push_back(static_cast<DimMask>(rest & (~rest + 1)));
    }
  }
  return order;
}

// ---- terms ----

namespace {

constexpr std::size_t kMostTerms = 1 << 14;

using Allowed = std::vector<DimMask>;

Allowed both(const Allowed& a, const Allowed& b) {
  Allowed c = a;
  for (std::size_t s = 0; s < c.size(); ++s) c[s] = static_cast<DimMask>(c[s] & b[s]);
  return c;
}

class Expansion {
 public:
  explicit Expansion(const Allowed& all) : everything_(all.size(), static_cast<DimMask>(~0u)) {
    sum_[all] = 1;
  }

  // The sum so far times this one.
  void times(const std::vector<std::pair<Allowed, std::int64_t>>& factor) {
    std::map<Allowed, std::int64_t> product;
    for (const auto& [allowed, sign] : sum_) {
      for (const auto& [more, its_sign] : factor) product[both(allowed, more)] += sign * its_sign;
    }
    for (auto it = product.begin(); it != product.end();) {
      it = it->second == 0 ? product.erase(it) : std::next(it);
    }
    sum_ = std::move(product);
    too_many_ = too_many_ || sum_.size() > kMostTerms;
  }

  void must_loop(SlotMask slots) {
    Allowed none = everything_;
    for (std::size_t s = 0; s < none.size(); ++s) {
      if ((slots >> s & 1u) != 0) none[s] = 0;
    }
    times({{everything_, 1}, {none, -1}});
  }

  void absent(std::size_t slot, std::size_t d, std::size_t e) {
    Allowed no_d = everything_;
    Allowed no_e = everything_;
    no_d[slot] = static_cast<DimMask>(~(1u << d));
    no_e[slot] = static_cast<DimMask>(~(1u << e));
    times({{no_d, 1}, {no_e, 1}, {both(no_d, no_e), -1}});
  }

  void in_order(const OrderRule& rule) {
    std::vector<std::size_t> slots;
    for (std::size_t s = 0; s < everything_.size(); ++s) {
      if ((rule.slots >> s & 1u) != 0 && possible(s) != 0) slots.push_back(s);
    }
    std::set<std::uint8_t> values;
    for (const std::size_t s : slots) {
      for (std::size_t d = 0; d < kMaxDims; ++d) {
        if ((possible(s) >> d & 1u) != 0) values.insert(rule.place[d]);
      }
    }
    const std::vector<std::uint8_t> value(values.begin(), values.end());
    for (std::size_t cut = 1; cut < slots.size() && !too_many_; ++cut) {
      std::vector<std::pair<Allowed, std::int64_t>> factor;
      for (std::size_t v = 0; v < value.size(); ++v) {
        factor.emplace_back(split(rule, slots, cut, value[v], value[v]), 1);
        if (v + 1 < value.size()) {
          factor.emplace_back(split(rule, slots, cut, value[v + 1], value[v]), -1);
        }
      }
      times(factor);
    }
  }

  bool too_many() const { return too_many_; }
  const std::map<Allowed, std::int64_t>& sum() const { return sum_; }

 private:
  DimMask possible(std::size_t s) const {
    DimMask dims = 0;
    for (const auto& [allowed, sign] : sum_) dims = static_cast<DimMask>(dims | allowed[s]);
    return dims;
  }

  Allowed split(const OrderRule& rule, const std::vector<std::size_t>& slots, std::size_t cut,
                std::uint8_t outer_least, std::uint8_t inner_most) const {
    Allowed allowed = everything_;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      for (std::size_t d = 0; d < kMaxDims; ++d) {
        const bool fits = i < cut ? rule.place[d] >= outer_least : rule.place[d] <= inner_most;
        if (!fits) allowed[slots[i]] = static_cast<DimMask>(allowed[slots[i]] & ~(1u << d));
      }
    }
    return allowed;
  }

  Allowed everything_;
  std::map<Allowed, std::int64_t> sum_;
  bool too_many_ = false;
};

void add_contradictions(const Placement& placement, const PlacementTables& tables,
                        Expansion& expansion) {
  for (std::size_t s = 0; s < placement.slots.size(); ++s) {
    const SlotOrders orders(placement, s);
    for (std::size_t d = 0; d < kMaxDims; ++d) {
      for (std::size_t e = d + 1; e < kMaxDims && !expansion.too_many(); ++e) {
        const bool meet = (tables.allowed[s] >> d & 1u) != 0 && (tables.allowed[s] >> e & 1u) != 0;
        if (meet && !orders.agree(d, e)) expansion.absent(s, d, e);
      }
    }
  }
}

}  // namespace

Result<std::vector<CouplingTerm>> make_terms(const Placement& placement,
                                             const PlacementTables& tables) {
  Expansion expansion(tables.allowed);
  for (const SlotMask slots : placement.must_loop) expansion.must_loop(slots);
  for (const OrderRule& rule : order_rules(placement)) expansion.in_order(rule);
  add_contradictions(placement, tables, expansion);
  if (expansion.too_many()) {
    return Status(StatusCode::kUnsupported,
                  "the constraints on the order of loops are too many to count under; leave some "
                  "of \"order\", \"stationary\" and \"dataflow\" out");
  }
  std::vector<CouplingTerm> terms;
  for (const auto& [allowed, sign] : expansion.sum()) terms.push_back({sign, allowed});
  return terms;
}

}  // namespace loopscape
