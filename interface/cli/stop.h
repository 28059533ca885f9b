// What ends a search early: SIGINT (a second one kills as usual) or a time limit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace loopscape::cli {

// One at a time: the signal reaches the one that lives.
class Stop {
 public:
  explicit Stop(double seconds);  // 0: no limit
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  const std::atomic<bool>* flag() const;
  bool interrupted() const;  // by the signal

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread timer_;
};

}  // namespace loopscape::cli
