#include "quota/verify.hpp"

#include <algorithm>

#include "quota/audit_gate.hpp"
#include "quota/audit_members.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::quota {

namespace {

constexpr std::size_t page = 1'000;
constexpr std::int64_t hours_at_once = 24 * 7;

// The hours that may have counters. The store's clock may have been anywhere, so these are the
// hours that the store has recorded, those of the entries and the cycles, and those around its
// current time.
struct hour_range {
  std::int64_t first, last;

  explicit hour_range(std::int64_t hour) : first{hour}, last{hour} {}
  void reach(std::int64_t hour) {
    first =
        std::min(first, hour - 1);  // an entry and its counter may be on two sides of a full hour
    last = std::max(last, hour + 1);
  }
  void reach(const account_snapshot& snapshot) {
    if (snapshot.usage_hours) {
      reach(snapshot.usage_hours->first);
      reach(snapshot.usage_hours->second);
    }
    for (const auto& cycle : snapshot.cycles) {
      if (cycle.closed) reach(hour_of(cycle.end));  // late settlements are counted in its last hour
    }
  }
};

// Passes all entries after `after` up to `last` to `take`.
template <class Take>
task<result<void>> read_entries(account_history& history, const org_id& org, std::string after,
                                std::string last, Take take) {
  while (after != last) {
    const auto entries = co_await history.entries(org, after, page);
    if (!entries) co_return entries.error();
    if (entries->empty()) break;
    for (const auto& entry : *entries) {
      if (parse_entry_id(entry.id) > parse_entry_id(last)) co_return result<void>{};
      take(entry);
      after = entry.id;
    }
  }
  co_return result<void>{};
}

task<result<void>> read_counters(account_history& history, const org_id& org, hour_range hours,
                                 audit& books) {
  for (auto hour = hours.first; hour <= hours.last; hour += hours_at_once) {
    const auto until = std::min(hour + hours_at_once - 1, hours.last);
    const auto counters = co_await history.usage(org, hour, until);
    if (!counters) co_return counters.error();
    for (const auto& counter : *counters) books.count(counter);
  }
  co_return result<void>{};
}

task<result<account_rows>> read_rows(account_history& history, const org_id& org) {
  account_rows rows;
  auto top_ups = co_await history.top_ups(org);
  if (!top_ups) co_return top_ups.error();
  rows.top_ups = *std::move(top_ups);
  auto grants = co_await history.grants(org);
  if (!grants) co_return grants.error();
  rows.grants = *std::move(grants);
  std::string after = "0-0";
  for (;;) {
    auto events = co_await history.events(org, after, page);
    if (!events) co_return events.error();
    if (events->empty()) co_return rows;
    after = events->back().id;
    for (auto& event : *events) {
      if (event.type.starts_with("top_up_")) rows.events.push_back(std::move(event));
    }
  }
}

}  // namespace

// Rows are read after the snapshot, so they may be ahead of it, but not of anything read after
// them.
task<result<verification>> verify(account_history& history, guard_store& guards,
                                  const org_id& org) {
  const auto guarded = co_await guards.guards(org);
  if (!guarded) co_return guarded.error();
  const auto* const snapshot = &guarded->snapshot;
  audit books;
  member_audit members{*guarded};
  hour_range hours{hour_of(history.now())};
  const auto add = [&](const ledger_entry& entry) {
    hours.reach(hour_of(entry.at));
    books.add(entry);
    members.add(entry);
  };
  const auto added = co_await read_entries(history, org, "0-0", snapshot->last_entry_id, add);
  if (!added) co_return added.error();
  auto rows = co_await read_rows(history, org);
  if (!rows) co_return rows.error();
  hours.reach(hour_of(history.now()));
  hours.reach(*snapshot);
  const auto counted = co_await read_counters(history, org, hours, books);
  if (!counted) co_return counted.error();

  const auto later = co_await history.snapshot(org);
  if (!later) co_return later.error();
  const auto add_later = [&](const ledger_entry& entry) { books.add_later(entry); };
  const auto followed =
      co_await read_entries(history, org, snapshot->last_entry_id, later->last_entry_id, add_later);
  if (!followed) co_return followed.error();
  rows->top_ups_at_rest =
      snapshot->top_up == later->top_up && snapshot->open_top_ups == later->open_top_ups;
  books.finish(*snapshot, *rows);
  auto differences = books.differences();
  for (auto& found : audit_gate(*guarded)) differences.push_back(std::move(found));
  for (auto& found : members.finish()) differences.push_back(std::move(found));
  co_return verification{books.entries(), snapshot->row, std::move(differences)};
}

}  // namespace tollgate::quota
