// A byte stream to a peer without a socket. A transport uses either a socket or a channel.
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
  // `done` is called from the event loop; with an error if the channel is closed meanwhile.
  virtual void read_some(asio::mutable_buffer into, read_handler done) = 0;
  virtual void wait_for_reset(reset_handler done) = 0;
  // Writes all bytes, or fails.
  virtual error_code write(asio::const_buffer bytes) = 0;
  // A read would not wait: there is data, or the end.
  virtual bool is_readable() const = 0;
};

}  // namespace tollgate::proxy
