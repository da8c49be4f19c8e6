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

  // For calls that are open: whether their key is still in force. Asks the store in the background,
  // so a revoked key, or a suspended organization, is known within `max_age` to one that asks
  // often.
  enum class standing : std::uint8_t { unknown, in_force, suspended, revoked };
  standing watch(const quota::key_hash& hash, steady_time now);

  // What an account of a cached key was last seen to have, if that is recent enough to let a caller
  // send a large body. Nothing: ask the store, and remember the answer.
  std::optional<quota::credits> spendable(const quota::key_hash& hash, steady_time now) const;
  void remember_spendable(const quota::key_hash& hash, quota::credits credits, steady_time now);

  void prune(steady_time now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct entry {
    standing is = standing::unknown;
    quota::key_owner owner;  // unless it is unknown or revoked
    steady_time asked_at;    // when the query was sent: the answer may be older than its arrival
    bool refreshing = false;
    quota::credits spendable{};
    steady_time spendable_at{};  // when that was; never: not asked yet
  };

  static bool is_known(const entry& of);
  void refresh(const quota::key_hash& hash, steady_time now);

  io_executor executor_;
  quota::directory& directory_;
  std::unordered_map<quota::key_hash, entry> entries_;
};

}  // namespace tollgate::proxy
