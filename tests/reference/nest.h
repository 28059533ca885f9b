// The nest as the simulator sees it: loops, places in the nest, tiles and their words (A1, A2, A3).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"
#include "tests/reference/defects.h"

namespace loopscape::reference {

// A word is its coordinates in the tensor, folded into one number (row-major over the tensor).
using Word = std::int64_t;
using Words = std::vector<Word>;  // ascending, each once
using Extents = std::array<std::int64_t, kMaxDims>;

// A loop with a bound above 1; the others do not exist.
struct Loop {
  DimId dim;
  std::int64_t bound = 1, step = 1;
  bool spatial = false;
  std::size_t axis = 0, fanout = 0;  // spatial only
  std::size_t at = 0;                // index into the mapping
};

// A position in the nest: that of a store, or compute.
struct Place {
  std::size_t at = 0;              // index into the mapping; its size for compute
  Extents tile{};                  // T_d
  std::vector<std::size_t> lanes;  // the spatial loops above, outermost first
  std::vector<Extents> offsets;    // of every instance, by number
  std::size_t instances() const { return offsets.size(); }
};

struct StorePlace {
  std::size_t memory = 0;
  Place place;
};

struct Nest {
  const Problem* problem = nullptr;
  const Arch* arch = nullptr;
  std::vector<Loop> loops;                      // outermost first
  std::vector<std::vector<StorePlace>> stores;  // of each tensor, outermost first
  Place compute;
};

Nest read_nest(const Problem& problem, const Arch& arch, const Mapping& mapping);

// The place below which a memory without a store would be: it has only lanes.
Place place_of_memory(const Nest& nest, std::size_t memory);

// Place of a node among the architecture's nodes, outermost first.
std::size_t order_of(const Arch& arch, NodeKind kind, std::size_t id);

// Whether a list of roles and tensor names names this tensor.
bool names_tensor(const std::vector<std::string>& list, const Tensor& tensor);

// Width of a tensor's words and of an output's last visit: stated, by role, or a word (A8).
std::int64_t width_of(const Tensor& tensor, const Arch& arch);
std::int64_t final_width_of(const Tensor& tensor, const Arch& arch);

// Number of an instance from the indices of the loops in `lanes`, and back.
std::vector<std::int64_t> lane_indices(const Nest& nest, const std::vector<std::size_t>& lanes,
                                       std::size_t instance);

class Tiles {
 public:
  Tiles(const Problem& problem, const Conventions& conventions, Defect defect);

  // Words of the tile [begin, end), begin < end in every dimension.
  Words words(std::size_t tensor, const Extents& begin, const Extents& end) const;
  // The same with the padding that words() leaves out.
  Words words_and_padding(std::size_t tensor, const Extents& begin, const Extents& end) const;
  Words words_of_all(std::size_t tensor) const;
  // The footprint that capacity and tile_words speak of.
  std::int64_t footprint(std::size_t tensor, const Extents& tile) const;
  // Where a tile of this size that begins at `offset` ends.
  Extents end_of(const Extents& offset, const Extents& tile) const;
  bool empty_at(const Extents& offset) const;

 private:
  Words product(std::size_t tensor, const Extents& begin, const Extents& end, bool padding) const;
  Words rank_set(const Rank& rank, const Extents& begin, const Extents& end, bool box) const;

  const Problem* problem_;
  bool box_;
  Defect defect_;
  std::vector<std::vector<std::int64_t>> rank_sizes_;
};

}  // namespace loopscape::reference
