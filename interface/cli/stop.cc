#include "interface/cli/stop.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace loopscape::cli {
namespace {

std::atomic<bool> stop{false}, signalled{false};
std::atomic<std::int64_t> signalled_at{0};  // milliseconds
// A signal handler may touch them.
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

// Whoever signals a process and its group, as timeout does, signals it twice within a moment.
constexpr std::int64_t kOneSignalMs = 250;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // a signal handler may call it
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

extern "C" void on_interrupt(int) {
  if (!signalled.exchange(true)) {
    signalled_at.store(now_ms());
    stop.store(true);
  } else if (now_ms() - signalled_at.load() > kOneSignalMs) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
}

}  // namespace

Timer::Timer(double seconds, std::atomic<bool>& flag) {
  thread_ = std::thread([this, seconds, &flag] {
    std::unique_lock lock(mutex_);
    constexpr double kLong = 1e9;  // a clock holds no more than some 300 years
    const auto limit = std::chrono::duration<double>(std::min(seconds, kLong));
    if (!over_.wait_for(lock, limit, [this] { return is_over_; })) flag.store(true);
  });
}

Timer::~Timer() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  over_.notify_one();
  thread_.join();
}

Stop::Stop(double seconds) {
  stop.store(false);
  signalled.store(false);
  std::signal(SIGINT, &on_interrupt);
  if (seconds > 0) timer_.emplace(seconds, stop);
}

// Once interrupted, what was found is still to be printed.
Stop::~Stop() {
  if (!signalled.load()) std::signal(SIGINT, SIG_DFL);
}

const std::atomic<bool>* Stop::flag() const { return &stop; }
bool Stop::interrupted() const { return signalled.load(); }

Afterwards::Afterwards(const Stop& stop) {
  if (stop.flag()->load()) timer_.emplace(0.5, late_);
}

}  // namespace loopscape::cli
