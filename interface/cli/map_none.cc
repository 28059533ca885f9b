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

using Kind = Restriction::Kind;

// What is asked, and what may be done about it.
class Teller {
 public:
  Teller(const Mapspace& space, const Goal& goal) : arch_(space.arch()), goal_(goal) {}

  std::string kind(const Restriction& its) const {
    switch (its.kind) {
      case Kind::kCapacity:
        return "capacity";
      case Kind::kKeep:
      case Kind::kConstraintKeep:
        return "keep";
      case Kind::kBypass:
      case Kind::kConstraintBypass:
        return "bypass";
      case Kind::kAxisDims:
      case Kind::kDims:
        return "dims";
      case Kind::kFactor:
        return "factor";
      case Kind::kOrder:
        return "order";
      case Kind::kUtilization:
        return "utilization";
      case Kind::kStationary:
        return "stationary";
      case Kind::kDataflow:
        return "dataflow";
      case Kind::kMaxCycles:
        return "max_cycles";
      case Kind::kMaxEnergy:
        break;
    }
    return "max_energy_pj";
  }

  std::string asked(const Restriction& its) const {
    switch (its.kind) {
      case Kind::kCapacity: {
        const Memory& memory = arch_.memories[its.index];
        const std::string text =
            memory.name + " holds " + bits(static_cast<double>(*memory.size_bits));
        return memory.buffering == Buffering::kDouble ? text + ", half of them at a time" : text;
      }
      case Kind::kKeep:
        return keeps(arch_.memories[its.index].name, arch_.memories[its.index].keep[its.part]);
      case Kind::kBypass:
        return bypasses(arch_.memories[its.index].name, arch_.memories[its.index].bypass[its.part]);
      case Kind::kAxisDims: {
        const Fanout& fanout = arch_.fanouts[its.index];
        return fanout.name + "." + fanout.axes[its.part].name + " has lanes over " +
               listed_names(fanout.axes[its.part].dims) + " alone";
      }
      case Kind::kMaxCycles:
        return "--max-cycles " + exact(*goal_.max_cycles);
      case Kind::kMaxEnergy:
        return "--max-energy " + exact(*goal_.max_energy_pj);
      default:
        return "/constraints/" + std::to_string(its.index) + ": " + by_constraint(its);
    }
  }

  // What would do instead.
  std::string remedy(const Relief& relief) const {
    const Restriction& its = relief.restriction;
    const double nearest = relief.nearest.value_or(0);
    if (!relief.nearest) return "without that there is a mapping";
    switch (its.kind) {
      case Kind::kCapacity:
        return needed(bits(nearest), relief);
      case Kind::kMaxCycles:
        return needed(grouped(static_cast<std::int64_t>(nearest)) + " cycles", relief);
      case Kind::kMaxEnergy:
        return needed(exact(nearest) + " pJ", relief);
      default:
        if (nearest <= 1 && at_least(its)) return "only a factor of 1 would do: leave it out";
        return (relief.exact ? "nearest is " : "enough, if not nearest, is ") +
               number(its, nearest);
    }
  }

  Json json(const Restriction& its) const {
    return {{"kind", kind(its)}, {"message", asked(its)}, {"pointer", pointer(its)}};
  }

 private:
  static std::string needed(const std::string& amount, const Relief& relief) {
    return relief.exact ? "at least " + amount + " are needed"
                        : amount + " would be enough, and perhaps fewer";
  }
  static std::string keeps(const std::string& memory, const std::string& name) {
    return memory + " must keep " + dumped(Json(name));
  }
  static std::string bypasses(const std::string& memory, const std::string& name) {
    return memory + " must not store " + dumped(Json(name));
  }

  // Where the file of the architecture says it; of bounds the option.
  std::string pointer(const Restriction& its) const {
    const auto node = [&](NodeKind kind) {
      std::size_t n = 0;
      while (arch_.nodes[n].kind != kind || arch_.nodes[n].id != its.index) ++n;
      return "/nodes/" + std::to_string(n);
    };
    const std::string part = "/" + std::to_string(its.part);
    switch (its.kind) {
      case Kind::kCapacity:
        return node(NodeKind::kMemory);
      case Kind::kKeep:
      case Kind::kBypass:
        return node(NodeKind::kMemory) + "/" + kind(its) + part;
      case Kind::kAxisDims:
        return node(NodeKind::kFanout) + "/axes/" + arch_.fanouts[its.index].axes[its.part].name +
               "/dims";
      case Kind::kMaxCycles:
        return "--max-cycles";
      case Kind::kMaxEnergy:
        return "--max-energy";
      default:
        break;
    }
    const std::string constraint = "/constraints/" + std::to_string(its.index);
    switch (its.kind) {
      case Kind::kFactor:
        return constraint + "/factors/" + factor_of(its).dim;
      case Kind::kConstraintKeep:
      case Kind::kConstraintBypass:
        return constraint + "/" + kind(its) + part;
      default:
        return constraint + "/" + kind(its);
    }
  }

  const FactorConstraint& factor_of(const Restriction& its) const {
    return arch_.constraints[its.index].factors[its.part];
  }

  bool at_least(const Restriction& its) const {
    return its.kind == Kind::kFactor && (factor_of(its).kind == FactorConstraint::Kind::kAtLeast ||
                                         factor_of(its).kind == FactorConstraint::Kind::kAll);
  }

  // A factor or a share as the file would say it.
  std::string number(const Restriction& its, double value) const {
    if (its.kind == Kind::kUtilization) return ">=" + exact(value);
    switch (factor_of(its).kind) {
      case FactorConstraint::Kind::kAtMost:
        return "<=" + exact(value);
      case FactorConstraint::Kind::kAtLeast:
      case FactorConstraint::Kind::kAll:
        return ">=" + exact(value);
      case FactorConstraint::Kind::kExactly:
        break;
    }
    return exact(value);
  }

  std::string by_constraint(const Restriction& its) const {
    const Constraint& constraint = arch_.constraints[its.index];
    switch (its.kind) {
      case Kind::kFactor: {
        const FactorConstraint& factor = constraint.factors[its.part];
        return "the factor of " + factor.dim + " at " + constraint.node + " is " +
               (factor.kind == FactorConstraint::Kind::kAll
                    ? "all of it"
                    : number(its, static_cast<double>(factor.value)));
      }
      case Kind::kOrder:
        return "loops at " + constraint.node + " stand in the order " +
               listed_names(constraint.order);
      case Kind::kDims:
        return "loops at " + constraint.node + " are over " + listed_names(constraint.dims) +
               " alone";
      case Kind::kConstraintKeep:
        return keeps(constraint.node, constraint.keep[its.part]);
      case Kind::kConstraintBypass:
        return bypasses(constraint.node, constraint.bypass[its.part]);
      case Kind::kUtilization:
        return constraint.node + " is used " + number(its, *constraint.min_utilization);
      case Kind::kStationary:
        return constraint.stationary + " is stationary at " + constraint.node;
      default:
        return constraint.node + " has the dataflow " + constraint.dataflow;
    }
  }

  const Arch& arch_;
  const Goal& goal_;
};

const Relief* relief_of(const Restriction& its, const std::vector<Relief>& among) {
  for (const Relief& relief : among) {
    if (relief.restriction == its) return &relief;
  }
  return nullptr;
}

std::string heading(const Mapspace& space, const Goal& goal, const Certificate& certificate,
                    const Blame& blame) {
  const bool bounded = goal.max_cycles || goal.max_energy_pj;
  std::string text = "no mapping of the space (" + space.words() + ") ";
  text += bounded ? "fits and stays within the bounds" : "fits";
  if (certificate.unpriced != 0) {
    return "no mapping of the space (" + space.words() + ") that the model counts " +
           (bounded ? "stays within the bounds" : "fits") + "; " + uncounted(certificate);
  }
  if (blame.conflict.size() == 1) return text + "; the reason";
  if (blame.conflict.size() > 1) return text + "; the reason, these together";
  return text + (blame.complete ? "; neither capacities nor constraints are the reason"
                                : "; the search for the reason was cut short");
}

std::string notes(const Blame& blame) {
  std::string text;
  if (!blame.irreducible && !blame.conflict.empty()) {
    text += "\n  (the search for the reason was cut short; fewer of these may be reason enough)";
  } else if (!blame.complete && !blame.conflict.empty()) {
    text += "\n  (the search for a remedy was cut short; there may be more)";
  }
  return text;
}

}  // namespace

std::string uncounted(const Certificate& certificate) {
  return grouped(static_cast<std::int64_t>(certificate.unpriced)) +
         " that fit are of a kind that it does not count, or need more than 63 bits for their "
         "words or 53 for their cycles";
}

std::string no_mapping_report(const Mapspace& space, const Goal& goal,
                              const Certificate& certificate, const Blame& blame) {
  const Teller teller(space, goal);
  std::string text = heading(space, goal, certificate, blame);
  if (!blame.conflict.empty()) text += ":";
  for (const Restriction& its : blame.conflict) {
    text += "\n  " + teller.asked(its);
    if (const Relief* relief = relief_of(its, blame.reliefs)) text += "; " + teller.remedy(*relief);
  }
  if (blame.conflict.size() > 1 && !blame.reliefs.empty()) {
    text += "\nto change one of them is enough";
    if (blame.reliefs.size() < blame.conflict.size()) text += " where it is said how";
  }
  if (!blame.together.empty()) {
    text += blame.conflict.size() == 1 ? "\nto change that alone" : "\nto change one of them";
    text += " is not enough; to change all of these is:";
    for (const Relief& relief : blame.together) {
      text += "\n  " + teller.asked(relief.restriction) + "; " +
              (relief.nearest ? teller.remedy(relief) : "taken away");
    }
  }
  return text + notes(blame);
}

std::string no_mapping_json(const Mapspace& space, const Goal& goal, const Certificate& certificate,
                            const Blame& blame) {
  const Teller teller(space, goal);
  Json conflict = Json::array();
  for (const Restriction& its : blame.conflict) conflict.push_back(teller.json(its));
  const auto listed = [&](const std::vector<Relief>& reliefs) {
    Json list = Json::array();
    for (const Relief& relief : reliefs) {
      Json one = teller.json(relief.restriction);
      one["remedy"] = teller.remedy(relief);
      if (relief.nearest) {
        one["nearest"] = *relief.nearest;
        one["exact"] = relief.exact;
      }
      one["mapping"] = Json::parse(mapping_to_json(relief.mapping, space.problem(), space.arch()));
      list.push_back(std::move(one));
    }
    return list;
  };
  const Json document = {{"error",
                          {{"code", "no_mapping"},
                           {"message", heading(space, goal, certificate, blame)},
                           {"conflict", conflict},
                           {"irreducible", blame.irreducible},
                           {"each_is_enough", listed(blame.reliefs)},
                           {"all_are_enough", listed(blame.together)},
                           {"complete", blame.complete}}}};
  return fields::to_text(document);
}

}  // namespace loopscape::cli
