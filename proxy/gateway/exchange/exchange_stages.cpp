// The stages named in run().
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "proxy/gateway/exchange/event_stream.hpp"
#include "proxy/gateway/exchange/exchange.hpp"
#include "proxy/gateway/exchange/own_answers.hpp"
#include "proxy/gateway/exchange/tunnel.hpp"
#include "routes/credential.hpp"

namespace tollgate::proxy {

namespace {

problem too_large_to_price(std::uint64_t limit) {
  return {problem_code::body_too_large,
          "The body must be read to price this call, and is larger than the limit of " +
              std::to_string(limit) + " bytes.",
          {},
          {}};
}

}  // namespace

// --- open: the contents of the head, before any lookup ------------------------------------------

result<void, problem> exchange::open() {
  auto& head = context_.request.head();
  call_.hops = strip_hop_by_hop(head);
  context_.request_id = choose_request_id(head, context_.host.ids());
  body_.wait_for_invitation(call_.hops.expects_continue);
  answer_.keep_connection(context_.request.keep_alive() && !context_.host.draining());
  context_.host.deadlines().arm(*this, settings().timeouts.total);
  auto opened = open_call(head);
  if (!opened) return opened.error();
  call_.head = *std::move(opened);
  return check_opened(head, call_.hops, body_.announced(), settings().limits.body_bytes);
}

// --- identify: who pays --------------------------------------------------------------------------

bool exchange::identify(result<void, problem>& passed) {
  const auto credential = routes::read_credential(context_.head().request());
  if (const auto* refused = std::get_if<problem>(&credential)) {
    passed = *refused;
    return true;
  }
  const auto& hash = context_.client.key.hash_of(std::get<std::string_view>(credential));
  const auto* owner = context_.host.keys().fresh(hash, context_.host.deadlines().now());
  if (owner != nullptr) passed = know_caller(*owner);
  return owner != nullptr;
}

task<result<void, problem>> exchange::look_up_caller() {
  const auto credential = routes::read_credential(context_.head().request());
  const auto hash = context_.client.key.hash_of(std::get<std::string_view>(credential));
  if (!co_await context_.host.charges().store_ready(settings().store.wait)) {
    co_return ledger_unavailable();
  }
  const auto found = co_await context_.host.keys().look_up(hash, context_.host.deadlines().now());
  if (!found) co_return ledger_unavailable();
  if (!*found) {
    co_return problem{
        problem_code::invalid_api_key,
        "This API key is not known or was revoked; check the key, or create a new one.",
        {},
        {}};
  }
  co_return know_caller(**found);
}

result<void, problem> exchange::know_caller(const quota::key_owner& owner) {
  context_.client.known = true;
  call_.payer = identify_call(owner, settings());
  return read_attribution(call_.payer, context_.head().request(), settings().identity);
}

// --- price: route and kind of the call, and the most it can cost ---------------------------------

result<void, problem> exchange::classify() {
  const auto& table = context_.view->config->routes;
  auto found = table.classify(context_.head().request(), call_.head.target);
  if (const auto* needs = std::get_if<routes::needs_body>(&found)) {
    call_.candidate = needs->candidate;
    return {};
  }
  return take(std::move(found));
}

task<result<void, problem>> exchange::classify_by_body() {
  body_.set_whole(true);
  auto read = co_await body_.read_whole(settings().limits.json_bytes, too_large_to_price);
  if (!read) co_return read;
  const auto& table = context_.view->config->routes;
  co_return take(table.classify(context_.head().request(), call_.head.target, &body_.kept()));
}

result<void, problem> exchange::take(routes::classification found) {
  if (auto* refused = std::get_if<problem>(&found)) return std::move(*refused);
  auto& classified = std::get<routes::classified>(found);
  const auto index = context_.view->index_of(*classified.matched);
  call_.work.emplace(priced{std::move(classified), index});
  if (settings().metering) metered_.begin(call_.route(), call_.work->found);
  return check_priced(call_);
}

// --- forward, and deliver the answer -------------------------------------------------------------

task<result<void, problem>> exchange::forward() {
  upstream_.begin(context_.view->pool_of(call_.work->route));
  auto result = attempt_result::failed;
  if (upstream_.streams_upload()) {
    co_await forward_beside_upload(result);
  } else {
    result = co_await upstream_.attempt(false);
    if (result == attempt_result::try_again) result = co_await upstream_.attempt(true);
    if (result == attempt_result::answered) co_await deliver();
  }
  if (result != attempt_result::answered) co_return upstream_.why();
  upstream_.give_back();
  co_return boost::system::result<void, problem>{};
}

// An upstream may answer before it has read everything: the answer is passed on beside the upload.
// Both have ended when this function returns.
task<> exchange::forward_beside_upload(attempt_result& result) {
  using namespace asio::experimental::awaitable_operators;
  result = co_await upstream_.connect(false);
  if (result != attempt_result::answered) co_return;
  hold_.ends(quota::stream_end::no_answer);
  co_await (upstream_.upload() && answer_upload(result));
}

task<> exchange::answer_upload(attempt_result& result) {
  const struct at_end {
    upstream_call& upstream;
    ~at_end() { upstream.stop_upload(); }
  } stopping{upstream_};
  result = co_await upstream_.receive_head();
  if (result == attempt_result::answered) {
    co_await deliver();
    // Tollgate ended this call, not the upstream: `upstream_failed: void` does not make it free.
    if (audio_.was_refused() && hold_.how() == quota::stream_end::upstream_failed) {
      hold_.ends(quota::stream_end::cut);
    }
    // The answer is complete and the upload is not: neither connection can be used again.
    if (upstream_.is_uploading()) answer_.end_connection();
  }
}

task<> exchange::deliver() {
  auto& head = upstream_.response().head();
  strip_hop_by_hop(head);
  if (!upstream_.is_uploading()) {  // the answer may stream for long
    std::string{}.swap(body_.kept());
    metered_.forget_held_back();
  }
  return head.status == 101 ? open_tunnel() : delivery_.run();
}

task<> exchange::open_tunnel() {
  answer_.end_connection();
  const auto head = answer_.head(upstream_.response().head(), upstream_.settings());
  deadline_list::disarm(*this);
  if (co_await answer_.write(asio::buffer(head))) {
    answer_.lost_client();
    co_return upstream_.close();
  }
  const auto& timeouts = settings().timeouts;
  tunnelled bytes;
  co_await tunnel(context_.client, upstream_.connection(), timeouts.idle, timeouts.client_write,
                  bytes);
  body_.count(bytes.up);
  answer_.count(bytes.down);
}

// --- our own answers -----------------------------------------------------------------------------

task<result<void, problem>> exchange::answer_about_billing() {
  auto events = co_await answer_billing(context_, call_, body_, answer_);
  if (events) {
    deadline_list::disarm(*this);  // the stream may last for days
    co_await stream_events(context_, answer_, std::move(events));
  }
  co_return result<void, problem>{};
}

task<> exchange::refuse(const problem& problem) {
  upstream_.close();
  const bool billing = asks_about_billing(call_, settings());
  return answer_.refuse(problem, billing ? billing_fields() : decltype(billing_fields()){});
}

// --- finish: settle or void, and record it -------------------------------------------------------

void exchange::finish() {
  if (std::exchange(finished_, true)) return;
  deadline_list::disarm(*this);
  exchange_record record;
  fill(record);
  if (const auto charge = hold_.resolve()) {
    record.money.held = true;
    record.money.beyond_balance = charge->beyond_balance;
    record.money.settles = charge->settles;
    record.money.estimate = charge->estimate;
    record.money.extended = charge->extended;
    record.money.charged = charge->charged;
    if (metered_.is_tapped()) record.money.audio_us = charge->used.amount;
    record.money.unmeasurable = metered_.is_unmeasurable();
  }
  context_.host.exchange_finished(record, *context_.view);
}

void exchange::fill(exchange_record& record) const {
  record.request_id = context_.request_id;
  record.org = call_.payer.org;
  record.method = context_.head().method;
  record.path = call_.path();
  record.peer = context_.client.peer;
  record.who.agent = call_.agent();
  record.who.conversation = call_.conversation();
  record.who.key_id = call_.payer.key_id;
  if (call_.is_priced()) {
    record.route = call_.work->route;
    record.who.route = call_.route().settings.name;
    record.who.action = call_.route().settings.action;
    record.who.model = call_.work->found.model;
  }
  record.status = answer_.status();
  record.refusal = answer_.refusal();
  record.end = hold_.how();
  record.bytes_in = body_.bytes();
  record.bytes_out = answer_.bytes();
  record.took.store_us = hold_.store_us();
  record.took.upstream_us = upstream_.upstream_us();
  const auto now = std::chrono::steady_clock::now();
  record.took.total_us = us_between(context_.started, now);
  // The client's waiting time that was spent on neither the store nor the upstream.
  record.took.overhead_us = us_between(context_.started, answer_.head_at().value_or(now)) -
                            record.took.upstream_us - record.took.store_us;
}

audio_upload::time_setter exchange::time_limit() {
  return [this](std::chrono::milliseconds most) { context_.host.deadlines().arm(*this, most); };
}

void exchange::on_deadline() {
  context_.timed_out = true;
  const bool waits_for_body = !upstream_.is_leased() && !answer_.head_sent();
  upstream_.close();
  if (answer_.head_sent()) context_.client.io.close();
  if (waits_for_body) context_.client.forbid_reads();
}

}  // namespace tollgate::proxy
