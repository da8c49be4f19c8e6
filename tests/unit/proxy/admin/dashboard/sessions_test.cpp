#include "proxy/admin/dashboard/sessions.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::dashboard {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class sessions_test : public testing::Test {
 protected:
  std::string begin(std::string credential = "key") {
    session who;
    who.org = "acme";
    who.credential = std::move(credential);
    return sessions_.begin(who, now_);
  }
  bool lives(const std::string& id) { return sessions_.find(id, now_) != nullptr; }

  session_store sessions_;
  steady_time now_{hours{100}};
};

TEST_F(sessions_test, ids_are_long_and_never_the_same) {
  const auto one = begin(), other = begin();
  EXPECT_EQ(one.size(), 64u);
  EXPECT_NE(one, other);
  EXPECT_TRUE(lives(one));
  EXPECT_EQ(sessions_.find(one, now_)->org, "acme");
  EXPECT_FALSE(lives(std::string(64, '0')));
  EXPECT_FALSE(lives(""));
  EXPECT_FALSE(lives(quota::hash_key(one))) << "what is kept is not what is shown";
}

TEST_F(sessions_test, end_when_told) {
  const auto one = begin(), other = begin();
  sessions_.end(one);
  sessions_.end(one);
  EXPECT_FALSE(lives(one));
  EXPECT_TRUE(lives(other));
}

TEST_F(sessions_test, end_when_idle) {
  const auto id = begin();
  now_ += minutes{59};
  EXPECT_TRUE(lives(id)) << "and starts another hour";
  now_ += minutes{59};
  EXPECT_TRUE(lives(id));
  now_ += hours{1};
  EXPECT_FALSE(lives(id));
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(sessions_test, become_idle_while_somebody_only_watches) {
  const auto id = begin();
  for (int seconds_watched = 0; seconds_watched < 3599; ++seconds_watched) {
    now_ += seconds{1};
    ASSERT_NE(sessions_.find(id, now_, session_use::watch), nullptr);
  }
  now_ += seconds{1};
  EXPECT_EQ(sessions_.find(id, now_, session_use::watch), nullptr) << "an hour after the last call";
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(sessions_test, end_after_half_a_day_however_busy) {
  const auto id = begin();
  for (int half_hours = 0; half_hours < 23; ++half_hours) {
    now_ += minutes{30};
    EXPECT_TRUE(lives(id));
  }
  EXPECT_EQ(sessions_.time_left(*sessions_.find(id, now_), now_), minutes{30});
  now_ += minutes{30};
  EXPECT_FALSE(lives(id));
}

TEST_F(sessions_test, are_bounded_for_each_credential) {
  const auto other = begin("other");
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= session_store::max_of_a_credential; ++i) {
    now_ += seconds{1};
    ids.push_back(begin("busy"));
  }
  EXPECT_EQ(sessions_.size(), session_store::max_of_a_credential + 1);
  EXPECT_FALSE(lives(ids.front())) << "the one that was longest idle makes room";
  EXPECT_TRUE(lives(ids.back()));
  EXPECT_TRUE(lives(other)) << "of its own";
}

TEST_F(sessions_test, are_bounded_in_all) {
  for (std::size_t i = 0; i < session_store::max_sessions + 10; ++i) {
    begin("key " + std::to_string(i));
  }
  EXPECT_EQ(sessions_.size(), session_store::max_sessions);
}

}  // namespace
}  // namespace tollgate::proxy::dashboard
