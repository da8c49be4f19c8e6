// Questions that are answered here, never forwarded and never charged: a customer's about its own
// account, and the events that Stripe sends.
#pragma once

#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/client_answer.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/request_body.hpp"
#include "proxy/net/api/body_source.hpp"

namespace tollgate::proxy {

bool asks_about_billing(const call& what, const config::settings& settings);
// The body of events, which has its head sent, goes on with stream_events(); null: it was all.
task<std::shared_ptr<admin::body_source>> answer_billing(exchange_context& context,
                                                         const call& what, request_body& body,
                                                         client_answer& answer);

// No route can stand before it.
bool is_payment_event(const call& what, const config::settings& settings);
task<result<void, problem>> answer_payment_event(exchange_context& context, request_body& body,
                                                 client_answer& answer);

// Fields of every answer about billing, refusals included.
std::vector<std::pair<std::string, std::string>> billing_fields();

}  // namespace tollgate::proxy
