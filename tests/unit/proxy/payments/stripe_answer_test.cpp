// Every answer of Stripe's, and the action taken on it.
#include "proxy/payments/stripe_answer.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::payments {
namespace {

payment_order ten_dollars(std::int64_t generation = 0) {
  payment_order order;
  order.org = "acme";
  order.top_up.id = "pack-1";
  order.top_up.cents = 1'000;
  order.top_up.generation = generation;
  order.stripe_customer = "cus_1";
  return order;
}

outbound::reply reply(int status, std::string body, bool replayed = false) {
  return {status, std::move(body), replayed};
}

std::string text_of(const payment_answer& answer) {
  std::string text{name_of(answer.verdict)};
  if (answer.alarming) text += " alarming";
  if (answer.mismatch != payment_mismatch::none) text.append(" ").append(name_of(answer.mismatch));
  return text;
}

std::string text_of(const stripe_answer& got) {
  const char* const keys[] = {"", ", key doubtful", ", key spent"};
  return text_of(got.answer) + keys[static_cast<std::size_t>(got.key)];
}

// --- errors: status, type, whether Stripe remembers it -----------------------------------------

struct error_row {
  int status;
  const char* type;  // of the error; null: there is none; "<html>": the body is not JSON
  const char *fresh, *replayed;
};

TEST(read_stripe_payment, knows_what_each_error_means_for_the_key) {
  constexpr auto spent = "failed alarming, key spent", busy = "failed, key spent";
  for (const auto& row : {
           // The card was tried, and declined.
           error_row{402, "card_error", "declined", "declined"},
           // The request was wrong, and Stripe may keep the answer: repeating the same request
           // gives the same answer.
           error_row{400, "invalid_request_error", spent, spent},
           error_row{400, "card_error", spent, spent},
           error_row{400, "api_error", spent, spent},
           error_row{402, "invalid_request_error", spent, spent},
           error_row{404, "invalid_request_error", spent, spent},
           error_row{422, "invalid_request_error", spent, spent},
           error_row{424, "api_error", spent, spent},
           error_row{402, nullptr, spent, spent},
           // The request differs from the first one, which may still be in progress.
           error_row{400, "idempotency_error", "failed alarming, key doubtful", spent},
           // The secret key is wrong: the request was not processed.
           error_row{401, "invalid_request_error", "failed alarming", spent},
           error_row{403, "invalid_request_error", "failed alarming", spent},
           // Another request under the key, or too many of them.
           error_row{409, "idempotency_error", "failed", busy},
           error_row{409, "invalid_request_error", "failed", busy},
           error_row{429, "rate_limit_error", "failed", busy},
           error_row{408, "api_error", "failed", busy},
           error_row{425, "api_error", "failed", busy},
           // Something failed: before, during or after the payment.
           error_row{500, "api_error", "failed, key doubtful", busy},
           error_row{502, "api_error", "failed, key doubtful", busy},
           error_row{503, "api_error", "failed, key doubtful", busy},
           error_row{504, "api_error", "failed, key doubtful", busy},
           error_row{500, nullptr, "failed, key doubtful", busy},
           error_row{502, "<html>", "failed, key doubtful", busy},
           // Not an answer of Stripe's.
           error_row{301, nullptr, "failed alarming", "failed alarming"},
           error_row{307, "<html>", "failed alarming", spent},
           error_row{404, "<html>", "failed alarming", spent},
           error_row{200, "<html>", "failed alarming", spent},
           error_row{201, nullptr, "failed alarming", "failed alarming"},
       }) {
    std::string body = R"({"error":{)";
    if (row.type != nullptr) body.append(R"("type":")").append(row.type).append("\"");
    body += "}}";
    if (row.type == nullptr) {
      body = "{}";
    } else if (std::string_view{row.type} == "<html>") {
      body = row.type;
    }
    for (const bool replayed : {false, true}) {
      const auto got = read_stripe_payment(reply(row.status, body, replayed), ten_dollars());
      EXPECT_EQ(text_of(got), replayed ? row.replayed : row.fresh)
          << row.status << ' ' << body << (replayed ? " replayed" : "");
    }
  }
}

// --- payments: status, and whether a charge was tried ------------------------------------------

struct state_row {
  const char *status, *more, *answered, *found, *found_of_earlier_key;
};

TEST(read_stripe_payment, goes_by_the_payments_state) {
  constexpr auto nothing = "nothing", cancel = "cancel it";
  for (const auto& row : {
           state_row{"succeeded", "", "paid", "paid", "paid"},
           state_row{"processing", "", "pending", "pending", "pending"},
           state_row{"requires_action", "", "declined", "declined", cancel},
           state_row{"requires_payment_method", R"(,"last_payment_error":{"type":"card_error"})",
                     "declined", "declined", cancel},
           state_row{"requires_payment_method", "", "declined", "declined", cancel},
           // No charge was tried: there was no card.
           state_row{"requires_payment_method", R"(,"last_payment_error":null)",
                     "failed alarming, key spent", "spent alarming", cancel},
           state_row{"requires_confirmation", "", "failed alarming, key spent", "spent alarming",
                     cancel},
           state_row{"canceled", "", "declined", "declined", nothing},
           // Money that is authorized, but not captured: Tollgate never requests that.
           state_row{"requires_capture", "", "failed alarming", "failed alarming",
                     "failed alarming"},
           state_row{"of_tomorrow", "", "failed alarming", "failed alarming", "failed alarming"},
       }) {
    const auto intent = std::string{R"({"id":"pi_1","status":")"} + row.status + "\"" + row.more +
                        R"(,"amount":1000,"currency":"usd","metadata":)"
                        R"({"tollgate_org":"acme","tollgate_top_up":"pack-1"}})";
    for (const bool replayed : {false, true}) {
      EXPECT_EQ(text_of(read_stripe_payment(reply(200, intent, replayed), ten_dollars())),
                row.answered)
          << intent;
    }
    for (const std::int64_t generation : {0, 2}) {
      const auto order = ten_dollars(generation);
      found_payments found{order};
      bool fine = false;
      found.take(*read_object(R"({"data":[)" + intent + "]}"), fine);
      ASSERT_TRUE(fine && found.any());
      const auto verdict = found.verdict();
      const auto text = verdict ? text_of(*verdict) : found.to_cancel().empty() ? nothing : cancel;
      EXPECT_EQ(text, generation == 0 ? row.found : row.found_of_earlier_key) << intent;
    }
  }
}

TEST(read_stripe_payment, compares_the_payment_with_what_was_asked_for) {
  for (const auto& [more, expected] : std::vector<std::pair<std::string, std::string>>{
           {"", "paid"},  // not given
           {R"(,"amount":1000,"amount_received":1000,"currency":"usd","metadata":)"
            R"({"tollgate_org":"acme","tollgate_top_up":"pack-1","order":"7"})",
            "paid"},
           {R"(,"amount":999)", "failed alarming amount"},
           {R"(,"amount":1001)", "failed alarming amount"},
           {R"(,"amount":"1000")", "failed alarming amount"},
           {R"(,"amount":1000.5)", "failed alarming amount"},
           {R"(,"amount":1000,"amount_received":500)", "failed alarming amount"},
           {R"(,"amount":1000,"currency":"eur")", "failed alarming currency"},
           {R"(,"amount":1000,"currency":"USD")", "failed alarming currency"},
           {R"(,"metadata":{})", "failed alarming metadata"},
           {R"(,"metadata":{"tollgate_org":"acme","tollgate_top_up":"pack-2"})",
            "failed alarming metadata"},
           {R"(,"metadata":{"tollgate_org":"acne","tollgate_top_up":"pack-1"})",
            "failed alarming metadata"},
       }) {
    const auto body = R"({"id":"pi_1","status":"succeeded")" + more + "}";
    EXPECT_EQ(text_of(read_stripe_payment(reply(200, body), ten_dollars())), expected) << body;
  }
  // Nothing has been received yet.
  EXPECT_EQ(text_of(read_stripe_payment(
                reply(200, R"({"status":"processing","amount":1000,"amount_received":0})"),
                ten_dollars())),
            "pending");
}

TEST(read_stripe_payment, says_why_without_repeating_what_may_be_harmful) {
  const auto got = read_stripe_payment(
      reply(402, R"({"error":{"type":"card_error","code":"card_declined","decline_code":"a\nb"}})"),
      ten_dollars());
  EXPECT_EQ(got.answer.why, R"(it answered 402 "card_error" "card_declined" "a?b")");
}

// --- searches ----------------------------------------------------------------------------------

std::string intent(std::string id, std::string status, std::string generation = "") {
  auto text = R"({"id":")" + id + R"(","status":")" + status +
              R"(","metadata":{"tollgate_org":"acme","tollgate_top_up":"pack-1")";
  if (!generation.empty()) text += R"(,"tollgate_key":")" + generation + "\"";
  return text + "}}";
}

struct look {
  explicit look(std::int64_t generation = 0) : order{ten_dollars(generation)} {}
  std::string take(std::string page) { return found.take(read_object(page).value(), fine); }
  std::string verdict() {
    const auto known = found.verdict();
    return known ? text_of(*known) : "nothing";
  }
  payment_order order;
  found_payments found{order};
  bool fine = true;
};

TEST(found_payments, go_on_after_the_last_of_a_page) {
  look many;
  EXPECT_EQ(many.take(R"({"data":[{"id":"pi_9"},{"id":"pi_8"}],"has_more":true})"), "pi_8");
  EXPECT_FALSE(many.found.any());
  EXPECT_EQ(many.take(R"({"data":[)" + intent("pi_7", "succeeded") + R"(],"has_more":false})"), "");
  EXPECT_EQ(many.verdict(), "paid");
  EXPECT_EQ(look{}.take(R"({"data":[],"has_more":true})"), "");
}

TEST(found_payments, take_no_other_answer_for_a_page) {
  for (const char* page : {"{}", R"({"data":{}})", R"({"error":{}})"}) {
    look odd;
    odd.take(page);
    EXPECT_FALSE(odd.fine) << page;
  }
}

TEST(found_payments, are_those_of_the_top_up) {
  look others;
  others.take(R"({"data":[{"id":"pi_1","status":"succeeded"},)"
              R"({"id":"pi_2","status":"succeeded","metadata":{}},)"
              R"({"id":"pi_3","status":"succeeded","metadata":{"tollgate_org":"acme"}},)"
              R"({"id":"pi_4","status":"succeeded","metadata":)"
              R"({"tollgate_org":"acme","tollgate_top_up":"pack-11"}}]})");
  EXPECT_FALSE(others.found.any());
  EXPECT_EQ(others.verdict(), "nothing");
}

TEST(found_payments, the_one_that_took_the_money_counts) {
  for (const auto& [statuses, expected] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"canceled", "succeeded"}, "paid"},
           {{"succeeded", "processing"}, "paid"},
           {{"processing", "canceled"}, "pending"},
           {{"requires_capture", "processing"}, "pending"},
           {{"canceled", "requires_capture"}, "failed alarming"},
           {{"requires_confirmation", "requires_action"}, "declined"},
           {{"requires_confirmation"}, "spent alarming"},
       }) {
    look several;
    std::string list;
    for (const auto& status : statuses) {
      list += (list.empty() ? "" : ",") + intent("pi_" + std::to_string(list.size()), status);
    }
    several.take(R"({"data":[)" + list + "]}");
    EXPECT_EQ(several.verdict(), expected) << list;
  }
}

TEST(found_payments, two_that_took_money_are_told) {
  look twice{1};
  twice.take(R"({"data":[)" + intent("pi_1", "succeeded") + "," + intent("pi_2", "succeeded", "1") +
             "," + intent("pi_1", "succeeded") + "]}");
  EXPECT_EQ(twice.verdict(), "paid alarming paid_twice");
  EXPECT_NE(twice.found.verdict()->why.find("\"pi_2\""), std::string::npos);
  look once;
  once.take(R"({"data":[)" + intent("pi_1", "succeeded") + "," + intent("pi_1", "succeeded") +
            "]}");
  EXPECT_EQ(once.verdict(), "paid");
}

TEST(found_payments, of_earlier_keys_are_canceled_and_those_of_this_one_count) {
  look later{2};
  later.take(R"({"data":[)" + intent("pi_3", "requires_action", "2") + "," +
             intent("pi_2", "requires_action", "1") + "," + intent("pi_1", "canceled") + "]}");
  EXPECT_EQ(later.verdict(), "declined");
  EXPECT_EQ(later.found.to_cancel(), std::vector<std::string>{"pi_2"});
}

// --- customers ---------------------------------------------------------------------------------

TEST(read_stripe_customer, finds_the_default_method) {
  EXPECT_EQ(read_stripe_customer(reply(
                200, R"({"id":"cus_1","invoice_settings":{"default_payment_method":"pm_1"}})")),
            "pm_1");
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {200, R"({"invoice_settings":{"default_payment_method":null}})"},
           {200, R"({"id":"cus_1","deleted":true})"},
           {200, "odd"},
           {401, R"({"error":{}})"},
           {403, ""},
           {404, ""},
       }) {
    EXPECT_EQ(read_stripe_customer(reply(status, body)), "") << status << " " << body;
  }
  for (const int status : {409, 429, 500, 503}) {
    EXPECT_FALSE(read_stripe_customer(reply(status, "")));
  }
}

}  // namespace
}  // namespace tollgate::proxy::payments
