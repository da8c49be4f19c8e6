#include "quota/redis/retention.hpp"

#include "quota/ledger/entry_id.hpp"
#include "quota/redis/account_commands.hpp"
#include "quota/redis/coarse_usage.hpp"
#include "quota/redis/day_summary.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view most_elements = "5000";  // dropped in one call
constexpr std::string_view id_key = "tollgate:store_id";

// Whether it is the whole ledger, Redis knows: it counts what was ever added to a stream. Earlier
// versions recorded a start of the ledger although nothing had been dropped.
constexpr std::string_view dropped_through_function = R"(
local function dropped_through(ledger, retained)
  local recorded = redis.call('HGET', retained, 'entries')
  if not recorded then return '0-0' end
  if redis.call('EXISTS', ledger) == 0 then return recorded end
  local flat, info = redis.call('XINFO', 'STREAM', ledger), {}
  for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
  if info['entries-added'] == info['length'] then return '0-0' end
  return recorded
end
)";

// KEYS ledger retained.
const std::string& retained_script() {
  static const std::string script{std::string{dropped_through_function} + R"(
local found = redis.call('HMGET', KEYS[2], 'hour', 'day', 'hours_from', 'days_from')
table.insert(found, 1, dropped_through(KEYS[1], KEYS[2]))
return found)"};
  return script;
}

// KEYS ledger retained; ARGV: the element that becomes the first, the last position before it, the
// most elements. The new start of the ledger is recorded before anything is dropped, never moves
// back, and stays as it is if nothing is that old. Whole nodes of the stream are dropped first; the
// rest, which is less than a node, last.
const account_script& drop_entries_script() {
  static const account_script script{R"(
local function is_before(a, b)
  local ms, number = string.match(a, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(b, '^(%d+)-(%d+)$')
  ms, number, other_ms, other_number = tonumber(ms), tonumber(number), tonumber(other_ms), tonumber(other_number)
  return ms < other_ms or (ms == other_ms and number < other_number)
end
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not oldest or not is_before(oldest[1], ARGV[1]) then return 0 end
if is_before(redis.call('HGET', KEYS[2], 'entries') or '0-0', ARGV[2]) then
  redis.call('HSET', KEYS[2], 'entries', ARGV[2])
end
local dropped = redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[1], 'LIMIT', ARGV[3])
if dropped > 0 then return dropped end
return redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[1]))"};
  return script;
}

// KEYS retained, the day's summary, its hours; ARGV: the first hour after it.
const account_script& drop_usage_script() {
  static const account_script script{R"(
if redis.call('EXISTS', KEYS[2]) == 0 then
  for i = 3, #KEYS do
    if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
  end
end
local known = tonumber(redis.call('HGET', KEYS[1], 'hour') or '0')
if tonumber(ARGV[1]) > known then redis.call('HSET', KEYS[1], 'hour', ARGV[1]) end
redis.call('UNLINK', unpack(KEYS, 3))
return 1)"};
  return script;
}

// KEYS retained, summaries of days; ARGV: the known hours_from and days_from, their new values,
// then the text of each summary, empty if none is left. A caller whose summaries another one has
// merged since it read them writes nothing.
const account_script& coarsen_script() {
  static const account_script script{R"(
local known = redis.call('HMGET', KEYS[1], 'hours_from', 'days_from')
if (known[1] or '0') ~= ARGV[1] or (known[2] or '0') ~= ARGV[2] then return 0 end
for i = 2, #KEYS do
  if ARGV[i + 3] == '' then redis.call('UNLINK', KEYS[i]) else redis.call('SET', KEYS[i], ARGV[i + 3]) end
end
redis.call('HSET', KEYS[1], 'hours_from', ARGV[3], 'days_from', ARGV[4])
return 1)"};
  return script;
}

std::string summary_key(const org_id& org, std::int64_t day) {
  return key_of(org, "usage_day:" + std::to_string(day));
}

}  // namespace

std::string_view dropped_through_lua() {
  return dropped_through_function;
}

task<result<retained>> redis_retention::what_is_retained(const org_id& org) {
  std::vector<std::string> command{"EVAL", retained_script(), "2", key_of(org, "ledger"),
                                   key_of(org, "retained")};
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  const auto values = elements_of(**reply);
  if (values.size() != 5) co_return make_error_code(store_errc::protocol);
  retained found;
  found.dropped_through = text_of(*values[0]);
  bool makes_sense = parse_entry_id(found.dropped_through).has_value();
  auto* numbers = &values[1];
  for (auto* number : {&found.first_hour, &found.next_day, &found.hours_from, &found.days_from}) {
    const auto text = text_of(**numbers++);
    if (!text.empty()) *number = parse_integer(text).value_or(-1);
    makes_sense = makes_sense && *number >= 0;
  }
  if (!makes_sense) co_return make_error_code(store_errc::protocol);
  co_return found;
}

task<result<std::string>> redis_retention::store_id() {
  using found = result<std::string>;
  std::vector<std::string> command{"GET", std::string{id_key}};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return found{boost::system::in_place_error, reply.error()};
  co_return found{boost::system::in_place_value, text_of(**reply)};
}

// The first caller names the store, permanently.
task<result<std::string>> redis_retention::name_store(std::string fresh) {
  std::vector<std::string> command{"SET", std::string{id_key}, std::move(fresh), "NX"};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return result<std::string>{boost::system::in_place_error, reply.error()};
  co_return co_await store_id();
}

task<result<bool>> redis_retention::drop_entries(const org_id& org, std::string first) {
  const auto element = element_of(first);
  const auto id = element ? parse_entry_id(*element) : std::nullopt;
  if (!id) co_return failed(store_errc::protocol);
  // Right before the first position that the element could contain.
  const auto last_dropped =
      id->sequence > 0 ? entry_id{id->ms, id->sequence * max_entries_together - 1}
                       : entry_id{id->ms - 1, max_entries_together * max_entries_together - 1};
  std::vector<std::string> keys{key_of(org, "ledger"), key_of(org, "retained")};
  std::vector<std::string> arguments{*element, to_string(last_dropped), std::string{most_elements}};
  const auto reply = co_await change_account(connection_, org, drop_entries_script(),
                                             std::move(keys), std::move(arguments));
  if (!reply) co_return failed(reply.error());
  co_return (*reply)->integer == 0;
}

task<result<void>> redis_retention::remember_summed(const org_id& org, std::int64_t next_day) {
  std::vector<std::string> command{"HSET", key_of(org, "retained"), "day",
                                   std::to_string(next_day)};
  const auto reply = co_await change_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  co_return result<void>{};
}

task<result<bool>> redis_retention::drop_usage_detail(const org_id& org, std::int64_t day) {
  const auto first_hour = day * hours_a_day;
  std::vector<std::string> keys{key_of(org, "retained"), summary_key(org, day)};
  for (auto hour = first_hour; hour < first_hour + hours_a_day; ++hour) {
    keys.push_back(key_of(org, "usage:" + std::to_string(hour)));
  }
  std::vector<std::string> arguments{std::to_string(first_hour + hours_a_day)};
  const auto reply = co_await change_account(connection_, org, drop_usage_script(), std::move(keys),
                                             std::move(arguments));
  if (!reply) co_return failed(reply.error());
  co_return (*reply)->integer == 1;
}

task<result<bool>> redis_retention::coarsen_usage(const org_id& org, coarsening what,
                                                  const retained& known) {
  std::vector<std::string> ask{"MGET"};
  for (auto day = what.first_day; day < what.end_day; ++day) ask.push_back(summary_key(org, day));
  const auto reply = co_await read_account(connection_, org, std::move(ask));
  if (!reply) co_return failed(reply.error());
  std::vector<day_summary> days;
  auto day = what.first_day;
  for (const auto* kept : elements_of(**reply)) {
    const auto text = text_of(*kept);
    auto summary = day_summary::parse(day++, text);
    if (!summary && !text.empty()) co_return failed(store_errc::protocol);
    if (summary) days.push_back(*std::move(summary));
  }
  const auto sums = coarsened(days, what);

  auto then = known;
  (what.by == usage_grain::day ? then.hours_from : then.days_from) = what.end_day;
  std::vector<std::string> keys{key_of(org, "retained")}, arguments;
  for (day = what.first_day; day < what.end_day; ++day) keys.push_back(summary_key(org, day));
  for (const auto number : {known.hours_from, known.days_from, then.hours_from, then.days_from}) {
    arguments.push_back(std::to_string(number));
  }
  for (day = what.first_day; day < what.end_day; ++day) {
    const auto sum = sums.find(day);
    arguments.push_back(sum == sums.end() ? "" : sum->second.pack());
  }
  const auto done = co_await change_account(connection_, org, coarsen_script(), std::move(keys),
                                            std::move(arguments));
  if (!done) co_return failed(done.error());
  co_return (*done)->integer == 1;
}

}  // namespace tollgate::quota::redis
