#include "quota/directory.hpp"

#include <memory>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "quota/hex.hpp"

namespace tollgate::quota {

key_hash hash_key(std::string_view key_text) {
  // Fetched once: OpenSSL 3's one-shot SHA256() looks up the algorithm in every call, which costs
  // more than the hash, and every request needs one.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{
      EVP_MD_CTX_new(), EVP_MD_CTX_free};
  unsigned char digest[SHA256_DIGEST_LENGTH] = {};
  EVP_DigestInit_ex(context.get(), sha256, nullptr);
  EVP_DigestUpdate(context.get(), key_text.data(), key_text.size());
  EVP_DigestFinal_ex(context.get(), digest, nullptr);
  return to_hex(digest);
}

}  // namespace tollgate::quota
