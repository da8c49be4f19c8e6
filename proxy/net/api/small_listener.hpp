// A listener of the control thread for short requests and answers: plain HTTP/1.1, few connections.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "config/settings.hpp"
#include "proxy/net/api/http_message.hpp"

namespace tollgate::proxy::admin {

struct small_listener_options {
  std::string key;  // in the configuration
  std::size_t body_bytes = 0;
  std::size_t connections = 64;
  // Answers a request; `head` has the fields that api_request lacks.
  std::function<task<api_response>(const http_request& head, api_request request)> answer;
};

class small_listener {
 public:
  // Binds and listens; throws config::setting_error.
  small_listener(asio::io_context& context, const config::endpoint& listen,
                 small_listener_options options);
  ~small_listener();
  small_listener(const small_listener&) = delete;

  void start();
  // Stops listening and closes idle connections. Call it on the context's thread.
  void stop();
  asio::ip::tcp::endpoint local_endpoint() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tollgate::proxy::admin
