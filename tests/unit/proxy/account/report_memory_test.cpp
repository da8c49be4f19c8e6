#include "proxy/account/report_memory.hpp"

#include <new>

#include <gtest/gtest.h>

#include "tests/support/run_task.hpp"

namespace tollgate::proxy::admin {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;

class report_memory_test : public testing::Test {
 protected:
  static task<api_response> report(std::size_t bytes) {
    co_return success(std::string(bytes, '1'));
  }
  task<api_response> looking(std::uint64_t& seen) {
    seen = budget.bodies();
    co_return success("1");
  }
  static task<api_response> too_large() {
    throw std::bad_alloc{};
    co_return success("1");
  }
  api_response run(task<api_response> what, const char* org = "acme") {
    return tests::run_task(bound_report(memory, org, "request", std::move(what)));
  }
  static void expect_refusal(const api_response& answer) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.body.find("\"overloaded\""), std::string::npos) << answer.body;
    ASSERT_FALSE(answer.headers.empty());
    EXPECT_EQ(answer.headers.at(0).first, "Retry-After");
  }

  memory_budget budget{32 * mib};
  report_memory memory{budget};
};

TEST_F(report_memory_test, a_page_is_taken_while_it_is_read) {
  std::uint64_t seen = 0;
  EXPECT_EQ(run(looking(seen)).status, 200);
  EXPECT_EQ(seen, mib / 4);
  EXPECT_EQ(budget.bodies(), 0u);
}

TEST_F(report_memory_test, the_text_counts_until_the_client_has_it) {
  {
    const auto answer = run(report(3 * mib));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(budget.bodies(), answer.body.size());
  }
  EXPECT_EQ(budget.bodies(), 0u);
}

TEST_F(report_memory_test, one_organization_has_a_quarter) {
  const auto first = run(report(3 * mib)), second = run(report(3 * mib));
  expect_refusal(run(report(3 * mib)));
  EXPECT_EQ(run(report(3 * mib), "other").status, 200);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(second.status, 200);
}

TEST_F(report_memory_test, is_refused_while_others_use_all_of_it) {
  ASSERT_TRUE(budget.take_body(32 * mib - 1000));
  expect_refusal(run(report(10)));
  budget.give_back_body(32 * mib - 1000);
  EXPECT_EQ(run(report(10)).status, 200);
  EXPECT_EQ(budget.bodies(), 0u);
}

// Whatever was not counted.
TEST_F(report_memory_test, without_memory_in_the_process_there_is_an_answer) {
  expect_refusal(run(too_large()));
  EXPECT_EQ(budget.bodies(), 0u);
}

TEST_F(report_memory_test, a_small_machine_has_small_pages) {
  budget.set_total(mib);
  EXPECT_EQ(memory.a_page(), mib / 4 / 32);
}

}  // namespace
}  // namespace tollgate::proxy::admin
