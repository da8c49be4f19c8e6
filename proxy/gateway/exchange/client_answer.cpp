#include "proxy/gateway/exchange/client_answer.hpp"

#include "proxy/gateway/account_fields.hpp"
#include "proxy/gateway/cors.hpp"

namespace tollgate::proxy {

namespace {

// Owns the values that the facts point to.
struct known_account {
  known_account(const held_charge& hold, const call& call, std::optional<quota::credits> charged)
      : remaining{hold.remaining(charged)} {
    if (remaining) facts.remaining = &*remaining;
    if (call.payer.allocation) facts.allocation = &*call.payer.allocation;
    facts.rate = hold.rate();
    if (facts.rate != nullptr) facts.now = hold.store_time();
  }
  known_account(const known_account&) = delete;

  std::optional<quota::credits> remaining;
  account_facts facts;
};

}  // namespace

// --- the upstream's answer ----------------------------------------------------------------------

body_shape client_answer::choose_shape(const response_reader& response, bool counted) {
  const int version = context_.head().version;
  const auto length = response.content_length();
  const bool has_body = response.body_framing() != framing::none;
  shape_ = {};
  if (response.head().status == 204) return shape_;  // RFC 9110 section 8.6
  charge_in_trailer_ = has_body && counted && call_.hops.accepts_trailers && version == 11;
  if (charge_in_trailer_) return shape_ = {framing::chunked, 0};
  if (length && (!has_body || response.body_framing() == framing::length)) {
    shape_ = {framing::length, *length};
  } else if (has_body) {
    shape_ = {version == 10 ? framing::until_close : framing::chunked, 0};
  }
  return shape_;
}

std::string client_answer::head(const message_head& head,
                                const config::upstream_settings& upstream) {
  auto& client = context_.client;
  if (shape_.how == framing::until_close) keep_ = false;
  if (context_.host.draining() || !body_.done()) keep_ = false;
  if (client.at_end() && client.in.empty()) keep_ = false;
  status_ = head.status;
  head_sent_ = true;
  context_.times.enter(call_part::response);
  const auto charged = hold_.price_in_head();
  const known_account account{hold_, call_, charged};
  response_facts facts;
  facts.upstream = &upstream;
  facts.request_id = context_.request_id;
  facts.charge_in_trailer = charge_in_trailer_;
  if (hold_.in_place()) {
    facts.account = account.facts;
    facts.account.charged = charged ? &*charged : nullptr;
  }
  facts.body = shape_;
  facts.websocket = head.status == 101;
  facts.close = !keep_;
  facts.client_is_1_0 = context_.head().version == 10;
  const auto cors = cors_lines(context_.settings().cors, context_.head().request());
  facts.cors = cors;
  std::string out;
  out.reserve(1024);
  write_response_head(out, head, facts);
  return out;
}

task<> client_answer::pass_on_informational(message_head& head,
                                            const config::upstream_settings& upstream) {
  if (head.status == 100 || context_.head().version == 10) co_return;
  strip_hop_by_hop(head);
  std::string out;
  response_facts facts;
  facts.upstream = &upstream;
  facts.request_id = context_.request_id;
  write_response_head(out, head, facts);
  co_await write(asio::buffer(out));
}

void client_answer::break_off(quota::stream_end how) {
  keep_ = false;
  hold_.broke_off(how);
  if (shape_.how == framing::until_close) context_.client.io.reset_on_close();
  context_.client.io.close();
}

task<> client_answer::cut(const message_head& head, problem why) {
  keep_ = false;
  hold_.broke_off(quota::stream_end::cut);
  refusal_ = why.code;
  auto& io = context_.client.io;
  const bool plain = head.find(http::field::content_encoding).empty();
  const bool events = head.find(http::field::content_type).starts_with("text/event-stream");
  if (plain && events && shape_.how == framing::chunked) {
    const std::string event =
        "\n\nevent: error\ndata: " +
        routes::render(why, call_.dialect(context_.head()), context_.request_id) + "\n\n";
    chunk_frame frame{true};
    if (co_await write(frame.around({}, event, true, {}))) io.close();
    co_return;
  }
  if (shape_.how == framing::until_close) io.reset_on_close();
  io.close();
}

task<bool> client_answer::complete(chunk_frame& frame) {
  if (context_.client.gone() || shape_.how == framing::length) co_return false;
  if (shape_.how == framing::until_close) co_return true;
  const std::string charge = charge_in_trailer_ ? charge_trailer() : std::string{};
  if (co_await write(frame.around({}, {}, true, {}, charge))) keep_ = false;
  co_return true;
}

std::string client_answer::charge_trailer() {
  return "X-Credits-Charged: " + to_string(hold_.price_of_used()) + "\r\n";
}

// --- Tollgate's own answers ---------------------------------------------------------------------

task<> client_answer::refuse(const problem& problem,
                             std::vector<std::pair<std::string, std::string>> fields) {
  if (context_.client.gone()) {
    keep_ = false;
    co_return;
  }
  refusal_ = problem.code;
  auto response = proxy::refusal(problem, call_.dialect(context_.head()), context_.request_id);
  for (auto& field : fields) response.headers.push_back(std::move(field));
  const auto charged = hold_.price_in_head().value_or(quota::credits{});
  const known_account account{hold_, call_, charged};
  if (account.remaining) {  // otherwise the ledger was not asked, or did not answer
    auto facts = account.facts;
    facts.charged = &charged;
    write_account_fields(response.account_fields, facts);
  }
  co_await send(std::move(response));
  if (keep_) keep_ = co_await body_.drain();
}

task<> client_answer::send(own_response response) {
  if (context_.host.draining() || !body_.rest_is_worth_reading()) keep_ = false;
  status_ = response.status;
  response.close = !keep_;
  response.is_head = context_.is_head_request();
  response.cors = cors_lines(context_.settings().cors, context_.head().request());
  const auto out = serialize(response, context_.request_id, std::chrono::system_clock::now());
  if (co_await write(asio::buffer(out))) keep_ = false;
}

task<bool> client_answer::send_head(own_response head) {
  if (!body_.done() || !context_.is_head_request()) keep_ = false;
  status_ = head.status;
  head.follows = context_.head().version >= 11 ? framing::chunked : framing::until_close;
  head.is_head = context_.is_head_request();
  head.close = !keep_;
  head.cors = cors_lines(context_.settings().cors, context_.head().request());
  const auto out = serialize(head, context_.request_id, std::chrono::system_clock::now());
  const bool failed = static_cast<bool>(co_await write(asio::buffer(out)));
  if (failed) keep_ = false;
  if (failed || head.is_head) co_return false;
  head_sent_ = true;
  context_.times.enter(call_part::response);
  co_return true;
}

}  // namespace tollgate::proxy
