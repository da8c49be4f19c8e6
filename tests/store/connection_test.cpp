// A connection as its owner sees it: what it tells, and when.
#include <boost/asio/post.hpp>

#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

class connection_test : public store_test {
 protected:
  connection_test() {
    options.on_state = [this](const store_state& now) { told.push_back(now); };
  }

  // A greeting that ends with the connection.
  task<result<void>> wait_for_nothing(connection& owner) {
    std::vector<std::string> command{"BLPOP", "nothing", "0"};
    const auto reply = co_await owner.call_now(std::move(command));
    has_failed = !reply;
    if (!reply) co_return reply.error();
    co_return result<void>{};
  }

  connection_options options;
  std::vector<store_state> told;
  bool has_failed = false;
};

// Otherwise an orderly end leaves a line about a store in trouble.
TEST_F(connection_test, a_stop_during_the_greeting_is_no_trouble) {
  connection greeting{context, here(), options, [this](connection& owner) {
                        asio::post(context, [&owner] { owner.stop(); });
                        return wait_for_nothing(owner);
                      }};
  greeting.start();
  context.restart();
  while (!has_failed) ASSERT_GT(context.run_one(), 0U);
  context.poll();
  EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace tollgate::quota::redis
