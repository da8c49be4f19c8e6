#include <algorithm>
#include <functional>
#include <iostream>
#include <set>

#include "tests/simulation/stories.hpp"
#include "tests/support/describe.hpp"

namespace tollgate::tests {

using namespace quota;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t ids_remembered = 40;

struct customer {
  account books;
  std::vector<hold_id> ids;
  std::vector<std::string> grants, purchases;
};

class plans {
 public:
  plans(dice& dice, const script_of_a_day& day)
      : dice_{dice}, day_{day}, world_{dice, day.durable} {
    for (const char* org : {"starter", "pro", "none", "any"})
      customers_.emplace_back().books.org = org;
    for (auto& each : customers_) {
      if (each.books.org != "none") world_.apply(each.books, {any_configuration()});
    }
  }

  void run() {
    for (std::size_t step = 0; step < day_.steps; ++step) {
      auto& customer = customers_[dice_.below(customers_.size())];
      std::vector<operation> batch;
      for (auto n = 1 + dice_.below(dice_.chance(50) ? 60 : 6); n > 0; --n) {
        batch.push_back(any_operation(customer));
        if (dice_.chance(80)) batch.push_back(batch[dice_.below(batch.size())]);
      }
      world_.apply(customer.books, batch);
      if (dice_.chance(20)) change_in_one_instant(customer);
      if (dice_.chance(100)) look_at_top_ups(customer);
      if (dice_.chance(400)) world_.pass(any_step());
      if (dice_.chance(10)) world_.suspend(customer.books, dice_.chance(100));
      // The comparison reads all entries ever written, so it is rare.
      if (dice_.below(day_.steps / 60 + 1) == 0) world_.compare_everything(customer.books);
      if (disturb(world_, dice_, day_)) compare_everybody();
    }
    compare_everybody();
    tell_what_was_reached();
  }

 private:
  void look_at_top_ups(const customer& customer) {
    for (const auto& top_up : customer.books.oracle.top_ups()) {
      seen_top_ups_.insert("top-up " + std::string{to_string(top_up.status)});
      if (top_up.generation > 0) seen_top_ups_.insert("top-up under a later key");
      if (taken_back(top_up) > credits{}) seen_top_ups_.insert("top-up taken back");
    }
  }

  // Several changes in one instant have the same result in any order.
  void change_in_one_instant(customer& who) {
    if (!who.books.oracle.plan()) return;
    std::vector<std::function<void(configure&)>> changes;
    const auto options = any_options();
    const auto terms = any_terms();
    const auto anchor = static_cast<int>(dice_.between(1, 31));
    if (dice_.chance(500))
      changes.push_back([=](configure& to) { to.terms = terms, to.at_once = true; });
    if (dice_.chance(300)) changes.push_back([=](configure& to) { to.anchor_day = anchor; });
    if (dice_.chance(500)) {
      changes.push_back(
          [=](configure& to) { to.options.spend_cap_cents = options.spend_cap_cents; });
    }
    if (dice_.chance(500))
      changes.push_back([=](configure& to) { to.options.overage = options.overage; });
    if (dice_.chance(300))
      changes.push_back([=](configure& to) { to.options.limits = options.limits; });
    if (dice_.chance(300))
      changes.push_back([=](configure& to) { to.options.alerts = options.alerts; });
    if (dice_.chance(300)) {
      changes.push_back([=](configure& to) {
        to.options.top_up_threshold = options.top_up_threshold;
        to.options.top_up_cents = options.top_up_cents;
      });
    }
    const auto others = one_after_another(changes, who);
    std::ranges::reverse(changes);
    const auto batch = one_after_another(changes, who);
    auto other = who.books.oracle.without_history();
    const auto time = other.time_of(world_.time());
    // A refused change is not part of the changes that follow it.
    bool all_made = true;
    for (const auto& each : others)
      all_made &= other.apply(each, time).result == outcome::configured;
    for (const auto& each : world_.apply(who.books, batch))
      all_made &= each.result == outcome::configured;
    const auto& one = who.books.oracle;
    const bool same = one.row() == other.row() && one.plan() == other.plan() &&
                      one.overdrawn() == other.overdrawn() && one.top_up() == other.top_up() &&
                      one.cycles() == other.cycles();
    if (all_made && !same) {
      throw disagreement{who.books.org + ": the order of changes makes a difference\n  " +
                         describe(one.row()) + ' ' + describe(one.plan()) + "\n  " +
                         describe(other.row()) + ' ' + describe(other.plan())};
    }
    if (all_made && batch.size() > 2) ++changed_together_;
  }

  // As the admin API does: each change is applied to those before, and pending terms stay pending.
  static std::vector<operation> one_after_another(
      const std::vector<std::function<void(configure&)>>& changes, const customer& who) {
    const auto& plan = *who.books.oracle.plan();
    configure agreed{plan.next_terms.value_or(plan.terms), !plan.next_terms, plan.options, 0};
    std::vector<operation> batch;
    for (const auto& change : changes) {
      agreed.anchor_day = 0;
      change(agreed);
      batch.push_back(agreed);
    }
    return batch;
  }

  // A story in which no cycle ever closed would prove nothing about closing.
  void tell_what_was_reached() {
    std::vector<const account*> all;
    for (const auto& customer : customers_) all.push_back(&customer.books);
    auto reached = world_.reached(all);
    for (const auto& what : seen_top_ups_) ++reached[what];
    if (changed_together_ > 0) reached["changed together"] = changed_together_;
    std::cout << "  reached:";
    for (const auto& [what, times] : reached) std::cout << ' ' << what << ' ' << times << ',';
    std::cout << '\n';
    if (day_.steps < 20'000) return;
    for (const char* what : {"held",
                             "held_beyond_balance",
                             "extended",
                             "settled",
                             "voided",
                             "swept",
                             "granted",
                             "configured",
                             "recorded",
                             "exists",
                             "exists_with_different_amount",
                             "already_settled",
                             "already_voided",
                             "expired",
                             "settled_on_expiry",
                             "in_progress",
                             "already_paid",
                             "already_declined",
                             "insufficient_balance",
                             "suspended",
                             "out_of_range",
                             "rate_limited",
                             "cap_reached",
                             "limit_reached",
                             "entry forfeit",
                             "entry roll_over",
                             "entry bill",
                             "entry expire",
                             "event usage_threshold",
                             "alert percent of an agent",
                             "alert percent of a conversation",
                             "alert percent of a key",
                             "alert credits of an agent",
                             "alert credits of a conversation",
                             "alert credits of a key",
                             "alert of who does not say",
                             "counters forgotten",
                             "event balance_exhausted",
                             "event spend_cap_reached",
                             "event top_up_requested",
                             "event top_up_completed",
                             "event top_up_failed",
                             "event cycle_closed",
                             "event overage_billed",
                             "event billing_updated",
                             "event suspended",
                             "event resumed",
                             "top-up timed_out",
                             "top-up pending",
                             "top-up paid",
                             "top-up declined",
                             "top-up under a later key",
                             "top-up taken back",
                             "changed together",
                             "cycles"}) {
      if (!reached.contains(what)) throw disagreement{std::string{"never reached: "} + what};
    }
    if (day_.steps >= 100'000 && !reached.contains("alert told again in a cycle")) {
      throw disagreement{"no alert was armed again by new credits"};
    }
  }

  void compare_everybody() {
    for (auto& customer : customers_) world_.compare_everything(customer.books);
  }

  // From time to time the clock goes back.
  milliseconds any_step() {
    return dice_.chance(10) ? -milliseconds{dice_.between(1, 7'200'000)} : any_pause();
  }

  milliseconds any_pause() {
    if (dice_.chance(700)) return milliseconds{dice_.between(1, 300)};
    if (dice_.chance(600)) return milliseconds{dice_.between(1, 90'000)};
    if (dice_.chance(600)) return milliseconds{dice_.between(1, 6 * 3'600'000)};
    if (dice_.chance(850)) return milliseconds{dice_.between(1, 4 * 86'400'000)};
    if (dice_.chance(950)) return milliseconds{dice_.between(1, 40LL * 86'400'000)};
    return milliseconds{dice_.between(1, 1'200LL * 86'400'000)};
  }

  operation any_operation(customer& who) {
    switch (dice_.below(40)) {
      case 0:
        return expire_holds{dice_.chance(100) ? any_timeout() : 0ms};
      case 1:
        if (dice_.chance(300)) return any_configuration();
        return any_grant(who);
      case 2:
        if (dice_.chance(200)) return any_purchase(who);
        return lease_top_up{any_top_up(who), milliseconds{dice_.between(0, 20'000)}};
      case 3:
        if (dice_.chance(150)) return any_return(who);
        return resolve_top_up{any_top_up(who), any_verdict(), dice_.between(0, 2)};
      case 4:
      case 5:
        return void_hold{known_id(who)};
      case 6:
      case 7:
      case 8:
        if (dice_.chance(300)) return release{known_id(who), any_amount()};
        return extend{known_id(who),   any_amount(), any_timeout(),
                      any_admission(), any_amount(), any_answer()};
      case 9:
        return any_reserve(known_id(who));
      default:
        if (dice_.chance(500)) {
          return settle{known_id(who), any_amount(), dice_.between(0, 5'000'000)};
        }
        return any_reserve(new_id(who));
    }
  }

  top_up_verdict any_verdict() {
    return dice_.chance(800) ? top_up_verdict::failed : static_cast<top_up_verdict>(dice_.below(5));
  }

  operation any_return(customer& who) {
    const auto cents = dice_.chance(30) ? dice_.between(0, 1) : dice_.between(1, 4'000);
    return take_back_top_up{any_top_up(who), static_cast<take_back_reason>(dice_.below(2)), cents};
  }

  operation any_reserve(const hold_id& id) {
    return reserve{id, any_amount(), any_timeout(), any_admission(), "q", anybody()};
  }

  operation any_grant(customer& who) {
    static const std::vector<std::string> kinds{"purchase", "promotion", "correction"};
    if (who.grants.empty() || dice_.chance(800)) {
      who.grants.push_back("grant " + std::to_string(who.grants.size()));
    }
    // Large grants arm alerts again.
    const auto most = dice_.chance(500) ? 3'000'000'000 : 80'000'000;
    const auto amount = credits::from_micro(dice_.between(0, most));
    grant what{dice_.pick(who.grants), amount, dice_.pick(kinds), "", {}, {}};
    if (what.kind == "correction" && dice_.chance(600)) what.amount = -what.amount;
    if (dice_.chance(600)) what.expires_at = world_.time() + any_pause() - 2ms;
    if (dice_.chance(200)) what.priority = static_cast<int>(dice_.between(-1, 101));
    return what;
  }

  operation any_purchase(customer& who) {
    if (who.purchases.empty() || dice_.chance(600)) {
      who.purchases.push_back("pack " + std::to_string(who.purchases.size()));
    }
    return request_top_up{dice_.pick(who.purchases), dice_.between(0, 1'200)};
  }

  std::string any_top_up(customer& who) {
    const auto open = who.books.oracle.open_top_ups();
    if (!open.empty() && dice_.chance(800)) return dice_.pick(open);
    const auto all = who.books.oracle.top_ups();
    if (!all.empty() && dice_.chance(900)) return dice_.pick(all).id;
    return "tu_nobody";
  }

  operation any_configuration() {
    configure what;
    what.terms = any_terms();
    what.at_once = dice_.chance(600);
    what.options = any_options();
    if (dice_.chance(200)) what.anchor_day = static_cast<int>(dice_.between(0, 31));
    if (dice_.chance(10)) what.anchor_day = 32;
    return what;
  }

  plan_terms any_terms() {
    const auto thousand = credits::from_whole(1'000);
    static const std::vector<plan_terms> all{
        {"starter", thousand, 0, 0, 20'000, 1'000, 0, 0},
        {"pro", credits::from_whole(10'000), 100, 1, 10'000, 2'500, 0, 0},
        {"odd", credits::from_micro(1'234'567'891), 37, 3, 333, 1, 60, 5},
        {"", {}, 0, 0, 0, 0, 0, 0},
        {"fast", thousand, 50, 2, 0, 0, 600, 1'000},
        {"dear", credits::from_micro(1), 1'000, 120, max_usd_micro_per_credit, 0, 0, 0},
    };
    auto terms = dice_.pick(all);
    if (dice_.chance(10))
      terms.allocation = credits::from_micro(dice_.chance(500) ? -1 : credits::max_micro);
    if (dice_.chance(10)) terms.usd_micro_per_credit = max_usd_micro_per_credit + 1;
    return terms;
  }

  account_options any_options() {
    account_options options;
    options.overage = dice_.chance(700);
    if (dice_.chance(500))
      options.spend_cap_cents = dice_.between(0, dice_.chance(500) ? 500 : 10'000);
    if (dice_.chance(300)) options.critical_overdraft = any_amount();
    if (dice_.chance(500)) {
      options.top_up_threshold = credits::from_whole(dice_.between(0, 800));
      options.top_up_cents = dice_.between(0, 3'000);
      options.top_up_fill = dice_.chance(300);
    }
    while (dice_.chance(400)) {
      options.limits.push_back({static_cast<limit_scope>(dice_.below(3)),
                                dice_.chance(300) ? "*" : "a1", any_amount(),
                                static_cast<limit_window>(dice_.below(4))});
    }
    while (dice_.chance(700)) options.alerts.push_back(any_alert());
    return options;
  }

  usage_alert any_alert() {
    const auto kind = static_cast<alert_kind>(dice_.below(3));
    const bool share = kind != alert_kind::credits_used;
    usage_alert alert{kind,
                      dice_.between(share && dice_.chance(20) ? 0 : 1, share ? 110 : 900'000'000)};
    const bool of_all = kind == alert_kind::spend_cap_percent && !dice_.chance(10);
    if (of_all || dice_.chance(300)) return alert;
    alert.scope = static_cast<limit_scope>(dice_.below(3));
    if (share && dice_.chance(800)) alert.level = dice_.between(1, 15);
    alert.id = dice_.chance(500) ? "*" : dice_.chance(10) ? "" : "a1";
    return alert;
  }

  hold_id new_id(customer& who) {
    if (who.ids.size() >= ids_remembered)
      who.ids.erase(who.ids.begin() + static_cast<long>(dice_.below(ids_remembered)));
    who.ids.push_back(dice_.next_hold_id(world_.time()));
    return who.ids.back();
  }

  hold_id known_id(customer& who) {
    if (who.ids.empty() || dice_.chance(20)) return new_id(who);
    if (dice_.chance(800))
      return who.ids[who.ids.size() - 1 - dice_.below(std::min<std::size_t>(8, who.ids.size()))];
    return dice_.pick(who.ids);
  }

  credits any_amount() {
    if (dice_.chance(30)) return credits{};
    if (dice_.chance(500)) return credits::from_whole(dice_.between(1, 60));
    if (dice_.chance(200)) return credits::from_whole(dice_.between(1, 4'000));
    return credits::from_micro(dice_.between(1, 90'000'000));
  }

  milliseconds any_timeout() {
    if (dice_.chance(100)) return milliseconds{dice_.between(1, 2'000)};
    if (dice_.chance(300)) return milliseconds{dice_.between(1, 3'600'000)};
    return milliseconds{dice_.between(1, max_hold_timeout.count())};
  }

  admission any_admission() {
    return dice_.chance(750) ? admission::enforce : static_cast<admission>(dice_.below(4));
  }

  std::optional<use> any_answer() {
    if (dice_.chance(500)) return std::nullopt;
    return use{any_amount(), dice_.between(0, 5'000'000)};
  }

  attribution anybody() {
    static const std::vector<std::string> some{"", "a1", "a2", "a3"};
    if (dice_.chance(200)) {  // many names, each used rarely
      const auto name = "n" + std::to_string(dice_.below(300));
      return {"chat", "llm", "gpt-4", name, name, name};
    }
    return {"chat", "llm", "gpt-4", dice_.pick(some), dice_.pick(some), dice_.pick(some)};
  }

  dice& dice_;
  const script_of_a_day& day_;
  world world_;
  std::vector<customer> customers_;
  std::set<std::string> seen_top_ups_;
  std::size_t changed_together_ = 0;
};

}  // namespace

void run_plans(dice& dice, const script_of_a_day& day) {
  plans{dice, day}.run();
}

}  // namespace tollgate::tests
