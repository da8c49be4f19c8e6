// The reasons to refuse a hold: the request rate, limits of agents, conversations and keys, the
// balance with the plan's overage, the spend cap.
#include <algorithm>

#include "quota/ledger/account_ledger.hpp"

namespace tollgate::quota {

namespace {

// The bucket of the request rate, in integers: a request adds 60,000, and `per_minute` drains from
// it each millisecond.
constexpr std::int64_t a_request = 60'000;
constexpr std::int64_t longest_pause_ms = 1'000'000'000;  // the bucket is empty long before

std::int64_t drained(std::int64_t level, std::int64_t elapsed_ms, std::int64_t per_minute) {
  const auto elapsed = std::clamp<std::int64_t>(elapsed_ms, 0, longest_pause_ms);
  return std::max<std::int64_t>(level - elapsed * per_minute, 0);
}

milliseconds time_to_drain(std::int64_t level, std::int64_t per_minute) {
  return milliseconds{(level + per_minute - 1) / per_minute};
}

constexpr milliseconds an_hour = std::chrono::hours{1}, a_day = std::chrono::hours{24};

}  // namespace

// Adds one request to the bucket, or says when the next one is allowed.
std::optional<account_ledger::objection> account_ledger::take_request(time_point now) {
  const auto& terms = plan_->terms;
  const auto level = drained(bucket_.level, (now - bucket_.at).count(), terms.requests_per_minute);
  bucket_ = {level, now};
  const auto excess = level + a_request - terms.burst * a_request;
  if (excess <= 0) {
    bucket_.level += a_request;
    return std::nullopt;
  }
  obstacle why;
  why.until = now + time_to_drain(excess, terms.requests_per_minute);
  return objection{outcome::rate_limited, why, true};
}

// The same for critical calls beyond the balance.
std::optional<account_ledger::objection> account_ledger::take_critical_request(
    time_point now, rate_status& status) {
  const auto per_minute = critical_.requests_per_minute, burst = critical_.burst;
  if (per_minute == 0) return std::nullopt;
  const auto level =
      drained(critical_bucket_.level, (now - critical_bucket_.at).count(), per_minute);
  const auto excess = level + a_request - burst * a_request;
  if (excess <= 0) {
    critical_bucket_ = {level + a_request, now};
    return std::nullopt;
  }
  status = {per_minute, burst, (burst * a_request - level) / a_request,
            now + time_to_drain(level, per_minute)};
  obstacle why;
  why.until = now + time_to_drain(excess, per_minute);
  return objection{outcome::rate_limited, why, true};
}

rate_status account_ledger::rate(time_point now) const {
  const auto& terms = plan_->terms;
  const auto level = drained(bucket_.level, (now - bucket_.at).count(), terms.requests_per_minute);
  return {terms.requests_per_minute, terms.burst, (terms.burst * a_request - level) / a_request,
          now + time_to_drain(level, terms.requests_per_minute)};
}

credits account_ledger::overage_room() const {
  if (!plan_) return {};
  static const cycle_record none;
  const auto found = records_.find(plan_->cycle);
  const auto room =
      quota::overage_room(*plan_, found == records_.end() ? none : found->second, top_up_);
  return allows_overage(*plan_) ? room + plan_->owed : credits{};
}

// `beyond`: how much further than usual this call may go.
std::optional<account_ledger::objection> account_ledger::money_objection(credits more,
                                                                         credits beyond) const {
  const auto room = overage_room();
  if (more <= row_.available() + room + beyond) return std::nullopt;
  const bool capped = plan_ && allows_overage(*plan_);
  obstacle why;
  why.room = std::max(row_.available() + room, credits{});
  if (plan_) {
    const auto& next = plan_->next_terms ? *plan_->next_terms : plan_->terms;
    if (capped || next.allocation > credits{}) why.until = plan_->end;
  }
  why.top_up_open = !open_top_ups().empty();
  why.held = row_.held;
  return objection{capped ? outcome::cap_reached : outcome::insufficient_balance, why};
}

std::optional<account_ledger::objection> account_ledger::limit_objection(
    credits more, const attribution& who, time_point now, const hold* extended) const {
  if (!plan_) return std::nullopt;
  for (std::size_t i = 0; i < plan_->options.limits.size(); ++i) {
    const auto& limit = plan_->options.limits[i];
    const auto field = counter_of(limit, who);
    if (field.empty()) continue;
    const auto found = counters_.find(field);
    const auto window = window_of(limit, now);
    const bool current = found != counters_.end() && found->second.window == window &&
                         found->second.since == plan_->limits_since[i];
    auto used = current ? found->second.amount : credits{};
    // A call that began in another window does not count in this one, but its limit still applies.
    if (extended != nullptr) {
      const bool total = limit.per == limit_window::total;
      const bool meant = is_meant(i, *extended);
      const bool counted =
          meant && (total || (current && has_counted(i, found->second, *extended)));
      const bool came_over = meant || window_of(limit, extended->placed_at) != window;
      if (!counted && came_over) used += extended->amount;
    }
    if (used + more <= limit.most) continue;
    obstacle why;
    why.room = std::max(limit.most - used, credits{});
    why.until = window_end(limit, now);
    why.scope = limit.scope;
    why.per = limit.per;
    why.most = limit.most;
    return objection{outcome::limit_reached, why};
  }
  return std::nullopt;
}

std::optional<account_ledger::objection> account_ledger::objection_to(credits more,
                                                                      const attribution& who,
                                                                      admission admit,
                                                                      time_point now,
                                                                      const hold* extended) const {
  if (more <= credits{}) return std::nullopt;
  const auto own = plan_ ? plan_->options.critical_overdraft : std::nullopt;
  const auto overdraft = own ? own : critical_.overdraft;
  if (admit == admission::critical && overdraft) {
    if (auto too_far = money_objection(more, *overdraft)) {
      too_far->final = true;
      return too_far;
    }
  }
  if (auto limited = limit_objection(more, who, now, extended)) return limited;
  return money_objection(more, credits{});
}

// The counter of this limit for this caller; empty if the limit does not apply to it. Callers
// without a name share the counter of "*": leaving out the name does not avoid a limit.
std::string account_ledger::counter_of(const spend_limit& limit, const attribution& who) const {
  const auto& member = member_of(who, limit.scope);
  if (limit.id != "*" && limit.id != member) return {};
  return std::to_string(static_cast<int>(limit.scope)) +
         std::to_string(static_cast<int>(limit.per)) + '\t' + limit.id + '\t' + member;
}

// The limit's window at a given time.
std::int64_t account_ledger::window_of(const spend_limit& limit, time_point at) const {
  switch (limit.per) {
    case limit_window::hour:
      return at.time_since_epoch() / an_hour;
    case limit_window::day:
      return at.time_since_epoch() / a_day;
    case limit_window::cycle:
      return at < plan_->start ? -1 : plan_->cycle;
    case limit_window::total:
      break;
  }
  return 0;
}

time_point account_ledger::window_end(const spend_limit& limit, time_point now) const {
  switch (limit.per) {
    case limit_window::hour:
      return time_point{(now.time_since_epoch() / an_hour + 1) * an_hour};
    case limit_window::day:
      return time_point{(now.time_since_epoch() / a_day + 1) * a_day};
    case limit_window::cycle:
      return plan_->end;
    case limit_window::total:
      break;
  }
  return never;
}

std::int64_t account_ledger::next_sequence(std::int64_t at_least) {
  return sequence_ = std::max(sequence_ + 1, at_least);
}

// Counts a new hold in the current windows, and records that.
void account_ledger::count_new(hold& hold, time_point now) {
  if (!plan_) return;
  bool counted = false;
  for (std::size_t i = 0; i < plan_->options.limits.size(); ++i) {
    const auto& limit = plan_->options.limits[i];
    const auto field = counter_of(limit, hold.who);
    if (field.empty() || !counts_first(i)) continue;
    auto& counter = counters_[field];
    const auto window = window_of(limit, now);
    const auto since = plan_->limits_since[i];
    if (counter.window != window || counter.since != since) {
      counter = {window, {}, since};
      if (limit.per != limit_window::total) counter.begun = next_sequence();
    }
    counter.amount += hold.amount;
    counted = true;
  }
  if (counted) hold.counted = sequence_;
}

// Limits that differ only in their amount share a counter, which counts once.
bool account_ledger::counts_first(std::size_t limit) const {
  const auto& limits = plan_->options.limits;
  const auto shares = [&](const spend_limit& other) {
    return other.scope == limits[limit].scope && other.per == limits[limit].per &&
           other.id == limits[limit].id;
  };
  return std::find_if(limits.begin(), limits.end(), shares) ==
         limits.begin() + static_cast<std::ptrdiff_t>(limit);
}

// Whether the hold was placed after the limit was set.
bool account_ledger::is_meant(std::size_t limit, const hold& hold) const {
  return hold.counted && *hold.counted >= plan_->limits_since[limit].time_since_epoch().count();
}

// Whether the counter has counted this hold, to which the limit applies.
bool account_ledger::has_counted(std::size_t limit, const limit_counter& counter,
                                 const hold& hold) const {
  if (plan_->options.limits[limit].per == limit_window::total) return true;
  return counter.since == plan_->limits_since[limit] && *hold.counted >= counter.begun;
}

// Adjusts the counters that have counted a hold by what it adds or gives back.
void account_ledger::count(const hold& hold, credits more) {
  if (!plan_) return;
  for (std::size_t i = 0; i < plan_->options.limits.size(); ++i) {
    if (!is_meant(i, hold) || !counts_first(i)) continue;
    const auto found = counters_.find(counter_of(plan_->options.limits[i], hold.who));
    if (found == counters_.end() || !has_counted(i, found->second, hold)) continue;
    found->second.amount += more;
  }
}

bool allows_overage(const account_plan& plan) {
  return plan.options.overage && plan.terms.usd_micro_per_credit > 0;
}

}  // namespace tollgate::quota
