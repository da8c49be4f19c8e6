#include "quota/redis/server_role.hpp"

#include <gtest/gtest.h>

#include "tests/support/redis_reply.hpp"

namespace tollgate::quota::redis {
namespace {

using tests::array;
using tests::bulk;

server_role role_in(const std::string& encoded) {
  return parse_role(*tests::parse_reply(encoded));
}

struct role_case {
  std::string_view reply;
  store_trouble trouble;
  std::string_view detail;
};

class server_roles : public testing::TestWithParam<role_case> {};

TEST_P(server_roles, in_the_answer_to_role) {
  const auto& expected = GetParam();
  const auto found = role_in(std::string{expected.reply});
  EXPECT_EQ(to_string(found.trouble), to_string(expected.trouble));
  EXPECT_EQ(found.detail, expected.detail);
}

constexpr std::string_view silent = "the server does not say whether it is a master";

INSTANTIATE_TEST_SUITE_P(
    answers, server_roles,
    testing::Values(
        role_case{"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", store_trouble::none, ""},
        role_case{"*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$7\r\nconnect\r\n:-1\r\n",
                  store_trouble::replica, "the server is a replica of 127.0.0.1"},
        role_case{"*1\r\n$7\r\nreplica\r\n", store_trouble::replica, "the server is a replica"},
        role_case{"*2\r\n$8\r\nsentinel\r\n*0\r\n", store_trouble::other,
                  "the server is a sentinel"},
        role_case{"*0\r\n", store_trouble::other, silent},
        role_case{"*1\r\n:1\r\n", store_trouble::other, silent},
        role_case{":1\r\n", store_trouble::other, silent},
        role_case{"$-1\r\n", store_trouble::other, silent},
        role_case{"+OK\r\n", store_trouble::other, silent}));

TEST(server_role, in_the_text_of_info) {
  EXPECT_EQ(role_in(bulk("# Replication\r\nrole:master\r\nconnected_slaves:0\r\n")).trouble,
            store_trouble::none);
  const auto replica =
      role_in(bulk("# Replication\r\nrole:slave\r\nmaster_host:10.0.0.5\r\nmaster_port:6379\r\n"));
  EXPECT_EQ(replica.trouble, store_trouble::replica);
  EXPECT_EQ(replica.detail, "the server is a replica of 10.0.0.5");
  EXPECT_EQ(role_in(bulk("# Replication\r\nslave0:role:master\r\n")).detail, silent);
}

TEST(server_role, is_asked_for_in_another_way_where_one_is_not_allowed) {
  EXPECT_EQ(command_of(role_question::role).front(), "ROLE");
  EXPECT_EQ(command_of(next_after(role_question::role)).front(), "INFO");
  EXPECT_EQ(next_after(role_question::info), role_question::none);
}

}  // namespace
}  // namespace tollgate::quota::redis
