#include "model/evaluate/result_tables.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

// In a result every number is written, zero or not, and must be there when it is read.
template <class T, class M>
void count(Table<T>& table, const char* key, M T::*member, const char* description,
           fields::IntegerRange range = {}) {
  table
      .custom(
          key, fields::integer_schema(range, false),
          [member, range](const Json& json, const Reader& reader, T& out) {
            std::int64_t value = 0;
            Status status = fields::read_integer(json, reader, range, 1, value);
            out.*member = static_cast<M>(value);
            return status;
          },
          [member](const T& object) { return OrderedJson(object.*member); }, description)
      .required();
}

template <class T>
void number(Table<T>& table, const char* key, double T::*member, const char* description) {
  table
      .custom(
          key, fields::number_schema(fields::kNotNegative, false),
          [member](const Json& json, const Reader& reader, T& out) {
            return fields::read_number(json, reader, fields::kNotNegative, 1, out.*member);
          },
          [member](const T& object) { return fields::number_json(object.*member); }, description)
      .required();
}

template <class T>
void text(Table<T>& table, const char* key, std::string T::*member, const char* description) {
  table
      .custom(
          key, {{"type", "string"}},
          [member](const Json& json, const Reader& reader, T& out) {
            return fields::read_text(json, reader, out.*member);
          },
          [member](const T& object) { return OrderedJson(object.*member); }, description)
      .required();
}

// A part of T with a table of its own, always written.
template <class T, class U>
void part(Table<T>& table, const char* key, U T::*member, const Table<U>& inner,
          const char* description) {
  table
      .custom(
          key, fields::Schema([&inner] { return inner.schema(); }),
          [member, &inner](const Json& json, const Reader& reader, T& out) {
            return inner.read(json, reader, out.*member);
          },
          [member, &inner](const T& object) { return inner.write(object.*member); }, description)
      .required();
}

template <class T, class U>
void parts(Table<T>& table, const char* key, std::vector<U> T::*member, const Table<U>& inner,
           const char* description) {
  table
      .custom(
          key, fields::Schema([&inner] { return fields::list_schema(inner.schema()); }),
          [member, &inner](const Json& json, const Reader& reader, T& out) {
            if (!json.is_array()) {
              return reader.error(std::string("expected a list, found ") + fields::kind_name(json));
            }
            for (std::size_t i = 0; i < json.size(); ++i) {
              U value;
              if (Status s = inner.read(json[i], reader.at(i), value); !s.ok()) return s;
              (out.*member).push_back(std::move(value));
            }
            return Status();
          },
          [member, &inner](const T& object) {
            OrderedJson json = OrderedJson::array();
            for (const U& value : object.*member) json.push_back(inner.write(value));
            return json;
          },
          description)
      .required();
}

// An object of another format, kept for that format's reader; its writer puts it in its place.
template <class T>
void raw(Table<T>& table, const char* key, Json T::*member, const char* description) {
  table
      .custom(
          key, {{"type", "object"}},
          [member](const Json& json, const Reader& reader, T& out) {
            if (!json.is_object()) {
              return reader.error(std::string("expected an object, found ") +
                                  fields::kind_name(json));
            }
            out.*member = json;
            return Status();
          },
          [](const T&) { return OrderedJson::object(); }, description)
      .required();
}

// {"W": {...}}: one object per tensor.
template <class T, class U>
void by_tensor(Table<T>& table, std::vector<std::pair<std::string, U>> T::*member,
               const Table<U>& inner) {
  const auto schema = [&inner] {
    OrderedJson all = {{"type", "object"}};
    all["additionalProperties"] = inner.schema();
    return all;
  };
  table
      .custom(
          "tensors", fields::Schema(schema),
          [member, &inner](const Json& json, const Reader& reader, T& out) {
            if (!json.is_object()) {
              return reader.error(std::string("expected an object, found ") +
                                  fields::kind_name(json));
            }
            for (const auto& [name, value] : json.items()) {
              U at;
              if (Status s = inner.read(value, reader.at(name), at); !s.ok()) return s;
              (out.*member).emplace_back(name, std::move(at));
            }
            return Status();
          },
          [member, &inner](const T& object) {
            OrderedJson json = OrderedJson::object();
            for (const auto& [name, at] : object.*member) json[name] = inner.write(at);
            return json;
          },
          "By tensor.")
      .required();
}

const Table<Traffic>& traffic_table() {
  static const Table<Traffic> table = [] {
    Table<Traffic> t;
    count(t, "reads", &Traffic::reads, "To serve children, or to resume partial sums.");
    count(t, "fills", &Traffic::fills, "Written because the parent delivered.");
    count(t, "updates", &Traffic::updates, "Written because a child delivered.");
    count(t, "drains", &Traffic::drains, "Read to be sent to the parent.");
    return t;
  }();
  return table;
}

const Table<TensorAtMemory>& tensor_at_memory_table() {
  static const Table<TensorAtMemory> table = [] {
    Table<TensorAtMemory> t;
    count(t, "tile_words", &TensorAtMemory::tile_words, "Footprint of one full tile.");
    t.include(&TensorAtMemory::words, traffic_table());
    part(t, "accesses", &TensorAtMemory::accesses, traffic_table(),
         "The same in accesses of the memory's own width.");
    number(t, "energy_pj", &TensorAtMemory::energy_pj, "Of these accesses.");
    return t;
  }();
  return table;
}

const Table<MemoryReport>& memory_report_table() {
  static const Table<MemoryReport> table = [] {
    Table<MemoryReport> t;
    count(t, "instances", &MemoryReport::instances, "How often it exists.");
    count(t, "instances_used", &MemoryReport::instances_used, "Those that are ever busy.");
    number(t, "energy_pj", &MemoryReport::energy_pj, "Of all accesses.");
    number(t, "leakage_pj", &MemoryReport::leakage_pj, "Leakage power times time.");
    count(t, "occupied_bits", &MemoryReport::occupied_bits, "In use, per instance.");
    number(t, "read_cycles", &MemoryReport::read_cycles, "Busiest instance, read port.");
    number(t, "write_cycles", &MemoryReport::write_cycles, "Busiest instance, write port.");
    number(t, "shared_cycles", &MemoryReport::shared_cycles, "Busiest instance, shared port.");
    return t;
  }();
  return table;
}

const Table<ResultDoc::OfMemory>& memory_table() {
  using Doc = ResultDoc::OfMemory;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    text(t, "name", &Doc::name, "As in the architecture.");
    number(t, "cycles", &Doc::cycles, "Largest of its overlapped transfers.");
    t.include(&Doc::report, memory_report_table());
    by_tensor(t, &Doc::tensors, tensor_at_memory_table());
    return t;
  }();
  return table;
}

const Table<TensorAtNetwork>& tensor_at_network_table() {
  using At = TensorAtNetwork;
  static const Table<At> table = [] {
    Table<At> t;
    count(t, "words_in", &At::words_in, "Enter from the parent.");
    count(t, "words_delivered", &At::words_delivered, "Reach children.");
    count(t, "words_collected", &At::words_collected, "Results that children send.");
    count(t, "words_out", &At::words_out, "Results that reach the parent.");
    count(t, "forwarded", &At::forwarded, "Delivered by a neighbour.");
    count(t, "hops", &At::hops,
          "Words times links travelled; -1 where a free network's links are not counted.", {-1});
    count(t, "reductions", &At::reductions, "Additions in the network.");
    number(t, "energy_pj", &At::energy_pj, "Of these hops.");
    return t;
  }();
  return table;
}

const Table<FanoutReport>& fanout_report_table() {
  static const Table<FanoutReport> table = [] {
    Table<FanoutReport> t;
    count(t, "children_used", &FanoutReport::children_used, "Lanes in use below one instance.");
    number(t, "energy_pj", &FanoutReport::energy_pj, "Of all hops.");
    return t;
  }();
  return table;
}

const Table<ResultDoc::OfNetwork>& network_table() {
  using Doc = ResultDoc::OfNetwork;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    text(t, "name", &Doc::name, "The fan-out, as in the architecture.");
    number(t, "cycles", &Doc::cycles, "Of its slowest network.");
    t.include(&Doc::report, fanout_report_table());
    by_tensor(t, &Doc::tensors, tensor_at_network_table());
    return t;
  }();
  return table;
}

const Table<ComputeReport>& compute_report_table() {
  static const Table<ComputeReport> table = [] {
    Table<ComputeReport> t;
    count(t, "instances", &ComputeReport::instances, "How often it exists.");
    count(t, "instances_used", &ComputeReport::instances_used, "Those that are ever busy.");
    count(t, "steps", &ComputeReport::steps, "Of the busiest instance.");
    number(t, "cycles", &ComputeReport::cycles, "Steps times the initiation interval.");
    number(t, "energy_pj", &ComputeReport::energy_pj, "Of all operations.");
    number(t, "leakage_pj", &ComputeReport::leakage_pj, "Leakage power times time.");
    return t;
  }();
  return table;
}

const Table<ResultDoc::OfCompute>& compute_table() {
  using Doc = ResultDoc::OfCompute;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    text(t, "name", &Doc::name, "As in the architecture.");
    t.include(&Doc::report, compute_report_table());
    return t;
  }();
  return table;
}

const Table<ResultDoc::OfTime>& time_table() {
  using Doc = ResultDoc::OfTime;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    text(t, "part", &Doc::part, "What takes the time.");
    text(t, "node", &Doc::node, "Where.");
    number(t, "cycles", &Doc::cycles, "How long.");
    return t;
  }();
  return table;
}

const Table<ResultDoc::Inputs>& inputs_table() {
  using Doc = ResultDoc::Inputs;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    raw(t, "arch", &Doc::arch, "The architecture, complete.");
    raw(t, "problem", &Doc::problem, "The problem, complete.");
    text(t, "tables", &Doc::tables, "Where energies came from; 'spec': the architecture itself.");
    part(t, "conventions", &Doc::conventions, fields::conventions_table(),
         "The counting conventions in force.");
    part(t, "options", &Doc::options, options_table(), "What a search was asked for.");
    return t;
  }();
  return table;
}

template <class T>
void truth(Table<T>& table, const char* key, bool T::*member, const char* description) {
  table.flag(key, member, description).required();
}

void pruned(Table<StoredCertificate>& table) {
  OrderedJson schema = {{"type", "object"}};
  schema["additionalProperties"] = fields::integer_schema({}, false);
  table
      .custom(
          "pruned", schema,
          [](const Json& json, const Reader& reader, StoredCertificate& out) {
            if (!json.is_object()) {
              return reader.error(std::string("expected an object, found ") +
                                  fields::kind_name(json));
            }
            for (const auto& [rule, value] : json.items()) {
              Status status = fields::read_integer(value, reader.at(rule), {}, 1, out.pruned[rule]);
              if (!status.ok()) return status;
            }
            return Status();
          },
          [](const StoredCertificate& certificate) {
            OrderedJson json = OrderedJson::object();
            for (const auto& [rule, number] : certificate.pruned) json[rule] = number;
            return json;
          },
          "What was left out, by the rule that allowed it.")
      .required();
}

const Table<StoredStatistics>& statistics_table() {
  using Doc = StoredStatistics;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    count(t, "samples", &Doc::samples, "Mappings drawn, each equally likely.");
    count(t, "legal", &Doc::legal, "Those that fit and that the model counts.");
    number(t, "legal_share", &Doc::legal_share, "Legal / samples.");
    number(t, "least", &Doc::least, "Least objective of a legal one.");
    number(t, "p05", &Doc::p05, "5 % of the legal ones are at most this.");
    number(t, "p25", &Doc::p25, "25 % are.");
    number(t, "median", &Doc::median, "Half are.");
    number(t, "p75", &Doc::p75, "75 % are.");
    number(t, "p95", &Doc::p95, "95 % are.");
    number(t, "most", &Doc::most, "All are.");
    return t;
  }();
  return table;
}

const Table<ResultDoc::OfFront>& front_table() {
  using Doc = ResultDoc::OfFront;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    number(t, "energy_pj", &Doc::energy_pj, "Of this mapping.");
    count(t, "cycles", &Doc::cycles, "Of this mapping.");
    raw(t, "mapping", &Doc::mapping, "The mapping.");
    return t;
  }();
  return table;
}

const Table<Breakdown>& totals_table() {
  static const Table<Breakdown> table = [] {
    Table<Breakdown> t;
    number(t, "energy_pj", &Breakdown::energy_pj, "Accesses, networks, operations, leakage.");
    count(t, "cycles", &Breakdown::cycles, "Overlapped parts plus exposed ones.");
    number(t, "utilization", &Breakdown::utilization, "Operations / (cycles x peak per cycle).");
    number(t, "area_um2", &Breakdown::area_um2, "Of all instances.");
    count(t, "operations", &Breakdown::operations, "Points of the iteration space.");
    return t;
  }();
  return table;
}

}  // namespace

const fields::Table<ResultDoc>& result_table() {
  static const Table<ResultDoc> table = [] {
    using Doc = ResultDoc;
    Table<Doc> t;
    t.document();
    t.include(&Doc::totals, totals_table());
    number(t, "edp_pj_cycles", &Doc::edp, "Energy times cycles.");
    text(t, "bottleneck", &Doc::bottleneck, "What a faster machine must improve first.");
    parts(t, "memories", &Doc::memories, memory_table(), "Outermost first.");
    parts(t, "networks", &Doc::networks, network_table(), "One per fan-out, outermost first.");
    part(t, "compute", &Doc::compute, compute_table(), "The compute node.");
    parts(t, "time", &Doc::time, time_table(), "Overlapped parts, then exposed ones.");
    part(t, "inputs", &Doc::inputs, inputs_table(), "All that the numbers follow from.");
    raw(t, "mapping", &Doc::mapping, "The mapping that was priced.");
    t.object("certificate", &Doc::certificate, certificate_table(),
             "What a search says of its answer.");
    t.object("statistics", &Doc::statistics, statistics_table(),
             "The objective over the mapspace, as a random search found it.");
    t.list("front", &Doc::front, front_table(),
           "No mapping has less energy without more cycles; by increasing energy. With prices "
           "of a cycle: what costs least at some price.");
    t.custom(
        "prices",
        fields::Schema([] { return OrderedJson::parse(prices_schema(), nullptr, false); }),
        [](const Json& json, const Reader&, Doc& out) {
          out.prices = json;
          return Status();
        },
        [](const Doc&) { return OrderedJson(); },  // its own writer puts it in its place
        "What every action costs and where each number comes from, unless the architecture says.");
    text(t, "fingerprint", &Doc::fingerprint, "Follows from the inputs and the model's revision.");
    count(t, "model_revision", &Doc::model_revision, "Changes when any number can change.");
    return t;
  }();
  return table;
}

namespace {

const Table<StoredLeastCost>& least_cost_table() {
  static const Table<StoredLeastCost> table = [] {
    Table<StoredLeastCost> t;
    number(t, "pj_per_cycle", &StoredLeastCost::pj_per_cycle, "Price of a cycle.");
    number(t, "pj", &StoredLeastCost::pj, "Energy and cycles together, at least.");
    return t;
  }();
  return table;
}

}  // namespace

const fields::Table<StoredCertificate>& certificate_table() {
  using Doc = StoredCertificate;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    truth(t, "proved", &Doc::proved, "Nothing in the space is better.");
    number(t, "lower_bound", &Doc::lower_bound, "Of the objective, over the whole space.");
    t.number("gap", &Doc::gap, fields::kNotNegative,
             "Best / lower bound - 1; absent where the bound is 0 and says nothing.");
    t.list("least_costs", &Doc::least_costs, least_cost_table(),
           "What every mapping costs at least, with its cycles at a price.");
    t.number("least_cycles", &Doc::least_cycles, fields::kNotNegative, "Of every mapping.");
    t.text("mapspace", &Doc::mapspace,
           "How many mappings the space has before capacities, in decimal.");
    text(t, "space", &Doc::space, "What the space holds.");
    count(t, "states", &Doc::states, "States, or mappings, looked at.");
    pruned(t);
    count(t, "work", &Doc::work, "Work units: the same on every machine.");
    count(t, "unpriced", &Doc::unpriced, "Mappings met that the model does not count.");
    number(t, "seconds", &Doc::seconds, "How long it took.");
    t.text("fingerprint", &Doc::fingerprint,
           "Follows from the result's fingerprint, all of this but the seconds, and the front.");
    return t;
  }();
  return table;
}

const fields::Table<StoredOptions>& options_table() {
  using Doc = StoredOptions;
  using Words = std::vector<std::pair<std::string, std::string>>;
  static const Table<Doc> table = [] {
    Table<Doc> t;
    const Words objectives = {
        {"energy", "energy"}, {"delay", "delay"}, {"edp", "edp"}, {"ed2p", "ed2p"}};
    const Words searches = {{"optimal", "optimal"},
                            {"exhaustive", "exhaustive"},
                            {"random", "random"},
                            {"local", "local"}};
    t.choice("objective", &Doc::objective, objectives, "What should be least.");
    t.choice("search", &Doc::search, searches, "How it was searched for.");
    t.choice("factors", &Doc::factors, Words{{"ragged", "ragged"}, {"perfect", "perfect"}},
             "Which bounds loops may have.");
    t.flag("uneven", &Doc::uneven, "Also tensors of one memory at different positions.");
    t.flag("pareto", &Doc::pareto, "The whole (energy, cycles) front.");
    t.number("max_cycles", &Doc::max_cycles, fields::kNotNegative, "No answer has more.");
    t.number("max_energy_pj", &Doc::max_energy_pj, fields::kNotNegative, "No answer has more.");
    t.number("least_pj_per_cycle", &Doc::least_pj_per_cycle, fields::kPositive,
             "Prices of a cycle, from this to the other: the front has what costs least at each.");
    t.number("most_pj_per_cycle", &Doc::most_pj_per_cycle, fields::kPositive, "The other one.");
    t.integer("max_work", &Doc::max_work, {}, "Limit on work units.");
    t.number("time_limit_seconds", &Doc::time_limit_seconds, fields::kNotNegative,
             "Limit on time.");
    t.integer("seed", &Doc::seed, {}, "Of random and local searches.");
    t.integer("samples", &Doc::samples, {}, "Of a random search.");
    t.integer("starts", &Doc::starts, {}, "Of a local search.");
    return t;
  }();
  return table;
}

const std::vector<std::string>& time_kinds() {
  static const std::vector<std::string> kinds = {
      "compute",    "memory_read",      "memory_write",  "memory_shared", "network", "first_fill",
      "last_drain", "exposed_transfer", "systolic_skew", "preload",       "latency"};
  return kinds;
}

}  // namespace loopscape
