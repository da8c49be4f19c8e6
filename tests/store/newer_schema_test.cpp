// An account that a later version has written: every read or change of its keys is refused, with
// the ledger's message, and changes nothing.
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include "quota/redis/directory.hpp"
#include "quota/redis/guards.hpp"
#include "quota/redis/ledger_library.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/payment_store.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "quota/redis/store_schema.hpp"
#include "quota/redis/webhook_store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view refusal =
    "the account of acme is of schema 3; this version of Tollgate knows schemas up to 2: use one "
    "that knows schema 3";

class newer_schema_test : public store_test {
 protected:
  struct verb {
    std::string name;  // INTERFACE VERB, and a suffix if that is not unique
    std::function<error_code()> run;
  };

  // An account with a value under every key.
  void prepare() {
    raw.call({"FLUSHALL"});
    raw.call({"FUNCTION", "FLUSH"});
    raw.call({"FUNCTION", "LOAD", ledger_library::current().text()});
    organization_change change;
    change.plan = "pro";
    ask(directory.change("acme", change));
    ask(directory.add_key("acme", {"key_1", {}, {}, {}}, hash_key("tg_live_acme")));
    ask(redis->ask_time());
    EXPECT_EQ(
        ask(store.apply("acme", grant{"g", credits::from_whole(9), "purchase", "", never, {}}))
            .result,
        outcome::granted);
    const auto hold = ids.next_hold_id(store.now());
    if (open == hold_id{}) open = ids.next_hold_id(store.now());
    EXPECT_EQ(
        ask(store.apply("acme",
                        reserve{hold, credits::from_whole(1), 60s, admission::enforce, {}, {}}))
            .result,
        outcome::held);
    EXPECT_EQ(ask(store.apply("acme", settle{hold, credits::from_whole(1), 1})).result,
              outcome::settled);
    hour = hour_of(store.now());
    const operation second = reserve{open, credits::from_whole(1), 60s, admission::enforce, {}, {}};
    EXPECT_EQ(ask(store.apply("acme", second)).result, outcome::held);
    ask(payments.remember("acme", "tu_1", "pi_1"));
    webhook_endpoint endpoint;
    endpoint.id = "we_1";
    endpoint.url = "https://hooks.example/";
    ask(webhooks.add("acme", endpoint, "whsec_1"));
    EXPECT_TRUE(ask(webhooks.lease(mine)));
    raw.call({"XADD", key_of("acme", "dead_letters:we_1"), "5-0", "body", "{}"});
  }
  void written_by_a_later_version() {
    raw.call({"HSET", key_of("acme", "account"), "schema", "3"});
  }

  template <class Does>
  verb of(std::string name, Does does) {
    return {std::move(name), [this, does] {
              const auto out = outcome_of(does());
              return out ? error_code{} : error_code{out.error()};
            }};
  }

  std::vector<verb> verbs() {
    organization_change suspend, plan;
    const operation another_hold = reserve{
        ids.next_hold_id(store.now()), credits::from_whole(1), 60s, admission::enforce, {}, {}};
    const operation longer = extend{open, credits::from_whole(2), 60s, admission::enforce};
    const operation less = release{open, credits::from_micro(1)},
                    used = settle{open, credits::from_micro(1), 1};
    const operation unused = void_hold{open}, sweep = expire_holds{};
    suspend.suspended = true;
    plan.plan = "starter";
    webhook_endpoint endpoint;
    endpoint.id = "we_2";
    const webhook_attempt attempt{{}, 500, "no"};
    const dead_letter letter{"6-0", "{}", 1, attempt};
    const auto day = hour / 24;
    const coarsening by_day{usage_grain::day, day - 9, day - 8, {}};
    return {
        of("ledger apply, grant", [this] { return store.apply(acme, an_operation); }),
        of("ledger apply, reserve", [=, this] { return store.apply(acme, another_hold); }),
        of("ledger apply, extend", [=, this] { return store.apply(acme, longer); }),
        of("ledger apply, release", [=, this] { return store.apply(acme, less); }),
        of("ledger apply, settle", [=, this] { return store.apply(acme, used); }),
        of("ledger apply, void", [=, this] { return store.apply(acme, unused); }),
        of("ledger apply, expire", [=, this] { return store.apply(acme, sweep); }),
        of("ledger pending", [this] { return store.pending(acme); }),
        of("ledger spendable", [this] { return store.spendable(acme); }),
        of("account_history snapshot", [this] { return store.snapshot(acme); }),
        of("account_history snapshot_without_holds",
           [this] { return store.snapshot_without_holds(acme); }),
        of("account_history each_usage",
           [this] { return store.each_usage(acme, hour, hour, [](const usage_counter&) {}); }),
        of("account_history each_usage_summary",
           [this] {
             return store.each_usage_summary(acme, hour, hour, [](const usage_counter&) {});
           }),
        of("account_history entries", [this] { return store.entries(acme, "0-0", 9); }),
        of("account_history grants", [this] { return store.grants(acme); }),
        of("account_history usage", [this] { return store.usage(acme, hour, hour); }),
        of("account_history usage_summary",
           [this] { return store.usage_summary(acme, hour, hour); }),
        of("account_history hourly_usage", [this] { return store.hourly_usage(acme, hour, hour); }),
        of("account_history summed_usage", [this] { return store.summed_usage(acme, hour, hour); }),
        of("account_history late_usage", [this] { return store.late_usage(acme, hour, hour); }),
        of("account_history usage_generation",
           [this] { return store.usage_generation(acme, hour, hour); }),
        of("account_history callers_known_from", [this] { return store.callers_known_from(acme); }),
        of("account_history cycles", [this] { return store.cycles(acme); }),
        of("account_history top_ups", [this] { return store.top_ups(acme); }),
        of("account_history events", [this] { return store.events(acme, "0-0", 9); }),
        of("account_history changes, where it stands",
           [this] { return store.changes(acme, {}, {}); }),
        of("account_history changes",
           [this] {
             return store.changes(acme, stream_positions{"0-0", "0-0"}, {});
           }),
        of("account_history gap_behind",
           [this] {
             return store.gap_behind(acme, {"0-0", "0-0"}, store.now());
           }),
        of("guard_store guards", [this] { return guards.guards(acme); }),
        of("directory find", [this] { return directory.find(acme); }),
        of("directory change, suspended", [=, this] { return directory.change(acme, suspend); }),
        of("directory change, plan", [=, this] { return directory.change(acme, plan); }),
        of("directory add_key", [this] { return directory.add_key(acme, other_key, other_hash); }),
        of("directory keys", [this] { return directory.keys(acme); }),
        of("directory revoke_key", [this] { return directory.revoke_key(acme, "key_1"); }),
        of("directory find_key", [this] { return directory.find_key(known_hash); }),
        of("retention_store what_is_retained", [this] { return retention.what_is_retained(acme); }),
        of("retention_store drop_entries", [this] { return retention.drop_entries(acme, "9-0"); }),
        of("retention_store remember_summed",
           [=, this] { return retention.remember_summed(acme, day); }),
        of("retention_store drop_usage_detail",
           [=, this] { return retention.drop_usage_detail(acme, day - 9); }),
        of("retention_store coarsen_usage",
           [=, this] { return retention.coarsen_usage(acme, by_day, nothing_dropped); }),
        of("payment_store remember", [this] { return payments.remember(acme, "tu_2", "pi_2"); }),
        of("payment_store find", [this] { return payments.find(acme, "tu_1"); }),
        of("webhook_store read", [this] { return webhooks.read(acme); }),
        of("webhook_store add", [=, this] { return webhooks.add(acme, endpoint, "whsec_2"); }),
        of("webhook_store change", [this] { return webhooks.change(acme, "we_1", no_change); }),
        of("webhook_store remove", [this] { return webhooks.remove(acme, "we_1"); }),
        of("webhook_store rotate",
           [this] {
             return webhooks.rotate(acme, "we_1", {"s", {}}, 1h);
           }),
        of("webhook_store finish_rotation",
           [this] { return webhooks.finish_rotation(acme, "we_1"); }),
        of("webhook_store retry_now", [this] { return webhooks.retry_now(acme, "we_1"); }),
        of("webhook_store lease", [this] { return webhooks.lease(mine); }),
        of("webhook_store delivered", [this] { return webhooks.delivered(mine, "6-0", 200); }),
        of("webhook_store skipped", [this] { return webhooks.skipped(mine, "6-0"); }),
        of("webhook_store failed", [=, this] { return webhooks.failed(mine, attempt, {}); }),
        of("webhook_store gone", [=, this] { return webhooks.gone(mine, attempt, "gone"); }),
        of("webhook_store died", [=, this] { return webhooks.died(mine, letter); }),
        of("webhook_store release", [this] { return webhooks.release(mine); }),
        of("webhook_store dead_letters",
           [this] { return webhooks.dead_letters(acme, "we_1", "0-0", 9); }),
        of("webhook_store find_dead_letter",
           [this] { return webhooks.find_dead_letter(acme, "we_1", "5-0"); }),
        of("webhook_store remove_dead_letter",
           [this] { return webhooks.remove_dead_letter(acme, "we_1", "5-0"); }),
    };
  }

  // The keys of the organization, and of its API keys.
  std::map<std::string, std::string> all_keys() {
    std::map<std::string, std::string> found;
    const auto keys = raw.call({"KEYS", "*"});
    for (const auto* key : elements_of(*keys)) {
      found[std::string{text_of(*key)}] = text_of(*raw.call({"DUMP", text_of(*key)}));
    }
    return found;
  }

  redis_store store{*redis};
  redis_directory directory{*redis};
  redis_guards guards{*redis};
  redis_retention retention{*redis};
  redis_payment_store payments{*redis};
  redis_webhook_store webhooks{*redis};
  random_id_source ids{1};
  webhook_lease mine{"acme", "we_1", "me", 1h};
  operation an_operation{grant{"g2", credits::from_whole(1), "purchase", "", never, {}}};
  std::int64_t hour = 0;
  hold_id open;
  // Verbs begin when they are awaited: the values that they refer to are members.
  const org_id acme = "acme";
  const key_hash known_hash = hash_key("tg_live_acme"), other_hash = hash_key("tg_live_other");
  const api_key other_key{"key_2", {}, {}, {}};
  const retained nothing_dropped;
  const webhook_change no_change;
};

TEST_F(newer_schema_test, is_refused_by_every_verb) {
  prepare();
  for (const auto& each : verbs()) {
    SCOPED_TRACE(each.name);
    prepare();
    EXPECT_EQ(each.run(), error_code{});
    prepare();
    written_by_a_later_version();
    const auto before = all_keys();
    redis->refuse("");
    const bool is_ledger = each.name.starts_with("ledger apply");
    EXPECT_EQ(each.run(), is_ledger ? store_errc::not_applied : store_errc::protocol);
    EXPECT_EQ(redis->refusal(), refusal);
    EXPECT_TRUE(all_keys() == before);
  }
}

// All verbs of the store's interfaces: a new verb must be added above.
TEST_F(newer_schema_test, is_asked_by_all_verbs_there_are) {
  const std::set<std::string> of_the_store{"directory list",
                                           "directory ids",
                                           "directory accounts",
                                           "directory is_listed",
                                           "webhook_store orgs",
                                           "retention_store store_id",
                                           "retention_store name_store"};
  prepare();
  std::set<std::string> known = of_the_store, found;
  for (const auto& each : verbs()) known.insert(each.name.substr(0, each.name.find(',')));
  for (const std::string interface : {"account_history", "directory", "guards", "ledger",
                                      "payment_store", "retention", "webhook_store"}) {
    std::ifstream file{std::string{TOLLGATE_SOURCE_DIR} + "/quota/" + interface + ".hpp"};
    std::stringstream text;
    text << file.rdbuf();
    const auto source = text.str();
    const std::regex declared{"class (\\w+) \\{|virtual task<[^;]*?>\\s+(\\w+)\\("};
    std::string of;
    for (std::sregex_iterator each{source.begin(), source.end(), declared}, end; each != end;
         ++each) {
      if ((*each)[1].matched) of = (*each)[1];
      if ((*each)[2].matched) found.insert(of + ' ' + (*each)[2].str());
    }
  }
  EXPECT_EQ(found, known);
}

// One refused organization must not hide the others.
TEST_F(newer_schema_test, is_passed_over_in_the_list) {
  prepare();
  organization_change change;
  change.plan = "pro";
  ask(directory.change("zebra", change));
  written_by_a_later_version();
  const auto listed = ask(directory.list("", 9));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed.front().id, "zebra");
  EXPECT_EQ(redis->refusal(), refusal);
}

TEST_F(newer_schema_test, is_not_written_by_a_connection_that_only_reads) {
  raw.call({"FLUSHALL"});
  raw.call({"FUNCTION", "FLUSH"});
  raw.call({"SET", "tollgate:schema", "1"});
  const auto reader = make_store_connection(context, here(), {}, store_access::read_only);
  reader->start();
  context.restart();
  while (!reader->ready()) context.run_one();
  EXPECT_EQ(text_of(*raw.call({"GET", "tollgate:schema"})), "1");
  EXPECT_TRUE(elements_of(*raw.call({"FUNCTION", "LIST"})).empty());
  reader->stop();
  EXPECT_EQ(why_refused(here(), 2s, store_access::read_only), "");
  EXPECT_EQ(text_of(*raw.call({"GET", "tollgate:schema"})), "1");
  raw.call({"SET", "tollgate:schema", "3"});
  EXPECT_EQ(why_refused(here(), 2s, store_access::read_only),
            "the store is of schema 3; this version of Tollgate knows schemas up to 2: use one "
            "that knows schema 3");
}

}  // namespace
}  // namespace tollgate::quota::redis
