#include "proxy/payments/payment_answer.hpp"

#include <optional>

#include "proxy/payments/json_members.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::payments {

namespace {

using quota::top_up_verdict;

std::optional<top_up_verdict> webhook_verdict(std::string_view status) {
  if (status == "paid") return top_up_verdict::paid;
  if (status == "declined") return top_up_verdict::declined;
  if (status == "pending") return top_up_verdict::pending;
  return {};
}

}  // namespace

payment_answer failed_answer(std::string why, bool alarming) {
  return {top_up_verdict::failed, std::move(why), alarming};
}

std::string with_status(int status) {
  return "it answered " + std::to_string(status);
}

std::string_view name_of(top_up_verdict verdict) {
  switch (verdict) {
    case top_up_verdict::paid:
      return "paid";
    case top_up_verdict::declined:
      return "declined";
    case top_up_verdict::pending:
      return "pending";
    case top_up_verdict::failed:
      return "failed";
    case top_up_verdict::spent:
      return "spent";
  }
  return "unknown";
}

std::string_view name_of(payment_mismatch mismatch) {
  switch (mismatch) {
    case payment_mismatch::none:
      return "none";
    case payment_mismatch::amount:
      return "amount";
    case payment_mismatch::currency:
      return "currency";
    case payment_mismatch::metadata:
      return "metadata";
    case payment_mismatch::paid_twice:
      return "paid_twice";
  }
  return "unknown";
}

void say_which_counts(payment_answer& answer, std::string_view counts) {
  if (answer.mismatch != payment_mismatch::paid_twice) {
    if (counts == answer.payment) return;
    answer.why = "paid 2 times: " + routes::shown(counts) + ' ' + routes::shown(answer.payment);
    answer.mismatch = payment_mismatch::paid_twice;
    answer.alarming = true;
  }
  const auto which = "; the credits are for " + routes::shown(counts) + ", refund the others";
  if (!answer.why.ends_with(which)) answer.why += which;
}

bool passes_by_itself(int status) {
  return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

payment_answer read_webhook_answer(int status, std::string_view body) {
  if (status == 402) return {top_up_verdict::declined, with_status(status), false};
  if (status < 200 || status > 299)
    return failed_answer(with_status(status), !passes_by_itself(status));
  const auto document = read_object(body);
  if (!document) return failed_answer(with_status(status) + " without a JSON object", true);
  const auto* success = document->find("success");
  const bool denied = success != nullptr && !success->truth;
  const auto* data = object_at(*document, "data");
  const auto plain = webhook_verdict(text_at(*document, "status"));
  const auto enveloped = success != nullptr && data != nullptr
                             ? webhook_verdict(text_at(*data, "status"))
                             : std::nullopt;
  if (denied || (plain && enveloped && *plain != *enveloped)) {
    return failed_answer(with_status(status) + " and contradicts itself", true);
  }
  const auto verdict = plain ? plain : enveloped;
  if (!verdict) {
    return failed_answer(
        with_status(status) + " without \"status\": \"paid\", \"declined\" or \"pending\"", true);
  }
  return {*verdict, with_status(status), false};
}

}  // namespace tollgate::proxy::payments
