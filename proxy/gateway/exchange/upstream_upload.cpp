// Sends an upload to the upstream, one piece at a time.
#include <array>

#include "proxy/gateway/exchange/upstream_call.hpp"
#include "proxy/gateway/exchange/write_last.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t kept_piece = 64 * 1024;

// However an upload ends, a wait beside it must not last forever.
class closes_on_exception {
 public:
  explicit closes_on_exception(transport& io) : io_{io} {}
  ~closes_on_exception() {
    if (std::uncaught_exceptions() > before_) io_.close();
  }

 private:
  transport& io_;
  const int before_ = std::uncaught_exceptions();
};

}  // namespace

task<> upstream_call::upload() {
  auto& client = context_.client;
  const closes_on_exception closing{lease_->io};
  std::string head = request_head();
  metered_.hold_back(std::exchange(body_.kept(), {}));
  bool goes_on = true;
  if (co_await body_.invite()) {
    lease_->io.close();
    goes_on = false;
  }
  if (goes_on && audio_.kept()) goes_on = co_await send_kept(head);
  if (goes_on) {
    const auto streamed = co_await body_.stream(
        [this, &head](std::string_view piece) { return send_piece(piece, head); });
    if (!streamed) {
      if (!body_.ended_early()) answer_.end_connection();
      if (!body_.ended_early() || !client.gone()) body_problem_ = streamed.error();
      lease_->io.close();
    } else if (sent_.all) {
      client.watch(context_.settings().limits.head_bytes);
    }
  }
  sent_.uploading = false;
}

// `head` is sent with the first piece, which may be empty. Returns true when the upstream takes no
// more.
task<result<bool, problem>> upstream_call::send_piece(std::string_view piece, std::string& head) {
  const bool last = body_.done();
  std::string released;
  if (metered_.is_upload()) {
    if (auto passed = co_await audio_.pass(piece); !passed) co_return passed.error();
    released = metered_.release(piece, last);
    piece = released;
  }
  await_answer(true);
  chunk_frame frame{context_.request_framing == framing::chunked, &owned()};
  const auto buffers = frame.around(head, piece, last, context_.request.trailers());
  error_code ec;
  if (last) {
    ec = co_await write_last(buffers, 1);
  } else if (!lease_->io.write_now(buffers, ec)) {
    ec = co_await lease_->io.write_rest(buffers);
  }
  head.clear();
  if (ec) answer_.end_connection();
  sent_.all = last && !ec;
  if (!last && !ec) await_answer(false);  // it is the client's turn
  co_return static_cast<bool>(ec);
}

// Sends everything that was kept. Its last byte is sent last: without it no upstream has the
// request, and the journal records it before it is sent. False: nothing more is to be sent.
task<bool> upstream_call::send_kept(std::string& head) {
  const auto& spool = *audio_.kept();
  const auto& trailers = context_.request.trailers();
  chunk_frame frame{context_.request_framing == framing::chunked, &owned()};
  std::array<char, kept_piece> buffer;
  for (std::uint64_t at = 0; at < spool.size();) {
    const auto piece = spool.read(at, buffer);
    if (!piece || piece->empty()) {
      body_problem_ = no_room_for_upload("its disk");
      lease_->io.close();
      co_return false;
    }
    at += piece->size();
    auto bytes = *piece;
    if (at == spool.size()) {
      metered_.put_back(bytes.substr(bytes.size() - 1));
      bytes.remove_suffix(1);
    }
    if (bytes.empty()) continue;
    await_answer(true);
    const auto ec = co_await lease_->io.write(frame.around(head, bytes, false, trailers));
    head.clear();
    if (ec) {
      answer_.end_connection();
      co_return false;
    }
  }
  audio_.forget_kept();  // the answer may stream for long
  if (!body_.done()) co_return true;
  const auto ec = co_await write_last(frame.around(head, metered_.held_back(), true, trailers), 1);
  head.clear();
  sent_.all = !ec;
  if (sent_.all) context_.client.watch(context_.settings().limits.head_bytes);
  co_return false;
}

bool upstream_call::stop_upload() {
  if (!sent_.uploading) return false;
  close();
  context_.client.forbid_reads();
  return true;
}

}  // namespace tollgate::proxy
