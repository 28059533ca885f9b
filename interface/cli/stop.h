// What ends a search early: SIGINT (another one, a moment later, kills as usual) or a time limit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace loopscape::cli {

// Sets a flag after so many seconds, unless it is gone by then.
class Timer {
 public:
  Timer(double seconds, std::atomic<bool>& flag);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

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
  std::optional<Timer> timer_;
};

// Ends soon what is still to be done after a search, if it was stopped itself.
class Afterwards {
 public:
  explicit Afterwards(const Stop& stop);
  const std::atomic<bool>* flag() const { return &late_; }

 private:
  std::atomic<bool> late_{false};
  std::optional<Timer> timer_;
};

}  // namespace loopscape::cli
