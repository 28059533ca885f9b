// An architecture's components become requests; what is stated in place and what tables answer
// become ActionCosts.
#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "model/energy/estimate.h"

namespace loopscape {
namespace {

const char* network_name(NetworkClass network_class) {
  switch (network_class) {
    case NetworkClass::kFree:
      return "free";
    case NetworkClass::kBus:
      return "bus";
    case NetworkClass::kMulticastBus:
      return "multicast_bus";
    case NetworkClass::kMesh:
      return "mesh";
    case NetworkClass::kTree:
      return "tree";
    case NetworkClass::kCrossbar:
      return "crossbar";
    case NetworkClass::kSystolic:
      return "systolic";
    case NetworkClass::kChain:
      break;
  }
  return "chain";
}

Provenance in_place() {
  Provenance from;
  from.source = kTablesInSpec;
  from.method = "stated in the architecture";
  return from;
}

// What is known of one component while it is priced.
struct Component {
  std::string name, place;
  EstimateRequest request;
  ComponentPrices prices;
  std::optional<Estimate> estimate;
};

double as_number(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class Resolver {
 public:
  Resolver(const Arch& arch, const TableSet& set) : arch_(arch), set_(set) { out_.arch = arch; }

  Result<ResolvedCosts> run() {
    out_.tables = kTablesInSpec;
    for (std::size_t i = 0; i < arch_.nodes.size(); ++i) {
      const ArchNode node = arch_.nodes[i];
      place_ = "/nodes/" + std::to_string(i);
      Status status;
      if (node.kind == NodeKind::kMemory) {
        status = memory(arch_.memories[node.id], out_.costs.memories[node.id]);
      } else if (node.kind == NodeKind::kFanout) {
        status = networks(node.id);
        instances_ *= arch_.fanouts[node.id].children();
      } else {
        status = compute(arch_.compute, out_.costs.compute);
      }
      if (!status.ok()) return std::move(status).at(place_);
    }
    if (Status status = note_unused(); !status.ok()) return status;
    return std::move(out_);
  }

 private:
  // Prices by name that nobody took: all of them is a mistake, some are told.
  Status note_unused() {
    for (const NamedPrices& named : set_.named) {
      if (taken_.count(named.node) == 0) out_.unused.push_back(named.node + " of " + named.source);
    }
    if (out_.unused.empty() || out_.unused.size() < set_.named.size()) return {};
    std::vector<std::string> nodes;
    for (const ComponentPrices& its : out_.prices) nodes.push_back(its.node);
    return Status(StatusCode::kInvalidInput, "prices " + in_quotes(set_.named[0].node) +
                                                 (set_.named.size() > 1 ? " and others" : "") +
                                                 ", but no node of the architecture is called so" +
                                                 suggestion(set_.named[0].node, nodes))
        .in(set_.named[0].source);
  }

  const NamedPrices* named_prices(const std::string& node) {
    const auto its = std::find_if(set_.named.begin(), set_.named.end(),
                                  [&](const NamedPrices& named) { return named.node == node; });
    if (its == set_.named.end()) return nullptr;
    taken_.insert(node);
    return &*its;
  }

  static Provenance by_name(const NamedPrices& named) {
    Provenance from;
    from.source = named.source;
    from.method = "by the name of the component";
    return from;
  }

  template <class T>
  Component component_of(const T& node) const {
    Component out;
    out.name = node.name;
    out.request.component = node.class_name;
    out.request.technology_nm = arch_.technology_nm;
    out.request.voltage = arch_.voltage;
    for (const auto& [key, text] : node.attributes) {
      if (key == "type" || key == "cell" || key == "format") {
        out.request.type = text;
      } else if (key == "extrapolate") {
        out.request.extrapolate = text == "true";
      } else if (key == "technology_nm") {
        out.request.technology_nm = as_number(text);
      } else if (key == "voltage") {
        out.request.voltage = as_number(text);
      } else {
        out.request.numbers[key] = as_number(text);
        out.request.asked.insert(key);
      }
    }
    if (arch_.clock_mhz) out.request.numbers["clock_ns"] = 1000 / *arch_.clock_mhz;
    out.prices.node = node.name;
    out.prices.instances = instances_;
    out.prices.component =
        node.class_name + (out.request.type.empty() ? "" : " " + out.request.type);
    return out;
  }

  // Named prices win over tables: whoever gives them means this very node.
  Result<Estimate> find(const Component& component) {
    if (const NamedPrices* named = named_prices(component.name)) return estimate_of(*named);
    if (component.request.component.empty()) {
      return Status(StatusCode::kUnsupported, "no \"class\" says what it is");
    }
    return estimate(set_, component.request);
  }

  Result<Estimate> estimate_of(const NamedPrices& named) const {
    Estimate out;
    out.actions = named.actions;
    out.leakage_mw = named.leakage_mw;
    if (const auto leak = out.actions.find("leak"); leak != out.actions.end()) {
      // Accelergy's is per cycle.
      if (!arch_.clock_mhz) {
        return Status(StatusCode::kUnsupported,
                      named.source + " states 'leak' per cycle: give 'clock_mhz'");
      }
      out.leakage_mw = leak->second * *arch_.clock_mhz / 1000;
      out.actions.erase(leak);
    }
    out.area_um2 = named.area_um2;
    out.from = by_name(named);
    return out;
  }

  // Finds an estimate because `action` is stated nowhere.
  Status need(Component& component, const char* action, const char* meaning) {
    if (component.estimate) return {};
    Result<Estimate> found = find(component);
    if (found.ok()) {
      component.estimate = *std::move(found);
      out_.tables = set_.identity;
      return {};
    }
    const Status& why = found.status();
    if (why.code() != StatusCode::kUnsupported) return why;
    return Status(StatusCode::kInvalidInput,
                  in_quotes(component.name) + " has no energy for '" + action + "' (" + meaning +
                      "), and the tables do not tell it: " + why.message() +
                      "; or write \"energy_pj\": {\"" + action + "\": ...}")
        .at(place_ + "/energy_pj");
  }

  Status action(Component& component, const char* name, const char* meaning,
                const std::optional<double>& stated, double& out) {
    PricedNumber number{name, 0, in_place()};
    if (stated) {
      number.value = *stated;
    } else {
      if (Status s = need(component, name, meaning); !s.ok()) return s;
      const auto found = component.estimate->actions.find(name);
      if (found == component.estimate->actions.end()) {
        return Status(StatusCode::kInvalidInput,
                      in_quotes(component.name) + ": " + who_answered(*component.estimate) +
                          " has no action '" + name + "' (" + meaning +
                          "); write \"energy_pj\": {\"" + name + "\": ...}")
            .at(place_ + "/energy_pj");
      }
      number.value = found->second;
      number.from = component.estimate->from;
    }
    out = number.value;
    component.prices.actions.push_back(std::move(number));
    return {};
  }

  static const std::string& who_answered(const Estimate& estimate) {
    return estimate.from.table.empty() ? estimate.from.source : estimate.from.table;
  }

  void property(Component& component, const char* name, const std::optional<double>& stated,
                const std::optional<double>& estimated, double& out) {
    if (!stated && !estimated) return;
    PricedNumber number{name, stated ? *stated : *estimated, in_place()};
    if (!stated) number.from = component.estimate->from;
    out = number.value;
    component.prices.properties.push_back(std::move(number));
  }

  // The actions that evaluation does not charge: those stated in place, then those of the source.
  static void add_other_actions(Component& component, const ActionEnergies& stated) {
    for (const auto& [name, pj] : stated.others) {
      component.prices.actions.push_back({name, pj, in_place()});
    }
    if (!component.estimate) return;
    for (const auto& its : component.estimate->actions) {
      const auto same = [&](const PricedNumber& n) { return n.name == its.first; };
      std::vector<PricedNumber>& actions = component.prices.actions;
      if (std::any_of(actions.begin(), actions.end(), same)) continue;
      actions.push_back({its.first, its.second, component.estimate->from});
    }
  }

  template <class T, class Costs>
  Status finish(Component& component, const T& node, Costs& costs) {
    add_other_actions(component, node.energy_pj);
    const bool priced_in_place = !component.estimate;
    std::optional<double> leakage_mw, area_um2, cycle_ns;
    if (!priced_in_place) {
      leakage_mw = component.estimate->leakage_mw;
      cycle_ns = component.estimate->cycle_ns;
    } else if (!node.area_um2 && component.request.technology_nm && !node.class_name.empty()) {
      // Energies in place may be in any unit, so the tables' leakage would not go with them.
      Result<Estimate> found = find(component);
      if (found.ok()) {
        component.estimate = *std::move(found);
      } else if (found.status().code() != StatusCode::kUnsupported) {
        return found.status();
      }
    }
    if (component.estimate) area_um2 = component.estimate->area_um2;
    property(component, "leakage_mw", node.leakage_mw, leakage_mw, costs.leakage_mw);
    property(component, "area_um2", node.area_um2, area_um2, costs.area_um2);
    double ignored = 0;
    property(component, "cycle_ns", std::nullopt, cycle_ns, ignored);
    if (priced_in_place && component.estimate && area_um2) out_.tables = set_.identity;
    if (costs.leakage_mw > 0 && !arch_.clock_mhz) {
      return Status(StatusCode::kInvalidInput,
                    in_quotes(component.name) + " leaks " + number_text(costs.leakage_mw) +
                        " mW by " + who_answered(*component.estimate) +
                        ", which becomes energy through the clock: give the architecture's "
                        "'clock_mhz', or \"leakage_mw\": 0");
    }
    out_.prices.push_back(std::move(component.prices));
    return {};
  }

  Status memory(const Memory& node, MemoryCosts& costs) {
    Component component = component_of(node);
    EstimateRequest& request = component.request;
    const double width = node.width_bits != 0 ? node.width_bits : arch_.word_bits;
    component.prices.bits = static_cast<std::int64_t>(width);
    request.numbers["width_bits"] = width;
    request.numbers["banks"] = node.banks;
    request.numbers["ports"] = node.ports;
    if (node.banks != 1) request.asked.insert("banks");
    if (node.ports != 1) request.asked.insert("ports");
    if (node.size_bits) {
      request.numbers["size_bits"] = static_cast<double>(*node.size_bits);
    } else if (request.numbers.count("depth") != 0) {
      request.numbers["size_bits"] = request.numbers["depth"] * width;
    }
    request.numbers.erase("depth");
    request.asked.erase("depth");
    const ActionEnergies& stated = node.energy_pj;
    Status status = action(component, "read", "reads and drains", stated.read, costs.read_pj);
    if (!status.ok()) return status;
    status = action(component, "write", "fills", stated.write, costs.write_pj);
    if (!status.ok()) return status;
    // An update is a write unless somebody says otherwise.
    std::optional<double> update = stated.update;
    if (!update &&
        (stated.write || !component.estimate || component.estimate->actions.count("update") == 0)) {
      update = costs.write_pj;
    }
    status = action(component, "update", "updates", update, costs.update_pj);
    if (!status.ok()) return status;
    if (!stated.update && !stated.write) {
      component.prices.actions.back().from = component.estimate->from;
    }
    return finish(component, node, costs);
  }

  Status compute(const Compute& node, ComputeCosts& costs) {
    Component component = component_of(node);
    EstimateRequest& request = component.request;
    const double bits = node.bits != 0 ? node.bits : arch_.word_bits;
    component.prices.bits = static_cast<std::int64_t>(bits);
    request.numbers.try_emplace("operand_bits", bits);
    Status status =
        action(component, "compute", "operations", node.energy_pj.compute, costs.operation_pj);
    return status.ok() ? finish(component, node, costs) : status;
  }

  Status networks(std::size_t id) {
    const Fanout& fanout = arch_.fanouts[id];
    for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
      const Network& network = fanout.networks[n];
      if (network.network_class == NetworkClass::kFree) continue;
      Component component;
      component.name = fanout.name;
      component.prices.node = network_node_name(fanout, n);
      component.prices.component = network_name(network.network_class);
      component.prices.instances = instances_;
      component.prices.bits = 1;
      Status status = network_price(network, component, out_.arch.fanouts[id].networks[n]);
      if (!status.ok()) {
        return std::move(status).at(place_ + "/network" +
                                    (fanout.networks.size() > 1 ? "/" + std::to_string(n) : ""));
      }
      out_.prices.push_back(std::move(component.prices));
    }
    return {};
  }

  Status network_price(const Network& network, Component& component, Network& priced) {
    PricedNumber hop{"bit_hop", network.energy_pj_per_bit_hop, in_place()};
    std::string name = component.prices.node;
    std::replace(name.begin(), name.end(), ' ', '_');
    const NamedPrices* named = named_prices(name);
    if (network.energy_pj_per_bit_hop == 0 && (named || network.hop_mm > 0)) {
      Status status =
          named ? hop_by_name(*named, name, hop) : hop_by_length(network, component.request, hop);
      if (!status.ok()) return status;
      priced.energy_pj_per_bit_hop = hop.value;
      priced.energy_from_tables = true;
      out_.tables = set_.identity;
    } else if (network.energy_pj_per_bit_hop == 0) {
      hop.from.method = "neither energy_pj_per_bit_hop nor hop_mm is stated: hops are free";
    }
    component.prices.actions.push_back(std::move(hop));
    return {};
  }

  static Status hop_by_name(const NamedPrices& named, const std::string& name, PricedNumber& hop) {
    const auto pj = named.actions.find("bit_hop");
    if (pj == named.actions.end()) {
      return Status(StatusCode::kInvalidInput,
                    named.source + " prices the network " + in_quotes(name) +
                        " but has no action 'bit_hop' (pJ of one bit over one link); write "
                        "\"energy_pj_per_bit_hop\"");
    }
    hop.value = pj->second;
    hop.from = by_name(named);
    return {};
  }

  Status hop_by_length(const Network& network, EstimateRequest& request, PricedNumber& hop) const {
    request.component = std::string("network_") + network_name(network.network_class);
    request.technology_nm = arch_.technology_nm;
    request.voltage = arch_.voltage;
    request.numbers["length_mm"] = network.hop_mm;
    Result<Estimate> found = estimate(set_, request);
    if (found.ok()) {
      const auto pj = found->actions.find("transfer");
      if (pj == found->actions.end()) {
        return Status(StatusCode::kInvalidInput,
                      who_answered(*found) + " has no action 'transfer' for the class " +
                          in_quotes(request.component) + "; write \"energy_pj_per_bit_hop\"");
      }
      hop.value = pj->second;
      hop.from = found->from;
      return {};
    }
    if (found.status().code() != StatusCode::kUnsupported) return found.status();
    return Status(StatusCode::kInvalidInput,
                  "the energy of a hop of " + number_text(network.hop_mm) +
                      " mm is not in the tables: " + found.status().message() +
                      "; or write \"energy_pj_per_bit_hop\"");
  }

  const Arch& arch_;
  const TableSet& set_;
  ResolvedCosts out_;
  std::set<std::string> taken_;  // prices by name
  std::string place_;
  std::int64_t instances_ = 1;
};

}  // namespace

Result<ResolvedCosts> resolve_costs(const Arch& arch, const EnergyTables& tables) {
  return Resolver(arch, tables.set()).run();
}

}  // namespace loopscape
