#include "quota/redis/day_summary.hpp"

#include <algorithm>

#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

// Other versions may write other texts; a summary in an unknown version is computed again.
constexpr std::string_view summary_version = "1\n";

// "ROUTE\tACTION\tMODEL\tAGENT\tCONVERSATION\tKEY" without the fourth and the fifth.
std::string without_caller(std::string_view who) {
  std::string kept;
  for (int part = 0; part < 3; ++part) kept.append(take_until(who, '\t')) += '\t';
  take_until(who, '\t');
  take_until(who, '\t');
  return kept.append("\t\t").append(who);
}

}  // namespace

std::optional<day_summary::amounts> day_summary::parse_amounts(std::string_view packed) {
  const auto micro = parse_integer(take_until(packed, ' '));
  const auto calls = parse_integer(take_until(packed, ' '));
  const auto used = parse_integer(take_until(packed, ' '));
  const auto billed_us = parse_integer(packed.empty() ? "0" : packed);
  if (!micro || !calls || !used || !billed_us) return std::nullopt;
  return amounts{*micro, *calls, *used, *billed_us};
}

void day_summary::count(const std::string& who, std::int64_t hour, const amounts& more) {
  auto& sum = sums_[who][static_cast<std::size_t>(hour - first_hour_)];
  sum.micro += more.micro;
  sum.calls += more.calls;
  sum.used += more.used;
  sum.billed_us += more.billed_us;
}

bool day_summary::add(std::int64_t hour, std::string_view who, std::string_view packed) {
  const auto more = parse_amounts(packed);
  const auto hour_of_day = hour - first_hour_;
  if (!more || hour_of_day < 0 || hour_of_day >= hours_a_day) return false;
  count(without_caller(who), hour, *more);
  return true;
}

void day_summary::each_counter(std::int64_t first, std::int64_t last,
                               const account_history::counter_taker& take) const {
  first = std::max<std::int64_t>(first - first_hour_, 0);
  last = std::min(last - first_hour_, hours_a_day - 1);
  for (const auto& [who, hours] : sums_) {
    const auto parts = parse_counter(0, who, "0 0 0");
    for (auto hour = first; hour <= last; ++hour) {
      const auto& sum = hours[static_cast<std::size_t>(hour)];
      if (sum.calls == 0) continue;
      take({first_hour_ + hour, parts->who, credits::from_micro(sum.micro), sum.calls, sum.used,
            sum.billed_us});
    }
  }
}

std::string day_summary::pack() const {
  std::string text{summary_version};
  for (const auto& [who, hours] : sums_) {
    text.append("=").append(who) += '\n';
    for (std::size_t hour = 0; hour < hours.size(); ++hour) {
      const auto& sum = hours[hour];
      if (sum.calls == 0) continue;
      for (const auto number : {static_cast<std::int64_t>(hour), sum.micro, sum.calls}) {
        text.append(std::to_string(number)) += ' ';
      }
      text += std::to_string(sum.used);
      if (sum.billed_us != 0) text.append(" ").append(std::to_string(sum.billed_us));
      text += '\n';
    }
  }
  return text;
}

std::optional<day_summary> day_summary::parse(std::int64_t day, std::string_view packed) {
  if (!packed.starts_with(summary_version)) return std::nullopt;
  packed.remove_prefix(summary_version.size());
  day_summary summary{day};
  std::array<amounts, hours_a_day>* hours = nullptr;
  while (!packed.empty()) {
    auto line = take_until(packed, '\n');
    if (line.starts_with('=')) {
      hours = &summary.sums_[std::string{line.substr(1)}];
      continue;
    }
    const auto hour = parse_integer(take_until(line, ' '));
    const auto sum = parse_amounts(line);
    if (hours == nullptr || !hour || *hour < 0 || *hour >= hours_a_day || !sum) return std::nullopt;
    (*hours)[static_cast<std::size_t>(*hour)] = *sum;
  }
  return summary;
}

}  // namespace tollgate::quota::redis
