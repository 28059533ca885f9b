// What one dimension may do in one placement, sorted so that dimensions can be combined.
//
// Two chains that have loops in the same slots and leave the same room on every axis are alike to
// all other dimensions: they share a cell. What is left of an axis of size M after bounds
// b_1 b_2 ... is floor(M / (b_1 b_2 ...)), which has few values; only where a rule asks for a
// least number of lanes the product itself is kept.
// For this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/mapspace/chains.h"
#include "mapper/mapspace/mapspace.h"

namespace loopscape {

class AxisRoom {
 public:
  AxisRoom(int slot, std::uint32_t size, bool exact);

  int slot() const { return slot_; }
  std::size_t states() const { return value_.size(); }
  std::size_t start() const { return start_; }
  int next(std::size_t state, std::uint32_t bound) const;                 // -1: does not fit
  std::uint64_t lanes(std::size_t state) const { return value_[state]; }  // where exact
  std::uint32_t kind_of(std::uint32_t bound) const { return kind_[bound]; }
  std::uint32_t kinds() const { return static_cast<std::uint32_t>(next_.size()); }
  int next_by_kind(std::size_t state, std::uint32_t kind) const { return next_[kind][state]; }

 private:
  int slot_;
  std::uint32_t size_;
  bool exact_;
  std::size_t start_ = 0;
  std::vector<std::uint32_t> value_, index_of_;
  std::vector<std::uint32_t> kind_;     // by bound, from 1 to size
  std::vector<std::vector<int>> next_;  // by kind, by state
};

struct CellEntry {
  std::uint64_t chains;
  std::uint32_t bounds;  // into DimTable::bounds
};

struct Cell {
  std::uint32_t move;  // into DimTable::move
  SlotMask slots;
  std::uint64_t chains;              // of all its entries
  std::size_t first_entry, entries;  // into DimTable::entry
};

// Cells by move, then by slots; entries of a cell by bounds.
struct DimTable {
  std::uint8_t dim = 0;
  std::vector<std::vector<std::uint32_t>> bounds;  // per axis slot, outermost first; 1: no loop
  std::vector<std::vector<std::uint32_t>> move;    // per axis slot its kind
  std::vector<Cell> cell;
  std::vector<CellEntry> entry;
  std::unique_ptr<Chains> chains;

  ChainShape shape(const Cell& cell, const CellEntry& entry,
                   const std::vector<AxisRoom>& axes) const;
};

struct PlacementTables {
  std::vector<DimMask> allowed;  // per slot
  std::vector<AxisRoom> axes;    // outermost first
  std::vector<DimTable> dims;    // those with a loop to place: extent > 1
  bool possible = true;          // false: a factor rule cannot hold
};

// The tables without their dimensions, and each dimension's factor rules as far as they ask
// anything.
struct Frame {
  PlacementTables tables;
  std::vector<std::vector<FactorRule>> rules;  // by dimension
};
Result<Frame> make_frame(const Problem& problem, const Placement& placement, Tuples& tuples);
// Every way of one dimension to use the axes: per axis its bound (1: no loop).
std::vector<std::vector<std::uint32_t>> axis_bounds(const Problem& problem,
                                                    const Placement& placement,
                                                    const PlacementTables& tables, std::size_t dim,
                                                    Factors factors);
// No chain of the dimension has more loops.
int most_loops(const Problem& problem, std::size_t dim);

// An error: the tables would be larger than `most_entries`.
Result<PlacementTables> make_tables(const Problem& problem, const Placement& placement,
                                    Tuples& tuples, std::uint64_t most_entries);

// Do the lanes in use satisfy every rule? `lanes` by slot.
bool lanes_allowed(const Placement& placement, const std::vector<std::uint64_t>& lanes);

}  // namespace loopscape
