#include "proxy/payments/stripe_event.hpp"

namespace tollgate::proxy::payments {

namespace {

stripe_event::kind kind_of(std::string_view type) {
  using kind = stripe_event::kind;
  if (type == "payment_intent.succeeded") return kind::paid;
  if (type == "payment_intent.processing") return kind::pending;
  if (type == "payment_intent.payment_failed") return kind::failed;
  if (type == "payment_intent.canceled") return kind::failed;
  if (type == "charge.refunded") return kind::refunded;
  if (type == "charge.dispute.created") return kind::disputed;
  return kind::other;
}

// An id, or the id of the object if it is expanded.
std::string id_at(const json_value& object, std::string_view name) {
  const auto* whole = object_at(object, name);
  return std::string{whole != nullptr ? text_at(*whole, "id") : text_at(object, name)};
}

}  // namespace

std::optional<stripe_event> read_stripe_event(std::string_view body) {
  const auto document = read_object(body);
  const auto* data = document ? object_at(*document, "data") : nullptr;
  const auto* object = data != nullptr ? object_at(*data, "object") : nullptr;
  stripe_event event;
  if (document) event.id = text_at(*document, "id");
  if (document) event.type = text_at(*document, "type");
  if (event.id.empty() || event.type.empty() || object == nullptr) return {};
  event.what = kind_of(event.type);
  event.object = *object;
  event.owner = owner_of(*object);
  const auto id = std::string{text_at(*object, "id")};
  switch (event.what) {
    case stripe_event::kind::refunded:
      event.charge = id;
      event.payment = id_at(*object, "payment_intent");
      event.cents = number_at(*object, "amount_refunded").value_or(0);
      break;
    case stripe_event::kind::disputed:
      event.charge = id_at(*object, "charge");
      event.payment = id_at(*object, "payment_intent");
      event.cents = number_at(*object, "amount").value_or(0);
      break;
    default:
      event.payment = id;
  }
  return event;
}

}  // namespace tollgate::proxy::payments
