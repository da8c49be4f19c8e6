// What a payment endpoint said, as the ledger takes it. Pure.
//
// Only what says so in as many words is paid, declined or pending. Everything else is `failed`:
// nobody knows, and it will be asked again under the same idempotency key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quota/ledger/operation.hpp"

namespace tollgate::proxy::payments {

struct payment_answer {
  quota::top_up_verdict verdict = quota::top_up_verdict::failed;
  std::string why;        // for the log; of what the endpoint said, at most a few harmless words
  bool alarming = false;  // somebody has to do something, or it will go on failing
};

std::string_view name_of(quota::top_up_verdict verdict);

payment_answer read_webhook_answer(int status, std::string_view body);

payment_answer read_stripe_answer(int status, std::string_view body);
// The key was used before, with other words: the customer's card may have changed since.
bool is_stripe_key_reused(int status, std::string_view body);
// To a question about the customer: its default payment method. Empty: it has none, or nobody may
// ask, and then the payment itself shows what Stripe thinks of it. Nothing: to be asked again.
std::optional<std::string> read_stripe_customer(int status, std::string_view body);
// To a search for payments of one top-up. Nothing: there is none, and it may be asked for.
std::optional<payment_answer> read_stripe_search(int status, std::string_view body);

}  // namespace tollgate::proxy::payments
