// The dimensions of one placement combined, modulo some primes: how many mappings there are after
// the cells of the first dimensions are chosen.
//
// For one term (terms.h) and one node of every quadrature variable (field.h), a loop is a factor
// and only the room on axes couples dimensions:  G_d(room) = sum over moves of
// (sum over the cells of the move of chains * nodes of its loops) * G_{d+1}(room after the move).
// Slots between the same stops are alike, so nodes are visited in ascending order only.
// For this folder only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <boost/multiprecision/cpp_int.hpp>

#include "mapper/mapspace/field.h"
#include "mapper/mapspace/rooms.h"
#include "mapper/mapspace/tables.h"
#include "mapper/mapspace/terms.h"

namespace loopscape {

using boost::multiprecision::cpp_int;

// A quadrature variable: loops over `dims` in `slot`, which may stand in any order.
struct Variable {
  int slot;
  DimMask dims;
  int degree;        // nodes
  bool like_before;  // interchangeable with the variable before it
};

// Chosen so far: the room on each axis, and per slot the dimensions that loop there.
struct Chosen {
  std::vector<std::uint16_t> room;  // AxisRoom states
  std::vector<DimMask> loops;       // by slot
  friend auto operator<=>(const Chosen&, const Chosen&) = default;
};

class Grid {
 public:
  // An error: more work than the limits allow, or it was stopped.
  static Result<std::unique_ptr<Grid>> create(const Placement& placement,
                                              const PlacementTables& tables,
                                              const CountLimits& limits);
  ~Grid();

  // To be called before completions(). An error: more than `most_nodes` nodes.
  Status prepare_numbers(std::size_t most_nodes);
  Chosen start() const;
  // After dimensions 0 ... d-1 (in the tables' numbering) are chosen, the number of mappings of
  // each cell of dimension d, divided by the chains of the cells chosen before. Its own count.
  std::vector<cpp_int> completions(std::size_t d, const Chosen& chosen) const;
  // `chosen` with this cell added; false if it does not fit.
  bool add(std::size_t d, const Cell& cell, Chosen& chosen) const;

 private:
  struct Part;
  Grid(const Placement& placement, const PlacementTables& tables);
  Status prepare(const CountLimits& limits);
  void make_parts(const std::vector<CouplingTerm>& terms);
  double bits_bound() const;
  void fill(Part& part, std::size_t field);
  void descend(Part& part, std::size_t field, std::size_t v, std::size_t first_node,
               std::vector<std::uint64_t>& coefficients);
  void finish(Part& part, std::size_t field, const std::vector<std::uint64_t>& values);
  std::vector<std::uint64_t> contract(const Part& part, std::size_t field, std::size_t d,
                                      std::size_t next_room, const Chosen& chosen) const;
  std::vector<std::size_t> leaf_of_node(const Part& part) const;

  const Placement& placement_;
  const PlacementTables& tables_;
  Rooms rooms_;
  std::vector<Part> parts_;
  std::vector<int> degrees_;
  std::vector<std::shared_ptr<const QuadratureField>> fields_;
  std::vector<cpp_int> unit_;  // of the Chinese remainder theorem
  cpp_int modulus_;
};

}  // namespace loopscape
