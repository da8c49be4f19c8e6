#include "proxy/app/store_log.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;
using quota::store_trouble;

class store_lines : public testing::Test {
 protected:
  std::string note(int connection, store_trouble trouble, std::string detail = "why") {
    at += 500ms;
    return changes.note(connection, {trouble, std::move(detail)}, at).value_or("");
  }

  store_changes changes;
  store_changes::time at{};
};

TEST_F(store_lines, are_none_at_a_start_that_succeeds) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(note(i, store_trouble::none), "");
}

TEST_F(store_lines, are_one_for_all_connections) {
  EXPECT_EQ(note(0, store_trouble::out_of_memory, "OOM"),
            "store: unavailable, cause=out_of_memory: OOM");
  EXPECT_EQ(note(1, store_trouble::out_of_memory), "");
  EXPECT_EQ(note(2, store_trouble::out_of_memory), "");
  EXPECT_EQ(note(0, store_trouble::none), "");
  EXPECT_EQ(note(2, store_trouble::none), "");
  EXPECT_EQ(note(1, store_trouble::none), "store: ready again after 2.5 s (cause=out_of_memory)");
}

TEST_F(store_lines, give_another_cause_once_all_connections_have_left_the_first) {
  EXPECT_NE(note(0, store_trouble::closed), "");
  EXPECT_EQ(note(1, store_trouble::closed), "");
  EXPECT_EQ(note(0, store_trouble::unreachable), "");
  EXPECT_EQ(note(1, store_trouble::unreachable), "store: unavailable, cause=unreachable: why");
  EXPECT_EQ(note(2, store_trouble::closed), "") << "a connection that was idle";
  EXPECT_EQ(note(2, store_trouble::unreachable), "");
}

TEST_F(store_lines, begin_anew) {
  note(0, store_trouble::closed);
  EXPECT_EQ(note(0, store_trouble::none), "store: ready again after 0.5 s (cause=closed)");
  EXPECT_NE(note(0, store_trouble::closed), "");
}

}  // namespace
}  // namespace tollgate::proxy
