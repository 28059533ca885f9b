// What --explain adds: accesses, ports, and how the totals add up.
#include <algorithm>
#include <cmath>
#include <vector>

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
    for (std::size_t t = 0; t < result.problem.tensors.size(); ++t) {
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

std::string stored_bits(const StoredResult& result, const Style& style) {
  TextTable rows({"", "instances", "in use", "bits in use", "of capacity", "read cycles",
                  "write cycles", "shared cycles", "leakage"});
  for (std::size_t m = 0; m < result.breakdown.memories.size(); ++m) {
    const MemoryReport& report = result.breakdown.memories[m];
    const Memory& memory = result.arch.memories[m];
    rows.row({memory.name, grouped(report.instances), grouped(report.instances_used),
              grouped(report.occupied_bits),
              memory.size_bits ? percent(static_cast<double>(report.occupied_bits),
                                         static_cast<double>(*memory.size_bits))
                               : "unlimited",
              cycles(report.read_cycles), cycles(report.write_cycles), cycles(report.shared_cycles),
              energy(report.leakage_pj)});
  }
  rows.drop_idle_columns();
  return style.heading("Memories in use") + "  (bits and cycles of one instance, the busiest)\n" +
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
  rows.row({"longest overlapped part, rounded up", cycles(std::ceil(longest))});
  for (const TimePart& part : all.time) {
    if (!part.overlapped()) {
      rows.row({"+ " + time_part_name(part, result.arch), number_text(part.cycles)});
    }
  }
  rows.row({"= exposed parts rounded up together", grouped(all.cycles)});
  return rows.text();
}

std::string compute(const StoredResult& result) {
  const ComputeReport& report = result.breakdown.compute;
  return "  " + grouped(result.breakdown.operations) + " operations on " +
         grouped(report.instances_used) + " of " + grouped(report.instances) + " " +
         result.arch.compute.name + " in " + grouped(report.steps) + " steps of " +
         number_text(result.arch.compute.interval_cycles) +
         " cycles; utilization = " + grouped(result.breakdown.operations) + " / (" +
         grouped(result.breakdown.cycles) + " x " +
         number_text(static_cast<double>(report.instances) / result.arch.compute.interval_cycles) +
         ")\n";
}

}  // namespace

std::string explanation(const StoredResult& result, const Style& style) {
  return accesses(result, style) + "\n" + stored_bits(result, style) + "\n" +
         style.heading("How the totals add up") + "\n" + energy_sum(result) + cycle_sum(result) +
         compute(result) + "\n" + style.heading("In force") + "\n  conventions    " +
         conventions_to_text(result.conventions) + "\n  energies from  " + result.tables +
         "\n  fingerprint    " + result.fingerprint + " (model revision " +
         std::to_string(result.model_revision) + ")\n";
}

}  // namespace loopscape::cli
