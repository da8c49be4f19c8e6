#include "proxy/archive/collector.hpp"

#include <algorithm>
#include <limits>

#include "proxy/admin/statement_report.hpp"
#include "quota/ledger/entry_id.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::archive {

task<result<collector::collected>> collector::collect(quota::org_id org, position from,
                                                      progress& so_far) {
  collected found;
  found.what.org = std::move(org);
  found.what.from = found.what.to = std::move(from);
  const auto kept = co_await retention_.what_is_retained(found.what.org);
  if (!kept) co_return kept.error();
  if (quota::parse_entry_id(found.what.from.entry) < quota::parse_entry_id(kept->first_entry)) {
    found.lost_before = kept->first_entry;
    co_return found;
  }
  const auto entries = co_await add_entries(found.what, found.full);
  if (!entries) co_return entries.error();
  for (const auto& entry : found.what.entries) {
    if (entry.cycle > so_far.cycle) so_far.statements_open = true;
    so_far.cycle = std::max(so_far.cycle, entry.cycle);
  }
  if (so_far.statements_open) {
    const auto statements = co_await add_statements(found.what, so_far);
    if (!statements) co_return statements.error();
  }
  const auto usage = co_await add_usage(found.what, so_far, kept->first_hour, found.full);
  if (!usage) co_return usage.error();
  co_return found;
}

task<result<void>> collector::add_entries(batch& into, bool& full) {
  auto entries = co_await ledger_.entries(into.org, into.from.entry, entries_at_once);
  if (!entries) co_return entries.error();
  full = entries->size() == entries_at_once;
  const auto settled = [until = ledger_.now() - settling_time](const auto& entry) {
    return entry.at <= until;
  };
  entries->erase(std::find_if_not(entries->begin(), entries->end(), settled), entries->end());
  if (!entries->empty()) into.to.entry = entries->back().id;
  into.entries = *std::move(entries);
  co_return result<void>{};
}

// In their order, up to the first that may still change.
task<result<void>> collector::add_statements(batch& into, progress& so_far) {
  const auto account = co_await ledger_.snapshot(into.org);
  if (!account) co_return account.error();
  so_far.statements_open = false;
  if (!account->plan) co_return result<void>{};
  for (const auto& one : quota::statements(account->cycles, *account)) {
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
      co_await ledger_.usage_summary(org, report.first_hour(), report.last_hour(ledger_.now()));
  if (!usage) co_return result<std::string>{boost::system::in_place_error, usage.error()};
  for (const auto& counter : *usage) report.add(counter);
  co_return result<std::string>{boost::system::in_place_value, report.to_json()};
}

// Hours that are over, and one more has passed: they change no more. What had been dropped before
// there was an archive comes without agents and conversations.
task<result<void>> collector::add_usage(batch& into, const progress& so_far,
                                        std::int64_t first_detailed, bool& full) {
  const auto complete = quota::hour_of(ledger_.now()) - 1;
  const auto from = std::max(into.from.hour, quota::hour_of(so_far.created_at));
  if (from >= complete) co_return result<void>{};
  const auto to = std::min(from + hours_at_once, complete);
  const auto detailed = std::clamp(first_detailed, from, to);
  auto summed = co_await ledger_.summed_usage(into.org, from, detailed - 1);
  if (!summed) co_return summed.error();
  const auto hourly = co_await ledger_.hourly_usage(into.org, detailed, to - 1);
  if (!hourly) co_return hourly.error();
  auto late = co_await ledger_.late_usage(into.org, 0, std::numeric_limits<std::int64_t>::max());
  if (!late) co_return late.error();
  into.usage = *std::move(summed);
  into.usage.insert(into.usage.end(), hourly->begin(), hourly->end());
  into.late = *std::move(late);
  into.to.hour = to;
  full = full || to < complete;
  co_return result<void>{};
}

}  // namespace tollgate::proxy::archive
