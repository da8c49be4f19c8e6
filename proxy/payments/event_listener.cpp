#include "proxy/payments/event_listener.hpp"

namespace tollgate::proxy::payments {

namespace {

admin::api_response wrong_path(const admin::api_request& request) {
  return admin::failure(admin::not_found("no such endpoint; Stripe's events come to " +
                                         std::string{config::stripe_events_path}),
                        request.request_id);
}

event_delivery delivery_of(const admin::http_request& head, const admin::api_request& request) {
  const auto signature = head["Stripe-Signature"];
  event_delivery out;
  out.method = request.method;
  out.signature.assign(signature.data(), signature.size());
  out.body = head.body();
  out.request_id = request.request_id;
  return out;
}

}  // namespace

std::unique_ptr<admin::small_listener> make_event_listener(asio::io_context& context,
                                                           const config::endpoint& listen,
                                                           std::size_t connections,
                                                           event_taker taker) {
  const auto answer = [taker = std::move(taker)](
                          const admin::http_request& head,
                          admin::api_request request) -> task<admin::api_response> {
    if (request.path != config::stripe_events_path) co_return wrong_path(request);
    auto taking = taker(delivery_of(head, request));
    co_return co_await std::move(taking);
  };
  return std::make_unique<admin::small_listener>(
      context, listen,
      admin::small_listener_options{.key = "payments.stripe.listen",
                                    .body_bytes = most_event_bytes,
                                    .connections = connections,
                                    .answer = answer});
}

}  // namespace tollgate::proxy::payments
