// Hops by walking every time step, every lane and every word: straight from interconnect.md and
// section A of counting.md, sharing nothing with the model's counting.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/arch/arch.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"

namespace loopscape::walked {

using Words = std::set<std::vector<std::int64_t>>;
using Copies = std::map<std::vector<std::int64_t>, std::int64_t>;
using Tuple = std::vector<std::int64_t>;              // indices of some loops
using CellSet = std::set<std::vector<std::int64_t>>;  // coordinates, axes in alphabetical order

inline constexpr int kClasses = 8;
using Hops = std::array<std::int64_t, kClasses>;  // by NetworkClass

// ---- Links of one word ----

inline std::int64_t comb(const CellSet& cells, std::size_t axes_left) {
  if (axes_left == 0) return 0;
  std::map<std::int64_t, CellSet> by_coordinate;
  for (const auto& cell : cells) by_coordinate[cell[axes_left - 1]].insert(cell);
  std::int64_t links = by_coordinate.rbegin()->first;
  for (const auto& [at, part] : by_coordinate) links += comb(part, axes_left - 1);
  return links;
}

inline std::int64_t tree_edges(const CellSet& cells, const std::vector<std::int64_t>& size) {
  std::int64_t all = 1, leaves = 1;
  for (const std::int64_t s : size) all *= s;
  while (leaves < all) leaves *= 2;
  std::set<std::int64_t> nodes;  // heap numbers: the root is 1
  for (const auto& cell : cells) {
    std::int64_t number = 0;
    for (std::size_t a = size.size(); a-- > 0;) number = number * size[a] + cell[a];
    for (std::int64_t node = leaves + number; node > 1; node /= 2) nodes.insert(node);
  }
  return static_cast<std::int64_t>(nodes.size());
}

inline std::int64_t links_of(NetworkClass network, const CellSet& cells,
                             const std::vector<std::int64_t>& size, std::size_t stream) {
  std::int64_t all = 1;
  for (const std::int64_t s : size) all *= s;
  const std::size_t axes = size.size();
  switch (network) {
    case NetworkClass::kFree:
      return 0;
    case NetworkClass::kBus:
      return all;
    case NetworkClass::kCrossbar:
      return static_cast<std::int64_t>(cells.size());
    case NetworkClass::kChain:
      return static_cast<std::int64_t>(cells.size()) - 1;
    case NetworkClass::kMulticastBus: {
      if (axes == 1) return size[0];
      std::set<std::int64_t> rows;
      for (const auto& cell : cells) rows.insert(cell.back());
      return size.back() + static_cast<std::int64_t>(rows.size()) * (all / size.back());
    }
    case NetworkClass::kMesh:
      return 1 + comb(cells, axes);
    case NetworkClass::kTree:
      return tree_edges(cells, size);
    case NetworkClass::kSystolic: {
      std::map<std::vector<std::int64_t>, std::int64_t> farthest;
      for (auto cell : cells) {
        const std::int64_t at = cell[stream];
        cell[stream] = 0;
        farthest[cell] = std::max(farthest[cell], at + 1);
      }
      std::int64_t links = 0;
      for (const auto& [line, passed] : farthest) links += passed;
      return links;
    }
  }
  return 0;
}

// ---- The walk ----

struct Loop {
  std::int64_t step, bound;
  std::size_t dim, axis, fanout, at;
  bool spatial;
};

class Walk {
 public:
  Walk(const Problem& problem, const Arch& arch, const Conventions& conventions,
       const Mapping& mapping, std::size_t tensor)
      : problem_(problem),
        arch_(arch),
        conventions_(conventions),
        tensor_(tensor),
        t_(problem.tensors[tensor]) {
    list_loops(mapping);
    std::vector<std::size_t> stops;
    for (std::size_t i = 0; i < mapping.size(); ++i) {
      if (mapping[i].kind == LoopKind::kStore && ((mapping[i].tensors >> tensor) & 1u) != 0) {
        stops.push_back(i);
      }
    }
    for (std::size_t k = 0; k < stops.size(); ++k) {
      Boundary b;
      b.parent = stops[k];
      b.to_compute = k + 1 == stops.size();
      b.child = b.to_compute ? mapping.size() : stops[k + 1];
      prepare(b);
      boundaries_.push_back(b);
    }
  }

  // How many words went to children that are no product of coordinates.
  std::int64_t beyond_products() const { return beyond_products_; }

  // Hops of every fan-out with lanes, by fan-out and class.
  std::map<std::size_t, Hops> run() {
    Tuple tau(loops_.size(), 0);
    int changed = -1;
    do {
      if (busy(tau, {})) {
        for (std::size_t k = 0; k < boundaries_.size(); ++k) {
          if (changed < 0 || loops_[static_cast<std::size_t>(changed)].at < boundaries_[k].child) {
            advance(k, tau, changed);
          }
        }
      }
    } while (next(tau, changed));
    return hops_;
  }

 private:
  enum class Move { kRun, kMarch, kRepeat };
  struct Residence {
    bool from_zero = true, visited = false;
  };
  struct Instance {
    bool filled = false;
    Words held;
    std::int64_t march = -1;
    std::map<std::vector<std::int64_t>, Residence> residences;
  };
  struct Boundary {
    std::size_t parent = 0, child = 0;
    bool to_compute = false;
    std::vector<std::size_t> above;    // spatial loops outside the child
    std::vector<std::size_t> lanes;    // those of them inside the parent
    std::set<std::size_t> fanouts;     // of the lanes
    std::map<std::size_t, Move> move;  // of temporal loops outside the child
    std::size_t marching = kMaxDims;
    std::map<Tuple, Instance> child_at;  // by indices of `above`
    std::int64_t marches = 0;
  };

  bool relevant(std::size_t d) const { return ((t_.relevant >> d) & 1u) != 0; }
  bool sliding(std::size_t d) const { return ((t_.sliding >> d) & 1u) != 0; }
  bool named(const std::vector<std::string>& names) const {
    return (problem_.tensors.size() > tensor_) &&
           std::any_of(names.begin(), names.end(), [&](const std::string& n) {
             return ((problem_.tensors_called(n) >> tensor_) & 1u) != 0;
           });
  }
  bool shares(std::size_t f) const {
    if (arch_.fanouts[f].networks.empty()) return false;
    const Network& n = arch_.fanouts[f].networks[0];
    return named(t_.is_output ? n.reduce : n.multicast);
  }
  bool forwards(std::size_t f) const {
    return !t_.is_output && !arch_.fanouts[f].networks.empty() &&
           named(arch_.fanouts[f].networks[0].forward);
  }

  void list_loops(const Mapping& mapping) {
    std::array<std::int64_t, kMaxDims> reach;
    reach.fill(1);
    for (std::size_t i = mapping.size(); i-- > 0;) {
      const MappingNode& node = mapping[i];
      if (node.kind == LoopKind::kStore || node.bound == 1) continue;
      Loop loop{};
      loop.dim = node.id;
      loop.bound = node.bound;
      loop.step = reach[loop.dim];
      loop.spatial = node.kind == LoopKind::kSpatial;
      loop.at = i;
      if (loop.spatial) {
        loop.axis = node.axis;
        loop.fanout = static_cast<std::size_t>(arch_.fanout_of(node.axis_id()));
      }
      reach[loop.dim] *= loop.bound;
      loops_.insert(loops_.begin(), loop);
    }
  }

  void prepare(Boundary& b) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (!loops_[i].spatial || loops_[i].at >= b.child) continue;
      b.above.push_back(i);
      if (loops_[i].at < b.parent) continue;
      b.lanes.push_back(i);
      b.fanouts.insert(loops_[i].fanout);
    }
    bool running = !b.to_compute, marching = false, closed = false;
    for (std::size_t i = loops_.size(); i-- > 0;) {
      const Loop& loop = loops_[i];
      if (loop.at >= b.child) continue;
      if (loop.spatial) {
        if (marching && loop.dim == b.marching) closed = true;
        continue;
      }
      Move move = Move::kRepeat;
      if (running && !relevant(loop.dim)) {
        move = Move::kRun;
      } else if (!marching && !closed && sliding(loop.dim)) {
        const bool forwarding = std::any_of(b.fanouts.begin(), b.fanouts.end(),
                                            [&](std::size_t f) { return forwards(f); });
        if (!b.to_compute || forwarding) {
          marching = true;
          b.marching = loop.dim;
          move = Move::kMarch;
        }
        running = false;
      } else if (marching && !closed && loop.dim == b.marching) {
        move = Move::kMarch;
      } else {
        running = false;
        closed = true;
      }
      if (move == Move::kRepeat) closed = true;
      b.move[i] = move;
    }
  }

  bool with_marching(const Boundary& b, std::size_t dim) const {
    for (const Rank& rank : t_.ranks) {
      bool a = false, c = false;
      for (const Term& term : rank.terms) {
        a |= index(term.dim) == b.marching;
        c |= index(term.dim) == dim;
      }
      if (a && c) return true;
    }
    return false;
  }
  std::vector<std::size_t> chains(const Boundary& b) const {  // loops, innermost fan-out first
    std::map<std::size_t, std::size_t> innermost;
    for (const std::size_t i : b.lanes) innermost[loops_[i].axis] = i;
    std::vector<std::size_t> result;
    for (auto it = innermost.rbegin(); it != innermost.rend(); ++it) {
      const Loop& loop = loops_[it->second];
      if (forwards(loop.fanout) && with_marching(b, loop.dim)) result.push_back(it->second);
    }
    return result;
  }
  bool next(Tuple& tau, int& changed) const {
    for (std::size_t i = loops_.size(); i-- > 0;) {
      if (loops_[i].spatial) continue;
      if (++tau[i] < loops_[i].bound) {
        // The outermost loop that changes since the last time at which someone was busy: loops
        // skipped in between only reset what lies further in.
        changed = static_cast<int>(i);
        return true;
      }
      tau[i] = 0;
    }
    return false;
  }

  std::array<std::int64_t, kMaxDims> offset(const Tuple& tau, const Tuple& lane,
                                            const std::vector<std::size_t>& spatial,
                                            std::size_t child) const {
    std::array<std::int64_t, kMaxDims> o{};
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (!loops_[i].spatial && loops_[i].at < child) o[loops_[i].dim] += tau[i] * loops_[i].step;
    }
    for (std::size_t i = 0; i < lane.size(); ++i) {
      o[loops_[spatial[i]].dim] += lane[i] * loops_[spatial[i]].step;
    }
    return o;
  }
  bool inside(const std::array<std::int64_t, kMaxDims>& o) const {
    for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
      if (o[d] >= problem_.dims[d].extent) return false;
    }
    return true;
  }
  bool busy(const Tuple& tau, const Tuple& lane) const {
    return inside(offset(tau, lane, {}, SIZE_MAX));
  }

  Words tile(const std::array<std::int64_t, kMaxDims>& o, std::size_t child) const {
    std::array<std::int64_t, kMaxDims> size;
    size.fill(1);
    for (const Loop& loop : loops_) {
      if (loop.at >= child) size[loop.dim] *= loop.bound;
    }
    Words words{{}};
    for (const Rank& rank : t_.ranks) {
      std::set<std::int64_t> sums{0};
      for (const Term& term : rank.terms) {
        const std::size_t d = index(term.dim);
        const std::int64_t end = std::min(o[d] + size[d], problem_.dims[d].extent);
        std::set<std::int64_t> more;
        for (const std::int64_t s : sums) {
          for (std::int64_t x = o[d]; x < end; ++x) more.insert(s + term.coefficient * x);
        }
        sums = more;
      }
      if (conventions_.footprint == Conventions::Footprint::kBox && !t_.is_output) {
        for (std::int64_t x = *sums.begin(), end = *sums.rbegin(); x < end; ++x) sums.insert(x);
      }
      Words longer;
      for (const auto& w : words) {
        for (const std::int64_t x : sums) {
          if (rank.valid_begin && x < *rank.valid_begin) continue;
          if (rank.valid_end && x >= *rank.valid_end) continue;
          auto v = w;
          v.push_back(x);
          longer.insert(v);
        }
      }
      words = longer;
    }
    return words;
  }

  std::vector<Tuple> tuples(const std::vector<std::size_t>& spatial) const {
    std::vector<Tuple> all{{}};
    for (const std::size_t i : spatial) {
      std::vector<Tuple> longer;
      for (const Tuple& t : all) {
        for (std::int64_t x = 0; x < loops_[i].bound; ++x) {
          longer.push_back(t);
          longer.back().push_back(x);
        }
      }
      all = longer;
    }
    return all;
  }

  void advance(std::size_t k, const Tuple& tau, int changed) {
    Boundary& b = boundaries_[k];
    const bool ideal = conventions_.reuse == Conventions::Reuse::kPreviousTile && !b.to_compute;
    const Move move = changed < 0 ? Move::kRepeat : b.move[static_cast<std::size_t>(changed)];
    if (move == Move::kRun && !ideal) return;
    if (move == Move::kRepeat) ++b.marches;
    std::map<Tuple, Words> arrivals, asked, before;
    std::map<Tuple, Words> tiles;
    for (const Tuple& lane : tuples(b.above)) {
      Instance& here = b.child_at[lane];
      if (here.march == b.marches && move == Move::kMarch) before[lane] = here.held;
      const auto o = offset(tau, lane, b.above, b.child);
      if (!inside(o)) {
        here.march = -1;  // nothing to give to a neighbour next time
        continue;
      }
      const Words now = tile(o, b.child);
      tiles[lane] = now;
      Words arrived = now;
      if (!b.to_compute && (ideal || move == Move::kMarch)) {
        for (const auto& w : here.held) arrived.erase(w);
      }
      arrivals[lane] = arrived;
    }
    for (const auto& [lane, now] : tiles) {
      b.child_at[lane].held = now;
      b.child_at[lane].march = b.marches;
    }
    asked = arrivals;
    if (!ideal && move == Move::kMarch) forward(b, before, asked);
    send(b, asked);
    if (t_.is_output) output(k, arrivals, tiles);
  }

  void forward(Boundary& b, const std::map<Tuple, Words>& before, std::map<Tuple, Words>& asked) {
    for (const std::size_t i : chains(b)) {
      const auto place =
          static_cast<std::size_t>(std::find(b.above.begin(), b.above.end(), i) - b.above.begin());
      for (auto& [lane, words] : asked) {
        for (const int side : {-1, 1}) {
          Tuple neighbour = lane;
          neighbour[place] += side;
          const auto it = before.find(neighbour);
          if (it == before.end()) continue;
          for (const auto& w : it->second) {
            if (words.erase(w) != 0) add_links(loops_[i].fanout, 1);
          }
        }
      }
    }
  }

  void add_links(std::size_t f, std::int64_t links) {
    for (int c = 1; c < kClasses; ++c) hops_[f][static_cast<std::size_t>(c)] += links;
  }

  // The indices of `of` that belong to the loops `which` accepts.
  template <class Which>
  Tuple part(const std::vector<std::size_t>& spatial, const Tuple& of, Which which) const {
    Tuple result;
    for (std::size_t i = 0; i < spatial.size(); ++i) {
      if (which(loops_[spatial[i]])) result.push_back(of[i]);
    }
    return result;
  }

  std::vector<std::int64_t> cell(const Boundary& b, const Tuple& lane, std::size_t f) const {
    const auto first = static_cast<std::size_t>(arch_.first_axis(static_cast<FanoutId>(f)));
    std::vector<std::int64_t> at(arch_.fanouts[f].axes.size(), 0);
    for (std::size_t i = 0; i < b.above.size(); ++i) {
      const Loop& loop = loops_[b.above[i]];
      if (loop.fanout != f) continue;
      at[loop.axis - first] = at[loop.axis - first] * loop.bound + lane[i];
    }
    return at;
  }

  void send_word(std::size_t f, const CellSet& cells, std::int64_t times) {
    std::vector<std::int64_t> size;
    for (const Axis& axis : arch_.fanouts[f].axes) size.push_back(axis.size);
    const auto first = static_cast<std::size_t>(arch_.first_axis(static_cast<FanoutId>(f)));
    std::size_t stream = size.size();
    for (const Loop& loop : loops_) {
      if (loop.spatial && loop.fanout == f && !relevant(loop.dim)) {
        stream = std::min(stream, loop.axis - first);
      }
    }
    if (stream == size.size()) --stream;
    std::size_t product = 1;
    for (std::size_t a = 0; a < size.size(); ++a) {
      std::set<std::int64_t> coordinates;
      for (const auto& cell : cells) coordinates.insert(cell[a]);
      product *= coordinates.size();
    }
    if (cells.size() != product) beyond_products_ += times;
    for (int c = 0; c < kClasses; ++c) {
      hops_[f][static_cast<std::size_t>(c)] +=
          times * links_of(static_cast<NetworkClass>(c), cells, size, stream);
    }
  }

  void send(const Boundary& b, const std::map<Tuple, Words>& asked) {
    std::map<Tuple, Copies> demand;  // by full tuple of b.above with resolved loops at 0
    for (const auto& [lane, words] : asked) {
      for (const auto& w : words) demand[lane][w] = 1;
    }
    for (auto f = b.fanouts.rbegin(); f != b.fanouts.rend(); ++f) {
      std::map<Tuple, std::vector<std::pair<CellSet, Copies>>> children;  // by instance
      for (const auto& [lane, copies] : demand) {
        if (copies.empty()) continue;
        Tuple instance = lane;
        for (std::size_t i = 0; i < b.above.size(); ++i) {
          if (loops_[b.above[i]].fanout == *f) instance[i] = 0;
        }
        children[instance].push_back({{cell(b, lane, *f)}, copies});
      }
      demand.clear();
      for (auto& [instance, list] : children) demand[instance] = pass(*f, list);
    }
  }

  // One instance of a fan-out: sends the words, returns what is asked of its upper side.
  Copies pass(std::size_t f, std::vector<std::pair<CellSet, Copies>>& children) {
    const bool shared = shares(f);
    if (shared && conventions_.sharing == Conventions::Sharing::kAnyWord) {
      Copies most;
      for (const auto& [cells, copies] : children) {
        for (const auto& [w, n] : copies) most[w] = std::max(most[w], n);
      }
      for (const auto& [w, n] : most) {
        for (std::int64_t i = 1; i <= n; ++i) {
          CellSet to;
          for (const auto& [cells, copies] : children) {
            const auto it = copies.find(w);
            if (it != copies.end() && it->second >= i) to.insert(cells.begin(), cells.end());
          }
          send_word(f, to, 1);
        }
      }
      return most;
    }
    if (shared) {  // equal demands together
      std::map<Copies, CellSet> groups;
      for (const auto& [cells, copies] : children) groups[copies].insert(*cells.begin());
      children.clear();
      for (const auto& [copies, cells] : groups) children.push_back({cells, copies});
    }
    Copies sum;
    for (const auto& [cells, copies] : children) {
      for (const auto& [w, n] : copies) {
        send_word(f, cells, n);
        sum[w] += n;
      }
    }
    return sum;
  }

  void output(std::size_t k, const std::map<Tuple, Words>& arrivals,
              const std::map<Tuple, Words>& tiles) {
    Boundary& b = boundaries_[k];
    const std::size_t shared_loops = b.above.size() - b.lanes.size();  // those above the parent
    std::map<std::pair<Tuple, std::vector<std::int64_t>>, std::vector<Tuple>> groups;
    for (const auto& [lane, words] : arrivals) {  // lanes in their order
      Tuple parent;
      for (std::size_t i = 0; i < b.above.size(); ++i) {
        if (loops_[b.above[i]].at < b.parent) parent.push_back(lane[i]);
      }
      if (parent.size() != shared_loops) return;
      for (const auto& w : words) groups[{parent, w}].push_back(lane);
    }
    std::map<Tuple, Words> refilled;
    const bool every = conventions_.refill == Conventions::Refill::kEveryChild;
    for (const auto& [key, lanes] : groups) {
      Residence& home = k == 0 ? words_[key.second]
                               : boundaries_[k - 1].child_at[key.first].residences[key.second];
      const bool zero = home.from_zero && !home.visited;
      home.visited = true;
      if (zero) continue;
      for (const Tuple& lane : lanes) {
        refilled[lane].insert(key.second);
        if (!every) break;
      }
      send_refill(b, every ? lanes : std::vector<Tuple>{lanes.front()});
    }
    for (const auto& [lane, now] : tiles) {
      auto& old = b.child_at[lane].residences;
      std::map<std::vector<std::int64_t>, Residence> fresh;
      for (const auto& w : now) {
        const bool arrived = arrivals.at(lane).count(w) != 0;
        fresh[w] = arrived ? Residence{refilled[lane].count(w) == 0, false} : old[w];
      }
      old = fresh;
    }
  }

  void send_refill(const Boundary& b, const std::vector<Tuple>& lanes) {
    for (const std::size_t f : b.fanouts) {
      std::map<Tuple, CellSet> instances;
      for (const Tuple& lane : lanes) {
        const Tuple instance =
            part(b.above, lane, [&](const Loop& loop) { return loop.fanout < f; });
        instances[instance].insert(cell(b, lane, f));
      }
      for (const auto& [instance, cells] : instances) send_word(f, cells, 1);
    }
  }

  const Problem& problem_;
  const Arch& arch_;
  Conventions conventions_;
  std::size_t tensor_;
  const Tensor& t_;
  std::vector<Loop> loops_;  // outermost first
  std::vector<Boundary> boundaries_;
  std::map<std::vector<std::int64_t>, Residence> words_;  // of the outermost store
  std::map<std::size_t, Hops> hops_;
  std::int64_t beyond_products_ = 0;
};

}  // namespace loopscape::walked
