#include "proxy/archive/archived_store.hpp"

#include <algorithm>
#include <iterator>

#include <spdlog/spdlog.h>

#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

task<result<std::vector<quota::ledger_entry>>> archived_store::entries(const quota::org_id& org,
                                                                       std::string after,
                                                                       std::size_t limit) {
  auto recent = co_await recent_.entries(org, after, limit);
  if (recent || recent.error() != quota::store_errc::archived) co_return recent;
  auto archived = co_await archive_.entries(org, after, limit);
  if (!archived) co_return archived.error();
  auto last = archived->empty() ? std::string{} : archived->back().id;
  if (archived->empty()) {
    const auto dropped = co_await dropped_through(org);
    if (!dropped) co_return dropped.error();
    last = *dropped;
  }
  // A short page would be taken for the last one: it goes on with what only the store has yet.
  if (archived->size() < limit) {
    auto rest = co_await entries(org, std::move(last), limit - archived->size());
    if (!rest) co_return rest.error();
    std::move(rest->begin(), rest->end(), std::back_inserter(*archived));
  }
  co_return archived;
}

// Behind which the store goes on, if the archive goes so far. It does, unless it has lost what was
// entrusted to it: nothing is dropped that was not in it.
task<result<std::string>> archived_store::dropped_through(const quota::org_id& org) {
  using found = result<std::string>;
  const auto kept = co_await retention_.what_is_retained(org);
  if (!kept) co_return found{boost::system::in_place_error, kept.error()};
  const auto reached = co_await archive_.position_of(org);
  if (!reached) co_return found{boost::system::in_place_error, reached.error()};
  if (quota::parse_entry_id(reached->entry) < quota::parse_entry_id(kept->dropped_through)) {
    spdlog::error("the archive has lost ledger entries of org={} up to {}", org,
                  kept->dropped_through);
    co_return found{boost::system::in_place_error, quota::store_errc::archived};
  }
  co_return found{boost::system::in_place_value, kept->dropped_through};
}

task<result<std::vector<quota::usage_counter>>> archived_store::usage(const quota::org_id& org,
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

task<result<std::vector<quota::usage_counter>>> archived_store::older_usage(
    const quota::org_id& org, std::int64_t first_hour, std::int64_t last_hour) {
  const auto reached = co_await archive_.position_of(org);
  if (!reached) co_return reached.error();
  if (reached->hour <= last_hour) {
    spdlog::error("the archive has lost usage of org={}", org);
    co_return make_error_code(quota::store_errc::archived);
  }
  co_return co_await archive_.usage(org, first_hour, last_hour);
}

}  // namespace tollgate::proxy::archive
