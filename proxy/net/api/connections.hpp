// A listener of the control thread and its connections: few, plain HTTP/1.1.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include <boost/beast/core/flat_buffer.hpp>

#include "proxy/net/acceptor.hpp"
#include "proxy/net/api/stream_answer.hpp"

namespace tollgate::proxy::admin {

struct connection {
  tcp_stream socket;
  std::string address{};  // of the client, without the port
  bool idle = true;       // no byte of a request has arrived
  bool busy = false;      // between the end of a request's head and the end of its answer
  bool trusted = false;   // busy with a request that carries a valid credential
};

// All calls must be on the thread of the acceptor's context.
class connections {
 public:
  // At most `most` at a time. Connections without a credential do not keep others out: a further
  // connection closes the oldest idle one, or the oldest that is not busy, or the oldest that is
  // not trusted (a wrong login, an answer that its client does not read); if all are trusted, it is
  // closed itself.
  connections(acceptor listener, std::size_t most) : listener_{std::move(listener)}, most_{most} {}

  using server = std::function<task<>(std::shared_ptr<connection>)>;
  // Serves each connection in its own task, until stop(). This object and everything that `serve`
  // refers to must outlive the tasks.
  task<> accept(server serve);
  // Closes the listener and idle connections; open calls are still answered.
  void stop();
  bool stopped() const { return stopped_; }
  asio::ip::tcp::endpoint local_endpoint() const { return listener_.local_endpoint(); }

 private:
  bool make_room();

  acceptor listener_;
  std::list<std::weak_ptr<connection>> open_;
  const std::size_t most_;
  bool stopped_ = false;
};

// Sends the end of the stream, and reads and ignores the client's input for a moment: closing at
// once would reset the connection, and the client could lose the last answer.
task<> end_connection(tcp_stream& socket, boost::beast::flat_buffer& buffer);

}  // namespace tollgate::proxy::admin
