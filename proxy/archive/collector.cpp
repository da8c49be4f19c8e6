#include "proxy/archive/collector.hpp"

#include <algorithm>
#include <limits>

#include "proxy/account/statement_report.hpp"
#include "proxy/archive/agreement.hpp"
#include "quota/ledger/entry_id.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::archive {

task<result<collector::collected>> collector::collect(quota::org_id org, position from,
                                                      progress so_far) {
  collected found;
  found.what.org = std::move(org);
  found.what.from = found.what.to = std::move(from);
  const auto kept = co_await retention_.what_is_retained(found.what.org);
  if (!kept) co_return kept.error();
  if (quota::parse_entry_id(found.what.from.entry) < quota::parse_entry_id(kept->dropped_through)) {
    found.lost_through = kept->dropped_through;
    co_return found;
  }
  const auto entries = co_await add_entries(found, kept->dropped_through);
  if (!entries) co_return entries.error();
  if (found.store_is_behind) co_return found;
  for (const auto& entry : found.what.entries) {
    if (entry.cycle > so_far.cycle) so_far.statements_open = true;
    so_far.cycle = std::max(so_far.cycle, entry.cycle);
  }
  if (so_far.statements_open) {
    const auto statements = co_await add_statements(found.what, so_far);
    if (!statements) co_return statements.error();
  }
  if (with_usage_) {
    const auto usage = co_await add_usage(found.what, so_far, kept->first_hour, found.full);
    if (!usage) co_return usage.error();
  }
  found.reached = so_far;
  co_return found;
}

// Reads the archive's last entry again, with the entries after it: a store without that entry
// cannot be archived.
task<result<void>> collector::add_entries(collected& found, const std::string& dropped_through) {
  auto& into = found.what;
  const bool again = is_to_be_found(into.from, dropped_through);
  const auto after = again ? right_before(into.from) : into.from.entry;
  auto entries = co_await history_.entries(into.org, after, entries_at_once);
  if (!entries) co_return entries.error();
  if (again) {
    found.store_is_behind = !begins_with(*entries, into.from);
    if (found.store_is_behind) co_return result<void>{};
  }
  found.full = entries->size() == entries_at_once;
  if (again) entries->erase(entries->begin());
  const auto settled = [until = history_.now() - settling_time](const auto& entry) {
    return entry.at <= until;
  };
  entries->erase(std::find_if_not(entries->begin(), entries->end(), settled), entries->end());
  if (!entries->empty()) {
    into.to.entry = entries->back().id;
    into.to.seal = seal_of(entries->back());
  }
  into.entries = *std::move(entries);
  co_return result<void>{};
}

// In order, up to the first statement that may still change.
task<result<void>> collector::add_statements(batch& into, progress& so_far) {
  const auto account = co_await history_.snapshot(into.org);
  if (!account) co_return account.error();
  so_far.statements_open = false;
  if (!account->plan) co_return result<void>{};
  auto statements = quota::statements(account->cycles, *account);
  const auto top_ups = co_await history_.top_ups(into.org);
  if (!top_ups) co_return top_ups.error();
  quota::add_payments(statements, *top_ups);
  for (const auto& one : statements) {
    if (!one.record.closed || one.record.index < into.from.statement) continue;
    if (!admin::is_final(one, account->holds)) {
      so_far.statements_open = true;
      break;
    }
    auto json = co_await statement_json(into.org, one);
    if (!json) co_return json.error();
    final_statement statement;
    statement.cycle = one.record.index;
    statement.start = one.record.start;
    statement.end = one.record.end;
    statement.json = *std::move(json);
    into.statements.push_back(std::move(statement));
    into.to.statement = one.record.index + 1;
  }
  co_return result<void>{};
}

task<result<std::string>> collector::statement_json(quota::org_id org, quota::statement statement) {
  admin::statement_report report{org, std::move(statement), true};
  const auto usage =
      co_await history_.usage_summary(org, report.first_hour(), report.last_hour(history_.now()));
  if (!usage) co_return result<std::string>{boost::system::in_place_error, usage.error()};
  for (const auto& counter : *usage) report.add(counter);
  co_return result<std::string>{boost::system::in_place_value, report.to_json()};
}

// Hours that ended at least an hour ago: they change no more. Usage that was aggregated before
// there was an archive has no agents and conversations.
task<result<void>> collector::add_usage(batch& into, const progress& so_far,
                                        std::int64_t first_detailed, bool& full) {
  const auto complete = quota::hour_of(history_.now()) - 1;
  into.to.hour = std::max(into.from.hour, quota::hour_of(so_far.created_at));
  if (into.to.hour >= complete) {
    into.to.hour = into.from.hour;
    co_return result<void>{};
  }
  const auto read = co_await add_hours(into, first_detailed, complete);
  if (!read) co_return read.error();
  auto late = co_await history_.late_usage(into.org, 0, std::numeric_limits<std::int64_t>::max());
  if (!late) co_return late.error();
  into.late = *std::move(late);
  full = full || into.to.hour < complete;
  co_return result<void>{};
}

// Starts at `into.to.hour` and advances it.
task<result<void>> collector::add_hours(batch& into, std::int64_t first_detailed, std::int64_t to) {
  const auto end = std::min(into.to.hour + hours_at_once, to);
  std::int64_t step = 1;
  while (into.to.hour < end && into.usage.size() < counters_at_once) {
    const auto first = into.to.hour;
    const bool detailed = first >= first_detailed;
    const auto last = std::min({first + step, end, detailed ? end : first_detailed}) - 1;
    // Awaited outside the conditional: GCC 12 destroys both branches of a conditional with
    // co_await.
    auto reading = detailed ? history_.hourly_usage(into.org, first, last)
                            : history_.summed_usage(into.org, first, last);
    const auto found = co_await std::move(reading);
    if (!found) co_return found.error();
    into.usage.insert(into.usage.end(), found->begin(), found->end());
    into.to.hour = last + 1;
    step = found->size() > many_counters ? 1 : std::min(2 * step, hours_a_read);
  }
  co_return result<void>{};
}

}  // namespace tollgate::proxy::archive
