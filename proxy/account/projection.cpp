#include "proxy/account/projection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;
using quota::credits;
using quota::time_point;

constexpr std::size_t level_days = 7, spread_days = 14;
constexpr double four_in_five = 1.2816;  // standard deviations on either side

double days_between(time_point from, time_point to) {
  return chrono::duration<double, chrono::days::period>(to - from).count();
}

credits to_credits(double micro) {
  constexpr auto most = static_cast<double>(credits::max_micro);
  return credits::from_micro(std::llround(std::clamp(micro, 0.0, most)));
}

std::size_t weekday_of(chrono::sys_days day) {
  return chrono::weekday{day}.c_encoding();
}

// A day above four times the typical value is reduced to that: it says little about the next day.
// With few days, the typical value is unknown.
std::vector<double> without_spikes(std::vector<double> days) {
  std::vector<double> used;
  std::copy_if(days.begin(), days.end(), std::back_inserter(used), [](double d) { return d > 0; });
  if (used.size() < 5) return days;
  const auto middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
  std::nth_element(used.begin(), middle, used.end());
  for (auto& day : days) day = std::min(day, *middle * 4);
  return days;
}

}  // namespace

usage_pace::usage_pace(usage_history history, time_point now)
    : now_{now}, first_day_{history.first_day} {
  auto& days = history.days;
  const auto first_use =
      std::find_if(days.begin(), days.end(), [](credits used) { return used > credits{}; });
  auto skipped = first_use - days.begin();
  skipped = std::max<std::ptrdiff_t>(skipped, std::ssize(days) - usage_history::most_days);
  first_day_ += chrono::days{skipped};
  for (auto day = days.begin() + skipped; day != days.end(); ++day) {
    days_.push_back(static_cast<double>(day->micro()));
  }
  if (days_.empty()) {
    guess_from(history.today);
    return;
  }
  tamed_ = without_spikes(days_);
  learn_weekdays();
  learn_level();
  learn_spread();
}

chrono::sys_days usage_pace::day_at(std::size_t i) const {
  return first_day_ + chrono::days{static_cast<int>(i)};
}

// On the first day the only data is its own start. Less than an hour of it is too little.
void usage_pace::guess_from(credits today) {
  const double passed = days_between(chrono::floor<chrono::days>(now_), now_);
  weekday_.fill(static_cast<double>(today.micro()) / std::max(passed, 1.0 / 24));
}

// The mean of each weekday, with the mean of all days as one more sample: one Sunday is not a
// pattern.
void usage_pace::learn_weekdays() {
  const double mean =
      std::accumulate(tamed_.begin(), tamed_.end(), 0.0) / static_cast<double>(tamed_.size());
  weekday_.fill(mean);
  std::array<double, 7> count{};
  count.fill(1);
  for (std::size_t i = 0; i < tamed_.size(); ++i) {
    weekday_[weekday_of(day_at(i))] += tamed_[i];
    count[weekday_of(day_at(i))] += 1;
  }
  for (std::size_t i = 0; i < 7; ++i) weekday_[i] /= count[i];
}

// The more recent days there are, the more they count against the pattern.
void usage_pace::learn_level() {
  const auto recent = std::min(tamed_.size(), level_days);
  double used = 0, usual = 0;
  for (auto i = tamed_.size() - recent; i < tamed_.size(); ++i) {
    used += tamed_[i];
    usual += weekday_[weekday_of(day_at(i))];
  }
  const double trust = static_cast<double>(recent) / static_cast<double>(recent + 2);
  if (usual > 0) level_ = 1 + trust * (used / usual - 1);
}

void usage_pace::learn_spread() {
  const auto recent = std::min(days_.size(), spread_days);
  double squares = 0;
  for (auto i = days_.size() - recent; i < days_.size(); ++i) {
    squares += std::pow(days_[i] - on(day_at(i)), 2);
  }
  spread_ = std::sqrt(squares / static_cast<double>(recent));
}

double usage_pace::on(chrono::sys_days day) const {
  return weekday_[weekday_of(day)] * level_;
}

double usage_pace::between(time_point from, time_point to) const {
  double used = 0;
  while (from < to) {
    const auto day = chrono::floor<chrono::days>(from);
    const auto until = std::min<time_point>(day + chrono::days{1}, to);
    used += on(day) * days_between(from, until);
    from = until;
  }
  return used;
}

// Daily variation evens out over many days. The uncertainty of their level does not: it is known
// only from the days seen.
credit_range usage_pace::until(time_point end) const {
  const double days = std::max(days_between(now_, end), 0.0);
  const double expected = between(now_, end);
  const auto seen = static_cast<double>(std::clamp<std::size_t>(days_.size(), 1, spread_days));
  double deviation = spread_ * std::sqrt(days + days * days / seen);
  if (days_.size() < 3) deviation = std::max(deviation, expected / 2);
  const double margin = deviation * four_in_five;
  return {to_credits(expected - margin), to_credits(expected), to_credits(expected + margin)};
}

std::optional<time_point> usage_pace::runs_out_at(quota::grant_list grants,
                                                  time_point horizon) const {
  for (auto at = now_; at < horizon;) {
    std::erase_if(grants, [&](const quota::active_grant& grant) {
      return grant.expires_at != quota::never && grant.expires_at <= at;
    });
    if (grants.empty()) return at;
    auto until = std::min<time_point>(chrono::floor<chrono::days>(at) + chrono::days{1}, horizon);
    for (const auto& grant : grants) {
      if (grant.expires_at != quota::never) until = std::min(until, grant.expires_at);
    }
    const auto used = to_credits(between(at, until));
    const auto uncovered = quota::burn(grants, used);
    if (uncovered > credits{}) {
      const auto covered = static_cast<double>((used - uncovered).micro());
      const auto part = covered / static_cast<double>(used.micro());
      return at + chrono::duration_cast<quota::milliseconds>((until - at) * part);
    }
    at = until;
  }
  return {};
}

}  // namespace tollgate::proxy::admin
