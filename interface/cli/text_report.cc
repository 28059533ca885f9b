#include "interface/cli/text_report.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "interface/cli/numbers.h"

namespace loopscape::cli {
namespace {

constexpr std::size_t kShortestBar = 10, kLongestBar = 40;
constexpr std::size_t kPercentWidth = 9;
constexpr const char* kBottleneckMark = "  <- bottleneck";

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string wrapped(const std::vector<std::string>& words, std::size_t width) {
  std::string text, line = " ";
  for (const std::string& word : words) {
    if (line.size() + 1 + word.size() > width && line.size() > 1) {
      text += line + "\n";
      line = " ";
    }
    line += " " + word;
  }
  return text + line + "\n";
}

std::string header(const StoredResult& result, const Style& style) {
  const Problem& problem = result.problem;
  std::string text = style.heading(safe_name(problem.name, "problem") + " on " +
                                   safe_name(result.arch.name, "architecture")) +
                     "\n\n";
  text += "  " + problem.einsum() + "\n";
  std::vector<std::string> sizes;
  for (const Dim& dim : problem.dims) sizes.push_back(dim.name + "=" + grouped(dim.extent));
  text += wrapped(sizes, style.width);
  const std::string operation =
      problem.operation == "mac" ? "MAC" : safe(problem.operation) + " operation";
  text += "  " + counted(result.breakdown.operations, operation.c_str());
  if (problem.count > 1) {
    text += ", each number for one of " + std::to_string(problem.count) + " such layers";
  }
  return text + "\n";
}

// What several lines say about one name: name, value, remark.
std::string facts(const std::vector<std::vector<std::string>>& rows) {
  std::size_t name = 0, value = 0;
  for (const auto& row : rows) {
    name = std::max(name, row[0].size());
    value = std::max(value, row[1].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line =
        "  " + padded(row[0], name + 2) + std::string(value - row[1].size(), ' ') + row[1];
    if (!row[2].empty()) line += "   " + row[2];
    text += line + "\n";
  }
  return text;
}

// Components with a price outside its source's range, as their "extrapolate" asks for.
std::string extrapolated(const StoredResult& result) {
  std::string nodes;
  for (const ComponentPrices& its : result.prices) {
    const auto is = [](const PricedNumber& number) { return number.from.extrapolated; };
    if (!std::any_of(its.actions.begin(), its.actions.end(), is) &&
        !std::any_of(its.properties.begin(), its.properties.end(), is)) {
      continue;
    }
    nodes += (nodes.empty() ? "" : ", ") + its.node;
  }
  return nodes;
}

std::string totals(const StoredResult& result) {
  const Breakdown& all = result.breakdown;
  const auto steps = static_cast<double>(all.cycles);
  std::string time, power;
  if (result.arch.clock_mhz) {
    const double seconds = steps / (*result.arch.clock_mhz * 1e6);
    time = duration(seconds) + " at " + plain(*result.arch.clock_mhz) + " MHz";
    if (seconds > 0) power = with_unit(all.energy_pj * 1e-12 / seconds, 1, "W") + " on average";
  }
  const std::string per_operation =
      all.operations > 0
          ? energy(all.energy_pj / static_cast<double>(all.operations)) + " per operation"
          : "";
  std::vector<std::vector<std::string>> rows = {
      {"Energy", energy(all.energy_pj), per_operation + (power.empty() ? "" : ", " + power)},
      {"Cycles", grouped(all.cycles), time},
      {"EDP", plain(all.energy_pj * steps), "pJ x cycles"},
      {"Utilization", percent(all.utilization, 1),
       grouped(result.breakdown.compute.instances_used) + " of " +
           grouped(result.breakdown.compute.instances) + " " + result.arch.compute.name +
           " instances work"}};
  if (all.area_um2 > 0) rows.push_back({"Area", plain(all.area_um2 / 1e6) + " mm2", ""});
  if (const std::string nodes = extrapolated(result); !nodes.empty()) {
    rows.push_back({"Extrapolated", "", "prices of " + nodes});
  }
  if (all.bottleneck < all.time.size()) {
    rows.push_back({"Bottleneck", "", time_part_name(all.time[all.bottleneck], result.arch)});
  }
  return facts(rows);
}

// The words that each tensor of a store holds there.
std::string tiles_at(const StoredResult& result, const MappingNode& node) {
  std::string text;
  const MemoryReport& report = result.breakdown.memories[index(node.memory())];
  for (const std::size_t t : tensors_as_read(result.problem)) {
    if ((node.tensors >> t & 1u) == 0) continue;
    text += (text.empty() ? "" : "  ") + result.problem.tensors[t].name + " " +
            grouped(report.tensors[t].tile_words);
  }
  return text;
}

// The nest as parse_mapping_text() reads it back: the tiles are comments.
std::string nest(const StoredResult& result, const Style& style) {
  std::vector<std::string> lines, tiles;
  std::string all = mapping_to_text(result.mapping, result.problem, result.arch);
  std::size_t widest = 0, widest_tiles = 0;
  for (const MappingNode& node : result.mapping) {
    const std::size_t end = all.find('\n');
    lines.push_back(all.substr(0, end));
    all.erase(0, end + 1);
    tiles.push_back(node.kind == LoopKind::kStore ? tiles_at(result, node) : "");
    widest = std::max(widest, lines.back().size());
    widest_tiles = std::max(widest_tiles, tiles.back().size());
  }
  // A deep nest is drawn with one space per loop, so that its tiles stay on the page.
  if (widest + widest_tiles + 8 > style.width) {
    widest = 0;
    for (std::string& line : lines) {
      line.erase(0, line.find_first_not_of(' ') / 2);
      widest = std::max(widest, line.size());
    }
  }
  std::string text = padded(style.heading("Mapping"), widest + 4 + (style.colour ? 8 : 0)) +
                     "# words of a full tile\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += "  " + (tiles[i].empty() ? lines[i] : padded(lines[i], widest + 2) + "# " + tiles[i]) +
            "\n";
  }
  return text;
}

using Count = std::function<std::string(std::int64_t)>;

// Exact counts if they fit the page, abridged ones otherwise.
std::string fitted(const std::function<TextTable(const Count&)>& table, const Style& style) {
  const TextTable exact = table(grouped);
  return exact.width() <= style.width ? exact.text() : table(abridged).text();
}

std::string memory_state(const StoredResult& result, std::size_t m) {
  const MemoryReport& report = result.breakdown.memories[m];
  std::string state;
  if (report.instances > 1) {
    state = " x" + grouped(report.instances_used);
    if (report.instances_used != report.instances) state += " of " + grouped(report.instances);
  }
  return state;
}

std::string memories(const StoredResult& result, const Style& style) {
  const Breakdown& all = result.breakdown;
  const auto table = [&](const Count& count) {
    TextTable rows({"", "tile", "reads", "fills", "updates", "drains", "energy", "share"});
    for (std::size_t m = 0; m < all.memories.size(); ++m) {
      const MemoryReport& report = all.memories[m];
      rows.group({result.arch.memories[m].name + memory_state(result, m), "", "", "", "", "",
                  energy(report.energy_pj), percent(report.energy_pj, all.energy_pj)});
      for (const std::size_t t : tensors_as_read(result.problem)) {
        const TensorAtMemory& at = report.tensors[t];
        if (!at.stored) continue;
        rows.row({result.problem.tensors[t].name, count(at.tile_words), count(at.words.reads),
                  count(at.words.fills), count(at.words.updates), count(at.words.drains),
                  energy(at.energy_pj), percent(at.energy_pj, all.energy_pj)});
      }
    }
    rows.drop_idle_columns();
    return rows;
  };
  return style.heading("Memories") + "  (words, all instances together)\n" + fitted(table, style);
}

std::string networks(const StoredResult& result, const Style& style) {
  const Breakdown& all = result.breakdown;
  if (all.fanouts.empty()) return "";
  const auto table = [&](const Count& count) {
    TextTable rows(
        {"", "in", "delivered", "forwarded", "collected", "out", "reductions", "hops", "energy"});
    for (std::size_t f = 0; f < all.fanouts.size(); ++f) {
      const FanoutReport& report = all.fanouts[f];
      rows.group({result.arch.fanouts[f].name + " " + grouped(report.children_used) + " of " +
                      grouped(result.arch.fanouts[f].children()) + " lanes",
                  "", "", "", "", "", "", "", energy(report.energy_pj)});
      for (const std::size_t t : tensors_as_read(result.problem)) {
        const TensorAtNetwork& at = report.tensors[t];
        rows.row({result.problem.tensors[t].name, count(at.words_in), count(at.words_delivered),
                  count(at.forwarded), count(at.words_collected), count(at.words_out),
                  count(at.reductions), at.hops == kUncountedHops ? "not counted" : count(at.hops),
                  energy(at.energy_pj)});
      }
    }
    rows.drop_idle_columns();
    return rows;
  };
  return "\n" + style.heading("Networks") + "  (words)\n" + fitted(table, style);
}

struct Share {
  std::string name;
  double amount = 0;
  std::string shown, remark;
};

std::string chart(const std::vector<Share>& shares, double whole, const Style& style) {
  std::size_t name = 0, shown = 0, remark = 0;
  for (const Share& share : shares) {
    name = std::max(name, share.name.size());
    shown = std::max(shown, share.shown.size());
    remark = std::max(remark, share.remark.size());
  }
  const std::size_t taken = 2 + name + 2 + shown + kPercentWidth + 2 + remark;
  const std::size_t bar_length =
      std::clamp(style.width - std::min(taken, style.width), kShortestBar, kLongestBar);
  std::string text;
  for (const Share& share : shares) {
    const std::string part = percent(share.amount, whole);
    std::string line =
        "  " + padded(share.name, name + 2) + std::string(shown - share.shown.size(), ' ') +
        share.shown +
        std::string(part.size() < kPercentWidth ? kPercentWidth - part.size() : 1, ' ') + part;
    const std::string bar = style.bar(whole > 0 ? share.amount / whole : 0, bar_length);
    if (!bar.empty()) line += "  " + bar;
    text += line + share.remark + "\n";
  }
  return text;
}

std::string where_energy_goes(const StoredResult& result, const Style& style) {
  const Breakdown& all = result.breakdown;
  std::vector<Share> shares;
  double leakage = all.compute.leakage_pj;
  for (std::size_t m = 0; m < all.memories.size(); ++m) {
    const double amount = all.memories[m].energy_pj;
    shares.push_back({result.arch.memories[m].name, amount, energy(amount), ""});
    leakage += all.memories[m].leakage_pj;
  }
  for (std::size_t f = 0; f < all.fanouts.size(); ++f) {
    const double amount = all.fanouts[f].energy_pj;
    shares.push_back({result.arch.fanouts[f].name + " network", amount, energy(amount), ""});
  }
  shares.push_back(
      {result.arch.compute.name, all.compute.energy_pj, energy(all.compute.energy_pj), ""});
  if (leakage > 0) shares.push_back({"leakage", leakage, energy(leakage), ""});
  return style.heading("Where energy goes") + "\n" + chart(shares, all.energy_pj, style);
}

std::string where_time_goes(const StoredResult& result, const Style& style) {
  const Breakdown& all = result.breakdown;
  std::vector<Share> shares;
  bool exposed = false;
  for (std::size_t i = 0; i < all.time.size(); ++i) {
    const TimePart& part = all.time[i];
    exposed = exposed || !part.overlapped();
    shares.push_back({(part.overlapped() ? "" : "+ ") + time_part_name(part, result.arch),
                      part.cycles, cycles(part.cycles),
                      i == all.bottleneck ? kBottleneckMark : ""});
  }
  return style.heading("Where time goes") +
         (exposed ? "  (cycles; the longest counts, parts with + come on top)\n"
                  : "  (cycles; side by side: the longest counts)\n") +
         chart(shares, static_cast<double>(all.cycles), style);
}

std::string notes(const StoredResult& result) {
  std::string text;
  for (const std::string& violation :
       constraint_violations(result.mapping, result.problem, result.arch)) {
    std::vector<std::string> words{"Note:"};
    for (std::size_t at = 0; at < violation.size();) {
      const std::size_t end = std::min(violation.find(' ', at), violation.size());
      words.push_back(violation.substr(at, end - at));
      at = end + 1;
    }
    text += wrapped(words, 98).substr(2);
  }
  return text.empty() ? "" : "\n" + text;
}

}  // namespace

std::vector<std::size_t> tensors_as_read(const Problem& problem) {
  std::vector<std::size_t> tensors;
  for (const bool outputs : {false, true}) {
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if (problem.tensors[t].is_output == outputs) tensors.push_back(t);
    }
  }
  return tensors;
}

std::string text_report(const StoredResult& result, const Style& style) {
  std::string text = header(result, style) + "\n" + totals(result) + "\n" + nest(result, style) +
                     "\n" + memories(result, style) + networks(result, style) + "\n" +
                     where_energy_goes(result, style) + "\n" + where_time_goes(result, style);
  if (style.explain) text += "\n" + explanation(result, style);
  return text + notes(result);
}

}  // namespace loopscape::cli
