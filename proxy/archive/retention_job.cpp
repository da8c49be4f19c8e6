#include "proxy/archive/retention_job.hpp"

#include <algorithm>
#include <chrono>

#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

using namespace std::chrono_literals;

constexpr quota::milliseconds longest_rest{10'000};
constexpr std::int64_t hours_a_day = 24, days_at_once = 40;

quota::entry_id known(const std::string& id) {
  return quota::parse_entry_id(id).value_or(quota::entry_id{});
}

std::int64_t day_of(quota::time_point time) {
  return quota::hour_of(time) / hours_a_day;
}

// The first day of the month after the month of `day`.
std::int64_t next_month(std::int64_t day) {
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::sys_days{chrono::days{day}}};
  const auto month = date.year() / date.month() + chrono::months{1};
  return chrono::sys_days{month / 1}.time_since_epoch().count();
}

std::int64_t next_day_to_sum_up(const archived_account& account) {
  return std::max(account.kept.next_day, quota::hour_of(account.progress.created_at) / hours_a_day);
}

}  // namespace

task<> retention_job::run_once() {
  const auto every =
      std::clamp<quota::milliseconds>(rules_.ledger.value_or(longest_rest) / 10, 1s, longest_rest);
  for (auto& [org, account] : accounts_) {
    if (stopping_ || !store_.ledger().ready()) co_return;
    if (archived_account::steady::now() < account.tidy_at) continue;
    account.tidy_at = archived_account::steady::now() + every;
    if (!co_await learn_what_is_kept(org, account)) continue;
    co_await sum_up_days(org, account);
    co_await drop_entries(org, account);
    co_await drop_usage(org, account);
    co_await coarsen_usage(org, account);
  }
}

task<bool> retention_job::learn_what_is_kept(const quota::org_id& org, archived_account& account) {
  if (account.kept_known) co_return true;
  auto kept = co_await store_.retention().what_is_retained(org);
  if (!kept) co_return false;
  account.kept = *std::move(kept);
  account.kept_known = true;
  co_return true;
}

// Reading a summary creates it, once the day has been over for an hour.
task<> retention_job::sum_up_days(const quota::org_id& org, archived_account& account) {
  const auto end = (quota::hour_of(store_.ledger().now()) - 1) / hours_a_day;
  if (next_day_to_sum_up(account) >= end) co_return;
  account.kept_known = false;  // all sidecars do this at the same time of day: another may have
  if (!co_await learn_what_is_kept(org, account)) co_return;
  const auto first = next_day_to_sum_up(account);
  if (first >= end) co_return;
  const auto last = std::min(first + days_at_once, end) - 1;
  const auto summed = co_await store_.history().usage_summary(org, first * hours_a_day,
                                                              (last + 1) * hours_a_day - 1);
  if (!summed) co_return;
  const auto noted = co_await store_.retention().remember_summed(org, last + 1);
  if (noted) account.kept.next_day = last + 1;
}

// Never beyond the archived entries.
task<> retention_job::drop_entries(const quota::org_id& org, archived_account& account) {
  if (!rules_.ledger || !archiver_.can_be_read()) co_return;
  const auto too_old = store_.ledger().now() - *rules_.ledger;
  const quota::entry_id by_age{static_cast<std::uint64_t>(too_old.time_since_epoch().count()), 0};
  const auto first = std::min(by_age, known(account.at.entry));
  if (first <= known(account.kept.dropped_through)) co_return;
  if (!co_await archiver_.may_drop(org, account)) co_return;
  for (;;) {
    const auto all = co_await store_.retention().drop_entries(org, to_string(first));
    if (!all || stopping_ || !archiver_.is_same_connection()) co_return;
    if (*all) break;
  }
  account.kept.dropped_through = to_string(first);
}

// Days in order; each is summarized before its details are dropped. If there is a readable archive,
// only days that it has.
task<> retention_job::drop_usage(const quota::org_id& org, archived_account& account) {
  auto end = quota::hour_of(store_.ledger().now() - rules_.usage) / hours_a_day;
  const bool in_archive = archiver_.can_be_read();
  if (in_archive) {
    if (!account.position_known) co_return;
    end = std::min(end, account.at.hour / hours_a_day);
  }
  const auto created = quota::hour_of(account.progress.created_at) / hours_a_day;
  const auto first = std::max(account.kept.first_hour / hours_a_day, created);
  if (first >= end) co_return;
  if (in_archive) {
    const bool safe = co_await archiver_.may_drop(org, account);
    if (!safe) co_return;
  }
  for (auto day = first; day < std::min(end, first + days_at_once); ++day) {
    const auto next = (day + 1) * hours_a_day;
    const auto summed = co_await store_.history().usage_summary(org, day * hours_a_day, next - 1);
    if (!summed || stopping_ || (in_archive && !archiver_.is_same_connection())) co_return;
    const auto dropped = co_await store_.retention().drop_usage_detail(org, day);
    if (!dropped || !*dropped) co_return;
    account.kept.first_hour = next;
  }
}

// Only days without agents and conversations; months only if all of them are old enough. Aggregated
// usage moves back in time: an archive that has yet to read it would miss it.
task<> retention_job::coarsen_usage(const quota::org_id& org, archived_account& account) {
  const auto now = store_.ledger().now();
  auto detailed = account.kept.first_hour / hours_a_day;
  if (archiver_.can_be_read()) {
    if (!account.position_known) co_return;
    detailed = std::min(detailed, account.at.hour / hours_a_day);
  }
  const auto created = day_of(account.progress.created_at);
  if (rules_.usage_by_hour) {
    const auto& kept = account.kept;
    const auto first = std::max({kept.hours_from, kept.days_from, created});
    const auto end =
        std::min({day_of(now - *rules_.usage_by_hour), detailed, first + days_at_once});
    if (first < end) {
      quota::coarsening by_day{quota::usage_grain::day, first, end, {}};
      if (!co_await coarsen(org, account, std::move(by_day))) co_return;
    }
  }
  if (!rules_.usage_by_day) co_return;
  const auto bound = std::min(day_of(now - *rules_.usage_by_day), detailed);
  const auto first = std::max(account.kept.days_from, created);
  if (next_month(first) > bound) co_return;
  quota::coarsening by_month{quota::usage_grain::month, first, next_month(first), {}};
  co_await coarsen(org, account, std::move(by_month));
}

task<bool> retention_job::coarsen(const quota::org_id& org, archived_account& account,
                                  quota::coarsening what) {
  const auto cycles = co_await store_.history().cycles(org);
  if (!cycles || stopping_) co_return false;
  for (const auto& cycle : *cycles) what.cycles.push_back(quota::hour_of(cycle.start));
  std::ranges::sort(what.cycles);
  auto& progress =
      what.by == quota::usage_grain::day ? account.kept.hours_from : account.kept.days_from;
  const auto end = what.end_day;
  const auto done = co_await store_.retention().coarsen_usage(org, std::move(what), account.kept);
  if (!done || !*done) {
    account.kept_known = false;  // another sidecar was active: read it again next time
    co_return false;
  }
  progress = end;
  co_return true;
}

}  // namespace tollgate::proxy::archive
