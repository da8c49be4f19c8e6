// Reads the counters of hours, in the order of hours.
#include "quota/redis/store_hours.hpp"

#include <algorithm>

#include "quota/redis/account_commands.hpp"
#include "quota/redis/hash_pieces.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

// The number of hours whose sizes one call asks for, and of counters after which one write asks for
// no further hour. They bound the memory in use at a time, and how long a usage report keeps Redis
// from other connections. An hour with more counters than a piece is read in pieces.
constexpr std::size_t hours_a_call = 240;
constexpr std::int64_t counters_a_write = 2'000;

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

std::string hour_key(const org_id& org, std::int64_t hour) {
  return key_of(org, "usage:" + std::to_string(hour));
}

}  // namespace

struct redis_store::sized_hours {
  std::span<const std::int64_t> hours, sizes;
  std::int64_t store_hour = 0;

  bool is_large(std::size_t i) const {
    return sizes[i] > static_cast<std::int64_t>(fields_a_piece);
  }
  // The first hours that fit into one write: at least one.
  std::size_t fit_together() const {
    std::int64_t counters = 0;
    std::size_t count = 0;
    while (count < hours.size() && counters < counters_a_write && !is_large(count)) {
      counters += sizes[count++];
    }
    return std::max<std::size_t>(count, 1);
  }
  sized_hours first(std::size_t count) const {
    return {hours.first(count), sizes.first(count), store_hour};
  }
  sized_hours after(std::size_t count) const {
    return {hours.subspan(count), sizes.subspan(count), store_hour};
  }
};

// Small hours together: each in one command, none for empty ones.
task<result<void>> redis_store::read_small_hours(const org_id& org, sized_hours some,
                                                 const hours_taker& take) {
  std::vector<std::vector<std::string>> commands;
  for (std::size_t i = 0; i < some.hours.size(); ++i) {
    if (some.sizes[i] > 0) commands.push_back({"HGETALL", hour_key(org, some.hours[i])});
  }
  const auto replies = co_await read_account_with(connection_, org, std::move(commands));
  if (!replies) co_return replies.error();
  auto reply = replies->begin();
  for (std::size_t i = 0; i < some.hours.size(); ++i) {
    if (some.sizes[i] > 0) {
      if ((*reply)->type != REDIS_REPLY_ARRAY) co_return make_error_code(store_errc::protocol);
      const auto flat = elements_of(**reply++);
      for (std::size_t j = 0; j + 1 < flat.size(); j += 2) {
        if (!take.counter(some.hours[i], text_of(*flat[j]), text_of(*flat[j + 1]))) {
          co_return make_error_code(store_errc::protocol);
        }
      }
    }
    take.end_of_hour(some.hours[i], some.store_hour);
  }
  co_return result<void>{};
}

task<result<void>> redis_store::read_large_hour(const org_id& org, sized_hours one,
                                                const hours_taker& take) {
  const auto hour = one.hours.front();
  const auto of_hour = [&](std::string_view who, std::string_view packed) {
    return take.counter(hour, who, packed);
  };
  read_loan memory{memory_, org};
  const auto read =
      co_await read_hash_in_pieces(connection_, org, hour_key(org, hour), of_hour, memory);
  if (read) take.end_of_hour(hour, one.store_hour);
  co_return read;
}

task<result<void>> redis_store::read_hours(const org_id& org, std::vector<std::int64_t> all,
                                           hours_taker take) {
  for (std::span<const std::int64_t> left{all}; !left.empty();) {
    const auto hours = left.first(std::min(left.size(), hours_a_call));
    left = left.subspan(hours.size());
    std::vector<std::string> ask{"EVAL", std::string{hour_sizes_script},
                                 std::to_string(hours.size())};
    for (const auto hour : hours) ask.push_back(hour_key(org, hour));
    const auto reply = co_await read_account(connection_, org, std::move(ask));
    if (!reply) co_return reply.error();
    const auto found = hour_sizes::of(**reply, hours.size());
    if (!found) co_return make_error_code(store_errc::protocol);
    for (sized_hours rest{hours, found->sizes, found->store_hour}; !rest.hours.empty();) {
      const auto some = rest.first(rest.fit_together());
      rest = rest.after(some.hours.size());
      // Awaited outside the conditional: GCC 12 destroys both branches of a conditional with
      // co_await.
      auto reading =
          some.is_large(0) ? read_large_hour(org, some, take) : read_small_hours(org, some, take);
      const auto read = co_await std::move(reading);
      if (!read) co_return read.error();
    }
  }
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
