#include "proxy/account/billing_limits.hpp"

#include <algorithm>

namespace tollgate::proxy::admin {

namespace {

constexpr std::int64_t a_request = 60'000;
constexpr std::int64_t longest_pause_ms = 1'000'000'000;  // the bucket is empty long before

std::int64_t drained(std::int64_t level, std::chrono::steady_clock::duration pause,
                     std::int64_t per_minute) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
  return std::max<std::int64_t>(level - std::min(ms, longest_pause_ms) * per_minute, 0);
}

api_error too_many(std::string message, std::chrono::seconds wait) {
  api_error error{429, "rate_limited", std::move(message), {}, wait, {}};
  return error;
}

}  // namespace

std::optional<api_error> billing_limits::begin(const quota::org_id& org,
                                               const config::billing_settings& rules,
                                               steady_time now) {
  const std::scoped_lock lock{mutex_};
  if (callers_.size() >= forget_at_) forget_idle(rules, now);
  auto& caller = callers_[org];
  if (caller.open >= rules.at_once) {
    return too_many("Too many requests at a time: an organization may have " +
                        std::to_string(rules.at_once) + " under way to the billing API.",
                    std::chrono::seconds{1});
  }
  if (const auto per_minute = rules.requests_per_minute; per_minute > 0) {
    caller.level = drained(caller.level, now - caller.at, per_minute);
    caller.at = now;
    const auto excess = caller.level + a_request - rules.burst * a_request;
    if (excess > 0) {
      const std::chrono::milliseconds wait{(excess + per_minute - 1) / per_minute};
      return too_many(
          "Too many requests: an organization may make " + std::to_string(per_minute) +
              " a minute to the billing API, " + std::to_string(rules.burst) + " at once.",
          std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds{1}));
    }
    caller.level += a_request;
  }
  ++caller.open;
  return std::nullopt;
}

void billing_limits::end(const quota::org_id& org) {
  const std::scoped_lock lock{mutex_};
  if (const auto found = callers_.find(org); found != callers_.end()) --found->second.open;
}

void billing_limits::forget_idle(const config::billing_settings& rules, steady_time now) {
  std::erase_if(callers_, [&](const auto& each) {
    const auto& [level, at, open] = each.second;
    return open == 0 && drained(level, now - at, rules.requests_per_minute) == 0;
  });
  forget_at_ = std::max<std::size_t>(1'000, 2 * callers_.size());
}

}  // namespace tollgate::proxy::admin
