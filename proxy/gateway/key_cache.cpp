#include "proxy/gateway/key_cache.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace tollgate::proxy {

const quota::key_owner* key_cache::fresh(const quota::key_hash& hash, steady_time now) {
  const auto found = entries_.find(hash);
  if (found == entries_.end()) return nullptr;
  auto& entry = found->second;
  const auto age = now - entry.asked_at;
  if (age >= max_age) return nullptr;
  if (age >= refresh_age && !entry.refreshing) {
    entry.refreshing = true;
    refresh(hash, now);
  }
  return &entry.owner;
}

task<result<std::optional<quota::key_owner>>> key_cache::look_up(quota::key_hash hash,
                                                                 steady_time now) {
  auto found = co_await directory_.find_key(hash);
  if (!found) co_return found.error();
  if (!*found) {
    entries_.erase(hash);
  } else {
    if (entries_.size() >= max_entries) entries_.clear();
    entries_[hash] = {**found, now, false};
  }
  co_return *std::move(found);
}

void key_cache::refresh(const quota::key_hash& hash, steady_time now) {
  const auto ask = [](key_cache& cache, quota::key_hash key, steady_time asked_at) -> task<> {
    const auto answer = co_await cache.look_up(key, asked_at);
    if (answer) co_return;
    // The store is unavailable: the entry stays until it is too old.
    if (const auto found = cache.entries_.find(key); found != cache.entries_.end()) {
      found->second.refreshing = false;
    }
  };
  asio::co_spawn(executor_, ask(*this, hash, now), asio::detached);
}

void key_cache::prune(steady_time now) {
  std::erase_if(entries_, [&](const auto& each) { return now - each.second.asked_at > max_age; });
}

}  // namespace tollgate::proxy
