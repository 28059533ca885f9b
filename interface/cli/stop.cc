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

Stop::Stop(double seconds) {
  stop.store(false);
  signalled.store(false);
  std::signal(SIGINT, &on_interrupt);
  if (seconds <= 0) return;
  timer_ = std::thread([this, seconds] {
    std::unique_lock lock(mutex_);
    const auto limit = std::chrono::duration<double>(seconds);
    if (!over_.wait_for(lock, limit, [this] { return is_over_; })) stop.store(true);
  });
}

Stop::~Stop() {
  std::signal(SIGINT, SIG_DFL);
  if (!timer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  over_.notify_one();
  timer_.join();
}

const std::atomic<bool>* Stop::flag() const { return &stop; }
bool Stop::interrupted() const { return signalled.load(); }

}  // namespace loopscape::cli
