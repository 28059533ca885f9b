// Running an external estimator.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interface/cli/energy_sources.h"

namespace loopscape::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

using Clock = std::chrono::steady_clock;

Status failed(const std::string& command, const std::string& why) {
  return {StatusCode::kInvalidInput, "the external estimator " + in_quotes(command) + " " + why};
}

struct Pipe {
  int end[2] = {-1, -1};
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  bool open() { return pipe2(end, O_CLOEXEC) == 0; }
  void close_end(int which) {
    if (end[which] >= 0) ::close(end[which]);
    end[which] = -1;
  }
};

// A shell in a process group of its own, so that all of it can be ended.
pid_t start(const std::string& command, Pipe& in, Pipe& out) {
  const pid_t child = fork();
  if (child != 0) return child;
  setpgid(0, 0);
  dup2(in.end[0], STDIN_FILENO);
  dup2(out.end[1], STDOUT_FILENO);
  std::signal(SIGPIPE, SIG_DFL);
  execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
  _exit(127);
}

enum class Talk { kDone, kLate, kTooMuch };

// Writes the input and reads the answer, whichever is ready, until the other side has ended.
Talk talk(const std::string& input, Pipe& in, Pipe& out, Clock::time_point end,
          std::string& answer) {
  std::size_t written = 0;
  char block[4096];
  while (true) {
    if (in.end[1] >= 0 && written == input.size()) in.close_end(1);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return Talk::kLate;
    pollfd files[2] = {{out.end[0], POLLIN, 0}, {in.end[1], POLLOUT, 0}};
    if (poll(files, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) return Talk::kLate;
    if (files[1].revents != 0) {
      const ssize_t n = write(in.end[1], input.data() + written, input.size() - written);
      if (n > 0) written += static_cast<std::size_t>(n);
      if (n < 0 && errno != EAGAIN) in.close_end(1);  // it does not want to know
    }
    if (files[0].revents != 0) {
      const ssize_t n = read(out.end[0], block, sizeof block);
      if (n == 0) return Talk::kDone;
      if (n > 0) answer.append(block, static_cast<std::size_t>(n));
      if (answer.size() > kMostBytes) return Talk::kTooMuch;
    }
  }
}

// Waits for a command that has closed its output; it may still linger.
bool ended(pid_t child, Clock::time_point end, int& status) {
  for (timespec pause{0, 100'000};; pause.tv_nsec = std::min(2 * pause.tv_nsec, 20'000'000L)) {
    const pid_t found = waitpid(child, &status, WNOHANG);
    if (found == child || (found < 0 && errno != EINTR)) return true;
    if (Clock::now() >= end) return false;
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

Result<std::string> run_command(const std::string& command, const std::string& input,
                                double seconds) {
  Pipe in, out;
  if (!in.open() || !out.open())
    return failed(command, std::string("has no pipes: ") + std::strerror(errno));
  fcntl(in.end[1], F_SETFL, O_NONBLOCK);
  const pid_t child = start(command, in, out);
  if (child < 0) return failed(command, std::string("cannot be started: ") + std::strerror(errno));
  setpgid(child, child);
  in.close_end(0);
  out.close_end(1);
  std::string answer;
  const auto limit =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const Clock::time_point end = Clock::now() + limit;
  Talk how = talk(input, in, out, end, answer);
  int status = 0;
  if (how == Talk::kDone && !ended(child, end, status)) how = Talk::kLate;
  if (how != Talk::kDone) {
    kill(-child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (how == Talk::kLate) {
    return failed(command,
                  "did not answer within " + number_text(seconds) + " s (--estimator-timeout)");
  }
  if (how == Talk::kTooMuch) return failed(command, "answers more than 1 MiB");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return answer;
  return failed(command, WIFEXITED(status)
                             ? "ended with exit code " + std::to_string(WEXITSTATUS(status))
                             : "was ended by signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace loopscape::cli
