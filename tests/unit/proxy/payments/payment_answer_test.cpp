#include "proxy/payments/payment_answer.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::payments {
namespace {

struct row {
  int status;
  std::string_view body, verdict;
  bool alarming = false;
};

std::string text_of(const payment_answer& answer) {
  return std::string{name_of(answer.verdict)} + (answer.alarming ? " alarming" : "");
}
std::string text_of(const row& row) {
  return std::string{row.verdict} + (row.alarming ? " alarming" : "");
}

TEST(read_webhook_answer, believes_what_is_said_in_as_many_words) {
  for (const auto& row : {
           row{200, R"({"status":"paid"})", "paid"},
           row{201, R"({"status":"declined","reason":"no"})", "declined"},
           row{202, R"({"status":"pending"})", "pending"},
           row{200, R"({"success":true,"data":{"status":"paid"}})", "paid"},
           row{200, R"({"status":"ok","success":true,"data":{"status":"pending"}})", "pending"},
           row{402, "", "declined"},
           row{402, R"({"status":"paid"})", "declined"},
       }) {
    EXPECT_EQ(text_of(read_webhook_answer(row.status, row.body)), text_of(row))
        << row.status << " " << row.body;
  }
}

TEST(read_webhook_answer, takes_anything_else_for_no_answer) {
  for (const auto& row : {
           row{200, "", "failed", true},
           row{204, "", "failed", true},
           row{200, "paid", "failed", true},
           row{200, R"("paid")", "failed", true},
           row{200, R"({})", "failed", true},
           row{200, R"({"status":"PAID"})", "failed", true},
           row{200, R"({"status":true})", "failed", true},
           row{200, R"({"status":"paid")", "failed", true},
           row{200, R"({"status":"paid","status":"declined"})", "failed", true},
           row{200, R"({"data":{"status":"paid"}})", "failed", true},
           row{200, R"({"success":false,"data":{"status":"paid"}})", "failed", true},
           row{200, R"({"success":"true","status":"paid"})", "failed", true},
           row{200, R"({"status":"paid","success":true,"data":{"status":"declined"}})", "failed",
               true},
           row{301, R"({"status":"paid"})", "failed", true},
           row{307, "", "failed", true},
           row{400, R"({"status":"declined"})", "failed", true},
           row{401, "", "failed", true},
           row{404, "", "failed", true},
           row{410, "", "failed", true},
           row{408, "", "failed"},
           row{409, "", "failed"},
           row{429, "", "failed"},
           row{500, R"({"status":"paid"})", "failed"},
           row{503, "", "failed"},
           row{100, "", "failed", true},
       }) {
    EXPECT_EQ(text_of(read_webhook_answer(row.status, row.body)), text_of(row))
        << row.status << " " << row.body;
  }
}

TEST(read_stripe_answer, goes_by_the_payments_status) {
  for (const auto& row : {
           row{200, R"({"object":"payment_intent","id":"pi_1","status":"succeeded"})", "paid"},
           row{200, R"({"id":"pi_1","status":"processing"})", "pending"},
           row{200, R"({"id":"pi_1","status":"requires_action"})", "declined"},
           row{200, R"({"id":"pi_1","status":"requires_payment_method"})", "declined"},
           row{200, R"({"id":"pi_1","status":"canceled"})", "declined"},
           row{200, R"({"id":"pi_1","status":"requires_capture"})", "failed", true},
           row{200, R"({"id":"pi_1"})", "failed", true},
           row{200, "", "failed", true},
       }) {
    EXPECT_EQ(text_of(read_stripe_answer(row.status, row.body)), text_of(row)) << row.body;
  }
}

TEST(read_stripe_answer, knows_a_declined_card_from_a_mistake) {
  for (const auto& row : {
           row{402, R"({"error":{"type":"card_error","code":"card_declined"}})", "declined"},
           row{402, R"({"error":{"type":"invalid_request_error"}})", "failed", true},
           row{400, R"({"error":{"type":"idempotency_error"}})", "failed", true},
           row{400, R"({"error":{"type":"card_error"}})", "failed", true},
           row{401, R"({"error":{"type":"invalid_request_error"}})", "failed", true},
           row{403, R"({"error":{"message":"no"}})", "failed", true},
           row{402, "", "failed", true},
           row{409, R"({"error":{"type":"idempotency_error"}})", "failed"},
           row{429, R"({"error":{"type":"rate_limit_error"}})", "failed"},
           row{500, R"({"error":{"type":"api_error"}})", "failed"},
           row{502, "<html>", "failed"},
       }) {
    EXPECT_EQ(text_of(read_stripe_answer(row.status, row.body)), text_of(row))
        << row.status << " " << row.body;
  }
}

TEST(read_stripe_answer, says_why_without_repeating_what_may_be_harmful) {
  const auto answer = read_stripe_answer(
      402, R"({"error":{"type":"card_error","code":"card_declined","decline_code":"a\nb"}})");
  EXPECT_EQ(answer.why, R"(it answered 402 "card_error" "card_declined" "a?b")");
}

TEST(read_stripe_customer, finds_the_default_method) {
  EXPECT_EQ(read_stripe_customer(
                200, R"({"id":"cus_1","invoice_settings":{"default_payment_method":"pm_1"}})"),
            "pm_1");
  for (const auto& row : {
           row{200, R"({"invoice_settings":{"default_payment_method":null}})", ""},
           row{200, R"({"id":"cus_1","deleted":true})", ""},
           row{200, "odd", ""},
           row{401, R"({"error":{}})", ""},
           row{403, "", ""},
           row{404, "", ""},
       }) {
    EXPECT_EQ(read_stripe_customer(row.status, row.body), "") << row.status << " " << row.body;
  }
  for (const int status : {409, 429, 500, 503}) EXPECT_FALSE(read_stripe_customer(status, ""));
}

TEST(is_stripe_key_reused, is_what_stripe_calls_it) {
  constexpr std::string_view reused = R"({"error":{"type":"idempotency_error"}})";
  EXPECT_TRUE(is_stripe_key_reused(400, reused));
  EXPECT_FALSE(is_stripe_key_reused(409, reused));  // the first one is still under way
  EXPECT_FALSE(is_stripe_key_reused(400, R"({"error":{"type":"invalid_request_error"}})"));
  EXPECT_FALSE(is_stripe_key_reused(400, ""));
}

TEST(read_stripe_search, finds_nothing_where_nothing_was_paid) {
  EXPECT_FALSE(read_stripe_search(200, R"({"object":"search_result","data":[]})"));
}

TEST(read_stripe_search, takes_the_one_that_took_the_money) {
  for (const auto& row : {
           row{200, R"({"data":[{"status":"canceled"},{"status":"succeeded"}]})", "paid"},
           row{200, R"({"data":[{"status":"processing"},{"status":"canceled"}]})", "pending"},
           row{200, R"({"data":[{"status":"requires_payment_method"}]})", "declined"},
           row{200, R"({"data":[{"status":"canceled"},{"status":"odd"}]})", "failed", true},
           row{200, R"({"data":{}})", "failed", true},
           row{400, R"({"error":{}})", "failed", true},
           row{500, "", "failed"},
       }) {
    const auto answer = read_stripe_search(row.status, row.body);
    ASSERT_TRUE(answer) << row.body;
    EXPECT_EQ(text_of(*answer), text_of(row)) << row.body;
  }
}

}  // namespace
}  // namespace tollgate::proxy::payments
