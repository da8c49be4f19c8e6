#include "proxy/archive/archived_history.hpp"

#include <algorithm>
#include <iterator>

#include <spdlog/spdlog.h>

#include "proxy/archive/agreement.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

constexpr std::chrono::seconds say_again_after{10};  // readers may retry at any rate

}  // namespace

task<result<std::vector<quota::ledger_entry>>> archived_history::entries(const quota::org_id& org,
                                                                         std::string after,
                                                                         std::size_t limit) {
  auto recent = co_await recent_.entries(org, after, limit);
  if (recent || recent.error() != quota::store_errc::archived) co_return recent;
  const auto kept = co_await agreed(org);
  if (!kept) co_return kept.error();
  auto archived = co_await archive_.entries(org, after, limit);
  if (!archived) co_return archived.error();
  // The store continues after what it has dropped, and the archive has all of that.
  auto last = archived->empty() ? kept->from.dropped_through : archived->back().id;
  // A short page would be taken for the last one, so it is filled with entries that only the store
  // has yet.
  if (archived->size() < limit) {
    auto rest = co_await entries(org, std::move(last), limit - archived->size());
    if (!rest) co_return rest.error();
    std::move(rest->begin(), rest->end(), std::back_inserter(*archived));
  }
  co_return archived;
}

// What the store still has, and the archive that continues it. Any inconsistency between the two is
// an error, never a gap, and never the history of another store.
task<result<archived_history::agreement>> archived_history::agreed(quota::org_id org) {
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    auto kept = co_await retention_.what_is_retained(org);
    if (!kept) co_return kept.error();
    const auto store = co_await retention_.store_id();
    if (!store) co_return store.error();
    const auto found = co_await archive_.standing_of(org);
    if (!found) co_return found.error();
    if (!found->store.empty() && found->store != *store) {
      co_return refuse(org, archive_errc::another_store);
    }
    if (quota::parse_entry_id(found->at.entry) < quota::parse_entry_id(kept->dropped_through)) {
      co_return refuse(org, archive_errc::behind);
    }
    const auto has = co_await still_has(recent_, org, found->at, kept->dropped_through);
    if (has && !*has) co_return refuse(org, archive_errc::ahead);
    if (has) {
      agreement both;
      both.from = *std::move(kept);
      both.archived_hour = found->at.hour;
      co_return both;
    }
    // Other sidecars have archived and dropped more meanwhile.
    if (has.error() != quota::store_errc::archived) co_return has.error();
  }
  co_return make_error_code(archive_errc::unavailable);
}

error_code archived_history::refuse(const quota::org_id& org, archive_errc why) {
  const auto ec = make_error_code(why);
  const auto now = std::chrono::steady_clock::now();
  if (refused_ == std::pair{org, why} && now < say_again_at_) return ec;
  refused_ = {org, why};
  say_again_at_ = now + say_again_after;
  spdlog::error("org={}: {}", org, ec.message());
  return ec;
}

task<result<std::vector<quota::usage_counter>>> archived_history::usage(const quota::org_id& org,
                                                                        std::int64_t first_hour,
                                                                        std::int64_t last_hour) {
  if (last_hour < first_hour) co_return std::vector<quota::usage_counter>{};
  auto kept = co_await retention_.what_is_retained(org);
  for (;;) {
    if (!kept) co_return kept.error();
    const auto from = std::clamp(kept->first_hour, first_hour, last_hour + 1);
    std::vector<quota::usage_counter> found;
    if (first_hour < from) {
      auto older = co_await older_usage(org, first_hour, from - 1);
      if (!older) co_return older.error();
      found = *std::move(older);
    }
    if (from > last_hour) co_return found;
    const auto recent = co_await recent_.usage(org, from, last_hour);
    if (!recent) co_return recent.error();
    found.insert(found.end(), recent->begin(), recent->end());
    // Details may have been dropped meanwhile; then they are read from the archive.
    const auto now = co_await retention_.what_is_retained(org);
    if (!now) co_return now.error();
    if (now->first_hour <= from) co_return found;
    kept = now;
  }
}

task<result<void>> archived_history::each_usage(const quota::org_id& org, std::int64_t first_hour,
                                                std::int64_t last_hour, counter_taker take) {
  const auto kept = co_await retention_.what_is_retained(org);
  if (!kept) co_return kept.error();
  const auto from = std::clamp(kept->first_hour, first_hour, last_hour + 1);
  constexpr std::int64_t hours_a_read = 24;  // bounds the memory
  for (auto hour = first_hour; hour < from; hour += hours_a_read) {
    const auto older = co_await older_usage(org, hour, std::min(hour + hours_a_read, from) - 1);
    if (!older) co_return older.error();
    for (const auto& counter : *older) take(counter);
  }
  if (from > last_hour) co_return result<void>{};
  co_return co_await recent_.each_usage(org, from, last_hour, std::move(take));
}

task<result<std::vector<quota::usage_counter>>> archived_history::older_usage(
    const quota::org_id& org, std::int64_t first_hour, std::int64_t last_hour) {
  const auto both = co_await agreed(org);
  if (!both) co_return both.error();
  if (both->archived_hour <= last_hour) co_return make_error_code(archive_errc::catching_up);
  co_return co_await archive_.usage(org, first_hour, last_hour);
}

}  // namespace tollgate::proxy::archive
