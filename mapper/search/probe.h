// Prices mappings one by one and keeps the best, for searches that do not bound. For this folder
// only.
#pragma once

#include <chrono>

#include "mapper/search/incumbent.h"

namespace loopscape {

class Probe {
 public:
  Probe(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
        const SearchLimits& limits);

  // A limit has struck; asked before every mapping.
  bool stopped() const;
  // Ok: within every capacity, and priced.
  Cost price(const Mapping& mapping);
  // Of a priced one: does it fill its memories as it must?
  bool fills(const Point& point, const Mapping& mapping);
  // A mapping of the space with its cost.
  void offer(const Mapping& mapping, const Cost& cost);
  std::uint64_t work() const { return work_; }

  // What was found; nothing is proved.
  SearchResult result() const;

 private:
  const Mapspace& space_;
  const Evaluator& evaluator_;
  SearchLimits limits_;
  ScratchPtr scratch_;
  Incumbents incumbents_;
  std::uint64_t work_ = 0, illegal_ = 0, unpriced_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace loopscape
