#include "proxy/payments/event_receiver.hpp"

#include <gtest/gtest.h>

#include "proxy/net/outbound/signature.hpp"
#include "quota/hex.hpp"
#include "tests/support/memory_payments.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/moments.hpp"
#include "tests/support/run_task.hpp"

namespace tollgate::proxy::payments {
namespace {

using namespace quota::literals;
using quota::outcome;

const quota::org_id acme = "acme";
const std::string secret = "whsec_1";
using tests::noon;

class noon_clock final : public quota::clock {
 public:
  quota::time_point now() const override { return noon; }
};

// An event about a payment of the top-up pack-1, for $10.
std::string event(const std::string& id, const std::string& type, const std::string& more,
                  const std::string& payment = "pi_1") {
  return R"({"id":")" + id + R"(","type":")" + type + R"(","data":{"object":{"id":")" + payment +
         R"(","amount":1000,"currency":"usd","metadata":)"
         R"({"tollgate_org":"acme","tollgate_top_up":"pack-1"},)" +
         more + "}}}";
}
std::string paid(const std::string& id = "evt_paid", const std::string& payment = "pi_1") {
  return event(id, "payment_intent.succeeded", R"("status":"succeeded","amount_received":1000)",
               payment);
}
std::string refunded(const std::string& id = "evt_back", int cents = 500,
                     const std::string& payment = "pi_1") {
  return event(
      id, "charge.refunded",
      R"("payment_intent":")" + payment + R"(","amount_refunded":)" + std::to_string(cents));
}

// The events name their top-up, so no endpoint is asked here.
class event_receiver_test : public testing::Test {
 protected:
  event_receiver_test() {
    store.time = noon;
    const quota::organization_change nothing;
    tests::run_task(store.change(acme, nothing));
    quota::configure plan;
    plan.terms.plan = "starter";
    plan.terms.allocation = 20'000_credits;
    plan.terms.usd_micro_per_credit = 20'000;
    apply(plan);
    apply(quota::request_top_up{"pack-1", 1'000});
    receiver.use(endpoint());
  }

  static std::shared_ptr<payment_endpoint> endpoint() {
    config::payment_settings settings;
    settings.kind = config::payment_kind::stripe;
    settings.url = "http://127.0.0.1:9";
    settings.events.secrets = {secret};
    return make_payment_endpoint(settings);
  }

  outcome apply(const quota::operation& what) {
    return tests::run_task(store.apply(acme, what)).value().result;
  }
  int told(const std::string& body) {
    const std::string seconds = "1767268800";
    event_delivery delivery;
    delivery.method = "POST";
    delivery.signature = "t=" + seconds + ",v1=" +
                         quota::to_hex(outbound::hmac_sha256(secret, seconds + "." + body));
    delivery.body = body;
    return tests::run_task(receiver.take(std::move(delivery))).status;
  }
  quota::top_up_record top_up() { return store.account(acme).top_ups().at(0); }
  outcome correct(const std::string& id, quota::credits amount) {
    return apply(quota::grant{id, amount, "correction", "", {}, {}});
  }

  tests::memory_store store;
  noon_clock clock;
  metrics::payment_metrics counts;
  tests::memory_payments payments;
  event_receiver receiver{store, store, payments, store, clock, counts};
};

// A reload that removes `payments` happens while the store is being asked.
TEST_F(event_receiver_test, an_event_ends_as_it_began_whatever_a_reload_changes) {
  ASSERT_EQ(told(paid()), 200);
  store.on_top_ups = [&] { receiver.use(nullptr); };
  EXPECT_EQ(told(refunded()), 200);
  EXPECT_EQ(top_up().refunded_cents, 500);
  store.on_top_ups = nullptr;
  EXPECT_EQ(told(refunded("evt_next")), 404);
}

// The top-up was declined, so its credits are not reserved: the balance fills up without it.
TEST_F(event_receiver_test, a_payment_that_the_balance_has_no_room_for_is_to_be_told_again) {
  using quota::top_up_verdict;
  const std::pair<const char*, std::int64_t> packs[] = {
      {"pack-2", 7'800'000'000}, {"pack-3", 7'800'000'000}, {"pack-4", 399'960'000}};
  apply(quota::resolve_top_up{"pack-1", top_up_verdict::declined});
  for (const auto& [id, cents] : packs) {
    ASSERT_EQ(apply(quota::request_top_up{id, cents}), outcome::recorded);
    apply(quota::resolve_top_up{id, top_up_verdict::declined});
  }
  for (const auto& [id, cents] : packs) {
    ASSERT_EQ(apply(quota::resolve_top_up{id, top_up_verdict::paid}), outcome::granted);
  }
  EXPECT_EQ(told(paid()), 503);
  EXPECT_EQ(told(paid()), 503) << "it is not remembered";
  ASSERT_EQ(correct("less", -1'000_credits), outcome::granted);
  EXPECT_EQ(told(paid()), 200);
  EXPECT_EQ(top_up().status, quota::top_up_status::paid);
}

TEST_F(event_receiver_test, a_refund_that_is_beyond_counting_is_to_be_told_again) {
  ASSERT_EQ(told(paid()), 200);
  ASSERT_EQ(correct("much", -4'000'000'000_credits), outcome::granted);
  ASSERT_EQ(correct("more", -20'500_credits), outcome::granted);
  EXPECT_EQ(told(refunded()), 503);
  ASSERT_EQ(correct("back", 250_credits), outcome::granted);
  EXPECT_EQ(told(refunded()), 200);
  EXPECT_EQ(top_up().refunded_cents, 500);
  EXPECT_EQ(told(refunded("evt_nothing", 0)), 200) << "nothing came back: nothing to be done";
}

// An operator who follows the alarm and refunds the second payment leaves the customer's credits in
// place.
TEST_F(event_receiver_test, a_refund_of_a_second_payment_takes_nothing_back) {
  ASSERT_EQ(told(paid()), 200);
  const auto paid_twice = [&] {
    return counts.mismatches.read(static_cast<std::size_t>(payment_mismatch::paid_twice));
  };
  EXPECT_EQ(paid_twice(), 0);
  ASSERT_EQ(told(paid("evt_again", "pi_2")), 200);
  EXPECT_EQ(paid_twice(), 1);
  EXPECT_EQ(told(refunded("evt_second", 1'000, "pi_2")), 200);
  EXPECT_EQ(top_up().refunded_cents, 0);
  EXPECT_EQ(told(refunded("evt_first", 1'000, "pi_1")), 200);
  EXPECT_EQ(top_up().refunded_cents, 1'000);
}

TEST_F(event_receiver_test, where_no_payment_was_remembered_the_only_one_counts) {
  ASSERT_EQ(apply(quota::resolve_top_up{"pack-1", quota::top_up_verdict::paid}), outcome::granted);
  EXPECT_EQ(told(refunded()), 200);
  EXPECT_EQ(top_up().refunded_cents, 500);
}

// With a later key, a payment may also have been made under an earlier one; and this endpoint
// cannot be asked.
TEST_F(event_receiver_test, where_there_may_be_two_and_nobody_knows_it_is_to_be_told_again) {
  apply(quota::lease_top_up{"pack-1", quota::milliseconds{1}});
  apply(quota::resolve_top_up{"pack-1", quota::top_up_verdict::spent, 0});
  EXPECT_EQ(told(refunded()), 503) << "not known to be paid";
  apply(quota::resolve_top_up{"pack-1", quota::top_up_verdict::paid});
  quota::organization_change customer;
  customer.stripe_customer = "cus_1";
  tests::run_task(store.change(acme, customer));
  EXPECT_EQ(told(refunded()), 503);
  payments.known[{acme, "pack-1"}] = "pi_1";
  EXPECT_EQ(told(refunded()), 200);
  EXPECT_EQ(top_up().refunded_cents, 500);
}

TEST_F(event_receiver_test, without_the_store_of_payments_nothing_is_granted_or_taken_back) {
  payments.reachable = false;
  EXPECT_EQ(told(paid()), 503);
  EXPECT_EQ(top_up().status, quota::top_up_status::requested);
  EXPECT_EQ(told(refunded()), 503);
  EXPECT_EQ(top_up().refunded_cents, 0);
}

}  // namespace
}  // namespace tollgate::proxy::payments
