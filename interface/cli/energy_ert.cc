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

// "read" with the arguments of one entry. Accelergy states an action once per combination of
// address_delta and data_delta: whether the address and the data change from one access to the
// next. Both changing is the action itself.
struct ActionName {
  std::string name;
  std::string other_arguments;  // those that are not known here
};

ActionName action_name(const YAML::Node& action) {
  ActionName out{action["name"].as<std::string>(), ""};
  const YAML::Node arguments = action["arguments"];
  if (!arguments || !arguments.IsMap()) return out;
  bool address = true, data = true;
  for (const auto& argument : arguments) {
    const auto key = argument.first.as<std::string>();
    if (key == "address_delta") {
      address = argument.second.as<double>() != 0;
    } else if (key == "data_delta") {
      data = argument.second.as<double>() != 0;
    } else {
      out.other_arguments += (out.other_arguments.empty() ? "" : ", ") + key;
    }
  }
  if (!address || !data) out.name += "_same";
  if (!address) out.name += "_address";
  if (!data) out.name += "_data";
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
    if (!table["actions"] || !table["actions"].IsSequence() || table["actions"].size() == 0) {
      return wrong(file_, in_quotes(out.node) + " has no list 'actions'");
    }
    for (const YAML::Node& action : table["actions"]) {
      if (Status status = read_action(action, out); !status.ok()) return status;
    }
    const std::pair<const char*, const char*> aliases[] = {{"mac_random", "compute"},
                                                           {"mac", "compute"},
                                                           {"multiply", "compute"},
                                                           {"mac_reused", "compute_reused"},
                                                           {"mac_gated", "gated"}};
    for (const auto& [alias, name] : aliases) {
      const auto known = out.actions.find(alias);
      if (known != out.actions.end()) out.actions.emplace(name, known->second);
    }
    return {};
  }

  Status read_action(const YAML::Node& action, NamedPrices& out) const {
    const auto [name, other_arguments] = action_name(action);
    const std::string what = in_quotes(out.node) + ": the action " + in_quotes(name);
    if (!is_identifier(name)) return wrong(file_, what + " has no name of letters and digits");
    const auto pj = action["energy"].as<double>();
    if (!(pj >= 0) || pj > 1e300) {
      return wrong(file_, in_quotes(out.node) + ": the energy of " + in_quotes(name) +
                              " is no number of at least 0");
    }
    if (out.actions.emplace(name, pj).second) return {};
    return wrong(file_, what + " stands twice" +
                            (other_arguments.empty()
                                 ? ""
                                 : ", with other arguments than address_delta and data_delta (" +
                                       other_arguments + "); keep the one to charge"));
  }

  Status read_area(const YAML::Node& table) {
    NamedPrices& out = named(table);
    if (out.area_um2) return wrong(file_, in_quotes(out.node) + " has two ART tables");
    out.area_um2 = table["area"].as<double>();
    if (*out.area_um2 >= 0 && *out.area_um2 <= 1e300) return {};
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
