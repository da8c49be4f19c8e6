#include "proxy/webhooks/received.hpp"

#include <openssl/crypto.h>

#include "proxy/net/outbound/signature.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::webhooks {

namespace {

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Signatures of several secrets, separated by blanks; a single match suffices.
bool has_signature(std::string_view list, std::string_view wanted) {
  bool found = false;
  while (!list.empty()) {
    const auto each = list.substr(0, list.find(' '));
    list.remove_prefix(std::min(list.size(), each.size() + 1));
    found |= equal(each, wanted);
  }
  return found;
}

}  // namespace

std::string refuse_delivery(const received& what, std::string_view secret, quota::time_point now) {
  if (what.id.empty() || what.timestamp.empty() || what.signature.empty()) {
    return "webhook-id, webhook-timestamp or webhook-signature is missing";
  }
  const auto seconds = admin::parse_number(what.timestamp);
  // Rejects impossible times before computing with them.
  constexpr std::int64_t far_future = 100'000'000'000;
  if (!seconds || *seconds < 0 || *seconds > far_future) return "webhook-timestamp is malformed";
  const auto age = now - quota::time_point{std::chrono::seconds{*seconds}};
  if (age > tolerance || age < -tolerance) {
    return "webhook-timestamp is more than five minutes away from this clock";
  }
  const auto wanted =
      outbound::webhook_signature(outbound::signing_key(secret), what.id, *seconds, what.body);
  return has_signature(what.signature, wanted) ? ""
                                               : "webhook-signature does not match this secret";
}

}  // namespace tollgate::proxy::webhooks
