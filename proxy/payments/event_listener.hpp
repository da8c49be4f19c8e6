// A separate listener for Stripe's events: plain HTTP/1.1, one path. It runs on the control thread.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "config/settings.hpp"
#include "proxy/payments/event_receiver.hpp"

namespace tollgate::proxy::payments {

class event_listener {
 public:
  // Binds and listens; throws std::runtime_error on failure.
  event_listener(asio::io_context& context, const config::endpoint& listen, event_taker taker);
  ~event_listener();
  event_listener(const event_listener&) = delete;

  void start();
  // Stops listening and closes idle connections. Call it on the context's thread.
  void stop();
  asio::ip::tcp::endpoint local_endpoint() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tollgate::proxy::payments
