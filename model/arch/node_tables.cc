// Field tables of the nodes: memories, fan-outs with their networks, compute.
#include <algorithm>
#include <set>
#include <utility>

#include "model/arch/arch_tables.h"

namespace loopscape {

using fields::IntegerRange;
using fields::Json;
using fields::kNotNegative;
using fields::kPositive;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

Status read_node_name(const Json& json, const Reader& reader, const char* what, std::string& out) {
  if (Status s = fields::read_text(json, reader, out); !s.ok()) return s;
  if (is_node_name(out)) return {};
  return reader.error(in_quotes(out) + " is no name for " + what +
                      " (a letter or underscore, then letters, digits, '_' or '-', at most 64)");
}

Status read_identifiers(const Json& json, const Reader& reader, std::vector<std::string>& out) {
  if (Status s = fields::read_names(json, reader, out); !s.ok()) return s;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (is_identifier(out[i])) continue;
    return (json.is_array() ? reader.at(i) : reader)
        .error(in_quotes(out[i]) +
               " is no name (a letter or underscore, then letters, digits or "
               "underscores, at most 64)");
  }
  return {};
}

namespace {

constexpr IntegerRange kSize{1, std::int64_t{1} << 62};
constexpr IntegerRange kWidth{1, 1 << 24};
constexpr IntegerRange kCount{1, 65536};
constexpr IntegerRange kAxisSize{1, (std::int64_t{1} << 31) - 1};

template <class T>
void add_names(Table<T>& table, const char* key, std::vector<std::string> T::*member,
               const char* description) {
  table.custom(
      key, fields::names_schema(),
      [member](const Json& json, const Reader& reader, T& out) {
        return read_identifiers(json, reader, out.*member);
      },
      [member](const T& object) {
        return (object.*member).empty() ? OrderedJson() : OrderedJson(object.*member);
      },
      description);
}

template <class T>
void add_name(Table<T>& table, const char* key, const char* what) {
  table
      .custom(
          key, fields::type_schema("string"),
          [what](const Json& json, const Reader& reader, T& out) {
            return read_node_name(json, reader, what, out.name);
          },
          [](const T& object) { return OrderedJson(object.name); },
          std::string("Name of ") + what + ".")
      .required();
}

// --- what estimators read ---------------------------------------------------------------------

const char* const kTextAttributes[] = {"type", "cell", "format"};
const char* const kNumberAttributes[] = {
    "technology_nm",  "voltage",      "temperature_k",    "depth",           "read_ports",
    "write_ports",    "operand_bits", "accumulator_bits", "exponent_bits",   "mantissa_bits",
    "lanes",          "rows",         "columns",          "resolution_bits", "length_mm",
    "operand_b_bits", "control_pj",   "activity"};

bool is_known_attribute(const std::string& name) {
  const auto is = [&](const char* known) { return name == known; };
  return name == "extrapolate" ||
         std::any_of(std::begin(kTextAttributes), std::end(kTextAttributes), is) ||
         std::any_of(std::begin(kNumberAttributes), std::end(kNumberAttributes), is);
}

// Numbers that only tables of the user's own know.
Status read_own_attributes(const Json& json, const Reader& reader, Attributes& out) {
  if (!json.is_object()) {
    return reader.error(std::string("expected an object, found ") + fields::kind_name(json));
  }
  for (auto it = json.begin(); it != json.end(); ++it) {
    const Reader place = reader.at(it.key());
    if (!is_identifier(it.key())) return place.error(in_quotes(it.key()) + " is no name");
    if (is_known_attribute(it.key())) {
      return place.error(in_quotes(it.key()) + " is a key of the component itself");
    }
    double value = 0;
    if (Status s = fields::read_number(*it, place, kNotNegative, 1, value); !s.ok()) return s;
    out[it.key()] = number_text(value);
  }
  return {};
}

OrderedJson write_own_attributes(const Attributes& attributes) {
  OrderedJson json;
  for (const auto& [name, text] : attributes) {
    const OrderedJson number = OrderedJson::parse(text, nullptr, false);
    if (number.is_number() && !is_known_attribute(name)) json[name] = number;
  }
  return json;
}

template <class T>
OrderedJson attribute(const T& object, const char* key) {
  const auto it = object.attributes.find(key);
  return it == object.attributes.end() ? OrderedJson() : OrderedJson(it->second);
}

// Attributes are kept as text; a number's text is the shortest one that reads back as it.
template <class T>
void add_attributes(Table<T>& table) {
  table.text("class", &T::class_name, "Component class, for energy estimation.");
  for (const char* key : kTextAttributes) {
    table.custom(
        key, fields::type_schema("string"),
        [key](const Json& json, const Reader& reader, T& out) {
          return fields::read_text(json, reader, out.attributes[key]);
        },
        [key](const T& object) { return attribute(object, key); }, "For energy estimation.");
  }
  for (const char* key : kNumberAttributes) {
    table.custom(
        key, fields::number_schema(kNotNegative, true),
        [key](const Json& json, const Reader& reader, T& out) {
          double value = 0;
          Status s = fields::read_number(json, reader, kNotNegative, 1, value);
          if (s.ok()) out.attributes[key] = number_text(value);
          return s;
        },
        [key](const T& object) {
          OrderedJson text = attribute(object, key);
          if (text.is_null()) return text;
          const OrderedJson number =
              OrderedJson::parse(text.template get<std::string>(), nullptr, false);
          return number.is_number() ? number : text;
        },
        "For energy estimation.");
  }
  table.custom(
      "extrapolate", fields::type_schema("boolean"),
      [](const Json& json, const Reader& reader, T& out) {
        bool value = false;
        Status s = fields::read_flag(json, reader, value);
        if (s.ok()) out.attributes["extrapolate"] = value ? "true" : "false";
        return s;
      },
      [](const T& object) {
        OrderedJson text = attribute(object, "extrapolate");
        return text == "true" || text == "false" ? OrderedJson(text == "true") : text;
      },
      "Estimates may leave the tables' range.");
  OrderedJson own = fields::type_schema("object");
  own["additionalProperties"] = fields::number_schema(kNotNegative, true);
  table.custom(
      "attributes", own,
      [](const Json& json, const Reader& reader, T& out) {
        return read_own_attributes(json, reader, out.attributes);
      },
      [](const T& object) { return write_own_attributes(object.attributes); },
      "More numbers for component tables, by name.");
}

template <class T>
void add_costs(Table<T>& table) {
  table
      .number({{"leakage_mw"}, {"leakage_uw", 1, 1e-3}}, &T::leakage_mw, kNotNegative,
              "Leakage power of one instance; needs clock_mhz.")
      .number({{"area_um2"}, {"area_mm2", 1, 1e6}}, &T::area_um2, kNotNegative,
              "Area of one instance.")
      .flag("power_gated", &T::power_gated, "Unused instances do not leak.");
}

// An action that evaluation does not charge.
struct OtherAction {
  const char *name, *description;
};
constexpr OtherAction kOtherActions[] = {
    {"gated", "One that is held back: its clock or its input stands still. Shown, not charged."},
    {"skipped", "One that is left out together with its cycle. Shown, not charged."},
    {"idle", "Per cycle without an action, besides leakage. Shown, not charged."}};
constexpr OtherAction kOtherMemoryActions[] = {
    {"read_same_address", "At the address of the access before. Shown, not charged."},
    {"read_same_data", "Of the data of the access before. Shown, not charged."},
    {"read_same_address_data", "Of the access before once more. Shown, not charged."},
    {"write_same_address", "At the address of the access before. Shown, not charged."},
    {"write_same_data", "Of the data of the access before. Shown, not charged."},
    {"write_same_address_data", "Of the access before once more. Shown, not charged."},
    {"read_open_row", "Without an activation. Shown, not charged."},
    {"write_open_row", "Without an activation. Shown, not charged."}};
constexpr OtherAction kOtherComputeActions[] = {
    {"compute_reused", "With one operand as before. Shown, not charged."},
    {"load", "Of the operand that stands still. Shown, not charged."}};

template <std::size_t kCount>
void add_others(Table<ActionEnergies>& table, const OtherAction (&actions)[kCount]) {
  for (const OtherAction& action : actions) {
    const std::string name = action.name;
    table.custom(
        action.name, fields::number_schema(kNotNegative, true),
        [name](const Json& json, const Reader& reader, ActionEnergies& out) {
          return fields::read_number(json, reader, kNotNegative, 1, out.others[name]);
        },
        [name](const ActionEnergies& energies) {
          const auto it = energies.others.find(name);
          return it == energies.others.end() ? OrderedJson() : fields::number_json(it->second);
        },
        action.description);
  }
}

const Table<ActionEnergies>& memory_energy_table() {
  static const Table<ActionEnergies> table = [] {
    Table<ActionEnergies> t(true);
    t.number("read", &ActionEnergies::read, kNotNegative, "Per access of width_bits.")
        .number("write", &ActionEnergies::write, kNotNegative,
                "Per access of width_bits; prices fills.")
        .number("update", &ActionEnergies::update, kNotNegative,
                "Per access of width_bits; prices updates; default: as write.");
    add_others(t, kOtherMemoryActions);
    add_others(t, kOtherActions);
    return t;
  }();
  return table;
}

const Table<ActionEnergies>& compute_energy_table() {
  static const Table<ActionEnergies> table = [] {
    Table<ActionEnergies> t(true);
    t.number("compute", &ActionEnergies::compute, kNotNegative, "Per operation.");
    add_others(t, kOtherComputeActions);
    add_others(t, kOtherActions);
    return t;
  }();
  return table;
}

// --- fan-outs --------------------------------------------------------------------------------

Status expect_object(const Json& json, const Reader& reader) {
  if (json.is_object()) return {};
  return reader.error(std::string("expected an object, found ") + fields::kind_name(json));
}

Status read_axes(const Json& json, const Reader& reader, Fanout& out) {
  if (Status s = expect_object(json, reader); !s.ok()) return s;
  for (auto it = json.begin(); it != json.end(); ++it) {
    const Reader place = reader.at(it.key());
    Axis axis;
    axis.name = it.key();
    if (!is_identifier(axis.name)) {
      return place.error(in_quotes(axis.name) +
                         " is no name for an axis (a letter or underscore, "
                         "then letters, digits or underscores)");
    }
    std::int64_t size = 0;
    if (Status s = fields::read_integer(*it, place, kAxisSize, 1, size); !s.ok()) return s;
    axis.size = static_cast<std::uint32_t>(size);
    out.axes.push_back(std::move(axis));
  }
  if (out.axes.empty()) return reader.error("a fan-out has at least one axis: {\"x\": 16}");
  if (out.axes.size() > kMaxAxesPerFanout) {
    return reader.error("a fan-out has at most " + std::to_string(kMaxAxesPerFanout) + " axes");
  }
  return {};
}

OrderedJson write_axes(const Fanout& fanout) {
  OrderedJson json = OrderedJson::object();
  for (const Axis& axis : fanout.axes) json[axis.name] = axis.size;
  return json;
}

// Stands after "axes" in the table, so the axes are known.
Status read_axis_dims(const Json& json, const Reader& reader, Fanout& out) {
  if (Status s = expect_object(json, reader); !s.ok()) return s;
  std::vector<std::string> names;
  for (const Axis& axis : out.axes) names.push_back(axis.name);
  for (auto it = json.begin(); it != json.end(); ++it) {
    const auto axis = std::find(names.begin(), names.end(), it.key());
    if (axis == names.end()) {
      return reader.at(it.key()).error("unknown axis " + in_quotes(it.key()) +
                                       suggestion(it.key(), names));
    }
    std::vector<std::string>& dims = out.axes[static_cast<std::size_t>(axis - names.begin())].dims;
    if (Status s = read_identifiers(*it, reader.at(it.key()), dims); !s.ok()) return s;
  }
  return {};
}

OrderedJson write_axis_dims(const Fanout& fanout) {
  OrderedJson json;
  for (const Axis& axis : fanout.axes) {
    if (!axis.dims.empty()) json[axis.name] = axis.dims;
  }
  return json;
}

OrderedJson map_schema(OrderedJson value) {
  OrderedJson schema = fields::type_schema("object");
  schema["additionalProperties"] = std::move(value);
  return schema;
}

const Table<Network>& network_table() {
  static const Table<Network> table = [] {
    Table<Network> t(true);
    t.choice("class", &Network::network_class,
             {{"free", NetworkClass::kFree},
              {"bus", NetworkClass::kBus},
              {"multicast_bus", NetworkClass::kMulticastBus},
              {"mesh", NetworkClass::kMesh},
              {"tree", NetworkClass::kTree},
              {"crossbar", NetworkClass::kCrossbar},
              {"systolic", NetworkClass::kSystolic},
              {"chain", NetworkClass::kChain}},
             "How words travel; default free (no energy, no delay).");
    add_names(t, "tensors", &Network::tensors,
              "What it carries; default: all not named elsewhere.");
    add_names(t, "multicast", &Network::multicast, "Inputs whose common words are read once.");
    add_names(t, "reduce", &Network::reduce,
              "Outputs whose partial results are summed on the way.");
    add_names(t, "forward", &Network::forward, "Inputs that neighbours hand on.");
    t.custom(
         "energy_pj_per_bit_hop", fields::number_schema(kNotNegative, true),
         [](const Json& json, const Reader& reader, Network& out) {
           return fields::read_number(json, reader, kNotNegative, 1, out.energy_pj_per_bit_hop);
         },
         [](const Network& network) {
           const bool stated = network.energy_pj_per_bit_hop != 0 && !network.energy_from_tables;
           return stated ? fields::number_json(network.energy_pj_per_bit_hop) : OrderedJson();
         },
         "Energy of one bit over one link; default: that of 'hop_mm' of wire.")
        .number({{"hop_mm"}, {"hop_um", 1, 1e-3}}, &Network::hop_mm, kNotNegative,
                "Length of one link.")
        .number({{"bandwidth_bits"}, {"bandwidth_bytes", 1, 8}}, &Network::bandwidth_bits,
                kPositive, "Per cycle, of the whole network; default: unlimited.")
        .number("latency_cycles", &Network::latency_cycles, kNotNegative, "Added once.")
        .flag("preload", &Network::preload,
              "Systolic: loading the stationary operand takes time before each fold.")
        .text("preload_axis", &Network::preload_axis,
              "Systolic: the axis along which it is loaded; default: the last one.")
        .flag("pipelined", &Network::pipelined,
              "Systolic: folds follow each other without a gap; needs \"preload\": false.");
    return t;
  }();
  return table;
}

Status read_networks(const Json& json, const Reader& reader, Fanout& out) {
  if (!json.is_array()) return network_table().read(json, reader, out.networks.emplace_back());
  if (json.size() > kMaxTensors) {
    return reader.error("more than " + std::to_string(kMaxTensors) + " networks in one fan-out");
  }
  for (std::size_t i = 0; i < json.size(); ++i) {
    Status s = network_table().read(json[i], reader.at(i), out.networks.emplace_back());
    if (!s.ok()) return s;
  }
  return {};
}

OrderedJson write_networks(const Fanout& fanout) {
  if (fanout.networks.size() == 1) return network_table().write(fanout.networks[0]);
  OrderedJson json;
  for (const Network& network : fanout.networks) json.push_back(network_table().write(network));
  return json;
}

OrderedJson networks_schema() {
  OrderedJson list = fields::list_schema(network_table().schema());
  list["maxItems"] = kMaxTensors;
  OrderedJson schema = OrderedJson::object();
  schema["anyOf"] = OrderedJson::array({network_table().schema(), list});
  return schema;
}

OrderedJson axes_schema() {
  OrderedJson schema = map_schema(fields::integer_schema(kAxisSize, true));
  schema["minProperties"] = 1;
  schema["maxProperties"] = kMaxAxesPerFanout;
  return schema;
}

}  // namespace

const Table<Memory>& memory_table() {
  static const Table<Memory> table = [] {
    Table<Memory> t(true);
    add_name(t, "memory", "a memory");
    add_attributes(t);
    t.integer({{"size_bits"},
               {"size_bytes", 8},
               {"size_kib", 8192},
               {"size_mib", 8 << 20},
               {"words", 0}},
              &Memory::size_bits, kSize, "Capacity of one instance; default: unlimited.")
        .integer("width_bits", &Memory::width_bits, kWidth, "One access; default: one word.")
        .integer("banks", &Memory::banks, kCount, "Banks.")
        .integer("ports", &Memory::ports, kCount, "Ports, for energy estimation.")
        .number({{"read_bits"}, {"read_bytes", 1, 8}}, &Memory::read_bits, kPositive,
                "Read bandwidth per cycle and instance; default: unlimited.")
        .number({{"write_bits"}, {"write_bytes", 1, 8}}, &Memory::write_bits, kPositive,
                "Write bandwidth per cycle and instance; default: unlimited.")
        .number({{"bandwidth_bits"}, {"bandwidth_bytes", 1, 8}}, &Memory::bandwidth_bits, kPositive,
                "Reads and writes together, per cycle and instance.")
        .number("latency_cycles", &Memory::latency_cycles, kNotNegative, "Added once.")
        .choice("buffering", &Memory::buffering,
                {{"ideal", Buffering::kIdeal},
                 {"single", Buffering::kSingle},
                 {"double", Buffering::kDouble},
                 {"buffet", Buffering::kBuffet}},
                "How transfers hide behind work; default ideal.");
    add_names(t, "keep", &Memory::keep, "Roles or tensors that must be stored here.");
    add_names(t, "bypass", &Memory::bypass, "Roles or tensors that must not be stored here.");
    t.object("energy_pj", &Memory::energy_pj, memory_energy_table(), "Energy of its actions.");
    add_costs(t);
    return t;
  }();
  return table;
}

const Table<Fanout>& fanout_table() {
  static const Table<Fanout> table = [] {
    Table<Fanout> t(true);
    add_name(t, "fanout", "a fan-out");
    t.custom("axes", axes_schema(), read_axes, write_axes,
             "Size of every axis; axes are numbered in alphabetical order.")
        .required()
        .custom("dims", map_schema(fields::names_schema()), read_axis_dims, write_axis_dims,
                "Per axis, the dimensions that may be unrolled on it; default: any.")
        .custom("network", fields::Schema(networks_schema), read_networks, write_networks,
                "One network, or a list of them, one per set of tensors.");
    return t;
  }();
  return table;
}

const Table<Compute>& compute_table() {
  static const Table<Compute> table = [] {
    Table<Compute> t(true);
    add_name(t, "compute", "the compute node");
    add_attributes(t);
    t.integer("bits", &Compute::bits, {1, 65536}, "Operand width; default: word_bits.")
        .number("interval_cycles", &Compute::interval_cycles, kPositive, "Initiation interval.")
        .number("latency_cycles", &Compute::latency_cycles, kNotNegative, "Added once.")
        .object("energy_pj", &Compute::energy_pj, compute_energy_table(), "Energy per operation.");
    add_costs(t);
    return t;
  }();
  return table;
}

}  // namespace loopscape
