// The event loop of one thread.
#pragma once

#include <boost/asio/io_context.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

class event_loop : public asio::io_context {
 public:
  event_loop() : io_context{1} {}
  // What waits refers to other things of the thread, so it is destroyed while those still live.
  void destroy_what_waits() { shutdown(); }
};

}  // namespace tollgate::proxy
