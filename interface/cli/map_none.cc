// Why there is no mapping, in words and as JSON.
#include "interface/cli/map_report.h"
#include "interface/cli/numbers.h"
#include "model/base/json_fields.h"

namespace loopscape::cli {
namespace {

using Json = fields::OrderedJson;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string listed_names(const std::vector<std::string>& names) { return dumped(Json(names)); }

// All its digits: it is to be typed again.
std::string exact(double value) {
  const std::string text = Json(value).dump();
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

std::string bits(double count) { return grouped(static_cast<std::int64_t>(count)) + " bits"; }

std::string of_capacity(const Memory& memory, const Relief& relief) {
  std::string text = memory.name + " holds " + bits(static_cast<double>(*memory.size_bits));
  if (memory.buffering == Buffering::kDouble) text += ", half of them at a time";
  if (!relief.nearest) return text + "; without this limit there would be a mapping";
  return text + (relief.exact ? "; at least " : "; ") + bits(*relief.nearest) +
         (relief.exact ? " are needed" : " would be enough, and perhaps fewer");
}

std::string of_bound(const char* option, double asked, const char* what, const std::string& nearest,
                     const Relief& relief) {
  return std::string(option) + " " + exact(asked) + ": the least " + what +
         (relief.exact ? " of any mapping is " : " found is ") + nearest;
}

std::string sentence(const Mapspace& space, const Goal& goal, const Relief& relief) {
  const Arch& arch = space.arch();
  switch (relief.kind) {
    case Relief::Kind::kCapacity:
      return of_capacity(arch.memories[relief.index], relief);
    case Relief::Kind::kKeep:
      return arch.memories[relief.index].name + " must keep " +
             listed_names(arch.memories[relief.index].keep) + "; without that there is a mapping";
    case Relief::Kind::kBypass:
      return arch.memories[relief.index].name + " must not store " +
             listed_names(arch.memories[relief.index].bypass) + "; if it may there is a mapping";
    case Relief::Kind::kConstraint: {
      const Json written = Json::parse(arch_to_json(arch));
      return "constraint /constraints/" + std::to_string(relief.index) + ", " +
             dumped(written["constraints"][relief.index]) + "; without it there is a mapping";
    }
    case Relief::Kind::kMaxCycles:
      return of_bound("--max-cycles", goal.max_cycles.value_or(0), "number of cycles",
                      grouped(static_cast<std::int64_t>(*relief.nearest)), relief);
    case Relief::Kind::kMaxEnergy:
      break;
  }
  return of_bound("--max-energy", goal.max_energy_pj.value_or(0), "energy",
                  exact(*relief.nearest) + " pJ", relief);
}

std::string heading(const Mapspace& space, const Goal& goal, const Certificate& certificate,
                    const Blame& blame) {
  const bool bounded = goal.max_cycles || goal.max_energy_pj;
  std::string text = "no mapping of the space (" + space.words() + ") ";
  text += bounded ? "fits and stays within the bounds" : "fits";
  if (certificate.unpriced != 0) {
    text = "no mapping of the space (" + space.words() +
           ") has a price: " + grouped(static_cast<std::int64_t>(certificate.unpriced)) +
           " that fit are of a kind that the model does not count";
  }
  if (blame.reliefs.size() == 1) text += "; the reason";
  if (blame.reliefs.size() > 1) text += "; to change one of these would be enough";
  if (!blame.reliefs.empty()) return text;
  if (blame.without_bounds) return text + "; --max-cycles and --max-energy are both too small";
  const bool either = blame.without_capacities && blame.without_constraints;
  if (either) {
    text += "; several capacities are too small for what several constraints ask";
  } else if (blame.without_capacities) {
    text += "; several capacities are too small";
  } else if (blame.without_constraints) {
    text += "; several constraints (\"constraints\", \"keep\", \"bypass\") contradict each other";
  } else if (certificate.unpriced == 0) {
    text += "; neither capacities nor constraints alone are the reason";
  }
  return text;
}

const char* kind_name(Relief::Kind kind) {
  switch (kind) {
    case Relief::Kind::kCapacity:
      return "capacity";
    case Relief::Kind::kKeep:
      return "keep";
    case Relief::Kind::kBypass:
      return "bypass";
    case Relief::Kind::kConstraint:
      return "constraint";
    case Relief::Kind::kMaxCycles:
      return "max_cycles";
    case Relief::Kind::kMaxEnergy:
      break;
  }
  return "max_energy_pj";
}

}  // namespace

std::string no_mapping_report(const Mapspace& space, const Goal& goal,
                              const Certificate& certificate, const Blame& blame) {
  std::string text = heading(space, goal, certificate, blame);
  if (!blame.reliefs.empty()) text += ":";
  for (const Relief& relief : blame.reliefs) text += "\n  " + sentence(space, goal, relief);
  if (!blame.complete) text += "\n  (the search for reasons was cut short; there may be more)";
  return text;
}

std::string no_mapping_json(const Mapspace& space, const Goal& goal, const Certificate& certificate,
                            const Blame& blame) {
  Json reasons = Json::array();
  for (const Relief& relief : blame.reliefs) {
    Json reason = {{"kind", kind_name(relief.kind)},
                   {"message", sentence(space, goal, relief)},
                   {"index", relief.index}};
    if (relief.nearest) {
      reason["nearest"] = *relief.nearest;
      reason["exact"] = relief.exact;
    }
    reason["mapping"] = Json::parse(mapping_to_json(relief.mapping, space.problem(), space.arch()));
    reasons.push_back(std::move(reason));
  }
  const Json document = {{"error",
                          {{"code", "no_mapping"},
                           {"message", heading(space, goal, certificate, blame)},
                           {"reasons", reasons},
                           {"complete", blame.complete}}}};
  return fields::to_text(document);
}

}  // namespace loopscape::cli
