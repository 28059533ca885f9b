// Random worlds small enough to price every mapping, that hold the features asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mapper/search/search.h"
#include "tests/optimality/mapspace_worlds.h"
#include "tests/optimality/optimal_features.h"

namespace loopscape {

// A world with what is to be looked for in it.
struct Quest {
  World world;
  Feature kind = Feature::kGemm;  // of problem
  Objective objective = Objective::kEdp;
  bool front = false;
  // Shares of the legal mappings that a bound leaves; 0: none at all.
  std::optional<double> share_by_cycles, share_by_energy;
};

// Mappings that the model prices, of the whole space.
struct Priced {
  Mapping mapping;
  double energy_pj = 0;
  std::int64_t cycles = 0;
};
struct Listing {
  std::size_t all = 0, illegal = 0, refused = 0;  // refused: beyond what the model counts
  std::vector<Priced> priced;
};
// Nothing: more than `most`, or the model or the mapspace refuse the setting. `independent`: by
// brute_force() rather than by the mapspace's own enumeration.
std::optional<Listing> price_all(const World& world, std::size_t most, bool independent = false);

// At least 100 mappings and 10 distinct costs.
bool counts(const Listing& listing);
FeatureSet features_of(const Quest& quest, const Listing& listing);

struct Sized {
  Quest quest;
  Listing listing;
  FeatureSet features;
};
// A world that counts, of at most `most` mappings, with the features wanted: the same for the same
// seed. Nothing: none was found in a reasonable number of tries.
std::optional<Sized> sized_quest(std::uint64_t seed, const FeatureSet& wanted, std::size_t most);

// Everything needed to see a failure again.
std::string describe(const Quest& quest);

}  // namespace loopscape
