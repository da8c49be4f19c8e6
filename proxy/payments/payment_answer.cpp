#include "proxy/payments/payment_answer.hpp"

#include "proxy/admin/json.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::payments {

namespace {

using admin::json_value;
using quota::top_up_verdict;

payment_answer failed(std::string why, bool alarming = false) {
  return {top_up_verdict::failed, std::move(why), alarming};
}

std::string with_status(int status) {
  return "it answered " + std::to_string(status);
}

// Endpoints that are busy, or away for a moment; nobody has to do anything.
bool passes_by_itself(int status) {
  return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

std::string_view text_at(const json_value& object, std::string_view name) {
  const auto* member = object.find(name);
  return member != nullptr && member->is(json_value::kind::string) ? member->text
                                                                   : std::string_view{};
}

const json_value* object_at(const json_value& object, std::string_view name) {
  const auto* member = object.find(name);
  return member != nullptr && member->is(json_value::kind::object) ? member : nullptr;
}

// A document that is an object; nothing for any other, or none.
std::optional<json_value> read_object(std::string_view body) {
  auto document = admin::read_json(body);
  if (!document || !document->is(json_value::kind::object)) return {};
  return *std::move(document);
}

std::optional<top_up_verdict> webhook_verdict(std::string_view status) {
  if (status == "paid") return top_up_verdict::paid;
  if (status == "declined") return top_up_verdict::declined;
  if (status == "pending") return top_up_verdict::pending;
  return {};
}

std::optional<top_up_verdict> stripe_verdict(std::string_view status) {
  if (status == "succeeded") return top_up_verdict::paid;
  if (status == "processing") return top_up_verdict::pending;
  // It would need the customer, who is not there.
  if (status == "requires_action" || status == "requires_payment_method" || status == "canceled") {
    return top_up_verdict::declined;
  }
  return {};
}

payment_answer of_payment_intent(const json_value& intent) {
  const auto status = text_at(intent, "status");
  const auto verdict = stripe_verdict(status);
  if (!verdict) return failed("a payment with the status " + routes::shown(status), true);
  return {*verdict, "status " + std::string{status}, false};
}

payment_answer of_stripe_error(int status, const json_value& error) {
  const auto type = text_at(error, "type"), code = text_at(error, "code");
  const auto decline = text_at(error, "decline_code");
  std::string why = with_status(status);
  for (const auto word : {type, code, decline}) {
    if (!word.empty()) why.append(1, ' ').append(routes::shown(word));
  }
  if (status == 402 && type == "card_error")
    return {top_up_verdict::declined, std::move(why), false};
  return failed(std::move(why), !passes_by_itself(status));
}

}  // namespace

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
  }
  return "unknown";
}

payment_answer read_webhook_answer(int status, std::string_view body) {
  if (status == 402) return {top_up_verdict::declined, with_status(status), false};
  if (status < 200 || status > 299) return failed(with_status(status), !passes_by_itself(status));
  const auto document = read_object(body);
  if (!document) return failed(with_status(status) + " without a JSON object", true);
  const auto* success = document->find("success");
  const bool denied = success != nullptr && !success->truth;
  const auto* data = object_at(*document, "data");
  const auto plain = webhook_verdict(text_at(*document, "status"));
  const auto enveloped = success != nullptr && data != nullptr
                             ? webhook_verdict(text_at(*data, "status"))
                             : std::nullopt;
  if (denied || (plain && enveloped && *plain != *enveloped)) {
    return failed(with_status(status) + " and contradicts itself", true);
  }
  const auto verdict = plain ? plain : enveloped;
  if (!verdict) {
    return failed(
        with_status(status) + " without \"status\": \"paid\", \"declined\" or \"pending\"", true);
  }
  return {*verdict, with_status(status), false};
}

payment_answer read_stripe_answer(int status, std::string_view body) {
  const auto document = read_object(body);
  if (!document) return failed(with_status(status) + " without a JSON object", status < 500);
  if (status == 200) return of_payment_intent(*document);
  if (const auto* error = object_at(*document, "error")) return of_stripe_error(status, *error);
  return failed(with_status(status), !passes_by_itself(status));
}

bool is_stripe_key_reused(int status, std::string_view body) {
  const auto document = status == 400 ? read_object(body) : std::nullopt;
  const auto* error = document ? object_at(*document, "error") : nullptr;
  return error != nullptr && text_at(*error, "type") == "idempotency_error";
}

std::optional<std::string> read_stripe_customer(int status, std::string_view body) {
  if (passes_by_itself(status)) return {};
  const auto document = status == 200 ? read_object(body) : std::nullopt;
  const auto* settings = document ? object_at(*document, "invoice_settings") : nullptr;
  if (settings == nullptr) return "";
  return std::string{text_at(*settings, "default_payment_method")};
}

std::optional<payment_answer> read_stripe_search(int status, std::string_view body) {
  const auto document = read_object(body);
  if (status != 200 || !document) {
    return failed("a search for an earlier payment: " + with_status(status),
                  !passes_by_itself(status));
  }
  const auto* data = document->find("data");
  if (data == nullptr || !data->is(json_value::kind::array)) {
    return failed("a search for an earlier payment: an answer without \"data\"", true);
  }
  // Of several, the one that took the money counts: the verdicts are in this order.
  std::optional<payment_answer> found;
  for (const auto& intent : data->elements) {
    auto answer = of_payment_intent(intent);
    answer.why += ", found by a search";
    const auto rank = [](const payment_answer& each) {
      switch (each.verdict) {
        case top_up_verdict::paid:
          return 0;
        case top_up_verdict::pending:
          return 1;
        case top_up_verdict::failed:
          return 2;
        case top_up_verdict::declined:
          break;
      }
      return 3;
    };
    if (!found || rank(answer) < rank(*found)) found = std::move(answer);
  }
  return found;
}

}  // namespace tollgate::proxy::payments
