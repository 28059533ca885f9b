// The result of a network for people.
#include <algorithm>
#include <utility>

#include "interface/cli/map_network.h"
#include "interface/cli/map_report.h"
#include "interface/cli/numbers.h"

namespace loopscape::cli {
namespace {

// "conv2_1_b", "conv2_2_a and 4 more"
std::string name_of(const std::vector<std::string>& names) {
  std::string text = safe(names.front());
  if (names.size() == 2) text += ", " + safe(names[1]);
  if (names.size() > 2) text += " and " + std::to_string(names.size() - 1) + " more";
  return text;
}

std::string proof_of(const StoredCertificate& certificate) {
  if (certificate.proved) return "yes";
  return certificate.gap ? "gap " + percent(*certificate.gap, 1) : "no";
}

std::string head(const StoredNetwork& network, const Style& style) {
  const StoredResult& first = network.layers.front().result;
  const std::string name = safe_name(network.name, "network");
  const std::string arch = safe_name(first.arch.name, "architecture");
  const auto cycles = static_cast<double>(network.total.cycles);
  const auto operations = static_cast<double>(network.operations);
  std::string text = style.heading(name + " on " + arch) + "\n\n  " +
                     counted(network.occurrences, "layer") + ", " +
                     std::to_string(network.searches.size()) + " of them different, " +
                     counted(network.operations, "operation") + "\n\n";
  text += "  Energy       " + energy(network.total.energy_pj) + ", " +
          plain(network.total.energy_pj / operations) + " pJ per operation\n";
  text += "  Cycles       " + grouped(network.total.cycles);
  if (first.arch.clock_mhz) {
    text += ", " + duration(cycles / (*first.arch.clock_mhz * 1e6)) + " at " +
            plain(*first.arch.clock_mhz) + " MHz";
  }
  text += "\n  EDP          " + plain(network.total.energy_pj * cycles) + " pJ x cycles\n";
  return text + "  Utilization  " + percent(network.utilization, 1) + "\n";
}

std::string layers_part(const StoredNetwork& network, const Style& style) {
  TextTable table(
      {"layer", "count", "energy", "cycles", "pJ x cycles", "utilization", "proved", "seconds"});
  for (const StoredLayer& layer : network.layers) {
    const Breakdown& breakdown = layer.result.breakdown;
    const StoredCertificate& certificate = *network.searches[layer.search].result.certificate;
    table.group({name_of(layer.names), grouped(layer.count), energy(breakdown.energy_pj),
                 grouped(breakdown.cycles),
                 plain(breakdown.energy_pj * static_cast<double>(breakdown.cycles)),
                 percent(breakdown.utilization, 1), proof_of(certificate),
                 plain(certificate.seconds)});
  }
  return style.heading("Layers") + "  (of one copy)\n" + table.text();
}

std::string front_part(const StoredNetwork& network, const Style& style) {
  TextTable table({"", "energy", "cycles", "pJ x cycles"});
  constexpr std::size_t kMostRows = 40;
  const std::size_t step = (network.front.size() + kMostRows - 1) / kMostRows;
  for (std::size_t i = 0; i < network.front.size(); ++i) {
    const EnergyCycles& at = network.front[i].total;
    const bool best = at == network.total;
    if (i % step != 0 && i + 1 != network.front.size() && !best) continue;
    table.group({std::to_string(i + 1) + (best ? " (above)" : ""), energy(at.energy_pj),
                 grouped(at.cycles), plain(at.energy_pj * static_cast<double>(at.cycles))});
  }
  const StoredNetworkCertificate& certificate = network.certificate;
  std::string note = "no choice has less of both";
  if (certificate.front_gap > 0) {
    note = "no choice has less energy and fewer than 1 / " + plain(1 + certificate.front_gap) +
           " of the cycles of one of these";
  }
  if (!std::all_of(network.searches.begin(), network.searches.end(),
                   [](const auto& s) { return s.result.certificate->proved; })) {
    note = "of what was found; not proved";
  }
  std::string text = style.heading("Front") + "  (" + note + ")\n" + table.text();
  if (step > 1) {
    text += "  one of " + std::to_string(step) + " is shown, of " +
            std::to_string(network.front.size()) + "; --json has all\n";
  }
  return text;
}

std::string certificate_part(const StoredNetwork& network, const Style& style) {
  const StoredNetworkCertificate& certificate = network.certificate;
  const bool bounded = network.options.max_cycles || network.options.max_energy_pj;
  const std::string among = bounded ? " within the bounds" : "";
  const std::string& objective = network.options.objective;
  const std::string what = objective == "edp" ? "EDP" : objective == "ed2p" ? "ED2P" : objective;
  const std::string unit = objective == "energy"  ? " pJ"
                           : objective == "delay" ? " cycles"
                           : objective == "edp"   ? " pJ x cycles"
                                                  : " pJ x cycles^2";
  std::string text = style.heading("Certificate") + "\n  ";
  if (certificate.proved) {
    text += "Proved: no choice of mappings for the layers" + among + " has a lower " + what;
  } else if (certificate.gap) {
    text += "Not proved: this is the best so far, at most " + percent(*certificate.gap, 1) +
            " above the best" + among;
  } else {
    text += "Not proved: this is the best found";
  }
  const auto proved = std::count_if(
      network.searches.begin(), network.searches.end(),
      [](const StoredLayerSearch& search) { return search.result.certificate->proved; });
  text += "\n  Lower bound  " + (certificate.gap ? plain(certificate.lower_bound) + unit +
                                                       ", gap " + percent(*certificate.gap, 1)
                                                 : std::string("none is known"));
  text += "\n  Layers       " + std::to_string(proved) + " of " +
          std::to_string(network.searches.size()) + " different ones proved";
  text += "\n  Space        " + safe(network.searches.front().result.certificate->space) +
          ", of each layer";
  return text + "\n  Work         " + counted(certificate.work, "unit") + ", " +
         duration(certificate.seconds) + "\n";
}

}  // namespace

std::string network_report(const StoredNetwork& network, const Style& style) {
  std::string text = head(network, style) + "\n" + layers_part(network, style) + "\n";
  if (!network.front.empty()) text += front_part(network, style) + "\n";
  return text + certificate_part(network, style);
}

}  // namespace loopscape::cli
