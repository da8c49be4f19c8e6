#include "quota/redis/plan_store.hpp"

#include <algorithm>

#include <hiredis/hiredis.h>

#include "quota/plan_text.hpp"
#include "quota/redis/account_commands.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view plans_key = "tollgate:plans";
constexpr std::string_view silent_for_ms = "60000";

// Field "plan:NAME" has the terms in force; "sidecar:ID" has a time and a line "NAME\tTERMS" for
// each plan of that sidecar. ARGV: this sidecar, after which time one has no say, 1 if confirmed,
// then NAME and TERMS of each plan. Answers the plans in force, those of this sidecar that are not,
// and the former terms of those that changed.
constexpr std::string_view present_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000
local plans, others = {}, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local kind, name = string.match(all[i], '^(%a+):(.*)$')
  if kind == 'plan' then plans[name] = all[i + 1] end
  if kind == 'sidecar' and name ~= ARGV[1] then
    local seen, lines = string.match(all[i + 1], '^(%d+)\n(.*)$')
    if seen and tonumber(seen) + tonumber(ARGV[2]) > now then
      local has = {}
      for plan, terms in string.gmatch(lines, '([^\t\n]+)\t([^\n]*)\n') do has[plan] = terms end
      others[#others + 1] = has
    else
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
end
local lines, unconfirmed, replaced = {}, {}, {}
for i = 4, #ARGV, 2 do
  local name, terms = ARGV[i], ARGV[i + 1]
  lines[#lines + 1] = name .. '\t' .. terms .. '\n'
  if plans[name] ~= terms then
    local agreed = true
    for _, has in ipairs(others) do agreed = agreed and (not has[name] or has[name] == terms) end
    if agreed or ARGV[3] == '1' or not plans[name] then
      replaced[#replaced + 1] = plans[name]
      plans[name] = terms
      redis.call('HSET', KEYS[1], 'plan:' .. name, terms)
    else
      unconfirmed[#unconfirmed + 1] = name
    end
  end
end
redis.call('HSET', KEYS[1], 'sidecar:' .. ARGV[1], string.format('%d', now) .. '\n' .. table.concat(lines))
local in_force = {}
for _, terms in pairs(plans) do in_force[#in_force + 1] = terms end
return {in_force, unconfirmed, replaced})";

bool append_terms(std::vector<plan_terms>& to, const redisReply& list) {
  for (const auto* each : elements_of(list)) {
    auto terms = parse_plan_terms(text_of(*each));
    if (!terms) return false;
    to.push_back(*std::move(terms));
  }
  return true;
}

store_state refusal_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR) return {store_trouble::none, {}};
  const auto text = text_of(reply);
  if (is_forbidden(text)) {
    return {store_trouble::no_permission, forbidden_text(present_script, text)};
  }
  const auto trouble = read_error_reply(text).trouble;
  return {trouble == store_trouble::none ? store_trouble::other : trouble, std::string{text}};
}

}  // namespace

task<result<presented_plans>> redis_plan_store::present(std::string sidecar,
                                                        std::vector<plan_terms> plans,
                                                        plan_consent consent) {
  std::vector<std::string> command{"EVAL",
                                   std::string{present_script},
                                   "1",
                                   std::string{plans_key},
                                   std::move(sidecar),
                                   std::string{silent_for_ms},
                                   consent == plan_consent::given ? "1" : "0"};
  for (const auto& terms : plans) {
    command.push_back(terms.plan);
    command.push_back(to_text(terms));
  }
  const auto reply = co_await ask_store_whole(connection_, std::move(command));
  if (!reply) co_return reply.error();
  refused_ = refusal_of(**reply);
  if (!refused_.ready()) co_return make_error_code(store_errc::protocol);
  const auto parts = elements_of(**reply);
  presented_plans found;
  const bool readable = parts.size() == 3 && append_terms(found.in_force, *parts[0]) &&
                        append_terms(found.replaced, *parts[2]);
  if (!readable) {
    refused_ = {store_trouble::other, "its plans are not in a form that this version knows"};
    co_return make_error_code(store_errc::protocol);
  }
  std::ranges::sort(found.in_force, {}, &plan_terms::plan);
  for (const auto* name : elements_of(*parts[1])) found.unconfirmed.emplace_back(text_of(*name));
  co_return found;
}

task<result<void>> redis_plan_store::leave(std::string sidecar) {
  std::vector<std::string> command{"HDEL", std::string{plans_key}, "sidecar:" + sidecar};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
