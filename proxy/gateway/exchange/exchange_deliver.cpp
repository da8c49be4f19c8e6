// The part of an exchange that passes the answer on, as it comes.
#include <boost/asio/co_spawn.hpp>

#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "proxy/net/relay.hpp"

namespace tollgate::proxy {

// --- deliver: the answer, as it comes ---

task<> exchange::deliver() {
  auto& head = response_->head();
  const bool websocket = head.status == 101;
  strip_hop_by_hop(head);
  if (meters_answer()) tap_body(head);
  if (charge_ && record_.end == quota::stream_end::accepted && !websocket) {
    watch_.emplace(answer_head());
  }
  record_.status = head.status;
  record_.overhead_us = overhead_so_far();
  head_sent_ = true;
  if (!pump_running_) std::string{}.swap(body_);  // the answer may stream for long
  if (websocket) {
    co_await tunnel();
  } else {
    const auto shape = shape_for_client();
    co_await relay_body(response_head(shape), shape);
    if (watch_) record_.end = watch_->judge(record_.end);
  }
  if (pump_running_) {
    // The answer is complete and the upload is not: nothing more can pass on either connection.
    keep_client_ = false;
    up_->io.close();
    client_.forbid_reads();
  }
  co_await join_pump();
  give_back_upstream();
}

body_shape exchange::shape_for_client() {
  if (response_->head().status == 204) return {};  // RFC 9110 section 8.6
  // What is charged is known when the audio has passed: a client that can read it is told then.
  const bool has_body = response_->body_framing() != framing::none;
  charge_in_trailer_ =
      has_body && meters_answer() && hops_.accepts_trailers && request_.head().version == 11;
  if (charge_in_trailer_) return {framing::chunked, 0};
  const auto length = response_->content_length();
  switch (response_->body_framing()) {
    case framing::none:
      return length ? body_shape{framing::length, *length} : body_shape{};
    case framing::length:
      return {framing::length, *length};
    default:
      return {request_.head().version == 10 ? framing::until_close : framing::chunked, 0};
  }
}

std::string exchange::response_head(body_shape shape) {
  if (shape.how == framing::until_close) keep_client_ = false;
  if (worker_.draining() || !request_.done()) keep_client_ = false;
  if (client_.at_end() && client_.in.empty()) keep_client_ = false;
  response_facts facts;
  facts.upstream = &pool_->settings();
  facts.request_id = record_.request_id;
  const auto* charged = charged_in_head();
  facts.charge_in_trailer = charge_in_trailer_;
  if (charge_) {
    remaining_ = charge_->money.available();
    if (charged != nullptr) *remaining_ += charge_->money.held() - charged_;
    facts.account = account_facts_known();
    facts.account.charged = charged;
  }
  facts.body = shape;
  facts.websocket = response_->head().status == 101;
  facts.close = !keep_client_;
  facts.client_is_1_0 = request_.head().version == 10;
  std::string out;
  out.reserve(1024);
  write_response_head(out, response_->head(), facts);
  return out;
}

account_facts exchange::account_facts_known() const {
  account_facts facts;
  if (remaining_) facts.remaining = &*remaining_;
  if (allocation_) facts.allocation = &*allocation_;
  if (rate_) {
    facts.rate = &*rate_;
    facts.now = worker_.world().ledger().now();
  }
  return facts;
}

// What this call will cost if it ends as it began; null where only its end will tell.
const quota::credits* exchange::charged_in_head() {
  if (!charge_ || meters_answer() || (meters_upload() && !request_.done())) return nullptr;
  const bool charged =
      quota::resolve(charge_->money.agreed().policy, record_.end) == quota::resolution::settle;
  charged_ = charged ? quota::price(route().price_at, used()) : quota::credits{};
  return &charged_;
}

task<> exchange::relay_body(std::string head, body_shape shape) {
  chunk_frame frame{shape.how == framing::chunked, &runtime_->owned_of(record_.route)};
  const auto& timeouts = settings().timeouts;
  for (;;) {
    const auto piece = response_->decode(up_->in);
    if (watch_) watch_->write(piece.body);
    if (tap_ && meters_answer() && !co_await meter_answer(piece.body)) {
      if (co_await write_to_client(head)) co_return broke_off(quota::stream_end::client_gone);
      co_return co_await cut_answer(shape);
    }
    const bool last = response_->done();
    const std::string charge = last && charge_in_trailer_ ? charge_trailer() : std::string{};
    const auto buffers = frame.around(head, piece.body, last, response_->trailers(), charge);
    client_.io.expires_after(timeouts.client_write);
    const auto failed = co_await client_.io.write(buffers);
    client_.io.never_expires();
    if (failed) co_return broke_off(quota::stream_end::client_gone);
    head.clear();
    record_.bytes_out += piece.body.size();
    up_->in.consume(piece.consumed);
    if (response_->done()) co_return;
    if (piece.error) break;
    if (up_->in.size() >= byte_buffer::transfer_capacity) break;  // a chunk header without an end
    if (shape.how != framing::length || shape.length > byte_buffer::initial_capacity) {
      up_->in.expect_bulk();
    }
    up_->io.expires_after(timeouts.idle);
    error_code ec;
    const auto n = co_await up_->io.async_read_some(up_->in.prepare(byte_buffer::transfer_capacity),
                                                    asio::redirect_error(use_task, ec));
    up_->in.commit(n);
    up_->io.never_expires();  // from here on the client may be the slow one
    if (ec == asio::error::eof) ec = response_->decode_end();
    if (ec) break;
  }
  if (watch_ && watch_->is_complete() && co_await complete_for_client(frame, shape)) co_return;
  // The client learns it by a body that does not end as announced, or by a reset where the end of
  // the connection would have ended the body.
  broke_off(client_.gone() ? quota::stream_end::client_gone : quota::stream_end::upstream_failed);
  if (shape.how == framing::until_close) client_.io.reset_on_close();
  client_.io.close();
}

// All events came and only the connection broke: the client is told that it has all of them. False:
// it cannot be, by the framing that was announced.
task<bool> exchange::complete_for_client(chunk_frame& frame, body_shape shape) {
  if (client_.gone() || shape.how == framing::length) co_return false;
  if (shape.how == framing::until_close) co_return true;
  const std::string charge = charge_in_trailer_ ? charge_trailer() : std::string{};
  client_.io.expires_after(settings().timeouts.client_write);
  const auto failed = co_await client_.io.write(frame.around({}, {}, true, {}, charge));
  client_.io.never_expires();
  if (failed) keep_client_ = false;
  co_return true;
}

// The answer ended too early. One that was an error stays one: nothing is charged for it.
void exchange::broke_off(quota::stream_end how) {
  keep_client_ = false;
  if (record_.end == quota::stream_end::accepted) record_.end = how;
}

// A WebSocket is priced per connection and passed on as it is, both ways, until either side ends
// it.
task<> exchange::tunnel() {
  keep_client_ = false;
  const std::string head = response_head({});
  deadline_list::disarm(*this);
  if (co_await write_to_client(head)) {
    broke_off(quota::stream_end::client_gone);
    co_return up_->io.close();
  }
  pump_running_ = true;
  asio::co_spawn(worker_.executor(), tunnel_upwards(), [this](std::exception_ptr) {
    pump_running_ = false;
    pump_ended_.notify();
  });
  for (;;) {
    if (!up_->in.empty()) {
      if (co_await write_to_client(up_->in.view())) break;
      record_.bytes_out += up_->in.size();
      up_->in.consume(up_->in.size());
    }
    up_->io.expires_after(settings().timeouts.idle);
    error_code ec;
    const auto n = co_await up_->io.async_read_some(up_->in.prepare(byte_buffer::transfer_capacity),
                                                    asio::redirect_error(use_task, ec));
    up_->in.commit(n);
    if (ec) break;
  }
  up_->io.close();
  client_.forbid_reads();
}

task<> exchange::tunnel_upwards() {
  for (;;) {
    // A read may be under way that adds to the buffer while this is sent.
    while (!client_.in.empty()) {
      const auto piece = client_.in.view();
      if (co_await up_->io.write(asio::buffer(piece))) co_return up_->io.close();
      record_.bytes_in += piece.size();
      client_.in.consume(piece.size());
      up_->io.expires_after(settings().timeouts.idle);
    }
    if (!co_await client_.read_more(byte_buffer::transfer_capacity)) break;
  }
  up_->io.close();
}

task<error_code> exchange::write_to_client(std::string_view bytes) {
  client_.io.expires_after(settings().timeouts.client_write);
  const auto ec = co_await client_.io.write(asio::buffer(bytes));
  client_.io.never_expires();
  co_return ec;
}

task<> exchange::join_pump() {
  while (pump_running_) co_await pump_ended_.wait();
}

void exchange::give_back_upstream() {
  if (!up_ || !up_->io.is_open() || !response_ || !response_->done()) return;
  if (response_->head().status == 101 || !response_->keep_alive() || !request_.done()) return;
  pool_->release(std::move(up_));
}

}  // namespace tollgate::proxy
