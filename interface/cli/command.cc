#include "interface/cli/command.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <nlohmann/json.hpp>

#include "model/base/text.h"

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

using Json = nlohmann::ordered_json;

std::string document_of(const Json& error) {
  const Json document = {{"error", error}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string as_json(const Status& status) {
  Json error;
  error["code"] = code_name(status.code());
  error["message"] = status.message();
  if (!status.file().empty()) error["file"] = status.file();
  if (!status.place().empty()) error["place"] = status.place();
  return document_of(error);
}

CLI::Validator number_that(const char* name, const char* wanted, bool (*holds)(double)) {
  const auto check = [=](std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && holds(value)) return "";
    return std::string("must be ") + wanted + ", not " + in_quotes(text);
  };
  return {check, name};
}

}  // namespace

CLI::Validator positive() {
  return number_that("POSITIVE", "a number above 0", [](double value) { return value > 0; });
}
CLI::Validator not_negative() {
  return number_that("NONNEGATIVE", "a number of at least 0",
                     [](double value) { return value >= 0; });
}
CLI::Validator whole(std::int64_t least, std::int64_t most) {
  const auto check = [=](std::string& text) -> std::string {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec == std::errc() && read.ptr == end && value >= least && value <= most) return "";
    return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
           ", not " + in_quotes(text);
  };
  return {check, least == 0 ? "NONNEGATIVE" : "POSITIVE"};
}

int print(const std::string& text, int code) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return code;
  if (errno == EPIPE) return kInterrupted;  // as with `| head`: nobody is left to tell
  std::fprintf(stderr, "loopscape: cannot write the output: %s\n", std::strerror(errno));
  return kBadInput;
}

std::string error_json(const std::string& code, const std::string& message) {
  return document_of({{"code", code}, {"message", message}});
}

int fail(const Status& status, Form form) {
  const int code = status.code() == StatusCode::kIllegalMapping ? kAnswerIsNo : kBadInput;
  std::fprintf(stderr, "loopscape: %s\n", status.to_string().c_str());
  return form == Form::kJson ? print(as_json(status), code) : code;
}

}  // namespace loopscape::cli
