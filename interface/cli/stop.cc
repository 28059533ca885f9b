#include "interface/cli/stop.h"

#include <chrono>
#include <csignal>

namespace loopscape::cli {
namespace {

std::atomic<bool> stop{false}, signalled{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may touch them

extern "C" void on_interrupt(int) {
  signalled.store(true);
  stop.store(true);
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace

Timer::Timer(double seconds, std::atomic<bool>& flag) {
  thread_ = std::thread([this, seconds, &flag] {
    std::unique_lock lock(mutex_);
    const auto limit = std::chrono::duration<double>(seconds);
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

Stop::~Stop() { std::signal(SIGINT, SIG_DFL); }

const std::atomic<bool>* Stop::flag() const { return &stop; }
bool Stop::interrupted() const { return signalled.load(); }

Afterwards::Afterwards(const Stop& stop) {
  if (stop.flag()->load()) timer_.emplace(0.5, late_);
}

}  // namespace loopscape::cli
