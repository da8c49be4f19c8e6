#include "proxy/payments/stripe_answer.hpp"

#include <algorithm>

#include "proxy/text/text.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::payments {

namespace {

using quota::top_up_verdict;

payment_answer mismatched(payment_mismatch what, std::string why) {
  return {top_up_verdict::failed, std::move(why), true, what};
}

std::string words_of(int status, const json_value& error) {
  std::string why = with_status(status);
  for (const auto* name : {"type", "code", "decline_code"}) {
    const auto word = text_at(error, name);
    if (!word.empty()) why.append(1, ' ').append(routes::shown(word));
  }
  return why;
}

// No payment was attempted: the customer had no payment method. Unless the answer shows that, it
// counts as attempted.
bool is_untried(const json_value& intent, std::string_view status) {
  if (status == "requires_confirmation") return true;
  const auto* error = intent.find("last_payment_error");
  return status == "requires_payment_method" && error != nullptr &&
         error->is(json_value::kind::null);
}

std::optional<top_up_verdict> verdict_of(const json_value& intent) {
  const auto status = text_at(intent, "status");
  if (status == "succeeded") return top_up_verdict::paid;
  if (status == "processing") return top_up_verdict::pending;
  if (is_untried(intent, status)) return top_up_verdict::spent;
  // It would need the customer, who is not present.
  if (status == "requires_action" || status == "requires_payment_method" || status == "canceled") {
    return top_up_verdict::declined;
  }
  return {};
}

payment_answer of_intent(const json_value& intent, const payment_order& order) {
  const auto status = text_at(intent, "status");
  if (const auto differs = compare(intent, order); differs != payment_mismatch::none) {
    return mismatched(
        differs, "a payment with another " + std::string{name_of(differs)} + " than requested");
  }
  const auto verdict = verdict_of(intent);
  if (!verdict) return failed_answer("a payment with the status " + routes::shown(status), true);
  return {*verdict, "status " + std::string{status}, *verdict == top_up_verdict::spent,
          payment_mismatch::none, std::string{text_at(intent, "id")}};
}

// Refused before it was processed, or because another request under the key is running.
bool leaves_key_alone(int status) {
  return status == 401 || status == 403 || (passes_by_itself(status) && status < 500);
}

key_state key_after_error(const outbound::reply& reply, std::string_view type) {
  if (reply.replayed) return key_state::spent;
  if (leaves_key_alone(reply.status)) return key_state::good;
  if (reply.status >= 500) return key_state::doubtful;  // the request may still be running
  // Parameters are compared even while the first request may be running.
  return type == "idempotency_error" ? key_state::doubtful : key_state::spent;
}

// Of several payments, the one that took the money counts.
int rank_of(const payment_answer& answer) {
  switch (answer.verdict) {
    case top_up_verdict::paid:
      return 0;
    case top_up_verdict::pending:
      return 1;
    case top_up_verdict::failed:
      return 2;
    case top_up_verdict::declined:
      return 3;
    case top_up_verdict::spent:
      break;
  }
  return 4;
}

}  // namespace

payment_mismatch compare_money(const json_value& payment, const payment_order& order) {
  const auto is_other = [&](std::string_view name) {
    return payment.find(name) != nullptr && number_at(payment, name) != order.top_up.cents;
  };
  const bool succeeded = text_at(payment, "status") == "succeeded";
  if (is_other("amount") || (succeeded && is_other("amount_received"))) {
    return payment_mismatch::amount;
  }
  if (payment.find("currency") != nullptr && text_at(payment, "currency") != "usd") {
    return payment_mismatch::currency;
  }
  return payment_mismatch::none;
}

payment_mismatch compare(const json_value& payment, const payment_order& order) {
  const auto money = compare_money(payment, order);
  if (money != payment_mismatch::none || object_at(payment, "metadata") == nullptr) return money;
  const auto owner = owner_of(payment);
  const bool same = owner && owner->org == order.org && owner->top_up == order.top_up.id;
  return same ? payment_mismatch::none : payment_mismatch::metadata;
}

std::optional<payment_owner> owner_of(const json_value& payment) {
  const auto* metadata = object_at(payment, "metadata");
  if (metadata == nullptr) return {};
  payment_owner owner;
  owner.org = text_at(*metadata, "tollgate_org");
  owner.top_up = text_at(*metadata, "tollgate_top_up");
  owner.generation = admin::parse_number(text_at(*metadata, "tollgate_key")).value_or(0);
  if (owner.org.empty() || owner.top_up.empty()) return {};
  return owner;
}

stripe_answer read_stripe_payment(const outbound::reply& reply, const payment_order& order) {
  const auto document = read_object(reply.body);
  const int status = reply.status;
  if (!document) {
    return {failed_answer(with_status(status) + " without a JSON object", status < 500),
            reply.replayed  ? key_state::spent
            : status >= 500 ? key_state::doubtful
                            : key_state::good};
  }
  if (status == 200) {
    auto answer = of_intent(*document, order);
    const bool untried = answer.verdict == top_up_verdict::spent;
    if (untried) answer.verdict = top_up_verdict::failed;
    return {std::move(answer), untried ? key_state::spent : key_state::good};
  }
  const auto* error = object_at(*document, "error");
  const auto type = error != nullptr ? text_at(*error, "type") : std::string_view{};
  auto why = error != nullptr ? words_of(status, *error) : with_status(status);
  if (status == 402 && type == "card_error") {
    return {{top_up_verdict::declined, std::move(why), false}, key_state::good};
  }
  const auto key = status >= 400 ? key_after_error(reply, type) : key_state::good;
  return {failed_answer(std::move(why), !passes_by_itself(status)), key};
}

std::optional<std::string> read_stripe_customer(const outbound::reply& reply) {
  if (passes_by_itself(reply.status)) return {};
  const auto document = reply.status == 200 ? read_object(reply.body) : std::nullopt;
  const auto* settings = document ? object_at(*document, "invoice_settings") : nullptr;
  if (settings == nullptr) return "";
  return std::string{text_at(*settings, "default_payment_method")};
}

std::string found_payments::take(const json_value& page, bool& fine) {
  const auto* data = page.find("data");
  fine = data != nullptr && data->is(json_value::kind::array);
  if (!fine) return {};
  for (const auto& intent : data->elements) look_at(intent);
  const auto* more = page.find("has_more");
  if (more == nullptr || !more->truth || data->elements.empty()) return {};
  return std::string{text_at(data->elements.back(), "id")};
}

void found_payments::look_at(const json_value& intent) {
  const auto owner = owner_of(intent);
  if (!owner || owner->org != order_.org || owner->top_up != order_.top_up.id) return;
  any_ = true;
  auto answer = of_intent(intent, order_);
  const auto id = std::string{text_at(intent, "id")};
  // An earlier key was spent because nothing was paid under it; from now on nothing may be.
  const bool earlier = owner->generation < order_.top_up.generation;
  const bool dead =
      answer.verdict == top_up_verdict::declined || answer.verdict == top_up_verdict::spent;
  if (earlier && dead) {
    if (text_at(intent, "status") != "canceled") to_cancel_.push_back(id);
    return;
  }
  if (answer.verdict == top_up_verdict::paid && std::ranges::find(paid_, id) == paid_.end()) {
    paid_.push_back(id);
  }
  keep(std::move(answer));
}

void found_payments::keep(payment_answer answer) {
  answer.why += ", found among the payments";
  if (!best_ || rank_of(answer) < rank_of(*best_)) best_ = std::move(answer);
}

std::optional<payment_answer> found_payments::verdict() const {
  auto best = best_;
  if (best && paid_.size() > 1) {
    best->why = "paid " + std::to_string(paid_.size()) + " times:";
    for (const auto& id : paid_) best->why.append(1, ' ').append(routes::shown(id));
    best->mismatch = payment_mismatch::paid_twice;
    best->alarming = true;
  }
  return best;
}

}  // namespace tollgate::proxy::payments
