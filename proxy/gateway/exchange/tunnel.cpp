#include "proxy/gateway/exchange/tunnel.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace tollgate::proxy {

namespace {

// How long the rest of a frame and the frame that closes may take, however slowly they come.
constexpr std::chrono::milliseconds at_the_end{500};

}  // namespace

// However one direction ends, it also ends the other; except that a tunnel that is being closed
// takes nothing more from the client, and still passes the rest of a frame to it.
class tunnel::ends_both {
 public:
  explicit ends_both(tunnel& of) : of_{of} {}
  void only_one() { ends_ = false; }
  ~ends_both() {
    if (!ends_) return;
    of_.upstream_.io.close();
    of_.client_.forbid_reads();
  }

 private:
  tunnel& of_;
  bool ends_ = true;
};

task<> tunnel::run() {
  using namespace asio::experimental::awaitable_operators;
  co_await (pass_down() && pass_up());
}

void tunnel::close(std::uint16_t code, std::string_view reason) {
  if (is_closing()) return;
  closing_frame_ = close_frame(code, reason);
  client_.io.expires_after(at_the_end);
  upstream_.io.expires_after(at_the_end);
  const bool waits_for_more = !client_.io.is_writing() && frames_.is_between_frames();
  if (waits_for_more) upstream_.io.close();
  client_.forbid_reads();
}

task<error_code> tunnel::write(std::string_view bytes) {
  if (!is_closing()) client_.io.expires_after(timeouts_.client_write);
  const auto failed = co_await client_.io.write(asio::buffer(bytes));
  if (!is_closing()) client_.io.never_expires();
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
    if (!is_closing()) upstream_.io.expires_after(timeouts_.idle);
    error_code ec;
    const auto n = co_await upstream_.io.async_read_some(in.prepare(byte_buffer::transfer_capacity),
                                                         asio::redirect_error(use_task, ec));
    in.commit(n);
    if (ec) break;
  }
  if (is_closing() && frames_.is_between_frames()) co_await write(closing_frame_);
}

task<> tunnel::pass_up() {
  ends_both ending{*this};
  for (;;) {
    // A read in progress may add to the buffer during this write.
    while (!client_.in.empty() && !is_closing()) {
      const auto piece = client_.in.view();
      if (co_await upstream_.io.write(asio::buffer(piece))) co_return;
      up_ += piece.size();
      client_.in.consume(piece.size());
      if (!is_closing()) upstream_.io.expires_after(timeouts_.idle);
    }
    bool more = false;
    if (!is_closing()) more = co_await client_.read_more(byte_buffer::transfer_capacity);
    if (is_closing()) co_return ending.only_one();
    if (!more) break;
  }
}

}  // namespace tollgate::proxy
