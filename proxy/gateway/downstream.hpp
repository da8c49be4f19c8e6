// The client's side of a connection. One read is nearly always in progress, also while an exchange
// waits for its upstream: it receives pipelined requests, and notices at once when a client leaves.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/gateway/presented_key.hpp"
#include "proxy/net/http/byte_buffer.hpp"
#include "proxy/net/transport.hpp"
#include "proxy/net/wake_up.hpp"

namespace tollgate::proxy {

class downstream : public std::enable_shared_from_this<downstream> {
 public:
  downstream(tcp_socket socket, deadline_list& deadlines, std::string peer_address)
      : io{std::move(socket), deadlines}, peer{std::move(peer_address)} {}
  downstream(tcp_socket closed, std::unique_ptr<byte_channel> channel, deadline_list& deadlines)
      : io{std::move(closed), std::move(channel), deadlines}, peer{"127.0.0.1"} {}

  transport io;
  byte_buffer in;    // received, not yet consumed
  std::string peer;  // the address, without the port; "unix:" for a unix socket
  presented_key key;
  bool secure = false;
  bool is_proxy = false;  // begins with a PROXY protocol header
  struct {
    bool known = false;  // it has shown a valid API key
    std::string org;     // of its last call
  } caller;

  // Starts a read into `in` unless one is in progress, the peer is gone, or `limit` bytes are
  // waiting.
  void start_read(std::size_t limit);
  // While an exchange waits for its upstream: receives what the client pipelines, notices when it
  // leaves, and uses no more memory than that needs.
  void watch(std::size_t limit);
  // Waits until more bytes have been read. False: no more will come, the buffer is full, or
  // forbid_reads() was called.
  task<bool> read_more(std::size_t limit);
  bool reading() const { return reading_; }

  // No more will come from the peer. It may still wait for an answer: a peer can close one half of
  // a connection, and a peer that has left looks the same at first. So it is answered. A peer that
  // has left resets the connection when it is written to, or when it is probed (TCP keep-alive,
  // enabled from here on).
  bool at_end() const { return at_end_ || gone_; }
  // The peer reset the connection, or a deadline closed it: no answer can be sent.
  bool gone() const { return gone_; }
  // Tollgate ends the connection, not the peer: the time to drain is over.
  void cut();
  bool was_cut() const { return cut_; }
  // For an answer without an end: a client that has closed its half has left.
  void end_means_gone();
  // Called once, when the peer goes, from inside the read's completion.
  void on_gone(std::function<void()> action) { on_gone_ = std::move(action); }
  // Makes read_more() return false, including a call that is waiting, until allow_reads().
  void forbid_reads();
  void allow_reads() { forbidden_ = false; }

 private:
  void finished(error_code ec, std::size_t n);
  void watch_for_reset();
  void left();

  std::function<void()> on_gone_;
  wake_up arrived_;
  bool reading_ = false, at_end_ = false, gone_ = false, forbidden_ = false;
  bool end_means_gone_ = false, cut_ = false;
};

}  // namespace tollgate::proxy
