#include "quota/redis/directory.hpp"

#include <algorithm>

#include <hiredis/hiredis.h>

#include "quota/plan_text.hpp"
#include "quota/redis/account_commands.hpp"
#include "quota/redis/due_index.hpp"
#include "quota/redis/hash_pieces.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/stored_time.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view all_orgs = "tollgate:orgs";  // a sorted set without scores: ids in order

std::string key_of_hash(const key_hash& hash) {
  return "tollgate:key:" + hash;
}

// A missing field has its default; a field that cannot be read must not be treated as missing.
result<std::optional<organization>> parse_organization(const org_id& id, const redisReply& flat) {
  if (elements_of(flat).empty()) return std::optional<organization>{};
  organization org;
  org.id = id;
  org.plan = field_of(flat, "plan");
  org.suspended = field_of(flat, "suspended") == "1";
  org.shadow = field_of(flat, "shadow") == "1";
  org.created_at = time_of(field_of(flat, "created"));
  org.stripe_customer = field_of(flat, "stripe_customer");
  if (const auto text = field_of(flat, "options"); !text.empty()) {
    auto options = parse_account_options(text, field_of(flat, "limits"), field_of(flat, "alerts"));
    if (!options) return make_error_code(store_errc::protocol);
    org.options = *std::move(options);
  }
  if (const auto text = field_of(flat, "custom_terms"); !text.empty()) {
    org.custom_terms = parse_plan_terms(text);
    if (!org.custom_terms) return make_error_code(store_errc::protocol);
  }
  return std::optional{std::move(org)};
}

// "CREATED_MS REVOKED_MS HASH NOTE"; REVOKED_MS is 0 for a key that is in force.
std::string pack(const api_key& key, const key_hash& hash) {
  return ms_text(key.created_at) + " " + (key.revoked_at ? ms_text(*key.revoked_at) : "0") + " " +
         hash + " " + key.note;
}

struct stored_key {
  api_key key;
  key_hash hash;
};

stored_key unpack(std::string_view id, std::string_view packed) {
  stored_key stored;
  stored.key.id = id;
  stored.key.created_at = time_of(take_until(packed, ' '));
  const auto revoked = time_of(take_until(packed, ' '));
  if (revoked != time_point{}) stored.key.revoked_at = revoked;
  stored.hash = take_until(packed, ' ');
  stored.key.note = packed;
  return stored;
}

// Answers {1 if it is new, the settings after the change, 1 if they differ from the expected ones
// and nothing was changed, 1 if an event was written}. The ledger needs to know of a suspension
// too: it is written to the account in the same step, and the change is reported like every event
// of the account. KEYS: settings, account, events. ARGV: the expected options, limits and alerts,
// empty for any; the options of an organization that has none; fields and values.
const account_script& change_script() {
  static const account_script script{R"lua(
    local time = redis.call('TIME')
    local now = time[1] .. string.format('%03d', math.floor(time[2] / 1000))
    local options = redis.call('HGET', KEYS[1], 'options') or ARGV[4]
    local limits = redis.call('HGET', KEYS[1], 'limits') or ''
    local alerts = redis.call('HGET', KEYS[1], 'alerts') or ''
    if ARGV[1] ~= '' and (options ~= ARGV[1] or limits ~= ARGV[2] or alerts ~= ARGV[3]) then
      return {0, redis.call('HGETALL', KEYS[1]), 1, 0}
    end
    local told = 0
    local function suspend(value)
      if (redis.call('HGET', KEYS[2], 'suspended') or '0') == value then return end
      redis.call('HSET', KEYS[2], 'suspended', value)
      -- Purchases that waited are looked at by the next that comes by, if only a sweep.
      if value == '0' and redis.call('HEXISTS', KEYS[2], 'plan') == 1 then
        redis.call('HSET', KEYS[2], 'next_due', now)
      end
      redis.call('XADD', KEYS[3], 'MAXLEN', '~', '10000', '*', value == '1' and 'suspended' or 'resumed', '')
      told = 1
    end
    local created = redis.call('HSETNX', KEYS[1], 'created', now)
    for i = 5, #ARGV, 2 do
      redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
      if ARGV[i] == 'suspended' then suspend(ARGV[i + 1]) end
    end
    return {created, redis.call('HGETALL', KEYS[1]), 0, told})lua"};
  return script;
}

}  // namespace

namespace {

std::vector<std::string> keys_of_change(const org_id& org) {
  return {key_of(org, "settings"), key_of(org, "account"), key_of(org, "events")};
}

std::vector<std::string> arguments_of(const organization_change& what) {
  const auto& expected = what.instead_of;
  std::vector<std::string> arguments{
      expected ? to_text(*expected) : "", expected ? limits_text(expected->limits) : "",
      expected ? alerts_text(expected->alerts) : "", to_text(account_options{})};
  const auto set = [&](const char* field, std::string value) {
    arguments.emplace_back(field);
    arguments.push_back(std::move(value));
  };
  if (what.plan) set("plan", *what.plan);
  if (what.suspended) set("suspended", *what.suspended ? "1" : "0");
  if (what.shadow) set("shadow", *what.shadow ? "1" : "0");
  if (what.options) {
    set("options", to_text(*what.options));
    set("limits", limits_text(what.options->limits));
    set("alerts", alerts_text(what.options->alerts));
  }
  if (what.custom_terms) set("custom_terms", to_text(*what.custom_terms));
  if (what.stripe_customer) set("stripe_customer", *what.stripe_customer);
  return arguments;
}

}  // namespace

std::vector<std::string> change_command(const org_id& org, const organization_change& what) {
  return change_command(org, change_script(), keys_of_change(org), arguments_of(what));
}

task<result<std::optional<organization>>> redis_directory::find(const org_id& org) {
  std::vector<std::string> command{"HGETALL", key_of(org, "settings")};
  const auto reply = co_await read_account(connection_, org, std::move(command), reply_size::small);
  if (!reply) co_return reply.error();
  co_return parse_organization(org, **reply);
}

// Listed first: readers skip an organization that is listed and has no settings yet, but an account
// of an unlisted organization would never be swept.
task<result<changed_organization>> redis_directory::change(const org_id& org,
                                                           const organization_change& what) {
  auto keys = keys_of_change(org), arguments = arguments_of(what);
  std::vector<std::string> list{"ZADD", std::string{all_orgs}, "0", org};
  const auto listed = co_await ask_store(connection_, std::move(list));
  if (!listed) co_return listed.error();
  const auto reply = co_await change_account(connection_, org, change_script(), std::move(keys),
                                             std::move(arguments));
  if (!reply) co_return reply.error();
  const auto parts = elements_of(**reply);
  if (parts.size() != 4) co_return make_error_code(store_errc::protocol);
  auto now = parse_organization(org, *parts[1]);
  if (!now) co_return now.error();
  changed_organization changed;
  changed.now = std::move(*now).value_or(organization{});
  changed.created = parts[0]->integer == 1;
  changed.stale = parts[2]->integer == 1;
  changed.told = parts[3]->integer == 1;
  // Somebody looks at the account soon: at purchases that waited, and at the event if this process
  // ends before it has delivered it. Without this entry, a walk finds them.
  if (changed.told) {
    std::vector<std::string> note{"ZADD", std::string{due_keys[0]}, "GT",
                                  ms_text(connection_.clock().now()), org};
    co_await ask_store(connection_, std::move(note));
  }
  co_return changed;
}

task<result<std::vector<org_id>>> redis_directory::ids(std::string after, std::size_t limit) {
  std::vector<std::string> command{
      "ZRANGE", std::string{all_orgs}, after.empty() ? "-" : "(" + after, "+", "BYLEX", "LIMIT",
      "0",      std::to_string(limit)};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  std::vector<org_id> found;
  for (const auto* id : elements_of(**reply)) found.emplace_back(text_of(*id));
  co_return found;
}

// Continues if ids are listed without settings, so that a page that is not full is the last one.
task<result<std::vector<organization>>> redis_directory::list(std::string after,
                                                              std::size_t limit) {
  std::vector<organization> found;
  while (found.size() < limit) {
    const auto page = co_await ids(after, limit - found.size());
    if (!page) co_return page.error();
    if (page->empty()) break;
    for (const auto& id : *page) {
      after = id;
      auto org = co_await find(id);
      // One that cannot be read must not hide the others.
      if (!org && org.error() == store_errc::protocol) continue;
      if (!org) co_return org.error();
      if (*org) found.push_back(**std::move(org));
    }
  }
  co_return found;
}

task<result<void>> redis_directory::add_key(const org_id& org, const api_key& key,
                                            const key_hash& hash) {
  std::vector<std::string> remember{"HSET", key_of(org, "keys"), key.id, pack(key, hash)};
  const auto remembered = co_await change_account(connection_, org, std::move(remember));
  if (!remembered) co_return remembered.error();
  std::vector<std::string> command{"HSET", key_of_hash(hash), "org", org, "id", key.id};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  co_return result<void>{};
}

task<result<std::vector<api_key>>> redis_directory::keys(const org_id& org) {
  std::vector<api_key> found;
  const auto take = [&](std::string_view id, std::string_view packed) {
    found.push_back(unpack(id, packed).key);
    return true;
  };
  read_loan unbounded{nullptr, org};  // administrators make keys
  const auto read =
      co_await read_hash_in_pieces(connection_, org, key_of(org, "keys"), take, unbounded);
  if (!read) co_return read.error();
  std::sort(found.begin(), found.end(), [](const api_key& a, const api_key& b) {
    return std::tie(a.created_at, a.id) < std::tie(b.created_at, b.id);
  });
  co_return found;
}

// The first step disables the key; a crash before the second only leaves the list out of date.
task<result<bool>> redis_directory::revoke_key(const org_id& org, std::string key_id) {
  std::vector<std::string> look{"HGET", key_of(org, "keys"), key_id};
  const auto found = co_await read_account(connection_, org, std::move(look));
  if (!found) co_return failed(found.error());
  if ((*found)->type == REDIS_REPLY_NIL) co_return false;
  auto stored = unpack(key_id, text_of(**found));
  std::vector<std::string> forget{"DEL", key_of_hash(stored.hash)};
  const auto forgotten = co_await ask_store(connection_, std::move(forget));
  if (!forgotten) co_return failed(forgotten.error());
  if (stored.key.revoked_at) co_return true;
  stored.key.revoked_at = system_clock{}.now();
  std::vector<std::string> note{"HSET", key_of(org, "keys"), key_id, pack(stored.key, stored.hash)};
  const auto noted = co_await change_account(connection_, org, std::move(note));
  if (!noted) co_return failed(noted.error());
  co_return true;
}

task<result<std::optional<key_owner>>> redis_directory::find_key(const key_hash& hash) {
  std::vector<std::string> command{"HMGET", key_of_hash(hash), "org", "id"};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  const auto values = elements_of(**reply);
  if (values.size() != 2) co_return make_error_code(store_errc::protocol);
  if (values[0]->type == REDIS_REPLY_NIL) co_return std::optional<key_owner>{};
  key_owner owner;
  owner.org = text_of(*values[0]);
  owner.key_id = text_of(*values[1]);
  const auto org = co_await find(owner.org);
  if (!org) co_return org.error();
  if (*org) {
    owner.shadow = (*org)->shadow;
    owner.suspended = (*org)->suspended;
    owner.plan = (*org)->plan;
  }
  co_return std::optional<key_owner>{std::move(owner)};
}

task<result<account_page>> redis_directory::accounts(std::string from) {
  constexpr std::string_view begin = "tollgate:{", end = "}:account";
  // The brackets match what stands in them. Without them it would be a key of an account.
  std::vector<std::string> command{"SCAN",  from.empty() ? "0" : std::move(from),
                                   "MATCH", "tollgate:[{]*[}]:account",
                                   "COUNT", "500"};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  const auto parts = elements_of(**reply);
  if (parts.size() != 2) co_return make_error_code(store_errc::protocol);
  account_page page;
  page.next = text_of(*parts[0]);
  if (page.next == "0") page.next.clear();
  for (const auto* key : elements_of(*parts[1])) {
    auto id = text_of(*key);
    if (id.size() <= begin.size() + end.size()) continue;
    id = id.substr(begin.size(), id.size() - begin.size() - end.size());
    if (is_valid_org_id(id)) page.orgs.emplace_back(id);
  }
  co_return page;
}

task<result<bool>> redis_directory::is_listed(const org_id& org) {
  std::vector<std::string> command{"ZSCORE", std::string{all_orgs}, org};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return failed(reply.error());
  co_return (*reply)->type != REDIS_REPLY_NIL;
}

}  // namespace tollgate::quota::redis
