// Says that a thread has too many connections: at most one line in ten seconds.
#pragma once

#include <cstdint>

#include "proxy/net/deadline.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

class crowding_log {
 public:
  // A connection came beyond the limit of this thread. `has_room`: a waiting one was closed for it;
  // otherwise it is refused.
  void full(std::int64_t limit, bool has_room, steady_time now);
  // A connection could not be accepted.
  void failed(const error_code& why, bool has_room, steady_time now);

 private:
  bool is_due(bool has_room, steady_time now);

  std::int64_t closed_ = 0, refused_ = 0;  // since the last line
  steady_time next_{};
};

}  // namespace tollgate::proxy
