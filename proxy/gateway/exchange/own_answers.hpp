// Requests that are answered here, never forwarded and never charged: a customer's about its own
// account, and the events that Stripe sends.
#pragma once

#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/client_answer.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/request_body.hpp"
#include "proxy/net/api/body_source.hpp"

namespace tollgate::proxy {

// Answered for anybody: a browser's preflight (cors.hpp), and `HEAD /` and `HEAD /api/hello`, by
// which Claude Code looks whether its gateway is there. Call it before a key is asked for.
bool needs_no_key(const exchange_context& context, const call& what);
task<> answer_keyless(exchange_context& context, client_answer& answer);

bool asks_about_billing(const call& what, const config::settings& settings);
// The body of an event stream, whose head has been sent: continue with stream_events(). Null: the
// answer is complete.
task<std::shared_ptr<admin::body_source>> answer_billing(exchange_context& context,
                                                         const call& what, request_body& body,
                                                         client_answer& answer);

// Has precedence over every route.
bool is_payment_event(const call& what, const config::settings& settings);
task<result<void, problem>> answer_payment_event(exchange_context& context, request_body& body,
                                                 client_answer& answer);

// Fields of every answer about billing, including refusals.
std::vector<std::pair<std::string, std::string>> billing_fields();

}  // namespace tollgate::proxy
