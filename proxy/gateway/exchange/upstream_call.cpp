#include "proxy/gateway/exchange/upstream_call.hpp"

#include <array>

#include <boost/beast/http/error.hpp>

#include "proxy/gateway/exchange/problems.hpp"
#include "proxy/gateway/exchange/write_last.hpp"
#include "proxy/net/http/head_guard.hpp"

namespace tollgate::proxy {

namespace {

body_shape shape_of_request(const request_body& body, const audio_upload& audio,
                            const exchange_context& context) {
  if (body.is_whole()) return {framing::length, body.kept().size()};
  const auto length = context.request.content_length();
  // A length of zero is sent, not omitted: PUT and POST without a body (RFC 9110 section 8.6).
  if (body.done() && !audio.kept() && length) return {framing::length, 0};
  return {context.request_framing, length.value_or(0)};
}

problem client_left() {
  return {problem_code::upstream_unreachable, "The client left.", {}, {}};
}

// Before anything was sent.
std::optional<problem> why_abandoned(const exchange_context& context, const std::string& upstream) {
  if (context.client.gone()) return client_left();
  if (context.lost_access()) return access_lost(context.access);
  if (!context.timed_out) return {};
  return problem{problem_code::upstream_timeout,
                 "The call took too long before the upstream \"" + upstream +
                     "\" could be reached; nothing was charged.",
                 {},
                 {}};
}

}  // namespace

void upstream_call::begin(upstream_pool& pool) {
  pool_ = &pool;
  context_.client.on_gone([this] { close(); });
  if (body_.done()) context_.client.watch(context_.settings().limits.head_bytes);
}

task<attempt_result> upstream_call::attempt(bool fresh) {
  // Does not suspend: most calls find a pooled connection.
  const auto now = std::chrono::steady_clock::now();
  const bool none = fresh || context_.abandoned();
  lease_ = none ? nullptr : pool_->take_idle(now);
  if (lease_) {
    begin_sending(now);
  } else {
    const auto connected = co_await connect(fresh);
    if (connected != attempt_result::answered) co_return connected;
  }
  const std::string head = request_head();
  const std::array<asio::const_buffer, 2> all{asio::buffer(head), asio::buffer(body_.kept())};
  error_code ec;
  constexpr auto at_once = byte_buffer::transfer_capacity;
  const bool pays = hold_.pays_from_last_byte();
  if (pays && asio::buffer_size(all) > at_once) {
    ec = co_await write_last(all, at_once);
  } else {
    if (pays) hold_.began();
    if (!lease_->io.write_now(all, ec)) ec = co_await lease_->io.write_rest(all);
  }
  sent_.all = !ec;
  if (ec && lease_->io.wrote() == sent_.wrote_before) co_return no_answer(ec);
  hold_.ends(quota::stream_end::no_answer);
  co_return co_await receive_head();
}

// Here `answered` means that the connection is available.
task<attempt_result> upstream_call::connect(bool fresh) {
  hold_.ends(quota::stream_end::not_sent);
  lease_.reset();
  if (auto why = why_abandoned(context_, settings().name)) co_return fail(*std::move(why));
  const waiting_for connection{context_.times, call_part::connect};
  auto lease = co_await acquire(fresh);
  if (auto why = why_abandoned(context_, settings().name)) co_return fail(*std::move(why));
  if (!lease) {
    context_.failure = {cause_of_no_connection(lease.error()), lease.error()};
    const bool slow = lease.error() == asio::error::timed_out;
    co_return fail({slow ? problem_code::upstream_timeout : problem_code::upstream_unreachable,
                    "The upstream \"" + settings().name + "\" " +
                        (slow ? "did not accept a connection in time" : "cannot be reached") +
                        "; nothing was charged.",
                    {},
                    {}});
  }
  lease_ = *std::move(lease);
  begin_sending(std::chrono::steady_clock::now());
  co_return attempt_result::answered;
}

task<result<upstream_lease>> upstream_call::acquire(bool fresh) {
  if (!fresh) {
    if (auto idle = pool_->take_idle(std::chrono::steady_clock::now())) co_return idle;
  }
  const auto executor = co_await asio::this_coro::executor;
  // The pool's own limit begins after the lookup, and says more about why.
  const auto most = context_.settings().timeouts.connect + std::chrono::milliseconds{250};
  connecting_ =
      awaited_connection::begin(executor, *pool_, context_.host.deadlines(), most, context_.view);
  auto made = co_await connecting_->wait();
  connecting_.reset();
  co_return made;
}

void upstream_call::begin_sending(steady_time now) {
  hold_.ends(quota::stream_end::not_sent);
  sent_.all = false;
  sent_.streamed = sent_.uploading = streams_upload();
  context_.times.enter(call_part::upstream, now);
  sent_.wrote_before = lease_->io.wrote();
  await_answer(true);
}

// The upstream's answer timeout does not run while the client is still uploading.
void upstream_call::await_answer(bool is_its_turn) {
  if (answer_.head_sent()) return;
  if (is_its_turn) {
    lease_->io.expires_after(context_.settings().timeouts.response_head);
  } else {
    lease_->io.never_expires();
  }
}

std::string upstream_call::request_head() const {
  request_facts facts;
  facts.upstream = &settings();
  facts.authority = pool_->authority();
  facts.target = &call_.head.target;
  facts.request_id = context_.request_id;
  facts.caller = {call_.payer.org, call_.payer.key_id, call_.agent(), call_.conversation()};
  facts.unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  facts.peer = context_.client.peer;
  facts.secure = context_.client.secure;
  facts.websocket = call_.hops.websocket;
  // As it was read. Empty: the body decides nothing, or is charged by its size.
  const std::string content_type = metered_.is_upload() && metered_.is_tapped()
                                       ? metered_.audio().content_type()
                                       : call_.work->found.content_type;
  facts.content_type = content_type;
  facts.metered = call_.is_metered_by(quota::meter_kind::response_audio);
  facts.body = shape_of_request(body_, audio_, context_);
  facts.key_headers = &context_.settings().identity.key_headers;
  std::string head;
  head.reserve(1024);
  write_request_head(head, context_.head(), facts, context_.host.ids());
  return head;
}

task<attempt_result> upstream_call::receive_head() {
  auto& io = lease_->io;
  auto& in = lease_->in;
  const auto limit = context_.settings().limits.head_bytes;
  for (;;) {
    const auto end = find_head_end(in.view());
    if (end == std::string_view::npos) {
      if (in.size() >= limit) co_return no_answer(http::error::header_limit);
      error_code ec;
      const auto n =
          co_await io.async_read_some(in.prepare_anyway(limit), asio::redirect_error(use_task, ec));
      in.commit(n);
      // The answer to an upload that has been refused meanwhile is not started.
      if (ec || audio_.was_refused()) co_return no_answer(ec);
      continue;
    }
    const auto bytes = in.view().substr(0, end);
    response_.emplace();
    const error_code ec = inspect_response_head(bytes)
                              ? make_error_code(http::error::bad_field)
                              : response_->read_head(bytes, context_.is_head_request());
    in.consume(end);
    if (ec) co_return no_answer(ec);
    const int status = response_->head().status;
    if (status == 101 && !call_.hops.websocket) co_return no_answer(http::error::bad_status);
    if (status >= 200 || status == 101) break;
    co_await answer_.pass_on_informational(response_->head(), settings());
  }
  head_came();
  co_return attempt_result::answered;
}

void upstream_call::head_came() {
  context_.times.enter(call_part::overhead);
  sent_.answered = true;
  context_.failure = {};
  const auto& head = response_->head();
  if (!lease_->reused) pool_->idle_time().announced(head.find(http::field::keep_alive));
  hold_.ends(routes::end_by_head(answer_head_of(*response_, context_)));
  if (hold_.settles()) hold_.answer_began();
}

routes::answer_head answer_head_of(const response_reader& response,
                                   const exchange_context& context) {
  const auto& head = response.head();
  const bool none = response.body_framing() == framing::none;
  return {head.status, context.head().method, head.find(http::field::content_type),
          head.find(http::field::content_encoding), !none};
}

attempt_result upstream_call::fail(problem why) {
  problem_ = std::move(why);
  return attempt_result::failed;
}

// The upstream did not answer, or not in HTTP. Determines how the call ended, and the client's
// answer.
attempt_result upstream_call::no_answer(error_code ec) {
  using quota::stream_end;
  context_.times.enter(call_part::overhead);
  const auto name = "The upstream \"" + settings().name + "\" ";
  if (context_.client.gone()) {
    if (hold_.how() == stream_end::not_sent) return fail(client_left());
    // A client that Tollgate cut off at the end of draining has not left. But once the upstream has
    // its request, the work is done and is charged all the same, as it is if this process is
    // killed.
    if (sent_.all) {
      hold_.ends(stream_end::client_gone_waiting);
    } else if (!context_.client.was_cut()) {
      hold_.ends(stream_end::client_gone_early);
    }
    return fail(client_left());
  }
  if (context_.lost_access()) {
    // As if the client had left.
    if (hold_.how() != stream_end::not_sent) {
      hold_.ends(sent_.all ? stream_end::client_gone_waiting : stream_end::client_gone_early);
    }
    return fail(access_lost(context_.access));
  }
  if (body_problem_) {
    // The client caused this, as if it had left: it must not be a cheaper way to leave.
    if (hold_.how() != stream_end::not_sent) hold_.ends(stream_end::client_gone_early);
    if (audio_.was_refused()) hold_.ends(stream_end::not_sent);  // the upstream never had all of it
    return fail(*std::move(body_problem_));
  }
  if (context_.timed_out || lease_->io.timed_out()) {
    context_.failure = {upstream_cause::timeout_answer, asio::error::timed_out};
    return fail({problem_code::upstream_timeout,
                 name + "did not answer in time; nothing was charged.",
                 {},
                 {}});
  }
  const bool closed = ec.category() != make_error_code(http::error::bad_field).category();
  context_.failure = {closed ? cause_of_end(ec) : upstream_cause::bad_answer, ec};
  if (closed && lease_->in.empty()) {
    const bool ended = ec == asio::error::eof;
    const bool unreceived = ended && lease_->io.closed_before_it_received(sent_.wrote_before);
    // An upstream that received the request, and then closed, has not closed an idle connection.
    if (lease_->reused && (unreceived || !ended)) {
      pool_->idle_time().lost_request(lease_->age, std::chrono::steady_clock::now());
    }
    const auto failed =
        fail({problem_code::upstream_unreachable,
              name + "closed the connection before it answered; nothing was charged.",
              {},
              {}});
    return may_retry(unreceived) ? attempt_result::try_again : failed;
  }
  return fail({problem_code::bad_upstream_response,
               name + "sent something that is not an HTTP/1.1 response; nothing was charged.",
               {},
               {}});
}

// RFC 9112 section 9.3.1: only a request that can safely be repeated, or that the upstream never
// received.
bool upstream_call::may_retry(bool unreceived) const {
  if (sent_.streamed || !is_all_there()) return false;
  if (unreceived) return true;
  if (!lease_->reused) return false;
  if (lease_->io.wrote() == sent_.wrote_before) return true;
  for (const std::string_view idempotent : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    if (context_.head().method == idempotent) return true;
  }
  return false;
}

void upstream_call::give_back() {
  if (!lease_ || !lease_->io.is_open() || !response_ || !response_->done()) return;
  if (response_->head().status == 101 || !response_->keep_alive() || !body_.done()) return;
  pool_->release(std::move(lease_), std::chrono::steady_clock::now());
}

}  // namespace tollgate::proxy
