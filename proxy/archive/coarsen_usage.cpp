// Usage whose hours, or days, are no longer wanted: summed up by the day, then by the month.
#include <algorithm>
#include <chrono>

#include "proxy/archive/archiver.hpp"

namespace tollgate::proxy::archive {

namespace {

constexpr std::int64_t hours_per_day = 24, most_days = 40;

std::int64_t day_of(quota::time_point time) {
  return quota::hour_of(time) / hours_per_day;
}

// The first day of the month after the one in which `day` is.
std::int64_t next_month(std::int64_t day) {
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::sys_days{chrono::days{day}}};
  const auto month = date.year() / date.month() + chrono::months{1};
  return chrono::sys_days{month / 1}.time_since_epoch().count();
}

}  // namespace

// Only days of which agents and conversations are dropped; months only where all of it is old. What
// is summed up moves back in time: an archive that has yet to read it would never see it.
task<> archiver::coarsen_usage(const quota::org_id& org, account& account) {
  const auto now = ledger_.now();
  auto detailed = account.kept.first_hour / hours_per_day;
  if (archive_ && archive_->can_be_read()) {
    if (!account.position_known) co_return;
    detailed = std::min(detailed, account.at.hour / hours_per_day);
  }
  const auto created = day_of(account.progress.created_at);
  if (retention_.usage_by_hour) {
    const auto& kept = account.kept;
    const auto first = std::max({kept.hours_from, kept.days_from, created});
    const auto end =
        std::min({day_of(now - *retention_.usage_by_hour), detailed, first + most_days});
    if (first < end) {
      quota::coarsening by_day{quota::usage_grain::day, first, end, {}};
      if (!co_await coarsen(org, account, std::move(by_day))) co_return;
    }
  }
  if (!retention_.usage_by_day) co_return;
  const auto bound = std::min(day_of(now - *retention_.usage_by_day), detailed);
  const auto first = std::max(account.kept.days_from, created);
  if (next_month(first) > bound) co_return;
  quota::coarsening by_month{quota::usage_grain::month, first, next_month(first), {}};
  co_await coarsen(org, account, std::move(by_month));
}

task<bool> archiver::coarsen(const quota::org_id& org, account& account, quota::coarsening what) {
  const auto cycles = co_await ledger_.cycles(org);
  if (!cycles || stopping_) co_return false;
  for (const auto& cycle : *cycles) what.cycles.push_back(quota::hour_of(cycle.start));
  std::ranges::sort(what.cycles);
  auto& progress =
      what.by == quota::usage_grain::day ? account.kept.hours_from : account.kept.days_from;
  const auto end = what.end_day;
  const auto done = co_await retained_.coarsen_usage(org, std::move(what), account.kept);
  if (!done || !*done) {
    account.kept_known = false;  // somebody else was at it: the next look is a fresh one
    co_return false;
  }
  progress = end;
  co_return true;
}

}  // namespace tollgate::proxy::archive
