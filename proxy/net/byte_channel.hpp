// Bytes to a peer by other means than a socket: a transport is made of either.
#pragma once

#include <span>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/buffer.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

class byte_channel {
 public:
  using read_handler = asio::any_completion_handler<void(error_code, std::size_t)>;
  using reset_handler = asio::any_completion_handler<void(error_code)>;
  virtual ~byte_channel() = default;

  virtual bool is_open() const = 0;
  virtual void close(bool with_reset) = 0;
  virtual void shutdown_send() = 0;
  // `done` is called from the event loop: with an error when the channel is closed meanwhile.
  virtual void read_some(asio::mutable_buffer into, read_handler done) = 0;
  virtual void wait_for_reset(reset_handler done) = 0;
  // Takes all of it, or fails.
  virtual error_code write(asio::const_buffer bytes) = 0;
  // There is something to read, an end included.
  virtual bool is_readable() const = 0;
};

}  // namespace tollgate::proxy
