// Attempts to connect to several addresses, played by a test.
#include "proxy/net/connection_race.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

// An address that answers when the test says so.
struct played_address {
  bool begun = false, closed = false;
  std::optional<error_code> answer;
  std::function<void()> accepted;
  wake_up changed;

  void answers(error_code ec) {
    answer = ec;
    changed.notify();
  }
};

class played_attempt final : public connection_attempt {
 public:
  explicit played_attempt(played_address& of) : of_{of} {}
  task<error_code> connect(std::function<void()> accepted) override {
    of_.begun = true;
    of_.accepted = std::move(accepted);
    while (!of_.answer) co_await of_.changed.wait();
    co_return *of_.answer;
  }
  void close() override {
    of_.closed = true;
    of_.answers(asio::error::operation_aborted);
  }

 private:
  played_address& of_;
};

class a_race : public testing::Test {
 protected:
  void begin(std::size_t addresses) {
    std::vector<std::unique_ptr<connection_attempt>> attempts;
    for (std::size_t i = 0; i < addresses; ++i) {
      played.push_back(std::make_unique<played_address>());
      attempts.push_back(std::make_unique<played_attempt>(*played.back()));
    }
    race = std::make_shared<connection_race>(context.get_executor(), std::move(attempts));
    asio::co_spawn(context, race->run(),
                   [this](std::exception_ptr, result<std::size_t> won) { end = won; });
    context.poll();
  }
  bool has_begun(std::size_t index) { return played[index]->begun; }
  // Runs until `index` has begun.
  void wait_for(std::size_t index) {
    context.restart();
    while (!has_begun(index) && context.run_one_for(20s) > 0) {
    }
  }
  void answer(std::size_t index, error_code ec) {
    played[index]->answers(ec);
    context.restart();
    context.poll();
  }

  asio::io_context context;
  std::vector<std::unique_ptr<played_address>> played;
  std::shared_ptr<connection_race> race;
  std::optional<result<std::size_t>> end;
};

const error_code refused = asio::error::connection_refused, late = asio::error::timed_out;

TEST_F(a_race, is_over_when_the_first_answers) {
  begin(3);
  answer(0, {});
  EXPECT_EQ(end->value(), 0U);
  EXPECT_FALSE(has_begun(1));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(race->did_not_answer(i));
}

TEST_F(a_race, begins_the_next_at_once_when_one_fails) {
  begin(3);
  answer(0, refused);
  EXPECT_TRUE(has_begun(1));
  EXPECT_FALSE(has_begun(2));
  answer(1, {});
  EXPECT_EQ(end->value(), 1U);
  EXPECT_TRUE(race->did_not_answer(0));
  EXPECT_FALSE(race->did_not_answer(2));
}

TEST_F(a_race, begins_the_next_beside_one_that_is_silent) {
  begin(3);
  const auto began = std::chrono::steady_clock::now();
  wait_for(1);
  EXPECT_GE(std::chrono::steady_clock::now() - began, connection_race::delay);
  EXPECT_FALSE(end.has_value());
  answer(1, {});
  EXPECT_EQ(end->value(), 1U);
  EXPECT_TRUE(played[0]->closed);
  EXPECT_TRUE(race->did_not_answer(0));
}

TEST_F(a_race, may_be_won_by_a_slow_one) {
  begin(2);
  wait_for(1);
  answer(0, {});
  EXPECT_EQ(end->value(), 0U);
  EXPECT_TRUE(played[1]->closed);
  EXPECT_FALSE(race->did_not_answer(1)) << "it had less time";
}

TEST_F(a_race, waits_longer_for_a_handshake) {
  begin(2);
  played[0]->accepted();
  const auto began = std::chrono::steady_clock::now();
  wait_for(1);
  EXPECT_GE(std::chrono::steady_clock::now() - began, connection_race::handshake_delay);
}

TEST_F(a_race, that_nobody_wins_says_why) {
  begin(3);
  answer(0, asio::error::network_unreachable);
  answer(1, refused);
  EXPECT_FALSE(end.has_value());
  answer(2, late);
  EXPECT_EQ(end->error(), refused);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(race->did_not_answer(i));
}

TEST_F(a_race, with_one_address_is_none) {
  begin(1);
  answer(0, late);
  EXPECT_EQ(end->error(), late);
  EXPECT_TRUE(race->did_not_answer(0));
}

TEST_F(a_race, without_addresses_is_lost) {
  begin(0);
  EXPECT_EQ(end->error(), asio::error::host_not_found);
}

}  // namespace
}  // namespace tollgate::proxy
