#include "proxy/gateway/exchange/request_body.hpp"

namespace tollgate::proxy {

namespace {

problem larger_than_share(std::uint64_t share) {
  return {problem_code::body_too_large,
          "The body must be read to price this call, and there is memory for " +
              std::to_string(share) + " bytes of one organization.",
          {},
          {}};
}

std::chrono::milliseconds rest_of(std::chrono::milliseconds most, steady_time::duration passed) {
  const auto rest = most - std::chrono::duration_cast<std::chrono::milliseconds>(passed);
  return std::max(rest, std::chrono::milliseconds{1});  // zero would be no deadline
}

task<result<void, problem>> fail(problem why) {
  co_return why;
}

}  // namespace

task<result<void, problem>> request_body::read_whole(std::size_t most, size_problem too_large,
                                                     std::size_t pause) {
  if (announced() > most) return fail(too_large(most));
  return keep([this, most, too_large, pause](std::string_view) -> result<bool, problem> {
    if (kept_.size() > most) return too_large(most);
    return kept_.size() > pause;
  });
}

void request_body::keep_if_here() {
  auto& in = context_.client.in;
  const bool here = context_.request_framing == framing::length && announced() <= in.size();
  if (done() || whole_ || !here) return;
  if (!make_room(static_cast<std::size_t>(announced()))) return;
  const auto piece = context_.request.decode(in);
  kept_.append(piece.body);
  bytes_ += piece.body.size();
  in.consume(piece.consumed);
  whole_ = done();
}

// Doubles the space, up to the announced length. The parser of JSON wants some space behind it.
result<void, problem> request_body::grow(std::size_t needed) {
  static const std::string nobody;
  constexpr std::size_t beside = routes::room_behind_body;
  auto capacity = std::max(needed, kept_.capacity() * 2);
  if (const auto length = announced(); length > needed)
    capacity = std::min<std::size_t>(capacity, length);
  capacity += beside;
  switch (memory_.grow_to(capacity, owner_ != nullptr ? *owner_ : nobody)) {
    case memory_outcome::taken:
      break;
    case memory_outcome::too_large:
      return larger_than_share(memory_.budget().share());
    case memory_outcome::full:
    case memory_outcome::share_taken:
      return no_memory("this body");
  }
  std::string larger;  // its capacity is exact: reserve() of a string with content doubles
  try {
    larger.reserve(capacity);  // both exist for a moment
  } catch (const std::bad_alloc&) {
    return no_memory("this body");
  }
  larger.append(kept_);
  kept_.swap(larger);
  return {};
}

void request_body::forget_kept() {
  std::string{}.swap(kept_);
  memory_.give_back();
}

task<error_code> request_body::invite() {
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!is_to_be_invited()) co_return error_code{};
  auto& io = context_.client.io;
  io.expires_after(context_.write_patience());
  const auto ec = co_await io.write(asio::buffer(go_on));
  io.never_expires();
  co_return ec;
}

result<void, problem> request_body::check(const decoded& piece, purpose why) {
  if (why != purpose::dropped) bytes_ += piece.body.size();
  if (piece.error == http::error::header_limit) return trailers_too_large();
  if (piece.error) return malformed_body();
  const auto most = context_.settings().limits.body_bytes;
  if (why != purpose::dropped && most != 0 && bytes_ > most) return body_too_large(most);
  return {};
}

// Waits until more has arrived. A body that is dropped has one deadline for all of it. So has a
// small one that is kept: otherwise a client could hold its connection, and its memory, for 16,384
// times as long by a byte now and then.
task<result<void, problem>> request_body::wait(purpose why) {
  auto& client = context_.client;
  if (why == purpose::streamed && !client.reading()) client.in.expect_bulk();
  if (why != purpose::dropped) {
    const bool is_small = announced() <= kept_memory::small && kept_.size() <= kept_memory::small;
    const auto most = context_.settings().timeouts.client_body;
    const auto now = context_.host.deadlines().now();
    if (!waits_since_) waits_since_ = now;
    client.io.expires_after(why == purpose::kept && is_small ? rest_of(most, now - *waits_since_)
                                                             : most);
  }
  const waiting_for request{context_.times, call_part::request};
  const bool more = co_await client.read_more(byte_buffer::transfer_capacity);
  if (why != purpose::dropped) client.io.never_expires();
  if (more) co_return result<void, problem>{};
  if (context_.timed_out) {
    co_return problem{problem_code::request_timeout, "The body took too long.", {}, {}};
  }
  if (context_.lost_access()) co_return access_lost(context_.access);
  if (!client.at_end() && client.in.is_starved(byte_buffer::transfer_capacity)) {
    co_return no_memory("the chunks of this body");
  }
  // If the input has not ended, this is a chunk header without an end.
  co_return client.at_end() ? body_ended_early() : malformed_body();
}

task<bool> request_body::drain() {
  constexpr std::chrono::seconds most{5};
  auto& io = context_.client.io;
  if (done()) co_return true;
  io.expires_after(most);
  const auto read = co_await this->read(
      purpose::dropped, [](std::string_view) -> result<bool, problem> { return false; });
  io.never_expires();
  co_return read.has_value();
}

bool request_body::rest_is_worth_reading() const {
  constexpr std::uint64_t most = 64 * 1024;
  if (done()) return true;
  const auto length = context_.request.content_length();
  return !expects_continue_ && length && *length < most;
}

}  // namespace tollgate::proxy
