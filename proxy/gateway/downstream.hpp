// The client's side of a connection. One read is nearly always under way, also while an exchange
// waits for its upstream: that is how pipelined requests are taken in, and how a client that leaves
// is noticed at once.
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
  std::string peer;  // the address, without the port
  presented_key key;
  bool secure = false;

  // Starts a read into `in` unless one is under way, the peer is gone, or `limit` bytes are
  // waiting.
  void start_read(std::size_t limit);
  // While an exchange waits for its upstream: takes in what the client pipelines, notices when it
  // leaves, and lends it no more memory than that needs.
  void watch(std::size_t limit);
  // Waits until something new was read. False: nothing more will come, the buffer is full, or
  // forbid_reads() was called.
  task<bool> read_more(std::size_t limit);
  bool reading() const { return reading_; }

  // Nothing more will come from the peer. It may still wait for an answer: half of a connection can
  // be closed, and what a peer that has left sends first looks the same. So it is answered. That it
  // has left shows when it resets the connection, for it does so when it is written to, or is asked
  // whether it is still there (TCP keep-alive, from here on).
  bool at_end() const { return at_end_ || gone_; }
  // The peer reset the connection, or a deadline closed it: nobody can be answered.
  bool gone() const { return gone_; }
  // We end the connection, and not the peer: the time to drain is over.
  void cut();
  bool was_cut() const { return cut_; }
  // For an answer without an end: who has closed its half has left.
  void end_means_gone();
  // Called once, when the peer goes, from inside the read's completion.
  void on_gone(std::function<void()> action) { on_gone_ = std::move(action); }
  // Makes read_more() return false, one that waits now included, until allow_reads().
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
