// The ledger's stories are tables. A line is an operation and the expected answer:
//
//   OPERATION [OPTION=VALUE...] -> OUTCOME AMOUNT, AVAILABLE
//
// Amounts are micro-credits, holds are identified by a number, and time only moves with `wait MS`.
#include "quota/ledger/account_ledger.hpp"

#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/describe.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;

using tests::round_moment;

class story {
 public:
  explicit story(std::string_view table) {
    std::istringstream lines{std::string{table}};
    for (std::string line; std::getline(lines, line);) tell(line);
  }

  const account_ledger& ledger() const { return ledger_; }

 private:
  void tell(const std::string& line) {
    std::istringstream words{line};
    std::string verb;
    if (!(words >> verb)) return;
    SCOPED_TRACE(line);
    if (verb == "wait") {
      std::int64_t ms = 0;
      words >> ms;
      now_ += milliseconds{ms};
    } else if (verb == "suspend" || verb == "resume") {
      ledger_.set_suspended(verb == "suspend", now_);
    } else {
      const auto reply = ledger_.apply(read_operation(verb, words), now_);
      std::string expected;
      std::getline(words >> std::ws, expected);
      EXPECT_EQ("-> " + std::string{to_string(reply.result)} + " " +
                    std::to_string(reply.amount.micro()) + ", " +
                    std::to_string(reply.available.micro()),
                expected);
    }
    const auto& row = ledger_.row();
    EXPECT_EQ(row.available(), row.granted - row.settled - row.held - row.expired);
  }

  operation read_operation(const std::string& verb, std::istringstream& words) {
    std::string subject;
    std::int64_t amount = 0;
    if (verb == "sweep") return expire_holds{};
    words >> subject;
    if (verb != "void") words >> amount;
    const auto options = read_options(words);
    const auto option = [&](const char* name, std::int64_t otherwise) {
      const auto found = options.find(name);
      return found == options.end() ? otherwise : std::stoll(found->second);
    };
    const auto credits = credits::from_micro(amount);
    const auto admit = static_cast<admission>(option("admit", 0));
    const milliseconds timeout{option("timeout", 60'000)};
    const auto made = round_moment - std::chrono::hours{option("age", 0)};
    const auto hold = hold_id::make(made, 0, std::stoull("0" + subject.substr(1)));
    if (verb == "reserve") return reserve{hold, credits, timeout, admit, "req", {}};
    if (verb == "extend") {
      extend what{hold, credits, timeout, admit};
      if (options.contains("answered")) {
        what.answered =
            use{credits::from_micro(option("answered", 0)), option("used", 1), option("billed", 0)};
      }
      return what;
    }
    if (verb == "release") return release{hold, credits};
    if (verb == "settle") return settle{hold, credits, option("used", 1)};
    if (verb == "void") return void_hold{hold};
    const auto kind = options.find("kind");
    return grant{subject, credits, kind == options.end() ? "purchase" : kind->second, ""};
  }

  // Stops before the arrow.
  static std::map<std::string, std::string> read_options(std::istringstream& words) {
    std::map<std::string, std::string> options;
    while ((words >> std::ws).peek() != '-') {
      std::string word;
      if (!(words >> word)) break;
      const auto equals = word.find('=');
      options[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return options;
  }

  account_ledger ledger_;
  time_point now_ = round_moment;
};

TEST(account_ledger, a_call_from_hold_to_charge) {
  const story told{R"(
    grant  g1 100   -> granted 100, 100
    reserve h1 40   -> held 40, 60
    settle  h1 25   -> settled 25, 75
    settle  h1 25   -> already_settled 25, 75
    void    h1      -> already_settled 25, 75
    reserve h1 40   -> already_settled 25, 75
    extend  h1 50   -> already_settled 25, 75
  )"};
  EXPECT_EQ(told.ledger().row().settled.micro(), 25);
  EXPECT_EQ(told.ledger().entries().size(), 3u);
}

// The rest of a hold may be given back before it is resolved; never more than that, however late or
// often it is requested.
TEST(account_ledger, the_rest_of_a_hold_is_given_back_early) {
  const story told{R"(
    grant  g1 100   -> granted 100, 100
    reserve h1 40   -> held 40, 60
    release h1 30   -> released 30, 70
    release h1 30   -> released 30, 70
    release h1 35   -> released 30, 70
    release h1 -1   -> out_of_range -1, 70
    extend  h1 45   -> extended 45, 55
    release h1 25   -> released 25, 75
    settle  h1 25   -> settled 25, 75
    release h1 5    -> already_settled 25, 75
    release h2 5    -> not_found 0, 75
    reserve h2 40   -> not_found 0, 75
  )"};
  EXPECT_EQ(told.ledger().row().held.micro(), 0);
  EXPECT_EQ(told.ledger().entries().size(), 6u);
}

TEST(account_ledger, a_refused_call_costs_nothing) {
  story{R"(
    grant  g1 100   -> granted 100, 100
    reserve h1 40   -> held 40, 60
    void    h1      -> voided 40, 100
    void    h1      -> already_voided 40, 100
    settle  h1 40   -> already_voided 40, 100
    reserve h1 40   -> already_voided 40, 100
  )"};
}

TEST(account_ledger, never_more_calls_than_the_balance_pays) {
  story{R"(
    grant  g1 100   -> granted 100, 100
    reserve h1 40   -> held 40, 60
    reserve h2 40   -> held 40, 20
    reserve h3 40   -> insufficient_balance 40, 20
    reserve h4 20   -> held 20, 0
    reserve h5 1    -> insufficient_balance 1, 0
    reserve h6 0    -> held 0, 0
    void    h1      -> voided 40, 40
    reserve h3 40   -> held 40, 0
  )"};
}

TEST(account_ledger, a_repeated_reserve_changes_nothing) {
  story{R"(
    grant  g1 100   -> granted 100, 100
    reserve h1 40   -> held 40, 60
    reserve h1 40   -> exists 40, 60
    reserve h1 41   -> exists_with_different_amount 40, 60
    reserve h1 40 admit=1 -> exists 40, 60
  )"};
}

TEST(account_ledger, what_is_used_beyond_the_hold_is_charged_too) {
  const story told{R"(
    grant  g1 100   -> granted 100, 100
    reserve h1 40   -> held 40, 60
    settle  h1 150  -> settled 150, -50
    reserve h2 0    -> held 0, -50
    reserve h3 1    -> insufficient_balance 1, -50
  )"};
  const auto& entry = told.ledger().entries()[2];
  EXPECT_EQ(entry.released.micro(), -110);
  EXPECT_EQ(entry.overage.micro(), 50);
  EXPECT_EQ(told.ledger().overdrawn().micro(), 50);
}

TEST(account_ledger, critical_calls_go_on_below_zero_and_are_recorded_as_overage) {
  const story told{R"(
    grant  g1 10             -> granted 10, 10
    reserve h1 40            -> insufficient_balance 40, 10
    reserve h1 40 admit=1    -> held_beyond_balance 40, -30
    settle  h1 40            -> settled 40, -30
    reserve h2 5 admit=1     -> held_beyond_balance 5, -35
    settle  h2 5             -> settled 5, -35
  )"};
  EXPECT_EQ(told.ledger().entries()[2].overage.micro(), 30);
  EXPECT_EQ(told.ledger().entries()[4].overage.micro(), 5);
}

TEST(account_ledger, a_suspended_account_reserves_nothing_but_resolves_everything) {
  const story told{R"(
    grant  g1 100            -> granted 100, 100
    reserve h1 10            -> held 10, 90
    reserve h2 10            -> held 10, 80
    suspend
    suspend
    reserve h3 10            -> suspended 10, 80
    reserve h3 0             -> suspended 0, 80
    reserve h3 10 admit=1    -> suspended 10, 80
    reserve h3 10 admit=2    -> held_beyond_balance 10, 70
    reserve h4 10 admit=3    -> held_beyond_balance 10, 60
    reserve h1 10            -> exists 10, 60
    extend  h1 20            -> extended 20, 50
    settle  h1 20            -> settled 20, 50
    void    h2               -> voided 10, 60
    grant  g2 5              -> granted 5, 65
    resume
    resume
    reserve h5 10            -> held 10, 55
  )"};
  std::vector<std::string> events;
  for (const auto& event : told.ledger().events()) events.push_back(event.type + event.facts);
  EXPECT_EQ(events, (std::vector<std::string>{"suspended", "resumed"}));  // one event per change
}

TEST(account_ledger, a_hold_that_times_out_gives_its_credits_back) {
  const story told{R"(
    grant  g1 100              -> granted 100, 100
    reserve h1 40 timeout=1000 -> held 40, 60
    reserve h2 30 timeout=2000 -> held 30, 30
    wait 999
    sweep                      -> swept 0, 30
    wait 1
    reserve h3 60              -> held 60, 10
    settle  h1 40              -> expired 40, 10
    void    h1                 -> expired 40, 10
    extend  h1 40              -> expired 40, 10
    reserve h1 40              -> expired 40, 10
    wait 1000
    sweep                      -> swept 30, 40
    sweep                      -> swept 0, 40
  )"};
  EXPECT_EQ(told.ledger().row().held.micro(), 60);
}

TEST(account_ledger, an_extended_hold_lives_on) {
  const story told{R"(
    grant  g1 100              -> granted 100, 100
    reserve h1 40 timeout=1000 -> held 40, 60
    wait 900
    extend  h1 40 timeout=1000 -> extended 40, 60
    wait 900
    extend  h1 70 timeout=1000 -> extended 70, 30
    wait 900
    extend  h1 10 timeout=1000 -> extended 70, 30
    extend  h1 101             -> insufficient_balance 101, 30
    extend  h1 101 admit=1     -> extended 101, -1
    settle  h1 90              -> settled 90, 10
  )"};
  EXPECT_EQ(told.ledger().entries().size(), 5u);  // a renewal alone changes no balance: no entry
}

// The sidecar that served it may be gone: the usage it has reported by then is charged.
TEST(account_ledger, a_hold_that_times_out_when_its_answer_has_begun_is_settled) {
  const story told{R"(
    grant g 100 -> granted 100, 100
    reserve h1 40 timeout=1000 -> held 40, 60
    extend h1 40 timeout=1000 answered=40 -> extended 40, 60
    reserve h2 20 timeout=1000 -> held 20, 40
    wait 1000
    sweep -> swept 20, 60
    settle h2 20 -> expired 20, 60
    settle h1 40 -> settled_on_expiry 40, 60
    extend h1 45 -> settled_on_expiry 40, 60
    void h1 -> settled_on_expiry 40, 60
    reserve h1 40 -> settled_on_expiry 40, 60
  )"};
  EXPECT_EQ(told.ledger().row().settled, credits::from_micro(40));
  EXPECT_EQ(told.ledger().row().held, credits{});
  const auto& entry = told.ledger().entries()[4];
  EXPECT_EQ(entry.type, entry_type::settle);
  EXPECT_EQ(entry.amount, credits::from_micro(40));
  EXPECT_EQ(entry.used, 1);
  EXPECT_EQ(entry.request_id, "req");
}

TEST(account_ledger, what_has_been_said_of_an_answer_never_becomes_less) {
  const story told{R"(
    grant g 100 -> granted 100, 100
    reserve h1 40 timeout=1000 -> held 40, 60
    extend h1 60 timeout=1000 answered=30 used=7 billed=8 -> extended 60, 40
    extend h1 60 timeout=1000 answered=20 used=5 billed=6 -> extended 60, 40
    extend h1 60 timeout=1000 -> extended 60, 40
    release h1 35 -> released 35, 65
    extend h1 60 timeout=1000 answered=-1 -> out_of_range 60, 65
    extend h1 60 timeout=1000 answered=1 used=-1 -> out_of_range 60, 65
    extend h1 60 timeout=1000 answered=1 billed=10000000000001 -> out_of_range 60, 65
    wait 1000
    settle h1 50 -> settled_on_expiry 30, 70
  )"};
  account_ledger ledger = told.ledger();
  const auto again = ledger.apply(void_hold{hold_id::make(round_moment, 0, 1)}, round_moment + 2s);
  EXPECT_EQ(again.charged, (use{credits::from_micro(30), 7, 8}));
}

// Like a settlement; but if no balance can pay the amount, only the held amount is charged.
TEST(account_ledger, what_is_settled_on_expiry_may_be_more_than_was_held) {
  const story told{R"(
    grant g 100 -> granted 100, 100
    reserve h1 40 timeout=1000 -> held 40, 60
    extend h1 40 timeout=1000 answered=130 -> extended 40, 60
    reserve h2 10 timeout=1000 -> held 10, 50
    extend h2 10 timeout=1000 answered=4000000000000000 -> extended 10, 50
    wait 1000
    sweep -> swept 0, -40
    settle h1 130 -> settled_on_expiry 130, -40
    settle h2 130 -> settled_on_expiry 10, -40
  )"};
}

TEST(account_ledger, no_balance_refuses_a_renewal) {
  story{R"(
    grant  g1 10             -> granted 10, 10
    reserve h1 10            -> held 10, 0
    reserve h2 5 admit=1     -> held_beyond_balance 5, -5
    extend  h1 10            -> extended 10, -5
    extend  h1 11            -> insufficient_balance 11, -5
  )"};
}

TEST(account_ledger, what_was_accounted_for_otherwise_cannot_come_to_life) {
  story{R"(
    grant  g1 100   -> granted 100, 100
    void    h1      -> voided 0, 100
    reserve h1 40   -> already_voided 0, 100
    settle  h2 40   -> not_found 0, 100
    reserve h2 40   -> not_found 0, 100
    settle  h2 40   -> not_found 0, 100
    extend  h3 40   -> not_found 0, 100
    reserve h3 40   -> not_found 0, 100
  )"};
}

TEST(account_ledger, ids_older_than_its_memory_are_forgotten) {
  story{R"(
    grant  g1 100          -> granted 100, 100
    reserve h1 40 age=48   -> held 40, 60
    reserve h2 40 age=49   -> forgotten 0, 60
    settle  h2 40 age=49   -> forgotten 0, 60
    void    h2 age=49      -> forgotten 0, 60
    extend  h2 40 age=49   -> forgotten 0, 60
    wait 3600000
    settle  h1 40 age=48   -> expired 40, 100
  )"};
}

// A caller that received this answer has continued under another id.
TEST(account_ledger, what_was_too_old_is_not_held_when_the_clock_is_set_back) {
  story{R"(
    grant  g1 100          -> granted 100, 100
    reserve h1 40 age=49   -> forgotten 0, 100
    wait -7200000
    reserve h1 40 age=49   -> forgotten 0, 100
    reserve h2 40 age=49   -> held 40, 60
  )"};
}

TEST(account_ledger, an_open_hold_is_never_too_old) {
  story{R"(
    grant  g1 100                    -> granted 100, 100
    reserve h1 40 timeout=604800000  -> held 40, 60
    wait 200000000
    settle  h1 40                    -> settled 40, 60
    settle  h1 40                    -> already_settled 40, 60
  )"};
}

TEST(account_ledger, a_grant_counts_once) {
  story{R"(
    grant g1 100                    -> granted 100, 100
    grant g1 100                    -> exists 100, 100
    grant g1 200                    -> exists_with_different_amount 100, 100
    grant g2 -30                    -> out_of_range -30, 100
    grant g2 -30 kind=correction    -> granted -30, 70
    grant g3 -100 kind=correction   -> granted -100, -30
  )"};
}

TEST(account_ledger, keeps_within_its_bounds) {
  story{R"(
    grant  g1 4000000000000001               -> out_of_range 4000000000000001, 0
    grant  g1 4000000000000000               -> granted 4000000000000000, 4000000000000000
    grant  g2 1                              -> balance_full 1, 4000000000000000
    reserve h1 -1                            -> out_of_range -1, 4000000000000000
    reserve h1 4000000000000001              -> out_of_range 4000000000000001, 4000000000000000
    reserve h1 1 timeout=0                   -> out_of_range 1, 4000000000000000
    reserve h1 1 timeout=604800001           -> out_of_range 1, 4000000000000000
    reserve h1 3999999999999999              -> held 3999999999999999, 1
    reserve h2 2 admit=3                     -> out_of_range 2, 1
    extend  h1 4000000000000001              -> out_of_range 4000000000000001, 1
    settle  h1 -1                            -> out_of_range -1, 1
    settle  h1 1 used=-1                     -> out_of_range 1, 1
    settle  h1 1 used=10000000000001         -> out_of_range 1, 1
    settle  h1 4000000000000000 used=10000000000000 -> settled 4000000000000000, 0
  )"};
}

TEST(account_ledger, entries_tell_who_and_how_much) {
  account_ledger ledger;
  const attribution who{"chat", "llm", "gpt-4", "a1", "c1", "key_1"};
  const auto id = hold_id::make(round_moment, 0, 1);
  ledger.apply(grant{"g1", credits::from_micro(50), "promotion", "welcome"}, round_moment);
  ledger.apply(reserve{id, credits::from_micro(40), 1min, admission::enforce, "req-1", who},
               round_moment);
  ledger.apply(settle{id, credits::from_micro(60), 7}, round_moment + 1s);
  const auto& entries = ledger.entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(tests::describe(entries[0]),
            "grant g1 amount 50 released 0 overage 0 available 50 used 0 cycle 0 request  by "
            "-/-/-/-/-/- kind "
            "promotion note welcome");
  EXPECT_EQ(tests::describe(entries[2]),
            "settle 01HF7YAT000000000000000001 amount 60 released -20 overage 10 available -10 "
            "used 7 cycle 0 "
            "request req-1 by chat/llm/gpt-4/a1/c1/key_1 kind  note ");
  EXPECT_EQ(entries[2].at, round_moment + 1s);
}

}  // namespace
}  // namespace tollgate::quota
