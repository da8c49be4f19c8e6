// A top-up as the HTTP request that asks for its money. Pure.
//
// Every attempt at one top-up carries the same idempotency key and the same body, so that whoever
// gets it twice charges once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "proxy/outbound/client.hpp"
#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/top_up.hpp"

namespace tollgate::proxy::payments {

// Who wants to buy what.
struct payment_order {
  quota::org_id org;
  quota::top_up_record top_up;
  std::string stripe_customer;  // "cus_..."; may be empty
};

// When it was first asked for, which the top-up itself forgets when it is asked for again after a
// day; the ids of automatic ones say it ("tu_MILLISECONDS_N"). Nothing: nobody can tell.
std::optional<quota::time_point> first_requested(const quota::top_up_record& top_up);

// "ORG:TOP_UP". No organization's id has a colon, so no two organizations share a key.
std::string idempotency_key(const payment_order& order);
// "10.00"
std::string dollars(std::int64_t cents);

// A signed webhook of type `account.top_up_requested`. `now` goes into its signature.
outbound::request webhook_request(const payment_order& order, const outbound::url& to,
                                  std::string_view secret, quota::time_point now);

// Asks for the customer, whose default payment method the payment must name: without one, Stripe
// knows of cards from before 2019 only ("sources").
outbound::request stripe_customer(const payment_order& order, const outbound::url& to,
                                  std::string_view secret);
// A payment of the customer's, made without it being there (an off-session PaymentIntent). The
// method may be empty.
outbound::request stripe_payment(const payment_order& order, const outbound::url& to,
                                 std::string_view secret, std::string_view payment_method);
// The payments that were made for this top-up. Stripe forgets idempotency keys after a day, and
// would then charge again: whoever asks later than that asks this first.
outbound::request stripe_search(const payment_order& order, const outbound::url& to,
                                std::string_view secret);
// A little less than what Stripe promises; and whether that is over since the first request.
inline constexpr quota::milliseconds stripe_remembers_keys = std::chrono::hours{23};
bool stripe_may_have_forgotten(const quota::top_up_record& top_up, quota::time_point now);

}  // namespace tollgate::proxy::payments
