// Families of small worlds: a setting, bounds on its nests, and the conventions to try. Together
// they exercise every rule of counting.md section A.
#pragma once

#include <string>
#include <vector>

#include "tests/reference/nests.h"
#include "tests/reference/setting.h"

namespace loopscape::reference {

struct Family {
  std::string name;
  Setting setting;
  NestBounds bounds;
};

// `size` 0: enough for planted defects; 1: the default suite; 2: the long one.
std::vector<Family> small_families(int size);

// physical, timeloop, previous_tile and two mixtures.
const std::vector<Conventions>& all_conventions();
// Every combination of the five fields.
std::vector<Conventions> every_convention();

}  // namespace loopscape::reference
