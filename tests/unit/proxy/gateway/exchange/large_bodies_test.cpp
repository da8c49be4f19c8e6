// Bodies that are kept in memory to price a call: who may send them, and how much there is of them.
#include "tests/support/deflate.hpp"
#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/routes/meters/movies.hpp"

namespace tollgate::proxy {
namespace {

constexpr std::uint64_t one_mib = 1024 * 1024;

// The budget of the process while a test runs.
class budget_of {
 public:
  explicit budget_of(std::uint64_t total) { memory_budget::shared().set_total(total); }
  ~budget_of() { memory_budget::shared().set_total(memory_budget::unlimited); }
};

class a_large_body : public conversation {
 protected:
  static std::string beginning(std::size_t announced, const std::string& key = "tg_live_acme",
                               const std::string& path = "/v1/chat/completions") {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(announced) +
           "\r\n\r\n";
  }
  static std::string chat_of(std::size_t size, const std::string& model = "gpt-4o") {
    std::string body = R"({"model":")" + model + R"(","x":")";
    return body.append(size - body.size() - 2, 'x').append("\"}");
  }
  void expect_refusal(const std::string& status, const std::string& code) {
    const auto got = answer();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + status)) << got;
    EXPECT_NE(got.find("\"code\":\"" + code + "\""), std::string::npos) << got;
    EXPECT_EQ(memory_budget::shared().bodies(), 0U);
  }
};

TEST_F(a_large_body, of_a_caller_without_credits_is_not_read) {
  add_customer("poor", "tg_live_poor", {});
  ask(beginning(8 * one_mib, "tg_live_poor") + std::string(100, ' '));
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 402")) << got;
  EXPECT_NE(got.find("This call needs at least 10 credits and 0 are available"), std::string::npos)
      << got;
  EXPECT_NE(got.find("Connection: close"), std::string::npos);
  EXPECT_EQ(last().code, "insufficient_credits");
  EXPECT_EQ(host->charges().pending(), 0U);
  EXPECT_TRUE(store.account("poor").entries().empty());
}

TEST_F(a_large_body, without_a_length_is_read_only_as_far_as_a_small_one) {
  add_customer("poor", "tg_live_poor", 9_credits);
  ask("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_poor\r\n"
      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answer(), "");
    ask("2000\r\n" + std::string(0x2000, ' ') + "\r\n");
  }
  expect_refusal("402", "insufficient_credits");
}

TEST_F(a_large_body, of_a_suspended_organization_is_not_read) {
  quota::organization_change change;
  change.suspended = true;
  tests::run_task(store.change("acme", change));
  ask(beginning(8 * one_mib));
  expect_refusal("403", "org_suspended");
}

TEST_F(a_large_body, is_not_asked_for_with_100_continue_either) {
  add_customer("poor", "tg_live_poor", {});
  auto head = beginning(8 * one_mib, "tg_live_poor");
  head.insert(head.size() - 2, "Expect: 100-continue\r\n");
  ask(head);
  expect_refusal("402", "insufficient_credits");
}

TEST_F(a_large_body, of_a_caller_who_can_pay_is_read_and_priced) {
  host->deadlines().tick(steady_time{1h});
  const auto up = expect_connection();
  const auto body = chat_of(100'000);
  ask(beginning(body.size()) + body.substr(0, 40'000));
  EXPECT_EQ(store.spendable_asked, 1);
  EXPECT_GE(memory_budget::shared().bodies(), 40'000U);
  ask(body.substr(40'000));
  EXPECT_NE(up->received().find(body), std::string::npos);
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
  EXPECT_EQ(memory_budget::shared().bodies(), 0U);
  ask(beginning(body.size()) + body);
  EXPECT_EQ(store.spendable_asked, 1);  // it was seen to have enough a moment ago
}

TEST_F(a_large_body, that_is_small_costs_the_store_nothing) {
  const auto up = expect_connection();
  const auto body = chat_of(16'000);
  ask(beginning(body.size()) + body);
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
  EXPECT_EQ(store.spendable_asked, 0);
  EXPECT_EQ(memory_budget::shared().bodies(), 0U);
}

TEST_F(a_large_body, is_read_where_the_call_may_be_critical) {
  use(test_configuration.substr(0, test_configuration.find("routes:")) + R"(
routes:
  - { name: vital, match: { path: /v1/**, json: { model: vital } }, upstream: up, action: llm,
      rate: gpt-4, critical: true }
  - { name: chat, match: { path: /v1/**, json: { model: "*" } }, upstream: up, action: llm,
      rate: gpt-4 }
)");
  add_customer("poor", "tg_live_poor", {});
  const auto up = expect_connection();
  const auto body = chat_of(100'000, "vital");
  ask(beginning(body.size(), "tg_live_poor") + body);
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
}

TEST_F(a_large_body, is_read_in_shadow_mode_and_for_use_beyond_the_balance) {
  quota::organization_change change;
  change.shadow = true;
  change.suspended = true;
  add_customer("watched", "tg_live_watched", {});
  tests::run_task(store.change("watched", change));
  auto up = expect_connection();
  const auto body = chat_of(100'000);
  ask(beginning(body.size(), "tg_live_watched") + body);
  up->send(ok("one"));
  run();
  EXPECT_TRUE(answer().ends_with("one"));

  add_customer("over", "tg_live_over", {});
  const quota::plan_terms terms{"starter", {}, 0, 0, 20'000, 1'000, 0, 0};
  quota::account_options options;
  options.overage = true;
  const quota::operation configure = quota::configure{terms, true, options, 0};
  tests::run_task(store.apply("over", configure));
  ask(beginning(body.size(), "tg_live_over") + body);
  up->send(ok("two"));
  run();
  EXPECT_TRUE(answer().ends_with("two"));
}

// The read of the account is older than the grant: the ledger decides.
TEST_F(a_large_body, is_read_if_credits_came_meanwhile) {
  add_customer("poor", "tg_live_poor", {});
  const auto up = expect_connection();
  const auto body = chat_of(100'000);
  store.after_spendable = [&] {
    const quota::operation grant = quota::grant{"late", 10_credits, "purchase", {}};
    tests::run_task(store.apply("poor", grant));
  };
  ask(beginning(body.size(), "tg_live_poor") + body);
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available("poor"), 0_credits);
}

TEST_F(a_large_body, of_an_upload_is_not_read_for_a_caller_without_credits) {
  add_customer("poor", "tg_live_poor", {});
  ask(beginning(8 * one_mib, "tg_live_poor", "/v1/audio/transcriptions"));
  expect_refusal("402", "insufficient_credits");
}

TEST_F(a_large_body, waits_its_turn_while_others_of_its_organization_use_its_share) {
  const budget_of all{4 * one_mib};
  ASSERT_EQ(memory_budget::shared().take_share("acme", one_mib - 1000, 0), memory_outcome::taken);
  const auto body = chat_of(500'000);
  ask(beginning(body.size()) + body);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503")) << got;
  EXPECT_NE(got.find("\"code\":\"overloaded\""), std::string::npos) << got;
  EXPECT_NE(got.find("Retry-After: 1\r\n"), std::string::npos) << got;
  memory_budget::shared().give_back_share("acme", one_mib - 1000);
  EXPECT_EQ(memory_budget::shared().bodies(), 0U);
}

// It is small as it comes, and large when it is read.
TEST_F(a_large_body, that_came_compressed_is_decoded_within_the_same_budget) {
  const auto body = tests::deflated(chat_of(900'000));
  auto head = beginning(body.size());
  head.insert(head.size() - 2, "Content-Encoding: gzip\r\n");
  const auto up = expect_connection();
  {
    const budget_of all{one_mib};
    ask(head + body);
    expect_refusal("503", "overloaded");
  }
  ask(head + body);
  EXPECT_NE(up->received().find(body), std::string::npos);
  EXPECT_EQ(memory_budget::shared().bodies(), 0U);
}

// Many small bodies of one organization must not take the memory of all others.
TEST_F(a_large_body, or_a_small_one_waits_its_turn_once_half_of_the_memory_is_used) {
  add_customer("other", "tg_live_other", 100_credits);
  const budget_of all{4 * one_mib};
  auto& memory = memory_budget::shared();
  const auto body = chat_of(16'000);
  ASSERT_EQ(memory.take_share("acme", one_mib - 1000, 0), memory_outcome::taken);
  auto up = expect_connection();
  ask(beginning(body.size()) + body);
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
  ASSERT_TRUE(memory.take_body(2 * one_mib));
  ask(beginning(body.size(), "tg_live_other") + body);
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
  ask(beginning(body.size()) + body);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503")) << got;
  memory.give_back_body(2 * one_mib);
  memory.give_back_share("acme", one_mib - 1000);
  EXPECT_EQ(memory.bodies(), 0U);
}

TEST_F(a_large_body, that_never_has_room_is_too_large) {
  const budget_of all{4 * one_mib};
  const auto body = chat_of(2 * one_mib);
  ask(beginning(body.size()) + body);
  expect_refusal("413", "body_too_large");
}

TEST_F(a_large_body, is_not_parsed_without_the_memory_for_it) {
  const budget_of all{4 * one_mib};
  std::string body = R"({"model":"gpt-4o","x":[1)";
  while (body.size() < 900'000) body += ",1";
  body += "]}";
  ask(beginning(body.size()) + body);
  expect_refusal("503", "overloaded");
}

// The index of an MP4 is kept until its samples have come.
TEST_F(a_large_body, of_an_upload_counts_with_its_index) {
  const budget_of all{one_mib};
  const auto movie = routes::meters::index_first(routes::meters::movie::of(20'000, 1024, 214));
  std::string spread = movie;  // another size for each sample: the index cannot be packed
  const auto sizes = spread.find("stsz") + 16;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    spread.replace(sizes + 4 * std::size_t{i}, 4, routes::meters::u32(213 + i % 3));
  }
  auto head = beginning(spread.size(), "tg_live_acme", "/v1/audio/transcriptions");
  head.replace(head.find("application/json"), 16, "audio/mp4");
  ask(head + spread.substr(0, 90'000));
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503")) << got;
  EXPECT_NE(got.find("index of this upload"), std::string::npos) << got;
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

}  // namespace
}  // namespace tollgate::proxy
