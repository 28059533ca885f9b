#include "interface/cli/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "model/base/json_fields.h"

namespace loopscape::cli {
namespace {

Status unreadable(const std::string& path, std::string message) {
  return Status(StatusCode::kInvalidInput, std::move(message)).in(path);
}

// "cannot be read: No such file or directory (did you mean 'arch.json'?)"
std::string why_not_opened(const std::string& path, int error) {
  std::string message = std::string("cannot be read: ") + std::strerror(error);
  if (error != ENOENT) return message;
  const std::filesystem::path given(path);
  std::error_code no_link;
  if (const auto target = std::filesystem::read_symlink(given, no_link); !no_link) {
    return "cannot be read: it is a symbolic link to " + in_quotes(target.string()) +
           ", where there is no file";
  }
  const std::filesystem::path folder = given.has_parent_path() ? given.parent_path() : ".";
  std::vector<std::string> names;
  constexpr std::size_t kMaxNames = 1000;  // a suggestion is not worth a longer look
  std::error_code ignored;
  for (std::filesystem::directory_iterator it(folder, ignored), end;
       it != end && names.size() < kMaxNames; it.increment(ignored)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  const std::string near = nearest(given.filename().string(), names);
  return near.empty() ? message : message + " (did you mean " + in_quotes(near) + "?)";
}

struct Limit {
  std::size_t bytes;
  const char* what;
};
constexpr Limit kSpecification{fields::kMaxTextBytes, "specification"};
constexpr Limit kResult{fields::kMaxResultBytes, "result"};

Result<std::string> read_stream(std::FILE* stream, const std::string& path, const Limit& limit) {
  std::string text;
  std::array<char, 65536> block;
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), stream)) {
    text.append(block.data(), got);
    if (text.size() > limit.bytes) {
      return unreadable(path, "is larger than " + std::to_string(limit.bytes >> 20) +
                                  " MiB, which no " + limit.what + " needs");
    }
  }
  if (std::ferror(stream)) {
    return unreadable(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  return text;
}

Result<std::string> read_within(const std::string& path, const Limit& limit) {
  if (path == "-") return read_stream(stdin, "<stdin>", limit);
  if (path.empty()) return Status(StatusCode::kInvalidInput, "the name of a file is empty");
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return unreadable(path, "is a directory; name a file in it");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return unreadable(path, why_not_opened(path, errno));
  return read_stream(file.get(), path, limit);
}

}  // namespace

Result<std::string> read_text(const std::string& path) { return read_within(path, kSpecification); }

Result<std::string> read_result_text(const std::string& path) { return read_within(path, kResult); }

Status check_stdin_once(const std::vector<std::string>& paths) {
  if (std::count(paths.begin(), paths.end(), "-") <= 1) return {};
  return {StatusCode::kInvalidInput, "only one file can be read from stdin ('-')"};
}

}  // namespace loopscape::cli
