#include "mapper/mapspace/total.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "mapper/mapspace/field.h"
#include "mapper/mapspace/rooms.h"
#include "mapper/mapspace/terms.h"

namespace loopscape {
namespace {

// Slots that the sum treats alike: temporal ones in a row, or one alone.
struct Run {
  std::vector<std::size_t> slots;
  DimMask dims = 0;
  Slot::Kind kind = Slot::Kind::kTemporal;
  std::uint8_t fanout = 0;
  // Dimensions whose loops may stand in any order among themselves, and the nodes that takes; 1:
  // there is but one order.
  std::vector<DimMask> groups;
  std::vector<int> degrees;
};

// A choice of nodes for all slots of a run: what j loops of a dimension are worth.
struct Nodes {
  std::uint64_t weight;
  std::vector<std::uint64_t> worth;  // [dimension of the tables * (slots + 1) + j]
};

double choices(std::size_t slots, int nodes) {  // multisets
  double product = 1;
  for (std::size_t i = 1; i <= slots; ++i) {
    product *=
        static_cast<double>(static_cast<std::size_t>(nodes) + i - 1) / static_cast<double>(i);
  }
  return std::round(product);
}

// How often chains of one dimension occur, by what they do to the axes and how many of their loops
// stand in each run.
struct DimCounts {
  std::uint8_t dim = 0;
  Moves moves;
  std::vector<std::size_t> radix;     // by run: loops that may stand in it, and one
  std::size_t cells = 1;              // product of the radices
  std::vector<std::uint64_t> chains;  // [move * cells + number of the loops in runs]
};

// A placement without anything that couples slots but what SlotOrders tells.
class PlainCount {
 public:
  PlainCount(const Problem& problem, const Placement& placement, Tuples& tuples,
             const CountLimits& limits)
      : problem_(problem), placement_(placement), tuples_(tuples), limits_(limits) {}

  Result<cpp_int> run() {
    Result<Frame> frame = make_frame(problem_, placement_, tuples_);
    if (!frame.ok()) return frame.status();
    if (!frame->tables.possible) return cpp_int(0);
    tables_ = std::move(frame->tables);
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if (problem_.dims[d].extent > 1) used_ = static_cast<DimMask>(used_ | 1u << d);
    }
    find_runs();
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if (problem_.dims[d].extent == 1) continue;
      if (Status s = count_chains(d, frame->rules[d]); !s.ok()) return s;
      if (dims_.back().moves.empty()) return cpp_int(0);  // no chain at all
    }
    std::vector<const Moves*> moves;
    for (const DimCounts& its : dims_) moves.push_back(&its.moves);
    rooms_ = make_rooms(placement_, tables_.axes, moves);
    const auto fields = static_cast<std::size_t>(bits_bound() / kFieldBits) + 1;
    if (work() * static_cast<double>(fields) > static_cast<double>(limits_.most_work)) {
      return Status(StatusCode::kUnsupported, "counting this mapspace takes more than " +
                                                  std::to_string(limits_.most_work) +
                                                  " multiplications; it is too large to count");
    }
    const cpp_int total = sum(fields);
    if (stopped()) return was_stopped();
    return total;
  }

 private:
  bool stopped() const {
    return limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed);
  }
  static Status was_stopped() {
    return {StatusCode::kUnsupported, "stopped before the mapspace was counted"};
  }

  // ---- runs ----

  void find_runs() {
    for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
      const Slot& slot = placement_.slots[s];
      Run run;
      run.dims = static_cast<DimMask>(tables_.allowed[s] & used_);
      run.kind = slot.kind;
      run.fanout = slot.fanout;
      run.slots = {s};
      if (run.dims == 0) continue;
      const SlotOrders orders(placement_, s);
      for (const DimMask group : orders.groups(run.dims)) {
        const int most = most_together(slot, group);
        if (orders.ordered() && most > 1) {
          run.groups.push_back(group);
          run.degrees.push_back((most + 2) / 2);
        }
      }
      if (run.kind == Slot::Kind::kAxis && run.groups.empty()) continue;  // its bounds say it all
      if (!runs_.empty() && alike(runs_.back(), run)) {
        runs_.back().slots.push_back(s);
      } else {
        runs_.push_back(std::move(run));
      }
    }
  }

  static int most_together(const Slot& slot, DimMask dims) {
    const int most = __builtin_popcount(dims);
    if (slot.kind != Slot::Kind::kAxis) return most;
    return std::min(most, 31 - __builtin_clz(slot.size));
  }

  // May the slot join the run before it? Only if one group is all there is to each.
  bool alike(const Run& before, const Run& next) const {
    const std::size_t s = before.slots.back(), t = next.slots.front();
    if (before.kind != Slot::Kind::kTemporal || next.kind != before.kind || t != s + 1)
      return false;
    if (before.dims != next.dims || before.groups != next.groups) return false;
    const bool whole =
        next.groups.size() == 1 ? next.groups[0] == next.dims : __builtin_popcount(next.dims) == 1;
    if (!whole) return false;
    return std::all_of(
        placement_.factors.begin(), placement_.factors.end(),
        [&](const FactorRule& rule) { return (rule.slots >> s & 1u) == (rule.slots >> t & 1u); });
  }

  // ---- chains ----

  Status count_chains(std::size_t d, const std::vector<FactorRule>& rules) {
    DimCounts its;
    its.dim = static_cast<std::uint8_t>(d);
    for (const Run& run : runs_) {
      its.radix.push_back((run.dims >> d & 1u) != 0 ? run.slots.size() + 1 : 1);
      its.cells *= its.radix.back();
    }
    const bool by_rules = !rules.empty();
    Chains chains(problem_.dims[d].extent, rules, tuples_);
    std::map<std::vector<std::uint32_t>, std::size_t> known;
    for (const auto& bounds : axis_bounds(problem_, placement_, tables_, d, tuples_.factors())) {
      if (stopped()) return was_stopped();
      std::vector<std::uint32_t> move;
      for (std::size_t a = 0; a < bounds.size(); ++a) {
        move.push_back(tables_.axes[a].kind_of(bounds[a]));
      }
      std::vector<std::uint64_t> counts(its.cells);
      Shape shape(*this, bounds, d);
      if (!list_loops(its, 0, 0, shape, chains, by_rules, counts)) continue;
      const auto [place, is_new] = known.emplace(move, its.moves.size());
      if (is_new) {
        its.moves.push_back(move);
        its.chains.resize(its.moves.size() * its.cells);
        if (its.chains.size() > limits_.most_entries) {
          return {StatusCode::kUnsupported,
                  "this mapspace has more than " + std::to_string(limits_.most_entries) +
                      " ways to place the loops of one dimension; it is too large to count"};
        }
      }
      for (std::size_t i = 0; i < its.cells; ++i) {
        its.chains[place->second * its.cells + i] += counts[i];
      }
    }
    dims_.push_back(std::move(its));
    return {};
  }

  // The slots with a loop so far, and what is known of chains with these bounds on the axes:
  // without rules they depend on how many temporal loops there are, and on whether the outermost is
  // one.
  struct Shape {
    Shape(const PlainCount& count, const std::vector<std::uint32_t>& bounds, std::size_t d)
        : most(most_loops(count.problem_, d)) {
      for (std::size_t a = 0; a < bounds.size(); ++a) {
        if (bounds[a] == 1) continue;
        const int slot = count.tables_.axes[a].slot();
        const auto at = static_cast<std::size_t>(slot);
        axes |= SlotMask{1} << at;
        fanouts |= 1u << count.placement_.slots[at].fanout;
        chain.axis_bounds.emplace_back(slot, bounds[a]);
      }
      chain.slots = axes;
    }
    ChainShape chain;
    SlotMask axes = 0;
    std::uint32_t fanouts = 0;  // with a loop on an axis
    int most;
    std::array<std::array<std::optional<std::uint64_t>, 65>, 2> known;
  };

  // Loops in runs r and on; `cell`: those chosen. False: nowhere is there a chain.
  bool list_loops(const DimCounts& its, std::size_t r, std::size_t cell, Shape& shape,
                  Chains& chains, bool by_rules, std::vector<std::uint64_t>& counts) {
    if (__builtin_popcountll(shape.chain.slots) > shape.most) return false;
    if (r == runs_.size()) {
      counts[cell] = chains_of(shape, chains, by_rules);
      return counts[cell] > 0;
    }
    const Run& run = runs_[r];
    const std::size_t radix = its.radix[r];
    cell *= radix;
    if (run.kind == Slot::Kind::kAxis) {  // the bounds have decided
      const bool loops = (shape.axes >> run.slots[0] & 1u) != 0;
      return list_loops(its, r + 1, cell + (loops ? 1 : 0), shape, chains, by_rules, counts);
    }
    const SlotMask kept = shape.chain.slots;
    bool any = list_loops(its, r + 1, cell, shape, chains, by_rules, counts);
    const bool closed =
        run.kind == Slot::Kind::kUnderFanout && (shape.fanouts >> run.fanout & 1u) == 0;
    for (std::size_t j = 1; j < radix && !closed; ++j) {
      shape.chain.slots |= SlotMask{1} << run.slots[j - 1];
      any |= list_loops(its, r + 1, cell + j, shape, chains, by_rules, counts);
    }
    shape.chain.slots = kept;
    return any;
  }

  static std::uint64_t chains_of(Shape& shape, Chains& chains, bool by_rules) {
    if (by_rules || shape.chain.slots == 0) return chains.count(shape.chain);
    const SlotMask outermost = shape.chain.slots & (~shape.chain.slots + 1);
    const auto temporal =
        static_cast<std::size_t>(__builtin_popcountll(shape.chain.slots & ~shape.axes));
    std::optional<std::uint64_t>& known =
        shape.known[(outermost & shape.axes) != 0 ? 1 : 0][temporal];
    if (!known) known = chains.count(shape.chain);
    return *known;
  }

  // ---- how much there is to do ----

  // No count exceeds 2 to this. For any c, k! <= max(k! / c^k) c^k.
  double bits_bound() const {
    double least = INFINITY;
    for (double c = 1; c <= 5; ++c) {
      double bits = 8;
      for (const Run& run : runs_) {
        for (const int degree : run.degrees) {
          double term = 1, most = 1;
          for (int k = 1; k <= 2 * degree; ++k) most = std::max(most, term *= k / c);
          bits += std::log2(most) * static_cast<double>(run.slots.size());
        }
      }
      for (const DimCounts& its : dims_) {
        double ways = 0;
        for (std::size_t i = 0; i < its.chains.size(); ++i) {
          if (its.chains[i] != 0) {
            ways += static_cast<double>(its.chains[i]) * arrangements(its, i % its.cells, c);
          }
        }
        bits += std::log2(std::max(1.0, ways));
      }
      least = std::min(least, bits);
    }
    return least;
  }

  // Ways to choose the slots of the loops in runs, times c for each loop.
  double arrangements(const DimCounts& its, std::size_t cell, double c) const {
    double product = 1;
    for (std::size_t r = runs_.size(); r-- > 0;) {
      const std::size_t j = cell % its.radix[r];
      cell /= its.radix[r];
      product *= std::pow(c, static_cast<double>(j));
      for (std::size_t i = 0; i < j; ++i) {
        product *= static_cast<double>(runs_[r].slots.size() - i) / static_cast<double>(i + 1);
      }
    }
    return product;
  }

  double work() const {
    double each = 0;
    for (const auto& steps : rooms_.steps) each += static_cast<double>(steps.size());
    for (const DimCounts& its : dims_) each += 2.0 * static_cast<double>(its.moves.size());
    double leaves = 1;
    for (const Run& run : runs_) {
      for (const int degree : run.degrees) leaves *= choices(run.slots.size(), degree);
    }
    return leaves * each;
  }

  // ---- the sum ----

  cpp_int sum(std::size_t fields) {
    int largest = 1;
    for (const Run& run : runs_) {
      for (const int degree : run.degrees) largest = std::max(largest, degree);
    }
    for (int degree = std::max(1, largest <= 4 ? std::min(2, largest) : largest); degree <= largest;
         ++degree) {
      degrees_.push_back(degree);
    }
    const auto rules = quadrature_fields(degrees_, fields, limits_.stop);
    if (rules.size() < fields) return 0;  // stopped
    cpp_int modulus = 1, total = 0;
    for (const auto& rule : rules) modulus *= rule->field.prime();
    for (const auto& rule : rules) {
      const Field& f = rule->field;
      const cpp_int others = modulus / f.prime();
      const std::uint64_t rest = f.of(static_cast<std::uint64_t>(others % f.prime()));
      total += others * f.value_of(f.mul(residue(*rule), f.inverse(rest)));
    }
    return total % modulus;
  }

  std::uint64_t residue(const QuadratureField& field) {
    field_ = &field;
    nodes_.clear();
    for (const Run& run : runs_) nodes_.push_back(nodes_of(run));
    values_.assign(runs_.size() + 1, std::vector<std::vector<std::uint64_t>>(dims_.size()));
    for (std::size_t d = 0; d < dims_.size(); ++d) {
      for (const std::uint64_t chains : dims_[d].chains) {
        values_[0][d].push_back(field.field.of(chains));
      }
    }
    rest_.assign(rooms_.all_rooms, 0);
    total_ = 0;
    descend(0, field.field.one());
    return total_;
  }

  const Quadrature& rule(int degree) const {
    const auto at = std::lower_bound(degrees_.begin(), degrees_.end(), degree);
    return field_->rule[static_cast<std::size_t>(at - degrees_.begin())];
  }

  std::vector<Nodes> nodes_of(const Run& run) const {
    std::vector<Nodes> all;
    const Field& f = field_->field;
    if (run.slots.size() == 1) {
      std::vector<std::uint64_t> of_group(run.groups.size(), 0);
      choose_nodes(run, 0, f.one(), of_group, all);
      return all;
    }
    std::vector<std::size_t> some(run.slots.size(), 0);
    choose_multiset(run, 0, some, all);
    return all;
  }

  // One slot: a node for each group.
  void choose_nodes(const Run& run, std::size_t g, std::uint64_t weight,
                    std::vector<std::uint64_t>& of_group, std::vector<Nodes>& all) const {
    const Field& f = field_->field;
    if (g == run.groups.size()) {
      Nodes nodes{weight, {}};
      for (const DimCounts& its : dims_) {
        std::uint64_t node = f.one();
        for (std::size_t i = 0; i < g; ++i) {
          if ((run.groups[i] >> its.dim & 1u) != 0) node = of_group[i];
        }
        nodes.worth.push_back(f.one());
        nodes.worth.push_back(node);
      }
      all.push_back(std::move(nodes));
      return;
    }
    const Quadrature& its = rule(run.degrees[g]);
    for (std::size_t n = 0; n < its.node.size(); ++n) {
      of_group[g] = its.node[n];
      choose_nodes(run, g + 1, f.mul(weight, its.weight[n]), of_group, all);
    }
  }

  // Several slots: nodes in ascending order, for all arrangements of them.
  void choose_multiset(const Run& run, std::size_t i, std::vector<std::size_t>& some,
                       std::vector<Nodes>& all) const {
    const Field& f = field_->field;
    const std::size_t slots = run.slots.size();
    const Quadrature* const its = run.groups.empty() ? nullptr : &rule(run.degrees[0]);
    if (i < slots) {
      for (std::size_t n = i == 0 ? 0 : some[i - 1]; n < (its ? its->node.size() : 1); ++n) {
        some[i] = n;
        choose_multiset(run, i + 1, some, all);
      }
      return;
    }
    std::uint64_t weight = f.one();
    std::vector<std::uint64_t> e(slots + 1, 0);  // elementary symmetric polynomials
    e[0] = f.one();
    std::size_t like = 0;
    for (std::size_t k = 0; k < slots; ++k) {
      const std::uint64_t node = its ? its->node[some[k]] : f.one();
      for (std::size_t j = k + 1; j > 0; --j) e[j] = f.add(e[j], f.mul(node, e[j - 1]));
      if (!its) continue;
      like = k > 0 && some[k] == some[k - 1] ? like + 1 : 1;
      weight =
          f.mul(f.mul(weight, its->weight[some[k]]), f.mul(f.of(k + 1), f.inverse(f.of(like))));
    }
    Nodes nodes{weight, {}};
    for (std::size_t d = 0; d < dims_.size(); ++d) {
      nodes.worth.insert(nodes.worth.end(), e.begin(), e.end());
    }
    all.push_back(std::move(nodes));
  }

  // Chooses the nodes of runs r and on.
  void descend(std::size_t r, std::uint64_t weight) {
    const Field& f = field_->field;
    if (r == runs_.size()) {
      total_ = f.add(total_, f.mul(weight, climb_rooms(values_[r])));
      return;
    }
    const std::size_t each = runs_[r].slots.size() + 1;
    for (const Nodes& nodes : nodes_[r]) {
      if (stopped()) return;
      for (std::size_t d = 0; d < dims_.size(); ++d) {
        contract(values_[r][d], dims_[d].radix[r], nodes.worth.data() + d * each,
                 inside(d, r) * dims_[d].moves.size(), inside(d, r), values_[r + 1][d]);
      }
      descend(r + 1, f.mul(weight, nodes.weight));
    }
  }

  std::size_t inside(std::size_t d, std::size_t r) const {  // cells of the runs after r
    std::size_t cells = 1;
    for (std::size_t s = r + 1; s < runs_.size(); ++s) cells *= dims_[d].radix[s];
    return cells;
  }

  void contract(const std::vector<std::uint64_t>& from, std::size_t radix,
                const std::uint64_t* worth, std::size_t size, std::size_t cells,
                std::vector<std::uint64_t>& to) const {
    if (radix == 1) {
      to = from;
      return;
    }
    const Field& f = field_->field;
    to.resize(size);
    for (std::size_t first = 0; first < size; first += cells) {
      const std::uint64_t* const at = from.data() + first * radix;
      for (std::size_t i = 0; i < cells; ++i) {
        Wide sum = 0;  // a run has fewer slots than kMostProducts
        for (std::size_t j = 0; j < radix; ++j) {
          sum += static_cast<Wide>(worth[j]) * at[j * cells + i];
        }
        to[first + i] = f.of_products(sum);
      }
    }
  }

  // All dimensions combined, at chosen nodes.
  std::uint64_t climb_rooms(const std::vector<std::vector<std::uint64_t>>& values) {
    const Field& f = field_->field;
    const std::size_t dims = dims_.size();
    for (std::size_t r = 0; r < rooms_.rooms[dims].size(); ++r) {
      rest_[rooms_.first[dims] + r] = rooms_.lanes_allowed[r] != 0 ? f.one() : 0;
    }
    for (std::size_t d = dims; d-- > 0;) {
      std::uint64_t* const here = rest_.data() + rooms_.first[d];
      const std::uint64_t* const next = rest_.data() + rooms_.first[d + 1];
      const std::uint64_t* const move = values[d].data();
      const std::vector<Rooms::Step>& steps = rooms_.steps[d];
      std::fill(here, here + rooms_.rooms[d].size(), 0);
      for (std::size_t i = 0; i < steps.size();) {
        const std::uint32_t from = steps[i].from;
        Wide sum = 0;
        for (int n = 0; n < kMostProducts && i < steps.size() && steps[i].from == from; ++n, ++i) {
          sum += static_cast<Wide>(move[steps[i].move]) * next[steps[i].to];
        }
        here[from] = f.add(here[from], f.of_products(sum));
      }
    }
    return rest_[rooms_.first[0]];
  }

  const Problem& problem_;
  const Placement& placement_;
  Tuples& tuples_;
  const CountLimits& limits_;
  PlacementTables tables_;
  DimMask used_ = 0;
  std::vector<Run> runs_;
  std::vector<DimCounts> dims_;
  Rooms rooms_;
  std::vector<int> degrees_;
  // Of the field at hand.
  const QuadratureField* field_ = nullptr;
  std::vector<std::vector<Nodes>> nodes_;                        // by run
  std::vector<std::vector<std::vector<std::uint64_t>>> values_;  // by runs chosen, by dimension
  std::vector<std::uint64_t> rest_;                              // by room
  std::uint64_t total_ = 0;
};

// The slots in which something may loop, and no more.
Placement plain(const Placement& placement, const CouplingTerm& term) {
  Placement its;
  std::vector<std::size_t> kept;
  for (std::size_t s = 0; s < placement.slots.size(); ++s) {
    if (term.allowed[s] == 0) continue;
    kept.push_back(s);
    its.slots.push_back(placement.slots[s]);
    its.slots.back().dims = term.allowed[s];
  }
  const auto moved = [&](SlotMask slots) {
    SlotMask mask = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if ((slots >> kept[i] & 1u) != 0) mask |= SlotMask{1} << i;
    }
    return mask;
  };
  its.factors = placement.factors;
  its.orders = placement.orders;
  its.stationary = placement.stationary;
  its.lanes = placement.lanes;
  for (FactorRule& rule : its.factors) rule.slots = moved(rule.slots);
  for (OrderRule& rule : its.orders) rule.slots = moved(rule.slots);
  for (StationaryRule& rule : its.stationary) rule.slots = moved(rule.slots);
  for (LanesRule& rule : its.lanes) rule.slots = moved(rule.slots);
  return its;
}

}  // namespace

std::string signature(const Placement& placement) {
  std::string text;
  const auto add = [&](auto... values) { ((text += std::to_string(values) + ' '), ...); };
  for (const Slot& slot : placement.slots) {
    add(static_cast<int>(slot.kind), slot.fanout, slot.size, slot.dims, slot.ordered);
  }
  text += '|';
  for (const SlotMask mask : placement.must_loop) add(mask);
  text += '|';
  for (const FactorRule& rule : placement.factors) {
    add(rule.slots, rule.dim, rule.least, rule.most);
  }
  text += '|';
  for (const OrderRule& rule : order_rules(placement)) {
    add(rule.slots);
    for (const std::uint8_t place : rule.place) add(place);
  }
  text += '|';
  for (const LanesRule& rule : placement.lanes) add(rule.slots, rule.share * rule.lanes);
  return text;
}

Result<cpp_int> Totals::of(const Placement& placement) {
  Result<Frame> frame = make_frame(problem_, placement, tuples_);
  if (!frame.ok()) return frame.status();
  if (!frame->tables.possible) return cpp_int(0);
  const Result<std::vector<CouplingTerm>> terms = make_terms(placement, frame->tables);
  if (!terms.ok()) return terms.status();
  cpp_int total = 0;
  for (const CouplingTerm& term : *terms) {
    const Placement its = plain(placement, term);
    const std::string key = signature(its);
    auto known = known_.find(key);
    if (known == known_.end()) {
      Result<cpp_int> count = PlainCount(problem_, its, tuples_, limits_).run();
      if (!count.ok()) return count.status();
      known = known_.emplace(key, std::move(count).value()).first;
    }
    total += term.sign * known->second;
  }
  return total;
}

}  // namespace loopscape
