#include "quota/redis/webhook_store.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <hiredis/hiredis.h>

#include "quota/ledger/entry_id.hpp"
#include "quota/redis/account_commands.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/stored_time.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view webhooks_script =
#include "webhooks_lua.inc"
    ;
constexpr std::string_view webhook_orgs = "tollgate:webhook_orgs";  // a sorted set: ids in order

std::string letters_key(const org_id& org, std::string_view id) {
  return key_of(org, "dead_letters:" + std::string{id});
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : " ").append(word);
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) out.emplace_back(take_until(text, separator));
  return out;
}

// Lines "UNTIL_MS SINCE_MS TEXT KEY", the first one without a key. Secrets that have ended are left
// out.
std::vector<webhook_secret> parse_secrets(std::string_view text, time_point now) {
  std::vector<webhook_secret> out;
  while (!text.empty()) {
    auto line = take_until(text, '\n');
    webhook_secret secret;
    secret.until = time_of(take_until(line, ' '));
    secret.since = time_of(take_until(line, ' '));
    secret.text = take_until(line, ' ');
    secret.key = line;
    if (secret.until == time_point{} || secret.until > now) out.push_back(std::move(secret));
  }
  return out;
}

void read_field(webhook_endpoint& out, std::string_view field, std::string_view text,
                time_point now) {
  const auto number = parse_integer(text).value_or(0);
  if (field == "url") out.url = text;
  if (field == "description") out.description = text;
  if (field == "events") out.events = split(text, ' ');
  if (field == "secrets") out.secrets = parse_secrets(text, now);
  if (field == "created") out.created_at = time_of(text);
  if (field == "disabled") out.disabled = text;
  if (field == "since") out.since = time_of(text);
  if (field == "cursor") out.cursor = text;
  if (field == "leased_until") out.leased_until = time_of(text);
  if (field == "next_at") out.next_at = time_of(text);
  if (field == "attempts") out.attempts = number;
  if (field == "last_at") out.last.at = time_of(text);
  if (field == "last_status") out.last.status = static_cast<int>(number);
  if (field == "last_error") out.last.error = text;
}

// The answer to a verb, as the script writes it.
struct script_answer {
  explicit script_answer(const redisReply& reply) : parts{elements_of(reply)} {}

  bool valid() const {
    return parts.size() == 5 && parts[0]->integer >= 0 &&
           parts[0]->integer <= static_cast<long long>(webhook_outcome::exists);
  }
  webhook_outcome outcome() const { return static_cast<webhook_outcome>(parts[0]->integer); }
  time_point now() const { return time_of(text_of(*parts[1])); }
  webhook_overview overview() const;
  bool forgotten() const { return parts[4]->integer == 1; }

  std::vector<const redisReply*> parts;
};

// Fields are "ENDPOINT FIELD".
webhook_overview script_answer::overview() const {
  webhook_overview out;
  out.now = now();
  out.last_event = text_of(*parts[3]);
  std::map<std::string, webhook_endpoint, std::less<>> found;
  const auto flat = elements_of(*parts[2]);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    auto field = text_of(*flat[i]);
    std::string id{take_until(field, ' ')};
    read_field(found[std::move(id)], field, text_of(*flat[i + 1]), out.now);
  }
  for (auto& [id, endpoint] : found) {
    endpoint.id = id;
    out.endpoints.push_back(std::move(endpoint));
  }
  const auto age = [](const auto& each) { return std::tie(each.created_at, each.id); };
  std::ranges::sort(out.endpoints, {}, age);
  return out;
}

dead_letter parse_letter(const redisReply& element) {
  dead_letter letter;
  const auto parts = elements_of(element);
  if (parts.size() != 2) return letter;
  const auto& flat = *parts[1];
  letter.event = text_of(*parts[0]);
  letter.body = field_of(flat, "body");
  letter.attempts = parse_integer(field_of(flat, "attempts")).value_or(0);
  letter.last.at = time_of(field_of(flat, "at"));
  letter.last.status = static_cast<int>(parse_integer(field_of(flat, "status")).value_or(0));
  letter.last.error = field_of(flat, "error");
  return letter;
}

}  // namespace

task<result<reply_ptr>> redis_webhook_store::run(org_id org, std::string verb, std::string id,
                                                 arguments more) {
  static const account_script script{webhooks_script};
  std::vector<std::string> keys{key_of(org, "webhooks"), key_of(org, "events"),
                                letters_key(org, id)};
  more.insert(more.begin(), {std::move(verb), std::move(id)});
  auto reply = co_await change_account(connection_, org, script, std::move(keys), std::move(more));
  if (!reply) co_return reply;
  const script_answer answer{**reply};
  if (!answer.valid()) co_return make_error_code(store_errc::protocol);
  connection_.clock().synchronize(answer.now());
  co_return reply;
}

time_point redis_webhook_store::now() const {
  return connection_.clock().now();
}

task<result<webhook_outcome>> redis_webhook_store::tell(org_id org, std::string verb,
                                                        std::string id, arguments more) {
  const auto reply = co_await run(std::move(org), std::move(verb), std::move(id), std::move(more));
  if (!reply) co_return reply.error();
  co_return script_answer{**reply}.outcome();
}

task<result<webhook_outcome>> redis_webhook_store::step(const webhook_lease& lease,
                                                        std::string verb, arguments more) {
  arguments all{lease.token, std::to_string(lease.duration.count())};
  std::ranges::move(more, std::back_inserter(all));
  return tell(lease.org, std::move(verb), lease.endpoint, std::move(all));
}

task<result<webhook_overview>> redis_webhook_store::read(const org_id& org) {
  const auto reply = co_await run(org, "read", {}, {});
  if (!reply) co_return reply.error();
  co_return script_answer{**reply}.overview();
}

task<result<std::vector<org_id>>> redis_webhook_store::orgs(std::string after, std::size_t limit) {
  std::vector<std::string> command{
      "ZRANGE", std::string{webhook_orgs}, after.empty() ? "-" : "(" + after, "+", "BYLEX", "LIMIT",
      "0",      std::to_string(limit)};
  const auto reply = co_await ask_store(connection_, std::move(command));
  if (!reply) co_return reply.error();
  std::vector<org_id> found;
  for (const auto* each : elements_of(**reply)) found.emplace_back(text_of(*each));
  co_return found;
}

task<result<void>> redis_webhook_store::list(std::string verb, org_id org) {
  std::vector<std::string> command{std::move(verb), std::string{webhook_orgs}};
  if (command.front() == "ZADD") command.emplace_back("0");
  command.push_back(std::move(org));
  const auto listed = co_await ask_store(connection_, std::move(command));
  if (!listed) co_return listed.error();
  co_return result<void>{};
}

// Listed first: readers skip an organization that is listed without an endpoint, but the sweep
// would miss an endpoint of an unlisted one. And listed once more at the end: a concurrent removal
// of the last endpoint may have found none left.
task<result<webhook_outcome>> redis_webhook_store::add(const org_id& org,
                                                       const webhook_endpoint& endpoint,
                                                       std::string secret) {
  arguments more{std::to_string(most_endpoints), std::move(secret),    endpoint.url,
                 joined(endpoint.events),        endpoint.description, endpoint.disabled};
  auto id = endpoint.id;
  auto whose = org;
  auto listed = co_await list("ZADD", whose);
  if (!listed) co_return listed.error();
  const auto added = co_await tell(whose, "add", std::move(id), std::move(more));
  if (!added) co_return added;
  listed = co_await list("ZADD", std::move(whose));
  if (!listed) co_return listed.error();
  co_return added;
}

task<result<webhook_outcome>> redis_webhook_store::change(const org_id& org, std::string id,
                                                          const webhook_change& what) {
  arguments more;
  const auto set = [&](const char* field, std::string value) {
    more.emplace_back(field);
    more.push_back(std::move(value));
  };
  if (what.url) set("url", *what.url);
  if (what.description) set("description", *what.description);
  if (what.events) set("events", joined(*what.events));
  if (what.disabled) set("disabled", *what.disabled);
  return tell(org, "change", std::move(id), std::move(more));
}

task<result<webhook_outcome>> redis_webhook_store::remove(const org_id& org, std::string id) {
  auto whose = org;
  const auto removed = co_await tell(whose, "remove", std::move(id), {});
  if (!removed || *removed != webhook_outcome::done) co_return removed;
  const auto left = co_await read(whose);
  if (!left || !left->endpoints.empty()) co_return removed;  // an unneeded entry does no harm
  if (!co_await list("ZREM", whose)) co_return removed;
  const auto again = co_await read(whose);
  if (!again) co_return again.error();  // a repeated removal checks again
  if (again->endpoints.empty()) co_return removed;
  const auto listed = co_await list("ZADD", std::move(whose));
  if (!listed) co_return listed.error();
  co_return removed;
}

task<result<webhook_outcome>> redis_webhook_store::rotate(const org_id& org, std::string id,
                                                          webhook_secret secret,
                                                          milliseconds overlap) {
  return tell(org, "rotate", std::move(id),
              {std::to_string(most_secrets), std::move(secret.text), std::move(secret.key),
               std::to_string(overlap.count())});
}

task<result<webhook_outcome>> redis_webhook_store::finish_rotation(const org_id& org,
                                                                   std::string id) {
  return tell(org, "finish_rotation", std::move(id), {});
}

task<result<webhook_outcome>> redis_webhook_store::retry_now(const org_id& org, std::string id) {
  return tell(org, "retry", std::move(id), {});
}

task<result<std::optional<leased_webhook>>> redis_webhook_store::lease(const webhook_lease& lease) {
  auto id = lease.endpoint;
  arguments more{lease.token, std::to_string(lease.duration.count())};
  const auto reply = co_await run(lease.org, "lease", id, std::move(more));
  if (!reply) co_return reply.error();
  const script_answer answer{**reply};
  if (answer.outcome() != webhook_outcome::done) co_return std::optional<leased_webhook>{};
  for (auto& endpoint : answer.overview().endpoints) {
    if (endpoint.id != id) continue;
    leased_webhook leased;
    leased.endpoint = std::move(endpoint);
    leased.forgotten = answer.forgotten();
    co_return std::optional{std::move(leased)};
  }
  co_return make_error_code(store_errc::protocol);
}

task<result<webhook_outcome>> redis_webhook_store::delivered(const webhook_lease& lease,
                                                             std::string event, int status) {
  return step(lease, "delivered", {std::move(event), std::to_string(status)});
}

task<result<webhook_outcome>> redis_webhook_store::skipped(const webhook_lease& lease,
                                                           std::string event) {
  return step(lease, "skipped", {std::move(event)});
}

task<result<webhook_outcome>> redis_webhook_store::failed(const webhook_lease& lease,
                                                          const webhook_attempt& attempt,
                                                          time_point next_at) {
  return step(lease, "failed", {std::to_string(attempt.status), attempt.error, ms_text(next_at)});
}

task<result<webhook_outcome>> redis_webhook_store::gone(const webhook_lease& lease,
                                                        const webhook_attempt& attempt,
                                                        std::string why) {
  return step(lease, "gone", {std::to_string(attempt.status), attempt.error, std::move(why)});
}

task<result<webhook_outcome>> redis_webhook_store::died(const webhook_lease& lease,
                                                        const dead_letter& letter) {
  return step(lease, "died",
              {letter.event, std::to_string(letter.last.status), letter.last.error,
               std::to_string(most_dead_letters), letter.body});
}

task<result<webhook_outcome>> redis_webhook_store::release(const webhook_lease& lease) {
  return step(lease, "release", {});
}

task<result<std::vector<dead_letter>>> redis_webhook_store::read_letters(org_id org, std::string id,
                                                                         std::string from,
                                                                         std::string to,
                                                                         std::size_t limit) {
  std::vector<std::string> command{"XRANGE", letters_key(org, id), std::move(from), std::move(to),
                                   "COUNT",  std::to_string(limit)};
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  std::vector<dead_letter> found;
  for (const auto* each : elements_of(**reply)) found.push_back(parse_letter(*each));
  co_return found;
}

task<result<std::vector<dead_letter>>> redis_webhook_store::dead_letters(const org_id& org,
                                                                         std::string id,
                                                                         std::string after,
                                                                         std::size_t limit) {
  return read_letters(org, std::move(id), "(" + after, "+", limit);
}

task<result<std::optional<dead_letter>>> redis_webhook_store::find_dead_letter(const org_id& org,
                                                                               std::string id,
                                                                               std::string event) {
  if (!parse_entry_id(event)) co_return std::optional<dead_letter>{};
  auto found = co_await read_letters(org, std::move(id), event, event, 1);
  if (!found) co_return found.error();
  if (found->empty()) co_return std::optional<dead_letter>{};
  co_return std::optional{std::move(found->front())};
}

task<result<void>> redis_webhook_store::remove_dead_letter(const org_id& org, std::string id,
                                                           std::string event) {
  std::vector<std::string> command{"XDEL", letters_key(org, id), std::move(event)};
  const auto reply = co_await change_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
