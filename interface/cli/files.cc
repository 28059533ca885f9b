#include "interface/cli/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

namespace loopscape::cli {
namespace {

constexpr std::size_t kMaxMebibytes = 16;
constexpr std::size_t kMaxBytes = kMaxMebibytes << 20;

Status unreadable(const std::string& path, std::string message) {
  return Status(StatusCode::kInvalidInput, std::move(message)).in(path);
}

// "cannot be read: No such file or directory (did you mean 'arch.json'?)"
std::string why_not_opened(const std::string& path, int error) {
  std::string message = std::string("cannot be read: ") + std::strerror(error);
  if (error != ENOENT) return message;
  const std::filesystem::path given(path);
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

Result<std::string> read_stream(std::FILE* stream, const std::string& path) {
  std::string text;
  std::array<char, 65536> block;
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), stream)) {
    text.append(block.data(), got);
    if (text.size() > kMaxBytes) {
      return unreadable(path, "is larger than " + std::to_string(kMaxMebibytes) +
                                  " MiB, which no specification needs");
    }
  }
  if (std::ferror(stream)) {
    return unreadable(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  return text;
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  if (path == "-") return read_stream(stdin, "<stdin>");
  if (path.empty()) return Status(StatusCode::kInvalidInput, "the name of a file is empty");
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return unreadable(path, "is a directory; name a file in it");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return unreadable(path, why_not_opened(path, errno));
  return read_stream(file.get(), path);
}

Status check_stdin_once(const std::vector<std::string>& paths) {
  if (std::count(paths.begin(), paths.end(), "-") <= 1) return {};
  return {StatusCode::kInvalidInput, "only one file can be read from stdin ('-')"};
}

}  // namespace loopscape::cli
