// What Stripe's answers mean for a top-up and for its idempotency key. Pure.
//
// Stripe keeps the first answer that was given under a key, errors included, and repeats it for a
// day or more. So an error may mean that the key is spent: no request under it will be paid. The
// payments of the top-up show whether one was; only if none was, the next key is used.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/outbound/client.hpp"
#include "proxy/payments/json_members.hpp"
#include "proxy/payments/payment_answer.hpp"
#include "proxy/payments/payment_request.hpp"

namespace tollgate::proxy::payments {

// What an answer to a request for a payment says of its key.
enum class key_state : std::uint8_t {
  good,      // ask again under it, where the answer is `failed`
  doubtful,  // perhaps spent: an earlier request under it may still be running
  spent,     // nothing will ever be paid under it that is not paid by now
};

struct stripe_answer {
  payment_answer answer;
  key_state key = key_state::good;
};

stripe_answer read_stripe_payment(const outbound::reply& reply, const payment_order& order);

// The customer's default payment method. Empty: it has none, or the key may not ask; then the
// payment itself shows Stripe's decision. Nullopt: to be asked again.
std::optional<std::string> read_stripe_customer(const outbound::reply& reply);

// The payments of a top-up, collected page by page.
class found_payments {
 public:
  explicit found_payments(const payment_order& order) : order_{order} {}

  // A page of a list, or of a search: what of it belongs to the top-up is kept. Returns the id
  // after which the next page begins; empty: there is none. False in `fine`: it is no such page.
  std::string take(const json_value& page, bool& fine);
  bool any() const { return any_; }

  // The outcome of the top-up. Nullopt: no money was taken, and none is under way; it may be
  // requested, once `to_cancel()` is canceled.
  std::optional<payment_answer> verdict() const;
  // Payments of earlier keys that could still be completed.
  const std::vector<std::string>& to_cancel() const { return to_cancel_; }

 private:
  void look_at(const json_value& intent);
  void keep(payment_answer answer);

  const payment_order& order_;
  std::optional<payment_answer> best_;
  std::vector<std::string> to_cancel_, paid_;
  bool any_ = false;
};

// How a payment differs from what was asked for; what it does not tell is as asked. The first looks
// at the money only, also of a charge.
payment_mismatch compare_money(const json_value& payment, const payment_order& order);
payment_mismatch compare(const json_value& payment, const payment_order& order);

// Which top-up a payment or a charge is for, by its metadata. Nothing: none of ours.
struct payment_owner {
  std::string org, top_up;
  std::int64_t generation = 0;
  std::string payment = {};  // Stripe's id of it, where Stripe was asked
};
std::optional<payment_owner> owner_of(const json_value& payment);

}  // namespace tollgate::proxy::payments
