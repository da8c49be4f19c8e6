#include "proxy/gateway/key_cache.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace tollgate::proxy {

bool key_cache::is_known(const entry& of) {
  return of.is == standing::in_force || of.is == standing::suspended;
}

const quota::key_owner* key_cache::fresh(const quota::key_hash& hash, steady_time now) {
  const auto found = entries_.find(hash);
  if (found == entries_.end()) return nullptr;
  auto& entry = found->second;
  const auto age = now - entry.asked_at;
  if (age >= max_age || !is_known(entry)) return nullptr;
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
    // Kept for watch(), until it is pruned. Keys that were never known make no entry.
    const auto known = entries_.find(hash);
    if (known != entries_.end()) known->second = {standing::revoked, {}, now};
  } else {
    if (entries_.size() >= max_entries) entries_.clear();
    auto& entry = entries_[hash];
    const bool is_suspended = (*found)->suspended && !(*found)->shadow;
    entry.is = is_suspended ? standing::suspended : standing::in_force;
    entry.owner = **found;
    entry.asked_at = now;
    entry.refreshing = false;
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

key_cache::standing key_cache::watch(const quota::key_hash& hash, steady_time now) {
  if (entries_.size() >= max_entries) entries_.clear();
  const key_cache::entry unknown{standing::unknown, {}, now};
  auto& entry = entries_.try_emplace(hash, unknown).first->second;
  const auto is = entry.is;
  const bool is_due = !is_known(entry) || now - entry.asked_at >= refresh_age;
  if (is != standing::revoked && is_due && !entry.refreshing) {
    entry.refreshing = true;
    refresh(hash, now);
  }
  return is;
}

std::optional<quota::credits> key_cache::spendable(const quota::key_hash& hash,
                                                   steady_time now) const {
  const auto found = entries_.find(hash);
  if (found == entries_.end() || found->second.spendable_at == steady_time{}) return {};
  if (now - found->second.spendable_at >= max_age) return {};
  return found->second.spendable;
}

void key_cache::remember_spendable(const quota::key_hash& hash, quota::credits credits,
                                   steady_time now) {
  const auto found = entries_.find(hash);
  if (found == entries_.end()) return;
  found->second.spendable = credits;
  found->second.spendable_at = now;
}

void key_cache::prune(steady_time now) {
  std::erase_if(entries_, [&](const auto& each) { return now - each.second.asked_at > max_age; });
}

}  // namespace tollgate::proxy
