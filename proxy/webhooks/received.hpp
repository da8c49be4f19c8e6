// A delivery as its receiver looks at it: pure. For `tollgate webhook listen`, and an example of
// what a receiver has to do.
#pragma once

#include <string>
#include <string_view>

#include "quota/clock.hpp"

namespace tollgate::proxy::webhooks {

struct received {
  std::string id, timestamp, signature;  // webhook-id, webhook-timestamp, webhook-signature
  std::string body;
};

// How far its timestamp may be from now: who records a delivery cannot play it back later.
inline constexpr std::chrono::minutes tolerance{5};

// What is wrong with it; empty: whoever knows the secret sent exactly this, just now.
std::string refuse_delivery(const received& what, std::string_view secret, quota::time_point now);

}  // namespace tollgate::proxy::webhooks
