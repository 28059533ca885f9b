// Prices and their sources, for people and for other programs.
#pragma once

#include <string>

#include "interface/cli/text_table.h"
#include "model/energy/energy.h"

namespace loopscape::cli {

std::string prices_text(const ResolvedCosts& resolved, const Style& style);
std::string prices_document(const ResolvedCosts& resolved);  // JSON
// An ERT and an ART as Accelergy writes them, in one YAML document.
std::string prices_ert_art(const ResolvedCosts& resolved);

// The part that a result's explanation shows.
std::string sources_text(const std::vector<ComponentPrices>& prices, const Style& style);

std::string accuracy_text(const EnergyTables& tables, const Style& style);
std::string accuracy_document(const EnergyTables& tables);  // JSON

}  // namespace loopscape::cli
