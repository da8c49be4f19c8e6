#include "proxy/gateway/exchange/own_answers.hpp"

#include "proxy/gateway/cors.hpp"
#include "proxy/gateway/exchange/problems.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

own_response own_response_of(admin::api_response& answer) {
  admin::add_common_fields(answer.headers);
  return {answer.status, std::move(answer.content_type), std::move(answer.headers),
          std::move(answer.body)};
}

admin::api_request question_of(const exchange_context& context, const call& what) {
  const auto request = context.head().request();
  admin::api_request question;
  question.method = request.method;
  question.path = what.path().substr(context.settings().billing.prefix.size());
  question.query = what.head.target.query;
  question.request_id = context.request_id;
  for (const auto& field : request.headers) {
    if (!routes::equal_ignoring_case(field.name, "Accept")) continue;
    question.accept.append(question.accept.empty() ? "" : ",").append(field.value);
  }
  question.last_event_id = request.header("Last-Event-ID");
  return question;
}

}  // namespace

bool needs_no_key(const exchange_context& context, const call& what) {
  const auto& head = context.head();
  if (!context.settings().metering) return false;
  if (head.method == "OPTIONS") return is_preflight(context.settings().cors, head.request());
  const auto& path = what.path();
  return head.method == "HEAD" && (path == "/" || path == "/api/hello") &&
         !routes::has_credential(head.request(), context.key_places());
}

task<> answer_keyless(exchange_context& context, client_answer& answer) {
  if (context.is_head_request()) return answer.send(own_response{});
  return answer.send(answer_preflight(context.settings().cors, context.head().request()));
}

bool asks_about_billing(const call& what, const config::settings& settings) {
  const std::string_view prefix = settings.billing.prefix;
  const std::string_view path = what.path();
  return settings.metering && !prefix.empty() && path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

task<std::shared_ptr<admin::body_source>> answer_billing(exchange_context& context,
                                                         const call& what, request_body& body,
                                                         client_answer& answer) {
  auto asking =
      context.host.answer_billing(what.payer.org, question_of(context, what), context.view);
  const auto before = context.times.enter(call_part::store);
  auto said = co_await std::move(asking);
  context.times.enter(before);
  auto response = own_response_of(said);
  if (said.source) {
    const bool follows = co_await answer.send_head(std::move(response));
    co_return follows ? std::move(said.source) : nullptr;
  }
  co_await answer.send(std::move(response));
  if (answer.keeps_connection()) answer.keep_connection(co_await body.drain());
  co_return nullptr;
}

bool is_payment_event(const call& what, const config::settings& settings) {
  const auto& events = settings.payments.events;
  return !events.secrets.empty() && !events.listen && what.path() == config::stripe_events_path;
}

task<result<void, problem>> answer_payment_event(exchange_context& context, request_body& body,
                                                 client_answer& answer) {
  constexpr auto most = payments::most_event_bytes;
  if (auto read = co_await body.read_whole(most, body_too_large); !read) co_return read;
  const auto request = context.head().request();
  payments::event_delivery delivery;
  delivery.method = request.method;
  delivery.signature = request.header("Stripe-Signature");
  delivery.body = body.kept();
  delivery.request_id = context.request_id;
  auto said = co_await context.host.take_payment_event(std::move(delivery));
  co_await answer.send(own_response_of(said));
  co_return result<void, problem>{};
}

std::vector<std::pair<std::string, std::string>> billing_fields() {
  std::vector<std::pair<std::string, std::string>> fields;
  admin::add_common_fields(fields);
  return fields;
}

}  // namespace tollgate::proxy
