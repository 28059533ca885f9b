// What every verb shares: exit codes, how failures are told, how output leaves the program.
//
// A verb is one file. It declares its options to CLI11, which only parses, and leaves in `run` what
// is to be done once parsing succeeded.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "model/base/base.h"

namespace loopscape::cli {

enum ExitCode : int {
  kDone = 0,
  kAnswerIsNo = 1,   // an illegal mapping, a result that does not hold
  kBadInput = 2,     // place, reason and nearest fix have been told
  kInterrupted = 3,  // the reader of our output went away, or a limit was reached
};

using Run = std::function<int()>;

void add_evaluate(CLI::App& app, Run& run);
void add_map(CLI::App& app, Run& run);
void add_verify(CLI::App& app, Run& run);
void add_count(CLI::App& app, Run& run);
void add_energy(CLI::App& app, Run& run);
void add_schema(CLI::App& app, Run& run);
void add_bound(CLI::App& app, Run& run);
void add_bench(CLI::App& app, Run& run);

// Of a number that an option takes: finite, or whole.
CLI::Validator positive();
CLI::Validator not_negative();
CLI::Validator whole(std::int64_t least, std::int64_t most = INT64_MAX);

// Writes everything to stdout and returns `code`, or says why it could not and returns another.
int print(const std::string& text, int code = kDone);

enum class Form { kText, kJson };
// {"error": {"code": ..., "message": ...}}, as a document.
std::string error_json(const std::string& code, const std::string& message);
// Tells a failure: a sentence on stderr, and for machines {"error": ...} on stdout as well.
int fail(const Status& status, Form form);

}  // namespace loopscape::cli
