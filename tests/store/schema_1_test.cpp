// A store written by the release before schema 2, opened by this one. schema_1.txt contains what
// that release's script left of an organization in which nearly everything had happened; the values
// of keys are in DUMP's format.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "quota/redis/guards.hpp"
#include "quota/redis/ledger_library.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "quota/verify.hpp"
#include "tests/store/store_test.hpp"
#include "tests/support/describe.hpp"

namespace tollgate::quota::redis {
namespace {

using tests::describe;

constexpr std::string_view org = "acme";
constexpr time_point left_at{milliseconds{1'928'711'520'000}};

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16));
  return bytes;
}

class schema_1_test : public store_test {
 protected:
  schema_1_test() : library_{with_clock()} {
    raw.call({"FUNCTION", "FLUSH"});
    raw.call({"FUNCTION", "LOAD", library_.text()});
    std::ifstream file{std::string{TOLLGATE_SOURCE_DIR} + "/tests/store/schema_1.txt"};
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream parts{line};
      std::string key, expires, dump;
      if (line.starts_with("#") || !(parts >> key >> expires >> dump)) continue;
      const auto reply = raw.call({"RESTORE", key, expires, from_hex(dump), "ABSTTL"});
      EXPECT_EQ(text_of(*reply), "OK") << key;
    }
    set_clock(left_at);
  }

  // The clock is the store's as it was left.
  static std::string with_clock() {
    std::string text{ledger_library::modules()};
    constexpr std::string_view asks = "call('TIME')";
    return text.replace(text.find(asks), asks.size(), "call('HMGET', 'clock', 's', 'us')");
  }
  void set_clock(time_point at) {
    const auto ms = at.time_since_epoch().count();
    raw.call({"HSET", "clock", "s", std::to_string(ms / 1000), "us", std::to_string(ms % 1000)});
  }

  answer apply(const operation& what) {
    ledger_batch batch;
    batch.add(what);
    for (int attempt = 0; attempt < 3; ++attempt) {
      std::string command;
      batch.append_call(command, library_.name(), org, hour_of(left_at), rules_text(0));
      const auto reply = raw.send(command);
      ledger_answer answers{text_of(*reply)};
      if (!answers.valid()) throw std::runtime_error{std::string{text_of(*reply)}};
      if (!answers.again()) return answers.next().value();
      for (const auto hour : answers.missing_hours()) batch.name_hour(hour);
    }
    throw std::runtime_error{"the library asks again for ever"};
  }

  account_snapshot snapshot() { return ask(store_.snapshot(std::string{org})); }
  std::string usage() {
    std::string all;
    const auto hours = snapshot().usage_hours.value();
    for (const auto& each : ask(store_.usage(std::string{org}, hours.first, hours.second)))
      all += each.who.agent + " " + std::to_string(each.charged.micro()) + " " +
             std::to_string(each.calls) + " " + std::to_string(each.used) + "\n";
    return all;
  }
  std::string statement() {
    std::string all;
    for (const auto& cycle : ask(store_.cycles(std::string{org}))) all += describe(cycle) + "\n";
    return all;
  }
  std::string differences() {
    const auto proof = ask(quota::verify(store_, guards_, std::string{org}));
    std::string all;
    for (const auto& each : proof.differences)
      all += each.what + ": " + each.recorded + ", " + each.proven + "\n";
    return all;
  }
  std::string field(std::string_view name) {
    return std::string{text_of(*raw.call({"HGET", key_of(org, "account"), name}))};
  }

  ledger_library library_;
  redis_store store_{*redis};
  redis_guards guards_{*redis};
};

TEST_F(schema_1_test, is_whole_before_it_is_touched) {
  EXPECT_EQ(field("schema"), "");
  EXPECT_EQ(differences(), "");
}

TEST_F(schema_1_test, is_brought_to_this_schema_by_the_first_step_that_changes_it) {
  const auto before = snapshot();
  const auto usage_before = usage(), statement_before = statement();
  // A step that changes nothing does not migrate it, so that a store that takes no writes can
  // answer it.
  EXPECT_EQ(apply(expire_holds{}).result, outcome::swept);
  const auto after = snapshot();
  EXPECT_EQ(field("schema"), "");
  EXPECT_EQ(describe(after.row), describe(before.row));
  EXPECT_EQ(describe(after.grants), describe(before.grants));
  EXPECT_EQ(describe(after.plan), describe(before.plan));
  ASSERT_EQ(after.holds.size(), 2u);
  ASSERT_EQ(before.holds.size(), 2u);
  for (std::size_t i = 0; i < after.holds.size(); ++i) {
    EXPECT_EQ(after.holds[i].id, before.holds[i].id);
    EXPECT_EQ(after.holds[i].amount, before.holds[i].amount);
    EXPECT_EQ(after.holds[i].answered, before.holds[i].answered);
    EXPECT_EQ(after.holds[i].counted, before.holds[i].counted);
  }
  EXPECT_EQ(usage(), usage_before);
  EXPECT_EQ(statement(), statement_before);
  EXPECT_EQ(apply(grant{"later", credits::from_whole(1), "purchase", "", never, {}}).result,
            outcome::granted);
  EXPECT_EQ(field("schema"), "2");
  EXPECT_EQ(differences(), "");
}

TEST_F(schema_1_test, goes_on_with_the_holds_that_were_open) {
  const auto open = snapshot().holds;
  ASSERT_EQ(open.size(), 2u);
  const auto settled = apply(settle{open[0].id, open[0].amount, 1});
  EXPECT_EQ(settled.result, outcome::settled);
  EXPECT_EQ(apply(settle{open[0].id, open[0].amount, 1}).result, outcome::already_settled);
  EXPECT_EQ(apply(void_hold{open[1].id}).result, outcome::voided);
  EXPECT_EQ(snapshot().row.held, credits{});
  EXPECT_EQ(field("schema"), "2");
  EXPECT_EQ(differences(), "");
}

}  // namespace
}  // namespace tollgate::quota::redis
