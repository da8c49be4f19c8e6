// Reading usage. The counters of hours are authoritative. The first reader that needs a summary of
// a day computes it from them; later readers only read the summary.
#include <algorithm>
#include <iterator>

#include "quota/redis/account_commands.hpp"
#include "quota/redis/day_summary.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"

namespace tollgate::quota::redis {

namespace {

// The number of keys that one call reads, and of counters after which it reads no further hour.
// They bound the memory in use at a time, and how long a long usage report blocks Redis for others.
constexpr std::size_t hours_a_call = 240;
constexpr std::int64_t counters_a_call = 10'000;
constexpr std::int64_t days_a_call = 64;

// An hour's counters no longer change once the store's clock has left it: later usage is counted
// separately (`late`). One more hour allows for the clock of another node after a failover.
constexpr std::int64_t settled_hours = 1;

// The number of counters of each hour, and the store's time. The counters themselves do not pass
// through Lua, where each would cost three times as much.
constexpr std::string_view hour_sizes_script =
    "local sizes = {} for i, key in ipairs(KEYS) do sizes[i] = redis.call('HLEN', key) end "
    "return {redis.call('TIME')[1], sizes}";

struct hour_sizes {
  std::int64_t store_hour;
  std::vector<std::int64_t> sizes;

  static std::optional<hour_sizes> of(const redisReply& reply, std::size_t count) {
    const auto parts = elements_of(reply);
    if (parts.size() != 2) return std::nullopt;
    const auto seconds = parse_integer(text_of(*parts[0]));
    const auto lengths = elements_of(*parts[1]);
    if (!seconds || lengths.size() != count) return std::nullopt;
    hour_sizes found{*seconds / 3600, {}};
    for (const auto* length : lengths) {
      if (length->type != REDIS_REPLY_INTEGER) return std::nullopt;
      found.sizes.push_back(length->integer);
    }
    return found;
  }
};

// Stores summaries of days that still have their hours. The other days already have one, which may
// have been merged further since this one was computed. KEYS: retained, summaries; ARGV: day and
// text of each.
const account_script& keep_summaries_script() {
  static const account_script script{
      "local from = tonumber(redis.call('HGET', KEYS[1], 'hour') or '0') "
      "for i = 2, #KEYS do if tonumber(ARGV[2 * i - 3]) * 24 >= from then "
      "redis.call('SET', KEYS[i], ARGV[2 * i - 2]) end end"};
  return script;
}

std::string hour_key(const org_id& org, std::int64_t hour) {
  return key_of(org, "usage:" + std::to_string(hour));
}

std::vector<std::int64_t> hours_between(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> hours;
  for (auto hour = first; hour <= last; ++hour) hours.push_back(hour);
  return hours;
}

// There are many counters, and they contain strings: they are moved.
void append(std::vector<usage_counter>& all, std::vector<usage_counter> more) {
  if (all.empty()) return std::swap(all, more);
  all.insert(all.end(), std::move_iterator{more.begin()}, std::move_iterator{more.end()});
}

std::string day_key(const org_id& org, std::int64_t day) {
  return key_of(org, "usage_day:" + std::to_string(day));
}

bool add_hour(day_summary& summary, std::int64_t hour, const std::vector<const redisReply*>& flat) {
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    if (!summary.add(hour, text_of(*flat[i]), text_of(*flat[i + 1]))) return false;
  }
  return true;
}

}  // namespace

struct redis_store::hours_read {
  std::int64_t store_hour = 0;     // read before the counters
  std::vector<reply_ptr> replies;  // null if the hour has no counters

  std::vector<const redisReply*> counters(std::size_t hour) const {
    return replies[hour] ? elements_of(*replies[hour]) : std::vector<const redisReply*>{};
  }
};

task<result<redis_store::hours_read>> redis_store::read_hours(const org_id& org,
                                                              std::span<const std::int64_t> hours) {
  hours = hours.first(std::min(hours.size(), hours_a_call));
  std::vector<std::string> ask{"EVAL", std::string{hour_sizes_script},
                               std::to_string(hours.size())};
  for (const auto hour : hours) ask.push_back(hour_key(org, hour));
  const auto reply = co_await read_account(connection_, org, std::move(ask));
  if (!reply) co_return reply.error();
  const auto found = hour_sizes::of(**reply, hours.size());
  if (!found) co_return make_error_code(store_errc::protocol);

  std::vector<std::vector<std::string>> commands;
  std::vector<std::size_t> asked;
  std::int64_t counters = 0;
  std::size_t count = 0;
  for (; count < hours.size() && counters < counters_a_call; ++count) {
    if (found->sizes[count] == 0) continue;
    counters += found->sizes[count];
    commands.push_back({"HGETALL", hour_key(org, hours[count])});
    asked.push_back(count);
  }
  auto replies = co_await read_account_with(connection_, org, std::move(commands));
  if (!replies) co_return replies.error();
  hours_read read;
  read.store_hour = found->store_hour;
  read.replies.resize(count);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto& one = (*replies)[i];
    if (one->type != REDIS_REPLY_ARRAY) co_return make_error_code(store_errc::protocol);
    read.replies[asked[i]] = std::move(one);
  }
  co_return read;
}

task<result<std::vector<usage_counter>>> redis_store::late_usage(const org_id& org,
                                                                 std::int64_t first_hour,
                                                                 std::int64_t last_hour) {
  std::vector<std::string> command{"HGETALL", key_of(org, "late")};
  const auto reply = co_await read_account(connection_, org, std::move(command));
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

// Usage older than the retained details is known without agents and conversations. Details may be
// dropped during the read; then it is read once more.
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
    auto late = co_await late_usage(org, from, last_hour);
    if (!late) co_return late.error();
    append(found, *std::move(late));
    auto hourly = co_await hourly_usage(org, from, last_hour);
    if (!hourly) co_return hourly.error();
    append(found, *std::move(hourly));
    const auto now = co_await retention.what_is_retained(org);
    if (!now) co_return now.error();
    if (now->first_hour <= from || from > last_hour) co_return found;
    kept = now;
  }
}

task<result<std::string>> redis_store::usage_generation(const org_id& org, std::int64_t first_hour,
                                                        std::int64_t last_hour) {
  using generation = result<std::string>;
  redis_retention retention{connection_};
  const auto kept = co_await retention.what_is_retained(org);
  if (!kept) co_return generation{boost::system::in_place_error, kept.error()};
  // Moves outside the hours that are read make no difference to them. A month is merged into its
  // first day, so everything is compared by month.
  constexpr std::int64_t month = 31 * 24;
  const auto within = [&](std::int64_t hour) {
    const auto low = std::min(first_hour, last_hour) - month, high = last_hour + month;
    return std::to_string(std::clamp(hour, low, high));
  };
  co_return generation{boost::system::in_place_value, within(kept->first_hour) + ' ' +
                                                          within(kept->hours_from * 24) + ' ' +
                                                          within(kept->days_from * 24)};
}

task<result<std::int64_t>> redis_store::callers_known_from(const org_id& org) {
  redis_retention retention{connection_};
  const auto kept = co_await retention.what_is_retained(org);
  if (!kept) co_return kept.error();
  co_return kept->first_hour;
}

task<result<std::vector<usage_counter>>> redis_store::hourly_usage(const org_id& org,
                                                                   std::int64_t first_hour,
                                                                   std::int64_t last_hour) {
  std::vector<usage_counter> found;
  const auto hours = hours_between(first_hour, last_hour);
  for (std::span<const std::int64_t> left{hours}; !left.empty();) {
    const auto read = co_await read_hours(org, left);
    if (!read) co_return read.error();
    for (std::size_t i = 0; i < read->replies.size(); ++i) {
      const auto flat = read->counters(i);
      for (std::size_t j = 0; j + 1 < flat.size(); j += 2) {
        auto counter = parse_counter(left[i], text_of(*flat[j]), text_of(*flat[j + 1]));
        if (!counter) co_return make_error_code(store_errc::protocol);
        found.push_back(*std::move(counter));
      }
    }
    left = left.subspan(read->replies.size());
  }
  co_return found;
}

task<result<std::vector<usage_counter>>> redis_store::usage_summary(const org_id& org,
                                                                    std::int64_t first_hour,
                                                                    std::int64_t last_hour) {
  auto found = co_await late_usage(org, first_hour, last_hour);
  if (!found) co_return found.error();
  for (auto& counter : *found) counter.who.agent = counter.who.conversation = "";
  auto summed = co_await summed_usage(org, first_hour, last_hour);
  if (!summed) co_return summed.error();
  append(*found, *std::move(summed));
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
    const auto reply = co_await read_account(connection_, org, std::move(command));
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

// Days without usage store nothing: looking again costs less than remembering them.
task<result<void>> redis_store::sum_up(const org_id& org, std::vector<std::int64_t> days,
                                       std::int64_t first_hour, std::int64_t last_hour,
                                       std::vector<usage_counter>& found) {
  std::vector<std::int64_t> hours;
  for (const auto day : days) {
    const auto of_day = hours_between(day * hours_a_day, (day + 1) * hours_a_day - 1);
    hours.insert(hours.end(), of_day.begin(), of_day.end());
  }
  std::vector<std::string> keys{key_of(org, "retained")}, texts;
  day_summary summary{0};
  for (std::span<const std::int64_t> left{hours}; !left.empty();) {
    const auto read = co_await read_hours(org, left);
    if (!read) co_return read.error();
    for (std::size_t i = 0; i < read->replies.size(); ++i) {
      const auto hour = left[i];
      if (hour % hours_a_day == 0) summary = day_summary{day_of(hour)};
      if (!add_hour(summary, hour, read->counters(i))) {
        co_return make_error_code(store_errc::protocol);
      }
      if (hour % hours_a_day != hours_a_day - 1) continue;
      summary.append_to(found, first_hour, last_hour);
      if (summary.empty() || read->store_hour <= hour + settled_hours) continue;
      keys.push_back(day_key(org, day_of(hour)));
      texts.push_back(std::to_string(day_of(hour)));
      texts.push_back(summary.pack());
    }
    left = left.subspan(read->replies.size());
  }
  if (texts.empty()) co_return result<void>{};
  // A summary that cannot be stored is computed again next time.
  co_await change_account(connection_, org, keep_summaries_script(), std::move(keys),
                          std::move(texts));
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
