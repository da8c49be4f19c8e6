// The ledger's library in a real store: how it is loaded, how it works if the store takes no
// writes, and which accounts it refuses.
#include "quota/redis/ledger_library.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quota/redis/gate_row.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "quota/redis/store_schema.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr credits ten = credits::from_whole(10);

class ledger_library_test : public store_test {
 protected:
  ledger_library_test() : ids_{1} {
    raw.call({"FUNCTION", "FLUSH"});
    raw.call({"CONFIG", "SET", "maxmemory", "0"});
  }
  ~ledger_library_test() override { raw.call({"CONFIG", "SET", "maxmemory", "0"}); }

  std::unique_ptr<connection> connect(address where = here()) {
    connection_options options;
    options.backoff_min = options.backoff_max = 5ms;
    options.on_refusal = [this](const std::string& why) { refusals.push_back(why); };
    auto made = make_store_connection(context, where, options);
    made->start();
    return made;
  }
  std::unique_ptr<connection> ready_connection(address where = here()) {
    auto made = connect(where);
    wait_until([&] { return made->ready(); });
    return made;
  }
  template <class Condition>
  void wait_until(Condition condition) {
    context.restart();
    while (!condition()) {
      if (context.run_one() == 0) throw std::runtime_error{"it will never be so"};
    }
  }

  result<answer> apply(redis_store& store, operation what) {
    auto asked = [](redis_store& ledger, operation operation) -> task<result<answer>> {
      co_return co_await ledger.apply("acme", operation);
    };
    return outcome_of(asked(store, std::move(what)));
  }
  reserve a_reserve(credits amount = ten) {
    return {hold_id::make(redis->clock().now(), ids_++, 1),
            amount,
            60s,
            admission::enforce,
            "q",
            {"r", "a", "m", "", "", "k"}};
  }
  grant a_grant(std::string id = "g") { return {std::move(id), ten, "purchase", "", never, {}}; }
  std::size_t libraries() { return elements_of(*raw.call({"FUNCTION", "LIST"})).size(); }

  std::vector<std::string> refusals;
  std::uint64_t ids_;
};

TEST_F(ledger_library_test, is_loaded_once_by_ten_sidecars_that_start_together) {
  std::vector<std::unique_ptr<connection>> sidecars;
  for (int i = 0; i < 10; ++i) sidecars.push_back(connect());
  for (auto& each : sidecars) wait_until([&] { return each->ready(); });
  EXPECT_EQ(libraries(), 1u);
  for (auto& each : sidecars) each->stop();
}

TEST_F(ledger_library_test, stands_beside_that_of_another_version) {
  const ledger_library other{"redis.register_function(NAME, function() return 'other' end)"};
  raw.call({"FUNCTION", "LOAD", other.text()});
  const auto sidecar = ready_connection();
  EXPECT_EQ(libraries(), 2u);
  EXPECT_EQ(text_of(*raw.call({"FCALL", other.name(), "0"})), "other");
  sidecar->stop();
}

TEST_F(ledger_library_test, comes_back_when_it_was_flushed) {
  const auto sidecar = ready_connection();
  redis_store store{*sidecar};
  EXPECT_EQ(apply(store, a_grant())->result, outcome::granted);
  raw.call({"FUNCTION", "FLUSH"});
  EXPECT_EQ(apply(store, a_reserve())->result, outcome::held);
  raw.call({"FLUSHALL"});
  raw.call({"FUNCTION", "FLUSH"});
  EXPECT_EQ(apply(store, a_grant())->result, outcome::granted);
  EXPECT_EQ(libraries(), 1u);
  sidecar->stop();
}

TEST_F(ledger_library_test, serves_a_user_that_may_not_load_it) {
  raw.call({"FUNCTION", "LOAD", ledger_library::current().text()});
  raw.call({"ACL", "SETUSER", "sidecar", "on", ">secret", "~tollgate:*", "+@all", "-function"});
  auto where = here();
  where.username = "sidecar";
  where.password = "secret";
  const auto sidecar = ready_connection(where);
  redis_store store{*sidecar};
  EXPECT_EQ(apply(store, a_grant())->result, outcome::granted);
  EXPECT_TRUE(refusals.empty());
  sidecar->stop();
  raw.call({"ACL", "DELUSER", "sidecar"});
}

TEST_F(ledger_library_test, says_what_to_do_where_it_is_missing_and_may_not_be_loaded) {
  raw.call({"ACL", "SETUSER", "sidecar", "on", ">secret", "~tollgate:*", "+@all", "-function"});
  auto where = here();
  where.username = "sidecar";
  where.password = "secret";
  const auto sidecar = connect(where);
  wait_until([&] { return !sidecar->refusal().empty(); });
  EXPECT_THAT(sidecar->refusal(), HasSubstr("tollgate library"));
  EXPECT_EQ(sidecar->state().trouble, store_trouble::no_library);
  EXPECT_FALSE(sidecar->ready());
  sidecar->stop();
  raw.call({"ACL", "DELUSER", "sidecar"});
}

// A call that is refused in the middle would leave the account half written.
TEST_F(ledger_library_test, is_not_called_for_a_user_that_may_not_send_all_of_its_commands) {
  raw.call({"FUNCTION", "LOAD", ledger_library::current().text()});
  auto where = here();
  where.username = "sidecar";
  where.password = "secret";
  for (const auto* command : {"EXPIREAT", "HDEL", "HEXISTS", "HGET", "HGETALL", "HLEN", "HMGET",
                              "HRANDFIELD", "HSET", "TIME", "XADD"}) {
    SCOPED_TRACE(command);
    const std::string without = std::string{"-"} + command;
    raw.call(
        {"ACL", "SETUSER", "sidecar", "reset", "on", ">secret", "~tollgate:*", "+@all", without});
    const auto sidecar = connect(where);
    wait_until([&] { return sidecar->state().trouble == store_trouble::no_permission; });
    EXPECT_FALSE(sidecar->ready());
    EXPECT_THAT(sidecar->state().detail, HasSubstr("NOPERM"));
    raw.call({"ACL", "SETUSER", "sidecar", "+@all"});
    wait_until([&] { return sidecar->state().ready(); });
    sidecar->stop();
  }
  raw.call({"ACL", "DELUSER", "sidecar"});
}

TEST_F(ledger_library_test, is_not_used_on_a_replica_that_takes_writes) {
  raw.call({"CONFIG", "SET", "replica-read-only", "no"});
  raw.call({"REPLICAOF", "127.0.0.1", "1"});
  const auto sidecar = connect();
  wait_until([&] { return sidecar->state().trouble == store_trouble::replica; });
  EXPECT_FALSE(sidecar->ready());
  EXPECT_THAT(sidecar->state().detail, HasSubstr("the server is a replica of 127.0.0.1"));
  raw.call({"REPLICAOF", "NO", "ONE"});
  raw.call({"CONFIG", "SET", "replica-read-only", "yes"});
  wait_until([&] { return sidecar->state().ready(); });
  sidecar->stop();
}

// As with a script, which fails only at its first write: operations that need no write are
// answered.
TEST_F(ledger_library_test, answers_what_needs_no_write_where_the_store_takes_none) {
  const auto sidecar = ready_connection();
  redis_store store{*sidecar};
  EXPECT_EQ(apply(store, a_grant())->result, outcome::granted);
  raw.call({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(apply(store, a_reserve(credits::from_whole(11)))->result,
            outcome::insufficient_balance);
  EXPECT_EQ(apply(store, a_grant())->result, outcome::exists);
  EXPECT_EQ(apply(store, a_reserve()).error(), store_errc::not_applied);
  raw.call({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(apply(store, a_reserve())->result, outcome::held);
  sidecar->stop();
}

TEST_F(ledger_library_test, notes_its_schema_in_the_store_and_in_each_account) {
  const auto sidecar = ready_connection();
  redis_store store{*sidecar};
  EXPECT_EQ(text_of(*raw.call({"GET", schema_key})), "2");
  EXPECT_EQ(apply(store, a_grant())->result, outcome::granted);
  EXPECT_EQ(text_of(*raw.call({"HGET", key_of("acme", "account"), "schema"})), "2");
  sidecar->stop();
}

TEST_F(ledger_library_test, refuses_an_account_of_a_newer_schema_and_leaves_it_as_it_is) {
  const auto sidecar = ready_connection();
  redis_store store{*sidecar};
  EXPECT_EQ(apply(store, a_grant())->result, outcome::granted);
  raw.call({"HSET", key_of("acme", "account"), "schema", "3"});
  EXPECT_EQ(apply(store, a_grant("another")).error(), store_errc::not_applied);
  EXPECT_EQ(outcome_of(store.snapshot("acme")).error(), store_errc::protocol);
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_EQ(refusals.front(),
            "the account of acme is of schema 3; this version of Tollgate knows schemas up to 2: "
            "use one that knows schema 3");
  EXPECT_EQ(text_of(*raw.call({"HGET", key_of("acme", "account"), "granted"})), "10000000");
  sidecar->stop();
}

TEST_F(ledger_library_test, refuses_a_store_of_a_newer_schema) {
  raw.call({"SET", schema_key, "3"});
  const auto sidecar = connect();
  wait_until([&] { return !sidecar->refusal().empty(); });
  EXPECT_EQ(sidecar->state().trouble, store_trouble::newer_schema);
  EXPECT_EQ(sidecar->refusal(),
            "the store is of schema 3; this version of Tollgate knows schemas up to 2: use one "
            "that knows schema 3");
  EXPECT_EQ(why_refused(here(), 2s), sidecar->refusal());
  EXPECT_FALSE(sidecar->ready());
  EXPECT_EQ(text_of(*raw.call({"GET", schema_key})), "3");
  sidecar->stop();
}

TEST_F(ledger_library_test, refuses_neither_a_store_of_its_own_schema_nor_one_that_is_away) {
  EXPECT_EQ(why_refused(here(), 2s), "");
  EXPECT_EQ(text_of(*raw.call({"GET", schema_key})), "2");
  address nowhere;
  nowhere.unix_path = "/nonexistent/redis.sock";
  EXPECT_EQ(why_refused(nowhere, 50ms), "");
}

TEST_F(ledger_library_test, is_in_the_append_only_file) {
  tests::redis_server durable{{"--appendonly", "yes", "--appendfsync", "always"}};
  address where;
  where.unix_path = durable.socket();
  ready_connection(where)->stop();
  durable.kill();
  durable.start();
  tests::redis_client client{durable.socket()};
  EXPECT_EQ(text_of(*client.call({"FCALL", ledger_library::current().name(), "0"})),
            ledger_library::current().name());
}

// Lua and C++ both pack the gate: each reads what the other writes, and writes the same text.
TEST_F(ledger_library_test, packs_the_gate_as_cpp_does) {
  std::string script{ledger_library::modules()};
  script.resize(script.rfind("-- The Redis Function library"));
  script +=
      "local gate, account = require('gate'), {} gate.unpack(ARGV[1], account) "
      "local numbers = {account.cycle} "
      "for i, name in ipairs({'cycle_start', 'old_before', 'kept', 'room', 'overdraft', "
      "'threshold', 'plan_due', 'until_then', 'top_up_open', 'alert_at', 'told'}) do "
      "numbers[i + 1] = string.format('%d', account[name]) end "
      "numbers[13] = account.member_alerts and '1' or '0' "
      "return {gate.pack(account), table.concat(numbers, ' ')}";
  std::uint64_t seed = 1;
  for (int i = 0; i < 200; ++i) {
    gate_numbers gate{};
    std::string numbers;
    for (std::size_t field = 0; field < gate.size(); ++field) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      gate[field] = static_cast<std::int64_t>(seed >> 11) % 8'000'000'000'000'000;
      if (field == static_cast<std::size_t>(gate_field::told)) gate[field] %= 4;
      if (field == static_cast<std::size_t>(gate_field::member_alerts)) gate[field] %= 2;
      numbers += (numbers.empty() ? "" : " ") + std::to_string(gate[field]);
    }
    const auto reply = raw.call({"EVAL", script, "0", pack_gate(gate)});
    ASSERT_EQ(reply->type, REDIS_REPLY_ARRAY) << text_of(*reply);
    EXPECT_EQ(text_of(*elements_of(*reply)[0]), pack_gate(gate));
    EXPECT_EQ(text_of(*elements_of(*reply)[1]), numbers);
    EXPECT_EQ(unpack_gate(pack_gate(gate)), gate);
  }
}

// After an outage of the store, or the loss of a machine, one sweep settles all of an
// organization's streams. Lua passes at most a few thousand arguments to a command.
TEST_F(ledger_library_test, settles_any_number_of_answered_holds_in_one_step) {
  const auto connection = ready_connection();
  redis_store store{*connection};
  ASSERT_EQ(apply(store, a_grant())->result, outcome::granted);
  constexpr int many = 9'000;
  const auto now = connection->clock().now();
  const auto placed = std::to_string(now.time_since_epoch().count());
  for (int i = 0; i < many; ++i) {
    const auto id = hold_id::make(now, static_cast<std::uint16_t>(i % 1'000), i);
    raw.call({"HSET", "tollgate:{acme}:holds", id.text(),
              "1000 1 " + std::to_string(hour_of(now)) + ":1000:1 " + placed +
                  " q\tr\ta\tm\tagent" + std::to_string(i) + "\t\tk"});
  }
  raw.call(
      {"HSET", "tollgate:{acme}:account", "held", std::to_string(many * 1'000), "next_due", "1"});

  ASSERT_TRUE(apply(store, expire_holds{}));
  const auto number = [this](std::vector<std::string> command) {
    return raw.call(command)->integer;
  };
  EXPECT_EQ(number({"HLEN", "tollgate:{acme}:holds"}), 0);
  EXPECT_EQ(number({"HLEN", "tollgate:{acme}:usage:" + std::to_string(hour_of(now))}), many);
  EXPECT_EQ(number({"HLEN", "tollgate:{acme}:resolved:" + std::to_string(hour_of(now))}), many);
  EXPECT_EQ(text_of(*raw.call({"HGET", "tollgate:{acme}:account", "settled"})),
            std::to_string(many * 1'000));
  EXPECT_EQ(text_of(*raw.call({"HGET", "tollgate:{acme}:account", "held"})), "0");
}

}  // namespace
}  // namespace tollgate::quota::redis
