// A top-up as a payment request over HTTP. Pure.
//
// Every attempt at one top-up carries the same idempotency key, so that the endpoint charges once;
// for Stripe until that key is spent (stripe_answer.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "proxy/net/outbound/client.hpp"
#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/top_up.hpp"

namespace tollgate::proxy::payments {

// The buyer and the top-up.
struct payment_order {
  quota::org_id org;
  quota::top_up_record top_up;
  std::string stripe_customer;  // "cus_..."; may be empty
};

// When it was first requested, which the top-up itself forgets when it is requested again after a
// day; the ids of automatic ones have it ("tu_MILLISECONDS_N"). Nullopt: unknown.
std::optional<quota::time_point> first_requested(const quota::top_up_record& top_up);

// "ORG:TOP_UP", and of later generations "ORG/GENERATION:TOP_UP". No organization's id has a colon
// or a slash, so no two top-ups and no two generations share a key.
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
// A hundred of the customer's payments, the newest first.
struct payments_page {
  quota::time_point from{};  // none that was made before
  bool of_everyone = false;  // not only the customer's
  std::string after;         // a payment, where an earlier page ended; empty: the first page
};
outbound::request stripe_payments(const payment_order& order, const outbound::url& to,
                                  std::string_view secret, const payments_page& page);
// The payments of this top-up, of any customer. It lags behind by a minute or more.
outbound::request stripe_search(const payment_order& order, const outbound::url& to,
                                std::string_view secret);
// Cancels it, so that it cannot be paid any more.
outbound::request stripe_cancel(std::string_view payment, const outbound::url& to,
                                std::string_view secret);
// "payment_intents/pi_1", "charges/ch_1"
outbound::request stripe_object(std::string_view path, const outbound::url& to,
                                std::string_view secret);

// It cannot have been requested, under any key. By hand: unknown.
bool never_asked_for(const quota::top_up_record& top_up);

}  // namespace tollgate::proxy::payments
