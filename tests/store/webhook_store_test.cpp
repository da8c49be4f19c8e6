#include "quota/redis/webhook_store.hpp"

#include <gmock/gmock.h>

#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

class webhook_store_test : public store_test {
 protected:
  webhook_outcome add(std::string id, std::string secret = "whsec_1") {
    webhook_endpoint endpoint;
    endpoint.id = std::move(id);
    endpoint.url = "https://hooks.example/?a=b";
    endpoint.description = "the first, of two";
    endpoint.events = {"account.usage_threshold", "account.top_up_failed"};
    return ask(store->add("acme", endpoint, secret));
  }
  webhook_endpoint only() {
    const auto known = ask(store->read("acme"));
    EXPECT_THAT(known.endpoints, SizeIs(1));
    return known.endpoints.at(0);
  }
  static webhook_secret made_by(std::string key, std::string text) {
    webhook_secret secret;
    secret.key = std::move(key);
    secret.text = std::move(text);
    return secret;
  }
  webhook_outcome rotate(const std::string& key, milliseconds overlap) {
    return ask(store->rotate("acme", "we_1", made_by(key, "whsec_" + key), overlap));
  }
  std::string happens() {
    const auto reply =
        raw.call({"XADD", "tollgate:{acme}:events", "*", "usage_threshold", "percent 50"});
    return {reply->str, reply->len};
  }

  webhook_lease by(std::string token, milliseconds duration = 1h) {
    return {"acme", "we_1", std::move(token), duration};
  }
  std::optional<leased_webhook> lease(const webhook_lease& lease) {
    return ask(store->lease(lease));
  }
  // Time is Redis' own, so the test waits for whatever must expire.
  leased_webhook lease_in_the_end(const webhook_lease& wanted) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < until) {
      if (auto leased = lease(wanted)) return *leased;
    }
    throw std::runtime_error{"never leased"};
  }

  std::unique_ptr<redis_webhook_store> store = std::make_unique<redis_webhook_store>(*redis);
};

webhook_attempt attempt(int status, std::string error) {
  webhook_attempt out;
  out.status = status;
  out.error = std::move(error);
  return out;
}

TEST_F(webhook_store_test, keeps_an_endpoint_as_it_was_added) {
  EXPECT_EQ(add("we_1"), webhook_outcome::done);
  const auto endpoint = only();
  EXPECT_EQ(endpoint.id, "we_1");
  EXPECT_EQ(endpoint.url, "https://hooks.example/?a=b");
  EXPECT_EQ(endpoint.description, "the first, of two");
  EXPECT_THAT(endpoint.events, ElementsAre("account.usage_threshold", "account.top_up_failed"));
  ASSERT_THAT(endpoint.secrets, SizeIs(1));
  EXPECT_EQ(endpoint.secrets[0].text, "whsec_1");
  EXPECT_EQ(endpoint.secrets[0].until, time_point{});
  EXPECT_EQ(endpoint.disabled, "");
  EXPECT_EQ(endpoint.cursor, "0-0");
  EXPECT_GT(endpoint.created_at, time_point{});
  EXPECT_THAT(ask(store->orgs("", 10)), ElementsAre("acme"));
  EXPECT_THAT(ask(store->orgs("acme", 10)), SizeIs(0));
}

TEST_F(webhook_store_test, adds_one_once) {
  add("we_1");
  EXPECT_EQ(add("we_1", "whsec_2"), webhook_outcome::exists);
  EXPECT_EQ(only().secrets.at(0).text, "whsec_1");
}

TEST_F(webhook_store_test, adds_no_more_than_it_may) {
  for (std::size_t i = 0; i < webhook_store::most_endpoints; ++i) {
    EXPECT_EQ(add("we_" + std::to_string(i)), webhook_outcome::done);
  }
  EXPECT_EQ(add("we_more"), webhook_outcome::full);
  EXPECT_EQ(add("we_1"), webhook_outcome::exists);
  EXPECT_EQ(ask(store->remove("acme", "we_1")), webhook_outcome::done);
  EXPECT_EQ(add("we_more"), webhook_outcome::done);
}

TEST_F(webhook_store_test, begins_with_the_next_event) {
  const auto before = happens();
  add("we_1");
  EXPECT_EQ(only().cursor, before);
  const auto after = happens();
  EXPECT_EQ(ask(store->read("acme")).last_event, after);
}

TEST_F(webhook_store_test, changes_what_is_given) {
  add("we_1");
  webhook_change change;
  change.url = "https://other.example/";
  change.disabled = "because";
  EXPECT_EQ(ask(store->change("acme", "we_1", change)), webhook_outcome::done);
  const auto endpoint = only();
  EXPECT_EQ(endpoint.url, "https://other.example/");
  EXPECT_EQ(endpoint.disabled, "because");
  EXPECT_EQ(endpoint.description, "the first, of two");
  EXPECT_EQ(ask(store->change("acme", "we_2", change)), webhook_outcome::not_found);
  EXPECT_EQ(ask(store->retry_now("acme", "we_2")), webhook_outcome::not_found);
  EXPECT_EQ(ask(store->rotate("acme", "we_2", made_by("2", "s"), 1h)), webhook_outcome::not_found);
  EXPECT_EQ(ask(store->remove("acme", "we_2")), webhook_outcome::not_found);
}

TEST_F(webhook_store_test, removes_one_and_leaves_the_others) {
  add("we_1");
  add("we_10");
  EXPECT_EQ(ask(store->remove("acme", "we_1")), webhook_outcome::done);
  EXPECT_EQ(only().id, "we_10");
}

TEST_F(webhook_store_test, lists_organizations_that_have_endpoints) {
  add("we_1");
  add("we_2");
  ask(store->remove("acme", "we_1"));
  EXPECT_THAT(ask(store->orgs("", 10)), ElementsAre("acme"));
  ask(store->remove("acme", "we_2"));
  EXPECT_THAT(ask(store->orgs("", 10)), SizeIs(0));
  add("we_3");
  EXPECT_THAT(ask(store->orgs("", 10)), ElementsAre("acme"));
}

TEST_F(webhook_store_test, keeps_old_secrets_for_a_while) {
  add("we_1");
  EXPECT_EQ(rotate("2", 24h), webhook_outcome::done);
  auto secrets = only().secrets;
  ASSERT_THAT(secrets, SizeIs(2));
  EXPECT_EQ(secrets[0].text, "whsec_2");
  EXPECT_EQ(secrets[0].key, "2");
  EXPECT_EQ(secrets[0].until, time_point{});
  EXPECT_EQ(secrets[1].text, "whsec_1");
  EXPECT_EQ(secrets[1].key, "");
  EXPECT_EQ(secrets[1].until, secrets[0].since + 24h);
  const auto first_ends = secrets[1].until;

  ask(store->rotate("acme", "we_1", made_by("2", "whsec_other"), 24h));  // repeated
  EXPECT_THAT(only().secrets, SizeIs(2));
  EXPECT_EQ(only().secrets[0].text, "whsec_2");
  rotate("3", 1ms);  // within the overlap: every secret stays valid
  secrets = only().secrets;
  EXPECT_EQ(secrets.front().text, "whsec_3");
  EXPECT_EQ(secrets.back().text, "whsec_1");
  EXPECT_EQ(secrets.back().until, first_ends);
}

// A receiver may still use any of them.
TEST_F(webhook_store_test, no_secret_ends_because_of_another) {
  add("we_1");
  for (const char* key : {"2", "3", "4"}) EXPECT_EQ(rotate(key, 24h), webhook_outcome::done);
  EXPECT_EQ(rotate("5", 24h), webhook_outcome::full);
  EXPECT_EQ(rotate("3", 24h), webhook_outcome::exists);  // repeated: it already exists
  const auto secrets = only().secrets;
  ASSERT_THAT(secrets, SizeIs(webhook_store::most_secrets));
  EXPECT_EQ(secrets.front().text, "whsec_4");
  EXPECT_EQ(secrets.back().text, "whsec_1");
}

TEST_F(webhook_store_test, a_rotation_that_is_finished_leaves_the_newest_secret) {
  add("we_1");
  rotate("2", 24h);
  rotate("3", 24h);
  const auto signed_before = by("a");
  lease(signed_before);
  for (int repeated = 0; repeated < 2; ++repeated) {
    EXPECT_EQ(ask(store->finish_rotation("acme", "we_1")), webhook_outcome::done);
    ASSERT_THAT(only().secrets, SizeIs(1));
    EXPECT_EQ(only().secrets[0].text, "whsec_3");
    EXPECT_EQ(only().secrets[0].until, time_point{});
  }
  EXPECT_EQ(ask(store->delivered(signed_before, happens(), 200)), webhook_outcome::lost);
  EXPECT_EQ(rotate("3", 24h), webhook_outcome::exists);
  EXPECT_EQ(ask(store->finish_rotation("acme", "we_2")), webhook_outcome::not_found);
}

TEST_F(webhook_store_test, lets_one_deliver_at_a_time) {
  add("we_1");
  const auto leased = lease(by("a"));
  ASSERT_TRUE(leased);
  EXPECT_EQ(leased->endpoint.url, "https://hooks.example/?a=b");
  EXPECT_FALSE(leased->forgotten);
  EXPECT_FALSE(lease(by("b")));
  EXPECT_TRUE(lease(by("a")));  // the answer may have been lost
  EXPECT_FALSE(lease({"acme", "we_2", "b", 1h}));
}

TEST_F(webhook_store_test, after_a_lease_has_run_out_its_token_means_nothing) {
  add("we_1");
  const auto first = happens(), second = happens();
  lease(by("a", 1ms));
  lease_in_the_end(by("b"));
  const auto late = by("a");
  EXPECT_EQ(ask(store->delivered(late, second, 200)), webhook_outcome::lost);
  EXPECT_EQ(ask(store->skipped(late, second)), webhook_outcome::lost);
  EXPECT_EQ(ask(store->failed(late, attempt(500, "no"), time_point{})), webhook_outcome::lost);
  EXPECT_EQ(ask(store->gone(late, attempt(410, "no"), "gone")), webhook_outcome::lost);
  EXPECT_EQ(ask(store->died(late, dead_letter{second, "{}", 0, {}})), webhook_outcome::lost);
  EXPECT_EQ(ask(store->release(late)), webhook_outcome::lost);
  EXPECT_EQ(only().cursor, "0-0");
  EXPECT_EQ(only().disabled, "");
  EXPECT_EQ(ask(store->delivered(by("b"), first, 200)), webhook_outcome::done);
  EXPECT_EQ(only().cursor, first);
}

TEST_F(webhook_store_test, moves_on_with_what_was_delivered_or_skipped) {
  add("we_1");
  const auto first = happens(), second = happens();
  lease(by("a"));
  for (int times = 0; times < 2; ++times) {  // harmless if repeated
    EXPECT_EQ(ask(store->delivered(by("a"), first, 204)), webhook_outcome::done);
    EXPECT_EQ(only().cursor, first);
    EXPECT_EQ(only().last.status, 204);
  }
  EXPECT_EQ(ask(store->skipped(by("a"), second)), webhook_outcome::done);
  EXPECT_EQ(only().cursor, second);
}

TEST_F(webhook_store_test, waits_after_a_failure_until_it_is_time_or_somebody_asks) {
  add("we_1");
  happens();
  const auto now = ask(store->read("acme")).now;
  for (int attempts = 1; attempts <= 2; ++attempts) {
    ASSERT_TRUE(lease(by("a")));
    EXPECT_EQ(ask(store->failed(by("a"), attempt(0, "no answer"), now + 1h)),
              webhook_outcome::done);
    EXPECT_FALSE(lease(by("b")));
    const auto endpoint = only();
    EXPECT_EQ(endpoint.attempts, attempts);
    EXPECT_EQ(endpoint.next_at, now + 1h);
    EXPECT_EQ(endpoint.last.error, "no answer");
    EXPECT_GE(endpoint.last.at, now);
    EXPECT_EQ(ask(store->retry_now("acme", "we_1")), webhook_outcome::done);
  }
  EXPECT_TRUE(lease(by("b")));
}

TEST_F(webhook_store_test, does_not_lease_what_is_disabled) {
  add("we_1");
  lease(by("a"));
  EXPECT_EQ(ask(store->gone(by("a"), attempt(410, "it answered 410"), "gone")),
            webhook_outcome::done);
  EXPECT_EQ(only().disabled, "gone");
  EXPECT_FALSE(lease(by("a")));
  webhook_change enabled;
  enabled.disabled = "";
  ask(store->change("acme", "we_1", enabled));
  EXPECT_TRUE(lease(by("a")));
}

// The result of an attempt at the earlier endpoint must not undo a change made meanwhile.
TEST_F(webhook_store_test, what_is_changed_while_it_is_leased_is_leased_anew) {
  add("we_1");
  const auto first = happens();
  const auto now = ask(store->read("acme")).now;
  webhook_change disabled, enabled, moved;
  disabled.disabled = "because";
  enabled.disabled = "";
  moved.url = "https://other.example/";
  for (const auto& change : {moved, disabled, enabled}) {
    const bool was_enabled = only().disabled.empty();
    EXPECT_EQ(lease(by("a")).has_value(), was_enabled);
    ask(store->change("acme", "we_1", change));
    EXPECT_EQ(ask(store->failed(by("a"), attempt(500, "no"), now + 24h)), webhook_outcome::lost);
    EXPECT_EQ(ask(store->gone(by("a"), attempt(410, "no"), "gone")), webhook_outcome::lost);
    EXPECT_EQ(ask(store->delivered(by("a"), first, 200)), webhook_outcome::lost);
    EXPECT_EQ(only().disabled, change.disabled.value_or(""));
    EXPECT_LE(only().next_at, ask(store->read("acme")).now);
  }
  EXPECT_EQ(only().cursor, "0-0");
  EXPECT_TRUE(lease(by("b")));
}

TEST_F(webhook_store_test, a_retry_leaves_the_attempt_under_way_alone) {
  add("we_1");
  const auto first = happens();
  lease(by("a"));
  ask(store->retry_now("acme", "we_1"));
  EXPECT_EQ(ask(store->delivered(by("a"), first, 200)), webhook_outcome::done);
}

TEST_F(webhook_store_test, counts_from_when_it_was_made_or_enabled_or_moved) {
  add("we_1");
  EXPECT_EQ(only().since, only().created_at);
  const auto change = [&](auto what) {
    const auto before = ask(store->read("acme")).now;
    while (ask(store->read("acme")).now == before) {
    }
    ask(store->change("acme", "we_1", what));
    return only().since > before;
  };
  webhook_change disabled, enabled, moved, told;
  disabled.disabled = "because";
  enabled.disabled = "";
  moved.url = "https://other.example/";
  told.description = "other";
  EXPECT_FALSE(change(enabled));  // it already was
  EXPECT_FALSE(change(disabled));
  EXPECT_TRUE(change(enabled));
  EXPECT_TRUE(change(moved));
  EXPECT_FALSE(change(told));
}

TEST_F(webhook_store_test, counts_anew_after_a_long_break) {
  add("we_1");
  happens();
  const auto since = [&](const char* due_at) {
    raw.call({"HSET", "tollgate:{acme}:webhooks", "we_1 since", "1", "we_1 last_at", "2",
              "we_1 next_at", due_at});
    return lease(by("a"))->endpoint.since;
  };
  const auto now = ask(store->read("acme")).now;
  const auto ago = [&](milliseconds ms) {
    return std::to_string((now - ms).time_since_epoch().count());
  };
  EXPECT_LT(since(ago(59min).c_str()), now);
  EXPECT_GE(since(ago(61min).c_str()), now);
  raw.call({"HDEL", "tollgate:{acme}:webhooks", "we_1 since"});  // made by an earlier version
  EXPECT_TRUE(lease(by("a")));
}

TEST_F(webhook_store_test, may_begin_disabled) {
  webhook_endpoint endpoint;
  endpoint.id = "we_1";
  endpoint.url = "https://hooks.example/";
  endpoint.disabled = "because";
  ask(store->add("acme", endpoint, "secret"));
  EXPECT_EQ(only().disabled, "because");
  EXPECT_FALSE(lease(by("a")));
}

TEST_F(webhook_store_test, whoever_releases_it_says_whether_there_is_more) {
  add("we_1");
  lease(by("a"));
  const auto first = happens();
  EXPECT_EQ(ask(store->release(by("a"))), webhook_outcome::more);
  EXPECT_TRUE(lease(by("b")));
  ask(store->delivered(by("b"), first, 200));
  EXPECT_EQ(ask(store->release(by("b"))), webhook_outcome::done);
  EXPECT_EQ(ask(store->release(by("b"))), webhook_outcome::lost);
  EXPECT_TRUE(lease(by("a")));
}

TEST_F(webhook_store_test, keeps_dead_letters_in_the_order_of_their_events) {
  add("we_1");
  const auto first = happens(), second = happens();
  lease(by("a"));
  const auto now = ask(store->read("acme")).now;
  ask(store->failed(by("a"), attempt(500, "it answered 500"), now));
  lease(by("a"));
  const std::string body = "{\"id\":\"evt_1\",\n \"exact\":\"bytes \xC3\xA9\"}";
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(ask(store->died(by("a"), dead_letter{first, body, 0, attempt(503, "busy")})),
              webhook_outcome::done);
  }
  ask(store->died(by("a"), dead_letter{second, "{}", 0, attempt(0, "away")}));
  EXPECT_EQ(only().cursor, second);

  const auto letters = ask(store->dead_letters("acme", "we_1", "0-0", 10));
  ASSERT_THAT(letters, SizeIs(2));
  EXPECT_EQ(letters[0].event, first);
  EXPECT_EQ(letters[0].body, body);
  EXPECT_EQ(letters[0].attempts, 2);
  EXPECT_EQ(letters[0].last.status, 503);
  EXPECT_EQ(letters[0].last.error, "busy");
  EXPECT_EQ(letters[1].event, second);
  EXPECT_EQ(letters[1].attempts, 1);
  EXPECT_THAT(ask(store->dead_letters("acme", "we_1", first, 10)), SizeIs(1));
  EXPECT_THAT(ask(store->dead_letters("acme", "we_1", "0-0", 1)), SizeIs(1));

  EXPECT_EQ(ask(store->find_dead_letter("acme", "we_1", second))->body, "{}");
  ask(store->remove_dead_letter("acme", "we_1", second));
  EXPECT_FALSE(ask(store->find_dead_letter("acme", "we_1", second)));
  EXPECT_FALSE(ask(store->find_dead_letter("acme", "we_1", "no event")));
  ask(store->remove("acme", "we_1"));
  EXPECT_THAT(ask(store->dead_letters("acme", "we_1", "0-0", 10)), SizeIs(0));
}

TEST_F(webhook_store_test, keeps_so_many_dead_letters_and_no_more) {
  add("we_1");
  lease(by("a"));
  for (std::size_t i = 1; i <= webhook_store::most_dead_letters + 5; ++i) {
    const auto told = ask(store->died(by("a"), dead_letter{std::to_string(i) + "-0", "{}", 0, {}}));
    EXPECT_EQ(told == webhook_outcome::full, i > webhook_store::most_dead_letters);
  }
  const auto letters = ask(store->dead_letters("acme", "we_1", "0-0", 5'000));
  EXPECT_THAT(letters, SizeIs(webhook_store::most_dead_letters));
  EXPECT_EQ(letters.front().event, "6-0");
}

TEST_F(webhook_store_test, says_when_the_stream_does_not_go_back_far_enough) {
  happens();
  add("we_1");
  happens();
  EXPECT_FALSE(lease(by("a"))->forgotten);
  happens();
  raw.call({"XTRIM", "tollgate:{acme}:events", "MAXLEN", "1"});
  const auto leased = lease(by("a"));
  EXPECT_TRUE(leased->forgotten);
  EXPECT_EQ(leased->endpoint.cursor, "0-1");  // before the first event that still exists
  EXPECT_FALSE(lease(by("a"))->forgotten);    // reported once
}

TEST_F(webhook_store_test, says_when_the_very_first_events_are_gone) {
  add("we_1");
  EXPECT_FALSE(lease(by("a"))->forgotten);
  happens();
  EXPECT_FALSE(lease(by("a"))->forgotten);
  happens();
  raw.call({"XTRIM", "tollgate:{acme}:events", "MAXLEN", "1"});
  EXPECT_TRUE(lease(by("a"))->forgotten);
  EXPECT_FALSE(lease(by("a"))->forgotten);
}

TEST_F(webhook_store_test, tells_the_time_of_the_store) {
  const auto now = ask(store->read("acme")).now;
  EXPECT_GE(store->now(), now);
  EXPECT_LT(store->now(), now + 1h);
}

}  // namespace
}  // namespace tollgate::quota::redis
