#include "proxy/payments/stripe_signature.hpp"

#include <algorithm>
#include <optional>

#include <openssl/crypto.h>

#include "proxy/net/outbound/signature.hpp"
#include "proxy/text/text.hpp"
#include "quota/hex.hpp"

namespace tollgate::proxy::payments {

namespace {

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct signature_header {
  std::string_view seconds;
  std::vector<std::string_view> signatures;  // of the scheme v1; others are ignored
};

// Nullopt: malformed, or with a duplicate time.
std::optional<signature_header> read_header(std::string_view text) {
  signature_header header;
  while (!text.empty()) {
    auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    while (item.starts_with(' ')) item.remove_prefix(1);
    const auto name = item.substr(0, item.find('='));
    if (name.size() == item.size()) return {};
    const auto value = item.substr(name.size() + 1);
    if (name == "t" && !header.seconds.empty()) return {};
    if (name == "t") header.seconds = value;
    if (name == "v1") header.signatures.push_back(value);
  }
  return header;
}

}  // namespace

std::string refuse_stripe_signature(std::string_view header, std::string_view body,
                                    const std::vector<std::string>& secrets,
                                    quota::time_point now) {
  constexpr std::size_t most_header_bytes = 4096;
  const auto given = header.size() > most_header_bytes ? std::nullopt : read_header(header);
  if (!given || given->seconds.empty() || given->signatures.empty()) {
    return "Stripe-Signature is missing or malformed: t=SECONDS,v1=HEX";
  }
  const auto seconds = admin::parse_number(given->seconds);
  // Rejects impossible times before computing with them.
  constexpr std::int64_t far_future = 100'000'000'000;
  if (!seconds || *seconds < 0 || *seconds > far_future) {
    return "the time in Stripe-Signature is malformed";
  }
  // The text was signed, not the number.
  const auto content = std::string{given->seconds}.append(".").append(body);
  bool known = false;
  for (const auto& secret : secrets) {
    const auto wanted = quota::to_hex(outbound::hmac_sha256(secret, content));
    for (const auto signature : given->signatures) known |= equal(signature, wanted);
  }
  if (!known) return "Stripe-Signature does not match the webhook endpoint's secret";
  const auto age = now - quota::time_point{std::chrono::seconds{*seconds}};
  if (age > stripe_tolerance || age < -stripe_tolerance) {
    return "the time in Stripe-Signature is more than five minutes away from this clock";
  }
  return {};
}

}  // namespace tollgate::proxy::payments
