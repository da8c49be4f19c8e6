// Verifies that Stripe has sent an event, and just now. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "quota/clock.hpp"

namespace tollgate::proxy::payments {

// How far the signature's time may be from now, so that a recorded event cannot be replayed later.
inline constexpr std::chrono::minutes stripe_tolerance{5};

// `header`: "t=SECONDS,v1=HEX[,v1=HEX]", the HMAC-SHA256 of "SECONDS.BODY" with the secret's text.
// Returns why the event is refused; empty: this body was signed with one of the secrets.
std::string refuse_stripe_signature(std::string_view header, std::string_view body,
                                    const std::vector<std::string>& secrets, quota::time_point now);

}  // namespace tollgate::proxy::payments
