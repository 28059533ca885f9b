#include "interface/cli/bound_report.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "interface/cli/numbers.h"
#include "interface/cli/text_report.h"
#include "model/evaluate/evaluate.h"

namespace loopscape::cli {
namespace {

constexpr std::size_t kMostRows = 12;
constexpr std::size_t kPlotWidth = 64, kPlotHeight = 10;

std::vector<std::string> names_of(TensorMask tensors, const Problem& problem) {
  std::vector<std::string> names;
  for (const std::size_t t : tensors_as_read(problem)) {
    if ((tensors >> t & 1u) != 0) names.push_back(problem.tensors[t].name);
  }
  return names;
}

// Of one instance; nothing: unlimited.
std::optional<double> capacity_of(const Memory& memory) {
  if (!memory.size_bits) return std::nullopt;
  return static_cast<double>(usable_bits(memory));
}

// The last step that fits; nothing: none does.
const BoundStep* step_at(const MovementBound& bound, double bits) {
  const BoundStep* last = nullptr;
  for (const BoundStep& step : bound.steps) {
    if (static_cast<double>(step.capacity_bits) <= bits) last = &step;
  }
  return last;
}

// ---- text ----

std::string amount(double bits) { return bits < 8 ? plain(bits) + " bits" : bytes(bits); }

// All steps, or some of them at about equal ratios of capacity; always the first, the last and the
// one that the memory's own capacity allows.
std::vector<const BoundStep*> shown_steps(const MovementBound& bound, const BoundStep* own) {
  std::vector<const BoundStep*> shown;
  const auto first = static_cast<double>(bound.steps.front().capacity_bits);
  const double ratio = static_cast<double>(bound.steps.back().capacity_bits) / first;
  double next = first;
  for (const BoundStep& step : bound.steps) {
    const auto bits = static_cast<double>(step.capacity_bits);
    const bool all = bound.steps.size() <= kMostRows;
    if (!all && bits < next && &step != own && &step != &bound.steps.back()) continue;
    shown.push_back(&step);
    while (next <= bits) next *= std::max(1.001, std::pow(ratio, 1.0 / (kMostRows - 1)));
  }
  return shown;
}

std::string table_of(const MovementBound& bound, const BoundStep* own) {
  TextTable table({"capacity", "bits", "words", ""});
  const std::vector<const BoundStep*> shown = shown_steps(bound, own);
  for (const BoundStep* step : shown) {
    table.group({amount(static_cast<double>(step->capacity_bits)), grouped(step->capacity_bits),
                 grouped(step->words), step == own ? "<- as built" : ""});
  }
  std::string text = table.text();
  if (shown.size() < bound.steps.size()) {
    text += "  left out in between: " +
            counted(static_cast<std::int64_t>(bound.steps.size() - shown.size()), "step") +
            "; --json has all\n";
  }
  return text;
}

class Plot {
 public:
  Plot(const MovementBound& bound, std::optional<double> own, const Style& style)
      : bound_(bound), own_(own), style_(style) {
    least_bits_ = static_cast<double>(bound.steps.front().capacity_bits);
    most_bits_ = static_cast<double>(bound.steps.back().capacity_bits);
    if (own) {
      least_bits_ = std::min(least_bits_, *own);
      most_bits_ = std::max(most_bits_, *own);
    }
    most_bits_ = std::max(most_bits_, least_bits_ + 1);
    least_words_ = static_cast<double>(bound.steps.back().words);
    most_words_ = static_cast<double>(bound.steps.front().words);
  }

  std::string text() const {
    std::string text;
    const std::string most = grouped(bound_.steps.front().words);
    const std::string least = grouped(bound_.steps.back().words);
    const std::size_t margin = std::max(most.size(), least.size());
    for (std::size_t row = kPlotHeight; row-- > 0;) {
      std::string label = row == kPlotHeight - 1 ? most : row == 0 ? least : "";
      label.insert(0, margin - label.size(), ' ');
      std::string line = "  " + label + " ";
      for (std::size_t column = 0; column < kPlotWidth; ++column) line += cell(column, row);
      while (line.back() == ' ') line.pop_back();
      text += line + "\n";
    }
    const std::string left = amount(least_bits_), right = amount(most_bits_);
    std::string axis = std::string(margin + 3, ' ') + left;
    axis.resize(std::max(axis.size() + 1, margin + 3 + kPlotWidth - right.size()), ' ');
    text += axis + right + "\n";
    if (!own_) return text;
    return text + std::string(margin + 3 + column_of(*own_), ' ') + "^ as built: " + amount(*own_) +
           "\n";
  }

 private:
  double span() const { return std::log(most_bits_ / least_bits_); }
  std::size_t column_of(double bits) const {
    const double share = std::log(bits / least_bits_) / span();
    return static_cast<std::size_t>(std::lround(share * (kPlotWidth - 1)));
  }
  // From 0 to kPlotHeight; nothing fits: below 0.
  double height(std::size_t column) const {
    const double share = static_cast<double>(column) / (kPlotWidth - 1);
    // A step begins in the column that its capacity falls into.
    const BoundStep* step = nullptr;
    for (const BoundStep& one : bound_.steps) {
      if (column_of(static_cast<double>(one.capacity_bits)) <= column) step = &one;
    }
    if (step == nullptr || share < 0) return -1;
    if (most_words_ == least_words_) return 1;
    const double words = std::log(static_cast<double>(step->words) / least_words_);
    return 1 + words / std::log(most_words_ / least_words_) * (kPlotHeight - 1);
  }
  std::string cell(std::size_t column, std::size_t row) const {
    static constexpr const char* kEighths[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                               "\u2585", "\u2586", "\u2587", "\u2588"};
    const double filled = std::clamp(height(column) - static_cast<double>(row), 0.0, 1.0);
    if (!style_.utf8) return filled >= 0.5 ? "#" : " ";
    return kEighths[static_cast<std::size_t>(std::lround(filled * 8))];
  }

  const MovementBound& bound_;
  std::optional<double> own_;
  const Style& style_;
  double least_bits_, most_bits_, least_words_, most_words_;
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + safe(name);
  return text;
}

std::string one_text(const Inputs& inputs, const MovementBound& bound, const Style& style) {
  const Memory& memory = inputs.arch.memories[bound.memory];
  std::string text = style.heading(safe(memory.name)) + "  (keeps " +
                     joined(names_of(bound.tensors, inputs.problem)) + ")\n";
  if (!bound.untold.empty()) return text + "  not told: " + bound.untold + "\n";
  if (!bound.complete) text += "  NOT bounds: stopped early; these are the best so far\n";
  if (bound.steps.empty()) return text + "  no mapping was met that the model counts\n";
  const std::optional<double> own = capacity_of(memory);
  const BoundStep* step = own ? step_at(bound, *own) : nullptr;
  text += table_of(bound, step);
  if (own && step == nullptr) {
    text += "  as built it holds " + amount(*own) + ": less than any mapping needs\n";
  }
  if (bound.steps.size() == 1) return text;
  return text + "\n" + Plot(bound, own, style).text();
}

}  // namespace

std::string bound_text(const Inputs& inputs, const MovementBounds& bounds, const Style& style) {
  std::string text =
      style.heading("Least words between each memory and its parents, by its capacity") + "\n";
  text += "  " + safe_name(inputs.problem.name, "problem") + " on " +
          safe_name(inputs.arch.name, "architecture") + "; " + bounds.space +
          "; other capacities and constraints on loops left out\n";
  for (const MovementBound& bound : bounds.bounds) text += "\n" + one_text(inputs, bound, style);
  return text;
}

std::string bound_json(const Inputs& inputs, const MovementBounds& bounds) {
  using Json = nlohmann::ordered_json;
  Json document = {{"problem", inputs.problem.name},
                   {"arch", inputs.arch.name},
                   {"space", bounds.space},
                   {"conventions", conventions_to_text(inputs.conventions)},
                   {"work", bounds.work},
                   {"memories", Json::array()}};
  for (const MovementBound& bound : bounds.bounds) {
    const Memory& memory = inputs.arch.memories[bound.memory];
    Json one = {{"name", memory.name}, {"tensors", names_of(bound.tensors, inputs.problem)}};
    const std::optional<double> own = capacity_of(memory);
    if (own) one["usable_bits"] = static_cast<std::uint64_t>(*own);
    if (const BoundStep* step = own ? step_at(bound, *own) : nullptr) {
      one["words_as_built"] = step->words;
    }
    one["complete"] = bound.complete && bound.untold.empty();
    if (!bound.untold.empty()) one["not_told"] = bound.untold;
    one["bounds"] = Json::array();
    for (const BoundStep& step : bound.steps) {
      one["bounds"].push_back(
          {{"capacity_bits", step.capacity_bits},
           {"words", step.words},
           {"mapping", Json::parse(mapping_to_json(step.mapping, inputs.problem, inputs.arch))}});
    }
    document["memories"].push_back(one);
  }
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace loopscape::cli
