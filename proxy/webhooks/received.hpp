// Verifies a delivery as a receiver does. Pure. For `tollgate webhook listen`, and as an example
// for receivers.
#pragma once

#include <string>
#include <string_view>

#include "quota/clock.hpp"

namespace tollgate::proxy::webhooks {

struct received {
  std::string id, timestamp, signature;  // webhook-id, webhook-timestamp, webhook-signature
  std::string body;
};

// How far the timestamp may be from now, so that a recorded delivery cannot be replayed later.
inline constexpr std::chrono::minutes tolerance{5};

// Why the delivery is refused; empty: it was signed with the secret, just now.
std::string refuse_delivery(const received& what, std::string_view secret, quota::time_point now);

}  // namespace tollgate::proxy::webhooks
