// The table of quota/redis/README.md, "Error replies".
#include "quota/redis/error_reply.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota::redis {
namespace {

struct error_case {
  std::string_view text;
  store_trouble trouble;
  bool not_applied;
  remedy then;
};

constexpr auto none = store_trouble::none;

class error_replies : public testing::TestWithParam<error_case> {};

TEST_P(error_replies, mean) {
  const auto& expected = GetParam();
  const auto got = read_error_reply(expected.text);
  EXPECT_EQ(to_string(got.trouble), to_string(expected.trouble));
  EXPECT_EQ(got.not_applied, expected.not_applied);
  EXPECT_EQ(got.then, expected.then);
}

// Texts of Redis 7.0 and Valkey 8, as they send them.
INSTANTIATE_TEST_SUITE_P(
    before_a_script, error_replies,
    testing::Values(
        error_case{"OOM command not allowed when used memory > 'maxmemory'.",
                   store_trouble::out_of_memory, true, remedy::wait},
        error_case{"MISCONF Redis is configured to save RDB snapshots, but it's currently unable "
                   "to persist on disk.",
                   store_trouble::disk_error, true, remedy::wait},
        error_case{"MISCONF Errors writing to the AOF file: No space left on device",
                   store_trouble::disk_error, true, remedy::wait},
        error_case{"NOREPLICAS Not enough good replicas to write.", store_trouble::no_replicas,
                   true, remedy::wait},
        error_case{"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
                   "NOSAVE.",
                   store_trouble::busy, true, remedy::wait},
        error_case{"READONLY You can't write against a read only replica.", store_trouble::replica,
                   true, remedy::reconnect},
        error_case{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to "
                   "'no'.",
                   store_trouble::replica, true, remedy::reconnect},
        error_case{"LOADING Redis is loading the dataset in memory", store_trouble::loading, true,
                   remedy::reconnect},
        error_case{"CLUSTERDOWN Hash slot not served", store_trouble::cluster_down, true,
                   remedy::wait},
        error_case{"CLUSTERDOWN The cluster is down", store_trouble::cluster_down, true,
                   remedy::wait},
        error_case{"TRYAGAIN Multiple keys request during rehashing of slot",
                   store_trouble::cluster_down, true, remedy::wait},
        error_case{"MOVED 3999 127.0.0.1:6381", store_trouble::cluster_down, true, remedy::wait},
        error_case{"ASK 3999 127.0.0.1:6381", store_trouble::cluster_down, true, remedy::wait},
        error_case{"NOAUTH Authentication required.", store_trouble::no_auth, true,
                   remedy::reconnect},
        error_case{"ERR max number of clients reached", store_trouble::too_many, true,
                   remedy::reconnect},
        error_case{"ERR Protocol error: invalid bulk length", store_trouble::malformed, true,
                   remedy::reconnect},
        error_case{"NOPERM this user has no permissions to run the 'fcall' command", none, true,
                   remedy::nothing},
        error_case{"CROSSSLOT Keys in request don't hash to the same slot", none, true,
                   remedy::nothing},
        error_case{"ERR Function not found", none, true, remedy::nothing},
        error_case{"NOSCRIPT No matching script. Please use EVAL.", none, true, remedy::nothing},
        error_case{"NEWERSCHEMA 3", none, true, remedy::nothing}));

// The script was running: nobody knows what it had changed. All but one say nothing of the server.
INSTANTIATE_TEST_SUITE_P(
    in_a_script, error_replies,
    testing::Values(
        error_case{"OOM command not allowed when used memory > 'maxmemory'. script: "
                   "a8e045687019c1230c01d4717e0579b12b1a1b50, on @user_script:1.",
                   none, false, remedy::nothing},
        error_case{"WRONGTYPE Operation against a key holding the wrong kind of value script: "
                   "tollgate_ledger_1, on @user_function:2.",
                   none, false, remedy::nothing},
        error_case{"ERR The user executing the script can't run this command or subcommand script: "
                   "tollgate_ledger_1, on @user_function:2.",
                   store_trouble::no_permission, false, remedy::reconnect},
        error_case{"ERR The user executing the script can't access at least one of the keys "
                   "mentioned in the command arguments script: tollgate_ledger_1, on "
                   "@user_function:2.",
                   store_trouble::no_permission, false, remedy::reconnect},
        // Of a report or a job: calls need none of its permissions.
        error_case{"ERR The user executing the script can't run this command or subcommand script: "
                   "a8e045687019c1230c01d4717e0579b12b1a1b50, on @user_script:2.",
                   none, false, remedy::nothing},
        error_case{"ERR The user executing the script can't access at least one of the keys "
                   "mentioned in the command arguments script: "
                   "a8e045687019c1230c01d4717e0579b12b1a1b50, on @user_script:2.",
                   none, false, remedy::nothing},
        error_case{"ERR user_function:4: attempt to index local 'a' (a nil value) script: bug, on "
                   "@user_function:4.",
                   none, false, remedy::nothing},
        error_case{"ERR Script killed by user with FUNCTION KILL script: tollgate_ledger_1, on "
                   "@user_function:9.",
                   none, false, remedy::nothing},
        error_case{"ERR something that no version has said yet", none, false, remedy::nothing},
        error_case{"", none, false, remedy::nothing}));

TEST(error_reply, knows_where_operations_that_need_no_write_are_answered) {
  EXPECT_TRUE(takes_no_writes("OOM command not allowed when used memory > 'maxmemory'."));
  EXPECT_TRUE(takes_no_writes("MISCONF Errors writing to the AOF file"));
  EXPECT_TRUE(takes_no_writes("NOREPLICAS Not enough good replicas to write."));
  EXPECT_FALSE(takes_no_writes("READONLY You can't write against a read only replica."));
  EXPECT_FALSE(takes_no_writes("BUSY Redis is busy running a script."));
}

constexpr std::string_view not_run =
    "ERR The user executing the script can't run this command or subcommand script: "
    "a8e045687019c1230c01d4717e0579b12b1a1b50, on @user_script:";

TEST(error_reply, knows_what_the_user_may_not_do) {
  EXPECT_TRUE(is_forbidden("NOPERM this user has no permissions to run the 'hscan' command"));
  EXPECT_TRUE(is_forbidden(std::string{not_run} + "2."));
  EXPECT_FALSE(is_forbidden("ERR unknown command"));
  EXPECT_FALSE(is_forbidden("NOAUTH Authentication required."));
}

TEST(error_reply, names_the_commands_in_the_line_of_the_script) {
  const std::string script =
      "local a = redis.call('TIME')\n"
      "if a then redis.call('ZADD', 'k', 1) else redis.call('ZREM', 'k') end\n"
      "\n"
      "local call = redis.call return call('HGET', 'k', 'f'), redis.call(ARGV[1])";
  const auto at = [&](const std::string& place) {
    return commands_at_error(script, std::string{not_run} + place);
  };
  EXPECT_EQ(at("1."), "TIME");
  EXPECT_EQ(at("2."), "ZADD or ZREM");
  EXPECT_EQ(at("3."), "");
  EXPECT_EQ(at("4."), "HGET");
  for (const char* odd : {"5.", "0.", "999999999999999999999.", ".", "x", ""}) {
    EXPECT_EQ(at(odd), "") << odd;
  }
  EXPECT_EQ(commands_at_error(script, "NOPERM this user has no permissions"), "");
  EXPECT_EQ(commands_at_error("", std::string{not_run} + "1."), "");
  EXPECT_EQ(commands_at_error("call('X", std::string{not_run} + "1."), "X");
}

}  // namespace
}  // namespace tollgate::quota::redis
