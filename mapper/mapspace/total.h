// How many mappings placements have, and nothing else about them.
//
// A placement is a signed sum of plain restrictions (terms.h), and placements of one space have
// most of these in common: each is counted once. As in grid.h a quadrature makes a loop a factor,
// but here temporal slots in a row that nothing tells apart are one run. A chain with j loops in a
// run of m slots may have them in any j of these: at nodes x_1 ... x_m that is the elementary
// symmetric polynomial e_j(x), so runs take the place of slots, and multisets of nodes that of
// nodes. For this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <boost/multiprecision/cpp_int.hpp>

#include "mapper/mapspace/chains.h"
#include "mapper/mapspace/mapspace.h"

namespace loopscape {

using boost::multiprecision::cpp_int;

class Totals {
 public:
  Totals(const Problem& problem, Factors factors, const CountLimits& limits)
      : problem_(problem), limits_(limits), tuples_(factors) {}

  Result<cpp_int> of(const Placement& placement);

 private:
  const Problem& problem_;
  CountLimits limits_;
  Tuples tuples_;
  std::map<std::string, cpp_int> known_;  // plain restrictions, by signature
};

// Everything that counts depend on.
std::string signature(const Placement& placement);

}  // namespace loopscape
