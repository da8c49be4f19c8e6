// The API key that a connection presented last. A client keeps its key, and hashing it again for
// every call costs more than finding its owner.
#pragma once

#include <string>
#include <string_view>

#include <openssl/crypto.h>

#include "quota/directory.hpp"

namespace tollgate::proxy {

class presented_key {
 public:
  // Valid until the next call.
  const quota::key_hash& hash_of(std::string_view text) {
    if (is_last(text)) return hash_;
    text_.clear();  // should memory run out in between, nothing is kept
    hash_ = quota::hash_key(text);
    text_.assign(text.size() <= longest ? text : std::string_view{});
    return hash_;
  }

 private:
  static constexpr std::size_t longest = 256;  // of those that are kept

  // Several callers can share a connection, behind another proxy: how long this takes tells none of
  // them how far its guess agrees with another's key.
  bool is_last(std::string_view text) const {
    return !text_.empty() && text.size() == text_.size() &&
           CRYPTO_memcmp(text.data(), text_.data(), text.size()) == 0;
  }

  std::string text_;
  quota::key_hash hash_;
};

}  // namespace tollgate::proxy
