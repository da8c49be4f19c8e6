#include "quota/redis/ledger_script.hpp"

#include <random>

#include <gtest/gtest.h>

#include "quota/ledger_store.hpp"

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;

constexpr time_point noon{milliseconds{1'700'000'000'000}};  // hour 472222
constexpr std::int64_t hour = 472'222;

// The arguments of one encoded command.
std::vector<std::string> arguments_of(std::string_view encoded) {
  std::vector<std::string> arguments;
  const auto number = [&](char type) {
    EXPECT_EQ(encoded.at(0), type);
    const auto end = encoded.find("\r\n");
    const auto value = std::stoul(std::string{encoded.substr(1, end - 1)});
    encoded.remove_prefix(end + 2);
    return value;
  };
  const auto count = number('*');
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = number('$');
    arguments.emplace_back(encoded.substr(0, size));
    encoded.remove_prefix(size + 2);
  }
  EXPECT_TRUE(encoded.empty());
  return arguments;
}

std::vector<std::string> encode(const ledger_batch& batch) {
  std::string command;
  batch.append_evalsha(command, "acme", hour);
  return arguments_of(command);
}

TEST(ledger_batch, names_every_key_and_writes_every_argument) {
  const auto id = hold_id::make(noon, 0, 1);
  const auto older = hold_id::make(noon - 2h, 0, 2);
  const attribution who{"chat", "llm", "gpt-4", "a1", "", "key_1"};
  ledger_batch batch;
  batch.add(reserve{id, credits::from_whole(10), 60s, admission::critical, "req-1", who});
  batch.add(settle{older, credits::from_micro(7), 3});
  batch.add(expire_holds{});
  batch.add(extend{id, credits::from_whole(11), 30s, admission::owed});
  batch.add(grant{"g1", credits::from_whole(-5), "correction", "a note"});
  batch.add(void_hold{older});
  EXPECT_EQ(batch.size(), 6u);
  const std::vector<std::string> expected{
      "EVALSHA", std::string{ledger_script_sha1()}, "7",
      // keys
      "tollgate:{acme}:account", "tollgate:{acme}:holds", "tollgate:{acme}:ledger",
      "tollgate:{acme}:usage:472222", "tollgate:{acme}:grants", "tollgate:{acme}:resolved:472222",
      "tollgate:{acme}:resolved:472220",
      // hour of the usage key, number of ids, hours of the resolved keys, ids
      "472222", "4", "472222", "472220", std::string{id.text()}, std::string{older.text()},
      std::string{id.text()}, std::string{older.text()},
      // operations
      "r1", "6", "10000000", "60000", "req-1\tchat\tllm\tgpt-4\ta1\t\tkey_1",  //
      "s", "7", "7", "3",                                                      //
      "x",                                                                     //
      "e3", "6", "11000000", "30000",                                          //
      "g", "g1", "-5000000", "correction", "a note",                           //
      "v", "7"};
  EXPECT_EQ(encode(batch), expected);
}

TEST(ledger_batch, names_hours_the_script_asked_for) {
  ledger_batch batch;
  batch.add(expire_holds{});
  batch.name_hour(hour - 1);
  batch.name_hour(hour - 1);
  const auto arguments = encode(batch);
  EXPECT_EQ(arguments[2], "6");
  EXPECT_EQ(arguments[8], "tollgate:{acme}:resolved:472221");
  EXPECT_EQ(arguments[9], "472222");
  EXPECT_EQ(arguments[10], "0");
  EXPECT_EQ(arguments[11], "472221");
}

TEST(ledger_batch, sends_the_whole_script_when_it_is_unknown) {
  ledger_batch batch;
  batch.add(expire_holds{});
  std::string command;
  batch.append_eval(command, "acme", hour);
  const auto arguments = arguments_of(command);
  EXPECT_EQ(arguments[0], "EVAL");
  EXPECT_EQ(arguments[1], ledger_script());
  EXPECT_NE(ledger_script().find("redis.call"), std::string_view::npos);
}

TEST(ledger_batch, starts_anew_when_cleared) {
  ledger_batch batch;
  batch.add(void_hold{hold_id::make(noon, 0, 1)});
  batch.clear();
  EXPECT_EQ(batch.size(), 0u);
  batch.add(expire_holds{});
  EXPECT_EQ(encode(batch).size(), 3u + 5u + 2u + 1u);
}

TEST(ledger_batch, is_full_before_it_keeps_redis_for_long) {
  ledger_batch batch;
  while (!batch.full()) batch.add(expire_holds{});
  EXPECT_EQ(batch.size(), ledger_batch::max_operations);
}

// What separates the members of an attribution cannot come from within one.
TEST(ledger_batch, believes_no_member_to_be_clean) {
  ledger_batch batch;
  batch.add(
      reserve{hold_id::make(noon, 0, 1),
              credits{},
              60s,
              admission::enforce,
              "a\tb\r\n",
              {"ro\tute", std::string(300, 'x'), std::string{"\0", 1}, "\x7F", "\xC3\xA9", ""}});
  EXPECT_EQ(encode(batch).back(), "a?b??\tro?ute\t" + std::string(256, 'x') + "\t?\t?\t\xC3\xA9\t");
}

TEST(ledger_answer, gives_an_answer_an_operation) {
  ledger_answer answers{"1700000000123 0 10000000 90000000 20 5 -7 3 4000000000000000 0"};
  ASSERT_TRUE(answers.valid());
  EXPECT_FALSE(answers.again());
  EXPECT_EQ(answers.store_time(), noon + 123ms);
  EXPECT_EQ(answers.next().value(),
            (answer{outcome::held, credits::from_whole(10), credits::from_whole(90)}));
  EXPECT_EQ(answers.next().value(), (answer{outcome::insufficient_balance, credits::from_micro(5),
                                            credits::from_micro(-7)}));
  EXPECT_EQ(answers.next().value().amount.micro(), credits::max_micro);
  EXPECT_EQ(answers.next().error(), make_error_code(store_errc::protocol));
}

TEST(ledger_answer, says_what_was_missed) {
  ledger_answer answers{"again 1700000000123 472220 472219"};
  ASSERT_TRUE(answers.valid());
  EXPECT_TRUE(answers.again());
  EXPECT_EQ(answers.store_time(), noon + 123ms);
  EXPECT_EQ(answers.missing_hours(), (std::vector<std::int64_t>{472220, 472219}));
  EXPECT_TRUE(ledger_answer{"again 1700000000123"}.missing_hours().empty());
}

TEST(ledger_answer, survives_anything) {
  for (const auto* text : {"", " ", "again", "again ", "x", "-5 0 1 1", "1e15 0 1 1", "0 0 1 1",
                           "99999999999999999999 0 1 1", "1700000000123x 0 1 1"}) {
    EXPECT_FALSE(ledger_answer{text}.valid()) << text;
  }
  for (const auto* text :
       {"1700000000123", "1700000000123 ", "1700000000123 0", "1700000000123 0 1",
        "1700000000123 0 1 ", "1700000000123 0 1 x", "1700000000123 99 1 1", "1700000000123 -1 1 1",
        "1700000000123 7 1 1", "1700000000123 256 1 1", "1700000000123  0 1 1",
        "1700000000123 0 1e3 1", "again 1700000000123"}) {
    EXPECT_FALSE(ledger_answer{text}.next()) << text;
  }
}

TEST(ledger_answer, survives_random_bytes) {
  std::mt19937 random{1};
  constexpr std::string_view alphabet = "0123456789 -agin\n\0x";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n) text += alphabet[random() % alphabet.size()];
    ledger_answer answers{text};
    for (int n = 0; n < 5; ++n) answers.next();
    EXPECT_LE(answers.missing_hours().size(), text.size());
  }
}

}  // namespace
}  // namespace tollgate::quota::redis
