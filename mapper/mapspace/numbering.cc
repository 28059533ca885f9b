// Numbers of mappings: sizes, rank, unrank, samples.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "mapper/mapspace/arrange.h"
#include "mapper/mapspace/grid.h"
#include "mapper/mapspace/mapspace.h"
#include "mapper/mapspace/total.h"

namespace loopscape {
namespace {

BigCount to_count(const cpp_int& value) {
  std::vector<std::uint64_t> limbs;
  for (cpp_int rest = value; rest != 0; rest >>= 64) {
    limbs.push_back(static_cast<std::uint64_t>(rest & UINT64_MAX));
  }
  return BigCount::from_limbs(std::move(limbs));
}

cpp_int to_integer(const BigCount& count) {
  cpp_int value = 0;
  for (std::size_t i = count.limbs().size(); i-- > 0;) value = (value << 64) + count.limbs()[i];
  return value;
}

// Cumulative counts of the cells of one dimension, after those of the dimensions before.
struct Choice {
  std::vector<cpp_int> upto;  // inclusive
};

struct Counted {
  PlacementTables tables;
  std::unique_ptr<Grid> grid;  // of `tables`
  std::map<std::pair<std::size_t, Chosen>, Choice> choices;
};

constexpr std::size_t kKept = 8;            // placements whose tables are kept
constexpr std::size_t kKeptChoices = 4096;  // per placement

// A number that is taken apart digit by digit, the most significant first.
class Digits {
 public:
  Digits(cpp_int number, cpp_int range) : number_(std::move(number)), range_(std::move(range)) {}
  std::uint64_t take(std::uint64_t base) {
    range_ /= base;
    const cpp_int digit = number_ / range_;
    number_ -= digit * range_;
    return static_cast<std::uint64_t>(digit);
  }

 private:
  cpp_int number_, range_;
};

}  // namespace

struct Numbering::State {
  Mapspace space;
  CountLimits limits;
  Tuples tuples{Factors::kRagged};
  BigCount size;
  std::vector<BigCount> sizes;
  std::vector<cpp_int> upto;                // by placement, inclusive
  std::vector<std::size_t> representative;  // the first placement that counts alike
  std::map<std::size_t, std::unique_ptr<Counted>> kept;

  Result<Counted*> counted(std::size_t placement);
  Status prepare();
  const Choice& choice(Counted& its, std::size_t d, const Chosen& chosen);
};

Result<Counted*> Numbering::State::counted(std::size_t placement) {
  const std::size_t first = representative[placement];
  if (const auto found = kept.find(first); found != kept.end()) return found->second.get();
  if (kept.size() >= kKept) kept.clear();
  auto made = std::make_unique<Counted>();
  const Placement& its = space.placements()[first];
  Result<PlacementTables> tables = make_tables(space.problem(), its, tuples, limits.most_entries);
  if (!tables.ok()) return tables.status();
  made->tables = std::move(tables).value();
  Result<std::unique_ptr<Grid>> grid = Grid::create(its, made->tables, limits);
  if (!grid.ok()) return grid.status();
  made->grid = std::move(grid).value();
  return kept.emplace(first, std::move(made)).first->second.get();
}

Status Numbering::State::prepare() {
  std::map<std::string, std::size_t> known;  // those that differ in names of stores count alike
  Totals totals(space.problem(), space.options().factors, limits);
  cpp_int sum = 0;
  for (std::size_t p = 0; p < space.placements().size(); ++p) {
    const std::size_t first = known.emplace(signature(space.placements()[p]), p).first->second;
    representative.push_back(first);
    if (first == p) {
      const Result<cpp_int> its = totals.of(space.placements()[p]);
      if (!its.ok()) return its.status();
      sizes.push_back(to_count(*its));
    } else {
      sizes.push_back(sizes[first]);
    }
    sum += to_integer(sizes.back());
    upto.push_back(sum);
  }
  size = to_count(sum);
  return {};
}

const Choice& Numbering::State::choice(Counted& its, std::size_t d, const Chosen& chosen) {
  const auto key = std::make_pair(d, chosen);
  if (const auto found = its.choices.find(key); found != its.choices.end()) return found->second;
  if (its.choices.size() >= kKeptChoices) its.choices.clear();
  Choice made;
  cpp_int sum = 0;
  for (const cpp_int& count : its.grid->completions(d, chosen)) made.upto.push_back(sum += count);
  return its.choices.emplace(key, std::move(made)).first->second;
}

Result<Numbering> Numbering::create(const Mapspace& space, const CountLimits& limits) {
  auto state = std::make_unique<State>();
  state->space = space;
  state->limits = limits;
  state->tuples = Tuples(space.options().factors);
  if (Status status = state->prepare(); !status.ok()) return status;
  return Numbering(std::move(state));
}

Numbering::Numbering(std::unique_ptr<State> state) : state_(std::move(state)) {}
Numbering::Numbering(Numbering&&) noexcept = default;
Numbering& Numbering::operator=(Numbering&&) noexcept = default;
Numbering::~Numbering() = default;

const BigCount& Numbering::size() const { return state_->size; }
const std::vector<BigCount>& Numbering::sizes() const { return state_->sizes; }

Result<Point> Numbering::unrank(const BigCount& number) {
  State& state = *state_;
  cpp_int rest = to_integer(number);
  const auto found = std::upper_bound(state.upto.begin(), state.upto.end(), rest);
  if (found == state.upto.end()) {
    return Status(StatusCode::kInvalidInput,
                  "mapping number " + number.decimal() + " is not in the mapspace, which has " +
                      state.size.decimal() + " mappings, numbered from 0");
  }
  const auto p = static_cast<std::size_t>(found - state.upto.begin());
  if (p > 0) rest -= state.upto[p - 1];
  Result<Counted*> counted = state.counted(p);
  if (!counted.ok()) return counted.status();
  Counted& its = **counted;
  if (Status s = its.grid->prepare_numbers(state.limits.most_numbered_nodes); !s.ok()) return s;

  Chosen chosen = its.grid->start();
  std::vector<const Cell*> cells;
  cpp_int chains = 1;  // of the cells chosen; a completion stands for as many mappings
  for (std::size_t d = 0; d < its.tables.dims.size(); ++d) {
    const std::vector<cpp_int>& upto = state.choice(its, d, chosen).upto;
    const cpp_int each = rest / chains;
    const auto cell =
        static_cast<std::size_t>(std::upper_bound(upto.begin(), upto.end(), each) - upto.begin());
    if (cell > 0) rest -= upto[cell - 1] * chains;
    cells.push_back(&its.tables.dims[d].cell[cell]);
    its.grid->add(d, *cells.back(), chosen);
    chains *= cells.back()->chains;
  }
  const Arranger arranger(state.space.placements()[p]);
  cpp_int range = chains;
  for (std::size_t s = 0; s < chosen.loops.size(); ++s) {
    range *= arranger.orders(s, chosen.loops[s]);
  }
  Digits digits(rest, range);
  Point point{static_cast<std::uint32_t>(p), {}};
  point.slots.resize(chosen.loops.size());
  for (std::size_t d = 0; d < cells.size(); ++d) {
    const DimTable& table = its.tables.dims[d];
    put(table.dim, chain_of_cell(table, *cells[d], its.tables.axes, digits.take(cells[d]->chains)),
        point);
  }
  for (std::size_t s = 0; s < chosen.loops.size(); ++s) {
    const std::uint64_t order = digits.take(arranger.orders(s, chosen.loops[s]));
    reorder(s, arranger.unrank(s, chosen.loops[s], order), point);
  }
  return point;
}

Result<BigCount> Numbering::rank(const Point& point) {
  State& state = *state_;
  const Status stranger(StatusCode::kInvalidInput, "the mapping is not in the mapspace");
  if (point.placement >= state.space.placements().size()) return stranger;
  const Placement& placement = state.space.placements()[point.placement];
  if (point.slots.size() != placement.slots.size()) return stranger;
  Result<Counted*> counted = state.counted(point.placement);
  if (!counted.ok()) return counted.status();
  Counted& its = **counted;
  if (Status s = its.grid->prepare_numbers(state.limits.most_numbered_nodes); !s.ok()) return s;

  Chosen chosen = its.grid->start();
  cpp_int number = point.placement > 0 ? state.upto[point.placement - 1] : cpp_int(0);
  cpp_int chains = 1;
  cpp_int inside = 0;  // the digits of chains and orders
  for (std::size_t d = 0; d < its.tables.dims.size(); ++d) {
    const DimTable& table = its.tables.dims[d];
    const DimChoice choice = choice_of(table.dim, point, its.tables);
    const std::vector<cpp_int>& upto = state.choice(its, d, chosen).upto;
    std::uint64_t digit = 0;
    std::size_t c = 0;
    while (c < table.cell.size() &&
           !(table.cell[c].slots == choice.slots &&
             number_in_cell(table, table.cell[c], its.tables.axes, choice, digit))) {
      ++c;
    }
    if (c == table.cell.size() || !its.grid->add(d, table.cell[c], chosen)) return stranger;
    if (c > 0) number += upto[c - 1] * chains;
    chains *= table.cell[c].chains;
    inside = inside * table.cell[c].chains + digit;
  }
  const Arranger arranger(placement);
  for (std::size_t s = 0; s < chosen.loops.size(); ++s) {
    std::vector<std::uint8_t> order;
    for (const Point::Loop& loop : point.slots[s]) order.push_back(loop.dim);
    if (order.size() != static_cast<std::size_t>(__builtin_popcount(chosen.loops[s]))) {
      return stranger;
    }
    if (!arranger.fits(s, order)) return stranger;
    inside = inside * arranger.orders(s, chosen.loops[s]) + arranger.rank(s, order);
  }
  if (!arranger.possible(chosen.loops, true)) return stranger;
  return to_count(number + inside);
}

Result<Point> Numbering::sample(std::mt19937_64& random) {
  const cpp_int size = to_integer(state_->size);
  if (size == 0) return Status(StatusCode::kInvalidInput, "the mapspace is empty");
  const std::size_t bits = size == 1 ? 0 : msb(cpp_int(size - 1)) + 1;
  for (;;) {
    cpp_int number = 0;
    for (std::size_t word = 0; word * 64 < bits; ++word) number |= cpp_int(random()) << (64 * word);
    number &= (cpp_int(1) << bits) - 1;
    if (number < size) return unrank(to_count(number));
  }
}

}  // namespace loopscape
