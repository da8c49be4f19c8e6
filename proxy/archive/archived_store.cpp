#include "proxy/archive/archived_store.hpp"

#include <algorithm>
#include <iterator>

#include <spdlog/spdlog.h>

#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

// The store says what it is about to drop before it does. So what was read, and was not missing by
// what is retained afterwards, is whole.
task<result<std::vector<quota::ledger_entry>>> archived_store::entries(const quota::org_id& org,
                                                                       std::string after,
                                                                       std::size_t limit) {
  auto recent = co_await recent_.entries(org, after, limit);
  if (!recent) co_return recent.error();
  const auto kept = co_await retention_.what_is_retained(org);
  if (!kept) co_return kept.error();
  const auto first = quota::parse_entry_id(kept->first_entry);
  const auto wanted = quota::parse_entry_id(after);
  if (!first || !wanted) co_return make_error_code(quota::store_errc::protocol);
  if (*wanted >= *first) co_return recent;
  auto archived = co_await archive_.entries(org, after, limit);
  if (!archived) co_return archived.error();
  if (archived->empty()) {
    // Everything was archived before it was dropped; or the archive has lost what was entrusted to
    // it.
    const auto reached = co_await archive_.position_of(org);
    if (!reached) co_return reached.error();
    if (quota::parse_entry_id(reached->entry) < *first) {
      spdlog::error("the archive has lost ledger entries of org={} before {}", org,
                    to_string(*first));
      co_return make_error_code(quota::store_errc::protocol);
    }
    co_return recent;
  }
  // A short page would be taken for the last one: it goes on with what only the store has yet.
  if (archived->size() < limit) {
    auto rest = co_await entries(org, archived->back().id, limit - archived->size());
    if (!rest) co_return rest.error();
    std::move(rest->begin(), rest->end(), std::back_inserter(*archived));
  }
  co_return archived;
}

task<result<std::vector<quota::usage_counter>>> archived_store::usage(const quota::org_id& org,
                                                                      std::int64_t first_hour,
                                                                      std::int64_t last_hour) {
  // Details that are dropped from now on are in the archive, too: it never goes less far.
  const auto kept = co_await retention_.what_is_retained(org);
  if (!kept) co_return kept.error();
  const auto from = std::max(kept->first_hour, first_hour);
  std::vector<quota::usage_counter> found;
  if (first_hour < from) {
    auto older = co_await archive_.usage(org, first_hour, std::min(from - 1, last_hour));
    if (!older) co_return older.error();
    found = *std::move(older);
  }
  if (from > last_hour) co_return found;
  const auto recent = co_await recent_.usage(org, from, last_hour);
  if (!recent) co_return recent.error();
  found.insert(found.end(), recent->begin(), recent->end());
  co_return found;
}

}  // namespace tollgate::proxy::archive
