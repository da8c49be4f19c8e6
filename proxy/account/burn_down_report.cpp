#include "proxy/account/burn_down_report.hpp"

#include <algorithm>
#include <chrono>

#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;
using quota::credits;

}  // namespace

burn_down_report::burn_down_report(const quota::account_snapshot& account, quota::time_point now)
    : account_{account}, figures_{figures_of_cycle(account)}, projection_{account, now} {
  if (!figures_) return;
  const auto end = std::min(now, account.plan->end - quota::milliseconds{1});
  const auto days =
      chrono::floor<chrono::days>(end) - chrono::floor<chrono::days>(account.plan->start);
  days_.resize(static_cast<std::size_t>(std::max<std::int64_t>(days.count(), 0)) + 1);
}

std::int64_t burn_down_report::cycle_hour() const {
  return quota::hour_of(account_.plan->start);
}

std::int64_t burn_down_report::first_hour() const {
  return figures_ ? std::min(cycle_hour(), projection_.first_hour()) : projection_.first_hour();
}

void burn_down_report::add(const quota::usage_counter& counter) {
  if (counter.hour >= projection_.first_hour()) projection_.add(counter);
  if (!figures_ || counter.hour < cycle_hour()) return;
  const auto day = static_cast<std::size_t>((counter.hour - cycle_hour()) / 24);
  days_[std::min(day, days_.size() - 1)] += counter.charged;
}

void burn_down_report::write_days(json_writer& out) const {
  credits total;
  auto day = chrono::floor<chrono::days>(account_.plan->start);
  out.key("days").begin_array();
  for (const auto used : days_) {
    total += used;
    out.begin_object().key("day").string(to_rfc3339_seconds(day).substr(0, 10));
    out.key("used").number(used).key("total").number(total).end_object();
    day += chrono::days{1};
  }
  out.end_array();
}

// Never less than what was already used: the account and the counters were read at different times.
void burn_down_report::write_expected(json_writer& out, credits used) const {
  out.key("expected");
  if (used == credits{}) {
    out.null();
    return;
  }
  const auto more = projection_.until_cycle_end();
  out.begin_object().key("low").number(used + more.low);
  out.key("expected").number(used + more.expected);
  out.key("high").number(used + more.high).end_object();
}

std::string burn_down_report::to_json() const {
  json_writer out;
  out.begin_object();
  if (!figures_) {
    for (const auto name : {"cycle", "supply", "used", "ends_at", "days", "expected"}) {
      out.key(name).null();
    }
    out.end_object();
    return out.take();
  }
  credits counted;
  for (const auto used : days_) counted += used;
  const auto used = std::max(counted, figures_->used);
  out.key("cycle").begin_object().key("start").string(to_rfc3339_seconds(account_.plan->start));
  out.key("end").string(to_rfc3339_seconds(account_.plan->end)).end_object();
  out.key("supply").number(figures_->supply).key("used").number(used).key("ends_at");
  if (figures_->ends_at) {
    out.number(*figures_->ends_at);
  } else {
    out.null();
  }
  write_days(out);
  write_expected(out, used);
  out.end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
