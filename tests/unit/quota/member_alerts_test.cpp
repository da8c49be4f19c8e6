// Alerts of agents, conversations and keys. A line of a story is an operation and the alerts it
// causes:
//
//   VERB [ARGUMENT...] -> LEVEL of WHOM at USED, ...
//
// All amounts are whole credits; the plan is Starter's 20,000 per cycle.
#include <sstream>

#include <gtest/gtest.h>

#include "tests/unit/quota/customer.hpp"

namespace tollgate::quota {
namespace {

using namespace literals;

class story {
 public:
  explicit story(std::string_view table) {
    std::istringstream lines{std::string{table}};
    for (std::string line; std::getline(lines, line);) tell(line);
  }

  customer acme;

 private:
  void tell(const std::string& line) {
    const auto arrow = line.find("->");
    std::istringstream words{line.substr(0, arrow)};
    std::string verb;
    if (!(words >> verb)) return;
    SCOPED_TRACE(line);
    const auto before = acme.ledger.events().size();
    perform(verb, words);
    std::string expected = arrow == line.npos ? "" : line.substr(arrow + 2);
    expected.erase(0, expected.find_first_not_of(' '));
    EXPECT_EQ(told_since(before), expected);
  }

  void perform(const std::string& verb, std::istringstream& words) {
    if (verb == "alert") return add_alert(words);
    if (verb == "drop") return acme.options.alerts.pop_back();
    if (verb == "set") return expect(acme.plan(starter), outcome::configured);
    if (verb == "next_cycle") return acme.at(acme.ledger.plan()->end);
    std::int64_t amount = 0;
    words >> amount;
    const auto credits = credits::from_whole(amount);
    if (verb == "give") {
      return expect(
          acme.give(std::to_string(--acme.next), credits, amount < 0 ? "correction" : "purchase"),
          outcome::granted);
    }
    if (verb == "settle") return expect(acme.settle(held_, credits), outcome::settled);
    if (verb == "void") return expect(acme.release(held_), outcome::voided);
    const auto n = --acme.next;
    if (verb == "hold") held_ = n;
    const auto admit = verb == "watch" ? admission::shadow : admission::critical;
    EXPECT_TRUE(is_held(acme.hold(n, credits, admit, caller(words)).result));
    if (verb != "hold") expect(acme.settle(n, credits), outcome::settled);
  }

  // SCOPE ID LEVEL; the level is a number of credits or "20%".
  void add_alert(std::istringstream& words) {
    std::string scope, level;
    usage_alert alert{alert_kind::credits_used, 0};
    words >> scope >> alert.id >> level;
    for (const auto each : {limit_scope::agent, limit_scope::conversation, limit_scope::key}) {
      if (to_string(each) == scope) alert.scope = each;
    }
    alert.level = std::stoll(level) * credits::micro_per_credit;
    if (level.ends_with("%"))
      alert = {alert_kind::allocation_percent, std::stoll(level), alert.scope, alert.id};
    acme.options.alerts.push_back(alert);
  }

  // AGENT CONVERSATION KEY; "-": none given.
  static attribution caller(std::istringstream& words) {
    attribution who{"chat", "llm", "gpt-4", "a1", "c1", "k1"};
    for (auto* member : {&who.agent, &who.conversation, &who.key_id}) {
      if (std::string word; words >> word) *member = word == "-" ? "" : word;
    }
    return who;
  }

  static void expect(const answer& answer, outcome expected) { EXPECT_EQ(answer.result, expected); }

  // "percent 50 used 10000000000 of 20000000000 agent a1" -> "50% of agent a1 at 10000"
  std::string told_since(std::size_t first) const {
    std::string all;
    for (auto i = first; i < acme.ledger.events().size(); ++i) {
      const auto& event = acme.ledger.events()[i];
      if (event.type != "usage_threshold") continue;
      std::istringstream words{event.facts};
      std::string kind, used_word, of, scope, who;
      std::int64_t level = 0, used = 0, given = 0;
      words >> kind >> level >> used_word >> used >> of >> given >> scope;
      std::getline(words, who);
      all += all.empty() ? "" : ", ";
      all += kind == "percent" ? std::to_string(level) + "%" : std::to_string(level / 1'000'000);
      all += " of " + scope + who + " at " + std::to_string(used / 1'000'000);
    }
    return all;
  }

  int held_ = 0;  // the last hold
};

TEST(member_alerts, fire_once_at_the_crossing_however_far_a_charge_jumps) {
  story{R"(
    alert agent a1 50%
    alert agent a1 80%
    alert agent a1 500
    set
    use 499 a1
    use 1 a1        -> 500 of agent a1 at 500
    use 9499 a1
    use 9000 a1     -> 50% of agent a1 at 18999, 80% of agent a1 at 18999
    use 2000 a1
    set
    use 1 a1
  )"};
}

TEST(member_alerts, the_order_of_the_list_does_not_matter) {
  story{R"(
    alert agent a1 80%
    alert agent a1 50%
    set
    use 17000 a1    -> 80% of agent a1 at 17000, 50% of agent a1 at 17000
    use 1 a1
  )"};
}

TEST(member_alerts, are_about_one_agent_conversation_or_key) {
  story{R"(
    alert agent a1 100
    alert conversation c1 200
    alert key k1 300
    set
    use 99 a1 c2 k2
    use 500 a2 c2 k2
    use 150 a2 c1 k2
    use 50 a2 c1 k1    -> 200 of conversation c1 at 200
    use 249 a2 c2 k1
    use 1 a1 c2 k1     -> 100 of agent a1 at 100, 300 of key k1 at 300
  )"};
}

TEST(member_alerts, of_each_by_itself_and_of_those_who_do_not_say) {
  story{R"(
    alert agent * 100
    set
    use 60 a1
    use 60 a2
    use 60 -
    use 60 a1       -> 100 of agent a1 at 120
    use 60 a2       -> 100 of agent a2 at 120
    use 60 -        -> 100 of agent  at 120
    use 60 a1
  )"};
}

TEST(member_alerts, one_agent_may_have_its_own_beside_that_of_each) {
  story{R"(
    alert agent * 100
    alert agent a1 150
    set
    use 120 a1      -> 100 of agent a1 at 120
    use 120 a2      -> 100 of agent a2 at 120
    use 30 a1       -> 150 of agent a1 at 150
  )"};
}

TEST(member_alerts, fire_again_in_the_next_cycle) {
  story{R"(
    alert agent a1 100
    alert agent a1 1%
    set
    use 200 a1      -> 100 of agent a1 at 200, 1% of agent a1 at 200
    next_cycle
    use 99 a1
    use 1 a1        -> 100 of agent a1 at 100
  )"};
}

TEST(member_alerts, new_credits_arm_a_percentage_again) {
  story{R"(
    alert agent a1 50%
    set
    use 10000 a1    -> 50% of agent a1 at 10000
    give 10000
    use 4999 a1
    use 1 a1        -> 50% of agent a1 at 15000
    give 1
    use 1 a1        -> 50% of agent a1 at 15001
    give 0
    use 1 a1
  )"};
}

// The granted amount stays higher: the level was not raised above the usage.
TEST(member_alerts, are_not_told_twice_for_the_same_credits) {
  story{R"(
    alert agent a1 50%
    set
    use 15000 a1    -> 50% of agent a1 at 15000
    give 5000
    use 1 a1
    give -5000
    use 1 a1
  )"};
}

TEST(member_alerts, a_correction_can_bring_the_level_down) {
  story{R"(
    alert agent a1 50%
    set
    use 9000 a1
    give -4000
    use 1 a1        -> 50% of agent a1 at 9001
  )"};
}

TEST(member_alerts, of_a_share_of_nothing_is_never_told) {
  story told{R"(
    alert agent a1 50%
    set
    give -20000
    use 1 a1
    give 2
    use 1 a1        -> 50% of agent a1 at 2
  )"};
}

TEST(member_alerts, what_is_voided_or_expires_does_not_count) {
  story told{R"(
    alert agent a1 100
    set
    hold 100 a1
    void
    hold 100 a1
    settle 40
    use 59 a1
    use 1 a1        -> 100 of agent a1 at 100
  )"};
  customer& acme = told.acme;
  acme.options.alerts = {{alert_kind::credits_used, 200'000'000, limit_scope::agent, "a1"}};
  acme.plan(starter);
  acme.hold(2, 100_credits);
  acme.at(acme.now + std::chrono::hours{48});  // the grant expires
  const auto before = acme.ledger.events().size();
  acme.use(99_credits);
  EXPECT_EQ(acme.ledger.events().size(), before);
  acme.use(1_credits);
  EXPECT_EQ(acme.ledger.events().size(), before + 1);
}

TEST(member_alerts, what_is_only_watched_counts) {
  story{R"(
    alert key * 100
    set
    watch 99 a1
    watch 1 a1      -> 100 of key k1 at 100
  )"};
}

TEST(member_alerts, a_late_settlement_does_not_count_into_the_new_cycle) {
  story told{R"(
    alert agent a1 100
    set
    use 60 a1
  )"};
  customer& acme = told.acme;
  acme.now = acme.ledger.plan()->end - milliseconds{1};
  acme.hold(1, 200_credits);
  acme.at(acme.ledger.plan()->end);
  const auto before = acme.ledger.events().size();
  acme.settle(1, 200_credits);  // a call of November, which is over
  acme.use(99_credits);
  EXPECT_EQ(acme.ledger.events().size(), before);
  acme.use(1_credits);
  EXPECT_EQ(acme.ledger.events().back().facts,
            "credits 100000000 used 100000000 of 20000000000 agent a1");
}

TEST(member_alerts, count_from_when_they_were_set) {
  story{R"(
    set
    use 400 a1
    hold 60 a1
    alert agent a1 100
    set
    settle 60
    use 39 a1
    use 1 a1        -> 100 of agent a1 at 100
  )"};
}

// The first alert has counted; one whose level is below that count is reported with the next call.
TEST(member_alerts, one_more_of_the_same_agent_counts_with_the_others) {
  story{R"(
    alert agent a1 100
    set
    use 150 a1      -> 100 of agent a1 at 150
    alert agent a1 140
    alert agent a1 200
    set
    use 10 a1       -> 140 of agent a1 at 160
    use 40 a1       -> 200 of agent a1 at 200
  )"};
}

TEST(member_alerts, one_that_was_removed_and_set_again_starts_anew) {
  story told{R"(
    alert agent a1 100
    set
    use 150 a1      -> 100 of agent a1 at 150
    drop
    set
    use 10 a1
  )"};
  customer& acme = told.acme;
  acme.now += milliseconds{1};
  acme.options.alerts = {{alert_kind::credits_used, 100'000'000, limit_scope::agent, "a1"}};
  acme.plan(starter);
  const auto before = acme.ledger.events().size();
  acme.use(99_credits);
  EXPECT_EQ(acme.ledger.events().size(), before);
  acme.use(1_credits);
  EXPECT_EQ(acme.ledger.events().size(), before + 1);
}

TEST(member_alerts, stand_beside_those_of_the_organization) {
  story told{"alert agent a1 100"};
  customer& acme = told.acme;
  acme.options.alerts.insert(acme.options.alerts.begin(), {alert_kind::credits_used, 150'000'000});
  acme.options.alerts.push_back({alert_kind::allocation_percent, 1});
  acme.plan(starter);
  acme.use(200_credits);
  const auto& events = acme.ledger.events();
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[1].facts, "credits 100000000 used 200000000 of 20000000000 agent a1");
  EXPECT_EQ(events[2].facts, "credits 150000000 used 200000000 of 20000000000");
  EXPECT_EQ(events[3].facts, "percent 1 used 200000000 of 20000000000");
}

TEST(member_alerts, those_of_the_spend_cap_are_the_organizations) {
  customer acme;
  acme.options.spend_cap_cents = 100;
  acme.options.alerts = {{alert_kind::spend_cap_percent, 50, limit_scope::agent, "a1"}};
  EXPECT_EQ(acme.plan(starter).result, outcome::out_of_range);
  acme.options.alerts = {{alert_kind::credits_used, 1, limit_scope::agent, ""}};
  EXPECT_EQ(acme.plan(starter).result, outcome::out_of_range);
}

}  // namespace
}  // namespace tollgate::quota
