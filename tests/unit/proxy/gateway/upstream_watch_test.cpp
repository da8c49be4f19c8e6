// What the log says about upstreams that fail.
#include "proxy/gateway/upstream_watch.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

class the_watch : public testing::Test {
 protected:
  std::string fails(upstream_cause cause, error_code why = {}) {
    return watch.failed("up", {cause, why}, now);
  }
  std::string answers() {
    std::string line;
    known = watch.answered("up", now, line);
    return line;
  }

  upstream_watch watch;
  steady_time now{1h};
  bool known = false;
};

TEST_F(the_watch, says_once_that_an_upstream_fails_and_once_that_it_answers) {
  EXPECT_EQ(answers(), "");
  EXPECT_EQ(fails(upstream_cause::refused, asio::error::connection_refused),
            "upstream up fails: refused (Connection refused)");
  now += 1500ms;
  EXPECT_EQ(fails(upstream_cause::refused, asio::error::connection_refused), "");
  EXPECT_EQ(answers(), "upstream up answers again after 1.5 s, in which 2 calls failed");
  EXPECT_TRUE(known);
  EXPECT_EQ(answers(), "");
  EXPECT_TRUE(known);
}

TEST_F(the_watch, says_each_cause_once) {
  EXPECT_NE(fails(upstream_cause::refused), "");
  EXPECT_EQ(fails(upstream_cause::reset), "upstream up fails: reset");
  EXPECT_EQ(fails(upstream_cause::refused), "");
  EXPECT_EQ(fails(upstream_cause::reset), "");
  answers();
  EXPECT_NE(fails(upstream_cause::reset), "");
}

TEST_F(the_watch, keeps_upstreams_apart) {
  EXPECT_NE(fails(upstream_cause::refused), "");
  EXPECT_EQ(watch.failed("other", {upstream_cause::refused, {}}, now),
            "upstream other fails: refused");
}

TEST_F(the_watch, says_less_about_one_that_fails_now_and_then) {
  std::size_t lines = 0;
  for (int i = 0; i < 1000; ++i) {  // 100 seconds
    lines += fails(upstream_cause::reset).empty() ? 0 : 1;
    lines += answers().empty() ? 0 : 1;
    now += 100ms;
  }
  EXPECT_GE(lines, 10U);
  EXPECT_LE(lines, 20U);
  now += 1min;
  answers();
  EXPECT_TRUE(known) << "the last change is not forgotten";
}

}  // namespace
}  // namespace tollgate::proxy
