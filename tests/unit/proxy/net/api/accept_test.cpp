#include "proxy/net/api/accept.hpp"

#include <gtest/gtest.h>

#include "proxy/account/reading.hpp"

namespace tollgate::proxy::admin {
namespace {

// For an answer available as JSON, CSV or plain text.
std::string chosen(std::string_view accept) {
  constexpr const char* names[] = {"json", "csv", "text"};
  return names[best_of(accept, {"application/json", "text/csv", "text/plain"})];
}

TEST(accept, json_is_what_nobody_asks_for) {
  for (const auto* accept : {"", "*/*", "application/json", "application/*", "image/png", ",",
                             "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}) {
    EXPECT_EQ(chosen(accept), "json") << accept;
  }
}

TEST(accept, the_name_of_a_type_is_read_in_any_case) {
  EXPECT_EQ(chosen("text/csv"), "csv");
  EXPECT_EQ(chosen("TEXT/CSV"), "csv");
  EXPECT_EQ(chosen("text/csv; charset=utf-8"), "csv");
  EXPECT_EQ(chosen("text/plain"), "text");
  EXPECT_EQ(chosen("TEXT/*"), "csv");
  EXPECT_EQ(chosen("text/csvx"), "json");
  EXPECT_EQ(chosen("xtext/csv"), "json");
}

TEST(accept, weights_decide) {
  EXPECT_EQ(chosen("text/csv;q=0"), "json");
  EXPECT_EQ(chosen("text/csv;q=0.000"), "json");
  EXPECT_EQ(chosen("text/csv;q=0.5, application/json"), "json");
  EXPECT_EQ(chosen("application/json;q=0.5, text/csv"), "csv");
  EXPECT_EQ(chosen("application/json;q=0.998,text/csv ; Q=0.999"), "csv");
  EXPECT_EQ(chosen("text/csv;q=0.001"), "csv");
  EXPECT_EQ(chosen("text/*;q=0.5, text/csv;q=0, application/json;q=0.1"), "text");
  EXPECT_EQ(chosen("*/*, application/json;q=0"), "csv");
  EXPECT_EQ(chosen("*/*;q=0"), "json") << "rather this than nothing";
}

TEST(accept, of_two_alike_the_one_that_is_named_comes_first_and_then_json) {
  EXPECT_EQ(chosen("text/csv, */*"), "csv");
  EXPECT_EQ(chosen("*/*, text/plain"), "text");
  EXPECT_EQ(chosen("text/csv, application/json"), "json");
  EXPECT_EQ(chosen("text/csv, application/*"), "csv");
}

TEST(accept, what_is_malformed_does_not_count) {
  for (const auto* accept :
       {"text/csv;q=2", "text/csv;q=-1", "text/csv;q=0.1234", "text/csv;q=", "text/csv;q=1.001",
        "text/csv;q=.5", "text", "csv", ";;;", "text/", "image/png;a=\"text/csv, text/csv\"",
        "image/png;a=\"\\\", text/csv", "\"\\"}) {
    EXPECT_EQ(chosen(accept), "json") << accept;
  }
  EXPECT_EQ(chosen("text/csv;a=\"x;q=0\";q=1, application/json;q=0.9"), "csv");
}

TEST(accept, nobody_is_read_for_ever) {
  std::string accept;
  for (int i = 0; i < 10'000; ++i) accept += "a/b,";
  EXPECT_EQ(chosen(accept + "text/csv"), "json");
}

TEST(accept, answers_ask_it) {
  api_request request;
  request.accept = "application/json;q=0.2, text/csv;q=0.3";
  EXPECT_TRUE(wants_csv(request));
  request.accept = "text/csv;q=0";
  EXPECT_FALSE(wants_csv(request));
}

}  // namespace
}  // namespace tollgate::proxy::admin
