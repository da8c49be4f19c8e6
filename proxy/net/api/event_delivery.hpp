// Events of a payment provider, from either listener.
#pragma once

#include <functional>
#include <string>

#include "proxy/net/api/message.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::payments {

inline constexpr std::size_t most_event_bytes = 256 * 1024;

// An event as it came in.
struct event_delivery {
  std::string method;
  std::string signature;  // Stripe-Signature
  std::string body;
  std::string request_id;
};

// Takes it, on the calling thread, and says what is answered.
using event_taker = std::function<task<admin::api_response>(event_delivery)>;

}  // namespace tollgate::proxy::payments
