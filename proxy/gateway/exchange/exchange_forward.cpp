// The part of an exchange that sends the call to the upstream and reads the head of its answer.
#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/buffers_prefix.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/http/error.hpp>

#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "proxy/net/http/head_guard.hpp"
#include "proxy/net/relay.hpp"

namespace tollgate::proxy {

namespace {

problem client_left() {
  return {problem_code::upstream_unreachable, "The client left.", {}, {}};
}

}  // namespace

// --- forward: up to the head of the answer ---

task<exchange::verdict> exchange::forward() {
  client_.on_gone([this] {
    if (up_) up_->io.close();
  });
  if (request_.done()) client_.watch(settings().limits.head_bytes);
  bool retry = false;
  auto refused = co_await attempt(retry);
  if (retry) refused = co_await attempt(retry = false);
  co_return refused;
}

// One try at the upstream. `retry` is set when a pooled connection turned out dead before it took
// the call, so that another connection may take it without the upstream seeing it twice.
task<exchange::verdict> exchange::attempt(bool& retry) {
  record_.end = quota::stream_end::not_sent;
  request_was_sent_ = false;
  if (auto refused = co_await connect(up_ != nullptr)) co_return refused;
  sent_at_ = steady_clock::now();
  wrote_before_ = up_->io.wrote();
  await_upstream(true);
  const auto ec = co_await send_request();
  if (ec && up_->io.wrote() == wrote_before_) co_return no_answer(ec, retry);
  record_.end = quota::stream_end::no_answer;
  co_return co_await receive_head(retry);
}

task<exchange::verdict> exchange::connect(bool fresh) {
  up_.reset();
  auto lease = co_await pool_->acquire(fresh);
  if (client_.gone()) {
    record_.end = quota::stream_end::not_sent;
    co_return client_left();
  }
  if (lease) {
    up_ = *std::move(lease);
    co_return verdict{};
  }
  const bool slow = lease.error() == asio::error::timed_out;
  co_return problem{slow ? problem_code::upstream_timeout : problem_code::upstream_unreachable,
                    "The upstream \"" + pool_->settings().name + "\" " +
                        (slow ? "did not accept a connection in time" : "cannot be reached") +
                        "; nothing was charged.",
                    {},
                    {}};
}

// Once the upstream has the last byte, a client that leaves pays, where its route says so, and so
// does one whose Tollgate is killed.
bool exchange::pays_from_last_byte() const {
  return charge_ && route().settings.settlement.client_gone_waiting == quota::resolution::settle;
}

task<error_code> exchange::send_request() {
  request_facts facts;
  facts.upstream = &pool_->settings();
  facts.authority = pool_->authority();
  facts.target = &target_;
  facts.request_id = record_.request_id;
  facts.caller = {record_.org, record_.who.key_id, record_.who.agent, record_.who.conversation};
  facts.unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  facts.peer = client_.peer;
  facts.secure = client_.secure;
  facts.websocket = hops_.websocket;
  const auto content_type = content_type_as_read();
  facts.content_type = content_type;
  facts.metered = route().price_at.meter == quota::meter_kind::response_audio;
  if (body_is_buffered_) {
    facts.body = {framing::length, body_.size()};
  } else {
    facts.body = {request_framing_, request_.content_length().value_or(0)};
    // A length of zero is said, not left out: PUT and POST without a body (RFC 9110 section 8.6).
    if (request_.done() && !spool_ && request_.content_length()) facts.body = {framing::length, 0};
  }
  std::string head;
  head.reserve(1024);
  write_request_head(head, request_.head(), facts, *worker_.world().ids);

  if (!spool_ && (body_is_buffered_ || request_.done())) {
    const std::array<asio::const_buffer, 2> whole{asio::buffer(head), asio::buffer(body_)};
    const auto ec = co_await write_last(whole, byte_buffer::transfer_capacity);
    request_was_sent_ = !ec;
    co_return ec;
  }
  pump_running_ = body_was_pumped_ = true;
  asio::co_spawn(worker_.executor(), pump_request_body(std::move(head)),
                 [this](std::exception_ptr) {
                   pump_running_ = false;
                   pump_ended_.notify();
                 });
  co_return error_code{};
}

// The upstream's time to answer does not run while the client is still uploading.
void exchange::await_upstream(bool is_its_turn) {
  if (head_sent_) return;
  if (is_its_turn) {
    up_->io.expires_after(settings().timeouts.response_head);
  } else {
    up_->io.never_expires();
  }
}

// Streams an upload, beside the reading of the answer: an upstream may answer before it has read
// all.
task<> exchange::pump_request_body(std::string head) {
  if (hops_.expects_continue && client_.in.empty()) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (co_await client_.io.write(asio::buffer(go_on))) co_return up_->io.close();
  }
  if (spool_ && !co_await send_spooled(head)) co_return;
  const auto limit = settings().limits.body_bytes;
  for (;;) {
    const auto received = client_.in.size();
    const auto piece = request_.decode(client_.in);
    record_.bytes_in += piece.body.size();
    if (piece.error) body_problem_ = malformed_body();
    if (limit != 0 && record_.bytes_in > limit) body_problem_ = body_too_large(limit);
    if (!body_problem_ && meters_upload()) body_problem_ = co_await hold_upload(piece.body);
    // What has been decoded is over and done with, however this goes on: it is never the beginning
    // of a next request.
    const bool refused = body_problem_.has_value();
    if (!refused) await_upstream(true);
    const bool failed = refused || co_await send_body_piece(piece, head);
    const bool received_more = client_.in.size() > received;  // by a read that was under way
    client_.in.consume(piece.consumed);
    if (failed) keep_client_ = false;
    if (refused) co_return up_->io.close();
    if (failed) co_return;
    request_was_sent_ = request_.done();
    if (request_was_sent_) co_return client_.watch(settings().limits.head_bytes);
    if (received_more) continue;
    if (!client_.reading()) client_.in.expect_bulk();
    await_upstream(false);
    client_.io.expires_after(settings().timeouts.client_body);
    const bool more = co_await client_.read_more(byte_buffer::transfer_capacity);
    client_.io.never_expires();
    // At the end of the input, or at a chunk header without an end.
    if (!more && !client_.gone()) {
      body_problem_ = client_.at_end() ? body_ended_early() : malformed_body();
    }
    if (!more) co_return up_->io.close();
  }
}

// `head` goes out with the first piece.
task<error_code> exchange::send_body_piece(const decoded& piece, std::string& head) {
  chunk_frame frame{request_framing_ == framing::chunked, &runtime_->owned_of(record_.route)};
  const std::string released = meters_upload() ? release_upload(piece.body) : std::string{};
  const auto bytes = meters_upload() ? std::string_view{released} : piece.body;
  const auto buffers = frame.around(head, bytes, request_.done(), request_.trailers());
  error_code ec;
  if (request_.done()) {
    ec = co_await write_last(buffers, 1);
  } else {
    ec = co_await up_->io.write(buffers);
  }
  head.clear();
  co_return ec;
}

task<exchange::verdict> exchange::receive_head(bool& retry) {
  for (;;) {
    const auto end = find_head_end(up_->in.view());
    if (end == std::string_view::npos) {
      if (up_->in.size() >= settings().limits.head_bytes) {
        co_return no_answer(http::error::header_limit, retry);
      }
      error_code ec;
      const auto n = co_await up_->io.async_read_some(up_->in.prepare(settings().limits.head_bytes),
                                                      asio::redirect_error(use_task, ec));
      up_->in.commit(n);
      if (ec) co_return no_answer(ec, retry);
      continue;
    }
    const auto bytes = up_->in.view().substr(0, end);
    response_.emplace();
    const bool bodiless = request_.head().method == "HEAD";
    error_code ec = inspect_response_head(bytes) ? make_error_code(http::error::bad_field)
                                                 : response_->read_head(bytes, bodiless);
    up_->in.consume(end);
    if (ec) co_return no_answer(ec, retry);
    const int status = response_->head().status;
    if (status == 101 && !hops_.websocket) co_return no_answer(http::error::bad_status, retry);
    if (status >= 200 || status == 101) break;
    co_await pass_on_informational();
  }
  record_.upstream_us = us_between(sent_at_, steady_clock::now());
  record_.end = routes::end_by_head(answer_head());
  const auto& policy = route().settings.settlement;
  if (charge_ && quota::resolve(policy, record_.end) == quota::resolution::settle) {
    worker_.charges().began(*charge_, used_if_left());
    worker_.charges().answer_began(charge_, used_so_far());
  }
  co_return verdict{};
}

routes::answer_head exchange::answer_head() const {
  const auto& head = response_->head();
  const bool none = response_->body_framing() == framing::none;
  return {head.status, request_.head().method, head.find(http::field::content_type),
          head.find(http::field::content_encoding), !none};
}

// 102 and 103 are for the client; 100 was answered here already.
task<> exchange::pass_on_informational() {
  auto& head = response_->head();
  if (head.status == 100 || request_.head().version == 10) co_return;
  strip_hop_by_hop(head);
  std::string out;
  response_facts facts;
  facts.upstream = &pool_->settings();
  facts.request_id = record_.request_id;
  write_response_head(out, head, facts);
  co_await write_to_client(out);
}

// The upstream did not answer, or not in HTTP. Says how the exchange ended, and what the client
// gets.
exchange::verdict exchange::no_answer(error_code ec, bool& retry) {
  const auto name = "The upstream \"" + pool_->settings().name + "\" ";
  if (client_.gone()) {
    if (record_.end == quota::stream_end::not_sent) return client_left();
    // Whom we cut off because the time to drain was over has not left. But once the upstream has
    // its request, that is done and is charged the same, and so it is where this process is killed.
    if (request_was_sent_) {
      record_.end = quota::stream_end::client_gone_waiting;
    } else if (!client_.was_cut()) {
      record_.end = quota::stream_end::client_gone_early;
    }
    return client_left();
  }
  if (body_problem_) {
    // The client's own doing, like leaving: it must not be the cheaper way to do that.
    if (record_.end != quota::stream_end::not_sent) {
      record_.end = quota::stream_end::client_gone_early;
    }
    if (upload_refused_) record_.end = quota::stream_end::not_sent;  // not all of it, ever
    return std::move(body_problem_);
  }
  if (total_timeout_ || up_->io.timed_out()) {
    return problem{problem_code::upstream_timeout,
                   name + "did not answer in time; nothing was charged.",
                   {},
                   {}};
  }
  const bool closed = ec.category() != make_error_code(http::error::bad_field).category();
  if (closed && up_->in.empty() && may_retry()) {
    retry = true;
    return {};
  }
  if (closed && up_->in.empty()) {
    return problem{problem_code::upstream_unreachable,
                   name + "closed the connection before it answered; nothing was charged.",
                   {},
                   {}};
  }
  return problem{problem_code::bad_upstream_response,
                 name + "sent something that is not an HTTP/1.1 response; nothing was charged.",
                 {},
                 {}};
}

// RFC 9112 section 9.3.1: only a request that can be repeated without harm, or that was never sent.
bool exchange::may_retry() const {
  if (!up_->reused || body_was_pumped_ || !(body_is_buffered_ || request_.done())) return false;
  if (up_->io.wrote() == wrote_before_) return true;
  for (const std::string_view idempotent : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    if (request_.head().method == idempotent) return true;
  }
  return false;
}

}  // namespace tollgate::proxy
