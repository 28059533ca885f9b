// Random small mapspaces: few enough mappings to list, and every kind of thing in them.
#pragma once

#include <string>

#include "mapper/mapspace/mapspace.h"
#include "tests/reference/nests.h"
#include "tests/reference/setting.h"

namespace loopscape {

struct World {
  reference::Setting setting;
  MapspaceOptions options;
};

// A world whose bounds and stores leave up to some thousands of mappings, as a rule.
World random_world(reference::Random& random);

// Each name with this chance.
std::vector<std::string> some_tensors(reference::Random& random, const Problem& problem,
                                      int percent);
std::vector<std::string> some_dims(reference::Random& random, const Problem& problem, int percent);

// Everything needed to see a failure again.
std::string describe(const World& world);

}  // namespace loopscape
