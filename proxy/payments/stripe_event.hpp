// An event from Stripe, interpreted for a top-up. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/payments/stripe_answer.hpp"

namespace tollgate::proxy::payments {

struct stripe_event {
  enum class kind {
    other,     // irrelevant to top-ups
    paid,      // payment_intent.succeeded
    pending,   // payment_intent.processing
    failed,    // payment_intent.payment_failed, .canceled
    refunded,  // charge.refunded
    disputed,  // charge.dispute.created
  };

  std::string id, type;
  kind what = kind::other;
  json_value object;                   // the payment, the charge or the dispute
  std::optional<payment_owner> owner;  // from its metadata; a dispute has none
  std::string payment, charge;         // ids; may be empty
  std::int64_t cents = 0;              // refunded so far, or disputed
};

// Nullopt: not an event.
std::optional<stripe_event> read_stripe_event(std::string_view body);

}  // namespace tollgate::proxy::payments
