#include "tests/simulation/world.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "quota/audit_gate.hpp"
#include "quota/audit_members.hpp"
#include "quota/redis/directory.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/guards.hpp"
#include "quota/redis/rows.hpp"
#include "tests/support/describe.hpp"

namespace tollgate::tests {

using namespace quota;

namespace {

constexpr std::size_t connection_count = 3;

std::vector<std::string> server_options(bool durable) {
  if (!durable) return {};
  return {"--appendonly", "yes", "--appendfsync", "always"};
}

// The library's modules, or others from a file, with the one line that reads the time replaced.
std::string modules_with_clock() {
  std::string text{redis::ledger_library::modules()};
  if (const char* file = std::getenv("TOLLGATE_SIMULATION_MODULES")) {
    std::ifstream other{file};
    text.assign(std::istreambuf_iterator<char>{other}, {});
  }
  constexpr std::string_view asks = "call('TIME')";
  const auto place = text.find(asks);
  if (place == text.npos) throw disagreement{"the library does not ask for the time"};
  return text.replace(place, asks.size(), "call('HMGET', 'tollgate:clock', 's', 'us')");
}

// Counts each event, and each kind of alert by its subject. An alert that is reported twice in a
// cycle was armed again.
void count_alerts(const std::vector<account_event>& events,
                  std::map<std::string, std::size_t>& into) {
  std::set<std::string> told;
  for (const auto& event : events) {
    ++into["event " + event.type];
    if (event.type == "cycle_closed" || event.type == "billing_updated") told.clear();
    if (event.type != "usage_threshold") continue;
    const auto kind = event.facts.substr(0, event.facts.find(' '));
    for (const char* whom : {"an agent", "a conversation", "a key"}) {
      const auto scope = std::string{" "} + (std::strchr(whom, ' ') + 1) + " ";
      const auto place = event.facts.find(scope);
      if (place == event.facts.npos) continue;
      ++into["alert " + kind + " of " + whom];
      if (place + scope.size() == event.facts.size()) ++into["alert of who does not say"];
      const auto level = event.facts.substr(0, event.facts.find(" used "));
      if (!told.insert(level + event.facts.substr(place)).second) {
        ++into["alert told again in a cycle"];
      }
    }
  }
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  return texts;
}

void expect_same(const std::string& where, const std::string& redis, const std::string& oracle) {
  if (redis == oracle) return;
  throw disagreement{where + "\n  redis:  " + redis + "\n  oracle: " + oracle};
}

}  // namespace

world::world(dice& dice, bool durable)
    : dice_{dice}, server_{server_options(durable)}, library_{modules_with_clock()} {
  reconnect();
  // Always the same time, so that a seed repeats a run; and ahead of the server's own clock, by
  // which keys expire.
  using namespace std::chrono;
  store_time_ = time_ = time_point{sys_days{year{2031} / 1 / 30}} + hours{23} + minutes{59};
  connection().call({"FUNCTION", "LOAD", library_.text()});
  set_clock();
}

void world::pass(milliseconds time) {
  time_ += time;
  set_clock();
}

void world::set_clock() {
  const auto ms = time_.time_since_epoch().count();
  connection().call({"HSET", "tollgate:clock", "s", std::to_string(ms / 1000), "us",
                     std::to_string(ms % 1000 * 1000)});
}

redis_client& world::connection() {
  return *connections_[dice_.below(connections_.size())];
}

// Handles the library's answers as a client does, until the final one.
redis::reply_ptr world::exchange(const account& account, redis::ledger_batch& encoded) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    std::string command;
    const auto hour = hour_of(store_time_);
    // Half of the batches that allow it are sent as a call for many organizations, of which this is
    // the only one.
    const bool usual = attempt == 0 && encoded.is_usual(hour) && dice_.below(2) == 0;
    if (usual) {
      redis::usual_arguments arguments{hour};
      arguments.add(account.org, encoded);
      command = arguments.call(library_.usual_name());
    } else {
      encoded.append_call(command, library_.name(), account.org, hour,
                          redis::rules_text(dice_.between(0, 2), critical_calls));
    }
    auto reply = connection().send(command);
    const auto text = redis::text_of(*reply);
    if (usual && text == "-") continue;
    if (redis::is_unknown_function(text)) {
      connection().call({"FUNCTION", "LOAD", library_.text()});
      continue;
    }
    if (reply->type != REDIS_REPLY_STRING) throw disagreement{"library: " + std::string{text}};
    redis::ledger_answer answer{text};
    if (!answer.valid()) throw disagreement{"the library answered " + std::string{text}};
    store_time_ = answer.store_time();
    if (!answer.again()) return reply;
    for (const auto missing : answer.missing_hours()) encoded.name_hour(missing);
  }
  throw disagreement{"the library asks again for ever"};
}

std::vector<answer> world::apply(account& account, const std::vector<operation>& batch) {
  redis::ledger_batch encoded;
  for (const auto& operation : batch) encoded.add(operation);
  const auto reply = exchange(account, encoded);
  redis::ledger_answer answers{redis::text_of(*reply)};
  std::vector<answer> given;
  const auto time = account.oracle.time_of(store_time_);
  for (const auto& operation : batch) {
    const auto redis = answers.next();
    if (!redis) throw disagreement{"the library answered " + std::string{redis::text_of(*reply)}};
    const auto oracle = account.oracle.apply(operation, time);
    expect_same(account.org + ": " + describe(operation), describe(*redis), describe(oracle));
    given.push_back(*redis);
    ++answered_[std::string{to_string(redis->result)}];
  }
  try {
    compare_balance(account);
  } catch (const disagreement& found) {
    std::string told = found.what();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      told += "\n  " + describe(batch[i]) + " -> " + describe(given[i]);
    }
    throw disagreement{told};
  }
  return given;
}

std::map<std::string, std::size_t> world::reached(
    const std::vector<const account*>& accounts) const {
  auto all = answered_;
  for (const auto* account : accounts) {
    for (const auto& entry : account->oracle.entries()) {
      std::string name = "entry ";
      name += to_string(entry.type);
      ++all[name];
      const auto& plan = account->oracle.plan();
      const bool late = entry.type == entry_type::settle && plan && entry.cycle < plan->cycle;
      if (late && entry.overage > quota::credits{}) ++all["overage in a closed cycle"];
    }
    for (const auto& top_up : account->oracle.top_ups()) {
      std::string name = "top-up ";
      name += to_string(top_up.status);
      ++all[name];
    }
    count_alerts(account->oracle.events(), all);
    if (account->oracle.plan()) all["cycles"] += account->oracle.cycles().size();
  }
  return all;
}

void world::crash_during(account& account, const std::vector<operation>& batch) {
  redis::ledger_batch encoded;
  for (const auto& operation : batch) encoded.add(operation);
  std::string command;
  encoded.append_call(command, library_.name(), account.org, hour_of(time_),
                      redis::rules_text(0, critical_calls));
  const auto before = last_element(account);
  connection().write(command);
  if (dice_.chance(500)) std::this_thread::sleep_for(std::chrono::microseconds{dice_.below(800)});
  server_.kill();
  server_.start();
  reconnect();

  store_time_ = time_;
  auto applied = account.oracle;
  for (const auto& operation : batch) applied.apply(operation, store_time_);
  // The totals may be the same before and after; a new element of the ledger shows the difference.
  const bool writes_entries = applied.entries().size() > account.oracle.entries().size();
  const bool took_effect =
      writes_entries ? last_element(account) != before : recorded(account) == applied.row();
  if (took_effect) account.oracle = applied;
  compare_everything(account);
}

std::string world::last_element(const account& account) {
  const auto key = redis::key_of(account.org, "ledger");
  const auto last = connection().call({"XREVRANGE", key, "+", "-", "COUNT", "1"});
  for (const auto* element : redis::elements_of(*last)) {
    return std::string{redis::text_of(*redis::elements_of(*element).front())};
  }
  return {};
}

void world::suspend(account& account, bool suspended) {
  organization_change change;
  change.suspended = suspended;
  const auto reply = connection().call(redis::change_command(account.org, change));
  if (reply->type == REDIS_REPLY_ERROR) throw disagreement{std::string{redis::text_of(*reply)}};
  account.oracle.set_suspended(suspended, time_);
}

void world::forget_library() {
  connection().call({"FUNCTION", "FLUSH"});
}

void world::misjudge_clock() {
  store_time_ += std::chrono::hours{dice_.between(-30, 30)};
}

void world::reconnect() {
  connections_.clear();
  while (connections_.size() < connection_count) {
    connections_.push_back(std::make_unique<redis_client>(server_.socket()));
  }
}

void world::restart() {
  dice_.chance(500) ? server_.kill() : server_.stop();
  server_.start();
  reconnect();
}

account_row world::recorded(const account& account) {
  const auto reply = connection().call({"HGETALL", redis::key_of(account.org, "account")});
  const auto row = redis::parse_row(*reply);
  if (!row) throw disagreement{account.org + ": the account row cannot be read"};
  return *row;
}

account_snapshot world::snapshot(const account& account) {
  const auto key = [&](std::string_view part) { return redis::key_of(account.org, part); };
  const auto reply = connection().call({"EVAL", redis::snapshot_script(), "4", key("account"),
                                        key("holds"), key("ledger"), key("cycles")});
  auto snapshot = redis::parse_snapshot(*reply);
  if (!snapshot) throw disagreement{account.org + ": the snapshot cannot be read"};
  return *std::move(snapshot);
}

void world::compare_balance(account& account) {
  const auto reply = connection().call({"HGETALL", redis::key_of(account.org, "account")});
  const auto row = redis::parse_row(*reply);
  auto grants = redis::parse_grants(*reply);
  const auto plan = redis::parse_plan(*reply);
  const auto top_up = redis::parse_top_up_state(redis::field_of(*reply, "top_up"));
  if (!row || !grants || !plan || !top_up) {
    throw disagreement{account.org + ": the account cannot be read"};
  }
  burn(grants->active, row->settled - grants->mark);
  grants->mark = row->settled;
  const auto& oracle = account.oracle;
  expect_same(account.org + ": balance", describe(*row), describe(oracle.row()));
  expect_same(account.org + ": grants", describe(*grants), describe(oracle.grants()));
  expect_same(account.org + ": plan", describe(*plan), describe(oracle.plan()));
  expect_same(account.org + ": top-up", describe(*top_up), describe(oracle.top_up()));
  expect_same(account.org + ": open top-ups",
              describe(sorted(redis::parse_open_top_ups(redis::field_of(*reply, "open_top_ups")))),
              describe(sorted(oracle.open_top_ups())));
  // Both ledgers agree, so the grants must add up to the balance.
  const auto backed = total(grants->active) + grants->kept_total() - oracle.overdrawn();
  expect_same(account.org + ": grants add up", describe(backed), describe(row->posted()));
}

void world::compare_everything(account& account) {
  compare_balance(account);
  compare_entries(account);
  compare_holds(account);
  compare_top_ups(account);
  compare_events(account);
  compare_counters(account);
  prove(account);
}

// Redis forgets counters whose window has ended, and no others: otherwise a limit or an alert would
// be wrong.
void world::compare_counters(account& account) {
  const auto reply = connection().call({"HKEYS", redis::key_of(account.org, "counters")});
  std::size_t kept = 0;
  for (const auto* field : redis::elements_of(*reply)) {
    const auto first = redis::text_of(*field).substr(0, 1);
    if (first == "p") ++answered_["pages of totals"];
    kept += first == "p" || first == "n" ? 0 : 1;
  }
  if (kept > account.oracle.counters()) throw disagreement{account.org + ": too many counters"};
  if (kept < account.oracle.counters()) ++answered_["counters forgotten"];
}

// The last events: older ones are dropped.
void world::compare_events(account& account) {
  const auto& expected = account.oracle.events();
  const auto reply = connection().call(
      {"XREVRANGE", redis::key_of(account.org, "events"), "+", "-", "COUNT", "5000"});
  const auto elements = redis::elements_of(*reply);
  expect_same(account.org + ": events", std::to_string(elements.size()),
              std::to_string(std::min<std::size_t>(expected.size(), 5'000)));
  auto next = expected.rbegin();
  for (const auto* element : elements) {
    const auto event = redis::parse_event(*element);
    if (!event) throw disagreement{account.org + ": an event cannot be read"};
    expect_same(account.org + ": event", event->type + " " + event->facts,
                next->type + " " + next->facts);
    ++next;
  }
}

void world::compare_top_ups(account& account) {
  std::map<std::string, std::string> recorded, expected;
  const auto reply = connection().call({"HGETALL", redis::key_of(account.org, "top_ups")});
  const auto flat = redis::elements_of(*reply);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    const auto top_up = redis::parse_top_up(redis::text_of(*flat[i]), redis::text_of(*flat[i + 1]));
    if (!top_up) throw disagreement{account.org + ": a top-up cannot be read"};
    recorded[top_up->id] = describe(*top_up);
  }
  for (const auto& top_up : account.oracle.top_ups()) expected[top_up.id] = describe(top_up);
  for (const auto& [id, text] : expected) expect_same(account.org + ": top-up", recorded[id], text);
  expect_same(account.org + ": top-ups", std::to_string(recorded.size()),
              std::to_string(expected.size()));
}

void world::compare_entries(account& account) {
  const auto& expected = account.oracle.entries();
  const auto reply = connection().call({"XRANGE", redis::key_of(account.org, "ledger"),
                                        std::string{"("}.append(account.last_element), "+"});
  for (const auto* element : redis::elements_of(*reply)) {
    const auto entries = redis::parse_entries(*element);
    if (!entries) throw disagreement{account.org + ": an entry cannot be read"};
    for (const auto& entry : *entries) {
      const auto index = account.entries_compared++ - account.oracle.forgotten_entries();
      expect_same(account.org + ": entry " + entry.id, describe(entry),
                  index < expected.size() ? describe(expected[index]) : "none");
      account.proof.add(entry);
      account.last_element = *redis::element_of(entry.id);
    }
  }
  expect_same(account.org + ": entries", std::to_string(account.entries_compared),
              std::to_string(account.oracle.forgotten_entries() + expected.size()));
}

void world::forget_entries(account& account) {
  account.oracle.forget_entries();
  connection().call({"XTRIM", redis::key_of(account.org, "ledger"), "MAXLEN", "1"});
}

void world::compare_holds(account& account) {
  const auto reply = connection().call({"HLEN", redis::key_of(account.org, "holds")});
  expect_same(account.org + ": open holds", std::to_string(reply->integer),
              std::to_string(account.oracle.open_holds()));
  const auto bound = connection().call({"HGET", redis::key_of(account.org, "account"), "next_due"});
  const auto at = redis::parse_integer(redis::text_of(*bound)).value_or(0);
  const auto earliest = account.oracle.next_due();
  // Anything already due is processed with the next operation, whenever that comes.
  const auto soonest = store_time_ + milliseconds{1};
  if (earliest && (at == 0 || at > std::max(*earliest, soonest).time_since_epoch().count())) {
    throw disagreement{account.org + ": next_due is no lower bound"};
  }
}

// The counters of all hours, including those of calls that settled late. The account records its
// hours.
std::vector<usage_counter> world::counters(const account& account) {
  std::vector<usage_counter> all;
  const auto add = [&](const redis::reply_ptr& reply, const auto& parse) {
    const auto flat = redis::elements_of(*reply);
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
      const auto counter = parse(redis::text_of(*flat[i]), redis::text_of(*flat[i + 1]));
      if (!counter) throw disagreement{account.org + ": a counter cannot be read"};
      all.push_back(*counter);
    }
  };
  const auto known = snapshot(account).usage_hours;
  const auto prefix = redis::key_of(account.org, "usage:");
  const auto hours = connection().call({"KEYS", prefix + "*"});
  for (const auto* key : redis::elements_of(*hours)) {
    const auto hour = redis::parse_integer(redis::text_of(*key).substr(prefix.size())).value();
    if (!known || hour < known->first || hour > known->second) {
      throw disagreement{account.org + ": an hour with counters was not written down"};
    }
    add(connection().call({"HGETALL", redis::text_of(*key)}),
        [&](auto who, auto text) { return redis::parse_counter(hour, who, text); });
  }
  add(connection().call({"HGETALL", redis::key_of(account.org, "late")}),
      redis::parse_late_counter);
  return all;
}

// The counters of all hours together, against the settlements they count.
void world::compare_usage(account& account, const std::vector<usage_counter>& counters) {
  struct sums {
    std::int64_t charged = 0, calls = 0, used = 0, billed_us = 0;
    auto operator<=>(const sums&) const = default;
  };
  std::map<attribution, sums> counted, settled;
  for (const auto& counter : counters) {
    auto& sum = counted[counter.who];
    sum = {sum.charged + counter.charged.micro(), sum.calls + counter.calls,
           sum.used + counter.used, sum.billed_us + counter.billed_us};
  }
  for (const auto& entry : account.oracle.entries()) {
    if (entry.type != entry_type::settle) continue;
    auto& sum = settled[entry.who];
    sum = {sum.charged + entry.amount.micro(), sum.calls + 1, sum.used + entry.used,
           sum.billed_us + entry.billed_us};
  }
  if (counted != settled) throw disagreement{account.org + ": the usage counters are wrong"};
}

account_rows world::rows(const account& account) {
  account_rows rows;
  const auto key = [&](std::string_view part) { return redis::key_of(account.org, part); };
  const auto top_ups = connection().call({"HGETALL", key("top_ups")});
  const auto flat = redis::elements_of(*top_ups);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    rows.top_ups.push_back(
        redis::parse_top_up(redis::text_of(*flat[i]), redis::text_of(*flat[i + 1])).value());
  }
  const auto grants = connection().call({"HGETALL", key("grants")});
  const auto given = redis::elements_of(*grants);
  for (std::size_t i = 0; i + 1 < given.size(); i += 2) {
    rows.grants.push_back(
        redis::parse_grant(redis::text_of(*given[i]), redis::text_of(*given[i + 1])).value());
  }
  const auto events = connection().call({"XRANGE", key("events"), "-", "+"});
  for (const auto* event : redis::elements_of(*events)) {
    rows.events.push_back(redis::parse_event(*event).value());
  }
  return rows;
}

std::vector<difference> world::verify(const account& account) {
  audit books;
  const auto entries =
      connection().call({"XRANGE", redis::key_of(account.org, "ledger"), "-", "+"});
  for (const auto* element : redis::elements_of(*entries)) {
    const auto together = redis::parse_entries(*element);
    if (!together) throw disagreement{account.org + ": an entry cannot be read"};
    for (const auto& entry : *together) books.add(entry);
  }
  for (const auto& counter : counters(account)) books.count(counter);
  books.finish(snapshot(account), rows(account));
  auto found = books.differences();
  prove_guards(account, true, found);
  return found;
}

account_guards world::guards(const account& account) {
  const auto reply = connection().call(redis::guards_command(account.org));
  auto guards = redis::parse_guards(*reply);
  if (!guards) throw disagreement{account.org + ": the guards cannot be read"};
  return *std::move(guards);
}

void world::prove_guards(const account& account, bool with_members,
                         std::vector<difference>& found) {
  const auto guards = this->guards(account);
  for (auto& each : audit_gate(guards)) found.push_back(std::move(each));
  if (!with_members || account.oracle.forgotten_entries() > 0) return;
  member_audit members{guards};
  for (const auto& entry : account.oracle.entries()) members.add(entry);
  for (auto& each : members.finish()) found.push_back(std::move(each));
}

// `tollgate verify` on the current account. Entries were added when they were compared.
void world::prove(account& account) {
  const auto snapshot = this->snapshot(account);
  std::map<std::int64_t, std::string> expected;
  for (const auto& books : account.oracle.cycles()) expected[books.index] = describe(books);
  for (const auto& books : snapshot.cycles) {
    expect_same(account.org + ": cycle", describe(books), expected[books.index]);
  }
  expect_same(account.org + ": cycles", std::to_string(snapshot.cycles.size()),
              std::to_string(snapshot.cycles.empty() ? 0 : expected.size()));
  const auto usage = counters(account);
  if (account.oracle.forgotten_entries() == 0) compare_usage(account, usage);
  auto books = account.proof;
  for (const auto& counter : usage) books.count(counter);
  books.finish(snapshot, rows(account));
  auto differences = books.differences();
  // This reads all entries again: the more there are, the less often it is done.
  prove_guards(account, account.proofs++ % (1 + account.oracle.entries().size() / 2'000) == 0,
               differences);
  for (const auto& found : differences) {
    expect_same(account.org + ": verify: " + found.what, found.recorded, found.proven);
  }
}

}  // namespace tollgate::tests
