// Which upstreams fail, for the log: one line when one begins to fail, or fails for another reason,
// and one when it answers again. Shared by all threads, and used only around failures.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "proxy/gateway/upstream_failure.hpp"
#include "proxy/net/deadline.hpp"

namespace tollgate::proxy {

class upstream_watch {
 public:
  // An upstream that fails now and then: after so many lines, one in `line_every`.
  static constexpr int most_lines = 10;
  static constexpr std::chrono::seconds line_every{10};

  // A call failed. Returns the line to log; empty: nothing new.
  std::string failed(const std::string& upstream, const upstream_failure& failure, steady_time now);
  // A call was answered. False: the line has to wait, so it must be reported again.
  bool answered(const std::string& upstream, steady_time now, std::string& line);

 private:
  struct state {
    bool failing = false;
    unsigned reported = 0;  // causes, as bits
    std::int64_t calls = 0;
    steady_time since{};
    int lines = most_lines;
    steady_time refilled{};

    bool may_log(steady_time now);
  };

  std::mutex mutex_;
  std::map<std::string, state> upstreams_;
};

}  // namespace tollgate::proxy
