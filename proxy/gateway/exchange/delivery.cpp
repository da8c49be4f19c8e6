#include "proxy/gateway/exchange/delivery.hpp"

#include "proxy/gateway/exchange/problems.hpp"

namespace tollgate::proxy {

task<> delivery::run() {
  auto& response = upstream_.response();
  auto& io = upstream_.connection().io;
  auto& in = upstream_.connection().in;
  counts_ = metered_.is_answer() && hold_.settles();
  if (counts_) metered_.tap(response.head());
  if (hold_.in_place() && hold_.how() == quota::stream_end::accepted) {
    watch_.emplace(answer_head_of(upstream_.response(), context_));
  }
  const auto shape = answer_.choose_shape(response, counts_);
  const bool is_long = shape.how != framing::length || shape.length > byte_buffer::initial_capacity;
  std::string head = answer_.head(response.head(), upstream_.settings());
  chunk_frame frame{shape.how == framing::chunked, &upstream_.owned()};
  bool broke = false;
  for (;;) {
    const auto piece = response.decode(in);
    if (watch_) watch_->write(piece.body);
    bool is_paid_for = true;
    if (counts_) is_paid_for = co_await count(piece.body);
    if (!is_paid_for) {
      co_await cut(head);
      co_return;
    }
    const bool last = response.done();
    if (last) stop_counting();
    const std::string charge =
        last && answer_.charges_in_trailer() ? answer_.charge_trailer() : std::string{};
    const auto buffers = frame.around(head, piece.body, last, response.trailers(), charge);
    error_code ec;
    if (!answer_.write_now(buffers, ec)) ec = co_await answer_.write_rest(buffers);
    if (ec) {
      answer_.lost_client();
      break;
    }
    head.clear();
    answer_.count(piece.body.size());
    in.consume(piece.consumed);
    if (last) break;
    // After an error, or a chunk header without an end, nothing can be read.
    broke = piece.error || in.size() >= byte_buffer::transfer_capacity;
    if (broke) {
      context_.failure = {upstream_cause::bad_answer, piece.error};
      break;
    }
    if (is_long) in.expect_bulk();
    io.expires_after(context_.settings().timeouts.idle);
    const auto n = co_await io.async_read_some(in.prepare_anyway(byte_buffer::transfer_capacity),
                                               asio::redirect_error(use_task, ec));
    in.commit(n);
    io.never_expires();  // from here on the client may be the slow side
    const auto end = ec;
    if (ec == asio::error::eof) ec = response.decode_end();
    broke = static_cast<bool>(ec);
    if (broke) {
      const bool late = io.timed_out() || context_.timed_out;
      context_.failure = {late ? upstream_cause::timeout_body : cause_of_end(end), end};
      break;
    }
  }
  if (broke && context_.lost_access()) {
    co_await answer_.cut(response.head(), access_lost(context_.access));
  } else if (broke) {
    // All events came and only the connection broke: the client is told that the answer is
    // complete.
    const bool complete = watch_ && watch_->is_complete();
    if (complete) stop_counting();
    if (complete || context_.client.gone()) context_.failure = {};
    bool told = false;
    if (complete) told = co_await answer_.complete(frame);
    if (!told) answer_.break_off(how_it_broke());
  }
  if (watch_) hold_.ends(watch_->judge(hold_.how()));
}

quota::stream_end delivery::how_it_broke() const {
  return context_.client.gone() ? quota::stream_end::client_gone
                                : quota::stream_end::upstream_failed;
}

// A trailer reports the charge, and the settlement after it must use the same amount.
void delivery::stop_counting() {
  if (answer_.charges_in_trailer()) metered_.close(hold_.how());
}

task<bool> delivery::count(std::string_view piece) {
  const bool cuts = metered_.settings().on_exhausted == routes::when_exhausted::cut;
  auto& tap = metered_.audio();
  const auto before = cuts ? tap.used() : quota::usage{0};
  tap.write(piece);
  const auto used = tap.used();
  hold_.meter(used, false);
  if (!cuts || hold_.covers(used)) co_return true;
  const auto covered = co_await hold_.cover(used, false, held_charge::patience::until_covered);
  if (covered == coverage::covered) co_return true;
  metered_.close_at(before);
  co_return false;
}

// `head`: the part of it that has not been sent.
task<> delivery::cut(std::string_view head) {
  problem why = hold_.out_of_credits(context_.request.done());
  why.message = "The answer was cut because the credits are used up. " + why.message;
  const auto rest = asio::buffer(head);
  error_code ec;
  if (!head.empty()) ec = co_await answer_.write(rest);
  if (ec) {
    answer_.lost_client();
  } else {
    co_await answer_.cut(upstream_.response().head(), why);
  }
  if (watch_) hold_.ends(watch_->judge(hold_.how()));
}

}  // namespace tollgate::proxy
