// The part of an exchange that answers by itself: refusals, and a customer's questions.
#include "proxy/account/billing_api.hpp"
#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "proxy/gateway/own_response.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {

// --- billing: a customer's questions about its own account, never forwarded, never charged ---

bool exchange::asks_about_billing() const {
  const std::string_view prefix = settings().billing_prefix;
  const std::string_view path = target_.path;
  return settings().metering && !prefix.empty() && path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

task<bool> exchange::answer_billing() {
  const auto request = request_.head().request();
  admin::api_request question;
  question.method = request.method;
  question.path = target_.path.substr(settings().billing_prefix.size());
  question.query = target_.query;
  question.request_id = record_.request_id;
  for (const auto& field : request.headers) {
    if (!routes::equal_ignoring_case(field.name, "Accept")) continue;
    question.accept.append(question.accept.empty() ? "" : ",").append(field.value);
  }
  question.last_event_id = request.header("Last-Event-ID");
  admin::billing_api billing{worker_.world().ledger(), worker_.world().history(),
                             [this] { return runtime_->config; }, &worker_.events()};
  auto answer = co_await billing.handle(payer(), std::move(question));

  record_.status = answer.status;
  admin::add_common_fields(answer.headers);
  own_response response{answer.status, std::move(answer.content_type), std::move(answer.headers),
                        std::move(answer.body)};
  if (answer.source) {
    co_await send_stream(std::move(response), std::move(answer.source));
    finish();
    co_return keep_client_;
  }
  co_await send(std::move(response));
  co_await drain_request_body();
  finish();
  co_return keep_client_;
}

// --- Stripe's events: neither metered nor forwarded, and no route can stand before them ---

bool exchange::is_payment_event() const {
  const auto& events = settings().payments.events;
  return !events.secrets.empty() && !events.listen && target_.path == config::stripe_events_path;
}

task<bool> exchange::answer_payment_event() {
  constexpr auto limit = payments::most_event_bytes;
  verdict refused;
  if (request_.content_length().value_or(0) > limit) {
    refused = body_too_large(limit);
  } else {
    refused = co_await gather_body(limit, nullptr);
    if (!refused && body_.size() > limit) refused = body_too_large(limit);
  }
  if (refused) {
    co_await refuse(*refused);
    finish();
    co_return keep_client_;
  }
  const auto request = request_.head().request();
  payments::event_delivery delivery;
  delivery.method = request.method;
  delivery.signature = request.header("Stripe-Signature");
  delivery.body = body_;
  delivery.request_id = record_.request_id;
  auto answer = co_await worker_.payment_events()(std::move(delivery));
  record_.status = answer.status;
  admin::add_common_fields(answer.headers);
  own_response response{answer.status, std::move(answer.content_type), std::move(answer.headers),
                        std::move(answer.body)};
  co_await send(std::move(response));
  finish();
  co_return keep_client_;
}

// --- refuse: our own answer ---

task<> exchange::refuse(const problem& problem) {
  if (up_) up_->io.close();
  if (pump_running_) client_.forbid_reads();
  co_await join_pump();
  if (client_.gone()) {
    keep_client_ = false;
    co_return;
  }
  record_.refusal = problem.code;
  record_.status = status_of(problem.code);
  auto response = refusal(problem, dialect_, record_.request_id);
  if (asks_about_billing()) admin::add_common_fields(response.headers);
  const auto* charged = charged_in_head();
  if (charge_) remaining_ = charge_->money.available() + charge_->money.held() - charged_;
  if (remaining_) {  // else nobody asked the ledger, or it did not answer
    auto facts = account_facts_known();
    facts.charged = charged != nullptr ? charged : &charged_;
    write_account_fields(response.account_fields, facts);
  }
  co_await send(std::move(response));
  co_await drain_request_body();
}

task<> exchange::send(own_response response) {
  if (worker_.draining() || !rest_is_worth_reading()) keep_client_ = false;
  response.close = !keep_client_;
  response.is_head = request_.head().method == "HEAD";
  const auto out = serialize(response, record_.request_id);
  client_.io.expires_after(settings().timeouts.client_write);
  if (co_await client_.io.write(asio::buffer(out))) keep_client_ = false;
  client_.io.never_expires();
}

// Whether so little of an upload is left that the connection can go on after it. A client that
// waits for 100 (Continue) may send the rest or not, so nobody knows what will come.
bool exchange::rest_is_worth_reading() const {
  constexpr std::uint64_t most = 64 * 1024;
  if (request_.done()) return true;
  const auto length = request_.content_length();
  return !hops_.expects_continue && length && *length < most;
}

task<> exchange::drain_request_body() {
  if (!keep_client_ || request_.done()) co_return;
  client_.io.expires_after(std::chrono::seconds{5});
  while (keep_client_ && !request_.done()) {
    const auto piece = request_.decode(client_.in);
    client_.in.consume(piece.consumed);
    if (request_.done()) break;
    keep_client_ = !piece.error;
    if (keep_client_) keep_client_ = co_await client_.read_more(byte_buffer::transfer_capacity);
  }
  client_.io.never_expires();
}

}  // namespace tollgate::proxy
