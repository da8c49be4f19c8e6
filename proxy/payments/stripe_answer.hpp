// The meaning of Stripe's answers for a top-up and for its idempotency key. Pure.
//
// Stripe stores the first answer under a key, errors included, and repeats it for a day or more. So
// an error may mean that the key is spent: no request under it will be paid. The payments of the
// top-up show whether one was; only if none was, the next key is used.
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

// The state of the key after an answer to a payment request.
enum class key_state : std::uint8_t {
  good,      // request again under it, if the answer is `failed`
  doubtful,  // perhaps spent: an earlier request under it may still be running
  spent,     // nothing more will ever be paid under it
};

struct stripe_answer {
  payment_answer answer;
  key_state key = key_state::good;
};

stripe_answer read_stripe_payment(const outbound::reply& reply, const payment_order& order);

// The customer's default payment method. Empty: there is none, or the key may not ask; then the
// payment itself shows Stripe's decision. Nullopt: ask again.
std::optional<std::string> read_stripe_customer(const outbound::reply& reply);

// The payments of a top-up, collected page by page.
class found_payments {
 public:
  explicit found_payments(const payment_order& order) : order_{order} {}

  // Keeps the top-up's payments from one page of a list or a search. Returns the id after which the
  // next page begins; empty: there is none. Sets `fine` to false if it is not such a page.
  std::string take(const json_value& page, bool& fine);
  bool any() const { return any_; }

  // The outcome of the top-up. Nullopt: no money was taken and no payment is in progress; it
  // may be requested once `to_cancel()` is canceled.
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

// How a payment differs from the request; missing fields count as equal. The first compares only
// the money, also of a charge.
payment_mismatch compare_money(const json_value& payment, const payment_order& order);
payment_mismatch compare(const json_value& payment, const payment_order& order);

// The top-up of a payment or a charge, from its metadata. Nullopt: not ours.
struct payment_owner {
  std::string org, top_up;
  std::int64_t generation = 0;
  std::string payment = {};  // Stripe's id of the payment, if Stripe was asked
};
std::optional<payment_owner> owner_of(const json_value& payment);

}  // namespace tollgate::proxy::payments
