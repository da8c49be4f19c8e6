// A per-thread cache of API keys. A revoked key stops working everywhere within `max_age`: an entry
// older than that is looked up again before it is used. An entry older than `refresh_age`
// is used, and refreshed in the background.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "proxy/net/deadline.hpp"
#include "quota/directory.hpp"

namespace tollgate::proxy {

class key_cache {
 public:
  static constexpr std::chrono::milliseconds max_age{1'500};  // 2 s, minus time for a slow answer
  static constexpr std::chrono::milliseconds refresh_age{700};
  static constexpr std::size_t max_entries = 50'000;

  key_cache(io_executor executor, quota::directory& directory)
      : executor_{executor}, directory_{directory} {}

  // The owner of the key; nothing if it is unknown or revoked; an error if the store is
  // unavailable. `fresh` answers from the cache alone: if it has a value, use it without
  // suspending.
  const quota::key_owner* fresh(const quota::key_hash& hash, steady_time now);
  task<result<std::optional<quota::key_owner>>> look_up(quota::key_hash hash, steady_time now);

  void prune(steady_time now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct entry {
    quota::key_owner owner;
    steady_time asked_at;  // when the query was sent: the answer may be older than its arrival
    bool refreshing = false;
  };

  void refresh(const quota::key_hash& hash, steady_time now);

  io_executor executor_;
  quota::directory& directory_;
  std::unordered_map<quota::key_hash, entry> entries_;
};

}  // namespace tollgate::proxy
