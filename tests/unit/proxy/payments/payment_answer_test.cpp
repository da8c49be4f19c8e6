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

}  // namespace
}  // namespace tollgate::proxy::payments
