// Costs from prices that a result carries.
#include <algorithm>

#include "model/energy/energy.h"

namespace loopscape {
namespace {

class PriceReader {
 public:
  PriceReader(const Arch& arch, const std::vector<ComponentPrices>& prices) : prices_(prices) {
    out_.arch = arch;
    out_.prices = prices;
  }

  Result<ResolvedCosts> run() {
    const Arch arch = out_.arch;
    for (const ArchNode& node : arch.nodes) {
      Status status;
      if (node.kind == NodeKind::kMemory) {
        status = memory(arch.memories[node.id].name, out_.costs.memories[node.id]);
      } else if (node.kind == NodeKind::kFanout) {
        status = networks(out_.arch.fanouts[node.id]);
      } else {
        status = compute(arch.compute.name, out_.costs.compute);
      }
      if (!status.ok()) return status;
    }
    if (next_ == prices_.size()) return std::move(out_);
    return wrong("more components are priced than the architecture has");
  }

 private:
  Status wrong(const std::string& why) const {
    return Status(StatusCode::kInvalidInput, why).at("/prices/" + std::to_string(next_));
  }

  Status open(const std::string& name) {
    if (next_ < prices_.size() && prices_[next_].node == name) return {};
    return wrong("the price of " + in_quotes(name) + " is expected here");
  }

  static const PricedNumber* find(const std::vector<PricedNumber>& numbers, const char* name) {
    const auto found = std::find_if(numbers.begin(), numbers.end(),
                                    [&](const PricedNumber& n) { return n.name == name; });
    return found == numbers.end() ? nullptr : &*found;
  }

  Status action(const char* name, double& out) const {
    const PricedNumber* number = find(prices_[next_].actions, name);
    if (!number) return wrong(std::string("the action '") + name + "' is missing");
    out = number->value;
    return {};
  }

  // What no source states is 0.
  template <class Costs>
  void properties(Costs& costs) const {
    const ComponentPrices& its = prices_[next_];
    if (const PricedNumber* number = find(its.properties, "leakage_mw")) {
      costs.leakage_mw = number->value;
    }
    if (const PricedNumber* number = find(its.properties, "area_um2")) {
      costs.area_um2 = number->value;
    }
  }

  Status memory(const std::string& name, MemoryCosts& costs) {
    if (Status s = open(name); !s.ok()) return s;
    if (Status s = action("read", costs.read_pj); !s.ok()) return s;
    if (Status s = action("write", costs.write_pj); !s.ok()) return s;
    if (Status s = action("update", costs.update_pj); !s.ok()) return s;
    properties(costs);
    ++next_;
    return {};
  }

  Status compute(const std::string& name, ComputeCosts& costs) {
    if (Status s = open(name); !s.ok()) return s;
    if (Status s = action("compute", costs.operation_pj); !s.ok()) return s;
    properties(costs);
    ++next_;
    return {};
  }

  Status networks(Fanout& fanout) {
    for (std::size_t n = 0; n < fanout.networks.size(); ++n) {
      Network& network = fanout.networks[n];
      if (network.network_class == NetworkClass::kFree) continue;
      if (Status s = open(network_node_name(fanout, n)); !s.ok()) return s;
      double pj = 0;
      if (Status s = action("bit_hop", pj); !s.ok()) return s;
      if (network.energy_pj_per_bit_hop == 0 && pj > 0) {
        network.energy_pj_per_bit_hop = pj;
        network.energy_from_tables = true;
      }
      ++next_;
    }
    return {};
  }

  const std::vector<ComponentPrices>& prices_;
  std::size_t next_ = 0;
  ResolvedCosts out_;
};

}  // namespace

std::string network_node_name(const Fanout& fanout, std::size_t network) {
  return fanout.networks.size() == 1 ? fanout.name : fanout.name + " " + std::to_string(network);
}

Result<ResolvedCosts> costs_of_prices(const Arch& arch, const std::vector<ComponentPrices>& prices,
                                      const std::string& tables) {
  Result<ResolvedCosts> out = PriceReader(arch, prices).run();
  if (out.ok()) out.value().tables = tables;
  return out;
}

}  // namespace loopscape
