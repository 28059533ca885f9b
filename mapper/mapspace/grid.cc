#include "mapper/mapspace/grid.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace loopscape {

// One term: its variables, and what fill() finds.
struct Grid::Part {
  std::int64_t sign = 1;
  std::vector<DimMask> allowed;  // per slot
  std::vector<Variable> variables;
  struct DimPart {
    std::vector<std::uint32_t> mask;  // per cell, its loops among the variables
    std::vector<char> allowed;        // per cell
  };
  std::vector<DimPart> dims;
  std::size_t coefficients = 0;                   // moves of all dimensions
  std::vector<std::size_t> first_move;            // of each dimension among them
  std::size_t leaves = 0, nodes = 1;              // nodes in ascending order, and all
  std::vector<std::size_t> leaf_of;               // by node
  std::vector<std::vector<std::uint64_t>> value;  // by field: leaf, then all rooms
};

namespace {

constexpr std::size_t kMostVariables = 18;

// Loops of the group that can stand in the slot together.
int most_loops(const Placement& placement, std::size_t slot, DimMask dims) {
  const int most = __builtin_popcount(dims);
  const Slot& its = placement.slots[slot];
  if (its.kind != Slot::Kind::kAxis) return most;
  return std::min(most, 31 - __builtin_clz(its.size));
}

DimMask used_dims(const PlacementTables& tables, const std::vector<DimMask>& allowed,
                  std::size_t slot) {
  DimMask dims = 0;
  for (const DimTable& table : tables.dims) {
    if ((allowed[slot] >> table.dim & 1u) != 0) {
      dims = static_cast<DimMask>(dims | 1u << table.dim);
    }
  }
  return dims;
}

bool interchangeable(const Placement& placement, const std::vector<DimMask>& allowed, std::size_t s,
                     std::size_t t) {
  for (std::size_t i = s; i <= t; ++i) {
    if (placement.slots[i].kind != Slot::Kind::kTemporal) return false;
  }
  if (allowed[s] != allowed[t]) return false;
  return std::all_of(
      placement.factors.begin(), placement.factors.end(),
      [&](const FactorRule& rule) { return (rule.slots >> s & 1u) == (rule.slots >> t & 1u); });
}

std::vector<Variable> make_variables(const Placement& placement, const PlacementTables& tables,
                                     const std::vector<DimMask>& allowed) {
  std::vector<Variable> variables;
  std::vector<bool> whole;  // is the variable all there is to its slot?
  for (std::size_t s = 0; s < placement.slots.size(); ++s) {
    const SlotOrders orders(placement, s);
    if (!orders.ordered()) continue;
    const DimMask dims = used_dims(tables, allowed, s);
    for (const DimMask group : orders.groups(dims)) {
      const int most = most_loops(placement, s, group);
      if (most < 2) continue;
      const bool alone = group == dims;
      const bool like =
          alone && !variables.empty() && whole.back() &&
          interchangeable(placement, allowed, static_cast<std::size_t>(variables.back().slot), s);
      variables.push_back({static_cast<int>(s), group, (most + 2) / 2, like});
      whole.push_back(alone);
    }
  }
  return variables;
}

}  // namespace

Grid::Grid(const Placement& placement, const PlacementTables& tables)
    : placement_(placement), tables_(tables), rooms_() {}
Grid::~Grid() = default;

Result<std::unique_ptr<Grid>> Grid::create(const Placement& placement,
                                           const PlacementTables& tables,
                                           const CountLimits& limits) {
  std::unique_ptr<Grid> grid(new Grid(placement, tables));
  if (Status status = grid->prepare(limits); !status.ok()) return status;
  return grid;
}

Status Grid::prepare(const CountLimits& limits) {
  std::vector<const Moves*> moves;
  for (const DimTable& table : tables_.dims) moves.push_back(&table.move);
  rooms_ = make_rooms(placement_, tables_.axes, moves);
  Result<std::vector<CouplingTerm>> terms = make_terms(placement_, tables_);
  if (!terms.ok()) return terms.status();
  make_parts(*terms);
  const auto fields = static_cast<std::size_t>(bits_bound() / kFieldBits) + 1;
  double steps = 0;
  for (const auto& its : rooms_.steps) steps += static_cast<double>(its.size());
  double work = 0;
  for (const Part& part : parts_) {
    if (part.variables.size() > kMostVariables) work = INFINITY;
    work +=
        static_cast<double>(part.leaves) * (steps + 2.0 * static_cast<double>(part.coefficients));
  }
  if (work * static_cast<double>(fields) > static_cast<double>(limits.most_work)) {
    return {StatusCode::kUnsupported, "counting this mapspace takes more than " +
                                          std::to_string(limits.most_work) +
                                          " multiplications; it is too large to count"};
  }
  fields_ = quadrature_fields(degrees_, fields, limits.stop);
  if (fields_.size() < fields) return {StatusCode::kUnsupported, "stopped before it was counted"};
  modulus_ = 1;
  for (const auto& field : fields_) modulus_ *= field->field.prime();
  for (const auto& field : fields_) {
    const cpp_int others = modulus_ / field->field.prime();
    const auto rest = static_cast<std::uint64_t>(others % field->field.prime());
    const Field& f = field->field;
    unit_.push_back(others * f.value_of(f.inverse(f.of(rest))));
  }
  for (Part& part : parts_) {
    part.value.resize(fields);
    for (std::size_t f = 0; f < fields; ++f) fill(part, f);
  }
  return {};
}

void Grid::make_parts(const std::vector<CouplingTerm>& terms) {
  int largest = 1;
  std::vector<std::vector<Variable>> variables;
  for (const CouplingTerm& term : terms) {
    variables.push_back(make_variables(placement_, tables_, term.allowed));
    for (const Variable& v : variables.back()) largest = std::max(largest, v.degree);
  }
  // Few degrees at once, so that primes over which all split are not rare.
  for (int degree = std::max(1, largest <= 4 ? std::min(2, largest) : largest); degree <= largest;
       ++degree) {
    degrees_.push_back(degree);
  }
  for (std::size_t t = 0; t < terms.size(); ++t) {
    Part part;
    part.sign = terms[t].sign;
    part.allowed = terms[t].allowed;
    part.variables = variables[t];
    part.leaves = 1;
    std::size_t run = 0;
    for (Variable& v : part.variables) {
      v.degree = *std::lower_bound(degrees_.begin(), degrees_.end(), v.degree);
      run = v.like_before ? run + 1 : 1;
      const auto n = static_cast<std::size_t>(v.degree);
      part.leaves = part.leaves * (n + run - 1) / run;  // multisets of size `run`
      part.nodes *= n;
    }
    for (const DimTable& table : tables_.dims) {
      Part::DimPart its;
      for (const Cell& cell : table.cell) {
        std::uint32_t mask = 0;
        for (std::size_t v = 0; v < part.variables.size(); ++v) {
          const Variable& variable = part.variables[v];
          if ((cell.slots >> variable.slot & 1u) != 0 && (variable.dims >> table.dim & 1u) != 0) {
            mask |= 1u << v;
          }
        }
        bool allowed = true;
        for (std::size_t s = 0; s < placement_.slots.size(); ++s) {
          const bool loops = (cell.slots >> s & 1u) != 0;
          allowed = allowed && (!loops || (terms[t].allowed[s] >> table.dim & 1u) != 0);
        }
        its.mask.push_back(mask);
        its.allowed.push_back(allowed ? 1 : 0);
      }
      part.dims.push_back(std::move(its));
      part.first_move.push_back(part.coefficients);
      part.coefficients += table.move.size();
    }
    parts_.push_back(std::move(part));
  }
}

// No count exceeds 2 to this. For any c, k! <= max(k! / c^k) c^k.
double Grid::bits_bound() const {
  const std::vector<Variable> variables = make_variables(placement_, tables_, tables_.allowed);
  double least = INFINITY;
  for (double c = 1; c <= 5; ++c) {
    double bits = 8;
    for (const Variable& v : variables) {
      double term = 1;
      double most = 1;
      for (int k = 1; k <= 2 * v.degree; ++k) most = std::max(most, term *= k / c);
      bits += std::log2(most);
    }
    for (const DimTable& table : tables_.dims) {
      double sum = 0;
      for (const Cell& cell : table.cell) {
        sum += static_cast<double>(cell.chains) * std::pow(c, __builtin_popcountll(cell.slots));
      }
      bits += std::log2(std::max(1.0, sum));
    }
    least = std::min(least, bits);
  }
  return least;
}

// ---- G at every node ----

void Grid::fill(Part& part, std::size_t field) {
  const Field& f = fields_[field]->field;
  const std::size_t masks = std::size_t{1} << part.variables.size();
  std::vector<std::uint64_t> coefficients(part.coefficients * masks);
  for (std::size_t d = 0; d < tables_.dims.size(); ++d) {
    for (std::size_t c = 0; c < tables_.dims[d].cell.size(); ++c) {
      if (!part.dims[d].allowed[c]) continue;
      const Cell& cell = tables_.dims[d].cell[c];
      std::uint64_t& sum =
          coefficients[(part.first_move[d] + cell.move) * masks + part.dims[d].mask[c]];
      sum = f.add(sum, f.of(cell.chains));
    }
  }
  part.value[field].reserve(part.leaves * rooms_.all_rooms);
  descend(part, field, part.variables.size(), 0, coefficients);
}

// Chooses the nodes of variables v-1, v-2, ...
void Grid::descend(Part& part, std::size_t field, std::size_t v, std::size_t first_node,
                   std::vector<std::uint64_t>& coefficients) {
  if (v == 0) return finish(part, field, coefficients);
  const Field& f = fields_[field]->field;
  const Variable& variable = part.variables[v - 1];
  const auto degree = std::lower_bound(degrees_.begin(), degrees_.end(), variable.degree);
  const Quadrature& rule =
      fields_[field]->rule[static_cast<std::size_t>(degree - degrees_.begin())];
  // Variables are interchangeable with the one before; going down, with the one chosen last.
  const bool like = v < part.variables.size() && part.variables[v].like_before;
  const std::size_t half = std::size_t{1} << (v - 1);
  std::vector<std::uint64_t> inside(part.coefficients * half);
  for (std::size_t n = like ? first_node : 0; n < rule.node.size(); ++n) {
    for (std::size_t m = 0; m < part.coefficients; ++m) {
      const std::uint64_t* from = coefficients.data() + 2 * half * m;
      for (std::size_t i = 0; i < half; ++i) {
        inside[half * m + i] = f.add(from[i], f.mul(rule.node[n], from[half + i]));
      }
    }
    descend(part, field, v - 1, n, inside);
  }
}

void Grid::finish(Part& part, std::size_t field, const std::vector<std::uint64_t>& values) {
  const Field& f = fields_[field]->field;
  const Rooms& levels = rooms_;
  const std::size_t dims = tables_.dims.size();
  std::vector<std::uint64_t>& all = part.value[field];
  const std::size_t base = all.size();
  all.resize(base + levels.all_rooms);
  for (std::size_t r = 0; r < levels.rooms[dims].size(); ++r) {
    all[base + levels.first[dims] + r] = levels.lanes_allowed[r] ? f.one() : 0;
  }
  for (std::size_t d = dims; d-- > 0;) {
    std::uint64_t* const here = all.data() + base + levels.first[d];
    const std::uint64_t* const next = all.data() + base + levels.first[d + 1];
    const std::uint64_t* const move = values.data() + part.first_move[d];
    for (const Rooms::Step& step : levels.steps[d]) {
      here[step.from] = f.add(here[step.from], f.mul(move[step.move], next[step.to]));
    }
  }
}

// ---- answers ----

Status Grid::prepare_numbers(std::size_t most_nodes) {
  std::size_t nodes = 0;
  for (const Part& part : parts_) nodes += part.nodes;
  if (nodes > most_nodes) {
    return {StatusCode::kUnsupported, "numbering this mapspace takes more than " +
                                          std::to_string(most_nodes) +
                                          " nodes; it is too large to number, though not to count"};
  }
  for (Part& part : parts_) {
    if (part.leaf_of.empty()) part.leaf_of = leaf_of_node(part);
  }
  return {};
}

Chosen Grid::start() const {
  Chosen chosen;
  for (const AxisRoom& axis : tables_.axes) {
    chosen.room.push_back(static_cast<std::uint16_t>(axis.start()));
  }
  chosen.loops.assign(placement_.slots.size(), 0);
  return chosen;
}

bool Grid::add(std::size_t d, const Cell& cell, Chosen& chosen) const {
  const DimTable& table = tables_.dims[d];
  for (std::size_t a = 0; a < tables_.axes.size(); ++a) {
    const int next = tables_.axes[a].next_by_kind(chosen.room[a], table.move[cell.move][a]);
    if (next < 0) return false;
    chosen.room[a] = static_cast<std::uint16_t>(next);
  }
  rooms_.forget(d, chosen.room);
  for (std::size_t s = 0; s < chosen.loops.size(); ++s) {
    if ((cell.slots >> s & 1u) != 0) {
      chosen.loops[s] = static_cast<DimMask>(chosen.loops[s] | 1u << table.dim);
    }
  }
  return true;
}

// For every node of all variables (the first one's runs fastest), the leaf that is its like.
std::vector<std::size_t> Grid::leaf_of_node(const Part& part) const {
  // Leaves come in the order of descend(): the last variable outermost, ascending within a run.
  std::map<std::vector<int>, std::size_t> leaf;
  std::vector<int> at(part.variables.size());
  const auto list = [&](const auto& self, std::size_t v, int first) -> void {
    if (v == 0) {
      leaf.emplace(at, leaf.size());
      return;
    }
    const bool like = v < part.variables.size() && part.variables[v].like_before;
    for (at[v - 1] = like ? first : 0; at[v - 1] < part.variables[v - 1].degree; ++at[v - 1]) {
      self(self, v - 1, at[v - 1]);
    }
  };
  list(list, part.variables.size(), 0);
  std::vector<std::size_t> leaf_of;
  for (std::size_t node = 0; node < part.nodes; ++node) {
    std::size_t rest = node;
    for (std::size_t v = 0; v < part.variables.size(); ++v) {
      const auto degree = static_cast<std::size_t>(part.variables[v].degree);
      at[v] = static_cast<int>(rest % degree);
      rest /= degree;
    }
    for (std::size_t v = 0; v < part.variables.size();) {
      std::size_t end = v + 1;
      while (end < part.variables.size() && part.variables[end].like_before) ++end;
      std::sort(at.begin() + static_cast<std::ptrdiff_t>(v),
                at.begin() + static_cast<std::ptrdiff_t>(end), std::greater<>());
      v = end;
    }
    leaf_of.push_back(leaf.at(at));
  }
  return leaf_of;
}

// Per set of variables in which dimension d loops: what the later dimensions and the orders make
// of it, once it left the room `next_room`.
std::vector<std::uint64_t> Grid::contract(const Part& part, std::size_t field, std::size_t d,
                                          std::size_t next_room, const Chosen& chosen) const {
  const Field& f = fields_[field]->field;
  std::vector<std::uint64_t> sums(part.nodes);
  for (std::size_t node = 0; node < part.nodes; ++node) {
    sums[node] =
        part.value[field][part.leaf_of[node] * rooms_.all_rooms + rooms_.first[d + 1] + next_room];
  }
  // Variable by variable: two sums, without and with a loop, take the place of its nodes.
  std::size_t done = 1;  // masks of the variables before
  std::size_t rest = part.nodes;
  for (const Variable& variable : part.variables) {
    const auto n = static_cast<std::size_t>(variable.degree);
    const auto degree = std::lower_bound(degrees_.begin(), degrees_.end(), variable.degree);
    const Quadrature& rule =
        fields_[field]->rule[static_cast<std::size_t>(degree - degrees_.begin())];
    const int loops = __builtin_popcount(static_cast<unsigned>(
        variable.dims & chosen.loops[static_cast<std::size_t>(variable.slot)]));
    rest /= n;
    std::vector<std::uint64_t> next(2 * done * rest);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t without =
          f.mul(rule.weight[i], f.power(rule.node[i], static_cast<std::uint64_t>(loops)));
      const std::uint64_t with = f.mul(without, rule.node[i]);
      for (std::size_t r = 0; r < rest; ++r) {
        for (std::size_t m = 0; m < done; ++m) {
          const std::uint64_t value = sums[(r * n + i) * done + m];
          std::uint64_t* const out = next.data() + 2 * done * r + m;
          out[0] = f.add(out[0], f.mul(without, value));
          out[done] = f.add(out[done], f.mul(with, value));
        }
      }
    }
    sums = std::move(next);
    done *= 2;
  }
  return sums;
}

std::vector<cpp_int> Grid::completions(std::size_t d, const Chosen& chosen) const {
  const DimTable& table = tables_.dims[d];
  std::vector<cpp_int> counts(table.cell.size());
  if (!tables_.possible) return counts;
  const Rooms& levels = rooms_;
  std::vector<int> next_of(table.move.size(), -1);
  const auto here = d == 0 ? 0 : levels.number[d].at(chosen.room);
  for (const Rooms::Step& step : levels.steps[d]) {
    if (step.from == here) next_of[step.move] = static_cast<int>(step.to);
  }
  std::vector<std::uint64_t> residue(table.cell.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Field& f = fields_[i]->field;
    std::fill(residue.begin(), residue.end(), 0);
    for (const Part& part : parts_) {
      bool fits = true;  // are the loops chosen so far allowed by the term?
      for (std::size_t s = 0; s < chosen.loops.size() && fits; ++s) {
        fits = (chosen.loops[s] & ~part.allowed[s]) == 0;
      }
      if (!fits) continue;
      const std::uint64_t times = f.of(static_cast<std::uint64_t>(std::abs(part.sign)));
      std::map<int, std::vector<std::uint64_t>> sums;
      for (std::size_t c = 0; c < table.cell.size(); ++c) {
        const int next = next_of[table.cell[c].move];
        if (next < 0 || !part.dims[d].allowed[c]) continue;
        auto place = sums.find(next);
        if (place == sums.end()) {
          place = sums.emplace(next, contract(part, i, d, static_cast<std::size_t>(next), chosen))
                      .first;
        }
        const std::uint64_t its =
            f.mul(times, f.mul(f.of(table.cell[c].chains), place->second[part.dims[d].mask[c]]));
        residue[c] = part.sign > 0 ? f.add(residue[c], its) : f.sub(residue[c], its);
      }
    }
    for (std::size_t c = 0; c < counts.size(); ++c) counts[c] += unit_[i] * f.value_of(residue[c]);
  }
  for (cpp_int& count : counts) count %= modulus_;
  return counts;
}

}  // namespace loopscape
