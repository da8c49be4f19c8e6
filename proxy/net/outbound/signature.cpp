#include "proxy/net/outbound/signature.hpp"

#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "quota/hex.hpp"

namespace tollgate::proxy::outbound {

namespace {

constexpr std::string_view prefix = "whsec_";

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(const sha256_digest& digest) {
  std::array<unsigned char, 45> text{};  // 44 characters and a zero
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

// Empty if it is not base64.
std::string from_base64(std::string_view text) {
  const auto padding = text.ends_with("==") ? 2u : text.ends_with("=") ? 1u : 0u;
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return {};
  out.resize(out.size() - padding);  // EVP_DecodeBlock counts the padding as zeros
  return out;
}

}  // namespace

sha256_digest sha256(std::string_view text) {
  sha256_digest digest{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error{"SHA-256 is not available"};
  }
  return digest;
}

sha256_digest hmac_sha256(std::string_view key, std::string_view text) {
  sha256_digest digest{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(),
           digest.data(), &length) == nullptr) {
    throw std::runtime_error{"HMAC-SHA-256 is not available"};
  }
  return digest;
}

std::string make_secret() {
  sha256_digest random;  // as many bytes as the signature has
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    throw std::runtime_error{"no random bytes for a new secret"};
  }
  return std::string{prefix} + base64(random);
}

std::string signing_key(std::string_view secret) {
  if (secret.starts_with(prefix)) {
    auto decoded = from_base64(secret.substr(prefix.size()));
    if (!decoded.empty()) return decoded;
  }
  return std::string{secret};
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                              std::string_view body) {
  std::string content{id};
  content.append(".").append(std::to_string(unix_seconds)).append(".").append(body);
  return "v1," + base64(hmac_sha256(key, content));
}

std::string platform_signature(std::string_view key, std::string_view body) {
  return "sha256=" + quota::to_hex(hmac_sha256(key, body));
}

std::vector<std::pair<std::string, std::string>> signature_fields(
    const std::vector<std::string>& secrets, std::string_view id, std::int64_t unix_seconds,
    std::string_view body) {
  std::string standard, platform;
  for (const auto& secret : secrets) {
    const auto key = signing_key(secret);
    standard.append(standard.empty() ? "" : " ");
    standard.append(webhook_signature(key, id, unix_seconds, body));
    platform = platform_signature(key, body);  // the last one is used
  }
  return {{"webhook-id", std::string{id}},
          {"webhook-timestamp", std::to_string(unix_seconds)},
          {"webhook-signature", std::move(standard)},
          {"X-8bit-Signature-256", std::move(platform)}};
}

}  // namespace tollgate::proxy::outbound
