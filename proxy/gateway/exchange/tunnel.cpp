#include "proxy/gateway/exchange/tunnel.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace tollgate::proxy {

namespace {

// How long the rest of a frame, or the frame that closes, may take.
constexpr std::chrono::milliseconds at_the_end{500};

}  // namespace

// However one direction ends, it also ends the other.
class tunnel::ends_both {
 public:
  explicit ends_both(tunnel& of) : of_{of} {}
  ~ends_both() {
    of_.upstream_.io.close();
    of_.client_.forbid_reads();
  }

 private:
  tunnel& of_;
};

task<> tunnel::run() {
  using namespace asio::experimental::awaitable_operators;
  co_await (pass_down() && pass_up());
}

void tunnel::close(std::uint16_t code, std::string_view reason) {
  if (is_closing()) return;
  closing_frame_ = close_frame(code, reason);
  if (writing_) {
    client_.io.expires_after(at_the_end);
  } else if (frames_.is_between_frames()) {
    upstream_.io.close();  // ends the wait for more
  } else {
    upstream_.io.expires_after(at_the_end);
  }
}

task<error_code> tunnel::write(std::string_view bytes) {
  client_.io.expires_after(is_closing() ? at_the_end : timeouts_.client_write);
  writing_ = true;
  const auto failed = co_await client_.io.write(asio::buffer(bytes));
  writing_ = false;
  client_.io.never_expires();
  co_return failed;
}

task<> tunnel::pass_down() {
  const ends_both ending{*this};
  auto& in = upstream_.in;
  for (;;) {
    if (!in.empty()) {
      auto piece = in.view();
      if (is_closing()) piece = piece.substr(0, frames_.rest_of_frame(piece));
      frames_.pass(piece);
      if (co_await write(piece)) co_return;
      down_ += piece.size();
      in.consume(piece.size());
    }
    if (is_closing() && frames_.is_between_frames()) break;
    upstream_.io.expires_after(is_closing() ? at_the_end : timeouts_.idle);
    error_code ec;
    const auto n = co_await upstream_.io.async_read_some(in.prepare(byte_buffer::transfer_capacity),
                                                         asio::redirect_error(use_task, ec));
    in.commit(n);
    if (ec) break;
  }
  if (is_closing() && frames_.is_between_frames()) co_await write(closing_frame_);
}

task<> tunnel::pass_up() {
  const ends_both ending{*this};
  for (;;) {
    // A read in progress may add to the buffer during this write.
    while (!client_.in.empty()) {
      const auto piece = client_.in.view();
      if (co_await upstream_.io.write(asio::buffer(piece))) co_return;
      up_ += piece.size();
      client_.in.consume(piece.size());
      if (!is_closing()) upstream_.io.expires_after(timeouts_.idle);
    }
    if (!co_await client_.read_more(byte_buffer::transfer_capacity)) break;
  }
}

}  // namespace tollgate::proxy
