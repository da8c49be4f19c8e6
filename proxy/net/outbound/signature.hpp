// Signs a webhook, so that its receiver can verify the sender (Standard Webhooks 1.0, and the
// platform's own header).
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
// A secret's bytes: for "whsec_BASE64" the decoded bytes, for anything else the text itself.
std::string signing_key(std::string_view secret);

// `webhook-signature`: "v1,BASE64" over "ID.SECONDS.BODY".
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                              std::string_view body);
// `X-8bit-Signature-256`: "sha256=HEX" over the body only.
std::string platform_signature(std::string_view key, std::string_view body);

// The fields of a signed webhook. During a rotation there are several secrets, newest first: each
// signs `webhook-signature`, and blanks separate the signatures. The platform's field has one
// signature, because its receivers compare it for equality: that of the oldest secret, which every
// receiver knows, until that secret ends.
std::vector<std::pair<std::string, std::string>> signature_fields(
    const std::vector<std::string>& secrets, std::string_view id, std::int64_t unix_seconds,
    std::string_view body);

}  // namespace tollgate::proxy::outbound
