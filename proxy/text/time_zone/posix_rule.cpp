#include "proxy/text/time_zone/posix_rule.hpp"

#include <algorithm>

namespace tollgate::proxy {

namespace {

namespace chrono = std::chrono;

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// A number of at most three digits.
std::optional<int> take_number(std::string_view& text, int most) {
  int value = 0;
  std::size_t digits = 0;
  while (digits < std::min<std::size_t>(text.size(), 3) && text[digits] >= '0' &&
         text[digits] <= '9') {
    value = value * 10 + (text[digits++] - '0');
  }
  text.remove_prefix(digits);
  if (digits == 0 || value > most) return {};
  return value;
}

// "3", "-5:30", "+02:00:30"
std::optional<chrono::seconds> take_time(std::string_view& text) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  const auto hours = take_number(text, 167);
  if (!hours) return {};
  auto time = chrono::seconds{chrono::hours{*hours}};
  int seconds_each = 60;
  for (int part = 0; part < 2 && take(text, ':'); ++part, seconds_each = 1) {
    const auto value = take_number(text, 59);
    if (!value) return {};
    time += chrono::seconds{*value * seconds_each};
  }
  return negative ? -time : time;
}

// "CET", or "<+0330>". The letters do not matter here.
bool skip_name(std::string_view& text) {
  const bool quoted = take(text, '<');
  const auto belongs = [&](char c) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return letter || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
  };
  const auto length =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), belongs) - text.begin());
  text.remove_prefix(length);
  return length >= 3 && (!quoted || take(text, '>'));
}

}  // namespace

chrono::sys_seconds posix_rule::change::in(chrono::year year) const {
  const chrono::sys_days first{year / 1 / 1};
  switch (how) {
    case kind::day:
      return first + chrono::days{day} + at;
    case kind::julian:  // 29 February is never counted
      return first + chrono::days{day - 1 + (year.is_leap() && day > 59 ? 1 : 0)} + at;
    case kind::weekday:
      break;
  }
  const chrono::weekday wanted{static_cast<unsigned>(day)};
  const auto date = week == 5 ? chrono::sys_days{year / chrono::month{month} / wanted[chrono::last]}
                              : chrono::sys_days{year / chrono::month{month} / wanted[week]};
  return date + at;
}

std::optional<posix_rule::change> posix_rule::take_change(std::string_view& text) {
  change when;
  if (take(text, 'M')) {
    const auto month = take_number(text, 12);
    if (!month || *month < 1 || !take(text, '.')) return {};
    const auto week = take_number(text, 5);
    if (!week || *week < 1 || !take(text, '.')) return {};
    const auto day = take_number(text, 6);
    if (!day) return {};
    when.month = static_cast<unsigned>(*month);
    when.week = static_cast<unsigned>(*week);
    when.day = *day;
  } else {
    const bool julian = take(text, 'J');
    const auto day = take_number(text, 365);
    if (!day || (julian && *day < 1)) return {};
    when.how = julian ? change::kind::julian : change::kind::day;
    when.day = *day;
  }
  if (take(text, '/')) {
    const auto at = take_time(text);
    if (!at) return {};
    when.at = *at;
  }
  return when;
}

std::optional<posix_rule> posix_rule::parse(std::string_view text) {
  posix_rule rule;
  if (!skip_name(text)) return {};
  const auto standard = take_time(text);
  if (!standard) return {};
  rule.standard_ = rule.summer_ = -*standard;  // POSIX offsets have the opposite sign
  if (text.empty()) return rule;
  if (!skip_name(text)) return {};
  rule.summer_ += chrono::hours{1};
  if (!text.starts_with(',')) {
    const auto summer = take_time(text);
    if (!summer) return {};
    rule.summer_ = -*summer;
  }
  if (!take(text, ',') || !(rule.begins_ = take_change(text))) return {};
  if (!take(text, ',') || !(rule.ends_ = take_change(text))) return {};
  if (!text.empty()) return {};
  return rule;
}

chrono::seconds posix_rule::offset_at(chrono::sys_seconds time) const {
  if (!begins_) return standard_;
  const chrono::year_month_day date{chrono::floor<chrono::days>(time + standard_)};
  const auto begin = begins_->in(date.year()) - standard_;
  const auto end = ends_->in(date.year()) - summer_;
  // South of the equator, summer begins in one year and ends in the next.
  const bool summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
  return summer ? summer_ : standard_;
}

}  // namespace tollgate::proxy
