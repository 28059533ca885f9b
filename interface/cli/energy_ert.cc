// Reading the energy and area reference tables of Accelergy.
#include <map>

#include <yaml-cpp/yaml.h>

#include "interface/cli/energy_sources.h"

namespace loopscape::cli {
namespace {

constexpr std::size_t kMostTables = 10000;

Status wrong(const std::string& file, const std::string& why) {
  return Status(StatusCode::kInvalidInput, why).in(file);
}

// "system.chip.PE[0..167].MAC(1..2)" is a name of MAC.
std::string last_part(const std::string& name) {
  std::string out;
  int depth = 0;
  for (const char c : name) {
    if (c == '[' || c == '(') ++depth;
    if (c == '.' && depth == 0) {
      out.clear();
    } else if (depth == 0) {
      out += c;
    }
    if (c == ']' || c == ')') --depth;
  }
  return out;
}

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Status read(const YAML::Node& document) {
    bool any = false;
    for (const char* key : {"ERT", "ART"}) {
      const YAML::Node reference = document.IsMap() ? document[key] : YAML::Node();
      if (!reference) continue;
      any = true;
      if (!reference.IsMap() || !reference["tables"].IsSequence()) {
        return wrong(file_, std::string(key) + " has no list 'tables'");
      }
      for (const YAML::Node& table : reference["tables"]) {
        if (prices_.size() > kMostTables) return wrong(file_, "too many tables");
        Status status = key[0] == 'E' ? read_energies(table) : read_area(table);
        if (!status.ok()) return status;
      }
    }
    return any ? Status() : wrong(file_, "neither ERT nor ART is at the top of this file");
  }

  std::vector<NamedPrices> take() {
    std::vector<NamedPrices> out;
    for (auto& named : prices_) out.push_back(std::move(named.second));
    return out;
  }

 private:
  NamedPrices& named(const YAML::Node& table) {
    const std::string name = last_part(table["name"].as<std::string>());
    NamedPrices& out = prices_[name];
    out.node = name;
    out.source = file_;
    return out;
  }

  Status read_energies(const YAML::Node& table) {
    NamedPrices& out = named(table);
    if (!out.actions.empty()) return wrong(file_, in_quotes(out.node) + " has two ERT tables");
    for (const YAML::Node& action : table["actions"]) {
      const auto name = action["name"].as<std::string>();
      const auto pj = action["energy"].as<double>();
      if (!(pj >= 0) || pj > 1e300) {
        return wrong(file_, in_quotes(out.node) + ": the energy of " + in_quotes(name) +
                                " is no number of at least 0");
      }
      // With arguments an action stands several times; the first is the general one.
      out.actions.emplace(name, pj);
    }
    for (const char* alias : {"mac_random", "mac", "multiply"}) {
      const auto known = out.actions.find(alias);
      if (known != out.actions.end()) out.actions.emplace("compute", known->second);
    }
    return {};
  }

  Status read_area(const YAML::Node& table) {
    NamedPrices& out = named(table);
    if (out.area_um2) return wrong(file_, in_quotes(out.node) + " has two ART tables");
    out.area_um2 = table["area"].as<double>();
    if (*out.area_um2 >= 0) return {};
    return wrong(file_, in_quotes(out.node) + ": the area is no number of at least 0");
  }

  const std::string& file_;
  std::map<std::string, NamedPrices> prices_;
};

}  // namespace

Result<std::vector<NamedPrices>> parse_ert_art(const std::string& text, const std::string& file) {
  try {
    Reader reader(file);
    if (Status status = reader.read(YAML::Load(text)); !status.ok()) return status;
    return reader.take();
  } catch (const YAML::Exception& error) {
    return Status(StatusCode::kInvalidInput, "is no ERT or ART: " + error.msg)
        .at("line " + std::to_string(error.mark.line + 1))
        .in(file);
  }
}

}  // namespace loopscape::cli
