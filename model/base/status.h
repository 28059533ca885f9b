// Errors are values: a code, a sentence for a person, and the place it speaks of.
// Nothing in model/ throws across its public headers, prints or exits.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace loopscape {

enum class StatusCode {
  kOk = 0,
  kInvalidInput,    // a spec is malformed or contradicts itself or another spec
  kIllegalMapping,  // the mapping breaks a rule of model.md section 3 or a capacity
  kOverflow,        // a count does not fit 64 bits
  kUnsupported,     // well formed, but outside what the model can count exactly
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // File name ("" when the text did not come from a file) and JSON pointer or line of the place.
  const std::string& file() const { return file_; }
  const std::string& place() const { return place_; }

  // Fill in what an inner call could not know; the innermost knowledge wins.
  Status&& at(std::string place) && {
    if (place_.empty()) place_ = std::move(place);
    return std::move(*this);
  }
  Status&& in(std::string file) && {
    if (file_.empty()) file_ = std::move(file);
    return std::move(*this);
  }

  // "file: place: message", leaving out what is empty.
  std::string to_string() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_, file_, place_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}        // NOLINT: implicit by design
  Result(Status status) : state_(std::move(status)) {  // NOLINT: implicit by design
    assert(!std::get<Status>(state_).ok());
  }
  bool ok() const { return std::holds_alternative<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T& value() & { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  Status status() const { return ok() ? Status() : std::get<Status>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace loopscape
