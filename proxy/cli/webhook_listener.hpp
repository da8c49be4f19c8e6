// A receiver of webhooks on this machine, for development: it verifies and prints them.
#pragma once

#include <csignal>
#include <functional>
#include <iosfwd>
#include <string>

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

struct listener_options {
  std::string secret;
  bool json = false;  // print bodies unchanged, one per line
};

class webhook_listener {
 public:
  // On loopback; port 0: any free port. Throws boost::system::system_error if the port is in use.
  webhook_listener(std::uint16_t port, std::ostream& out);

  std::string url() const;  // "http://127.0.0.1:PORT/"

  // Runs until SIGINT, SIGTERM or SIGHUP, even if it came after construction and before this call;
  // or until the output is closed.
  void run(const listener_options& options);

 private:
  using tcp = asio::ip::tcp;
  using tcp_connection = asio::basic_stream_socket<tcp, io_executor>;

  task<> accept();
  task<> serve(tcp_connection socket);
  // The error to answer; empty for a genuine delivery.
  std::string take(const std::string& id, const std::string& timestamp,
                   const std::string& signature, const std::string& body);
  void print(const std::string& id, const std::string& body);

  asio::io_context context_{1};
  asio::basic_socket_acceptor<tcp, io_executor> acceptor_{context_};
  asio::basic_signal_set<io_executor> signals_{context_.get_executor(), SIGINT, SIGTERM};
  std::ostream& out_;
  listener_options options_;
};

}  // namespace tollgate::proxy
