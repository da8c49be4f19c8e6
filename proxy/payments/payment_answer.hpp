// The answer of a payment endpoint as a verdict for the ledger. Pure.
//
// Only an explicit answer is paid, declined or pending. Anything else is `failed`: the outcome is
// unknown, and the request is repeated under the same idempotency key. Stripe's answers are read in
// stripe_answer.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quota/ledger/operation.hpp"

namespace tollgate::proxy::payments {

// How an existing payment differs from the ledger's request. It is not granted; an operator has to
// check it.
enum class payment_mismatch : std::uint8_t {
  none = 0,
  amount = 1,
  currency = 2,
  metadata = 3,
  paid_twice = 4,  // two payments of one top-up: granted once
};

struct payment_answer {
  quota::top_up_verdict verdict = quota::top_up_verdict::failed;
  std::string why;        // for the log; of the endpoint's answer at most a few harmless words
  bool alarming = false;  // it fails until an operator acts
  payment_mismatch mismatch = payment_mismatch::none;
  std::string payment = {};  // Stripe's id of the payment; empty: the endpoint gives none
};

// `failed`, with this reason.
payment_answer failed_answer(std::string why, bool alarming = false);
// "it answered 503"
std::string with_status(int status);

std::string_view name_of(quota::top_up_verdict verdict);

std::string_view name_of(payment_mismatch mismatch);

// The credits are for the payment `counts`. If that is another one, or there are several, the
// others have to be refunded. Repeatable.
void say_which_counts(payment_answer& answer, std::string_view counts);

payment_answer read_webhook_answer(int status, std::string_view body);

// Statuses of endpoints that are busy or unavailable for a moment; no action is needed.
bool passes_by_itself(int status);

}  // namespace tollgate::proxy::payments
