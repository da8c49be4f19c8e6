// Ends a blocking conversation that takes too long or is no longer needed: it shuts down the
// socket, so that reads and writes fail at once. Without it, libpq would wait indefinitely for a
// database that hangs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tollgate::proxy::archive {

class socket_guard {
 public:
  using steady = std::chrono::steady_clock;

  socket_guard();
  ~socket_guard();

  // From now on `socket` is shut down at `give_up`, unless disarm() is called before.
  void arm(int socket, steady::time_point give_up);
  void disarm();
  // Any thread: shuts down the armed socket now, and any that is armed later.
  void interrupt();

 private:
  void watch();

  std::mutex mutex_;
  std::condition_variable changed_;
  int socket_ = -1;
  steady::time_point give_up_{};
  bool interrupted_ = false, over_ = false;
  std::thread watcher_;
};

}  // namespace tollgate::proxy::archive
