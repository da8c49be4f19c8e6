// Events of a payment provider, received by either listener.
#pragma once

#include <functional>
#include <string>

#include "proxy/net/api/message.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::payments {

inline constexpr std::size_t most_event_bytes = 256 * 1024;

// An event as received.
struct event_delivery {
  std::string method;
  std::string signature;  // Stripe-Signature
  std::string body;
  std::string request_id;
};

// Processes the event on the calling thread and returns the answer.
using event_taker = std::function<task<admin::api_response>(event_delivery)>;

}  // namespace tollgate::proxy::payments
