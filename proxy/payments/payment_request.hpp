// A top-up as the HTTP request that asks for its money. Pure.
//
// Every attempt at one top-up carries the same idempotency key and the same body, so that whoever
// gets it twice charges once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"
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

struct payment_address {
  bool tls = false;
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 80;
  std::string authority;  // for the Host field
  std::string path;       // with the query, if it has one

  bool operator==(const payment_address&) const = default;
};
// Nothing: no http or https URL.
std::optional<payment_address> parse_payment_url(std::string_view url);

struct payment_request {
  std::string method = "POST";
  std::string target;
  std::vector<std::pair<std::string, std::string>>
      fields;  // Host and Content-Length not among them
  std::string body;
};

// When it was first asked for, which the top-up itself forgets when it is asked for again after a
// day; the ids of automatic ones say it ("tu_MILLISECONDS_N"). Nothing: nobody can tell.
std::optional<quota::time_point> first_requested(const quota::top_up_record& top_up);

// "ORG:TOP_UP". No organization's id has a colon, so no two organizations share a key.
std::string idempotency_key(const payment_order& order);
// "10.00"
std::string dollars(std::int64_t cents);

// A signed webhook of type `account.top_up_requested`. `now` goes into its signature.
payment_request webhook_request(const payment_order& order, const payment_address& to,
                                std::string_view secret, quota::time_point now);

// Asks for the customer, whose default payment method the payment must name: without one, Stripe
// knows of cards from before 2019 only ("sources").
payment_request stripe_customer(const payment_order& order, const payment_address& to,
                                std::string_view secret);
// A payment of the customer's, made without it being there (an off-session PaymentIntent). The
// method may be empty.
payment_request stripe_payment(const payment_order& order, const payment_address& to,
                               std::string_view secret, std::string_view payment_method);
// The payments that were made for this top-up. Stripe forgets idempotency keys after a day, and
// would then charge again: whoever asks later than that asks this first.
payment_request stripe_search(const payment_order& order, const payment_address& to,
                              std::string_view secret);
// A little less than what Stripe promises.
inline constexpr quota::milliseconds stripe_remembers_keys = std::chrono::hours{23};

}  // namespace tollgate::proxy::payments
