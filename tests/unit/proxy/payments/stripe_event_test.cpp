#include "proxy/payments/stripe_event.hpp"

#include <gtest/gtest.h>

#include "proxy/net/outbound/signature.hpp"
#include "proxy/payments/poll_schedule.hpp"
#include "proxy/payments/stripe_signature.hpp"
#include "quota/hex.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::proxy::payments {
namespace {

using namespace std::chrono_literals;

using tests::noon;
const std::string body = R"({"id":"evt_1"})";

std::string signed_by(const std::string& secret, const std::string& seconds = "1767268800") {
  return "v1=" + quota::to_hex(outbound::hmac_sha256(secret, seconds + "." + body));
}
std::string verdict(const std::string& header, std::vector<std::string> secrets = {"whsec_1"},
                    quota::time_point now = noon) {
  return refuse_stripe_signature(header, body, secrets, now);
}

// tests/clients signs with Stripe's own library.
TEST(stripe_signature, is_of_the_time_and_the_body) {
  EXPECT_EQ(verdict("t=1767268800," + signed_by("whsec_1")), "");
  EXPECT_EQ(verdict("t=1767268801," + signed_by("whsec_1")),
            "Stripe-Signature does not match the webhook endpoint's secret");
  EXPECT_EQ(refuse_stripe_signature("t=1767268800," + signed_by("whsec_1"), body + " ", {"whsec_1"},
                                    noon),
            "Stripe-Signature does not match the webhook endpoint's secret");
}

TEST(stripe_signature, any_of_several_is_enough) {
  const auto both = "t=1767268800," + signed_by("new") + "," + signed_by("old");
  EXPECT_EQ(verdict(both, {"old"}), "");
  EXPECT_EQ(verdict(both, {"new"}), "");
  EXPECT_EQ(verdict("t=1767268800," + signed_by("old"), {"new", "old"}), "");
  EXPECT_EQ(verdict("t=1767268800,v0=1,v1=zz, " + signed_by("old"), {"new", "old"}), "");
  EXPECT_NE(verdict(both, {"other"}), "");
  EXPECT_NE(verdict(both, {}), "");
}

TEST(stripe_signature, holds_for_five_minutes) {
  const auto header = "t=1767268800," + signed_by("whsec_1");
  for (const auto away : {-5min, 0min, 5min}) {
    EXPECT_EQ(verdict(header, {"whsec_1"}, noon + away), "") << away.count();
  }
  for (const quota::milliseconds away : {-300'001ms, 300'001ms}) {
    EXPECT_EQ(verdict(header, {"whsec_1"}, noon + away),
              "the time in Stripe-Signature is more than five minutes away from this clock");
  }
}

TEST(stripe_signature, is_refused_where_it_is_malformed) {
  const auto good = signed_by("whsec_1");
  for (const std::string& header :
       {std::string{}, std::string{","}, std::string{"t"}, std::string{"t=1767268800"}, good,
        "t=1767268800," + good.substr(0, good.size() - 1), "t=1767268800,V1" + good.substr(2),
        "t=1767268800,t=1767268801," + good, "t=," + good, "t=x," + good,
        "t=99999999999999999999," + good, "t=-1," + good, "t=01767268800," + good,
        "t=1767268800," + good + std::string(5'000, 'x')}) {
    EXPECT_NE(verdict(header), "") << header.substr(0, 80);
  }
}

TEST(stripe_event, tells_what_it_is_about) {
  using kind = stripe_event::kind;
  for (const auto& [type, what] :
       std::vector<std::pair<std::string, kind>>{{"payment_intent.succeeded", kind::paid},
                                                 {"payment_intent.processing", kind::pending},
                                                 {"payment_intent.payment_failed", kind::failed},
                                                 {"payment_intent.canceled", kind::failed},
                                                 {"payment_intent.created", kind::other},
                                                 {"charge.refunded", kind::refunded},
                                                 {"charge.dispute.created", kind::disputed},
                                                 {"charge.dispute.closed", kind::other},
                                                 {"invoice.paid", kind::other}}) {
    const auto event = read_stripe_event(R"({"id":"evt_1","type":")" + type +
                                         R"(","data":{"object":{"id":"x_1"}}})");
    ASSERT_TRUE(event) << type;
    EXPECT_EQ(event->what, what) << type;
  }
}

TEST(stripe_event, finds_ids_sums_and_whose_it_is) {
  const auto refund = read_stripe_event(
      R"({"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","amount":1000,)"
      R"("amount_refunded":300,"payment_intent":"pi_1","metadata":)"
      R"({"tollgate_org":"acme","tollgate_top_up":"pack-1","tollgate_key":"2"}}}})");
  ASSERT_TRUE(refund && refund->owner);
  EXPECT_EQ(refund->charge + refund->payment, "ch_1pi_1");
  EXPECT_EQ(refund->cents, 300);
  EXPECT_EQ(refund->owner->org + refund->owner->top_up, "acmepack-1");
  EXPECT_EQ(refund->owner->generation, 2);

  const auto dispute = read_stripe_event(
      R"({"id":"evt_1","type":"charge.dispute.created","data":{"object":{"id":"dp_1","amount":400,)"
      R"("charge":{"id":"ch_1"},"payment_intent":null,"metadata":{}}}})");
  ASSERT_TRUE(dispute);
  EXPECT_FALSE(dispute->owner);
  EXPECT_EQ(dispute->charge, "ch_1");
  EXPECT_EQ(dispute->payment, "");
  EXPECT_EQ(dispute->cents, 400);
}

TEST(stripe_event, is_none_without_its_parts) {
  for (const char* text :
       {"", "[]", "{}", R"({"id":"evt_1","type":"t"})", R"({"id":"evt_1","type":"t","data":{}})",
        R"({"id":1,"type":"t","data":{"object":{}}})", R"({"id":"evt_1","data":{"object":{}}})",
        R"({"id":"evt_1","type":"t","data":{"object":[]}})"}) {
    EXPECT_FALSE(read_stripe_event(text)) << text;
  }
}

TEST(poll_schedule, asks_less_and_less_often) {
  poll_schedule polls;
  EXPECT_TRUE(polls.take_turn("acme", "a", noon, noon));
  EXPECT_FALSE(polls.take_turn("acme", "a", noon, noon + 4'999ms));
  EXPECT_TRUE(polls.take_turn("acme", "b", noon, noon + 4'999ms));
  EXPECT_TRUE(polls.take_turn("acme", "a", noon, noon + 5s));
  std::size_t first_day = 0, later = 0;
  for (auto now = noon + 10s; now < noon + 10 * 24h; now += 5s) {
    if (polls.take_turn("acme", "a", noon, now)) ++(now < noon + 24h ? first_day : later);
  }
  EXPECT_GT(first_day, 20u);
  EXPECT_LT(first_day, 60u);
  EXPECT_GE(later, 9u * 4);
  EXPECT_LT(later, 9u * 6);
  // A clock that goes back does not suppress it.
  EXPECT_TRUE(polls.take_turn("acme", "a", noon, noon));
}

}  // namespace
}  // namespace tollgate::proxy::payments
