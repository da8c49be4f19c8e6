#include "proxy/payments/payment_request.hpp"

#include <gtest/gtest.h>

#include "proxy/net/outbound/signature.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::proxy::payments {
namespace {

using namespace quota::literals;

using tests::noon;

payment_order ten_dollars() {
  payment_order order;
  order.org = "acme";
  order.top_up.id = "auto-1";
  order.top_up.cents = 1'000;
  order.top_up.amount = 500_credits;
  order.top_up.requested_at = noon;
  order.stripe_customer = "cus_1";
  return order;
}

outbound::url address(std::string_view url) {
  return outbound::parse_url(url).value();
}

std::string field(const outbound::request& request, std::string_view name) {
  for (const auto& [known, value] : request.fields) {
    if (known == name) return value;
  }
  return "(none)";
}

TEST(first_requested, is_what_the_id_of_an_automatic_one_says) {
  quota::top_up_record top_up;
  top_up.requested_at = noon;
  top_up.id = "tu_1767182400000_3";
  EXPECT_EQ(first_requested(top_up), noon - std::chrono::hours{24});
  top_up.id = "tu_1767268800001_3";  // never later than its request
  EXPECT_EQ(first_requested(top_up), noon);
  for (const char* other :
       {"", "tu_", "tu__1", "tu_1", "tu_1x", "auto-1", "tu_99999999999999999999_1"}) {
    top_up.id = other;
    EXPECT_FALSE(first_requested(top_up)) << other;
  }
  top_up.id = "tu_1767182400000_3";
  top_up.automatic = false;
  EXPECT_FALSE(first_requested(top_up));
}

TEST(never_asked_for, is_so_before_the_first_request_alone) {
  quota::top_up_record top_up;
  top_up.id = "tu_1767268800000_1";
  top_up.requested_at = noon;
  top_up.attempts = 1;  // our own lease
  EXPECT_TRUE(never_asked_for(top_up));
  auto again = top_up;
  again.attempts = 2;
  EXPECT_FALSE(never_asked_for(again));
  auto late = top_up;
  late.requested_at = noon + std::chrono::hours{48};  // it timed out, and was requested again
  EXPECT_FALSE(never_asked_for(late));
  auto next_key = top_up;
  next_key.generation = 1;
  EXPECT_FALSE(never_asked_for(next_key));
  auto by_hand = top_up;
  by_hand.automatic = false;  // not known
  EXPECT_FALSE(never_asked_for(by_hand));
}

TEST(idempotency_key, is_another_for_each_generation_and_top_up) {
  auto order = ten_dollars();
  EXPECT_EQ(idempotency_key(order), "acme:auto-1");
  order.top_up.generation = 2;
  EXPECT_EQ(idempotency_key(order), "acme/2:auto-1");
  order.top_up.generation = 0;
  order.top_up.id = "2:auto-1";
  EXPECT_EQ(idempotency_key(order), "acme:2:auto-1");
}

TEST(dollars, has_two_places) {
  EXPECT_EQ(dollars(1'000), "10.00");
  EXPECT_EQ(dollars(5), "0.05");
  EXPECT_EQ(dollars(99), "0.99");
  EXPECT_EQ(dollars(900'000'000'000), "9000000000.00");
}

TEST(webhook_request, is_an_event_with_everything_that_a_payment_needs) {
  const auto request =
      webhook_request(ten_dollars(), address("https://pay.example/hook"), "secret", noon);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/hook");
  EXPECT_EQ(request.body,
            R"({"id":"evt_b7083e7f3f469edd4e53bc3e814da06a","type":"account.top_up_requested",)"
            R"("created_at":"2026-01-01T12:00:00.000Z","org":"acme",)"
            R"("data":{"top_up":"auto-1","amount_usd":"10.00","credits":"500"}})");
  EXPECT_EQ(field(request, "Idempotency-Key"), "acme:auto-1");
  EXPECT_EQ(field(request, "Content-Type"), "application/json");
}

TEST(webhook_request, is_signed_twice) {
  const auto request =
      webhook_request(ten_dollars(), address("https://pay.example/hook"), "whsec_YWJj", noon);
  const auto id = field(request, "webhook-id");
  EXPECT_EQ(field(request, "webhook-timestamp"), "1767268800");
  EXPECT_EQ(field(request, "webhook-signature"),
            outbound::webhook_signature("abc", id, 1'767'268'800, request.body));
  EXPECT_EQ(field(request, "X-8bit-Signature-256"),
            outbound::platform_signature("abc", request.body));
}

TEST(webhook_request, is_the_same_at_every_attempt) {
  auto order = ten_dollars();
  const auto to = address("https://pay.example/hook");
  const auto first = webhook_request(order, to, "secret", noon);
  order.top_up.attempts = 7;
  order.top_up.next_at = noon + std::chrono::hours{3};
  const auto later = webhook_request(order, to, "secret", noon + std::chrono::hours{3});
  EXPECT_EQ(first.body, later.body);
  for (const char* same : {"Idempotency-Key", "webhook-id"}) {
    EXPECT_EQ(field(first, same), field(later, same));
  }
  EXPECT_NE(field(first, "webhook-signature"), field(later, "webhook-signature"));
}

// Standard Webhooks separates id, time and body with dots.
TEST(webhook_request, has_an_id_without_full_stops_and_of_its_own) {
  const auto to = address("https://pay.example/hook");
  auto dotted = ten_dollars(), other = ten_dollars();
  dotted.org = "ac.me";
  other.top_up.id = "auto-2";
  const auto id = [&](const payment_order& order) {
    return field(webhook_request(order, to, "secret", noon), "webhook-id");
  };
  EXPECT_EQ(id(dotted).find('.'), std::string::npos);
  EXPECT_NE(id(dotted), id(ten_dollars()));
  EXPECT_NE(id(other), id(ten_dollars()));
}

TEST(stripe_payment, charges_the_customer_off_session) {
  const auto request =
      stripe_payment(ten_dollars(), address("https://api.stripe.com"), "sk_test_1", "pm_1");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/payment_intents");
  EXPECT_EQ(
      request.body,
      "amount=1000&currency=usd&customer=cus_1&payment_method=pm_1&off_session=true&confirm=true"
      "&metadata%5Btollgate_org%5D=acme&metadata%5Btollgate_top_up%5D=auto-1");
  EXPECT_EQ(field(request, "Authorization"), "Bearer sk_test_1");
  EXPECT_EQ(field(request, "Idempotency-Key"), "acme:auto-1");
  EXPECT_EQ(field(request, "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(field(request, "Stripe-Version"), "2024-06-20");
}

TEST(stripe_payment, encodes_what_an_id_may_have) {
  auto order = ten_dollars();
  order.top_up.id = "a&b=c d\"%";
  const auto request = stripe_payment(order, address("http://127.0.0.1:1/base/"), "sk", "");
  EXPECT_EQ(request.target, "/base/v1/payment_intents");
  EXPECT_TRUE(request.body.ends_with("=a%26b%3Dc%20d%22%25")) << request.body;
}

TEST(stripe_payment, need_not_name_a_method) {
  const auto request = stripe_payment(ten_dollars(), address("https://api.stripe.com"), "sk", "");
  EXPECT_TRUE(request.body.starts_with("amount=1000&currency=usd&customer=cus_1&off_session="))
      << request.body;
}

TEST(stripe_payment, of_a_later_key_says_so) {
  auto order = ten_dollars();
  order.top_up.generation = 1;
  const auto request = stripe_payment(order, address("https://api.stripe.com"), "sk", "pm_2");
  EXPECT_TRUE(request.body.ends_with("&metadata%5Btollgate_key%5D=1")) << request.body;
  EXPECT_EQ(field(request, "Idempotency-Key"), "acme/1:auto-1");
}

TEST(stripe_payments, asks_for_the_customers_page_by_page) {
  const auto to = address("https://api.stripe.com");
  const auto first = stripe_payments(ten_dollars(), to, "sk", {});
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.target, "/v1/payment_intents?customer=cus_1&limit=100");
  const auto next = stripe_payments(ten_dollars(), to, "sk", {noon, false, "pi_1"});
  EXPECT_EQ(next.target,
            "/v1/payment_intents?customer=cus_1&limit=100&created%5Bgte%5D=1767268800"
            "&starting_after=pi_1");
}

TEST(stripe_cancel, ends_a_payment) {
  const auto request = stripe_cancel("pi_1", address("https://api.stripe.com"), "sk");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/payment_intents/pi_1/cancel");
  EXPECT_EQ(request.body, "");
}

TEST(stripe_customer, asks_for_one) {
  auto order = ten_dollars();
  order.stripe_customer = "cus_1/x";
  const auto request = stripe_customer(order, address("https://api.stripe.com/"), "sk");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/v1/customers/cus_1%2Fx");
  EXPECT_EQ(field(request, "Authorization"), "Bearer sk");
}

TEST(stripe_search, asks_for_the_payments_of_one_top_up) {
  auto order = ten_dollars();
  order.top_up.id = "a\"b";
  const auto request = stripe_search(order, address("https://api.stripe.com"), "sk");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target,
            "/v1/payment_intents/search?query=metadata%5B%22tollgate_org%22%5D%3A%22acme%22%20AND"
            "%20metadata%5B%22tollgate_top_up%22%5D%3A%22a%5C%22b%22&limit=100");
  EXPECT_EQ(field(request, "Authorization"), "Bearer sk");
  EXPECT_EQ(field(request, "Idempotency-Key"), "(none)");
}

}  // namespace
}  // namespace tollgate::proxy::payments
