// How a webhook is signed, so that its receiver knows who sent it (Standard Webhooks 1.0, and the
// platform's own header beside it).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::proxy::outbound {

using sha256_digest = std::array<unsigned char, 32>;
sha256_digest sha256(std::string_view text);
sha256_digest hmac_sha256(std::string_view key, std::string_view text);

// A new secret: "whsec_" and 32 random bytes in base64.
std::string make_secret();
// A secret's bytes: of "whsec_BASE64" what the base64 says, of anything else the text itself.
std::string signing_key(std::string_view secret);

// `webhook-signature`: "v1,BASE64" over "ID.SECONDS.BODY".
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                              std::string_view body);
// `X-8bit-Signature-256`: "sha256=HEX" over the body alone.
std::string platform_signature(std::string_view key, std::string_view body);

// The fields of a signed webhook. Several secrets, newest first, while one replaces the other: each
// signs `webhook-signature`, with blanks between the signatures. The platform's field has one
// signature, as its receivers compare it for equality: of the oldest secret, which every receiver
// knows, until that one ends.
std::vector<std::pair<std::string, std::string>> signature_fields(
    const std::vector<std::string>& secrets, std::string_view id, std::int64_t unix_seconds,
    std::string_view body);

}  // namespace tollgate::proxy::outbound
