// Top-ups: one for each need, even if reports are late, repeated or lost.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/quota/customer.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;
using namespace literals;

struct buyer : customer {
  explicit buyer(const plan_terms& terms, std::int64_t cents = 0) {
    options.top_up_threshold = 1'000_credits;
    options.top_up_cents = cents;
    plan(terms);
  }
  const top_up_record& top_up(std::size_t i = 0) {
    all = ledger.top_ups();
    return all.at(i);
  }
  answer resolve(top_up_verdict verdict, std::size_t i = 0) {
    return apply(resolve_top_up{top_up(i).id, verdict});
  }
  answer lease() { return apply(lease_top_up{top_up().id, 15s}); }
  std::size_t count() const { return ledger.top_ups().size(); }

  std::vector<top_up_record> all;
};

TEST(top_up, starter_buys_at_least_ten_dollars) {
  buyer acme{starter};
  acme.use(19'000_credits);
  EXPECT_EQ(acme.count(), 0u);  // not below a thousand
  acme.use(1_credits);
  ASSERT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().cents, 1'000);
  EXPECT_EQ(acme.top_up().amount, 500_credits);
  EXPECT_TRUE(acme.ledger.take_top_up_due());
  EXPECT_FALSE(acme.ledger.take_top_up_due());
}

TEST(top_up, pro_buys_at_least_twenty_five_dollars) {
  buyer acme{pro};
  acme.use(199'001_credits);
  EXPECT_EQ(acme.top_up().cents, 2'500);
  EXPECT_EQ(acme.top_up().amount, 2'500_credits);
}

TEST(top_up, buys_what_the_customer_chose_if_that_is_more) {
  buyer acme{starter, 4'000};
  acme.use(19'001_credits);
  EXPECT_EQ(acme.top_up().cents, 4'000);
}

TEST(top_up, one_purchase_is_the_customers_amount_however_much_is_missing) {
  buyer acme{starter, 1'000};
  acme.use(20'000_credits);  // nothing is left
  ASSERT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().cents, 1'000);
  buyer deep{starter, 1'000};
  deep.use(60'000_credits);  // 40,000 below zero
  ASSERT_EQ(deep.count(), 1u);
  EXPECT_EQ(deep.top_up().cents, 1'000);
}

TEST(top_up, is_bought_again_without_a_call_until_the_threshold_is_reached) {
  buyer acme{starter, 1'000};
  acme.use(20'900_credits);  // 900 below zero: 500 credits per purchase
  for (std::size_t bought = 1; bought <= 4; ++bought) {
    ASSERT_EQ(acme.count(), bought);
    acme.resolve(top_up_verdict::paid, bought - 1);
    const auto next = acme.ledger.next_due();
    if (bought == 4) break;
    ASSERT_EQ(next, acme.now + 1min) << bought;
    acme.at(*next - 1ms);
    ASSERT_EQ(acme.count(), bought);
    acme.at(*next);
  }
  EXPECT_EQ(acme.available(), 1'100_credits);
  acme.at(acme.now + 24h);
  EXPECT_EQ(acme.count(), 4u);
}

TEST(top_up, within_the_cap_what_fits_is_bought) {
  buyer acme{starter, 1'000};
  acme.options.spend_cap_cents = 1'500;
  acme.plan(starter);
  acme.use(20'000_credits);
  ASSERT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().cents, 1'000);
  acme.resolve(top_up_verdict::paid);
  acme.at(acme.now + 24h);
  EXPECT_EQ(acme.count(), 1u);  // $5 are left of the cap
  EXPECT_EQ(acme.available(), 500_credits);
}

TEST(top_up, one_large_purchase_only_where_the_customer_wants_it) {
  buyer acme{starter, 1'000};
  acme.options.top_up_fill = true;
  acme.plan(starter);
  acme.use(22'000_credits);  // 2,000 below zero: 3,000 to the threshold
  ASSERT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().cents, 6'000);  // and not a cent more
  acme.resolve(top_up_verdict::paid);
  EXPECT_EQ(acme.available(), 1'000_credits);
  acme.at(acme.now + 24h);
  EXPECT_EQ(acme.count(), 1u);
}

TEST(top_up, a_large_purchase_beyond_the_cap_is_made_in_small_ones) {
  buyer acme{starter, 1'000};
  acme.options.top_up_fill = true;
  acme.options.spend_cap_cents = 1'500;
  acme.plan(starter);
  acme.use(20'000_credits);
  ASSERT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().cents, 1'000);
}

TEST(top_up, one_for_a_need_however_many_calls_cross_the_threshold) {
  buyer acme{starter};
  acme.use(19'000_credits);
  for (int i = 0; i < 1'000; ++i) acme.use(1_credits);
  EXPECT_EQ(acme.count(), 1u);
}

// It is not known how much of a hold will be used, so it buys nothing; settled usage does.
TEST(top_up, what_is_only_held_buys_nothing) {
  buyer acme{starter};
  acme.use(18'990_credits);
  acme.hold(1, 40_credits);
  EXPECT_LT(acme.available(), 1'000_credits);
  EXPECT_EQ(acme.count(), 0u);
  acme.renew(1, 900_credits);
  acme.settle(1, 10_credits);
  EXPECT_EQ(acme.available(), 1'000_credits);
  EXPECT_EQ(acme.count(), 0u);
  acme.hold(2, 100_credits);
  acme.release(2);
  EXPECT_EQ(acme.count(), 0u);
  acme.use(1_credits);
  EXPECT_EQ(acme.count(), 1u);
}

// A refusal is reported only if the call would have been refused with nothing held.
TEST(top_up, a_refusal_for_what_others_hold_tells_nobody_that_the_balance_is_exhausted) {
  customer acme;
  acme.options.overage = false;
  acme.plan(starter);
  const auto told = [&] {
    const auto& events = acme.ledger.events();
    return std::count_if(events.begin(), events.end(),
                         [](const auto& event) { return event.type == "balance_exhausted"; });
  };
  acme.use(19'970_credits);
  acme.hold(1, 24_credits);
  const auto refused = acme.hold(2, 10_credits);
  EXPECT_EQ(refused.result, outcome::insufficient_balance);
  EXPECT_EQ(refused.why->held, 24_credits);
  EXPECT_EQ(told(), 0);
  // Nor is a hold that asks for more than it needs.
  const auto growth =
      acme.apply(extend{acme.holds[1], 31_credits, 1h, admission::enforce, 30_credits});
  EXPECT_EQ(growth.result, outcome::insufficient_balance);
  EXPECT_EQ(growth.why->held, 0_credits);
  EXPECT_EQ(told(), 0);
  EXPECT_EQ(acme.hold(3, 31_credits).result, outcome::insufficient_balance);
  EXPECT_EQ(told(), 1);
}

TEST(top_up, paid_twice_grants_once) {
  buyer acme{starter};
  acme.use(19'001_credits);
  EXPECT_EQ(acme.resolve(top_up_verdict::paid).result, outcome::granted);
  EXPECT_EQ(acme.resolve(top_up_verdict::paid).result, outcome::already_paid);
  EXPECT_EQ(acme.resolve(top_up_verdict::declined).result, outcome::already_paid);
  EXPECT_EQ(acme.available(), 1'499_credits);
  EXPECT_EQ(acme.left_of("top-up:" + acme.top_up().id), 500_credits);
}

TEST(top_up, a_payment_cools_down) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::paid);
  acme.use(1'000_credits);
  EXPECT_EQ(acme.count(), 1u);
  acme.now += 1min;
  acme.use(1_credits);
  EXPECT_EQ(acme.count(), 2u);
}

TEST(top_up, declines_back_off_longer_and_longer) {
  buyer acme{starter};
  acme.use(19'001_credits);
  for (std::size_t declined = 1; declined <= 4; ++declined) {
    EXPECT_EQ(acme.resolve(top_up_verdict::declined, declined - 1).result, outcome::recorded);
    const auto pause = 15min * (1 << (declined - 1));
    acme.now += pause - 1ms;
    acme.apply(expire_holds{});
    EXPECT_EQ(acme.count(), declined);
    acme.now += 1ms;
    acme.apply(expire_holds{});
    EXPECT_EQ(acme.count(), declined + 1);
  }
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 1'000);  // only open payments count
}

TEST(top_up, a_decline_that_turns_out_paid_is_granted) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::declined);
  EXPECT_EQ(acme.resolve(top_up_verdict::declined).result, outcome::already_declined);
  EXPECT_EQ(acme.resolve(top_up_verdict::paid).result, outcome::granted);
  EXPECT_EQ(acme.available(), 1'499_credits);
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 1'000);
}

TEST(top_up, a_pending_one_is_confirmed_later) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::pending);
  EXPECT_EQ(acme.lease().result, outcome::in_progress);
  acme.now += 48h;
  acme.use(1_credits);
  EXPECT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.resolve(top_up_verdict::paid).result, outcome::granted);
}

TEST(top_up, is_delivered_by_one_at_a_time) {
  buyer acme{starter};
  acme.use(19'001_credits);
  EXPECT_EQ(acme.lease().result, outcome::recorded);
  EXPECT_EQ(acme.lease().result, outcome::in_progress);
  acme.now += 15s;  // the sidecar that had it is gone
  EXPECT_EQ(acme.lease().result, outcome::recorded);
  acme.resolve(top_up_verdict::failed);
  EXPECT_EQ(acme.lease().result, outcome::in_progress);
  acme.now += 10s;  // after the second attempt
  EXPECT_EQ(acme.lease().result, outcome::recorded);
  acme.resolve(top_up_verdict::paid);
  EXPECT_EQ(acme.lease().result, outcome::already_paid);
}

// It is not known whether it was charged: so it is requested again, and no other one is.
TEST(top_up, one_that_timed_out_is_taken_up_again_under_its_id) {
  buyer acme{starter};
  acme.use(19'001_credits);
  const auto id = acme.top_up().id;
  acme.now += 24h;
  acme.lease();
  acme.resolve(top_up_verdict::failed);
  EXPECT_EQ(acme.top_up().status, top_up_status::timed_out);
  acme.use(1_credits);
  EXPECT_EQ(acme.top_up().status, top_up_status::timed_out);
  acme.now += 1h;
  acme.use(1_credits);
  ASSERT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().status, top_up_status::requested);
  EXPECT_EQ(acme.top_up().id, id);
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 1'000);
}

// The times show whether a payment was requested; a clock that goes back must not hide that.
TEST(top_up, one_whose_key_was_spent_by_a_clock_that_is_back_is_asked_on) {
  buyer acme{starter};
  acme.use(19'001_credits);
  EXPECT_EQ(acme.lease().result, outcome::recorded);
  acme.now -= 1h;
  acme.resolve(top_up_verdict::spent);
  EXPECT_EQ(acme.top_up().generation, 1);
  acme.options.top_up_threshold.reset();
  acme.plan(starter);
  acme.now += 1min;
  EXPECT_EQ(acme.lease().result, outcome::recorded);
}

TEST(top_up, never_past_the_spend_cap) {
  buyer acme{starter};
  acme.options.spend_cap_cents = 2'500;
  acme.plan(starter);
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::paid);
  acme.now += 1min;
  acme.use(500_credits);
  ASSERT_EQ(acme.count(), 2u);
  acme.resolve(top_up_verdict::paid, 1);
  acme.now += 1min;
  acme.use(500_credits);
  EXPECT_EQ(acme.count(), 2u);  // $5 are left, and the minimum is $10
  // Overage shares the cap: 250 credits more.
  acme.use(acme.available());
  EXPECT_EQ(acme.use(250_credits), outcome::held);
  EXPECT_EQ(acme.use(1_micro), outcome::cap_reached);
  // A higher cap takes effect with the next operation, even a sweep.
  acme.options.spend_cap_cents = 100'000;
  acme.plan(starter);
  acme.at(acme.now);
  EXPECT_EQ(acme.count(), 3u);
}

TEST(top_up, the_next_cycle_has_a_cap_of_its_own) {
  buyer acme{starter};
  acme.options.spend_cap_cents = 1'000;
  acme.plan(starter);
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::paid);
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 1'000);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 0);
}

TEST(top_up, one_without_an_answer_does_not_eat_the_cap_of_later_cycles) {
  buyer acme{starter};
  acme.options.spend_cap_cents = 1'000;
  acme.plan(starter);
  acme.use(19'001_credits);
  acme.now += 24h;
  acme.lease();
  acme.resolve(top_up_verdict::failed);
  acme.options.top_up_threshold.reset();
  acme.plan(starter);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 0);
  acme.use(20'000_credits);
  EXPECT_EQ(acme.use(500_credits), outcome::held);
  EXPECT_EQ(acme.use(1_micro), outcome::cap_reached);
}

TEST(top_up, a_pending_one_is_given_up_after_a_week) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::pending);
  acme.now += 24h * 7;
  acme.use(1_credits);
  EXPECT_EQ(acme.count(), 1u);
  EXPECT_EQ(acme.top_up().status, top_up_status::requested);  // the same one, requested again
}

TEST(top_up, nobody_is_charged_for_what_is_no_longer_wanted) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.options.spend_cap_cents = 999;
  acme.plan(starter);
  EXPECT_EQ(acme.lease().result, outcome::already_declined);
  EXPECT_EQ(acme.ledger.top_up().spent_cents, 0);
}

// A hold of a critical call ends: it may exceed the cap, and gives back what it does not use.
TEST(top_up, a_hold_that_passes_does_not_decline_one) {
  buyer acme{starter};
  acme.options.spend_cap_cents = 1'500;
  acme.plan(starter);
  acme.use(19'001_credits);
  ASSERT_EQ(acme.top_up().status, top_up_status::requested);
  ASSERT_EQ(acme.hold(1, 2'000_credits, admission::critical).result, outcome::held_beyond_balance);
  EXPECT_EQ(acme.lease().result, outcome::recorded);
}

TEST(top_up, one_that_was_asked_for_goes_on_whatever_changes) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.lease();
  acme.options.top_up_threshold.reset();
  acme.plan(starter);
  acme.now += 15s;
  EXPECT_EQ(acme.lease().result, outcome::recorded);  // it may have been charged
}

TEST(top_up, a_suspended_organization_buys_nothing) {
  buyer acme{starter};
  acme.use(18'000_credits);
  acme.use(1'500_credits);
  acme.resolve(top_up_verdict::declined);
  acme.ledger.set_suspended(true, acme.now);
  acme.now += 15min;
  acme.apply(expire_holds{});
  EXPECT_EQ(acme.count(), 1u);
}

// An endpoint repeats an error as long as it remembers the key.
TEST(top_up, a_spent_key_is_followed_by_the_next_one_once) {
  buyer acme{starter};
  acme.use(19'001_credits);
  const auto id = acme.top_up().id;
  const auto spend = [&](std::int64_t generation) {
    return acme.apply(resolve_top_up{id, top_up_verdict::spent, generation}).result;
  };
  acme.lease();
  EXPECT_EQ(spend(0), outcome::recorded);
  EXPECT_EQ(acme.top_up().generation, 1);
  EXPECT_EQ(acme.top_up().next_at, acme.now + 5s);  // as after any failed delivery
  EXPECT_EQ(spend(0), outcome::recorded);           // repeated, or by a late sidecar
  EXPECT_EQ(acme.top_up().generation, 1);
  EXPECT_EQ(spend(1), outcome::recorded);
  EXPECT_EQ(acme.top_up().generation, 2);
  EXPECT_EQ(acme.resolve(top_up_verdict::paid).result, outcome::granted);
  EXPECT_EQ(spend(2), outcome::already_paid);
  EXPECT_EQ(acme.top_up().generation, 2);
}

// The number of tries under the previous key does not count for the next one.
TEST(top_up, the_key_after_one_that_was_tried_often_begins_anew) {
  buyer acme{starter};
  acme.use(19'001_credits);
  const auto id = acme.top_up().id;
  const auto pause_after = [&](top_up_verdict verdict) {
    EXPECT_EQ(acme.lease().result, outcome::recorded);
    acme.apply(resolve_top_up{id, verdict, acme.top_up().generation});
    const auto pause = acme.top_up().next_at - acme.now;
    acme.now = acme.top_up().next_at;
    return pause;
  };
  for (const auto pause : {5s, 10s, 20s, 40s, 80s, 160s}) {
    EXPECT_EQ(pause_after(top_up_verdict::failed), pause);
  }
  EXPECT_EQ(pause_after(top_up_verdict::spent), 40s);
  EXPECT_EQ(acme.top_up().attempts, 0);
  EXPECT_EQ(pause_after(top_up_verdict::failed), 5s);
  EXPECT_EQ(acme.top_up().attempts, 1);
  EXPECT_EQ(pause_after(top_up_verdict::failed), 10s);
  EXPECT_EQ(pause_after(top_up_verdict::spent), 20s);
}

TEST(top_up, the_more_keys_are_spent_the_longer_is_waited) {
  buyer acme{starter};
  acme.use(19'001_credits);
  const auto id = acme.top_up().id;
  for (const auto pause : {5s, 10s, 20s, 40s, 80s, 160s}) {
    acme.lease();
    acme.apply(resolve_top_up{id, top_up_verdict::spent, acme.top_up().generation});
    EXPECT_EQ(acme.top_up().next_at, acme.now + pause);
    acme.now += pause;
  }
  acme.lease();
  acme.resolve(top_up_verdict::failed);
  EXPECT_EQ(acme.top_up().next_at, acme.now + 160s);
}

TEST(top_up, one_whose_key_is_spent_goes_on_whatever_changes) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.lease();
  acme.resolve(top_up_verdict::spent);
  acme.options.top_up_threshold.reset();
  acme.plan(starter);
  acme.now += 15s;
  EXPECT_EQ(acme.lease().result, outcome::recorded);
}

TEST(top_up, one_that_timed_out_after_a_spent_key_is_asked_for_again_only_if_it_is_wanted) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.lease();
  acme.resolve(top_up_verdict::spent);
  acme.now += 24h;
  acme.lease();
  acme.resolve(top_up_verdict::failed);
  ASSERT_EQ(acme.top_up().status, top_up_status::timed_out);
  acme.now += 1h;
  acme.use(1_credits);
  ASSERT_EQ(acme.top_up().status, top_up_status::requested);
  acme.options.top_up_threshold.reset();
  acme.plan(starter);
  EXPECT_EQ(acme.lease().result, outcome::already_declined);
}

TEST(top_up, of_a_pending_one_no_key_is_spent) {
  buyer acme{starter};
  acme.use(19'001_credits);
  acme.resolve(top_up_verdict::pending);
  acme.resolve(top_up_verdict::spent);
  EXPECT_EQ(acme.top_up().status, top_up_status::pending);
  EXPECT_EQ(acme.top_up().generation, 0);
}

TEST(top_up, a_pending_one_that_is_said_to_be_so_again_is_not_given_up) {
  buyer acme{starter};
  acme.use(19'001_credits);
  for (int day = 0; day < 20; ++day) {
    acme.resolve(top_up_verdict::pending);
    acme.now += 24h;
    acme.use(1_micro);
  }
  EXPECT_EQ(acme.top_up().status, top_up_status::pending);
}

struct paid_buyer : buyer {
  paid_buyer() : buyer{starter} {
    use(19'001_credits);
    resolve(top_up_verdict::paid);  // $10.00 for 500 credits
    before = available();
  }
  answer take_back(std::int64_t cents, take_back_reason reason = take_back_reason::refund) {
    return apply(take_back_top_up{top_up().id, reason, cents});
  }
  credits before;
};

TEST(top_up, what_is_refunded_is_taken_back_in_proportion_and_once) {
  paid_buyer acme;
  const auto partly = acme.take_back(300);
  EXPECT_EQ(partly.result, outcome::recorded);
  EXPECT_EQ(partly.amount, 150_credits);
  EXPECT_EQ(acme.take_back(300).result, outcome::exists);
  EXPECT_EQ(acme.take_back(200).result, outcome::exists);  // reported late
  EXPECT_EQ(acme.available(), acme.before - 150_credits);
  EXPECT_EQ(acme.take_back(1'000).amount, 350_credits);
  EXPECT_EQ(acme.take_back(5'000).amount, 0_credits);  // there is no more
  EXPECT_EQ(acme.available(), acme.before - 500_credits);
  EXPECT_EQ(taken_back(acme.top_up()), 500_credits);
}

TEST(top_up, a_dispute_takes_the_rest_of_what_was_refunded) {
  paid_buyer acme;
  acme.take_back(400);
  EXPECT_EQ(acme.take_back(1'000, take_back_reason::dispute).amount, 300_credits);
  EXPECT_EQ(acme.take_back(1'000, take_back_reason::dispute).result, outcome::exists);
  EXPECT_EQ(acme.available(), acme.before - 500_credits);
}

TEST(top_up, what_is_refunded_before_it_is_known_to_be_paid_is_taken_back_then) {
  buyer acme{starter};
  acme.use(19'001_credits);
  const auto id = acme.top_up().id;
  EXPECT_EQ(acme.apply(take_back_top_up{id, take_back_reason::refund, 500}).result,
            outcome::recorded);
  EXPECT_EQ(acme.available(), 999_credits);
  EXPECT_EQ(acme.resolve(top_up_verdict::paid).result, outcome::granted);
  EXPECT_EQ(acme.available(), 999_credits + 250_credits);
  EXPECT_EQ(acme.apply(take_back_top_up{id, take_back_reason::refund, 500}).result,
            outcome::exists);
}

TEST(top_up, who_got_money_back_is_not_charged_again_at_once) {
  paid_buyer acme;
  acme.now += 1min;
  acme.use(500_credits);
  EXPECT_EQ(acme.count(), 2u);
  acme.resolve(top_up_verdict::paid, 1);
  acme.apply(take_back_top_up{acme.top_up(1).id, take_back_reason::refund, 1'000});
  acme.now += 15min - 1ms;
  acme.use(1_micro);
  EXPECT_EQ(acme.count(), 2u);
  acme.now += 1ms;
  acme.use(1_micro);
  EXPECT_EQ(acme.count(), 3u);
}

TEST(top_up, takes_back_nothing_that_makes_no_sense) {
  paid_buyer acme;
  EXPECT_EQ(acme.take_back(0).result, outcome::out_of_range);
  EXPECT_EQ(acme.take_back(-1).result, outcome::out_of_range);
  EXPECT_EQ(acme.apply(take_back_top_up{"nobody", take_back_reason::refund, 1}).result,
            outcome::not_found);
  EXPECT_EQ(acme.available(), acme.before);
}

// The arithmetic exceeds 2^53; ledger/scripts get the same result in another way.
TEST(top_up, shares_of_large_amounts_are_exact) {
  top_up_record top_up;
  top_up.cents = 900'000'000'000;
  top_up.amount = credits::from_micro(3'999'999'999'999'999);
  top_up.refunded_cents = 899'999'999'999;
  EXPECT_EQ(taken_back(top_up).micro(), 3'999'999'999'995'555);
  top_up.disputed_cents = 1;
  EXPECT_EQ(taken_back(top_up), top_up.amount);
}

TEST(top_up, packs_are_bought_by_hand_once_for_each_key) {
  customer acme;
  acme.plan(starter);
  EXPECT_EQ(acme.apply(request_top_up{"k", 999}).result,
            outcome::out_of_range);  // below the minimum
  const auto asked = acme.apply(request_top_up{"k", 2'000});
  EXPECT_EQ(asked.result, outcome::recorded);
  EXPECT_EQ(asked.amount, 1'000_credits);
  EXPECT_EQ(acme.apply(request_top_up{"k", 2'000}).result, outcome::exists);
  EXPECT_EQ(acme.apply(request_top_up{"k", 3'000}).result, outcome::exists_with_different_amount);
  EXPECT_EQ(acme.apply(resolve_top_up{"k", top_up_verdict::paid}).result, outcome::granted);
  EXPECT_EQ(acme.available(), 21'000_credits);
  EXPECT_EQ(acme.ledger.top_up().spent_cents,
            0);  // the customer's own decision, not part of the cap
}

TEST(top_up, without_a_price_nothing_can_be_bought) {
  buyer acme{plan_terms{"free", 2'000_credits, 0, 0, 0, 0, 0, 0}};
  acme.use(1'500_credits);
  EXPECT_EQ(acme.count(), 0u);
  EXPECT_EQ(acme.apply(request_top_up{"k", 2'000}).result, outcome::out_of_range);
}

}  // namespace
}  // namespace tollgate::quota
