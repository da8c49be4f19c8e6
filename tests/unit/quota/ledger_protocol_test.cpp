#include "quota/redis/ledger_protocol.hpp"

#include <random>

#include <gtest/gtest.h>

#include "quota/store_error.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;

using tests::round_moment;
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
  batch.append_call(command, "the_ledger", "acme", hour, rules_text(720));
  return arguments_of(command);
}

TEST(ledger_batch, names_every_key_and_writes_every_argument) {
  const auto id = hold_id::make(round_moment, 0, 1);
  const auto older = hold_id::make(round_moment - 2h, 0, 2);
  const attribution who{"chat", "llm", "gpt-4", "a1", "", "key_1"};
  ledger_batch batch;
  batch.add(reserve{id, credits::from_whole(10), 60s, admission::critical, "req-1", who});
  batch.add(settle{older, credits::from_micro(7), 3});
  batch.add(expire_holds{});
  batch.add(extend{id, credits::from_whole(11), 30s, admission::owed});
  batch.add(extend{id, credits::from_whole(12), 30s, admission::enforce, credits::from_micro(9)});
  batch.add(extend{
      id, credits::from_whole(12), 30s, admission::enforce, {}, use{credits::from_micro(5), 2}});
  batch.add(extend{
      id, credits::from_whole(12), 30s, admission::enforce, {}, use{credits::from_micro(5), 2, 3}});
  batch.add(release{older, credits::from_micro(8)});
  batch.add(grant{"g1", credits::from_whole(-5), "correction", "a note", round_moment, {}});
  batch.add(void_hold{older});
  configure terms;
  terms.terms = {"starter", credits::from_whole(5), 100, 1, 20'000, 1'000, 60, 100};
  terms.at_once = false;
  terms.anchor_day = 31;
  terms.options.spend_cap_cents = 5'000;
  terms.options.top_up_threshold = credits::from_whole(7);
  terms.options.top_up_cents = 25;
  terms.options.limits = {{limit_scope::agent, "a1", credits::from_whole(9), limit_window::day},
                          {limit_scope::key, "*", credits::from_micro(1), limit_window::total}};
  terms.options.alerts = {{alert_kind::allocation_percent, 80},
                          {alert_kind::credits_used, 7'000'000},
                          {alert_kind::allocation_percent, 20, limit_scope::agent, "a1"}};
  batch.add(terms);
  batch.add(request_top_up{"pack", 1'000});
  batch.add(lease_top_up{"pack", 15s});
  batch.add(resolve_top_up{"pack", top_up_verdict::spent, 2});
  batch.add(take_back_top_up{"pack", take_back_reason::dispute, 300});
  EXPECT_EQ(batch.size(), 15u);
  const std::vector<std::string> expected{
      "FCALL", "the_ledger", "12",
      // keys
      "tollgate:{acme}:account", "tollgate:{acme}:holds", "tollgate:{acme}:ledger",
      "tollgate:{acme}:usage:472222", "tollgate:{acme}:grants", "tollgate:{acme}:counters",
      "tollgate:{acme}:cycles", "tollgate:{acme}:top_ups", "tollgate:{acme}:late",
      "tollgate:{acme}:events", "tollgate:{acme}:resolved:472222",
      "tollgate:{acme}:resolved:472220",
      // hour of the usage key, number of ids, hours of the resolved keys, ids
      "472222", "8", "720 -1 0 0", "472222", "472220", std::string{id.text()},
      std::string{older.text()}, std::string{id.text()}, std::string{id.text()},
      std::string{id.text()}, std::string{id.text()}, std::string{older.text()},
      std::string{older.text()},
      // operations
      "r1", "11", "10000000", "60000", "req-1\tchat\tllm\tgpt-4\ta1\t\tkey_1",  //
      "s", "12", "7", "3",                                                      //
      "x", "0",                                                                 //
      "e3", "11", "11000000", "30000", "11000000", "",                          //
      "e0", "11", "12000000", "30000", "9", "",                                 //
      "e0", "11", "12000000", "30000", "12000000", "5:2",                       //
      "e0", "11", "12000000", "30000", "12000000", "5:2/3",                     //
      "d", "12", "8",                                                           //
      "g", "g1", "-5000000", "correction", "a note", "1700000000000", "",       //
      "v", "12", "c", "0", "31", "5000000 100 1 20000 1000 60 100 starter", "1 5000 -1 7000000 25",
      "0 1 9000000 a1\n2 3 1 *", "0 80\n2 7000000\n0 20 0 a1", "t", "pack", "1000", "l", "pack",
      "15000", "p", "pack", "4", "2", "b", "pack", "1", "300"};
  EXPECT_EQ(encode(batch), expected);
}

TEST(ledger_batch, names_hours_the_library_asked_for) {
  ledger_batch batch;
  batch.add(expire_holds{});
  batch.name_hour(hour - 1);
  batch.name_hour(hour - 1);
  const auto arguments = encode(batch);
  EXPECT_EQ(arguments[2], "11");
  EXPECT_EQ(arguments[13], "tollgate:{acme}:resolved:472221");
  EXPECT_EQ(arguments[14], "472222");
  EXPECT_EQ(arguments[15], "0");
  EXPECT_EQ(arguments[16], "720 -1 0 0");
  EXPECT_EQ(arguments[17], "472221");
}

TEST(ledger_batch, starts_anew_when_cleared) {
  ledger_batch batch;
  batch.add(void_hold{hold_id::make(round_moment, 0, 1)});
  batch.clear();
  EXPECT_EQ(batch.size(), 0u);
  batch.add(expire_holds{});
  EXPECT_EQ(encode(batch).size(), 3u + 10u + 3u + 2u);
}

TEST(ledger_batch, is_full_before_it_keeps_redis_for_long) {
  ledger_batch batch;
  while (!batch.full()) batch.add(expire_holds{});
  EXPECT_EQ(batch.size(), ledger_batch::max_operations);
}

// A member of an attribution cannot contain the separator of members.
TEST(ledger_batch, believes_no_member_to_be_clean) {
  ledger_batch batch;
  batch.add(
      reserve{hold_id::make(round_moment, 0, 1),
              credits{},
              60s,
              admission::enforce,
              "a\tb\r\n",
              {"ro\tute", std::string(300, 'x'), std::string{"\0", 1}, "\x7F", "\xC3\xA9", ""}});
  EXPECT_EQ(encode(batch).back(), "a?b??\tro?ute\t" + std::string(256, 'x') + "\t?\t?\t\xC3\xA9\t");
}

operation a_reservation(time_point made_at) {
  return reserve{
      hold_id::make(made_at, 0, 1), credits::from_whole(1), 60s, admission::enforce, "r", {}};
}
operation a_settlement(time_point made_at) {
  return settle{hold_id::make(made_at, 0, 2), credits::from_whole(1), 1};
}

TEST(ledger_batch, is_usual_with_a_settlement_a_reservation_or_the_one_and_then_the_other) {
  const auto now = round_moment, earlier = round_moment - 1h;
  const operation some_void = void_hold{hold_id::make(now, 0, 3)};
  struct shape {
    std::vector<operation> operations;
    bool usual;
  };
  const shape shapes[] = {
      {{}, false},
      {{a_reservation(now)}, true},
      {{a_settlement(now)}, true},
      {{a_settlement(now), a_reservation(now)}, true},
      {{a_reservation(now), a_settlement(now)}, false},
      {{a_settlement(now), a_settlement(now)}, false},
      {{a_reservation(now), a_reservation(now)}, false},
      {{a_settlement(now), a_reservation(now), a_settlement(now)}, false},
      {{some_void}, false},
      {{a_settlement(now), some_void}, false},
      {{expire_holds{}}, false},
      {{a_reservation(earlier)}, false},
      {{a_settlement(earlier), a_reservation(now)}, false},
  };
  for (std::size_t i = 0; i < std::size(shapes); ++i) {
    ledger_batch batch;
    for (const auto& each : shapes[i].operations) batch.add(each);
    EXPECT_EQ(batch.is_usual(hour_of(now)), shapes[i].usual) << i;
    batch.clear();
    batch.add(a_reservation(now));
    EXPECT_TRUE(batch.is_usual(hour_of(now))) << i;
  }
}

TEST(usual_arguments, names_five_keys_of_each_organization_and_counts_its_arguments) {
  ledger_batch both, one;
  both.add(a_settlement(round_moment));
  both.add(a_reservation(round_moment));
  one.add(a_settlement(round_moment));
  const auto of_hour = hour_of(round_moment);
  usual_arguments arguments{of_hour};
  arguments.add("acme", both);
  arguments.add("globex", one);
  const auto got = arguments_of(arguments.call("usual"));
  const auto text = std::to_string(of_hour);
  const std::vector<std::string> begins{"FCALL",
                                        "usual",
                                        "10",
                                        "tollgate:{acme}:account",
                                        "tollgate:{acme}:holds",
                                        "tollgate:{acme}:ledger",
                                        "tollgate:{acme}:usage:" + text,
                                        "tollgate:{acme}:resolved:" + text,
                                        "tollgate:{globex}:account"};
  ASSERT_EQ(got.size(), 3 + 10 + 1 + (1 + 2 + 4 + 5) + (1 + 1 + 4));
  EXPECT_TRUE(std::equal(begins.begin(), begins.end(), got.begin()));
  EXPECT_EQ(got[13], text);
  EXPECT_EQ(got[14], "11");
  EXPECT_EQ(got[17], "s");
  EXPECT_EQ(got[21], "r0");
  EXPECT_EQ(got[26], "5");
  EXPECT_EQ(got[28], "s");
}

TEST(ledger_answer, gives_an_answer_an_operation) {
  ledger_answer answers{"1700000000123 0 10000000 90000000 20 5 -7 3 4000000000000000 0"};
  ASSERT_TRUE(answers.valid());
  EXPECT_FALSE(answers.again());
  EXPECT_EQ(answers.store_time(), round_moment + 123ms);
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
  EXPECT_EQ(answers.store_time(), round_moment + 123ms);
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
        "1700000000123 28 1 1", "1700000000123 256 1 1", "1700000000123  0 1 1",
        "1700000000123 0 1e3 1", "again 1700000000123"}) {
    EXPECT_FALSE(ledger_answer{text}.next()) << text;
  }
}

TEST(ledger_answer, says_what_stood_in_the_way_and_how_fast_one_may_go_on) {
  ledger_answer answers{
      "1700000000123 0 5 90 R60,100,99,1700000001123 25 5 90 W7,1700003600000,2,1,9,1,4 3 1 1 T"};
  ASSERT_TRUE(answers.valid());
  EXPECT_TRUE(answers.top_up_due());
  const auto held = answers.next().value();
  EXPECT_EQ(held.rate, (rate_status{60, 100, 99, round_moment + 1'123ms}));
  EXPECT_FALSE(held.why);
  const auto refused = answers.next().value();
  EXPECT_FALSE(refused.rate);
  EXPECT_EQ(refused.why,
            (obstacle{credits::from_micro(7), round_moment + 1h, limit_scope::key,
                      limit_window::day, credits::from_micro(9), true, credits::from_micro(4)}));
  EXPECT_EQ(answers.next().value().result, outcome::settled);
  for (const auto* text : {"R", "R1,2,3", "R1,2,3,4,5", "R1,2,3,x", "W1,2,0,0,5,6",
                           "W1,2,3,4,5,6,7", "W1,2,0,9,5,6,7"}) {
    EXPECT_FALSE(ledger_answer{std::string{"1700000000123 0 5 90 "} + text}.next()) << text;
  }
}

TEST(ledger_answer, says_what_a_hold_was_settled_for_when_it_expired) {
  ledger_answer answers{"1700000000123 27 5 90 U7,8 27 5 90 U1,0 3 5 90 E"};
  EXPECT_EQ(answers.next().value().charged, (use{credits::from_micro(5), 7, 8}));
  EXPECT_EQ(answers.next().value().charged, (use{credits::from_micro(5), 1, 0}));
  EXPECT_FALSE(answers.next().value().charged);
  for (const auto* text : {"U", "U1", "U1,2,3", "U1,x", "U,"}) {
    EXPECT_FALSE(ledger_answer{std::string{"1700000000123 27 5 90 "} + text}.next()) << text;
  }
}

TEST(ledger_answer, says_what_others_may_want_to_be_told_of) {
  for (const bool due : {false, true}) {
    for (const bool events : {false, true}) {
      const auto text =
          std::string{"1700000000123 3 1 1"} + (due ? " T" : "") + (events ? " E" : "");
      ledger_answer answer{text};
      EXPECT_EQ(answer.top_up_due(), due);
      EXPECT_EQ(answer.has_events(), events);
      EXPECT_EQ(answer.next().value().result, outcome::settled);
    }
  }
}

TEST(ledger_answer, survives_random_bytes) {
  std::mt19937 random{1};
  constexpr std::string_view alphabet = "0123456789 -aginRWT,\n\0x";
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
