// The event loop of one thread.
#pragma once

#include <boost/asio/io_context.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

class event_loop : public asio::io_context {
 public:
  event_loop() : io_context{1} {}
  // Coroutines that wait refer to other objects of the thread, so they are destroyed before those.
  void destroy_what_waits() { shutdown(); }
};

}  // namespace tollgate::proxy
