#include "proxy/net/outbound/url.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::outbound {
namespace {

TEST(parse_url, takes_it_apart) {
  EXPECT_EQ(parse_url("https://pay.example/hooks/in/?a=b"),
            (url{true, "pay.example", 443, "pay.example", "/hooks/in/?a=b"}));
  EXPECT_EQ(parse_url("http://127.0.0.1:8000"),
            (url{false, "127.0.0.1", 8000, "127.0.0.1:8000", "/"}));
  EXPECT_EQ(parse_url("https://[::1]:444/x"), (url{true, "::1", 444, "[::1]:444", "/x"}));
}

TEST(parse_url, a_name_may_begin_like_an_address) {
  EXPECT_EQ(parse_url("https://1.2.3.4.example.com/"),
            (url{true, "1.2.3.4.example.com", 443, "1.2.3.4.example.com", "/"}));
  EXPECT_EQ(parse_url("https://127.0.0.1.nip.io"),
            (url{true, "127.0.0.1.nip.io", 443, "127.0.0.1.nip.io", "/"}));
  EXPECT_EQ(parse_url("http://1.2.3.4x:81/a?b"),
            (url{false, "1.2.3.4x", 81, "1.2.3.4x:81", "/a?b"}));
  EXPECT_EQ(parse_url("https://1.2.3.4"), (url{true, "1.2.3.4", 443, "1.2.3.4", "/"}));
}

TEST(parse_url, refuses_what_it_cannot_call) {
  for (const char* bad : {"", "pay.example", "ftp://pay.example", "https://", "https://a:b@c/",
                          "http://x:0/", "/path", "https://x:99999/", "https://1.2.3.4:x/",
                          "https://1.2.3.4.example.com:x/", "https://a@1.2.3.4.example.com/"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace tollgate::proxy::outbound
