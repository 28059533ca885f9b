#include "interface/cli/command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <nlohmann/json.hpp>

namespace loopscape::cli {
namespace {

const char* code_name(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalidInput:
      return "invalid_input";
    case StatusCode::kIllegalMapping:
      return "illegal_mapping";
    case StatusCode::kOverflow:
      return "overflow";
    case StatusCode::kUnsupported:
      break;
  }
  return "unsupported";
}

std::string as_json(const Status& status) {
  nlohmann::ordered_json error;
  error["code"] = code_name(status.code());
  error["message"] = status.message();
  if (!status.file().empty()) error["file"] = status.file();
  if (!status.place().empty()) error["place"] = status.place();
  const nlohmann::ordered_json document = {{"error", error}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

int print(const std::string& text, int code) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return code;
  if (errno == EPIPE) return kInterrupted;  // as with `| head`: nobody is left to tell
  std::fprintf(stderr, "loopscape: cannot write the output: %s\n", std::strerror(errno));
  return kBadInput;
}

int fail(const Status& status, Form form) {
  const int code = status.code() == StatusCode::kIllegalMapping ? kAnswerIsNo : kBadInput;
  std::fprintf(stderr, "loopscape: %s\n", status.to_string().c_str());
  return form == Form::kJson ? print(as_json(status), code) : code;
}

}  // namespace loopscape::cli
