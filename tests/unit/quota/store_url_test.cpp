#include "quota/redis/store_url.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota::redis {
namespace {

TEST(store_url, reads_redis_urls) {
  const auto plain = *parse_store_url("redis://redis.internal");
  EXPECT_FALSE(plain.is_embedded());
  EXPECT_EQ(plain.where.host, "redis.internal");
  EXPECT_EQ(plain.where.port, "6379");
  EXPECT_EQ(plain.where.database, 0);

  const auto full = *parse_store_url("redis://us%3Aer:p%40ss%3A%2F@10.0.0.1:7000/3");
  EXPECT_EQ(full.where.username, "us:er");
  EXPECT_EQ(full.where.password, "p@ss:/");
  EXPECT_EQ(full.where.host, "10.0.0.1");
  EXPECT_EQ(full.where.port, "7000");
  EXPECT_EQ(full.where.database, 3);

  const auto v6 = *parse_store_url("redis://[::1]:7000/");
  EXPECT_EQ(v6.where.host, "::1");
  EXPECT_EQ(v6.where.port, "7000");
  EXPECT_EQ(parse_store_url("redis://:secret@h")->where.password, "secret");
}

TEST(store_url, reads_unix_sockets) {
  const auto plain = *parse_store_url("unix:///run/redis.sock");
  EXPECT_EQ(plain.where.unix_path, "/run/redis.sock");
  EXPECT_EQ(parse_store_url("unix:///run/redis.sock?db=2")->where.database, 2);
}

TEST(store_url, recognises_the_embedded_store) {
  const auto embedded = *parse_store_url("embedded:var/tollgate");
  EXPECT_TRUE(embedded.is_embedded());
  EXPECT_EQ(embedded.directory, "var/tollgate");
}

TEST(store_url, says_what_is_wrong) {
  for (const auto* text : {"",
                           "redis:/h",
                           "http://h",
                           "redis://",
                           "redis://:80",
                           "redis://h:",
                           "redis://h:x",
                           "redis://h:0",
                           "redis://h:70000",
                           "redis://h/x",
                           "redis://h/-1",
                           "redis://[::1",
                           "redis://[::1]x",
                           "redis://a%zz:b@h",
                           "redis://a%4@h",
                           "unix://",
                           "unix://run.sock",
                           "unix:///s?x=1",
                           "unix:///s?db=",
                           "embedded:"}) {
    const auto parsed = parse_store_url(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_FALSE(parsed.error().empty()) << text;
  }
}

TEST(store_url, names_what_is_not_supported_yet) {
  for (const auto* text : {"rediss://h", "redis+sentinel://h", "redis+cluster://h"}) {
    const auto parsed = parse_store_url(text);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().find("not supported yet"), std::string::npos) << text;
  }
}

TEST(store_url, never_repeats_the_password) {
  for (const auto* text : {"redis://u:hunter2@h:x", "redis://u:hunter2@", "redis://u:hunter2%zz@h",
                           "redis://u:hunter2@h/x"}) {
    EXPECT_EQ(parse_store_url(text).error().find("hunter2"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace tollgate::quota::redis
