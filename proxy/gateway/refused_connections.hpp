// Connections that were refused because there are too many. Most clients send their request before
// they look for an answer; closing at once would reset the connection, and the answer would be lost
// (RFC 9112 section 9.6). So they are read for a moment, and what they send is dropped.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "proxy/net/transport.hpp"

namespace tollgate::proxy {

class refused_connections {
 public:
  static constexpr std::chrono::milliseconds longest{1'000};

  refused_connections() = default;
  ~refused_connections() { close_all(); }
  refused_connections(const refused_connections&) = delete;

  // Answers 503. Of more than `most` that are read, the oldest is closed.
  void refuse(tcp_socket socket, deadline_list& deadlines, std::string_view request_id,
              std::size_t most);
  void close_all();
  std::size_t size() const { return open_.size(); }

 private:
  struct connection : std::enable_shared_from_this<connection>,
                      boost::intrusive::list_base_hook<
                          boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    connection(tcp_socket socket, deadline_list& deadlines) : io{std::move(socket), deadlines} {}

    // Until it is closed. `into` is written over again and again.
    void drop_input(asio::mutable_buffer into) {
      io.async_read_some(into, [self = shared_from_this(), into](error_code ec, std::size_t) {
        if (ec) return self->end();
        self->drop_input(into);
      });
    }
    void end() {
      unlink();
      io.close();
    }

    transport io;
  };

  using list = boost::intrusive::list<connection, boost::intrusive::constant_time_size<false>>;

  list open_;  // the oldest first
  std::array<char, 16 * 1024> dropped_;
};

}  // namespace tollgate::proxy
