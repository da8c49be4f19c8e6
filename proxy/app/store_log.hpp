// One line for each change of the store's state, though every thread has a connection of its own.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "quota/store_state.hpp"

namespace tollgate::proxy {

// Decides which changes are worth a line. Pure.
class store_changes {
 public:
  using time = std::chrono::steady_clock::time_point;

  // The line about this change of one connection, if it is one of the store: the first connection
  // in trouble, another cause once none is left in the cause told last, and the last one that
  // recovers.
  std::optional<std::string> note(int connection, const quota::store_state& now, time at);

 private:
  bool is_told_cause_left() const;

  std::map<int, quota::store_trouble> in_trouble_;
  std::optional<quota::store_trouble> told_;
  time since_{};
};

class store_log {
 public:
  int add();                                                 // the number of a new connection
  void note(int connection, const quota::store_state& now);  // any thread
  void refused(const std::string& why);                      // any thread; each reason once

 private:
  std::mutex mutex_;
  store_changes changes_;
  int connections_ = 0;
  std::set<std::string> refused_;
};

}  // namespace tollgate::proxy
