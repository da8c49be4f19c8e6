// A top-up as a payment request over HTTP. Pure.
//
// Every attempt at one top-up carries the same idempotency key, so that the endpoint charges once;
// with Stripe until that key is spent (stripe_answer.hpp).
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

// When it was first requested. A top-up that is requested again after a day loses that time, but
// the ids of automatic ones contain it ("tu_MILLISECONDS_N"). Nullopt: unknown.
std::optional<quota::time_point> first_requested(const quota::top_up_record& top_up);

// "ORG:TOP_UP", and for later generations "ORG/GENERATION:TOP_UP". Ids of organizations have no
// colon or slash, so no two top-ups and no two generations share a key.
std::string idempotency_key(const payment_order& order);
// "10.00"
std::string dollars(std::int64_t cents);

// A signed webhook of type `account.top_up_requested`. `now` is part of its signature.
outbound::request webhook_request(const payment_order& order, const outbound::url& to,
                                  std::string_view secret, quota::time_point now);

// Requests the customer. The payment must name its default payment method; otherwise Stripe only
// considers cards from before 2019 ("sources").
outbound::request stripe_customer(const payment_order& order, const outbound::url& to,
                                  std::string_view secret);
// A payment without the customer being present (an off-session PaymentIntent). The method may be
// empty.
outbound::request stripe_payment(const payment_order& order, const outbound::url& to,
                                 std::string_view secret, std::string_view payment_method);
// A hundred of the customer's payments, newest first.
struct payments_page {
  quota::time_point from{};  // excludes earlier payments
  bool of_everyone = false;  // payments of all customers
  std::string after;         // the last payment of the previous page; empty: the first page
};
outbound::request stripe_payments(const payment_order& order, const outbound::url& to,
                                  std::string_view secret, const payments_page& page);
// The payments of this top-up, of any customer. The search lags behind by a minute or more.
outbound::request stripe_search(const payment_order& order, const outbound::url& to,
                                std::string_view secret);
// Cancels a payment, so that it can no longer be paid.
outbound::request stripe_cancel(std::string_view payment, const outbound::url& to,
                                std::string_view secret);
// "payment_intents/pi_1", "charges/ch_1"
outbound::request stripe_object(std::string_view path, const outbound::url& to,
                                std::string_view secret);

// Whether it cannot have been requested, under any key. For top-ups by hand: unknown.
bool never_asked_for(const quota::top_up_record& top_up);

}  // namespace tollgate::proxy::payments
