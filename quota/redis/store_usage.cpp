// Reading usage. The counters of hours are authoritative. The first reader that needs a summary of
// a day computes it from them; later readers only read the summary.
#include <algorithm>
#include <iterator>
#include <optional>

#include "quota/redis/account_commands.hpp"
#include "quota/redis/day_summary.hpp"
#include "quota/redis/hash_pieces.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "quota/redis/store_hours.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::int64_t days_a_call = 64;
constexpr std::int64_t summary_bytes_a_call = 1024 * 1024;

// An hour's counters no longer change once the store's clock has left it: later usage is counted
// separately (`late`). One more hour allows for the clock of another node after a failover.
constexpr std::int64_t settled_hours = 1;

constexpr std::string_view summary_sizes_script =
    "local sizes = {} for i, key in ipairs(KEYS) do sizes[i] = redis.call('STRLEN', key) end "
    "return sizes";

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

std::vector<std::int64_t> hours_between(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> hours;
  for (auto hour = first; hour <= last; ++hour) hours.push_back(hour);
  return hours;
}

// With its strings, about.
constexpr std::size_t bytes_of_counter = sizeof(usage_counter) + 128;

// There are many counters, and they contain strings: they are moved.
void append(std::vector<usage_counter>& all, std::vector<usage_counter> more) {
  if (all.empty()) return std::swap(all, more);
  all.insert(all.end(), std::move_iterator{more.begin()}, std::move_iterator{more.end()});
}

std::string day_key(const org_id& org, std::int64_t day) {
  return key_of(org, "usage_day:" + std::to_string(day));
}

}  // namespace

task<result<void>> redis_store::each_late(const org_id& org, std::int64_t first_hour,
                                          std::int64_t last_hour, counter_taker take,
                                          read_loan& memory) {
  const auto of_hours = [&](std::string_view who, std::string_view packed) {
    const auto counter = parse_late_counter(who, packed);
    if (!counter) return false;
    if (counter->hour >= first_hour && counter->hour <= last_hour) take(*counter);
    return true;
  };
  co_return co_await read_hash_in_pieces(connection_, org, key_of(org, "late"), of_hours, memory);
}

task<result<std::vector<usage_counter>>> redis_store::late_usage(const org_id& org,
                                                                 std::int64_t first_hour,
                                                                 std::int64_t last_hour) {
  std::vector<usage_counter> found;
  read_loan memory{memory_, org};
  const auto take = [&](const usage_counter& counter) {
    if (memory.grow(bytes_of_counter)) found.push_back(counter);
  };
  const auto read = co_await each_late(org, first_hour, last_hour, take, memory);
  if (!read) co_return read.error();
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
  read_loan memory{memory_, org};
  hours_taker take{[&](std::int64_t hour, std::string_view who, std::string_view packed) {
    if (!memory.grow(bytes_of_counter)) return false;
    auto counter = parse_counter(hour, who, packed);
    if (counter) found.push_back(*std::move(counter));
    return counter.has_value();
  }};
  const auto read = co_await read_hours(org, hours_between(first_hour, last_hour), std::move(take));
  if (memory.refused()) co_return make_error_code(store_errc::no_memory);
  if (!read) co_return read.error();
  co_return found;
}

// Hour by hour, so that a report does not keep the counters. Details that are dropped meanwhile
// change the generation of the usage (usage_generation), by which a reader notices.
task<result<void>> redis_store::each_usage(const org_id& org, std::int64_t first_hour,
                                           std::int64_t last_hour, counter_taker take) {
  redis_retention retention{connection_};
  const auto kept = co_await retention.what_is_retained(org);
  if (!kept) co_return kept.error();
  const auto from = std::clamp(kept->first_hour, first_hour, last_hour + 1);
  if (from > first_hour) {
    const auto older = co_await each_usage_summary(org, first_hour, from - 1, take);
    if (!older) co_return older.error();
  }
  if (from > last_hour) co_return result<void>{};
  {
    read_loan memory{memory_, org};
    const auto late = co_await each_late(org, from, last_hour, take, memory);
    if (!late) co_return late.error();
  }
  hours_taker of_hours{[&](std::int64_t hour, std::string_view who, std::string_view packed) {
    const auto counter = parse_counter(hour, who, packed);
    if (counter) take(*counter);
    return counter.has_value();
  }};
  co_return co_await read_hours(org, hours_between(from, last_hour), std::move(of_hours));
}

task<result<std::vector<usage_counter>>> redis_store::usage_summary(const org_id& org,
                                                                    std::int64_t first_hour,
                                                                    std::int64_t last_hour) {
  std::vector<usage_counter> found;
  const auto take = [&](const usage_counter& counter) { found.push_back(counter); };
  const auto read = co_await each_usage_summary(org, first_hour, last_hour, take);
  if (!read) co_return read.error();
  co_return found;
}

task<result<void>> redis_store::each_usage_summary(const org_id& org, std::int64_t first_hour,
                                                   std::int64_t last_hour, counter_taker take) {
  const auto without_caller = [&](usage_counter counter) {
    counter.who.agent = counter.who.conversation = "";
    take(counter);
  };
  {
    read_loan memory{memory_, org};
    const auto late = co_await each_late(org, first_hour, last_hour, without_caller, memory);
    if (!late) co_return late.error();
  }
  co_return co_await each_summed(org, first_hour, last_hour, std::move(take));
}

// As many of these days in one command as have together about a MiB. A summary grows with the
// combinations of route, model and key.
task<result<void>> redis_store::read_summaries(const org_id& org, std::int64_t first_day,
                                               std::int64_t count, const summary_taker& take) {
  std::vector<std::string> ask{"EVAL", std::string{summary_sizes_script}, std::to_string(count)};
  for (std::int64_t i = 0; i < count; ++i) ask.push_back(day_key(org, first_day + i));
  const auto sizes = co_await read_account(connection_, org, std::move(ask));
  if (!sizes) co_return sizes.error();
  const auto lengths = elements_of(**sizes);
  if (lengths.size() != static_cast<std::size_t>(count))
    co_return make_error_code(store_errc::protocol);
  for (std::int64_t first = 0; first < count;) {
    auto end = first;
    std::vector<std::string> command{"MGET"};
    for (std::int64_t bytes = 0; end < count && (end == first || bytes < summary_bytes_a_call);
         ++end) {
      bytes += lengths[static_cast<std::size_t>(end)]->integer;
      command.push_back(day_key(org, first_day + end));
    }
    const auto reply = co_await read_account(connection_, org, std::move(command));
    if (!reply) co_return reply.error();
    for (const auto* text : elements_of(**reply)) take(first_day + first++, text_of(*text));
    if (first != end) co_return make_error_code(store_errc::protocol);
  }
  co_return result<void>{};
}

task<result<std::vector<usage_counter>>> redis_store::summed_usage(const org_id& org,
                                                                   std::int64_t first_hour,
                                                                   std::int64_t last_hour) {
  std::vector<usage_counter> found;
  const auto take = [&](const usage_counter& counter) { found.push_back(counter); };
  const auto read = co_await each_summed(org, first_hour, last_hour, take);
  if (!read) co_return read.error();
  co_return found;
}

// A day at a time: that bounds the memory.
task<result<void>> redis_store::each_summed(const org_id& org, std::int64_t first_hour,
                                            std::int64_t last_hour, counter_taker take) {
  const auto last_day = day_of(last_hour);
  for (auto day = day_of(first_hour); day <= last_day; day += days_a_call) {
    const auto count = std::min(days_a_call, last_day - day + 1);
    std::vector<std::int64_t> missing;
    bool refused = false;
    const auto take_day = [&](std::int64_t this_day, std::string_view text) {
      read_loan memory{memory_, org};
      refused = refused || !memory.grow(day_summary::bytes_a_packed_byte * text.size());
      if (refused) return;
      const auto summary = day_summary::parse(this_day, text);
      if (summary) {
        summary->each_counter(first_hour, last_hour, take);
      } else {
        missing.push_back(this_day);
      }
    };
    const auto read = co_await read_summaries(org, day, count, take_day);
    if (!read) co_return read.error();
    if (refused) co_return make_error_code(store_errc::no_memory);
    const auto summed = co_await sum_up(org, std::move(missing), first_hour, last_hour, take);
    if (!summed) co_return summed.error();
  }
  co_return result<void>{};
}

// Days without usage store nothing: looking again costs less than remembering them.
task<result<void>> redis_store::sum_up(const org_id& org, std::vector<std::int64_t> days,
                                       std::int64_t first_hour, std::int64_t last_hour,
                                       const counter_taker& taker) {
  std::vector<std::int64_t> hours;
  for (const auto day : days) {
    const auto of_day = hours_between(day * hours_a_day, (day + 1) * hours_a_day - 1);
    hours.insert(hours.end(), of_day.begin(), of_day.end());
  }
  std::vector<std::string> keys{key_of(org, "retained")}, texts;
  read_loan of_texts{memory_, org};
  std::optional<read_loan> of_day;
  day_summary summary{0};
  hours_taker take{[&](std::int64_t hour, std::string_view who, std::string_view packed) {
    if (hour / hours_a_day != summary.day() || !of_day) {
      summary = day_summary{day_of(hour)};
      of_day.emplace(memory_, org);
    }
    const auto before = summary.size();
    if (!summary.add(hour, who, packed)) return false;
    return summary.size() == before || of_day->grow(day_summary::bytes_each + who.size());
  }};
  take.end_of_hour = [&](std::int64_t hour, std::int64_t store_hour) {
    if (hour % hours_a_day != hours_a_day - 1) return;
    if (summary.day() != day_of(hour) || summary.empty()) return;
    summary.each_counter(first_hour, last_hour, taker);
    if (store_hour <= hour + settled_hours) return;
    keys.push_back(day_key(org, day_of(hour)));
    texts.push_back(std::to_string(day_of(hour)));
    texts.push_back(summary.pack());
    of_texts.grow(texts.back().size());
  };
  const auto read = co_await read_hours(org, std::move(hours), std::move(take));
  if (of_texts.refused() || (of_day && of_day->refused()))
    co_return make_error_code(store_errc::no_memory);
  if (!read) co_return read.error();
  if (texts.empty()) co_return result<void>{};
  // A summary that cannot be stored is computed again next time.
  co_await change_account(connection_, org, keep_summaries_script(), std::move(keys),
                          std::move(texts));
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
