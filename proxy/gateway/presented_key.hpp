// The API key that a connection presented last. A client keeps its key, and hashing it for every
// call costs more than looking up its owner.
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
    text_.clear();  // if memory runs out below, nothing is kept
    hash_ = quota::hash_key(text);
    text_.assign(text.size() <= longest ? text : std::string_view{});
    return hash_;
  }

 private:
  static constexpr std::size_t longest = 256;  // keys that are kept

  // Behind another proxy, several callers can share a connection: the time this takes must not tell
  // one of them how much of its guess matches another's key.
  bool is_last(std::string_view text) const {
    return !text_.empty() && text.size() == text_.size() &&
           CRYPTO_memcmp(text.data(), text_.data(), text.size()) == 0;
  }

  std::string text_;
  quota::key_hash hash_;
};

}  // namespace tollgate::proxy
