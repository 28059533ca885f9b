// The text form of a mapping: one node per line, indented once per loop around it.
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "model/mapping/mapping.h"
#include "model/mapping/names.h"

namespace loopscape {
namespace {

constexpr const char* kLineForms =
    "a line is 'MEMORY: TENSOR ...', 'for DIM in BOUND' or 'parallel DIM in BOUND on AXIS'";

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

// Words of a line; ':' is a word of its own, and '#' begins a comment.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  constexpr std::string_view kBreaks = " \t\r:#";
  for (std::size_t at = 0; at < line.size() && line[at] != '#';) {
    if (line[at] == ':') {
      words.emplace_back(":");
      ++at;
    } else if (kBreaks.find(line[at]) != std::string_view::npos) {
      ++at;
    } else {
      const std::size_t end = std::min(line.find_first_of(kBreaks, at), line.size());
      words.emplace_back(line.substr(at, end - at));
      at = end;
    }
  }
  return words;
}

class LineReader {
 public:
  LineReader(const Problem& problem, const Arch& arch) : problem_(problem), arch_(arch) {}

  Result<MappingNode> read(const std::vector<std::string>& words) const {
    if (words.size() > 1 && words[1] == ":") return store(words);
    if (words[0] == "for") return loop(words);
    if (words[0] == "parallel") return spatial(words);
    if (arch_.find_memory(words[0])) {
      return invalid("a colon is missing after memory " + words[0]);
    }
    return invalid("this is not a line of a nest: " + std::string(kLineForms));
  }

 private:
  Result<MappingNode> store(const std::vector<std::string>& words) const {
    const std::optional<MemoryId> memory = arch_.find_memory(words[0]);
    if (!memory) return invalid(unknown_memory(words[0], arch_));
    TensorMask tensors = 0;
    for (std::size_t w = 2; w < words.size(); ++w) {
      const std::string& name = words[w];
      if (name.find(',') != std::string::npos) {
        return invalid("tensors are separated by spaces, not commas");
      }
      const std::optional<TensorId> tensor = problem_.find_tensor(name);
      if (!tensor) return invalid(unknown_tensor(name, problem_));
      if ((tensors & bit(*tensor)) != 0) return invalid("tensor " + name + " is named twice");
      tensors = static_cast<TensorMask>(tensors | bit(*tensor));
    }
    if (tensors == 0) return invalid("name at least one tensor after " + words[0] + ":");
    return MappingNode::store(*memory, tensors);
  }

  // for DIM in BOUND
  Result<MappingNode> loop(const std::vector<std::string>& words) const {
    if (words.size() != 4 || words[2] != "in") {
      return invalid("a loop is written 'for DIM in BOUND', for example 'for k in 4'");
    }
    const std::optional<DimId> dim = problem_.find_dim(words[1]);
    if (!dim) return invalid(unknown_dim(words[1], problem_));
    Result<std::uint32_t> bound = bound_of(words[3]);
    if (!bound.ok()) return bound.status();
    return MappingNode::loop(*dim, *bound);
  }

  // parallel DIM in BOUND on AXIS
  Result<MappingNode> spatial(const std::vector<std::string>& words) const {
    if (words.size() != 6 || words[2] != "in" || words[4] != "on") {
      return invalid(
          "a spatial loop is written 'parallel DIM in BOUND on AXIS', for example "
          "'parallel k in 4 on PEs.x'");
    }
    Result<MappingNode> node = loop({words.begin(), words.begin() + 4});
    if (!node.ok()) return node;
    const std::optional<AxisId> axis = arch_.find_axis(words[5]);
    if (!axis) return invalid(unknown_axis(words[5], arch_));
    return MappingNode::spatial(node->dim(), node->bound, *axis);
  }

  static Result<std::uint32_t> bound_of(const std::string& word) {
    std::uint32_t bound = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, bound);
    if (error != std::errc() || stop != end || bound == 0) {
      return invalid("a bound is a whole number from 1 to " +
                     std::to_string(std::numeric_limits<std::uint32_t>::max()) + ", not " +
                     in_quotes(word));
    }
    return bound;
  }

  const Problem& problem_;
  const Arch& arch_;
};

// A nest has one branch: indentation may grow or stay, never shrink.
class Indentation {
 public:
  Status check(std::string_view line, std::size_t number) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (indent < line.size() && line[indent] == '\t')
      return invalid("indent with spaces, not tabs");
    if (indent < indent_) {
      return invalid("this line stands further left than line " + std::to_string(line_) +
                     ", but a nest has one branch only: each line belongs inside the one before");
    }
    indent_ = indent;
    line_ = number;
    return {};
  }

 private:
  std::size_t indent_ = 0, line_ = 0;
};

Status read_line(std::string_view line, std::size_t number, Indentation& indentation,
                 const LineReader& reader, Mapping& mapping) {
  const std::vector<std::string> words = words_of(line);
  if (words.empty()) return {};
  if (Status status = indentation.check(line, number); !status.ok()) return status;
  Result<MappingNode> node = reader.read(words);
  if (!node.ok()) return node.status();
  if (!mapping.push_back(*node)) return invalid(too_many_nodes());
  return {};
}

}  // namespace

Result<Mapping> parse_mapping_text(std::string_view text, const Problem& problem,
                                   const Arch& arch) {
  const LineReader reader(problem, arch);
  Indentation indentation;
  Mapping mapping;
  std::size_t number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    Status status = read_line(text.substr(at, end - at), number, indentation, reader, mapping);
    if (!status.ok()) return std::move(status).at("line " + std::to_string(number));
    at = end + 1;
  }
  if (mapping.size() == 0) {
    return invalid("the nest is empty: " + std::string(kLineForms)).at("line 1");
  }
  return mapping;
}

std::string mapping_to_text(const Mapping& mapping, const Problem& problem, const Arch& arch) {
  std::string text;
  std::size_t depth = 0;
  for (const MappingNode& node : mapping) {
    text.append(2 * depth, ' ') += node_line(node, problem, arch) + '\n';
    if (node.kind != LoopKind::kStore) ++depth;
  }
  return text;
}

}  // namespace loopscape
