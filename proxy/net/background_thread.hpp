// A thread for work that would hold up an event loop: bodies that take long to decode and to parse.
// Its caller waits, its caller's loop does not. It has a lower priority than the loops, and owners
// take turns, so that the work of one delays that of another by one piece.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "quota/task.hpp"

namespace tollgate::proxy {

class background_thread {
 public:
  background_thread();
  // Closes. Must be destroyed before the contexts of its callers.
  ~background_thread();
  background_thread(const background_thread&) = delete;

  // Any thread: gives up what waits, refuses what follows; returns when the thread has ended.
  void close();

  // Of the calling thread. Unlike the time of a clock, it does not grow while others run.
  static std::chrono::nanoseconds processor_time();

  // Runs `work`, which may use all that the caller keeps while it waits. False: closed, and it has
  // not run. What it throws is thrown here.
  task<bool> run(std::string owner, std::function<void()> work);

 private:
  struct job {
    std::function<void()> work;
    std::function<void(std::exception_ptr, bool)> done;
  };

  bool add(std::string owner, job what);
  std::deque<job> take_all();
  void serve();
  bool take_next(std::unique_lock<std::mutex>& lock, job& next);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::deque<job>> waiting_;
  std::deque<std::string> turns_;  // each owner with waiting work once
  bool closed_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tollgate::proxy
