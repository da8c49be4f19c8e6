// Several changes in one instant have the same result in any order.
#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/describe.hpp"
#include "tests/unit/quota/customer.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;
using namespace literals;
using tests::describe;

// The intended settings of an organization, as the admin API keeps them: each change is applied to
// those before, and all settings are passed to the ledger. Only a change of the anchor names an
// anchor, and terms for the next cycle stay pending.
struct agreement {
  plan_terms terms = starter;
  std::optional<plan_terms> next;
  account_options options;
  int anchor = 0;
};

struct change {
  std::string name;
  std::function<void(agreement&)> make;
};

void apply(customer& acme, agreement& agreed, const change& what) {
  agreed.anchor = 0;
  what.make(agreed);
  const auto& terms = agreed.next ? *agreed.next : agreed.terms;
  acme.apply(configure{terms, !agreed.next, agreed.options, agreed.anchor});
}

const std::vector<change>& changes() {
  static const std::vector<change> all{
      {"anchor", [](agreement& to) { to.anchor = 31; }},
      {"plan", [](agreement& to) { to.terms = pro; }},
      {"smaller",
       [](agreement& to) {
         to.terms = plan_terms{"small", 7'777_credits, 50, 2, 33'333, 500, 60, 9};
       }},
      {"price", [](agreement& to) { to.terms.usd_micro_per_credit = 12'345; }},
      {"later", [](agreement& to) { to.next = pro; }},
      {"cap", [](agreement& to) { to.options.spend_cap_cents = 1'500; }},
      {"higher cap", [](agreement& to) { to.options.spend_cap_cents = 100'000; }},
      {"no cap", [](agreement& to) { to.options.spend_cap_cents.reset(); }},
      {"overage", [](agreement& to) { to.options.overage = !to.options.overage; }},
      {"overdraft", [](agreement& to) { to.options.critical_overdraft = 5_credits; }},
      {"top-up",
       [](agreement& to) {
         to.options.top_up_threshold = 100'000_credits;
         to.options.top_up_cents = 1'200;
       }},
      {"limits",
       [](agreement& to) {
         to.options.limits = {{limit_scope::agent, "*", 100_credits, limit_window::cycle}};
       }},
      {"alerts",
       [](agreement& to) {
         to.options.alerts = {{alert_kind::allocation_percent, 10},
                              {alert_kind::spend_cap_percent, 50}};
       }},
  };
  return all;
}

// Two changes of the same value in one instant are not independent: the last one counts.
bool are_about_one_thing(const change& a, const change& b) {
  const std::vector<std::set<std::string>> things{{"plan", "smaller", "price", "later"},
                                                  {"cap", "higher cap", "no cap"}};
  return std::any_of(things.begin(), things.end(), [&](const auto& names) {
    return names.contains(a.name) && names.contains(b.name);
  });
}

std::string told(const std::vector<account_event>& events, std::size_t from) {
  std::vector<std::string> lines;
  for (auto i = from; i < events.size(); ++i) {
    if (events[i].type != "billing_updated")
      lines.push_back(events[i].type + " " + events[i].facts);
  }
  std::ranges::sort(lines);
  return std::accumulate(lines.begin(), lines.end(), std::string{},
                         [](auto all, const auto& line) { return all + line + "\n"; });
}

// Everything that matters afterwards. Two grants of one kind that end together count as one.
std::string result_of(const customer& acme) {
  const auto& ledger = acme.ledger;
  std::map<std::string, credits> grants;
  for (const auto& grant : ledger.grants().active) {
    grants[grant.kind + " " + describe(grant.expires_at) + " " + std::to_string(grant.priority)] +=
        grant.remaining;
  }
  std::string text = describe(ledger.row()) + "\n" + describe(ledger.plan()) + "\n" +
                     describe(ledger.top_up()) + "\n" + describe(ledger.overdrawn()) + "\n";
  for (const auto& [name, left] : grants) text += name + " " + describe(left) + "\n";
  for (const auto& books : ledger.cycles()) text += describe(books) + "\n";
  for (const auto& top_up : ledger.top_ups()) text += describe(top_up) + "\n";
  for (const auto& each : acme.statements())
    text += describe(each.closing) + describe(each.overage) + "\n";
  return text;
}

struct history {
  std::string name;
  std::function<void(customer&, agreement&)> live;
};

const std::vector<history>& histories() {
  static const auto begin = [](customer& acme, agreement& agreed) {
    acme.apply(configure{agreed.terms, true, agreed.options, 1});
  };
  static const std::vector<history> all{
      {"began in this instant",
       [](customer& acme, agreement& agreed) {
         acme.apply(configure{agreed.terms, true, agreed.options, 0});
       }},
      {"had no plan",
       [](customer& acme, agreement& agreed) {
         agreed.terms = {};
         begin(acme, agreed);
         acme.use(20_credits, admission::critical);
         acme.at(on(2026, 11, 7, 5h));
       }},
      {"used some",
       [](customer& acme, agreement& agreed) {
         begin(acme, agreed);
         acme.use(3'000_credits);
         acme.at(on(2026, 11, 11, 7h + 11s));
       }},
      {"beyond the credits",
       [](customer& acme, agreement& agreed) {
         begin(acme, agreed);
         acme.use(20'777_credits);
         acme.at(on(2026, 11, 17, 1h));
       }},
      {"beyond the cap",
       [](customer& acme, agreement& agreed) {
         agreed.options.spend_cap_cents = 1'000;
         begin(acme, agreed);
         acme.use(20'400_credits);
         acme.use(800_credits, admission::critical);
         acme.at(on(2026, 11, 17, 1h));
       }},
      {"beyond the credits without overage",
       [](customer& acme, agreement& agreed) {
         agreed.options.overage = false;
         begin(acme, agreed);
         acme.use(20'000_credits);
         acme.use(700_credits, admission::critical);
         acme.at(on(2026, 11, 20));
       }},
      {"a longer cycle with an open hold",
       [](customer& acme, agreement& agreed) {
         begin(acme, agreed);
         acme.use(19'500_credits);
         acme.apply(configure{agreed.terms, true, agreed.options, 20});
         acme.at(on(2026, 12, 3));
         acme.hold(1, 300_credits);
         acme.at(on(2026, 12, 4, 17s));
       }},
      {"a top-up under way",
       [](customer& acme, agreement& agreed) {
         agreed.options.top_up_threshold = 1'000_credits;
         agreed.options.top_up_cents = 1'000;
         agreed.options.spend_cap_cents = 5'000;
         begin(acme, agreed);
         acme.use(19'900_credits);
         acme.at(on(2026, 11, 20));
       }},
  };
  return all;
}

struct outcome_of_order {
  std::string at_once, events, later;
};

outcome_of_order make(const history& past, const std::vector<change>& order) {
  customer acme;
  agreement agreed;
  past.live(acme, agreed);
  const auto known = acme.ledger.events().size();
  for (const auto& each : order) apply(acme, agreed, each);
  outcome_of_order found;
  found.at_once = result_of(acme);
  acme.at(acme.now + 1ms);
  found.events = told(acme.ledger.events(), known);
  acme.use(150_credits);
  acme.use(400_credits, admission::critical);
  acme.release(1);
  acme.at(acme.now + 24h * 20);
  acme.use(250'000_credits);
  acme.at(acme.now + 24h * 70);
  acme.use(90_credits);
  found.later = result_of(acme) + told(acme.ledger.events(), known);
  return found;
}

std::string names_of(const std::vector<change>& order) {
  std::string text;
  for (const auto& each : order) text += each.name + ", ";
  return text;
}

void expect_one_result(const history& past, std::vector<change> set) {
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::ranges::sort(set, by_name);
  const auto first = make(past, set);
  const auto first_order = names_of(set);
  while (std::next_permutation(set.begin(), set.end(), by_name)) {
    const auto other = make(past, set);
    const auto where = past.name + ": " + first_order + "against " + names_of(set);
    ASSERT_EQ(first.at_once, other.at_once) << where;
    ASSERT_EQ(first.events, other.events) << where;
    ASSERT_EQ(first.later, other.later) << where;
  }
}

void for_every_set_of(std::size_t size,
                      const std::function<void(const std::vector<change>&)>& meet) {
  std::vector<change> set;
  const std::function<void(std::size_t)> choose = [&](std::size_t from) {
    if (set.size() == size) return meet(set);
    for (auto i = from; i < changes().size(); ++i) {
      const bool again = std::any_of(set.begin(), set.end(), [&](const auto& other) {
        return are_about_one_thing(other, changes()[i]);
      });
      if (again) continue;
      set.push_back(changes()[i]);
      choose(i + 1);
      set.pop_back();
    }
  };
  choose(0);
}

TEST(change_order, the_anchor_and_the_plan_give_the_same_credits) {
  const auto change_of = [](const char* name) {
    return *std::ranges::find(changes(), name, &change::name);
  };
  expect_one_result(histories()[2], {change_of("anchor"), change_of("plan")});
}

TEST(change_order, of_two_makes_no_difference) {
  for (const auto& past : histories()) {
    for_every_set_of(2, [&](const auto& set) { expect_one_result(past, set); });
  }
}

TEST(change_order, of_three_makes_no_difference) {
  for (const auto& past : histories()) {
    for_every_set_of(3, [&](const auto& set) { expect_one_result(past, set); });
  }
}

TEST(change_order, of_all_makes_no_difference) {
  const std::set<std::string> one_of_each{"anchor", "plan",   "cap",   "overage",
                                          "top-up", "limits", "alerts"};
  std::vector<change> set;
  for (const auto& each : changes()) {
    if (one_of_each.contains(each.name)) set.push_back(each);
  }
  expect_one_result(histories()[3], set);
}

}  // namespace
}  // namespace tollgate::quota
