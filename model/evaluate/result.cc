// The Result (formats.md): writing it, reading it back, and its fingerprint.
#include <algorithm>

#include "model/base/fingerprint.h"
#include "model/evaluate/evaluate.h"
#include "model/evaluate/result_tables.h"

namespace loopscape {
namespace {

using fields::Json;
using fields::OrderedJson;

// Text that this program wrote itself, as a value to put elsewhere.
template <class AnyJson>
AnyJson embedded(const std::string& text) {
  return AnyJson::parse(text, nullptr, false);
}

std::string node_name(const Arch& arch, NodeKind node, std::size_t id) {
  switch (node) {
    case NodeKind::kMemory:
      return arch.memories[id].name;
    case NodeKind::kFanout:
      return arch.fanouts[id].name;
    case NodeKind::kCompute:
      break;
  }
  return arch.compute.name;
}

ResultDoc::OfMemory memory_doc(const StoredResult& result, std::size_t m) {
  const MemoryReport& report = result.breakdown.memories[m];
  ResultDoc::OfMemory doc;
  doc.name = result.arch.memories[m].name;
  doc.cycles = std::max({report.read_cycles, report.write_cycles, report.shared_cycles});
  doc.report = report;
  for (std::size_t t = 0; t < result.problem.tensors.size(); ++t) {
    if (report.tensors[t].stored) {
      doc.tensors.emplace_back(result.problem.tensors[t].name, report.tensors[t]);
    }
  }
  return doc;
}

ResultDoc::OfNetwork network_doc(const StoredResult& result, std::size_t f) {
  const FanoutReport& report = result.breakdown.fanouts[f];
  ResultDoc::OfNetwork doc;
  doc.name = result.arch.fanouts[f].name;
  doc.cycles = report.cycles;
  doc.report = report;
  for (std::size_t t = 0; t < result.problem.tensors.size(); ++t) {
    doc.tensors.emplace_back(result.problem.tensors[t].name, report.tensors[t]);
  }
  return doc;
}

std::string bottleneck_name(const StoredResult& result) {
  const Breakdown& breakdown = result.breakdown;
  if (breakdown.bottleneck >= breakdown.time.size()) return "";
  return time_part_name(breakdown.time[breakdown.bottleneck], result.arch);
}

ResultDoc doc_of(const StoredResult& result) {
  ResultDoc doc;
  doc.totals = result.breakdown;
  doc.edp = result.breakdown.energy_pj * static_cast<double>(result.breakdown.cycles);
  doc.bottleneck = bottleneck_name(result);
  for (std::size_t m = 0; m < result.breakdown.memories.size(); ++m) {
    doc.memories.push_back(memory_doc(result, m));
  }
  for (std::size_t f = 0; f < result.breakdown.fanouts.size(); ++f) {
    doc.networks.push_back(network_doc(result, f));
  }
  doc.compute = {result.arch.compute.name, result.breakdown.compute};
  for (const TimePart& part : result.breakdown.time) {
    doc.time.push_back({time_kinds()[static_cast<std::size_t>(part.kind)],
                        node_name(result.arch, part.node, part.id), part.cycles});
  }
  doc.inputs.tables = result.tables;
  doc.inputs.conventions = result.conventions;
  doc.inputs.options = result.options;
  doc.certificate = result.certificate;
  doc.statistics = result.statistics;
  for (const StoredMapping& point : result.front) {
    doc.front.push_back({point.energy_pj, point.cycles, {}});
  }
  doc.fingerprint = result.fingerprint;
  doc.model_revision = result.model_revision;
  return doc;
}

// Reads what a document says with its names looked up in the inputs that it carries.
class DocReader {
 public:
  explicit DocReader(const ResultDoc& doc) : doc_(doc) {}

  Result<StoredResult> read() {
    out_.breakdown = doc_.totals;
    out_.tables = doc_.inputs.tables;
    out_.conventions = doc_.inputs.conventions;
    out_.options = doc_.inputs.options;
    out_.certificate = doc_.certificate;
    out_.statistics = doc_.statistics;
    out_.fingerprint = doc_.fingerprint;
    out_.model_revision = doc_.model_revision;
    if (Status status = read_inputs(); !status.ok()) return status;
    if (Status status = read_memories(); !status.ok()) return status;
    if (Status status = read_networks(); !status.ok()) return status;
    if (Status status = read_time(); !status.ok()) return status;
    if (Status status = read_front(); !status.ok()) return status;
    if (Status status = read_prices(); !status.ok()) return status;
    return std::move(out_);
  }

 private:
  static Status error(const std::string& place, std::string message) {
    return Status(StatusCode::kInvalidInput, std::move(message)).at(place);
  }
  // The place of an embedded document's error, seen from the whole one.
  static Status inside(const std::string& pointer, const Status& status) {
    const bool has_pointer = !status.place().empty() && status.place()[0] == '/';
    return Status(status.code(), status.message())
        .at(pointer + (has_pointer ? status.place() : ""));
  }

  Status read_inputs() {
    Result<Problem> problem = parse_problem(doc_.inputs.problem.dump());
    if (!problem.ok()) return inside("/inputs/problem", problem.status());
    Result<Arch> arch = parse_arch(doc_.inputs.arch.dump());
    if (!arch.ok()) return inside("/inputs/arch", arch.status());
    Result<Mapping> mapping = parse_mapping(doc_.mapping.dump(), *problem, *arch);
    if (!mapping.ok()) return inside("/mapping", mapping.status());
    out_.problem = std::move(problem).value();
    out_.arch = std::move(arch).value();
    out_.mapping = *mapping;
    return {};
  }

  // Node i of a list must be the architecture's node i.
  static Status check_names(const std::string& pointer, const std::vector<std::string>& found,
                            const std::vector<std::string>& expected) {
    for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
      if (found[i] == expected[i]) continue;
      return error(pointer + "/" + std::to_string(i) + "/name",
                   "the architecture has " + expected[i] + " here, not " + in_quotes(found[i]));
    }
    if (found.size() == expected.size()) return {};
    return error(pointer, "the architecture has " + std::to_string(expected.size()) +
                              " of these, not " + std::to_string(found.size()));
  }

  template <class Docs, class Nodes>
  static Status check_nodes(const char* pointer, const Docs& docs, const Nodes& nodes) {
    std::vector<std::string> found, expected;
    for (const auto& doc : docs) found.push_back(doc.name);
    for (const auto& node : nodes) expected.push_back(node.name);
    return check_names(pointer, found, expected);
  }

  Status find_tensor(const std::string& pointer, const std::string& name, std::size_t& t) const {
    const std::optional<TensorId> tensor = out_.problem.find_tensor(name);
    if (!tensor) return error(pointer, "the problem has no tensor " + in_quotes(name));
    t = index(*tensor);
    return {};
  }

  Status read_memories() {
    if (Status s = check_nodes("/memories", doc_.memories, out_.arch.memories); !s.ok()) return s;
    for (const ResultDoc::OfMemory& doc : doc_.memories) {
      MemoryReport report = doc.report;
      for (const auto& [name, at] : doc.tensors) {
        std::size_t t = 0;
        if (Status s = find_tensor("/memories", name, t); !s.ok()) return s;
        report.tensors[t] = at;
        report.tensors[t].stored = true;
      }
      out_.breakdown.memories.push_back(report);
    }
    return {};
  }

  Status read_networks() {
    if (Status s = check_nodes("/networks", doc_.networks, out_.arch.fanouts); !s.ok()) return s;
    for (const ResultDoc::OfNetwork& doc : doc_.networks) {
      FanoutReport report = doc.report;
      report.cycles = doc.cycles;
      for (const auto& [name, at] : doc.tensors) {
        std::size_t t = 0;
        if (Status s = find_tensor("/networks", name, t); !s.ok()) return s;
        report.tensors[t] = at;
      }
      out_.breakdown.fanouts.push_back(report);
    }
    out_.breakdown.compute = doc_.compute.report;
    if (doc_.compute.name == out_.arch.compute.name) return {};
    return error("/compute/name", "the architecture's compute node is " + out_.arch.compute.name);
  }

  Status read_time() {
    bool found = doc_.time.empty() && doc_.bottleneck.empty();
    for (std::size_t i = 0; i < doc_.time.size(); ++i) {
      Status status = read_time_part(doc_.time[i]);
      if (!status.ok()) return std::move(status).at("/time/" + std::to_string(i));
      if (!found && time_part_name(out_.breakdown.time[i], out_.arch) == doc_.bottleneck) {
        out_.breakdown.bottleneck = i;
        found = true;
      }
    }
    if (found) return {};
    return error("/bottleneck", in_quotes(doc_.bottleneck) + " is no part of the stated time");
  }

  Status read_time_part(const ResultDoc::OfTime& doc) {
    const auto kind = std::find(time_kinds().begin(), time_kinds().end(), doc.part);
    if (kind == time_kinds().end()) {
      return error("", "no part of time is called " + in_quotes(doc.part) +
                           suggestion(doc.part, time_kinds()));
    }
    TimePart part{static_cast<TimePart::Kind>(kind - time_kinds().begin()), NodeKind::kCompute, 0,
                  doc.cycles};
    if (const auto memory = out_.arch.find_memory(doc.node)) {
      part.node = NodeKind::kMemory;
      part.id = static_cast<std::uint8_t>(*memory);
    } else if (const auto fanout = out_.arch.find_fanout(doc.node)) {
      part.node = NodeKind::kFanout;
      part.id = static_cast<std::uint8_t>(*fanout);
    } else if (doc.node != out_.arch.compute.name) {
      return error("", "the architecture has no node " + in_quotes(doc.node));
    }
    out_.breakdown.time.push_back(part);
    return {};
  }

  Status read_front() {
    for (std::size_t i = 0; i < doc_.front.size(); ++i) {
      const ResultDoc::OfFront& doc = doc_.front[i];
      Result<Mapping> mapping = parse_mapping(doc.mapping.dump(), out_.problem, out_.arch);
      if (!mapping.ok()) {
        return inside("/front/" + std::to_string(i) + "/mapping", mapping.status());
      }
      out_.front.push_back({doc.energy_pj, doc.cycles, *mapping});
    }
    return {};
  }

  Status read_prices() {
    if (doc_.prices.is_null()) return {};
    Result<std::vector<ComponentPrices>> prices = parse_prices(doc_.prices.dump());
    if (!prices.ok()) return inside("/prices", prices.status());
    out_.prices = std::move(prices).value();
    return {};
  }

  const ResultDoc& doc_;
  StoredResult out_;
};

// Without the energies that model/energy filled in: those are prices.
Arch as_stated(Arch arch) {
  for (Fanout& fanout : arch.fanouts) {
    for (Network& network : fanout.networks) {
      if (!network.energy_from_tables) continue;
      network.energy_pj_per_bit_hop = 0;
      network.energy_from_tables = false;
    }
  }
  return arch;
}

}  // namespace

StoredResult make_result(const Evaluator& evaluator, const Mapping& mapping, Breakdown breakdown) {
  StoredResult result{evaluator.problem(),
                      as_stated(evaluator.arch()),
                      evaluator.conventions(),
                      kTablesInSpec,
                      mapping,
                      std::move(breakdown),
                      "",
                      kModelRevision,
                      {},
                      {},
                      {},
                      {},
                      {}};
  result.fingerprint = fingerprint_of(result);
  return result;
}

void set_prices(const ResolvedCosts& resolved, StoredResult& result) {
  result.tables = resolved.tables;
  result.prices.clear();
  if (resolved.tables != kTablesInSpec) result.prices = resolved.prices;
  result.fingerprint = fingerprint_of(result);
}

std::string fingerprint_of(const StoredResult& result) {
  Fingerprint fingerprint;
  fingerprint.add(arch_to_json(result.arch));
  fingerprint.add(problem_to_json(result.problem));
  fingerprint.add(mapping_to_json(result.mapping, result.problem, result.arch));
  fingerprint.add(conventions_to_json(result.conventions));
  fingerprint.add(result.tables);
  fingerprint.add(std::to_string(result.model_revision));
  const OrderedJson options = options_table().write(result.options);
  if (!options.empty()) fingerprint.add(fields::to_text(options));
  return fingerprint.hex();
}

void seal(StoredResult& result) {
  if (!result.certificate) return;
  StoredCertificate said = *result.certificate;
  said.seconds = 0;
  said.fingerprint.clear();
  Fingerprint fingerprint;
  fingerprint.add(result.fingerprint);
  fingerprint.add(fields::to_text(certificate_table().write(said)));
  for (const StoredMapping& point : result.front) {
    fingerprint.add(mapping_to_json(point.mapping, result.problem, result.arch));
  }
  result.certificate->fingerprint = fingerprint.hex();
}

std::string time_part_name(const TimePart& part, const Arch& arch) {
  const std::string node = node_name(arch, part.node, part.id);
  switch (part.kind) {
    case TimePart::Kind::kCompute:
      return node + " compute";
    case TimePart::Kind::kMemoryRead:
      return node + " read bandwidth";
    case TimePart::Kind::kMemoryWrite:
      return node + " write bandwidth";
    case TimePart::Kind::kMemoryShared:
    case TimePart::Kind::kNetwork:
      return node + " bandwidth";
    case TimePart::Kind::kFirstFill:
      return "first fill of " + node;
    case TimePart::Kind::kLastDrain:
      return "last drain of " + node;
    case TimePart::Kind::kExposedTransfer:
      return "exposed transfers of " + node;
    case TimePart::Kind::kSystolicSkew:
      return "systolic skew of " + node;
    case TimePart::Kind::kPreload:
      return "operand preload of " + node;
    case TimePart::Kind::kLatency:
      break;
  }
  return "latency of " + node;
}

std::string result_to_json(const StoredResult& result) {
  OrderedJson json = result_table().write(doc_of(result));
  json["inputs"]["arch"] = embedded<OrderedJson>(arch_to_json(result.arch));
  json["inputs"]["problem"] = embedded<OrderedJson>(problem_to_json(result.problem));
  json["mapping"] =
      embedded<OrderedJson>(mapping_to_json(result.mapping, result.problem, result.arch));
  for (std::size_t i = 0; i < result.front.size(); ++i) {
    json["front"][i]["mapping"] = embedded<OrderedJson>(
        mapping_to_json(result.front[i].mapping, result.problem, result.arch));
  }
  if (!result.prices.empty()) {
    json["prices"] = embedded<OrderedJson>(prices_to_json(result.prices));
  }
  return fields::to_text(json);
}

Result<StoredResult> parse_result(std::string_view json) {
  Json document;
  Status status = fields::parse_json(json, document, fields::kMaxResultBytes);
  if (!status.ok()) return status;
  const std::string kind = fields::file_kind(document);
  if (!kind.empty() && kind != "a result") {
    return fields::Reader().error("this is " + kind + "; a result is expected here");
  }
  ResultDoc doc;
  status = result_table().read(document, {}, doc);
  if (!status.ok()) return status;
  return DocReader(doc).read();
}

std::string result_schema() { return fields::to_text(result_table().schema()); }

}  // namespace loopscape
