// What --explain adds: accesses, ports, and how the totals add up.
#include <algorithm>
#include <vector>

#include "interface/cli/energy_report.h"
#include "interface/cli/numbers.h"
#include "interface/cli/text_report.h"

namespace loopscape::cli {
namespace {

std::string accesses(const StoredResult& result, const Style& style) {
  TextTable rows({"", "reads", "fills", "updates", "drains", "energy in pJ"});
  for (std::size_t m = 0; m < result.breakdown.memories.size(); ++m) {
    const MemoryReport& report = result.breakdown.memories[m];
    const Memory& memory = result.arch.memories[m];
    rows.group({memory.name + (memory.width_bits == 0
                                   ? ", one word wide"
                                   : ", " + std::to_string(memory.width_bits) + " bits wide"),
                "", "", "", "", number_text(report.energy_pj)});
    for (const std::size_t t : tensors_as_read(result.problem)) {
      const TensorAtMemory& at = report.tensors[t];
      if (!at.stored) continue;
      rows.row({result.problem.tensors[t].name, grouped(at.accesses.reads),
                grouped(at.accesses.fills), grouped(at.accesses.updates),
                grouped(at.accesses.drains), number_text(at.energy_pj)});
    }
  }
  return style.heading("Accesses") + "  (of the memory's own width, all instances together)\n" +
         rows.text();
}

// The share of what the tiles may use: half of a double-buffered memory.
std::string capacity_share(const Memory& memory, const MemoryReport& report) {
  if (!memory.size_bits) return "unlimited";
  const std::uint64_t usable =
      memory.buffering == Buffering::kDouble ? *memory.size_bits / 2 : *memory.size_bits;
  return percent(static_cast<double>(report.occupied_bits), static_cast<double>(usable));
}

std::string stored_bits(const StoredResult& result, const Style& style) {
  TextTable rows(
      {"", "instances", "in use", "bits held", "of usable", "reading", "writing", "shared port"});
  for (std::size_t m = 0; m < result.breakdown.memories.size(); ++m) {
    const MemoryReport& report = result.breakdown.memories[m];
    const Memory& memory = result.arch.memories[m];
    rows.row({memory.name, grouped(report.instances), grouped(report.instances_used),
              grouped(report.occupied_bits), capacity_share(memory, report),
              cycles(report.read_cycles), cycles(report.write_cycles),
              cycles(report.shared_cycles)});
  }
  rows.drop_idle_columns();
  return style.heading("Memories in use") + "  (bits and port cycles of the busiest instance)\n" +
         rows.text();
}

std::string energy_sum(const StoredResult& result) {
  const Breakdown& all = result.breakdown;
  TextTable rows({"energy in pJ", ""});
  const auto add = [&](const std::string& name, double amount) {
    rows.row({name, number_text(amount)});
  };
  for (std::size_t m = 0; m < all.memories.size(); ++m) {
    add(result.arch.memories[m].name, all.memories[m].energy_pj);
  }
  for (std::size_t f = 0; f < all.fanouts.size(); ++f) {
    add("+ " + result.arch.fanouts[f].name + " network", all.fanouts[f].energy_pj);
  }
  add("+ " + result.arch.compute.name, all.compute.energy_pj);
  for (std::size_t m = 0; m < all.memories.size(); ++m) {
    if (all.memories[m].leakage_pj == 0) continue;
    add("+ leakage of " + result.arch.memories[m].name, all.memories[m].leakage_pj);
  }
  if (all.compute.leakage_pj != 0) {
    add("+ leakage of " + result.arch.compute.name, all.compute.leakage_pj);
  }
  add("=", all.energy_pj);
  return rows.text();
}

std::string cycle_sum(const StoredResult& result) {
  const Breakdown& all = result.breakdown;
  TextTable rows({"cycles", ""});
  double longest = 0;
  for (const TimePart& part : all.time) {
    if (part.overlapped()) longest = std::max(longest, part.cycles);
  }
  rows.row({"longest overlapped part", number_text(longest)});
  for (const TimePart& part : all.time) {
    if (!part.overlapped()) {
      rows.row({"+ " + time_part_name(part, result.arch), number_text(part.cycles)});
    }
  }
  rows.row({"= each of the two rounded up", number_text(static_cast<double>(all.cycles))});
  return rows.text();
}

std::string compute(const StoredResult& result) {
  const Breakdown& all = result.breakdown;
  const double interval = result.arch.compute.interval_cycles;
  return "  " + counted(all.operations, "operation") + " on " +
         grouped(all.compute.instances_used) + " of " + grouped(all.compute.instances) + " " +
         result.arch.compute.name + " in " + counted(all.compute.steps, "step") + ", one every " +
         number_text(interval) + (interval == 1 ? " cycle" : " cycles") +
         "\n  utilization = " + grouped(all.operations) + " / (" + grouped(all.cycles) + " x " +
         number_text(static_cast<double>(all.compute.instances) / interval) + ")\n";
}

}  // namespace

std::string explanation(const StoredResult& result, const Style& style) {
  return accesses(result, style) + "\n" + stored_bits(result, style) + "\n" +
         (result.prices.empty() ? "" : sources_text(result.prices, style) + "\n") +
         style.heading("How the totals add up") + "\n" + energy_sum(result) + cycle_sum(result) +
         compute(result) + "\n" + style.heading("In force") + "\n  conventions    " +
         conventions_to_text(result.conventions) + "\n  energies from  " + result.tables +
         "\n  fingerprint    " + result.fingerprint + " (model revision " +
         std::to_string(result.model_revision) + ")\n";
}

}  // namespace loopscape::cli
