#include "proxy/admin/dashboard/sessions.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/rand.h>

namespace tollgate::proxy::dashboard {

namespace {

std::string random_hex256() {
  std::array<unsigned char, 32> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error{"OpenSSL has no random bytes"};
  }
  std::string out;
  for (const auto byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

bool is_over(const session& one, steady_time now) {
  return now - one.began >= session_store::max_age || now - one.seen >= session_store::max_idle;
}

}  // namespace

// Makes space for one more session among those that match the predicate.
template <class Predicate>
void session_store::evict_least_recent(std::size_t most, Predicate among) {
  for (;;) {
    std::size_t count = 0;
    auto oldest = sessions_.end();
    for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
      if (!among(at->second)) continue;
      ++count;
      if (oldest == sessions_.end() || at->second.seen < oldest->second.seen) oldest = at;
    }
    if (count < most) return;
    sessions_.erase(oldest);
  }
}

std::string session_store::begin(session who, steady_time now) {
  std::erase_if(sessions_, [&](const auto& entry) { return is_over(entry.second, now); });
  evict_least_recent(max_of_a_credential,
                     [&](const session& other) { return other.credential == who.credential; });
  evict_least_recent(max_sessions, [](const session&) { return true; });
  who.began = who.seen = now;
  auto id = random_hex256();
  sessions_.emplace(quota::hash_key(id), std::move(who));
  return id;
}

const session* session_store::find(std::string_view id, steady_time now, session_use use) {
  const auto found = sessions_.find(quota::hash_key(id));
  if (found == sessions_.end()) return nullptr;
  if (is_over(found->second, now)) {
    sessions_.erase(found);
    return nullptr;
  }
  if (use == session_use::call) found->second.seen = now;
  return &found->second;
}

void session_store::end(std::string_view id) {
  sessions_.erase(quota::hash_key(id));
}

std::chrono::seconds session_store::time_left(const session& one, steady_time now) const {
  return std::chrono::duration_cast<std::chrono::seconds>(one.began + max_age - now);
}

}  // namespace tollgate::proxy::dashboard
