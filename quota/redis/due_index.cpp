#include "quota/redis/due_index.hpp"

#include <hiredis/hiredis.h>

#include "quota/redis/account_commands.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/stored_time.hpp"

namespace tollgate::quota::redis {

namespace {

// KEYS: the three lists. ARGV: the most of each; how many lists are asked for. Answers LIST, ORG
// and score of each entry.
constexpr std::string_view due_script = R"(
local time, found = redis.call('TIME'), {}
local now = time[1] .. string.format('%03d', math.floor(time[2] / 1000))
for i = 1, tonumber(ARGV[2]) do
  local due = redis.call('ZRANGE', KEYS[i], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
  for j = 1, #due, 2 do
    local at = #found
    found[at + 1], found[at + 2], found[at + 3] = i - 1, due[j], string.format('%d', due[j + 1])
  end
end
return found)";

// KEYS: the three lists. ARGV of each look: LIST, ORG, the score at which it was found, when it is
// due next (empty: never), 1 if it has open top-ups, when to visit those again. An account that had
// an operation meanwhile has another score in `recent`. A look from `top_ups` proves nothing about
// `later`: operations do not change the score in `top_ups`.
constexpr std::string_view looked_script = R"(
for i = 1, #ARGV, 6 do
  local list, org, found, next, open, visit = unpack(ARGV, i, i + 5)
  local key = KEYS[list + 1]
  local score = redis.call('ZSCORE', key, org)
  if score and string.format('%d', score) == found then
    redis.call('ZREM', key, org)
    if list ~= '2' then
      if next ~= '' then redis.call('ZADD', KEYS[2], next, org) else redis.call('ZREM', KEYS[2], org) end
    end
    if open == '1' then redis.call('ZADD', KEYS[3], visit, org) end
  end
end)";

// The same for accounts of a walk, which removes nothing. An entry far in the future is one from
// before the clock was set back.
constexpr std::string_view walked_script = R"(
local time = redis.call('TIME')
local far = (time[1] + 60) * 1000
for i = 1, #ARGV, 6 do
  local org, next, open, visit = ARGV[i + 1], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local recent = redis.call('ZSCORE', KEYS[1], org)
  if recent and tonumber(recent) > far then
    redis.call('ZADD', KEYS[1], string.format('%d', far), org)
  end
  if next ~= '' then redis.call('ZADD', KEYS[2], next, org) end
  if open == '1' then redis.call('ZADD', KEYS[3], 'LT', visit, org) end
end)";

std::vector<std::string> command_of(std::string_view script) {
  std::vector<std::string> command{"EVAL", std::string{script}, "3"};
  for (const auto key : due_keys) command.emplace_back(key);
  return command;
}

}  // namespace

task<result<std::vector<due_account>>> redis_due_index::due(std::size_t limit, bool with_top_ups) {
  auto command = command_of(due_script);
  command.push_back(std::to_string(limit));
  command.emplace_back(with_top_ups ? "3" : "2");
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  std::vector<due_account> found;
  const auto parts = elements_of(**reply);
  for (std::size_t i = 0; i + 2 < parts.size(); i += 3) {
    const auto noted = parse_integer(text_of(*parts[i + 2]));
    const auto list = parts[i]->integer;
    if (!noted || list < 0 || list > 2) co_return make_error_code(store_errc::protocol);
    found.push_back({org_id{text_of(*parts[i + 1])}, static_cast<due_list>(list), *noted});
  }
  co_return found;
}

task<result<void>> redis_due_index::note(std::string_view script, std::vector<account_look> looks) {
  if (looks.empty()) co_return result<void>{};
  auto command = command_of(script);
  const auto ms_or_empty = [](const std::optional<time_point>& at) {
    return at ? ms_text(*at) : std::string{};
  };
  for (const auto& look : looks) {
    command.push_back(std::to_string(static_cast<int>(look.account.from)));
    command.push_back(look.account.org);
    command.push_back(std::to_string(look.account.noted_ms));
    command.push_back(ms_or_empty(look.next));
    command.emplace_back(look.open_top_ups ? "1" : "0");
    command.push_back(ms_or_empty(look.next_visit));
  }
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  co_return result<void>{};
}

task<result<void>> redis_due_index::looked(std::vector<account_look> looks) {
  co_return co_await note(looked_script, std::move(looks));
}

task<result<void>> redis_due_index::walked(std::vector<account_look> looks) {
  co_return co_await note(walked_script, std::move(looks));
}

task<result<bool>> redis_due_index::claim_walk(milliseconds every) {
  std::vector<std::string> command{"SET", std::string{walked_key},      "1", "NX",
                                   "PX",  std::to_string(every.count())};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return failed(reply.error());
  co_return (*reply)->type != REDIS_REPLY_NIL;
}

}  // namespace tollgate::quota::redis
