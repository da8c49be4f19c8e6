// Reading usage. The counters of hours are the truth; summaries of days are made from them by
// whoever needs one first, and only read from then on.
#include <algorithm>

#include "quota/redis/day_summary.hpp"
#include "quota/redis/ledger_script.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"

namespace tollgate::quota::redis {

namespace {

// Keys that one call reads; bounds the time that a long usage report keeps Redis from others.
constexpr std::int64_t hours_a_call = 240;
constexpr std::int64_t days_a_call = 64;

// An hour's counters change no more once the store's clock has left it: what comes later is counted
// apart (`late`). An hour more allows for the clock of another node that may have taken over.
constexpr std::int64_t settled_hours = 1;

// Stops when that was much: then the answer has fewer hours than were asked for.
std::string_view usage_script() {
  return "local all, size = {}, 0 for i, key in ipairs(KEYS) do all[i] = redis.call('HGETALL', "
         "key) "
         "size = size + #all[i] if size > 20000 then break end end "
         "return {redis.call('TIME')[1], all}";
}

struct hours_read {
  std::int64_t store_hour;
  std::vector<const redisReply*> hours;

  static std::optional<hours_read> of(const redisReply& reply) {
    const auto parts = elements_of(reply);
    if (parts.size() != 2) return std::nullopt;
    const auto seconds = parse_integer(text_of(*parts[0]));
    auto hours = elements_of(*parts[1]);
    if (!seconds || hours.empty()) return std::nullopt;
    return hours_read{*seconds / 3600, std::move(hours)};
  }
};

std::vector<std::int64_t> hours_between(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> hours;
  for (auto hour = first; hour <= last; ++hour) hours.push_back(hour);
  return hours;
}

std::string day_key(const org_id& org, std::int64_t day) {
  return key_of(org, "usage_day:" + std::to_string(day));
}

bool add_hour(day_summary& summary, std::int64_t hour, const redisReply& counters) {
  const auto flat = elements_of(counters);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    if (!summary.add(hour, text_of(*flat[i]), text_of(*flat[i + 1]))) return false;
  }
  return true;
}

}  // namespace

task<result<reply_ptr>> redis_store::read_hours(const org_id& org,
                                                std::vector<std::int64_t> hours) {
  std::vector<std::string> command{"EVAL", std::string{usage_script()},
                                   std::to_string(hours.size())};
  for (const auto hour : hours) {
    command.push_back(key_of(org, "usage:" + std::to_string(hour)));
  }
  co_return checked(co_await connection_.call(std::move(command)));
}

task<result<std::vector<usage_counter>>> redis_store::late_usage(const org_id& org,
                                                                 std::int64_t first_hour,
                                                                 std::int64_t last_hour) {
  std::vector<std::string> command{"HGETALL", key_of(org, "late")};
  const auto reply = checked(co_await connection_.call(std::move(command)));
  if (!reply) co_return reply.error();
  std::vector<usage_counter> found;
  const auto flat = elements_of(**reply);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    auto counter = parse_late_counter(text_of(*flat[i]), text_of(*flat[i + 1]));
    if (!counter) co_return make_error_code(store_errc::protocol);
    const bool wanted = counter->hour >= first_hour && counter->hour <= last_hour;
    if (wanted) found.push_back(*std::move(counter));
  }
  co_return found;
}

// What is older than the details that are retained is known without agents and conversations. They
// may be dropped while this is read; then it is read once more.
task<result<std::vector<usage_counter>>> redis_store::usage(const org_id& org,
                                                            std::int64_t first_hour,
                                                            std::int64_t last_hour) {
  if (last_hour < first_hour) co_return std::vector<usage_counter>{};
  redis_retention retention{connection_};
  auto kept = co_await retention.what_is_retained(org);
  for (;;) {
    if (!kept) co_return kept.error();
    const auto from = std::clamp(kept->first_hour, first_hour, last_hour + 1);
    std::vector<usage_counter> found;
    if (from > first_hour) {
      auto older = co_await usage_summary(org, first_hour, from - 1);
      if (!older) co_return older.error();
      found = *std::move(older);
    }
    const auto late = co_await late_usage(org, from, last_hour);
    if (!late) co_return late.error();
    found.insert(found.end(), late->begin(), late->end());
    const auto hourly = co_await hourly_usage(org, from, last_hour);
    if (!hourly) co_return hourly.error();
    found.insert(found.end(), hourly->begin(), hourly->end());
    const auto now = co_await retention.what_is_retained(org);
    if (!now) co_return now.error();
    if (now->first_hour <= from || from > last_hour) co_return found;
    kept = now;
  }
}

task<result<std::vector<usage_counter>>> redis_store::hourly_usage(const org_id& org,
                                                                   std::int64_t first_hour,
                                                                   std::int64_t last_hour) {
  std::vector<usage_counter> found;
  for (auto hour = first_hour; hour <= last_hour;) {
    const auto reply =
        co_await read_hours(org, hours_between(hour, std::min(hour + hours_a_call - 1, last_hour)));
    if (!reply) co_return reply.error();
    const auto read = hours_read::of(**reply);
    if (!read) co_return make_error_code(store_errc::protocol);
    for (const auto* each : read->hours) {
      const auto flat = elements_of(*each);
      for (std::size_t j = 0; j + 1 < flat.size(); j += 2) {
        auto counter = parse_counter(hour, text_of(*flat[j]), text_of(*flat[j + 1]));
        if (!counter) co_return make_error_code(store_errc::protocol);
        found.push_back(*std::move(counter));
      }
      ++hour;
    }
  }
  co_return found;
}

task<result<std::vector<usage_counter>>> redis_store::usage_summary(const org_id& org,
                                                                    std::int64_t first_hour,
                                                                    std::int64_t last_hour) {
  auto found = co_await late_usage(org, first_hour, last_hour);
  if (!found) co_return found.error();
  for (auto& counter : *found) counter.who.agent = counter.who.conversation = "";
  const auto summed = co_await summed_usage(org, first_hour, last_hour);
  if (!summed) co_return summed.error();
  found->insert(found->end(), summed->begin(), summed->end());
  co_return found;
}

task<result<std::vector<usage_counter>>> redis_store::summed_usage(const org_id& org,
                                                                   std::int64_t first_hour,
                                                                   std::int64_t last_hour) {
  std::vector<usage_counter> found;
  const auto last_day = day_of(last_hour);
  for (auto day = day_of(first_hour); day <= last_day; day += days_a_call) {
    const auto count = std::min(days_a_call, last_day - day + 1);
    std::vector<std::string> command{"MGET"};
    for (std::int64_t i = 0; i < count; ++i) command.push_back(day_key(org, day + i));
    const auto reply = checked(co_await connection_.call(std::move(command)));
    if (!reply) co_return reply.error();
    const auto kept = elements_of(**reply);
    std::vector<std::int64_t> missing;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const auto this_day = day + static_cast<std::int64_t>(i);
      const auto summary = day_summary::parse(this_day, text_of(*kept[i]));
      if (summary) {
        summary->append_to(found, first_hour, last_hour);
      } else {
        missing.push_back(this_day);
      }
    }
    const auto summed = co_await sum_up(org, std::move(missing), first_hour, last_hour, found);
    if (!summed) co_return summed.error();
  }
  co_return found;
}

// Days without usage leave nothing: to look again costs less than to remember them.
task<result<void>> redis_store::sum_up(const org_id& org, std::vector<std::int64_t> days,
                                       std::int64_t first_hour, std::int64_t last_hour,
                                       std::vector<usage_counter>& found) {
  std::vector<std::int64_t> hours;
  for (const auto day : days) {
    const auto of_day = hours_between(day * hours_a_day, (day + 1) * hours_a_day - 1);
    hours.insert(hours.end(), of_day.begin(), of_day.end());
  }
  std::vector<std::string> keep{"MSET"};
  day_summary summary{0};
  for (std::size_t at = 0; at < hours.size();) {
    const auto some = std::min(hours.size() - at, static_cast<std::size_t>(hours_a_call));
    const auto from = hours.begin() + static_cast<std::ptrdiff_t>(at);
    std::vector<std::int64_t> wanted(from, from + static_cast<std::ptrdiff_t>(some));
    const auto reply = co_await read_hours(org, std::move(wanted));
    if (!reply) co_return reply.error();
    const auto read = hours_read::of(**reply);
    if (!read || read->hours.size() > some) co_return make_error_code(store_errc::protocol);
    for (const auto* counters : read->hours) {
      const auto hour = hours[at++];
      if (hour % hours_a_day == 0) summary = day_summary{day_of(hour)};
      if (!add_hour(summary, hour, *counters)) co_return make_error_code(store_errc::protocol);
      if (hour % hours_a_day != hours_a_day - 1) continue;
      summary.append_to(found, first_hour, last_hour);
      if (summary.empty() || read->store_hour <= hour + settled_hours) continue;
      keep.push_back(day_key(org, day_of(hour)));
      keep.push_back(summary.pack());
    }
  }
  // One that cannot be kept is made again next time.
  if (keep.size() > 1) co_await connection_.call(std::move(keep));
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
