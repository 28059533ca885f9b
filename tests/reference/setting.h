// Short ways to write down the worlds that the tests look at.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/base.h"
#include "model/energy/energy.h"
#include "model/mapping/mapping.h"
#include "model/problem/problem.h"

namespace loopscape::reference {

// Everything but the mapping.
struct Setting {
  Problem problem;
  Arch arch;
  Conventions conventions;
  ActionCosts costs;
};

// Outermost first; compute closes the list.
class ArchBuilder {
 public:
  Memory& memory(std::string name);
  // Axes x, y, ...; one network object that multicasts every input and reduces the output.
  Fanout& fanout(std::string name, std::vector<std::uint32_t> sizes);
  Arch done() const;
  Arch arch;
};

// Different prices for everything, so that no two actions can be mistaken for each other.
ActionCosts distinct_costs(const Arch& arch);

Setting make_setting(Problem problem, Arch arch, Conventions conventions = {});

// Everything needed to see a failure again.
std::string describe(const Setting& setting, const Mapping& mapping);
std::string describe(const Conventions& conventions);

}  // namespace loopscape::reference
